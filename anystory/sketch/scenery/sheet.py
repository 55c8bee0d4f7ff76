"""A layer of a painting as vector graphics: its marks, and the pixels of any part of it."""

from __future__ import annotations

import io
import math
import re
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import resvg_py
from PIL import Image

Box = tuple[float, float, float, float]
"""x0, y0, x1, y1 from the left top corner."""

PixelBox = tuple[int, int, int, int]
"""x0, y0, x1, y1 in pixels, x1 and y1 not included."""

_WORTH = 48
"""Rows from which on a wash is drawn in stripes."""

_CRISP = 'shape-rendering="crispEdges"'

_PAINT = re.compile(r"url\(#\w+\)")
"""The gradient of a mark's SVG."""


def _paint(svg: str) -> str:
    found = _PAINT.search(svg)
    return found[0] if found else "none"


class Mark(NamedTuple):
    """Something drawn. `svg`, where a "~" in front of a width says that it is a pen's (see `Sheet.render`), and the
    gradients it needs, `defs`. `box`: what it covers in percent of the square, None where that was not counted.
    `motif`: the path of names to what it is a part of. `stream`: "ground", "light" or "weather", see `Painter`. `wash`:
    of a band from side to side that goes from one opaque colour to another, the y of its upper and its lower edge."""

    svg: str
    defs: str
    box: Box | None
    motif: str
    stream: str
    wash: tuple[float, float] | None = None

    @property
    def shows(self) -> tuple[tuple[str, str], ...]:
        """What it is a part of, from the whole to the part: each its name, "rocking horse", and the path to it."""
        names, path = [], ""
        for part in self.motif.split("/"):
            path = f"{path}/{part}"
            if part.startswith("_"):
                names.append((part.partition(" ")[0].strip("_").replace("_", " "), path))
        return tuple(names)


@dataclass
class Sheet:
    """One layer; see `Layer` for `depth` and `name`."""

    depth: float
    name: str
    marks: list[Mark] = field(default_factory=list)

    def render(self, width: int, height: int, window: Box) -> tuple[np.ndarray, PixelBox]:
        """The part `window` (shares of the square) at `width` x `height` pixels: uint8 (height, width, 4), straight
        alpha, and the box outside of which nothing is. A pen's lines are as wide on the frame as if it showed the
        whole square: nearer does not mean a thicker pen."""
        x0, y0, x1, y1 = (100 * share for share in window)
        marks = [mark for mark in self.marks if mark.box is None or _meet(mark.box, (x0, y0, x1, y1))]
        pixels = np.zeros((height, width, 4), np.uint8)
        a, b, c, d = box = _pixels(marks, width / (x1 - x0), height / (y1 - y0), width, height, (x0, y0))
        if a >= c or b >= d:
            return pixels, (0, 0, 0, 0)
        # Only what the marks cover is rendered: an empty pixel costs as much as a full one.
        across, down = (x1 - x0) / width, (y1 - y0) / height
        view = _View(x0 + a * across, y0 + b * down, (c - a) * across, (d - b) * down, c - a, d - b)
        body = "".join(view.drawn(marks))
        pen = max(window[2] - window[0], window[3] - window[1])
        body = body.replace("~", "") if pen >= 1 else re.sub(r"~([\d.]+)", lambda m: f"{float(m[1]) * pen:.3f}", body)
        pixels[b:d, a:c] = view.rendered("".join(mark.defs for mark in marks), body)
        return pixels, box


