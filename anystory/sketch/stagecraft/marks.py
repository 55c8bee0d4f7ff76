"""Which comic mark says what somebody feels or does, and where it is: at their own head, or where they run, dig or dive; never
on a face, in a balloon's room or beyond the frame. Nobody has more than one at the head: a page of marks says nothing."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import product

import numpy as np

from anystory.sketch.marks import aspect_of
from anystory.sketch.stagecraft.bends import FOURS
from anystory.sketch.stagecraft.bodies import Body
from anystory.sketch.stagecraft.ensemble import Ensemble
from anystory.sketch.stagecraft.figure import kind_of, solid
from anystory.sketch.stagecraft.hands import covered, outline
from anystory.sketch.stagecraft.props import HELD, WORN, Prop

Box = tuple[float, float, float, float]

FELT = {"cries": "tears", "sleeps": "zzz", "kisses": "hearts", "hugs": "hearts"}
"""Actions that say how somebody feels; their marks go before those of moods."""

MOODS = {
    "sad": "gloom", "angry": "anger", "afraid": "sweat", "sleepy": "zzz", "surprised": "!", "in love": "hearts",
    "puzzled": "?", "inspired": "idea", "dizzy": "stars",
}  # fmt: skip
"""A happy face is what most pictures have already."""

DONE = {"laughs": "joy", "sings": "music", "shouts": "shout", "thinks": "thought"}

TRAILS = {
    "runs": ("speed", "dust"), "chases": ("speed", "dust"), "flies": ("speed",), "falls": ("speed",), "jumps": ("speed",),
    "digs": ("dust",), "dives": ("splash",), "fights": ("impact",),
}  # fmt: skip
"""What is not at the head but where somebody goes, or at what they do."""

SIZES = {
    "tears": 0.46, "sweat": 0.5, "hearts": 0.6, "anger": 0.5, "zzz": 0.7, "!": 0.72, "?": 0.7, "music": 0.68,
    "stars": 0.56, "idea": 0.75, "thought": 0.8, "gloom": 0.52, "joy": 0.56, "shout": 0.6, "impact": 1.0,
}  # fmt: skip
"""How high a mark is, beside the head."""

_PLACES = {
    "zzz": ("corner", "top", "side"), "hearts": ("corner", "top", "side"), "music": ("corner", "side", "top"),
    "anger": ("corner", "top", "side"), "sweat": ("corner", "side"), "joy": ("corner", "side"), "shout": ("side", "corner"),
    "tears": ("side",), "thought": ("corner", "top", "side"),
}  # fmt: skip
_ABOVE = ("top", "corner", "side")
"""Where around the head a mark is tried, the best first; the others are above it."""

_BEHIND = ("sweat", "anger", "thought", "zzz")
"""What is rather at the back of the head; the rest is on the side that somebody looks to."""

_LEAST, _MOST = 0.06, 0.14
"""How high a mark at the head is at least and at most, in the frame's shorter side."""

_SHRINKS = (1.0, 0.78, 0.6)
_TOUCHED = 0.015
"""How much of its owner's head a mark may be on."""

_GAP = 0.006
_EDGE = 0.012

_HEAD = {"upright": 0.27, "broad": 0.42, "bust": 0.6}
"""How much of the height from the top the head is: of who is narrow, of who is broad, of a bust."""

_BROAD = 0.75

FRONT = math.inf
"""The line of what is in front of everything."""


@dataclass(frozen=True)
class Mark:
    """A mark put down. `who`: the number of the role whose it is. `x` and `y`: its middle, `width` and `height` as it is
    drawn upright, all in frame heights. `angle`: degrees clockwise, after mirroring. `line`: what stands on a line
    further down is in front of it."""

    name: str
    who: int
    x: float
    y: float
    width: float
    height: float
    angle: float = 0.0
    mirrored: bool = False
    line: float = FRONT

    @property
    def box(self) -> Box:
        wide, tall = (self.height, self.width) if abs(self.angle) == 90 else (self.width, self.height)
        return self.x - wide / 2, self.y - tall / 2, self.x + wide / 2, self.y + tall / 2


