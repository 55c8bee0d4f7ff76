"""The parts that a noun can have in its clause: subject or object; and the clause itself."""

from __future__ import annotations

from functools import cache

from anystory.sketch.language.kinds import Modifiers, Position, names_of
from anystory.sketch.language.sentence import REAL, RELATIONS, UNREAL, Mention
from anystory.sketch.words import ACTIONS, drawn, listed, things, vocabulary

IDLE = ("hugs", "holds", "digs", "opens", "throws", "takes", "catches", "follows")
"""Actions that show nothing if it is one's own body that they are done to."""
DRINKS = (
    "milk",
    "water",
    "tea",
    "coffee",
    "juice",
    "cocoa",
    "hot chocolate",
    "lemonade",
    "cup",
    "glass of milk",
    "mug",
)
MOVED = {"runs": "pushes", "dances": "works", "floats": "carries"}
"""What verbs of motion say where a thing is moved: "slides a letter", "spins the wheel"."""
HANDLED = {
    "return": "gives",
    **dict.fromkeys(("set out", "sets out", "setting out", "hang", "hung"), "works"),
    **dict.fromkeys(("dangl", "se aferr"), "holds"),
    "gather": "takes",
    "arrastr": "pulls",
}
"""What verbs mean, by how they begin, where a thing is their object: "dangles a string", "returns the hat"."""
RACED = ("car", "race car", "racing car", "bicycle", "motorcycle", "truck", "boat", "canoe", "sled", "scooter", "kart")
"""What one is in or on who races it."""
LED = ("lead", "led", "guía", "guia", "带", "领")
"""How verbs begin of who takes somebody along on foot."""
LEGIBLE = ("book", "newspaper", "letter", "notebook")
"""What Chinese says "look at" of for reading."""
PAINTABLE = (
    "picture", "easel", "stone", "paper", "egg", "fence", "wall", "house", "door", "postcard", "notebook", "card"
)  # fmt: skip
"""Objects of painting that are there; what else is painted is only on the picture."""


@cache
def living() -> frozenset[str]:
    """Concepts of who lives, and of vehicles: they are with one, not held."""
    return frozenset(kind.concept for kind in (*things(), *drawn()) if kind.height)


@cache
def foods() -> frozenset[str]:
    """Concepts of what friends share by eating it."""
    return frozenset(listed(vocabulary()["foods"]["en"]))


@cache
def hollow() -> frozenset[str]:
    """Concepts of what one is in rather than on."""
    return frozenset(listed(vocabulary()["hollow"]["en"]))


@cache
def fixtures() -> frozenset[str]:
    """Concepts of what cannot be carried away: whoever is at it is in its place."""
    return frozenset(listed(vocabulary()["grammar"]["fixed"]["en"]))


def _is_word(verb: str, beginning: str) -> bool:
    """Whether a verb is one word, or the phrase of `beginning` itself: "hangs" but not "hangs on to"."""
    return verb.startswith(beginning) and (" " not in verb or " " in beginning)


def targets_of(mention: Mention) -> list[str]:
    """What somebody beside it is beside: names, or a thing's concept."""
    if mention.kind == "plain" and mention.owner:
        return [mention.owner]
    thing = mention.thing or (mention.value if mention.kind == "thing" else "")
    return list(mention.names) or ([thing] if thing else [])


