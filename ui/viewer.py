"""The opened frame: its picture with the cast on it, or in grey under the routing overlay, of the whole frame or of one
layer at one step, what the routing says about it, and downloads."""

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
from anystory.project.folder import write_atomic
from anystory.story.model import KINDS, ROUTING
from ui import html
from ui.arranging import ARRANGING, figure
from ui.chips import CHIPS
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
    picture: gr.HTML
    laid: gr.HTML
    about: gr.HTML
    read: gr.HTML
    verdict: gr.HTML
    retry: gr.Button
    seen: gr.Checkbox
    legend: gr.Column
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
            self.seen,
            self.legend,
            self.who,
            *scrub,
            self.download,
            *makers,
            self.refusal,
        ]

    @property
    def settings(self) -> list[Any]:
        """What `tinted` takes besides the frame, in its order."""
        return [self.seen, self.who, self.opacity, self.mode, self.step, self.layer, self.kind, self.letters]


def create() -> Viewer:
    """Lay the viewer out; hidden until a frame is opened."""
    item = gr.State(None)
    with gr.Row(visible=False, elem_id="viewer") as row:
        with gr.Column(scale=7, min_width=260):
            picture = gr.HTML(js_on_load=ARRANGING, elem_id="frame", apply_default_css=False, heard=0, late=0)
            laid = gr.HTML(elem_id="laid", visible="hidden")
        with gr.Column(scale=5, min_width=240):
            about = gr.HTML()
            verdict = gr.HTML(elem_id="verdict")
            retry = gr.Button(t("frames.retry"), size="md", visible=False, elem_id="retry")
            with gr.Row(elem_classes="takeaway"):
                again = gr.Button(t("frames.again"), size="md", min_width=120, elem_id="again")
                download = gr.DownloadButton(t("viewer.download"), size="md", min_width=120, elem_id="download-frame")
                seen = gr.Checkbox(False, label=t("viewer.who"), container=False, min_width=120, elem_id="see")
            refusal = gr.HTML(elem_id="again-refused")
            letters = gr.Checkbox(False, label=t("book.letters"), visible=False, container=False, elem_id="letters")
            with gr.Column(visible=False, elem_id="legend") as legend:
                who = gr.CheckboxGroup(show_label=False, info=html.measured(ROUTING), elem_id="who")
                opacity = gr.Slider(0, 100, value=100 * OPACITY, step=1, label=t("viewer.overlay"), elem_id="opacity")
                mode = gr.Radio(MODES, value=WHOLE, show_label=False, container=False, elem_id="mode")
                with gr.Column(visible=False, elem_id="scrub") as scrub:
                    step = gr.Slider(1, 2, value=1, step=1, label=t("viewer.step"), elem_id="step")
                    layer = gr.Slider(ALL, 1, value=ALL, step=1, label=t("viewer.layer"), elem_id="layer")
                    kinds = [(t(f"viewer.{kind}"), kind) for kind in KINDS]
                    kind = gr.Radio(kinds, label=t("viewer.kind"), elem_id="kind")
                    kept = gr.HTML()
                with gr.Row(elem_classes="takeaway"):
                    maps = gr.Button(t("viewer.sheet"), size="md", min_width=120, elem_id="maps")
                    animation = gr.Button(t("viewer.animation"), size="md", min_width=120, elem_id="animation")
            # Last: it comes a little later.
            read = gr.HTML(js_on_load=CHIPS, elem_id="read", apply_default_css=False, heard=0, late=0)
    return Viewer(
        item, row, picture, laid, about, read, verdict, retry, seen, legend, who, opacity,
        mode, scrub, step, layer, kind, kept, letters, again, refusal, download, maps, animation,
    )  # fmt: skip


def pictured(item: Shown, say: Callable[..., str], seen: bool, *settings: Any) -> str:
    """The picture of an opened frame as HTML: as it is, or as all the `settings` of `tinted` ask."""
    letters = settings[-3]
    if not seen and not letters:
        return figure(item, say)
    return figure(item, say, html.data_uri(tinted(item, seen, *settings)))


def tinted(
    item: Shown,
    seen: bool,
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
    """The frame, or where it is to be `seen` who is where, that in grey under the overlay of `who`: of its averaged
    maps, or as the scrub is set; `opacity` in percent. With `letters`, what is no step is lettered as the other two
    say.

    Of a trace that does not hold the maps of `step`, those of the last one before it show.
    """
    frame, cast = item.frame, item.job.names
    trace, tinted = frame.trace, frame.image
    grey = tinted.convert("L").convert("RGB") if seen else tinted
    if not seen or mode == WHOLE or trace is None:
        if seen:
            tinted = overlay(grey, frame.maps, names=who, opacity=opacity / 100, cast=cast)
        return lettered(tinted, item.panel, frame.maps, Lettering(captions, dialogue)).image if letters else tinted
    at = max((s for s in trace.steps if s <= step), default=trace.steps[0])
    kinds = trace.kinds if kind == BOTH else (kind,)
    drawn = [trace_overlay(grey, trace, at, int(layer) or None, k, who, opacity / 100, cast) for k in kinds]
    return sheet(drawn, kinds, len(drawn), cell=max(320, frame.image.width)) if len(drawn) > 1 else drawn[0]


def to_take_home(item: Shown, letters: bool, captions: str, dialogue: str) -> Path:
    """The file of a frame: its own, or with `letters` one that is lettered so, and that like a page brings the story
    back."""
    if not letters:
        return item.file
    with Image.open(item.file) as picture:
        text = {str(key): value for key, value in picture.info.items() if isinstance(value, str)}
    frame = item.frame
    made = lettered(frame.image, item.panel, frame.maps, Lettering(captions, dialogue))
    target = item.file.with_stem(f"{item.file.stem}-lettered")
    write_atomic({target: Page(made.image, (item.number,), text=text).png})
    return target


def opened(item: Shown, say: Callable[..., str]) -> list[Any]:
    """The values of `Viewer.outputs` for a frame."""
    frame, names, diagnosis = item.frame, item.names, item.diagnosis
    trace = frame.trace
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
        figure(item, say),
        html.opened(item.number, item.panel, names, item.job.names, frame.seed, item.backend, say, frame.made),
        html.verdict(" ".join(map(say, (diagnosis.sentence, *map(recognised, frame.notes)))), diagnosis.passed),
        gr.Button(visible=not diagnosis.passed),
        gr.Checkbox(value=False, visible=bool(names)),
        gr.Column(visible=False),
        gr.CheckboxGroup(choices=list(names), value=list(names), info=html.measured(frame.maps.measure)),
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
    seen = gr.Checkbox(value=False), gr.Column(visible=False)
    return [None, gr.Row(visible=False), "", "", "", gr.skip(), *seen, nobody, *scrub, None, *[gr.skip()] * 2, ""]
