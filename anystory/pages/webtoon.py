"""A webtoon: the frames below each other on one long strip, cut into slices as the sites that show them ask for, and
never through a face or the words.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from PIL import Image

from anystory.errors import Message
from anystory.fonts import using
from anystory.pages.balloons import Lettered, Lettering, letter, proper_size
from anystory.pages.form import PageError
from anystory.pages.layout import Page, Pages, png_text
from anystory.story.model import Frame, Panel, RoutingMaps
from anystory.typeset import PAPER, fit, unwritable, write_block

WIDTH, HEIGHT = 800, 1280
"""Pixels of a slice at most, as Webtoon's Canvas and others take them."""
MAX_GUTTER = 600

Rows = tuple[int, int]


@dataclass(frozen=True)
class StripForm:
    """How a webtoon is made: the width of the strip and the greatest height of a slice, up to `WIDTH` x `HEIGHT`, the
    gap between frames, all in pixels, and the lettering. Raises PageError for what there is not."""

    width: int = WIDTH
    height: int = HEIGHT
    gutter: int = 120
    lettering: Lettering = field(default_factory=Lettering)

    def __post_init__(self) -> None:
        if not (160 <= self.width <= WIDTH and 160 <= self.height <= HEIGHT):
            raise PageError(
                Message(
                    "A slice of {size} pixels is not from 160x160 to {width}x{height}.",
                    size=f"{self.width}x{self.height}",
                    width=WIDTH,
                    height=HEIGHT,
                )
            )
        if not 0 <= self.gutter <= MAX_GUTTER:
            raise PageError(
                Message("A gap of {gutter} pixels is not from 0 to {most}.", gutter=self.gutter, most=MAX_GUTTER)
            )


@dataclass(frozen=True)
class _Piece:
    """A part of the strip: the panel it shows (0 = the title, or nothing), the picture, and the rows of it that no cut
    may go through, from the first to the one after the last."""

    number: int
    image: Image.Image
    whole: tuple[Rows, ...] = ()


def slices(pages: Pages, form: StripForm) -> Iterator[Page]:
    """The slices of the frames of `pages`, whose layout is of no account, one after the other."""
    shown: list[tuple[_Piece, int]] = []
    warnings: list[str] = []
    for piece, said in _pieces(pages, form):
        warnings += said
        begin = 0
        while begin < piece.image.height:
            used = sum(rows for _, rows in shown)
            cut = _cut(piece, begin, form.height - used, form.height)
            if cut == begin:  # nothing of it goes in here
                if any(piece.number or piece.whole for piece, _ in shown):  # and not a gap alone
                    yield _slice(shown, warnings, pages, form)
                    warnings = []
                shown = []
                continue
            part = piece.image.crop((0, begin, piece.image.width, cut))
            shown.append((replace(piece, image=part), cut - begin))
            begin = cut
    if any(piece.number or piece.whole for piece, _ in shown):
        yield _slice(shown, warnings, pages, form)


def _pieces(pages: Pages, form: StripForm) -> Iterator[tuple[_Piece, list[str]]]:
    """The title, the frames and the gaps between them, each with what did not fit."""
    script, gap = pages.script, _Piece(0, Image.new("RGB", (form.width, max(form.gutter, 1)), PAPER))
    if script.title:
        with using(form.lettering.font):
            title = _title(script.title, form)
        yield title
    for place, number in enumerate(pages.numbers):
        if place and form.gutter:
            yield gap, []
        frame, panel = pages.project.frame(number), script.panels[number - 1]
        made, piece = _framed(frame, panel, number, form.width / frame.image.width, form)
        if not _divisible(piece, form.height):  # then it is so small that it need not be cut
            scale = min(form.width / frame.image.width, form.height / frame.image.height)
            made, piece = _framed(frame, panel, number, scale, form)
            piece = _Piece(number, _centred(_within(piece.image, form.height), form.width))
        yield piece, [Message("Panel {number}: {warning}", number=number, warning=said) for said in made.warnings]


