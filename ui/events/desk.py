"""The desk: render a panel with its routing corrected, choose among other frames, look how alike everyone is."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import Any

import gradio as gr

from anystory.backends.base import STORYBOOK, BackendError
from anystory.project.folder import ProjectError
from anystory.story.model import Panel, Style
from ui import cast, desk, html, script, viewer
from ui.arranging import arranged, laid
from ui.chips import chosen, read, with_shows
from ui.events import QUICK
from ui.events.render import changed, redrawn, start
from ui.limits import LimitError
from ui.parts import Parts
from ui.strip import strip
from ui.studio import Job, Shown, pin, pinned, restored, takes
from ui.words import words

Frames = tuple[Shown, ...]
Cast = tuple[cast.Actor, ...]
Styles = tuple[Style, ...]


def wire(parts: Parts) -> None:
    """The desk: render a panel with its routing corrected, choose among other frames, look how alike everyone is."""
    studio, stage, view, text, table = parts.studio, parts.stage, parts.view, parts.text, parts.desk
    here = [view.item, stage.shown]
    written, rewritten = [parts.actors.actors, text.text, text.styles], [text.text, text.styles, text.style]

    def sketches(item: Shown, chosen: str) -> bool:
        """Whether who makes a frame anew is no model."""
        backend = studio.backends.loaded(redrawn(parts, item, chosen).backend)
        return backend is not None and backend.about.sketches

    def shown(item: Shown | None, chosen: str) -> list[Any]:
        if item is None:
            return desk.opened(None, (), False, False)
        return desk.opened(item, takes(item), pinned(item), sketches(item, chosen))

    def open_frame(event: gr.EventData, frames: Frames, chosen: str) -> list[Any]:
        return shown(next((item for item in frames if item.id == event.id), None), chosen)

    stage.gallery.select(open_frame, [stage.shown, parts.choice.name], table.outputs, **QUICK)
    seen_anew = [view.item.change, stage.ended.change]
    gr.on(seen_anew, shown, [view.item, parts.choice.name], table.outputs, trigger_mode="always_last", **QUICK)

    def still(item: Shown | None, frames: Frames, answer: str) -> Any:
        """What was read of other frames goes; an answer to these may come while this is asked."""
        return "" if answer and not (item and desk.is_about(answer, item, frames)) else gr.skip()

    gr.on(seen_anew, still, [*here, table.alike], table.alike, **QUICK)

    def refused(request: gr.Request, item: Shown | None, free: bool = True) -> dict[Any, Any] | None:
        """What keeps the panel of a frame, if one is open, from being changed; None for nothing. It must be `free` of
        its pin."""
        run, say = parts.visitors[request.session_hash].run, words(request)
        if item is None:
            return None
        if run and not run.ended:
            return {table.notice: html.notice([say("desk.busy")])}
        if free and pinned(item):
            return {table.notice: html.notice([say("desk.pinned", number=item.number)])}
        return None

    refusals = itertools.count(1)

    def or_back(change: dict[Any, Any], item: Shown | None, request: gr.Request) -> dict[Any, Any]:
        """A change of the page; where no render comes of it the cast and the chips are as the frame is again."""
        if item is None or stage.progress in change:
            return change
        number = next(refusals)
        back = {view.laid: laid(studio, item, number), view.read: read(studio, item, words(request), number)}
        return {**change, **back}

    def steer(
        event: gr.EventData,
        request: gr.Request,
        item: Shown | None,
        frames: Frames,
        present: Cast,
        lines: str,
        styles: Styles,
        chosen: str,
    ) -> dict[Any, Any]:
        no = refused(request, item)
        if item is None or no is not None:
            return no or {}
        try:
            asked, seed = desk.steering(event._data, item.frame.maps.names[:-1]), desk.seed(event._data)
        except ValueError as error:
            return {table.notice: html.notice([words(request)(error)])}
        job = redrawn(parts, item, chosen).as_written(script.panels_of(lines, cast.members(present)))
        if sketches(item, chosen):
            asked = desk.placed(item.panel.steering, asked)
        else:
            asked = desk.steered(job.script.panels[item.number - 1].steering, asked)
        before = item.panel.steering.layout
        asked = replace(asked, layout=replace(asked.layout, flip=before.flip, turn=before.turn))
        job = job.take(item.number, seed, asked)
        return {table.notice: "", **taken(job, item, present, lines, styles), **start(parts, job, frames, request)}

    def taken(job: Job, item: Shown, present: Cast, lines: str, styles: Styles) -> dict[Any, Any]:
        panel = job.script.panels[item.number - 1]
        after = script.with_take(lines, cast.members(present), item.number, panel)
        return script.rewritten(text, lines, after, styles)

    def arrange(
        event: gr.EventData,
        request: gr.Request,
        item: Shown | None,
        frames: Frames,
        present: Cast,
        lines: str,
        styles: Styles,
        drawer: str,
    ) -> dict[Any, Any]:
        no = refused(request, item)
        if item is None or no is not None:
            return or_back(no or {}, item, request)
        job = redrawn(parts, item, drawer).as_written(script.panels_of(lines, cast.members(present)))
        try:
            before = job.script.panels[item.number - 1].steering
            asked = arranged(studio, item, before, event._data, desk.STRENGTH if item.backend != STORYBOOK else 1.0)
        except ValueError as error:
            return or_back({table.notice: html.notice([words(request)(error)])}, item, request)
        job = job.arranged(item, asked)
        begun = {**taken(job, item, present, lines, styles), **start(parts, job, frames, request)}
        return or_back({table.notice: "", **begun}, item, request)

    def choose(
        event: gr.EventData,
        request: gr.Request,
        item: Shown | None,
        frames: Frames,
        present: Cast,
        lines: str,
        styles: Styles,
        drawer: str,
    ) -> dict[Any, Any]:
        no = refused(request, item)
        if item is None or no is not None:
            return or_back(no or {}, item, request)
        members = cast.members(present)
        job = redrawn(parts, item, drawer).as_written(script.panels_of(lines, members))
        before = job.script.panels[item.number - 1]
        panel = chosen(before, event._data, words(request))
        after = with_shows(lines, members, item.number, before, panel.shows)
        change = {table.notice: "", **script.rewritten(text, lines, after, styles)}
        if not sketches(item, drawer):  # a model takes its time: the frame waits to be asked for
            return change
        panels = (*job.script.panels[: item.number - 1], panel, *job.script.panels[item.number :])
        job = replace(job, script=replace(job.script, panels=panels), panels=(item.number,), retry=None, variants=0)
        return or_back({**change, **start(parts, job, frames, request)}, item, request)

    by_hand, anew = [*here, *written, parts.choice.name], [table.notice, *rewritten, *changed(parts)]
    back = [*anew, view.laid, view.read]
    # What is done before the answer to the one before is asked for after it, and not dropped.
    view.read.choose(choose, by_hand, back, trigger_mode="always_last", **QUICK)
    view.picture.arrange(arrange, by_hand, back, trigger_mode="always_last", **QUICK)
    table.routing.steer(steer, by_hand, anew, **QUICK)

    def vary(
        event: gr.EventData, request: gr.Request, item: Shown | None, frames: Frames, chosen: str
    ) -> dict[Any, Any]:
        no = refused(request, item, free=False)
        if item is None or no is not None:
            return no or {}
        count = event.count if event.count in desk.VARIANTS else desk.VARIANTS[0]
        job = replace(redrawn(parts, item, chosen), panels=(item.number,), retry=None, variants=count)
        return {table.notice: "", **start(parts, job, frames, request)}

    table.takes.vary(vary, [*here, parts.choice.name], [table.notice, *changed(parts)], **QUICK)

    def changed_to(
        new: Shown,
        request: gr.Request,
        frames: Frames,
        panels: tuple[Panel, ...],
        present: Cast,
        lines: str,
        styles: Styles,
        chosen: tuple[int, ...],
        backend: str,
    ) -> dict[Any, Any]:
        """The page with another frame in its panel's place; `panels` are those of the text, which may have changed
        since. What is written there of the frame the strip follows by itself."""
        frames = tuple(new if item.id == new.id else replace(item, job=new.job) for item in frames)
        return {
            stage.shown: frames,
            stage.gallery: strip(words(request), panels, frames, chosen, new.id),
            **taken(new.job, new, present, lines, styles),
            **dict(zip(view.outputs, viewer.opened(new, words(request)), strict=True)),
            **dict(zip(table.outputs, shown(new, backend), strict=True)),
        }

    def pick(
        event: gr.EventData,
        request: gr.Request,
        item: Shown | None,
        frames: Frames,
        panels: tuple[Panel, ...],
        present: Cast,
        lines: str,
        *page: Any,
    ) -> dict[Any, Any]:
        no = refused(request, item)
        if item is None or no is not None:
            return no or {}
        try:
            new = restored(item.as_written(script.panels_of(lines, cast.members(present))), str(event.key))
        except ProjectError as error:
            return {table.notice: html.notice([words(request)(error)])}
        return changed_to(new, request, frames, panels, present, lines, *page)

    def hold(
        event: gr.EventData,
        request: gr.Request,
        item: Shown | None,
        frames: Frames,
        panels: tuple[Panel, ...],
        present: Cast,
        lines: str,
        *page: Any,
    ) -> dict[Any, Any]:
        no = refused(request, item, free=False)
        if item is None or no is not None:
            return no or {}
        try:
            new = pin(item.as_written(script.panels_of(lines, cast.members(present))), event.on is True)
        except ProjectError as error:
            return {table.notice: html.notice([words(request)(error)])}
        return changed_to(new, request, frames, panels, present, lines, *page)

    seen = [*here, stage.panels, *written, stage.chosen, parts.choice.name]
    outputs = [stage.shown, stage.gallery, *rewritten, *view.outputs, *table.outputs]
    table.takes.pick(pick, seen, outputs, **QUICK)
    table.takes.pin(hold, seen, outputs, **QUICK)

    def ask(request: gr.Request, item: Shown | None, frames: Frames, chosen: str) -> str:
        if item is None or not frames:
            return ""
        say = words(request)
        try:
            with parts.visitors[request.session_hash].allowance.working():
                found = desk.look(frames, studio.backends[chosen])
        except (OSError, ValueError, BackendError, LimitError) as error:
            return html.notice([say(error)])
        return desk.about(item, frames) + desk.alike(found, item.number, item.job.names, say)

    table.ask.click(ask, [*here, parts.choice.name], table.alike, concurrency_limit=1, api_visibility="private")
