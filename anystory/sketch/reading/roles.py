"""What each member of the cast does in a panel."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType

from anystory.sketch.language.company import head_nouns
from anystory.sketch.language.parts import living
from anystory.sketch.language.sentence import REAL, STATES, Act, Sentence
from anystory.sketch.language.tokens import language_of, units_of
from anystory.sketch.things.drawing import all_drawings
from anystory.sketch.words import ACTIONS, DEFAULT_HEIGHT, SIZES, drawn, things
from anystory.story.shot import Role

SUFFERED = {
    "chases": "runs",
    "follows": "walks",
    "carries": "rides",
    "pulls": "walks",
    "whispers": "listens",
    "gives": "takes",
}
"""What one does to whom something is done."""
RESTING = ("sits", "lies", "sleeps", "hides", "rides")
"""What one goes on with until something else is said."""
UNBROKEN = ("sleeps", "lies", "sits")
"""What one goes on with though something is done to one."""
RISING = ("walks", "runs", "flies", "swims", "jumps", "climbs", "dances", "chases", "follows", "falls", "dives",
          "crawls",
          "sneaks", "fights", "kneels", "bows", "stands on its head", "floats")  # fmt: skip
"""Actions after which one does not sit or lie as before."""
CLIMBED = ("tree", "wall", "roof", "ladder", "rock", "tower", "fence", "stairs", "table", "chair", "oak")
"""What one does not ride but climb."""
SUPPORTS = {
    **dict.fromkeys(("bed", "hammock", "cradle", "crib", "bunk bed", "sleeping bag", "stretcher"), "lies"),
    **dict.fromkeys(("chair", "armchair", "sofa", "bench", "throne", "stool", "swing", "rocking chair"), "sits"),
    **dict.fromkeys(("saddle", "wheelchair", "deckchair", "bathtub"), "sits"),
    **dict.fromkeys(("horse", "pony", "donkey", "camel", "bicycle", "boat", "canoe", "car", "raft"), "rides"),
}
"""What one does of whom it is only said what one is on or in."""
SPOKEN = ("talks", "whispers", "sings")
"""What another listens to."""
COVERS = ("bed", "sofa", "table", "desk", "chair", "armchair", "blanket", "bush", "curtain", "hedge", "wardrobe")
"""What one hides under or behind of whom it is only said that one is there."""
AFLOAT = {"space": "floats", "underwater": "swims", "sky": "flies"}
"""What one does of whom nothing is said where there is no ground."""
MOVING = ("walks", "runs", "flies", "swims", "jumps", "climbs")
"""What a mount does when its rider does."""
YOUNG = {"young": 0.6, "baby": 0.35, "小": 0.8, "bebé": 0.35, "幼": 0.5, "宝宝": 0.35, "joven": 0.7, "puppy": 0.6}


def roles_of(
    sentence: Sentence,
    members: Sequence[str],
    heights: Mapping[str, float],
    facings: Mapping[str, str],
    rested: Mapping[str, Role] = MappingProxyType({}),
    place: str = "",
) -> tuple[Role, ...]:
    """One role for each member, in their order. `rested`: those who sat, lay, slept, hid or rode when they were last
    told of, if they are still there; `place`: where the panel is."""
    roles = (_role(sentence, name, members, heights[name], facings[name]) for name in members)
    return tuple(_still(role, rested.get(role.name), sentence, place, members) for role in roles)


def postures(roles: Sequence[Role], sentence: Sentence, before: Mapping[str, Role]) -> dict[str, Role]:
    """Who sits, lies, sleeps, hides or rides after a panel, by name, and how. `before`: who did before it."""
    found = dict(before)
    for role in roles:
        if role.action in RESTING:
            found[role.name] = role
        elif role.action in RISING or _rises(sentence, role.name):
            found.pop(role.name, None)
    return found


def _rises(sentence: Sentence, name: str) -> bool:
    """Whether somebody is said to stand, or to have woken."""
    return any(
        act.action == "stands" and name in act.actors and act.state == REAL and "is" not in act.manners
        for act in sentence.acts
    )


def _hears(sentence: Sentence, name: str, members: Sequence[str]) -> bool:
    """Whether somebody is spoken to, or is the only other one where somebody speaks."""
    spoken = (act for act in sentence.acts if act.action in SPOKEN and act.state == REAL and name not in act.actors)
    return any(name in act.toward or (act.actors and len(members) == 2) for act in spoken)


def _still(role: Role, rested: Role | None, sentence: Sentence, place: str, members: Sequence[str]) -> Role:
    if role.action != "stands" or _rises(sentence, role.name):
        return role
    broken = role.name in sentence.meant and (rested is None or rested.action not in UNBROKEN)
    if rested is None or broken or role.relation or role.where:
        if _hears(sentence, role.name, members):
            return replace(role, action="listens")
        return role if role.relation in ("on", "in") else replace(role, action=AFLOAT.get(place, role.action))
    return replace(role, action=rested.action, relation=rested.relation, targets=rested.targets)


def _role(sentence: Sentence, name: str, members: Sequence[str], height: float, facing: str) -> Role:
    acts = [act for act in sentence.acts if name in act.actors and act.action and act.state == REAL]
    acts = [act for act in acts if not act.passive or act.action in STATES]
    act = max(acts, key=_rank, default=None)
    action = act.action if act is not None else _suffered(sentence, name)
    relation, targets = sentence.relations.get(name) or _borne(sentence, name)
    where, distance = sentence.wheres.get(name, ""), sentence.distances.get(name, "")
    if action == "carries" and act is not None and act.toward and act.thing:
        action = "gives"  # "brings her a cup"
    if action == "holds" and name not in sentence.holds:
        action = "stands" if act is None or not act.toward else action
    elif action == "stands" and name in sentence.holds:
        action = "holds"
    elif action in MOVING and relation in ("on", "in") and _carries(targets, members):
        action = "rides"  # "gallops past on a pony"
    if action == "rides" and relation == "on" and targets and targets[0] in CLIMBED:
        action = "climbs"  # "se sube al árbol"
    if action == "stands" and relation in ("under", "behind") and targets and targets[0] in COVERS:
        action = "hides"
    if action == "stands" and relation in ("on", "in") and targets and not _rises(sentence, name):
        action = "sits" if targets[0] in members else SUPPORTS.get(targets[0], action)
    return Role(
        name,
        action,
        where,
        distance,
        sentence.sizes.get(name, ""),
        height,
        relation,
        targets,
        _toward(acts, act, name, members) or _extra(sentence, act),
        sentence.holds.get(name, ""),
        sentence.moods.get(name, ""),
        facing,
    )


def _carries(targets: Sequence[str], members: Sequence[str]) -> bool:
    return bool(targets) and (targets[0] in members or targets[0] in living())


def _rank(act: Act) -> float:
    on_the_way = act.action == "walks" and bool(act.manners & {"reaches", "leaves", "enters"})
    return ACTIONS[act.action].rank - 4 * act.purpose - 3 * on_the_way - 3 * act.implied


def _suffered(sentence: Sentence, name: str) -> str:
    """What is done by who has no verb: who is chased runs."""
    for act in sentence.acts:
        if name in act.toward and act.state == REAL and act.action in SUFFERED:
            brought = act.action == "carries" and act.thing  # "brings them biscuits"
            return "takes" if brought else SUFFERED[act.action]
        mounted = any(sentence.relations.get(rider, ("", ())) == ("on", (name,)) for rider in act.actors)
        if mounted and act.state == REAL and act.action in MOVING:
            return act.action
    return "stands"


def _borne(sentence: Sentence, name: str) -> tuple[str, tuple[str, ...]]:
    """Who is carried is on who carries."""
    for act in sentence.acts:
        if name in act.toward and act.state == REAL and act.action == "carries" and act.actors and not act.thing:
            return "on", tuple(act.actors[:1])
    return "", ()


def _toward(acts: Sequence[Act], act: Act | None, name: str, members: Sequence[str]) -> str:
    """Whom somebody acts on: in what is shown of it, else in anything; of those who do something together the other."""
    for one in [act, *acts] if act is not None else ():
        meant = [other for other in one.toward if other in members and other != name]
        if meant:
            return meant[0]
    if act is not None and act.action and ACTIONS[act.action].pair and not act.thing:
        others = [other for other in act.actors if other != name and other in members]
        if others and act.action not in ("looks", "points", "waves", "gives", "pushes", "pulls", "listens"):
            return others[0]
    return ""


def _extra(sentence: Sentence, act: Act | None) -> str:
    """The concept of whom somebody acts on who is nobody of the cast: "hugs her grandmother", "gives the hedgehog an
    apple"; not of a pet that is held."""
    if act is None or not act.action or not (ACTIONS[act.action].pair or act.action == "gives"):
        return ""
    done_to = (one for one in sentence.mentions if one.act is act and one.kind == "thing" and one.state == REAL)
    with_whom = ("with", "to") if sentence.language == "es" else ("with",)
    return next(
        (one.value for one in done_to if (one.role == "object" or one.prep in with_whom) and one.value in living()), ""
    )


def is_vehicle(description: str) -> bool:
    """Whether somebody is a car, a train, a ship, by its description."""
    kinds = {
        name: drawing.kind for drawing in all_drawings() for name in (*drawing.names.get("en", ()), drawing.concept)
    }
    return next((kinds[noun] for noun in head_nouns(description.split(" of ")[0]) if noun in kinds), "") == "vehicle"


def height_of(description: str) -> float:
    """How tall somebody is by its description, in metres: "a little mouse" is of a mouse's class. `DEFAULT_HEIGHT`
    where no kind is known; size words then count all the same."""
    kinds = {kind.concept: kind.height for kind in (*drawn(), *things()) if kind.height}
    metres = next((kinds[noun] for noun in head_nouns(description) if noun in kinds), DEFAULT_HEIGHT)
    if not description.strip():
        return metres
    factor = 1.0
    for unit in units_of(description, {}, language_of(description)):
        if "with" in unit or unit.mark:
            break
        word = unit.text.lower()
        if word in YOUNG:
            factor = YOUNG[word]
        elif "sizes" in unit and factor == 1.0:
            factor = SIZES[unit.value("sizes")]
    return round(metres * factor, 3)