def marks_of(cast: Ensemble, settled: Sequence[Body], drawn: Sequence[tuple[Prop, Body]]) -> list[Mark]:
    """The marks of a panel. `settled`: the bodies of the roles, and of what stands with them, as they are drawn; `drawn`:
    all things."""
    roles = len(cast.shot.roles)
    bodies = [*settled[:roles], *(body for _, body in drawn)]
    points = [_head(body) for body in settled[:roles]]
    page = _Page(cast, bodies, points, [_box(found) for found in points], [])
    for prop, body in drawn:
        if prop.how == WORN and prop.who is not None:
            page.heads[prop.who] = _around(page.heads[prop.who], body.box)
    paired: set[tuple[str, frozenset[int]]] = set()
    plays = {prop.who for prop, _ in drawn if prop.how == HELD and prop.drawing and prop.drawing.kind == "instrument"}
    for i, role in enumerate(cast.shot.roles):
        for name in TRAILS.get(role.action, ()):
            if name != "impact":
                page.put(_trail(cast, name, i, settled[i]))
        other = cast.names.get(role.toward, i)
        name = FELT.get(role.action) or MOODS.get(role.mood) or DONE.get(role.action)
        if role.action in ("plays", "works") and i in plays and not name:
            name = "music"
        if "impact" in TRAILS.get(role.action, ()) and i != other < roles:
            if ("impact", frozenset((i, other))) not in paired:
                paired.add(("impact", frozenset((i, other))))
                page.put_first(_between(cast, "impact", i, settled[i], settled[other], page))
        if name is None or (cast.around.floats and name in ("tears", "sweat")):
            continue
        if name == "hearts" and i != other < roles and role.action in FELT:
            if ("hearts", frozenset((i, other))) in paired:
                continue
            paired.add(("hearts", frozenset((i, other))))
            if page.put_first(_between(cast, name, i, settled[i], settled[other], page)):
                continue
        for side in (-1, 1) if name == "tears" else (0,):
            page.put_first(_at_head(cast, name, i, settled[i], page, side))
    return page.marks


@dataclass
class _Page:
    """What is in the frame: `bodies` of everybody and all things, `points` of the roles' heads, the boxes around these
    `heads` with what they wear, and the `marks` put down so far."""

    cast: Ensemble
    bodies: list[Body]
    points: list[np.ndarray]
    heads: list[Box]
    marks: list[Mark]

    def put(self, mark: Mark | None) -> bool:
        """Put a mark down if it may be there."""
        if mark is None or not self.allows(mark):
            return False
        self.marks.append(mark)
        return True

    def put_first(self, tried: Iterator[Mark]) -> bool:
        """Put down the best of several, the first the likeliest, if one of them may be there."""
        costs = [(self.cost(mark) + 0.12 * number, number, mark) for number, mark in enumerate(tried) if self.allows(mark)]
        if not costs:
            return False
        self.marks.append(min(costs, key=lambda each: each[:2])[2])
        return True

    def allows(self, mark: Mark) -> bool:
        left, top, right, bottom = mark.box
        room = self.cast.around.room if self.cast.shot.speakers else _EDGE
        if left < _EDGE or right > self.cast.around.aspect - _EDGE or top < room or bottom > 1 - _EDGE:
            return False
        others = [head for i, head in enumerate(self.heads) if i != mark.who]
        if any(_common(mark.box, box) for box in (*others, *(other.box for other in self.marks))):
            return False
        if mark.line < FRONT:  # what trails behind somebody, or what they dive into, is not on their face
            return True
        # One's own head is round: a mark may be in a corner of the box around it.
        x, y = self.points[mark.who].T
        return float(((x > left) & (x < right) & (y > top) & (y < bottom)).mean()) <= _TOUCHED

    def cost(self, mark: Mark) -> float:
        """How much of a mark is on somebody or something else; their faces count more. Where two meet it is on both."""
        area = mark.width * mark.height
        on = sum(_common(mark.box, body.box) for i, body in enumerate(self.bodies) if i != mark.who) / area
        if mark.name == "impact":
            on = 0.0
        stand_in = replace(self.bodies[mark.who], x=mark.x, y=mark.y, width=mark.width, height=mark.height, angle=0.0)
        faces = covered(replace(stand_in, line=FRONT), [body for i, body in enumerate(self.bodies) if i != mark.who])
        return min(on, 1.0) + 4 * faces


