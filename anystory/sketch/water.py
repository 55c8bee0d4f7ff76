"""Somebody in water: what is under its surface fades into it, and the surface closes around them."""

from __future__ import annotations

import math

import numpy as np

from anystory.sketch.patch import Patch

UNDER = 0.4
"""How much of what is just under the surface is seen: less than half, so that it counts as hidden."""


def submerged(patch: Patch, line: float, colour: np.ndarray, unit: float) -> Patch:
    """A figure of which everything below `line` (y in pixels of the frame) is under water of that RGB colour (0 to
    255). `unit`: pixels in one percent of the frame."""
    pixels = patch.pixels.astype(np.float32)
    below = np.arange(patch.y, patch.y + len(pixels), dtype=np.float32)[:, None] + 0.5 - line
    below = below - _ripple(patch, unit)
    deep = (below > 0)[..., None]
    fade = UNDER * np.exp(-below.clip(0) / (7 * unit))
    pixels[..., :3] += np.where(deep, (colour - pixels[..., :3]) * 0.55, 0)
    pixels[..., 3] *= np.where(below > 0, fade, 1)
    return Patch(np.round(pixels).astype(np.uint8), patch.x, patch.y)


def surface(patch: Patch, line: float, colour: np.ndarray, unit: float) -> Patch | None:
    """Foam where the water meets the figure, and rings around; `patch` is the figure before it went under. None where
    the line does not cross it."""
    row = round(line) - patch.y
    if not 0 < row < len(patch.pixels):
        return None
    crossed = np.flatnonzero((patch.pixels[max(row - 2, 0) : row + 2, :, 3] >= 128).any(0))
    if not len(crossed):
        return None
    middle, half = patch.x + (crossed[0] + crossed[-1] + 1) / 2, (np.ptp(crossed) + 1) / 2 + 1.2 * unit
    reach, tall = half + 6 * unit, 0.16 * half + 3.4 * unit
    x, y = math.floor(middle - reach), math.floor(line - tall)
    rows, columns = math.ceil(2 * tall), math.ceil(2 * reach)
    dx = (np.arange(columns, dtype=np.float32) + x + 0.5 - middle)[None]
    dy = (np.arange(rows, dtype=np.float32) + y + 0.5 - line)[:, None]
    wave = 0.22 * unit * np.sin(dx / (1.7 * unit) + 0.6)
    alpha = np.zeros((rows, columns), np.float32)
    for number, (wider, strength, thick) in enumerate(((0.0, 0.85, 0.3), (2.4, 0.45, 0.22), (4.8, 0.22, 0.18))):
        across, along = half + wider * unit, 0.12 * half + (0.5 + 0.5 * wider) * unit
        distance = (np.sqrt((dx / across) ** 2 + ((dy - wave) / along) ** 2) - 1) * along
        # The far side of the ring nearest to the figure is behind it.
        front = np.clip(0.5 + (dy - wave) / (0.6 * unit), 0, 1) if number == 0 else 1.0
        alpha = np.maximum(alpha, strength * front * np.exp(-((distance / (thick * unit)) ** 2)))
    pixels = np.empty((rows, columns, 4), np.uint8)
    pixels[..., :3] = np.round(colour + (255 - colour) * 0.72)
    pixels[..., 3] = np.round(255 * alpha)
    return Patch(pixels, x, y)


def _ripple(patch: Patch, unit: float) -> np.ndarray:
    """How far the surface is below the line at each column: (1, w), in pixels."""
    x = np.arange(patch.x, patch.x + patch.pixels.shape[1], dtype=np.float32)[None]
    return 0.22 * unit * np.sin(x / (1.7 * unit) + 0.6)


def water_colour(picture: np.ndarray, line: float, x0: float, x1: float) -> np.ndarray:
    """The RGB of the water about the line and between two x's, all in pixels of the picture (H, W, 3): float32 (3,)."""
    height, width = picture.shape[:2]
    top = min(max(round(line), 0), height - 1)
    left = min(max(round(x0), 0), width - 1)
    part = picture[top : top + max(2, height // 16), left : max(left + 1, min(round(x1), width))]
    return np.median(part.reshape(-1, 3), 0).astype(np.float32)
