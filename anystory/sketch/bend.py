"""A cut-out bent as one piece, as a puppet of cloth is: its spine is bowed, squashed or stretched, and the picture
follows without tearing. What comes out is a cut-out like any other."""

from __future__ import annotations

import math
import threading
from collections import OrderedDict
from dataclasses import dataclass, replace

import numpy as np
from PIL import Image
from scipy import ndimage

from anystory.sketch.cutout import PIXELS, Cutout

_MARGIN = 4
"""Clear pixels around what is bent, so that its edges stay smooth."""

_CELLS = 18
"""Pieces along the longer side within which the picture is moved evenly."""

_SPINE = 65
"""Points of the spine, from the feet to the top."""

_TIGHTEST = 0.8
"""How far the inner side of a bow may be pressed together: at 1 it would fold over itself."""

CACHE_BYTES = 96_000_000
"""Pixels that are kept for the next time, pictures and bent ones together."""


@dataclass(frozen=True)
class Bend:
    """How a cut-out is bent, before it is mirrored or turned. `bow`: degrees by which its top comes to lean to the
    right of the picture, in [-90, 90], gained evenly between `low` and `high`, shares of its height from the feet;
    what is above stays straight. `sway`: degrees by which the spine swings to the right at a quarter of the height
    and to the left at three quarters. `stretch`: how tall it becomes, in its own heights; its breadth changes so that
    it stays as large. `legs`: how tall what is below `hip`, a share of the height, becomes. The picture's lower edge
    stays level."""

    bow: float = 0.0
    low: float = 0.0
    high: float = 1.0
    sway: float = 0.0
    stretch: float = 1.0
    legs: float = 1.0
    hip: float = 0.45

    def mirrored(self) -> Bend:
        """The same to the other side."""
        return replace(self, bow=0.0 - self.bow, sway=0.0 - self.sway)


STRAIGHT = Bend()
"""As the picture is."""


def bent(cutout: Cutout, bend: Bend) -> Cutout:
    """The cut-out in its bend, at the scale it had, trimmed to what is seen. Pixel art, whose pixels would break, and
    whoever a picture's edge cuts stay as they are. The same cut-out and bend give the same object while they are
    remembered."""
    if bend == STRAIGHT or cutout.kind == PIXELS or cutout.cut:
        return cutout
    pixels, foot = _kept.get(cutout, bend)
    return replace(cutout, pixels=pixels, foot=foot)


def tallness(cutout: Cutout, bend: Bend) -> float:
    """How tall the bent cut-out is, in heights of the picture as it was."""
    return bent(cutout, bend).pixels.shape[0] / cutout.pixels.shape[0]


class _Kept:
    """Bent pixels by picture and bend, the longest unused forgotten first. A picture is known by being the same
    array, which is kept with what was made of it; threads may share this."""

    def __init__(self, limit: int) -> None:
        self.limit, self.bytes = limit, 0
        self._entries: OrderedDict[tuple[int, Bend], tuple[np.ndarray, np.ndarray, float]] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, cutout: Cutout, bend: Bend) -> tuple[np.ndarray, float]:
        key = (id(cutout.pixels), bend)
        with self._lock:
            if key in self._entries:
                self._entries.move_to_end(key)
                return self._entries[key][1:]
        pixels, foot = _bent(cutout, bend)
        with self._lock:
            if key not in self._entries:
                self._entries[key] = (cutout.pixels, pixels, foot)
                self.bytes += cutout.pixels.nbytes + pixels.nbytes
            made = self._entries[key][1:]
            while self.bytes > self.limit:
                _, (source, old, _) = self._entries.popitem(last=False)
                self.bytes -= source.nbytes + old.nbytes
        return made


_kept = _Kept(CACHE_BYTES)


@dataclass(frozen=True, eq=False)
class _Spine:
    """Points of the bent spine: `x`, `y` (up, from the feet) and `lean` (radians to the right) float (n,), and `share`,
    the height of each in the picture, 0 its lower edge, 1 its upper. All in heights of the picture."""

    share: np.ndarray
    x: np.ndarray
    y: np.ndarray
    lean: np.ndarray


def _spine(bend: Bend, half: float) -> _Spine:
    """`half`: half the breadth of the picture, in its heights."""
    share = np.linspace(0, 1, _SPINE)
    step = 1 / (_SPINE - 1)
    rising = np.clip((share - bend.low) / max(bend.high - bend.low, 1e-6), 0, 1)
    eased = rising * rising * (3 - 2 * rising)
    lean = np.radians(bend.bow * eased + bend.sway * np.sin(2 * np.pi * share) * np.minimum(share / 0.15, 1))
    soft = np.clip((share - bend.hip) / 0.12 + 0.5, 0, 1)
    tall = bend.stretch * (bend.legs + (1 - bend.legs) * soft)
    middle = (tall[1:] + tall[:-1]) / 2 * step
    curve = np.abs(np.diff(lean)) / middle
    lean = lean * min(1.0, _TIGHTEST / max(float(curve.max()) * half, 1e-9))
    along = (lean[1:] + lean[:-1]) / 2
    x = np.concatenate([[0.0], np.cumsum(np.sin(along) * middle)])
    y = np.concatenate([[0.0], np.cumsum(np.cos(along) * middle)])
    return _Spine(share, x, y, lean)


