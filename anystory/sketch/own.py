"""A story's own drawings in its shots: what a line calls by the name of one of them is drawn so."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

from anystory.sketch.things import Library, LibraryDrawing, own_library
from anystory.sketch.things.words import forms, is_chinese, key
from anystory.story.shot import Shot, Thing


def with_own(shot: Shot, text: str, folder: Path) -> Shot:
    """The shot of the line `text` with the drawings of `folder` for what it names. What the line's words do not tell to
    be a thing, such as a made-up name, is put beside the others. Raises `ThingError` or `ImageError` for a drawing that
    cannot be used."""
    library, things = own_library(folder), list(shot.things)
    for name in sorted(library.own, key=lambda name: (-len(name), name)):
        if not _said(name, text):
            continue
        meant = next((i for i, thing in enumerate(things) if not thing.own and _is(thing, name)), None)
        if meant is not None:
            things[meant] = _as(things[meant], library, library.own[name])
        elif not any(_is(thing, name) for thing in things):
            things.append(_as(Thing(name, name), library, library.own[name]))
    for i, thing in enumerate(things):  # said in another language than the drawing is named in
        drawing = library.own.get(key(thing.concept))
        if drawing is not None and not thing.own:
            things[i] = _as(thing, library, drawing)
    unread = tuple(word for word in shot.unread if not any(_said(name, word) for name in library.own))
    return replace(shot, things=tuple(things), unread=unread)


def _as(thing: Thing, library: Library, drawing: LibraryDrawing) -> Thing:
    return replace(thing, own=str(drawing.file), look=library.looks[str(drawing.file)])


def _said(name: str, text: str) -> bool:
    """Whether a line has the name, in the singular or in the plural."""
    if is_chinese(name):
        return name.replace(" ", "") in text
    return re.search(rf"(?<!\w){re.escape(name)}(?:e?s)?(?!\w)", key(text)) is not None


def _is(thing: Thing, name: str) -> bool:
    """Whether a thing that was read may be what the name says: its word is the name's, or its last one."""
    if is_chinese(name):
        return bool(thing.word) and (thing.word in name or name in thing.word)
    words = {form for word in (thing.word, thing.concept) for form in forms(key(word), "en")}
    return name in words or name.split(" ")[-1] in {word.split(" ")[-1] for word in words}
