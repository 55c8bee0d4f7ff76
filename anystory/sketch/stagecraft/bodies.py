"""Figures put down: each by itself as its pose asks, and one on, behind, in the arms of another. Lengths are in frame
heights, in x as in y; x counts from wherever those that belong together are put down.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from anystory.sketch.stagecraft.camera import Camera, Range
from anystory.sketch.stagecraft.figure import FACE, LEAST, Figure, solid, top_between, turned
from anystory.sketch.stagecraft.lineup import Block
from anystory.sketch.stagecraft.poses import AIR, CLIMBING, FLOATING, GROUND, HIDING, LYING, RIDING, WATER, Pose
from anystory.sketch.stagecraft.seats import Seat, seat_of

FAR, NEAR = 0.55, 1.25
"""How large who is far and who is near is drawn, beside the usual."""

_HULL = 0.72
"""Down to where in its height the side of a boat hides who is in it."""

PEEKING = 0.4
"""How much of who looks over something is hidden by it, as a share of their height."""

EDGE = 1.012
"""Where the cut edge of a bust is: out of sight."""


@dataclass(frozen=True)
class Surroundings:
    """What figures are put into. `aspect`: the frame's width through its height, `pixels` its height in pixels.
    `room`: the y above which no head should be. `floats`: one hangs in it. `wades`: its ground is under water.
    `scale`: how tall a grown person is there, if there is room; `tallest`: how tall the tallest is beside one."""

    camera: Camera
    aspect: float
    pixels: int
    room: float
    floats: bool
    wades: bool
    scale: float
    tallest: float

    def least(self, scale: float) -> float:
        """How long everybody's long side is at least where a grown person is `scale` tall; in a crowd less."""
        return LEAST * min(1.0, self.aspect) * min(1.0, 4 * scale / self.scale)


@dataclass(frozen=True)
class Body:
    """A figure put down. `width` and `height` are the upright picture's, `x` and `y` its middle. `line` is the ground
    it stands on or is above. `angle`: degrees clockwise where the side it turns to is settled already; then `mirrored`,
    against its picture, and `looks`, -1 to the left, 1 to the right, 0 nowhere, are too."""

    figure: Figure
    x: float
    y: float
    width: float
    height: float
    line: float
    contact: float | None = None
    waterline: float | None = None
    angle: float | None = None
    mirrored: bool = False
    looks: int = 0

    @cached_property
    def box(self) -> tuple[float, float, float, float]:
        """Around the turned picture."""
        if self.angle is None:
            wide, tall = (self.height * side for side in self.figure.turned)
        else:
            wide, tall = turned(self.width, self.height, self.angle)
        return self.x - wide / 2, self.y - tall / 2, self.x + wide / 2, self.y + tall / 2

    @property
    def face(self) -> float:
        """The y down to which nothing may cover it; all of it where its head is not up, nothing of a thing."""
        _, top, _, bottom = self.box
        if self.figure.lifeless:
            return top
        return top + FACE * (bottom - top) if abs(self.figure.turn) < 50 else bottom

    def standing(self, bottom: float, **changes: Any) -> Body:
        """The same with its lowest visible point at `bottom`: the corners of a turned picture are empty."""
        return replace(self, y=bottom - self.figure.lowest * self.height, **changes)

    def scaled(self, part: float) -> Body:
        """The same so many times as large about its middle."""
        return replace(self, width=part * self.width, height=part * self.height)

    def on_line(self, line: float) -> Body:
        """The same further to the front or the back."""
        contact = None if self.contact is None else self.contact + line - self.line
        return replace(self, y=self.y + line - self.line, line=line, contact=contact)


def pose_there(figure: Figure, around: Surroundings) -> Pose:
    """The pose of a figure where it is: who only stands hangs where one floats."""
    pose = figure.pose
    if around.floats and (pose.kind in (WATER, CLIMBING) or (pose.kind not in (AIR, LYING) and not pose.on_foot)):
        return FLOATING
    return pose


