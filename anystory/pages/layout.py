"""A story's frames laid out on pages and lettered, each page when it is asked for.

A page is a few rows of cells. A frame fills its cell; what does not go in is cropped where the routing maps say that
nobody is. numpy and PIL only.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from anystory.errors import AnyStoryError, Message
from anystory.pages.balloons import Lettered, Lettering, into, letter, strip
from anystory.project.folder import Project, left_out, png
from anystory.story.layouts import FIT, LAYOUTS, PAGES, PageLayout
from anystory.story.model import Frame, Panel, RoutingMaps, Script
from anystory.typeset import INK, LEADING, PAPER, fit, paragraphs, unwritable, write_block, write_line

MIN_DPI, MAX_DPI = 72, 300
MAX_GUTTER = 20
MIN_FRAME = 768
"""Pixels a lettered frame that is no page has on a side at least: small frames are enlarged to it."""
MAX_FRAME = 4096
"""And to this on the longer side at most: a ribbon would grow beyond what memory holds."""

MARGIN = 10.0
MARK = "page"
"""The PNG text that tells a page from a frame: the numbers of its panels."""
TITLE = 7.0
"""Millimetres the em of a page's title has at most."""
MAX_TITLE = 3
"""Lines of a title there is room for."""
CELL = 90.0
"""Millimetres a cell of weight 1 is wide and high on a page of the size `FIT`."""


class PageError(AnyStoryError, ValueError):
    """Pages cannot be made as asked. The message is one sentence for the user."""


@dataclass(frozen=True)
class Format:
    """How pages are made: a layout, a page size (`PAGES` or `FIT`, "" = the layout's own), dots per inch, the gap
    between cells in millimetres and the lettering. Raises PageError for what there is not."""

    layout: str = "2x2"
    page: str = ""
    dpi: int = 150
    gutter: float = 4.0
    lettering: Lettering = field(default_factory=Lettering)

    def __post_init__(self) -> None:
        if self.layout not in LAYOUTS:
            raise PageError(
                Message(
                    "There is no layout {layout}; the layouts are {layouts}.",
                    layout=repr(self.layout),
                    layouts=", ".join(LAYOUTS),
                )
            )
        if self.page not in ("", FIT, *PAGES):
            raise PageError(
                Message(
                    "There is no page size {page}; the sizes are {sizes}.",
                    page=repr(self.page),
                    sizes=", ".join((*PAGES, FIT)),
                )
            )
        if not MIN_DPI <= self.dpi <= MAX_DPI:
            raise PageError(
                Message(
                    "{dpi} dots per inch are not between {min_dpi} and {max_dpi}.",
                    dpi=self.dpi,
                    min_dpi=MIN_DPI,
                    max_dpi=MAX_DPI,
                )
            )
        if not 0 <= self.gutter <= MAX_GUTTER:
            raise PageError(
                Message(
                    "A gutter of {gutter} mm is not between 0 and {max_gutter} mm.",
                    gutter=self.gutter,
                    max_gutter=MAX_GUTTER,
                )
            )


@dataclass(frozen=True)
class Page:
    """A finished page, RGB, with the numbers of its panels and a sentence for whatever did not fit. `text` is what its
    first frame tells of the story: a page that is dropped in brings it back too (`anystory.project.imprint`)."""

    image: Image.Image
    panels: tuple[int, ...]
    warnings: tuple[str, ...] = ()
    text: Mapping[str, str] = field(default_factory=dict)

    @property
    def png(self) -> bytes:
        """The page as a PNG file, which says that it is a page."""
        return png(self.image, {**self.text, MARK: ", ".join(map(str, self.panels))})


class Pages(Sequence[Page]):
    """The pages of a rendered story, each made when it is asked for.

    `script` has other words than those it was rendered with (captions, dialogue, title), with as many panels; `only`
    are the panels to take, by number. Panels without a frame are left out; `unreadable` has a sentence on each frame
    that cannot be read. Raises PageError where there is no frame at all, ProjectError for a folder that holds no story.
    """

    def __init__(
        self, project: Project, form: Format, script: Script | None = None, only: Collection[int] | None = None
    ) -> None:
        self.project, self.form = project, form
        self.script = script or project.story().script
        panels = range(1, len(self.script.panels) + 1)
        self._lost, there = project.unreadable(), project.entries
        asked = [n for n in panels if only is None or n in only]
        self.numbers = [n for n in asked if n in there and n not in self._lost]
        self.unreadable = tuple(left_out(error) for n, error in self._lost.items() if n in asked)
        if not self.numbers and self.unreadable:
            raise PageError(" ".join(self.unreadable))
        if not self.numbers:
            raise PageError(Message("{folder} holds no frames; render the story first.", folder=project.folder))

    @cached_property
    def _sheets(self) -> list[list[int]]:
        return _sheets(self.numbers, LAYOUTS[self.form.layout].panels)

    def __len__(self) -> int:
        return len(self._sheets)

    def __getitem__(self, index: int) -> Page:  # type: ignore[override]  # one at a time: each is made anew
        if not 0 <= index < len(self):
            raise IndexError(index)
        some = {number: self.project.frame(number) for number in self._sheets[index]}
        if self.form.layout == "frames":
            page = _alone(self.script, some, self.form)
        else:
            page = _page(self.script, some, self.form, index + 1)
        return replace(page, text=png_text(self.project.folder / self.project.entries[page.panels[0]].image))

    @property
    def missing(self) -> tuple[int, ...]:
        """The numbers of the panels that are left out."""
        without = {*self.numbers, *self._lost}
        return tuple(n for n in range(1, len(self.script.panels) + 1) if n not in without)


