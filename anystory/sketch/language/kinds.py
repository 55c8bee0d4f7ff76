"""What a unit is where it stands: noun or verb, adjective or place, by what is before and after it."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

from anystory.sketch.language import forms
from anystory.sketch.language.company import Company
from anystory.sketch.language.lexicon import SURE, Sense
from anystory.sketch.language.sentence import (
    PREPOSITIONS,
    PRONOUNS,
    REAL,
    RELATIONS,
    STATES,
    UNREAL,
    Act,
    Mention,
    Sentence,
)
from anystory.sketch.language.tokens import Unit
from anystory.sketch.words import listed, vocabulary

SMALL_WORDS = (
    *PREPOSITIONS, *PRONOUNS, "the", "first", "same", "a", "other", "his", "my", "not", "and", "while", "who", "own",
    "each other", "somebody", "is", "has",
)  # fmt: skip
LINKS = ("not", "and", "while", "who")
SILENT = frozenset(("stop", "nothing", "each other"))
"""Kinds that change nothing in how a clause is built."""
DRAWING = (
    "drawing",
    "style",
    "painting",
    "illustration",
    "please",
    "画",
    "风格",
    "dibujo",
    "estilo",
    "colours",
    "colors",
)


COMPLEMENTS = ("起来", "下来", "过来", "过去", "上来", "回来", "出来", "进去", "出去", "下去", "上去", "回去")
"""Chinese verbs that after an object only tell how it ends for it."""

SIDES = {"left": "left", "right": "right", "centre": "middle", "center": "middle", "l": "left", "r": "right"}
"""What a storyboard says of a place in the picture."""


@dataclass
class Modifiers:
    """What stands before a noun. `doing`: the action of a participle, "the sleeping dog"."""

    which: str = ""
    count: int = 0
    colour: str = ""
    size: str = ""
    owner: str = ""
    doing: str = ""
    open: bool = False
    negated: bool = False


class Position:
    """Where in a line a walk is: its units, and what it remembers of those before."""

    def __init__(self, units: Sequence[Unit], company: Company, language: str) -> None:
        self.units = units
        self.company = company
        self.language = language
        self.found = Sentence(language)
        self.mods = Modifiers()
        self.subject: list[Mention] = []
        self.act: Act | None = None
        self.prep = ""
        self.joined = False  # "and" or a comma was just read
        self.telling: Act | None = None  # what follows is only told, asked, dreamt or remembered in this act
        self.state = REAL
        self.previous = "start"  # the kind of the unit before, adverbs left out
        self.last: Mention | None = None
        self.before: list[Mention] = []  # the subject of the clause before
        self.meant: list[str] = list(company.recent)  # names in the order in which they were meant
        self.waiting: list[tuple[str, str]] = []  # positions that wait for their subject
        self.moved: dict[str, str] = {}  # the moods that verbs betray, unless another is said
        self.participle = False  # the verb just read is one
        self.plural = False  # the verb just read is of several, in Spanish
        self.single = False  # the verb just read is of one who does it
        self.dangling: tuple[Act, dict] | None = None  # what a participle says before its subject: "kneeling, he …"
        self.aside: list[tuple[str, Mention]] = []  # what prepositions said before the verb
        self.led: list[tuple[str, Mention]] = []  # the same, of the act that has begun
        self.main: list[Mention] | None = None  # the subject outside a "who …"
        self.aux = False
        self.placed = False  # it began with 在
        self.skyward = False  # what was just said is of the sun or the moon: "sinks into the sea"
        self.middle = False  # the preposition was "in the middle of"

    @property
    def state(self) -> str:
        """Whether what is read is there: of what is only told nothing is, whatever its clauses say."""
        return self._state or (REAL if self.telling is None else UNREAL)

    @state.setter
    def state(self, value: str) -> None:
        self._state = value

    def actors(self) -> list[str]:
        return self.act.actors if self.act is not None and self.act.actors else names_of(self.subject)

    def unit(self, at: int) -> Unit | None:
        return self.units[at] if 0 <= at < len(self.units) else None

    def next(self, at: int) -> Unit | None:
        """The next unit that is no adverb."""
        ahead = self.units[at + 1 :]
        return next(
            (unit for unit in ahead if unit.name or unit.mark or not unit.senses or set(unit.senses) - SILENT), None
        )

    def kind(self, at: int) -> str:
        """What the unit at a place is: "name", "mark", "verb", "noun", "moment", `SURE`, a word of the grammar …"""
        unit = self.units[at]
        if unit.name:
            return "name"
        if unit.mark:
            return "mark"
        if unit.text in SIDES and self._alone(at):
            unit.senses["wheres"] = Sense("wheres", SIDES[unit.text])
            return "wheres"
        for kind in ("nothing", SURE, "framings"):
            if kind in unit and not (kind == "framings" and self._is_no_framing(at)):
                return kind
        if "epithet" in unit and self._is_epithet(at):
            return "epithet"
        unit.senses.pop("epithet", None)
        if unit.verb and self._is_verb(at):
            return "is" if "is" in unit else "has" if "has" in unit and self._helps(at) else "verb"
        if self.language == "zh" and unit.text in ("在", "给", "没有", "没"):
            return self._chinese_word(at, unit)
        kind = self._adjective(at, unit) or self._noun_or_word(at, unit)
        return "unknown" if kind == "noun" and self._done_by_a_name(unit) else kind

    def _is_epithet(self, at: int) -> bool:
        """Whether "the hero" is the one of the panel whom the line does not name."""
        told = self.language == "zh" or self.mods.which in ("the", "his")
        meant = self.company.of_kind(self.units[at].value("things"), plural=False, definite=True)
        return told and not meant and not self.noun_follows(at) and bool(self.company.nameless(self.named()))

    def named(self) -> set[str]:
        """Who of the cast the line names."""
        return {unit.name for unit in self.units if unit.name}

    def _done_by_a_name(self, unit: Unit) -> bool:
        """Whether a plural is a verb that nobody knows: "Tom bears the bag", "she bats the ball"."""
        after_one = self.previous in ("name", "she", "he") and self.act is None and bool(self.subject)
        plural = self.language == "en" and unit.text.endswith("s") and unit.text[-2:] != "ss" and " " not in unit.text
        return after_one and plural and not (self.mods.open or self.joined or self.prep)

    def _adjective(self, at: int, unit: Unit) -> str:
        if "airs" in unit and self._of_the_sky(at):
            return "airs"
        read = unit.noun and self.act is not None and self.act.action in ("reads", "takes", "holds")
        if "drawn" in unit or ("mediums" in unit and not read and self._is_medium(at)):
            return "medium"
        for kind in ("wheres", "distances"):
            if kind in unit and not (self.mods.open and unit.noun):
                return kind
        if self.language == "zh" and "numbers" in unit and self._counts_who(at):
            return "they"
        both = "they" in unit and self.previous in ("name", *PRONOUNS)  # "they both saw"
        for kind in ("colours", "sizes") if both else ("colours", "sizes", "numbers"):
            if kind in unit and (not unit.noun or self._describes(at)):
                return kind
        return ""

    def _counts_who(self, at: int) -> bool:
        """Whether a Chinese number of several is of no noun but of who does what follows: 两个都跑了."""
        several = 1 < int(self.units[at].value("numbers")) <= len(self.company.members)
        if not several or self.mods.open or self.prep or self.act is not None:
            return False
        ahead = itertools.takewhile(
            lambda unit: not (unit.mark or unit.noun or unit.name or self.is_small(unit) or unit.text == "的"),
            self.units[at + 1 :],
        )
        return any(unit.verb for unit in ahead)

    def _noun_or_word(self, at: int, unit: Unit) -> str:
        if "weathers" in unit or "times" in unit:
            return "moment"
        if unit.value("places") in ("inside", "outside") and (self.mods.open or not self.noun_follows(at)):
            return "noun"
        if unit.noun and (self.mods.open or not (self.is_small(unit) or "has" in unit)):
            return "noun"
        after = self.unit(at + 1)
        if "through" in unit and "stop" in unit and after is not None and after.verb and not after.noun:
            return "stop"  # "down drifted Moth"
        relative = "who" in unit and "the" in unit and self.previous in ("noun", "name")
        if relative and after is not None and after.verb and after.form in (forms.THIRD, forms.PAST):
            return "who"  # "a hut that stands on one leg"
        if "for" in unit and "while" in unit and self._verb_ahead(at):
            return "while"  # "until his hat falls off"
        for kind in SMALL_WORDS:
            if kind in unit:
                return kind
        if "moods" in unit:
            return "moods"
        if unit.noun:
            return "noun"
        return "stop" if unit.senses else "unknown"

    def is_small(self, unit: Unit) -> bool:
        return any(kind in unit for kind in (*PREPOSITIONS, *LINKS))

    def _verb_ahead(self, at: int) -> bool:
        """Whether a clause follows, a noun and then its verb."""
        ahead = list(itertools.takewhile(lambda unit: not unit.mark, self.units[at + 1 : at + 6]))
        return any(
            unit.verb
            and unit.form in (forms.THIRD, forms.PAST)
            and (before.noun or bool(before.name) or self.is_small(before))
            for before, unit in itertools.pairwise(ahead)
        )

    def noun_follows(self, at: int) -> bool:
        after = self.unit(at + 1)
        return (
            after is not None
            and not after.mark
            and any((after.noun, after.name, "the" in after, "a" in after, "his" in after))
        )

    def _describes(self, at: int) -> bool:
        """Whether a word that is both, as "orange", is an adjective here."""
        if self.language == "es":
            return self.previous == "noun" or (self.mods.open and self.noun_follows(at))
        after = self.unit(at + 1)
        return after is not None and (after.noun or after.text == "的")

    def _alone(self, at: int) -> bool:
        """Whether a word is set off: "Lena, left, kneels", "Tom (right)"."""
        before, after = self.unit(at - 1), self.unit(at + 1)
        opens = before is None or before.mark or (bool(before.name) and self.act is None)
        return opens and (after is None or after.mark)

    def _of_the_sky(self, at: int) -> bool:
        """Whether an adjective is beside a word of day, sky or weather: "grey morning", "mañana gris"."""
        beside = self.unit(at + (-1 if self.language == "es" else 1))
        return beside is not None and "skies" in beside

    def _is_medium(self, at: int) -> bool:
        """ "in ink", "as a watercolour" where the clause ends; and a medium alone: "Watercolour: …"."""
        after = at + 1
        while (unit := self.unit(after)) is not None and (unit.text in DRAWING or unit.text == "的"):
            after += 1
        if (unit := self.unit(after)) is not None and not unit.mark:
            return False
        if self.previous in ("start", "mark"):
            return True
        before = " ".join(unit.text for unit in self.units[max(0, at - 4) : at])
        drawn = listed(vocabulary()["drawn"][self.language])
        return any(before == word or before.endswith(f" {word}") for word in drawn)

    def _is_no_framing(self, at: int) -> bool:
        """Whether a short word of framing, as "medium", is something else: it stands alone where it is one."""
        unit, after = self.units[at], self.unit(at + 1)
        alone = self.previous in ("start", "mark") and (after is None or after.mark or bool(after.name))
        return unit.text in ("medium", "wide", "close on") and not alone

    # Verbs

    def _helps(self, at: int) -> bool:
        """Whether "has" is followed by a verb: "has eaten"."""
        after = self.next(at)
        if after is None:
            return False
        verb = after.verb and after.form in (forms.PAST, forms.BASE) and not after.noun
        return verb or any(kind in after for kind in ("to", "not", "is"))

    def _is_verb(self, at: int) -> bool:
        unit = self.units[at]
        if "weathers" in unit:
            return bool(self.actors())
        if self.language == "zh":
            return self._is_chinese_verb(at, unit)
        if self.language == "es":
            return self._is_spanish_verb(at, unit)
        return self._is_english_verb(at, unit)

    def _is_english_verb(self, at: int, unit: Unit) -> bool:
        form, before = unit.form, self.previous
        if unit.text in ("called", "named") and before == "noun" and not self.aux:
            return False
        if "like" in unit:
            return before in ("name", "noun", "and", *PRONOUNS) and self.act is None
        if before == "who" and form in (forms.THIRD, forms.PAST) and not self.mods.open:
            return True  # "a hut that stands on one leg"
        if form == forms.PAST and before == "unknown" and self._governs(at):
            return True  # "the whole kingdom saw them"
        if self.mods.open and "is" not in unit and "has" not in unit:
            return False
        if form == forms.PAST and before == "noun" and self.act is not None and self.last is not None:
            after = self.next(at)
            if self.last.role == "object" and after is not None and "by" in after:
                return False  # "see a ship tossed by waves"
        if form == forms.ING:
            return not (unit.noun and before in PREPOSITIONS) or before == "with"
        if before in PREPOSITIONS and before != "to":
            return False
        if not unit.noun:
            return True
        if form == forms.BASE:
            return self._is_plural_verb(at, before)
        if form == forms.THIRD:
            after = self.unit(at + 1)
            if self.act is not None and after is not None and any(kind in after for kind in ("the", "a", "his")):
                return True  # "shivers, hugs the dog"
            thing = self.last is not None and self.last.kind == "thing"
            goes_on = self._goes_on(unit, after)
            listing = before == "and" and thing and not goes_on
            opens = before == "mark" and not (self.act is None and self.subject) and not goes_on
            return before not in ("verb", "start") and not opens and not listing
        return before not in ("verb", "start")

    def _governs(self, at: int) -> bool:
        """Whether an object that a noun could not have follows."""
        after = self.unit(at + 1)
        return after is not None and (bool(after.name) or any(kind in after for kind in ("the", "a", "his", "they")))

    def _goes_on(self, unit: Unit, after: Unit | None) -> bool:
        """Whether a word such as "waves" is what somebody does next and no more of a list: "looks up, waves", "sees
        them from the window and waves"; but "looks up, hands in his pockets"."""
        absolute = after is not None and any(kind in after for kind in RELATIONS)
        if self.act is None or not self.act.actors or "body" in unit or absolute:
            return False
        if self.last is None:
            return not self.prep
        definite = self.last.kind == "thing" and self.last.count == 1 and self.last.which in ("the", "his", "same")
        return definite or (self.last.kind == "name" and not self.prep)

    def _is_plural_verb(self, at: int, before: str) -> bool:
        """Whether a word such as "dance" is a verb: after several who do it, after "to", or called out."""
        after = self.unit(at + 1)
        if before in ("start", "mark"):
            return after is not None and after.text == "!"
        several = sum(max(len(mention.names), mention.count) for mention in self.subject) > 1
        watched = self.act is not None and ("sees" in self.act.manners or self.act.action == "listens")
        watched = watched and before in ("name", *PRONOUNS)
        return (
            watched
            or before in ("has", "to", "not", "they", "all", "who", "i")
            or (before in ("name", "noun", "she", "he", "it") and several and self.act is None)
            or (before == "and" and self.act is not None and self.last is None)
            or (before == "noun" and self.last is not None and self.last.kind == "thing" and self.last.count > 1)
        )

    def _is_chinese_verb(self, at: int, unit: Unit) -> bool:
        if unit.text == "给":
            return self._chinese_word(at, unit) == "verb"
        done = self.act is not None and self.last is not None and self.last.role == "object"
        if done and unit.text in COMPLEMENTS and self.previous in ("name", "noun", *PRONOUNS):
            return False  # 拉他起来
        following = self.unit(at + 1)
        if following is not None and following.text == "的":
            return False  # 打碎的花瓶
        if unit.text == "叫" and following is not None and following.name and self._ends(at + 2):
            return False  # 一只熊猫叫团团
        if not unit.noun and not self.is_small(unit):
            return True
        if (
            self.is_small(unit)
            or self.mods.open
            or self.previous in ("own", "colours", "sizes", "numbers", *PREPOSITIONS)
        ):
            return False
        after = self.next(at)
        opens = self.act is None and bool(self.actors())
        return opens and ("places" in unit or (after is not None and (after.noun or "numbers" in after)))  # 回家

    def _ends(self, at: int) -> bool:
        unit = self.unit(at)
        return unit is None or unit.mark

    def _chinese_word(self, at: int, unit: Unit) -> str:
        """在 is "at", or before a verb "is"; 给 "to" before somebody and a verb; 没有 "not" before a verb."""
        after = self.next(at)
        verb = after is not None and after.verb and not after.noun
        if unit.text == "在":
            return "is" if verb else "at"
        if unit.text == "给":
            for ahead in self.units[at + 1 :]:
                if ahead.mark or "numbers" in ahead:
                    break
                if ahead.verb and not ahead.noun:
                    return "to"
            return "verb"
        return "not" if verb or (after is not None and after.text == "在") else "without"

    def _is_spanish_verb(self, at: int, unit: Unit) -> bool:
        form, before = unit.form, self.previous
        if unit.text == "nada" and before in ("verb", "has", "not"):
            return False  # "sin decir nada"
        other = unit.noun or self.is_small(unit) or "colours" in unit
        if form == forms.FIRST:
            opens = before in ("start", "mark", "and", "while", "i", "not", "moment", "they", SURE)
            opens = opens or self.units[at - 1].text in ("la", "las", "lo", "los")
            return opens and not other and not {"moods", "sizes", "stop"} & set(unit.senses)
        if self.mods.open:
            pronoun = self.units[at - 1].text
            sure = pronoun in ("lo", "le", "les", "se")
            if form == forms.THIRD and (sure or (pronoun in ("la", "los", "las") and not other)):
                self.mods = Modifiers()
                return True
            return form == forms.BASE and not other and before != "the"
        if form == forms.PAST and not self.aux:
            return unit.value("actions") in (*STATES, "rides")
        if not other:
            return True
        if self.is_small(unit) or before in PREPOSITIONS:
            return False
        clause = before in ("name", "noun", "and", "start", "not", "who", "mark", "while", *PRONOUNS)
        return (
            form == forms.THIRD
            and (clause or self.units[at - 1].text in ("se", "le", "les", "lo"))
            and self.act is None
        )


def names_of(mentions: Sequence[Mention]) -> list[str]:
    return [name for mention in mentions for name in mention.names]