def alone(figure: Figure, scale: float, around: Surroundings, row: float | None, luck: Sequence[float]) -> Body:
    """A figure by itself, where a grown person is `scale` tall. `row`: from 0, the front of the ground, to 1, its back;
    None where there is but one row. `luck`: two numbers in [0, 1)."""
    camera, pose = around.camera, pose_there(figure, around)
    line = _line(figure, around, row, luck[0])
    tall = scale * pose.size * {"far": FAR, "near": NEAR}.get(figure.role.distance, 1.0)
    water = camera.water if pose.kind == WATER and not figure.bust else None
    if water is not None:
        line = water[1] - (0.08 + 0.3 * luck[0]) * (water[1] - water[0])
        tall *= max(camera.near(line), 0.72)
    width, height = figure.size(tall, around.pixels)
    longer = around.least(scale) / max(width, height)
    if longer > 1:
        width, height = figure.sized(height * longer, around.pixels)
    if camera.feet > 1 and water is None:
        line = _close_line(around, scale, height) + 0.01 * luck[0]
    body = Body(figure, 0.0, 0.0, width, height, line)
    if figure.bust:
        sunk = (figure.turned[1] - 1) * height
        return replace(body, y=EDGE + sunk - figure.turned[1] * height / 2, line=EDGE)
    if water is not None or (around.wades and pose.kind in (GROUND, LYING, RIDING, HIDING, WATER)):
        diving = abs(figure.turn) > 50
        under = 0.16 if diving else 0.5 if height > 0.8 * width else 0.4
        if figure.lifeless:  # a boat
            under = 0.1
        return body.standing(line + under * (body.box[3] - body.box[1]), waterline=line)
    if pose.kind == AIR or (pose.kind == WATER and abs(figure.turn) > 50):
        return _in_the_air(body, around, pose, luck[1])
    if figure.lift:
        return body.standing(line - figure.lift)
    return body.standing(line, contact=line)


def _line(figure: Figure, around: Surroundings, row: float | None, luck: float) -> float:
    """The ground line of who stands: the smaller a little nearer, everybody a little elsewhere."""
    low, high = around.camera.ground
    if figure.role.distance == "far":
        return low + 0.15 * luck * (high - low)
    if figure.role.distance == "near":
        return high - 0.1 * luck * (high - low)
    # Beyond a single row's line there is room for those who are a little nearer.
    depth = high - low
    base = min(max(around.camera.feet, low + 0.1 * depth), high - 0.36 * depth)
    if row is not None:
        base = high - 0.1 * depth - row * 0.8 * depth
    small = 0.14 * (1 - min(figure.relative, 1.0))
    return min(max(base + (small + figure.pose.nearer + 0.14 * (luck - 0.5)) * depth, low), high)


def _close_line(around: Surroundings, scale: float, height: float) -> float:
    """The line of who is so close that their feet are out of sight: the tallest head near the top, and of everybody
    more than the upper half in the frame."""
    return min(max(around.room + 0.06 + scale * around.tallest, 0.97), around.camera.feet, 1 + 0.38 * height)


def _in_the_air(body: Body, around: Surroundings, pose: Pose, luck: float) -> Body:
    low, top = around.camera.feet - 0.06, around.room
    tall = body.box[3] - body.box[1]
    lift = body.figure.lift
    if around.floats:
        lift = 0.16 + 0.24 * luck
    elif pose.kind == WATER:
        lift = 0.15
    return body.standing(min(max(body.line - lift, top + tall), low))


# --- one with another -----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Bond:
    """How a figure is with another: a relation of `Role`, or "riding", "touching", "held" or "hidden"; with a thing
    "seated", "standing", "aloft", "beneath" or "at the foot" too. `side`: on which side of it, -1 or 1; `share`: its
    place from -1 to 1 among those who are so with the same one."""

    how: str
    target: int
    side: int
    share: float = 0.0


def _on(child: Body, parent: Body, bond: Bond, ground: Range) -> Body:
    left, _, right, bottom = parent.box
    seat = min(_back(parent) + 0.03 * parent.height, bottom)
    x = parent.x + bond.share * 0.3 * (right - left)
    return replace(child.standing(seat, contact=seat, waterline=None), x=x, line=parent.line + 0.002)


def _riding(child: Body, parent: Body, bond: Bond, ground: Range) -> Body:
    left, top, right, bottom = parent.box
    wide = parent.width > 0.85 * parent.height
    # On a horse's back; on top of who looks at us, or may, as the rider would hide its face; on the shoulders of who is
    # tall and narrow, behind the head.
    seat = _back(parent) + 0.03 * parent.height if wide else (top + bottom) / 2
    if wide and parent.figure.facing():
        seat = max(seat, bottom - 0.6 * (bottom - top))
    x = parent.x + (bond.share * 0.3 if wide else bond.side * 0.12) * (right - left)
    child = child.standing(seat, contact=seat, waterline=None)
    return replace(child, x=x, line=parent.line + (0.002 if wide else -0.002))


def _back(parent: Body) -> float:
    """The y of a figure's upper edge in its middle: of a horse its back."""
    upright = abs(parent.figure.turn) < 50
    return parent.box[1] + (top_between(parent.figure.cutout, 0.38, 0.62) * parent.height if upright else 0.0)


