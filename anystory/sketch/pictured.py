"""A picture of one's own as a painted place: as it is on a clear day, in the light of another hour or weather."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from PIL import Image

from anystory.sketch.own_places import lines_of, own_place, pixels_of
from anystory.sketch.scenery import PLACES, Painting, Seed
from anystory.sketch.scenery.colour import GREYED
from anystory.sketch.scenery.draw import Painter
from anystory.sketch.scenery.motifs import weather as falling
from anystory.sketch.scenery.sheet import Box, PixelBox, Sheet

NEAREST = 0.96
"""The y of the ground where one stands nearest."""

_SKY = {"": 0.0, "day": 0.0, "sunrise": 0.3, "sunset": 0.42, "night": 0.34}
_AIR = {"": 0.0, "clear": 0.0, "cloudy": 0.22, "rain": 0.34, "snow": 0.24, "fog": 0.3}
"""How much of the sky's colour an hour and a weather lay over a picture's upper part."""

_GREY = np.array([0.299, 0.587, 0.114], np.float32)
_SNOW = 0.42
"""How much white snow lays over the ground."""


@dataclass
class PicturedSheet(Sheet):
    """A background that begins with a picture, uint8 (h, w, 3), which covers the `extent` of the square; `light`: RGB
    factors on it, `grey`: how far its colours are drained."""

    pixels: np.ndarray = field(default_factory=lambda: np.zeros((1, 1, 3), np.uint8))
    extent: Box = (0.0, 0.0, 1.0, 1.0)
    light: tuple[float, float, float] = (1.0, 1.0, 1.0)
    grey: float = 0.0

    def render(self, width: int, height: int, window: Box) -> tuple[np.ndarray, PixelBox]:
        """As of a `Sheet`. The window lies within the extent."""
        rows, columns = self.pixels.shape[:2]
        x0, y0, x1, y1 = self.extent
        across, down = columns / (x1 - x0), rows / (y1 - y0)
        part = ((window[0] - x0) * across, (window[1] - y0) * down, (window[2] - x0) * across, (window[3] - y0) * down)
        part = (max(part[0], 0.0), max(part[1], 0.0), min(part[2], columns), min(part[3], rows))
        image = Image.fromarray(self.pixels)
        image = image.resize((width, height), Image.Resampling.LANCZOS, part, reducing_gap=3)
        colour = np.asarray(image, np.float32)
        if self.grey:
            colour = colour + ((colour @ _GREY)[..., None] - colour) * self.grey
        colour = colour * np.array(self.light, np.float32)
        over, _ = super().render(width, height, window)
        colour += (over[..., :3] - colour) * (over[..., 3:] / np.float32(255))
        pixels = np.full((height, width, 4), 255, np.uint8)
        pixels[..., :3] = np.rint(colour.clip(0, 255))
        return pixels, (0, 0, width, height)


def paint_picture(file: Path, time: str, weather: str, medium: str, seed: Seed) -> Painting:
    """The place of a picture file as a `Painting`, as `scenery.paint` makes places; the same seed gives the same. Times
    and weathers are those of the kind of place it is. The longer side of the picture is the square's, its lower edge
    the square's. Raises `ThingError` or `ImageError` for a file that cannot be used."""
    own = own_place(file)
    pixels = pixels_of(file)
    rows, columns = pixels.shape[:2]
    wide, tall = min(1.0, columns / rows), min(1.0, rows / columns)
    extent = (0.5 - wide / 2, 1.0 - tall, 0.5 + wide / 2, 1.0)
    horizon, ground = (1.0 - tall * (1.0 - line) for line in lines_of(own))
    painter = Painter(time, weather, medium, f"{own.name} {seed}")
    painter.sun_x, painter.horizon = painter.between(15, 85), 100 * horizon
    shown = own.time == time and bool(time)  # the picture has the light of that hour already
    _veil(painter, extent, 0.0 if shown else _SKY[time])
    falling(painter, 100 * horizon)
    marks = painter.sheets[0].marks
    light = (1.0, 1.0, 1.0) if shown else painter.light
    picture = PicturedSheet(0.0, "", marks, pixels, extent, light, GREYED[weather])
    return Painting(
        place=own.kind,
        time=time,
        weather=weather,
        medium=medium,
        ground=(min(ground, NEAREST - 0.02), NEAREST),
        water=None,
        floats=PLACES[own.kind].floats,
        horizon=horizon,
        light=painter.light,
        sheets=(picture, *painter.sheets[1:]),
        seed=seed,
        sun_x=painter.sun_x / 100,
        extent=extent,
        stretches=False,
    )


def _veil(p: Painter, extent: Box, sky: float) -> None:
    """The colours of the hour's sky over the upper part of a picture, and snow over the lower."""
    alpha = max(sky, _AIR[p.weather])
    top, middle = 100 * extent[1], p.horizon
    if alpha:
        for y0, y1, high, low, a0, a1 in (
            (top, middle, p.sky_top, p.haze, alpha, 0.6 * alpha),
            (middle, 102.0, p.haze, p.haze, 0.6 * alpha, 0.1 * alpha),
        ):
            p.veil([(-2, y0), (102, y0), (102, y1), (-2, y1)], high, low, a0, a1)
    if p.snowy:
        white = (0.94, 0.96, 1.0) if not p.night else (0.5, 0.56, 0.75)
        p.veil([(-2, middle), (102, middle), (102, 102), (-2, 102)], white, white, 0.1, _SNOW)
