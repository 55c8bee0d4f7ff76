"""A story's own drawings in its shots: what a line calls by the name of one of them is drawn so."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

from anystory.sketch.language.tokens import language_of, narrated, units_of
from anystory.sketch.language.traditional import simplified
from anystory.sketch.things import Library, LibraryDrawing, own_library
from anystory.sketch.things.words import forms, is_chinese, key
from anystory.story.prompt import find_names
from anystory.story.shot import Shot, Thing


def with_own(shot: Shot, text: str, cast: Sequence[str], folder: Path) -> Shot:
    """The shot of the line `text` with the drawings of `folder` for what it names. A made-up name, which reading cannot
    know, or the moon is put beside the others, unless it is one of the `cast`; of a known noun reading says whether it
    is there. Raises `ThingError` or `ImageError` for a drawing that cannot be used."""
    library, things = own_library(folder), list(shot.things)
    text = _beside_names(text, cast)
    for name in sorted(library.own, key=lambda name: (-len(name), name)):
        if not _said(name, text):
            continue
        meant = next((i for i, thing in enumerate(things) if not thing.own and _is(thing, name)), None)
        if meant is not None:
            things[meant] = _as(things[meant], library, library.own[name])
        elif not _concept(name) and not any(_is(thing, name) for thing in things):
            things.append(_as(Thing(name, name), library, library.own[name]))
    for i, thing in enumerate(things):  # said in another language than the drawing is named in
        drawing = library.own.get(key(thing.concept))
        if drawing is not None and not thing.own:
            things[i] = _as(thing, library, drawing)
    unread = tuple(word for word in shot.unread if not any(_said(name, word) for name in library.own))
    return replace(shot, things=tuple(things), unread=unread)


def _as(thing: Thing, library: Library, drawing: LibraryDrawing) -> Thing:
    return replace(thing, own=str(drawing.file), look=library.looks[str(drawing.file)])


def _beside_names(text: str, cast: Sequence[str]) -> str:
    """A line without what is said in it and without the names of the cast."""
    text = narrated(text, cast, language_of(text, cast))
    for mention in reversed(find_names(text, cast)):
        text = f"{text[: mention.start]} | {text[mention.end :]}"
    return text


@lru_cache(maxsize=1024)
def _concept(name: str) -> str:
    """What reading calls the thing of a name; "" for a word that it does not know, or takes for an hour or a weather:
    "under the moon"."""
    language = language_of(name)
    units = units_of(name, {}, language)
    nouns = [unit.value("things") for unit in units if "things" in unit and "skies" not in unit]
    return next(iter(nouns if language == "es" else reversed(nouns)), "")


def _said(name: str, text: str) -> bool:
    """Whether a line has the name, in the singular or in the plural."""
    if is_chinese(name):
        return name.replace(" ", "") in simplified(text)
    return re.search(rf"(?<!\w){re.escape(name)}(?:e?s)?(?!\w)", key(text)) is not None


def _is(thing: Thing, name: str) -> bool:
    """Whether a thing that was read may be what the name says: its word is the name's, or its last one."""
    if is_chinese(name):  # a balloon, 气球, is no ball, 球
        same = _concept(name) in ("", thing.concept)
        return same and bool(thing.word) and (thing.word in name or name in thing.word)
    words = {form for word in (thing.word, thing.concept) for form in forms(key(word), "en")}
    return name in words or name.split(" ")[-1] in {word.split(" ")[-1] for word in words}
