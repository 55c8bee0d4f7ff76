"""A piece of a picture and where it goes in the frame; and how a cut-out becomes one, scaled, mirrored and turned."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageOps
from scipy import ndimage

from anystory.sketch.cutout import PIXELS, Cutout
from anystory.sketch.staging import Placed, PlacedMark, PlacedThing

Resampling = Image.Resampling

_BAND = 64
"""Rows of a picture that are worked on at once: as many as the processor keeps near."""


def bands(height: int) -> Iterator[slice]:
    """The rows of a picture, a few at a time."""
    return (slice(top, top + _BAND) for top in range(0, height, _BAND))


@dataclass(frozen=True, eq=False)
class Patch:
    """`pixels` uint8 (h, w, 4): RGBA, straight alpha. `x`, `y`: where in the frame its left top corner goes; it may
    reach beyond the frame."""

    pixels: np.ndarray
    x: int
    y: int

    @property
    def alpha(self) -> np.ndarray:
        """float32 (h, w) in [0, 1]."""
        return self.pixels[..., 3].astype(np.float32) / 255

    def clipped(self, width: int, height: int, margin: int = 0) -> Patch | None:
        """What of it is within a frame and `margin` pixels around; None for nothing."""
        x0, y0 = max(self.x, -margin), max(self.y, -margin)
        x1 = min(self.x + self.pixels.shape[1], width + margin)
        y1 = min(self.y + self.pixels.shape[0], height + margin)
        if x0 >= x1 or y0 >= y1:
            return None
        return Patch(self.pixels[y0 - self.y : y1 - self.y, x0 - self.x : x1 - self.x], x0, y0)

    def padded(self, by: int) -> Patch:
        """The same with `by` clear pixels around."""
        return Patch(np.pad(self.pixels, ((by, by), (by, by), (0, 0))), self.x - by, self.y - by)


@dataclass(frozen=True, eq=False)
class Fit:
    """How a cut-out goes into its place: `scale` in pixels of the frame to one of the cut-out, then `mirrored`, then
    turned clockwise by `angle` degrees about its middle `x`, `y` (pixels of the frame)."""

    cutout: Cutout
    scale: float
    angle: float
    mirrored: bool
    x: float
    y: float

    @property
    def size(self) -> tuple[float, float]:
        """Width and height of the turned picture in the frame, in pixels."""
        height, width = self.cutout.pixels.shape[:2]
        across, down = _turned(width, height, self.angle)
        return across * self.scale, down * self.scale

    def patch(self, width: int, height: int, margin: int) -> Patch | None:
        """The cut-out as it is in a frame of that size, in its own colours: what is within `margin` pixels of it."""
        source, x, y = self._in_sight(width, height, margin)
        if source is None:
            return None
        pixels = np.asarray(_oriented(_scaled(source, self.scale, self.cutout), self.mirrored, self.angle))
        left, top = round(x - pixels.shape[1] / 2), round(y - pixels.shape[0] / 2)
        return Patch(pixels, left, top).clipped(width, height, margin)

    def outline(self, step: float) -> tuple[np.ndarray, float, float]:
        """The whole silhouette at one pixel for `step` of the frame's: float32 (h, w) in [0, 1], and the x and y of its
        corner in pixels of the frame."""
        alpha = Image.fromarray(self.cutout.pixels[..., 3])
        size = max(1, round(alpha.width * self.scale / step)), max(1, round(alpha.height * self.scale / step))
        alpha = _oriented(alpha.resize(size, Resampling.BOX, reducing_gap=2), self.mirrored, self.angle)
        shape = np.asarray(alpha, np.float32) / 255
        return shape, self.x - shape.shape[1] * step / 2, self.y - shape.shape[0] * step / 2

    def _in_sight(self, width: int, height: int, margin: int) -> tuple[np.ndarray | None, float, float]:
        """The part of the cut-out's pixels that has to be drawn, and the middle of it in the frame."""
        pixels = self.cutout.pixels
        if self.angle or self.cutout.kind == PIXELS:
            return pixels, self.x, self.y
        spans, middles = [], []
        sides = ((self.x, pixels.shape[1], width, self.mirrored), (self.y, pixels.shape[0], height, False))
        for middle, length, frame, flipped in sides:
            low = max(0, math.floor((-margin - middle) / self.scale + length / 2) - 4)
            high = min(length, math.ceil((frame + margin - middle) / self.scale + length / 2) + 4)
            if low >= high:
                return None, 0, 0
            middles.append(middle + ((low + high) / 2 - length / 2) * self.scale)
            spans.append(slice(length - high, length - low) if flipped else slice(low, high))
        return pixels[spans[1], spans[0]], *middles


