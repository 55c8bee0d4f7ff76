"""The things that a line tells of: what they do, who has them, where they are, what belongs to what."""

from __future__ import annotations

from dataclasses import replace

from anystory.sketch.language.parts import hollow, living
from anystory.sketch.language.sentence import REAL, Act, Mention, Sentence
from anystory.sketch.reading.places import indoors, place_of, seen_from_afar
from anystory.sketch.words import ACTIONS, vocabulary
from anystory.story.shot import Role, Thing

UNSEEN = frozenset(("sun", "friend"))
"""Concepts that the sky shows, or that are nobody."""
SHOWN = {"left of": "next to", "right of": "next to", "at": "next to"}
OF_A_ROOM = ("wall", "floor", "ceiling")
"""What every room has, and no picture of a thing shows."""
OF_THE_SEA = ("wave",)
"""What is outside where one is indoors."""
POURED = ("milk", "honey", "water", "juice", "lemonade", "soup", "tea", "coffee", "jam", "flour", "sugar", "paint",
          "rice", "salt", "oil", "syrup", "chocolate")  # fmt: skip
"""What is not seen beside what it is in: a bucket of milk."""
ABOARD = {"spaceship": ("ship", "spaceship", "rocket"), "pirate ship": ("ship",), "train": ("train",)}
"""What a place is itself, seen from within: "the little ship shudders"."""
OF_A_WALL = ("window", "windowsill", "balcony")
AT_A_WALL = ("from", "at", "of", "through", "to", "in", "behind", "next to", "in front of")
"""After which what a wall has is only where somebody is: outdoors no wall is drawn that it could be in."""
SURFACES = ("plate", "tray", "dish", "spoon", "table", "board")
"""What something is on that is "of" or "with" it: a plate of biscuits, a cake with candles."""
VESSELS = (
    "basket",
    "box",
    "bag",
    "bucket",
    "bowl",
    "jar",
    "sack",
    "cart",
    "wheelbarrow",
    "nest",
    "pot",
    "pan",
    "chest",
)
"""What something is in that it is full of."""
TOOLED = (
    "works",
    "plays",
    "digs",
    "paints",
    "writes",
    "cooks",
    "fights",
    "throws",
    "kicks",
    "eats",
    "opens",
    "catches",
)
"""What one does with something: "paints the wall with a brush"."""


def things_of(sentence: Sentence, place: str) -> tuple[Thing, ...]:
    """The things that a line shows, in its order, each concept once. `place`: where the panel is."""
    found: dict[str, Thing] = {}
    for spoken in sentence.mentions:
        mention = _as_thing(spoken, place)
        if mention is None or (mention.value == "cloud" and any(m.kind == "weathers" for m in sentence.moments)):
            continue
        thing = _thing(sentence, spoken, mention)
        known = found.get(mention.value)
        if known is not None and mention.which not in ("other",):
            found[mention.value] = _merged(known, thing)
            continue
        key = mention.value if known is None else f"{mention.value} {len(found)}"
        found[key] = thing
    kicked = _kick_at_nothing(sentence)
    if "ball" not in found and kicked is not None:
        found["ball"] = Thing("ball", kicked.word)
    return tuple(found.values())


def _kick_at_nothing(sentence: Sentence) -> Act | None:
    """The act of somebody who kicks what is not told, or was told before: a ball."""
    objects = [one.act for one in sentence.mentions if one.role == "object" and one.value not in ("goal", "")]
    return next(
        (
            act
            for act in sentence.acts
            if act.action == "kicks"
            and act.state == REAL
            and (act.actors or act.doers)
            and not act.toward
            and not any(act is done for done in objects)
        ),
        None,
    )


def at_no_wall(roles: tuple[Role, ...], place: str) -> tuple[Role, ...]:
    """The roles of a panel with nobody at a window where there is no wall for it: outdoors."""
    if indoors(place):
        return roles
    return tuple(
        replace(role, relation="", targets=()) if set(role.targets) & set(OF_A_WALL) else role for role in roles
    )


