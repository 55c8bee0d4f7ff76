"""SVG text to pixels, trimmed to what is seen."""

from __future__ import annotations

import io
import re
from dataclasses import dataclass

import numpy as np
import resvg_py
from PIL import Image

Box = tuple[float, float, float, float]
"""x, y, width and height, as of an SVG's viewBox."""

_ROOT = re.compile(r"<(?:\w+:)?svg\b[^>]*>", re.DOTALL)
_PLACED = re.compile(r"\s(?:viewBox|width|height|preserveAspectRatio|x|y)\s*=\s*(?:\"[^\"]*\"|'[^']*')")
_FAINT = 8


@dataclass(frozen=True)
class SVG:
    """`text` of an SVG file, and the `box` of it that holds all that is seen, in units of its viewBox."""

    text: str
    box: Box


def rasterise(svg: SVG, height: int) -> np.ndarray:
    """What an SVG shows at `height` pixels, uint8 (height, w, 4), straight alpha. Raises ValueError as resvg does."""
    width = max(1, round(height * svg.box[2] / svg.box[3]))
    return _pixels(svg.text, svg.box, width, height)


def seen_box(text: str, side: int = 512) -> Box | None:
    """The box of an SVG's text that holds all that is seen in it, to one in `side`; None where nothing is. Raises
    ValueError for what resvg cannot draw."""
    whole = view_box(text)
    scale = side / max(whole[2:])
    width, height = (max(1, round(length * scale)) for length in whole[2:])
    seen = _pixels(text, whole, width, height)[..., 3] > _FAINT
    if not seen.any():
        return None
    rows, columns = np.flatnonzero(seen.any(1)), np.flatnonzero(seen.any(0))
    x, y = whole[2] / width, whole[3] / height
    return (
        whole[0] + float(columns[0]) * x,
        whole[1] + float(rows[0]) * y,
        float(columns[-1] + 1 - columns[0]) * x,
        float(rows[-1] + 1 - rows[0]) * y,
    )


def view_box(text: str) -> Box:
    """The viewBox of an SVG's text, or its width and height where it has none. Raises ValueError where it has neither
    or they are beyond what can be drawn."""
    root = _ROOT.search(text)
    head = root[0] if root else ""
    box = re.search(r"\sviewBox\s*=\s*[\"']([^\"']*)[\"']", head)
    lengths = [re.search(rf"\s{side}\s*=\s*[\"']\s*([\d.]+)(?:px)?\s*[\"']", head) for side in ("width", "height")]
    if box:
        numbers = [float(number) for number in re.split(r"[\s,]+", box[1].strip())]
    elif all(lengths):
        numbers = [0.0, 0.0, *(float(length[1]) for length in lengths if length)]
    else:
        raise ValueError("it has no viewBox")
    if len(numbers) != 4 or not all(np.isfinite(numbers)) or not 1e-3 < min(numbers[2:]) <= max(numbers[2:]) < 1e6:
        raise ValueError(f"its viewBox is {box[1] if box else numbers}")
    if max(numbers[2:]) > 50 * min(numbers[2:]):
        raise ValueError("it is more than 50 times as long as it is wide")
    return numbers[0], numbers[1], numbers[2], numbers[3]


def _pixels(text: str, box: Box, width: int, height: int) -> np.ndarray:
    place = f' viewBox="{" ".join(f"{number:.6g}" for number in box)}" width="{width}" height="{height}"'
    framed = _ROOT.sub(
        lambda root: _PLACED.sub("", root[0][:-1]).rstrip("/") + place + ' preserveAspectRatio="none">', text, count=1
    )
    with Image.open(io.BytesIO(resvg_py.svg_to_bytes(svg_string=framed, skip_system_fonts=True))) as image:
        return np.array(image.convert("RGBA"))
