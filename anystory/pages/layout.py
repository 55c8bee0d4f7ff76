"""A story's frames laid out on pages and lettered, each page when it is asked for.

A page is a few rows of cells, or one picture that fills it. A frame fills its place; what does not go in is cropped
where the routing maps say that nobody is. numpy and PIL only.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

from PIL import Image, ImageDraw

from anystory.errors import Message
from anystory.fonts import using
from anystory.pages.balloons import Lettered, Lettering, into, letter, strip, told
from anystory.pages.crop import ENOUGH, astray, cover, cropped, dots
from anystory.pages.enlarge import enlarged
from anystory.pages.form import Format, PageError
from anystory.pages.sheet import MAX_TITLE, POINTS, TITLE, Blank, Leaf, bound, cell_boxes, portions, shape_of, sheet_for
from anystory.project.folder import Project, left_out, png
from anystory.story.model import Frame, Panel, RoutingMaps, Script
from anystory.typeset import (
    INK,
    LEADING,
    PAPER,
    Box,
    SetLine,
    backward,
    direction,
    fit,
    paragraphs,
    set_block,
    set_line,
    unwritable,
    write,
)

MIN_FRAME = 768
"""Pixels a lettered frame that is no page has on a side at least: small frames are enlarged to it."""
MAX_FRAME = 4096
"""And to this on the longer side at most: a ribbon would grow beyond what memory holds."""

MARK = "page"
"""The PNG text that tells a page from a frame: the numbers of its panels."""
MIN_CELL = 5.0
"""Millimetres a cell is wide and high at least: on small paper gutters and a title may leave none."""
MISFIT = 1.1
"""How far apart the shapes of a frame and its cell, width to height, are at most: a model's sides are rounded."""

_BESIDE = Lettering("below", "none")
"""What of a panel's words is on the page beside its picture."""


@dataclass(frozen=True)
class Page:
    """A finished page: what is to be seen without letters (RGB) and the words in their places, with the numbers of its
    panels and a sentence for whatever did not fit. `text` is what a frame of it tells of the story: a page that is
    dropped in brings it back too (`anystory.project.imprint`). `points` is its size in points, `trim` the box of these
    that is left when it is cut; `real` says how many dots of its frame an inch of a panel's picture has, `enlarged` are
    the numbers of those that a network enlarged."""

    picture: Image.Image
    panels: tuple[int, ...]
    warnings: tuple[str, ...] = ()
    words: tuple[SetLine, ...] = field(default=(), repr=False)
    text: Mapping[str, str] = field(default_factory=dict)
    points: tuple[float, float] = (0.0, 0.0)
    trim: Box | None = None
    real: Mapping[int, float] = field(default_factory=dict)
    enlarged: frozenset[int] = frozenset()

    @cached_property
    def image(self) -> Image.Image:
        """The page with its words."""
        written = self.picture.copy()
        write(written, self.words)
        return written

    @property
    def png(self) -> bytes:
        """The page as a PNG file, which says that it is a page."""
        return png(self.image, {**self.text, MARK: ", ".join(map(str, self.panels))})


Painter = Callable[[int, Frame, float], Frame | None]
"""Makes the frame of a panel anew, so many times as large; None where it cannot."""


