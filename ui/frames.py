"""Making the frames: settings, the buttons that start, stop and skip, live progress, the strip of panels."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import gradio as gr

from anystory.errors import Message
from anystory.render.session import framed
from anystory.story.capabilities import Capabilities
from anystory.story.from_sketch import FROM_NOISE, STRENGTH, FromSketch
from anystory.story.model import BOUNDS, MAX_SEED, Panel, Script, Settings
from anystory.story.size import SHAPES
from ui import cast, html, viewer
from ui.estimate import rounded
from ui.panels import USUAL
from ui.running import Run
from ui.strip import STRIP, strip
from ui.studio import Shown, rechosen
from ui.words import t

TICK = 0.4
"""Seconds between two questions how a render stands; a page that needs longer to show the answer asks less often."""


@dataclass(frozen=True)
class Controls:
    """What starts and ends a render. `shape` and `size` are those that the script gives all frames, `pages` the layout
    that it names for them."""

    seed: gr.Number
    steps: gr.Number
    guidance: gr.Number
    sketch: gr.Dropdown
    shape: gr.Dropdown
    size: gr.Dropdown
    pages: gr.Textbox
    start: gr.Button
    stop: gr.Button
    skip: gr.Button
    notice: gr.HTML

    @property
    def menus(self) -> list[Any]:
        """What follows the script's own words on its frames."""
        return [self.sketch, self.shape, self.size, self.pages]


@dataclass(frozen=True)
class Stage:
    """What shows one. `panels` are those of the script, `chosen` the numbers of those to make (none: all); `shown` are
    the frames there are, and `drawn` the characters that were drawn for them. `clock` ticks while a render
    is at work, `ended` changes at its end. `made` is where files go that are made when they are asked for."""

    panels: gr.State
    chosen: gr.State
    shown: gr.State
    drawn: gr.State
    ended: gr.State
    clock: gr.Timer
    empty: gr.HTML
    progress: gr.HTML
    gallery: gr.HTML
    made: gr.DownloadButton


def roll() -> int:
    """A seed by chance."""
    return secrets.randbelow(MAX_SEED + 1)


def create_controls() -> Controls:
    """Lay out the settings and the buttons. Steps and guidance get the backend's defaults when it is there."""
    notice = gr.HTML(elem_id="refused")
    start = gr.Button(t("frames.start"), variant="primary", elem_id="render")
    with gr.Row(elem_id="halt"):
        stop = gr.Button(t("frames.stop"), visible=False, elem_id="stop")
        skip = gr.Button(t("frames.skip"), visible=False, elem_id="skip")
    gr.HTML(f'<p class="hint">{t("frames.keys")}</p>', elem_id="keys")
    with gr.Accordion(t("settings.heading"), open=False, elem_id="settings"):
        with gr.Row(elem_id="seed-row"):
            seed = gr.Number(
                0,
                label=t("settings.seed"),
                info=t("settings.seed.hint"),
                precision=0,
                **_between("seed"),
            )
            dice = gr.Button(t("settings.roll"), elem_id="dice", size="md")
        with gr.Row():
            steps = gr.Number(
                Settings.steps,
                label=t("settings.steps"),
                info=t("settings.steps.hint"),
                precision=0,
                elem_id="steps",
                **_between("steps"),
            )
            guidance = gr.Number(
                Settings.guidance,
                label=t("settings.guidance"),
                info=t("settings.guidance.hint"),
                step=0.1,
                elem_id="guidance",
                **_between("guidance"),
            )
        with gr.Row():
            shapes = [(t("settings.shape.page"), ""), *((name, name) for name in SHAPES)]
            shape = gr.Dropdown(
                shapes, value="", label=t("panel.shape"), info=t("settings.shape.hint"), elem_id="shape"
            )
            sizes = [(t("settings.size.usual"), ""), *((str(side), str(side)) for side in USUAL)]
            size = gr.Dropdown(
                sizes,
                value="",
                label=t("panel.size"),
                info=t("settings.size.hint"),
                allow_custom_value=True,
                elem_id="size",
            )
        sketch = gr.Dropdown(value="", visible=False, allow_custom_value=True, elem_id="from-sketch")
    pages = gr.Textbox(visible="hidden")
    dice.click(roll, None, seed, queue=False, api_visibility="private")
    return Controls(seed, steps, guidance, sketch, shape, size, pages, start, stop, skip, notice)


