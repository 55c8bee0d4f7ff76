"""Everybody of a panel side by side, as large as there is room for, in one row or two."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from anystory.sketch.stagecraft import company
from anystory.sketch.stagecraft.bodies import JOINS, SCALES, Body, Bond, block
from anystory.sketch.stagecraft.covers import open_span
from anystory.sketch.stagecraft.ensemble import ANCHORS, Ensemble
from anystory.sketch.stagecraft.figure import Figure
from anystory.sketch.stagecraft.lineup import FIXED, Block, line_up

_MARGIN = 0.02
_GAP = 0.02
_TOLD = 8.0  # how much more those belong where they are of whom the line says where
_FRONT, _BACK = 0.0, 1.0
_ONE_ROW_AT_MOST, _TWO_ROWS_FROM = 8, 5
_TRIES = 12


@dataclass(frozen=True)
class _Plan:
    """Who stands beside whom. `fixed`: bodies that stay where they are, and `bonds` of who is put down with whom, both
    by number. `groups` of numbers that are put down together; of each, whether the line has `told` where it is, and the
    x at which it `wishes` to be. `order` holds the numbers of groups from the left to the right, `near` pairs of them
    that stand close; `span`: between which x's there is room."""

    fixed: Mapping[int, Body]
    bonds: Mapping[int, Bond]
    groups: list[list[int]]
    told: list[bool]
    wishes: list[float]
    order: list[int]
    near: list[tuple[int, int]]
    span: tuple[float, float]


def together(cast: Ensemble, fixed: Mapping[int, Body], bonds: Mapping[int, Bond]) -> list[Body]:
    """All figures put down, in the order of the roles; those of `fixed` stay where they are."""
    plan = _plan(cast, fixed, bonds)
    count = len(plan.groups)
    tried = []
    if count <= _ONE_ROW_AT_MOST:
        tried.append(_largest(cast, plan, [None] * count))
    if count >= _TWO_ROWS_FROM:
        tried.append(_largest(cast, plan, _two_rows(cast, plan)))
    # Two rows have to be worth it.
    bodies, _ = max(tried, key=lambda found: found[1] * (1.08 if found is tried[0] else 1.0))
    return [bodies[i] for i in range(len(cast.figures))]


def _plan(cast: Ensemble, fixed: Mapping[int, Body], bonds: Mapping[int, Bond]) -> _Plan:
    groups = company.groups(len(cast.figures), bonds)
    group_of = {i: number for number, group in enumerate(groups) for i in group}
    told = [_told(cast, fixed, group) for group in groups]
    near = company.pairs(cast.figures, group_of)
    order = company.in_order(told, near, company.between(cast.figures, group_of), _is_turned(cast))
    wishes = company.spread(order, told, cast.around.aspect)
    if len(groups) == 1 and told[0] is None:
        wishes[0] += _drift(cast, cast.figures[groups[0][0]])
    return _Plan(fixed, bonds, groups, [x is not None for x in told], wishes, order, near, _span(cast))


def _told(cast: Ensemble, fixed: Mapping[int, Body], group: Sequence[int]) -> float | None:
    """The x of a group, as a share of the width, if the line or its pictures say it."""
    if group[0] in fixed:
        return fixed[group[0]].x / cast.around.aspect
    where = [ANCHORS[cast.figures[i].role.where] for i in group if cast.figures[i].role.where in ANCHORS]
    return where[0] if where else {-1: 0.0, 1: 1.0}.get(cast.figures[group[0]].cut_side)


def _is_turned(cast: Ensemble) -> bool:
    """Whether who is mentioned first is on the right: by chance, but who speaks first is on the left."""
    first = list(dict.fromkeys(name for name in cast.shot.speakers if name in cast.names))
    if len(first) > 1:
        return cast.names[first[0]] > cast.names[first[1]]
    return cast.coins[0] < 0.5


def _drift(cast: Ensemble, figure: Figure) -> float:
    """How far who is alone is off the middle: a little, and with room in front if it goes somewhere."""
    if not figure.pose.moves:
        return (cast.coins[1] - 0.5) * 0.1 * cast.around.aspect
    way = figure.facing() or (1 if cast.coins[2] < 0.5 else -1)
    return -way * 0.1 * cast.around.aspect