class Pages(Sequence[Page]):
    """The pages of a rendered story, each made when it is asked for.

    `script` has other words than those it was rendered with (captions, dialogue, title), with as many panels; `only`
    are the panels to take, by number. Panels without a frame are left out; `unreadable` has a sentence on each frame
    that cannot be read. `painter` makes frames that have fewer dots than the paper of a book asks for. Raises PageError
    where there is no frame at all, ProjectError for a folder that holds no story.
    """

    def __init__(
        self,
        project: Project,
        form: Format,
        script: Script | None = None,
        only: Collection[int] | None = None,
        painter: Painter | None = None,
    ) -> None:
        self.project, self.form = project, form
        self.script = script or project.story().script
        self._painter = painter
        panels = range(1, len(self.script.panels) + 1)
        self._lost, there = project.unreadable(), project.entries
        asked = [n for n in panels if only is None or n in only]
        self.numbers = [n for n in asked if n in there and n not in self._lost]
        self.unreadable = tuple(left_out(error) for n, error in self._lost.items() if n in asked)
        if not self.numbers and self.unreadable:
            raise PageError(" ".join(self.unreadable))
        if not self.numbers:
            raise PageError(Message("{folder} holds no frames; render the story first.", folder=project.folder))
        if form.cover and form.cover not in self.numbers:
            raise PageError(
                Message(
                    "Panel {number} has no frame for the cover; choose one of {numbers}.",
                    number=form.cover,
                    numbers=", ".join(map(str, self.numbers)),
                )
            )

    @property
    def painted(self) -> bool:
        """Whether frames are made anew for paper."""
        return self._painter is not None

    @property
    def author(self) -> str:
        """Who made the book."""
        return self.form.author

    @cached_property
    def backwards(self) -> bool:
        """Whether the story is read from right to left: as is asked for, or as most of its words run."""
        return reads_backwards(self.script, self.form.lettering)

    @cached_property
    def _leaves(self) -> list[Leaf]:
        return bound(self.form, portions(self.numbers, self.form.shape.panels), self.script.title)

    def __len__(self) -> int:
        return len(self._leaves)

    def __getitem__(self, index: int) -> Page:  # type: ignore[override]  # one at a time: each is made anew
        if not 0 <= index < len(self):
            raise IndexError(index)
        leaf = self._leaves[index]
        with using(self.form.lettering.font):
            if self.form.layout == "frames" and leaf.kind == "cells":
                page = self._alone(leaf.panels[0])
            else:
                page = self._made(leaf, index + 1)
        shown = page.panels or self.numbers
        return replace(page, text=png_text(self.project.folder / self.project.entries[shown[0]].image))

    @property
    def missing(self) -> tuple[int, ...]:
        """The numbers of the panels that are left out."""
        without = {*self.numbers, *self._lost}
        return tuple(n for n in range(1, len(self.script.panels) + 1) if n not in without)

    @cached_property
    def misfits(self) -> tuple[int, ...]:
        """The numbers of the panels whose frames are cropped by their cells, and would not be if they were made anew
        for this layout; none that has a size or shape of its own."""
        panels = self.script.panels
        return tuple(n for n in self.numbers if not (panels[n - 1].shape or panels[n - 1].size) and self._is_misfit(n))

    def _is_misfit(self, number: int) -> bool:
        cell = picture_shape(self.script, number, Format(self.form.layout))
        if cell is None:
            return False
        with Image.open(self.project.folder / self.project.entries[number].image, formats=["PNG"]) as picture:
            shape = picture.width / picture.height
        return max(shape / cell, cell / shape) > MISFIT

    @property
    def findings(self) -> tuple[str, ...]:
        """Sentences on the book as a whole."""
        paper, count, found = self.form.paper, len(self), list[str]()
        if paper and count < paper.least:
            found.append(
                Message(
                    "{printer} prints books of {least} pages and more; this one has {count}.",
                    printer=paper.printer,
                    least=paper.least,
                    count=count,
                )
            )
        if absent := self.missing:
            found.append(Message("Without a frame and left out: {numbers}.", numbers=", ".join(map(str, absent))))
        return (*found, *self.unreadable)

    def _alone(self, number: int) -> Page:
        """A frame lettered, with nothing around it."""
        frame, form = self.project.frame(number), self.form
        made = lettered(frame.image, self.script.panels[number - 1], frame.maps, form.lettering)
        width, height = made.picture.size
        points = width * POINTS / form.dpi, height * POINTS / form.dpi
        return Page(made.picture, (number,), _numbered(number, made.warnings), made.words, points=points)

    def _made(self, leaf: Leaf, count: int) -> Page:
        """Page `count` (from 1) of the book."""
        sheet = sheet_for(self.script, self.form, leaf, count, len(self), self.backwards)
        canvas = _Canvas(sheet)
        if leaf.kind == "cells" and self.form.shape.bleeds:
            self._full(canvas, leaf.panels[0])
        elif leaf.kind == "cells":
            self._cells(canvas, leaf)
        elif leaf.kind == "words":
            words = told(self.script.panels[leaf.panels[0] - 1], _BESIDE)
            canvas.block("\n".join(words), sheet.safe, sheet.text)
            if not words:
                canvas.warnings += _numbered(leaf.panels[0], [Message("There are no words for the page beside it.")])
        elif leaf.kind == "cover":
            self._cover(canvas, leaf.panels[0])
        elif leaf.kind == "title":
            titled(canvas, self.script.title, self.form.author)
        elif leaf.kind == "back":
            self._back(canvas, leaf.panels[0])
        return canvas.page(leaf.panels if leaf.kind == "cells" else ())

    def _frame(self, canvas: _Canvas, number: int, size: tuple[int, int]) -> Frame:
        """The frame of a panel, for a place of `size` pixels on the canvas, which keeps how it came to them."""
        frame = self.project.frame(number)
        real = dots(frame, size)
        if self.form.paper and real < 1:
            if self._painter and (larger := self._painter(number, frame, 1 / real)):
                frame, real = larger, dots(larger, size)
            elif self.form.upscale and real < ENOUGH:
                frame = replace(frame, image=enlarged(frame.image, 1 / real))
                canvas.enlarged.add(number)
        canvas.real[number] = self.form.dpi * real
        return frame

    def _cells(self, canvas: _Canvas, leaf: Leaf) -> None:
        """The title on the first, the cells, the page's number."""
        sheet, form = canvas.sheet, self.form
        if leaf.headed:
            _head(canvas, self.script.title)
        cells = list(cell_boxes(shape_of(form, leaf), sheet.area, form.gutter * sheet.dots, self.backwards))
        if min(min(right - left, bottom - top) for left, top, right, bottom in cells) < MIN_CELL * sheet.dots:
            raise PageError(
                Message(
                    "The paper leaves the cells of {layout} less than {least} mm; take larger paper, a smaller gutter "
                    "or another layout.",
                    layout=form.layout,
                    least=f"{MIN_CELL:g}",
                )
            )
        for number, box in zip(leaf.panels, cells, strict=True):
            self._fill(canvas, number, box)
        size, middle = max(round(2.6 * sheet.dots), 8), (sheet.area[0] + sheet.area[2]) / 2
        canvas.words.append(set_line(str(leaf.number), size, (middle, sheet.foot), "m"))

    def _fill(self, canvas: _Canvas, number: int, box: tuple[int, int, int, int]) -> None:
        """Draw a panel into its cell."""
        left, top, right, bottom = box
        width, height = right - left, bottom - top
        panel, how, em = self.script.panels[number - 1], self.form.lettering, canvas.sheet.em
        below = _below(panel, width, height, how, em)
        em = _cell_em(em, width, height)
        if below:
            height -= below.picture.height
        image, maps = cover(self._frame(canvas, number, (width, height)), (width, height))
        canvas.add(into(image, panel, maps, how, em), (left, top), number)
        if below:
            canvas.add(below, (left, top + height), number)
        edge = max(1, round(em / 11))
        ImageDraw.Draw(canvas.picture).rectangle((left, top, right - 1, top + height - 1), outline=INK, width=edge)

    def _full(self, canvas: _Canvas, number: int) -> None:
        """A picture that fills the page, but for the room of the words below it."""
        sheet, how, panel = canvas.sheet, self.form.lettering, self.script.panels[number - 1]
        beside = self.form.layout == "facing"
        below = [] if beside else told(panel, how)
        high = sheet.picture_height(bool(below))
        image, maps = self._picture(canvas, number, high)
        left, top, right, bottom = sheet.safe
        bottom = min(bottom, high)
        part, seen = cropped(image, maps, (left, top, right, bottom))
        how = replace(how, captions="none") if beside else how
        canvas.add(into(part, panel, seen, how, sheet.em), (left, top), number)
        if below:
            canvas.block("\n".join(below), (left, high, right, sheet.safe[3]), sheet.text, number)
        if self.form.paper:
            canvas.warnings += _numbered(number, astray(maps, (sheet.width, high), (left, top, right, bottom)))

    def _picture(self, canvas: _Canvas, number: int, high: int) -> tuple[Image.Image, RoutingMaps]:
        """Draw the frame of a panel over the page, `high` pixels of it; returns what is drawn, with its maps."""
        size = canvas.sheet.width, high
        image, maps = cover(self._frame(canvas, number, size), size)
        canvas.picture.paste(image, (0, 0))
        return image, maps

    def _cover(self, canvas: _Canvas, number: int) -> None:
        """The cover: a picture with the title and the author on it, where they hide less."""
        image, maps = self._picture(canvas, number, canvas.sheet.height)
        words = "\n".join(filter(None, (self.script.title, self.form.author)))
        if not words:
            return
        part, seen = cropped(image, maps, canvas.sheet.safe)
        made = into(part, Panel("", caption=words), seen, Lettering(), canvas.sheet.title)
        canvas.add(made, canvas.sheet.safe[:2], number)

    def _back(self, canvas: _Canvas, number: int) -> None:
        """The back: a plain page in the colour of the cover, with a small picture of the last panel."""
        sheet = canvas.sheet
        mean = self.project.frame(self.form.cover).image.convert("RGB").resize((1, 1), Image.Resampling.BOX)
        red, green, blue = (round((value + 2 * 255) / 3) for value in mean.getpixel((0, 0)))  # type: ignore[union-attr]
        canvas.picture.paste((red, green, blue), (0, 0, *canvas.picture.size))
        left, top, right, bottom = sheet.safe
        side = round(0.4 * min(right - left, bottom - top))
        image, _ = cover(self.project.frame(number), (side, side))
        x, y = round((left + right - side) / 2), round((top + bottom - side) / 2 - 0.1 * side)
        canvas.picture.paste(image, (x, y))
        edge = max(2, round(0.4 * sheet.dots))
        ImageDraw.Draw(canvas.picture).rectangle((x, y, x + side - 1, y + side - 1), outline=PAPER, width=edge)
        words = "\n".join(filter(None, (self.script.title, self.form.author)))
        canvas.block(words, (left, y + side, right, bottom), sheet.text)


