"""What story.json, draft.json and the story in a frame's PNG may hold: every field with its kind and its bounds.

Such files come from anywhere: another version, another program, a hand, a bad disk. They are held against what is
written here before anything of them is used, so that all else may take them as they should be. A script in them is
read as any script is (`anystory.script.read`), and what a newer version added is passed over.

Written out rather than with a library: those that do this take 50 ms to import, a sixth of a command's start.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import MISSING, fields
from types import MappingProxyType
from typing import Any, NoReturn

from anystory.errors import AnyStoryError, Message
from anystory.script.form import HEIGHTS, MAX_BYTES, MAX_TEXT, shown
from anystory.story.model import BOUNDS, FACINGS, MAX_PICTURES, Settings
from anystory.story.size import SIDES, Size

Kind = Callable[[Any, str], None]
"""Raises SchemaError where a value is not of the kind; the words say where it stands, as in "panels[0].seed"."""

LARGEST = 2**53
"""No number that is counted up is larger: what is exact wherever JSON is read."""


class SchemaError(AnyStoryError, ValueError):
    """A file holds something else than it may. The message tells in part of a sentence where, what, and what it must
    be."""


def parsed(data: bytes | str) -> Any:
    """The value of a JSON text. Raises SchemaError where it is none."""
    try:
        return json.loads(data)
    except (ValueError, RecursionError) as error:
        raise SchemaError(Message("it is not JSON")) from error


def _refuse(value: Any, where: str, what: str) -> NoReturn:
    where = where or Message("it")
    raise SchemaError(Message("{where} is {value}, not {what}", where=where, value=shown(value), what=what))


def _of(where: str, name: str) -> str:
    return f"{where}.{name}" if where else name


def anything(value: Any, where: str) -> None:
    """What is looked at elsewhere."""


def text(value: Any, where: str) -> None:
    """Text that can be written to a file, which half a character cannot."""
    words(LARGEST)(value, where)
    if re.search("[\ud800-\udfff]", value):
        raise SchemaError(Message("{where} has half a character", where=where))


def words(most: int) -> Kind:
    """What was typed, of at most so many characters."""

    def check(value: Any, where: str) -> None:
        if not isinstance(value, str):
            _refuse(value, where, Message("text"))
        if len(value) > most:
            raise SchemaError(
                Message("{where} has {count} characters, more than {most}", where=where, count=len(value), most=most)
            )

    return check


def flag(value: Any, where: str) -> None:
    if not isinstance(value, bool):
        _refuse(value, where, Message("true or false"))


def whole(low: int, high: int) -> Kind:
    def check(value: Any, where: str) -> None:
        if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
            _refuse(value, where, Message("a whole number from {low} to {high}", low=low, high=high))

    return check


def number(low: float, high: float) -> Kind:
    def check(value: Any, where: str) -> None:
        right = isinstance(value, int | float) and not isinstance(value, bool)
        if not right or not low <= value <= high:  # so neither infinity nor NaN
            _refuse(value, where, Message("a number from {low} to {high}", low=low, high=high))

    return check


def size(value: Any, where: str) -> None:
    """A frame's, as `Size.asked` takes it."""
    try:
        Size.asked(value)
    except ValueError:
        low, high = SIDES
        _refuse(value, where, Message("a size from {low} to {high}", low=low, high=high))


def one_of(*known: str) -> Kind:
    def check(value: Any, where: str) -> None:
        if value not in known:
            _refuse(value, where, Message("one of {known}", known=", ".join(known)))

    return check


def file(value: Any, where: str) -> None:
    """The path of a picture or of arrays in a folder of the story's."""
    if not isinstance(value, str) or not re.fullmatch(r"[\w-]+/[\w -]+\.(png|npz)", value):
        _refuse(value, where, Message("a file of a story"))


def maybe(kind: Kind) -> Kind:
    """Of a kind, or null."""

    def check(value: Any, where: str) -> None:
        if value is not None:
            kind(value, where)

    return check


def listed(kind: Kind, most: int = LARGEST) -> Kind:
    def check(value: Any, where: str) -> None:
        if not isinstance(value, list):
            _refuse(value, where, Message("a list"))
        if len(value) > most:
            raise SchemaError(
                Message("{where} has {count} entries, more than {most}", where=where, count=len(value), most=most)
            )
        for at, entry in enumerate(value):
            kind(entry, f"{where}[{at}]")

    return check