def _sheets(numbers: Sequence[int], room: int) -> list[list[int]]:
    """The numbers of each page's panels, at most `room`. The last two pages share theirs where one would be left
    alone."""
    sheets = [list(numbers[k : k + room]) for k in range(0, len(numbers), room)]
    if room > 1 and len(sheets) > 1 and len(sheets[-1]) == 1:
        last = sheets[-2] + sheets[-1]
        half = math.ceil(len(last) / 2)
        sheets[-2:] = last[:half], last[half:]
    return sheets


def png_text(frame: Path) -> dict[str, str]:
    """The PNG text of a frame's file."""
    with Image.open(frame, formats=["PNG"]) as picture:
        return {str(key): value for key, value in picture.info.items() if isinstance(value, str)}


def _alone(script: Script, frames: dict[int, Frame], form: Format) -> Page:
    """A frame lettered, with nothing around it."""
    ((number, frame),) = frames.items()
    made = lettered(frame.image, script.panels[number - 1], frame.maps, form.lettering)
    return Page(made.image, (number,), _numbered(number, made.warnings))


def lettered(image: Image.Image, panel: Panel, maps: RoutingMaps, how: Lettering) -> Lettered:
    """A frame lettered by itself; one that is small is enlarged first, so that letters are clear."""
    scale = max(1.0, min(MIN_FRAME / min(image.size), MAX_FRAME / max(image.size)))
    if scale > 1:
        image = image.resize((round(image.width * scale), round(image.height * scale)), Image.Resampling.LANCZOS)
    return letter(image, panel, maps, how)


def picture_shape(script: Script, number: int, form: Format) -> float | None:
    """Width to height of the picture of panel `number` (from 1) in its cell, if every panel of the script has a frame:
    what of a frame of that shape is seen is all of it. None for a layout without cells."""
    layout = LAYOUTS[form.layout]
    if form.layout == "frames":
        return None
    sheets = _sheets(range(1, len(script.panels) + 1), layout.panels)
    page, place = next((page, some.index(number)) for page, some in enumerate(sheets) if number in some)
    sheet = _sheet(script, form, page + 1)
    left, top, right, bottom = list(_cells(layout, sheet.area, form.gutter * sheet.dots))[place]
    width, height = right - left, bottom - top
    below = _below(script.panels[number - 1], width, height, form.lettering, sheet.em)
    return width / (height - (below.image.height if below else 0))


@dataclass(frozen=True)
class _Sheet:
    """A page without anything on it, in pixels, of which there are `dots` a millimetre: the box that the cells are in,
    and the em of what is lettered in them."""

    width: int
    height: int
    area: tuple[int, int, int, int]
    dots: float

    @property
    def em(self) -> int:
        return max(round(2.9 * self.dots), 10)


def _sheet(script: Script, form: Format, count: int) -> _Sheet:
    """Page `count` (from 1), the first of which has the title."""
    dots = form.dpi / 25.4
    title = script.title if count == 1 else ""
    width, height = _millimetres(form, LAYOUTS[form.layout])
    rows = min(len(paragraphs(title)), MAX_TITLE)
    head = 2 * TITLE + (rows - 1) * LEADING * TITLE if title else 0.0
    wide, high = round(width * dots), round((height + head * (_page_size(form) == FIT)) * dots)
    margin = round(MARGIN * dots)
    return _Sheet(wide, high, (margin, margin + round(head * dots), wide - margin, high - margin), dots)


def _page(script: Script, frames: dict[int, Frame], form: Format, count: int) -> Page:
    """One page: the title on the first, the cells, the page's number."""
    layout, sides = LAYOUTS[form.layout], _sheet(script, form, count)
    title = script.title if count == 1 else ""
    size, rows = round(TITLE * sides.dots), min(len(paragraphs(title)), MAX_TITLE)
    sheet, margin = Image.new("RGB", (sides.width, sides.height), PAPER), sides.area[0]
    warnings: list[str] = []
    if title:
        block = fit(title, sheet.width - 2 * margin, rows * LEADING * size, size)
        middle = margin + 0.8 * size + (rows - 1) * LEADING * size / 2
        write_block(sheet, block, (margin, middle - block.height / 2, sheet.width - margin, middle), "middle")
        if block.cut:
            warnings.append(Message("The title is too long for its place and was cut; shorten it."))
        if lacking := unwritable(title):
            warnings.append(Message("Title: {warning}", warning=lacking))
    cells = _cells(layout, sides.area, form.gutter * sides.dots)
    for (number, frame), box in zip(frames.items(), cells, strict=False):
        warnings += _numbered(number, _fill(sheet, box, script.panels[number - 1], frame, form.lettering, sides.em))
    write_line(sheet, str(count), max(round(2.6 * sides.dots), 8), (sheet.width / 2, sheet.height - margin / 2), "m")
    return Page(sheet, tuple(frames), tuple(warnings))


