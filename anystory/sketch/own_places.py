"""A story's own places: pictures in a folder `places`, each called as its file is, or by the `places.yaml` beside them
(`anystory.sketch.own_files`). Reading takes a line to one of them as to any place, painting shows the picture."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from anystory.cast.images import open_image
from anystory.errors import Message
from anystory.sketch.language.tokens import language_of, units_of
from anystory.sketch.own_files import Stamp, ThingError, changed, own_files, stamps
from anystory.sketch.scenery import PLACES, TIMES, WEATHERS
from anystory.sketch.things.own import own_svg
from anystory.sketch.things.svg import rasterise, view_box
from anystory.story.names import visible

KIND = "meadow"
"""What a place is like whose name does not tell: outdoors, at any time, in any weather."""

SIDE = 2048
"""Pixels of a picture's longer side at most."""

MAX_ASPECT = 5

_SKYLINES = (0.25, 0.75)
"""Between which shares of a picture's height its horizon is looked for."""

_USUAL, _PLAIN = 0.55, 10.0
"""Where the horizon is taken to be where nothing tells, and which step of colour, of 255, tells."""

_NEAR = 0.5
"""How far below the horizon one stands at least, as a share of what is below it."""


@dataclass(frozen=True)
class OwnPlace:
    """A picture of a place. `names`: what lines call it; `kind`: the place of `PLACES` that it is like, which has its
    times and weathers; `called`: that place if one of the names is a word for it, else "". `told`: whether its whole
    name is such a word, so that it is meant wherever a line goes to such a place. `time`: the hour that the picture
    shows, "" for daylight that takes any. `horizon`, `ground`: shares of its height from the top, the latter where feet
    stand furthest off; None leaves them to the picture."""

    file: Path
    names: tuple[str, ...]
    kind: str = KIND
    called: str = ""
    told: bool = False
    time: str = ""
    horizon: float | None = None
    ground: float | None = None

    @property
    def name(self) -> str:
        return self.names[0]

    @property
    def times(self) -> tuple[str, ...]:
        """When it can be: outdoors always, elsewhere as what it is like."""
        return TIMES if self._outdoors else PLACES[self.kind].times

    @property
    def weathers(self) -> tuple[str, ...]:
        """As `times`."""
        return WEATHERS if self._outdoors else PLACES[self.kind].weathers

    @property
    def _outdoors(self) -> bool:
        return PLACES[self.kind].weathers != ("",)

    @property
    def look(self) -> str:
        """What it looks like and how it is used, as a hash. Raises as `pixels_of`."""
        pixels_of(self.file)  # a picture that cannot be used is told of before anything is made
        digest = hashlib.sha256(self.file.read_bytes())
        digest.update(repr(replace(self, file=Path(), names=())).encode())
        return digest.hexdigest()


def own_places(folder: Path) -> tuple[OwnPlace, ...]:
    """The places of a folder by file name, read again when a file has changed. Raises `ThingError`."""
    return _own_places(folder, stamps(folder))


def own_place(file: Path) -> OwnPlace:
    """The place that a picture shows. Raises `ThingError`."""
    found = next((place for place in own_places(file.parent) if place.file == file), None)
    if found is None:
        raise ThingError(Message("{file}, a place of the story's own, is gone; put it back.", file=file.name))
    return found


@lru_cache(maxsize=8)
def _own_places(folder: Path, files: tuple[Stamp, ...]) -> tuple[OwnPlace, ...]:
    listed = own_files(folder, "places.yaml", _said, "like, time, horizon or ground")
    return tuple(_place(path, [visible(name) for name in names], said) for path, names, said in listed)


def _place(path: Path, names: Sequence[str], said: Mapping[str, Any]) -> OwnPlace:
    kinds = [_kind(name) for name in names]
    called, told = next(
        ((kind, whole) for kind, whole in sorted(kinds, key=lambda one: not one[1]) if kind), ("", False)
    )
    place = OwnPlace(path, tuple(names), called or KIND, called, told)
    place = replace(place, **{key if key != "like" else "kind": value for key, value in said.items()})
    if place.horizon is not None and place.ground is not None and place.ground < place.horizon:
        raise ThingError(
            Message(
                "places.yaml, {file}: ground is {ground}, above its horizon of {horizon}; both count from the top, so "
                "make ground the larger.",
                file=path.name,
                ground=place.ground,
                horizon=place.horizon,
            )
        )
    return place


