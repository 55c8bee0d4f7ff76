"""Scripts that come as files: the visitor's and the example."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import gradio as gr

from anystory.cast.segment import is_here
from anystory.project.drafts import Draft, DraftError
from anystory.script.form import ScriptError
from anystory.story.styles import StyleError
from ui import cast, entrance, html, masks, script, sorting, story, storyboard
from ui.events import ONE_CAST, SLOW
from ui.events.cast import close
from ui.events.story import Say, new, whole, written
from ui.parts import Parts
from ui.previews import STORY
from ui.studio import Visit
from ui.words import spoken, words

EXAMPLE = [STORY, *STORY.parent.glob("*.png")]
"""A script with its pictures, as a visitor would drop them."""


Script = tuple[tuple[str, ...], bool, list[str]]
"""Of a drop with a script its files, whether they came in a ZIP, and sentences on what was wrong with others."""

MAKE = "() => { document.body.dataset.makes = ''; document.querySelector('#example').click(); }"
MADE = """() => {
  if (!("makes" in document.body.dataset)) return;
  delete document.body.dataset.makes;
  document.querySelector("#render").click();
}"""
"""One button fills in the example and, when it is there, presses the one that makes its frames."""


CHOOSE = "() => { document.dispatchEvent(new Event('choose-files')); }"
"""The button at the top chooses files for the place where they are dropped."""


def in_language(code: str) -> list[Path]:
    """`EXAMPLE` in a language, where it is there in it."""
    there = STORY.with_stem(f"{STORY.stem}.{code}")
    return [there if there.exists() else STORY, *EXAMPLE[1:]]


def wire(parts: Parts) -> None:
    """Scripts that come as files: the visitor's and the example."""
    studio, actors, editor, chooser = parts.studio, parts.actors, parts.editor, parts.chooser
    text, bar, files = parts.text, parts.story, parts.actors.files

    def sort(
        request: gr.Request,
        paths: list[str] | None,
        pictures: deque[list[str]],
        scripts: deque[Script],
        stories: deque[str],
    ) -> dict[Any, Any]:
        """Look what files are, and hand each to where it is waited for."""
        say = words(request)
        if too_much := parts.visitors.refusal(request, paths or []):
            return {files.drop: None, files.said: entrance.taken([], [too_much])}
        try:
            found = sorting.sort(paths or [])
        except ScriptError as error:
            return {files.drop: None, files.said: entrance.taken([], [say(error)])}
        told = [say("taken.pictures", files=entrance.names(found.pictures))] if found.pictures else []
        wrong = [*map(say, found.refused), *alone(found.alone, say)]
        change: dict[Any, Any] = {
            files.drop: None,
            files.said: entrance.taken(told, wrong),
            actors.notice: "",
            text.notice: "",
        }
        if found.story:
            change |= entrance.put(bar.files, stories, found.story)
        if found.script:
            change |= entrance.put(files.scripts, scripts, (found.script, found.zipped, wrong))
        if found.pictures:
            change |= entrance.put(files.pictures, pictures, list(found.pictures))
        return change

    def alone(paths: Sequence[str], say: Say) -> list[str]:
        """What is said of stories that came with other files."""
        return [say("taken.alone", file=Path(path).name) for path in paths]

    def fill(
        paths: Sequence[str],
        model: str,
        present: tuple[cast.Actor, ...],
        say: Say,
        zipped: bool = True,
        wrong: Sequence[str] = (),
    ) -> tuple[dict[Any, Any], list[str]]:
        """Read the script among files. Returns the change, and the pictures of characters: those that the script does
        not name, unless they came `zipped` with it, as the drawings of a storyboard do. `wrong` was something with
        other files."""
        try:
            board = storyboard.load(paths, present, model)
        except (ScriptError, StyleError) as error:
            return {files.said: entrance.taken([], [*wrong, say(error)])}, []
        stories = [] if zipped else [path for path in board.unnamed if story.is_story([path])]
        others = [] if zipped else [path for path in board.unnamed if path not in stories]
        left = storyboard.left_out(board.unnamed) if zipped else []
        beside = [path for path in paths if path not in (*others, *stories)]
        told = [say("taken.script", files=entrance.names(beside))]
        told += [say("taken.pictures", files=entrance.names(others))] if others else []
        styles = (*board.styles, *studio.styles)
        used = board.segmenter if is_here(board.segmenter) else model
        about, use = masks.chosen(board.segmenter, used)
        change = {
            chooser.model: used,
            chooser.names: board.segmenter,
            chooser.about: about,
            chooser.use: use,
            text.notice: html.notice(list(map(say, (*board.notices, *left)))),
            files.said: entrance.taken(told, [*wrong, *alone(stories, say)]),
            actors.notice: "",
            text.title: board.title,
            text.style: gr.Dropdown(script.style_names(styles), value=board.style or None),
            text.text: board.lines,
            text.styles: styles,
            **dict(zip(actors.outputs, cast.show(board.actors), strict=True)),
            **close(editor),
        }
        return change, others

    def dropped(
        request: gr.Request,
        scripts: deque[Script],
        pictures: deque[list[str]],
        model: str,
        present: tuple[cast.Actor, ...],
        visit: Visit | None,
        *values: Any,
    ) -> dict[Any, Any]:
        found = entrance.first(scripts)
        if found is None:
            return {}
        paths, zipped, wrong = found
        change, others = fill(paths, model, present, words(request), zipped, wrong)
        now = story.draft(studio, *values)
        if text.text in change and (now.text.strip() or now.title.strip()):
            change = with_undo(change, visit, now, request)
        if text.text in change and others:
            change |= entrance.put(files.pictures, pictures, others)
        return change

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
        shown = in_language(spoken(request)) if sketches else EXAMPLE  # models are trained on English
        example = {**fill([str(path) for path in shown], model, (), words(request))[0], files.said: ""}
        if story.is_empty(story.draft(studio, *values)):
            return example
        away = new(parts, visit, request, *values)
        return {**away, **example} if parts.visit in away else away

    standing = [parts.visit, *written(parts)]
    filled = [*whole(parts), files.said, files.pictures.bell, chooser.model, chooser.names, chooser.about, chooser.use]
    taking: dict[str, Any] = {"api_visibility": "private", "show_progress_on": files.drop}
    inboxes = files.pictures, files.scripts, bar.files
    sorted_out = [files.drop, files.said, *(box.bell for box in inboxes), actors.notice, text.notice]
    files.drop.upload(sort, [files.drop, *(box.waiting for box in inboxes)], sorted_out, **taking)
    bar.open.click(js=CHOOSE)
    files.scripts.bell.change(
        dropped,
        [files.scripts.waiting, files.pictures.waiting, chooser.model, actors.actors, *standing],
        filled,
        trigger_mode="multiple",
        **taking,
        **ONE_CAST,
    )
    there = bar.example.click(load_example, [chooser.model, parts.choice.name, *standing], filled, **SLOW, **ONE_CAST)
    actors.example.click(js=MAKE)
    there.success(js=MADE)
