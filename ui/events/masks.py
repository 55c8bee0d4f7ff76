"""The brush, and the model that cuts out."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import gradio as gr

from anystory.cast.segment import Segmenter, SegmentError
from ui import cast, html, masks
from ui.events import CUTTING, ONE_CAST, QUICK, SLOW
from ui.events.cast import Cast, close, shown
from ui.parts import Parts
from ui.words import words


def wire(parts: Parts) -> None:
    """The brush, and the model that cuts out."""
    actors, editor, chooser = parts.actors, parts.editor, parts.chooser

    def open_mask(event: gr.EventData, present: Cast) -> list[Any]:
        found = cast.place(present, event.picture)
        if found is None:
            return masks.closed()
        index, number = found
        return masks.opened(index, present[index], number)

    actors.cards.mask(open_mask, actors.actors, editor.outputs, **SLOW, **ONE_CAST)

    def brushed(
        request: gr.Request, who: str | None, value: dict[str, Any] | None, model: str, present: Cast
    ) -> dict[Any, Any]:
        found = cast.place(present, who)
        if found is None:
            return {editor.who: None}
        index, number = found
        brush = Segmenter(model)
        picture, refused = masks.brushed(value, present[index].pictures[number], brush, words(request))
        return {editor.result: masks.result(picture, index, refused), **shown(actors, cast.repainted(present, picture))}

    def reset(who: str | None, present: Cast) -> dict[Any, Any]:
        found = cast.place(present, who)
        if found is None:
            return close(editor)
        index, number = found
        now = cast.repainted(present, cast.brush(present[index].pictures[number], None, Segmenter()))
        again = dict(zip(editor.outputs, masks.opened(index, now[index], number), strict=True))
        return again | shown(actors, now)

    editor.canvas.input(
        brushed,
        [editor.who, editor.canvas, chooser.model, actors.actors],
        [editor.who, editor.result, *actors.outputs],
        trigger_mode="always_last",
        **SLOW,
        **ONE_CAST,
    )
    editor.reset.click(reset, [editor.who, actors.actors], [*editor.outputs, *actors.outputs], **SLOW, **ONE_CAST)
    editor.done.click(masks.closed, None, editor.outputs, **QUICK)

    chooser.names.input(masks.chosen, [chooser.names, chooser.model], [chooser.about, chooser.use], **QUICK)

    def fetch(request: gr.Request, name: str, used: str) -> Iterator[dict[Any, Any]]:
        yield {chooser.fetched: None, chooser.use: gr.Button(interactive=False)}
        try:
            for bar in masks.fetching(name):
                yield {chooser.progress: bar}
            yield {chooser.fetched: name}
        except SegmentError as error:
            yield {chooser.progress: html.notice([words(request)(error)]), chooser.use: masks.chosen(name, used)[1]}

    def recut(request: gr.Request, name: str | None, present: Cast) -> dict[Any, Any]:
        if name is None:
            return {chooser.recut: None}
        now, refused = cast.recut(present, Segmenter(name))
        return {chooser.recut: now, chooser.progress: html.notice(list(map(words(request), refused)))}

    def put(name: str | None, recut: Cast | None, present: Cast) -> dict[Any, Any]:
        if name is None or recut is None:
            return {chooser.recut: None}
        about, button = masks.chosen(name, name)
        told = {chooser.recut: None, chooser.model: name, chooser.about: about, chooser.use: button}
        return {**shown(actors, cast.with_recut(present, recut, Segmenter(name))), **told, **close(editor)}

    told = [chooser.fetched, chooser.progress, chooser.use]
    # Apart, as nobody should wait for another's download or cutting, nor lose what they add to the cast meanwhile.
    chooser.use.click(
        fetch, [chooser.names, chooser.model], told, concurrency_id="fetch", concurrency_limit=1, **SLOW
    ).then(recut, [chooser.fetched, actors.actors], [chooser.recut, chooser.progress], **SLOW, **CUTTING).then(
        put,
        [chooser.fetched, chooser.recut, actors.actors],
        [chooser.recut, chooser.model, chooser.about, chooser.use, *actors.outputs, *editor.outputs],
        **SLOW,
        **ONE_CAST,
    )
