"""What part a noun has in its clause: subject, object, or what a preposition governs."""

from __future__ import annotations

from functools import cache

from anystory.sketch.language import forms
from anystory.sketch.language.kinds import SILENT, Modifiers, Position, names_of
from anystory.sketch.language.lexicon import lexicon
from anystory.sketch.language.sentence import ALONE, LIKE, NEGATED, PRONOUNS, REAL, RELATIONS, STILL, UNREAL, Act, Mention
from anystory.sketch.language.tokens import INFLECTED, PLURAL, Unit
from anystory.sketch.words import ACTIONS, listed, things, vocabulary

LEGIBLE = ("book", "newspaper", "letter", "notebook")
"""What Chinese says "look at" of for reading."""
CONTAINERS = ("cup", "glass", "bottle", "bowl", "jar", "pot", "teapot")
"""What is seen of "a cup of tea"."""
PAINTABLE = ("picture", "easel", "stone", "paper", "egg", "fence", "wall", "house", "door", "postcard", "notebook", "card")
"""Objects of painting that are there; what else is painted is only on the picture."""
CARRIED = ("back", "shoulders", "shoulder", "背", "肩上", "肩膀", "背上", "hombros", "espalda", "lomo", "cuestas")
INSIDE = ("in", "at", "through", "to", "from", "on", "under", "next to", "in front of", "behind", "left of", "right of",
          "above")  # fmt: skip
STEADY = ("reads", "eats", "drinks", "plays", "holds", "sings", "paints", "writes", "cooks", "hugs", "carries")
"""Actions that leave a thing where the one who does them is."""
GENERIC = ("friend",)
WIDE = ("forest", "sea", "desert", "mountains", "jungle", "city", "snow", "space", "sky", "field", "lake", "river", "ice")
"""Places in whose middle one is anywhere in the picture."""


@cache
def _living() -> frozenset[str]:
    return frozenset(kind.concept for kind in things() if kind.height)


@cache
def hollow() -> frozenset[str]:
    return frozenset(listed(vocabulary()["hollow"]["en"]))


