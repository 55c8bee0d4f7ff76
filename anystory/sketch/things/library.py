"""Finding the drawing that a word or a noun phrase asks for, in English, Chinese or Spanish."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path

from anystory.sketch.own_files import Stamp, stamps
from anystory.sketch.things import words
from anystory.sketch.things.drawing import LANGUAGES, LibraryDrawing, all_drawings
from anystory.sketch.things.own import look_of, own_drawings

Names = dict[str, LibraryDrawing]
"""Drawings by the key (`words.key`) of a name."""

_TOLD = 40
"""Words of a description in which a being is looked for: each is the beginning of phrases to try."""


class Library:
    """All drawings; those of the folder `own` (see `anystory.sketch.things.own`) are found first: `own` has them by the
    keys of their names, `looks` what each shows, as a hash, by its file. Raises `ThingError` or `ImageError` for a
    folder or a picture that cannot be used."""

    def __init__(self, own: Path | None = None) -> None:
        self.own: Names = {}
        self.looks: dict[str, str] = {}
        found = own_drawings(own) if own is not None else []
        drawn = [one.taking_after(self.find(one.like)) for one in found]
        self.looks = {str(one.drawing.file): look_of(one) for one in found}
        self.own = {words.key(name): drawing for one, drawing in zip(found, drawn, strict=True) for name in one.names}

    def find(self, phrase: str, languages: Sequence[str] = LANGUAGES) -> LibraryDrawing | None:
        """The drawing of what `phrase` names ("umbrella", "two old apple trees", 小狐狸, "la bruja"), or None where
        none fits. `languages`: those tried, in their order, where the words do not tell which they are."""
        order = _order(phrase, languages)
        # What is named outright in any language comes before what only ends like something in another.
        for language in order:
            if drawing := self._named(words.outright(phrase, language), language):
                return drawing
        for language in order:
            if drawing := self._named(words.readings(phrase, language), language):
                return drawing
        return None

    def candidates(self, phrase: str, count: int = 4, languages: Sequence[str] = LANGUAGES) -> list[LibraryDrawing]:
        """Up to `count` drawings for a described character ("an old king with a white beard"), the best first: what
        it names and variants of that, a whole being before its face, then, for a being, others of its kind that share
        most words with `phrase`. Empty where nothing of the description can be drawn."""
        found = self.find(phrase, languages) or self._any_being(phrase, languages)
        if found is None:
            return []
        broader = set(found.tags.get("en", ()))
        family = {found.concept, *(tag for tag in broader if words.key(tag) in _names()["en"])}
        tokens = words.key(phrase).split()
        told = {form for token in tokens for code in ("en", "es") for form in words.forms(token, code)}

        def rank(drawing: LibraryDrawing) -> tuple[bool, bool, bool, int, int]:
            tags = drawing.tags.get("en", ())
            kin = drawing.concept in family or not family.isdisjoint(tags)
            shared = len(told & _vocabulary(drawing)) + sum(name in phrase for name in drawing.names.get("zh", ()))
            broad = len(broader.intersection(tags))
            return (not kin, drawing.living and drawing.part != "whole", drawing is not found, -broad, -shared)

        pool = dict.fromkeys((*self.own.values(), *all_drawings()))
        like = [one for one in pool if one is found or (one.kind == found.kind and (found.living or not rank(one)[0]))]
        return sorted(like, key=rank)[:count]

    def _named(self, readings: Iterator[str], language: str) -> LibraryDrawing | None:
        names, tags = _names()[language], _tags()[language]
        for reading in readings:
            if drawing := self.own.get(reading) or names.get(reading) or tags.get(reading):
                return drawing
        return None

    def _any_being(self, phrase: str, languages: Sequence[str]) -> LibraryDrawing | None:
        """A being that is named anywhere in the first words of a phrase: "the girl next door" is a girl."""
        tokens = words.key(phrase).split()[:_TOLD] if not words.says_another_thing(phrase) else []
        for start in range(len(tokens)):
            drawing = self.find(" ".join(tokens[start:]), languages) or self.find(tokens[start], languages)
            if drawing is not None and drawing.living:
                return drawing
        return None


def own_library(folder: Path) -> Library:
    """The library with the drawings of a folder, read again when one of them has changed. Raises as `Library`."""
    return _own_library(folder, stamps(folder))


@lru_cache(maxsize=8)
def _own_library(folder: Path, files: tuple[Stamp, ...]) -> Library:
    return Library(folder)


def _order(phrase: str, languages: Sequence[str]) -> list[str]:
    """The languages that a phrase can be in, the likeliest first."""
    if words.is_chinese(phrase):
        return [language for language in languages if language == "zh"]
    spanish = words.looks_spanish(phrase)
    return sorted((one for one in languages if one != "zh"), key=lambda one: spanish and one != "es")


@lru_cache(maxsize=1)
def _names() -> dict[str, Names]:
    tables: dict[str, Names] = {language: {} for language in LANGUAGES}
    for drawing in all_drawings():
        tables["en"].setdefault(words.key(drawing.concept), drawing)
    for drawing in all_drawings():
        for language, names in drawing.names.items():
            for name in names:
                tables[language].setdefault(words.key(name), drawing)
    for name, drawing in list(tables["es"].items()):
        tables["es"].setdefault(words.unaccented(name), drawing)
    return tables


@lru_cache(maxsize=1)
def _tags() -> dict[str, Names]:
    tables: dict[str, Names] = {language: {} for language in LANGUAGES}
    for drawing in all_drawings():
        for language, tags in drawing.tags.items():
            for tag in tags:
                tables[language].setdefault(words.key(tag), drawing)
    return tables


@lru_cache(maxsize=4096)
def _vocabulary(drawing: LibraryDrawing) -> frozenset[str]:
    """The words of its English and Spanish names."""
    text = " ".join([drawing.concept, *drawing.names.get("en", ()), *drawing.names.get("es", ())])
    return frozenset(words.key(text).split())
