"""Making the frames: settings, the button that starts and stops, live progress, the gallery."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gradio as gr

from anystory.backend import BackendError
from anystory.project import ProjectError
from anystory.render import RenderError
from ui import html, viewer
from ui.studio import Job, Moment, Shown, Studio, story_file

MAX_SEED = 2**31 - 1


@dataclass(frozen=True)
class Controls:
    """What starts a render."""

    seed: gr.Number
    steps: gr.Slider
    guidance: gr.Slider
    start: gr.Button
    stop: gr.Button
    notice: gr.HTML


@dataclass(frozen=True)
class Stage:
    """What shows one. `job` is what was asked for last, None if it was refused; `shown` are the frames there are."""

    job: gr.State
    shown: gr.State
    empty: gr.HTML
    progress: gr.HTML
    gallery: gr.Gallery
    download: gr.DownloadButton


def roll() -> int:
    """A seed by chance."""
    return secrets.randbelow(MAX_SEED + 1)


def create_controls() -> Controls:
    """Lay out the settings and the buttons. Sliders get the backend's defaults when it is there."""
    notice = gr.HTML(elem_id="refused")
    start = gr.Button("Make the frames", variant="primary", elem_id="render")
    stop = gr.Button("Stop", visible=False, elem_id="stop")
    with gr.Accordion("Settings", open=False, elem_id="settings"):
        with gr.Row(elem_id="seed-row"):
            seed = gr.Number(
                0, label="Seed", info="The same seed makes the same frames.", precision=0, minimum=0, maximum=MAX_SEED
            )
            dice = gr.Button("Roll a seed", elem_id="dice", size="md")
        steps = gr.Slider(1, 60, value=25, step=1, label="Steps", info="More are slower and a little cleaner.")
        guidance = gr.Slider(
            1, 10, value=3, step=0.1, label="Guidance", info="How closely a frame follows its words; 1 is off."
        )
    dice.click(roll, None, seed, queue=False, api_visibility="private")
    return Controls(seed, steps, guidance, start, stop, notice)


def create_stage() -> Stage:
    """Lay out where frames appear."""
    empty = gr.HTML(html.EMPTY)
    progress = gr.HTML(visible=False, elem_id="progress")
    gallery = gr.Gallery(
        visible=False,
        show_label=False,
        columns=4,
        fit_columns=False,
        height="auto",
        object_fit="cover",
        allow_preview=False,
        interactive=False,
        buttons=[],
        elem_id="gallery",
    )
    download = gr.DownloadButton("Download all (ZIP)", visible=False, size="md", elem_id="download-all")
    return Stage(gr.State(None), gr.State(()), empty, progress, gallery, download)


def pictures(shown: Sequence[Shown]) -> list[tuple[Path, str]]:
    """The gallery's entries: frames with their caption, or their prompt where there is none."""
    return [(item.file, item.panel.caption or item.panel.prompt) for item in shown]


def where(moment: Moment) -> str:
    """Progress in words."""
    return f"Panel {moment.number} of {moment.total} · step {moment.index} of {moment.steps}"


def share(moment: Moment) -> float:
    """Progress of the whole story, 0 to 1."""
    return (moment.number - 1 + moment.index / moment.steps) / moment.total


def started(job: Job, controls: Controls, stage: Stage, view: viewer.Viewer) -> dict[Any, Any]:
    """Changes the moment a render is asked for; its turn may come later."""
    return {
        stage.job: job,
        stage.empty: gr.HTML(visible=False),
        stage.progress: gr.HTML(html.progress("Waiting for the model", "Your frames come next.", 0), visible=True),
        controls.start: gr.Button(visible=False),
        controls.stop: gr.Button(visible=True),
        view.again: gr.Button(interactive=False),
        controls.notice: "",
    }


def run(
    studio: Studio, stage: Stage, view: viewer.Viewer, notice: gr.HTML
) -> Callable[[Job | None, tuple[Shown, ...], Shown | None, float], Iterator[dict[Any, Any]]]:
    """The render as a generator of changes: of progress, gallery, frames, viewer and notice."""

    def render(
        job: Job | None, before: tuple[Shown, ...], item: Shown | None, opacity: float
    ) -> Iterator[dict[Any, Any]]:
        if job is None:
            yield {stage.progress: gr.skip()}  # a generator that yields nothing would empty all its outputs
            return
        try:
            first = True
            for moment in studio.render(job, before):
                drawn = html.progress(where(moment), moment.prompt, share(moment), moment.preview)
                change: dict[Any, Any] = {stage.progress: drawn}
                if first or moment.fresh:
                    change[stage.shown] = moment.shown
                    change[stage.gallery] = gr.Gallery(pictures(moment.shown), visible=bool(moment.shown))
                if moment.fresh and item is None:
                    item = moment.fresh
                    change |= dict(zip(view.outputs, viewer.opened(item, opacity), strict=True))
                yield change
                first = False
        except (BackendError, RenderError, ProjectError) as error:
            yield {notice: html.notice([str(error)])}

    return render


def finished(
    controls: Controls, stage: Stage, view: viewer.Viewer
) -> Callable[[Job | None, tuple[Shown, ...], Shown | None, float], dict[Any, Any]]:
    """After the last panel or a stop: the button is back, the opened frame is one of these, the ZIP is ready."""

    def finish(job: Job | None, shown: tuple[Shown, ...], item: Shown | None, opacity: float) -> dict[Any, Any]:
        change: dict[Any, Any] = {
            controls.start: gr.Button(visible=True),
            controls.stop: gr.Button(visible=False),
            stage.progress: gr.HTML("", visible=False),
            view.again: gr.Button(interactive=True),
        }
        if job is None:
            return change
        if not shown:
            return (
                change
                | {stage.empty: gr.HTML(visible=True), stage.gallery: gr.Gallery([], visible=False)}
                | dict(zip(view.outputs, viewer.closed(), strict=True))
            )
        now = next((new for new in shown if item and new.number == item.number), shown[0])
        if item and now.frame is item.frame:
            change[view.item] = now
        else:
            change |= dict(zip(view.outputs, viewer.opened(now, opacity), strict=True))
        change[stage.download] = gr.DownloadButton(value=story_file(job), visible=True)
        return change

    return finish
