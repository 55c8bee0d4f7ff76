"""Puts blocks beside each other: nobody's face is covered, everybody as near as can be to where they belong."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

NEVER = -1e9
TIGHT = 1.2
"""Which part of the room is needed, nobody knows how much more, where those who are not moved leave too little."""

OVERLAP = 0.22
"""The most of the smaller one's box that another box may cover."""


@dataclass
class Block:
    """Somebody, or some who are put down together. `x` is their middle: where they should be until `line_up` has said
    where they are. `left` and `right` reach from there to their sides. `top` and `bottom` are y's, `face` the y down to
    which they must not be covered, `line` that of the ground, the larger the nearer. `weight`: how much they belong
    where they should be; `FIXED` for those who are not moved."""

    x: float
    left: float
    right: float
    top: float
    bottom: float
    face: float
    line: float
    weight: float = 1.0


FIXED = 1e6


def apart(a: Block, b: Block, gap: float) -> float:
    """How far b's middle has to be to the right of a's; `NEVER` where it does not matter."""
    both = min(a.bottom, b.bottom) - max(a.top, b.top)
    if both <= 0:
        return NEVER
    full = a.right + b.left
    front, back = (a, b) if a.line > b.line else (b, a)
    if front.top < back.face:
        return full + gap
    area = min((block.left + block.right) * (block.bottom - block.top) for block in (a, b))
    allowed = OVERLAP * area / both
    narrow = min(a.left + a.right, b.left + b.right)
    return NEVER if allowed >= narrow else full - allowed


def line_up(blocks: Sequence[Block], left: float, right: float, gap: float) -> tuple[list[float], float]:
    """Where the middles of blocks are that stand in this order between `left` and `right`: as near as can be (weighted
    least squares) to where they should be; and which part of the room they need: with more than 1 of it they keep their
    order and cover each other."""
    # Offsets keep everyone apart from all before; shifts that never fall from one to the next do the rest.
    needs: list[list[float]] = []
    offsets: list[float] = []
    for j, block in enumerate(blocks):
        least = [NEVER if block.weight == other.weight == FIXED else apart(other, block, gap) for other in blocks[:j]]
        after = offsets[-1] + min(block.x - blocks[j - 1].x, 0.02) if j else 0.0
        offsets.append(max([after, *(offset + apart_by for offset, apart_by in zip(offsets, least, strict=True))]))
        needs.append(least)
    loose = [(block, offset) for block, offset in zip(blocks, offsets, strict=True) if block.weight < FIXED]
    low = max((left + block.left - offset for block, offset in loose), default=NEVER)
    high = min((right - block.right - offset for block, offset in loose), default=-NEVER)
    need = 1 - (high - low) / (right - left)
    wanted = [block.x - offset for block, offset in zip(blocks, offsets, strict=True)]
    shifts = _rising(wanted, [block.weight for block in blocks])
    places = [
        block.x if block.weight == FIXED else offset + min(max(shift, low), max(high, low))
        for block, offset, shift in zip(blocks, offsets, shifts, strict=True)
    ]
    if need > 1:
        return [
            x if b.weight == FIXED else max(min(x, right - b.right), left + b.left)
            for x, b in zip(places, blocks, strict=True)
        ], need
    clear = all(places[j] - places[i] >= by - 1e-6 for j, least in enumerate(needs) for i, by in enumerate(least))
    return places, need if clear else TIGHT


def _rising(values: Sequence[float], weights: Sequence[float]) -> list[float]:
    """Isotonic regression: the nearest values that never fall (pool adjacent violators)."""
    pools: list[tuple[float, float, int]] = []
    for value, weight in zip(values, weights, strict=True):
        pool = (value, weight, 1)
        while pools and pools[-1][0] > pool[0]:
            before = pools.pop()
            total = before[1] + pool[1]
            pool = ((before[0] * before[1] + pool[0] * pool[1]) / total, total, before[2] + pool[2])
        pools.append(pool)
    return [value for value, _, count in pools for _ in range(count)]
