"""The vocabulary of the sketch: what words.yaml, verbs.yaml, signs.yaml, things.tsv and emoji.tsv hold, as tables.

`ACTIONS` tells what each action is done with; `things` what can lie about, and how tall it is; the rest is for the
reading.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from anystory.sketch.things.drawing import all_drawings
from anystory.supplies import read_yaml

LANGUAGES = ("en", "zh", "es")
DEFAULT_HEIGHT = 1.2
"""Metres; of a character whose description names no kind that is known: about a child, which fits most casts."""
SIZES = {"tiny": 0.4, "small": 0.7, "big": 1.35, "huge": 2.0}
"""By how much a size word in a description changes a kind's height."""

_FOLDER = Path(__file__).parent


@dataclass(frozen=True)
class Action:
    """What an action tells of the words around it. `pair`: it is done with or to somebody, the role's `toward`.
    `holds`: what it is done to is in the hands. `rank`: of several actions of one member the highest is shown."""

    pair: bool = False
    holds: bool = False
    rank: int = 0


@dataclass(frozen=True)
class Kind:
    """Something that can be drawn: `words` by language, the `height` in metres of a living thing or a vehicle."""

    concept: str
    words: Mapping[str, tuple[str, ...]]
    height: float | None = None


def listed(text: str) -> tuple[str, ...]:
    """The words of "a, b, c"; none of ""."""
    return tuple(word for word in (part.strip() for part in text.split(",")) if word)


@cache
def vocabulary() -> Mapping[str, Any]:
    """words.yaml as it is written, its actions with the verbs of verbs.yaml after their own."""
    book = read_yaml(_FOLDER / "words.yaml")
    for action, verbs in read_yaml(_FOLDER / "verbs.yaml").items():
        entry = book["actions"][action]
        entry |= {language: f"{entry[language]}, {words}" for language, words in verbs.items()}
    return book


@dataclass(frozen=True)
class Sign:
    """What tells a place that is not named. `at`: the places where it is seen, the one it leads to first; `sure`: it
    tells much of it; `moves`: it does so wherever the story is; `things`: concepts; `words`: phrases by language;
    `doing`: they say what one does there, and between their words others may stand: "waters the thirsty flowers"."""

    at: tuple[str, ...]
    sure: bool
    moves: bool
    things: tuple[str, ...]
    words: Mapping[str, tuple[str, ...]]
    doing: bool = False


@cache
def signs() -> tuple[Sign, ...]:
    """signs.yaml and doings.yaml, what is done first, then what is sure."""
    book = read_yaml(_FOLDER / "signs.yaml")
    done = tuple(
        Sign(
            listed(entry["at"]),
            True,
            True,
            (),
            {language: _spelled_out(entry.get(language, "")) for language in LANGUAGES},
            True,
        )
        for entry in read_yaml(_FOLDER / "doings.yaml")
    )
    seen = tuple(
        Sign(
            listed(entry["at"]),
            key != "likely",
            key == "sure",
            listed(entry["things"]),
            {language: listed(entry[language]) for language in LANGUAGES},
        )
        for key in ("sure", "carried", "likely")
        for entry in book[key]
    )
    return done + seen


def _spelled_out(text: str) -> tuple[str, ...]:
    """The phrases of "pick/eat apple/pear, mow lawn": "pick apple", "pick pear" …"""
    return tuple(
        " ".join(words)
        for phrase in listed(text)
        for words in itertools.product(*(part.split("/") for part in phrase.split(" ")))
    )


@cache
def things() -> tuple[Kind, ...]:
    """The drawable nouns: first those of things.tsv, written by hand, then those of emoji.tsv, which Unicode names.
    A word belongs to the first that has it."""
    found = []
    for name in ("things.tsv", "emoji.tsv"):
        for line in (_FOLDER / name).read_text(encoding="utf-8").splitlines():
            if line and not line.startswith("#"):
                concept, metres, *words = line.split("\t")
                by_language = dict(zip(LANGUAGES, map(listed, words), strict=True))
                by_language["en"] = (concept, *by_language["en"])
                found.append(Kind(concept, by_language, float(metres) if metres else None))
    return tuple(found)


@cache
def drawn() -> tuple[Kind, ...]:
    """What else the library of drawings can show, by its names; of what `things` has, the concept is that one's."""
    known = {word: kind.concept for kind in reversed(things()) for word in kind.words["en"]}
    return tuple(
        Kind(
            known.get(drawing.concept, drawing.concept),
            {language: drawing.names.get(language, ()) for language in LANGUAGES}
            | {"en": (drawing.concept, *drawing.names.get("en", ()))},
            drawing.height if drawing.living or drawing.kind == "vehicle" else None,
        )
        for drawing in all_drawings()
        if drawing.part == "whole" and drawing.kind not in ("mark", "weather", "space", "nature")
    )


@cache
def objects() -> tuple[str, ...]:
    """Further English nouns of drawable things, without names in other languages."""
    lines = (_FOLDER / "objects.txt").read_text(encoding="utf-8").splitlines()
    return tuple(line for line in lines if not line.startswith("#"))


def _actions() -> dict[str, Action]:
    fields = Action.__dataclass_fields__
    return {
        name: Action(**{field: value for field, value in entry.items() if field in fields})
        for name, entry in vocabulary()["actions"].items()
    }


ACTIONS: Mapping[str, Action] = _actions()
