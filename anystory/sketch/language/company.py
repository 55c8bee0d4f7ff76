"""Who can be meant in a panel: names, what pronoun stands for whom, and which nouns are members of the cast."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import cache, lru_cache

from anystory.sketch.language.lexicon import lexicon
from anystory.sketch.language.tokens import language_of, units_of
from anystory.sketch.words import listed, vocabulary

YOUNG = frozenset(("girl", "boy", "child", "baby"))
SIBLINGS = frozenset(("brother", "sister"))
BIRDS = frozenset(
    """owl crow raven parrot penguin duck duckling swan goose gosling eagle hawk sparrow robin seagull gull pelican
    flamingo rooster hen chicken chick canary pigeon dove stork heron magpie peacock ostrich woodpecker toucan
    swallow cormorant puffin""".split()  # noqa: SIM905 (bare words read better)
)
BEASTS = BIRDS | frozenset(
    """bear wolf fox dog puppy cat kitten horse pony donkey camel cow pig goat sheep lamb rabbit hare mouse rat squirrel
    hedgehog badger deer lion tiger leopard elephant giraffe monkey gorilla hippo crocodile snake dragon dinosaur
    octopus whale dolphin crab seal turtle tortoise frog toad snail monster troll alien""".split()  # noqa: SIM905
)
MACHINES = frozenset(("robot", "spaceship", "car", "train"))
WIDER = {
    "man": ("he", frozenset()),
    "woman": ("she", frozenset()),
    "grandfather": ("he", frozenset()),
    "grandmother": ("she", frozenset()),
    "bird": ("", BIRDS),
    "dog": (
        "",
        frozenset(
            ("puppy", "hound", "poodle", "terrier", "dachshund", "spaniel", "sheepdog", "bulldog", "beagle", "collie")
        ),
    ),
    "cat": ("", frozenset(("kitten",))),
    "horse": ("", frozenset(("pony", "foal"))),
    "fish": ("", frozenset(("carp", "goldfish", "shark"))),
    "animal": ("", BEASTS),
    "creature": ("", BEASTS),
    "beast": ("", BEASTS),
    "monster": ("", BEASTS),
}
"""Wider nouns for members of the cast: of which gender they are, or of which kinds."""
KIN = {
    **dict.fromkeys(("mother", "grandmother", "aunt"), ("she", True)),
    **dict.fromkeys(("father", "grandfather", "uncle"), ("he", True)),
    **dict.fromkeys(("sister", "daughter"), ("she", False)),
    **dict.fromkeys(("brother", "son"), ("he", False)),
}
"""Of which gender kin are, and whether they are grown up."""
GROWN = frozenset(
    """man woman father mother grandfather grandmother uncle aunt king queen teacher doctor nurse captain pirate witch
    wizard farmer baker sailor fisherman police officer knight cook driver coach robot soldier doll toy ghost dragon
    monster scientist professor inventor judge detective""".split()  # noqa: SIM905
)
"""Who is no girl and no boy."""
RECENT = 4
"""Members of the cast seen last among whom "she" is looked for before all others."""
ABBREVIATED = ("Mr", "Mrs", "Ms", "Dr", "St", "Sr", "Sra", "Dra", "Don", "Doña")
GRAMMAR_OF_DESCRIPTIONS = ("with", "in", "on", "who", "from", "like")


class Company:
    """The members of a panel's cast. `descriptions`: {name: description}, in the cast's order. `members` are those
    in the panel; the others' names are still names. `recent`: who was meant in the panel before, the latest last;
    `topic`: who did what was told there last; `seen`: who is known already, and so not "a bear"; `narrator`: who
    says "I", once that is known; `learned`: {name: "she" or "he"} of those whose descriptions do not tell, to which
    what the pronouns of the line tell is added."""

    def __init__(
        self,
        descriptions: Mapping[str, str],
        members: Sequence[str],
        recent: Sequence[str] = (),
        narrator: str = "",
        learned: dict[str, str] | None = None,
        topic: str = "",
    ) -> None:
        self.members = tuple(members)
        self.topic = topic
        self.seen: frozenset[str] = frozenset()
        learned = {} if learned is None else learned
        self.narrator = narrator
        self.recent = tuple(name for name in recent if name in self.members)
        self.aliases = aliases_of(tuple(descriptions))
        self._common = aliases_of(tuple(descriptions), common=True)
        self._kinds = {name: (*head_nouns(text), *titles(name)) for name, text in descriptions.items()}
        said = {name: gender(text) or gender(name) for name, text in descriptions.items()}
        self._genders = {name: value or learned.get(name, "") for name, value in said.items()}
        self._learned = learned

    def aliases_in(self, text: str) -> dict[str, str]:
        """What each name may be called in a text: parts of it that are words as well, "Drizzle" of Doctor Drizzle, only
        where they stand with a capital within a sentence, or as a noun without an article begin one."""
        shown = {part: name for part, name in self._common.items() if self._calls(part, text)}
        return {**shown, **self.aliases}

    def _calls(self, part: str, text: str) -> bool:
        """Whether a word of the language stands as a name in a text."""
        word = re.escape(part)
        if re.search(rf"(?<=[a-zà-ÿ,] ){word}\b", text):
            return True
        begins = re.search(rf"(?:^|[.!?…:;]\s+|[\"”»—]\s*){word}(?= (?:and )?[a-zà-ÿ])", text)
        return begins is not None and "things" in {sense.kind for sense in lexicon("en").senses((part.lower(),))}

    def pronoun(self, kind: str, last: Sequence[str], but: Iterable[str] = ()) -> list[str]:
        """Whom a pronoun means: `kind` is a key of the grammar, `last` who was meant before, the latest last, `but`
        who cannot be."""
        free = [name for name in self.members if name not in set(but)]
        if kind == "all":
            return list(self.members)
        if kind == "it" and self.lone_beast() and self.lone_beast()[0] in free:
            return self.lone_beast()
        if kind == "they":
            meant = [name for name in dict.fromkeys(last) if name in free]
            return meant if len(meant) > 1 else free
        others = [name for name in free if name != self.narrator] or free  # who says "I" is no "he"
        fitting = [name for name in others if self._genders[name] in (kind, "")]
        if not fitting and len(self.members) == 1:
            fitting = free  # nobody else is there to be meant
        recent = [name for name in reversed(last) if name in fitting]
        sure = [name for name in fitting if self._genders[name] == kind]
        exact = [name for name in recent if name in sure]
        people = [name for name in recent if kind != "it" and not BEASTS & set(self._kinds[name])]
        meant = (exact or sure or people or recent or fitting)[:1]
        if kind in ("she", "he") and meant and meant[0] in recent:
            self._learned.setdefault(meant[0], kind)
        return meant

    def _ageless(self, wanted: str) -> list[str]:
        """The only member who may be the girl or the boy of a line, though no description says so."""
        fit = [
            name
            for name in self.members
            if self._genders[name] in (wanted, "") and not (BEASTS | GROWN) & set(self._kinds[name])
        ]
        return fit if len(fit) == 1 else []

    def kin(self, concept: str, owner: str) -> list[str]:
        """Who of the panel is the mother, uncle, son … of `owner`: the only other grown one, or child, of that gender
        and of the same kind, beast or not; or nobody."""
        if concept not in KIN or owner not in self._kinds:
            return []
        wanted, grown = KIN[concept]
        beast = bool(BEASTS & set(self._kinds[owner]))
        fit = [
            name
            for name in self.members
            if name != owner
            and self._genders[name] in (wanted, "")
            and bool(BEASTS & set(self._kinds[name])) == beast
            and not (grown and (YOUNG | SIBLINGS) & set(self._kinds[name]))
            and not (not grown and GROWN & set(self._kinds[name]))
        ]
        return fit if len(fit) == 1 else []

    def nameless(self, named: Iterable[str]) -> list[str]:
        """The panel's only member who is not `named`, whom "the hero" means; or nobody."""
        free = [name for name in self.members if name not in set(named)]
        return free if len(free) == 1 else []

    def lone_beast(self) -> list[str]:
        """The panel's only animal, which a line may call "it"."""
        beasts = [name for name in self.members if BEASTS & set(self._kinds[name])]
        return beasts if len(beasts) == 1 else []

    def of_kind(self, concept: str, plural: bool, definite: bool = False) -> list[str]:
        """Who of the panel is an instance of a noun: "the bear", "the girls", "the children". `definite`: it was said
        with "the", and so may also be a wider noun for one of them: "the bird" of an owl."""
        found = [name for name in self.members if any(_is_a(kind, concept) for kind in self._kinds[name])]
        if not found and definite and concept in WIDER:
            gender, kinds = WIDER[concept]
            wide = [
                name
                for name in self.members
                if kinds & set(self._kinds[name])
                or (gender and self._genders[name] == gender and not YOUNG & set(self._kinds[name]))
            ]
            found = wide if len(wide) == 1 else []
        if concept in YOUNG and not found:
            wanted = {"boy": "he", "girl": "she"}.get(concept, "")
            fit = [name for name in self.members if (YOUNG | SIBLINGS) & set(self._kinds[name])]
            found = [name for name in fit if not wanted or self._genders[name] == wanted]
            found = found or (self._ageless(wanted) if definite and wanted else [])
        if concept == "child" and plural and len(found) < 2:
            found = [name for name in self.members if (YOUNG | SIBLINGS) & set(self._kinds[name])]
        return found if plural else found[:1]


