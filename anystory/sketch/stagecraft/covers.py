"""What of a painted place somebody can be behind, beside or on: its layers, seen through the frame's window."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from anystory.sketch.cutout import Cutout
from anystory.sketch.scenery import Painting
from anystory.sketch.scenery.sheet import Mark, Sheet
from anystory.sketch.stagecraft.camera import Camera
from anystory.sketch.stagecraft.figure import FACE, solid
from anystory.sketch.things.words import forms
from anystory.sketch.words import things

ROWS = 64
"""Rows of the grid over the frame on which covers are kept; its fields are square."""

_SIDE = 96
_CLEAR = 0.012
"""Which share of the frame something of the background takes at least, so that it counts as shown."""

_HIDDEN = (0.34, 0.66)
"""Which share of somebody is hidden at least and at most who is behind something."""

_COVERED = 0.08
"""And how much of that at least by what they are behind: the rest may be below the frame's edge."""

_HIDDEN_OF_BUST, _EDGE_OF_BUST = 0.45, 0.06
"""How much of a bust is hidden at most, and how high the strip along its cut edge is that has to be, in its heights."""

_WHOLE = (0.0, 0.0, 1.0, 1.0)

Span = tuple[float, float]


@dataclass(frozen=True, eq=False)
class Cover:
    """A layer in the frame. `name` as the layer's, `line` the y of the frame on which it stands, `seen` bool
    (ROWS, columns): where it is opaque."""

    name: str
    line: float
    seen: np.ndarray

    def runs(self) -> list[Span]:
        """From where to where in x, in frame heights, its parts reach, from the left to the right."""
        edges = np.flatnonzero(np.diff(np.pad(self.seen.any(0).astype(np.int8), 1)))
        return [(a / ROWS, b / ROWS) for a, b in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True)]

    def run(self, middle: float) -> Span | None:
        """The part that is nearest to an x; one of less than a field or two counts for none."""
        runs = [run for run in self.runs() if run[1] - run[0] > 2 / ROWS]
        return min(runs, key=lambda run: abs((run[0] + run[1]) / 2 - middle), default=None)

    def top(self, left: float, right: float) -> float:
        """The y of its upper edge between two x's: the middle one of its columns'."""
        columns = self.seen[:, max(int(left * ROWS), 0) : max(int(right * ROWS), int(left * ROWS) + 1)]
        columns = columns[:, columns.any(0)]
        return float(np.median(columns.argmax(0))) / ROWS if columns.size else self.line

    def hides(self, left: float, top: float, right: float, bottom: float) -> float:
        """Which share of a box (x in frame heights) it covers."""
        part = self.seen[max(int(top * ROWS), 0) : int(bottom * ROWS), max(int(left * ROWS), 0) : int(right * ROWS)]
        return float(part.mean()) if part.size else 0.0


def silhouette(sheet: Sheet) -> np.ndarray:
    """Where a sheet of the whole place is opaque: bool (_SIDE, _SIDE)."""
    return _silhouette(tuple(sheet.marks))


@functools.lru_cache(maxsize=64)
def _silhouette(marks: tuple[Mark, ...]) -> np.ndarray:
    pixels, _ = Sheet(0.0, "", list(marks)).render(_SIDE, _SIDE, _WHOLE)
    return pixels[..., 3] >= 128


def focus(painting: Painting, words: Sequence[str]) -> float:
    """The x, as a share of the square, of the first layer that one of `words` means; the middle if none does."""
    for sheet in painting.sheets[1:]:
        if sheet.name and any(means(word, sheet.name) for word in words):
            columns = np.flatnonzero(silhouette(sheet).any(0))
            return float(columns.mean() + 0.5) / _SIDE if len(columns) else 0.5
    return 0.5


def covers(painting: Painting, camera: Camera, aspect: float) -> list[Cover]:
    """The named layers of a place that are in the frame, from the back to the front."""
    named = (_in_the_frame(sheet, camera, aspect) for sheet in painting.sheets[1:] if sheet.name)
    return [cover for cover in named if cover.seen.any()]