def reads_backwards(script: Script, how: Lettering) -> bool:
    """Whether a story's pages run from right to left: as is asked for, or as most of its words do."""
    ways = [backward(text) for text in script.words if direction(text)]
    return how.direction == "rtl" if how.direction else sum(ways) > len(ways) / 2


def png_text(frame: Path) -> dict[str, str]:
    """The PNG text of a frame's file."""
    with Image.open(frame, formats=["PNG"]) as picture:
        return {str(key): value for key, value in picture.info.items() if isinstance(value, str)}


def lettered(image: Image.Image, panel: Panel, maps: RoutingMaps, how: Lettering) -> Lettered:
    """A frame lettered by itself; one that is small is enlarged first, so that letters are clear."""
    scale = max(1.0, min(MIN_FRAME / min(image.size), MAX_FRAME / max(image.size)))
    if scale > 1:
        image = image.resize((round(image.width * scale), round(image.height * scale)), Image.Resampling.LANCZOS)
    return letter(image, panel, maps, how)


def picture_shape(script: Script, number: int, form: Format) -> float | None:
    """Width to height of the picture of panel `number` (from 1) in its cell, if every panel of the script has a frame:
    what of a frame of that shape is seen is all of it. None for a layout without cells."""
    if form.layout == "frames":
        return None
    everything = portions(range(1, len(script.panels) + 1), form.shape.panels)
    leaves = bound(form, everything, script.title)
    count, leaf = next(
        (count, leaf) for count, leaf in enumerate(leaves, 1) if leaf.kind == "cells" and number in leaf.panels
    )
    sheet = sheet_for(script, form, leaf, count, len(leaves), False)
    panel = script.panels[number - 1]
    with using(form.lettering.font):
        if form.shape.bleeds:
            below = form.layout == "full" and bool(told(panel, form.lettering))
            return sheet.width / sheet.picture_height(below)
        cells = list(cell_boxes(shape_of(form, leaf), sheet.area, form.gutter * sheet.dots))
        left, top, right, bottom = cells[leaf.panels.index(number)]
        width, height = right - left, bottom - top
        strip = _below(panel, width, height, form.lettering, sheet.em)
    return width / (height - (strip.picture.height if strip else 0))


