"""The pages follow the frames and their settings; they are turned over, and saved."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from html import escape
from pathlib import Path
from typing import Any

import gradio as gr

from anystory.pages.form import Format
from anystory.pages.layout import Pages
from ui import book, html
from ui.events import QUICK, SLOW
from ui.events.script import Written, written
from ui.parts import Parts
from ui.studio import Shown, placed
from ui.theme import FETCH
from ui.words import words


def wire(parts: Parts) -> None:
    """The pages follow the frames and their settings; they are turned over, and saved."""
    stage, pages = parts.stage, parts.book

    def asked(values: tuple[Any, ...]) -> Format:
        """What the settings ask for, for the values of `pages.settings` and `written`."""
        return book.form(*values[: len(pages.settings)])

    def laid_out(shown: tuple[Shown, ...], values: tuple[Any, ...], form: Format) -> Pages:
        """The pages, for those values."""
        return book.pages(shown, Written(*values[len(pages.settings) :]).reading(parts.studio).script, form)

    def look(request: gr.Request, shown: tuple[Shown, ...], at: int, *values: Any) -> tuple[int, str]:
        if not shown:
            return 1, book.empty()
        say, run = words(request), parts.visitors[request.session_hash].run
        try:
            form = asked(values)
            made = laid_out(shown, values, replace(form, dpi=min(form.dpi, book.PREVIEW)))
            return book.preview(made, at, say, form.dpi, run.coming if run else ())
        except book.ERRORS as error:
            return at, html.notice([say(error)])

    def turn(event: gr.EventData, request: gr.Request, shown: tuple[Shown, ...], *values: Any) -> tuple[int, str]:
        return look(request, shown, int(event.page), *values)

    seen, values = [pages.at, pages.preview], [*pages.settings, *written(parts)]
    framed = parts.controls.pages, parts.controls.shape, parts.controls.size  # by which frames come to be made anew
    gr.on(
        [part.change for part in (stage.shown, stage.ended, pages.said, *framed, *pages.settings)],
        look,
        [stage.shown, pages.at, *values],
        seen,
        trigger_mode="always_last",
        **QUICK,
    )
    pages.preview.click(turn, [stage.shown, *values], seen, **QUICK)

    def pages_as(kind: str) -> Callable[..., Path]:
        def save(request: gr.Request, shown: tuple[Shown, ...], *values: Any) -> Path:
            say = words(request)
            try:
                file, warnings = book.save(laid_out(shown, values, asked(values)), kind, shown[0])
            except book.ERRORS as error:
                raise gr.Error(escape(say(error)), print_exception=False) from error
            for warning in warnings:
                gr.Info(escape(say(warning)))
            return file

        return save

    def script_as(kind: str) -> Callable[..., Path]:
        def save_script(request: gr.Request, shown: tuple[Shown, ...], *said: Any) -> Path:
            read = Written(*said).readable(parts.studio, words(request))
            return book.save_script(read, kind, placed(shown, read.panels), shown[0])

        return save_script

    for kind, button in pages.saves.items():  # no `partial`, into which Gradio puts no request
        make, of = (script_as, written(parts)) if kind in book.SCRIPTS else (pages_as, values)
        button.click(make(kind), [stage.shown, *of], stage.made, **SLOW).success(js=FETCH)
