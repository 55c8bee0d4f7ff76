"""Painted places: the grounds on which the synthetic world puts its subjects.

`paint` draws one `Scene`: a background and, in front of it, layers with alpha, each at its own depth. Positions are
shares of the frame, x to the right and y down. `words` says truly what a scene shows.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

# The painters enter their places into PLACES when they are imported.
from anystory.sketch.scenery import fantastic, indoors, nature, styles, town, water  # noqa: F401
from anystory.sketch.scenery.draw import Painter, Sheet
from anystory.sketch.scenery.place import PLACES
from anystory.sketch.scenery.words import (
    MEDIUMS,
    STYLE_PHRASES,
    TIME_PHRASES,
    TIMES,
    WEATHER_PHRASES,
    WEATHERS,
    in_style,
    when,
)

__all__ = [
    "MEDIUMS",
    "PLACES",
    "STYLE_PHRASES",
    "TIMES",
    "TIME_PHRASES",
    "WEATHERS",
    "WEATHER_PHRASES",
    "Layer",
    "Painting",
    "Scene",
    "fingerprint",
    "in_style",
    "paint",
    "plan",
    "when",
]

Box = tuple[float, float, float, float]
WHOLE: Box = (0.0, 0.0, 1.0, 1.0)

Seed = int | tuple[int, ...]

Label = tuple[str, str, str, str]
"""Place, time, weather and style of a scene."""


@dataclass(frozen=True)
class Layer:
    """Something of a scene that can hide a subject. `pixels` uint8 (size, size, 4): RGBA, straight alpha. `depth` is
    the y of the line on which it stands: a subject whose feet are above that line (a smaller y) is behind it; a depth
    above 1 is in front of everyone. `name` says what it is, with its article ("a bush"), "" where nobody hides behind
    it (rain, mist)."""

    pixels: np.ndarray
    depth: float
    name: str = ""


@dataclass(frozen=True)
class Scene:
    """`background` uint8 (size, size, 3) and the `layers` in front of it, from the back to the front. `ground`: the
    range of y where feet stand. `light`: RGB factors of the light on subjects, about 0.3 (night) to 1. `water`: the
    range of y of open water in which a subject can swim, or None."""

    place: str
    time: str
    weather: str
    style: str
    background: np.ndarray
    ground: tuple[float, float]
    light: tuple[float, float, float]
    layers: list[Layer] = field(default_factory=list)
    water: tuple[float, float] | None = None

    def picture(self) -> np.ndarray:
        """The whole scene without subjects: uint8 (size, size, 3)."""
        out = self.background.astype(np.float32)
        for layer in self.layers:
            alpha = layer.pixels[..., 3:].astype(np.float32) / 255
            out += (layer.pixels[..., :3] - out) * alpha
        return np.round(out).astype(np.uint8)


def plan(count: int) -> list[Label]:
    """The labels of a bank of `count` scenes: all places in turn, and of each its times, weathers and styles. Clear
    weather comes twice as often as any other."""
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
    where feet stand; `water`: that of open water, or None; `light`: RGB factors of the light on subjects; `floats`:
    whether subjects mostly hang in it; `sun_x`: the x of the sun or moon. Positions are shares of the square."""

    place: str
    time: str
    weather: str
    medium: str
    ground: tuple[float, float]
    water: tuple[float, float] | None
    floats: bool
    light: tuple[float, float, float]
    sheets: tuple[Sheet, ...]
    seed: Seed
    sun_x: float = 0.5

    def render(self, width: int, height: int, window: Box = WHOLE, *, grain: bool = False) -> Scene:
        """The part `window` (x0, y0, x1, y1, shares of the square) at `width` x `height` pixels, with the medium's
        `grain` on every layer or without. Layers keep their depths in shares of the square."""
        pixels = [sheet.render(width, height, window) for sheet in self.sheets]
        if grain:
            pixels = [self.grain(layer) for layer in pixels]
        background, *drawn = pixels
        layers = [Layer(layer, sheet.depth, sheet.name) for layer, sheet in zip(drawn, self.sheets[1:], strict=True)]
        return Scene(
            self.place,
            self.time,
            self.weather,
            self.medium,
            np.ascontiguousarray(background[..., :3]),
            self.ground,
            self.light,
            layers,
            self.water,
        )

    def grain(self, image: np.ndarray) -> np.ndarray:
        """The medium's grain over a picture, uint8 (H, W, 3 or 4): the paper is the same under all of a painting."""
        rng = np.random.default_rng((*np.atleast_1d(self.seed).tolist(), 1))
        return styles.finish(self.medium, [image], self.time == "night", rng)[0]


def paint(place: str, time: str, weather: str, medium: str, seed: Seed) -> Painting:
    """Draw one scene; the same seed gives the same. Raises ValueError for what is no place, medium, or time or weather
    of that place."""
    if place not in PLACES:
        raise ValueError(f"There is no place {place!r}; the places are {', '.join(PLACES)}.")
    kind = PLACES[place]
    for given, possible, what in ((time, kind.times, "time"), (weather, kind.weathers, "weather")):
        if given not in possible:
            raise ValueError(f"{place!r} has no {what} {given!r}; it has {', '.join(map(repr, possible))}.")
    if medium not in MEDIUMS:
        raise ValueError(f"There is no medium {medium!r}; the mediums are {', '.join(MEDIUMS)}.")
    painter = Painter(time, weather, medium, np.random.default_rng(seed))
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
        painter.light,
        sheets,
        seed,
        painter.sun_x / 100,
    )


def fingerprint() -> str:
    """Changes with the painters: the key of whatever is made of their scenes."""
    digest = hashlib.sha256()
    for path in sorted(Path(__file__).parent.glob("*.py")):
        if path.name != "__main__.py":
            digest.update(path.read_bytes())
    return digest.hexdigest()[:16]
