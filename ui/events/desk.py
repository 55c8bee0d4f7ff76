"""The desk: render a panel with its routing corrected, choose among other frames, look how alike everyone is."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import replace
from typing import Any, NamedTuple

import gradio as gr

from anystory.backends.base import STORYBOOK, BackendError
from anystory.project.folder import ProjectError
from anystory.script.edits import with_panel
from anystory.script.form import ScriptError
from anystory.story.model import CastMember, Panel, Style
from ui import cast, desk, html, script, viewer
from ui.arranging import arranged, laid
from ui.chips import chosen, read
from ui.events import QUICK, UNTOLD
from ui.events.render import changed, redrawn, start
from ui.events.viewer import lay
from ui.limits import LimitError
from ui.parts import Parts
from ui.strip import strip
from ui.studio import Job, Shown, pin, pinned, restored, takes
from ui.words import words

Frames = tuple[Shown, ...]


class At(NamedTuple):
    """What lies at the desk, in the order of `inputs`: the frame that is open and those there are, who is chosen to
    draw, the cast, the text and its presets, the panels that the strip has and the chosen ones of them."""

    item: Shown
    frames: Frames
    drawer: str
    present: tuple[cast.Actor, ...]
    lines: str
    styles: tuple[Style, ...]
    panels: tuple[Panel, ...]
    chosen: tuple[int, ...]

    @property
    def members(self) -> tuple[CastMember, ...]:
        """The cast as a script has it."""
        return cast.members(self.present)


Change = dict[Any, Any]
"""Values for some of what is on the page."""


def wire(parts: Parts) -> None:
    """The desk: render a panel with its routing corrected, choose among other frames, look how alike everyone is."""
    studio, stage, view, text, table = parts.studio, parts.stage, parts.view, parts.text, parts.desk
    here = [view.item, stage.shown]
    inputs = [*here, parts.choice.name, parts.actors.actors, text.text, text.styles, stage.panels, stage.chosen]
    rewritten = [text.edits, text.styles, text.style]

    def sketches(item: Shown, chosen: str) -> bool:
        """Whether who makes a frame anew is no model."""
        backend = studio.backends.loaded(redrawn(parts, item, chosen).backend)
        return backend is not None and backend.about.sketches

    def shown(item: Shown | None, chosen: str) -> list[Any]:
        if item is None:
            return desk.opened(None, (), False, False)
        return desk.opened(item, takes(item), pinned(item), sketches(item, chosen))

    def open_frame(event: gr.EventData, request: gr.Request, frames: Frames, chosen: str, answer: str) -> list[Any]:
        if event.count < parts.visitors[request.session_hash].opened:
            return [gr.skip()] * (len(table.outputs) + 1)
        item = next((item for item in frames if item.id == event.id), None)
        return [*shown(item, chosen), still(item, frames, answer)]

    asked_for = [stage.shown, parts.choice.name, table.alike]
    stage.gallery.select(open_frame, asked_for, [*table.outputs, table.alike], trigger_mode="multiple", **QUICK)
    seen_anew = [view.item.change, stage.ended.change]
    gr.on(seen_anew, shown, [view.item, parts.choice.name], table.outputs, trigger_mode="always_last", **QUICK)

    def still(item: Shown | None, frames: Frames, answer: str) -> Any:
        """What was read of other frames goes; an answer to these may come while this is asked."""
        return "" if answer and not (item and desk.is_about(answer, item, frames)) else gr.skip()

    gr.on(seen_anew, still, [*here, table.alike], table.alike, **QUICK)

    refusals = itertools.count(1)

    def asked(change: Callable[[gr.EventData, gr.Request, At], Change], free: bool = True) -> Callable[..., Change]:
        """An event's handler that makes a `change`, or says what keeps the panel from it, which must be `free` of its
        pin."""

        def handle(event: gr.EventData, request: gr.Request, *values: Any) -> Change:
            at = At(*values)
            if at.item is None:
                return {}
            if parts.visitors.busy(request.session_hash):
                return said("desk.busy", request)
            if free and pinned(at.item):
                return said("desk.pinned", request, number=at.item.number)
            try:
                done = change(event, request, at)
                return said("desk.gone", request) if studio.has_left(at.item.job.visit) else done
            except (ProjectError, ScriptError, ValueError) as error:
                return {table.notice: html.notice([words(request)(error)])}

        return handle

    def laid_out(widget: Any, change: Callable[[gr.EventData, gr.Request, At], Change]) -> Callable[..., Change]:
        """The same for what was done on the objects or the chips of a `widget`, which hears that it was answered.
        During a render it keeps it and asks again; where nothing comes of it, they are as the frame is again."""
        make = asked(change)

        def handle(event: gr.EventData, request: gr.Request, *values: Any) -> Change:
            at, count = At(*values), event.count
            if parts.visitors.busy(request.session_hash):
                return {widget: gr.HTML(heard=count, late=count)}
            item = next((item for item in (at.item, *at.frames) if item and item.token == event.of), None)
            if item is None:
                gone = html.notice([words(request)("desk.gone")])
                return {parts.controls.notice: gone, widget: gr.HTML(heard=count)}
            done = make(event, request, item, *at[1:])
            if item is not at.item:  # another frame was opened just then
                return {**done, widget: gr.HTML(heard=count)}
            if stage.progress in done or (widget is view.read and text.edits in done):
                return {**done, widget: gr.HTML(heard=count)}
            number = next(refusals)
            back = laid(studio, item, number), read(studio, item, words(request), number)
            heard = gr.HTML(back[1], heard=count) if widget is view.read else gr.HTML(heard=count)
            return {**done, view.laid: back[0], view.read: back[1], widget: heard}

        return handle

    def said(key: str, request: gr.Request, **values: object) -> Change:
        return {table.notice: html.notice([words(request)(key, **values)])}

    def line(at: At) -> tuple[int, Job] | None:
        """The number in the text of the panel of the frame that is open, and the job that makes the frame anew with the
        panel as it stands there; None where the text has no such panel any more, or its words are others."""
        found = script.line_of(at.lines, at.members, at.item)
        if found is None:
            return None
        number, panel = found
        job = redrawn(parts, at.item, at.drawer).as_written(script.panels_of(at.lines, at.members))
        return number, job.with_panel(at.item.number, panel)

    def made(at: At, number: int, job: Job, request: gr.Request) -> Change:
        """Panel `number` of the text as the `job` has it, which begins."""
        after = with_panel(at.lines, number, job.script.panels[at.item.number - 1], at.members)
        begun = start(parts, job, at.frames, request)
        return {table.notice: "", **script.rewritten(text, at.lines, after, at.styles), **begun}

    def steer(event: gr.EventData, request: gr.Request, at: At) -> Change:
        item, there = at.item, line(at)
        if there is None:
            return said("desk.changed", request, number=item.number)
        told, seed = desk.steering(event._data, item.names), desk.seed(event._data)
        number, job = there
        before = job.script.panels[item.number - 1].steering
        told = (desk.placed if sketches(item, at.drawer) else desk.steered)(before, told)
        told = replace(told, layout=replace(told.layout, flip=before.layout.flip, turn=before.layout.turn))
        return made(at, number, job.take(item.number, seed, told), request)

    def arrange(event: gr.EventData, request: gr.Request, at: At) -> Change:
        item, there = at.item, line(at)
        if there is None:
            return said("desk.changed", request, number=item.number)
        number, job = there
        before = job.script.panels[item.number - 1].steering
        told = arranged(studio, item, before, event._data, desk.STRENGTH if item.backend != STORYBOOK else 1.0)
        return made(at, number, job.arranged(item, told), request)

    def choose(event: gr.EventData, request: gr.Request, at: At) -> Change:
        item, there = at.item, line(at)
        if there is None:
            return said("desk.changed", request, number=item.number)
        number, job = there
        panel = chosen(job.script.panels[item.number - 1], event._data, words(request))
        if sketches(item, at.drawer):
            job = replace(job.with_panel(item.number, panel), panels=(item.number,), retry=None, variants=0)
            return made(at, number, job, request)
        # A model takes its time: the frame waits to be asked for.
        after = with_panel(at.lines, number, panel, at.members)
        return {table.notice: "", **script.rewritten(text, at.lines, after, at.styles)}

    anew = [table.notice, *rewritten, *changed(parts)]
    # The browser asks for one after the other, each on the text that came of the one before.
    for widget, event, change in ((view.read, view.read.choose, choose), (view.picture, view.picture.arrange, arrange)):
        back = list(dict.fromkeys([*anew, view.laid, view.read, widget]))
        asking = event(laid_out(widget, change), inputs, back, trigger_mode="multiple", **QUICK)
        asking.failure(js=UNTOLD)
    table.routing.steer(asked(steer), inputs, anew, **QUICK)

    def vary(event: gr.EventData, request: gr.Request, at: At) -> Change:
        count = event.count if event.count in desk.VARIANTS else desk.VARIANTS[0]
        job = replace(redrawn(parts, at.item, at.drawer), panels=(at.item.number,), retry=None, variants=count)
        return {table.notice: "", **start(parts, job, at.frames, request)}

    table.takes.vary(asked(vary, free=False), inputs, [table.notice, *changed(parts)], **QUICK)

    def changed_to(new: Shown, request: gr.Request, at: At) -> Change:
        """The page with another frame in its panel's place, whose panels may have changed since. What is written there
        of the frame the strip follows by itself."""
        frames = tuple(new if item.id == new.id else replace(item, job=new.job) for item in at.frames)
        after = script.with_take(at.lines, at.members, new.number, new.job.script.panels[new.number - 1])
        return {
            stage.shown: frames,
            stage.gallery: strip(words(request), at.panels, frames, at.chosen, new.id),
            **script.rewritten(text, at.lines, after, at.styles),
            **dict(zip(view.outputs, viewer.opened(new, words(request)), strict=True)),
            **dict(zip(table.outputs, shown(new, at.drawer), strict=True)),
        }

    def other(change: Callable[[Shown, gr.EventData], Shown]) -> Callable[[gr.EventData, gr.Request, At], Change]:
        """Put another frame in the place of the open one."""

        def exchange(event: gr.EventData, request: gr.Request, at: At) -> Change:
            return changed_to(change(at.item.as_written(script.panels_of(at.lines, at.members)), event), request, at)

        return exchange

    pick = other(lambda item, event: restored(item, str(event.key)))
    hold = other(lambda item, event: pin(item, event.on is True))
    outputs = [stage.shown, stage.gallery, *rewritten, *view.outputs, *table.outputs]
    picked = table.takes.pick(asked(pick), inputs, outputs, **QUICK)
    held = table.takes.pin(asked(hold, free=False), inputs, outputs, **QUICK)
    lay(parts, picked.then, held.then)

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
