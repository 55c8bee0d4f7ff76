"""Pages: the finished frames laid out and lettered, one page to look at, and the whole as PNG, PDF or CBZ."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from html import escape
from pathlib import Path
from typing import Any

import gradio as gr

from anystory.pages.archive import zipped
from anystory.pages.balloons import CAPTIONS, DIALOGUES, Lettering, LetteringError
from anystory.pages.export import write
from anystory.pages.form import MAX_GUTTER, Format, PageError
from anystory.pages.layout import Pages
from anystory.project.folder import Project, ProjectError, write_atomic
from anystory.script.exports.files import exported
from anystory.story.layouts import FIT, LAYOUTS, PAGES
from anystory.story.model import Panel, Script
from ui import html
from ui.studio import Shown, place
from ui.words import t, words

PREVIEW = 110
"""Dots per inch of the page to look at."""

ERRORS = (PageError, ProjectError, LetteringError)
"""What is told as a sentence."""

WAYS = {"box": "book.box", "balloons": "book.balloons", "below": "book.below", "none": "book.none"}
KINDS = ("png", "pdf", "cbz")
SCRIPTS = ("fountain", "csv", "storyboarder")
"""What the script is saved as for other programs."""


@dataclass(frozen=True)
class Book:
    """The widgets of the pages. `at` is the page that is looked at, from 1; `said` changes with the words on them, and
    `saves` are the buttons by file type."""

    layout: gr.Dropdown
    page: gr.Dropdown
    gutter: gr.Slider
    captions: gr.Dropdown
    dialogue: gr.Dropdown
    at: gr.State
    said: gr.Textbox
    preview: gr.HTML
    fit: gr.Button
    saves: dict[str, gr.Button]

    @property
    def settings(self) -> list[Any]:
        """What `form` takes, in its order."""
        return [self.layout, self.page, self.gutter, self.captions, self.dialogue]


def create() -> Book:
    """Lay out the section; its controls do not show before there is a page (see book.css)."""
    with gr.Row(elem_id="book"):
        with gr.Column(scale=4, min_width=280, elem_id="book-controls"):
            with gr.Row():
                layouts = [(t(f"book.layout.{name}"), name) for name in LAYOUTS]
                layout = gr.Dropdown(layouts, value=Format.layout, label=t("book.layout"), min_width=140)
                sizes = [(t(f"book.page.{name or 'own'}"), name) for name in ("", *PAGES, FIT)]
                page = gr.Dropdown(sizes, value=Format.page, label=t("book.page"), min_width=140)
            with gr.Row():
                captions = gr.Dropdown(
                    [(t(WAYS[way]), way) for way in CAPTIONS],
                    value=Lettering.captions,
                    label=t("book.captions"),
                    min_width=140,
                )
                dialogue = gr.Dropdown(
                    [(t(WAYS[way]), way) for way in DIALOGUES],
                    value=Lettering.dialogue,
                    label=t("book.dialogue"),
                    min_width=140,
                )
            gutter = gr.Slider(0, MAX_GUTTER, value=Format.gutter, step=0.5, label=t("book.gutter"), elem_id="gutter")
            fit = gr.Button(t("book.fit"), size="md", elem_id="fit-cells")
            with gr.Row(elem_classes="takeaway"):
                saves = {
                    kind: gr.Button(t(f"book.save.{kind}"), size="md", min_width=80, elem_id=f"save-{kind}")
                    for kind in KINDS
                }
            gr.HTML(f'<p class="hint">{t("book.scripts")}</p>')
            with gr.Row(elem_classes="takeaway"):
                saves |= {
                    kind: gr.Button(t(f"book.save.{kind}"), size="md", min_width=80, elem_id=f"save-{kind}")
                    for kind in SCRIPTS
                }
        with gr.Column(scale=7, min_width=280):
            preview = gr.HTML(empty(), js_on_load=TURN, elem_id="pages")
    at, words = gr.State(1), gr.Textbox(visible="hidden")
    return Book(layout, page, gutter, captions, dialogue, at, words, preview, fit, saves)


def said(shown: Sequence[Shown], script: Script | None) -> str:
    """A digest of the words on the pages of `shown`, "" without any."""
    told = shown[0].job.with_words(script) if shown else None
    words = told and (told.title, [(panel.caption, panel.dialogue) for panel in told.panels])
    return hashlib.sha256(repr(words).encode()).hexdigest()[:16] if words else ""


def empty() -> str:
    """What stands there while there is no page."""
    return f'<p class="no-pages">{t("book.empty")}</p>'


def form(layout: str, page: str, gutter: float, captions: str, dialogue: str, dpi: int = Format.dpi) -> Format:
    """The settings as a format. Raises PageError or LetteringError."""
    return Format(layout, page, dpi, float(gutter), Lettering(captions, dialogue))


def pages(shown: Sequence[Shown], script: Script | None, how: Format) -> Pages:
    """The pages of the finished frames, with the words of `script` as far as its panels are the ones that were made.
    Raises PageError or ProjectError."""
    job = shown[0].job
    project, said = Project(job.visit.story), job.with_words(script)
    there = {number: item for item in shown if (number := project.number(item.id))}
    panels = list(said.panels)  # in the folder's order, which another page may have changed
    for number, item in there.items():
        panels += [Panel("")] * (number - len(panels))
        panels[number - 1] = said.panels[item.number - 1]
    return Pages(project, how, replace(said, panels=tuple(panels)), there)


def preview(made: Pages, at: int, say: Callable[..., str] = words(None)) -> tuple[int, str]:
    """Page `at`, or the last one, as HTML with buttons to turn over, and its number."""
    count = len(made)
    at = min(max(at, 1), count)
    page = made[at - 1]

    def turn(to: int, key: str, sign: str) -> str:
        off = "" if 1 <= to <= count else " disabled"
        label = escape(t(key))
        return f'<button data-page="{to}" title="{label}" aria-label="{label}"{off}>{sign}</button>'

    numbers = ", ".join(map(str, page.panels))
    cropped = ", ".join(map(str, sorted({*page.panels} & {*made.misfits})))
    hints = [say("book.cropped", numbers=cropped)] * bool(cropped) + [*map(say, (*page.warnings, *made.unreadable))]
    return at, (
        f'<figure class="page"><img src="{html.data_uri(page.image)}" alt="{escape(t("book.panels"))} {numbers}" '
        f'width="{page.image.width}" height="{page.image.height}"></figure>'
        f'<div class="turn">{turn(at - 1, "book.before", "‹")}<span role="status">{at} / {count}</span>'
        f"{turn(at + 1, 'book.after', '›')}</div>" + "".join(f'<p class="hint">{escape(hint)}</p>' for hint in hints)
    )


def save(made: Pages, kind: str, item: Shown) -> tuple[Path, tuple[str, ...]]:
    """Write all pages, one of which shows `item`, to a file to take home: `kind` is one of `KINDS`; more than one PNG
    page go into a ZIP. Also returns what did not fit. Raises what `anystory.pages.export.write` raises."""
    end = "-pages.zip" if kind == "png" and len(made) > 1 else f".{kind}" if kind != "png" else "-page.png"
    target = place(item.job, end)
    return target, write(made, target)


def save_script(script: Script, kind: str, shown: Mapping[int, Shown], item: Shown) -> Path:
    """Write a script to a file for another program: `kind` is one of `SCRIPTS`, Storyboarder's a ZIP with the frames
    that are `shown`, by the numbers of their panels. `item` is one of the story's."""
    job = replace(item.job, script=script)
    name = place(job, f".{kind}").name
    frames = {number: one.file.read_bytes() for number, one in shown.items()}
    files = exported(script, name, frames, item.frame.image.width / item.frame.image.height)
    target = place(job, "-storyboarder.zip" if kind == "storyboarder" else f".{kind}")
    write_atomic({target: zipped(files) if kind == "storyboarder" else files[name]})
    return target


TURN = """
element.addEventListener("click", (event) => {
  const button = event.target.closest("button[data-page]");
  if (button) trigger("click", {page: Number(button.dataset.page)});
});
"""
"""The buttons that turn over: a click event of the component with the page."""
