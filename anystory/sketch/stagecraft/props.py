"""The things of a panel before they are put anywhere: which drawing each is, how many of it, and with whom it is."""

from __future__ import annotations

import functools
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from anystory.errors import Message
from anystory.sketch.cutout import Cutout
from anystory.sketch.own_files import ThingError, changed
from anystory.sketch.stagecraft.covers import ROWS, Cover, means
from anystory.sketch.stagecraft.figure import SIZES, Figure, beside_grown, figure
from anystory.sketch.stagecraft.hands import is_worn
from anystory.sketch.stagecraft.partners import flies
from anystory.sketch.stagecraft.poses import AIR, HIDING, RIDING, STANDING, WATER, Pose, pose_of
from anystory.sketch.things import Library, LibraryDrawing, own_library, render
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

_BEARING = ("on", "in", "under")
"""How others are with what they need to see all of."""

_SIGHT = 0.15
"""How broad something of the place is that others can be on, in frame heights."""

_MANY_STARS = 3
"""More of them than so many are counted, and drawn."""

_OPEN = {"boat": "canoe", "rowboat": "canoe"}
"""What somebody is in who is in something that usually is drawn without room for them."""

_TALLEST, _WIDEST = 0.78, 0.62
"""The most of the frame's height and width that one thing takes."""

_HANDY = ("opens", "works", "plays", "fights", "writes", "paints", "cooks", "gives", "takes", "throws", "catches")
"""Who does this has what it is done with in the hand."""

_GARMENTS = ("carries", "stands", "holds")
"""Who does this to a dress wears it: in Spanish both are one verb."""

_WATERFOWL = ("duck", "duckling", "goose", "swan")

_FLYING = Pose(AIR, lift=(0.16, 0.16))
"""How what belongs into the sky is with the cast: somebody is in the plane, or on the moon."""

_GARMENT = 0.5
"""Metres: worn things that are larger than so are garments, which nobody carries about."""

_AFLOAT = Pose(WATER)
"""How a boat is with the cast: in the water, where there is some."""

_IN_HAND = 0.6
"""What is taller than this share of its holder is not in their hand but beside them."""


@dataclass(frozen=True, eq=False)
class Prop:
    """The thing number `thing` of a shot, drawn as `drawing`, `count` times in one picture; None and the `cover` where
    the place shows it already. `how`: one of the words above; `owner`: the name of the role, or the concept of the
    thing, that it is with."""

    thing: int
    told: Thing
    drawing: LibraryDrawing | None
    how: str
    count: int = 1
    owner: str = ""
    cover: Cover | None = None

    def figure(self, index: int, name: str, scale: float, aspect: float, cast: Sequence[Figure] = ()) -> Figure:
        """It as number `index` of the figures, called `name`, where a grown person is `scale` tall in a frame that is
        `aspect` heights wide. It is as large as that asks for and the frame has room for, and so that those of `cast`
        who are on it, in it or behind it can be."""
        picture = silhouette_of(self.drawing, self.count)
        height, width = picture.pixels.shape[:2]
        told, factor = self.told, SIZES.get(self.told.size, 1.0)
        tall = beside_grown(self.drawing.height, self.drawing.aspect, not self.drawing.living) * height / _SILHOUETTE
        most = min(_TALLEST, _WIDEST * aspect * height / width) / scale / factor
        # Who is with the cast has a place of their own among them; what lies about is put where there is room.
        bonded = self.how == COMPANY
        relation, targets = (told.relation, told.targets) if bonded else ("", ())
        action = told.action if bonded and self.drawing.living and told.action else "stands"
        how_large = told.size, self.drawing.height
        role = Role(name, action, told.where, told.distance, *how_large, relation, targets, told.toward)
        users = [figure for figure in cast if told.concept in figure.role.targets]
        riders = [figure.relative * figure.aspect for figure in users if figure.role.relation in ("on", "in")]
        room = len(riders) > 1 and _ABREAST * sum(riders) * height / width
        tall = max([tall, *(one / factor for one in (room, *(_least(figure, width / height) for figure in users)))])
        if bonded and self.drawing.living:
            # Of one kind the second does it a little otherwise.
            shown = figure(index, role, picture, np.array([0.5, 0.3 + 0.4 * (index % 2)]))
            return replace(shown, drawing=self.drawing, tall=min(tall, most))
        pose = (
            _FLYING
            if bonded and flies(told, self.drawing)
            else _AFLOAT
            if bonded and afloat(self.drawing)
            else STANDING
        )
        return Figure(index, role, picture, pose, 0.0, pose.lift[0], self.drawing, min(tall, most))


