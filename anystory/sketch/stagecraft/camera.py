"""Which part of a painted place a frame shows, and where its ground, water and horizon lie in the frame."""

from __future__ import annotations

from dataclasses import dataclass

from anystory.sketch.scenery import Painting, window_for

Box = tuple[float, float, float, float]
Range = tuple[float, float]

FEET = 0.9
"""Where feet are in a frame, if the ground is there."""


@dataclass(frozen=True)
class Framing:
    """`zoom`: the window's size as a share of the widest. `bottom`: where it ends below the upper edge of the ground
    where feet stand, in heights of that ground; None as the widest does. `tall`: how tall figures are, times the usual.
    `feet`: the y of their feet where the ground allows it. `room`: of the room that balloons need, how much there has
    to be."""

    zoom: float = 1.0
    bottom: float | None = None
    tall: float = 1.0
    feet: float = FEET
    room: float = 1.0


FRAMINGS = {
    "": Framing(),
    "wide": Framing(tall=0.56, feet=0.87),
    "medium": Framing(zoom=0.74, bottom=1.15, tall=1.32, feet=0.965, room=0.5),
    "close-up": Framing(zoom=0.5, bottom=1.0, tall=1.75, feet=1.12, room=0.25),
    "from above": Framing(zoom=0.72, bottom=2.0, tall=0.86, feet=0.88),
    "from below": Framing(zoom=0.86, bottom=0.55, tall=1.14, feet=0.96, room=0.75),
}

_LEAST_HEIGHT = 0.3
"""A window shows at least so much of the place's height, or its widest window: of less one would see but ground."""


@dataclass(frozen=True)
class Camera:
    """`window`: what the frame shows of the place's square. `ground`, `water` (or None) and `horizon` are y's of the
    frame; `ground` is the part in sight, `feet` the line on which one usually stands."""

    framing: Framing
    window: Box
    ground: Range
    water: Range | None
    horizon: float
    feet: float

    def near(self, y: float) -> float:
        """How large something on the line `y` looks, 1 on the usual line."""
        return min(max((y - self.horizon) / max(self.feet - self.horizon, 0.05), 0.45), 1.5)

    def down(self, y: float) -> float:
        """A y of the place's square as one of the frame."""
        return (y - self.window[1]) / (self.window[3] - self.window[1])


def camera(painting: Painting, framing: str, size: tuple[int, int], swimming: bool, focus: float = 0.5) -> Camera:
    """What a frame of `size` (width, height) pixels shows. `focus`: the x of the square to have in its middle, as far
    as can be; `swimming`: the water has to be in sight. An unknown framing is the usual."""
    how = FRAMINGS.get(framing, FRAMINGS[""])
    low, high = painting.ground
    x0, y0, x1, y1 = painting.extent
    _, top, _, bottom = window_for(painting, *size)
    tall = max((bottom - top) * how.zoom, min(bottom - top, _LEAST_HEIGHT * (y1 - y0)))
    if how.bottom is not None:
        bottom = low + (high - low) * how.bottom
    if swimming and painting.water is not None:
        bottom = min(bottom, painting.water[1] + 0.35 * tall)
    bottom = min(max(bottom, y0 + tall), y1)
    wide = min(tall * size[0] / size[1], x1 - x0)
    left = min(max(focus - wide / 2, x0), x1 - wide)
    window = (left, bottom - tall, left + wide, bottom)

    def down(y: float) -> float:
        return (y - window[1]) / tall

    ground = (down(low), max(min(down(high), 0.985), down(low)))
    feet = how.feet if how.feet > 1 else min(max(how.feet, ground[0]), ground[1])
    water = None if painting.water is None else (down(painting.water[0]), min(down(painting.water[1]), 0.97))
    return Camera(how, window, ground, water, down(painting.horizon), feet)