def from_sketch(about: Capabilities) -> gr.Dropdown:
    """The switch that says what frames take of their sketches, as a backend offers it: hidden where it can take
    nothing."""
    usual = about.from_sketch
    if usual is None:
        return gr.Dropdown(visible=False)
    whole = {
        "settings.sketch.noise": FROM_NOISE,
        "settings.sketch.layout": FromSketch(layout=True),
        "settings.sketch.start": FromSketch(layout=True, strength=STRENGTH),
    }
    if about.refers_to_sketches:
        whole["settings.sketch.reference"] = FromSketch(reference=True)
    return gr.Dropdown(
        [(t("settings.sketch.usual"), ""), *((t(key), str(taken)) for key, taken in whole.items())],
        label=t("settings.sketch"),
        info=t("settings.sketch.hint" if usual else "settings.sketch.unmeasured"),
        visible=True,
    )


def menus(script: Script | None, controls: Controls) -> dict[Any, Any]:
    """What a script asks of all its frames, in the menus; they stay while it cannot be read."""
    if script is None:
        return {}
    return {
        controls.shape: script.shape,
        controls.size: str(script.size or ""),
        controls.pages: script.pages,
        controls.sketch: "" if script.from_sketch is None else str(script.from_sketch),
    }


def _between(name: str) -> dict[str, Any]:
    """The bounds of one of the story's settings, as a field takes them."""
    low, high = BOUNDS[name]
    return {"minimum": low, "maximum": high}


def create_stage() -> Stage:
    """Lay out where frames appear."""
    empty = gr.HTML(html.EMPTY, elem_id="no-frames")
    progress = gr.HTML(elem_id="progress")
    gallery = gr.HTML(elem_id="gallery", js_on_load=STRIP)
    made = gr.DownloadButton(visible="hidden", elem_id="made")
    states = gr.State(()), gr.State(()), gr.State(()), gr.State(()), gr.State(None)
    clock = gr.Timer(TICK, active=False)
    return Stage(*states, clock, empty, progress, gallery, made)


def start_label(say: Callable[..., str], chosen: Sequence[int]) -> str:
    """What the button does."""
    return say("frames.chosen", numbers=_listed(chosen)) if chosen else say("frames.start")


def _listed(numbers: Sequence[int]) -> str:
    """1, 2, 3, 7 -> "1–3, 7"."""
    runs: list[list[int]] = []
    for number in numbers:
        if runs and runs[-1][-1] == number - 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    return ", ".join(f"{run[0]}–{run[-1]}" if len(run) > 2 else ", ".join(map(str, run)) for run in runs)


def started(run: Run, say: Callable[..., str], controls: Controls, stage: Stage, view: viewer.Viewer) -> dict[Any, Any]:
    """Changes the moment a render is asked for; its turn may come later."""
    return {
        stage.clock: gr.Timer(active=True),
        stage.chosen: (),
        stage.drawn: (),
        stage.empty: gr.HTML(visible=False),
        stage.progress: standing(run, say),
        controls.start: gr.Button(start_label(say, ()), visible=False),
        controls.stop: gr.Button(visible=True, interactive=True),
        controls.skip: gr.Button(visible=True),
        view.again: gr.Button(interactive=False),
        view.retry: gr.Button(interactive=False),
        view.refusal: "",
        controls.notice: "",
    }


def follows(controls: Controls, stage: Stage) -> list[Any]:
    """What `followed` changes."""
    return [stage.panels, stage.chosen, controls.start, stage.gallery, stage.empty]


def followed(
    run: Run | None,
    say: Callable[..., str],
    panels: tuple[Panel, ...],
    before: tuple[Panel, ...],
    shown: tuple[Shown, ...],
    chosen: tuple[int, ...],
    item: Shown | None,
    controls: Controls,
    stage: Stage,
) -> dict[Any, Any]:
    """The strip follows the script, which had the panels `before`, and so do those that are chosen; while a render is
    under way it is that one's. Where no panel has changed it is left alone, as is what is being chosen meanwhile."""
    if panels == before:
        return {stage.panels: panels}
    left = rechosen(chosen, before, panels)
    change: dict[Any, Any] = {stage.panels: panels}
    if left != chosen:
        change |= {stage.chosen: left, controls.start: start_label(say, left)}
    if run is None or run.ended:
        change[stage.gallery] = strip(say, panels, shown, left, item.id if item else None)
        change[stage.empty] = gr.HTML(visible=not panels and not shown)
    return change


