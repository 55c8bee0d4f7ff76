"""The button: check the script, render in the background, ask how it stands, stop, skip, choose panels."""

from __future__ import annotations

from dataclasses import replace
from html import escape
from typing import Any, NamedTuple

import gradio as gr

from anystory.cast.segment import Segmenter
from anystory.render.session import framed
from anystory.script.edits import with_from_sketch
from anystory.script.form import ScriptError
from anystory.story.from_sketch import FromSketch, FromSketchError
from anystory.story.model import Panel, Script, Style
from ui import cast, frames, html, script
from ui.events import ONE_CAST, QUICK, SLOW
from ui.events.script import Written, written
from ui.gate import address
from ui.limits import LimitError
from ui.parts import Parts
from ui.running import MAX_QUEUE, PAGES, Run
from ui.studio import Job, Shown, Visit, pinned
from ui.words import words


def start(parts: Parts, job: Job, shown: tuple[Shown, ...], request: gr.Request) -> dict[Any, Any]:
    """Begin the render of `job`, or say why not: values for some of `changed`."""
    visitor, say = parts.visitors[request.session_hash], words(request)
    if parts.studio.has_left(job.visit):  # while this was on its way
        return {}
    try:
        visitor.allowance.render(job.frames)
        if len(parts.studio.turns) >= MAX_QUEUE:
            raise LimitError("limit.busy")
        if visitor.run is None or visitor.run.ended:
            at_end = parts.visitors.shares.take(address(request), PAGES)
            visitor.run = Run(parts.studio, job, shown, visitor.allowance, at_end)
    except LimitError as error:
        return {parts.controls.notice: html.notice([say(error)])}
    return frames.started(visitor.run, say, parts.controls, parts.stage, parts.view)


class Asking(NamedTuple):
    """What a job takes from the page besides its story, in the order of `asking`."""

    visit: Visit | None
    model: str
    seed: float | None
    steps: float | None
    guidance: float | None

    def job(self, page: Written, script: Script, panels: tuple[int, ...] | None) -> Job:
        """The job to make `panels` of the `script` that was read on the page; a visit must be there."""
        assert self.visit is not None
        return Job(
            script=replace(script, segmenter=self.model),
            subjects=cast.subjects(page.present),
            keys={actor.name: actor.key for actor in page.present},
            visit=self.visit,
            seed=int(self.seed or 0),
            backend=page.backend,
            steps=int(self.steps) if self.steps else None,
            guidance=float(self.guidance) if self.guidance else None,
            segmenter=Segmenter(self.model),
            panels=panels,
        )


def asking(parts: Parts) -> list[Any]:
    """The components that hold `Asking`."""
    controls = parts.controls
    return [parts.visit, parts.chooser.model, controls.seed, controls.steps, controls.guidance]


def changed(parts: Parts) -> list[Any]:
    """What the start of a render changes on the page."""
    controls, stage, view = parts.controls, parts.stage, parts.view
    there = [stage.clock, stage.panels, stage.chosen, stage.drawn, stage.empty, stage.progress]
    there += [controls.start, controls.stop, controls.skip, controls.notice]
    return [*there, view.again, view.retry, view.refusal]


def stays(parts: Parts, item: Shown, request: gr.Request) -> dict[Any, Any]:
    """What is said of a frame that is pinned."""
    return {parts.view.refusal: html.notice([words(request)("desk.pinned", number=item.number)])}


def redrawn(parts: Parts, item: Shown, chosen: str) -> Job:
    """The job of a frame for whoever makes it anew: who made it, if that is at hand, else who is `chosen`."""
    return item.job.drawn_by(parts.studio.backends.maker(item.backend, chosen))


def wire(parts: Parts) -> None:
    """The button, the clock that shows how a render stands, and the strip of panels."""
    _wire_start(parts)
    _wire_again(parts)
    _wire_clock(parts)
    _wire_halt(parts)
    _wire_strip(parts)


def _wire_start(parts: Parts) -> None:
    """The button checks the script and begins a render."""
    studio, text, controls, stage = parts.studio, parts.text, parts.controls, parts.stage

    def begin(request: gr.Request, shown: tuple[Shown, ...], chosen: tuple[int, ...], *values: Any) -> dict[Any, Any]:
        asked, page = Asking(*values[: len(Asking._fields)]), Written(*values[len(Asking._fields) :])
        if asked.visit is None:
            return {controls.notice: html.notice([words(request)("story.lost")])}
        if not page.lines.strip():  # told by itself: whoever reads an empty page finds nothing, maybe after this answer
            page.readable(studio, words(request))  # which it is not
        reading = page.reading(studio)
        if reading.script is None or reading.errors:
            found, _ = script.feedback(reading, int(asked.seed or 0), words(request))
            return {controls.notice: "", text.findings: found}
        panels = tuple(number for number in chosen if number <= len(reading.script.panels)) or None
        job = asked.job(page, reading.script, panels)
        return {**start(parts, job, shown, request), stage.panels: framed(job.script)}

    def taken(
        request: gr.Request, chosen: str, lines: str, styles: tuple[Style, ...], present: tuple[cast.Actor, ...]
    ) -> dict[Any, Any]:
        """The text says what frames take of their sketches; it goes wherever the story goes."""
        try:
            asked = FromSketch.read(chosen) if chosen else None
            after = with_from_sketch(lines, asked, cast.members(present))
        except FromSketchError as error:  # words of one's own may be typed there
            raise gr.Error(escape(words(request)(error)), print_exception=False) from error
        except ScriptError:  # of which the page tells beside the text
            return {text.edits: gr.skip()}
        return script.rewritten(text, lines, after, styles)

    said = [controls.sketch, text.text, text.styles, parts.actors.actors]
    controls.sketch.input(taken, said, [text.edits, text.styles, text.style], **QUICK)

    controls.start.click(
        begin,
        [stage.shown, stage.chosen, *asking(parts), *written(parts)],
        [text.findings, *changed(parts)],
        **SLOW,
        **ONE_CAST,  # after what was said of the cast just before
    )


