"""The story comes back when the page opens, is kept while it is written, and goes out and in as a file."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from html import escape
from pathlib import Path
from typing import Any

import gradio as gr

from anystory.archive import ArchiveError, pack
from anystory.drafts import Draft, DraftError
from ui import cast, frames, masks, script, story
from ui.events import ONE_CAST, QUICK, SLOW
from ui.parts import Parts
from ui.studio import Visit, slug
from ui.theme import FETCH
from ui.words import words

Say = Callable[..., str]


def wire(parts: Parts, page: gr.Blocks) -> None:
    """The story comes back when the page opens, is kept while it is written, and goes out and in as a file."""
    studio, bar, text, actors = parts.studio, parts.story, parts.text, parts.actors
    controls, stage, view, editor = parts.controls, parts.stage, parts.view, parts.editor
    settings = [controls.seed, controls.steps, controls.guidance]
    written = [text.title, text.style, text.text, text.styles, actors.actors, *settings]
    place = [parts.visit, bar.browser, bar.notice]
    whole = [
        *place, bar.bar, bar.settings, text.title, text.style, text.text, text.styles, *actors.outputs, *settings,
        text.notice, actors.notice, controls.notice, *editor.outputs, stage.shown, stage.panels, stage.chosen,
        stage.drawn, stage.progress, stage.gallery, stage.empty, stage.takeaway, *view.outputs, view.opacity,
    ]  # fmt: skip

    def shows(opened: story.Opened, say: Say) -> dict[Any, Any]:
        """The changes that make the page show a story."""
        kept = opened.draft
        styles = (*kept.styles, *studio.styles)
        change: dict[Any, Any] = {
            bar.bar: story.head(kept.title, "new" if story.is_empty(kept) else "saved"),
            bar.settings: kept.settings,
            text.title: kept.title,
            text.style: gr.Dropdown(script.style_names(styles), value=kept.style or None),
            text.text: kept.text,
            text.styles: styles,
            **dict(zip(actors.outputs, cast.show(tuple(map(story.actor, kept.cast))), strict=True)),
            **dict(zip(editor.outputs, masks.closed(), strict=True)),
            **dict.fromkeys((text.notice, actors.notice, controls.notice), ""),
        }
        if kept.settings:
            values = (kept.settings.seed, kept.settings.steps, kept.settings.guidance)
            change |= dict(zip(settings, values, strict=True))
        return change | frames.back(opened.shown, say, stage, view)

    def arrive(browser: Any, request: gr.Request) -> Iterator[dict[Any, Any]]:
        """The story that this browser had open last, as it was left."""
        key, before = browser if isinstance(browser, list) and len(browser) == 2 else (None, None)
        visit, say, said = studio.visit(key), words(request), ""
        try:
            opened = story.load(studio, visit)
        except story.ERRORS as error:  # it stays where it is; a newer AnyStory may be able to read it
            opened, said = None, story.note([str(error)])
            visit, before = studio.visit(files=visit.files), visit.key
        change = {parts.visit: visit, bar.browser: [visit.key, before], bar.notice: said}
        if opened:
            change |= {**shows(opened, say), bar.notice: story.note([say("story.restored")])}
        yield change

    def keep(visit: Visit | None, request: gr.Request, *values: Any) -> str:
        """Keep what stands on the page; returns how that went, as the bar."""
        say, kept = words(request), story.draft(studio, *values)
        if visit is None or (story.is_empty(kept) and not visit.story.exists()):
            return story.head(kept.title, "new")
        if not studio.holds(visit):
            return story.head(kept.title, "elsewhere", say("story.elsewhere"))
        try:
            studio.stories.save(visit.key, kept)
        except DraftError as error:
            return story.head(kept.title, "unsaved", say("story.unsaved", reason=str(error)))
        return story.head(kept.title, "saved")

    def here(visit: Visit, request: gr.Request, *values: Any) -> str:
        """Go on in this tab, whatever another one did to the story."""
        return keep(studio.visit(visit.key, visit.files), request, *values)

    gr.on([part.change for part in (*written, stage.shown) if part is not text.styles], js=story.CHANGED)
    bar.bar.input(keep, [parts.visit, *written], bar.bar, trigger_mode="always_last", **QUICK)
    bar.bar.click(here, [parts.visit, *written], bar.bar, **QUICK)

    def exchange(
        visit: Visit | None,
        key: str | None,
        make: Callable[[Visit], story.Opened | None],
        request: gr.Request,
        *values: Any,
    ) -> dict[Any, Any]:
        """Put the story of `key` (None: a new one), which `make` gives, on the page; what stood there is kept and can
        be had back."""
        say = words(request)
        if parts.visitors.busy(request.session_hash):
            return {bar.notice: story.note([say("story.busy")])}
        visit, now = visit or studio.visit(), story.draft(studio, *values)
        other = studio.visit(key, visit.files)
        try:
            if not story.is_empty(now):
                studio.stories.save(visit.key, now)
            opened = make(other) or story.Opened(Draft())
        except story.ERRORS as error:
            studio.visit(visit.key, visit.files)
            return {bar.notice: story.note([str(error)])}
        before = None if story.is_empty(now) else visit.key
        told = story.note(opened.said, undo=before is not None)
        return {
            **shows(opened, say),
            parts.visit: other,
            bar.browser: [other.key, before],
            bar.notice: told,
        }

    def new(visit: Visit | None, request: gr.Request, *values: Any) -> dict[Any, Any]:
        said = (words(request)("story.away"),)
        return exchange(visit, None, lambda _: story.Opened(Draft(), said=said), request, *values)

    def upload(path: str, visit: Visit | None, request: gr.Request, *values: Any) -> dict[Any, Any]:
        if refused := parts.visitors.refusal(request, [path]):
            return {bar.notice: story.note([refused])}
        return take(path, visit, request, *values)

    def take(path: str, visit: Visit | None, request: gr.Request, *values: Any) -> dict[Any, Any]:
        """Open a ZIP or a frame."""
        say, file, present = words(request), Path(path), story.draft(studio, *values).cast

        def make(other: Visit) -> story.Opened:
            if story.is_frame(file):
                return story.open_frame(file, present, say)
            return story.open_zip(studio, file, other, say)

        return exchange(visit, None, make, request, *values)

    def dropped(file: tuple[str, int] | None, visit: Visit, request: gr.Request, *values: Any) -> dict[Any, Any]:
        return {bar.file: None, **(take(file[0], visit, request, *values) if file else {})}

    def act(event: gr.EventData, visit: Visit, browser: list[Any], request: gr.Request, *values: Any) -> dict[Any, Any]:
        """Take back what happened to the story last: the one before is there again, and this one before it."""
        if event.what != "undo" or not browser[1]:
            return {bar.notice: ""}
        return exchange(visit, browser[1], lambda other: story.load(studio, other), request, *values)

    one: dict[str, Any] = {**SLOW, **ONE_CAST}
    bar.new.click(new, [parts.visit, *written], whole, **one)
    bar.open.upload(upload, [bar.open, parts.visit, *written], whole, **one)
    bar.file.change(dropped, [bar.file, parts.visit, *written], [bar.file, *whole], **one)
    bar.notice.click(act, [parts.visit, bar.browser, *written], whole, **one)

    def save(visit: Visit | None, request: gr.Request, *values: Any) -> Path:
        visit, kept = visit or studio.visit(), story.draft(studio, *values)
        if story.is_empty(kept):
            raise gr.Error(words(request)("story.empty"), print_exception=False)
        target = visit.files / f"{slug(kept.title)}.zip"
        try:
            studio.stories.save(visit.key, kept)
            pack(visit.story, target)
        except (ArchiveError, DraftError) as error:
            raise gr.Error(escape(str(error)), print_exception=False) from error
        return target

    gr.on([bar.save.click, stage.download.click], save, [parts.visit, *written], stage.made, **SLOW).success(js=FETCH)
    page.load(arrive, bar.browser, whole, **SLOW)
