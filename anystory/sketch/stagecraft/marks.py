"""Which comic mark says what somebody feels or does, and where it is: at their own head, or where they run, dig or
dive; never on a face, in a balloon's room or beyond the frame. Nobody has more than one at the head: a page of marks
says nothing."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import product

import numpy as np

from anystory.sketch.marks import aspect_of
from anystory.sketch.stagecraft.bends import FOURS
from anystory.sketch.stagecraft.bodies import Body
from anystory.sketch.stagecraft.ensemble import Ensemble, balloons_room
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
    "runs": ("speed", "dust"), "chases": ("speed", "dust"), "flies": ("speed",), "falls": ("speed",),
    "jumps": ("speed",), "digs": ("dust",), "dives": ("splash",), "fights": ("impact",),
}  # fmt: skip
"""What is not at the head but where somebody goes, or at what they do."""

SIZES = {
    "tears": 0.46, "sweat": 0.5, "hearts": 0.6, "anger": 0.5, "zzz": 0.7, "!": 0.72, "?": 0.7, "music": 0.68,
    "stars": 0.56, "idea": 0.75, "thought": 0.8, "gloom": 0.52, "joy": 0.56, "shout": 0.6, "impact": 1.0,
}  # fmt: skip
"""How high a mark is, beside the head."""

_PLACES = {
    "zzz": ("corner", "top", "side"), "hearts": ("corner", "top", "side"), "music": ("corner", "side", "top"),
    "anger": ("corner", "top", "side"), "sweat": ("corner", "side"), "joy": ("corner", "side"),
    "shout": ("side", "corner"), "tears": ("side",), "thought": ("corner", "top", "side"),
}  # fmt: skip
_ABOVE = ("top", "corner", "side")
"""Where around the head a mark is tried, the best first; the others are above it."""

_BEHIND = ("sweat", "anger", "thought", "zzz")
"""What is rather at the back of the head; the rest is on the side that somebody looks to."""

_WRITTEN = ("zzz", "music", "?")
"""What is the same on either side."""

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
class ComicMark:
    """A mark put down. `who`: the number of the role whose it is. `x` and `y`: its middle, `width` and `height` as it
    is drawn upright, all in frame heights. `angle`: degrees clockwise, after mirroring. `line`: what stands on a line
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


def marks_of(cast: Ensemble, settled: Sequence[Body], drawn: Sequence[tuple[Prop, Body]]) -> list[ComicMark]:
    """The marks of a panel. `settled`: the bodies of the roles, and of what stands with them, as they are drawn;
    `drawn`: all things."""
    roles = cast.shot.roles
    page = _Page(cast, [*settled[: len(roles)], *(body for _, body in drawn)])
    for prop, body in drawn:
        wearer = cast.names.get(prop.owner, len(roles)) if prop.how == WORN else len(roles)
        if wearer < len(roles) and body.y < page.heads[wearer][3]:  # a hat, not a coat
            page.heads[wearer] = _around(page.heads[wearer], body.box)
    for number, (prop, body) in enumerate(drawn, len(roles)):
        if number in page.heads and prop.count > 1:  # each of a flock has its own
            page.heads[number] = body.box
    musicians = {
        prop.owner for prop, _ in drawn if prop.drawing and prop.how == HELD and prop.drawing.kind == "instrument"
    }
    for i, role in enumerate(roles):
        other = min(cast.names.get(role.toward, i), len(roles))
        for name in TRAILS.get(role.action, ()):
            if name == "impact":
                page.put_between(name, i, other)
            else:
                page.put_first(filter(None, [_trail(cast, name, i, page.bodies[i])]))
        name = FELT.get(role.action) or MOODS.get(role.mood) or DONE.get(role.action)
        if not name and role.name in musicians and role.action in ("plays", "works"):
            name = "music"
        if not name or (cast.around.floats and name in ("tears", "sweat")):
            continue
        if name == "hearts" and role.action in FELT and page.put_between(name, i, other):
            continue
        for side in (-1, 1) if name == "tears" else (0,):
            page.put_first(_at_head(page, name, i, side))
    return page.marks


