"""Who does what to whom where: one walk over a line's units, from left to right, that knows clauses, subjects and
objects, prepositions, negation, and what is only dreamt, told or compared.

It is no full grammar. It keeps what a picture needs and forgets the rest.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from functools import cache

from anystory.sketch.language import forms
from anystory.sketch.language.chinese import reordered
from anystory.sketch.language.company import Company
from anystory.sketch.language.details import Details
from anystory.sketch.language.kinds import SILENT, Modifiers, names_of
from anystory.sketch.language.lexicon import SURE, lexicon
from anystory.sketch.language.parts import hollow, living
from anystory.sketch.language.sentence import (
    APPEARING,
    LIKE,
    NEGATED,
    PREPOSITIONS,
    PRONOUNS,
    REAL,
    RELATIONS,
    STATES,
    UNREAL,
    Act,
    Clue,
    Mention,
    Occasion,
    Sentence,
)
from anystory.sketch.language.tokens import NO_PLACES, QUOTE, SAME, Unit, units_of
from anystory.sketch.words import ACTIONS, listed, vocabulary

CENTRE = ("in the middle of", "en medio de", "中间", "中央", "en el centro de")
CHASING = ("walks", "runs", "flies", "swims", "rides", "crawls", "chases", "follows")
"""Actions that go after something: "runs after the thief"."""
WATCHING = ("looks", "peeks", "listens", "talks", "shouts", "waves")
"""Actions that are done from behind something."""
MUST = ("must", "should", "ought to", "has to", "have to", "had to", "needs to", "debe", "deben", "tiene que",
        "tienen que", "必须")  # fmt: skip
"""Before a verb: what it says is still to come."""
GONE = ("missing", "stolen", "been stolen", "gone", "lost", "vanished", "disappeared", "nowhere",
        "不见了", "不见", "丢了", "没了", "消失了", "被偷了", "desaparecido", "robado", "perdido", "desaparecida",
        "robada", "perdida")  # fmt: skip
"""Words that say that something is not there."""
FINDING = ("find", "found", "finds", "bring", "encuentra", "encuentran", "encontraba", "encontrar", "encontró", "找到",
           "找", "带")  # fmt: skip
"""Verbs whose object, denied, is not there: "can't find his hat", "did not bring an umbrella"."""
GOING = ("va", "van", "voy", "vamos", "vas", "iba", "iban", "íbamos", "fue", "fueron", "fuimos")
"""Forms of a Spanish verb that goes somewhere or is about to do something."""
GOES = ("walks", "runs", "climbs", "flies", "swims", "crawls", "sneaks", "jumps", "rides")
TOWARDS = {"a": "to", "hasta": "to", "hacia": "toward", "por": "through"}
"""Spanish prepositions that may end the phrase of a verb."""
HAD = ("had", "'d", "había", "habían", "habíamos")
"""Before a participle: it was done earlier."""
OVER = ("过", "完", "好")
"""After a Chinese verb: it is done."""
LIKENING = ("像", "好像", "仿佛", "如同", "犹如", "宛如")
"""Before a Chinese verb: it is only as if."""
YET = ("before", "antes de que", "so that", "para que")
"""Begin a clause of what is still to come."""
PARTICLES = ("out", "up", "down", "in", "off", "away", "along", "over", "round", "here", "there", "back")
"""Before a verb that its subject follows: "and out jumped two frogs"."""
CLITICS = {"lo": "he", "la": "she", "los": "they", "las": "they", "le": "", "les": "they"}
"""Spanish pronouns before a verb for whom it is done to."""
BODILY = ("digs", "waves", "points", "peeks", "runs", "walks", "holds", "takes", "writes", "paints", "pushes", "pulls",
          "plays", "works", "opens", "jumps", "dances", "looks")  # fmt: skip
"""Actions of which hands, feet and noses are said in the stead of their owner."""
HANDED_DOWN = ("cuentan", "dicen")
"""Verbs of telling with which a story itself begins where nobody is named who tells it: "cuentan que …"."""
TELLING = ("talks", "whispers", "shouts", "thinks", "writes")
"""Actions after which it may be told what is said, thought or written: "says that …", "asks if …"."""
OPENING = {
    "en": ("that", "if", "whether", "how", "what", "why", "about"),
    "es": ("que", "si", "cómo", "qué", "por qué", "sobre", "acerca de", "sobre el tema de"),
    "zh": (),
}
"""What opens it after the verb, or after whom it is told."""
REPORTED = ("i", "he", "she", "they", "it", "we", "there is", "there was", "there were", "there are")
"""What opens it right after a verb that says it: "said she was …"."""
SAYING = {
    "en": ("say", "said", "says", "think", "thinks", "thought"),
    "es": (),
    "zh": ("说", "讲", "告诉", "听说", "梦", "问"),
}
"""Verbs, and beginnings of Chinese ones, after which what is said may follow at once."""
ADDRESSING = ("告诉", "问")
"""Beginnings of Chinese verbs that whom it is told follows: 问老师 …"""
BACK = ("but", "then", "pero", "luego", "entonces", "但", "但是", "可是", "然后", "于是")
"""What leads back from it: "dreams of the sea, but …", "says how she feels, then …"."""
SAID = ("着", "完", "话", "笑")
"""Ends of Chinese verbs after which it does not."""
WORDY = ("writes", "reads")
"""Actions after which a colon opens words: "writes on the board: VOLCANO"."""
GAZING = ("eye", "eyes", "gaze", "ojo", "ojos", "mirada", "眼睛", "目光", "视线")
RAISED = ("hand", "arm", "paw", "mano", "brazo", "pata", "手", "胳膊", "爪子")
"""Parts of somebody that, where they go somewhere, look there or wave."""
PAIR = 2
"""As many as talk to each other where nobody is said to speak."""
PRESENCE = ("stands", "walks", "runs", "")
"""Actions that, denied, deny where one is: "is not at the beach"."""


def parse(text: str, company: Company, language: str, places: Mapping[str, str] = NO_PLACES) -> Sentence:
    """Read a line. `company` says who may be meant in it; `places` as of `units_of`."""
    units = units_of(text, company.aliases_in(text), language, places)
    if language == "zh":
        units = reordered(units)
    return _Walk(units, company, language).walk()


class _Walk(Details):
    def walk(self) -> Sentence:
        for at, unit in enumerate(self.units):
            kind = self.kind(at)
            if kind == "noun" and self.is_attribute(at):
                self.attribute(at)
                self._clues("", unit)
                continue
            if unit.text in BACK or self._turns(at, unit):
                self.telling = None
            elif self._opens(unit):
                self.telling = self.act
            self._read(kind, at, unit)
            if (kind == "verb" or self._addressed(at)) and self._tells(at, unit):
                self.telling = self.act
            self._clues(kind, unit)
            if unit.text in GONE or ("ends" in unit and unit.text.split(" ")[-1] in GONE):
                self._gone()
            if kind not in SILENT:
                self.previous = kind
        self._close()
        spoken = not self.units or any(unit.text == QUOTE for unit in self.units)
        done = any(act.action not in ("", "stands") for act in self.found.acts)
        if spoken and not done and len(self.company.members) <= PAIR:
            meant = self.meant[len(self.company.recent) :] or self.company.members  # only what they say is told
            self.found.acts.append(Act("talks", list(dict.fromkeys(meant))))
        self.found.moods = {**self.moved, **self.found.moods}
        self.found.meant = self.meant[len(self.company.recent) :]
        return self.found

    def _turns(self, at: int, unit: Unit) -> bool:
        """Whether a Chinese line turns after a comma from what is told to somebody: 妈妈说晚了，小美躺下."""
        if self.language != "zh" or not unit.name or at < 2 or self.units[at - 1].text not in ",，":
            return False
        return not self.units[at - 2].text.startswith(SAYING["zh"])

    def _addressed(self, at: int) -> bool:
        """Whether a Chinese noun is whom one asks or tells: 问老师 …"""
        unit = self.unit(at)
        heard = unit is not None and at > 0 and unit.value("things") in living()
        return heard and self.units[at - 1].text.startswith(ADDRESSING)

    def _opens(self, unit: Unit) -> bool:
        """Whether what is told begins here: "that" of "tells them that …", "if" of "asks if …"."""
        after = ("verb", "noun", "name", "somebody", *PRONOUNS)
        return self._may_tell() and unit.text in OPENING[self.language] and self.previous in after

    def _tells(self, at: int, unit: Unit) -> bool:
        """Whether what is told, dreamt or remembered follows a verb at once: "said she was …", "dice que", 梦见."""
        if not self._may_tell():
            return False
        remembers = self.act.action == "thinks" and "unreal" in self.act.manners
        if remembers or unit.text.endswith(" que"):
            return True
        if any(other.text == QUOTE for other in self.units):
            return False
        if self.language == "zh":
            verb = self.units[at - 1] if self._addressed(at) else unit
            says = verb.text.startswith(SAYING["zh"]) and not verb.text.endswith(SAID)
            return says and not self._addressed(at + 1)
        after = self.unit(at + 1)
        return unit.text in SAYING["en"] and after is not None and after.text in REPORTED

    def _may_tell(self) -> bool:
        act = self.act
        if act is None or (act.implied and act.word.partition(" ")[0] in HANDED_DOWN):
            return False
        return act.state == REAL and act.action in TELLING and self.telling is None

    def _gone(self) -> None:
        """ "one chick was missing", 帽子不见了: what was just named is not there."""
        for mention in self.subject or ([self.last] if self.last is not None else []):
            if mention.kind == "thing":
                mention.state = NEGATED

    def _clues(self, kind: str, unit: Unit) -> None:
        """What a unit tells of the place without naming it; a verb alone tells nothing."""
        done = (*unit.doing, *(unit.done if kind == "verb" else ()))
        state = self.act.state if self.act is not None else self.state
        self.found.clues += [Clue(number, state, doing=True) for number in done]
        alone = ("verb", "moods", "sizes", "colours") if self.language == "en" else ("verb",)  # "rocas rojas"
        bare = kind in alone and " " not in unit.text and self.language != "zh"
        if not unit.signs or bare or (kind == "unknown" and unit.noun):  # "Mia bats her eyes" in no cave
            return
        noun = self.last if kind in ("noun", "unknown", SURE) else None
        prep = noun.prep if noun is not None else self.prep
        state = NEGATED if self.mods.negated else self.state
        self.found.clues += [Clue(number, state, prep, noun) for number in unit.signs]

    def _read(self, kind: str, at: int, unit: Unit) -> None:
        if self._given(at, unit):
            self.act.action, self.mods = unit.value("actions"), Modifiers()
        elif kind == "mark":
            self._mark(unit)
        elif kind == "name":
            self.name(at, unit)
        elif kind == "verb":
            self._verb(at, unit)
        elif kind == "is" and self._goes(at, unit):
            self.single = not unit.text.endswith("n")
            self.begin("walks", frozenset(), self.state)
        elif kind == "is":
            self.be()
        elif kind == "noun":
            self.noun(at, unit)
        elif kind == "epithet":
            self.place(at, Mention("name", "", unit.text, self.company.nameless(self.named())), self.taken())
        elif kind == SURE:
            self._sure(unit)
        elif kind == "moment":
            self.moment(at, unit)
        elif kind in PRONOUNS:
            self.pronoun(at, kind, unit)
        elif kind in PREPOSITIONS:
            self._preposition(at, kind)
            self.middle, self.placed = unit.text in CENTRE, unit.text.startswith("在")
        elif kind in ("wheres", "distances"):
            self.position(at, kind, unit.value(kind))
        elif kind == "framings":
            self.found.framing = self.found.framing or unit.value(kind)
        elif kind == "medium":
            self.found.medium = unit.value("drawn") or unit.value("mediums")
        elif kind in ("the", "first", "same", "a", "other", "his", "my", "numbers", "colours", "sizes"):
            self.modify(at, kind, unit)
        elif kind == "airs":
            self.found.moments.append(Occasion("weathers", unit.value(kind), unit.text, self.state))
        elif kind == "moods":
            self.mood(at, unit.value(kind))
        elif kind == "not":
            self._not(at)
        elif kind == "and":
            self._and(at)
        elif kind == "while":
            self._while(at, unit)
        elif kind == "who":
            self._who()
        elif kind == "own":
            self._own(at)
        elif kind == "has":
            self.aux = self.aux or self.language == "es"  # "se ha subido"
        elif kind == "somebody":
            if unit.text in ("nothing", "nada") and self.act is not None and self.act.action == "talks":
                self.act.state = NEGATED  # "says nothing"
            if unit.text == "nadie":
                self.state = REAL  # "no hay nadie en la estación": the station is there
            self.place(at, Mention("plain", "", unit.text), self.taken())
        elif kind == "unknown":
            self._unknown(at, unit)
        elif self.mods.open and unit.verb and unit.form in (forms.ING, forms.PAST):
            self.mods.doing = unit.value("actions")

    def _given(self, at: int, unit: Unit) -> bool:
        """Whether what is given is something done to one: "gives Tom a shove", "gave the door a good kick"."""
        article = any("a" in before for before in self.units[max(0, at - 2) : at])
        action = unit.value("actions")
        done = bool(action) and (ACTIONS[action].pair or action in ("kicks", "pulls"))
        base = unit.form == forms.BASE or unit.forms.get("things") == SAME
        gives = self.act is not None and self.act.action == "gives" and self.mods.open and not self.prep
        return gives and article and done and base and self.language == "en"

    def _goes(self, at: int, unit: Unit) -> bool:
        """Whether Spanish "ir" is to go somewhere, and not to be about to: "van juntas al mercado"."""
        if self.language != "es" or unit.text not in GOING:
            return False
        ahead = itertools.takewhile(lambda other: not other.mark, self.units[at + 1 : at + 6])
        for one, two in itertools.pairwise(ahead):
            if "to" in one and not two.verb:
                return True
        return any(SURE in one and one.text.startswith("a ") for one in self.units[at + 1 : at + 3])

    def _over(self, at: int, action: str) -> bool:
        """Whether Chinese tells first what was done before: 吃过早饭，他们下地去了."""
        after = self.unit(at + 1)
        ended = self.units[at].text.endswith(OVER) or (after is not None and after.text in OVER)
        if self.language != "zh" or not ended or action in (*GOES, "looks", ""):
            return False
        marks = [number for number in range(at, len(self.units)) if self.units[number].mark]
        return bool(marks) and self.units[marks[0]].text in ",，" and any(u.verb for u in self.units[marks[0] :])

    def _earlier(self, at: int) -> bool:
        """Whether a participle tells of what was done before the story: "the bridge that he had built"."""
        return self.units[at].form == forms.PAST and any(unit.text in HAD for unit in self.units[max(0, at - 2) : at])

    def _close(self) -> None:
        """End a clause: what was to be said of a subject that never came is said of who is there alone."""
        alone = list(self.company.members) if len(self.company.members) == 1 else []
        for kind, value in self.waiting:
            for name in names_of(self.subject) or alone:
                getattr(self.found, kind).setdefault(name, value)
        self.waiting = []

    def _mark(self, unit: Unit) -> None:
        if unit.text in ".!?。！？;；…:：":
            wrote = self.act is not None and self.act.action in WORDY
            told = UNREAL if unit.text in ":：" and (wrote or self.state == UNREAL) else REAL
            self._close()
            self.clause()
            self.dangling = self.telling = None
            self.state = told
            return
        self.mods, self.prep, self.skyward = Modifiers(), "", False
        self.joined = unit.text in ",，、"
        if self.state == NEGATED and self.act is not None and unit.text in ",，":
            self.state = REAL  # "not scared one bit, holding up a lantern"
        if self.main is not None and unit.text in ",，":
            self.subject, self.main, self.act = self.main, None, None
        if self.language == "zh" and unit.text in ",，" and self.act is not None:
            self.clause()

    def _and(self, at: int) -> None:
        self.joined = True
        self.mods = Modifiers()
        after = self.next(at)
        if after is not None and after.verb and self.act is not None and not after.noun and after.form != forms.BASE:
            self.telling = None if self.telling is self.act else self.telling  # "dreams of the sea and wakes up"
            self.state, self.prep = REAL, ""

    def _while(self, at: int, unit: Unit) -> None:
        """A new clause; before a noun alone "after" and "as" are prepositions: "after school", "tall as a tower"."""
        nouns, verb = self._ahead(at)
        if unit.text == "before" and self._stands_before(at):
            self._preposition(at, "in front of")
            return
        if unit.text == "as" and nouns and not verb and self.previous in ("sizes", "moods", "colours", "while"):
            self.prep = "like"
        elif unit.text in ("after", "before", "después de", "antes de") and nouns and not (verb and nouns == 1):
            chasing = unit.text == "after" and self.act is not None and self.act.action in CHASING
            self.prep = "toward" if chasing else "for"
        else:
            self.clause()
            self.state = UNREAL if unit.text in YET else REAL

    def _stands_before(self, at: int) -> bool:
        """Whether "before" is said of something that stands there, "before the house", and of no time."""
        the, noun = self.unit(at + 1), self.unit(at + 2)
        if the is None or noun is None or not any(kind in the for kind in ("the", "a", "his")) or "times" in noun:
            return False
        nouns, verb = self._ahead(at)
        stands = any(kind in noun for kind in ("fixed", "buildings", "places")) or noun.value("things") in living()
        return stands and not (verb and nouns == 1)

    def _not(self, at: int) -> None:
        after = self.next(at)
        verb = after is not None and (after.verb or "is" in after or "has" in after)
        if verb or self.language == "zh" or self.previous == "is":
            self.state = NEGATED
        else:
            self.mods.negated = True

    def _who(self) -> None:
        if self.last is not None and self.last.kind in ("name", "thing"):
            self.main = self.subject
            self.subject, self.act, self.prep = [self.last], None, ""

    def _own(self, at: int) -> None:
        """ "Mia's", 的: who was just named owns what follows; what kind of place, says where it is."""
        after, last = self.next(at), self.last
        if self.language == "en" and after is not None and after.verb and after.form in (forms.ING, forms.PAST):
            self.be()
        elif last is None or self.previous not in ("name", "noun", *PRONOUNS):
            return
        elif last.kind == "name":
            self.mods.owner, self.mods.open = (last.names or [""])[0], True
            self.forget(last)
        elif last in self.found.mentions:
            last.attribute = True
            subject = self.language == "zh" and self.act is None and not self.placed
            self.prep = "" if subject else self.prep or (last.prep if last.prep != "for" else "")
            self.mods.open = True
            if last in self.subject:
                self.subject.remove(last)
            if last.kind == "thing" and self.language == "zh":
                self.found.mentions.remove(last)
                self._unrelate(last)

    def _unrelate(self, mention: Mention) -> None:
        """Of 盯着树上的小鸟 the bird is on the tree."""
        for name in self.actors():
            if self.found.relations.get(name) == (mention.prep, (mention.value,)) and self.act is not None:
                del self.found.relations[name]

    def be(self) -> None:
        self.aux = True
        if self.act is None or self.joined:
            self.begin("stands", frozenset(("is",)), self.state)

    def _verb(self, at: int, unit: Unit) -> None:
        action, manners = unit.value("actions"), frozenset(filter(None, [unit.value("manners")]))
        calls = action == "cries" or unit.text in ("calls", "called")
        if calls and any(before.text == QUOTE for before in self.units[max(0, at - 3) : at]):
            action = "shouts"  # "Halt!" he cried
        if unit.form == forms.FIRST:
            self._first_person(unit)
        if self.previous == "moment" and unit.form in (forms.ING, forms.THIRD) and not self._of_a_time(at):
            self.subject, self.act = [Mention("plain", "", "", role="subject")], None  # "rain drumming on the roof"
        manners |= self._bearing(at)
        if self.language == "zh" and unit.text.endswith("着") and self.act is None and not self.subject and self.last:
            manners |= {"exists"}  # 天上飘着风筝
        if self._led_by_particle(at):
            self.clause()
            self.before = []
        if self.prep == "without":
            self.state = NEGATED  # "sin decir nada"
        likened = self.language == "zh" and at > 0 and self.units[at - 1].text in LIKENING and self.state == REAL
        if likened:
            self.state = LIKE  # 像撒了一地的星星
        finite = unit.form in (forms.THIRD, forms.BASE, forms.FIRST)
        self.participle = not self.before if self.language == "zh" else not finite
        verb = unit.text.removeprefix("se ").split(" ")[0]
        self.plural = self.language == "es" and unit.form == forms.THIRD and verb.endswith("n")
        self.single = unit.form == forms.THIRD and not self.plural
        if "times" in unit and self.state == REAL:
            self.found.moments.append(Occasion("times", unit.value("times"), unit.text))  # "turns out the light"
        felt = unit.value("moods") if self.state == REAL else ""  # what is feared is not there, but the fear is
        self._act(at, unit, action, manners)
        if self.language == "zh" and "places" in unit:
            where = unit.value("places")  # 回家
            self.found.mentions.append(Mention("place", where, unit.text, prep=SURE, role="prep", act=self.act))
        if self.language == "en" and unit.form == forms.ING and self.previous in ("of", "for", "like"):
            self.act.state = self.act.state or UNREAL  # "tired of waiting", "thinks about flying"
        self.act.word = unit.text
        for mention in self.subject if unit.text.startswith(APPEARING) else ():
            mention.act = self.act if mention.kind == "place" else mention.act
        self.act.purpose = self.act.purpose or self._over(at, action) or self._earlier(at)
        for name in self.act.actors if felt else ():
            self.moved.setdefault(name, felt)
        if self.language == "es" and at and self.units[at - 1].text in CLITICS:
            self._done_to(at, self.units[at - 1].text)
        noun = (unit.senses["actions"].noun or self._object_in(unit)) if "actions" in unit else ""
        if noun and self.state == REAL:
            self.found.mentions.append(Mention("thing", noun, unit.text, role="object", act=self.act))
            self.hold(noun)
            if self.act.action in ("sits", "rides"):
                self.relate("in" if noun in hollow() else "on", [noun])
        if self.act.action and not ACTIONS[self.act.action].pair and not ACTIONS[self.act.action].holds:
            self.prep = _relation_in(unit.text, self.language, ends=True)  # "crouches behind"
        if self.language == "es" and self.act.action in GOES and not self.prep:
            self.prep = TOWARDS.get(unit.text.rpartition(" ")[2], "")  # "trepa hasta"
        if "unreal" in manners:
            self.state = UNREAL
        elif self.state == NEGATED and self.act.action not in PRESENCE and unit.text not in FINDING:
            self.state = REAL
        self.aux = False

    def _of_a_time(self, at: int) -> bool:
        """Whether a Spanish or Chinese verb comes after a time, which does nothing: "por la tarde corre Mia"."""
        return self.language != "en" and "weathers" not in self.units[at - 1]

    def _led_by_particle(self, at: int) -> bool:
        """ "… and out jumped two frogs": a verb after a particle that opens its clause."""
        before, particle, after = self.unit(at - 2), self.unit(at - 1), self.unit(at + 1)
        if self.language != "en" or self.act is None or particle is None or particle.text not in PARTICLES:
            return False
        opens = before is None or before.mark or "and" in before or "while" in before
        named = after is not None and (
            bool(after.name) or any(kind in after for kind in ("a", "the", "numbers", "his"))
        )
        return opens and named and self.units[at].form in (forms.PAST, forms.THIRD, forms.BASE)

    def _done_to(self, at: int, clitic: str) -> None:
        """Whom a Spanish pronoun before a verb means, unless it may be a thing of the line or is named after it: "le da
        una manzana a Tom"."""
        act = self.act
        indirect = clitic in ("le", "les")
        ahead = self.units[at + 1 :]
        ahead = ahead[: next((step for step, unit in enumerate(ahead) if unit.mark), len(ahead))]
        if indirect and at > 1 and self.units[at - 2].text == "se":
            return  # "se le cae el sombrero"
        if any("to" in unit and (after.name or "a" in after) for unit, after in itertools.pairwise(ahead)):
            return
        if not act.actors or (not indirect and any(mention.kind == "thing" for mention in self.found.mentions)):
            return
        if CLITICS[clitic]:
            names = self.company.pronoun(CLITICS[clitic], self.meant, act.actors)
        else:
            names = [name for name in reversed([*self.company.members, *self.meant]) if name not in act.actors][:1]
        act.toward += [name for name in names if name not in (*act.actors, *act.toward)]
        self.meant += names

    def _bearing(self, at: int) -> frozenset[str]:
        """ "due" of what must be done, "down" of who goes down: "down she dives", "swims down"."""
        before, after = [unit.text for unit in self.units[max(0, at - 2) : at]], self.unit(at + 1)
        due = {"due"} if before[-1:] and before[-1] in MUST else set()
        down = "down" in before or (after is not None and after.text in ("down", "hacia abajo"))
        return frozenset(due | ({"down"} if down or self.units[at].text.endswith(" down") else set()))

    def _first_person(self, unit: Unit) -> None:
        """Spanish "abracé", "corrimos": I, or we."""
        if names_of(self.subject) and (self.act is None or self.joined):
            return
        if self.act is not None:
            self.clause()
        several = any(word.endswith("mos") for word in unit.text.split())
        names = list(self.company.members) if several else self.narrator()
        self.subject = [Mention("name", "", unit.text, names, role="subject")]
        self.meant += names

    def _object_in(self, unit: Unit) -> str:
        """The thing that a phrase of a verb names, "take a bath"; "a gatas" names none."""
        if unit.value("actions") == "bows":
            return ""  # "take a bow"
        first = unit.text.split(" ")[0]
        return _thing_in(unit.text, self.language) if first in lexicon(self.language).verbs else ""

    def _act(self, at: int, unit: Unit, action: str, manners: frozenset[str]) -> None:
        """Begin the act of a verb: alone, or on what "is", "starts to", "wants to" or "watches her" began."""
        act, form = self.act, unit.form
        if act is None and self.last is not None and self.last.prep == "with" and form == forms.ING:
            self.aside = [(prep, mention) for prep, mention in self.aside if mention is not self.last]
            self.begin(action, manners, self.state, self.last.names)  # "with Bruno sneaking behind, …"
        elif act is None:
            self.begin(action, manners, self.state)
        elif (
            act.action == "stands" and self.aux and not (self.joined and names_of(self.subject) and form == forms.THIRD)
        ):
            self.found.acts.remove(act)  # the "is" of "is running"
            self.begin(action, manners, self.state, act.actors)
            self.act.passive = self.language != "zh" and form == forms.PAST and action not in STATES
        elif self._begins(act, form):
            if act in self.found.acts and act.action in ("stands", "", "walks", "runs", "works"):
                self.found.acts.remove(act)
            self.begin(action, manners, act.state or self.state, act.actors)
        elif form == forms.BASE and self.previous in ("to", "for", "verb") and self.language != "zh":
            asked = self.last if self.last is not None and self.last.role == "object" else None
            told = act.action in ("talks", "works") and asked is not None and bool(asked.names)
            state = UNREAL if told and act.action == "talks" else self.state  # "begs her to sing"
            self.begin(action, manners, state, asked.names if told else act.actors, purpose=True)
        elif self._watched(act, form):
            self.begin(action, manners, self.state, list(self.last.names))
        elif self.previous == "mark" and form == forms.ING and act.toward and "reaches" in act.manners:
            self.begin(action, manners, self.state, list(act.toward))  # "found him at the station, sitting …"
        elif self._seen_thing(act, form):
            seen = self.last
            self.begin(action, manners, self.state)
            self.act.actors, self.act.doers = [], [seen]  # "watches it drift away"
        elif self._taken_along(act, form):
            both = self.language == "zh"
            act.actors = act.actors if both else [name for name in act.actors if name not in self.last.names]
            self.begin(action, manners, self.state, [*(act.actors if both else ()), *self.last.names])
        else:
            self.begin(action, manners, self.state)

    def _begins(self, act: Act, form: str) -> bool:
        """ "starts to run", 去拿: the verb that follows is what is done."""
        if self.language == "zh":
            return self.previous == "verb" and (bool(act.manners & {"begins"}) or act.action == "walks")
        going_on = form == forms.BASE or (form == forms.ING and act.action in ("walks", "") and self.previous == "verb")
        return bool(act.manners & {"begins"}) and going_on and self.previous in ("to", "verb")

    def _taken_along(self, act: Act, form: str) -> bool:
        """ "with Ink sneaking behind": only he does; 带她去: both do."""
        if self.last is None or self.last.kind != "name" or self.previous not in ("name", "noun", *PRONOUNS):
            return False
        if self.language == "zh":
            return self.last.role == "object" and act.action in ("carries", "follows", "pulls", "holds")
        return self.last.prep == "with" and form == forms.ING

    def _seen_thing(self, act: Act, form: str) -> bool:
        last = self.last
        thing = last is not None and last.kind == "thing" and last.role == "object" and self.language == "en"
        if last is not None and last.kind == "thing" and last.prep == "with" and self.language == "en":
            return self.previous == "noun" and form == forms.ING  # "a cottage with smoke curling from it"
        return thing and "sees" in act.manners and self.previous in ("noun", "it") and form in (forms.BASE, forms.ING)

    def _watched(self, act: Act, form: str) -> bool:
        """ "watches Tom swim", "sees Tom, running": the object of seeing does it."""
        seen = bool(act.manners & {"sees", "begins"}) or act.action in ("looks", "listens", "works", "takes", "catches")
        named = self.last is not None and self.last.kind == "name" and self.last.role == "object"
        near = self.previous in ("name", "noun", *PRONOUNS) or (self.previous == "mark" and form == forms.ING)
        seen = seen or (self.language == "zh" and act.action in ("gives", "points"))  # 指给她看
        return seen and named and near and (form in (forms.BASE, forms.ING) or self.language == "zh")

    def begin(
        self, action: str, manners: frozenset[str], state: str, actors: Sequence[str] = (), purpose: bool = False
    ) -> None:
        """A new act of the clause's subject, or of `actors`."""
        action = self._of_limbs(action)
        of_things = any(mention.kind == "thing" for mention in self.subject)
        along = self.act.actors if self.language == "zh" and self.act is not None and not of_things else ()
        names = list(actors) or list(along) or names_of(self.subject) or self._limbed(action)
        implied = not names and not self.subject
        exists = "exists" in manners and implied
        if implied and not exists:
            owners = [mention.owner for mention in self.before if mention.owner in self.company.members]
            names = names_of(self.before) or owners  # 她的脚疼，坐下了
            self.subject = [] if self.language == "es" else list(self.before)
            if not names and (self.plural or not self.before) and action not in ("stands", ""):
                names = self._unnamed()
        self.act = Act(action, names, [], manners, state, purpose, implied=implied, number=len(self.found.acts))
        self.act.doers = [] if actors else [mention for mention in self.subject if mention.kind == "thing"]
        if len(self.subject) == 1 and self.previous not in ("mark", "moment") and "exists" not in manners:
            self.subject[0].acts = True
        self.found.acts.append(self.act)
        self.last, self.prep, self.mods, self.joined = None, "", Modifiers(), False
        self.dangling = (self.act, dict(self.found.relations)) if implied and self.participle and not exists else None
        if exists:
            return  # what was said before is of what comes: "behind the jar is a snake"
        self.led, self.aside = self.aside, []
        aside = self.led
        for prep, mention in aside:
            self.attach(prep, mention)

    def _unnamed(self) -> list[str]:
        """Who does what nobody is said to do: who is there alone; in English who was meant last where the verb tells of
        one, and in Spanish all where it tells of several. Else it is more often somebody else, or something."""
        if self.single and self.language == "en" and self.company.recent:
            return list(self.company.recent[-1:])
        if self.single and self.language == "es" and self.company.topic in self.company.members:
            return [self.company.topic]
        several = not self.single if self.language == "es" else self.single and self.language == "en"
        return list(self.company.members) if several or len(self.company.members) == 1 else []

    def _of_limbs(self, action: str) -> str:
        """What somebody does whose eyes or hand do it: "her eyes dart about", "his hand shot up"."""
        limb = self.subject[-1].word if self.subject and self.subject[-1].value == "body" else ""
        if limb in GAZING and action in GOES:
            return "looks"
        return "waves" if limb in RAISED and action in GOES else action

    def _limbed(self, action: str) -> list[str]:
        """Whose hand, foot or nose it is that does something: "her hands dig"."""
        limb = self.subject[-1] if self.subject else None
        if limb is None or limb.value != "body" or limb.owner not in self.company.members:
            return []
        if action not in BODILY and not self.joined:
            return []
        return [limb.owner]

    def _preposition(self, at: int, kind: str) -> None:
        if kind == "by" and not (self.act is not None and self.act.passive) and self.language == "en":
            kind = "next to"
        if kind == "for" and self.previous == "mark" and self.language == "en" and self.act is not None:
            self.clause()  # ", for snow was falling"
            return
        if kind == "of" and self.previous == "mark" and self.language == "en":
            self.state = UNREAL  # "they talk: of bees, of knees"
        if kind == "through" and self.act is not None and self.act.passive:
            kind = "by"  # Spanish "por"
        if self.joined and self.act is not None and self.leads(at):
            self.clause()  # "… and next to her Zix sleeps"
        if self.language == "zh" and self.previous == "from":
            return  # 从树上
        if self.units[at].text == "from behind" and self.act is not None and self.act.action in WATCHING:
            self.last = None  # "looks at the cake from behind a chair": whoever looks is there
            self.act.action = "peeks" if self.act.action == "looks" else self.act.action
        negated = self.mods.negated
        self.prep, self.mods = kind, Modifiers(negated=negated)

    def leads(self, at: int) -> bool:
        """Whether after the noun that follows somebody comes who does something: "behind a fern Ada sleeps"."""
        nouns, verb = self._ahead(at)
        return verb and nouns > 1

    def _ahead(self, at: int) -> tuple[int, bool]:
        """How many nouns follow in a row, and whether then a verb."""
        nouns = 0
        for unit in self.units[at + 1 :]:
            if unit.mark or self.is_small(unit):
                return nouns, False
            if unit.verb and not unit.noun and nouns:
                return nouns, True
            nouns += bool(unit.name or unit.noun or any(kind in unit for kind in PRONOUNS) or unit.text == "her")
        return nouns, False

    def _sure(self, unit: Unit) -> None:
        """A phrase that says where one is, preposition and all; what it names lies there: "in the bath"."""
        mention = Mention("place", unit.value(SURE), unit.text, prep=SURE, role="prep", state=self.state, act=self.act)
        if self.mods.negated:
            mention.state = NEGATED
        if self.prep == "from":
            mention.prep = "from"
        borne = self.last is not None and self.last.prep in ("in", "on") and bool(self.actors())
        if self.last is not None and self.last.kind == "thing" and self.previous == "noun" and not borne:
            mention.of = self.last
        if unit.text.startswith("to "):
            self.brought()
        self.prep, self.mods = "", Modifiers()
        self.passing(mention)
        mention.passing = mention.passing or self.skyward
        self.found.mentions.append(mention)
        thing = _thing_in(unit.text, self.language)
        prep = _relation_in(unit.text, self.language)
        if thing and thing != "house" and mention.prep == SURE:
            mention.thing, mention.count = thing, 3 if _is_plural(unit.text.split()[-1], self.language) else 1
            if prep and mention.state == REAL:
                self.attach(prep, mention)
        self.last = mention

    def _unknown(self, at: int, unit: Unit) -> None:
        """A word nobody knows: an adjective before a noun, else a noun, or after a subject a verb."""
        self.found.unread.append(unit.text)
        after = self.unit(at + 1)
        if self.language == "zh":
            if self.act is None and self.subject and after is not None and after.text in ("着", "了", "在"):
                self.begin("", frozenset(), self.state)
            return
        if not unit.text.isalpha():
            return
        if self.mods.open or self.prep:
            if after is None or after.mark or not (after.noun or not after.senses or "colours" in after):
                self.place(at, Mention("plain", "unknown", unit.text), self.taken())
        elif self.act is None and self.subject and (unit.text.endswith(("s", "ed", "ing")) or self.language == "es"):
            self.begin("", frozenset(), self.state)


