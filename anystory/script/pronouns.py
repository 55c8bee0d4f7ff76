"""Whom a panel's words mean beyond the names in it: "she", "the two of them", "the wolf", 大家, "los niños".

In the sketch's three languages. Pronouns mean people of the panels before, never somebody who has not been in the story
yet. "She" and "he" are somebody of their own line who can be it, else the one named last who can, by description or
name; whom something is done to ("he hugs her") is not who does it. "They" are all of the last panel with people, and
where it has only one, of the last few; "the two" and "the three" are as many; "everyone" is all who have been in the
story so far; "the children", "the girls" and "the boys" those of them whom their descriptions say to be. "The wolf" is
the one wolf of the cast, "Rook" is Captain Rook, and a verb without a subject is said of the panel before, as Spanish
and Chinese do. A pronoun that means another noun of its own line ("the birds rest, then they fly on"), that is only
spoken of ("a letter for her") or said by somebody means nobody of the cast.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING

from anystory.story.prompt import find_names

if TYPE_CHECKING:  # the vocabulary takes a moment to load
    from anystory.sketch.language.tokens import Unit

RECENT = 3
"""Panels with people in which "she" is looked for first, and "they" where the last has only one."""
LONG = 300
"""Characters of a line that are read: a scene told at length shows whom it names."""
READ = 20_000
"""Characters of all lines, each up to `LONG`, that are read: a hundred for each of the most panels a story has."""
PERSONAL = ("she", "he", "they", "all")
"""Pronouns of words.yaml's grammar; "it" is a thing or the weather, and "I" has no name."""
LOOSE = frozenset(("all", "hers", "themselves", "herself", "himself", "它们", "它俩"))
"""Of their words those that mean anything, or say nothing new."""
WE = frozenset(("we", "us", "我们", "nosotros"))
OWNERS = {"her": "she", "his": "he"}
"""Whose hand, ear or nose it is shows with it."""
TOGETHER = frozenset(("together", "juntos", "juntas"))
ABSENT = ("for", "of", "like", "without")
"""Prepositions of who is not there, and what verbs of thinking of somebody end with."""
OBJECTS = frozenset(("him", "her", "them"))
HANDLING = (
    "eats",
    "drinks",
    "takes",
    "holds",
    "throws",
    "opens",
    "reads",
    "writes",
    "paints",
    "cooks",
    "kicks",
    "digs",
)
"""Actions of which "them" are things."""
DESCRIBING = ("sizes", "moods", "colours")
"""What stands between a number and its noun: "the two little pigs"."""
CHILDREN = ("child", "girl", "boy")
"""Concepts of whom a plural with "the" means."""
PAIRS = ("both", "two", "pair", "dos", "amb", "二", "两", "俩", "母子", "父子")
THREES = ("three", "tres", "三")


@dataclass(frozen=True)
class Word:
    """What stands for people in a line: `kind` is one of `PERSONAL` or of `CHILDREN`; `count` of them, None = any,
    0 = of whom only a hand or an ear is told."""

    kind: str
    count: int | None = None


