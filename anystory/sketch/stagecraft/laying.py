"""The things that are with nobody: on the ground, in the sky, on the water, on the wall, on a table. Each is tried in
many places, and is where it can be seen, hides nobody's face and little of anybody, near to where it is told of."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from anystory.errors import Message
from anystory.sketch.stagecraft.bodies import FAR, NEAR, PEEKING, Body, on_top
from anystory.sketch.stagecraft.covers import means
from anystory.sketch.stagecraft.ensemble import ANCHORS, Ensemble
from anystory.sketch.stagecraft.figure import Figure
from anystory.sketch.stagecraft.hands import covered, held, is_held_up, over_both, scale_of, shared, worn
from anystory.sketch.stagecraft.partners import flies
from anystory.sketch.stagecraft.poses import WATER, pose_of
from anystory.sketch.stagecraft.props import COMPANY, HELD, LAID, WORN, Prop, afloat, rows_of
from anystory.sketch.stagecraft.seats import seat_of

_COLUMNS = 25
_PIECE = 1.5
"""Metres: what is taller stands behind the cast."""

_PIECE_TALL, _PIECE_WIDE, _GROUP_WIDE = 0.6, 0.44, 0.7
"""The most of the frame's height and width that it takes there; or a group."""

_SKY_TALL = 0.42

_RIM, _SUNK, _FITTING = 0.3, 0.35, 0.72
"""Where the rim of what things are in is, in its heights; how much of them is below it, in theirs; and how broad they
are in it at most, in its widths."""

_MOUTH, _BUNCH = 0.08, (1.5, 1.0)
"""The same of flowers, which a vase is made for: where its rim is, and how broad they are at most."""

_WORST = 4.0
"""What cannot be put down at less than this cost has no room."""


@dataclass
class _Room:
    """What is in the frame already: `bodies` of the cast and of things, by name those that others may be with."""

    cast: Ensemble
    bodies: list[Body]
    scale: float
    named: dict[str, Body] = field(default_factory=dict)

    def cost(self, body: Body, wish: tuple[float | None, float | None], base: Body | None) -> float:
        """How bad a place is: 0 where it is wished for and nothing is in the way; `base`: what it is on or in."""
        left, top, right, bottom = body.box
        aspect, area = self.cast.around.aspect, (right - left) * (bottom - top)
        cost = 30 * covered(body, [other for other in self.bodies if other is not base])
        for other in (other for other in self.bodies if other is not base):
            a, up, b, down = other.box
            smaller = min(area, (b - a) * (down - up)) if other.line < body.line else area
            cost += 3.5 * shared(body, other) * area / smaller
        for cover in self.cast.found:
            if cover.line > body.line:
                cost += 5 * cover.hides(*body.box)
        cost += (
            40 * (max(-left, 0) + max(right - aspect, 0) + max(bottom - 1, 0) + max(-top, 0)) / max(right - left, 0.01)
        )
        away = zip(wish, (body.x, body.y), strict=True)
        return cost + sum(1.2 * abs(at - wished) for wished, at in away if wished is not None)