def named(kind: Kind) -> Kind:
    """Values of one kind by any name."""

    def check(value: Any, where: str) -> None:
        if not isinstance(value, dict):
            _refuse(value, where, Message("values by name"))
        for name, entry in value.items():
            text(name, where)
            kind(entry, _of(where, name[:40]))

    return check


def record(must: Mapping[str, Kind], may: Mapping[str, Kind] = MappingProxyType({})) -> Kind:
    """Values by the names of what `must` and what `may` be there."""

    def check(value: Any, where: str) -> None:
        named(anything)(value, where)
        for name, kind in must.items():
            if name not in value:
                raise SchemaError(Message("there is no {where}", where=_of(where, name)))
            kind(value[name], _of(where, name))
        for name, kind in may.items():
            if name in value:
                kind(value[name], _of(where, name))

    return check


def both(*kinds: Kind) -> Kind:
    """Of several kinds at once."""

    def check(value: Any, where: str) -> None:
        for kind in kinds:
            kind(value, where)

    return check


_SETTINGS: Mapping[str, Kind] = {
    "size": size,
    **{
        each.name: (whole if each.type == "int" else number)(*BOUNDS[each.name])
        for each in fields(Settings)
        if each.name != "size"
    },
}
_NEEDED = {each.name for each in fields(Settings) if each.default is MISSING}
SETTINGS = record(
    {name: kind for name, kind in _SETTINGS.items() if name in _NEEDED},
    {name: kind for name, kind in _SETTINGS.items() if name not in _NEEDED},
)

SCRIPT = record({"panels": listed(anything)})

_count = whole(0, LARGEST)
_panel = whole(1, LARGEST)
_frame: Mapping[str, Kind] = {
    **{"panel": _panel, "seed": whole(*BOUNDS["seed"]), "key": text, "names": listed(text)},
    **{"image": file, "maps": file, "asked": text, "tries": _count},
}
"""What is told of every frame, one that stands in its place or one of a history."""

STORY = record(
    {
        "backend": record({"name": text, "version": text}),
        "script": SCRIPT,
        "settings": SETTINGS,
        "subjects": listed(
            record({"name": text, "file": file}, {"content": text, "drawn": text, "more": listed(file)})
        ),
        "order": listed(_panel),
        "next": _panel,
        "removed": listed(
            record({"panel": _panel, "prompt": text, "cast": listed(text), "key": maybe(text), "pinned": flag})
        ),
        "panels": listed(
            record(
                {**_frame, "number": _panel, "trace": maybe(file), "diagnosis": named(anything)},
                {"pinned": flag},
            )
        ),
        "history": listed(record(_frame)),
    }
)
"""story.json of the present version."""


def _draft_file(value: Any, where: str) -> None:
    if not isinstance(value, str) or not re.fullmatch(r"draft/[0-9a-f]{24}\.png", value):
        _refuse(value, where, Message("a file of a draft"))


_picture_parts = {"upload": _draft_file, "automatic": _draft_file, "cutout": _draft_file}
_picture = record(_picture_parts, {"strokes": _draft_file})


def _first_picture(value: Any, where: str) -> None:
    """A character, whose first picture is listed with the rest that is known of it."""
    if value.keys() & _picture_parts.keys():
        _picture(value, where)


DRAFT = record(
    {
        "text": words(MAX_BYTES),
        "title": words(MAX_TEXT),
        "style": words(MAX_TEXT),
        "settings": maybe(SETTINGS),
        "numbers": listed(_panel),
        "script": SCRIPT,
        "cast": listed(
            both(
                record(
                    # A character is drawn from its description with a style around it.
                    {"name": words(MAX_TEXT), "description": words(MAX_TEXT), "drawn": words(MAX_BYTES)},
                    {
                        "height": maybe(number(*HEIGHTS)),
                        "facing": maybe(one_of(*FACINGS)),
                        "drawing": words(MAX_TEXT),
                        "more": listed(_picture, MAX_PICTURES - 1),
                    },
                ),
                _first_picture,
            )
        ),
    }
)
"""draft.json."""

IMPRINT = record({"format": _panel, "panel": _panel, "script": SCRIPT, "settings": SETTINGS, "looks": named(text)})
"""The story that a frame carries."""


def read_settings(data: Any) -> Settings:
    """Settings from anywhere; what a newer version added is left out. Raises SchemaError."""
    SETTINGS(data, "settings")
    return Settings(**{each.name: data[each.name] for each in fields(Settings) if each.name in data})
