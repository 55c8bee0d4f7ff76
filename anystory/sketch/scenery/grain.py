"""The grain that a medium leaves on a finished picture: pigment that gathers, paper's tooth and fibres, wax."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

import numpy as np
from PIL import Image

from anystory.sketch.scenery.chance import Chance

_BAND = 64
"""Rows that are worked on at once: as many as the processor keeps near."""

_TILE = 512
"""The side of the tile that the finest grain repeats, in pixels."""

_UNIT = 36
"""What the maps, int8, hold for one standard deviation."""


def grained(medium: str, image: np.ndarray, night: bool, chance: Chance) -> np.ndarray:
    """`image`, uint8 (H, W, 3 or 4), with the grain of the medium on its RGB; `chance` says which piece of paper."""
    if medium == "flat":
        return image
    height, width = image.shape[:2]
    shift, mirrored = chance.count(0, max(height, width) - 1), chance.sign()
    maps = [np.roll(_map(name, max(height, width)), shift, 0)[:height, :width][:, ::mirrored] for name in _MAPS[medium]]
    out = image.copy()
    for top in range(0, height, _BAND):
        rows = slice(top, top + _BAND)
        out[rows, :, :3] = _FINISHES[medium](image[rows, :, :3], *(part[rows] for part in maps), night)
    return out


# The maps: how much of something lies at each pixel, of mean 0. Each repeats downwards.


@lru_cache(maxsize=8)
def _map(name: str, side: int) -> np.ndarray:
    """int8 (side, side)."""
    rng = np.random.default_rng(list(name.encode()))
    if name == "tooth":
        repeats = -(-side // _TILE)
        fine = rng.normal(size=(_TILE, _TILE))
        tooth = fine + np.roll(fine, 1, 0) + np.roll(fine, 1, 1) + np.roll(fine, (1, 1), (0, 1))
        return np.tile(_packed(tooth / 2), (repeats, repeats))[:side, :side]
    if name == "pigment":
        small = max(side // 2, 32)
        gathered = (
            0.8 * _clouds(rng, small, 4, 4) + 0.4 * _clouds(rng, small, 11, 11) + 0.25 * _clouds(rng, small, 40, 40)
        )
        return _packed(_resized(gathered, side, side))
    if name == "streaks":
        # A hand's strokes run a little down to the right.
        level = _clouds(rng, side, 155, 15)
        down = (np.arange(side)[:, None] - np.arange(side) // 4) % side
        return _packed(np.take_along_axis(level, down, 0))
    return _packed(0.5 * _clouds(rng, side, 15, 15) + 0.3 * _clouds(rng, side, 80, 45))


def _packed(values: np.ndarray) -> np.ndarray:
    return np.round(values * _UNIT).clip(-127, 127).astype(np.int8)


def _clouds(rng: np.random.Generator, side: int, down: int, across: int) -> np.ndarray:
    """Smooth noise float32 (side, side) of standard deviation 1 with so many bumps `down` and `across`."""
    grown = _resized(rng.normal(size=(down, across)).astype(np.float32), side, side)
    return (grown - grown.mean()) / grown.std()


def _resized(values: np.ndarray, height: int, width: int) -> np.ndarray:
    """`values`, float32, smoothly made larger as if they went on around every edge."""
    edge = 3
    around = Image.fromarray(np.pad(values.astype(np.float32), edge, "wrap"))
    inner = (edge, edge, edge + values.shape[1], edge + values.shape[0])
    return np.asarray(around.resize((width, height), Image.Resampling.BICUBIC, box=inner))


# The finishes: a band of RGB, uint8 (h, w, 3), and the maps' parts beside it.


def _watercolour(colour: np.ndarray, pigment: np.ndarray, tooth: np.ndarray, _: bool) -> np.ndarray:
    deep = colour.astype(np.int16)
    grey = deep.sum(-1, keepdims=True) // 3
    deep = (deep + ((deep - grey) * 23 >> 7)).clip(0, 255)
    return _thickened(_washes(), pigment + tooth * np.float32(0.3), deep)


def _ink(colour: np.ndarray, pigment: np.ndarray, tooth: np.ndarray, _: bool) -> np.ndarray:
    washed = _thickened(_thinned(), pigment, colour).astype(np.int32)
    return (washed + (washed * tooth[..., None] >> 11)).clip(0, 255)


def _paper(colour: np.ndarray, fibres: np.ndarray, tooth: np.ndarray, _: bool) -> np.ndarray:
    uneven = (0.02 / _UNIT) * (fibres + tooth * np.float32(0.6))
    return (colour * (1 + uneven[..., None])).clip(0, 255)


def _crayon(colour: np.ndarray, streaks: np.ndarray, tooth: np.ndarray, night: bool) -> np.ndarray:
    sheet = np.array([43, 46, 69] if night else [252, 247, 232], np.float32)
    # Wax lies thicker where the colour is deep.
    deep = colour.sum(-1, dtype=np.float32) / 765
    open_ = np.clip(0.15 + (0.1 * streaks + 0.13 * tooth) / _UNIT, 0, 0.6).astype(np.float32)
    bare = (0.35 + 0.65 * (deep if not night else 1 - deep)) * open_
    return np.round(colour + (sheet - colour) * bare[..., None])


_MAPS = {
    "watercolour": ("pigment", "tooth"),
    "ink": ("pigment", "tooth"),
    "paper": ("fibres", "tooth"),
    "crayon": ("streaks", "tooth"),
}
_FINISHES: dict[str, Callable[..., np.ndarray]] = {
    "watercolour": _watercolour,
    "ink": _ink,
    "paper": _paper,
    "crayon": _crayon,
}


def _thickened(table: np.ndarray, thick: np.ndarray, colour: np.ndarray) -> np.ndarray:
    """`table` uint8 (256, 256) at the rows `thick` + 128 (h, w) and the columns `colour` (h, w, 3)."""
    rows = (np.clip(thick, -128, 127).astype(np.int16) + 128).astype(np.uint16) << 8
    return table.ravel().take(rows[..., None] | colour.astype(np.uint16), mode="clip")  # without a look at the bounds


@lru_cache
def _washes() -> np.ndarray:
    """What pigment as thick as the row says makes of a colour: light passes it twice, so it is darker and deeper."""
    thick, colour = (np.arange(256)[:, None] - 128) / _UNIT, np.arange(256) / 255
    through = colour ** np.clip(0.92 + 0.1 * thick, 0.1, 2)
    return np.round(255 * (1 - (1 - through) * np.clip(0.93 + 0.03 * thick, 0, 1))).clip(0, 255).astype(np.uint8)


@lru_cache
def _thinned() -> np.ndarray:
    """What a thin wash as thick as the row says makes of a colour."""
    thick, colour = (np.arange(256)[:, None] - 128) / _UNIT, np.arange(256) / 255
    return np.round(255 * colour ** np.clip(1 + 0.14 * thick, 0.6, 1.6)).astype(np.uint8)