def laid_out(cast: Ensemble, settled: Sequence[Body]) -> tuple[list[tuple[Prop, Body]], list[str]]:
    """All things of a panel that are drawn, in their order, and notes on those for which there is no room. `settled`:
    the bodies of the roles and of the things with them, as they are drawn."""
    roles = len(cast.shot.roles)
    scales = sorted(scale_of(body) for body in settled[:roles])
    room = _Room(cast, list(settled), scales[len(scales) // 2] if scales else cast.around.scale)
    room.named = {body.figure.role.name: body for body in settled}
    found: dict[int, Body] = {}
    company = iter(settled[roles:])
    for number, prop in enumerate(cast.props):
        if prop.how == COMPANY:
            found[number] = next(company)
    notes: list[str] = []
    for number in sorted(range(len(cast.props)), key=lambda n: _rank(cast.props[n])):
        prop = cast.props[number]
        if prop.drawing is None or number in found:
            continue
        figure = prop.figure(len(settled) + number, prop.told.concept, room.scale, cast.around.aspect)
        owner = room.named.get(prop.owner)
        sharer = _sharer(owner, room) if owner is not None and is_held_up(prop.drawing) else None
        if prop.how == HELD and owner is not None and sharer is not None:
            body = over_both(figure, owner, sharer, cast.around.aspect)
        elif prop.how == HELD and owner is not None:
            body = held(figure, owner, _hand(cast, owner, room), room.bodies, cast.around.aspect)
        elif prop.how == WORN and owner is not None:
            body = worn(figure, owner)
        else:
            body = _laid(prop, figure, room)
        if body is None:
            thing = prop.told.word or prop.told.concept
            notes.append(Message("There is no room for {thing}; it is not shown.", thing=thing))
            continue
        found[number] = body
        room.bodies.append(body)
        room.named.setdefault(prop.told.concept, body)
    return [(cast.props[number], found[number]) for number in sorted(found)], notes


def _hand(cast: Ensemble, owner: Body, room: _Room) -> int:
    """The side on which somebody holds something: that of whom they do something to, else that they look to, else the
    one with more room."""
    other = room.named.get(owner.figure.role.toward)
    if other is not None and other is not owner:
        return 1 if other.x > owner.x else -1
    return owner.looks or (1 if owner.x < cast.around.aspect / 2 else -1)


def _sharer(owner: Body, room: _Room) -> Body | None:
    """Who is under the same umbrella."""
    role = owner.figure.role
    under = (body for body in room.bodies[: len(room.cast.shot.roles)] if body.figure.role.relation == "under")
    shared = (body for body in under if set(body.figure.role.targets) & set(role.targets))
    return next((body for body in shared if body is not owner), None) if role.relation == "under" else None


def _rank(prop: Prop) -> tuple[int, bool, float]:
    """What is in a hand has its place first, then what others lie on, then the large."""
    order = (WORN, HELD).index(prop.how) if prop.how in (WORN, HELD) else 2
    return order, bool(prop.told.targets), -prop.drawing.height if prop.drawing else 0.0


def _laid(prop: Prop, figure: Figure, room: _Room) -> Body | None:
    body = _sized(prop, figure, room)
    wish = _wish(prop, body, room), _height_wish(prop, room)
    base = next((room.named[name] for name in prop.told.targets if name in room.named), None)
    base = base if prop.told.relation in ("on", "in", "over") else None
    tried = [(room.cost(one, wish, base), number, one) for number, one in enumerate(_places(prop, body, room))]
    cost, _, best = min(tried, key=lambda each: each[:2])
    return best if cost < _WORST else None


def _sized(prop: Prop, figure: Figure, room: _Room) -> Body:
    around, told = room.cast.around, prop.told
    width, height = figure.size(room.scale * {"far": 0.5 * FAR, "near": NEAR}.get(told.distance, 1.0), 1)
    least = max(0.09 * min(1.0, around.aspect) / max(width, height), _borne(prop, room) / width)
    if prop.count > 1:  # of each
        least = max(least, 0.07 * min(1.0, around.aspect) * rows_of(prop.drawing, prop.count) / height)
    tall = _SKY_TALL if prop.drawing.rests[0] == "sky" else _PIECE_TALL
    wide = _PIECE_WIDE if prop.count == 1 else _GROUP_WIDE
    most = min(tall / height, wide * around.aspect / width)
    part = min(max(least, 1.0), most)
    return Body(figure, 0.0, 0.0, part * width, part * height, around.camera.ground[1])


def _borne(prop: Prop, room: _Room) -> float:
    """How broad it is at least for what else is on it."""
    others = (other for other in room.cast.props if other.drawing and prop.told.concept in other.told.targets)
    sizes = (
        other.figure(0, other.told.concept, room.scale, room.cast.around.aspect).size(room.scale, 1)[0]
        for other in others
        if other.how == LAID and other.told.relation == "on"
    )
    return max(sizes, default=0.0)


def _wish(prop: Prop, body: Body, room: _Room) -> float | None:
    """The x near which a thing should be."""
    told, aspect = prop.told, room.cast.around.aspect
    if told.where in ANCHORS:
        return ANCHORS[told.where] * aspect
    near = next((room.named[name] for name in told.targets if name in room.named), None)
    if near is None:
        near = room.named.get(prop.owner)
    if near is not None:
        if told.relation in ("on", "under", "in", "above", "in front of", "behind", "over"):
            return near.x
        side = near.looks or (1 if near.x < aspect / 2 else -1)
        return near.x + side * (near.box[2] - near.box[0] + body.width) / 2
    sights = (*room.cast.found, *room.cast.shown)
    cover = next((c for c in sights if any(means(word, c.name) for word in told.targets)), None)
    run = cover.run(aspect / 2) if cover is not None else None
    if run is not None:
        return sum(run) / 2
    roles = room.bodies[: len(room.cast.shot.roles)]
    if not roles:
        return aspect / 2
    if prop.drawing.height > _PIECE:
        return None
    first = roles[0]
    side = first.looks or (1 if first.x < aspect / 2 else -1)
    return first.x + side * ((first.box[2] - first.box[0] + body.width) / 2 + 0.02)


def _height_wish(prop: Prop, room: _Room) -> float | None:
    """The y near which something small in the air should be: at the head of the first who is there."""
    if _where(prop, room) != "air" or prop.drawing.height > 0.6 or not room.cast.shot.roles:
        return None
    first = room.bodies[0]
    return first.box[1] + 0.2 * first.height


def _places(prop: Prop, body: Body, room: _Room) -> Iterator[Body]:
    """Where a thing may be, the likeliest first."""
    camera, told, aspect = room.cast.around.camera, prop.told, room.cast.around.aspect
    target = next((room.named[name] for name in told.targets if name in room.named), None)
    if target is not None and told.relation in ("on", "in") and target.figure.lifeless:
        yield from _hung(body, target) if _hangs(prop, target) else _on_top(body, target, told.relation)
        return
    if target is not None and told.relation == "over":
        left, up, right, _ = target.box
        for share in (0.5, 0.3, 0.7):
            x = left + share * (right - left)
            yield replace(body.standing(up + PEEKING * body.height, line=target.line - 0.002, contact=None), x=x)
        return
    low, high = camera.ground
    near = min(max(camera.feet, low), high)
    for column in range(_COLUMNS):
        x = body.width / 2 + 0.01 + (aspect - body.width - 0.02) * column / (_COLUMNS - 1)
        there = replace(body, x=x)
        where = _where(prop, room)
        if where == "air":
            for y in (0.13, 0.2, 0.28, 0.36, 0.45):
                yield replace(there, y=max(y, body.height / 2 + 0.02), line=min(low, 0.5) - 0.2)
        elif where == "wall":
            for y in (0.3, 0.24, 0.36):
                yield replace(there, y=y, line=min(low, 0.5) - 0.2)
        elif where == "water":
            top, bottom = camera.water
            for share in (0.6, 0.35, 0.8):
                line = top + share * (bottom - top)
                part = max(camera.near(line), 0.7)
                sunk = 0.5 * part * body.height - 0.12 * part * body.height
                yield replace(
                    there, width=part * body.width, height=part * body.height, y=line - sunk, line=line, waterline=line
                )
        else:
            lines = _lines(prop, body, room, low, near, high, target)
            for line in lines:
                yield there.standing(line, line=line, contact=line)


def _where(prop: Prop, room: _Room) -> str:
    around, rests, told = room.cast.around, prop.drawing.rests, prop.told
    if around.floats:
        return "air"
    swims = afloat(prop.drawing) or pose_of(told.action).kind == WATER
    if around.camera.water is not None and ((swims and not told.targets) or told.relation == "in"):
        return "water"
    if flies(told, prop.drawing) or told.relation == "above":
        return "air"
    return "wall" if rests[0] == "wall" else "ground"


def _lines(
    prop: Prop, body: Body, room: _Room, low: float, near: float, high: float, target: Body | None
) -> Sequence[float]:
    told = prop.told
    if told.distance == "far":
        return (low,)
    if target is not None and target.contact is not None:
        if told.relation == "behind":
            return (max(target.line - 0.02, low),)
        if told.relation in ("in front of", "under"):
            return (min(target.line + 0.02, high), target.line + 0.004)
    if prop.drawing.height > _PIECE:
        depth = near - low
        return (low + 0.35 * depth, low + 0.1 * depth, low + 0.6 * depth)
    return (min(near + 0.02, high), min(near + 0.05, high), near - 0.4 * (near - low), low + 0.3 * (near - low))


def _on_top(body: Body, target: Body, relation: str) -> Iterator[Body]:
    """On what is below it, no broader than that; or in it, looking out over its rim."""
    left, up, right, down = target.box
    seat = seat_of(target.figure.drawing)
    if relation == "in":
        flowers = body.figure.drawing.kind == "plant"
        rim = up + (seat.y if seat is not None else _MOUTH if flowers else _RIM) * (down - up)
        for wide in _BUNCH if flowers else (_FITTING,):
            inside = body.scaled(min(1.0, wide * (right - left) / body.width))
            low = min(rim + _SUNK * inside.height, down - 0.01)
            yield replace(inside.standing(low, line=target.line + 0.0005, contact=None), x=target.x)
        return
    body = body.scaled(min(1.0, (right - left) / body.width))
    top = on_top(target)
    for share in (0.5, 0.35, 0.65, 0.2, 0.8):
        x = left + share * (right - left)
        yield replace(body.standing(top, line=target.line + 0.003, contact=top), x=x)


def _hangs(prop: Prop, target: Body) -> bool:
    """Whether it is among the leaves of a tree."""
    return prop.told.relation == "in" and target.figure.drawing.kind == "plant" and not prop.drawing.living


def _hung(body: Body, target: Body) -> Iterator[Body]:
    left, up, right, down = target.box
    fit = min(1.0, 0.8 * (right - left) / body.width, 0.5 * (down - up) / body.height)
    body = replace(body, width=fit * body.width, height=fit * body.height)
    for share in (0.5, 0.36, 0.64):
        x, y = left + share * (right - left), up + 0.32 * (down - up)
        yield replace(body, x=x, y=y, line=target.line + 0.003)
