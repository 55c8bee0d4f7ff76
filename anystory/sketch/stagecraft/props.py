"""The things of a panel before they are put anywhere: which drawing each is, how many of it, and with whom it is."""

from __future__ import annotations

import functools
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

import numpy as np

from anystory.sketch.cutout import Cutout
from anystory.sketch.stagecraft.covers import Cover, means
from anystory.sketch.stagecraft.figure import SIZES, Figure, beside_grown
from anystory.sketch.stagecraft.poses import AIR, HIDING, RIDING, STANDING, Pose
from anystory.sketch.things import Drawing, Library, render
from anystory.story.shot import Role, Shot, Thing

COMPANY, HELD, WORN, LAID, SHOWN = "company", "held", "worn", "laid", "shown"
"""How a thing is in a panel: put down together with the cast, in somebody's hand, on somebody's head, somewhere by
itself, or painted with the place already."""

MOST = 8
"""How many drawings a panel has; a group of one kind counts as one."""

CROWD = 12
"""How many of one kind are drawn at most."""

_APIECE = 2
"""Up to so many beings of one kind stand as everybody does; more of them in a group."""

_SILHOUETTE = 160
"""Pixels of height at which drawings are looked at to place them."""

_SMALL = 0.28
"""Metres: beings that are no taller lie about like things do."""

_SKY = frozenset(
    ("moon", "sun", "star", "stars", "cloud", "wind", "rain", "snow", "lightning", "storm", "fog", "sky", "snowflake")
)
"""What places paint themselves at its time and in its weather."""

_OPEN = {"boat": "canoe", "rowboat": "canoe"}
"""What somebody is in who is in something that usually is drawn without room for them."""

_TALLEST, _WIDEST = 0.78, 0.62
"""The most of the frame's height and width that one thing takes."""

_HANDY = ("opens", "works", "plays", "fights", "writes", "paints", "cooks")
"""Who does this has what it is done with in the hand."""

_WATERFOWL = ("duck", "duckling", "goose", "swan")

_CLIMBED = ("ladder", "stairs", "tree", "palm tree", "rope", "wall", "treehouse", "rock", "tower", "lamp post")
"""What somebody climbs who climbs nothing else."""

_FLYING = Pose(AIR, lift=(0.16, 0.16))
"""How what belongs into the sky is with the cast: somebody is in the plane, or on the moon."""

_IN_HAND = 0.6
"""What is taller than this share of its holder is not in their hand but beside them."""


@dataclass(frozen=True, eq=False)
class Prop:
    """The thing number `thing` of a shot, drawn as `drawing`, `count` times in one picture; None and the `cover` where
    the place shows it already. `how`: one of the words above; `who`: the number of the role that it is with."""

    thing: int
    told: Thing
    drawing: Drawing | None
    how: str
    count: int = 1
    who: int | None = None
    cover: Cover | None = None

    def figure(self, index: int, name: str, scale: float, aspect: float, cast: Sequence[Figure] = ()) -> Figure:
        """It as number `index` of the figures, called `name`, where a grown person is `scale` tall in a frame that is
        `aspect` heights wide. It is as large as that asks for and the frame has room for, and so that those of `cast`
        who are on it, in it or behind it can be."""
        picture = _silhouette(self.drawing, self.count)
        height, width = picture.pixels.shape[:2]
        told, factor = self.told, SIZES.get(self.told.size, 1.0)
        tall = beside_grown(self.drawing.height, self.drawing.aspect, not self.drawing.living) * height / _SILHOUETTE
        most = min(_TALLEST, _WIDEST * aspect * height / width) / scale / factor
        # Who is with the cast has a place of their own among them; what lies about is put where there is room.
        bonded = self.how == COMPANY
        relation, targets = (told.relation, told.targets) if bonded else ("", ())
        role = Role(name, "stands", told.where, told.distance, told.size, self.drawing.height, relation, targets)
        users = [figure for figure in cast if told.concept in figure.role.targets]
        tall = max([tall, *(_least(figure, width / height) / factor for figure in users)])
        pose = _FLYING if bonded and self.drawing.rests[0] == "sky" and not self.drawing.living else STANDING
        return Figure(index, role, picture, pose, 0.0, pose.lift[0], self.drawing, min(tall, most))


