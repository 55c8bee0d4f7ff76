"""Characters in and out of the cast, their names, words, pictures and order."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any

import gradio as gr

from anystory.cast.images import ImageError
from anystory.cast.segment import Segmenter
from anystory.script.form import MAX_CAST
from ui import cast, entrance, html, masks, script, shelf
from ui.events import CUTTING, ONE_CAST, SLOW
from ui.parts import Parts
from ui.uploads import uploaded
from ui.words import words

Cast = tuple[cast.Actor, ...]
Pictures = tuple[cast.Made, ...]

ON_CARD: dict[str, Any] = {"trigger_mode": "multiple", **SLOW, **ONE_CAST}
"""How the page hears of what is done on a card."""


def wire(parts: Parts) -> None:
    """Characters in and out of the cast, their names, words, pictures and order."""
    _pictures(parts)
    _arrivals(parts)
    _told(parts)
    _names(parts)
    _order(parts)


def _pictures(parts: Parts) -> None:
    """Pictures that come in: cut out beside the queue of what changes the cast, which they join at the end."""
    actors, editor, chooser = parts.actors, parts.editor, parts.chooser

    def cut_out(
        request: gr.Request,
        paths: list[str],
        model: str,
        made: Pictures,
        taken: frozenset[str],
        of: str | None = None,
        more: bool = False,
    ) -> dict[Any, Any]:
        new, refused = cast.cut_out(paths, Segmenter(model), of, more, words(request))
        waiting = tuple(item for item in made if item.actor.key not in taken)
        return {actors.made: (*waiting, *new), actors.notice: html.notice(refused)}

    def add(
        request: gr.Request, waiting: deque[list[str]], model: str, made: Pictures, taken: frozenset[str]
    ) -> dict[Any, Any]:
        paths = entrance.first(waiting)
        return cut_out(request, paths, model, made, taken) if paths else {}

    def picture(
        event: gr.EventData, request: gr.Request, model: str, made: Pictures, taken: frozenset[str]
    ) -> dict[Any, Any]:
        done = {actors.cards: gr.HTML(cut=event.count)}
        try:
            paths = uploaded(event.paths)
            if too_much := parts.visitors.refusal(request, paths):
                return done | {actors.notice: html.notice([too_much])}
            return done | cut_out(request, paths, model, made, taken, str(event.key), event.more is True)
        except ImageError as error:
            return done | {actors.notice: html.notice([words(request)(error)])}

    cutting = {"api_visibility": "private", **CUTTING}
    made = [chooser.model, actors.made, actors.taken]
    actors.files.pictures.bell.change(
        add,
        [actors.files.pictures.waiting, *made],
        [actors.made, actors.notice],
        show_progress_on=actors.files.drop,
        trigger_mode="multiple",
        **cutting,
    )
    actors.cards.picture(
        picture,
        made,
        [actors.cards, actors.made, actors.notice],
        trigger_mode="multiple",
        show_progress="hidden",
        **cutting,
    )

    def join(
        made: Pictures, taken: frozenset[str], present: Cast, who: str | None, request: gr.Request
    ) -> dict[Any, Any]:
        new = [item for item in made if item.actor.key not in taken]
        now, left = cast.joined(present, new)
        change = {actors.taken: frozenset(item.actor.key for item in made), **shown(actors, now)}
        if left:
            change[actors.notice] = html.notice(cast.left_out(left, words(request)))
        return change | closed_without(editor, now, who)

    actors.made.change(
        join,
        [actors.made, actors.taken, actors.actors, editor.who],
        [actors.taken, actors.notice, *actors.outputs, *editor.outputs],
        trigger_mode="multiple",
        **SLOW,
        **ONE_CAST,
    )

    def refuse(event: gr.EventData, request: gr.Request) -> str:
        return html.notice([words(request)("cast.lost", file=str(event.file)[:80])])

    actors.cards.refused(refuse, None, actors.notice, **ON_CARD)


def _arrivals(parts: Parts) -> None:
    """Characters without a picture, and those of the shelf."""
    actors = parts.actors

    def describe(present: Cast, request: gr.Request) -> list[Any]:
        if len(present) >= MAX_CAST:
            return [html.notice([words(request)("cast.room", count=MAX_CAST)]), *cast.show(present)]
        new = cast.Actor(cast.free_name("Character", (actor.name for actor in present)))
        return ["", *cast.show((*present, new))]

    actors.describe.click(
        describe, actors.actors, [actors.notice, *actors.outputs], trigger_mode="multiple", **SLOW, **ONE_CAST
    )

    def take(event: gr.EventData, present: Cast, request: gr.Request) -> dict[Any, Any]:
        example = shelf.taken(event.name)
        now, left = cast.joined(present, [cast.Made(example)] if example else [])
        return {actors.notice: html.notice(cast.left_out(left, words(request))), **shown(actors, now)}

    parts.shelf.take(take, actors.actors, [actors.notice, *actors.outputs], **ON_CARD)


def _told(parts: Parts) -> None:
    """What a card says of a character: words, height, where it looks, which drawing stands for it."""
    actors = parts.actors

    def told(event: gr.EventData, present: Cast, change: Callable[[cast.Actor, object], cast.Actor]) -> list[Any]:
        index = cast.find(present, event.key)
        now = present if index is None else cast.exchanged(present, change(present[index], event.text))
        return [now, gr.HTML(heard=event.count)]

    def word(event: gr.EventData, present: Cast) -> list[Any]:
        return told(event, present, cast.described)

    def tall(event: gr.EventData, present: Cast) -> list[Any]:
        return told(event, present, cast.as_tall)

    def turn(event: gr.EventData, present: Cast) -> list[Any]:
        return told(event, present, cast.turned)

    def choose(event: gr.EventData, present: Cast) -> list[Any]:
        index = cast.find(present, event.key)
        now = present if index is None else cast.exchanged(present, cast.drawn_as(present[index], event.drawing))
        return cast.show(now)

    actors.cards.choose(choose, actors.actors, actors.outputs, **ON_CARD)
    actors.cards.words(word, actors.actors, actors.outputs, **ON_CARD)
    actors.cards.tall(tall, actors.actors, actors.outputs, **ON_CARD)
    actors.cards.turn(turn, actors.actors, actors.outputs, **ON_CARD)


def _names(parts: Parts) -> None:
    """A new name, which goes into the script as well, and the way back."""
    actors, edits = parts.actors, parts.text.edits

    def rename(event: gr.EventData, present: Cast, lines: str, request: gr.Request) -> dict[Any, Any]:
        heard: dict[Any, Any] = {actors.cards: gr.HTML(heard=event.count)}
        index = cast.find(present, event.key)
        if index is None:
            return heard
        old = present[index].name
        actor = cast.renamed(present[index], event.text)
        change = heard | {actors.actors: cast.exchanged(present, actor), actors.renamed: "", actors.renaming: None}
        after = cast.script_renamed(lines, present, old, actor.name)
        if after == lines:
            return change
        done = cast.Renaming(actor.key, old, actor.name, lines, after)
        said = {actors.renamed: cast.told_renamed(done, words(request)), actors.renaming: done}
        return change | said | {edits: script.edited(lines, after)}

    def undo(done: cast.Renaming | None, present: Cast, lines: str) -> dict[Any, Any]:
        if done is None:
            return {actors.renamed: ""}
        before = done.before if lines == done.after else cast.script_renamed(lines, present, done.new, done.old)
        index = cast.find(present, done.key)
        now = present if index is None else cast.exchanged(present, cast.renamed(present[index], done.old))
        return {actors.renamed: "", actors.renaming: None, edits: script.edited(lines, before), **shown(actors, now)}

    renaming = [actors.renamed, actors.renaming, edits, *actors.outputs]
    actors.cards.rename(rename, [actors.actors, parts.text.text], renaming, **ON_CARD)
    actors.renamed.undo(undo, [actors.renaming, actors.actors, parts.text.text], renaming, **ON_CARD)


def _order(parts: Parts) -> None:
    """Characters moved and removed, and their pictures."""
    actors, editor = parts.actors, parts.editor

    def move(event: gr.EventData, present: Cast) -> list[Any]:
        return cast.show(cast.moved(present, event.key, 1 if event.by > 0 else -1))

    actors.cards.move(move, actors.actors, actors.outputs, **ON_CARD)

    def remove(event: gr.EventData, present: Cast, who: str | None) -> dict[Any, Any]:
        now = cast.without(present, event.key)
        return {actors.notice: "", **shown(actors, now), **closed_without(editor, now, who)}

    def unpicture(event: gr.EventData, present: Cast, who: str | None) -> dict[Any, Any]:
        now = cast.unpictured(present, event.picture)
        return {actors.notice: "", **shown(actors, now), **closed_without(editor, now, who)}

    less = [actors.actors, editor.who], [actors.notice, *actors.outputs, *editor.outputs]
    actors.cards.remove(remove, *less, **ON_CARD)
    actors.cards.unpicture(unpicture, *less, **ON_CARD)


def shown(actors: cast.CastWidgets, now: Cast) -> dict[Any, Any]:
    """The changes that make the page show a cast."""
    return dict(zip(actors.outputs, cast.show(now), strict=True))


def closed_without(editor: masks.Editor, now: Cast, who: str | None) -> dict[Any, Any]:
    """Close the brush where the picture it was over has gone."""
    return {} if who is None or cast.place(now, who) else close(editor)


def close(editor: masks.Editor) -> dict[Any, Any]:
    return dict(zip(editor.outputs, masks.closed(), strict=True))
