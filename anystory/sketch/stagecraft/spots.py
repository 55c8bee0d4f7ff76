"""Who has a place that nobody else decides: by hand, behind, on or beside something of the painted place, or half
outside the frame."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from scipy import ndimage

from anystory.sketch.cutout import PIXELS
from anystory.sketch.stagecraft.bodies import EDGE, Body, pose_there
from anystory.sketch.stagecraft.covers import Cover, hideout, hideout_of_bust, means, wall
from anystory.sketch.stagecraft.ensemble import Ensemble
from anystory.sketch.stagecraft.figure import Figure
from anystory.sketch.stagecraft.poses import AIR, CLIMBING, GROUND, HIDING, PEEKING, SEATED, WATER
from anystory.story.steering import SIDE, Layout

Box = tuple[float, float, float, float]

_MARGIN = 0.02
_WIDEST = 0.7
"""How much of the frame's width one figure takes at most."""

_NOWHERE: Box = (0.0, 0.0, 0.0, 0.0)

_OUT_OF_SIGHT, _WIDER = 1.1, 1.15
"""Where the feet are of who is so close that their cut head is out of sight, and how wide they are at most, in the
frame's widths."""

_UNDER_WATER = 0.4
"""How much of whoever is put into water by hand is in it."""

_ABOVE_GROUND = 0.04
"""Who is put so little above the ground by hand stands on it."""


_SLACK = 0.01
"""By how much of one multiple pixel art may be larger than its box, whose numbers are rounded."""


_SEATS = ("chair", "armchair", "sofa", "bench", "throne", "couch")
"""Parts of places on which one sits lower than their upper edge."""


def by_hand(cast: Ensemble, layout: Layout) -> dict[int, Body]:
    """Whom the layout places, by number: each as large as its place allows, in its middle, feet at its lower edge."""
    if not layout.strength:
        return {}
    boxes = {place.name: place.box or _bounds(place.region()) for place in layout.places}
    bodies: dict[int, Body] = {}
    # The largest first: whose place lies within another's is in front, or nobody would see it.
    for figure in sorted(cast.figures, key=lambda figure: -_area(boxes.get(figure.role.name, _NOWHERE))):
        box = boxes.get(figure.role.name)
        if box is None:
            continue
        body = _filling(cast, figure, box)
        behind = [other.line for other in bodies.values() if _within(box, boxes[other.figure.role.name])]
        bodies[figure.index] = replace(body, line=max(body.line, *(line + 0.002 for line in behind), 0.0))
    return {figure.index: bodies[figure.index] for figure in cast.figures if figure.index in bodies}


def _area(box: Box) -> float:
    return (box[2] - box[0]) * (box[3] - box[1])


def _within(box: Box, other: Box) -> bool:
    """Whether most of a box is inside another."""
    across = min(box[2], other[2]) - max(box[0], other[0])
    down = min(box[3], other[3]) - max(box[1], other[1])
    return across > 0 and down > 0 and across * down > 0.6 * _area(box)


def _filling(cast: Ensemble, figure: Figure, box: Box) -> Body:
    camera, aspect = cast.around.camera, cast.around.aspect
    x0, x1 = box[0] * aspect, box[2] * aspect
    wide, tall = figure.turned
    height = _no_larger(figure, min((x1 - x0) / wide, (box[3] - box[1]) / tall), cast.around.pixels)
    y = box[3] - figure.turned[1] * height / 2
    body = Body(figure, (x0 + x1) / 2, y, height * figure.aspect, height, camera.feet)
    pose, water = pose_there(figure, cast.around), camera.water
    surface = box[3] - _UNDER_WATER * (box[3] - body.box[1])
    if water and water[0] <= surface <= water[1] and (pose.kind == WATER or cast.around.wades):
        return replace(body, line=surface, waterline=surface)
    if box[3] < camera.ground[0] - _ABOVE_GROUND:
        return body
    stands = not figure.lift and pose.kind != AIR
    return replace(body, line=box[3], contact=box[3] if stands else None)


