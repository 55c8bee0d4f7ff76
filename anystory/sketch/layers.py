"""A sketch taken apart into the layers it was put together from, which laid over each other are the sketch again."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from anystory.sketch.compose import Coat, Sketch
from anystory.sketch.patch import Patch

NORMAL, MULTIPLY, ADD = "normal", "multiply", "add"
"""How a layer meets what is below it: it covers it by its alpha, darkens it as a filter does, adds light to it."""


@dataclass(frozen=True, eq=False)
class SketchLayer:
    """One layer: its `name`, the `patch` (RGBA, straight alpha, within the frame) and how it is laid on, `NORMAL`,
    `MULTIPLY` or `ADD`; the last two cover the whole frame and have no clear pixels."""

    name: str
    patch: Patch
    blend: str = NORMAL


def layers_of(coats: Iterable[Coat]) -> tuple[Sketch, tuple[SketchLayer, ...]]:
    """The finished sketch of all coats of `anystory.sketch.compose.composing`, and its layers from the back to the
    front: the place, what everybody throws on it and themselves, things, weather, and the medium's grain over all, as
    one layer that darkens and one that lightens. Raises ValueError where the last coat is missing."""
    layers: list[SketchLayer] = []
    before = np.zeros((0, 0, 3), np.uint8)
    for coat in coats:
        if coat.sketch is not None:
            return coat.sketch, (*layers, *_grain(coat.what, before, np.asarray(coat.sketch.image)))
        before = np.asarray(coat.picture)
        if not layers:
            layers.append(SketchLayer(coat.what, _opaque(before)))
        layers += [SketchLayer(f"{coat.what}: {part}" if part else coat.what, patch) for part, patch in coat.laid]
    raise ValueError("The last coat, which has the sketch, is missing.")


def flattened(layers: Iterable[SketchLayer], width: int, height: int) -> np.ndarray:
    """What the layers show laid over each other: uint8 (height, width, 3). What is below them all is white."""
    canvas = np.full((height, width, 3), 255, np.float64)
    for layer in layers:
        patch = layer.patch.clipped(width, height)
        if patch is None:
            continue
        rows, columns = patch.pixels.shape[:2]
        part = canvas[patch.y : patch.y + rows, patch.x : patch.x + columns]
        colour, alpha = patch.pixels[..., :3].astype(np.float64), patch.pixels[..., 3:] / 255
        if layer.blend == MULTIPLY:
            colour = colour * part / 255
        elif layer.blend == ADD:
            colour = np.minimum(colour + part, 255)
        part[:] = np.round(part + (colour - part) * alpha)
    return canvas.astype(np.uint8)


def _opaque(picture: np.ndarray) -> Patch:
    return Patch(np.dstack([picture, np.full(picture.shape[:2], 255, np.uint8)]), 0, 0)


def _grain(medium: str, before: np.ndarray, after: np.ndarray) -> tuple[SketchLayer, ...]:
    """What the medium's grain changed, uint8 (H, W, 3) each: first the part that is darker, as the share that is left
    of each colour, then the light that is added."""
    if np.array_equal(before, after):
        return ()
    left = np.minimum(after.astype(np.int32) * 255 // np.maximum(before, 1), 255)
    left[before == 0] = 255
    darker = np.round(before * left / 255).astype(np.int32)
    return (
        SketchLayer(f"{medium}: darker", _opaque(left.astype(np.uint8)), MULTIPLY),
        SketchLayer(f"{medium}: lighter", _opaque((after - darker).astype(np.uint8)), ADD),
    )
