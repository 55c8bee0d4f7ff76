"""The script's two views: what is written in one shows in the other, and what is found in it is mended at a click."""

from __future__ import annotations

from typing import Any

import gradio as gr

from anystory.story.model import Style
from ui import cast, panels, script
from ui.events import QUICK
from ui.parts import Parts
from ui.studio import Studio
from ui.words import words


def reading_of(
    studio: Studio,
    present: tuple[cast.Actor, ...],
    styles: tuple[Style, ...],
    lines: str,
    title: str,
    style: str | None,
) -> script.ScriptReading:
    """The script as the page has it, for the cast as the page has it."""
    pictured = [subject.name for subject in cast.subjects(present)]
    return script.read(lines, title, style, cast.members(present), pictured, studio.loaded, styles)


def wire(parts: Parts) -> None:
    """The script's two views: what is written in one shows in the other, and what is found in it is mended at a
    click."""
    studio, actors, text, seed = parts.studio, parts.actors, parts.text, parts.controls.seed
    written = [actors.actors, text.styles, text.text, text.title, text.style]
    shown = [text.findings, text.feedback]

    def views(page: tuple[Any, ...], seed: float | None, request: gr.Request) -> list[Any]:
        """What is found in the text, and its panels as cards."""
        reading = reading_of(studio, *page)
        return list(script.feedback(reading, int(seed or 0), words(request)) if page[2].strip() else ("", ""))

    def read(request: gr.Request, seed: float | None, *page: Any) -> list[Any]:
        style = script.style_note(reading_of(studio, *page), page[4])
        return [*views(page, seed, request), style]

    def mended(event: gr.EventData, *page: Any) -> str:
        found = reading_of(studio, *page).findings
        return script.fixed(page[2], found, event.start, event.end, event.code)

    def act(event: gr.EventData, request: gr.Request, seed: float | None, *page: Any) -> dict[Any, Any]:
        lines = panels.acted(page[2], cast.members(page[0]), event._data)
        change = script.rewritten(text, page[2], lines, page[1])
        found, deck = views((page[0], change.get(text.styles, page[1]), lines, *page[3:]), seed, request)
        return {**change, text.findings: found, text.feedback: gr.HTML(deck, heard=event.count)}

    def pick(event: gr.EventData, request: gr.Request, before: str | None, *page: Any) -> dict[Any, Any]:
        names = [member.name for member in cast.members(page[0])]
        if event.title is None:
            return {
                text.text: page[2] if before is None else before,
                text.ideas: script.ideas(names),
                text.before: None,
            }
        lines = script.with_idea(event.title, names)
        if lines is None:
            return {text.ideas: script.ideas(names)}
        said = words(request)("script.ideas.done", title=event.title)
        old = page[2] if before is None else before
        return {text.text: lines, text.ideas: script.ideas(names, said), text.before: old}

    def offer(present: tuple[cast.Actor, ...]) -> dict[Any, Any]:
        return {text.ideas: script.ideas([member.name for member in cast.members(present)]), text.before: None}

    # Not `input`, which Gradio's text box only sends for key presses: not for what is pasted, deleted or swiped.
    gr.on(
        [part.change for part in (text.text, text.style, actors.actors, parts.head.model, seed)],
        read,
        [seed, *written],
        [*shown, text.style_note],
        trigger_mode="always_last",
        **QUICK,
    )
    text.findings.click(mended, written, text.text, **QUICK)
    text.feedback.fix(mended, written, text.text, **QUICK)
    acted = [text.text, text.styles, text.style, *shown]
    text.feedback.act(act, [seed, *written], acted, trigger_mode="multiple", **QUICK)
    text.ideas.pick(pick, [text.before, *written], [text.text, text.ideas, text.before], **QUICK)
    actors.actors.change(offer, actors.actors, [text.ideas, text.before], **QUICK)
