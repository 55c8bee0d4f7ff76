"""A guess at which way a drawn character looks, from its silhouette alone: made where it is all but sure, else not.

Animals on all fours, and long-necked ones, carry their heads before their bodies. Where the upper quarter of a figure
is one narrow part far to a side of it, over a body that reaches the other way on feet that stand apart, the head is on
that side. Of the 332 beings among the library's drawings of which it is known where they look, it is made for 12, and
right of all; of those in three other sets of drawings (Fluent, Twemoji, OpenMoji), for 29, and right of 27: the wrong
ones sit in a wheelchair.
"""

from __future__ import annotations

import numpy as np

_BANDS = (0.15, 0.25, 0.35)
"""Shares of the height, from the top, in which the head is: in each it has to be to the same side."""

_ASIDE = 0.15
"""How far from the figure's middle the head is at least, in widths."""

_NARROW = 0.55
"""How broad the upper quarter is at most, in widths: a head, and no tail beside it."""

_STANCE = 0.4
"""How broad what stands on the ground is at least, in widths: feet, no tip of a raised body."""

_BODY = 0.35
"""How much of its box a figure fills at least: insects are all legs and wings."""

_LEAST_ASPECT = 0.8
"""Who is narrower than this beside its height stands upright, and its hair or hat leans as it likes."""


def guessed(seen: np.ndarray) -> str:
    """Where the figure of a silhouette looks: "left", "right", or "" where that cannot be told. `seen` bool (h, w),
    trimmed to the figure. A mirrored silhouette gets the mirrored guess."""
    height, width = seen.shape
    if width < _LEAST_ASPECT * height or seen.mean() < _BODY:
        return ""
    heads = [_aside(seen[: max(1, round(share * height))]) for share in _BANDS]
    body = _aside(seen[height // 2 :])
    side = 1 if heads[0] > 0 else -1
    if min(side * head for head in heads) < _ASIDE or side * body > 0:
        return ""
    if _span(seen[: max(1, round(0.25 * height))]) > _NARROW or _span(seen[-max(1, round(0.06 * height)) :]) < _STANCE:
        return ""
    return "right" if side > 0 else "left"


def _aside(part: np.ndarray) -> float:
    """The middle of what is seen in bool (h, w), as a share of the width right of the box's middle."""
    columns = part.sum(0)
    middles = (np.arange(len(columns)) + 0.5) / len(columns) - 0.5
    return float(columns @ middles / max(columns.sum(), 1))


def _span(part: np.ndarray) -> float:
    """The share of the width from the first column in which something is seen to the last."""
    columns = np.flatnonzero(part.any(0))
    return float(np.ptp(columns) + 1) / part.shape[1] if len(columns) else 0.0