class _Page:
    """What is in the frame: `bodies` of everybody and all things, `points` of the heads of who has one, by number, the
    boxes around these `heads` with what they wear, and the `marks` put down so far."""

    def __init__(self, cast: Ensemble, bodies: list[Body]) -> None:
        self.cast, self.bodies = cast, bodies
        self.points = {i: _head(body) for i, body in enumerate(bodies) if not body.figure.lifeless}
        self.heads = {i: _box(points) for i, points in self.points.items()}
        self.marks: list[ComicMark] = []
        self._paired: set[tuple[str, frozenset[int]]] = set()
        # In a close-up heads may be among balloons, marks are not.
        self.room = max(balloons_room(cast.shot), _EDGE)

    def put_first(self, tried: Iterable[ComicMark]) -> bool:
        """Put down the best of several, the first the likeliest, if one of them may be there."""
        able = [(number, mark) for number, mark in enumerate(tried) if self.allows(mark)]
        if not able:
            return False
        self.marks.append(min(able, key=lambda each: (self.cost(each[1]) + 0.12 * each[0], each[0]))[1])
        return True

    def put_between(self, name: str, i: int, other: int) -> bool:
        """Put down a mark of two roles, one for both of them, if there are two and it may be there."""
        if i == other or other >= len(self.cast.shot.roles):
            return False
        pair = (name, frozenset((i, other)))
        if pair not in self._paired and self.put_first(_between(self, name, i, other)):
            self._paired.add(pair)
        return pair in self._paired

    def allows(self, mark: ComicMark) -> bool:
        left, top, right, bottom = mark.box
        if left < _EDGE or right > self.cast.around.aspect - _EDGE or top < self.room or bottom > 1 - _EDGE:
            return False
        others = [head for i, head in self.heads.items() if i != mark.who]
        if any(_common(mark.box, box) for box in (*others, *(other.box for other in self.marks))):
            return False
        if mark.line < FRONT:  # what trails behind somebody, or what they dive into, is not on their face
            return True
        # One's own head is round: a mark may be in a corner of the box around it.
        x, y = self.points[mark.who].T
        return float(((x > left) & (x < right) & (y > top) & (y < bottom)).mean()) <= _TOUCHED

    def cost(self, mark: ComicMark) -> float:
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


def _height(page: _Page, name: str, i: int) -> float:
    """How high a mark at somebody's head is, if there is room."""
    left, top, right, bottom = page.heads[i]
    size = math.sqrt((right - left) * (bottom - top)) * SIZES[name]
    shorter = min(page.cast.around.aspect, 1.0)
    return min(max(size, _LEAST * shorter), _MOST * shorter)


def _at_head(page: _Page, name: str, i: int, only: int) -> Iterator[ComicMark]:
    """The places of a mark around a head, the likeliest first; on one side `only`, -1 or 1, or 0 for either."""
    body = page.bodies[i]
    left, top, right, bottom = page.heads[i]
    looks = body.looks or (1 if body.x < page.cast.around.aspect / 2 else -1)
    ahead = -looks if name in _BEHIND else looks
    lies = abs(body.angle or 0.0) >= 50
    for part in _SHRINKS:
        height = part * _height(page, name, i)
        width = height * aspect_of(name)
        for how in _ABOVE if lies else _PLACES.get(name, _ABOVE):
            if how == "top":
                yield ComicMark(name, i, (left + right) / 2, top - _GAP - height / 2, width, height)
                continue
            for side, tucked in product((only,) if only else (ahead, -ahead), (0.14, 0.0)):
                x = (right if side > 0 else left) + side * (width / 2 - tucked * (right - left))
                y = top + (0.5 * (bottom - top) if how == "side" else 0.05 * height)
                y = max(y, page.room + height / 2)
                yield ComicMark(name, i, x, y, width, height, mirrored=side < 0 and name not in _WRITTEN)


