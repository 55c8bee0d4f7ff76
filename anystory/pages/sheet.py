"""The sheets of a book: what goes on which page, and where on a page it goes. Standard library only."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from anystory.pages.form import Format
from anystory.pages.paper import INCH
from anystory.story.layouts import FIT, PAGES, PageLayout
from anystory.story.model import Script
from anystory.typeset import LEADING, Box, paragraphs

MARGIN = 10.0
"""Millimetres around the cells of a page."""
FOOT = 8.0
"""Millimetres below the cells of a page that is cut, for its number."""
TITLE = 7.0
"""Millimetres the em of a page's title has at most."""
MAX_TITLE = 3
"""Lines of a title there is room for."""
CELL = 90.0
"""Millimetres a cell of weight 1 is wide and high on a page of the size `FIT`."""
POINTS = 72.0
"""An inch has so many."""
WORDS = 0.24
"""The part of a page that is for the words below its picture."""


@dataclass(frozen=True)
class Leaf:
    """What is on a page: its `kind` is "cells", "words" (of a picture on the next page), "cover", "title", "back" or
    "blank". `number` is what stands on a page of cells; `headed` ones have the title."""

    kind: str
    panels: tuple[int, ...] = ()
    number: int = 0
    headed: bool = False


def bound(form: Format, sheets: Sequence[Sequence[int]], title: str) -> list[Leaf]:
    """The pages of a book. In a layout of facing pages the words are on even pages, which lie at the left of an open
    book, or at the right of one that is read from right to left."""
    made: list[Leaf] = []
    if form.cover:
        made.append(Leaf("cover", (form.cover,)))
    elif form.shape.bleeds and (title or form.author):
        made.append(Leaf("title"))
    elif form.layout == "facing":
        made.append(Leaf("blank"))
    for number, panels in enumerate(sheets, 1):
        if form.layout == "facing":
            made.append(Leaf("words", tuple(panels)))
        headed = number == 1 and not form.cover and bool(title)
        made.append(Leaf("cells", tuple(panels), number, headed))
    if form.cover:
        made += [Leaf("blank")] * (bool(form.paper) and len(made) % 2 == 0)
        made.append(Leaf("back", (sheets[-1][-1],)))
    return made


def portions(numbers: Sequence[int], room: int) -> list[list[int]]:
    """The numbers of each page's panels, at most `room`. The last two pages share theirs where one would be left
    alone."""
    sheets = [list(numbers[k : k + room]) for k in range(0, len(numbers), room)]
    if room > 1 and len(sheets) > 1 and len(sheets[-1]) == 1:
        last = sheets[-2] + sheets[-1]
        half = math.ceil(len(last) / 2)
        sheets[-2:] = last[:half], last[half:]
    return sheets


@dataclass(frozen=True)
class Blank:
    """A page without anything on it, in pixels, of which there are `dots` a millimetre: the box that is left when it is
    cut, that of what must not be lost, and the one that cells are in; `foot` is the middle of its number, from the top.
    `points` is its size in points, `cut` the box of
    these that is left; None where nothing is cut off."""

    width: int
    height: int
    trim: tuple[int, int, int, int]
    safe: tuple[int, int, int, int]
    area: tuple[int, int, int, int]
    foot: int
    dots: float
    bleeds: bool
    points: tuple[float, float]
    cut: Box | None = None

    @property
    def _side(self) -> float:
        """The shorter side of the page that is left, in millimetres."""
        return min(self.trim[2] - self.trim[0], self.trim[3] - self.trim[1]) / self.dots

    @property
    def em(self) -> int:
        """The em of what is lettered into pictures."""
        return max(round(max(2.9, 0.022 * self._side if self.bleeds else 0) * self.dots), 10)

    @property
    def text(self) -> int:
        """The em of the words of a page that is read aloud."""
        return max(round(0.042 * self._side * self.dots), 10)

    @property
    def title(self) -> int:
        """The em of the title on a cover."""
        return max(round(0.075 * self._side * self.dots), 10)

    def picture_height(self, below: bool) -> int:
        """Pixels that a picture which fills the page is high, with words `below` it or without."""
        return self.trim[3] - round(WORDS * (self.trim[3] - self.trim[1])) if below else self.height