class _Canvas:
    """A page as it is being made."""

    def __init__(self, sheet: Blank) -> None:
        self.sheet = sheet
        self.picture = Image.new("RGB", (sheet.width, sheet.height), PAPER)
        self.words: list[SetLine] = []
        self.warnings: tuple[str, ...] = ()
        self.real: dict[int, float] = {}
        self.enlarged: set[int] = set()

    def add(self, made: Lettered, at: tuple[int, int], number: int) -> None:
        """Put something lettered, of panel `number`, at a place."""
        self.picture.paste(made.picture, at)
        self.words += [line.moved(*at) for line in made.words]
        self.warnings += _numbered(number, made.warnings)

    def block(self, text: str, box: Box, size: int, number: int = 0) -> None:
        """Write words into the middle of a box, those of panel `number` if any."""
        left, top, right, bottom = box
        block = fit(text, right - left, bottom - top, size)
        middle = (top + bottom - block.height) / 2
        self.words += set_block(block, (left, middle, right, bottom), "middle")
        warnings = [warning] if (warning := unwritable(text)) else []
        if block.cut:
            warnings.append(Message("The words are too long for their place on the page and were cut; shorten them."))
        self.warnings += _numbered(number, warnings) if number else tuple(warnings)

    def page(self, panels: tuple[int, ...]) -> Page:
        """The page as it is now."""
        words, sheet = tuple(self.words), self.sheet
        return Page(
            self.picture,
            panels,
            self.warnings,
            words,
            points=sheet.points,
            trim=sheet.cut,
            real=dict(self.real),
            enlarged=frozenset(self.enlarged),
        )