def fitted(cutout: Cutout, placed: Placed | PlacedThing | PlacedMark, width: int, height: int) -> Fit:
    """The cut-out as large as it can be, turned, within its box, standing in the middle of the box's lower edge. Pixel
    art is turned by quarters and enlarged by whole pixels."""
    x0, y0, x1, y1 = (share * side for share, side in zip(placed.box, (width, height) * 2, strict=True))
    angle = placed.angle % 360
    if cutout.kind == PIXELS:
        angle = round(angle / 90) * 90 % 360
    rows, columns = cutout.pixels.shape[:2]
    wide, tall = _turned(columns, rows, angle)
    scale = min((x1 - x0) / wide, (y1 - y0) / tall)
    if cutout.kind == PIXELS:
        times = scale * cutout.grid
        scale = (max(1, math.floor(times + 0.5)) if times >= 0.75 else times) / cutout.grid
    return Fit(cutout, scale, angle, placed.mirrored, (x0 + x1) / 2, y1 - tall * scale / 2)


def _turned(width: float, height: float, angle: float) -> tuple[float, float]:
    cos, sin = abs(math.cos(math.radians(angle))), abs(math.sin(math.radians(angle)))
    return width * cos + height * sin, width * sin + height * cos


def _oriented(image: Image.Image, mirrored: bool, angle: float) -> Image.Image:
    if mirrored:
        image = ImageOps.mirror(image)
    if angle % 90 == 0:
        turns = {90: Image.Transpose.ROTATE_270, 180: Image.Transpose.ROTATE_180, 270: Image.Transpose.ROTATE_90}
        return image.transpose(turns[int(angle)]) if angle else image
    return image.rotate(-angle, Resampling.BICUBIC, expand=True)


def _scaled(pixels: np.ndarray, scale: float, cutout: Cutout) -> Image.Image:
    """RGBA pixels of the cut-out at `scale`."""
    size = tuple(max(1, round(side * scale)) for side in pixels.shape[1::-1])
    if cutout.kind == PIXELS:
        own = Image.fromarray(pixels[:: cutout.grid, :: cutout.grid])
        return own.resize(size, Resampling.NEAREST if size[0] >= own.width else Resampling.BOX)
    image = Image.fromarray(pixels)
    if size == image.size:
        return image
    image = image.resize(size, Resampling.LANCZOS if scale < 1 else Resampling.BICUBIC, reducing_gap=2.5)
    return _crisp(image, pixels[..., 3], scale) if scale > 1.2 else image


def _crisp(image: Image.Image, alpha: np.ndarray, scale: float) -> Image.Image:
    """An enlarged cut-out with its edge as sharp as that of the place; one that is see-through inside stays so."""
    half = (alpha > 40) & (alpha < 215)
    if ndimage.minimum_filter(half, 5).sum() > 0.01 * (alpha >= 215).sum():
        return image
    steep = min(0.8 * scale, 4.0)
    sharp = image.getchannel("A").point([min(max(round((a - 127.5) * steep + 127.5), 0), 255) for a in range(256)])
    image.putalpha(sharp)
    return image