def sheet_for(script: Script, form: Format, leaf: Leaf, count: int, total: int, backwards: bool) -> Blank:
    """Page `count` (from 1) of `total`."""
    dots, paper = form.dpi / INCH, form.paper
    rows = min(len(paragraphs(script.title)), MAX_TITLE)
    head = 2 * TITLE + (rows - 1) * LEADING * TITLE if leaf.headed and not form.shape.bleeds else 0.0
    if paper is None:
        width, height = _millimetres(form, shape_of(form, leaf))
        wide, high = round(width * dots), round((height + head * (_page_size(form) == FIT)) * dots)
        margin = round(MARGIN * dots)
        trim, safe = (0, 0, wide, high), (margin, margin, wide - margin, high - margin)
        area = margin, margin + round(head * dots), wide - margin, high - margin
        points = wide * POINTS / form.dpi, high * POINTS / form.dpi
        return Blank(wide, high, trim, safe, area, high - margin // 2, dots, form.shape.bleeds, points)
    spine_left = (count % 2 == 1) != backwards
    bleeds = [paper.bleed] * 4
    if not paper.spined:
        bleeds[0 if spine_left else 2] = 0.0
    size = bleeds[0] + paper.width + bleeds[2], bleeds[1] + paper.height + bleeds[3]
    wide, high = (round(side * dots) for side in size)

    def inset(outside: float, inside: float, above: float = 0, below: float = 0) -> tuple[int, int, int, int]:
        left, right = (inside, outside) if spine_left else (outside, inside)
        edges = bleeds[0] + left, bleeds[1] + outside + above, bleeds[2] + right, bleeds[3] + outside + below
        pixels = [round(edge * dots) for edge in edges]
        return pixels[0], pixels[1], wide - pixels[2], high - pixels[3]

    inside = paper.spine(total)
    outside = max(MARGIN, paper.safe)
    area = inset(outside, max(MARGIN, inside), head, paper.safe + FOOT - outside)
    scale = POINTS / INCH
    across, down = size
    left, top = bleeds[0] * scale, bleeds[1] * scale
    cut = left, top, left + paper.width * scale, top + paper.height * scale
    safe, points = inset(paper.safe, inside), (across * scale, down * scale)
    foot = safe[3] - round(FOOT / 2 * dots)
    return Blank(wide, high, inset(0, 0), safe, area, foot, dots, form.shape.bleeds, points, cut)


def shape_of(form: Format, leaf: Leaf) -> PageLayout:
    """The arrangement of a page's cells."""
    return form.shape.holding(len(leaf.panels)) if leaf.kind == "cells" else form.shape


def _page_size(form: Format) -> str:
    return form.page or form.shape.page


def _millimetres(form: Format, layout: PageLayout) -> tuple[float, float]:
    """Width and height of the page of a `layout`."""
    if _page_size(form) != FIT:
        return PAGES[_page_size(form)]
    across = max(len(row.widths) for row in layout.rows)
    width = across * CELL + (across - 1) * form.gutter
    height = sum(row.height for row in layout.rows) * CELL + (len(layout.rows) - 1) * form.gutter
    return width + 2 * MARGIN, height + 2 * MARGIN


def cell_boxes(
    layout: PageLayout, area: tuple[int, int, int, int], gap: float, backwards: bool = False
) -> Iterator[tuple[int, int, int, int]]:
    """The cells' boxes in pixels, in reading order; `backwards` the rows run from right to left."""
    left, top, right, bottom = area
    free = bottom - top - gap * (len(layout.rows) - 1)
    y = float(top)
    for row in layout.rows:
        high = free * row.height / sum(other.height for other in layout.rows)
        x, room = float(left), right - left - gap * (len(row.widths) - 1)
        for weight in row.widths:
            wide = room * weight / sum(row.widths)
            start, end = (left + right - x - wide, left + right - x) if backwards else (x, x + wide)
            yield round(start), round(y), round(end), round(y + high)
            x += wide + gap
        y += high + gap
