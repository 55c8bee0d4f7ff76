"""Pages: the finished frames laid out and lettered, one page to look at, and the whole to save as a file."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from html import escape
from pathlib import Path
from typing import Any

import gradio as gr
from PIL import Image, ImageDraw

from anystory.errors import Message
from anystory.fonts import KINDS as FONTS
from anystory.fonts import FontError
from anystory.pages.archive import zipped
from anystory.pages.balloons import CAPTIONS, DIALOGUES, DIRECTIONS, Lettering, LetteringError
from anystory.pages.export import coarse, write
from anystory.pages.form import MAX_DPI, MAX_GUTTER, MIN_DPI, Format, PageError
from anystory.pages.layout import Page, Pages
from anystory.pages.paper import PAPERS, PaperError, paper
from anystory.project.folder import Project, ProjectError, write_atomic
from anystory.render.film import FilmError
from anystory.render.layers import LayerError
from anystory.render.print import printer
from anystory.script.exports.files import exported
from anystory.story.layouts import FIT, LAYOUTS, PAGES
from anystory.story.model import Panel, Script
from ui import html
from ui.studio import Shown, place
from ui.words import t, words

PREVIEW = 110
"""Dots per inch of the page to look at."""

ERRORS = (PageError, ProjectError, LetteringError, PaperError, FontError, FilmError, LayerError)
"""What is told as a sentence."""

WAYS = {"box": "book.box", "balloons": "book.balloons", "below": "book.below", "none": "book.none"}
KINDS = ("png", "pdf", "cbz", "epub")
OTHERS = ("storyboard", "webtoon", "ora")
"""What the story is saved as besides its pages and its film."""
SEEN = ("pages", "storyboard", "webtoon", "film")
"""What can be looked at before it is saved."""
SCRIPTS = ("fountain", "csv", "storyboarder")
"""What the script is saved as for other programs."""


@dataclass(frozen=True)
class Book:
    """The widgets of the pages. `show` is what is looked at, of `SEEN`, and `at` which page of it, from 1; `said`
    changes with the words on them, `saves` are the buttons by file type, but for that of the `film`, and `filmed` says
    how far that is."""

    layout: gr.Dropdown
    page: gr.Dropdown
    gutter: gr.Slider
    captions: gr.Dropdown
    dialogue: gr.Dropdown
    paper: gr.Dropdown
    bleed: gr.Textbox
    cover: gr.Textbox
    author: gr.Textbox
    direction: gr.Dropdown
    font: gr.File
    dpi: gr.Slider
    upscale: gr.Checkbox
    show: gr.Dropdown
    at: gr.State
    said: gr.Textbox
    preview: gr.HTML
    fit: gr.Button
    film: gr.Button
    filmed: gr.HTML
    saves: dict[str, gr.Button]

    @property
    def settings(self) -> list[Any]:
        """What `form` takes, in its order."""
        laid = [self.layout, self.page, self.gutter, self.captions, self.dialogue]
        bound = [self.paper, self.bleed, self.cover, self.author, self.direction, self.font, self.dpi, self.upscale]
        return [*laid, *bound]


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
            with gr.Accordion(t("book.export"), open=False, elem_id="export"):
                with gr.Row():
                    papers = [(t("book.screen"), ""), *((name, name) for name in PAPERS)]
                    paper = gr.Dropdown(
                        papers, value="", label=t("book.paper"), allow_custom_value=True, min_width=140, elem_id="paper"
                    )
                    bleed = gr.Textbox(label=t("book.bleed"), max_lines=1, max_length=20, min_width=140)
                with gr.Row():
                    cover = gr.Textbox(
                        label=t("book.cover"), max_lines=1, max_length=20, min_width=140, elem_id="cover"
                    )
                    author = gr.Textbox(label=t("book.author"), max_lines=1, max_length=200, min_width=140)
                with gr.Row():
                    ways = [(t(f"book.direction.{way or 'own'}"), way) for way in DIRECTIONS]
                    direction = gr.Dropdown(ways, value="", label=t("book.direction"), min_width=140)
                    dpi = gr.Slider(MIN_DPI, MAX_DPI, value=Format.dpi, step=1, label=t("book.dpi"), min_width=140)
                upscale = gr.Checkbox(label=t("book.upscale"), info=t("book.upscale-info"), elem_id="upscale")
                font = gr.File(label=t("book.font"), file_types=list(FONTS), height=110, elem_id="font")
            with gr.Row(elem_classes="takeaway"):
                saves = {
                    kind: gr.Button(t(f"book.save.{kind}"), size="md", min_width=80, elem_id=f"save-{kind}")
                    for kind in KINDS
                }
            gr.HTML(f'<p class="hint">{t("book.others")}</p>')
            with gr.Row(elem_classes="takeaway"):
                saves |= {
                    kind: gr.Button(t(f"book.save.{kind}"), size="md", min_width=80, elem_id=f"save-{kind}")
                    for kind in OTHERS
                }
                film = gr.Button(t("book.save.film"), size="md", min_width=80, elem_id="save-film")
            filmed = gr.HTML(elem_id="filmed")
            gr.HTML(f'<p class="hint">{t("book.scripts")}</p>')
            with gr.Row(elem_classes="takeaway"):
                saves |= {
                    kind: gr.Button(t(f"book.save.{kind}"), size="md", min_width=80, elem_id=f"save-{kind}")
                    for kind in SCRIPTS
                }
        with gr.Column(scale=7, min_width=280):
            seen = [(t(f"book.show.{kind}"), kind) for kind in SEEN]
            show = gr.Dropdown(seen, value=SEEN[0], label=t("book.show"), elem_id="book-show")
            preview = gr.HTML(empty(), js_on_load=TURN, elem_id="pages")
    at, words = gr.State(1), gr.Textbox(visible="hidden")
    laid = layout, page, gutter, captions, dialogue, paper, bleed, cover, author, direction, font, dpi, upscale
    return Book(*laid, show, at, words, preview, fit, film, filmed, saves)


def said(shown: Sequence[Shown], script: Script | None) -> str:
    """A digest of the words on the pages of `shown`, "" without any."""
    told = shown[0].job.with_words(script) if shown else None
    words = told and (told.title, [(panel.caption, panel.dialogue) for panel in told.panels])
    return hashlib.sha256(repr(words).encode()).hexdigest()[:16] if words else ""


def empty() -> str:
    """What stands there while there is no page."""
    return f'<p class="no-pages">{t("book.empty")}</p>'


def form(
    layout: str,
    page: str,
    gutter: float,
    captions: str,
    dialogue: str,
    trim: str | None = "",
    bleed: str | None = "",
    cover: str | None = "",
    author: str | None = "",
    direction: str | None = "",
    font: str | None = None,
    dpi: float = Format.dpi,
    upscale: bool = False,
) -> Format:
    """The settings as a format, those of `bleed` and `cover` as they are typed, empty for none; on paper, the page has
    its size. Raises what is in `ERRORS`."""
    trim, bleed, cover, author = (" ".join((typed or "").split()) for typed in (trim, bleed, cover, author))
    lettering = Lettering(captions, dialogue, direction or "", font or "")
    try:
        inches = float(bleed.replace(",", ".")) if bleed else None
    except ValueError as error:
        said = Message("A bleed of {bleed} is no number of inches; write one such as 0.125.", bleed=repr(bleed))
        raise PaperError(said) from error
    if cover and not cover.isdecimal():
        raise PageError(Message("{cover} is no panel for the cover; write its number, or nothing.", cover=repr(cover)))
    on = paper(trim, inches) if trim else None
    panel = int(cover or 0)
    larger = bool(upscale and on)
    return Format(layout, "" if on else page, int(dpi), float(gutter), lettering, on, panel, author, larger)


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
    painter = printer(project) if how.paper else None
    return Pages(project, how, replace(said, panels=tuple(panels)), there, painter)


def preview(
    made: Pages,
    at: int,
    say: Callable[..., str] = words(None),
    saved: Format | None = None,
    coming: Collection[int] = (),
) -> tuple[int, str]:
    """Page `at`, or the last one, as HTML with buttons to turn over, and its number. What is cut off is pale; the pages
    are `saved` in a format that frames may have too few dots for; the frames of the panels `coming` are being made
    anew."""
    count = len(made)
    at = min(max(at, 1), count)
    page = made[at - 1]
    numbers = ", ".join(map(str, page.panels))
    few = coarse(page.real, page.enlarged, saved) if saved and not made.painted else ()
    cropped = ", ".join(map(str, sorted({*page.panels} & {*made.misfits} - {*coming})))
    hints = [say("book.cropped", numbers=cropped)] * bool(cropped) + [*map(say, (*page.warnings, *few, *made.findings))]
    return at, figure(html.data_uri(_cut(page)), page.picture.size, numbers, at, count, hints)


def figure(source: str, size: tuple[int, int], numbers: str, at: int, count: int, hints: Sequence[str]) -> str:
    """A picture to look at, of the panels of these `numbers`, number `at` of `count`, with buttons to turn over."""

    def turn(to: int, key: str, sign: str) -> str:
        off = "" if 1 <= to <= count else " disabled"
        label = escape(t(key))
        return f'<button data-page="{to}" title="{label}" aria-label="{label}"{off}>{sign}</button>'

    return (
        f'<figure class="page"><img src="{source}" alt="{escape(t("book.panels"))} {numbers}" '
        f'width="{size[0]}" height="{size[1]}"></figure>'
        f'<div class="turn">{turn(at - 1, "book.before", "‹")}<span role="status">{at} / {count}</span>'
        f"{turn(at + 1, 'book.after', '›')}</div>" + "".join(f'<p class="hint">{escape(hint)}</p>' for hint in hints)
    )


def _cut(page: Page) -> Image.Image:
    """A page to look at, on paper with a line where it is cut and what is cut off pale."""
    if page.trim is None:
        return page.image
    scale = page.picture.width / page.points[0]
    left, top, right, bottom = (round(edge * scale) for edge in page.trim)
    seen = Image.blend(page.image, Image.new("RGB", page.picture.size, "white"), 0.6)
    seen.paste(page.image.crop((left, top, right, bottom)), (left, top))
    ImageDraw.Draw(seen).rectangle((left, top, right - 1, bottom - 1), outline="#d0342c")
    return seen


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
    files = exported(script, name, frames, item.still.size.width / item.still.size.height)
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
