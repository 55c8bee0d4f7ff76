"""The script's two views: what is written in one shows in the other, and what is found in it is mended at a click."""

from __future__ import annotations

from typing import Any, NamedTuple

import gradio as gr

from anystory.story.model import Style
from ui import cast, panels, script
from ui.events import QUICK
from ui.parts import Parts
from ui.studio import Studio
from ui.words import words


class Written(NamedTuple):
    """What a page says of its story, in the order of `written`: the cast, the presets that came with a storyboard, the
    script's text, the title and the style chosen."""

    present: tuple[cast.Actor, ...]
    styles: tuple[Style, ...]
    lines: str
    title: str
    style: str | None

    def reading(self, studio: Studio) -> script.ScriptReading:
        """The script as the page has it, for the cast as the page has it."""
        pictured = [subject.name for subject in cast.subjects(self.present)]
        members = cast.members(self.present)
        return script.read(self.lines, self.title, self.style, members, pictured, studio.loaded, self.styles)


def written(parts: Parts) -> list[Any]:
    """The components that hold `Written`."""
    text = parts.text
    return [parts.actors.actors, text.styles, text.text, text.title, text.style]


def wire(parts: Parts) -> None:
    """The script's two views: what is written in one shows in the other, and what is found in it is mended at a
    click."""
    studio, actors, text, seed = parts.studio, parts.actors, parts.text, parts.controls.seed
    inputs, shown = written(parts), [text.findings, text.feedback]

    def views(page: Written, seed: float | None, request: gr.Request) -> list[Any]:
        """What is found in the text, and its panels as cards."""
        told = script.feedback(page.reading(studio), int(seed or 0), words(request))
        return list(told if page.lines.strip() else ("", ""))

    def read(request: gr.Request, seed: float | None, *said: Any) -> list[Any]:
        page = Written(*said)
        return [*views(page, seed, request), script.style_note(page.reading(studio), page.style, words(request))]

    def mended(event: gr.EventData, *said: Any) -> str:
        page = Written(*said)
        return script.fixed(page.lines, page.reading(studio).findings, event.start, event.end, event.code)

    def act(event: gr.EventData, request: gr.Request, seed: float | None, *said: Any) -> dict[Any, Any]:
        page = Written(*said)
        lines = panels.acted(page.lines, cast.members(page.present), event._data)
        change = script.rewritten(text, page.lines, lines, page.styles)
        page = page._replace(styles=change.get(text.styles, page.styles), lines=lines)
        found, deck = views(page, seed, request)
        return {**change, text.findings: found, text.feedback: gr.HTML(deck, heard=event.count)}

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
        done = words(request)("script.ideas.done", title=event.title)
        old = page.lines if before is None else before
        return {text.text: lines, text.ideas: script.ideas(names, done), text.before: old}

    def offer(present: tuple[cast.Actor, ...]) -> dict[Any, Any]:
        return {text.ideas: script.ideas([member.name for member in cast.members(present)]), text.before: None}

    # Not `input`, which Gradio's text box only sends for key presses: not for what is pasted, deleted or swiped.
    gr.on(
        [part.change for part in (text.text, text.style, actors.actors, parts.head.model, seed)],
        read,
        [seed, *inputs],
        [*shown, text.style_note],
        trigger_mode="always_last",
        **QUICK,
    )
    text.findings.click(mended, inputs, text.text, **QUICK)
    text.feedback.fix(mended, inputs, text.text, **QUICK)
    acted = [text.text, text.styles, text.style, *shown]
    text.feedback.act(act, [seed, *inputs], acted, trigger_mode="multiple", **QUICK)
    text.ideas.pick(pick, [text.before, *inputs], [text.text, text.ideas, text.before], **QUICK)
    actors.actors.change(offer, actors.actors, [text.ideas, text.before], **QUICK)
