"""From a `Staging` to pixels: the painted place, the cut-outs in its light, the medium over everybody."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PIL import Image

from anystory.shot import Shot
from anystory.sketch.staging import Staging


@dataclass(frozen=True)
class Sketch:
    """A panel as the sketch shows it. `image` RGB. `masks` bool (N, H, W), N = the shot's roles in their order: exactly
    the pixels at which each is seen; no pixel belongs to two. `notes`: sentences for the user, such as that a picture
    is too small for its use."""

    image: Image.Image
    masks: np.ndarray
    shot: Shot
    staging: Staging
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Coat:
    """A sketch while it is being made: one more layer is put down, `what` it is ("the place", a name, "a bush").
    `holders` uint8 (H, W): whose each pixel is by now, the index of a role, N for the place. `image` uint8 (H, W, 3):
    the picture so far. Only the last coat has the finished `sketch`."""

    what: str
    holders: np.ndarray
    image: np.ndarray
    sketch: Sketch | None = None
