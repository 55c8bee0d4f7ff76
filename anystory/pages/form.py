"""What is asked of pages: a layout, a size, letters. PIL only, for the font."""

from __future__ import annotations

from dataclasses import dataclass, field

from anystory.errors import AnyStoryError, Message
from anystory.pages.balloons import Lettering
from anystory.pages.paper import Paper
from anystory.story.layouts import FIT, LAYOUTS, PAGES, PageLayout

MIN_DPI, MAX_DPI = 72, 300
MAX_GUTTER = 20


class PageError(AnyStoryError, ValueError):
    """Pages cannot be made as asked. The message is one sentence for the user."""


def check_dpi(dpi: int) -> None:
    """Raises PageError for dots per inch that pages are not made with."""
    if not MIN_DPI <= dpi <= MAX_DPI:
        raise PageError(
            Message(
                "{dpi} dots per inch are not between {min_dpi} and {max_dpi}.",
                dpi=dpi,
                min_dpi=MIN_DPI,
                max_dpi=MAX_DPI,
            )
        )


@dataclass(frozen=True)
class Format:
    """How pages are made: a layout, a page size (`PAGES` or `FIT`, "" = the layout's own) or the paper of a printed
    book, dots per inch, the gap between cells in millimetres and the lettering. `cover` is the number of the panel
    whose picture is on the cover, 0 for a book without one, `author` who made the book. `upscale` has frames with too
    few dots for the paper enlarged by a small network. Raises PageError for what there is not."""

    layout: str = "2x2"
    page: str = ""
    dpi: int = 150
    gutter: float = 4.0
    lettering: Lettering = field(default_factory=Lettering)
    paper: Paper | None = None
    cover: int = 0
    author: str = ""
    upscale: bool = False

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
        if self.paper and (self.page or self.layout == "frames"):
            raise PageError(
                Message(
                    "Paper has its own size: leave out {other}, or the paper.",
                    other=self.page or self.layout,
                )
            )
        if self.upscale and not self.paper:
            raise PageError(Message("Frames are enlarged for the paper of a book; choose a paper, or leave it out."))
        check_dpi(self.dpi)
        if not 0 <= self.gutter <= MAX_GUTTER:
            raise PageError(
                Message(
                    "A gutter of {gutter} mm is not between 0 and {max_gutter} mm.",
                    gutter=self.gutter,
                    max_gutter=MAX_GUTTER,
                )
            )

    @property
    def shape(self) -> PageLayout:
        """The layout's cells."""
        return LAYOUTS[self.layout]
