"""The shelf: a drawer of characters to start with, found by typing and taken with a click."""

from __future__ import annotations

from html import escape
from pathlib import Path

import gradio as gr

from anystory.cast.images import open_image
from anystory.cast.segment import Segmenter
from anystory.cast.shelf import Example, shelf
from ui import cast, html
from ui.words import t

DRAWER = (Path(__file__).parent / "js" / "shelf.js").read_text(encoding="utf-8")
"""What the drawer does in the browser: `take` is its event, with the character's `name`."""


def create() -> gr.HTML:
    """Lay the drawer out, open."""
    examples = "".join(_example(example) for example in shelf())
    return gr.HTML(
        f"<details open><summary>{t('cast.shelf')}</summary>"
        f'<input type="search" placeholder="{escape(t("shelf.search"))}" '
        f'aria-label="{escape(t("shelf.search"))}"><div class="examples">{examples}</div>'
        f'<p class="quiet" role="status" hidden>{t("shelf.none")}</p></details>',
        js_on_load=DRAWER,
        apply_default_css=False,
        elem_id="shelf",
    )


def _example(example: Example) -> str:
    picture = html.thumbnail(open_image(example.image))
    told = f"{example.name}, {t(f'shelf.{example.name.lower()}')} ({example.source}, {example.licence})"
    return (
        f'<button type="button" data-name="{escape(example.name)}" title="{escape(told)}" aria-label="{escape(told)}">'
        f'<img src="{picture}" alt="" loading="lazy"><span>{escape(example.name)}</span></button>'
    )


def taken(name: object) -> cast.Actor | None:
    """The character of that name as one of the cast; None where there is no such character."""
    found = next((example for example in shelf() if example.name == name), None)
    if found is None:
        return None
    return cast.turned(cast.pictured(found.name, found.image, None, Segmenter(), found.description), found.facing)