def _bounds(region: np.ndarray) -> Box:
    """The box around what is painted of a frame: its largest part, for a stray dab says nothing."""
    parts, _ = ndimage.label(region >= 0.5, np.ones((3, 3)))
    rows, columns = np.nonzero(parts == np.bincount(parts[parts > 0]).argmax())
    return columns.min() / SIDE, rows.min() / SIDE, (columns.max() + 1) / SIDE, (rows.max() + 1) / SIDE


def _no_larger(figure: Figure, height: float, pixels: int) -> float:
    """`height`, or for pixel art the largest whole multiple of its own height that is no taller."""
    own = figure.cutout.pixels.shape[0] / figure.cutout.grid / pixels
    if figure.cutout.kind != PIXELS:
        return height
    if height >= own * (1 - _SLACK):
        return own * math.floor(height / own + _SLACK)
    return own / math.ceil(own / height - _SLACK)


# --- at the place ---------------------------------------------------------------------------------------------------


def at_place(cast: Ensemble, before: Mapping[int, Body]) -> dict[int, Body]:
    """Who is where something of the painted place is, or peeks in from the side, by number; `before`: who has a place
    already."""
    found: dict[int, Body] = {}
    for figure in cast.figures:
        if figure.index not in before and not cast.names.keys() & set(figure.role.targets):
            body = _at_place(cast, figure, [*before.values(), *found.values()])
            found |= {} if body is None else {figure.index: body}
    return found


def _at_place(cast: Ensemble, figure: Figure, others: Sequence[Body]) -> Body | None:
    role, kind = figure.role, pose_there(figure, cast.around).kind
    named = [cover for cover in cast.found if any(means(word, cover.name) for word in role.targets)]
    if kind == HIDING:
        return (
            _hidden(cast, figure, named, others)
            or _hidden(cast, figure, cast.found, others)
            or _peeking(cast, figure, others)
        )
    if kind == PEEKING:
        return _hidden(cast, figure, named, others) or _peeking(cast, figure, others)
    if kind == CLIMBING and role.toward not in cast.names:
        return _climbing(cast, figure, named or cast.found)
    if role.relation in ("behind", "in"):
        return _hidden(cast, figure, named, others)
    named += [cover for cover in cast.shown if any(means(word, cover.name) for word in role.targets)]
    return _beside(cast, figure, named[0]) if named and not figure.bust else _up_to_the_top(cast, figure)


def _up_to_the_top(cast: Ensemble, figure: Figure) -> Body | None:
    """So close that a head which its picture's upper edge cuts reaches beyond the frame's; None for who is not cut so,
    or not alone, or wider than a frame can show."""
    framing, aspect = cast.shot.framing, cast.around.aspect
    alone = len(cast.figures) == 1 and not cast.shot.speakers and framing not in ("wide", "from above")
    if not figure.cutout.crown or not alone or figure.role.distance == "far" or figure.pose.kind != GROUND:
        return None
    bottom = EDGE if figure.bust else _OUT_OF_SIGHT
    height = bottom / (1 - figure.cutout.crown)
    width = figure.aspect * height
    if width > _WIDER * aspect:
        return None
    x = aspect / 2
    if width < aspect:
        x += figure.cut_side * (aspect - width) / 2
    return Body(figure, x, bottom - height / 2, width, height, EDGE, angle=0.0)


def _by_itself(cast: Ensemble, figure: Figure) -> Body:
    """As large as usual, if there is room for that."""
    body = cast.alone(figure, cast.around.scale)
    left, top, right, bottom = body.box
    part = min((bottom - cast.around.room) / (bottom - top), _WIDEST * cast.around.aspect / (right - left))
    if part < 1:
        body = cast.alone(figure, part * cast.around.scale)
    # In a close-up the smaller stand higher.
    return body.on_line(body.line + max(cast.around.room - body.box[1], 0.0))


