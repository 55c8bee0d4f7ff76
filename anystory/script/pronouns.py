"""Whom a panel means that names nobody: "she", "the two of them", 大家, "los niños", in the sketch's three languages.

Pronouns mean people of the panels before, never somebody who has not been in the story yet. "She" and "he" are the one
named last who can be it by description or name; "they" are all of the last panel with people, and of those before it
until there are two; "the two" and "the three" are as many; "everyone" is all who have been in the story so far; "the
children", "the girls" and "the boys" those of them whom their descriptions say to be. A pronoun that means another
noun of its own line ("the birds rest, then they fly on"), that is only spoken of ("a letter for her") or said by
somebody means nobody of the cast.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING

from anystory.story.prompt import find_names

if TYPE_CHECKING:  # the vocabulary takes a moment to load, and most scripts need none
    from anystory.sketch.language.tokens import Unit

RECENT = 3
"""Panels with people in which "she" is looked for first."""
PERSONAL = ("she", "he", "they", "all")
"""Pronouns of words.yaml's grammar; "it" is a thing or the weather, and "I" has no name."""
LOOSE = frozenset(("all", "we", "us", "hers", "themselves", "herself", "himself", "我们", "nosotros", "它们", "它俩"))
"""Of their words those that mean anything, or say nothing new."""
TOGETHER = frozenset(("together", "juntos", "juntas"))
ABSENT = ("for", "of", "like", "without")
"""Prepositions of who is not there, and what verbs of thinking of somebody end with."""
OBJECTS = frozenset(("him", "her", "them"))
CHILDREN = ("child", "girl", "boy")
"""Concepts of whom a plural with "the" means."""
PAIRS = ("both", "two", "pair", "dos", "amb", "二", "两", "俩", "母子", "父子")
THREES = ("three", "tres", "三")


@dataclass(frozen=True)
class Word:
    """What stands for people in a line: `kind` is one of `PERSONAL` or of `CHILDREN`; `count` of them, None = any."""

    kind: str
    count: int | None = None


@dataclass
class People:
    """Who has been in the panels so far. `descriptions`: {name: description} of the whole cast, in its order."""

    descriptions: Mapping[str, str]
    shown: list[tuple[str, ...]] = field(default_factory=list)
    prompts: list[str] = field(default_factory=list)

    def saw(self, prompt: str, cast: Sequence[str]) -> None:
        """Take note of a panel, once it is known who is in it."""
        if cast:
            named = [mention.name for mention in find_names(prompt, cast)]
            order = dict.fromkeys([*(name for name in cast if name not in named), *reversed(named[::-1])])
            self.shown.append(tuple(order))
            self.prompts.append(prompt)

    def meant(self, prompt: str) -> list[str]:
        """Whom a panel's words mean that names nobody, in the cast's order; nobody before anybody was in a panel."""
        found: list[str] = []
        for word in words_of(prompt, tuple(self.descriptions)) if self.shown else ():
            found += self._whom(word, found)
        return [name for name in self.descriptions if name in found]

    def _whom(self, word: Word, but: Sequence[str]) -> list[str]:
        if word.kind in ("she", "he"):
            return self._one(word.kind, but)
        if word.kind == "all":
            return [name for name in self.descriptions if any(name in names for names in self.shown)]
        return self._several(word.count) if word.kind == "they" else self._young(word.kind)

    def _one(self, kind: str, but: Sequence[str]) -> list[str]:
        """The one named last who can be a she, or a he, and is not meant already: who is known to be, or a person who
        may be, of the last few panels, then of all."""
        from anystory.sketch.language.company import BEASTS, gender, head_nouns

        learned = self._learned()
        said = {name: gender(text) or gender(name) or learned.get(name, "") for name, text in self.descriptions.items()}
        beasts = {name for name, text in self.descriptions.items() if BEASTS & set(head_nouns(text))}
        last = [name for names in self.shown[-RECENT:] for name in names]
        ever = [name for names in self.shown for name in names]
        known, may = {name for name in said if said[name] == kind}, {name for name in said if not said[name]}
        choices = ((last, known), (last, may - beasts), (ever, known), (ever, may))
        fitting = (name for order, fit in choices for name in reversed(order) if name in fit - set(but))
        return list(itertools.islice(fitting, 1))

    def _learned(self) -> dict[str, str]:
        """What the panels before say of those whose descriptions do not: {name: "she" or "he"}, from those who were
        alone in a panel that says "she" or "he"."""
        known: dict[str, str] = {}
        for names, prompt in zip(self.shown, self.prompts, strict=True):
            kinds = {word.kind for word in words_of(prompt, tuple(self.descriptions))} & {"she", "he"}
            if len(names) == len(kinds) == 1:
                known.setdefault(names[0], kinds.pop())
        return known

    def _several(self, count: int | None) -> list[str]:
        """The people of the last panel with people that has `count` of them, None = of the last one; where there are
        too few in any, the last that were named."""
        exact = next((names for names in reversed(self.shown) if len(names) == count), None)
        if exact is not None:
            return list(exact)
        found: list[str] = []
        for names in reversed(self.shown):
            found += [name for name in reversed(names) if name not in found]
            if len(found) >= (count or 2):
                break
        return found[:count]

    def _young(self, concept: str) -> list[str]:
        from anystory.sketch.language.company import Company

        there = tuple(dict.fromkeys(name for names in self.shown for name in names))
        found = Company(self.descriptions, there).of_kind(concept, plural=True)
        return found if len(found) > 1 else []


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
        elif kind and unit.text not in LOOSE and not _determines(unit, after) and not _means_a_noun(kind, units, at):
            yield Word(kind, _count(unit.text))


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


def _determines(unit: Unit, after: Unit | None) -> bool:
    """Whether a word only stands before a noun: "the two birds", "todos los días", 她的, 她妈妈."""
    from anystory.sketch.language.tokens import PLURAL

    if after is None or after.mark:
        return False
    if "own" in after:
        return True
    if any(kind in unit for kind in ("she", "he")):
        return after.noun and not after.verb and "things" in after and "body" not in after and unit.text in ("她", "他")
    several = PLURAL in (after.forms.get("things"), after.forms.get("body"))
    return several or "the" in after or "of" in after or (after.noun and not after.verb)


def _means_a_noun(kind: str, units: Sequence[Unit], at: int) -> bool:
    """Whether a noun before it in the line is who a pronoun means: "a woman waits, she …", "the birds … them"."""
    from anystory.sketch.language.company import gender
    from anystory.sketch.language.tokens import PLURAL

    nouns = [unit for unit in units[:at] if "things" in unit and not unit.verb]
    if kind == "they" and _count(units[at].text) is None:
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