def _in(child: Body, parent: Body, bond: Bond, ground: Range) -> Body:
    _, top, _, bottom = parent.box
    sunk = min(top + 0.45 * child.height, bottom - 0.01)
    return replace(
        child.standing(sunk, contact=None, waterline=None),
        x=parent.x + bond.share * 0.3 * parent.width,
        line=parent.line - 0.002,
    )


def _above(child: Body, parent: Body, bond: Bond, ground: Range) -> Body:
    return replace(
        child.standing(parent.box[1] - 0.03, contact=None, waterline=None),
        x=parent.x + bond.share * 0.4,
        line=parent.line,
    )


def _under(child: Body, parent: Body, bond: Bond, ground: Range) -> Body:
    if parent.contact is None:
        return replace(child, x=parent.x)
    return _front(child, parent, bond, ground)


def _front(child: Body, parent: Body, bond: Bond, ground: Range) -> Body:
    line = min(parent.line + 0.03, max(ground[1], parent.line + 0.004))
    child = child.on_line(line)
    low_enough = child.box[1] >= parent.face
    beside = 0.2 * parent.width if low_enough else _beside(child, parent, 0.1)
    return replace(child, x=parent.x + bond.side * beside)


def _behind(child: Body, parent: Body, bond: Bond, ground: Range) -> Body:
    if child.figure.bust:
        return _looking_over(child, parent, bond)
    line = max(parent.line - 0.03, min(ground[0], parent.line - 0.004))
    child = child.on_line(line)
    seen = parent.box[1] >= child.face
    return replace(child, x=parent.x + bond.side * (0.25 * parent.width if seen else _beside(child, parent, 0.1)))


