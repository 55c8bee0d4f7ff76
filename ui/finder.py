"""Who is in a picture? A place to drop one, and who of the cast is where in it. Names are escaped here."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape

import gradio as gr

from anystory.maps.overlay import colour
from anystory.render.locating import Located
from ui import html
from ui.words import t

LARGE = 720
"""Longest side of the picture shown."""


@dataclass(frozen=True)
class Finder:
    """The widgets: `section` holds them all, `picture` takes one in, `found` shows who is there, `download` hands the
    masks over."""

    section: gr.Accordion
    picture: gr.File
    found: gr.HTML
    download: gr.DownloadButton


def create() -> Finder:
    """Lay the section out, closed."""
    with gr.Accordion(t("find.heading"), open=False, elem_id="finder") as section:
        gr.HTML(f'<p class="hint">{t("find.about")}</p>')
        picture = gr.File(file_types=["image"], show_label=False, height=96, elem_id="find-drop")
        found = gr.HTML(elem_id="found")
        download = gr.DownloadButton(t("find.download"), size="md", visible=False, elem_id="download-masks")
    return Finder(section, picture, found, download)


def shown(located: Located, cast: Sequence[str], more: str, say: Callable[..., str]) -> str:
    """The picture with everybody in colour, and how much of it each holds; `more` is said besides."""
    shares = "".join(
        f'<li class="chip" style="--who:{colour(cast.index(name))}">'
        f"{escape(say('find.share', name=name, percent=round(100 * share)))}</li>"
        for name, share in located.shares.items()
    )
    return (
        f'<figure class="found"><img src="{html.data_uri(located.overlay, LARGE)}" alt="{escape(t("find.overlay"))}">'
        f'<figcaption role="status"><ul>{shares}</ul>{html.hint(more)}</figcaption></figure>'
    )