def _hidden(cast: Ensemble, figure: Figure, choice: Sequence[Cover], others: Sequence[Body]) -> Body | None:
    """Behind one of `choice`, about half of it seen; None if nothing hides it so."""
    if not choice:
        return None
    taken = [(other.box[0], other.box[2]) for other in others]
    height = _by_itself(cast, figure).height
    if figure.bust:
        above = hideout_of_bust(figure.cutout, height, cast.wish(figure), choice, taken)
        if above is None:
            return None
        height = _no_larger(figure, above.height, cast.around.pixels)
        y = above.bottom - height / 2
        return Body(figure, above.x, y, height * figure.aspect, height, above.line, angle=0.0)
    spot = hideout(figure.cutout, height, cast.wish(figure), choice, taken, cast.around.camera.ground[0])
    if spot is None:
        return None
    height = _no_larger(figure, spot.height, cast.around.pixels)
    body = Body(figure, spot.x, 0.0, height * figure.aspect, height, spot.line, angle=0.0)
    return body.standing(spot.bottom, contact=spot.bottom)


def _peeking(cast: Ensemble, figure: Figure, others: Sequence[Body]) -> Body:
    """Half in the frame: from its side, or a bust from below."""
    body, wish = _by_itself(cast, figure), cast.wish(figure)
    if figure.bust:
        return replace(body.standing(EDGE + 0.4 * body.height), x=wish)
    side = 1 if wish > cast.around.aspect / 2 else -1
    edges = {-1: 0.0, 1: cast.around.aspect}
    if any(abs(other.x - edges[side]) < body.width for other in others):
        side = -side
    return replace(body, x=edges[side], angle=-side * figure.turn)


def _climbing(cast: Ensemble, figure: Figure, choice: Sequence[Cover]) -> Body | None:
    """At what is tall, off the ground; None where nothing is."""
    camera, aspect = cast.around.camera, cast.around.aspect
    found = wall(choice, camera.feet, cast.wish(figure))
    if found is None or figure.bust:
        return None
    cover, x = found
    outward = -1 if x < aspect / 2 else 1
    body = _by_itself(cast, figure)
    half = (body.box[2] - body.box[0]) / 2
    x = min(max(x - outward * 0.3 * body.width, half), aspect - half)
    line = max(cover.line + 0.004, camera.ground[0])
    low = max(min(line, camera.feet) - figure.lift, cast.around.room + body.box[3] - body.box[1])
    return replace(body.standing(low, line=line, contact=None), x=x, angle=outward * figure.turn)


def _seat(cover: Cover, top: float, body: Body) -> float:
    """The y of the lowest point of somebody who sits on a part of the place whose upper edge is at `top`: their legs
    hang before it."""
    seat = top + (0.5 if any(means(word, cover.name) for word in _SEATS) else 0.0) * max(cover.line - top, 0.0)
    high = body.box[3] - body.box[1]
    return max(min(seat + 0.24 * high, cover.line), top + 0.03)


def _beside(cast: Ensemble, figure: Figure, cover: Cover) -> Body | None:
    """At a part of the place, as the line says; None if it says nothing of that kind or there is no room."""
    relation, body = figure.role.relation, _by_itself(cast, figure)
    span, ground, aspect = cover.run(cast.wish(figure)), cast.around.camera.ground, cast.around.aspect
    if span is None or relation not in ("on", "above", "under", "next to", "in front of"):
        return None
    middle, line = sum(span) / 2, min(max(cover.line + 0.006, ground[0]), ground[1])
    half = (body.box[2] - body.box[0]) / 2
    if relation in ("on", "above"):
        top = cover.top(middle - half / 2, middle + half / 2)
        bottom = top - 0.04
        if relation == "on":
            bottom = _seat(cover, top, body) if figure.role.action in SEATED else top + 0.03
        if bottom - (body.box[3] - body.box[1]) < cast.around.room:
            return None
        body = body.standing(bottom, line=cover.line + 0.004, contact=bottom if relation == "on" else None)
    else:
        if relation == "next to":
            middle += (1 if middle < aspect / 2 else -1) * ((span[1] - span[0]) / 2 + 0.9 * half)
        body = body.on_line(line)
    return replace(body, x=min(max(middle, half + _MARGIN), aspect - half - _MARGIN))