_ABREAST = 0.8
"""How wide a thing is on which several are, in their widths."""


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


def cutout_of(drawing: LibraryDrawing, count: int, colour: str, height: int) -> Cutout:
    """`count` of a drawing, each `height` pixels tall, in one picture."""
    pixels = render(drawing, height, colour)
    if count > 1:
        pixels = _group(pixels, arrangement(count, _laid_as(drawing)))
    facing = drawing.facing if drawing.facing in ("left", "right") else ""
    cut = frozenset({"bottom"} if drawing.part == "upper half" else ())
    return Cutout(drawing.concept, pixels, cut, facing=facing)


def silhouette_of(drawing: LibraryDrawing, count: int) -> Cutout:
    """The same, small, as it is looked at to place it. Raises `ThingError` for a file that is gone."""
    return _silhouette(drawing, count, drawing.file and changed(drawing.file))


@functools.lru_cache(maxsize=128)
def _silhouette(drawing: LibraryDrawing, count: int, file: tuple[int, int] | None) -> Cutout:
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


def _laid_as(drawing: LibraryDrawing) -> str:
    """Where a group of it mostly is: flowers grow side by side, though one picks them."""
    return "ground" if drawing.kind == "plant" else drawing.rests[0]


def rows_of(drawing: LibraryDrawing, count: int) -> float:
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


def props_of(
    shot: Shot, found: Sequence[Cover], water: bool, fixed: Callable[[str], Cover | None]
) -> tuple[list[Prop], list[str]]:
    """What is drawn of a shot's things, and sentences on what is not. `found`: what of the place is in sight; `water`:
    whether there is some to swim in; `fixed`: what a concept means of what the background shows."""
    props, notes = list[Prop](), list[str]()
    for number, thing in enumerate(shot.things):
        asked = any(thing.concept in (*role.targets, role.holds) for role in shot.roles)
        counted = thing.own or (thing.concept == "star" and thing.count > _MANY_STARS)
        if thing.relation == "of" or (thing.concept in _SKY and not asked and not counted):
            continue  # a part of what is drawn
        others: list[Any] = [*shot.roles, *shot.things]
        borne = any(thing.concept in other.targets and other.relation in _BEARING for other in others)
        cover = next((c for c in found if means(thing.concept, c.name) and (not borne or _open(c))), None)
        laid = thing.relation in ("in", "on") and any(other.concept in thing.targets for other in shot.things)
        special = thing.own or laid or thing.colour or thing.size or thing.held_by or thing.action
        plain = thing.count == 1 and not special
        if plain and cover is None and not borne:
            cover = fixed(thing.concept)
        if plain and cover is not None:
            props.append(Prop(number, thing, None, SHOWN, cover=cover))
            continue
        drawing = _drawing(shot, thing)
        if means(thing.concept, shot.place) and not (drawing is not None and drawing.living):
            continue
        if drawing is None or drawing.kind == "mark" or (drawing.living and drawing.part == "face"):
            notes.append(Message("There is no drawing of {thing}; it is not shown.", thing=_named(thing)))
            continue
        how, owner = _how(shot, thing, drawing, water)
        wears = any(role.action == "stands" for role in shot.roles) and not thing.relation
        if drawing.kind == "clothes" and how == LAID and wears:
            notes.append(Message("How somebody wears {thing} cannot be shown.", thing=_named(thing)))
            continue
        each = how == COMPANY and thing.count <= _APIECE
        for _ in range(thing.count if each else 1):
            props.append(Prop(number, thing, drawing, how, 1 if each else min(thing.count, CROWD), owner))
    drawn = sorted((prop for prop in props if prop.drawing), key=lambda p: (p.how != COMPANY, p.how == LAID))
    kept = {id(prop) for prop in drawn[:MOST]}
    crowd = list(dict.fromkeys(prop.told.concept for prop in drawn[MOST:]))
    if crowd:
        left_out = ", ".join(crowd)
        notes.append(Message("A panel has room for {most} drawings; not shown: {names}.", most=MOST, names=left_out))
    return [prop for prop in props if prop.drawing is None or id(prop) in kept], notes


def _open(cover: Cover) -> bool:
    """Whether enough of something of the place is in sight, clear of the frame's sides, for others to be on it."""
    columns = np.asarray(cover.seen.any(0))
    return not (columns[0] or columns[-1]) and bool(columns.sum() > _SIGHT * ROWS)


def _named(thing: Thing) -> str:
    name = thing.concept
    return name if thing.count > 1 else f"{'an' if name[0] in 'aeiou' else 'a'} {name}"


def drawing_of(concept: str) -> LibraryDrawing | None:
    """The library's drawing of a concept."""
    return library().find(concept, ("en",))


