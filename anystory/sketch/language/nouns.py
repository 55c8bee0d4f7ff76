"""From units to mentions: what a noun is, and which part of its clause it takes."""

from __future__ import annotations

from typing import Any

from anystory.sketch.language import forms
from anystory.sketch.language.kinds import SILENT, Modifiers, names_of
from anystory.sketch.language.lexicon import SURE, lexicon
from anystory.sketch.language.parts import fixtures, hollow, living, targets_of
from anystory.sketch.language.relations import Relations
from anystory.sketch.language.sentence import ALONE, NEGATED, PRONOUNS, REAL, RELATIONS, UNREAL, Act, Mention
from anystory.sketch.language.tokens import INFLECTED, PLURAL, QUOTE, Unit
from anystory.sketch.words import listed, vocabulary

WITHIN = (
    "in", "at", "through", "to", "from", "on", "under", "next to", "in front of", "behind", "left of", "right of",
    "above",
)  # fmt: skip
"""Prepositions after which a house is a place; else it is a thing that is seen."""
THREE = ("three", "三", "tres")
"""Of three none is left out."""
BEFORE_INVERTED = ("verb", "the", "a", "numbers", "his", "sizes", "colours")
COUNTED = {"the two": 2, "the three": 3}
NOMINATIVE = ("he", "she", "they", "i", "we")
"""English pronouns that are always the subject."""
GROWN = (
    "feather",
    "horn",
    "antler",
    "shell",
    "stripe",
    "spike",
    "hair",
    "mane",
    "fin",
    "sting",
    "spot",
    "wing",
    "flipper",
    "tusk",
    "hoof",
    "whisker",
    "beak",
)
"""What is somebody's body where it is theirs: "puffed out her feathers"."""
BESIDE = ("above", "behind", "next to", "under", "in front of", "between")
"""Prepositions of what is somewhere by somebody."""
GENERIC = ("friend",)
MATERIALS = (
    "stone", "wood", "straw", "hay", "paper", "glass", "iron", "gold", "silver", "brick", "bricks", "stars", "ice",
    "wool", "cardboard", "bamboo", "bone", "bones", "metal", "clay", "leather", "marble", "silk", "twigs", "sticks",
)  # fmt: skip
"""What something is of that is made of it."""
CLITICS = ("la", "lo", "las", "los", "le", "les", "se", "me", "nos")
"""Spanish pronouns before a verb."""
PASSED = {"en": SILENT | {"moods"}, "zh": SILENT | {"moods"}, "es": SILENT | {"moods", "colours", "sizes"}}
"""Kinds of words that may stand between a subject and its verb: "un gato negro roba …"."""
SPEECH = ("talks", "whispers", "shouts", "thinks")


