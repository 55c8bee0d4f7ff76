"""What the hand that paints the place makes of the people in it: the medium's edges and lines around a cut-out."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

import numpy as np
from PIL import Image, ImageFilter
from scipy import ndimage

from anystory.sketch.cutout import PHOTOGRAPH, PIXELS
from anystory.sketch.patch import Patch, bands

_INK = np.array([46, 40, 54], np.float32)
_PAPER = np.array([252, 249, 241], np.float32)

REACH = {"ink": 0.55, "paper": 0.75}
"""How far beyond the cut-out a medium draws, in percent of the frame."""


def in_medium(patch: Patch, medium: str, kind: str, unit: float) -> Patch:
    """A figure as the medium has it, in its own colours still. `unit`: pixels in one percent of the frame. Pixel art is
    left as it is, but for the paper it may be glued on."""
    if kind == PHOTOGRAPH and medium != "flat":
        patch = _calmed(patch, medium, unit)
    elif kind == PIXELS and medium != "paper":
        return patch
    hand = _HANDS.get(medium)
    return hand(patch, unit) if hand else patch


def _watercolour(patch: Patch, unit: float) -> Patch:
    """Pigment gathers where the wash dries last, at its edge; the edge itself is a little wet."""
    shape = patch.alpha
    alpha, near = _blurred(shape, 0.07 * unit), _blurred(shape, 0.28 * unit)

    def colour(rows: slice) -> np.ndarray:
        pooled = np.clip(1.5 * (shape[rows] * (1 - near[rows])), 0, 1)
        worn = (0.05 + 0.06 * _noise(patch, 2.6 * unit, rows)).clip(0, 1)
        part = _colour(patch, rows)
        part += (255 - part) * worn[..., None]
        part *= 1 - pooled[..., None] * np.array([0.5, 0.5, 0.4], np.float32)
        return part

    return _painted(patch, colour, np.minimum(alpha, 1, out=alpha))


def _ink(patch: Patch, unit: float) -> Patch:
    """A pen line around the silhouette, thicker where the pen pressed."""
    patch = patch.padded(round(REACH["ink"] * unit) + 2)
    alpha = patch.alpha
    line = np.maximum(_grown(alpha, 0.3 * unit), np.roll(_grown(alpha, 0.22 * unit), _steps(0.16 * unit), (0, 1)))

    def colour(rows: slice) -> np.ndarray:
        part = _colour(patch, rows)
        part += (255 - part) * 0.06
        return _INK + (part - _INK) * alpha[rows, :, None]

    return _painted(patch, colour, np.maximum(alpha, 0.92 * line))


def _paper(patch: Patch, unit: float) -> Patch:
    """Cut out of a sheet: a narrow white edge all around."""
    patch = patch.padded(round(REACH["paper"] * unit) + 2)
    alpha = patch.alpha

    def colour(rows: slice) -> np.ndarray:
        return _PAPER + (_colour(patch, rows) - _PAPER) * alpha[rows, :, None]

    return _painted(patch, colour, np.maximum(alpha, _grown(alpha, 0.3 * unit)))


def _crayon(patch: Patch, unit: float) -> Patch:
    """A thick waxy line along the inside of the edge, broken where the paper is low, and a ragged edge."""
    alpha = patch.alpha
    grain = _noise(patch, 0.28 * unit)
    wax = alpha * np.clip(2.4 * (1 - _blurred(alpha, 0.42 * unit)), 0, 1) * np.clip(0.72 + 0.3 * grain, 0, 1)
    around = _around(patch, round(unit) + 1)

    def colour(rows: slice) -> np.ndarray:
        part = _colour(patch, rows)
        deep = (0.5 * part + 0.5 * around[rows]) * 0.5 + np.array([14, 12, 28], np.float32)
        part += (deep - part) * wax[rows, :, None] * 0.85
        return part

    ragged = np.clip(alpha * (1.25 + 0.35 * grain) - 0.25 * (alpha < 1), 0, 1)
    return _painted(patch, colour, np.where(alpha < 1, np.minimum(ragged, alpha), alpha))


_HANDS = {"watercolour": _watercolour, "ink": _ink, "paper": _paper, "crayon": _crayon}


def _calmed(patch: Patch, medium: str, unit: float) -> Patch:
    """A photograph with its small unrest smoothed and its tones gathered as by a brush; edges stay, and so do faces."""
    alpha = np.maximum(patch.alpha, 1e-3)
    side = max(3, round(0.9 * unit))

    def mean_of(values: np.ndarray) -> np.ndarray:
        return ndimage.uniform_filter(values, side, mode="constant")

    weight = mean_of(alpha) + 1e-4
    mean = np.empty((*alpha.shape, 3), np.float32)
    for channel in range(3):
        mean[..., channel] = mean_of(patch.pixels[..., channel].astype(np.float32) * alpha) / weight
    grey = np.empty_like(alpha)
    for rows in bands(len(grey)):
        grey[rows] = _colour(patch, rows).mean(-1)
    square = mean_of(grey * grey * alpha) / weight

    def colour(rows: slice) -> np.ndarray:
        part, around = _colour(patch, rows), mean[rows]
        spread = (square[rows, :, None] - around.mean(-1, keepdims=True) ** 2).clip(0)
        # Where a neighbourhood varies little it is filled evenly, where it varies much it is kept (a guided filter).
        detail = spread / (spread + 120)
        calm = around + (part - around) * (0.15 + 0.85 * detail)
        grey = calm.mean(-1, keepdims=True)
        step = 255 / 9
        gathered = (np.floor(grey / step) + _eased(grey / step % 1)) * step
        strength = {"watercolour": 0.6, "ink": 0.7, "paper": 0.75, "crayon": 0.5}[medium]
        calm += (gathered - grey) * strength
        return calm.mean(-1, keepdims=True) + (calm - calm.mean(-1, keepdims=True)) * 1.12

    return _painted(patch, colour, patch.alpha)


def _eased(share: np.ndarray) -> np.ndarray:
    return share * share * share * (share * (6 * share - 15) + 10)


def _colour(patch: Patch, rows: slice) -> np.ndarray:
    """float32 (h, w, 3): the colours of some rows."""
    return patch.pixels[rows, :, :3].astype(np.float32)


def _around(patch: Patch, side: int) -> np.ndarray:
    """float32 (h, w, 3): the mean colour of the square of `side` pixels about each."""
    mean = np.empty((*patch.pixels.shape[:2], 3), np.float32)
    for channel in range(3):
        mean[..., channel] = ndimage.uniform_filter(patch.pixels[..., channel].astype(np.float32), side)
    return mean


def _painted(patch: Patch, colour: Callable[[slice], np.ndarray], alpha: np.ndarray) -> Patch:
    """The patch with another `alpha` (h, w) in [0, 1], and of another `colour` (h, w, 3), 0 to 255, given a few rows at
    a time: a figure of a printed page has ten million pixels, and floats of all of them take much memory."""
    pixels = np.empty_like(patch.pixels)
    for rows in bands(len(pixels)):
        pixels[rows, :, 3] = np.rint((alpha[rows] * 255).clip(0, 255))
        pixels[rows, :, :3] = np.rint(colour(rows).clip(0, 255))
    return Patch(pixels, patch.x, patch.y)


def _blurred(shape: np.ndarray, radius: float) -> np.ndarray:
    """A shape (h, w) in [0, 1] blurred; beyond its edge there is nothing."""
    return ndimage.gaussian_filter(shape, radius, mode="constant", truncate=2.5)


def _grown(shape: np.ndarray, by: float) -> np.ndarray:
    """A shape (h, w) in [0, 1] larger by `by` pixels all around, with a soft edge."""
    grown = np.round(shape * 255).astype(np.uint8)
    whole = int(by)
    if whole:  # not PIL's MaxFilter: it looks at the whole square for each pixel
        grown = ndimage.maximum_filter(grown, 2 * whole + 1, mode="nearest")
    blur = Image.fromarray(grown).filter(ImageFilter.GaussianBlur(0.6 + by - whole))
    return np.clip(np.asarray(blur, np.float32) / 255 * (1.5 + by - whole), 0, 1)


def _steps(by: float) -> tuple[int, int]:
    return (max(1, round(by)),) * 2


def _noise(patch: Patch, cell: float, rows: slice = slice(None)) -> np.ndarray:
    """Smooth noise about 0 with bumps of `cell` pixels, fixed to the frame: those `rows` of (h, w)."""
    height, width = patch.pixels.shape[:2]
    down = (np.arange(patch.y, patch.y + height)[rows] / cell).astype(np.float32)
    across = (np.arange(patch.x, patch.x + width) / cell).astype(np.float32)
    tile = _tile()
    side = len(tile)

    def between(at: np.ndarray, axis: int, values: np.ndarray) -> np.ndarray:
        low = np.floor(at).astype(int)
        share = (at - low).reshape((-1, 1) if axis == 0 else (1, -1))
        return np.take(values, low % side, axis) * (1 - share) + np.take(values, (low + 1) % side, axis) * share

    return between(across, 1, between(down, 0, tile))


@lru_cache(maxsize=1)
def _tile() -> np.ndarray:
    return np.random.default_rng(0).normal(size=(128, 128)).astype(np.float32)
