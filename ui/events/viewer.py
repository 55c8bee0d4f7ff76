"""Open a frame of the gallery; draw its overlay anew when a box or a slider changes; make files to take home."""

from __future__ import annotations

from collections.abc import Callable
from html import escape
from pathlib import Path
from typing import Any

import gradio as gr

from ui import viewer
from ui.arranging import laid
from ui.chips import read
from ui.events import QUICK
from ui.parts import Parts
from ui.studio import Shown, animation, contact_sheet, map_sheet
from ui.theme import FETCH
from ui.words import t, words


def lay(parts: Parts, *happens: Callable[..., Any]) -> None:
    """Lay the cast out on the frame that is open then, and say what was read of it."""
    view = parts.view

    def laid_out(request: gr.Request, item: Shown | None) -> list[Any]:
        if parts.visitors.busy(request.session_hash):
            return [gr.skip()] * 2
        return [laid(parts.studio, item), read(parts.studio, item, words(request))]

    # Each by itself: Gradio tells nobody that a state has changed that was not set from the queue.
    for event in happens:
        event(laid_out, view.item, [view.laid, view.read], trigger_mode="always_last", **QUICK)


def wire(parts: Parts) -> None:
    """Open a frame of the gallery; draw its overlay anew when a box or a slider changes; make files to take home."""
    stage, view = parts.stage, parts.view

    def open_frame(event: gr.EventData, request: gr.Request, shown: tuple[Shown, ...]) -> list[Any]:
        visitor = parts.visitors[request.session_hash]
        late, visitor.opened = event.count < visitor.opened, max(event.count, visitor.opened)
        item = next((item for item in shown if item.id == event.id and not late), None)
        return viewer.opened(item, words(request)) if item else [gr.skip()] * len(view.outputs)

    # A click while another frame is still coming is none to leave out, and one that another has overtaken is: the page
    # has the picture of the last already.
    opens = stage.gallery.select(open_frame, stage.shown, view.outputs, trigger_mode="multiple", **QUICK)
    lay(parts, opens.then, view.item.change, stage.ended.change)

    def redraw(request: gr.Request, item: Shown | None, *settings: Any) -> Any:
        return viewer.pictured(item, words(request), *settings) if item else gr.skip()

    gr.on(
        [*(widget.input for widget in view.settings), parts.book.captions.change, parts.book.dialogue.change],
        redraw,
        [view.item, *view.settings, parts.book.captions, parts.book.dialogue],
        view.picture,
        trigger_mode="always_last",
        **QUICK,
    )
    gr.on(
        [view.letters.input, parts.book.captions.change, parts.book.dialogue.change],
        lambda item, letters, *how: viewer.to_take_home(item, letters, *how) if item else gr.skip(),
        [view.item, view.letters, parts.book.captions, parts.book.dialogue],
        view.download,
        **QUICK,
    )
    view.seen.input(lambda seen: gr.Column(visible=seen), view.seen, view.legend, **QUICK)
    view.mode.input(lambda mode: gr.Column(visible=mode == viewer.SCRUB), view.mode, view.scrub, **QUICK)

    def download(button: gr.Button, make: Callable[[Any], Path], source: gr.State) -> None:
        def made(request: gr.Request, of: Any) -> Path:
            try:
                return make(of)
            except ValueError as error:
                raise gr.Error(
                    escape(words(request)(error)), title=t("viewer.impossible"), print_exception=False
                ) from error

        button.click(made, source, stage.made, show_progress="hidden", api_visibility="private").success(js=FETCH)

    download(view.maps, map_sheet, view.item)
    download(view.animation, animation, view.item)
    download(parts.desk.sheet, contact_sheet, stage.shown)
