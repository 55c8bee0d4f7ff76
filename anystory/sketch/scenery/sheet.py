"""A layer of a painting as vector graphics: its marks, and the pixels of any part of it."""

from __future__ import annotations

import io
import math
import re
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import resvg_py
from PIL import Image

Box = tuple[float, float, float, float]
"""x0, y0, x1, y1 from the left top corner."""

PixelBox = tuple[int, int, int, int]
"""x0, y0, x1, y1 in pixels, x1 and y1 not included."""


class Mark(NamedTuple):
    """Something drawn. `svg`, where a "~" in front of a width says that it is a pen's (see `Sheet.render`), and the
    gradients it needs, `defs`. `box`: what it covers in percent of the square, None where that was not counted.
    `motif`: the path of names to what it is a part of. `stream`: "ground", "light" or "weather", see `Painter`."""

    svg: str
    defs: str
    box: Box | None
    motif: str
    stream: str

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
        body = "".join(mark.svg for mark in marks)
        pen = max(window[2] - window[0], window[3] - window[1])
        body = body.replace("~", "") if pen >= 1 else re.sub(r"~([\d.]+)", lambda m: f"{float(m[1]) * pen:.3f}", body)
        svg = (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="{x0 + a * across:.6f} {y0 + b * down:.6f} '
            f'{(c - a) * across:.6f} {(d - b) * down:.6f}" preserveAspectRatio="none" width="{c - a}" height="{d - b}">'
            f"<defs>{''.join(mark.defs for mark in marks)}</defs>{body}</svg>"
        )
        with Image.open(io.BytesIO(resvg_py.svg_to_bytes(svg_string=svg, skip_system_fonts=True))) as image:
            pixels[b:d, a:c] = np.asarray(image)
        return pixels, box


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
