"""A character's picture made ready to be put into a painted place."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from anystory.story import Subject

DRAWING, PHOTOGRAPH, PIXELS = "drawing", "photograph", "pixels"
"""What kind of picture a cut-out comes from; `PIXELS` is pixel art, enlarged by whole pixels only."""


@dataclass(frozen=True)
class Cutout:
    """`pixels` uint8 (h, w, 4): RGBA, straight alpha, trimmed to what is seen, the old background's colour taken out
    of its edges. `cut`: the sides ("left", "top", "right", "bottom") at which the picture's edge cuts the character: a
    bust, half a body. `kind`: `DRAWING`, `PHOTOGRAPH` or `PIXELS`; `grid`: of pixel art, how many of these pixels make
    one of its own. `foot`: the x of the middle of what touches the ground, as a share of the width. `facing`: "left",
    "right", or "" where nobody said and it cannot be told."""

    name: str
    pixels: np.ndarray
    cut: frozenset[str] = frozenset()
    kind: str = DRAWING
    grid: int = 1
    foot: float = 0.5
    facing: str = ""


def prepare(subject: Subject) -> Cutout:
    """STAND-IN: the trimmed cut-out."""
    rgba = subject.image.copy()
    rgba.putalpha(subject.mask)
    box = subject.mask.getbbox() or (0, 0, *subject.mask.size)
    return Cutout(subject.name, np.asarray(rgba.crop(box)))