def _bent(cutout: Cutout, bend: Bend) -> tuple[np.ndarray, float]:
    """The pixels, trimmed, and the x of the middle of the feet as a share of their width."""
    height, width = cutout.pixels.shape[:2]
    weight = cutout.pixels[::4, ::4, 3].sum(0, dtype=np.float64)
    axis = float((np.arange(len(weight)) * 4 + 2) @ weight / max(weight.sum(), 1))
    broad = bend.stretch**-0.5
    half = max(axis, width - axis) * broad / height
    spine = _spine(bend, half)
    left, bottom, right, top = (side * height for side in _bounds(spine, axis / height, width / height, broad))
    size = (math.ceil(right - left) + 2 * _MARGIN, math.ceil(top - bottom) + 2 * _MARGIN)
    step = max(1.0, max(size) / _CELLS)  # of a small figure: no cell is less than a pixel
    columns, rows = (np.linspace(0, side, math.ceil(side / step) + 1).round().astype(int) for side in size)
    across = (columns[None] - _MARGIN + left) / height
    up = (top + _MARGIN - rows[:, None]) / height
    u, share = _unbent(spine, *np.broadcast_arrays(across, up))
    x = axis + u * height / broad + _MARGIN
    y = (1 - share) * height + _MARGIN
    mesh = [
        (
            (int(columns[c]), int(rows[r]), int(columns[c + 1]), int(rows[r + 1])),
            tuple(float(at[i, j]) for i, j in ((r, c), (r + 1, c), (r + 1, c + 1), (r, c + 1)) for at in (x, y)),
        )
        for r in range(len(rows) - 1)
        for c in range(len(columns) - 1)
    ]
    source = Image.fromarray(np.pad(cutout.pixels, ((_MARGIN, _MARGIN), (_MARGIN, _MARGIN), (0, 0))))
    smooth, crisp = (
        np.array(source.transform(size, Image.Transform.MESH, mesh, how))
        for how in (Image.Resampling.BILINEAR, Image.Resampling.BICUBIC)
    )
    # The crisper one overshoots where what is seen ends: a pale seam.
    inside = ndimage.minimum_filter(smooth[..., 3], 5) == 255
    pixels = np.where(inside[..., None], crisp, smooth)
    pixels[pixels[..., 3] < 3] = 0
    seen = [np.flatnonzero(pixels[..., 3].any(axis)) for axis in (1, 0)]
    pixels = np.ascontiguousarray(pixels[seen[0][0] : seen[0][-1] + 1, seen[1][0] : seen[1][-1] + 1])
    foot = (cutout.foot * width - axis) * broad
    return pixels, min(max((foot - left + _MARGIN - float(seen[1][0])) / pixels.shape[1], 0.0), 1.0)


def _bounds(spine: _Spine, axis: float, width: float, broad: float) -> tuple[float, float, float, float]:
    """The box around the bent picture, from the foot of its spine, in heights of the picture: left, bottom, right,
    top."""
    sides = np.array([-axis, width - axis])[:, None] * broad
    x = spine.x + sides * np.cos(spine.lean)
    y = spine.y - sides * np.sin(spine.lean)
    return float(x.min()), float(y.min()), float(x.max()), float(y.max())


def _unbent(spine: _Spine, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Where points of the bent picture, float (h, w), were: how far right of the spine, and at which share of the
    height. Beyond its ends the spine goes on straight."""
    ends = [(spine.x[i], spine.y[i], spine.lean[i], spine.share[i]) for i in (0, -1)]
    reach = 1.5
    points = np.concatenate(
        [
            [[ends[0][0] - reach * math.sin(ends[0][2]), ends[0][1] - reach * math.cos(ends[0][2])]],
            np.stack([spine.x, spine.y], 1),
            [[ends[1][0] + reach * math.sin(ends[1][2]), ends[1][1] + reach * math.cos(ends[1][2])]],
        ]
    )
    lean = np.concatenate([[ends[0][2]], spine.lean, [ends[1][2]]])
    share = np.concatenate([[-reach], spine.share, [1 + reach]])
    dx, dy = x.reshape(-1, 1) - points[:, 0], y.reshape(-1, 1) - points[:, 1]
    ahead = dx * np.sin(lean) + dy * np.cos(lean)  # above 0: further along the spine than this point of it
    beside = dx * np.cos(lean) - dy * np.sin(lean)
    crosses = (ahead[:, :-1] >= 0) & (ahead[:, 1:] < 0)
    # Of several places whose line across goes through the point, the nearest to the spine.
    cost = np.where(crosses, np.abs(beside[:, :-1]), np.inf)
    at = cost.argmin(1)
    rows = np.arange(len(at))
    part = ahead[rows, at] / np.maximum(ahead[rows, at] - ahead[rows, at + 1], 1e-12)
    part = np.clip(part, 0, 1)

    def between(values: np.ndarray) -> np.ndarray:
        return values[rows, at] * (1 - part) + values[rows, at + 1] * part

    found = np.isfinite(cost[rows, at])
    u = np.where(found, between(beside), 1e3)
    s = np.where(found, share[at] * (1 - part) + share[at + 1] * part, -1e3)
    return u.reshape(x.shape), s.reshape(x.shape)
