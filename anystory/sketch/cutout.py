"""A character's picture made ready to be put into a painted place."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from PIL import Image
from scipy import ndimage

from anystory.cast.images import SELECTED
from anystory.errors import Message
from anystory.sketch.facing import guessed
from anystory.sketch.matting import CLEAR, SOLID, defringed, softened
from anystory.sketch.reading.roles import is_vehicle
from anystory.story.model import Subject

DRAWING, PHOTOGRAPH, PIXELS = "drawing", "photograph", "pixels"
"""What kind of picture a cut-out comes from; `PIXELS` is pixel art, enlarged by whole pixels only."""

SIDES = ("bottom", "right", "top", "left")

_SPECK = 0.0015
"""A part with less than this share of the largest is dust."""

_ROUND = 0.28
"""How high the rounded end of a cut is, in its widths, and in the picture's heights at most."""

_SMALL = 96
"""A picture of up to this many pixels a side that has few colours and hard edges is pixel art as it is."""

_FEW, _MANY = 48, 256
"""How many colours pixel art has at most: where its pixels are single ones, and where they are blocks."""


@dataclass(frozen=True)
class Cutout:
    """`pixels` uint8 (h, w, 4): RGBA, straight alpha, trimmed to what is seen, the old background's colour taken out
    of its edges. `cut`: the sides ("left", "top", "right", "bottom") at which the picture's edge cuts the character: a
    bust, half a body; what the upper edge cuts is rounded off, but for pixel art, and `crown` is the share of the
    height that was. `kind`: `DRAWING`, `PHOTOGRAPH` or `PIXELS`; `grid`: of pixel art, how many of these pixels make
    one of its own. `foot`: the x of the middle of what touches the ground, as a share of the width. `facing`: "left",
    "right", or "" where it cannot be told; what a `Role` says of it goes before. `rigid`: it is a
    vehicle, which neither leans nor bends on its wheels."""

    name: str
    pixels: np.ndarray
    cut: frozenset[str] = frozenset()
    kind: str = DRAWING
    grid: int = 1
    foot: float = 0.5
    facing: str = ""
    crown: float = 0.0
    rigid: bool = False


def prepare(subject: Subject) -> Cutout:
    """A subject's first picture cut out cleanly: specks dropped, edges in the character's own colours, trimmed. Raises
    ValueError where its mask selects nothing."""
    rgb, alpha = np.asarray(subject.image), np.asarray(subject.mask)
    if not (alpha >= SELECTED).any():
        raise ValueError(
            Message(
                "{name}: the mask selects nothing; paint over the character or give another mask.", name=subject.name
            )
        )
    clean = _without_specks(alpha)
    pixels, grid = _pixel_art(rgb, alpha)
    kind = PIXELS
    if pixels is None:
        rgb, alpha = _trimmed(rgb, clean, margin=16)
        kind = PHOTOGRAPH if _grainy(rgb, alpha) else DRAWING
        rgb, alpha = softened(*defringed(rgb, alpha))
        pixels = np.dstack(_trimmed(rgb, alpha, margin=0))
    cut = _cut(clean >= SELECTED, drawn=kind != PHOTOGRAPH)
    crown = 0.0
    if "top" in cut and kind != PIXELS:
        pixels, crown = _rounded(pixels)
    pixels[pixels[..., 3] == 0] = 0
    shape = pixels[..., 3] >= SELECTED
    facing = "" if cut or kind == PHOTOGRAPH else guessed(shape)  # of a part, or any photograph, it is not known
    return Cutout(subject.name, pixels, cut, kind, grid, _foot(shape), facing, crown, is_vehicle(subject.description))


def _trimmed(rgb: np.ndarray, alpha: np.ndarray, margin: int) -> tuple[np.ndarray, np.ndarray]:
    """Both cut to where there is any alpha, and `margin` pixels around it."""
    rows, columns = (np.flatnonzero(alpha.any(axis)) for axis in (1, 0))
    part = tuple(slice(max(line[0] - margin, 0), line[-1] + 1 + margin) for line in (rows, columns))
    return rgb[part], alpha[part]


