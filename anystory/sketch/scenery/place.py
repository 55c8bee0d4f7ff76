"""What a kind of place is, and the register of all of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from anystory.sketch.scenery.draw import Painter
from anystory.sketch.scenery.phrases import TIMES, WEATHERS


@dataclass(frozen=True)
class ScenePlace:
    """A kind of scene. `phrases` end a sentence ("a fox … at the beach"); `empty` names it bare; `ground` is the
    range of y where feet stand; `floats` says whether subjects mostly hang in it; `times` and `weathers` when it can
    be, (“”,) where none shows; `water` is the range of y of open water to swim in."""

    paint: Callable[[Painter], None]
    phrases: tuple[str, ...]
    empty: str
    ground: tuple[float, float]
    floats: bool
    times: tuple[str, ...]
    weathers: tuple[str, ...]
    water: tuple[float, float] | None


PLACES: dict[str, ScenePlace] = {}

INDOORS = ("",)
DRY = ("clear", "cloudy", "fog")
FLOWERING = ("clear", "cloudy", "rain", "fog")


def place(
    name: str,
    *phrases: str,
    empty: str,
    ground: tuple[float, float] = (0.82, 0.95),
    floats: bool = False,
    times: tuple[str, ...] = TIMES,
    weathers: tuple[str, ...] = WEATHERS,
    water: tuple[float, float] | None = None,
) -> Callable[[Callable[[Painter], None]], Callable[[Painter], None]]:
    """Register a painter under `name`; see `ScenePlace`."""

    def register(paint: Callable[[Painter], None]) -> Callable[[Painter], None]:
        PLACES[name] = ScenePlace(paint, phrases, empty, ground, floats, times, weathers, water)
        return paint

    return register
