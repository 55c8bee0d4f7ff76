"""The opened frame: its picture with the routing overlay, whose parts to show and how strongly, and downloads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import gradio as gr
from PIL import Image

from anystory.overlay import overlay
from ui import html
from ui.studio import Shown

OPACITY = 0.45


@dataclass(frozen=True)
class Viewer:
    """The viewer's widgets. `item` holds the `Shown` that is open, or None."""

    item: gr.State
    row: gr.Row
    picture: gr.Image
    about: gr.HTML
    who: gr.CheckboxGroup
    opacity: gr.Slider
    again: gr.Button
    download: gr.DownloadButton

    @property
    def outputs(self) -> list[Any]:
        """What `opened` and `closed` give values for, in their order."""
        return [self.item, self.row, self.picture, self.about, self.who, self.download]


def create() -> Viewer:
    """Lay the viewer out; hidden until a frame is opened."""
    item = gr.State(None)
    with gr.Row(visible=False, elem_id="viewer") as row:
        picture = gr.Image(
            show_label=False, interactive=False, buttons=["fullscreen"], elem_id="frame", scale=7, min_width=260
        )
        with gr.Column(scale=5, min_width=240):
            about = gr.HTML()
            who = gr.CheckboxGroup(label="Who is where", info="The routing map of this frame.", elem_id="who")
            opacity = gr.Slider(0, 100, value=100 * OPACITY, step=1, label="Overlay, %", elem_id="opacity")
            with gr.Row():
                again = gr.Button("Another take", size="md", min_width=120, elem_id="again")
                download = gr.DownloadButton("Download", size="md", min_width=120, elem_id="download-frame")
    return Viewer(item, row, picture, about, who, opacity, again, download)


def tinted(item: Shown, who: Sequence[str], opacity: float) -> Image.Image:
    """The frame under the overlay of `who`; `opacity` in percent."""
    return overlay(item.frame.image, item.frame.maps, names=who, opacity=opacity / 100, cast=item.job.names)


def opened(item: Shown, opacity: float) -> list[Any]:
    """The values of `Viewer.outputs` for a frame, all of its subjects overlaid."""
    names = item.frame.maps.names[:-1]
    return [
        item,
        gr.Row(visible=True),
        tinted(item, names, opacity),
        html.opened(item.number, item.panel, names, item.job.names, item.frame.seed),
        gr.CheckboxGroup(choices=list(names), value=list(names), visible=bool(names)),
        item.file,
    ]


def closed() -> list[Any]:
    """The values of `Viewer.outputs` with nothing to see."""
    return [None, gr.Row(visible=False), None, "", gr.CheckboxGroup(choices=[], value=[]), None]
