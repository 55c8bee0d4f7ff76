"""Scripts that come as files: the visitor's and the example."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import gradio as gr

from anystory.cast.segment import is_here
from anystory.project.drafts import Draft, DraftError
from anystory.script.form import ScriptError
from anystory.story.styles import StyleError
from ui import cast, html, masks, script, story, storyboard
from ui.events import ONE_CAST, SLOW
from ui.events.cast import close
from ui.events.story import Say, new, whole, written
from ui.parts import Parts
from ui.previews import STORY
from ui.studio import Visit
from ui.words import spoken, words

EXAMPLE = [STORY, *STORY.parent.glob("*.png")]
"""A script with its pictures, as a visitor would drop them."""


MAKE = "() => { document.body.dataset.makes = ''; document.querySelector('#example').click(); }"
MADE = """() => {
  if (!("makes" in document.body.dataset)) return;
  delete document.body.dataset.makes;
  document.querySelector("#render").click();
}"""
"""One button fills in the example and, when it is there, presses the one that makes its frames."""


def in_language(code: str) -> list[Path]:
    """`EXAMPLE` in a language, where it is there in it."""
    there = STORY.with_stem(f"{STORY.stem}.{code}")
    return [there if there.exists() else STORY, *EXAMPLE[1:]]


def wire(parts: Parts) -> None:
    """Scripts that come as files: the visitor's and the example."""
    studio, actors, editor, chooser = parts.studio, parts.actors, parts.editor, parts.chooser
    text, bar = parts.text, parts.story

    def fill(paths: list[str], model: str, present: tuple[cast.Actor, ...], say: Say) -> dict[Any, Any]:
        try:
            board = storyboard.load(paths, present, model)
        except (ScriptError, StyleError) as error:
            return {text.notice: html.notice([say(error)])}
        styles = (*board.styles, *studio.styles)
        used = board.segmenter if is_here(board.segmenter) else model
        about, use = masks.chosen(board.segmenter, used)
        return {
            chooser.model: used,
            chooser.names: board.segmenter,
            chooser.about: about,
            chooser.use: use,
            text.notice: html.notice(list(map(say, board.notices))),
            actors.notice: "",
            text.title: board.title,
            text.style: gr.Dropdown(script.style_names(styles), value=board.style or None),
            text.text: board.lines,
            text.styles: styles,
            **dict(zip(actors.outputs, cast.show(board.actors), strict=True)),
            **close(editor),
        }

    def dropped(
        request: gr.Request,
        paths: list[str] | None,
        model: str,
        present: tuple[cast.Actor, ...],
        visit: Visit | None,
        *values: Any,
    ) -> dict[Any, Any]:
        say = words(request)
        if too_much := parts.visitors.refusal(request, paths or []):
            return {text.storyboard: None, text.notice: html.notice([too_much])}
        try:
            paths = storyboard.unzipped(paths or [])
        except ScriptError as error:
            return {text.storyboard: None, text.notice: html.notice([say(error)])}
        if story.is_story(paths):
            return {text.storyboard: None, bar.file: (paths[0], time.monotonic_ns())}
        change, now = fill(paths, model, present, say), story.draft(studio, *values)
        if text.text in change and (now.text.strip() or now.title.strip()):
            change = with_undo(change, visit, now, request)
        return {text.storyboard: None, **change}

    def with_undo(change: dict[Any, Any], visit: Visit | None, now: Draft, request: gr.Request) -> dict[Any, Any]:
        """The change, and a copy of what it replaces to go back to, frames and all: the story itself goes on."""
        say, key = words(request), studio.stories.new_key()
        if visit is None:
            return {text.notice: html.notice([say("story.lost")])}
        try:
            studio.stories.copy(visit.key, key)
            studio.stories.save(key, now)
        except DraftError as error:
            return {text.notice: html.notice([say("story.unsaved", reason=say(error))])}
        return {
            **change,
            bar.browser: [visit.key, key],
            bar.notice: story.note([say("story.replaced")], undo=True),
        }

    def load_example(
        model: str, drawn_by: str, visit: Visit | None, request: gr.Request, *values: Any
    ) -> dict[Any, Any]:
        backend = studio.backends.loaded(drawn_by)
        sketches = backend is not None and backend.about.sketches
        files = in_language(spoken(request)) if sketches else EXAMPLE  # models are trained on English
        example = fill([str(path) for path in files], model, (), words(request))
        if story.is_empty(story.draft(studio, *values)):
            return example
        away = new(parts, visit, request, *values)
        return {**away, **example} if parts.visit in away else away

    standing = [parts.visit, *written(parts)]
    filled = [*whole(parts), chooser.model, chooser.names, chooser.about, chooser.use]
    text.storyboard.upload(
        dropped,
        [text.storyboard, chooser.model, actors.actors, *standing],
        [text.storyboard, bar.file, *filled],
        show_progress_on=text.storyboard,
        api_visibility="private",
        **ONE_CAST,
    )
    there = bar.example.click(load_example, [chooser.model, parts.choice.name, *standing], filled, **SLOW, **ONE_CAST)
    actors.example.click(js=MAKE)
    there.success(js=MADE)