def _looking_over(child: Body, parent: Body, bond: Bond) -> Body:
    """A bust behind somebody's back: its cut edge behind a part that is broad enough, whichever way they will look;
    beside who is nowhere so broad."""
    seen = solid(parent.figure.cutout)
    seen = seen & seen[:, ::-1]
    rows, columns = seen.shape
    middle = seen[:, columns // 2]
    # How far to either side of the middle each row is solid.
    half = np.where(middle, np.argmin(np.pad(seen[:, columns // 2 :], ((0, 0), (0, 1))), 1), 0)
    reach = half / columns * parent.width
    for part in (0.9, 0.75, 0.6, 0.48):
        wide = part * child.width / 2
        fits = np.flatnonzero(reach >= 1.02 * wide)
        if abs(parent.figure.turn) < 20 and len(fits) and fits[0] + 2 < rows and reach[fits[0] + 2] >= 1.02 * wide:
            bottom = parent.y + ((fits[0] + 2.5) / rows - 0.5) * parent.height
            tall = part * child.height
            child = replace(child, width=part * child.width, height=tall, x=parent.x, y=bottom - tall / 2)
            return replace(child, line=parent.line - 0.002, contact=None, waterline=None, angle=0.0)
    return replace(child, x=parent.x + bond.side * _beside(child, parent, 0.1))


def _over(child: Body, parent: Body, bond: Bond, ground: Range) -> Body:
    """Behind what is as tall as it, looking over it."""
    low = parent.box[1] + PEEKING * child.height
    x = parent.x + bond.share * 0.3 * parent.width
    return replace(child.standing(low, line=parent.line - 0.002, contact=None, waterline=None), x=x)


def _hidden(child: Body, parent: Body, bond: Bond, ground: Range) -> Body:
    if child.figure.bust:
        return _looking_over(child, parent, bond)
    behind = _behind(child, parent, bond, ground)
    return replace(behind, x=parent.x + bond.side * (parent.box[2] - parent.box[0]) / 2)


def _touching(child: Body, parent: Body, bond: Bond, ground: Range) -> Body:
    return replace(child, x=parent.x + bond.side * _beside(child, parent, 0.2), line=child.line - 0.001)


def _held(child: Body, parent: Body, bond: Bond, ground: Range) -> Body:
    left, top, right, bottom = parent.box
    middle = top + 0.5 * (bottom - top) + (child.box[3] - child.box[1]) / 2
    x = parent.x + bond.side * 0.32 * (right - left)
    return replace(child, y=middle, x=x, contact=None, waterline=None, line=parent.line + 0.002)


def on_top(parent: Body) -> float:
    """The y of what lies on a thing."""
    _, top, _, bottom = parent.box
    seat = seat_of(parent.figure.drawing)
    return top + (seat.y + 0.02) * (bottom - top) if seat else _back(parent) + 0.1 * (bottom - top)


def _seated(child: Body, parent: Body, bond: Bond, ground: Range) -> Body:
    """On or in what has a seat, else on top: who has long legs lets them hang, before it or out of sight behind it."""
    left, top, right, bottom = parent.box
    wide, tall = right - left, bottom - top
    seat = seat_of(parent.figure.drawing) or Seat(0.5, (_back(parent) - top) / tall + 0.03)
    x = left + (0.5 + 0.22 * bond.share if bond.share else seat.x) * wide
    child = replace(child, width=seat.size * child.width, height=seat.size * child.height)
    high = child.box[3] - child.box[1]
    lies = child.figure.pose.kind == LYING
    legs = high * (0.3 if lies else 0.0 if child.width > 0.9 * child.height else 0.24)
    if seat.inside:
        legs = 0.55 * high if child.figure.pose.kind == HIDING else max(1.5 * legs, 0.24 * high)
    hidden = bottom - 0.01 if parent.waterline is None else min(parent.waterline, top + _HULL * tall)
    low = min(top + seat.y * tall + legs, max(hidden, top + seat.y * tall))
    # Of several who are on it the smaller are in front.
    line = parent.line + (-0.002 if seat.inside else 0.002) - 0.001 * min(child.height, 1.0)
    return replace(child.standing(low, contact=None if seat.inside else low, waterline=None), x=x, line=line)


def _standing(child: Body, parent: Body, bond: Bond, ground: Range) -> Body:
    """On what has a seat with the feet where one sits, else on top."""
    drawing = parent.figure.drawing
    seat = seat_of(drawing)
    if seat is not None and seat.inside and (drawing.living or drawing.kind == "vehicle"):
        return _seated(child, parent, bond, ground)
    low = on_top(parent)
    x = parent.x + ((seat.x - 0.5 if seat is not None and not seat.inside else 0.0) + bond.share * 0.27) * parent.width
    return replace(child.standing(low, contact=low, waterline=None), x=x, line=parent.line + 0.002)


def _aloft(child: Body, parent: Body, bond: Bond, ground: Range) -> Body:
    """Half way up a ladder or a tree."""
    _, top, _, bottom = parent.box
    x = parent.x + bond.share * 0.3 * parent.width
    low = top + 0.72 * (bottom - top)
    return replace(child.standing(low, contact=None, waterline=None), x=x, line=parent.line + 0.002)


def _beneath(child: Body, parent: Body, bond: Bond, ground: Range) -> Body:
    """Under what is tall enough, beside its trunk; under a table as small as one makes oneself."""
    left, top, right, bottom = parent.box
    low = bottom - top < 1.25 * child.height
    if low:
        part = min(max(0.72 * (bottom - top) / (child.box[3] - child.box[1]), 0.5), 1.0)
        child = replace(child, width=part * child.width, height=part * child.height)
    line = parent.line + 0.004
    x = parent.x + (bond.share * 0.25 if low else bond.side * 0.22 + bond.share * 0.2) * (right - left)
    return replace(child.standing(line, line=line, contact=line, waterline=None), x=x)


def _at_the_foot(child: Body, parent: Body, bond: Bond, ground: Range) -> Body:
    """Before a house or a tent, at its door."""
    line = min(parent.line + 0.02, max(ground[1], parent.line + 0.004))
    return replace(child.on_line(line), x=parent.x + (0.12 * bond.side + bond.share * 0.3) * parent.width)


def _beside(a: Body, b: Body, overlap: float) -> float:
    """How far apart two middles are whose boxes share `overlap` of the narrower one's width."""
    widths = [body.box[2] - body.box[0] for body in (a, b)]
    return sum(widths) / 2 - overlap * min(widths)


JOINS: dict[str, Callable[[Body, Body, Bond, Range], Body]] = {
    "on": _on,
    "riding": _riding,
    "in": _in,
    "above": _above,
    "under": _under,
    "in front of": _front,
    "behind": _behind,
    "over": _over,
    "hidden": _hidden,
    "touching": _touching,
    "held": _held,
    "seated": _seated,
    "standing": _standing,
    "aloft": _aloft,
    "beneath": _beneath,
    "at the foot": _at_the_foot,
}
"""How the second figure is put down with the first, of each kind of `Bond`; the last argument is the
range of y of the ground."""

FOR_BUSTS = ("in", "touching", "at the foot", "behind", "hidden")
"""What can be done with a bust, whose cut edge has to be out of sight."""

SCALES = {"behind": 0.92, "in front of": 1.06, "hidden": 0.94}


def block(bodies: Sequence[Body], x: float, weight: float) -> Block:
    """What a line-up has to know of bodies that belong together."""
    boxes = [body.box for body in bodies]
    top, bottom = min(box[1] for box in boxes), max(box[3] for box in boxes)
    face = bodies[0].face if len(bodies) == 1 else bottom
    left, right = -min(box[0] for box in boxes), max(box[2] for box in boxes)
    return Block(x, left, right, top, bottom, face, max(body.line for body in bodies), weight)
