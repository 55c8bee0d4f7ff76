"""Scripts that come as files: the visitor's and the example."""

from __future__ import annotations

import time
from typing import Any

import gradio as gr

from anystory.previews import STORY
from anystory.script import ScriptError
from anystory.segment import is_here
from anystory.styles import StyleError
from ui import cast, html, masks, script, story, storyboard
from ui.events import ONE_CAST, SLOW
from ui.events.cast import close
from ui.parts import Parts

EXAMPLE = [STORY, *STORY.parent.glob("*.png")]
"""A script with its pictures, as a visitor would drop them."""


def wire(parts: Parts) -> None:
    """Scripts that come as files: the visitor's and the example."""
    actors, editor, chooser, text = parts.actors, parts.editor, parts.chooser, parts.text

    def fill(paths: list[str] | None, model: str, present: tuple[cast.Actor, ...]) -> dict[Any, Any]:
        try:
            board = storyboard.load(paths or [], present, model)
        except (ScriptError, StyleError) as error:
            return {text.notice: html.notice([str(error)])}
        styles = (*board.styles, *parts.studio.styles)
        used = board.segmenter if is_here(board.segmenter) else model
        about, use = masks.chosen(board.segmenter, used)
        return {
            chooser.model: used,
            chooser.names: board.segmenter,
            chooser.about: about,
            chooser.use: use,
            text.notice: html.notice(board.notices),
            actors.notice: "",
            text.title: board.title,
            text.style: gr.Dropdown(script.style_names(styles), value=board.style or None),
            text.text: board.lines,
            text.styles: styles,
            **dict(zip(actors.outputs, cast.show(board.actors), strict=True)),
            **close(editor),
        }

    def dropped(
        request: gr.Request, paths: list[str] | None, model: str, present: tuple[cast.Actor, ...]
    ) -> dict[Any, Any]:
        if too_much := parts.visitors.refusal(request, paths or []):
            return {text.storyboard: None, text.notice: html.notice([too_much])}
        if story.is_story(paths or []):
            return {text.storyboard: None, parts.story.file: (paths[0], time.monotonic_ns())}
        return {text.storyboard: None, **fill(paths, model, present)}

    def load_example(model: str) -> dict[Any, Any]:
        return fill([str(path) for path in EXAMPLE], model, ())

    filled = [text.notice, actors.notice, text.title, text.style, text.text, text.styles]
    filled += [chooser.model, chooser.names, chooser.about, chooser.use, *actors.outputs, *editor.outputs]
    text.storyboard.upload(
        dropped,
        [text.storyboard, chooser.model, actors.actors],
        [text.storyboard, parts.story.file, *filled],
        show_progress_on=text.storyboard,
        api_visibility="private",
        **ONE_CAST,
    )
    parts.head.example.click(load_example, chooser.model, filled, **SLOW, **ONE_CAST)