def _without_specks(alpha: np.ndarray) -> np.ndarray:
    """`alpha` without what is next to nothing: faint haze and parts that are dust beside the rest. What is selected
    stays where all the rest is fainter."""
    alpha = np.where(alpha > CLEAR, alpha, 0).astype(np.uint8)
    parts, count = ndimage.label(alpha, np.ones((3, 3)))
    if count == 1:
        return alpha
    weights = np.bincount(parts.ravel(), alpha.ravel())
    kept = weights >= _SPECK * weights.max()
    clean = alpha * kept[parts].astype(np.uint8)
    return clean if (clean >= SELECTED).any() else alpha


def _cut(seen: np.ndarray, drawn: bool) -> frozenset[str]:
    """The sides at which the character, bool (h, w), is cut: the picture's edge does more than touch it, it is about as
    broad there as a little further in. A drawing is often trimmed until it touches both edges, so they have to cut it
    along most of its breadth; and it may be a bust that ends within the picture."""
    rows, columns = (np.flatnonzero(seen.any(axis)) for axis in (1, 0))
    height, width = int(np.ptp(rows)) + 1, int(np.ptp(columns)) + 1
    found = (
        {"bottom"} if drawn and _ends_as_a_bust(seen[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]) else set()
    )
    for turns, side in enumerate(SIDES):
        turned = np.rot90(seen, -turns)
        along, across = (width, height) if turns % 2 == 0 else (height, width)
        trimmed = drawn and across == len(turned)
        least, steep = (0.6, 0.97) if trimmed else (0.08, 0.8)
        # Two soles side by side are feet, no cut.
        contact = max((end - start for start, end in _runs(turned[-1])), default=0) if trimmed else turned[-1].sum()
        further = turned[-1 - min(max(2, round(0.02 * across)), across - 1)].sum()
        if contact >= max(3, least * along) and contact >= steep * further:
            found.add(side)
    return frozenset(found)


def _rounded(pixels: np.ndarray) -> tuple[np.ndarray, float]:
    """A picture, uint8 (h, w, 4), that is cut along its upper edge with every part that is cut rounded off as the half
    of an ellipse, and how high the tallest of these is, as a share of the picture's height."""
    out, height = pixels.copy(), len(pixels)
    seen = pixels[..., 3] >= SELECTED
    tallest = 0.0
    for first, last in _runs(seen[0]):
        tall = min(_ROUND * (last - first), _ROUND * height)
        tallest = max(tallest, tall)
        # As broad as the part is where the rounding ends, or corners would be left beside it.
        within = [run for run in _runs(seen[min(math.ceil(tall), height - 1)]) if run[0] < last and first < run[1]]
        first, last = min([first, *(run[0] for run in within)]), max([last, *(run[1] for run in within)])
        columns = slice(first, last)
        x = (2 * np.arange(last - first) + 1) / (last - first) - 1
        edge = tall * (1 - np.sqrt(1 - x**2))
        rows = np.arange(min(math.ceil(tall) + 1, height))
        share = (rows[:, None] + 1 - edge).clip(0, 1)
        out[: len(rows), columns, 3] = np.rint(out[: len(rows), columns, 3] * share)
    return out, tallest / height


def _runs(line: np.ndarray) -> list[tuple[int, int]]:
    """Where a line, bool (n,), is true from and to, the end not included."""
    edges = np.flatnonzero(np.diff(np.pad(line.astype(np.int8), 1)))
    return list(zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True))


def _ends_as_a_bust(seen: np.ndarray) -> bool:
    """Whether a trimmed character, bool (h, w), is somewhat taller than broad and ends below in one straight line along
    most of its breadth, as heads with shoulders are drawn."""
    height, width = seen.shape
    if not 0.7 <= width / height <= 0.96:
        return False
    lowest = np.argmax(seen[::-1], 0)
    level = seen.any(0) & (lowest <= max(1, round(0.015 * height)))
    return bool(level.mean() >= 0.72)


