"""What is said of nouns and of the moment: adjectives, moods, positions in the picture, times and weathers."""

from __future__ import annotations

from anystory.sketch.language import forms
from anystory.sketch.language.kinds import Modifiers, names_of
from anystory.sketch.language.nouns import Nouns
from anystory.sketch.language.parts import living
from anystory.sketch.language.sentence import LIKE, NEGATED, PRONOUNS, REAL, RELATIONS, UNREAL, Mention, Occasion
from anystory.sketch.language.tokens import Unit

BEARING = (
    *("shoulder", "shoulders", "back", "lap", "side", "feet", "arm"),
    *("hombro", "hombros", "lomo", "espalda", "regazo", "lado", "pies"),
)
"""Parts of another on or at which one is."""
RESTING = ("sits", "rides", "stands", "sleeps", "hides", "climbs", "jumps", "")
SAID_ALOUD = ("talks", "whispers", "shouts")
NOW = ("is", "'s", "was", "que", "está", "estaba", "hace")
"""Words after which a weather that is told of is that of the hour: "says that it is raining"."""
FALLING = ("在", "正在", "正", "又", "外面", "外头")
"""The same in Chinese, where it has no 了 after it."""
NOT_NOW = ("if", "whether", "when", "yesterday", "tomorrow", "cuando", "si", "ayer", "mañana", "会", "要", "明天", 
           "昨天", "问", "小时候", "以前", "那天", "故事")  # fmt: skip
"""Words after which it is not."""


