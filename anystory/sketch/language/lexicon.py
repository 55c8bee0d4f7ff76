"""The vocabulary of one language, ready to be looked up: phrases by their first word, longest first."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from anystory.sketch.language import forms
from anystory.sketch.scenery import MEDIUM_PHRASES, PLACES, TIME_PHRASES, WEATHER_PHRASES
from anystory.sketch.words import drawn, listed, objects, signs, things, vocabulary

WORD = re.compile(
    r"<own>|\d+[.,]\d+(?!\w)|\w+(?:-\w+)*(?:['’](?!s\b|ll\b|ve\b|d\b|s\b)\w+)?|['’](?:s|ll|ve|d)\b|['’]|[^\w\s]"
)
"""A word of a language written with spaces, a clitic, or a mark."""
ANY, OWN = "<any>", "<own>"
"""In a phrase: any determiner, any possessive."""
GAP = " "
"""In a phrase of doings.yaml: a few other words."""
DETERMINERS = {
    "en": frozenset(
        ("the", "a", "an", "this", "that", "his", "her", "its", "their", "our", "my", "your", "these", "those")
    ),
    "es": frozenset(
        ("el", "la", "los", "las", "un", "una", "su", "sus", "este", "esta", "ese", "esa", "mi", "unos", "unas")
    ),
    "zh": frozenset(),
}
POSSESSIVES = {
    "en": frozenset(("his", "her", "its", "their", "our", "my", "your", "one's")),
    "es": frozenset(("su", "sus", "mi", "mis", "tu")),
    "zh": frozenset(),
}
GOVERNING = (
    "in",
    "on",
    "under",
    "behind",
    "in front of",
    "next to",
    "at",
    "above",
    "between",
    "through",
    "to",
    "toward",
    "from",
)
"""The prepositions of words.yaml with which a phrase says where one is."""
SECTIONS = ("places", "times", "weathers", "airs", "mediums", "framings", "wheres", "distances", "sizes", "colours",
            "numbers", "moods", "actions", "manners", "grammar")  # fmt: skip
"""Sections of words.yaml that have words by key and language, the most telling first."""
SURE = "sure"
"""The sense of a phrase that says where the panel is, preposition and all."""
NEAR = "~"
"""Ends the key of a place that is only the nearest to what is said."""
ACTING = (
    *("sun", "moon", "star", "sky", "skies", "cloud", "rain", "snow", "fog", "mist", "flake", "thunder", "lightning"),
    *("day", "night", "dawn", "storm", "alarm", "weather", "heavens"),
)
"""First words of phrases of weather and time whose second word is a verb: "sun come out"."""
NO_VERBS = ("lugar", "hogar", "taller", "avatar", "mujer", "altar", "bazar", "pajar", "palmar", "pinar", "alquiler")
"""Spanish nouns that end like a verb."""


@dataclass(frozen=True)
class Sense:
    """One meaning of a phrase. `kind`: a section of words.yaml ("places", "times", "actions" …), a word of its
    `grammar`, "things", or `SURE`; `value`: the key there. `noun`: the concept of a thing that the phrase also
    names."""

    kind: str
    value: str
    noun: str = ""


def words_of(text: str, language: str) -> list[str]:
    """A phrase as its words, lower case: "Del lago" → de, el, lago; in Chinese the whole of it is one word."""
    text = text.lower().replace("’", "'").replace("one's", OWN)
    if language == "zh":
        return [text]
    found = WORD.findall(text)
    if language == "es":
        found = [part for word in found for part in {"del": ("de", "el"), "al": ("a", "el")}.get(word, (word,))]
    return found


class Lexicon:
    """All phrases of a language. `verbs`: {form: [(infinitive, kind of form)]} of every verb that is known;
    `rare`: nouns that only `objects` knows; `longest`: characters of the longest Chinese word, `reaches`: those of the
    longest that begins with each."""

    def __init__(self, language: str) -> None:
        self.language = language
        self.verbs: dict[str, list[tuple[str, str]]] = {}
        self._phrases: dict[tuple[str, ...], list[Sense]] = {}
        grammar = vocabulary()["grammar"]
        self._prepositions = {word for key in GOVERNING for word in listed(grammar[key][language])}
        for phrase, sense in self._entries():
            self._add(phrase, sense)
        self._add_drawn()
        english = objects() if language == "en" else ()
        self.rare = frozenset(
            word
            for word in english
            if word not in self
            and word not in self.verbs
            and not any(noun in self for noun in forms.english_nouns(word))
        )
        for word in self.rare:
            self._phrases[word,] = [Sense("things", word)]
        starts: dict[str, set[tuple[str, ...]]] = {}
        for key in self._phrases:
            starts.setdefault(key[0], set()).add(key)
        self.starts = {word: sorted(keys, key=lambda key: (-len(key), key)) for word, keys in starts.items()}
        self.signs = self._signs()
        self.longest, self.reaches = 0, dict[str, int]()
        if language == "zh":
            for word, *_ in self._phrases:
                self.reaches[word[0]] = max(len(word), self.reaches.get(word[0], 0))
            self.longest = max(self.reaches.values())

    def _add_drawn(self) -> None:
        """The names of drawings that mean nothing else, nor are the plural of what does, "friends"; in Chinese no
        single character, which may be a part of any word."""
        known = {kind.concept for kind in things()}
        plurals = self.language == "en"
        for kind in drawn():
            concept = self._concept(kind.concept, known)
            for phrase in kind.words[self.language]:
                words = tuple(words_of(phrase, self.language))
                told = {base for word in words for base in (word, *self._singular(word))} | {phrase[:1]}
                if any(sense.kind == "colours" for word in told for sense in self.senses((word,))):
                    continue  # "red apple", "manzana roja": an apple
                if plurals and len(words) == 1 and any(noun in known for noun in forms.english_nouns(phrase)):
                    continue
                known_as = self._phrases.get(words, [])
                free = words[0] not in self.verbs and (self.language != "zh" or bool(phrase[1:]))
                if free and all(sense.kind == "epithet" for sense in known_as):
                    self._phrases[words] = [*known_as, Sense("things", concept)]

    def _singular(self, word: str) -> list[str]:
        """What a word may be a form of as an adjective."""
        return [base for base in forms.spanish_nouns(word) if base] if self.language == "es" else []

    def _signs(self) -> dict[str, list[tuple[tuple[str, ...], int]]]:
        """The phrases of signs.yaml by their first word, in Chinese by their first character: (words, its number)."""
        found: dict[str, list[tuple[tuple[str, ...], int]]] = {}
        for number, sign in enumerate(signs()):
            for phrase in dict.fromkeys(sign.words[self.language]):
                words = tuple(phrase) if self.language == "zh" else tuple(words_of(phrase, self.language))
                if sign.doing and self.language != "zh":
                    words = tuple(part for word in words for part in (word, GAP))[:-1]
                found.setdefault(words[0], []).append((words, number))
        return found

    def senses(self, key: tuple[str, ...]) -> list[Sense]:
        return self._phrases.get(key, [])

    def __contains__(self, word: str) -> bool:
        return (word,) in self._phrases

    def _entries(self) -> Iterator[tuple[str, Sense]]:
        """Every phrase of the vocabulary with its sense, the most telling first."""
        book, language = vocabulary(), self.language
        if language == "en":
            yield from self._captions()
        yield from ((phrase, Sense("nothing", "")) for phrase in listed(book["nothing"][language]))
        for section in SECTIONS:
            for name, entry in book[section].items():
                kind = str(name) if section == "grammar" else section
                for phrase in listed(entry[language]):
                    words, _, noun = phrase.partition("=")
                    sure = section == "places" and self._begins_with_preposition(words)
                    yield words, Sense(SURE if sure else kind, str(name), noun)
        for section in ("outside", "inside"):
            for phrase in listed(book[section][language]):
                yield phrase, Sense(SURE if self._begins_with_preposition(phrase) else "places", section)
        for name, entry in book["nearest"].items():
            yield from ((phrase, Sense("places", f"{name}{NEAR}")) for phrase in listed(entry[language]))
        for number, entry in enumerate(book["buildings"]):
            yield from ((phrase, Sense("buildings", str(number))) for phrase in listed(entry[language]))
        for section in ("skies", "ends"):
            yield from ((phrase, Sense(section, "")) for phrase in listed(book[section].get(language, "")))
        known: set[str] = set()
        told: dict[str, str] = {}
        colours = {word for entry in book["colours"].values() for word in listed(entry["zh"])}
        for kind in things():
            concept = self._concept(kind.concept, known)
            known.add(kind.concept)
            for phrase in kind.words[language]:
                kind_of = told.get(phrase[1:], "").split()[-1:]
                if language == "zh" and phrase[0] in colours and kind_of == concept.split()[-1:]:
                    continue  # 红灯笼: a lantern
                told.setdefault(phrase, concept)
                yield phrase, Sense("things", concept)

    @staticmethod
    def _captions() -> Iterator[tuple[str, Sense]]:
        """What the painter's own captions say, in English."""
        for name, place in PLACES.items():
            yield from ((phrase, Sense(SURE, name)) for phrase in place.phrases)
            yield re.sub("^(?:an?|the) ", "", place.empty), Sense("places", name)
        for section, phrases in (("times", TIME_PHRASES), ("weathers", WEATHER_PHRASES), ("drawn", MEDIUM_PHRASES)):
            for name, several in phrases.items():
                yield from ((phrase, Sense(section, name)) for phrase in several if phrase)

    def _begins_with_preposition(self, phrase: str) -> bool:
        first, *more = words_of(phrase, self.language)
        return bool(more) and (first in self._prepositions or first in ("by", "off"))

    @staticmethod
    def _concept(english: str, known: set[str]) -> str:
        """The concept's name, that of one before where the two are the same noun in another number."""
        return next((word for word in forms.english_nouns(english) if word in known), english)

    def _add(self, phrase: str, sense: Sense) -> None:
        words = words_of(phrase, self.language)
        if self.language == "en" and sense.kind == "weathers" and len(words) == 1:
            self._learn(words[0])
        if self.language == "en" and sense.kind in ("times", "weathers") and words[0] in ACTING and len(words) > 1:
            self._learn(words[1])
        if sense.kind in ("actions", "manners", "ends") or (
            sense.kind in ("times", "weathers", "moods") and len(words) == 1
        ):
            words = self._verb(words, learn=sense.kind in ("actions", "manners"))
        if self.language == "es" and sense.kind not in ("actions", "manners"):
            self._verbs_within(words)
        if sense.kind not in ("nothing", *vocabulary()["grammar"]) and len(words) > 1:
            words = [ANY if word in DETERMINERS[self.language] else word for word in words]
        found = self._phrases.setdefault(tuple(words), [])
        if sense not in found and not (sense.kind == "things" and any(other.kind == "things" for other in found)):
            found.append(sense)

    def _verb(self, words: list[str], learn: bool) -> list[str]:
        """Learn the forms of the verb a phrase begins with; "sentarse" goes without its pronoun."""
        first = words[0]
        if self.language == "es":
            at = 1 if first == "se" and len(words) > 1 else 0
            verb = words[at]
            bare, clitics = forms.spanish_clitics(verb)
            if clitics:
                verb = bare
            words = [*words[:at], verb, *words[at + 1 :]]
            if learn and verb[-2:] in ("ar", "er", "ir", "ír"):
                self._learn(verb)
        elif self.language == "en" and learn:
            self._learn(first)
        return words

    def _verbs_within(self, words: list[str]) -> None:
        for word in words:
            if len(word) > 3 and word[-2:] in ("ar", "er", "ir") and word not in NO_VERBS:
                self._learn(word)

    def _learn(self, verb: str) -> None:
        if self.language == "es":
            known = forms.spanish_verb(verb)
            pairs = [(form, (verb, kind)) for form, kind in known.items()]
        else:
            pairs = _irregular().get(verb) or [(form, (verb, kind)) for form, kind in forms.verb_forms(verb).items()]
        for form, pair in pairs:
            if pair not in self.verbs.setdefault(form, []):
                self.verbs[form].append(pair)


@cache
def _irregular() -> dict[str, list[tuple[str, tuple[str, str]]]]:
    """English verbs whose forms are listed: {infinitive: [(form, (infinitive, kind of form))]}."""
    found: dict[str, list[tuple[str, tuple[str, str]]]] = {}
    for form, pairs in forms.english_verbs().items():
        for pair in pairs:
            found.setdefault(pair[0], []).append((form, pair))
    return found


@cache
def lexicon(language: str) -> Lexicon:
    """The lexicon of "en", "zh" or "es", made once."""
    return Lexicon(language)
