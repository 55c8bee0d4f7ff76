"""The part of a frame that a page shows, and who of it may be cut off. numpy and PIL only."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from PIL import Image

from anystory.errors import Message
from anystory.story.model import Frame, RoutingMaps
from anystory.typeset import Box

ASTRAY = 0.2
"""The part of a character that may be outside the safe area before it is told."""
GRID = 128
"""Columns in which it is looked where a character is."""


ENOUGH = 0.95
"""The part of the dots asked for that a picture may have and still be as asked."""


def dots(frame: Frame, size: tuple[int, int]) -> float:
    """How many of a frame's dots a dot of a place of `size` pixels has that it fills."""
    return min(frame.image.width / size[0], frame.image.height / size[1])


def cropped(image: Image.Image, maps: RoutingMaps, box: tuple[int, int, int, int]) -> tuple[Image.Image, RoutingMaps]:
    """A part of a picture, by its box in pixels, with its maps."""
    rows, columns = maps.values.shape[1:]
    across, down = columns / image.width, rows / image.height
    part = box[0] * across, box[1] * down, box[2] * across, box[3] * down
    return image.crop(box), clipped(maps, part)


def clipped(maps: RoutingMaps, part: Box) -> RoutingMaps:
    """A part of maps, by its box in their fields, in 64 x 64."""
    fields = (Image.fromarray(np.ascontiguousarray(field, np.float32)) for field in maps.values)
    return replace(maps, values=np.stack([np.asarray(field.resize((64, 64), box=part)) for field in fields]))


def astray(maps: RoutingMaps, size: tuple[int, int], safe: Box) -> list[str]:
    """Sentences on who of a picture of `size` pixels reaches far out of the box of what must not be lost."""
    width, height = GRID, max(1, round(GRID * size[1] / size[0]))
    left, top, right, bottom = (round(edge * width / size[0]) for edge in safe)
    found: list[str] = []
    for name, body in zip(maps.names, maps.located((width, height)), strict=False):
        lost = 1 - body[top:bottom, left:right].sum() / max(1, body.sum())
        if lost > ASTRAY:
            share = f"{100 * lost:.0f}"
            found.append(
                Message(
                    "{share} % of {name} is outside the safe area, where it may be cut off.", share=share, name=name
                )
            )
    return found


def cover(frame: Frame, size: tuple[int, int]) -> tuple[Image.Image, RoutingMaps]:
    """The part of a frame that fills `size` (width, height), enlarged or reduced to it, with its maps: as much of the
    frame as goes in, and of that the part with most of the characters; of equal parts the middle one."""
    width, height = frame.image.size
    scale = min(width / size[0], height / size[1])
    wide, high = size[0] * scale, size[1] * scale
    figures = sum(frame.maps.located((64, 64)), np.zeros((64, 64)))
    x = _window(figures.sum(axis=0), wide / width) * width
    y = _window(figures.sum(axis=1), high / height) * height
    box = (x, y, min(x + wide, width), min(y + high, height))
    rows, columns = frame.maps.values.shape[1:]
    part = (box[0] * columns / width, box[1] * rows / height, box[2] * columns / width, box[3] * rows / height)
    return frame.image.resize(size, Image.Resampling.LANCZOS, box), clipped(frame.maps, part)


def _window(mass: np.ndarray, share: float) -> float:
    """Where, from 0 to 1 - share, a window of `share` of a line begins that holds most of `mass` (n,)."""
    starts = np.linspace(0, 1 - share, 33)
    if share >= 1 or not mass.any():
        return max(1 - share, 0.0) / 2  # a share of 1 may come a rounding above it
    summed = np.concatenate([[0.0], np.cumsum(mass)]) / mass.sum()
    edges = np.linspace(0, 1, len(summed))
    held = np.interp(starts + share, edges, summed) - np.interp(starts, edges, summed)
    return float(starts[np.lexsort((abs(starts - (1 - share) / 2), -held.round(3)))[0]])
