"""What somebody holds or wears: at the hand and on the head of a cut-out of which only the outline is known."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from anystory.sketch.stagecraft.bodies import Body
from anystory.sketch.stagecraft.figure import FACE, SIZES, Figure, solid

_HAND = 0.57
"""The y of a hand, as a share of its owner's height from the top."""

_LONGEST = 0.5
"""The long side of what is held, at most, in heights of its holder, and of the frame at least:"""
_SHORTEST = 0.12

_UPWARD = frozenset(
    ("umbrella", "parasol", "flag", "balloon", "kite", "magic wand", "wand", "torch", "candle", "lantern", "sword",
     "dagger", "axe", "trident", "net", "fishing rod", "lollipop", "ice cream", "flower", "rose", "tulip", "sunflower",
     "bouquet", "broom", "white flag", "black flag", "crossed flags", "pinwheel", "spear", "bow")
)  # fmt: skip
"""What is held at its lower end."""

_OVER = ("umbrella", "parasol", "balloon", "flag", "white flag", "black flag", "chequered flag")
"""What is held up behind the shoulder."""

_BROW = {"glasses": 0.2, "sunglasses": 0.2, "goggles": 0.16, "diving mask": 0.16, "ribbon": 0.08, "headphones": 0.22}
"""How far down from the top of its wearer something worn reaches, if it is further than a hat does."""
_HAT = 0.085


def scale_of(body: Body) -> float:
    """How tall a grown person is where somebody is as large as this."""
    return body.height / (body.figure.part * body.figure.relative * SIZES.get(body.figure.role.size, 1.0))


def held(figure: Figure, holder: Body, side: int, others: Sequence[Body], aspect: float) -> Body:
    """A thing in the hand of `holder`, on their `side`, -1 or 1, if it can be, below their face or beside it, or over
    their shoulder. `others`: everybody, whose faces it keeps off, and what is there already, such as in the other
    hand."""
    concept = figure.drawing.concept
    width, height = _handy(figure, holder, aspect)
    body = Body(figure, 0.0, 0.0, width, height, holder.line + (-0.001 if concept in _OVER else 0.001))
    ways = ("over",) if concept in _OVER else ("upward", "hand", "front") if concept in _UPWARD else ("hand", "front")
    found = [_in_hand(body, holder, one, how, aspect) for how in ways for one in (side, -side)]
    full = [other for other in others if other.figure.lifeless and abs(other.line - holder.line) < 0.0015]
    return min(
        found,
        key=lambda body: round(
            20 * covered(body, others) + 40 * _outside(body, aspect) + 8 * sum(shared(body, other) for other in full), 3
        ),
    )


def _handy(figure: Figure, holder: Body, aspect: float) -> tuple[float, float]:
    width, height = figure.size(scale_of(holder), 1)
    long = max(width, height)
    longest = 0.75 if figure.drawing.concept in _OVER else _LONGEST
    wanted = min(max(long, _SHORTEST * min(aspect, 1.0)), longest * holder.height)
    return width * wanted / long, height * wanted / long


def _in_hand(body: Body, holder: Body, side: int, how: str, aspect: float) -> Body:
    hand = holder.y + (_HAND - 0.5) * holder.height
    top = max(hand - body.height / 2, _below_face(holder))
    if how in ("upward", "over"):
        top = hand + 0.1 * body.height - body.height
    rows = ((top - holder.y) / holder.height + 0.5, (top + body.height - holder.y) / holder.height + 0.5)
    left, right = outline(holder, max(rows[0], 0.0), min(max(rows[1], 0.1), 1.0))
    edge = right if side > 0 else left
    if how == "front":
        x = holder.x + side * 0.16 * (right - left)
    elif how == "over":
        left, right = outline(holder, _HAND - 0.06, _HAND + 0.06)
        x = (right if side > 0 else left) + side * 0.1 * body.width
    elif how == "upward":
        x = edge + side * (0.5 * body.width - 0.015)
    else:
        x = edge + side * (0.5 - 0.42) * body.width
    half = body.width / 2
    x = min(max(x, half), aspect - half)
    body = replace(body, x=x, y=max(top, 0.0) + body.height / 2)
    return body if how in ("upward", "over") else _turned_with(body, holder)


def _below_face(holder: Body) -> float:
    upright = abs(holder.angle or 0.0) < 50
    return holder.face + 0.005 if upright else -math.inf


def worn(figure: Figure, wearer: Body, aspect: float) -> Body:
    """A thing on the head: as wide as the head is below it, tilted with it."""
    concept = figure.drawing.concept
    reach = _BROW.get(concept, _HAT) * wearer.height
    left, right = outline(wearer, 0.04, 0.2)
    wide = (right - left) * (0.8 if concept == "crown" else 0.5 if concept == "ribbon" else 1.02)
    wide = max(min(wide, 0.8 * wearer.width), 0.06)
    height = min(wide / figure.aspect, 0.32 * wearer.height)
    top = wearer.y - wearer.height / 2 + reach - height
    if abs(wearer.angle or 0.0) < 50:
        top = max(top, 0.0)
    body = Body(figure, (left + right) / 2, top + height / 2, height * figure.aspect, height, wearer.line + 0.001)
    return _turned_with(body, wearer)


def _turned_with(body: Body, owner: Body) -> Body:
    """Where it gets to when its owner is turned about their middle."""
    angle = owner.angle or 0.0
    cos, sin = math.cos(math.radians(angle)), math.sin(math.radians(angle))
    dx, dy = body.x - owner.x, body.y - owner.y
    return replace(body, x=owner.x + dx * cos - dy * sin, y=owner.y + dx * sin + dy * cos, angle=angle)


def outline(body: Body, low: float, high: float) -> tuple[float, float]:
    """From where to where in x an upright figure reaches between two shares of its height."""
    seen = solid(body.figure.cutout)
    if body.mirrored:
        seen = seen[:, ::-1]
    rows, columns = seen.shape
    first = min(int(low * rows), rows - 1)
    found = seen[first : max(int(high * rows), first + 1)].any(0).nonzero()[0].tolist()
    left = body.x - body.width / 2
    if not found:
        return left, left + body.width
    return left + found[0] / columns * body.width, left + (found[-1] + 1) / columns * body.width


def covered(body: Body, others: Sequence[Body]) -> float:
    """Which share of the faces of those behind it something covers, all together."""
    left, top, right, bottom = body.box
    hidden = 0.0
    for other in others:
        if other.line < body.line and other.face > other.box[1]:
            a, up, b, down = face_of(other)
            wide, tall = min(right, b) - max(left, a), min(bottom, down) - max(top, up)
            hidden += max(wide, 0.0) * max(tall, 0.0) / ((b - a) * (down - up))
    return hidden


def face_of(body: Body) -> tuple[float, float, float, float]:
    """The box around what nothing may cover of somebody; of who is not upright all of them."""
    if abs(body.angle or 0.0) >= 50:
        return body.box
    left, right = outline(body, 0.0, FACE)
    return left, body.box[1], right, body.face


def shared(body: Body, other: Body) -> float:
    """Which share of a body's box another one has too."""
    (a, b, c, d), (e, f, g, h) = body.box, other.box
    return max(min(c, g) - max(a, e), 0.0) * max(min(d, h) - max(b, f), 0.0) / ((c - a) * (d - b))


def _outside(body: Body, aspect: float) -> float:
    left, top, right, bottom = body.box
    return max(-left, 0.0) + max(-top, 0.0) + max(right - aspect, 0.0) + max(bottom - 1.0, 0.0)
