"""The paper of printed books: what printers want of a page. Standard library only."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from anystory.errors import AnyStoryError, Message

INCH = 25.4
MIN_TRIM, MAX_TRIM = 50.0, 450.0
"""Millimetres a side of a cut page has."""
MAX_BLEED = 25.0


class PaperError(AnyStoryError, ValueError):
    """There is no such paper. The message is one sentence for the user."""


@dataclass(frozen=True)
class Paper:
    """A page of a printed book, in millimetres: `width` and `height` once it is cut, the `bleed` that is cut off, at
    the spine too if `spined`. What must not be lost keeps `safe` off the cut edges, and off the spine the margin of
    `inside` for the book's pages: (pages at most, margin), rising. A printer takes books of `least` pages and more.
    Raises PaperError for measures beyond bounds."""

    width: float
    height: float
    bleed: float = 0.0
    spined: bool = True
    safe: float = 6.35
    inside: tuple[tuple[int, float], ...] = ((10_000, 9.525),)
    least: int = 1
    printer: str = ""

    def __post_init__(self) -> None:
        for side in (self.width, self.height):
            if not MIN_TRIM <= side <= MAX_TRIM:
                raise PaperError(
                    Message(
                        "A page that is {side} mm wide or high is not between {least} and {most} mm.",
                        side=f"{side:g}",
                        least=f"{MIN_TRIM:g}",
                        most=f"{MAX_TRIM:g}",
                    )
                )
        if not 0 <= self.bleed <= MAX_BLEED:
            raise PaperError(
                Message(
                    "A bleed of {bleed} mm is not between 0 and {most} mm.",
                    bleed=f"{self.bleed:g}",
                    most=f"{MAX_BLEED:g}",
                )
            )

    def spine(self, pages: int) -> float:
        """The margin that is kept off the spine in a book of so many pages."""
        return next((margin for most, margin in self.inside if pages <= most), self.inside[-1][1])


def _kdp(width: float, height: float) -> Paper:
    inside = ((150, 0.375), (300, 0.5), (500, 0.625), (700, 0.75), (828, 0.875))
    margins = tuple((pages, margin * INCH) for pages, margin in inside)
    return Paper(width * INCH, height * INCH, INCH / 8, False, INCH / 4, margins, 24, "Amazon KDP")


def _ingram(width: float, height: float) -> Paper:
    margins = ((10_000, INCH / 2),)
    return Paper(width * INCH, height * INCH, INCH / 8, False, INCH / 2, margins, 18, "IngramSpark")


PAPERS = {
    "kdp-8.5x8.5": _kdp(8.5, 8.5),
    "kdp-8x10": _kdp(8, 10),
    "kdp-6x9": _kdp(6, 9),
    "ingram-8.5x8.5": _ingram(8.5, 8.5),
    "ingram-8x10": _ingram(8, 10),
    "ingram-6x9": _ingram(6, 9),
    "a4": Paper(210, 297, 3),
    "a5": Paper(148, 210, 3),
    "square": Paper(210, 210, 3),
}
"""Paper by name. Of KDP: bleed on the three edges that are cut, the inside margin by the number of pages
(kdp.amazon.com/help/topic/GVBQ3CMEQW3W2VL6). Of IngramSpark: none at the spine, and half an inch of margin all round
(its File Creation Guide). The others have the 3 mm that European printers ask for."""

UNITS = {"": INCH, "in": INCH, "cm": 10.0, "mm": 1.0}
_WRITTEN = re.compile(r"(\d+(?:\.\d+)?)\s*[x×]\s*(\d+(?:\.\d+)?)\s*(in|cm|mm|)", re.IGNORECASE)


def paper(trim: str, bleed: float | None = None) -> Paper:
    """The paper called `trim`, of `PAPERS`, or of measures as in "8.5x8.5" (inches), "21x21cm", "148x210mm", which is
    cut on all sides. `bleed` in inches is in place of its own; that of measures is none. Raises PaperError."""
    if trim in PAPERS:
        return PAPERS[trim] if bleed is None else replace(PAPERS[trim], bleed=bleed * INCH)
    measures = _WRITTEN.fullmatch(trim.strip())
    if measures is None:
        raise PaperError(
            Message(
                "There is no paper {trim}; give its measures, as in 8.5x8.5 (inches) or 21x21cm, or one of {papers}.",
                trim=repr(trim),
                papers=", ".join(PAPERS),
            )
        )
    unit = UNITS[measures[3].lower()]
    return Paper(float(measures[1]) * unit, float(measures[2]) * unit, (bleed or 0) * INCH)
