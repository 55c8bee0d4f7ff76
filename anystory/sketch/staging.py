"""Who stands where in a panel, how large, facing which way: from a `Shot` and cut-outs to a `Staging`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from anystory.errors import Message
from anystory.sketch.bend import STRAIGHT, Bend
from anystory.sketch.cutout import PIXELS, Cutout
from anystory.sketch.scenery import Painting
from anystory.sketch.stagecraft.bodies import Body, pose_there
from anystory.sketch.stagecraft.company import bonds, looks
from anystory.sketch.stagecraft.covers import ROWS
from anystory.sketch.stagecraft.ensemble import Ensemble, ensemble
from anystory.sketch.stagecraft.figure import lowest
from anystory.sketch.stagecraft.laying import laid_out
from anystory.sketch.stagecraft.marks import FRONT, ComicMark, marks_of
from anystory.sketch.stagecraft.poses import LYING
from anystory.sketch.stagecraft.props import HELD, SHOWN, WORN, Prop
from anystory.sketch.stagecraft.rows import together
from anystory.sketch.stagecraft.spots import at_place, by_hand
from anystory.sketch.things.drawing import LibraryDrawing
from anystory.story.shot import Shot
from anystory.story.steering import Layout

Box = tuple[float, float, float, float]
"""x0, y0, x1, y1 as shares of the frame's width and height, from its top left corner."""

_ENLARGED = 4
_COVERED = 0.08
"""Whoever has more than this of them behind something of the place, unasked, steps in front of it."""


@dataclass(frozen=True)
class Placed:
    """One member of the cast in the frame. `box` is that of the whole cut-out as it is drawn, before anything hides
    it: the box around the rectangle of the picture in its `bend`, turned about its middle by `angle`; it may reach
    beyond the frame. `angle`: degrees, clockwise, after mirroring. `mirrored`: against its picture. `facing`: "left",
    "right" or "". `depth`: the y of the ground it stands on or is above (shares of the frame): who is further down is
    in front. `contact`: the y where its lowest visible point touches the ground or what it is on, or None in the air.
    `waterline`: the y below which it is under water, or None."""

    name: str
    action: str
    box: Box
    angle: float = 0.0
    mirrored: bool = False
    facing: str = ""
    depth: float = 1.0
    contact: float | None = None
    waterline: float | None = None
    bend: Bend = STRAIGHT


@dataclass(frozen=True)
class PlacedThing:
    """A thing of the panel in the frame. `thing`: its number among those of the shot; of two guards each is placed by
    itself. `concept`: as of the shot's `Thing`. `drawing`: how it is drawn, `count` times in one picture and in the
    `colour`; None where the place shows it already, and it is not painted again. `held_by`: who holds or wears it, a
    name or the concept of another thing. The rest as of `Placed`."""

    thing: int
    concept: str
    box: Box
    drawing: LibraryDrawing | None = None
    count: int = 1
    colour: str = ""
    held_by: str = ""
    angle: float = 0.0
    mirrored: bool = False
    depth: float = 1.0
    contact: float | None = None
    waterline: float | None = None
    bend: Bend = STRAIGHT


@dataclass(frozen=True)
class PlacedMark:
    """A comic mark in the frame: `name`, of `anystory.sketch.marks.SIGNS`, and `owner`, the member of the cast of
    whom it says something. `box`, `angle` and `mirrored` as of `Placed`; `depth` too, infinite where it is in front
    of everything."""

    name: str
    owner: str
    box: Box
    angle: float = 0.0
    mirrored: bool = False
    depth: float = FRONT


@dataclass(frozen=True)
class Staging:
    """Where everything of a panel is. `window`: the part of the place's square that the frame shows (see
    `anystory.sketch.scenery`). `placed`: one for every role of the shot, in its order. `things`: those that are seen,
    in the shot's order. `marks`: what says how somebody feels. `notes`: sentences for the user."""

    window: Box
    placed: tuple[Placed, ...]
    notes: tuple[str, ...] = ()
    things: tuple[PlacedThing, ...] = ()
    marks: tuple[PlacedMark, ...] = ()


