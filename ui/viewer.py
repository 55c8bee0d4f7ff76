"""The opened frame: its picture with the routing overlay, of the whole frame or of one layer at one step, what the
routing says about it, and downloads."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gradio as gr
from PIL import Image

from anystory.maps.overlay import overlay, sheet, trace_overlay
from anystory.pages.balloons import Lettering
from anystory.pages.layout import Page, lettered
from anystory.story.model import KINDS, ROUTING
from ui import html
from ui.strings import recognised
from ui.studio import Shown
from ui.words import t

OPACITY = 0.45
WHOLE, SCRUB = "whole", "steps"
BOTH = "both"
MODES = [(t("viewer.whole"), WHOLE), (t("viewer.steps"), SCRUB)]
ALL = 0
"""On the slider of layers: all of them together."""


@dataclass(frozen=True)
class Viewer:
    """The viewer's widgets. `item` holds the `Shown` that is open, or None."""

    item: gr.State
    row: gr.Row
    picture: gr.Image
    about: gr.HTML
    verdict: gr.HTML
    retry: gr.Button
    who: gr.CheckboxGroup
    opacity: gr.Slider
    mode: gr.Radio
    scrub: gr.Column
    step: gr.Slider
    layer: gr.Slider
    kind: gr.Radio
    kept: gr.HTML
    letters: gr.Checkbox
    again: gr.Button
    refusal: gr.HTML
    download: gr.DownloadButton
    maps: gr.Button
    animation: gr.Button

    @property
    def outputs(self) -> list[Any]:
        """What `opened` and `closed` give values for, in their order."""
        scrub = [self.mode, self.scrub, self.step, self.layer, self.kind, self.kept, self.letters]
        makers = [self.maps, self.animation]
        return [
            self.item,
            self.row,
            self.picture,
            self.about,
            self.verdict,
            self.retry,
            self.who,
            *scrub,
            self.download,
            *makers,
            self.refusal,
        ]

    @property
    def settings(self) -> list[Any]:
        """What `tinted` takes besides the frame, in its order."""
        return [self.who, self.opacity, self.mode, self.step, self.layer, self.kind, self.letters]


def create() -> Viewer:
    """Lay the viewer out; hidden until a frame is opened."""
    item = gr.State(None)
    with gr.Row(visible=False, elem_id="viewer") as row:
        picture = gr.Image(
            show_label=False, interactive=False, buttons=["fullscreen"], elem_id="frame", scale=7, min_width=260
        )
        with gr.Column(scale=5, min_width=240):
            about = gr.HTML()
            verdict = gr.HTML(elem_id="verdict")
            retry = gr.Button(t("frames.retry"), size="md", visible=False, elem_id="retry")
            who = gr.CheckboxGroup(label=t("viewer.who"), info=html.measured(ROUTING), elem_id="who")
            opacity = gr.Slider(0, 100, value=100 * OPACITY, step=1, label=t("viewer.overlay"), elem_id="opacity")
            mode = gr.Radio(MODES, value=WHOLE, show_label=False, container=False, elem_id="mode")
            with gr.Column(visible=False, elem_id="scrub") as scrub:
                step = gr.Slider(1, 2, value=1, step=1, label=t("viewer.step"), elem_id="step")
                layer = gr.Slider(ALL, 1, value=ALL, step=1, label=t("viewer.layer"), elem_id="layer")
                kind = gr.Radio([(t(f"viewer.{kind}"), kind) for kind in KINDS], label=t("viewer.kind"), elem_id="kind")
                kept = gr.HTML()
            letters = gr.Checkbox(False, label=t("book.letters"), visible=False, container=False, elem_id="letters")
            with gr.Row(elem_classes="takeaway"):
                again = gr.Button(t("frames.again"), size="md", min_width=120, elem_id="again")
                download = gr.DownloadButton(t("viewer.download"), size="md", min_width=120, elem_id="download-frame")
                maps = gr.Button(t("viewer.sheet"), size="md", min_width=120, elem_id="maps")
                animation = gr.Button(t("viewer.animation"), size="md", min_width=120, elem_id="animation")
            refusal = gr.HTML(elem_id="again-refused")
    return Viewer(
        item, row, picture, about, verdict, retry, who, opacity,
        mode, scrub, step, layer, kind, kept, letters, again, refusal, download, maps, animation,
    )  # fmt: skip