def _as_thing(mention: Mention, place: str) -> Mention | None:
    """A mention as a thing that is seen, or None: of places what stands there, a barn, and what is seen from afar. Who
    only owns something is not: his grandfather's hat."""
    concept = mention.value if mention.kind == "thing" else mention.thing
    if mention.kind == "thing" and mention.attribute:
        return None
    if mention.kind == "place" and mention.prep in ("in", "at", "through", "to", "from"):
        concept = ""
    distance = mention.distance
    if mention.kind == "place" and not concept and seen_from_afar(mention) and mention.value != place:
        concept, distance = vocabulary()["landmarks"].get(place_of(mention), ""), "far"
        if place_of(mention) == place:
            concept = ""
    if not concept or mention.state != REAL or concept in UNSEEN:
        return None
    if concept in OF_A_ROOM and indoors(place) and mention.kind == "thing" and mention.prep:
        return None
    if concept in POURED and mention.prep == "of" and mention.of is not None and mention.of.value in VESSELS:
        return None
    if concept in ABOARD.get(place, ()) and mention.prep in ("", "in", "on", "of", "at", "to"):
        return None
    at_a_wall = mention.kind == "place" or mention.prep in AT_A_WALL
    if concept in (OF_THE_SEA if indoors(place) else OF_A_WALL if at_a_wall else ()):
        return None
    return replace(mention, value=concept, distance=distance)


def _thing(sentence: Sentence, spoken: Mention, mention: Mention) -> Thing:
    """`mention`: the one `spoken` of as what is seen."""
    act = _act_of(sentence, spoken)
    relation, targets = SHOWN.get(mention.relation, mention.relation), tuple(mention.targets)
    if act is not None and act.action == "rides" and not targets:
        mount = next((one.value for one in sentence.mentions if one.act is act and one.role == "object"), "")
        relation, targets = ("in" if mount in hollow() else "on", (mount,)) if mount else ("", ())
    if spoken.of is not None and spoken.of.kind == "thing" and (spoken.prep == "of" or not targets):
        relation, targets = _belonging(spoken)
    return Thing(
        mention.value,
        mention.word,
        mention.count,
        mention.colour,
        mention.size,
        _holder(sentence, spoken, mention),
        mention.where,
        mention.distance,
        relation,
        targets,
        act.action if act is not None else mention.doing,
        _done_to(sentence, act, mention) if act is not None else "",
    )


def _act_of(sentence: Sentence, mention: Mention) -> Act | None:
    """What a thing does, of several acts the one that a picture shows best."""
    acts = [act for act in sentence.acts if act.action and act.state == REAL and not act.passive]
    own = [act for act in acts if any(doer is mention for doer in act.doers)]
    return max(own, key=lambda act: ACTIONS[act.action].rank, default=None)


def _done_to(sentence: Sentence, act: Act, mention: Mention) -> str:
    """Whom it is done to: a name, or the concept of another thing that lives."""
    objects = (
        one.value for one in sentence.mentions if one.act is act and one.role == "object" and one.kind == "thing"
    )
    others = (value for value in objects if value in living() and value != mention.value)
    return next(iter((*act.toward, *others)), "") if ACTIONS[act.action].pair or act.action == "gives" else ""


def _holder(sentence: Sentence, spoken: Mention, mention: Mention) -> str:
    """Who has it: a name, or the concept of another thing that lives: a baker hands somebody a loaf. Who is given
    something is not held."""
    act = spoken.act if spoken.role == "object" else None
    given = act is not None and act.action == "gives"
    if (
        given
        and mention.value in living()
        and any(
            one is not spoken and one.act is act and one.role == "object" and one.kind == "thing"
            for one in sentence.mentions
        )
    ):
        return ""
    if act is not None and act.action and act.state == REAL and ACTIONS[act.action].holds and act.doers:
        return act.doers[0].value
    if act is not None and act.action == "stands" and act.state == REAL and act.actors:
        return mention.held_by or act.actors[0]  # "Bruno wears a hat, and Mia laughs"
    held = next((name for name, concept in sentence.holds.items() if concept == mention.value), "")
    return mention.held_by or held


def _belonging(mention: Mention) -> tuple[str, tuple[str, ...]]:
    """Where something is that belongs to the thing before it: in a basket of cherries, on a cake with candles, worn by
    a bear with a scarf. What one does something with belongs to nothing: "cuts the cake with a knife"."""
    whole = mention.of
    if whole is None:
        return "", ()
    if mention.prep == "of":
        if whole.value in VESSELS:
            return "in", (whole.value,)
        return ("on", (whole.value,)) if whole.value in SURFACES else ("", ())
    if mention.prep != "with" or (whole.role == "object" and mention.act is not None and mention.act.action in TOOLED):
        return "", ()
    if mention.owner and whole.value not in living():
        return "", ()  # "Tom sits on the stairs with his robot"
    return "of", (whole.value,)


def _merged(known: Thing, again: Thing) -> Thing:
    return replace(
        known,
        count=max(known.count, again.count),
        **{
            name: getattr(known, name) or getattr(again, name)
            for name in ("colour", "size", "held_by", "where", "distance", "action", "toward")
        },
        relation=known.relation or again.relation,
        targets=known.targets or again.targets,
    )
