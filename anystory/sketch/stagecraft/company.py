"""Who belongs together in a panel: who is put down with whom, in which order they stand, who looks where."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from anystory.sketch.stagecraft.bodies import FOR_BUSTS, JOINS, Bond
from anystory.sketch.stagecraft.ensemble import ANCHORS, Ensemble
from anystory.sketch.stagecraft.figure import Figure
from anystory.sketch.stagecraft.poses import CLIMBING, HIDING, PEEKING, RIDING, SEATED
from anystory.sketch.things.drawing import LibraryDrawing
from anystory.story.shot import Role

_SPREADS = {1: 0.0, 2: 0.76, 3: 0.86}
"""Which part of the frame's width so many stand in."""


def bonds(figures: Sequence[Figure], by_hand: set[int], luck: Sequence[float]) -> dict[int, Bond]:
    """Who is put down with whom. Nobody with more than one, nor in a circle; who has a place by hand goes with nobody.
    Positions are indices of `figures`."""
    index = {figure.role.name: figure.index for figure in figures}
    found: dict[int, Bond] = {}
    for figure in figures:
        child, how, parent = _bond(figure, figures, index)
        if parent is None or child in by_hand or child in found or _root(parent, found) == child:
            continue
        if figures[child].bust and how not in FOR_BUSTS:
            continue
        side = _side(figures[child].role, figures[parent].role, luck[child])
        taken = {bond.side for bond in found.values() if bond.target == parent and bond.how == how}
        found[child] = Bond(how, parent, -side if side in taken else side)
    return {child: _shared(child, bond, found) for child, bond in found.items()}


def _bond(figure: Figure, figures: Sequence[Figure], index: Mapping[str, int]) -> tuple[int, str, int | None]:
    """Who goes how with whom because of one role; None for nobody."""
    role, pose, i = figure.role, figure.pose, figure.index
    targets = [index[name] for name in role.targets if index.get(name, i) != i]
    toward = index.get(role.toward, i)
    other = targets[0] if targets else toward if toward != i else None
    if targets and figures[other].drawing is not None:
        how = with_thing(figure, figures[other].drawing)
        return (i, how, other) if how in JOINS else (i, "", None)
    if pose.kind == RIDING:
        return i, "riding", other
    if pose.kind in (HIDING, PEEKING) and role.relation == "behind" and targets:
        return i, "hidden", other
    if pose.kind == CLIMBING:
        return i, "on", other
    if role.relation in JOINS and targets:
        return i, role.relation, other
    if toward != i and pose.company == "touch":
        return i, "touching", toward
    if toward != i and pose.company == "holds" and figures[toward].relative <= 0.62 * figure.relative:
        return toward, "held", i
    return i, "", None


def with_thing(figure: Figure, drawing: LibraryDrawing) -> str:
    """How somebody is with a thing or a being of the library that their line tells of, in the words of `JOINS`."""
    relation, kind = figure.role.relation, figure.pose.kind
    if kind == CLIMBING:
        return "aloft"
    if kind in (HIDING, PEEKING) and relation == "behind":
        return "hidden"
    if relation == "between":
        return "next to"
    if relation == "in" and drawing.kind == "building":
        return "at the foot"
    if kind == RIDING or relation == "in" or (relation == "on" and figure.role.action in SEATED):
        return "seated"
    if relation == "under" and not drawing.living:
        return "beneath"
    return "standing" if relation == "on" else relation


def _side(child: Role, parent: Role, luck: float) -> int:
    here, there = (ANCHORS.get(role.where, 0.5) for role in (child, parent))
    return (1 if here > there else -1) if here != there else (-1 if luck < 0.5 else 1)


def _shared(child: int, bond: Bond, found: Mapping[int, Bond]) -> Bond:
    """The bond with its place among those who are so with the same one."""
    same = [other for other, one in found.items() if (one.how, one.target) == (bond.how, bond.target)]
    share = 2 * same.index(child) / (len(same) - 1) - 1 if len(same) > 1 else 0.0
    return Bond(bond.how, bond.target, bond.side, share)


def _root(i: int, found: Mapping[int, Bond]) -> int:
    while i in found:
        i = found[i].target
    return i


def groups(count: int, found: Mapping[int, Bond]) -> list[list[int]]:
    """Everybody with those that are put down with them: each group's first needs nobody, every other one comes after
    whom it is put down with."""
    depth = {}
    for i in range(count):
        depth[i], at = 0, i
        while at in found:
            at, depth[i] = found[at].target, depth[i] + 1
    members: dict[int, list[int]] = {}
    for i in sorted(range(count), key=lambda i: (depth[i], i)):
        members.setdefault(_root(i, found), []).append(i)
    return [members[i] for i in sorted(members, key=lambda i: min(members[i]))]


def pairs(figures: Sequence[Figure], group_of: Mapping[int, int]) -> list[tuple[int, int]]:
    """Groups that stand side by side because somebody acts on, or is next to, somebody."""
    index = {figure.role.name: figure.index for figure in figures}
    found = []
    for figure in figures:
        role = figure.role
        names = [role.toward] if figure.pose.company else []
        names += role.targets[:1] if role.relation == "next to" else []
        found += [(group_of[figure.index], group_of[index[name]]) for name in names if name in index]
    return [(a, b) for a, b in found if a != b]


def between(figures: Sequence[Figure], group_of: Mapping[int, int]) -> list[tuple[int, int, int]]:
    """Groups that stand between two others, each before those."""
    index = {figure.role.name: figure.index for figure in figures}
    found = []
    for figure in figures:
        ends = [group_of[index[name]] for name in figure.role.targets[:2] if name in index]
        if figure.role.relation == "between" and len({group_of[figure.index], *ends}) == 3:
            found.append((group_of[figure.index], ends[0], ends[1]))
    return found


