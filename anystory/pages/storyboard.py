"""A storyboard sheet: every panel's frame with its number, action, dialogue, notes, camera and duration, for who films
or animates a story. A frame is seen whole, unlettered; a panel without one has an empty box.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from PIL import Image, ImageDraw

from anystory.errors import Message
from anystory.fonts import checked, using
from anystory.pages.balloons import Lettering
from anystory.pages.form import PageError, check_dpi
from anystory.pages.layout import Page, png_text, reads_backwards
from anystory.pages.sheet import MARGIN, POINTS
from anystory.pages.timing import seconds_of
from anystory.project.folder import Project, left_out
from anystory.sketch.language.tokens import language_of
from anystory.sketch.read import read_story
from anystory.story.layouts import PAGES
from anystory.story.model import Panel, Script
from anystory.typeset import INK, LEADING, PAPER, SetLine, clipped, fit, set_block, set_line, unwritable

SIZES = ("a4", "letter")
MOST = 4
"""Columns and rows of a sheet at most."""

LABELS = {
    "en": {"shot": "Shot", "notes": "Notes", "camera": "Camera", "none": "no frame yet"},
    "zh": {"shot": "镜头", "notes": "旁白", "camera": "景别", "none": "还没有画面"},
    "es": {"shot": "Plano", "notes": "Notas", "camera": "Cámara", "none": "aún sin imagen"},
}
FRAMINGS = {
    "zh": {"close-up": "特写", "medium": "中景", "wide": "全景", "from above": "俯拍", "from below": "仰拍"},
    "es": {
        "close-up": "primer plano",
        "medium": "plano medio",
        "wide": "plano general",
        "from above": "picado",
        "from below": "contrapicado",
    },
}
"""What the camera does in the story's language; in English a shot says it itself."""

GREY = (110, 110, 110)
LINE, LARGE = 3.1, 4.2
"""Millimetres of the em of what is written on a sheet, and of one with a single column."""
HEAD = 12.0
"""Millimetres of a sheet's head."""
GAP = 5.0
"""Millimetres between cells."""
LEAST = 0.55
"""How much of a cell its frame may always have; what its words leave is its as well."""


@dataclass(frozen=True)
class SheetForm:
    """How a sheet is made: a page size of `SIZES`, `columns` and `rows` of 1 to `MOST`, lying on its side where there
    are more columns than rows, the dots per inch, a `date` for its head and the file of a font of one's own, ""
    for none. Raises PageError or FontError for what there is not."""

    columns: int = 2
    rows: int = 3
    page: str = "a4"
    dpi: int = 150
    date: str = ""
    font: str = ""

    def __post_init__(self) -> None:
        if not (1 <= self.columns <= MOST and 1 <= self.rows <= MOST):
            raise PageError(
                Message(
                    "A sheet of {grid} cells is not between 1x1 and {most}x{most}.",
                    grid=f"{self.columns}x{self.rows}",
                    most=MOST,
                )
            )
        if self.page not in SIZES:
            raise PageError(
                Message(
                    "There is no sheet of the size {page}; the sizes are {sizes}.",
                    page=repr(self.page),
                    sizes=", ".join(SIZES),
                )
            )
        check_dpi(self.dpi)
        if self.font:
            object.__setattr__(self, "font", checked(self.font))

    @classmethod
    def of(cls, grid: str, page: str = "a4", dpi: int = 150, date: str = "", font: str = "") -> SheetForm:
        """The form of a `grid` in words, "2x3". Raises PageError for what is none."""
        told = re.fullmatch(r"\s*(\d{1,3})\s*[x×]\s*(\d{1,3})\s*", grid)
        if told is None:
            raise PageError(Message("{grid} is no grid of a sheet; write columns and rows, 2x3.", grid=repr(grid)))
        return cls(int(told[1]), int(told[2]), page, dpi, date, font)


