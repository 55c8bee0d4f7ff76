"""Who stands where in a panel, how large, facing which way: from a `Shot` and cut-outs to a `Staging`."""

from __future__ import annotations

from dataclasses import dataclass

Box = tuple[float, float, float, float]
"""x0, y0, x1, y1 as shares of the frame's width and height, from its top left corner."""


@dataclass(frozen=True)
class Placed:
    """One member of the cast in the frame. `box` is that of the whole cut-out as it is drawn, before anything hides it;
    it may reach beyond the frame. `angle`: degrees, clockwise. `mirrored`: against its picture. `facing`: "left",
    "right" or "". `depth`: the y of the ground it stands on or is above (shares of the frame): who is further down is
    in front. `contact`: the y where it touches the ground, or None in the air. `waterline`: the y below which
    it is under water, or None."""

    name: str
    action: str
    box: Box
    angle: float = 0.0
    mirrored: bool = False
    facing: str = ""
    depth: float = 1.0
    contact: float | None = None
    waterline: float | None = None


@dataclass(frozen=True)
class Staging:
    """Where everything of a panel is. `window`: the part of the place's square that the frame shows (see
    `anystory.sketch.scenery`). `placed`: one for every role of the shot, in its order."""

    window: Box
    placed: tuple[Placed, ...]
