"""What a figure darkens and what mirrors it: shadows on the ground under it and away from the light, its image on wet
ground. All are drawn coarsely, as they are soft, and enlarged."""

from __future__ import annotations

import math

import numpy as np
from PIL import Image
from scipy import ndimage

from anystory.sketch.light import Light
from anystory.sketch.patch import Patch, Resampling

_FINE = 112
"""Pixels of a shadow's map along the figure's longer side."""

Outline = tuple[np.ndarray, float, float]
"""A silhouette (h, w) in [0, 1] and its corner; see `Fit.outline`."""


def step_of(size: tuple[float, float]) -> float:
    """How many pixels of the frame one of a shadow's map is, for a figure of that size."""
    return max(1.0, max(size) / _FINE)


def contact_shadow(outline: Outline, step: float, ground: float, light: Light) -> Patch:
    """The darkness under somebody who stands on the line `ground` (y in pixels of the frame): close under each foot
    where the silhouette comes near to the ground, and a wider one under the whole."""
    shape, x, y = outline
    tall = len(shape)
    margin = math.ceil(0.3 * tall) + 2
    lowest = np.where(shape.max(0) >= 0.5, tall - 1 - np.argmax(shape[::-1] >= 0.5, 0), -1e4).astype(np.float32)
    gap = (ground - y) / step - 0.5 - lowest
    feet = np.pad(np.exp(-((gap.clip(0) / (0.05 * tall + 0.5)) ** 2)), margin)
    body = np.pad(np.exp(-((gap.clip(0) / (0.3 * tall + 0.5)) ** 2)), margin)
    line = np.pad(np.where(gap < 0.4 * tall, lowest, 0), margin)
    # Beyond a foot's own columns its line goes on level.
    weight = ndimage.gaussian_filter1d(feet, 0.02 * tall + 0.6)
    level = ndimage.gaussian_filter1d(feet * line, 0.02 * tall + 0.6) / np.maximum(weight, 1e-6)
    rows = np.arange(tall + margin, dtype=np.float32)[:, None]
    under = (ground - y) / step
    tight = weight * np.exp(-(((rows - level) / (0.016 * tall + 0.6)) ** 2))
    broad = ndimage.gaussian_filter1d(body, 0.045 * tall + 0.5)
    wide = broad * np.exp(-(((rows - under) / (0.042 * tall + 0.8)) ** 2))
    dark = 1 - (1 - 0.55 * tight) * (1 - 0.42 * wide)
    return _enlarged(dark, step, x - margin * step, y, light.dark)


def air_shadow(outline: Outline, step: float, ground: float, frame: float, light: Light) -> Patch:
    """The shadow on the line `ground` of somebody above it: smaller and paler the higher they are. `frame`: its height
    in pixels."""
    shape, x, y = outline
    columns = np.flatnonzero(shape.max(0) >= 0.5)
    low = y + (np.flatnonzero(shape.max(1) >= 0.5)[-1] + 1) * step if len(columns) else y
    height = max(ground - low, 0) / frame
    size = 1 / (1 + 2.2 * height)
    middle = x + (columns.mean() + 0.5 if len(columns) else shape.shape[1] / 2) * step
    wide = max(np.ptp(columns) if len(columns) else 1, 4) * step * 0.5 * size
    flat = max(wide * 0.17, step)
    margin = 2.2
    rows = np.linspace(-margin, margin, max(3, round(2 * margin * flat / step)), dtype=np.float32)[:, None]
    across = np.linspace(-margin, margin, max(3, round(2 * margin * wide / step)), dtype=np.float32)
    dark = (0.38 / (1 + 3 * height)) * np.exp(-((rows**2 + across**2) ** 1.3))
    return _enlarged(dark, step, middle - margin * wide, ground - margin * flat, light.dark)


def cast_shadow(outline: Outline, step: float, ground: float, lean: float, light: Light) -> Patch:
    """The silhouette laid down on the ground towards the onlooker, as the sun or moon is in the picture; `lean`: how
    far it goes to the right for its length."""
    shape, x, y = outline
    under = (ground - y) / step
    long = light.long
    rows, columns = math.ceil(len(shape) * long) + 6, shape.shape[1]
    aside = math.ceil(abs(lean) * rows) + 4
    # Output (X, Y) shows the silhouette at height Y / long above the ground, moved aside by Y * lean.
    turn = (1, -lean, -aside, 0, -1 / long, under - 0.5)
    soft = ndimage.uniform_filter1d(shape, max(1, round(0.6 / long)), axis=0, mode="constant")
    laid = Image.fromarray(soft).transform(
        (columns + 2 * aside, rows), Image.Transform.AFFINE, turn, Resampling.BILINEAR
    )
    fade = np.linspace(1, 0.35, rows, dtype=np.float32)[:, None]
    dark = ndimage.gaussian_filter(np.asarray(laid) * fade, (0.9, 1.3), mode="constant") * (0.3 * light.cast)
    return _enlarged(dark, step, x - aside * step, ground, light.dark)


def mirrored(patch: Patch, ground: float, strength: float) -> Patch | None:
    """A figure's image upside down on wet ground from the line `ground` (y in pixels) down, fading with its distance;
    None where nothing of the figure is above that line."""
    row = min(round(ground) - patch.y, len(patch.pixels))
    if row < 2:
        return None
    image = patch.pixels[:row][::-1]
    image = image[: max(2, round(0.55 * row))]
    fade = np.linspace(strength, 0, len(image), dtype=np.float32) ** 1.2
    alpha = ndimage.uniform_filter1d(image[..., 3].astype(np.float32), max(3, row // 60), axis=1)
    return Patch(np.dstack([image[..., :3], np.round(alpha * fade[:, None]).astype(np.uint8)]), patch.x, patch.y + row)


def dropped(patch: Patch, by: float) -> Patch:
    """The shadow that a piece of cut paper throws on the sheet under it."""
    margin = math.ceil(1.5 * by) + 2
    alpha = ndimage.gaussian_filter(np.pad(patch.alpha, margin), 0.45 * by)
    pixels = np.zeros((*alpha.shape, 4), np.uint8)
    pixels[..., :3] = (26, 16, 32)
    pixels[..., 3] = np.round(alpha.clip(0, 1) * 255 * 0.34)
    return Patch(pixels, patch.x - margin + round(0.62 * by), patch.y - margin + round(by))


def _enlarged(dark: np.ndarray, step: float, x: float, y: float, colour: tuple[int, int, int]) -> Patch:
    """A shadow's map (h, w) in [0, 1] at the frame's size, its corner at `x`, `y`."""
    size = tuple(max(1, round(side * step)) for side in dark.shape[::-1])
    image = Image.fromarray(np.round(dark.clip(0, 1) * 255).astype(np.uint8)).resize(size, Resampling.BILINEAR)
    # A pixel at a time, as a number: byte by byte it takes three times as long.
    pixels = np.asarray(image).astype("<u4")
    pixels <<= 24
    pixels |= colour[0] | colour[1] << 8 | colour[2] << 16
    return Patch(pixels.view(np.uint8).reshape(size[1], size[0], 4), round(x), round(y))