def _in_the_frame(sheet: Sheet, camera: Camera, aspect: float) -> Cover:
    """What of a sheet is seen; of one of the background the line is its lower edge."""
    x0, y0, x1, y1 = camera.window
    columns = max(round(ROWS * aspect), 1)
    across = ((np.arange(columns) + 0.5) / columns * (x1 - x0) + x0) * _SIDE
    down = ((np.arange(ROWS) + 0.5) / ROWS * (y1 - y0) + y0) * _SIDE
    fields = np.ix_(np.clip(down.astype(int), 0, _SIDE - 1), np.clip(across.astype(int), 0, _SIDE - 1))
    seen = silhouette(sheet)[fields]
    lowest = (int(np.flatnonzero(seen.any(1)).max(initial=0)) + 1) / ROWS
    return Cover(sheet.name, camera.down(sheet.depth) if sheet.depth else lowest, seen)


def fixture(painting: Painting, camera: Camera, aspect: float, word: str) -> Cover | None:
    """What `word` means of what the painting shows as a part of its background, such as a window or a blackboard, so
    that it can be seen well: the largest of several. Nobody is behind it."""
    found = [_in_the_frame(part, camera, aspect) for name, part in painting.parts if means(word, name)]
    return max(filter(_is_clear, found), key=lambda cover: cover.seen.sum(), default=None)


def _is_clear(cover: Cover) -> bool:
    """Whether enough of a cover is in the frame to be seen."""
    return bool(cover.seen.sum() > _CLEAR * cover.seen.size)


def means(word: str, name: str) -> bool:
    """Whether a word of a line, or what is read of it, means a layer: "tree" a pine tree, "stone" rocks."""
    parts = [frozenset(forms(part, "en")) for part in word.lower().split()]
    meanings = _meanings(name)
    return word in meanings or (bool(parts) and all(part & meanings for part in parts))


@functools.cache
def _meanings(name: str) -> frozenset[str]:
    """The words of a layer's name, singular too, and the concepts that reading has for it."""
    parts = name.lower().split()
    called = {form for start in range(len(parts)) for form in forms(" ".join(parts[start:]), "en")}
    single = {form for part in parts for form in forms(part, "en")}
    return frozenset(single | {_concepts()[form] for form in called if form in _concepts()})


@functools.cache
def _concepts() -> dict[str, str]:
    """What is read of each English noun."""
    return {word: kind.concept for kind in reversed(things()) for word in kind.words["en"]}


@dataclass(frozen=True)
class Hideout:
    """A place behind a cover: the middle `x` of a figure, its `height`, the y of its `bottom` and its ground line."""

    x: float
    height: float
    bottom: float
    line: float


def hideout(
    cutout: Cutout, height: float, wish: float, choice: Iterable[Cover], taken: Sequence[Span], ground: float
) -> Hideout | None:
    """Where a cut-out that is usually `height` tall is a third to two thirds hidden and something of its face is seen:
    as near to half hidden, as tall and as near to the x `wish` as can be. None if nothing of `choice` hides it so.
    `taken`: where others are already; `ground`: the highest line on which one can stand."""
    best: tuple[float, Hideout] | None = None
    for cover in choice:
        line = max(cover.line - 0.006, ground)
        if line > cover.line:
            continue
        # Behind what stands below the frame's edge one can be lower than the ground: it is out of sight.
        for share, sunk in itertools.product((1.0, 0.86, 0.74, 0.62, 0.5), (0.0, 0.1, 0.2) if line > 1 else (0.0,)):
            smaller = 0.4 * (1 - share)
            if best is not None and best[0] <= smaller:
                break
            found = _behind(cover, cutout, height * share, line + sunk, wish, taken)
            if found and (best is None or found[0] + smaller < best[0]):
                best = found[0] + smaller, Hideout(found[1], height * share, line + sunk, line)
    return best[1] if best else None


def hideout_of_bust(
    cutout: Cutout, height: float, wish: float, choice: Iterable[Cover], taken: Sequence[Span]
) -> Hideout | None:
    """Where a bust that is usually `height` tall looks out from behind something that hides its cut edge: as tall and
    as near to the x `wish` as can be, its face free. None if nothing of `choice` is broad enough for that."""
    best: tuple[float, Hideout] | None = None
    for cover in choice:
        rows = np.flatnonzero(cover.seen.any(1))
        bottoms = [(row + 1) / ROWS for row in rows.tolist()]
        for share, bottom in itertools.product((0.9, 0.75, 0.62, 0.5, 0.4), bottoms):
            smaller = 0.4 * (1 - share) + 0.6 * max(cover.line - bottom, 0.0)  # nobody's head is in a treetop
            if best is not None and best[0] <= smaller:
                continue
            found = _behind(cover, cutout, height * share, bottom, wish, taken, bust=True)
            if found and (best is None or found[0] + smaller < best[0]):
                best = found[0] + smaller, Hideout(found[1], height * share, bottom, cover.line - 0.006)
    return best[1] if best else None


