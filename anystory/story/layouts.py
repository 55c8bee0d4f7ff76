"""The layouts of pages, as data: how many panels go on one, and how large each is beside the others."""

from __future__ import annotations

from dataclasses import dataclass, replace

PAGES = {"a4": (210.0, 297.0), "letter": (215.9, 279.4), "comic": (168.0, 260.0), "square": (210.0, 210.0)}
"""Width and height of a page in millimetres."""
FIT = "fit"
"""The page size that leaves every cell of a layout the shape it is drawn with."""


@dataclass(frozen=True)
class PageRow:
    """A row of cells: its height and their widths, as weights."""

    height: float
    widths: tuple[float, ...]


@dataclass(frozen=True)
class PageLayout:
    """A fixed arrangement of cells; `page` is the page size it is made for. `bleeds`: its one picture reaches to the
    edges of the page, and beyond where the paper is cut."""

    rows: tuple[PageRow, ...]
    page: str
    about: str
    bleeds: bool = False

    @property
    def panels(self) -> int:
        """How many panels a page takes."""
        return sum(len(row.widths) for row in self.rows)

    def holding(self, count: int) -> PageLayout:
        """The arrangement of a page with `count` panels (1 or more), of which none is empty: where that is fewer than
        there are cells, the last of the fullest rows has one less, again and again, and its others are wider."""
        rows = list(self.rows)
        for _ in range(count, self.panels):
            at = max(range(len(rows)), key=lambda k: (len(rows[k].widths), k))
            rows[at] = replace(rows[at], widths=rows[at].widths[:-1])
            rows = [row for row in rows if row.widths]
        return replace(self, rows=tuple(rows))


LAYOUTS = {
    "frames": PageLayout((PageRow(1, (1,)),), FIT, "every frame by itself, without a margin"),
    "one": PageLayout((PageRow(1, (1,)),), FIT, "one panel per page"),
    "strip": PageLayout((PageRow(1, (1, 1, 1, 1)),), FIT, "four panels in a row"),
    "column": PageLayout((PageRow(1, (1,)),) * 4, FIT, "four panels below each other"),
    "2x2": PageLayout((PageRow(1, (1, 1)),) * 2, FIT, "two rows of two"),
    "2x3": PageLayout((PageRow(1, (1, 1)),) * 3, "a4", "three rows of two"),
    "manga": PageLayout(
        (PageRow(1, (3, 2)), PageRow(1.25, (1,)), PageRow(1, (2, 3))), "comic", "three uneven rows, five panels"
    ),
    "full": PageLayout((PageRow(1, (1,)),), "square", "a picture that fills its page", bleeds=True),
    "facing": PageLayout(
        (PageRow(1, (1,)),), "square", "a picture that fills its page, its words beside it", bleeds=True
    ),
    "splash": PageLayout((PageRow(2.2, (1,)), PageRow(1, (1, 1, 1))), "a4", "a large panel over a row of three"),
}