class Details(Nouns):
    def modify(self, at: int, kind: str, unit: Unit) -> None:
        mods, last = self.mods, self.last
        after = self.unit(at + 1)
        if kind in ("a", "the", "numbers") and self.previous in ("noun", "name") and not self.joined:
            self.prep = "" if self.language != "zh" else self.prep  # "gives to Mia a balloon"
        named = self.found.mentions[-1] if self.found.mentions and self.previous == "verb" else None
        if kind == "colours" and named is not None and named.role == "object" and named.act is self.act:
            named.colour = named.colour or unit.value(kind)  # "paints the fence" is one verb
            return
        if kind in ("colours", "sizes") and last is not None and last.kind in ("thing", "place", "plain"):
            field = kind[:-1]
            behind = self.language == "es" and self.previous in ("noun", "colours", "sizes")
            if behind or (self.previous in ("noun", "is") and (after is None or not after.noun)):
                setattr(last, field, getattr(last, field) or unit.value(kind))
                return
        mods.open = not (kind == "colours" and self.previous == "is")
        if kind == "numbers":
            mods.count = int(unit.value(kind))
        elif kind == "colours":
            mods.colour = mods.colour or unit.value(kind)
        elif kind == "sizes":
            mods.size = unit.value(kind)
        elif kind == "his":
            self._his(at, unit)
        elif kind == "my":
            mods.owner, mods.which = (self.narrator() or [""])[0], mods.which or "his"
        elif mods.which not in ("other", "same", "first"):
            mods.which = kind

    def _his(self, at: int, unit: Unit) -> None:
        """A possessive, or "her" as an object: "throws her a ball"."""
        after = self.unit(at + 1)
        if unit.text == "her" and (
            after is None or after.mark or "a" in after or "numbers" in after or self.is_small(after)
        ):
            self.mods = Modifiers()
            self.pronoun(at, "she", unit)
            return
        sole = self.company.pronoun("she" if unit.text == "her" else "he", self.meant) if self.language == "en" else []
        owner = self._borne(after) or names_of(self.subject) or sole or self.meant[-1:]
        self.mods.owner, self.mods.which = (owner or [""])[0], self.mods.which or "his"

    def _borne(self, after: Unit | None) -> list[str]:
        """Whose shoulders one sits on: another's."""
        resting = self.act is None or self.act.action in RESTING
        subject = names_of(self.subject)
        direct = self.last is None or self.last in self.subject
        if not (
            resting and direct and subject and after is not None and after.text in BEARING and self.prep in RELATIONS
        ):
            return []
        return [name for name in reversed(self.meant) if name not in subject][:1]

    def mood(self, at: int, value: str) -> None:
        if (self.state != REAL and not self._of_oneself()) or self.mods.negated:
            self.mods.negated = False
            return
        after = self.unit(at + 1)
        if self.act is not None and (noun := self._described(at)):
            for name in self.company.of_kind(noun.value("things"), False, True):
                self.found.moods.setdefault(name, value)
            return
        if after is not None and after.name and not self.act:
            self.found.moods.setdefault(after.name, value)
            return
        for name in self.actors() or ([] if self.subject else names_of(self.before)):
            self.found.moods.setdefault(name, value)
        if not self.actors() and not self.subject:
            self.waiting.append(("moods", value))

    def _of_oneself(self) -> bool:
        """Whether what is told is how whoever says it feels: "says that she is tired"."""
        telling = self.telling
        if telling is None or self._state != REAL or telling.action not in SAID_ALOUD:
            return False
        named = self.last.names if self.last is not None else []
        return bool(telling.actors) and self.actors() == telling.actors and set(named) <= set(telling.actors)

    def _described(self, at: int) -> Unit | None:
        """Who lives that an adjective stands before: "the lonely hedgehog", 孤独的刺猬."""
        after = self.unit(at + 1)
        if self.language == "zh":
            noun = self.unit(at + 2) if after is not None and after.text == "的" else None
        else:
            noun = after if self.language == "en" and self.mods.open else None
        return noun if noun is not None and noun.value("things") in living() else None

    def position(self, at: int, kind: str, value: str) -> None:
        """ "on the left", "in the distance": of the noun before it, else of who acts, else of who comes next."""
        looking = self.act is not None and self.act.action in ("looks", "points", "listens") and self.previous != "mark"
        after = self.unit(at + 1)
        if self.state != REAL or (looking and (kind == "wheres" or self.language == "zh")):
            return
        fresh = self.previous in ("mark", "and", "start", "while") and after is not None
        far = kind == "distances" and self.language == "zh" and not self.prep
        if far and after is not None and after.text == "的":
            self.waiting.append((kind, value))  # 驶向远方的小岛
            return
        if fresh and (after.name or self.noun_follows(at) or after.text == "的" or (after.mark and self.subject == [])):
            if self.act is not None and not after.mark:
                self.clause()
            self.waiting.append((kind, value))
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
        elif self.actors() or self.subject:
            for name in self.actors():
                getattr(self.found, kind).setdefault(name, value)
            for mention in self.subject:
                setattr(mention, kind[:-1], value)
        else:
            self.waiting.append((kind, value))
        self.prep = ""

    def moment(self, at: int, unit: Unit) -> None:
        state = NEGATED if self.mods.negated or self.prep == "without" else self.state
        if "weathers" in unit and state != NEGATED and self._falls_now(at):
            state = REAL
        if self.prep == "like":
            state = LIKE
        elif self.prep in ("for", "of", "above") and self.last is not None and self.last.depicts:
            state = UNREAL
        if self._modifies(at):
            self.mods.open = True
            return
        for kind in ("times", "weathers"):
            if kind in unit:
                ended = kind == "weathers" and self._ended(at)
                denied = state if not (ended and state == NEGATED) else REAL
                value = "sunrise" if kind == "times" and self._fair_morning(at) else unit.value(kind)
                self.found.moments.append(Occasion(kind, value, unit.text, denied, ended and state != NEGATED))
        after = self.next(at)
        may = "weathers" in unit or (self.language != "es" and not names_of(self.subject))  # 爸爸半夜背着她
        acting = may and after is not None and (after.verb or "is" in after)
        if not self.prep and self.act is None and acting:
            self.subject = [Mention("plain", "", unit.text, role="subject")]  # "the snow falls"
        self.skyward = " " in unit.text and unit.text.split()[0] in ("sun", "moon", "sol", "luna")
        if self.state == NEGATED:
            self.state = REAL
        following = self.unit(at + 1)
        if self.language == "en" and following is not None and {"places", "buildings"} & set(following.senses):
            return  # "into the rainy street"
        self.prep, self.mods = "", Modifiers()

    def _falls_now(self, at: int) -> bool:
        """Whether somebody says what the weather is: "says that it is raining", "dice que llueve", 说下雨了."""
        telling = self.telling
        if telling is None or not telling.actors or self._state != REAL or telling.action not in SAID_ALOUD:
            return False
        told = self.units[at].text
        words = [unit.text for unit in self.units[:at]]
        after = self.unit(at + 1)
        if self.language == "zh":  # 说下雪最好玩 is of no hour
            begun = told.endswith("了") or (after is not None and after.text == "了")
            now = told.startswith("下") and (begun or words[-1] in FALLING)
        else:
            now = words[-1].split()[-1] in NOW
        return now and not told.endswith("rá") and not any(word in NOT_NOW for word in words)

    def _fair_morning(self, at: int) -> bool:
        """ "on a clear morning", which is how captions say that the sun is low; "one morning" is any hour of it."""
        air, article = self.unit(at - 1), self.unit(at - 2)
        told = air is not None and ("airs" in air or "weathers" in air)
        return self.units[at].text == "morning" and told and article is not None and "a" in article

    def _modifies(self, at: int) -> bool:
        """Whether a word of weather or time only describes a thing: "cloudy eyes", "light rain jacket"."""
        unit, after = self.units[at], self.unit(at + 1)
        if " " in unit.text or self.language == "zh":
            return False
        if self.language == "es":
            return self.previous == "noun" and self.last is not None and self.last.kind in ("thing", "plain")
        if (
            after is None
            or after.mark
            or any(kind in after for kind in ("skies", "weathers", "times", "places", "buildings"))
        ):
            return False
        return after.noun and not self.is_small(after) and not (after.verb and after.form != forms.BASE)

    def _ended(self, at: int) -> bool:
        """Whether the line says that a weather ends: "the rain stops", "it stopped raining", "after the storm"."""
        before: list[Unit] = []
        for unit in self.units[max(0, at - 3) : at]:
            before = [] if unit.mark else [*before, unit]
        if any(unit.text in ("after", "después de", "después", "tras", "desde") for unit in before[-2:]):
            return True
        near = before
        if not self.prep:
            for unit in self.units[at + 1 : at + 5]:
                if unit.mark or "and" in unit or "while" in unit:
                    break
                near.append(unit)
        return any("ends" in unit for unit in near)
