"""Outlines: SVG path data through points, and the upper edge of a land."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from anystory.sketch.scenery.sheet import Box


@dataclass(frozen=True)
class Edge:
    """The upper edge of a land: its y at any x, and its peaks (x, y, height) where it has some."""

    xs: np.ndarray
    ys: np.ndarray
    peaks: tuple[tuple[float, float, float], ...] = ()

    def __call__(self, x: float) -> float:
        return float(np.interp(x, self.xs, self.ys))


def subdivided(xy: np.ndarray, step: float, closed: bool = True) -> np.ndarray:
    """A polygon, or a line of straight pieces, with points added so that no piece is longer than about `step`."""
    starts, ends = (xy, np.concatenate([xy[1:], xy[:1]])) if closed else (xy[:-1], xy[1:])
    parts = np.maximum(1, np.ceil(np.hypot(*(ends - starts).T) / step)).astype(int)
    pieces = [a + (b - a) * (np.arange(n) / n)[:, None] for a, b, n in zip(starts, ends, parts, strict=True)]
    return np.concatenate(pieces if closed else [*pieces, xy[-1:]])


def path(xy: np.ndarray, smooth: bool, closed: bool = True) -> tuple[str, Box]:
    """SVG path data through the points, and the box it stays in; a smooth one is a Catmull-Rom curve."""
    end = "z" if closed else ""
    if not smooth or len(xy) < 3:
        knots = xy.ravel().tolist()
        return ("M%.2f %.2f" + "L%.2f %.2f" * (len(xy) - 1)) % tuple(knots) + end, box(knots)
    around = np.concatenate([xy[-1:], xy, xy[:2]] if closed else [xy[:1], xy, xy[-1:]])
    # Each stretch from a to b bends as its neighbours before and beyond pull.
    before, a, b, beyond = around[:-3], around[1:-2], around[2:-1], around[3:]
    curves = np.concatenate([a + (b - before) / 6, b - (beyond - a) / 6, b], 1)
    form = "M%.2f %.2f" + "C%.2f %.2f %.2f %.2f %.2f %.2f" * len(curves)
    knots = [*xy[0].tolist(), *curves.ravel().tolist()]
    # A curve stays within its control points.
    return form % tuple(knots) + end, box(knots)


def box(knots: list[float]) -> Box:
    """The box around points, x and y in turn."""
    xs, ys = knots[::2], knots[1::2]
    return min(xs), min(ys), max(xs), max(ys)