def _framed(frame: Frame, panel: Panel, number: int, scale: float, form: StripForm) -> tuple[Lettered, _Piece]:
    """A frame at a scale, lettered, in the middle of the strip."""
    size = max(1, round(frame.image.width * scale)), max(1, round(frame.image.height * scale))
    made = letter(frame.image.resize(size, Image.Resampling.LANCZOS), panel, frame.maps, form.lettering)
    return made, _Piece(number, _centred(made.image, form.width), _whole(frame.maps, size, made.boxes))


def _within(image: Image.Image, height: int) -> Image.Image:
    """The picture, made smaller where it is higher than that."""
    if image.height <= height:
        return image
    return image.resize((max(1, round(image.width * height / image.height)), height), Image.Resampling.LANCZOS)


def _title(title: str, form: StripForm) -> tuple[_Piece, list[str]]:
    margin, em = form.width // 16, form.width // 14
    block = fit(title, form.width - 2 * margin, form.height / 3, em)
    image = Image.new("RGB", (form.width, round(block.height) + 2 * margin), PAPER)
    write_block(image, block, (margin, margin, form.width - margin, image.height - margin), "middle")
    said: list[str] = [Message("The title is too long for its place and was cut; shorten it.")] * block.cut
    lacking = unwritable(title)
    said += [Message("Title: {warning}", warning=lacking)] if lacking else []
    return _Piece(0, image, ((0, image.height),)), said


def _centred(image: Image.Image, width: int) -> Image.Image:
    if image.width == width:
        return image
    wide = Image.new("RGB", (width, image.height), PAPER)
    wide.paste(image, ((width - image.width) // 2, 0))
    return wide


def _whole(maps: RoutingMaps, size: tuple[int, int], boxes: Sequence[tuple[float, ...]]) -> tuple[Rows, ...]:
    """The rows that no cut may go through: those of heads, which are the upper third of each figure, and of words."""
    rows, edge = 128, proper_size(size)  # of a balloon, beyond its words
    found = [(round(top) - edge, round(bottom) + edge) for _, top, _, bottom in boxes]
    for body in maps.located((rows, rows)):
        seen = np.flatnonzero(body.any(axis=1))
        if len(seen):
            head = max(1, round((seen[-1] - seen[0] + 1) / 3)) + 1
            first, last = seen[0] * size[1] / rows, (seen[0] + head) * size[1] / rows
            found.append((int(first), min(round(last) + 1, size[1])))
    return tuple(found)


def _divisible(piece: _Piece, height: int) -> bool:
    """Whether a piece can be cut into slices of `height`, each beginning with a new one."""
    begin = 0
    while begin < piece.image.height:
        cut = _cut(piece, begin, height, height)
        if cut == begin:
            return False
        begin = cut
    return True


def _cut(piece: _Piece, begin: int, room: int, height: int) -> int:
    """Up to which row a piece goes into `room` rows of a slice of `height`, from row `begin` on; `begin` for nothing.
    What goes into one slice is not cut, but for the gap between frames; what does not begins a new one."""
    left = piece.image.height - begin
    if left <= room:
        return piece.image.height
    if not piece.number and not piece.whole:
        return begin + room
    if left <= height or (begin == 0 and room < height):
        return begin
    return _last(piece, begin, begin + room)


def _last(piece: _Piece, begin: int, end: int) -> int:
    """The last row up to `end` that no cut is forbidden at."""
    while end > begin:
        over = [first for first, last in piece.whole if first < end < last]
        if not over:
            return end
        end = min(over)
    return begin


def _slice(shown: Sequence[tuple[_Piece, int]], warnings: Sequence[str], pages: Pages, form: StripForm) -> Page:
    """One slice; a gap at its beginning or end stays, as the slices are shown below each other."""
    image = Image.new("RGB", (form.width, sum(rows for _, rows in shown)), PAPER)
    y = 0
    for piece, rows in shown:
        image.paste(piece.image, (0, y))
        y += rows
    numbers = tuple(dict.fromkeys(piece.number for piece, _ in shown if piece.number))
    text = png_text(pages.project.folder / pages.project.entries[(numbers or pages.numbers)[0]].image)
    return Page(image, numbers, tuple(warnings), text=text)
