"""What is done with what, where a line leaves it to its reader: who is carried over the sea by a boat is in it, who
pulls a friend on a sledge is not on it, a hat over somebody's eyes is on their head."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from anystory.sketch.stagecraft.hands import is_worn
from anystory.sketch.stagecraft.poses import AIR, CLIMBING, pose_of
from anystory.sketch.things import LibraryDrawing
from anystory.story.shot import Role, Shot, Thing

Find = Callable[[Thing], LibraryDrawing | None]

_CLIMBED = ("ladder", "stairs", "tree", "palm tree", "rope", "wall", "treehouse", "rock", "tower", "lamp post")
"""What somebody climbs who climbs nothing else."""

_MOUNTS = ("horse", "donkey", "camel", "elephant", "unicorn", "pony", "dragon", "whale", "carpet", "swing", "sled")
"""What else than a vehicle somebody rides who is only said to ride."""

AT_WORK = ("paints", "writes", "works", "cooks", "plays", "opens", "digs", "pushes", "pulls")
"""Who does this on or in a thing stands at it."""

_DRAWS = ("pulls", "pushes")
_CLOSE = ("hugs", "kisses")

_AT = ("above", "on", "next to", "in", "of")
"""How a hat can be with its wearer in the words of a line."""

_VESSELS, _TABLE = ("household", "food", "tool", "school"), 0.9
"""Kinds of what things are put into, and metres up to which nobody is in it themselves."""

_HANDLES = ("takes", "holds", "carries", "works")

_ADDED = ("food", "toy", "plant", "household", "weather")
"""Kinds of what can be on a thing that it belongs to: candles, cherries. A door that belongs to a house is of it."""


def agreed(shot: Shot, find: Find) -> Shot:
    """The shot with what its roles and things do with each other made plain. `find` gives the drawing of a thing."""
    drawings = {thing.concept: find(thing) for thing in shot.things}
    roles, wrapped = _roles(shot, drawings)
    shot = _put_away(replace(shot, roles=roles), drawings)
    owners = {role.name for role in shot.roles}
    owners |= {concept for concept, drawing in drawings.items() if drawing is not None and drawing.living}
    held = {role.toward for role in shot.roles if role.action in _CLOSE}
    things = (replace(one, relation="", targets=()) if one.concept in held else one for one in shot.things)
    things = (replace(one, held_by=wrapped.get(one.concept, one.held_by)) for one in things)
    return replace(shot, things=tuple(_thing(thing, drawings, owners) for thing in things))


def _put_away(shot: Shot, drawings: Mapping[str, LibraryDrawing | None]) -> Shot:
    """ "Picks flowers and puts them into a vase": what somebody handles is in what is too small for them; if they carry
    it there, they carry that."""
    roles, things = list(shot.roles), list(shot.things)
    number = {thing.concept: at for at, thing in reversed([*enumerate(things)])}
    for i, role in enumerate(roles):
        if role.holds not in number or role.action not in _HANDLES:
            continue
        thing = things[number[role.holds]]
        place = role if role.relation in ("in", "on") else thing
        there = next(iter(place.targets), "") if place.relation in ("in", "on") else ""
        base = things[number[there]] if there in number else None
        drawing = drawings.get(base.concept) if base is not None and base is not thing else None
        if base is None or drawing is None or drawing.kind not in _VESSELS or drawing.size >= _TABLE:
            continue
        carried = base.concept if role.action == "carries" else ""
        things[number[thing.concept]] = replace(thing, held_by="", relation=place.relation, targets=(base.concept,))
        things[number[base.concept]] = replace(base, held_by=role.name if carried else base.held_by)
        relation, targets = ("", ()) if place is role else (role.relation, role.targets)
        roles[i] = replace(role, relation=relation, targets=targets, holds=carried)
    return replace(shot, roles=tuple(roles), things=tuple(things))


def _roles(shot: Shot, drawings: Mapping[str, LibraryDrawing | None]) -> tuple[tuple[Role, ...], dict[str, str]]:
    """The roles, and who is wrapped in what, by concept."""
    wrapped: dict[str, str] = {}
    roles = {role.name: _role(role, shot.things, drawings) for role in shot.roles}
    for role in list(roles.values()):
        other = roles.get(role.toward)
        if other is None or other is role or not role.targets or other.name in role.targets:
            continue
        if role.relation == "in" and is_worn(drawings.get(role.targets[0])):  # "wraps him in a blanket"
            wrapped[role.targets[0]] = other.name
            roles[role.name] = replace(role, relation="", targets=())
        elif role.action in _DRAWS and role.relation in ("on", "in") and role.targets[0] in drawings:
            rests = "sits" if other.action in ("stands", "walks") else other.action
            roles[other.name] = replace(other, action=rests, relation=role.relation, targets=role.targets)
            roles[role.name] = replace(role, relation="", targets=())
        elif role.action in _CLOSE and not other.targets:
            roles[other.name] = replace(other, relation=role.relation, targets=role.targets)
            roles[role.name] = replace(role, relation="", targets=())
    return tuple(roles.values()), wrapped


def _role(role: Role, things: tuple[Thing, ...], drawings: Mapping[str, LibraryDrawing | None]) -> Role:
    pose = pose_of(role.action)
    if len(role.targets) > 1:  # "puts on a crown and climbs onto the throne"
        stood = tuple(target for target in role.targets if not is_worn(drawings.get(target)))
        role = replace(role, targets=stood or role.targets)
    if role.relation == "above" and pose.kind != AIR and drawings.keys() & set(role.targets):
        role = replace(role, relation="on")  # "sobre una nube"
    if role.action in AT_WORK and role.relation in ("on", "in") and not role.toward:
        role = replace(role, relation="next to")  # "draws on the blackboard"
    if role.targets or role.toward:
        return role
    free = [thing.concept for thing in things if not thing.held_by]
    if pose.kind == CLIMBING:
        climbed = next((concept for concept in free if concept in _CLIMBED), None)
        return replace(role, relation="on", targets=(climbed,)) if climbed else role
    if role.action == "rides":
        ridden = next((concept for concept in free if concept in _MOUNTS or _drives(drawings[concept])), None)
        return replace(role, relation="in", targets=(ridden,)) if ridden else role
    return role


def _drives(drawing: LibraryDrawing | None) -> bool:
    return drawing is not None and drawing.kind == "vehicle"


def _thing(thing: Thing, drawings: Mapping[str, LibraryDrawing | None], owners: set[str]) -> Thing:
    drawing = drawings[thing.concept]
    if drawing is None:
        return thing
    owner = next((target for target in thing.targets if target in owners and target != thing.concept), "")
    if owner and not drawing.living and (thing.relation == "of" or (is_worn(drawing) and thing.relation in _AT)):
        return replace(thing, held_by=owner, relation="", targets=())
    if thing.held_by and thing.relation == "of":
        return replace(thing, relation="", targets=())  # "sits on a cushion with a book"
    if owner and drawing.living and thing.relation == "of":
        return replace(thing, relation="next to")  # "a pirate with a parrot"
    if thing.relation == "of":
        whole = next((drawings[target] for target in thing.targets if drawings.get(target)), None)
        if whole is not None and drawing.kind == "plant" and whole.kind in _VESSELS:
            return replace(thing, relation="in")  # "a vase with tulips"
        added = whole is not None and (drawing.kind in _ADDED or is_worn(drawing)) and drawing.size < whole.size
        return replace(thing, relation="on" if added else "of")
    if thing.relation == "above" and not flies(thing, drawing):
        return replace(thing, relation="over" if drawing.living else "on")
    return thing


def flies(thing: Thing, drawing: LibraryDrawing) -> bool:
    """Whether a thing is in the air, by what it is or by what it does."""
    return drawing.rests[0] == "sky" or pose_of(thing.action).kind == AIR