def _head(body: Body) -> np.ndarray:
    """Points (n, 2) all over the head of somebody as they are drawn, x and y in frame heights: the upper end of their
    outline, of who is broad and seen from the side the end to which they look."""
    figure = body.figure
    seen = solid(figure.cutout)
    if body.mirrored:
        seen = seen[:, ::-1]
    rows, columns = seen.shape
    broad = figure.aspect > _BROAD
    part = seen.copy()
    if body.looks and kind_of(figure.cutout, figure.role.facing) == FOURS:
        half = columns // 2
        part[:, half:] &= body.looks > 0
        part[:, :half] &= body.looks < 0
    if not part.any():
        part = seen
    first = int(np.flatnonzero(part.any(1))[0])
    part[first + max(round(_HEAD["bust" if figure.bust else "broad" if broad else "upright"] * rows), 1) :] = False
    ys, xs = np.nonzero(part)
    dx = ((xs + 0.5) / columns - 0.5) * body.width
    dy = ((ys + 0.5) / rows - 0.5) * body.height
    turn = math.radians(body.angle or 0.0)
    cos, sin = math.cos(turn), math.sin(turn)
    return np.stack([body.x + dx * cos - dy * sin, body.y + dx * sin + dy * cos], 1)


def _box(points: np.ndarray) -> Box:
    x0, y0 = points.min(0).tolist()
    x1, y1 = points.max(0).tolist()
    return x0 - 0.002, y0 - 0.002, x1 + 0.002, y1 + 0.002


def _height(cast: Ensemble, name: str, head: Box) -> float:
    size = math.sqrt((head[2] - head[0]) * (head[3] - head[1])) * SIZES[name]
    shorter = min(cast.around.aspect, 1.0)
    return min(max(size, _LEAST * shorter), _MOST * shorter)


def _at_head(cast: Ensemble, name: str, i: int, body: Body, page: _Page, only: int) -> Iterator[Mark]:
    """The places of a mark around a head, the likeliest first; on one side `only`, -1 or 1, or 0 for either."""
    head = page.heads[i]
    left, top, right, bottom = head
    looks = body.looks or (1 if body.x < cast.around.aspect / 2 else -1)
    ahead = -looks if name in _BEHIND else looks
    room = cast.around.room if cast.shot.speakers else _EDGE
    lies = abs(body.angle or 0.0) >= 50
    for part in _SHRINKS:
        height = part * _height(cast, name, head)
        width = height * aspect_of(name)
        for how in _ABOVE if lies else _PLACES.get(name, _ABOVE):
            if how == "top":
                yield Mark(name, i, (left + right) / 2, top - _GAP - height / 2, width, height)
                continue
            for side, tucked in product((only,) if only else (ahead, -ahead), (0.14, 0.0)):
                x = (right if side > 0 else left) + side * (width / 2 - tucked * (right - left))
                y = top + (0.5 * (bottom - top) if how == "side" else 0.05 * height)
                y = max(y, room + height / 2)
                yield Mark(name, i, x, y, width, height, mirrored=side < 0 and name not in ("zzz", "music", "?"))