def standing(run: Run, say: Callable[..., str]) -> str:
    """How a render stands, as HTML."""
    moment, what = run.moment, run.moment.what
    if isinstance(what, Message):  # of the model; else somebody's own words
        what = say(what)
    where, left = say(moment.key, **moment.values), ""
    if moment.left is not None:
        key, count = rounded(moment.left)
        left = say(key, count=f"{count:g}")
    if moment.place:
        where = say("frames.queue", place=moment.place) if moment.place > 1 else say("frames.next")
        what = say("frames.turns")
    if run.stopped:
        where = say("frames.stopping")
    return html.progress(where, what, moment.share, moment.preview, left, moment.panel, moment.part)


def ticked(
    run: Run,
    say: Callable[..., str],
    panels: Sequence[Panel],
    chosen: Sequence[int],
    drawn: tuple[cast.Made, ...],
    item: Shown | None,
    controls: Controls,
    stage: Stage,
    view: viewer.Viewer,
) -> dict[Any, Any]:
    """What has changed on the page since it asked last, and after the end all that comes then."""
    ended = run.ended  # first of all: what comes after it is looked at is in the next answer
    shown = run.before if run.shown is None else run.shown
    change: dict[Any, Any] = {stage.shown: shown, stage.progress: standing(run, say)}
    if len(run.moment.drawn) > len(drawn):
        new = run.moment.drawn[len(drawn) :]
        change[stage.drawn] = (*drawn, *(cast.Made(cast.drawn(s), run.job.keys.get(s.name)) for s in new))
    now = next((new for new in shown if item and new.id == item.id), None)
    if now is None:  # nothing is open yet, or its panel is being made anew: what is looked at stays until then
        now = item if item and not ended else next(iter(shown), None)
    if now is not item:
        change |= dict(zip(view.outputs, viewer.opened(now, say) if now else viewer.closed(), strict=True))
        change[view.retry] = gr.Button(visible=bool(now and not now.diagnosis.passed), interactive=ended)
    same = panels == (asked := framed(run.job.script))  # or somebody goes on writing meanwhile
    listed = panels if ended else asked
    state = run.state if same or not ended else None
    panels_now = strip(say, listed, shown, chosen, now.id if now else None, state)
    if ended or panels_now != run.told:  # a long one is large, and mostly only the progress has changed
        change[stage.gallery] = run.told = panels_now
    if not ended:
        return change
    if now:  # anew even if it is open: what was sent while the page was still being built may not have arrived
        change |= dict(zip(view.outputs, viewer.opened(now, say), strict=True))
    change |= {
        **at_rest(say, chosen, controls, stage),
        stage.ended: time.monotonic(),
        stage.progress: html.hint(outcome(say, run)),
        controls.notice: html.notice([say(run.error)] if run.error else []),
        view.again: gr.Button(interactive=True),
        view.retry: gr.Button(visible=bool(now and not now.diagnosis.passed), interactive=True),
        stage.empty: gr.HTML(visible=not shown and not panels),
    }
    return change


def back(shown: tuple[Shown, ...], say: Callable[..., str], stage: Stage, view: viewer.Viewer) -> dict[Any, Any]:
    """Changes that show the frames of a story that has just been opened, and nothing of the one before."""
    first, panels = (shown[0], framed(shown[0].job.script)) if shown else (None, ())
    opened = viewer.opened(first, say) if first else viewer.closed()
    return {
        stage.shown: shown,
        stage.panels: panels,
        stage.chosen: (),
        stage.drawn: (),
        stage.progress: "",
        stage.gallery: strip(say, panels, shown, (), first.id if first else None),
        stage.empty: gr.HTML(visible=not shown),
        **dict(zip(view.outputs, opened, strict=True)),
        view.opacity: 100 * viewer.OPACITY,
    }


def at_rest(say: Callable[..., str], chosen: Sequence[int], controls: Controls, stage: Stage) -> dict[Any, Any]:
    """The buttons and the clock while nothing is made."""
    return {
        stage.clock: gr.Timer(active=False),
        stage.progress: "",
        controls.start: gr.Button(start_label(say, chosen), visible=True),
        controls.stop: gr.Button(visible=False),
        controls.skip: gr.Button(visible=False),
    }


def outcome(say: Callable[..., str], run: Run) -> str:
    """What is said of a render that has ended: that it was stopped, or what came of another seed; mostly nothing."""
    if run.stopped:
        return say("frames.kept")
    if run.job.retry is None or run.error is not None:
        return ""
    number = run.job.retry
    now = next((item.still.seed for item in run.shown or () if item.number == number), None)
    return say("frames.nobetter" if run.seeds.get(number) == now else "frames.better", number=number, seed=now)
