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