class Everybody(Company):
    """The whole cast, as those whom a line may mean of whose panel nobody knows yet who is in it. `shown`: who has been
    in the story, the latest last; `pronouns`: which of them mean somebody in it. `named` is to be set to whom the
    line names."""

    def __init__(
        self,
        descriptions: Mapping[str, str],
        shown: Sequence[str],
        pronouns: frozenset[str],
        learned: dict[str, str],
    ) -> None:
        new = tuple(name for name in descriptions if name not in shown)
        super().__init__(descriptions, (*new, *shown), learned=learned)
        self.seen = frozenset(shown)
        self.named: tuple[str, ...] = ()
        self._shown, self.pronouns = tuple(shown), pronouns

    def pronoun(self, kind: str, last: Sequence[str], but: Iterable[str] = ()) -> list[str]:
        """Who "she" or "he" is: somebody of the line, else who was in the story last, of whom the description fits,
        else who may be of what nothing is said, people before animals. Words for several mean nobody here."""
        if kind not in self.pronouns:
            return []
        here = [*reversed(last), *self.named]
        before = [name for name in reversed(self._shown) if name not in here]
        fit = {name for name in self.members if self._genders[name] == kind} - set(but)
        may = {name for name in self.members if not self._genders[name]} - set(but)
        people = {name for name in may if not (BEASTS | MACHINES) & set(self._kinds[name])}
        choices = ((here, fit), (here, may), (before[:RECENT], fit), (before[:RECENT], people), (before, fit))
        choices += ((before, people), (before, may))
        return next(([name] for order, those in choices for name in order if name in those), [])

    def of_kind(self, concept: str, plural: bool, definite: bool = False) -> list[str]:
        """The only one who is an instance of a noun."""
        found = super().of_kind(concept, True, definite)
        return found if len(found) == 1 and not plural else []