def stage(
    shot: Shot,
    cutouts: Sequence[Cutout],
    painting: Painting,
    size: tuple[int, int],
    seed: int,
    layout: Layout = Layout(),
) -> Staging:
    """Put the roles of a shot into a painted place, for a frame of `size` (width, height) pixels. `cutouts`: one of
    each role's name, in any order. Places of `layout` win over what the line says, unless its strength is 0. The same
    arguments give the same. Raises ValueError for a role without a cut-out or a frame without pixels."""
    cast = ensemble(shot, cutouts, painting, size, seed)
    placed_by_hand = by_hand(cast, layout)
    fixed = placed_by_hand | at_place(cast, placed_by_hand)
    joined = bonds(cast.figures, set(fixed), cast.luck[:, 2].tolist())
    bodies = together(cast, fixed, joined)
    for i, body in enumerate(bodies):
        if i not in fixed and i not in joined and i not in {bond.target for bond in joined.values()}:
            bodies[i] = _stepped_forward(cast, body, bodies[:i] + bodies[i + 1 :])
    wants = looks(cast, [body.x for body in bodies], joined)
    settled = [
        _turned(_settled(cast, body, want, i in placed_by_hand), layout, i in placed_by_hand)
        for i, (body, want) in enumerate(zip(bodies, wants, strict=True))
    ]
    placed = tuple(_placed(cast, body, size) for body in settled[: len(shot.roles)])
    drawn, notes = laid_out(cast, settled)
    things = [_thing(cast, prop, body) for prop, body in drawn]
    things += [_shown(cast, prop) for prop in cast.props if prop.how == SHOWN]
    things.sort(key=lambda thing: thing.thing)
    told = (*_notes(bodies[: len(placed)], size[1]), *cast.notes, *notes)
    marks = tuple(_mark(cast, mark) for mark in marks_of(cast, settled, drawn))
    return Staging(cast.around.camera.window, placed, told, tuple(things), marks)


def _stepped_forward(cast: Ensemble, body: Body, others: Sequence[Body]) -> Body:
    """In front of what of the place would hide it, if the ground goes so far and nobody is close."""
    left, _, right, _ = body.box
    if body.contact is None or any(other.box[0] < right and left < other.box[2] for other in others):
        return body
    for cover in cast.found:
        line = cover.line + 0.004
        if body.line < line <= cast.around.camera.ground[1] and cover.hides(*body.box) > _COVERED:
            body = body.on_line(line)
    return body


def _settled(cast: Ensemble, body: Body, want: int, by_hand: bool) -> Body:
    """A body as it is drawn, looking to the side `want`: -1 left, 1 right, 0 as its picture does. A picture is mirrored
    only if it is known where it looks, or to put its cut side at the frame's."""
    figure, facing = body.figure, body.figure.facing()
    mirrored = bool(facing and want and facing != want)
    if figure.cut_side:
        mirrored = figure.cut_side * (body.x - cast.around.aspect / 2) < 0
    looks_at = -facing if mirrored else facing
    angle = body.angle
    if angle is None:
        angle = _angle(cast, body, want or looks_at)
    if body.contact is not None and not by_hand and not figure.bust:
        # The corners of a turned picture are empty: let down what is seen.
        middle = body.contact - lowest(figure.cutout, angle, mirrored) * body.height
        body = replace(body, y=middle)
    return replace(body, angle=angle, mirrored=mirrored, looks=looks_at)


def _turned(body: Body, layout: Layout, by_hand: bool) -> Body:
    """A settled body flipped and turned about its middle as the layout says. Who stands where the line says comes down
    to that ground again; who is put there by hand stays, and the ground is below its lowest point."""
    figure, angle = body.figure, body.angle or 0.0
    flip = figure.role.name in layout.flip
    turn = dict(layout.turn).get(figure.role.name, 0.0)
    if not flip and not turn:
        return body
    turned = 180 - (180 - turn - (-angle if flip else angle)) % 360  # above -180, up to 180
    body = replace(body, angle=turned, mirrored=body.mirrored != flip, looks=-body.looks if flip else body.looks)
    if turn and body.contact is not None and not figure.bust:
        low = lowest(figure.cutout, turned, body.mirrored) * body.height
        if by_hand:
            return replace(body, contact=body.y + low, line=body.y + low)
        body = replace(body, y=body.contact - low)
    return body


