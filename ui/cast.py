"""The cast: pictures come in, are cut out at once, and get a name and a few words."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import gradio as gr
from PIL import Image

from anystory.images import ImageError, open_image
from anystory.project import cutout
from anystory.segment import Segmenter, SegmentError
from anystory.story import Subject
from ui import html

MAX_CAST = 6
MAX_NAME = 40


@dataclass(frozen=True)
class Actor:
    """A character of the cast: the picture as it came and its cut-out, under a name made from the file's."""

    upload: Image.Image
    subject: Subject


@dataclass(frozen=True)
class CastWidgets:
    """The cast's widgets: a fixed pool of rows, of which as many show as there are actors. What stands in the
    text boxes is the truth for names and descriptions; `actors` holds only the pictures."""

    actors: gr.State
    upload: gr.File
    notice: gr.HTML
    rows: list[gr.Row]
    pictures: list[gr.HTML]
    names: list[gr.Textbox]
    descriptions: list[gr.Textbox]
    removes: list[gr.Button]

    @property
    def texts(self) -> list[gr.Textbox]:
        return [*self.names, *self.descriptions]

    @property
    def outputs(self) -> list[Any]:
        """What `show` fills, in its order."""
        return [self.actors, *self.rows, *self.pictures, *self.names, *self.descriptions]


def create() -> CastWidgets:
    """Lay out the rows and the place to drop pictures."""
    rows, pictures, names, descriptions, removes = [], [], [], [], []
    with gr.Column(elem_id="actors"):
        for number in range(1, MAX_CAST + 1):
            with gr.Row(visible=False, elem_classes="actor", elem_id=f"actor-{number}") as row:
                pictures.append(gr.HTML(elem_classes="pair"))
                with gr.Column(elem_classes="fields", scale=1):
                    names.append(_line("Name", "Name", MAX_NAME, "name"))
                    descriptions.append(_line("Description", "a few words: a brown teddy bear", 200, "words"))
                removes.append(gr.Button("Remove", elem_classes="remove", size="sm"))
            rows.append(row)
        upload = gr.File(file_count="multiple", file_types=["image"], show_label=False, height=96, elem_id="drop")
    notice = gr.HTML(elem_id="cast-notice")
    return CastWidgets(gr.State(()), upload, notice, rows, pictures, names, descriptions, removes)


def _line(label: str, placeholder: str, length: int, kind: str) -> gr.Textbox:
    return gr.Textbox(
        "",
        label=label,
        show_label=False,
        placeholder=placeholder,
        max_lines=1,
        max_length=length,
        min_width=0,
        elem_classes=kind,
    )


def name_from_file(path: str | Path, taken: Sequence[str]) -> str:
    """A name for a character from its file's: letters and digits, unlike those `taken`."""
    words = re.sub(r"[\W_]+", " ", Path(path).stem).strip()[:MAX_NAME].strip()
    name = words[:1].upper() + words[1:] if words else "Character"
    used = {other.casefold() for other in taken}
    number, candidate = 2, name
    while candidate.casefold() in used:
        candidate, number = f"{name} {number}", number + 1
    return candidate


def add(
    actors: tuple[Actor, ...], paths: Sequence[str | Path], names: Sequence[str], segmenter: Segmenter
) -> tuple[tuple[Actor, ...], list[str]]:
    """The cast with the pictures at `paths` cut out and added, and a sentence for each that was refused.

    `names` are those in use, one an actor.
    """
    taken, refused = list(names), []
    for path in paths:
        if len(actors) >= MAX_CAST:
            refused.append(f"{Path(path).name} was left out: a cast has room for {MAX_CAST}; remove one first.")
            continue
        try:
            upload = open_image(path)
            subject = segmenter.subject(name_from_file(path, taken), upload)
        except (ImageError, SegmentError) as error:
            refused.append(str(error))
            continue
        actors = (*actors, Actor(upload, subject))
        taken.append(subject.name)
    return actors, refused


def split(texts: Sequence[str]) -> tuple[Sequence[str], Sequence[str]]:
    """What stands in `CastWidgets.texts`, as names and descriptions."""
    return texts[:MAX_CAST], texts[MAX_CAST:]


def without(values: Sequence[Any], index: int) -> tuple[Any, ...]:
    """`values` less the one at `index`."""
    return (*values[:index], *values[index + 1 :])


def subjects(actors: Sequence[Actor], names: Sequence[str], descriptions: Sequence[str]) -> tuple[Subject, ...]:
    """The actors as a story takes them, called what the text boxes say; an empty name box keeps the file's name."""
    return tuple(
        replace(
            actor.subject,
            name=unicodedata.normalize("NFC", name).strip() or actor.subject.name,
            description=description.strip(),
        )
        for actor, name, description in zip(actors, names, descriptions, strict=False)
    )


def show(actors: Sequence[Actor], names: Sequence[str], descriptions: Sequence[str], first: int = 0) -> list[Any]:
    """The values of `CastWidgets.outputs` that make the rows show `actors`, with names and descriptions (one an
    actor or more). Rows before `first` keep their pictures and texts, in which somebody may be typing."""
    rows = [gr.Row(visible=k < len(actors)) for k in range(MAX_CAST)]
    drawn = [html.pictures(actor.upload, cutout(actor.subject), k) for k, actor in enumerate(actors) if k >= first]

    def filled(new: Sequence[str]) -> list[Any]:
        new = new[: len(actors) - first]
        return [*[gr.skip()] * first, *new, *[""] * (MAX_CAST - first - len(new))]

    return [tuple(actors), *rows, *filled(drawn), *filled(names[first:]), *filled(descriptions[first:])]