# --- order ------------------------------------------------------------------------------------------------------


def in_order(
    told: Sequence[float | None],
    pairs: Sequence[tuple[int, int]],
    between: Sequence[tuple[int, int, int]],
    turned: bool,
) -> list[int]:
    """Everybody from the left to the right. `told`: the x, as a share of the width, of who has one; the others fill
    what is left in the order of mention, or the other way round if `turned`. `pairs` stand side by side and the first
    of three in `between` the others, as far as nobody told otherwise."""
    count = len(told)
    slots: list[int | None] = [None] * count
    placed = sorted((i for i in range(count) if told[i] is not None), key=lambda i: (told[i], i))
    for number, i in enumerate(placed):
        first = slots.index(placed[number - 1]) + 1 if number else 0
        last = count - (len(placed) - number)
        slots[min(max(round(told[i] * count - 0.5), first), last)] = i
    others = [i for i in range(count) if told[i] is None]
    rest = iter(reversed(others) if turned else others)
    order = [next(rest) if i is None else i for i in slots]
    for a, b in pairs:
        mover, goal = (a, b) if told[a] is None else (b, a)
        if told[mover] is None and abs(order.index(a) - order.index(b)) > 1:
            _beside(order, mover, goal)
    for i, a, b in between:
        if told[i] is None:
            order.remove(i)
            first = min(order.index(a), order.index(b))
            order.insert(first + (abs(order.index(a) - order.index(b)) + 1) // 2, i)
    return order


def _beside(order: list[int], mover: int, goal: int) -> None:
    """Move one next to another, on the side it comes from."""
    before = order.index(mover) < order.index(goal)
    order.remove(mover)
    order.insert(order.index(goal) + (0 if before else 1), mover)


def spread(order: Sequence[int], told: Sequence[float | None], aspect: float) -> list[float]:
    """The x, in frame heights, at which each of `told` should be."""
    count = len(order)
    part = _SPREADS.get(count, 0.98)
    step = min(aspect * part / max(count, 1), 0.72)
    wishes = [0.0] * count
    anyone_told = any(x is not None for x in told)
    for slot, i in enumerate(order):
        if told[i] is not None:
            wishes[i] = told[i] * aspect
        elif anyone_told:
            wishes[i] = (slot + 0.5) / count * aspect
        else:
            wishes[i] = aspect / 2 + (slot - (count - 1) / 2) * step
    return wishes


# --- looks ------------------------------------------------------------------------------------------------------


def looks(cast: Ensemble, xs: Sequence[float], found: Mapping[int, Bond]) -> list[int]:
    """Where each should look or go: -1 to the left, 1 to the right, 0 as the picture does. `xs` in frame heights."""
    figures, aspect = cast.figures, cast.around.aspect
    wants = [0] * len(figures)

    def turn_to(i: int, j: int) -> None:
        if wants[i] == 0 and i != j and abs(xs[j] - xs[i]) > 0.02:
            wants[i] = 1 if xs[j] > xs[i] else -1

    partners = _partners(cast, xs)
    for i, j in partners:
        turn_to(i, j)
    for i, j in partners:
        if figures[i].pose.company == "after":
            wants[j] = wants[j] or wants[i]
        elif not figures[j].pose.moves and figures[j].role.toward in ("", figures[i].role.name):
            turn_to(j, i)
    _go(cast, xs, wants)
    for figure in figures:
        i, x = figure.index, xs[figure.index] / aspect
        # Who stands at a side looks into the picture.
        if wants[i] == 0 and figure.facing() and abs(x - 0.5) > 0.12:
            wants[i] = 1 if x < 0.5 else -1
    for child, bond in found.items():
        if bond.how in ("riding", "seated"):
            target = figures[bond.target]
            if target.drawing is not None:  # its seat is where it is drawn
                wants[bond.target] = target.facing()
            wants[child] = wants[bond.target] or wants[child]
    return wants


def _partners(cast: Ensemble, xs: Sequence[float]) -> list[tuple[int, int]]:
    """Who looks at whom, the first at the second."""
    figures, index = cast.figures, cast.names

    def nearest(i: int, others: Sequence[int]) -> list[tuple[int, int]]:
        near = [j for j in others if j != i]
        return [(i, min(near, key=lambda j: (abs(xs[j] - xs[i]), j)))] if near else []

    everyone = range(len(figures))
    found = [(figure.index, index[figure.role.toward]) for figure in figures if figure.role.toward in index]
    talking = sorted({index[name] for name in cast.shot.speakers if name in index})
    for i in talking:
        if figures[i].role.toward not in index:
            found += nearest(i, talking if len(talking) > 1 else everyone)
    for figure in figures:
        alone = figure.role.toward not in index and figure.index not in talking
        if figure.pose.company in ("near", "touch", "after") and alone:
            # Two cats that fight look at each other; two hens that are chased do not.
            alike = [other.index for other in figures if other.role.action == figure.role.action]
            found += nearest(figure.index, alike if len(alike) > 1 and figure.pose.company != "after" else everyone)
    return found


def _go(cast: Ensemble, xs: Sequence[float], wants: list[int]) -> None:
    """Those who go somewhere, and to nobody, go together: to the free side, else where most pictures look."""
    going = [figure for figure in cast.figures if figure.pose.moves and wants[figure.index] == 0]
    if not going:
        return
    middle = sum(xs[figure.index] for figure in going) / len(going) / cast.around.aspect
    usual = sum(figure.facing() for figure in going) or (1 if cast.coins[2] < 0.5 else -1)
    way = (1 if middle < 0.5 else -1) if abs(middle - 0.5) > 0.06 else (1 if usual > 0 else -1)
    for figure in going:
        wants[figure.index] = way