def _wire_again(parts: Parts) -> None:
    """A panel made again under another seed, or until it passes."""
    actors, text, stage, view = parts.actors, parts.text, parts.stage, parts.view

    def again(
        request: gr.Request,
        item: Shown,
        shown: tuple[Shown, ...],
        present: tuple[cast.Actor, ...],
        lines: str,
        styles: tuple[Style, ...],
        chosen: str,
    ) -> dict[Any, Any]:
        if pinned(item):
            return stays(parts, item, request)
        members = cast.members(present)
        job = redrawn(parts, item, chosen).as_written(script.panels_of(lines, members)).take(item.number, frames.roll())
        taken = script.with_take(lines, members, item.number, job.script.panels[item.number - 1])
        return {**script.rewritten(text, lines, taken, styles), **start(parts, job, shown, request)}

    def retry(request: gr.Request, item: Shown, shown: tuple[Shown, ...], chosen: str) -> dict[Any, Any]:
        if pinned(item):
            return stays(parts, item, request)
        return start(
            parts, replace(redrawn(parts, item, chosen), panels=None, retry=item.number, variants=0), shown, request
        )

    opened = [view.item, stage.shown]
    asked = [*opened, actors.actors, text.text, text.styles, parts.choice.name]
    view.again.click(again, asked, [text.edits, text.styles, text.style, *changed(parts)], **QUICK)
    view.retry.click(retry, [*opened, parts.choice.name], changed(parts), **QUICK)


def _wire_clock(parts: Parts) -> None:
    """While a render is at work the page asks how it stands."""
    visitors, actors, controls, stage, view = parts.visitors, parts.actors, parts.controls, parts.stage, parts.view

    def tick(
        request: gr.Request,
        panels: tuple[Panel, ...],
        chosen: tuple[int, ...],
        drawn: tuple[cast.Made, ...],
        item: Shown | None,
    ) -> dict[Any, Any]:
        run = visitors[request.session_hash].run
        if run is None:  # the app was started anew behind an open page
            return frames.at_rest(words(request), chosen, controls, stage)
        if run.makes_way:
            return {stage.clock: gr.Timer(active=True)}
        return frames.ticked(run, words(request), panels, chosen, drawn, item, controls, stage, view)

    # Not before the last answer is shown ("once"): a browser that is slow asks less often and is never behind. In the
    # queue, as Gradio tells nobody that a state has changed that was not set from there.
    stage.clock.tick(
        tick,
        [stage.panels, stage.chosen, stage.drawn, view.item],
        [
            stage.clock, stage.shown, stage.drawn, stage.gallery, stage.progress, stage.empty,
            stage.ended, controls.start, controls.stop, controls.skip, controls.notice, *view.outputs, view.again,
        ],
        trigger_mode="once",
        concurrency_limit=None,
        **SLOW,
    )  # fmt: skip

    def join(drawn: tuple[cast.Made, ...], present: tuple[cast.Actor, ...]) -> list[Any]:
        return cast.show(cast.with_drawn(present, drawn))

    stage.drawn.change(join, [stage.drawn, actors.actors], actors.outputs, **SLOW, **ONE_CAST)


def _wire_halt(parts: Parts) -> None:
    """Stop, and leave a panel out."""
    visitors, controls = parts.visitors, parts.controls

    def stop(request: gr.Request) -> gr.Button:
        if run := visitors[request.session_hash].run:
            run.stop()
        return gr.Button(interactive=False)

    def skip(request: gr.Request) -> None:
        if run := visitors[request.session_hash].run:
            run.skip()

    controls.stop.click(stop, None, controls.stop, **QUICK)
    controls.skip.click(skip, None, None, **QUICK)


def _wire_strip(parts: Parts) -> None:
    """Panels are chosen in the strip."""
    controls, stage = parts.controls, parts.stage

    def choose(event: gr.EventData, request: gr.Request) -> tuple[tuple[int, ...], str]:
        chosen = tuple(sorted({int(number) for number in event.chosen}))
        return chosen, frames.start_label(words(request), chosen)

    stage.gallery.input(choose, None, [stage.chosen, controls.start], trigger_mode="always_last", **QUICK)
