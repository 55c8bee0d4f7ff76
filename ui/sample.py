"""What an empty page begins with: a finished page of the example, and the button that makes it."""

from __future__ import annotations

import base64
from html import escape

import gradio as gr

from ui.previews import STORY
from ui.words import t

PAGE = STORY.with_name("page.webp")
"""`python -m anystory render assets/example/story.yaml --out out && python -m anystory export out --out page.png`, at
half its size."""


def create() -> gr.Button:
    """Lay it out; it goes as soon as there is somebody in the cast (cast.css)."""
    picture = base64.b64encode(PAGE.read_bytes()).decode()
    with gr.Column(elem_id="sample", min_width=260):
        gr.HTML(
            f'<img src="data:image/webp;base64,{picture}" width="512" height="512" alt="{escape(t("sample.page"))}">'
        )
        return gr.Button(t("sample.make"), variant="primary", elem_id="make-example")
