"""How sure a figure is: 95 % intervals beside every share and every mean."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

Z = 1.959964
"""Of 95 % on both sides."""

RESAMPLES = 2000


@dataclass(frozen=True)
class Estimate:
    """`value` of `n` samples, which lies within [`low`, `high`] with 95 % confidence; NaN of none."""

    value: float
    low: float
    high: float
    n: int

    def __str__(self) -> str:
        if not self.n:
            return "–"
        return f"{self.value:.3f} [{self.low:.3f}, {self.high:.3f}]"

    def as_data(self) -> dict[str, float | int | list[float] | None]:
        """For JSON, four digits."""
        if not self.n:
            return {"value": None, "interval": None, "n": 0}
        return {"value": round(self.value, 4), "interval": [round(self.low, 4), round(self.high, 4)], "n": self.n}


NOTHING = Estimate(math.nan, math.nan, math.nan, 0)


def share(hits: Sequence[bool]) -> Estimate:
    """The share of hits, by Wilson's interval, which stays within [0, 1] and is honest for few samples."""
    n = len(hits)
    if not n:
        return NOTHING
    p = float(np.mean(np.asarray(hits, bool)))
    middle = (p + Z**2 / (2 * n)) / (1 + Z**2 / n)
    half = Z / (1 + Z**2 / n) * math.sqrt(p * (1 - p) / n + Z**2 / (4 * n**2))
    return Estimate(p, max(0.0, middle - half), min(1.0, middle + half), n)


def mean(values: Sequence[float], seed: int = 0) -> Estimate:
    """The mean, by the bootstrap's percentiles."""
    data = np.asarray(values, np.float64)
    if not len(data):
        return NOTHING
    picks = np.random.default_rng(seed).integers(len(data), size=(RESAMPLES, len(data)))
    low, high = np.percentile(data[picks].mean(1), [2.5, 97.5])
    return Estimate(float(data.mean()), float(low), float(high), len(data))


def share_difference(first: Sequence[bool], other: Sequence[bool]) -> Estimate:
    """How much larger the share of hits is in `other` than in `first`, on the same samples in the same order, by
    Newcombe's interval for pairs (1998, method 10), which is made of Wilson's two. The bootstrap's would have no width
    where no sample differs, and be too narrow where few do."""
    a, b = np.asarray(first, bool), np.asarray(other, bool)
    if len(a) != len(b):
        raise ValueError(f"{len(a)} samples cannot be paired with {len(b)}; give as many of both.")
    n = len(a)
    if not n:
        return NOTHING
    one, two = share(first), share(other)
    both, neither = int((a & b).sum()), int((~a & ~b).sum())
    alike = both * neither - int((a & ~b).sum()) * int((~a & b).sum())
    if alike > 0:
        alike = max(alike - n / 2, 0)  # for continuity
    spread = math.sqrt(a.sum() * (~a).sum() * b.sum() * (~b).sum())
    phi = alike / spread if spread else 0.0

    def reach(x: float, y: float) -> float:
        return math.sqrt(max(0.0, x**2 - 2 * phi * x * y + y**2))

    value = two.value - one.value
    low = value - reach(two.value - two.low, one.high - one.value)
    high = value + reach(two.high - two.value, one.value - one.low)
    return Estimate(value, max(-1.0, low), min(1.0, high), n)


def ratio(above: Sequence[float], below: Sequence[float], seed: int = 0) -> Estimate:
    """The ratio of two means of independent samples, by the bootstrap's percentiles; `n` counts those above."""
    a, b = np.asarray(above, np.float64), np.asarray(below, np.float64)
    if not len(a) or not len(b) or not b.any():
        return NOTHING
    rng = np.random.default_rng(seed)
    tops = a[rng.integers(len(a), size=(RESAMPLES, len(a)))].mean(1)
    bottoms = b[rng.integers(len(b), size=(RESAMPLES, len(b)))].mean(1)
    low, high = np.percentile(tops / np.maximum(bottoms, 1e-9), [2.5, 97.5])
    return Estimate(float(a.mean() / b.mean()), float(low), float(high), len(a))
