"""What a preposition governs: with whom, to whom, behind what, and what is in the hands."""

from __future__ import annotations

from anystory.sketch.language.parts import SentenceParts, fixtures, hollow, living, targets_of
from anystory.sketch.language.sentence import ALONE, LIKE, NEGATED, REAL, RELATIONS, STILL, UNREAL, Act, Mention

CONTAINERS = ("cup", "glass", "bottle", "bowl", "jar", "pot", "teapot")
"""What is seen of "a cup of tea"."""
CARRIED = ("back", "shoulders", "shoulder", "背", "肩上", "肩膀", "背上", "hombros", "espalda", "lomo", "cuestas")
BESIDE = ("side", "feet", "heels", "elbow", "lado", "pies")
"""At which one is next to somebody."""
STEADY = ("reads", "eats", "drinks", "plays", "holds", "sings", "paints", "writes", "cooks", "hugs", "carries")
"""Actions that leave a thing where the one who does them is."""
GRASPING = ("dives", "jumps", "runs", "takes", "catches", "climbs", "crawls")
"""Actions that are done for what is there: "dives for the ball"."""
FIGURES = ("wall", "blanket", "curtain", "carpet", "sheet", "ocean")
"""What is only a manner of speaking where it is of something: of dust, of snow."""
WIDE = (
    "forest",
    "sea",
    "desert",
    "mountains",
    "jungle",
    "city",
    "snow",
    "space",
    "sky",
    "field",
    "lake",
    "river",
    "ice",
)
"""Places in whose middle one is anywhere in the picture."""


class Relations(SentenceParts):
    def _grasped(self, mention: Mention) -> bool:
        """Whether what comes after "for" is there to be had: "dives for the ball", "reaches for the jar"."""
        return mention.which in ("the", "his") and self.act is not None and self.act.action in GRASPING

    def governed(self, mention: Mention) -> None:
        prep, act, before = self.prep, self.act, self.last
        if prep == "of" and before is None and act is None and self.found.framing:  # "a close-up of Mia"
            self.as_subject(mention)
            return
        mention.prep, mention.role = prep, "prep"
        if prep == "like":
            mention.state = LIKE
        elif prep == "without":
            mention.state = NEGATED
        elif (prep == "for" and mention.kind == "thing" and self.language == "en" and not self._grasped(mention)) or (
            prep in ("for", "of", "above", "with") and before is not None and before.depicts
        ):
            mention.state = UNREAL
        if prep == "of" and before is not None and self._of(mention, before):
            return
        if prep == "with" and before is not None and before.kind == "thing" and mention.kind == "thing":
            mention.of = before  # "a bone with a ribbon"
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
        if mention.kind == "place" and prep == "to":
            self.brought()
        if self.waiting and mention.kind == "place":
            self.come(mention)
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
        if before.value in FIGURES and mention.kind != "name" and self.previous in ("of", "colours", "sizes"):
            before.state = LIKE  # "a wall of dust"
        if mention.kind == "name":
            before.owner = mention.names[0] if mention.names else ""
            mention.names = []
            mention.prep = before.prep or mention.prep
            return True
        if before.part and before.kind == "place" and mention.kind == "place":
            mention.prep, mention.role, before.attribute = before.prep, before.role, True  # "the roof of the cave"
        if before.value in CONTAINERS and mention.kind == "thing" and mention.count == 1:
            mention.state = UNREAL
        if mention.kind == "place" and before.value in ("inside", "outside"):
            mention.prep = before.prep  # "through the window of the hut"
        elif mention.kind == "place" and before.kind in ("thing", "plain") and not before.depicts:
            anchor = before
            while anchor.prep == "of" and anchor.of is not None:
                anchor = anchor.of
            if anchor.prep in (*RELATIONS, "through"):
                mention.prep, mention.role = anchor.prep, "prep"  # "en un banco del parque"
            elif before.value in fixtures():
                mention.prep = "from" if anchor.prep == "from" else "at"  # "opens the door of the bakery"
        if mention.prep == "of" and (before.value == "part" or before.kind == "plain"):
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
                self.as_object(mention)
            return
        if (
            act is not None
            and mention.kind in ("thing", "plain")
            and prep == "by"
            and (act.passive or self.language == "zh")
        ):
            act.toward, act.actors = list(act.actors), []
        if act is not None and mention.kind == "name":
            self._with_somebody(prep, mention, act)
        if mention.kind == "thing" and prep == "with" and mention.state == REAL and mention.value not in living():
            if act is not None and act.doers and not act.actors and mention.of is None:
                mention.held_by = act.doers[0].value  # "the gardener greets Tom with his hat"
                return
            other = before is not None and before.kind == "name" and before.role != "subject"
            for name in before.names if other else self.actors():
                self.found.holds.setdefault(name, mention.value)
        if prep in ("from", "of") and act is not None and act.action == "peeks":
            prep = "in"  # "peeks out of a box"
        elif prep == "from" and act is not None and act.action in STILL and mention.owner:
            prep = "in" if mention.value in hollow() else "on"  # "points from Dad's shoulders"
        elif prep == "above" and act is not None and act.action == "peeks":
            prep = "behind"
        if prep == "at" and mention.word in BESIDE and mention.owner not in ("", *self.actors()):
            prep = "next to"
        if prep in RELATIONS and prep != "at" and mention.state == REAL:
            self._locate(prep, mention, before)

    def _with_somebody(self, prep: str, mention: Mention, act: Act) -> None:
        if prep == "with":
            act.actors = [*act.actors, *(name for name in mention.names if name not in act.actors)]
        elif prep == "by":
            act.toward, act.actors, act.passive = list(act.actors), list(mention.names), False
        elif prep in ("to", "toward", "at"):
            act.toward += [name for name in mention.names if name not in act.actors]

    def _locate(self, prep: str, mention: Mention, before: Mention | None) -> None:
        """ "behind the tree": of the thing just named, else of who acts."""
        targets, act = targets_of(mention), self.act
        if prep in ("left of", "right of"):
            self._beside(prep, targets, mention)
            return
        if prep == "on" and act is not None and act.action in ("carries", "holds") and mention.word in CARRIED:
            self._carried(act)
            return
        grasped = mention.value == "body" and before is not None and before.kind == "thing"
        if grasped and prep in ("in", "between"):  # "a sausage in his mouth"
            for name in self.actors():
                self.found.holds.setdefault(name, before.value)
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