@dataclass(frozen=True)
class _View:
    """A part of the square in percent, its left top corner and size, and the pixels that show it."""

    x: float
    y: float
    wide: float
    tall: float
    columns: int
    rows: int

    def rendered(self, defs: str, body: str) -> np.ndarray:
        """uint8 (rows, columns, 4), straight alpha."""
        svg = (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="{self.x:.6f} {self.y:.6f} {self.wide:.6f} '
            f'{self.tall:.6f}" preserveAspectRatio="none" width="{self.columns}" height="{self.rows}">'
            f"<defs>{defs}</defs>{body}</svg>"
        )
        with Image.open(io.BytesIO(resvg_py.svg_to_bytes(svg_string=svg, skip_system_fonts=True))) as image:
            return np.asarray(image)

    def drawn(self, marks: list[Mark]) -> list[str]:
        """The SVG of marks, that of large washes in stripes of one colour each: to look up a gradient at every pixel
        costs more than all the rest of a picture. They are the same pixels: one column says what colour a row has, and
        rows that a wash covers in part stay its own."""
        svgs = [mark.svg for mark in marks]
        washes = [(number, rows) for number, mark in enumerate(marks) if (rows := self._inside(mark))]
        if not washes:
            return svgs
        single = replace(self, x=0.0, wide=float(len(washes)), columns=len(washes))
        edges = [marks[number].wash or (0.0, 0.0) for number, _ in washes]
        columns = "".join(
            f'<path d="M{at} {high:.2f}h1V{low:.2f}h-1z" fill="{_paint(svgs[number])}"/>'
            for at, ((number, _), (high, low)) in enumerate(zip(washes, edges, strict=True))
        )
        defs = "".join(marks[number].defs for number, _ in washes)
        colours = single.rendered(defs, f"<g {_CRISP}>{columns}</g>")
        for at, (number, (first, last)) in enumerate(washes):
            svgs[number] = self._striped(marks[number], first, colours[first:last, at, :3].astype(int))
        return svgs

    def _inside(self, mark: Mark) -> tuple[int, int] | None:
        """The rows that a wash covers wholly, first and last, the last not included; None where stripes do not pay."""
        if mark.wash is None:
            return None
        first, last = ((edge - self.y) * self.rows / self.tall for edge in mark.wash)
        first, last = max(math.ceil(first + 0.01), 0), min(math.floor(last - 0.01), self.rows)
        return (first, last) if last - first >= _WORTH else None

    def _striped(self, mark: Mark, first: int, colours: np.ndarray) -> str:
        """A wash of which the rows from `first` on have these `colours` (rows, 3)."""

        def band(top: float, bottom: float, paint: str) -> str:
            return f'<path d="M-2 {top:.6f}H102V{bottom:.6f}H-2z" fill="{paint}"/>'

        def edge(row: float) -> float:
            return self.y + row * self.tall / self.rows

        last, (high, low), paint = first + len(colours), mark.wash or (0.0, 0.0), _paint(mark.svg)
        upper = band(high, edge(first + 0.5), paint) if first else ""
        lower = band(edge(last - 0.5), low, paint) if last < self.rows else ""
        changes = np.flatnonzero((np.diff(colours, axis=0) != 0).any(1)) + 1
        starts = [0, *changes.tolist(), len(colours)]
        stripes = "".join(
            band(edge(first + start), edge(first + end), "#{:02x}{:02x}{:02x}".format(*colours[start]))
            for start, end in pairwise(starts)
        )
        return f"{upper}{lower}<g {_CRISP}>{stripes}</g>"


def _meet(one: Box, other: Box) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def _pixels(
    marks: list[Mark], across: float, down: float, width: int, height: int, corner: tuple[float, float]
) -> PixelBox:
    """The pixels of the frame that `marks` may cover; `across` and `down` are pixels a percent."""
    boxes = [mark.box for mark in marks]
    if None in boxes:
        return 0, 0, width, height
    if not boxes:
        return 0, 0, 0, 0
    lows, highs = np.array(boxes)[:, :2].min(0) - corner, np.array(boxes)[:, 2:].max(0) - corner
    return (
        max(0, math.floor(lows[0] * across)),
        max(0, math.floor(lows[1] * down)),
        min(width, math.ceil(highs[0] * across)),
        min(height, math.ceil(highs[1] * down)),
    )