def _between(cast: Ensemble, name: str, i: int, body: Body, other: Body, page: _Page) -> Iterator[Mark]:
    """Between two who do something to each other: above their heads, or where they meet."""
    target = other.figure.index
    here, there = page.heads[i], page.heads[target]
    x = ((here[0] + here[2]) / 2 + (there[0] + there[2]) / 2) / 2
    for part in _SHRINKS:
        height = part * min(_height(cast, name, here), _height(cast, name, there))
        width = height * aspect_of(name)
        if name == "impact":
            near, far = sorted((body, other), key=lambda one: one.x)
            x = (near.box[2] + far.box[0]) / 2
            low = max(here[3], there[3])
            ys = (low + 0.1 * height + height / 2, low + height, min(here[1], there[1]) - height / 2)
        else:
            ys = (min(here[1], there[1]) - _GAP - height / 2, max(here[1], there[1]) - _GAP)
        for y in ys:
            yield Mark(name, i, x, y, width, height)


def _trail(cast: Ensemble, name: str, i: int, body: Body) -> Mark | None:
    """What somebody leaves behind; None where it has no room or the place is none for it."""
    role, around, tall = body.figure.role, cast.around, body.height
    way = body.looks or (1 if (body.angle or 0.0) > 0 else -1)
    on_ground = body.waterline is None and not around.floats
    if name == "dust":
        if not on_ground or body.figure.bust or cast.shot.weather not in ("clear", "cloudy"):
            return None
        digs = role.action == "digs"
        side = way if digs else -way
        height = min(max(0.17 * tall, 0.04), 0.1)
        width = height * aspect_of(name)
        left, right = outline(body, 0.9, 1.0)
        edge = right if side > 0 else left
        low = body.box[3] + (0.01 if digs else 0.004)
        return Mark(name, i, edge + side * 0.46 * width, low - 0.42 * height, width, height, 0.0, side < 0, body.line - 0.0004)
    if name == "splash":
        if body.waterline is None:
            return None
        height = min(max(0.3 * tall, 0.06), 0.13)
        return Mark(name, i, body.x, body.waterline - 0.36 * height, height * aspect_of(name), height, line=body.line + 0.0004)
    if role.action in ("jumps", "falls"):
        return _upright_speed(cast, i, body, up=role.action == "jumps")
    side = -way
    height = 0.34 * tall
    left, right = outline(body, 0.25, 0.65)
    edge = right if side > 0 else left
    space = (around.aspect - _EDGE - edge) if side > 0 else edge - _EDGE
    width = min(height * aspect_of(name), 0.55 * tall, space - 0.01)
    if width < 0.05:
        return None
    y = body.box[1] + 0.46 * (body.box[3] - body.box[1])
    return Mark(name, i, edge + side * (0.01 + width / 2), y, width, height, 0.0, side < 0, body.line - 0.0004)


def _upright_speed(cast: Ensemble, i: int, body: Body, up: bool) -> Mark | None:
    """Under who leaps, above who falls; `width` is that of the mark before it is turned."""
    left, top, right, bottom = body.box
    edge, end = (bottom, min(body.line, 1 - _EDGE)) if up else (top, cast.around.room)
    length = min(0.8 * abs(end - edge), 0.22)
    if length < 0.03 or (end > edge) != up:
        return None
    y = edge + (length / 2 + _GAP) * (1 if up else -1)
    across = 0.5 * (right - left)
    return Mark("speed", i, (left + right) / 2, y, length, across, 90.0 if up else -90.0, line=body.line - 0.0004)


def _around(a: Box, b: Box) -> Box:
    return min(a[0], b[0]), min(a[1], b[1]), max(a[2], b[2]), max(a[3], b[3])


def _common(a: Box, b: Box) -> float:
    """The area that two boxes share."""
    return max(min(a[2], b[2]) - max(a[0], b[0]), 0.0) * max(min(a[3], b[3]) - max(a[1], b[1]), 0.0)