def _numbered(number: int, warnings: tuple[str, ...] | list[str]) -> tuple[str, ...]:
    return tuple(Message("Panel {number}: {warning}", number=number, warning=warning) for warning in warnings)


def _page_size(form: Format) -> str:
    return form.page or LAYOUTS[form.layout].page


def _millimetres(form: Format, layout: PageLayout) -> tuple[float, float]:
    """Width and height of the page."""
    if _page_size(form) != FIT:
        return PAGES[_page_size(form)]
    across = max(len(row.widths) for row in layout.rows)
    width = across * CELL + (across - 1) * form.gutter
    height = sum(row.height for row in layout.rows) * CELL + (len(layout.rows) - 1) * form.gutter
    return width + 2 * MARGIN, height + 2 * MARGIN


def _cells(layout: PageLayout, area: tuple[int, int, int, int], gap: float) -> Iterator[tuple[int, int, int, int]]:
    """The cells' boxes in pixels, in reading order."""
    left, top, right, bottom = area
    free = bottom - top - gap * (len(layout.rows) - 1)
    y = float(top)
    for row in layout.rows:
        high = free * row.height / sum(other.height for other in layout.rows)
        x, room = float(left), right - left - gap * (len(row.widths) - 1)
        for weight in row.widths:
            wide = room * weight / sum(row.widths)
            yield round(x), round(y), round(x + wide), round(y + high)
            x += wide + gap
        y += high + gap


def _fill(
    sheet: Image.Image, box: tuple[int, int, int, int], panel: Panel, frame: Frame, how: Lettering, em: int
) -> tuple[str, ...]:
    """Draw a panel into its cell; returns what did not fit."""
    left, top, right, bottom = box
    width, height = right - left, bottom - top
    below = _below(panel, width, height, how, em)
    em = _cell_em(em, width, height)
    warnings: tuple[str, ...] = ()
    if below:
        sheet.paste(below.image, (left, bottom - below.image.height))
        height -= below.image.height
        warnings = below.warnings
    image, maps = cover(frame, (width, height))
    inside = into(image, panel, maps, how, em)
    sheet.paste(inside.image, (left, top))
    edge = max(1, round(em / 11))
    ImageDraw.Draw(sheet).rectangle((left, top, right - 1, top + height - 1), outline=INK, width=edge)
    return (*inside.warnings, *warnings)


def _cell_em(em: int, width: int, height: int) -> int:
    """The em of what is lettered in a cell: that of the page, or what small cells have room for."""
    return min(em, max(10, min(width, height) // 8))


def _below(panel: Panel, width: int, height: int, how: Lettering, em: int) -> Lettered | None:
    """The strip below the picture in a cell; None where nothing goes there."""
    return strip(panel, width, round(0.35 * height), how, _cell_em(em, width, height))


def cover(frame: Frame, size: tuple[int, int]) -> tuple[Image.Image, RoutingMaps]:
    """The part of a frame that fills `size` (width, height), enlarged or reduced to it, with its maps: as much of the
    frame as goes in, and of that the part with most of the characters; of equal parts the middle one."""
    width, height = frame.image.size
    scale = min(width / size[0], height / size[1])
    wide, high = size[0] * scale, size[1] * scale
    figures = sum(frame.maps.located((64, 64)), np.zeros((64, 64)))
    x = _window(figures.sum(axis=0), wide / width) * width
    y = _window(figures.sum(axis=1), high / height) * height
    box = (x, y, min(x + wide, width), min(y + high, height))
    rows, columns = frame.maps.values.shape[1:]
    part = (box[0] * columns / width, box[1] * rows / height, box[2] * columns / width, box[3] * rows / height)
    values = [
        np.asarray(Image.fromarray(np.ascontiguousarray(field, np.float32)).resize((64, 64), box=part))
        for field in frame.maps.values
    ]
    return frame.image.resize(size, Image.Resampling.LANCZOS, box), replace(frame.maps, values=np.stack(values))


def _window(mass: np.ndarray, share: float) -> float:
    """Where, from 0 to 1 - share, a window of `share` of a line begins that holds most of `mass` (n,)."""
    starts = np.linspace(0, 1 - share, 33)
    if share >= 1 or not mass.any():
        return max(1 - share, 0.0) / 2  # a share of 1 may come a rounding above it
    summed = np.concatenate([[0.0], np.cumsum(mass)]) / mass.sum()
    edges = np.linspace(0, 1, len(summed))
    held = np.interp(starts + share, edges, summed) - np.interp(starts, edges, summed)
    return float(starts[np.lexsort((abs(starts - (1 - share) / 2), -held.round(3)))[0]])