def _behind(
    cover: Cover,
    cutout: Cutout,
    height: float,
    bottom: float,
    wish: float,
    taken: Sequence[Span],
    bust: bool = False,
) -> tuple[float, float] | None:
    """The x at which a cut-out of this height with its feet at `bottom` is hidden best, after the cost of it; of a bust
    the whole lower edge has to be out of sight."""
    rows = round(height * ROWS)
    columns = max(round(rows * cutout.pixels.shape[1] / cutout.pixels.shape[0]), 1)
    first = round(bottom * ROWS) - rows
    if rows < 6 or not 0 <= first < ROWS or columns > cover.seen.shape[1]:
        return None
    figure = _sampled(solid(cutout), rows, columns)
    behind = np.pad(cover.seen, ((0, max(first + rows - ROWS, 0)), (0, 0)), constant_values=True)
    windows = np.lib.stride_tricks.sliding_window_view(behind[first : first + rows], columns, axis=1)
    by_row = np.einsum("rpc,rc->pr", windows, figure, dtype=np.float32)
    face = round(rows * FACE)
    hidden = by_row.sum(1) / max(figure.sum(), 1)
    face_hidden = by_row[:, :face].sum(1) / max(figure[:face].sum(), 1)
    wide = columns / ROWS
    x = np.arange(len(hidden)) / ROWS + wide / 2
    crowded = sum(np.clip(np.minimum(x + wide / 2, b) - np.maximum(x - wide / 2, a), 0, None) for a, b in taken)
    if bust:
        edge = max(round(_EDGE_OF_BUST * rows), 2)
        bare = 1 - by_row[:, -edge:].sum(1) / max(figure[-edge:].sum(), 1)
        fits = (bare < 1e-6) & (hidden <= _HIDDEN_OF_BUST)
        cost = np.abs(hidden - 0.25)
    else:
        inside = by_row[:, : ROWS - first].sum(1) / max(figure.sum(), 1)  # by the cover, not by the frame's edge
        fits = (hidden >= _HIDDEN[0]) & (hidden <= _HIDDEN[1]) & (face_hidden <= 0.6) & (inside >= _COVERED)
        cost = np.abs(hidden - 0.5)
    cost = np.where(fits, cost + 0.15 * np.abs(x - wish) + 3 * crowded / wide, np.inf)
    at = int(cost.argmin())
    return (float(cost[at]), float(x[at])) if np.isfinite(cost[at]) else None


def wall(choice: Iterable[Cover], line: float, middle: float) -> tuple[Cover, float] | None:
    """The cover that is tall enough to climb, and the x of its tallest part nearest to `middle`."""
    for cover in choice:
        rows = cover.seen[max(int((line - 0.5) * ROWS), 0) : max(int((line - 0.08) * ROWS), 1)]
        tall = np.flatnonzero(rows.mean(0) > 0.6)
        if len(tall):
            x = (tall + 0.5) / ROWS
            return cover, float(x[np.abs(x - middle).argmin()])
    return None


def open_span(found: Iterable[Cover], line: float, aspect: float) -> Span:
    """Between which x's nothing in front of the line covers faces; never less than the middle half."""
    shut = np.zeros(max(round(ROWS * aspect), 1), bool)
    for cover in found:
        if cover.line > line:
            shut |= cover.seen[int(0.25 * ROWS) : int(0.72 * ROWS)].mean(0) > 0.12
    columns = np.flatnonzero(shut)
    left = columns[columns < len(shut) / 2].max(initial=-1) + 1
    right = columns[columns >= len(shut) / 2].min(initial=len(shut))
    return min(left / ROWS, 0.25 * aspect), max(right / ROWS, 0.75 * aspect)


def _sampled(mask: np.ndarray, rows: int, columns: int) -> np.ndarray:
    down = ((np.arange(rows) + 0.5) * mask.shape[0] / rows).astype(int)
    across = ((np.arange(columns) + 0.5) * mask.shape[1] / columns).astype(int)
    return mask[np.ix_(down, across)]
