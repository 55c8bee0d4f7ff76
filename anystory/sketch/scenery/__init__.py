"""Painted places: the grounds on which the sketch and the synthetic world put their subjects.

`paint` draws a `Painting`, vector graphics; its `render` makes a `Scene` of any part of it at any size: a background
and, in front of it, layers with alpha, each at its own depth. Positions are shares of the painted square, x to the
right and y down. `phrases` says truly what a scene shows.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np

# The painters enter their places into PLACES when they are imported.
from anystory.sketch.scenery import everyday, fantastic, indoors, nature, town, water  # noqa: F401
from anystory.sketch.scenery.chance import Chance
from anystory.sketch.scenery.draw import Painter
from anystory.sketch.scenery.grain import grained
from anystory.sketch.scenery.phrases import (
    MEDIUM_PHRASES,
    MEDIUMS,
    TIME_PHRASES,
    TIMES,
    WEATHER_PHRASES,
    WEATHERS,
    in_medium,
    when,
)
from anystory.sketch.scenery.place import PLACES
from anystory.sketch.scenery.sheet import Box, PixelBox, Sheet

__all__ = [
    "MEDIUMS",
    "MEDIUM_PHRASES",
    "PLACES",
    "PROGRAM",
    "TIMES",
    "TIME_PHRASES",
    "WEATHERS",
    "WEATHER_PHRASES",
    "Layer",
    "Painting",
    "Scene",
    "in_medium",
    "paint",
    "plan",
    "when",
    "window_for",
]

PROGRAM = "1"
"""Raised when the same arguments would paint other pixels: a part of the key of whatever is made of paintings."""

WHOLE: Box = (0.0, 0.0, 1.0, 1.0)

SMALLEST, LARGEST = 16, 4096
"""How many pixels a side of a rendered scene may have: from the smallest frame to train on to the largest page."""

_ABOVE, _GROUND = 0.15, 0.18
"""What a wide frame has above the horizon, and of the ground where feet stand, at least if it can: shares of its
height."""

_BROADER = 1.25
"""How much broader than it is a place may be in a wide frame that would not show its horizon otherwise."""

Seed = int | tuple[int, ...]

Label = tuple[str, str, str, str]
"""Place, time, weather and medium of a scene."""


@dataclass(frozen=True)
class Layer:
    """Something of a scene that can hide a subject. `pixels` uint8 (height, width, 4) of the whole frame: RGBA,
    straight alpha; outside of `box` (x0, y0, x1, y1 in pixels) nothing of them is seen. `depth` is the y of the line on
    which it stands: a subject whose feet are above that line (a smaller y) is behind it; a depth above 1 is in front of
    everyone. `name` says what it is, with its article ("a bush"), "" where nobody hides behind it (rain, mist)."""

    pixels: np.ndarray
    depth: float
    name: str
    box: PixelBox


@dataclass(frozen=True)
class Scene:
    """`background` uint8 (height, width, 3) and the `layers` in front of it, from the back to the front, those that
    show in the frame. `ground`: the range of y where feet stand. `light`: RGB factors of the light on subjects, about
    0.3 (night) to 1. `water`: the range of y of open water in which a subject can swim, or None. `horizon`: as of
    `Painting`. These stay in shares of the square, whatever part of it the frame shows."""

    place: str
    time: str
    weather: str
    medium: str
    background: np.ndarray
    ground: tuple[float, float]
    light: tuple[float, float, float]
    horizon: float
    layers: list[Layer] = field(default_factory=list)
    water: tuple[float, float] | None = None

    def picture(self) -> np.ndarray:
        """The whole scene without subjects: uint8 (height, width, 3)."""
        out = self.background.copy()
        for layer in self.layers:
            x0, y0, x1, y1 = layer.box
            part = layer.pixels[y0:y1, x0:x1].astype(np.float32)
            under = out[y0:y1, x0:x1]
            under[...] = np.round(under + (part[..., :3] - under) * (part[..., 3:] / 255))
        return out


def plan(count: int) -> list[Label]:
    """The labels of a bank of `count` scenes: all places in turn, and of each its times, weathers and mediums.
    Clear weather comes twice as often as any other."""
    names = list(PLACES)
    moments = []
    for number, place in enumerate(PLACES.values()):
        weathers = (*place.weathers, "clear") if len(place.weathers) > 1 else place.weathers
        pairs = [(time, weather) for time in place.times for weather in weathers]
        moments.append([pairs[k] for k in np.random.default_rng(number).permutation(len(pairs))])
    labels = []
    for i in range(count):
        turn, number = divmod(i, len(names))
        time, weather = moments[number][turn % len(moments[number])]
        labels.append((names[number], time, weather, MEDIUMS[(turn + number + turn // len(MEDIUMS)) % len(MEDIUMS)]))
    return labels


@dataclass(frozen=True)
class Painting:
    """A painted place as vector graphics: `render` makes pixels of any part of it at any size. `ground`: the range of y
    where feet stand; `water`: that of open water, or None; `horizon`: the y of the line at which the sky, or the wall
    behind, meets the land, the water or the floor; `light`: RGB factors of the light on subjects; `floats`: whether
    subjects mostly hang in it; `sun_x`: the x of the sun or moon; `extent`: what of the square is painted. Positions
    are shares of the square."""

    place: str
    time: str
    weather: str
    medium: str
    ground: tuple[float, float]
    water: tuple[float, float] | None
    floats: bool
    horizon: float
    light: tuple[float, float, float]
    sheets: tuple[Sheet, ...]
    seed: Seed
    sun_x: float = 0.5
    extent: Box = WHOLE
    stretches: bool = True

    def render(self, width: int, height: int, window: Box = WHOLE, *, grain: bool = False) -> Scene:
        """The part `window` (x0, y0, x1, y1, shares of the square) at `width` x `height` pixels, with the medium's
        `grain` on every layer or without. Layers keep their depths in shares of the square. Raises ValueError for a
        size that is not within `SMALLEST` and `LARGEST` pixels, and for a window that is not within the square."""
        for side, what in ((width, "wide"), (height, "high")):
            if not SMALLEST <= side <= LARGEST:
                raise ValueError(
                    f"A scene of {side} pixels {what} cannot be painted: choose {SMALLEST} to {LARGEST} pixels."
                )
        x0, y0, x1, y1 = window
        if not (0 <= x0 < x1 <= 1 and 0 <= y0 < y1 <= 1):
            raise ValueError(
                f"The window {window} is not a part of the painted square: give x0 < x1 and y0 < y1, all from 0 to 1."
            )
        rendered = [sheet.render(width, height, window) for sheet in self.sheets]
        if grain:
            rendered = [(self.grain(pixels), box) for pixels, box in rendered]
        layers = [
            Layer(pixels, sheet.depth, sheet.name, box)
            for (pixels, box), sheet in zip(rendered[1:], self.sheets[1:], strict=True)
            if box[0] < box[2]
        ]
        return Scene(
            self.place,
            self.time,
            self.weather,
            self.medium,
            np.ascontiguousarray(rendered[0][0][..., :3]),
            self.ground,
            self.light,
            self.horizon,
            layers,
            self.water,
        )

    @cached_property
    def parts(self) -> tuple[tuple[str, Sheet], ...]:
        """What can be told apart in it, each by its name, such as "window" or "blackboard", and as a sheet of its
        own."""
        found: dict[str, tuple[str, Sheet]] = {}
        for sheet in self.sheets:
            for mark in sheet.marks:
                for name, path in mark.shows:
                    found.setdefault(path, (name, Sheet(sheet.depth, name)))[1].marks.append(mark)
        return tuple(found.values())

    @cached_property
    def motifs(self) -> frozenset[str]:
        """The names of its `parts`."""
        return frozenset(name for name, _ in self.parts)

    def without(self, names: Collection[str]) -> Painting:
        """The same without these of its `motifs`: what is behind them is seen."""
        if not names:
            return self
        kept = (
            replace(sheet, marks=[mark for mark in sheet.marks if not any(name in names for name, _ in mark.shows)])
            for sheet in self.sheets
        )
        return replace(self, sheets=tuple(kept))

    def grain(self, image: np.ndarray) -> np.ndarray:
        """The medium's grain over a picture, uint8 (H, W, 3 or 4): the paper is the same under all of a painting."""
        return grained(self.medium, image, self.time == "night", Chance(f"{_named(self.place, self.seed)} paper"))