def _two_rows(cast: Ensemble, plan: _Plan) -> list[float | None]:
    """The row of each group: of every two neighbours the taller one is at the back."""
    rows: list[float | None] = [_FRONT] * len(plan.groups)
    for a, b in zip(plan.order[::2], plan.order[1::2], strict=False):
        tall_a, tall_b = (max(cast.figures[i].relative for i in plan.groups[n]) for n in (a, b))
        rows[b if tall_b >= tall_a else a] = _BACK
    return rows


def _largest(cast: Ensemble, plan: _Plan, rows: Sequence[float | None]) -> tuple[dict[int, Body], float]:
    """Everybody at the largest scale, up to the usual one, at which there is room, and that scale. `rows`: of each
    group, see `bodies.alone`."""
    scale, too_large = cast.around.scale, None
    for attempt in range(_TRIES):
        bodies, places, need = _lined_up(cast, plan, rows, scale)
        if need <= 1:
            break
        # Room grows with less than the scale where some are as small as can be: less and less patient.
        too_large = scale
        scale *= min(max(need ** -(1 + attempt / 4), 0.7), 0.97)
    if too_large is not None:
        larger = (scale + too_large) / 2
        tried = _lined_up(cast, plan, rows, larger)
        if tried[2] <= 1:
            (bodies, places, _), scale = tried, larger
    x_of = {i: x for n, x in zip(plan.order, places, strict=True) for i in plan.groups[n]}
    moved = {i: replace(body, x=body.x + x_of[i]) for i, body in bodies.items()}
    return {i: body if i in plan.fixed else _within(body, cast.around.aspect) for i, body in moved.items()}, scale


def _within(body: Body, aspect: float) -> Body:
    """The same inside the frame, even with somebody who is half outside."""
    half = min((body.box[2] - body.box[0]) / 2, aspect / 2)
    return replace(body, x=min(max(body.x, half), aspect - half))


def _lined_up(
    cast: Ensemble, plan: _Plan, rows: Sequence[float | None], scale: float
) -> tuple[dict[int, Body], list[float], float]:
    """Everybody at one scale, by number, at an x that counts from the place of their group; these places, from the left
    to the right; and which part of the room to their sides and above their heads they need: 1 is all there is."""
    around, bodies, blocks = cast.around, {}, []
    ground = (around.camera.ground[0], max(around.camera.ground[1], around.camera.feet))
    for number, group in enumerate(plan.groups):
        for i in group:
            bond = plan.bonds.get(i)
            if i in plan.fixed:
                bodies[i] = replace(plan.fixed[i], x=0.0)
            else:
                smaller = SCALES.get(bond.how, 1.0) if bond else 1.0
                bodies[i] = cast.alone(cast.figures[i], scale * smaller, rows[number])
            if bond:
                bodies[i] = JOINS[bond.how](bodies[i], bodies[bond.target], bond, ground)
        weight = FIXED if group[0] in plan.fixed else _TOLD if plan.told[number] else 1.0
        blocks.append(block([bodies[i] for i in group], plan.wishes[number], weight))
        side = cast.figures[group[0]].cut_side  # flush with the frame's side
        blocks[-1].left -= _MARGIN * (side < 0)
        blocks[-1].right -= _MARGIN * (side > 0)
    _draw_near(plan, blocks)
    places, need = line_up([blocks[n] for n in plan.order], *plan.span, _GAP)
    low_heads = [
        (body.box[3] - body.box[1]) / max(body.box[3] - around.room, 0.05)
        for i, body in bodies.items()
        if i not in plan.fixed and body.box[1] < around.room - 1e-6
    ]
    return bodies, places, max([need, *low_heads])


def _span(cast: Ensemble) -> tuple[float, float]:
    aspect = cast.around.aspect
    left, right = open_span(cast.found, cast.around.camera.feet, aspect)
    return max(left, _MARGIN), min(right, aspect - _MARGIN)


def _draw_near(plan: _Plan, blocks: Sequence[Block]) -> None:
    """Those who do something together wish to stand close, unless one of them cannot be moved."""
    for a, b in plan.near:
        if plan.order.index(a) > plan.order.index(b):
            a, b = b, a
        if FIXED in (blocks[a].weight, blocks[b].weight):
            continue
        middle, apart = (blocks[a].x + blocks[b].x) / 2, blocks[a].right + blocks[b].left + 2 * _GAP
        if apart < blocks[b].x - blocks[a].x:
            blocks[a].x, blocks[b].x = middle - apart / 2, middle + apart / 2