def _least(figure: Figure, aspect: float) -> float:
    """How tall at least a thing of that width through height is, beside a grown person, for a figure to do as told."""
    tall, wide = figure.relative, figure.relative * figure.aspect
    if figure.pose.kind in (HIDING, RIDING) and figure.role.relation in ("behind", "on"):
        return 0.9 * tall
    least = {"on": 0.4 * tall, "in": max(0.5 * tall, 1.1 * min(wide, tall) / aspect), "under": 0.75 * tall}
    return least.get(figure.role.relation, 0.0)


@functools.cache
def library() -> Library:
    return Library()


def cutout_of(drawing: Drawing, count: int, colour: str, height: int) -> Cutout:
    """`count` of a drawing, each `height` pixels tall, in one picture."""
    pixels = render(drawing, height, colour)
    if count > 1:
        pixels = _group(pixels, arrangement(count, _laid_as(drawing)))
    facing = drawing.facing if drawing.facing in ("left", "right") else ""
    cut = frozenset({"bottom"} if drawing.part == "upper half" else ())
    return Cutout(drawing.concept, pixels, cut, facing=facing)


@functools.lru_cache(maxsize=128)
def _silhouette(drawing: Drawing, count: int) -> Cutout:
    return cutout_of(drawing, count, "", _SILHOUETTE)