def _is_a(kind: str, concept: str) -> bool:
    return kind == concept or kind.endswith(f" {concept}")  # a polar bear is a bear


def aliases_of(names: Sequence[str], common: bool = False) -> dict[str, str]:
    """What each name may be called: itself; of several words those that are no words of the language and no other
    name's, "Rook" for Captain Rook, or if `common`, those that are words as well; of three or four Chinese characters
    the last two."""
    parts = [part for name in names for part in dict.fromkeys(name.split()) if name != part]
    aliases = {name: name for name in names}
    for name in names:
        for part in name.split():
            book, word = lexicon("en"), part.lower()
            known = (word in book and word not in book.rare) or word in lexicon("es")
            if (
                part[:1].isupper()
                and len(part) > 1
                and part.strip(".") not in ABBREVIATED
                and parts.count(part) == 1
                and known == common
            ):
                aliases.setdefault(part, name)
        if not common and re.fullmatch(r"[\u3400-\u9fff]{3,4}", name):
            given = name[-2:]  # 小雨 of 林小雨, 婆婆 of 大象婆婆
            if not any(given in other for other in names if other != name):
                aliases.setdefault(given, name)
    return aliases


@cache
def head_nouns(description: str) -> tuple[str, ...]:
    """What a description says its character is: concepts, before any "with" or "in": "a girl with a cat" is a girl."""
    if not description.strip():
        return ()
    language = language_of(description)
    found: list[str] = []
    for unit in units_of(description, {}, language):
        if unit.mark or (language != "zh" and found and any(kind in unit for kind in GRAMMAR_OF_DESCRIPTIONS)):
            break
        if "things" in unit:
            found.append(unit.value("things"))
            last = unit
    if language == "es" or not found:
        return tuple(found[:1])
    narrower = lexicon(language).senses((last.text.split(" ")[-1],)) if " " in last.text else ()
    wider = (sense.value for sense in narrower if sense.kind == "things" and sense.value != found[-1])
    return (found[-1], *wider)  # a pirate captain is a captain as well


def titles(name: str) -> tuple[str, ...]:
    """The concepts that a name of several words holds: captain, of Captain Rook."""
    if " " not in name.strip():
        return ()
    language = language_of(name)
    units = units_of(name.lower(), {}, language)
    return tuple(unit.value("things") for unit in units if "things" in unit and unit.text not in lexicon(language).rare)


@lru_cache(1024)
def gender(description: str) -> str:
    """ "she", "he", or "" where a description does not say."""
    words = description.lower()
    language = language_of(description) if description.strip() else "en"
    nouns = [unit.text.lower() for unit in units_of(description, {}, language)] if description.strip() else []
    for key in ("she", "he"):
        known = listed(vocabulary()["genders"][key][language])
        if language == "zh" and any(word in words for word in known):
            return key
        if any(word in known for noun in nouns[:8] for word in (noun, *noun.split())):
            return key
    return ""