@cache
def _relation_in(phrase: str, language: str, ends: bool = False) -> str:
    """The relation with which a phrase of place begins, "in front of the fire" → in front of, or one of a verb ends."""
    grammar = vocabulary()["grammar"]
    found = [
        (len(words), kind)
        for kind in RELATIONS
        for words in listed(grammar[kind][language])
        if (phrase.endswith(f" {words}") if ends else phrase.startswith(f"{words} "))
    ]
    beside = "next to" if language == "en" and phrase.startswith("by ") else ""
    return max(found)[1] if found else beside


def _singulars(word: str, language: str) -> list[str]:
    return forms.english_nouns(word) if language == "en" else [] if language == "zh" else [word.removesuffix("s")]


def _is_plural(word: str, language: str) -> bool:
    """Whether a word is the plural of a known noun."""
    return any(noun != word and noun in lexicon(language) for noun in _singulars(word, language))


@cache
def _thing_in(phrase: str, language: str) -> str:
    """The concept of the thing at the end of a phrase of place: "in the bath" → bathtub."""
    words = phrase.split()
    for start in range(1, len(words)):
        tail = [tuple(words[start:])]
        tail += [(*words[start:-1], noun) for noun in _singulars(words[-1], language)]
        for sense in (sense for key in tail for sense in lexicon(language).senses(key)):
            if sense.kind == "things" and sense.value not in lexicon(language).rare:
                return sense.value
    return ""