def _pixel_art(rgb: np.ndarray, alpha: np.ndarray) -> tuple[np.ndarray | None, int]:
    """Pixel art, uint8 (h, w, 4), trimmed to whole pixels of its own, each there or not at all, and how many pixels
    make one of its own; None and 1 for anything else."""
    grid, x, y = _grid(rgb, alpha)
    rows, columns = ((side - start) // grid for side, start in zip(alpha.shape, (y, x), strict=True))
    part = (slice(y, y + rows * grid), slice(x, x + columns * grid))
    inside = alpha >= SELECTED
    if not rows or not columns or (grid == 1 and not _small_and_hard(alpha)):
        return None, 1
    colours = rgb[y::grid, x::grid][inside[y::grid, x::grid]] @ np.array([65536, 256, 1])
    if len(np.unique(colours)) > (_FEW if grid == 1 else _MANY):
        return None, 1
    seen = alpha[part].reshape(rows, grid, columns, grid).mean((1, 3)) >= SELECTED
    if (seen.repeat(grid, 0).repeat(grid, 1) & inside[part]).sum() < 0.8 * inside.sum():
        return None, 1
    own, mask = _trimmed(rgb[part][::grid, ::grid], seen.astype(np.uint8) * 255, margin=0)
    return np.dstack([own, mask]).repeat(grid, 0).repeat(grid, 1), grid


def _grid(rgb: np.ndarray, alpha: np.ndarray) -> tuple[int, int, int]:
    """How many pixels make the largest blocks a picture exactly consists of, 1 if it does not, and the x and y of the
    first whole one. A soft alpha is a model's, and no part of the drawing."""
    hard = np.where(np.isin(alpha, (0, 255)).all(), alpha, 255)[..., None]
    values = np.concatenate([rgb, np.broadcast_to(hard, (*alpha.shape, 1))], 2)
    grid, starts = 0, []
    for axis in (1, 0):
        changes = np.flatnonzero((np.diff(values.view(np.int8), axis=axis) != 0).any((1 - axis, 2))) + 1
        if len(changes) < 3:
            return 1, 0, 0
        grid = int(np.gcd(grid, np.gcd.reduce(np.diff(changes))))
        starts.append(int(changes[0]))
    return grid, starts[0] % grid, starts[1] % grid


def _small_and_hard(alpha: np.ndarray) -> bool:
    sides = [int(np.ptp(np.flatnonzero((alpha >= SELECTED).any(axis)))) + 1 for axis in (0, 1)]
    return max(sides) <= _SMALL and not bool(((alpha > CLEAR) & (alpha < SOLID)).any())


def _grainy(rgb: np.ndarray, alpha: np.ndarray) -> bool:
    """Whether even the calmest parts have the fine unrest that a lens and a sensor, or paper, leave."""
    step = -(-max(alpha.shape) // 640)
    grey = np.asarray(Image.fromarray(rgb).convert("L").reduce(step), np.float32)
    inside = ndimage.minimum_filter(np.asarray(Image.fromarray(alpha).reduce(step)), 5) >= SOLID
    if inside.sum() < 200:
        return False
    around = sum(np.roll(grey, shift, axis) for axis in (0, 1) for shift in (-1, 1)) / 4
    calm, usual = np.percentile(np.abs(grey - around)[inside], (20, 35))
    return bool(calm >= 0.24 and usual >= 0.53)


def _foot(seen: np.ndarray) -> float:
    """The x of the middle of what stands on the ground, bool (h, w), as a share of the width."""
    reach = max(1, round(0.03 * len(seen)))
    low = np.flatnonzero(seen.any(1))[-1] + 1
    columns = np.flatnonzero(seen[max(low - reach, 0) : low].any(0))
    return float((columns[0] + columns[-1] + 1) / 2 / seen.shape[1])
