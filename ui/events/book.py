"""The pages follow the frames and their settings; they are turned over, and saved."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from dataclasses import replace
from html import escape
from pathlib import Path
from typing import Any

import gradio as gr

from anystory.errors import Message
from anystory.pages.form import Format
from anystory.pages.layout import Pages
from anystory.render.layers import LayerError
from ui import book, export, html
from ui.events import QUICK, SLOW
from ui.events.script import Written, written
from ui.parts import Parts
from ui.studio import Shown, place, placed
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

    def look(request: gr.Request, shown: tuple[Shown, ...], at: int, show: str, *values: Any) -> tuple[Any, Any]:
        visitor = parts.visitors[request.session_hash]
        visitor.looks = this = visitor.looks + 1
        seen = looked(request, shown, at, show, *values)
        # What was asked since is answered already, or soon: two looks at once may end in any order.
        return seen if this == visitor.looks else (gr.skip(), gr.skip())

    def looked(request: gr.Request, shown: tuple[Shown, ...], at: int, show: str, *values: Any) -> tuple[int, str]:
        if not shown:
            return 1, book.empty()
        say, run = words(request), parts.visitors[request.session_hash].run
        try:
            form = asked(values)
            # To enlarge a frame takes long: what is looked at is not.
            made = laid_out(shown, values, replace(form, dpi=min(form.dpi, book.PREVIEW), upscale=False))
            if show != "pages":
                return export.look(made, show, at, say)
            return book.preview(made, at, say, form, run.coming if run else ())
        except book.ERRORS as error:
            return at, html.notice([say(error)])

    def turn(
        event: gr.EventData, request: gr.Request, shown: tuple[Shown, ...], show: str, *values: Any
    ) -> tuple[Any, Any]:
        return look(request, shown, int(event.page), show, *values)

    seen, values = [pages.at, pages.preview], [*pages.settings, *written(parts)]
    framed = parts.controls.pages, parts.controls.shape, parts.controls.size  # by which frames come to be made anew
    gr.on(
        [part.change for part in (stage.shown, stage.ended, pages.said, pages.show, *framed, *pages.settings)],
        look,
        [stage.shown, pages.at, pages.show, *values],
        seen,
        trigger_mode="always_last",
        **QUICK,
    )
    pages.preview.click(turn, [stage.shown, pages.show, *values], seen, **QUICK)

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

    def other_as(kind: str) -> Callable[..., Path]:
        def save_other(request: gr.Request, shown: tuple[Shown, ...], item: Shown | None, *values: Any) -> Path:
            say = words(request)
            try:
                if kind in export.LAYERS and item is None:
                    raise LayerError(Message("Open a frame first; its layers are saved."))
                panel = item.in_folder[1] if item else 1
                made, file = laid_out(shown, values, asked(values)), place(shown[0].job, export.ending(kind, panel))
                warnings = export.save(made, kind, file, panel=panel)
            except book.ERRORS as error:
                raise gr.Error(escape(say(error)), print_exception=False) from error
            for warning in warnings:
                gr.Info(escape(say(warning)))
            return file

        return save_other

    def film(request: gr.Request, shown: tuple[Shown, ...], *values: Any) -> Iterator[dict[Any, Any]]:
        say = words(request)
        kind = "mp4" if shutil.which("ffmpeg") else "webp"
        file = place(shown[0].job, export.ending(kind))

        def filming() -> Generator[float, None, None]:
            warnings = yield from export.filming(laid_out(shown, values, asked(values)), kind, file)
            for warning in warnings:
                gr.Info(escape(say(warning)))

        try:
            with closing(filming()) as shares:
                for share in shares:
                    yield {pages.filmed: html.progress_bar(say("book.filming"), share)}
        except book.ERRORS as error:
            yield {pages.filmed: ""}
            raise gr.Error(escape(say(error)), print_exception=False) from error
        yield {pages.filmed: "", stage.made: file}

    def script_as(kind: str) -> Callable[..., Path]:
        def save_script(request: gr.Request, shown: tuple[Shown, ...], *said: Any) -> Path:
            read = Written(*said).readable(parts.studio, words(request))
            return book.save_script(read, kind, placed(shown, read.panels), shown[0])

        return save_script

    for kind, button in pages.saves.items():  # no `partial`, into which Gradio puts no request
        if kind in book.SCRIPTS:
            make, of = script_as, written(parts)
        elif kind in book.OTHERS:
            make, of = other_as, [parts.view.item, *values]
        else:
            make, of = pages_as, values
        button.click(make(kind), [stage.shown, *of], stage.made, **SLOW).success(js=FETCH)
    pages.film.click(film, [stage.shown, *values], [stage.made, pages.filmed], **SLOW).success(js=FETCH)