def _between(page: _Page, name: str, i: int, other: int) -> Iterator[ComicMark]:
    """Between two who do something to each other: above their heads, or where they meet."""
    here, there = page.heads[i], page.heads[other]
    top, low = min(here[1], there[1]), max(here[3], there[3])
    for part in _SHRINKS:
        height = part * min(_height(page, name, i), _height(page, name, other))
        if name == "impact":
            near, far = sorted((page.bodies[i], page.bodies[other]), key=lambda one: one.x)
            x = (near.box[2] + far.box[0]) / 2
            ys = (low + 0.6 * height, low + height, top - height / 2)
        else:
            x = (here[0] + here[2] + there[0] + there[2]) / 4
            ys = (top - _GAP - height / 2, low - _GAP)
        for y in ys:
            yield ComicMark(name, i, x, y, height * aspect_of(name), height)


def _trail(cast: Ensemble, name: str, i: int, body: Body) -> ComicMark | None:
    """What somebody leaves behind; None where it has no room or the place is none for it."""
    action = body.figure.role.action
    way = body.looks or (1 if (body.angle or 0.0) > 0 else -1)
    if name == "dust":
        return _dust(cast, i, body, way if action == "digs" else -way)
    if name == "splash":
        return _splash(i, body)
    if action in ("jumps", "falls"):
        return _upright_speed(cast, i, body, up=action == "jumps")
    return _speed(cast, i, body, -way)


def _dust(cast: Ensemble, i: int, body: Body, side: int) -> ComicMark | None:
    """At the feet on one side, where the ground is dry."""
    dry = body.waterline is None and not cast.around.floats and cast.shot.weather in ("clear", "cloudy")
    if not dry or body.figure.bust:
        return None
    height = min(max(0.17 * body.height, 0.04), 0.1)
    width = height * aspect_of("dust")
    left, right = outline(body, 0.9, 1.0)
    x = (right if side > 0 else left) + side * 0.46 * width
    return ComicMark("dust", i, x, body.box[3] - 0.4 * height, width, height, 0.0, side < 0, body.line - 0.0004)


def _splash(i: int, body: Body) -> ComicMark | None:
    """Where somebody goes into the water."""
    if body.waterline is None:
        return None
    height = min(max(0.3 * body.height, 0.06), 0.13)
    width = height * aspect_of("splash")
    return ComicMark("splash", i, body.x, body.waterline - 0.36 * height, width, height, line=body.line + 0.0004)


def _speed(cast: Ensemble, i: int, body: Body, side: int) -> ComicMark | None:
    """Behind the back of who goes to the other side."""
    left, right = outline(body, 0.25, 0.65)
    edge = right if side > 0 else left
    space = (cast.around.aspect - edge if side > 0 else edge) - _EDGE
    height = 0.34 * body.height
    width = min(height * aspect_of("speed"), 0.55 * body.height, space - 0.01)
    if width < 0.05:
        return None
    y = body.box[1] + 0.46 * (body.box[3] - body.box[1])
    return ComicMark("speed", i, edge + side * (0.01 + width / 2), y, width, height, 0.0, side < 0, body.line - 0.0004)


def _upright_speed(cast: Ensemble, i: int, body: Body, up: bool) -> ComicMark | None:
    """Under who leaps, above who falls; `width` is that of the mark before it is turned."""
    left, top, right, bottom = body.box
    edge, end = (bottom, min(body.line, 1 - _EDGE)) if up else (top, max(cast.around.room, balloons_room(cast.shot)))
    length = min(0.8 * abs(end - edge), 0.22)
    if length < 0.03 or (end > edge) != up:
        return None
    y = edge + (length / 2 + _GAP) * (1 if up else -1)
    across = 0.5 * (right - left)
    return ComicMark("speed", i, (left + right) / 2, y, length, across, 90.0 if up else -90.0, line=body.line - 0.0004)


def _around(a: Box, b: Box) -> Box:
    return min(a[0], b[0]), min(a[1], b[1]), max(a[2], b[2]), max(a[3], b[3])


def _common(a: Box, b: Box) -> float:
    """The area that two boxes share."""
    return max(min(a[2], b[2]) - max(a[0], b[0]), 0.0) * max(min(a[3], b[3]) - max(a[1], b[1]), 0.0)
