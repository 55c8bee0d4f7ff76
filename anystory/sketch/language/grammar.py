"""Who does what to whom where: one walk over a line's units, from left to right, that knows clauses, subjects and objects,
prepositions, negation, and what is only dreamt, told or compared.

It is no full grammar. It keeps what a picture needs and forgets the rest.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache

from anystory.sketch.language import forms
from anystory.sketch.language.chinese import reordered
from anystory.sketch.language.company import Company
from anystory.sketch.language.lexicon import SURE
from anystory.sketch.language.tokens import PLURAL, Unit, units_of
from anystory.sketch.words import ACTIONS, listed, things, vocabulary

REAL, NEGATED, UNREAL, LIKE = "", "negated", "unreal", "like"
"""Whether what is mentioned is there: not there, dreamt or told of, or only compared with."""

RELATIONS = ("in", "on", "under", "behind", "in front of", "next to", "left of", "right of", "above", "between", "at")
PREPOSITIONS = (*RELATIONS, "through", "to", "toward", "from", "with", "for", "of", "by", "like", "without", "object")
PRONOUNS = ("she", "he", "it", "they", "all")
STATES = ("sits", "lies", "sleeps", "hides", "kneels", "stands", "stands on its head")
"""Actions whose participle tells what is done, "seated", "asleep": not something done to one."""
ALONE = ("stands", "walks", "runs", "sits", "lies", "sleeps", "jumps", "flies", "floats", "falls", "swims", "dives", "hides",
         "peeks", "crawls", "sneaks", "dances", "cries", "laughs", "kneels", "bows", "shouts", "thinks", "sings")  # fmt: skip
"""Actions that have no object: a noun that follows one without a subject is the subject."""
LEGIBLE = ("book", "newspaper", "letter", "notebook")
"""What Chinese says "look at" of for reading."""
MAKING = (
    "works",
    "paints",
    "writes",
    "reads",
    "cooks",
    "plays",
    "talks",
    "sings",
    "carries",
    "holds",
    "takes",
    "gives",
)
"""Actions whose object, though the name of a place, is not where one is: "draws a castle"."""


@dataclass
class Act:
    """A verb with those who do it. `actors`: names; `toward`: names it is done to; `manners`: see words.yaml;
    `state`: REAL, NEGATED or UNREAL; `purpose`: "in order to"; `implied`: no subject was
    said in its clause."""

    action: str
    actors: list[str] = field(default_factory=list)
    toward: list[str] = field(default_factory=list)
    manners: frozenset[str] = frozenset()
    state: str = REAL
    purpose: bool = False
    passive: bool = False
    implied: bool = False
    number: int = 0


@dataclass
class Mention:
    """A noun of the line. `kind`: "name", "thing", "place" or "plain"; `value`: the concept or the place's key, of a
    place with several (see `buildings`) "#" and its number. `prep`: what governs it. `of`: the noun before "of it".
    `relation` and `targets`: where it is, as of a role."""

    kind: str
    value: str
    word: str
    names: list[str] = field(default_factory=list)
    count: int = 1
    colour: str = ""
    size: str = ""
    which: str = ""
    owner: str = ""
    prep: str = ""
    role: str = ""
    state: str = REAL
    act: Act | None = None
    of: Mention | None = None
    attribute: bool = False
    depicts: bool = False
    where: str = ""
    distance: str = ""
    relation: str = ""
    targets: list[str] = field(default_factory=list)
    held_by: str = ""


@dataclass
class Moment:
    """A time or a weather of the line: its key, and whether it is so."""

    kind: str
    value: str
    text: str
    state: str = REAL
    ended: bool = False


@dataclass
class Sentence:
    """What the walk found. `wheres`, `distances`, `sizes`, `moods`: {name: key}; `relations`: {name: (relation,
    targets)}; `holds`: {name: concept}."""

    language: str
    acts: list[Act] = field(default_factory=list)
    mentions: list[Mention] = field(default_factory=list)
    moments: list[Moment] = field(default_factory=list)
    framing: str = ""
    medium: str = ""
    outside: bool = False
    wheres: dict[str, str] = field(default_factory=dict)
    distances: dict[str, str] = field(default_factory=dict)
    sizes: dict[str, str] = field(default_factory=dict)
    moods: dict[str, str] = field(default_factory=dict)
    relations: dict[str, tuple[str, tuple[str, ...]]] = field(default_factory=dict)
    holds: dict[str, str] = field(default_factory=dict)
    unread: list[str] = field(default_factory=list)


@dataclass
class _Modifiers:
    """What stands before a noun."""

    which: str = ""
    count: int = 0
    colour: str = ""
    size: str = ""
    mood: str = ""
    owner: str = ""
    open: bool = False
    negated: bool = False


@cache
def _living() -> frozenset[str]:
    return frozenset(kind.concept for kind in things() if kind.height)


@cache
def _hollow() -> frozenset[str]:
    return frozenset(listed(vocabulary()["hollow"]["en"]))


def _lives(concept: str) -> bool:
    """Whether a thing is somebody, or a vehicle: it is with one, not held."""
    return concept in _living()


def parse(text: str, company: Company, language: str) -> Sentence:
    """Read a line. `company` says who may be meant in it."""
    units = units_of(text, company.names, language)
    if language == "zh":
        units = reordered(units)
    return _Walk(units, company, language).walk()


class _Walk:
    def __init__(self, units: Sequence[Unit], company: Company, language: str) -> None:
        self.units = units
        self.company = company
        self.language = language
        self.found = Sentence(language)
        self.mods = _Modifiers()
        self.subject: list[Mention] = []
        self.act: Act | None = None
        self.prep = ""
        self.joined = False  # "and" or a comma was just read
        self.state = REAL
        self.previous = "start"  # the kind of the unit before, adverbs left out
        self.last: Mention | None = None
        self.before: list[Mention] = []  # the subject of the clause before
        self.meant: list[str] = []  # names in the order in which they were meant
        self.waiting: list[tuple[str, str]] = []  # positions that wait for their subject
        self.aside: list[tuple[str, list[Mention]]] = []  # relations said before the verb
        self.main: list[Mention] | None = None  # the subject outside a "who …"
        self.aux = False

    def walk(self) -> Sentence:
        for at, unit in enumerate(self.units):
            kind = self._kind(at)
            self._read(kind, at, unit)
            if kind not in ("stop", "nothing", "each other"):
                self.previous = kind
        self._close()
        return self.found

    # What a unit is here

    def _kind(self, at: int) -> str:
        unit = self.units[at]
        if unit.name:
            return "name"
        if unit.mark:
            return "mark"
        for kind in ("nothing", SURE, "framings"):
            if kind in unit:
                return kind
        if unit.verb and self._is_verb(at):
            return (
                "is" if "is" in unit and not self._full(at) else "has" if "has" in unit and self._helps(at) else "verb"
            )
        if self.language == "zh" and unit.text == "在":
            return "is" if self._next(at) is not None and self._next(at).verb and not self._next(at).noun else "at"
        if "airs" in unit and self._of_the_sky(at):
            return "airs"
        if "drawn" in unit or ("mediums" in unit and self._is_medium(at)):
            return "medium"
        for kind in ("wheres", "distances"):
            if kind in unit and not (self.mods.open and unit.noun):
                return kind
        adjective = next((kind for kind in ("colours", "sizes", "numbers") if kind in unit), "")
        if adjective and (not unit.noun or self._describes(at)):
            return adjective
        for kind in ("weathers", "times"):
            if kind in unit:
                return "moment"
        if "outside" in unit and not self._noun_follows(at):
            return "outside"
        if unit.noun and not (self._is_grammar(unit) and not self.mods.open):
            return "noun"
        for kind in (*PREPOSITIONS, *PRONOUNS, "the", "first", "same", "a", "other", "his", "not", "and", "while", "who", "own",
                     "each other", "somebody", "is", "has"):  # fmt: skip
            if kind in unit:
                return kind
        if "moods" in unit:
            return "moods"
        if unit.noun:
            return "noun"
        return "stop" if unit.senses else "unknown"

    def _is_grammar(self, unit: Unit) -> bool:
        return any(kind in unit for kind in (*PREPOSITIONS, "not", "and", "while", "who"))

    def _next(self, at: int, step: int = 1) -> Unit | None:
        """The next unit that is no adverb."""
        while at + step < len(self.units):
            unit = self.units[at + step]
            if unit.name or unit.mark or not unit.senses or set(unit.senses) - {"stop", "nothing", "each other"}:
                return unit
            step += 1
        return None

    def _noun_follows(self, at: int) -> bool:
        after = self.units[at + 1] if at + 1 < len(self.units) else None
        return (
            after is not None and not after.mark and (after.noun or bool(after.name) or "the" in after or "a" in after)
        )

    def _describes(self, at: int) -> bool:
        """Whether a word that is both, as "orange", is an adjective here."""
        if self.language == "es":
            return self.previous == "noun" or (self.mods.open and self._noun_follows(at))
        after = self.units[at + 1] if at + 1 < len(self.units) else None
        return after is not None and (after.noun or after.text == "的")

    def _of_the_sky(self, at: int) -> bool:
        """Whether an adjective is beside a word of day, sky or weather: "grey morning", "mañana gris"."""
        step = -1 if self.language == "es" else 1
        beside = self.units[at + step] if 0 <= at + step < len(self.units) else None
        return beside is not None and "skies" in beside

    def _is_medium(self, at: int) -> bool:
        """ "in ink", "as a watercolour": after such a word, and where the line or the clause ends."""
        before = " ".join(unit.text for unit in self.units[max(0, at - 4) : at])
        drawn = vocabulary()["drawn"][self.language].split(", ")
        after = self.units[at + 1] if at + 1 < len(self.units) else None
        ends = after is None or after.mark or after.text in ("drawing", "style", "画", "风格", "illustration")
        return ends and any(before == word or before.endswith(f" {word}") for word in drawn) and not self.mods.open

    def _full(self, at: int) -> bool:
        """Whether a form of "be" stands alone as a verb; never, it is read as one."""
        return False

    def _helps(self, at: int) -> bool:
        """Whether "has" is followed by a verb: "has eaten"."""
        after = self._next(at)
        return after is not None and (
            (after.verb and after.form in (forms.PAST, forms.BASE) and not after.noun)
            or any(kind in after for kind in ("to", "not", "is"))
        )

    def _is_verb(self, at: int) -> bool:
        unit, form, before = self.units[at], self.units[at].form, self.previous
        if "weathers" in unit:
            return bool(self._actors())
        if self.language == "zh":
            return self._is_chinese_verb(at, unit)
        if self.language == "es":
            return self._is_spanish_verb(at, unit, form, before)
        if "like" in unit:
            return before in ("name", "noun", "and", *PRONOUNS) and self.act is None
        if self.mods.open and "is" not in unit and "has" not in unit:
            return False
        if form == forms.ING:
            return not (unit.noun and before in PREPOSITIONS) or before in ("with",)
        if before in PREPOSITIONS and before != "to":
            return False
        if form == forms.BASE and unit.noun:
            several = sum(len(m.names) or m.count for m in self.subject) > 1
            return (
                before in ("has", "to", "not", "they", "all", "who")
                or (before in ("name", "noun") and several and self.act is None)
                or (before == "and" and self.act is not None and self.last is None)
            )
        if form == forms.THIRD and unit.noun:
            return before not in ("verb", "start", "mark") and not (
                before == "and" and self.last is not None and self.last.kind == "thing"
            )
        if form == forms.PAST and unit.noun:
            return before not in ("verb", "start")
        return True

    def _is_chinese_verb(self, at: int, unit: Unit) -> bool:
        if not unit.noun and not self._is_grammar(unit):
            return True
        after = self._next(at)
        if (
            self._is_grammar(unit)
            or self.mods.open
            or self.previous in ("own", "colours", "sizes", "numbers", *PREPOSITIONS)
        ):
            return False
        return self.act is None and bool(self._actors()) and after is not None and (after.noun or "numbers" in after)

    def _is_spanish_verb(self, at: int, unit: Unit, form: str, before: str) -> bool:
        other = unit.noun or self._is_grammar(unit) or "colours" in unit
        if self.mods.open:
            clitic = self.units[at - 1].text in ("la", "lo", "los", "las", "le", "les", "se") and form == forms.THIRD
            if not clitic or other:
                return form == forms.BASE and not other and before != "the"
            self.mods = _Modifiers()
            return True
        if form == forms.PAST and not self.aux:
            return unit.value("actions") in STATES
        if not other:
            return True
        if self._is_grammar(unit) or before in PREPOSITIONS:
            return False
        return (
            form == forms.THIRD
            and before in ("name", "noun", "and", "stop", "not", "who", "mark", *PRONOUNS)
            and self.act is None
        )

    # Reading a unit

    def _read(self, kind: str, at: int, unit: Unit) -> None:
        if kind == "mark":
            self._mark(unit)
        elif kind == "name":
            self._name(at, unit)
        elif kind == "verb":
            self._verb(at, unit)
        elif kind == "is":
            self._is(unit)
        elif kind == "noun":
            self._noun(at, unit)
        elif kind == SURE:
            self._sure(unit)
        elif kind == "moment":
            self._moment(at, unit)
        elif kind in PRONOUNS:
            self._pronoun(at, kind, unit)
        elif kind in PREPOSITIONS:
            self._preposition(at, kind, unit)
        elif kind in ("wheres", "distances"):
            self._position(at, kind, unit.value(kind))
        elif kind == "framings":
            self.found.framing = self.found.framing or unit.value(kind)
        elif kind == "medium":
            self.found.medium = unit.value("drawn") or unit.value("mediums")
        elif kind in ("the", "first", "same", "a", "other", "his", "numbers", "colours", "sizes"):
            self._modify(kind, unit)
        elif kind == "airs":
            self.found.moments.append(Moment("weathers", unit.value(kind), unit.text, self.state))
        elif kind == "moods":
            self._mood(at, unit.value(kind))
        elif kind == "outside":
            self.found.outside = self.found.outside or self.state == REAL
        elif kind == "not":
            self._not(at)
        elif kind == "and":
            self._and(at)
        elif kind == "while":
            self._clause()
        elif kind == "who":
            self._who()
        elif kind == "own":
            self._own(at)
        elif kind == "somebody":
            self._plain(unit)
        elif kind == "unknown":
            self._unknown(at, unit)

    def _close(self) -> None:
        """End a clause: what was meant to be said of a subject that never came is said of everybody."""
        for kind, value in self.waiting:
            for name in self._names(self.subject) or list(
                self.company.members[:1] if len(self.company.members) == 1 else ()
            ):
                getattr(self.found, kind).setdefault(name, value)
        self.waiting = []

    def _clause(self, keep: bool = False) -> None:
        """Begin a clause. `keep`: with the same subject."""
        self.before = self.subject or self.before
        if not keep:
            self.subject = []
        self.act, self.prep, self.state, self.joined, self.aux = None, "", REAL, False, False
        self.mods, self.last = _Modifiers(), None
        self.aside, self.main = [], None

    def _mark(self, unit: Unit) -> None:
        if unit.text in ".!?。！？;；…:：":
            self._close()
            self._clause()
            return
        self.mods = _Modifiers()
        self.prep = ""
        self.joined = unit.text in ",，、"
        if self.main is not None and unit.text in ",，":
            self.subject, self.main, self.act = self.main, None, None
        if self.language == "zh" and unit.text in ",，" and self.act is not None:
            self._clause()

    def _and(self, at: int) -> None:
        self.joined = True
        self.mods = _Modifiers()
        after = self._next(at)
        if after is not None and after.verb and self.act is not None and not after.noun and after.form != forms.BASE:
            self.state = REAL

    def _not(self, at: int) -> None:
        after = self._next(at)
        if (
            after is not None
            and not after.verb
            and self.language != "zh"
            and "is" not in after
            and self.previous != "is"
        ):
            self.mods.negated = True
        else:
            self.state = NEGATED

    def _who(self) -> None:
        if self.last is not None and self.last.kind in ("name", "thing"):
            self.main = self.subject
            self.subject, self.act, self.prep = [self.last], None, ""

    def _own(self, at: int) -> None:
        """ "Mia's", 的: who was just named owns what follows; what kind of place, says where it is."""
        after = self._next(at)
        if self.language == "en" and after is not None and after.verb and after.form in (forms.ING, forms.PAST):
            self._is(self.units[at])
            return
        last = self.last
        if last is None or self.previous not in ("name", "noun", *PRONOUNS):
            return
        if last.kind == "name":
            self.mods.owner, self.mods.open = (last.names or [""])[0], True
            self._forget(last)
        elif last in self.found.mentions:
            last.attribute = True
            self.prep = self.prep or (last.prep if last.prep != "for" else "")
            self.mods.open = True
            if last in self.subject:
                self.subject.remove(last)
            if last.kind == "thing":
                self.found.mentions.remove(last)

    def _forget(self, mention: Mention) -> None:
        """Take back what was read of a name that turns out to be an owner."""
        self.prep = mention.prep
        for group in (self.subject, self.found.mentions):
            if mention in group:
                group.remove(mention)
        if mention.act is not None and mention.role == "object":
            mention.act.toward = [name for name in mention.act.toward if name not in mention.names]
        if mention.act is not None and mention.prep == "with":
            mention.act.actors = [name for name in mention.act.actors if name not in mention.names]
        if mention.role == "relation":
            for name in self._actors():
                self.found.relations.pop(name, None)

    def _modify(self, kind: str, unit: Unit) -> None:
        mods = self.mods
        mods.open = True
        if kind == "numbers":
            mods.count = int(unit.value(kind))
        elif kind == "colours":
            if self.language == "es" and self.previous in ("noun", "colours", "sizes") and self.last is not None:
                self.last.colour = self.last.colour or unit.value(kind)
                mods.open = False
            elif not mods.colour:
                mods.colour = unit.value(kind)
            if self.language == "en" and self.previous in ("is",):
                mods.open = False
        elif kind == "sizes":
            if self.language == "es" and self.previous in ("noun", "colours", "sizes") and self.last is not None:
                self.last.size = self.last.size or unit.value(kind)
                mods.open = False
            else:
                mods.size = unit.value(kind)
        elif kind == "his":
            owner = self._names(self.subject) or self.meant[-1:]
            mods.owner, mods.which = (owner or [""])[0], mods.which or "his"
        elif mods.which not in ("other", "same", "first"):
            mods.which = kind

    def _mood(self, at: int, value: str) -> None:
        if self.state != REAL or self.mods.negated:
            self.mods.negated = False
            return
        after = self.units[at + 1] if at + 1 < len(self.units) else None
        if after is not None and after.name and not self.act:
            self.found.moods.setdefault(after.name, value)
            return
        for name in self._actors() or ([] if self.subject else self._names(self.before)):
            self.found.moods.setdefault(name, value)
        if not self._actors() and not self.subject:
            self.waiting.append(("moods", value))

    def _position(self, at: int, kind: str, value: str) -> None:
        """ "on the left", "in the distance": of the noun before it, else of who acts, else of who comes next."""
        moved = self.act is not None and self.act.action in ("looks", "points")
        if (moved and kind == "wheres") or self.state != REAL:
            return
        last = self.last
        if (
            last is not None
            and last.kind in ("thing", "place")
            and self.previous == "noun"
            and last not in self.subject
        ):
            setattr(last, kind[:-1], value)
        elif (
            last is not None and last.kind == "name" and self.previous in ("name", *PRONOUNS) and last.role != "object"
        ):
            for name in last.names:
                getattr(self.found, kind).setdefault(name, value)
        elif self._actors() or self.subject:
            for name in self._actors():
                getattr(self.found, kind).setdefault(name, value)
            for mention in self.subject:
                setattr(mention, kind[:-1], value)
        else:
            self.waiting.append((kind, value))
        self.prep = ""

    # Verbs

    def _names(self, mentions: Sequence[Mention]) -> list[str]:
        return [name for mention in mentions for name in mention.names]

    def _actors(self) -> list[str]:
        return self.act.actors if self.act is not None and self.act.actors else self._names(self.subject)

    def _is(self, unit: Unit) -> None:
        self.aux = True
        if self.act is None or self.joined:
            self._begin("stands", frozenset(), self.state)

    def _verb(self, at: int, unit: Unit) -> None:
        action, manners = unit.value("actions"), frozenset(filter(None, [unit.value("manners")]))
        form, progressive = unit.form, self.aux
        if action and "manners" in unit and unit.value("manners") == "begins" and action == "stands":
            action = "stands"
        state = self.state
        helped = self.act is not None and self.act.action == "stands" and self.aux
        if helped and self.act is not None and not (self.joined and self._names(self.subject) and form == forms.THIRD):
            self.found.acts.remove(self.act)  # the "is" of "is running"
            passive = self.language != "zh" and form == forms.PAST and action not in STATES
            actors = self.act.actors
            self._begin(action, manners, state, actors)
            self.act.passive = passive
        elif (
            self.act is not None
            and self.language != "zh"
            and form == forms.BASE
            and self.previous in ("to", "verb")
            and self.act.manners & {"begins"}
        ):
            actors, state = self.act.actors, self.act.state or state
            if self.act in self.found.acts and self.act.action in ("stands", "", "walks", "runs", "works"):
                self.found.acts.remove(self.act)
            self._begin(action, manners, state, actors)
        elif self.act is not None and form == forms.BASE and self.previous in ("to", "for", "verb"):
            self._begin(action, manners, state, self.act.actors, purpose=True)
        elif self.act is not None and self._watched(at, form):
            self._begin(action, manners, state, list(self.last.names) if self.last else [])
        else:
            self._begin(action, manners, state)
        if unit.value("moods") and state == REAL:
            for name in self.act.actors:
                self.found.moods.setdefault(name, unit.value("moods"))
        noun = unit.senses["actions"].noun if "actions" in unit else ""
        if noun and state == REAL:
            self._add(Mention("thing", noun, unit.text, role="object", act=self.act))
            self._hold(noun)
        if ("unreal" in manners and not progressive | False) or "unreal" in manners:
            self.state = UNREAL
        elif self.state == NEGATED:
            self.state = REAL if self.act.action not in ("stands", "walks", "runs", "") else NEGATED
        self.aux = False

    def _watched(self, at: int, form: str) -> bool:
        """ "watches Tom swim", "sees Tom running": the object of seeing does it."""
        seen = bool(self.act and self.act.manners & {"sees", "begins"}) or bool(
            self.act and self.act.action in ("looks", "listens", "works")
        )
        named = self.last is not None and self.last.kind == "name" and self.last.role == "object"
        return seen and named and self.previous in ("name", *PRONOUNS) and form in (forms.BASE, forms.ING)

    def _begin(
        self, action: str, manners: frozenset[str], state: str, actors: Sequence[str] = (), purpose: bool = False
    ) -> None:
        """A new act of the clause's subject, or of `actors`."""
        names = list(actors) or self._names(self.subject)
        implied = not names and not self.subject
        if implied:
            names = self._names(self.before)
            self.subject = [] if self.language == "es" else list(self.before)
            if not names and not self.before and action not in ("stands", ""):
                names = list(self.company.members)
        act = Act(action, names, [], manners, state, purpose, implied=implied, number=len(self.found.acts))
        self.found.acts.append(act)
        self.act, self.last, self.prep, self.mods, self.joined = act, None, "", _Modifiers(), False
        for prep, mentions in self.aside:
            for mention in mentions:
                mention.act = act
                if prep in ("to", "toward") and mention.kind == "name":
                    act.toward += mention.names
                elif prep == "by":
                    act.toward, act.actors = list(act.actors), list(mention.names)
                elif prep == "with":
                    act.actors = [*act.actors, *mention.names]
                elif prep == "object":
                    self._as_object(mention)
        self.aside = []

    def _hold(self, concept: str) -> None:
        act = self.act
        if act is None or act.state != REAL or not act.action or not ACTIONS[act.action].holds:
            return
        for name in act.actors:
            self.found.holds.setdefault(name, concept)

    # Nouns

    def _taken(self) -> _Modifiers:
        mods, self.mods = self.mods, _Modifiers()
        return mods

    def _name(self, at: int, unit: Unit) -> None:
        mods = self._taken()
        mention = Mention("name", "", unit.text, [unit.name], size=mods.size, owner=mods.owner)
        if mods.size and unit.name in self.company.members:
            self.found.sizes.setdefault(unit.name, mods.size)
        self._place_noun(at, mention, mods)

    def _pronoun(self, at: int, kind: str, unit: Unit) -> None:
        if (
            self.previous in ("name", "they", "all", "she", "he")
            and kind in ("they", "all")
            and not self.joined
            and not self.prep
        ):
            return  # "they both"
        objects = self.act.actors if self.act is not None and not self._starts_clause(at) else []
        if kind in ("she", "he", "it") and self.language == "en" and unit.text in ("him", "her", "it") and self.prep:
            objects = self._actors()
        names = self.company.pronoun(kind, [*self.meant], objects)
        if kind == "it" and (not names or self._impersonal(at)):
            self.previous = kind
            return
        self._place_noun(at, Mention("name", "", unit.text, names), self._taken())

    def _impersonal(self, at: int) -> bool:
        """ "it rains", "it is night": nobody."""
        ahead = self.units[at + 1 : at + 4]
        return any("weathers" in unit or "times" in unit for unit in ahead)

    def _noun(self, at: int, unit: Unit) -> None:
        after = self.units[at + 1] if at + 1 < len(self.units) else None
        if (
            self.language == "en"
            and after is not None
            and not after.name
            and not after.mark
            and self._compound(unit, after, at)
        ):
            self._attribute(unit, after)
            return
        if (
            self.language == "es"
            and self.previous == "of"
            and not self.mods.open
            and ("places" in unit or "buildings" in unit)
        ):
            if self.last is None or self.last.value not in ("part",):
                self._taken()
                return  # "pelota de playa"
        mods = self._taken()
        plural = PLURAL in (unit.forms.get("things"), unit.forms.get("abstract"), unit.forms.get("places"))
        if self.language == "zh" and mods.count > 1:
            plural = True
        mention = self._mention(unit, mods, plural)
        mention.depicts = "depicts" in unit
        if (
            self.language == "en"
            and self.previous == "his"
            and mention.kind == "place"
            and mention.value.startswith("#")
        ):
            mention.owner = mods.owner
        if (
            self.language == "zh"
            and after is not None
            and after.noun
            and not after.verb
            and mention.kind in ("place", "thing")
            and not after.mark
        ):
            if mention.kind == "place":
                mention.attribute = True
                prep = self.prep
                self._place_noun(at, mention, mods)
                self.prep = prep
                if mention in self.subject:
                    self.subject.remove(mention)
                return
        self._place_noun(at, mention, mods)

    def _compound(self, unit: Unit, after: Unit, at: int) -> bool:
        """Whether a noun only says what kind of thing the noun after it is: "beach ball"."""
        if not after.noun or self._is_grammar(after) or "wheres" in after or unit.forms.get("things") == PLURAL:
            return False
        if after.verb and after.form in (forms.THIRD, forms.PAST, forms.ING):
            return self.act is not None or bool(self.prep)
        return not (after.verb and after.form == forms.BASE and "things" not in after)

    def _attribute(self, unit: Unit, after: Unit) -> None:
        """A noun before a noun: the place of what cannot be carried away is where one is."""
        if ("places" in unit or "buildings" in unit) and ("fixed" in after or "parts" in after) and self.state == REAL:
            value = unit.value("places") or f"#{unit.value('buildings')}"
            prep = self.prep
            mention = Mention("place", value, unit.text, prep=prep or "at", role="prep", act=self.act, attribute=True)
            self.found.mentions.append(mention)

    def _mention(self, unit: Unit, mods: _Modifiers, plural: bool) -> Mention:
        """The noun as what it is: somebody of the cast, a place, a thing, or nothing that is shown."""
        count = mods.count or (3 if plural else 1)
        common = {"count": count, "colour": mods.colour, "size": mods.size, "which": mods.which, "owner": mods.owner}
        if "things" in unit:
            concept = unit.value("things")
            names = [] if mods.which == "other" else self.company.of_kind(concept, plural or count > 1)
            if names and not (mods.which == "a" and set(names) <= set(self.meant)):
                if mods.size:
                    pass
                return Mention("name", concept, unit.text, names)
            if concept == "friend":
                others = [name for name in self.company.members if name not in self._actors() and name != mods.owner]
                if others and mods.owner:
                    return Mention("name", concept, unit.text, others if plural else others[:1])
        if "buildings" in unit and not self._thing_first(unit):
            return Mention("place", f"#{unit.value('buildings')}", unit.text, **common)
        if "places" in unit and not self._thing_first(unit):
            return Mention("place", unit.value("places"), unit.text, **common)
        if "things" in unit:
            return Mention("thing", unit.value("things"), unit.text, **common)
        value = "part" if "parts" in unit else "body" if "body" in unit else ""
        return Mention("plain", value, unit.text, **common)

    def _thing_first(self, unit: Unit) -> bool:
        """Whether a noun that can be both is rather a thing here: a house one looks at, not one that one is in."""
        if "things" not in unit:
            return False
        if self.prep in (
            "in",
            "at",
            "through",
            "to",
            "from",
            "on",
            "under",
            "next to",
            "in front of",
            "behind",
            "left of",
            "right of",
            "above",
        ):
            return False
        return True

    def _plain(self, unit: Unit) -> None:
        self._place_noun(-1, Mention("plain", "", unit.text), self._taken())

    def _unknown(self, at: int, unit: Unit) -> None:
        """A word nobody knows: an adjective before a noun, else a noun, or after a subject a verb."""
        word = unit.text
        if self.language == "zh" or not word.isalpha():
            if len(word) > 1 or self.language == "zh":
                self.found.unread.append(word)
            return
        self.found.unread.append(word)
        if self.mods.open or self.prep:
            after = self._next(at)
            if after is None or not (after.noun or not after.senses) or after.mark:
                self._place_noun(at, Mention("plain", "unknown", word), self._taken())
        elif self.act is None and self.subject and (word.endswith(("s", "ed", "ing")) or self.language == "es"):
            self._begin("", frozenset(), self.state)

    def _starts_clause(self, at: int) -> bool:
        """Whether a noun here is the subject of a verb that follows."""
        step, units = at + 1, self.units
        while step < len(units):
            unit = units[step]
            if unit.mark:
                follows = unit.text in ",，、" and step + 1 < len(units) and (bool(units[step + 1].name))
                if not follows:
                    return False
            elif (
                unit.name
                or "and" in unit
                or (set(unit.senses) <= {"stop", "nothing", "each other", "moods"} and unit.senses)
            ):
                pass
            elif "not" in unit or "has" in unit or "is" in unit:
                return True
            elif unit.verb:
                finite = (
                    self.language == "zh"
                    or unit.form in (forms.THIRD, forms.PAST)
                    or (unit.form == forms.BASE and not unit.noun)
                )
                return finite and not (unit.noun and unit.form == forms.BASE)
            else:
                return False
            step += 1
        return False

    def _place_noun(self, at: int, mention: Mention, mods: _Modifiers) -> None:
        """Give a noun its part in the clause: subject, object, or what a preposition governs."""
        mention.state = NEGATED if mods.negated else self.state
        mention.act = self.act
        if self._apposed(mention):
            return
        if self.prep:
            self._governed(mention)
        elif self.joined and self.act is not None and mention.kind == "name" and self._elsewhere(at):
            act = self.act
            self.subject = [mention]
            self._begin(act.action, act.manners, act.state)  # "Mia sits on the left and Tom on the right"
            mention.act, mention.role = self.act, "subject"
        elif self.act is None:
            self._as_subject(mention)
        elif (self.joined or self.language == "zh") and self._starts_clause(at) and mention.kind != "plain":
            self._clause()
            mention.act, mention.state = None, REAL
            self._as_subject(mention)
        elif (
            self.act.implied
            and not self.before
            and mention.kind == "name"
            and self.language == "en"
            and self.previous == "verb"
        ):
            self.act.actors = list(mention.names)  # "in the garden sits Mia"
            mention.role = "subject"
            self._come(mention)
        elif self.language == "es" and not self.subject and mention.kind == "name" and self.previous == "verb":
            self.act.actors = list(mention.names)  # "llega Mia"
            mention.role = "subject"
            self._come(mention)
        else:
            self._as_object(mention)
        self.meant += [name for name in mention.names if name in self.company.members]
        self.last = mention
        self.joined = False
        self._add(mention)

    def _apposed(self, mention: Mention) -> bool:
        """ "Tom the sailor": said of a name, not somebody else."""
        last = self.last
        beside = self.previous == "the" and not self.joined and not self.prep and self.act is None
        return (
            beside and last is not None and last.kind == "name" and last.names != mention.names and last in self.subject
        )

    def _elsewhere(self, at: int) -> bool:
        """Whether a position follows, and no verb."""
        after = self._next(at)
        return after is not None and any(kind in after for kind in ("wheres", "distances", "left of", "right of"))

    def _add(self, mention: Mention) -> None:
        self.found.mentions.append(mention)

    def _as_subject(self, mention: Mention) -> None:
        mention.role = "subject"
        if self.subject and self.joined:
            self.subject.append(mention)
        else:
            self.subject = [mention]
        self._come(mention)

    def _come(self, mention: Mention) -> None:
        """Positions that were said before their subject are its own."""
        if mention.kind == "plain":
            return
        for kind, value in self.waiting:
            if kind != "moods" and mention.kind != "name":
                setattr(mention, kind[:-1], value)
            for name in mention.names:
                getattr(self.found, kind).setdefault(name, value)
        self.waiting = []
        for prep, mentions in self.aside:
            if prep in RELATIONS and mention.kind == "thing":
                mention.relation, mention.targets = prep, [t for m in mentions for t in (m.names or [m.value])]

    def _as_object(self, mention: Mention) -> None:
        mention.role = "object"
        act = self.act
        if act.implied and act.action in ALONE and mention.kind == "thing":
            act.actors, self.subject, mention.role = [], [mention], "subject"  # "en el árbol canta un pájaro"
        if not act.actors:
            self._come(mention)
        if self.language == "zh" and act.action == "looks" and mention.value in LEGIBLE:
            act.action = "reads"
        if mention.kind == "name":
            act.toward += [name for name in mention.names if name not in act.actors]
        elif mention.kind == "thing" and mention.state == REAL:
            self._hold(mention.value)
            if act.action and ACTIONS[act.action].holds and act.actors:
                mention.held_by = act.actors[0]

    def _preposition(self, at: int, kind: str, unit: Unit) -> None:
        if kind == "by" and not (self.act is not None and self.act.passive) and self.language == "en":
            kind = "next to"
        if kind == "through" and self.act is not None and self.act.passive:
            kind = "by"  # Spanish "por"
        if kind == "in" and self.prep in ("from",):
            return
        self.prep = kind
        self.mods = _Modifiers()

    def _governed(self, mention: Mention) -> None:
        """A noun after a preposition."""
        prep, act, before = self.prep, self.act, self.last
        if prep == "of" and before is None and act is None:  # "a close-up of Mia"
            mention.role = "subject"
            self._as_subject(mention)
            return
        mention.prep, mention.role = prep, "prep"
        joined = self.joined
        if joined and mention.kind == "name" and prep != "between" and self._starts_clause(self.units_index(mention)):
            self._clause()
            mention.prep, mention.state, mention.act = "", REAL, None
            self._as_subject(mention)
            return
        if prep == "like":
            mention.state = LIKE
        elif prep == "without":
            mention.state = NEGATED
        elif prep in ("for", "of", "above", "with") and before is not None and before.depicts:
            mention.state = UNREAL
        if prep == "of" and before is not None:
            mention.of = before
            if mention.kind == "name":
                before.owner = mention.names[0] if mention.names else ""
                mention.names = []
                if before.prep:
                    mention.prep = before.prep
                return
            if before.value == "part" or before.kind == "plain":
                mention.prep, mention.role = before.prep, before.role
        if mention.state in (LIKE, UNREAL):
            mention.names = []
            return
        if (
            mention.kind == "place"
            and before is not None
            and before.kind == "thing"
            and self.previous not in ("verb", "is")
        ):
            mention.of = before  # "a boat on the lake"
        if prep == "object":
            mention.role = "object"
            self.aside.append((prep, [mention]))
            return
        self._relate(prep, mention, act, before)

    def units_index(self, mention: Mention) -> int:
        """Where in the line a mention that is just being read stands."""
        return next(at for at, unit in enumerate(self.units) if unit.text == mention.word)

    def _relate(self, prep: str, mention: Mention, act: Act | None, before: Mention | None) -> None:
        """What a preposition says of who acts: whom it is done with or to, what is held, next to what one is."""
        if act is None:
            self.aside.append((prep, [mention]))
        if mention.kind == "name" and prep == "with":
            if act is None:
                self.subject = [*self.subject, mention] if self.subject else self.subject
                self.aside.pop()
            else:
                act.actors = [*act.actors, *(name for name in mention.names if name not in act.actors)]
        elif mention.kind == "name" and prep == "by" and act is not None and act.passive:
            act.toward, act.actors, act.passive = list(act.actors), list(mention.names), False
        elif mention.kind == "name" and prep in ("to", "toward", "at") and act is not None:
            act.toward += [name for name in mention.names if name not in act.actors]
        elif mention.kind == "thing" and prep == "with" and mention.state == REAL and not _lives(mention.value):
            holders = (
                before.names
                if before is not None and before.kind == "name" and before.role != "subject"
                else self._actors()
            )
            for name in holders:
                self.found.holds.setdefault(name, mention.value)
        if prep in ("from", "of") and act is not None and act.action == "peeks":
            prep = "in"  # "peeks out of a box"
        if prep in RELATIONS and prep != "at" and mention.state == REAL:
            self._locate(prep, mention, act, before)

    def _locate(self, prep: str, mention: Mention, act: Act | None, before: Mention | None) -> None:
        """ "behind the tree": of the thing just named, else of who acts."""
        targets = list(mention.names) or ([mention.value] if mention.kind == "thing" else [])
        if mention.kind == "plain" and mention.owner:
            targets = [mention.owner]
        if prep in ("left of", "right of"):
            self._beside(prep, targets, before)
            return
        if not targets:
            return
        if self.language == "es" and prep == "in" and mention.value not in _hollow():
            prep = "on"
        thing = before is not None and before.kind == "thing" and self.previous != "verb"
        if thing and (before.role != "subject" or act is None):
            same = prep == before.relation and self.joined
            before.relation, before.targets = prep, [*(before.targets if same else []), *targets]
            return
        subjects = [m for m in self.subject if m.kind == "thing"]
        for subject in subjects:
            subject.relation, subject.targets = prep, targets
        for name in self._actors():
            if name in targets:
                continue
            relation, known = self.found.relations.get(name, (prep, ()))
            if relation == prep:
                self.found.relations[name] = (prep, tuple(dict.fromkeys((*known, *targets))))
        mention.role = "relation" if mention.kind == "name" else mention.role

    def _beside(self, prep: str, targets: list[str], before: Mention | None) -> None:
        side, other = ("left", "right") if prep == "left of" else ("right", "left")
        for name in self._actors():
            self.found.wheres.setdefault(name, side)
        for name in targets:
            if name in self.company.members:
                self.found.wheres.setdefault(name, other)

    def _sure(self, unit: Unit) -> None:
        mention = Mention("place", unit.value(SURE), unit.text, prep=SURE, role="prep", state=self.state, act=self.act)
        if self.prep == "from":
            mention.prep = "from"
        if self.last is not None and self.last.kind == "thing" and self.previous == "noun":
            mention.of = self.last
        self.last = mention
        self.prep, self.mods = "", _Modifiers()
        self._add(mention)

    # Times and weathers

    def _moment(self, at: int, unit: Unit) -> None:
        kinds = [kind for kind in ("times", "weathers") if kind in unit]
        state = NEGATED if self.mods.negated or self.prep == "without" else self.state
        if self.prep == "like":
            state = LIKE
        if self.prep in ("for", "of") and self.last is not None and self.last.depicts:
            state = UNREAL
        if self._modifies(at, unit):
            self.mods.open = True
            return
        for kind in kinds:
            self.found.moments.append(
                Moment(kind, unit.value(kind), unit.text, state, kind == "weathers" and self._ended(at))
            )
        if self.state == NEGATED:
            self.state = REAL
        self.prep, self.mods = "", _Modifiers()

    def _modifies(self, at: int, unit: Unit) -> bool:
        """Whether a word of weather or time only describes a thing: "cloudy eyes", "light rain jacket"."""
        if " " in unit.text or self.language == "zh":
            return False
        if self.language == "es":
            return self.previous == "noun" and self.last is not None and self.last.kind in ("thing", "plain")
        after = self.units[at + 1] if at + 1 < len(self.units) else None
        if after is None or after.mark or "skies" in after or "weathers" in after or "times" in after:
            return False
        place = "places" in after or "buildings" in after
        return (
            after.noun and not place and not self._is_grammar(after) and not (after.verb and after.form != forms.BASE)
        )

    def _ended(self, at: int) -> bool:
        """Whether the line says that a weather ends: "the rain stops", "it stopped raining", "after the storm"."""
        before = [unit for unit in self.units[max(0, at - 3) : at] if not unit.mark]
        if any(unit.text in ("after", "después de", "después", "tras", "desde") for unit in before[-2:]):
            return True
        near = [*before]
        for unit in self.units[at + 1 : at + 5]:
            if unit.mark or "and" in unit or "while" in unit:
                break
            near.append(unit)
        return any("ends" in unit for unit in near)