def drawn_as(thing: Thing) -> LibraryDrawing | None:
    """What a thing is drawn as: the story's own drawing of it, if it has one. Raises `ThingError` where that is no
    longer there."""
    if not thing.own:
        return drawing_of(thing.concept)
    file = Path(thing.own)
    found = (drawing for drawing in own_library(file.parent).own.values() if drawing.file == file)
    drawing = next(found, None)
    if drawing is None:
        raise ThingError(
            Message(
                "{file}, the story's own drawing of {thing}, is gone; put it back.", file=file.name, thing=thing.concept
            )
        )
    return drawing


def _drawing(shot: Shot, thing: Thing) -> LibraryDrawing | None:
    if thing.own:
        return drawn_as(thing)
    concept = thing.concept
    if any(concept in role.targets for role in shot.roles):
        concept = _OPEN.get(concept, concept)
    meant = drawing_of(concept)
    # "A straw hat" is read as a hat, and the library has one of straw.
    exact = library().find(thing.word) if thing.word and concept == thing.concept else None
    return exact if exact is not None and meant is not None and exact.kind == meant.kind else meant


def _how(shot: Shot, thing: Thing, drawing: LibraryDrawing, water: bool) -> tuple[str, str]:
    """How a thing is in the panel, and with whom."""
    holder = next((role for role in shot.roles if role.name == thing.held_by), None)
    if holder is not None or any(thing.held_by == other.concept for other in shot.things):
        other = None if holder is not None else drawing_of(thing.held_by)
        height = holder.height if holder is not None else other.height if other is not None else 0.0
        return _with_holder(thing, drawing, holder, height), thing.held_by
    user = next((role.name for role in shot.roles if _uses(role, thing, drawing)), None)
    if user is not None:
        return HELD, user
    if any(thing.concept in (*role.targets, role.toward) for role in shot.roles):
        return COMPANY, ""
    if is_worn(drawing) and not thing.relation and shot.roles:
        return WORN, _wearer(shot.roles)
    beings = {role.name for role in shot.roles} | {other.concept for other in shot.things}
    joins = drawing.living and thing.relation and beings & set(thing.targets)
    partner = any(thing.concept in (*other.targets, other.toward) and other.action for other in shot.things)
    if (joins or partner) and thing.count <= _APIECE:
        return COMPANY, ""
    stands = drawing.height > _SMALL and drawing.rests[0] not in ("sky", "water") and not (water and afloat(drawing))
    moves = thing.action and pose_of(thing.action).kind in (AIR, WATER) and not thing.toward
    if drawing.living and stands and thing.count <= _APIECE and not thing.distance and not moves:
        return COMPANY, ""
    return LAID, ""


def _with_holder(thing: Thing, drawing: LibraryDrawing, holder: Role | None, height: float) -> str:
    """How a thing is that somebody of `height` metres has: `holder`, or another thing where that is None."""
    carried = holder is not None and holder.holds == thing.concept
    garment = is_worn(drawing) and "head" not in drawing.rests and drawing.size > _GARMENT
    if is_worn(drawing) and (not carried or (garment and holder.action in _GARMENTS)):
        return WORN
    if drawing.rests[0] == "sky" and holder is not None and holder.action == "stands" and not carried:
        return LAID  # one counts stars, and has none
    handy = "hand" in drawing.rests or "table" in drawing.rests
    small = drawing.height <= _IN_HAND * height
    if drawing.living and thing.count <= _APIECE and not small:
        return COMPANY
    return HELD if (handy or small) and (not drawing.living or thing.count == 1) else LAID


def _uses(role: Role, thing: Thing, drawing: LibraryDrawing) -> bool:
    """Whether somebody who is not said to hold something must have it in the hand."""
    if thing.relation or drawing.rests[0] != "hand":
        return False
    if drawing.kind == "instrument" and role.action in ("stands", "") and not role.holds:
        return True
    under = role.relation == "under" and thing.concept in role.targets
    return under or (role.action in _HANDY and not role.targets and not role.holds)


def afloat(drawing: LibraryDrawing) -> bool:
    """Whether it swims where there is water."""
    return drawing.rests[0] == "water" or drawing.concept in _WATERFOWL


def _wearer(roles: Sequence[Role]) -> str:
    """Who wears something does nothing else, as far as is read."""
    return next((role.name for role in roles if role.action == "stands"), roles[0].name)


def unlike(name: str, taken: Collection[str]) -> str:
    """A name that nobody has yet."""
    number, free = 1, name
    while free in taken:
        number, free = number + 1, f"{name} {number + 1}"
    return free
