"""What each member of the cast does in a panel."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from anystory.sketch.language.company import head_nouns
from anystory.sketch.language.parts import living
from anystory.sketch.language.sentence import REAL, STATES, Act, Sentence
from anystory.sketch.language.tokens import language_of, units_of
from anystory.sketch.words import ACTIONS, DEFAULT_HEIGHT, SIZES, drawn, things
from anystory.story.shot import Role

SUFFERED = {"chases": "runs", "follows": "walks", "carries": "rides", "pulls": "walks"}
"""What one does to whom something is done."""
RESTING = ("sits", "lies", "sleeps", "hides", "rides")
"""What one goes on with until something else is said."""
MOVING = ("walks", "runs", "flies", "swims", "jumps", "climbs")
"""What a mount does when its rider does."""
YOUNG = {"young": 0.6, "baby": 0.35, "小": 0.8, "bebé": 0.35, "幼": 0.5, "宝宝": 0.35, "joven": 0.7, "puppy": 0.6}


def roles_of(
    sentence: Sentence,
    members: Sequence[str],
    heights: Mapping[str, float],
    facings: Mapping[str, str],
    before: Sequence[Role] = (),
) -> tuple[Role, ...]:
    """One role for each member, in their order. `before`: their roles in the panel before, if it was at the same place:
    who then rested and is not spoken of still does."""
    rested = {role.name: role for role in before if role.action in RESTING}
    roles = (_role(sentence, name, members, heights[name], facings[name]) for name in members)
    return tuple(_still(role, rested.get(role.name), sentence) for role in roles)


def _still(role: Role, rested: Role | None, sentence: Sentence) -> Role:
    if rested is None or role.action != "stands" or role.name in sentence.meant or role.relation or role.where:
        return role
    return replace(role, action=rested.action, relation=rested.relation, targets=rested.targets)


def _role(sentence: Sentence, name: str, members: Sequence[str], height: float, facing: str) -> Role:
    acts = [act for act in sentence.acts if name in act.actors and act.action and act.state == REAL]
    acts = [act for act in acts if not act.passive or act.action in STATES]
    act = max(acts, key=_rank, default=None)
    action = act.action if act is not None else _suffered(sentence, name)
    relation, targets = sentence.relations.get(name) or _borne(sentence, name)
    where, distance = sentence.wheres.get(name, ""), sentence.distances.get(name, "")
    if action == "carries" and act is not None and act.toward and name in sentence.holds:
        action = "gives"  # "brings her a cup"
    if action == "holds" and name not in sentence.holds:
        action = "stands" if act is None or not act.toward else action
    elif action == "stands" and name in sentence.holds:
        action = "holds"
    elif action in MOVING and relation in ("on", "in") and _carries(targets, members):
        action = "rides"  # "gallops past on a pony"
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
    return ACTIONS[act.action].rank - 3 * act.purpose - 1.5 * on_the_way


def _suffered(sentence: Sentence, name: str) -> str:
    """What is done by who has no verb: who is chased runs."""
    for act in sentence.acts:
        if name in act.toward and act.state == REAL and act.action in SUFFERED:
            return SUFFERED[act.action]
        mounted = any(sentence.relations.get(rider, ("", ()))[1] == (name,) for rider in act.actors)
        if mounted and act.state == REAL and act.action in MOVING:
            return act.action
    return "stands"


def _borne(sentence: Sentence, name: str) -> tuple[str, tuple[str, ...]]:
    """Who is carried is on who carries."""
    for act in sentence.acts:
        if name in act.toward and act.state == REAL and act.action == "carries" and act.actors:
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