def _box(cast: Ensemble, body: Body) -> Box:
    x0, y0, x1, y1 = body.box
    return x0 / cast.around.aspect, y0, x1 / cast.around.aspect, y1


def _placed(cast: Ensemble, body: Body, size: tuple[int, int]) -> Placed:
    role, box = body.figure.role, _box(cast, body)
    if body.figure.cutout.kind == PIXELS:
        box = _on_pixels(box, size)
    side = {-1: "left", 0: "", 1: "right"}[body.looks]
    where = (body.angle or 0.0, body.mirrored, side, body.line, body.contact, body.waterline)
    return Placed(role.name, role.action, box, *where, bend=body.figure.bend)


def _thing(cast: Ensemble, prop: Prop, body: Body) -> PlacedThing:
    told = prop.told
    owner = prop.owner if prop.how in (HELD, WORN) else ""
    where = (body.angle or 0.0, body.mirrored, body.line, body.contact, body.waterline)
    placed = PlacedThing(
        prop.thing, told.concept, _box(cast, body), prop.drawing, prop.count, told.colour, owner, *where
    )
    return replace(placed, bend=body.figure.bend)


def _mark(cast: Ensemble, mark: ComicMark) -> PlacedMark:
    aspect, (x0, y0, x1, y1) = cast.around.aspect, mark.box
    box = (x0 / aspect, y0, x1 / aspect, y1)
    return PlacedMark(mark.name, cast.shot.roles[mark.who].name, box, mark.angle, mark.mirrored, mark.line)


def _shown(cast: Ensemble, prop: Prop) -> PlacedThing:
    """A thing that the place shows itself: the part of it that is nearest to the middle of the frame."""
    cover, aspect = prop.cover, cast.around.aspect
    if cover is None:
        raise ValueError(f"{prop.told.concept} is not shown by the place.")
    left, right = cover.run(aspect / 2) or (0.0, aspect)
    rows = np.flatnonzero(cover.seen[:, round(left * ROWS) : round(right * ROWS)].any(1))
    top, bottom = float(rows[0]) / ROWS, float(rows[-1] + 1) / ROWS
    box = float(left / aspect), top, float(min(right / aspect, 1.0)), bottom
    return PlacedThing(prop.thing, prop.told.concept, box, depth=cover.line)


def _angle(cast: Ensemble, body: Body, way: int) -> float:
    """The signed turn: forwards, towards `way`; who lies has its face up, or its head away from the near side."""
    figure = body.figure
    if abs(figure.turn) == 180:
        return 180.0
    if pose_there(figure, cast.around).kind == LYING and figure.turn == -90 and not way:
        way = 1 if body.x > cast.around.aspect / 2 else -1
    if not way:
        way = 1 if cast.luck[figure.index, 5] < 0.5 else -1
    return way * figure.turn + 0.0


def _on_pixels(box: Box, size: tuple[int, int]) -> Box:
    """The box moved onto the frame's own pixels."""
    dx, dy = (round(at * side) / side - at for at, side in zip(box, size, strict=False))
    return box[0] + dx, box[1] + dy, box[2] + dx, box[3] + dy


def _notes(bodies: Sequence[Body], pixels: int) -> list[str]:
    notes = list[str]()
    for body in bodies:
        cutout = body.figure.cutout
        height, width = cutout.pixels.shape[:2]
        times = body.height * pixels / height
        if cutout.kind != PIXELS and times > _ENLARGED:
            notes.append(
                Message(
                    "The picture of {name} is {width} × {height} pixels and is shown {times} times as large; a larger "
                    "one would be sharper.",
                    name=body.figure.role.name,
                    width=width,
                    height=height,
                    times=round(times),
                )
            )
    return notes
