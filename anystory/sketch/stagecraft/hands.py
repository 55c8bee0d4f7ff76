"""What somebody holds or wears: at the hand and on the head of a cut-out of which only the outline is known."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from anystory.sketch.stagecraft.bodies import Body
from anystory.sketch.stagecraft.figure import FACE, SIZES, Figure, on_all_fours, solid
from anystory.sketch.things.drawing import LibraryDrawing

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

_MUZZLE = (0.14, 0.3)
"""Between which shares of its height, from the top, an animal on all fours has its mouth."""

_BITTEN = 0.32
"""How much of what it carries is behind its lips, in widths."""

_BROW = {"glasses": 0.2, "sunglasses": 0.2, "goggles": 0.16, "diving mask": 0.16, "ribbon": 0.08, "headphones": 0.22}
"""How far down from the top of its wearer something worn reaches, if it is further than a hat does."""
_HAT = 0.085

_NECK = ("military medal", "medal", "gold medal", "silver medal", "bronze medal", "tie", "scarf", "necklace")
"""What is worn around the neck."""

_BODY = (
    "karate suit", "running shirt", "white coat", "safety vest", "shirt", "coat", "dress", "kimono", "sari", "swimsuit",
    "blouse", "cape", "pyjamas", "apron", "blanket",
)  # fmt: skip
"""What is worn on the body, over what the picture shows."""

_CHIN = (0.25, 0.44)
"""The y of the chin of who is slim and of who is stout, as shares of their height from the top."""

_THROAT, _NARROW = (0.2, 0.5), 0.85
"""Between which shares of the height a neck is, and how narrow it is beside head and shoulders."""

_COLLAR = 0.05
"""How far above that what is worn around it begins."""

_SLIM = 1.4
"""Heights, in widths, from which on somebody is slim."""

_END = 0.4
"""How much of the width of an animal on all fours its front is."""

_NAPE = (0.24, 0.4)
"""Where the throat of an animal on all fours is, in shares of its width from where it looks and of its height."""


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
    if on_all_fours(holder.figure.cutout) and holder.looks and concept not in _OVER:
        return _in_the_mouth(body, holder, aspect)
    sides = (side,) if holder.figure.role.action == "gives" else (side, -side)  # not away from whom it is given
    found = [_in_hand(body, holder, one, how, aspect) for how in ways for one in sides]
    full = [other for other in others if other.figure.lifeless and abs(other.line - holder.line) < 0.0015]
    return min(
        found,
        key=lambda body: round(
            20 * covered(body, others) + 40 * _outside(body, aspect) + 8 * sum(shared(body, other) for other in full), 3
        ),
    )


def over_both(figure: Figure, holder: Body, other: Body, aspect: float) -> Body:
    """An umbrella over two who are under it: behind both, in the hand of `holder`, and about as broad as they are."""
    width, height = _handy(figure, holder, aspect)
    left, right = min(holder.box[0], other.box[0]), max(holder.box[2], other.box[2])
    low = holder.y + (_HAND - 0.5) * holder.height
    larger = max(1.0, min(0.9 * (right - left) / width, 0.95 * low / (0.9 * height)))
    width, height = larger * width, larger * height
    line = min(holder.line, other.line) - 0.001
    x = min(max((left + right) / 2, width / 2), aspect - width / 2)
    return Body(figure, x, max(low - 0.4 * height, height / 2), width, height, line)


def is_held_up(drawing: LibraryDrawing) -> bool:
    """Whether it is over who holds it."""
    return drawing.concept in ("umbrella", "parasol")


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


def _in_the_mouth(body: Body, holder: Body, aspect: float) -> Body:
    """In the mouth of an animal that is seen from the side, hanging before it."""
    left, right = outline(holder, *_MUZZLE)
    edge = right if holder.looks > 0 else left
    x = edge + holder.looks * (0.5 - _BITTEN) * body.width
    half = body.width / 2
    y = holder.y + (_MUZZLE[1] - 0.5) * holder.height + 0.3 * body.height
    return _turned_with(replace(body, x=min(max(x, half), aspect - half), y=y), holder)


def _below_face(holder: Body) -> float:
    upright = abs(holder.angle or 0.0) < 50
    return holder.face + 0.005 if upright else -math.inf


def is_worn(drawing: LibraryDrawing | None) -> bool:
    """Whether it is known where a drawing is worn: on the head, around the neck, on the body."""
    return drawing is not None and ("head" in drawing.rests or drawing.concept in (*_NECK, *_BODY))


def worn(figure: Figure, wearer: Body) -> Body:
    """A thing on who wears it, tilted with them."""
    concept = figure.drawing.concept
    if concept in _NECK or concept in _BODY:
        return _on_the_body(figure, wearer, concept in _NECK)
    return _on_the_head(figure, wearer)


def _on_the_body(figure: Figure, wearer: Body, neck: bool) -> Body:
    """Below the chin, no lower than the feet: a little broader than who is in it, or half as broad around the neck."""
    slim = wearer.height > _SLIM * wearer.width
    top = _neck(wearer) or (_CHIN[0] if slim else _CHIN[1])
    left, right = outline(wearer, top, top + 0.25)
    x, wide = (left + right) / 2, (0.5 if neck else 1.1) * (right - left)
    if on_all_fours(wearer.figure.cutout) and wearer.looks:
        share, top = _NAPE
        x = wearer.x + wearer.looks * (0.5 - share) * wearer.width
        wide = (0.26 if neck else 0.6) * wearer.width
    height = min(wide / figure.aspect, ((0.4 if neck else 0.62) if slim else (0.34 if neck else 0.5)) * wearer.height)
    top -= _COLLAR if neck else 0.0
    y = wearer.y + (top - 0.5) * wearer.height + height / 2
    return _turned_with(Body(figure, x, y, height * figure.aspect, height, wearer.line + 0.001), wearer)


def _neck(wearer: Body) -> float:
    """Where an upright figure is narrowest between its head and its shoulders, as a share of its height from the top;
    0 where it has no neck."""
    rows = solid(wearer.figure.cutout).sum(1)
    first, last = (round(share * len(rows)) for share in _THROAT)
    neck = first + int(rows[first:last].argmin())
    return neck / len(rows) if rows[neck] < _NARROW * min(rows[:neck].max(), rows[neck:].max()) else 0.0


def _on_the_head(figure: Figure, wearer: Body) -> Body:
    """As wide as the head is below it."""
    concept = figure.drawing.concept
    side = wearer.looks if on_all_fours(wearer.figure.cutout) else 0
    crown = _crown(wearer, side)
    reach = (crown + _BROW.get(concept, _HAT)) * wearer.height
    left, right = outline(wearer, crown + 0.04, crown + 0.2, side)
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


def _crown(wearer: Body, side: int) -> float:
    """Where the head begins, as a share of the height from the top: that of an animal is at one end, and its tail may
    be higher."""
    return float(np.flatnonzero(_end(wearer, side).any(1))[0]) / len(solid(wearer.figure.cutout)) if side else 0.0


def _end(body: Body, side: int) -> np.ndarray:
    """Where an upright figure is, bool (rows, columns), as it is mirrored; of one side, -1 or 1, only the end
    there, 0 for all."""
    seen = solid(body.figure.cutout)
    seen = seen[:, ::-1].copy() if body.mirrored else seen.copy()
    end = round(seen.shape[1] * _END)
    if side < 0:
        seen[:, end:] = False
    elif side > 0:
        seen[:, :-end] = False
    return seen


def outline(body: Body, low: float, high: float, side: int = 0) -> tuple[float, float]:
    """From where to where in x an upright figure reaches between two shares of its height; `side` as of `_end`."""
    seen = _end(body, side)
    rows, columns = seen.shape
    first = min(int(low * rows), rows - 1)
    found = np.flatnonzero(seen[first : max(int(high * rows), first + 1)].any(axis=0)).tolist()
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