@dataclass
class People:
    """Who has been in the panels so far. `descriptions`: {name: description} of the whole cast, in its order; `read`:
    characters of lines that have been read."""

    descriptions: Mapping[str, str]
    read: int = 0
    shown: list[tuple[str, ...]] = field(default_factory=list)
    prompts: list[str] = field(default_factory=list)

    def saw(self, prompt: str, cast: Sequence[str]) -> None:
        """Take note of a panel, once it is known who is in it."""
        if cast:
            named = [mention.name for mention in find_names(prompt, cast)]
            order = dict.fromkeys([*(name for name in cast if name not in named), *reversed(named[::-1])])
            self.shown.append(tuple(order))
            self.prompts.append(prompt)

    def meant(self, prompt: str, named: Sequence[str] = ()) -> list[str]:
        """Whom a panel's words mean besides those it names, in the cast's order; nobody once `READ` is read."""
        names = tuple(self.descriptions)
        prompt = prompt[:LONG]
        if self.read >= READ:
            return []
        self.read += len(prompt)
        if {*names} <= {*named}:
            return []
        words = words_of(prompt, names)
        found, unsaid = _read(prompt, tuple(self.descriptions.items()), self._recent(), self._learned(), words)
        found = list(found)
        if self.shown:
            for word in words:
                found += self._whom(word, [*named, *found])
            if unsaid and not found and not named:
                found = self._several(None, set()) if unsaid == "they" else list(self.shown[-1][-1:])
        return [name for name in names if name in found and name not in named]

    def _recent(self) -> tuple[str, ...]:
        """Who has been in the story, the latest last."""
        last: dict[str, None] = {}
        for name in itertools.chain(*self.shown):
            last.pop(name, None)
            last[name] = None
        return tuple(last)

    def _whom(self, word: Word, named: Sequence[str]) -> list[str]:
        """Whom a word for several people means in a line that has `named` already."""
        if word.kind == "all":
            return [] if named else list(self._recent())
        if word.kind == "they":
            return self._several(word.count, set(named))
        return self._young(word.kind) if word.kind in CHILDREN else []

    def _learned(self) -> tuple[tuple[str, str], ...]:
        """What the panels before say of those whose descriptions do not: (name, "she" or "he"), of those who were
        alone in a panel that says "she" or "he"."""
        known: dict[str, str] = {}
        for names, prompt in zip(self.shown, self.prompts, strict=True):
            words = words_of(prompt[:LONG], tuple(self.descriptions))
            kinds = {word.kind for word in words if word.count != 0} & {"she", "he"}
            if len(names) == len(kinds) == 1:
                known.setdefault(names[0], kinds.pop())
        return tuple(known.items())

    def _several(self, count: int | None, named: set[str]) -> list[str]:
        """The people of the last panel that has `count` of them, None = several; where no panel has, those of the last
        few. Somebody named in the line is one of them if there was such a panel, and else not."""
        if len(named) >= (count or 2):
            return []
        groups = [names for names in reversed(self.shown) if len(names) == count or (count is None and len(names) > 1)]
        if count is None and not named:
            groups = [names for names in self.shown[-1:] if len(names) > 1]
        for names in [*(names for names in groups if named <= set(names)), *groups]:
            return list(names)
        found: list[str] = []
        for number, names in enumerate(reversed(self.shown)):
            if number >= RECENT and len(found) >= (count or 2):
                break
            found += [name for name in reversed(names) if name not in found and name not in named]
        return found[:count]

    def _young(self, concept: str) -> list[str]:
        from anystory.sketch.language.company import Company

        there = tuple(dict.fromkeys(name for names in self.shown for name in names))
        found = Company(self.descriptions, there).of_kind(concept, plural=True)
        return found if len(found) > 1 else []


@lru_cache(maxsize=1024)
def _read(
    prompt: str,
    descriptions: tuple[tuple[str, str], ...],
    recent: tuple[str, ...],
    learned: tuple[tuple[str, str], ...],
    words: tuple[Word, ...],
) -> tuple[tuple[str, ...], str]:
    """Whom the sketch's reading of a line finds in it by name, noun, "she" and "he"; and of a line with a verb that has
    no subject, as Spanish and Chinese leave it out, "they" or "one" of those before, else ""."""
    from anystory.sketch.language.company import Everybody
    from anystory.sketch.language.grammar import parse
    from anystory.sketch.language.sentence import REAL
    from anystory.sketch.language.tokens import language_of, units_of

    names = tuple(name for name, _ in descriptions)
    language = language_of(prompt, names)
    pronouns = frozenset(word.kind for word in words if word.count != 0 and word.kind in ("she", "he"))
    company = Everybody(dict(descriptions), recent, pronouns, dict(learned))
    aliases = company.aliases_in(prompt)
    company.named = tuple(dict.fromkeys(aliases[mention.name] for mention in find_names(prompt, aliases)))
    sentence = parse(prompt, company, language)
    absent = {
        name
        for mention in sentence.mentions
        if mention.state != REAL or mention.prep in ABSENT
        for name in mention.names
    }
    found = tuple(dict.fromkeys(name for name in sentence.meant if name not in absent))
    for kind in {word.kind for word in words if word.count == 0}:
        company.pronouns = frozenset((kind,))
        found += tuple(company.pronoun(kind, found))
    alone = [act for act in sentence.acts if act.implied and act.state == REAL and not (act.doers or act.thing)]
    if found or language == "en" or not alone or alone[0] is not sentence.acts[0]:
        return found, ""
    units = units_of(prompt, aliases, language)
    if language == "zh":
        return (), "they" if units[0].verb else ""
    verb = next(unit.text for unit in units if unit.verb)
    return (), "they" if verb.split(" ")[0].endswith("n") else "one"


@lru_cache(maxsize=1024)
def words_of(prompt: str, names: tuple[str, ...]) -> tuple[Word, ...]:
    """What stands for people in a line, in its order. `names`: those of the cast."""
    from anystory.sketch.language.tokens import language_of, units_of

    language = language_of(prompt, names)
    units = units_of(prompt, {name: name for name in names}, language)
    return tuple(_words(units, language))