class SentenceParts(Position):
    def clause(self) -> None:
        """Begin a clause."""
        self.before = self.subject or self.before
        self.subject, self.act, self.prep, self.state = [], None, "", REAL
        self.joined, self.aux, self.last, self.main = False, False, None, None
        self.mods, self.aside, self.skyward = Modifiers(), [], False

    def come(self, mention: Mention) -> None:
        """What was said before its subject is of it: "in the distance, a castle"."""
        if mention.kind == "plain":
            return
        for kind, value in self.waiting:
            if kind != "moods" and mention.kind != "name":
                setattr(mention, kind[:-1], value)
            for name in mention.names:
                getattr(self.found, kind).setdefault(name, value)
        self.waiting = []
        for prep, other in self.aside:
            if prep in RELATIONS and mention.kind == "thing":
                mention.relation, mention.targets = prep, targets_of(other)

    def passing(self, mention: Mention) -> None:
        """What is said in "who …" of a thing is no more real than it, and says little of where the panel is."""
        told = self.subject[0] if self.main is not None and self.subject else None
        if told is not None:
            mention.state = mention.state or told.state
            mention.passing = told.kind == "thing"

    def as_subject(self, mention: Mention) -> None:
        mention.role = "subject"
        if self.language == "zh" and mention.kind == "plain" and names_of(self.subject):
            return  # 小雨扭头往回跑
        self._resume(mention.names)
        if self.subject and self.joined:
            self.subject.append(mention)
        else:
            self.subject = [mention]
        self.come(mention)

    def _resume(self, names: list[str]) -> None:
        """Give what a participle said to the subject that follows it: "curled up in the chair, Grandma …"."""
        act, known = self.dangling or (None, {})
        self.dangling = None
        if act is None or not act.implied or not names:
            return
        relations = self.found.relations
        new = {name: relations[name] for name in act.actors if relations.get(name) != known.get(name)}
        for name in new:
            relations.pop(name)
        for relation in list(new.values())[:1]:
            relations.update({name: relation for name in names if name in self.company.members})
        act.actors = list(names)

    def as_object(self, mention: Mention) -> None:
        mention.role = "object"
        act = self.act
        if not act.actors or (self.waiting and mention.kind == "place"):
            self.come(mention)
            mention.distance = mention.distance or next((far.distance for _, far in self.aside), "")
        if "seeks" in act.manners or (act.action == "paints" and mention.value not in PAINTABLE):
            mention.state = mention.state or (UNREAL if mention.kind == "thing" else REAL)
        if self.language == "zh" and act.action == "looks" and mention.value in LEGIBLE:
            act.action = "reads"
        if mention.word == "手" and mention.owner in self.company.members and act.action in ("pulls", "holds"):
            act.action, act.actors = "walks", [*act.actors, mention.owner]  # hand in hand
        if mention.kind == "plain" and mention.value in ("body", "part") and act.action in IDLE:
            act.action = "stands"
        if act.action == "rides" and (mention.names or mention.owner):
            self.relate("on", mention.names or [mention.owner])
        if mention.kind == "name" and act.word.startswith(LED) and act.action in ("carries", "walks", "follows"):
            act.action, act.actors = "walks", [*act.actors, *(n for n in mention.names if n not in act.actors)]
        elif mention.kind == "name":
            act.toward += [name for name in mention.names if name not in act.actors]
        elif mention.kind == "thing" and mention.state == REAL:
            act.thing = True
            if act.action == "eats" and mention.value in DRINKS:
                act.action = "drinks"
            act.action = next((done for verb, done in HANDLED.items() if _is_word(act.word, verb)), act.action)
            if mention.value in RACED and _is_word(act.word, "race"):
                act.action = "rides"  # "races the car"
            if act.action in MOVED and not act.manners and mention.value not in (living() | fixtures()):
                act.action = MOVED[act.action]
            if act.action == "gives" and len(act.actors) > 1 and not act.toward and mention.value in foods():
                act.action = "eats"  # "Mia and Tom share a cake"
            elif act.action == "gives" and len(act.actors) > 1 and not act.toward and mention.value == "blanket":
                act.action = "sits"  # "they share a quilt"
            self.hold(mention.value)
            if "exists" in act.manners:
                act.doers.append(mention)
            if act.action == "rides" or (act.action == "sits" and self.language == "zh"):
                self.relate("in" if mention.value in hollow() else "on", [mention.value])
            if act.action and ACTIONS[act.action].holds and act.actors:
                mention.held_by = act.actors[0]

    def brought(self) -> None:
        """Who takes something to a place carries it."""
        if self.act is not None and self.act.action == "takes":
            self.act.action = "carries"

    def hold(self, concept: str) -> None:
        """Whoever acts has it in the hands, if that is how the action goes."""
        act = self.act
        if act is None or act.state != REAL or not act.action or not ACTIONS[act.action].holds:
            return
        if act.action == "gives" and concept in living():
            return  # "feeds the ducks"
        for name in act.actors:
            self.found.holds.setdefault(name, concept)

    def relate(self, prep: str, targets: list[str]) -> None:
        """Whoever acts is there."""
        for name in self.actors():
            relation, known = self.found.relations.get(name, (prep, ()))
            if relation == prep and name not in targets:
                self.found.relations[name] = (prep, tuple(dict.fromkeys((*known, *targets))))

    def forget(self, mention: Mention) -> None:
        """Take back what was read of a name that turns out to be an owner."""
        self.prep = mention.prep
        for group in (self.subject, self.found.mentions):
            if mention in group:
                group.remove(mention)
        self.aside = [(prep, other) for prep, other in self.aside if other is not mention]
        objects = [other for other in self.found.mentions if other.act is self.act and other.kind == "thing"]
        self.last = objects[-1] if objects and self.prep else mention
        if mention.act is not None and mention.role == "object":
            mention.act.toward = [name for name in mention.act.toward if name not in mention.names]
        if mention.act is not None and mention.prep == "with":
            mention.act.actors = [name for name in mention.act.actors if name not in mention.names]
        if mention.role == "relation":
            for name in self.actors():
                self.found.relations.pop(name, None)
