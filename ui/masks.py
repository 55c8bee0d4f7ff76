"""The cut-outs: a brush to correct one by hand, and the choice of the model that makes them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import gradio as gr
import numpy as np
from PIL import Image

from anystory.cast.masks import ADD, REMOVE
from anystory.cast.segment import MODELS, Segmenter, SegmentError, is_here
from ui import cast, html
from ui.studio import fetch
from ui.words import t, words

CANVAS = 720
"""Pixels on the longer side of what is brushed: larger pictures are shown scaled down."""


@dataclass(frozen=True)
class Editor:
    """The brush: one for the whole cast, below it. `who` is the key of the picture whose mask is open, if one is."""

    who: gr.State
    panel: gr.Group
    heading: gr.HTML
    canvas: gr.ImageEditor
    result: gr.HTML
    reset: gr.Button
    done: gr.Button

    @property
    def outputs(self) -> list[Any]:
        """What `opened` and `closed` give values for, in their order."""
        return [self.who, self.panel, self.heading, self.canvas, self.result]


@dataclass(frozen=True)
class Chooser:
    """The choice of segmentation model; `model` holds the one in use, `fetched` the one that has come last, and `recut`
    the cast as it cuts it out."""

    model: gr.State
    fetched: gr.State
    recut: gr.State
    names: gr.Dropdown
    about: gr.HTML
    use: gr.Button
    progress: gr.HTML


def create_editor() -> Editor:
    """Lay the brush out; hidden until a mask is opened."""
    # A group, as a column has no way to hide without taking the canvas away, which does not survive that.
    with gr.Group(visible=False, elem_id="mask-editor") as panel, gr.Column():
        heading = gr.HTML()
        with gr.Row():
            canvas = gr.ImageEditor(
                show_label=False,
                type="pil",
                format="png",
                image_mode="RGBA",
                sources=(),
                transforms=(),
                layers=False,
                buttons=[],
                brush=gr.Brush(colors=[ADD, REMOVE], default_color=REMOVE, color_mode="fixed"),
                canvas_size=(CANVAS, CANVAS),
                elem_id="canvas",
                scale=3,
                min_width=260,
            )
            with gr.Column(scale=2, min_width=220):
                result = gr.HTML(elem_id="mask-result")
                with gr.Row():
                    reset = gr.Button(t("mask.reset"), size="md", min_width=120, elem_id="mask-reset")
                    done = gr.Button(t("mask.done"), variant="primary", size="md", min_width=80, elem_id="mask-done")
    return Editor(gr.State(None), panel, heading, canvas, result, reset, done)


def create_chooser() -> Chooser:
    """Lay the choice out."""
    first, *_ = MODELS
    with gr.Accordion(t("cutting.heading"), open=False, elem_id="cutting"):
        with gr.Row(elem_id="segmenter-row"):
            names = gr.Dropdown(
                list(MODELS), value=first, label=t("cutting.model"), elem_id="segmenter", min_width=200, scale=2
            )
            use = gr.Button(interactive=False, size="md", min_width=160, elem_id="use-segmenter", value=_verb(first))
        about = gr.HTML(html.hint(_about(first)), elem_id="about-segmenter")
        progress = gr.HTML(elem_id="segmenter-progress")
    return Chooser(gr.State(first), gr.State(None), gr.State(None), names, about, use, progress)


def _about(name: str) -> str:
    """A model in a line, before anything of it is fetched: what for, licence, size, and whether it is here."""
    model, kind = MODELS[name], name.replace("_", "-")
    here = "supplied" if not model.file else "here" if is_here(name) else "away"
    licence = f"{model.licence} ({model.source}), {model.megabytes} MB"
    return f"{name} · {t(f'cutting.is.{kind}')} · {licence} · {t(f'cutting.{here}')}"


def _verb(name: str) -> str:
    return t("cutting.use") if is_here(name) else f"{t('cutting.fetch')} ({MODELS[name].megabytes} MB)"


def chosen(name: str, used: str) -> tuple[str, Any]:
    """What is told of a model before anything of it is fetched, and the button that uses it."""
    return html.hint(_about(name)), gr.Button(_verb(name), interactive=name != used)


def fetching(name: str) -> Iterator[str]:
    """Fetch a model unless it is here, yielding progress as HTML. Raises SegmentError where it cannot be had."""
    for done, total in fetch(name):
        yield html.progress_bar(f"{done / 1e6:.0f} of {total / 1e6:.0f} MB", done / total)
    yield html.progress_bar(f"{t('cutting.heading')} …", 1)


def opened(index: int, actor: cast.Actor, number: int) -> list[Any]:
    """The values of `Editor.outputs` for the mask of picture `number` (from 0) of an actor, what was brushed before
    included."""
    picture = actor.pictures[number]
    background = picture.upload.copy()
    background.thumbnail((CANVAS, CANVAS), Image.Resampling.LANCZOS)
    layers = [] if picture.strokes is None else [picture.strokes]
    canvas = {"background": background, "layers": layers, "composite": None}
    name = f"{actor.name} ({number + 1})" if len(actor.pictures) > 1 else actor.name
    return [picture.key, gr.Group(visible=True), html.brushing(name), canvas, result(picture, index)]


def closed() -> list[Any]:
    """The values of `Editor.outputs` with nobody's mask open; the canvas stays as it is, out of sight."""
    return [None, gr.Group(visible="hidden"), "", gr.skip(), ""]


def result(picture: cast.Picture, index: int, refused: str = "") -> str:
    """The cut-out as it is now in the colour of the actor at `index`, and why a stroke was not taken."""
    return html.cutout(picture.cutout, index, picture.hints) + html.notice([refused] if refused else [])


def brushed(
    value: dict[str, Any] | None, picture: cast.Picture, segmenter: Segmenter, say: Callable[..., str] = words(None)
) -> tuple[cast.Picture, str]:
    """The picture under what was painted on the canvas, or as it was and a sentence why."""
    layers = [layer for layer in (value or {}).get("layers", ()) if np.asarray(layer)[..., 3].any()]
    try:
        return cast.brush(picture, layers[0] if layers else None, segmenter), ""
    except SegmentError as error:
        return picture, say(error)
