"""What a panel is told to show apart from its line, as `[shows: forest; night; rain; close-up; Mia sits; Mia happy]`:
words of the vocabulary of the sketch in English, Chinese or Spanish, which win over what the line says."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from anystory.sketch.words import LANGUAGES, listed, vocabulary
from anystory.story.names import folded

SECTIONS = {"shot": "framings", "time": "times", "weather": "weathers", "place": "places"}
"""The kinds of what a panel shows, and where words.yaml has them; of a word that is in two the first counts."""

ROLES = {"does": "actions", "mood": "moods"}
"""The kinds of what somebody of the cast shows."""


@dataclass(frozen=True)
class Direction:
    """One thing that a panel is told to show: `kind` of `SECTIONS` or `ROLES`, of `who`, "" for the panel, `key` of
    words.yaml, for which the `words` stood, in lower case."""

    kind: str
    key: str
    words: str
    who: str = ""


def told(words: str, names: Iterable[str] = ()) -> Direction | None:
    """What a part of `[shows: …]` means in a panel with `names`; None for nothing."""
    said = folded(words)
    for name in sorted(names, key=len, reverse=True):
        rest = said.removeprefix(folded(name)).strip()
        if rest != said and (found := _known(ROLES, rest)):
            return Direction(*found, rest, name)
    found = _known(SECTIONS, said)
    return Direction(*found, said) if found else None


def all_told(shows: Sequence[str], names: Sequence[str]) -> dict[tuple[str, str], str]:
    """The keys that a panel is told to show, by their kind and by whose they are, "" for the panel's; of two of a kind
    the last."""
    found = (told(words, names) for words in shows)
    return {(one.kind, one.who): one.key for one in found if one}


def offered(kind: str) -> tuple[str, ...]:
    """The keys of a kind that are there to be chosen."""
    section = {**SECTIONS, **ROLES}[kind]
    return tuple(_labels(section) if kind == "does" else vocabulary()[section])


def label(kind: str, key: str, language: str) -> str:
    """What a key is called in one of `LANGUAGES`, in words that `told` understands so."""
    section = {**SECTIONS, **ROLES}[kind]
    names = _labels("others") | _labels(section) if kind == "does" else _labels(section)
    if chosen := names.get(key, {}).get(language):
        return chosen
    words = (key,) if language == "en" else listed(vocabulary()[section][key].get(language, ""))
    return words[0].partition("=")[0] if words else key


def _labels(section: str) -> dict[str, Mapping[str, str]]:
    return vocabulary()["labels"].get(section, {})


def _known(sections: Mapping[str, str], words: str) -> tuple[str, str] | None:
    return next(((kind, _table(name)[words]) for kind, name in sections.items() if words in _table(name)), None)


@cache
def _table(section: str) -> Mapping[str, str]:
    """Every word of a section and what it is for."""
    entries = vocabulary()[section]
    named = _labels("others") | _labels(section) if section == ROLES["does"] else _labels(section)
    table = {folded(words): key for key, by in named.items() for words in by.values()}
    table |= {folded(key): key for key in entries}
    for key, entry in entries.items():
        for language in LANGUAGES:
            for words in listed(entry.get(language, "")):
                table.setdefault(folded(words.partition("=")[0]), key)
    return table