def titled(canvas: _Canvas, title: str, author: str) -> None:
    """The page in front of a book: its title, and who made it."""
    left, top, right, bottom = canvas.sheet.safe
    middle = round(0.6 * bottom + 0.4 * top)
    canvas.block(title, (left, top, right, middle), canvas.sheet.title)
    if author:
        canvas.block(author, (left, middle, right, bottom), canvas.sheet.text)


def _head(canvas: _Canvas, title: str) -> None:
    """The title over the first page of cells."""
    sheet = canvas.sheet
    size, rows = round(TITLE * sheet.dots), min(len(paragraphs(title)), MAX_TITLE)
    left, right = sheet.area[0], sheet.area[2]
    top = sheet.area[1] - round((2 * TITLE + (rows - 1) * LEADING * TITLE) * sheet.dots)
    block = fit(title, right - left, rows * LEADING * size, size)
    middle = top + 0.8 * size + (rows - 1) * LEADING * size / 2
    canvas.words += set_block(block, (left, middle - block.height / 2, right, middle), "middle")
    if block.cut:
        canvas.warnings += (Message("The title is too long for its place and was cut; shorten it."),)
    if lacking := unwritable(title):
        canvas.warnings += (Message("Title: {warning}", warning=lacking),)


def _numbered(number: int, warnings: Sequence[str]) -> tuple[str, ...]:
    return tuple(Message("Panel {number}: {warning}", number=number, warning=warning) for warning in warnings)


def _cell_em(em: int, width: int, height: int) -> int:
    """The em of what is lettered in a cell: that of the page, or what small cells have room for."""
    return min(em, max(10, min(width, height) // 8))


def _below(panel: Panel, width: int, height: int, how: Lettering, em: int) -> Lettered | None:
    """The strip below the picture in a cell; None where nothing goes there."""
    return strip(panel, width, round(0.35 * height), how, _cell_em(em, width, height))