def tinted(
    item: Shown,
    who: Sequence[str],
    opacity: float,
    mode: str,
    step: float,
    layer: float,
    kind: str,
    letters: bool = False,
    captions: str = Lettering.captions,
    dialogue: str = Lettering.dialogue,
) -> Image.Image:
    """The frame under the overlay of `who`: of its averaged maps, or as the scrub is set; `opacity` in percent.
    With `letters`, the averaged one is lettered as the other two say.

    Of a trace that does not hold the maps of `step`, those of the last one before it show.
    """
    trace, cast = item.frame.trace, item.job.names
    if mode == WHOLE or trace is None:
        tinted = overlay(item.frame.image, item.frame.maps, names=who, opacity=opacity / 100, cast=cast)
        return lettered(tinted, item.panel, item.frame.maps, Lettering(captions, dialogue)).image if letters else tinted
    at = max((s for s in trace.steps if s <= step), default=trace.steps[0])
    kinds = trace.kinds if kind == BOTH else (kind,)
    drawn = [trace_overlay(item.frame.image, trace, at, int(layer) or None, k, who, opacity / 100, cast) for k in kinds]
    return sheet(drawn, kinds, len(drawn), cell=max(320, item.frame.image.width)) if len(drawn) > 1 else drawn[0]


def to_take_home(item: Shown, letters: bool, captions: str, dialogue: str) -> Path:
    """The file of a frame: its own, or with `letters` one that is lettered so, and that like a page brings the story
    back."""
    if not letters:
        return item.file
    with Image.open(item.file) as picture:
        text = {str(key): value for key, value in picture.info.items() if isinstance(value, str)}
    made = lettered(item.frame.image, item.panel, item.frame.maps, Lettering(captions, dialogue))
    target = item.file.with_stem(f"{item.file.stem}-lettered")
    target.write_bytes(Page(made.image, (item.number,), text=text).png)
    return target


def opened(item: Shown, opacity: float, say: Callable[..., str]) -> list[Any]:
    """The values of `Viewer.outputs` for a frame, all of its subjects overlaid."""
    names, trace, diagnosis = item.frame.maps.names[:-1], item.frame.trace, item.diagnosis
    if trace is None or not names:
        scrub = [gr.Radio(value=WHOLE, visible=False), gr.Column(visible=False), *[gr.skip()] * 3, ""]
    else:
        first, kinds = trace.steps[0], [*trace.kinds, BOTH] if len(trace.kinds) > 1 else list(trace.kinds)
        scrub = [
            gr.Radio(value=WHOLE, visible=True),
            gr.Column(visible=False),
            gr.Slider(first, max(trace.total, first + 1), value=trace.steps[-1], interactive=trace.total > 1),
            gr.Slider(ALL, len(trace.shapes), value=ALL, visible=len(trace.shapes) > 1),
            gr.Radio([(t(f"viewer.{kind}"), kind) for kind in kinds], value="refined", visible=len(kinds) > 1),
            html.hint(say(item.trace_words) if item.trace_words else ""),
        ]
    return [
        item,
        gr.Row(visible=True),
        tinted(item, names, opacity, WHOLE, 1, ALL, "refined"),
        html.opened(
            item.number, item.panel, names, item.job.names, item.frame.seed, item.backend, say, item.frame.made
        ),
        html.verdict(" ".join(map(say, (diagnosis.sentence, *map(recognised, item.frame.notes)))), diagnosis.passed),
        gr.Button(visible=not diagnosis.passed),
        gr.CheckboxGroup(
            choices=list(names), value=list(names), visible=bool(names), info=html.measured(item.frame.maps.measure)
        ),
        *scrub,
        gr.Checkbox(value=False, visible=bool(item.panel.caption or item.panel.dialogue)),
        item.file,
        *[gr.Button(visible=trace is not None and bool(names))] * 2,
        "",
    ]


def closed() -> list[Any]:
    """The values of `Viewer.outputs` with nothing to see."""
    nobody = gr.CheckboxGroup(choices=[], value=[])
    scrub = [*[gr.skip()] * 5, "", gr.skip()]
    return [None, gr.Row(visible=False), None, "", "", gr.skip(), nobody, *scrub, None, *[gr.skip()] * 2, ""]