def _words(units: Sequence[Unit], language: str) -> Iterator[Word]:
    for at, unit in enumerate(units):
        before, after = units[at - 1] if at else None, units[at + 1] if at + 1 < len(units) else None
        kind = next((kind for kind in PERSONAL if kind in unit), "")
        young = _young(unit, before, after, language)
        if unit.name or (before is not None and _only_spoken_of(before)):
            continue
        if young:
            yield Word(young)
        elif unit.text in TOGETHER and language == "es":
            yield Word("they")
        elif unit.text == "her" and (after is None or _closes(after)):
            yield Word("she")
        elif unit.text in OWNERS and _has_limb(units[at + 1 : at + 3]):
            yield Word(OWNERS[unit.text], 0)
        elif unit.text in WE:
            yield Word("they")
        elif (
            kind
            and unit.text not in LOOSE
            and not _determines(unit, units[at + 1 : at + 3])
            and not _means_a_noun(kind, units, at)
        ):
            yield Word(kind, _count(unit.text))


def _has_limb(after: Sequence[Unit]) -> bool:
    """Whether a possessive before this is of a body: "her ear", "his wrinkly neck"."""
    return bool(after) and ("body" in after[0] or (not after[0].noun and not after[0].verb and "body" in after[-1]))


def _only_spoken_of(before: Unit) -> bool:
    """Whether what follows is not there: "a letter for her", "thinks of them"."""
    return any(preposition in before for preposition in ABSENT) or before.text.endswith((" of", " about", " for"))


def _young(unit: Unit, before: Unit | None, after: Unit | None, language: str) -> str:
    """ "the children", 孩子们, "los niños"."""
    from anystory.sketch.language.tokens import PLURAL

    concept = unit.value("things") if unit.value("things") in CHILDREN else ""
    if language == "zh":
        return concept if unit.text.endswith("们") or (after is not None and after.text == "们") else ""
    several = unit.forms.get("things") == PLURAL or (language == "es" and unit.text.endswith("s"))
    if not (several and before is not None and "the" in before):
        return ""
    return "child" if concept == "boy" and language == "es" else concept  # "los chicos" are girls and boys


def _closes(after: Unit) -> bool:
    """Whether "her" before this is somebody: "waves at her and …", "gives her a cup"; "her hat" is not."""
    small = ("and", "while", "a", "the", "numbers", "with", "to", "from", "in", "on", "at", "through", "behind", "over")
    return after.mark or any(kind in after for kind in small) or ("stop" in after and not after.noun)


def _determines(unit: Unit, following: Sequence[Unit]) -> bool:
    """Whether a word only stands before a noun: "the two birds", "the two fighting cats", "todos los días", 她的,
    她妈妈."""
    from anystory.sketch.language.forms import ING
    from anystory.sketch.language.tokens import PLURAL

    if not following or following[0].mark:
        return False
    after, noun = following[0], following[-1]
    describes = (after.verb and after.form == ING) or (not after.verb and {*after.senses} <= {*DESCRIBING})
    if _count(unit.text) and describes and PLURAL in (noun.forms.get("things"), noun.forms.get("body")):
        return True
    if "own" in after:
        return True
    if any(kind in unit for kind in ("she", "he")):
        return after.noun and not after.verb and "things" in after and "body" not in after and unit.text in ("她", "他")
    several = PLURAL in (after.forms.get("things"), after.forms.get("body"))
    return several or "the" in after or "of" in after or (after.noun and not after.verb)


def _means_a_noun(kind: str, units: Sequence[Unit], at: int) -> bool:
    """Whether a noun before it in the line is who a pronoun means: "a woman waits, she …", "the birds … them",
    or a thing: "eats them"."""
    from anystory.sketch.language.company import gender
    from anystory.sketch.language.tokens import PLURAL

    nouns = (
        unit
        for number, unit in enumerate(units[:at])
        if "things" in unit
        and (not unit.verb or (number and any(kind in units[number - 1] for kind in ("numbers", "the", "a"))))
    )
    if kind == "they" and _count(units[at].text) is None:
        if units[at].text == "them" and at and units[at - 1].value("actions") in HANDLING:
            return True
        return any(unit.forms.get("things") == PLURAL for unit in nouns)
    governed = at > 0 and (units[at - 1].verb or "to" in units[at - 1] or "object" in units[at - 1])
    if kind in ("she", "he") and units[at].text not in OBJECTS and not governed:
        return any(gender(unit.text) == kind for unit in nouns)
    return False


def _count(text: str) -> int | None:
    """How many a word means: "the two of them", 俩, "los tres"."""
    if any(three in text for three in THREES):
        return 3
    return 2 if any(pair in text for pair in PAIRS) else None
