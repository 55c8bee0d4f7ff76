"""The script's two views: what is written in one shows in the other, and what is found in it is mended at a click."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from html import escape
from typing import Any, NamedTuple

import gradio as gr

from anystory.render.session import framed
from anystory.story.model import Panel, Script, Style
from ui import board, book, cast, frames, paints, panels, script
from ui.events import QUICK, UNTOLD
from ui.ideas import ideas
from ui.parts import Parts
from ui.studio import Shown, Studio, Visit
from ui.words import words


class Written(NamedTuple):
    """What a page says of its story, in the order of `written`: the cast, the presets that came with a storyboard, the
    script's text, the title, the style chosen and who draws it."""

    present: tuple[cast.Actor, ...]
    styles: tuple[Style, ...]
    lines: str
    title: str
    style: str | None
    backend: str

    def reading(self, studio: Studio) -> script.ScriptReading:
        """The script as the page has it, for the cast as the page has it."""
        pictured = [subject.name for subject in cast.subjects(self.present)]
        members = cast.members(self.present)
        backend = studio.backends.loaded(self.backend)
        return script.read(self.lines, self.title, self.style, members, pictured, backend, self.styles)

    def readable(self, studio: Studio, say: Callable[..., str]) -> Script:
        """The script on the page, which has no mistakes. Raises gr.Error, which says them."""
        reading = self.reading(studio)
        if reading.script is None or reading.errors:
            raise gr.Error(escape(" ".join(say(found.message) for found in reading.errors)), print_exception=False)
        return reading.script


class Around(NamedTuple):
    """What else the views of a script depend on: the story's seed, the visit, the panels that the strip shows, the
    frames there are, the panels chosen and the frame that is open."""

    seed: float | None
    visit: Visit | None
    before: tuple[Panel, ...]
    shown: tuple[Shown, ...]
    chosen: tuple[int, ...]
    item: Shown | None


def _told(values: Sequence[Any]) -> tuple[Around, Written]:
    count = len(Around._fields)
    return Around(*values[:count]), Written(*values[count:])


def written(parts: Parts) -> list[Any]:
    """The components that hold `Written`."""
    text = parts.text
    return [parts.actors.actors, text.styles, text.text, text.title, text.style, parts.choice.name]


TYPED, CHANGED = (
    f"() => {{ document.dispatchEvent(new CustomEvent('script-changed', {{detail: {{typed: {typed}}}}})); }}"
    for typed in ("true", "false")
)
"""Tell the cards that there is something to read: a text, which they may know already, or something else."""


def wire(parts: Parts) -> None:
    """The script's two views: what is written in one shows in the other, and what is found in it is mended at a
    click. The browser asks for both after a pause, and one question at a time (`ui/js/panels.js`)."""
    studio, actors, text, seed, stage = parts.studio, parts.actors, parts.text, parts.controls.seed, parts.stage

    def views(page: Written, around: Around, request: gr.Request, **props: Any) -> dict[Any, Any]:
        """What is found in the text, its panels as cards with their pictures, and the strip of frames; `props` are
        further ones of the cards."""
        reading, say, seed = page.reading(studio), words(request), int(around.seed or 0)
        slots = board.slots(studio, around.visit, reading.source, page.present, around.shown, seed, say)
        found, deck = script.feedback(reading, seed, say, slots) if page.lines.strip() else ("", "")
        run, panels = parts.visitors[request.session_hash].run, framed(reading.script) if reading.script else ()
        return {
            text.findings: found,
            text.feedback: gr.HTML(deck, text=paints.short(page.lines), **props),
            text.style_note: script.style_note(reading, page.style, say),
            parts.book.said: book.said(around.shown, reading.script),
            **frames.menus(reading.script, parts.controls),
            **frames.followed(run, say, panels, *around[2:], parts.controls, stage),
        }

    def read(request: gr.Request, *values: Any) -> dict[Any, Any]:
        around, page = _told(values)
        return views(page, around, request)

    def mended(event: gr.EventData, *said: Any) -> gr.HTML:
        page = Written(*said)
        start, end = map(paints.in_text, (event.start, event.end))
        return script.edited(
            page.lines, script.fixed(page.lines, page.reading(studio).findings, start, end, event.code)
        )

    def act(event: gr.EventData, request: gr.Request, *values: Any) -> dict[Any, Any]:
        around, page = _told(values)
        lines = panels.acted(page.lines, cast.members(page.present), event._data)
        change = script.rewritten(text, page.lines, lines, page.styles)
        page = page._replace(styles=change.get(text.styles, page.styles), lines=lines)
        return {**change, **views(page, around, request, heard=event.count)}

    def pick(event: gr.EventData, request: gr.Request, before: str | None, *said: Any) -> dict[Any, Any]:
        page = Written(*said)
        names = [member.name for member in cast.members(page.present)]
        if event.title is None:
            return {
                text.text: page.lines if before is None else before,
                text.ideas: script.ideas(names),
                text.before: None,
            }
        lines = script.with_idea(event.title, names)
        if lines is None:
            return {text.ideas: script.ideas(names)}
        say, key = words(request), next(idea.key for idea in ideas() if idea.title == event.title)
        done = say("script.ideas.done", title=say(key))
        old = page.lines if before is None else before
        return {text.text: lines, text.ideas: script.ideas(names, done), text.before: old}

    def offer(present: tuple[cast.Actor, ...]) -> dict[Any, Any]:
        return {text.ideas: script.ideas([member.name for member in cast.members(present)]), text.before: None}

    # Not `input`, which Gradio's text box only sends for key presses: not for what is pasted, deleted or swiped.
    text.text.change(js=TYPED)
    others = text.title, text.style, actors.actors, parts.head.model, seed, parts.visit
    gr.on([part.change for part in others], js=CHANGED)
    asked = [seed, parts.visit, stage.panels, stage.shown, stage.chosen, parts.view.item, *written(parts)]
    answer = [text.findings, text.feedback, text.style_note, parts.book.said, *parts.controls.menus]
    answer += frames.follows(parts.controls, stage)
    text.feedback.read(read, asked, answer, trigger_mode="always_last", **QUICK)
    inputs = written(parts)
    text.findings.click(mended, inputs, text.edits, **QUICK)
    text.feedback.fix(mended, inputs, text.edits, **QUICK)
    acts = [text.edits, text.styles, text.style, *answer]
    text.feedback.act(act, asked, acts, trigger_mode="multiple", **QUICK).failure(js=UNTOLD)
    text.ideas.pick(pick, [text.before, *inputs], [text.text, text.ideas, text.before], **QUICK)
    actors.actors.change(offer, actors.actors, [text.ideas, text.before], **QUICK)