def paint(place: str, time: str, weather: str, medium: str, seed: Seed) -> Painting:
    """Draw one scene; the same seed gives the same. Of one place and seed every motif of the ground is where it is at
    every time, in every weather and medium. Raises ValueError for what is no place, medium, or time or weather of that
    place."""
    if place not in PLACES:
        raise ValueError(f"There is no place {place!r}; the places are {', '.join(PLACES)}.")
    kind = PLACES[place]
    for given, possible, what in ((time, kind.times, "time"), (weather, kind.weathers, "weather")):
        if given not in possible:
            raise ValueError(f"{place!r} has no {what} {given!r}; it has {', '.join(map(repr, possible))}.")
    if medium not in MEDIUMS:
        raise ValueError(f"There is no medium {medium!r}; the mediums are {', '.join(MEDIUMS)}.")
    painter = Painter(time, weather, medium, _named(place, seed))
    kind.paint(painter)
    # Python's sort keeps the order in which layers of one depth were drawn.
    sheets = (painter.sheets[0], *sorted(painter.sheets[1:], key=lambda sheet: sheet.depth))
    return Painting(
        place,
        time,
        weather,
        medium,
        kind.ground,
        kind.water,
        kind.floats,
        painter.horizon / 100,
        painter.light,
        sheets,
        seed,
        painter.sun_x / 100,
    )


def _named(place: str, seed: Seed) -> str:
    numbers = (seed,) if isinstance(seed, int) else seed
    return f"{place} {' '.join(map(str, numbers))}"


def window_for(painting: Painting, width: int, height: int) -> Box:
    """The part of the painted square that a frame of `width` x `height` shows, as large as can be: its middle, the
    ground down to a little below where feet stand, and as much above it as there is room for. Where that is not up to
    the horizon in a wide frame, there is less of the ground, down to some share of the frame, and the place is a little
    broader than it is, so that more of its height goes in; else it is not stretched."""
    x0, y0, x1, y1 = painting.extent
    wide = min(x1 - x0, (y1 - y0) * width / height)
    tall = min(y1 - y0, (x1 - x0) * height / width)
    if width > height and painting.stretches:
        whole = (painting.ground[0] - painting.horizon) / (1 - _ABOVE - _GROUND)  # from above the horizon to the ground
        tall = min(max(tall, min(whole, _BROADER * tall)), y1 - y0)
    low = max(min(y1, painting.ground[1] + 0.04), y0 + tall)
    if width > height:
        in_sight, least = painting.horizon + (1 - _ABOVE) * tall, painting.ground[0] + _GROUND * tall
        low = min(low, max(in_sight, least, y0 + tall))
    return (x0 + x1 - wide) / 2, low - tall, (x0 + x1 + wide) / 2, low