class Nouns(Position):
    """The part of the walk that reads nouns."""

    def clause(self) -> None:
        raise NotImplementedError

    def taken(self) -> Modifiers:
        mods, self.mods = self.mods, Modifiers()
        return mods

    # From units to mentions

    def name(self, at: int, unit: Unit) -> None:
        mods = self.taken()
        mention = Mention("name", "", unit.text, [unit.name], size=mods.size, owner=mods.owner)
        if mods.size and unit.name in self.company.members:
            self.found.sizes.setdefault(unit.name, mods.size)
        self.place(at, mention, mods)

    def pronoun(self, at: int, kind: str, unit: Unit) -> None:
        again = self.previous in ("name", "they", "all", "she", "he", "it") and kind in ("they", "all")
        if again and not self.joined and not self.prep:
            return  # "they both", "it all"
        others = self.act.actors if self.act is not None and not (self.act.implied or self.starts(at)) else []
        if self.language == "en" and unit.text in ("him", "her", "it") and self.prep:
            others = self.actors()
        last = names_of(self.subject or self.before) if kind != "they" and not self.prep else []
        names = self.company.pronoun(kind, [*self.meant, *last], others)
        if kind == "it" and (not set(names) & {*self.meant, *last} or self._impersonal(at)):
            self.before = []
            return
        self.place(at, Mention("name", "", unit.text, names), self.taken())

    def _impersonal(self, at: int) -> bool:
        """ "it rains", "it is night": nobody."""
        return any("weathers" in unit or "times" in unit for unit in self.units[at + 1 : at + 4])

    def noun(self, at: int, unit: Unit) -> None:
        after = self.unit(at + 1)
        if self.language == "en" and after is not None and not after.name and not after.mark and self._compound(unit, after):
            self._attribute(unit, after)
            return
        if self.language == "es" and self._is_spanish_adjective(unit):
            self.taken()
            return
        mods = self.taken()
        plural = PLURAL in (unit.forms.get("things"), unit.forms.get("abstract"), unit.forms.get("places"))
        mention = self._mention(unit, mods, plural or (self.language == "zh" and mods.count > 1))
        mention.depicts = "depicts" in unit
        if mods.doing and mention.names:
            act = Act(mods.doing, list(mention.names), number=len(self.found.acts))
            self.found.acts.append(act)  # "the sleeping ladybird"
        if self.language == "zh" and mention.kind == "place":
            self._chinese_spot(unit, mention)
        prep = self.prep
        self.place(at, mention, mods)
        if self.language == "zh" and mention.kind == "place" and after is not None and after.noun and not after.verb:
            mention.attribute, self.prep = True, prep  # 公园长椅
            if mention in self.subject:
                self.subject.remove(mention)

    def _chinese_spot(self, unit: Unit, mention: Mention) -> None:
        """浴缸里, 床上: a word of place that ends with its relation, and the thing that it names."""
        relation = next((kind for kind in RELATIONS if unit.text[-1:] in listed(vocabulary()["grammar"][kind]["zh"])), "")
        senses = lexicon("zh").senses((unit.text[:-1],))
        leaving = self.act is not None and bool(self.act.manners & {"leaves", "sees"})
        if relation and not self.prep and not leaving:
            self.prep = relation
        if relation and not mention.thing:
            mention.thing = next((sense.value for sense in senses if sense.kind == "things"), "")

    def _is_spanish_adjective(self, unit: Unit) -> bool:
        """ "desierto helado", "pelota de playa": a noun that only says what kind of thing the noun before it is."""
        place = "places" in unit or "buildings" in unit
        of = self.previous == "of" and not self.mods.open and place and self.last is not None and self.last.kind == "thing"
        return of or (self.previous == "noun" and not self.mods.open and not self.joined)

    def _compound(self, unit: Unit, after: Unit) -> bool:
        """Whether a noun only says what kind of thing the noun after it is: "beach ball"."""
        if not after.noun or self.is_small(after) or "wheres" in after or unit.forms.get("things") == PLURAL:
            return False
        if after.verb and after.form in (forms.THIRD, forms.PAST, forms.ING):
            return self.act is not None
        return not (after.verb and after.form == forms.BASE and "things" not in after)

    def _attribute(self, unit: Unit, after: Unit) -> None:
        """A noun before a noun: the place of what cannot be carried away is where one is."""
        if ("places" in unit or "buildings" in unit) and ("fixed" in after or "parts" in after) and self.state == REAL:
            value = unit.value("places") or f"#{unit.value('buildings')}"
            mention = Mention("place", value, unit.text, prep=self.prep or "at", role="prep", act=self.act, attribute=True)
            self.found.mentions.append(mention)

    def _mention(self, unit: Unit, mods: Modifiers, plural: bool) -> Mention:
        """The noun as what it is: somebody of the cast, a place, a thing, or nothing that is shown."""
        count = mods.count or (3 if plural else 1)
        common = {"count": count, "colour": mods.colour, "size": mods.size, "which": mods.which, "owner": mods.owner}
        concept = self._concept(unit)
        if concept and mods.which != "other":
            names = self.company.of_kind(concept, plural or count > 1)
            if not names and concept in GENERIC and mods.owner:
                friends = [name for name in self.company.members if name not in (*self.actors(), mods.owner)]
                names = friends if plural else friends[:1]
            if names and not (mods.which == "a" and set(names) <= set(self.meant)):
                return Mention("name", concept, unit.text, names)
        if ("buildings" in unit or "places" in unit) and (not concept or self.prep in INSIDE):
            value = f"#{unit.value('buildings')}" if "buildings" in unit else unit.value("places")
            return Mention("place", value, unit.text, **common, thing=concept)
        if concept:
            bare = concept in ("fish", "sheep", "deer") and not (mods.which or mods.count) and self.language == "en"
            common["count"] = 3 if bare else count
            return Mention("thing", concept, unit.text, **common)
        value = "part" if "parts" in unit else "body" if "body" in unit else ""
        return Mention("plain", value, unit.text, **common)

    @staticmethod
    def _concept(unit: Unit) -> str:
        """The thing that a noun names, or ""; a Spanish feminine is one only of a living thing."""
        concept = unit.value("things")
        if "body" in unit or (unit.forms.get("things") == INFLECTED and concept not in _living()):
            return ""
        return concept

    # From mentions to their parts

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
            elif unit.name or "and" in unit or (unit.senses and set(unit.senses) <= SILENT | {"moods"}):
                continue
            elif "not" in unit or "has" in unit or "is" in unit:
                return True
            else:
                finite = self.language == "zh" or unit.form in (forms.THIRD, forms.PAST, forms.BASE)
                return unit.verb and finite and not (unit.noun and unit.form == forms.BASE)
        return False

    def _resumed(self, comma: int) -> int:
        """Where a clause goes on after what is set off by commas, "Vera, small and far off, waves"; 0 where it does not."""
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
            if self.previous == "mark" and any(kind in unit for kind in ("behind", "in front of", "next to", "on", "under")):
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
            self._governed(mention)
        elif self.act is None:
            self._as_subject(mention)
        elif follows and self.starts(at):
            self.clause()
            mention.act, mention.state = None, REAL
            self._as_subject(mention)
        elif self.joined and mention.kind == "name" and self._elsewhere(at):
            self._as_other(at, mention)
        elif self._inverted(mention):
            self._as_inverted(mention)
        else:
            self._as_object(mention)
        told = self.subject[0] if self.main is not None and self.subject else None
        if told is not None and told.state != REAL:
            mention.state = told.state
        mention.passing = self.main is not None and bool(self.subject) and self.subject[0].kind == "thing"
        self.meant += [name for name in mention.names if name in self.company.members]
        self.last = mention
        self.joined = False
        self.found.mentions.append(mention)

    def _apposed(self, mention: Mention) -> bool:
        """ "Tom the sailor": said of a name, not somebody else."""
        last = self.last
        beside = self.previous == "the" and not self.joined and not self.prep and self.act is None
        return beside and last is not None and last.kind == "name" and last.names != mention.names and last in self.subject

    def _inverted(self, mention: Mention) -> bool:
        """ "in the garden sits Mia", "llega Mia", "en el árbol canta un pájaro": the subject comes after its verb."""
        act = self.act
        if self.language == "zh" or act.passive or self.previous not in ("verb", "the", "a", "numbers", "his", "sizes"):
            return False
        if mention.kind == "name":
            said = self.previous == "verb" or act.action in ("talks", "whispers", "shouts")
            speech = said and act.action in ("talks", "whispers", "shouts", "thinks")
            new = act.implied and (speech or not names_of(self.before))
            return said and (new or (self.language == "es" and not self.subject))
        free = act.implied if self.language == "en" else act.action != "stands"
        return free and act.action in ALONE and mention.kind != "plain"

    def _as_inverted(self, mention: Mention) -> None:
        self.act.actors, mention.role, self.subject = list(mention.names), "subject", [mention]
        self.act.implied = False
        self._come(mention)

    def _as_other(self, at: int, mention: Mention) -> None:
        """Another who does what was just said, or what a participle says: "Mia sits on the left and Tom on the right"."""
        before, self.subject = self.act, [mention]
        action = before.action if self.previous == "and" and not self._participle(at) else "stands"
        self.act = Act(action, list(mention.names), [], before.manners, before.state, number=len(self.found.acts))
        self.found.acts.append(self.act)
        self.aux = action == "stands"  # a participle that follows takes its place
        mention.act, mention.role = self.act, "subject"
        self._come(mention)

    def _participle(self, at: int) -> bool:
        after = self.next(at)
        return after is not None and after.verb and after.form == forms.ING

    def _as_subject(self, mention: Mention) -> None:
        mention.role = "subject"
        if self.subject and self.joined:
            self.subject.append(mention)
        else:
            self.subject = [mention]
        self._come(mention)

    def _come(self, mention: Mention) -> None:
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
                mention.relation, mention.targets = prep, self._targets(other)

    def _as_object(self, mention: Mention) -> None:
        mention.role = "object"
        act = self.act
        if not act.actors:
            self._come(mention)
            mention.distance = mention.distance or next((far.distance for _, far in self.aside), "")
        if "seeks" in act.manners or (act.action == "paints" and mention.value not in PAINTABLE):
            mention.state = mention.state or (UNREAL if mention.kind == "thing" else REAL)
        if self.language == "zh" and act.action == "looks" and mention.value in LEGIBLE:
            act.action = "reads"
        if mention.kind == "plain" and mention.value == "body" and act.action in ("hugs", "holds"):
            act.action = "stands"
        if mention.kind == "name":
            act.toward += [name for name in mention.names if name not in act.actors]
        elif mention.kind == "thing" and mention.state == REAL:
            act.thing = True
            self.hold(mention.value)
            if act.action == "rides":
                self.relate("in" if mention.value in hollow() else "on", [mention.value])
            if act.action and ACTIONS[act.action].holds and act.actors:
                mention.held_by = act.actors[0]

    def hold(self, concept: str) -> None:
        """Whoever acts has it in the hands, if that is how the action goes."""
        act = self.act
        if act is None or act.state != REAL or not act.action or not ACTIONS[act.action].holds:
            return
        if act.action == "gives" and concept in _living():
            return  # "feeds the ducks"
        for name in act.actors:
            self.found.holds.setdefault(name, concept)

    def forget(self, mention: Mention) -> None:
        """Take back what was read of a name that turns out to be an owner."""
        self.prep = mention.prep
        for group in (self.subject, self.found.mentions):
            if mention in group:
                group.remove(mention)
        self.aside = [(prep, other) for prep, other in self.aside if other is not mention]
        if mention.act is not None and mention.role == "object":
            mention.act.toward = [name for name in mention.act.toward if name not in mention.names]
        if mention.act is not None and mention.prep == "with":
            mention.act.actors = [name for name in mention.act.actors if name not in mention.names]
        if mention.role == "relation":
            for name in self.actors():
                self.found.relations.pop(name, None)

    # What prepositions govern

    def _governed(self, mention: Mention) -> None:
        prep, act, before = self.prep, self.act, self.last
        if prep == "of" and before is None and act is None:  # "a close-up of Mia"
            self._as_subject(mention)
            return
        mention.prep, mention.role = prep, "prep"
        if prep == "like":
            mention.state = LIKE
        elif prep == "without":
            mention.state = NEGATED
        elif prep == "for" and mention.kind == "thing" and self.language == "en":
            mention.state = UNREAL
        elif prep in ("for", "of", "above", "with") and before is not None and before.depicts:
            mention.state = UNREAL
        if prep == "of" and before is not None and self._of(mention, before):
            return
        if mention.state in (LIKE, UNREAL):
            mention.names = []
            return
        if mention.kind == "place" and before is not None and before.kind == "thing" and self.previous not in ("verb", "is"):
            mention.of = before  # "a boat on the lake"
        if self.waiting and mention.kind == "place":
            self._come(mention)
        if mention.kind == "place" and self.middle and mention.value not in WIDE:
            for name in self.actors():
                self.found.wheres.setdefault(name, "middle")
        if act is None:
            self.aside.append((prep, mention))
        if act is None and prep == "with" and mention.kind == "name" and self.subject:
            self.subject = [*self.subject, mention]
            self.aside.pop()
        elif act is not None or self.subject:
            self.attach(prep, mention)

    def _of(self, mention: Mention, before: Mention) -> bool:
        """ "of": whose the noun before is, or what it is a part of. Whether nothing more is to be said of it."""
        mention.of = before
        if mention.kind == "name":
            before.owner = mention.names[0] if mention.names else ""
            mention.names = []
            mention.prep = before.prep or mention.prep
            return True
        if before.value in CONTAINERS and mention.kind == "thing" and mention.count == 1:
            mention.state = UNREAL
        if before.value == "part" or before.kind == "plain":
            mention.prep, mention.role = before.prep, before.role
        return before.kind == "thing"

    def attach(self, prep: str, mention: Mention) -> None:
        """What a preposition says of who acts: whom it is done with or to, what is held, next to what one is."""
        act, before = self.act, self.last
        if act is not None and mention.kind != "place":
            mention.act = act
        if prep == "object":
            if act is not None and act.action in ALONE and mention.names:
                act.actors = list(mention.names)  # 把她逗笑了
            elif act is not None:
                self._as_object(mention)
            return
        if act is not None and mention.kind == "thing" and prep == "by" and (act.passive or self.language == "zh"):
            act.toward, act.actors = list(act.actors), []
        if act is not None and mention.kind == "name":
            self._with_somebody(prep, mention, act)
        if mention.kind == "thing" and prep == "with" and mention.state == REAL and mention.value not in _living():
            other = before is not None and before.kind == "name" and before.role != "subject"
            for name in before.names if other else self.actors():
                self.found.holds.setdefault(name, mention.value)
        if prep in ("from", "of") and act is not None and act.action == "peeks":
            prep = "in"  # "peeks out of a box"
        elif prep == "from" and act is not None and act.action in STILL and mention.owner:
            prep = "in" if mention.value in hollow() else "on"  # "points from Dad's shoulders"
        elif prep == "above" and act is not None and act.action == "peeks":
            prep = "behind"
        if prep in RELATIONS and prep != "at" and mention.state == REAL:
            self._locate(prep, mention, before)

    def _with_somebody(self, prep: str, mention: Mention, act: Act) -> None:
        if prep == "with":
            act.actors = [*act.actors, *(name for name in mention.names if name not in act.actors)]
        elif prep == "by":
            act.toward, act.actors, act.passive = list(act.actors), list(mention.names), False
        elif prep in ("to", "toward", "at"):
            act.toward += [name for name in mention.names if name not in act.actors]

    @staticmethod
    def _targets(mention: Mention) -> list[str]:
        if mention.kind == "plain" and mention.owner:
            return [mention.owner]
        thing = mention.thing or (mention.value if mention.kind == "thing" else "")
        return list(mention.names) or ([thing] if thing else [])

    def _locate(self, prep: str, mention: Mention, before: Mention | None) -> None:
        """ "behind the tree": of the thing just named, else of who acts."""
        targets, act = self._targets(mention), self.act
        if prep in ("left of", "right of"):
            self._beside(prep, targets, mention)
            return
        if prep == "on" and act is not None and act.action in ("carries", "holds") and mention.word in CARRIED:
            self._carried(act)
            return
        if not targets:
            return
        if self.language == "es" and prep == "in" and targets[0] not in hollow():
            prep = "on"
        thing = before is not None and before.kind == "thing" and self.previous != "verb" and before is not mention
        if thing and before.role == "object" and act is not None and act.action in STEADY:
            thing = False  # who reads the book under a tree is under it as well
        if thing and (before.role != "subject" or act is None):
            same = prep == before.relation and self.joined
            before.relation, before.targets = prep, [*(before.targets if same else []), *targets]
            return
        for subject in self.subject:
            if subject.kind == "thing":
                subject.relation, subject.targets = prep, targets
        self.relate(prep, targets)
        mention.role = "relation" if mention.kind == "name" else mention.role

    def relate(self, prep: str, targets: list[str]) -> None:
        """Whoever acts is there."""
        for name in self.actors():
            relation, known = self.found.relations.get(name, (prep, ()))
            if relation == prep and name not in targets:
                self.found.relations[name] = (prep, tuple(dict.fromkeys((*known, *targets))))

    def _beside(self, prep: str, targets: list[str], mention: Mention) -> None:
        side, other = ("left", "right") if prep == "left of" else ("right", "left")
        for name in self.actors():
            self.found.wheres.setdefault(name, side)
        for name in targets:
            if name in self.company.members:
                self.found.wheres.setdefault(name, other)

    def _carried(self, act: Act) -> None:
        """Who is carried on somebody's back rides on it."""
        for name in act.toward:
            self.found.acts.append(Act("rides", [name], number=len(self.found.acts)))
            self.found.relations.setdefault(name, ("on", tuple(act.actors)))