@lru_cache(maxsize=1024)
def _kind(name: str) -> tuple[str, bool]:
    """The place that a name is a word for, "our old village" a village, or "", and whether it says nothing else."""
    language = language_of(name)
    units = units_of(name.lower(), {}, language)
    found = [unit.value("places") for unit in units if unit.value("places") in PLACES]
    if not found:
        return "", False
    return found[0] if language == "es" else found[-1], len(units) == 1


def _said(where: str, key: str, value: Any) -> Any:
    """One value of the list, checked; see `own_files.Said`."""
    if key == "like":
        kind = "" if not isinstance(value, str) else value if value in PLACES else _kind(value)[0]
        if not kind:
            raise ThingError(
                Message(
                    "{where} is {value}; it must be a place that can be painted, such as forest or room.",
                    where=where,
                    value=repr(value),
                )
            )
        return kind
    if key == "time":
        if value not in ("day", "sunrise", "sunset", "night"):
            raise ThingError(
                Message("{where} is {value}; it must be day, sunrise, sunset or night.", where=where, value=repr(value))
            )
        return value
    if key in ("horizon", "ground"):
        low, high = (0.05, 0.9) if key == "horizon" else (0.1, 0.95)
        if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
            raise ThingError(
                Message(
                    "{where} is {value}; it must be from {low} to {high}, a share of the height from the top.",
                    where=where,
                    value=repr(value),
                    low=low,
                    high=high,
                )
            )
        return float(value)
    raise KeyError(key)


def pixels_of(file: Path) -> np.ndarray:
    """The picture of a place, uint8 (h, w, 3), what is transparent in white. Raises `ThingError` or `ImageError`."""
    return _pixels(file, changed(file))


@lru_cache(maxsize=4)
def _pixels(file: Path, stamp: tuple[int, int]) -> np.ndarray:
    if file.suffix.lower() == ".svg":
        drawn = own_svg(file)
        box = view_box(drawn.text)
        _refuse_slivers(file, box[2], box[3])
        height = round(SIDE * min(1.0, box[3] / box[2]))
        image = Image.fromarray(rasterise(replace(drawn, box=box), height))
    else:
        image = open_image(file)
        _refuse_slivers(file, image.width, image.height)
    if image.mode == "RGBA":
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    pixels = np.array(image.convert("RGB"))
    pixels.setflags(write=False)
    return pixels


def _refuse_slivers(file: Path, width: float, height: float) -> None:
    if max(width, height) > MAX_ASPECT * min(width, height):
        raise ThingError(
            Message(
                "{file} is {width} × {height}, over {most} times as long on one side; crop it to a place.",
                file=file.name,
                width=f"{width:g}",
                height=f"{height:g}",
                most=MAX_ASPECT,
            )
        )


def lines_of(place: OwnPlace) -> tuple[float, float]:
    """The y of a picture's horizon and of the ground where feet stand furthest off, shares of its height: as was said,
    else the horizon where the picture's colours change most from one row to the next."""
    horizon = place.horizon
    if horizon is None:
        horizon = _skyline(pixels_of(place.file))
        horizon = horizon if place.ground is None else min(horizon, place.ground)
    return horizon, horizon + _NEAR * (1 - horizon) if place.ground is None else place.ground


def _skyline(pixels: np.ndarray) -> float:
    rows, reach = 64, 5
    small = np.asarray(Image.fromarray(pixels).resize((16, rows), Image.Resampling.BOX), np.float32)
    sums = np.concatenate([np.zeros((1, 16, 3), np.float32), small.cumsum(0)])
    edges = np.arange(round(_SKYLINES[0] * rows), round(_SKYLINES[1] * rows) + 1)
    above = (sums[edges] - sums[edges - reach]) / reach
    below = (sums[edges + reach] - sums[edges]) / reach
    step = np.abs(above - below).mean(-1)
    steps = np.median(step, 1)  # what most columns show, not one tree or house
    best = int(steps.argmax())
    return float(edges[best]) / rows if steps[best] >= _PLAIN else _USUAL