def arrangement(count: int, rests: str) -> list[tuple[float, float]]:
    """The left top corners of so many of one kind, in widths and heights of one, from the back to the front."""
    if rests in ("hand", "table", "head"):  # a heap
        base = next(base for base in range(1, count + 1) if 3 * (base - 1) >= count or base * (base + 1) / 2 >= count)
        rows: list[int] = []
        while sum(rows) < count:
            rows.insert(0, min(base - len(rows), count - sum(rows)))
        return [
            (0.8 * (column + (base - length) / 2), 0.55 * row)
            for row, length in enumerate(rows)
            for column in range(length)
        ]
    step = 1.35 if rests in ("sky", "water") else 1.06
    front = count if count <= 3 else -(-count // 2)
    if rests == "sky" and count > 1:
        return [(0.85 * i, 0.55 * (i * 5 % 3) / 2 + (0.6 if count > 4 and i % 2 else 0.0)) for i in range(count)]
    drop = 0.42 if count > front else 0.0
    back = [(step * (i + 0.5), 0.0) for i in range(count - front)]
    return back + [(step * i, drop + 0.1 * (i % 2)) for i in range(front)]


def _laid_as(drawing: Drawing) -> str:
    """Where a group of it mostly is: flowers grow side by side, though one picks them."""
    return "ground" if drawing.kind == "plant" else drawing.rests[0]


def rows_of(drawing: Drawing, count: int) -> float:
    """How tall a picture of so many is, in heights of one."""
    corners = arrangement(count, _laid_as(drawing)) if count > 1 else [(0.0, 0.0)]
    return 1 + max(y for _, y in corners) - min(y for _, y in corners)


def _group(pixels: np.ndarray, corners: Sequence[tuple[float, float]]) -> np.ndarray:
    """Pictures of one kind over each other, trimmed: uint8 (h, w, 4), straight alpha."""
    height, width = pixels.shape[:2]
    at = [(round(x * width), round(y * height)) for x, y in corners]
    left, top = min(x for x, _ in at), min(y for _, y in at)
    tall, wide = (max(p[axis] for p in at) + side for axis, side in ((1, height), (0, width)))
    out = np.zeros((tall - top, wide - left, 4), np.float32)
    own = pixels.astype(np.float32) / 255
    for x, y in at:
        part = out[y - top : y - top + height, x - left : x - left + width]
        below = part[..., 3:] * (1 - own[..., 3:])
        alpha = own[..., 3:] + below
        part[..., :3] = (own[..., :3] * own[..., 3:] + part[..., :3] * below) / np.maximum(alpha, 1e-6)
        part[..., 3:] = alpha
    return np.round(out * 255).astype(np.uint8)


def props_of(shot: Shot, found: Sequence[Cover], water: bool) -> tuple[list[Prop], list[str]]:
    """What is drawn of a shot's things, and sentences on what is not. `found`: what of the place is in sight; `water`:
    whether there is some to swim in."""
    props, notes = [], []
    for number, thing in enumerate(shot.things):
        asked = any(thing.concept in role.targets for role in shot.roles)
        if means(thing.concept, shot.place) or (thing.concept in _SKY and not asked):
            continue
        cover = next((c for c in found if means(thing.concept, c.name)), None)
        if cover is not None and thing.count == 1 and not thing.colour and not thing.held_by:
            props.append(Prop(number, thing, None, SHOWN, cover=cover))
            continue
        drawing = _drawing(shot, thing)
        if drawing is None or drawing.kind == "mark" or (drawing.living and drawing.part == "face"):
            notes.append(f"There is no drawing of {_named(thing)}; it is not shown.")
            continue
        how, who = _how(shot, thing, drawing, water)
        wears = any(role.action == "stands" for role in shot.roles) and not thing.relation
        if drawing.kind == "clothes" and how == LAID and wears:
            notes.append(f"How somebody wears {_named(thing)} cannot be shown.")
            continue
        each = how == COMPANY and thing.count <= _APIECE
        for _ in range(thing.count if each else 1):
            props.append(Prop(number, thing, drawing, how, 1 if each else min(thing.count, CROWD), who))
    drawn = sorted((prop for prop in props if prop.drawing), key=lambda p: (p.how != COMPANY, p.how == LAID))
    kept = {id(prop) for prop in drawn[:MOST]}
    crowd = list(dict.fromkeys(prop.told.concept for prop in drawn[MOST:]))
    if crowd:
        notes.append(f"A panel has room for {MOST} drawings; not shown: {', '.join(crowd)}.")
    return [prop for prop in props if prop.drawing is None or id(prop) in kept], notes


def _named(thing: Thing) -> str:
    name = thing.concept
    return name if thing.count > 1 else f"{'an' if name[0] in 'aeiou' else 'a'} {name}"


def _drawing(shot: Shot, thing: Thing) -> Drawing | None:
    concept = thing.concept
    if any(concept in role.targets for role in shot.roles):
        concept = _OPEN.get(concept, concept)
    return library().find(concept, ("en",))


def _how(shot: Shot, thing: Thing, drawing: Drawing, water: bool) -> tuple[str, int | None]:
    names = {role.name: number for number, role in enumerate(shot.roles)}
    holder = names.get(thing.held_by)
    if holder is not None:
        handy = "hand" in drawing.rests or "table" in drawing.rests
        small = drawing.height <= _IN_HAND * shot.roles[holder].height
        pet = not drawing.living or (thing.count == 1 and small)
        return (HELD if (handy or small) and pet else LAID), holder
    user = next((number for number, role in enumerate(shot.roles) if _uses(role, thing, drawing)), None)
    if user is not None:
        return HELD, user
    if any(thing.concept in role.targets for role in shot.roles):
        return COMPANY, None
    if "head" in drawing.rests and not thing.relation and names:
        return WORN, _wearer(shot.roles)
    if drawing.living and thing.relation and names.keys() & set(thing.targets) and thing.count <= _APIECE:
        return COMPANY, None
    stands = drawing.height > _SMALL and drawing.rests[0] not in ("sky", "water") and not (water and afloat(drawing))
    if drawing.living and stands and thing.count <= _APIECE and not thing.distance:
        return COMPANY, None
    return LAID, None


def _uses(role: Role, thing: Thing, drawing: Drawing) -> bool:
    """Whether somebody who is not said to hold something must have it in the hand."""
    if thing.relation or drawing.rests[0] != "hand":
        return False
    under = role.relation == "under" and thing.concept in role.targets
    return under or (role.action in _HANDY and not role.targets and not role.holds)


def afloat(drawing: Drawing) -> bool:
    """Whether it swims where there is water."""
    return drawing.rests[0] == "water" or drawing.concept in _WATERFOWL


def _wearer(roles: Sequence[Role]) -> int:
    """Who wears something does nothing else, as far as is read."""
    return next((number for number, role in enumerate(roles) if role.action == "stands"), 0)


def with_partners(roles: Sequence[Role], things: Sequence[Thing]) -> tuple[Role, ...]:
    """The roles with what they can only be doing something on: who climbs climbs the ladder that the line tells of."""
    climbed = next((thing.concept for thing in things if thing.concept in _CLIMBED and not thing.held_by), None)
    return tuple(
        replace(role, relation="on", targets=(climbed,))
        if climbed and role.action == "climbs" and not role.targets and not role.toward
        else role
        for role in roles
    )


def unlike(name: str, taken: Collection[str]) -> str:
    """A name that nobody has yet."""
    number, free = 1, name
    while free in taken:
        number, free = number + 1, f"{name} {number + 1}"
    return free