class Nouns(Relations):
    def taken(self) -> Modifiers:
        mods, self.mods = self.mods, Modifiers()
        return mods

    def name(self, at: int, unit: Unit) -> None:
        mods = self.taken()
        mention = Mention("name", "", unit.text, [unit.name], size=mods.size, owner=mods.owner)
        if mods.size and unit.name in self.company.members:
            self.found.sizes.setdefault(unit.name, mods.size)
        self.place(at, mention, mods)

    def pronoun(self, at: int, kind: str, unit: Unit) -> None:
        if self.language == "en" and unit.text in NOMINATIVE and self._new_subject():
            self._nominative()
        if kind == "i":
            self.place(at, Mention("name", "", unit.text, self.narrator()), self.taken())
            return
        if any(three in unit.text for three in THREE):
            kind = "all"
        after = self.unit(at + 1)
        if self.language == "en" and unit.text in COUNTED and self._counts(at):
            self.mods.count, self.mods.which, self.mods.open = COUNTED[unit.text], "the", True
            return
        if kind == "all" and after is not None and "the" in after and not self.prep:
            self.mods.open = True  # "all the pupils"
            return
        again = self.previous in ("name", "they", "all", "she", "he", "it") and kind in ("they", "all")
        if again and not self.joined and not self.prep:
            return  # "they both", "it all"
        others = self.act.actors if self.act is not None and not (self.act.implied or self.starts(at)) else []
        if self.language == "en" and unit.text in ("him", "her", "it") and self.prep:
            others = [] if self._beside_oneself() else self.actors()
        last = names_of(self.subject or self.before) if kind != "they" and not self.prep else []
        names = self.company.pronoun(kind, [*self.meant, *last], others)
        if kind == "it" and self._of_thing(at, names):
            return
        known = {*self.meant, *last, *(self.company.lone_beast() if self.act is None and self.starts(at) else ())}
        if kind == "it" and (not set(names) & known or self._impersonal(at)):
            self.before = []
            return
        self.place(at, Mention("name", "", unit.text, names), self.taken())

    def _beside_oneself(self) -> bool:
        """Whether a preposition says where something is as against whoever is told of: "a kite above him"."""
        last = self.last
        return self.prep in BESIDE and last is not None and last.kind == "thing"

    def _counts(self, at: int) -> bool:
        """Whether "the two" is of a noun: "the two cats", "the two fighting cats"."""
        after = self.unit(at + 1)
        if after is not None and after.verb and after.form == forms.ING:
            after = self.unit(at + 2)
        return after is not None and after.noun and not after.name

    def _of_thing(self, at: int, names: list[str]) -> bool:
        """Whether "it" is the thing named last rather than somebody: "a boat; Pip glides above it"."""
        for mention in reversed(self.found.mentions):
            if mention.kind == "name" and set(mention.names) & set(names) and mention.role != "subject":
                return False
            governed = self.prep in RELATIONS or (self.act is not None and not self.prep)
            if mention.kind == "thing" and mention.state == REAL and governed:
                again = Mention("thing", mention.value, mention.word, count=mention.count, colour=mention.colour)
                self.place(at, again, self.taken())
                return True
        return False

    def _new_subject(self) -> bool:
        """Whether a pronoun that is always a subject is one anew: not in "said he", nor in "Mia and I"."""
        return self.previous not in ("verb", "is", "has") and (self.previous != "and" or self.act is not None)

    def _nominative(self) -> None:
        """ "up she climbs", "– he plunges", "kneeling on the sand he …": a subject, whatever came before it."""
        told = self._state if self.previous in ("who", "verb", "the") else REAL  # "she dreams that she can fly"
        if self.act is not None:
            self.clause()
        self.prep, self.mods, self.state = "", Modifiers(), told

    def narrator(self) -> list[str]:
        """Who says "I": who was found to, else of those that the line does not name the first."""
        if not self.company.narrator:
            named = {unit.name for unit in self.units}
            for unit in self.units:
                plural = unit.forms.get("things") == PLURAL
                named |= set(self.company.of_kind(unit.value("things"), plural)) if "things" in unit else set()
            self.company.narrator = next((name for name in self.company.members if name not in named), "")
        self.found.narrator = self.company.narrator
        return [name for name in self.company.members if name == self.company.narrator]

    def _impersonal(self, at: int) -> bool:
        """ "it rains", "it is night": nobody."""
        return any("weathers" in unit or "times" in unit for unit in self.units[at + 1 : at + 4])

    def noun(self, at: int, unit: Unit) -> None:
        after = self.unit(at + 1)
        if self.language == "es" and self._is_spanish_adjective(unit):
            self.taken()
            return
        if after is not None and after.name and unit.value("things") in living() and not self.mods.count:
            self.taken()  # "su hermano Mateo", "King Otto"
            return
        if self.language == "en" and self.prep == "of" and unit.text in MATERIALS and self._built(at):
            mention = Mention("plain", "", unit.text)
            self.place(at, mention, self.taken())  # "a tower of stone", "made of hay"
            mention.state = UNREAL
            return
        mods = self.taken()
        plural = PLURAL in (unit.forms.get("things"), unit.forms.get("abstract"), unit.forms.get("places"))
        mention = self._mention(unit, mods, plural or (self.language == "zh" and mods.count > 1))
        mention.depicts, mention.part = "depicts" in unit, "parts" in unit
        if mods.doing and mention.names:
            act = Act(mods.doing, list(mention.names), number=len(self.found.acts))
            self.found.acts.append(act)  # "the sleeping ladybird"
        mention.doing = mods.doing
        sure = self.language == "zh" and mention.kind == "place" and self._chinese_spot(unit, mention)
        prep = self.prep
        self.place(at, mention, mods)
        if sure and mention.prep in RELATIONS:
            mention.prep = SURE
        if self.language == "zh" and mention.kind == "place" and after is not None and after.noun and not after.verb:
            mention.attribute, self.prep = True, prep  # 公园长椅
            if mention in self.subject:
                self.subject.remove(mention)

    def _built(self, at: int) -> bool:
        """Whether what follows "of" is only what the thing before it is made of, not what it holds: "a bag of gold"."""
        before, last = self.unit(at - 2), self.last
        made = before is not None and before.text in ("made", "built")
        solid = last is not None and last.kind in ("thing", "place") and last.value not in hollow()
        return not self.mods.open and (made or solid or (last is not None and last.word in ("tower", "house", "nest")))

    def _chinese_spot(self, unit: Unit, mention: Mention) -> bool:
        """浴缸里, 床上: a word of place that ends with its relation, and the thing that it names. Whether it
        is one."""
        relation = next(
            (kind for kind in RELATIONS if unit.text[-1:] in listed(vocabulary()["grammar"][kind]["zh"])), ""
        )
        senses = lexicon("zh").senses((unit.text[:-1],))
        leaving = self.act is not None and bool(self.act.manners & {"leaves", "sees"})
        if relation and not self.prep and not leaving:
            self.prep = relation
        if relation and not mention.thing:
            mention.thing = next((sense.value for sense in senses if sense.kind == "things"), "")
        return bool(relation)

    def _is_spanish_adjective(self, unit: Unit) -> bool:
        """ "desierto helado", "pelota de playa": a noun that only says what kind of thing the noun before it is."""
        place = "places" in unit or "buildings" in unit
        of = (
            self.previous == "of"
            and not self.mods.open
            and not unit.text.startswith(("su ", "mi "))
            and place
            and self.last is not None
            and self.last.kind == "thing"
        )
        single = "things" in unit and unit.forms.get("things") != PLURAL and unit.value("things") not in living()
        stuff = self.previous == "of" and not self.mods.open and single
        stuff = stuff and self.last is not None and self.last.kind == "thing"  # "cuchara de madera"
        return of or stuff or (self.previous == "noun" and not self.mods.open and not self.joined)

    def is_attribute(self, at: int) -> bool:
        """Whether a noun only says what kind of thing the noun after it is: "beach ball"."""
        unit, after = self.units[at], self.unit(at + 1)
        if (
            self.language != "en"
            or after is None
            or after.name
            or after.mark
            or not after.noun
            or self.is_small(after)
            or "wheres" in after
            or unit.forms.get("things") == PLURAL
        ):
            return False
        if after.verb and after.form in (forms.THIRD, forms.PAST, forms.ING):
            return self.act is not None and not self._begins_anew(at)
        return not (after.verb and after.form == forms.BASE and "things" not in after)

    def _begins_anew(self, at: int) -> bool:
        """Whether a noun before a word that may be its verb begins a clause: "laughs so that her hat falls down"."""
        start = at
        while start > 0 and not (
            self.units[start - 1].mark or set(self.units[start - 1].senses) & {"and", "that", "who"}
        ):
            start -= 1
            if at - start > 3 or self.units[start].verb or any(kind in self.units[start] for kind in RELATIONS):
                return False
        beyond = self.unit(at + 2)
        opened = any(kind in self.units[start] for kind in ("the", "a", "his"))
        return opened and start > 0 and beyond is not None and not (beyond.mark or beyond.noun or beyond.verb)

    def attribute(self, at: int) -> None:
        """A noun before a noun: the place of what cannot be carried away is where one is."""
        unit, after = self.units[at], self.units[at + 1]
        if ("places" in unit or "buildings" in unit) and ("fixed" in after or "parts" in after) and self.state == REAL:
            value = unit.value("places") or f"#{unit.value('buildings')}"
            mention = Mention(
                "place", value, unit.text, prep=self.prep or "at", role="prep", act=self.act, attribute=True
            )
            self.found.mentions.append(mention)

    def _mention(self, unit: Unit, mods: Modifiers, plural: bool) -> Mention:
        """The noun as what it is: somebody of the cast, a place, a thing, or nothing that is shown."""
        count = mods.count or (3 if plural else 1)
        common: dict[str, Any] = {
            "count": count,
            "colour": mods.colour,
            "size": mods.size,
            "which": mods.which,
            "owner": mods.owner,
        }
        concept = self._concept(unit, mods.which == "his")
        if concept and mods.which != "other":
            one = mods.which == "a" or (self.language == "zh" and mods.count == 1)
            definite = (mods.which in ("the", "his", "same") or one) and not mods.owner
            names = self.company.of_kind(concept, plural or count > 1, definite)
            if one and set(names) <= {*self.meant, *self.company.seen}:
                names = []  # "a girl" is nobody who has been told of
            if not names and mods.which == "his" and not plural:
                names = self.company.kin(concept, mods.owner or next(iter(self.meant[-1:]), ""))
            if not names and concept in GENERIC and mods.owner:
                friends = [name for name in self.company.members if name not in (*self.actors(), mods.owner)]
                names = friends if plural else friends[:1]
            if names:
                return Mention("name", concept, unit.text, names, count=count if plural else 1)
        seen_from = self.prep == "of" and self.last is not None and self.last.value in fixtures()
        within = self.prep in WITHIN or ("places" in unit and seen_from)  # "the window of the spaceship"
        if ("buildings" in unit or "places" in unit) and (not concept or within):
            value = f"#{unit.value('buildings')}" if "buildings" in unit else unit.value("places")
            return Mention("place", value, unit.text, **common, thing=concept or self._stood_on(unit))
        if concept:
            bare = concept in ("fish", "sheep", "deer") and not (mods.which or mods.count) and self.language == "en"
            common["count"] = 3 if bare else count
            return Mention("thing", concept, unit.text, **common)
        value = "part" if "parts" in unit else "body" if "body" in unit else ""
        return Mention("plain", value, unit.text, **common)

    def _stood_on(self, unit: Unit) -> str:
        """The thing that ends the words of a place, where something is on, under or behind it: "the kitchen table"."""
        words = unit.text.split(" ")
        if self.language != "en" or len(words) < 2 or self.prep not in ("on", "under", "behind"):
            return ""
        return next((sense.value for sense in lexicon("en").senses((words[-1],)) if sense.kind == "things"), "")

    @staticmethod
    def _concept(unit: Unit, grown: bool) -> str:
        """The thing that a noun names, or ""; a Spanish feminine is one only of a living thing. `grown`: it is
        somebody's own, and may have grown on them."""
        concept = unit.value("things")
        if (
            "body" in unit
            or (grown and unit.value("things") in GROWN)
            or (unit.forms.get("things") == INFLECTED and concept not in living())
        ):
            return ""
        return concept

    def starts(self, at: int) -> bool:
        """Whether a noun here is the subject of a verb that follows."""
        resumed = 0
        for step in range(at + 1, len(self.units)):
            unit = self.units[step]
            if step < resumed:
                continue
            if unit.mark:
                ahead = self.unit(step + 1)
                resumed = self._resumed(step)
                if unit.text not in ",，、" or ahead is None or not (ahead.name or resumed):
                    return False
            elif unit.name or "and" in unit or (unit.senses and set(unit.senses) <= PASSED[self.language]):
                continue
            elif "own" in unit and self.language == "en" and not self._is_participle(step + 1):
                return False
            elif (
                "not" in unit
                or "has" in unit
                or "is" in unit
                or (self.language == "es" and unit.text in CLITICS and self._is_finite(step + 1))
            ):
                return True
            else:
                finite = self.language == "zh" or unit.form in (forms.THIRD, forms.PAST, forms.BASE)
                return unit.verb and finite and not (unit.noun and unit.form == forms.BASE)
        return False

    def _is_participle(self, at: int) -> bool:
        unit = self.unit(at)
        return unit is not None and unit.verb and unit.form in (forms.ING, forms.PAST)

    def _is_finite(self, at: int) -> bool:
        unit = self.unit(at)
        return unit is not None and unit.verb and unit.form == forms.THIRD and not unit.noun

    def _resumed(self, comma: int) -> int:
        """Where a clause goes on after what is set off by commas, "Vera, small and far off, waves"; 0 where it does
        not."""
        for step in range(comma + 1, min(comma + 7, len(self.units))):
            unit = self.units[step]
            if unit.mark:
                return step + 1 if unit.text in ",，" else 0
            if unit.verb and not unit.noun:
                return 0
        return 0

    def _elsewhere(self, at: int) -> bool:
        """Whether a position or a participle follows instead of a verb: "and Tom on the right", ", Tom running"."""
        for unit in self.units[at + 1 : at + 4]:
            if any(kind in unit for kind in ("wheres", "distances", "left of", "right of")):
                return True
            if unit.verb and unit.form == forms.ING:
                return True
            if self.previous == "mark" and any(
                kind in unit for kind in ("behind", "in front of", "next to", "on", "under")
            ):
                return True
            if not ("sizes" in unit or "moods" in unit or (unit.senses and set(unit.senses) <= SILENT)):
                return False
        return False

    def place(self, at: int, mention: Mention, mods: Modifiers) -> None:
        """Give a noun its part in the clause."""
        if self._apposed(mention):
            return
        mention.state = NEGATED if mods.negated else self.state
        mention.act = self.act
        follows = self.joined or self.previous in ("noun", "name", *PRONOUNS)
        spent = self.previous in ("noun", "name", *PRONOUNS) and not self.joined
        if spent and (self.language != "zh" or mention.kind == "name"):
            self.prep = ""  # "in the garden Mia …"
        if self.prep and not (self.joined and self.prep != "between" and self.starts(at)):
            self.governed(mention)
        elif self.act is None:
            if mention.kind == "name" and self.previous == "mark" and self.subject and self.aside:
                self.clause()  # "Zorg at the wheel, Nova asleep"
            self.as_subject(mention)
        elif follows and self.starts(at) and not (self.language == "zh" and mention.value == "body"):
            self.clause()
            mention.act, mention.state = None, self.state
            self.as_subject(mention)
        elif self.joined and mention.kind == "name" and self._elsewhere(at):
            self._as_other(at, mention)
        elif self._inverted(at, mention):
            self._as_inverted(mention)
        else:
            self.as_object(mention)
        self.passing(mention)
        mention.passing = mention.passing or (self.skyward and mention.kind == "place")
        self.meant += [name for name in mention.names if name in self.company.members]
        self.last = mention
        self.joined = False
        self.found.mentions.append(mention)

    def _apposed(self, mention: Mention) -> bool:
        """ "Tom the sailor": said of a name, not somebody else."""
        last = self.last
        beside = self.previous == "the" and not self.joined and not self.prep and self.act is None
        return (
            beside and last is not None and last.kind == "name" and last.names != mention.names and last in self.subject
        )

    def _inverted(self, at: int, mention: Mention) -> bool:
        """ "in the garden sits Mia", "llega Mia", "en el árbol canta un pájaro": the subject comes after its verb."""
        act = self.act
        if act.passive or self.previous not in BEFORE_INVERTED:
            return False
        if self.language == "zh":
            somebody = mention.kind == "name" or mention.value in living()
            nobody = act.implied and not names_of(self.before) and not self.subject
            return somebody and nobody and act.action in (*ALONE, "")  # 地毯上蜷着一条小红龙
        if mention.kind == "name":
            said = self.previous == "verb" or act.action in ("talks", "whispers", "shouts")
            free = act.action in ALONE or not names_of(self.before)
            said = said or (self.language == "es" and self.previous == "the" and free)  # "se ríe la abuela"
            speech = said and act.action in SPEECH
            new = act.implied and (speech or not names_of(self.before))
            return said and (new or (self.language == "es" and not self.subject))
        if mention.kind == "place" and act.action not in ("stands", ""):
            return False  # "corrieron ladera abajo"
        subject = bool(act.actors) and not act.implied
        free = act.implied if self.language == "en" else act.action != "stands" and not subject
        if mention.kind == "plain":
            said = any(unit.text == QUOTE for unit in self.units[:at])
            return said and act.implied and act.action in SPEECH  # "called a small voice"
        return free and act.action in (*ALONE, "")

    def _as_inverted(self, mention: Mention) -> None:
        self.act.actors, mention.role, self.subject = list(mention.names), "subject", [mention]
        self.act.doers = [mention] if mention.kind == "thing" else []
        self.act.implied = False
        self.come(mention)
        for prep, other in self.led if mention.names else ():
            if prep in RELATIONS and targets_of(other):
                self.relate(prep, targets_of(other))
        for prep, other in self.led if mention.kind == "thing" and not mention.targets else ():
            if prep in RELATIONS and targets_of(other):
                mention.relation, mention.targets = prep, targets_of(other)  # "on the table stood a cake"
                break

    def _as_other(self, at: int, mention: Mention) -> None:
        """Another who does what was just said, or what a participle says: "Mia sits on the left and Tom on the
        right"."""
        before, self.subject = self.act, [mention]
        action = before.action if self.previous == "and" and not self._participle(at) else "stands"
        self.act = Act(action, list(mention.names), [], before.manners, before.state, number=len(self.found.acts))
        self.found.acts.append(self.act)
        self.aux = action == "stands"  # a participle that follows takes its place
        mention.act, mention.role = self.act, "subject"
        self.come(mention)

    def _participle(self, at: int) -> bool:
        after = self.next(at)
        return after is not None and after.verb and after.form == forms.ING
