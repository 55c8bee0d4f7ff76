"""The story comes back when the page opens, is kept while it is written, and goes out and in as a file."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import replace
from html import escape
from pathlib import Path
from typing import Any

import gradio as gr

from anystory.project.archive import ArchiveError, pack
from anystory.project.drafts import Draft, DraftError
from ui import cast, entrance, frames, masks, script, story
from ui.events import ONE_CAST, QUICK, SLOW
from ui.parts import Parts
from ui.studio import Visit, slug
from ui.theme import FETCH
from ui.words import words

Say = Callable[..., str]


def written(parts: Parts) -> list[Any]:
    """All that is kept of what stands on the page, as `story.draft` takes it."""
    text, controls = parts.text, parts.controls
    settings = [controls.seed, controls.steps, controls.guidance]
    return [text.title, text.style, text.text, text.styles, parts.actors.actors, *settings]


def whole(parts: Parts) -> list[Any]:
    """What another story changes on the page; the visit before all else."""
    bar, text, actors, controls = parts.story, parts.text, parts.actors, parts.controls
    stage, view, editor = parts.stage, parts.view, parts.editor
    return [
        parts.visit, bar.browser, bar.notice, bar.bar, bar.settings, text.title, text.style, text.text, text.styles,
        *actors.outputs, controls.seed, controls.steps, controls.guidance, text.notice, actors.notice, controls.notice,
        *editor.outputs, stage.shown, stage.panels, stage.chosen, stage.drawn, stage.progress, stage.gallery,
        stage.empty, *view.outputs, view.opacity,
    ]  # fmt: skip


def shows(parts: Parts, opened: story.Opened, say: Say) -> dict[Any, Any]:
    """The changes that make the page show a story."""
    bar, text, actors, controls, editor = parts.story, parts.text, parts.actors, parts.controls, parts.editor
    kept = opened.draft
    styles = (*kept.styles, *parts.studio.styles)
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
        change[controls.seed] = kept.settings.seed
        change[controls.steps], change[controls.guidance] = story.numbers(kept.settings)
    return change | frames.back(opened.shown, say, parts.stage, parts.view)


def exchange(
    parts: Parts,
    visit: Visit | None,
    key: str | None,
    make: Callable[[Visit], story.Opened | None],
    request: gr.Request,
    *values: Any,
) -> dict[Any, Any]:
    """The changes that put the story of `key` (None: a new one), which `make` gives, on the page; what stood there is
    kept and can be had back. A notice alone, without a visit, where that cannot be."""
    studio, bar, say = parts.studio, parts.story, words(request)
    if visit is None:
        return {bar.notice: story.note([say("story.lost")])}
    if parts.visitors.busy(request.session_hash):
        return {bar.notice: story.note([say("story.busy")])}
    now, held, said = story.draft(studio, *values), studio.holds(visit), []
    mine = visit.key if held else studio.stories.new_key()  # another tab has that one: what stands here is a copy
    if not story.is_empty(now):
        try:
            if not held:
                studio.stories.copy(visit.key, mine)
            studio.stories.save(mine, now)
        except DraftError as error:
            said = [say("story.unsaved", reason=say(error))]
            if not held or not visit.story.exists():  # there is nothing to come back to
                return {bar.notice: story.note(said)}
    other = studio.visit(key, visit.files)
    try:
        opened = make(other) or story.Opened(Draft())
    except story.ERRORS as error:
        studio.turn_back(visit, other, held)
        return {bar.notice: story.note([say(error)])}
    before = None if story.is_empty(now) else mine
    return {
        **shows(parts, opened, say),
        parts.visit: other,
        bar.browser: [other.key, before],
        bar.notice: story.note([*said, *opened.said], undo=before is not None),
    }


def new(parts: Parts, visit: Visit | None, request: gr.Request, *values: Any) -> dict[Any, Any]:
    """The changes that put a new story on the page."""
    said = (words(request)("story.away"),)
    return exchange(parts, visit, None, lambda _: story.Opened(Draft(), said=said), request, *values)


def wire(parts: Parts, page: gr.Blocks) -> None:
    """The story comes back when the page opens, is kept while it is written, and goes out and in as a file."""
    studio, bar, text, stage = parts.studio, parts.story, parts.text, parts.stage
    standing, shown = written(parts), whole(parts)

    def arrive(browser: Any, request: gr.Request) -> Iterator[dict[Any, Any]]:
        """The story that this browser had open last, as it was left."""
        key, before = browser if isinstance(browser, list) and len(browser) == 2 else (None, None)
        visit, say, undo = studio.visit(key), words(request), bool(before)
        try:
            opened = story.load(studio, visit)
            said = [say("story.restored")] if opened else [say("story.away")] if undo else []
            if opened and opened.lost:
                said.append(say("story.unreadable", numbers=", ".join(map(str, opened.lost))))
        except story.ERRORS as error:  # it stays where it is; a newer AnyStory may be able to read it
            opened, said, undo = None, [say(error)], False
            visit, before = studio.visit(files=visit.files), visit.key
        yield {
            bar.bar: story.head("", "new"),
            **(shows(parts, opened, say) if opened else {}),
            parts.visit: visit,
            bar.browser: [visit.key, before],
            bar.notice: story.note(said, undo),
        }

    def instead(browser: Any, request: gr.Request) -> dict[Any, Any]:
        """A new story where the one that was open last did not come, which stays where it is."""
        before, visit = browser[0] if isinstance(browser, list) and browser else None, studio.visit()
        return {
            bar.bar: story.head("", "new"),
            parts.visit: visit,
            bar.browser: [visit.key, before],
            bar.notice: story.note([words(request)("story.never")], undo=bool(before)),
        }

    def keep(visit: Visit | None, request: gr.Request, *values: Any) -> str:
        """Keep what stands on the page; returns how that went, as the bar."""
        say, kept = words(request), story.draft(studio, *values)
        if visit is None:
            return story.head(kept.title, "unsaved", say("story.lost"))
        if story.is_empty(kept) and not visit.story.exists():
            return story.head(kept.title, "new")
        if not studio.holds(visit):
            return story.head(kept.title, "elsewhere", say("story.elsewhere"))
        try:
            studio.stories.save(visit.key, kept)
        except DraftError as error:
            return story.head(kept.title, "unsaved", say("story.unsaved", reason=say(error)))
        return story.head(kept.title, "saved")

    def here(visit: Visit | None, browser: list[Any], request: gr.Request, *values: Any) -> dict[Any, Any]:
        """Go on in this tab, whatever another one did to the story."""
        if visit is None:
            return {bar.bar: keep(None, request, *values)}
        said = keep(studio.visit(visit.key, visit.files), request, *values)
        return {bar.bar: said, bar.browser: [visit.key, browser[1]]}

    gr.on([part.change for part in (*standing, stage.shown) if part is not text.styles], js=story.CHANGED)

    def unkept(title: str, request: gr.Request) -> str:
        """Keeping failed before it began, as of a number beyond its bounds: what the bar said before is not so."""
        say = words(request)
        return story.head(title, "unsaved", say("story.unsaved", reason=say("story.unread")))

    kept = bar.bar.input(keep, [parts.visit, *standing], bar.bar, trigger_mode="always_last", **QUICK)
    kept.failure(unkept, text.title, bar.bar, **QUICK)
    bar.bar.click(here, [parts.visit, bar.browser, *standing], [bar.bar, bar.browser], **QUICK)

    def take(path: str, visit: Visit | None, request: gr.Request, *values: Any) -> dict[Any, Any]:
        """Open a ZIP or a frame."""
        say, file, present = words(request), Path(path), story.draft(studio, *values).cast

        def make(other: Visit) -> story.Opened:
            if story.is_frame(file):
                return story.open_frame(file, present, say)
            return story.open_zip(studio, file, other, say)

        return exchange(parts, visit, None, make, request, *values)

    def dropped(waiting: deque[str], visit: Visit | None, request: gr.Request, *values: Any) -> dict[Any, Any]:
        path = entrance.first(waiting)
        return take(path, visit, request, *values) if path else {}

    def act(
        event: gr.EventData, visit: Visit | None, browser: list[Any], request: gr.Request, *values: Any
    ) -> dict[Any, Any]:
        """Take back what happened to the story last: the one before is there again, and this one before it."""
        if event.what != "undo" or not browser[1]:
            return {bar.notice: ""}
        said = (words(request)("story.restored"),)

        def back(other: Visit) -> story.Opened | None:
            opened = story.load(studio, other)
            return opened and replace(opened, said=said)

        return exchange(parts, visit, browser[1], back, request, *values)

    def anew(visit: Visit | None, request: gr.Request, *values: Any) -> dict[Any, Any]:
        return new(parts, visit, request, *values)

    one: dict[str, Any] = {**SLOW, **ONE_CAST}
    bar.new.click(anew, [parts.visit, *standing], shown, **one)
    bar.files.bell.change(dropped, [bar.files.waiting, parts.visit, *standing], shown, trigger_mode="multiple", **one)
    bar.notice.click(act, [parts.visit, bar.browser, *standing], shown, **one)

    def save(visit: Visit | None, request: gr.Request, *values: Any) -> Path:
        say, kept = words(request), story.draft(studio, *values)
        if visit is None or not studio.holds(visit):
            raise gr.Error(say("story.elsewhere" if visit else "story.lost"), print_exception=False)
        if story.is_empty(kept):
            raise gr.Error(say("story.empty"), print_exception=False)
        target = visit.files / f"{slug(kept.title)}.zip"
        try:
            try:
                studio.stories.save(visit.key, kept)
            except DraftError as error:
                if not visit.story.exists():
                    raise
                gr.Warning(escape(say("story.packed", reason=say(error))))
            pack(visit.story, target)
        except (ArchiveError, DraftError) as error:
            raise gr.Error(escape(say(error)), print_exception=False) from error
        return target

    gr.on([bar.save.click, parts.desk.download.click], save, [parts.visit, *standing], stage.made, **SLOW).success(
        js=FETCH
    )
    arrived = page.load(arrive, bar.browser, shown, **SLOW)
    arrived.failure(instead, bar.browser, shown, **SLOW)