class Sheets(Sequence[Page]):
    """The sheets of a story in a folder, each made when it is asked for. `script` has other words than those it was
    rendered with, with as many panels. Raises ProjectError for a folder that holds no story."""

    def __init__(self, project: Project, form: SheetForm, script: Script | None = None) -> None:
        self.project, self.form = project, form
        self.script = script or project.story().script
        self._lost = project.unreadable()
        self.findings = tuple(left_out(error) for error in self._lost.values())
        """Sentences on the whole. No panel is left out: who has no frame has an empty box."""

    author = ""

    @property
    def backwards(self) -> bool:
        """Whether its pages are turned from right to left: as most of its words run."""
        return reads_backwards(self.script, Lettering())

    @property
    def _each(self) -> int:
        return self.form.columns * self.form.rows

    @cached_property
    def _cameras(self) -> list[str]:
        """What is read of each panel's camera, in the story's language."""
        return [FRAMINGS.get(self._language, {}).get(s.framing, s.framing) for s in read_story(self.script)]

    @cached_property
    def _language(self) -> str:
        told = language_of(" ".join(panel.prompt for panel in self.script.panels))
        return told if told in LABELS else "en"

    def __len__(self) -> int:
        return -(-len(self.script.panels) // self._each)

    def __getitem__(self, index: int) -> Page:  # type: ignore[override]  # one at a time: each is made anew
        if not 0 <= index < len(self):
            raise IndexError(index)
        with using(self.form.font):
            return self._made(index)

    def _made(self, index: int) -> Page:
        form, labels = self.form, LABELS[self._language]
        width, height = PAGES[form.page] if form.columns <= form.rows else PAGES[form.page][::-1]
        dots = form.dpi / 25.4
        sheet = Image.new("RGB", (round(width * dots), round(height * dots)), PAPER)
        words: list[SetLine] = []
        warnings = self._head(sheet, words, index, dots)
        numbers = range(index * self._each + 1, min((index + 1) * self._each, len(self.script.panels)) + 1)
        left, top, gap = MARGIN * dots, (MARGIN + HEAD) * dots, GAP * dots
        wide = (sheet.width - 2 * left - (form.columns - 1) * gap) / form.columns
        high = (sheet.height - top - MARGIN * dots - (form.rows - 1) * gap) / form.rows
        for place, number in enumerate(numbers):
            row, column = divmod(place, form.columns)
            if self.backwards:
                column = form.columns - 1 - column
            corner = (left + column * (wide + gap), top + row * (high + gap))
            said = self._cell(sheet, words, number, (*corner, corner[0] + wide, corner[1] + high), dots, labels)
            warnings += [Message("Panel {number}: {warning}", number=number, warning=one) for one in said]
        with_frame = (n for n in (*numbers, *self.project.entries) if self._has(n))  # by it a page is known again
        text = next((png_text(self.project.folder / self._frame_file(n)) for n in with_frame), {})
        points = sheet.width * POINTS / form.dpi, sheet.height * POINTS / form.dpi
        return Page(sheet, tuple(numbers), tuple(warnings), tuple(words), text, points)

    def _has(self, number: int) -> bool:
        return number in self.project.entries and number not in self._lost

    def _frame_file(self, number: int) -> str:
        return self.project.entries[number].image

    def _head(self, sheet: Image.Image, words: list[SetLine], index: int, dots: float) -> list[str]:
        """The title, the date and which sheet of how many it is, over a rule."""
        em, small = round(5 * dots), round(LINE * dots)
        left, right, middle = MARGIN * dots, sheet.width - MARGIN * dots, (MARGIN + 2.5) * dots
        aside = "  ·  ".join(filter(None, (self.form.date, f"{index + 1} / {len(self)}")))
        words.append(set_line(aside, small, (right, middle), "r", GREY))
        title = self.script.title
        words.append(set_line(clipped(title, em, 0.7 * (right - left)), em, (left, middle)))
        y = round((MARGIN + HEAD - 5) * dots)
        ImageDraw.Draw(sheet).line((left, y, right, y), INK, max(1, round(0.3 * dots)))
        lacking = unwritable(title + self.form.date)
        return [Message("Title: {warning}", warning=lacking)] if index == 0 and lacking else []

    def _cell(
        self,
        sheet: Image.Image,
        words: list[SetLine],
        number: int,
        box: tuple[float, float, float, float],
        dots: float,
        labels: dict[str, str],
    ) -> list[str]:
        """Draw a panel into its cell; returns what did not fit."""
        left, top, right, bottom = box
        panel, em = self.script.panels[number - 1], round((LARGE if self.form.columns == 1 else LINE) * dots)
        line = LEADING * em
        number_at, time_at = [(left, "l"), (right, "r")][:: -1 if self.backwards else 1]
        words.append(set_line(f"{labels['shot']} {number}", em, (number_at[0], top + line / 2), number_at[1]))
        words.append(set_line(f"{seconds_of(panel):g} s", em, (time_at[0], top + line / 2), time_at[1], GREY))
        top += 1.2 * line
        told = self._told(panel, self._cameras[number - 1], labels)
        block = fit(told, right - left, (1 - LEAST) * (bottom - top) - 0.4 * line, em)
        place = (left, top, right, bottom - block.height - 0.4 * line)
        high = self._picture(sheet, words, number, place, labels["none"])
        words += set_block(block, (left, high + 0.4 * line, right, bottom), "start")
        said = [Message("The words are too long for the sheet and were cut.")] if block.cut else []
        lacking = unwritable(told)
        return [*said, *([lacking] if lacking else [])]

    def _picture(
        self, sheet: Image.Image, words: list[SetLine], number: int, box: tuple[float, float, float, float], none: str
    ) -> float:
        """Draw the frame, whole, at the top of its box; returns where it ends."""
        left, top, right, bottom = (round(side) for side in box)
        draw = ImageDraw.Draw(sheet)
        if not self._has(number):
            bottom = min(bottom, top + round((right - left) * 9 / 16))
            draw.rectangle((left, top, right - 1, bottom - 1), outline=GREY)
            size = max(10, (bottom - top) // 10)
            words.append(set_line(none, size, ((left + right) / 2, (top + bottom) / 2), "m", GREY))
            return bottom
        image = self.project.frame(number).image
        scale = min((right - left) / image.width, (bottom - top) / image.height)
        size = max(1, round(image.width * scale)), max(1, round(image.height * scale))
        left = right - size[0] if self.backwards else left
        sheet.paste(image.resize(size, Image.Resampling.LANCZOS), (left, top))
        draw.rectangle((left, top, left + size[0] - 1, top + size[1] - 1), outline=INK)
        return top + size[1]

    def _told(self, panel: Panel, camera: str, labels: dict[str, str]) -> str:
        """Action, dialogue, notes and camera, a line each."""
        lines = [panel.prompt, *(f"{line.who}: {line.say}" for line in panel.dialogue)]
        lines += [f"{labels['notes']}: {panel.caption}"] if panel.caption else []
        lines += [f"{labels['camera']}: {camera}"] if camera else []
        return "\n".join(" ".join(line.split()) for line in lines)
