"""Which actions bend which kind of cut-out, and how: a figure that leans from the hip bows, one that only tilts falls
over.

Each was looked at on the pictures of the shelf and the example; what looked broken is not here. Bends are those of a
picture that looks to the right."""

from __future__ import annotations

from anystory.sketch.bend import STRAIGHT, Bend

UPRIGHT, FOURS, ROUND = "upright", "on all fours", "round"
"""Kinds of cut-outs: taller than broad, as people are; seen from the side, as animals are; anything else, such as a
bear that sits facing us. Of the last what is bent is its face too, so it is bent but little."""

ON_A_SEAT = "sits on a seat"
"""What stands in the table for whatever is done on a chair: its legs hang."""

_RUN = {UPRIGHT: Bend(bow=14, stretch=1.02), FOURS: Bend(bow=8, stretch=0.95), ROUND: Bend(bow=10)}
_LOW = {FOURS: Bend(legs=0.4)}
_TOWARDS = {UPRIGHT: Bend(bow=9, low=0.3), FOURS: Bend(bow=7), ROUND: Bend(bow=6)}
_BACK = {UPRIGHT: Bend(bow=-11, low=0.25), FOURS: Bend(bow=-7), ROUND: Bend(bow=-6)}
_PUSH = {UPRIGHT: Bend(bow=17), FOURS: Bend(bow=10), ROUND: Bend(bow=8)}
_STOOP = {UPRIGHT: Bend(bow=28, low=0.35, high=0.8), FOURS: Bend(bow=14, low=0.2), ROUND: Bend(bow=10)}
_SWAY = {UPRIGHT: Bend(sway=13), FOURS: Bend(sway=9), ROUND: Bend(sway=9)}
_LEAP = {UPRIGHT: Bend(stretch=1.1), FOURS: Bend(stretch=1.1), ROUND: Bend(stretch=1.1)}

BENDS: dict[str, dict[str, Bend]] = {
    "runs": _RUN,
    "chases": _RUN,
    "sneaks": {
        UPRIGHT: Bend(bow=20, low=0.35, high=0.9, stretch=0.97),
        FOURS: Bend(bow=6, legs=0.72),
        ROUND: Bend(bow=8, stretch=0.95),
    },
    "sits": {UPRIGHT: Bend(legs=0.42, hip=0.42), FOURS: Bend(legs=0.6)},
    ON_A_SEAT: {UPRIGHT: Bend(legs=0.6, hip=0.42), FOURS: Bend(legs=0.6)},
    "kneels": {UPRIGHT: Bend(bow=8, low=0.3, legs=0.6, hip=0.36), FOURS: Bend(legs=0.7), ROUND: Bend(stretch=0.93)},
    "sleeps": _LOW,
    "lies": _LOW,
    "bows": {UPRIGHT: Bend(bow=48, low=0.36, high=0.78), FOURS: Bend(bow=24, low=0.15), ROUND: Bend(bow=16)},
    "dances": _SWAY,
    "jumps": _LEAP,
    "cries": {
        UPRIGHT: Bend(bow=20, low=0.45, high=0.95, stretch=0.97),
        FOURS: Bend(bow=14, low=0.3, stretch=0.96),
        ROUND: Bend(bow=8, stretch=0.94),
    },
    "laughs": _BACK,
    "throws": _BACK,
    "kicks": _BACK,
    "pulls": {UPRIGHT: Bend(bow=-16), FOURS: Bend(bow=-9), ROUND: Bend(bow=-7)},
    "pushes": _PUSH,
    "fights": _TOWARDS,
    "hugs": _TOWARDS,
    "kisses": _TOWARDS,
    "whispers": _TOWARDS,
    "listens": _TOWARDS,
    "works": {UPRIGHT: Bend(bow=14, low=0.35, high=0.9), FOURS: Bend(bow=7), ROUND: Bend(bow=6)},
    "digs": _STOOP,
}

TILT = 0.3
"""Of the turn that an action asks for, how much is left to who is bent for it already."""


def bend_of(action: str, kind: str, facing: int, other_way: bool) -> Bend:
    """How a cut-out of that kind is bent. `facing`: where its picture looks, -1 left, 1 right; where it is not known,
    0, nobody leans forwards. `other_way`: it sways first to the left."""
    bend = BENDS.get(action, {}).get(kind, STRAIGHT)
    if bend.bow and not facing:
        return Bend(stretch=bend.stretch, legs=bend.legs, hip=bend.hip)
    return bend.mirrored() if facing < 0 or (bend.sway and other_way) else bend
