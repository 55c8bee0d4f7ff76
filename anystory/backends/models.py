"""What the backends that are models share: the device they run on, how they read pictures and take a layout."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from anystory.backends.base import BackendError
from anystory.errors import Message
from anystory.model.routing import Guide
from anystory.story.from_sketch import Underdrawing
from anystory.story.model import BACKGROUND, SEEN, Frame, RoutingMaps
from anystory.story.steering import SIDE, Layout

MAX_SUBJECTS = 4
"""Subjects per frame; beyond it no model here was trained or tried."""

MAPS = 512
"""Longer side at most of the maps of a frame whose steps are all left out."""


def choose_device(device: str | None = None) -> tuple[str, torch.dtype]:
    """The device asked for, or the best there is (CUDA, Apple's MPS, CPU), with a fitting dtype: bfloat16 on CUDA,
    float32 elsewhere. Raises `BackendError` with a sentence for a device that is not there."""
    best = "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"
    chosen = device or best
    try:
        torch.empty(0, device=chosen)
    except (RuntimeError, AssertionError, ImportError) as error:
        raise BackendError(
            Message("There is no device {device} here; the best there is: {best}.", device=repr(chosen), best=best)
        ) from error
    return chosen, torch.bfloat16 if chosen.startswith("cuda") else torch.float32


def readable(picture: Image.Image, sought: int, area: int, step: int) -> Tensor:
    """A picture in which so many subjects are `sought`, at about the `area` of a frame in pixels: (3, H, W)
    in [-1, 1], H and W multiples of `step`. Raises BackendError for too many subjects."""
    if sought > MAX_SUBJECTS:
        raise BackendError(
            Message(
                "At most {most} characters can be looked for at once, not {count}.", most=MAX_SUBJECTS, count=sought
            )
        )
    scale = (area / (picture.width * picture.height)) ** 0.5
    size = tuple(max(step, round(length * scale / step) * step) for length in picture.size)
    return pixels_of(picture.convert("RGB").resize(size, Image.Resampling.LANCZOS))


def guide_of(layout: Layout, names: Sequence[str], underdrawing: Underdrawing | None = None) -> Guide | None:
    """A layout as models take it, with the places of a sketch for those that it gives none, where those are taken; None
    where nothing is asked of a frame of `names`."""
    seen = None
    if underdrawing is not None and underdrawing.taken.layout:
        seen = np.pad(underdrawing.regions(names, SIDE), ((0, 1), (0, 0), (0, 0)))
    regions = layout.regions((*names, BACKGROUND), seen)
    return None if regions is None else Guide(regions, layout.strength, layout.start, layout.end)


def pixels_of(picture: Image.Image) -> Tensor:
    """An RGB picture as models read it: (3, H, W) in [-1, 1]."""
    return torch.from_numpy(np.asarray(picture, np.float32) / 127.5 - 1).permute(2, 0, 1)


def undrawn(underdrawing: Underdrawing, image: Image.Image, seed: int, version: str) -> Frame:
    """The frame whose steps are all left out: the sketch as the autoencoder gives it back, `image`."""
    held = underdrawing.holders[:: (every := -(-max(image.size) // MAPS)), ::every]
    maps = (held == np.arange(len(underdrawing.names) + 1, dtype=np.uint8)[:, None, None]).astype(np.float32)
    return Frame(image, RoutingMaps((*underdrawing.names, BACKGROUND), maps, SEEN), seed, version=version)
