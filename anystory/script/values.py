"""Values of a script's data, read as what they must be: every mistake in one sentence, with its place in the source."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path, PureWindowsPath
from typing import Any, NoReturn

from anystory.cast.filenames import FilenameError, basename, find
from anystory.errors import Message
from anystory.script.form import (
    DURATIONS,
    MAX_ERRORS,
    MAX_TEXT,
    Parsed,
    ScriptError,
    Span,
    Where,
    composed,
    kind,
    meant,
    nearest,
    place,
    shown,
    span_of,
)
from anystory.story.from_sketch import KEY, FromSketch, FromSketchError
from anystory.story.size import SHAPES, SIDES, Size
from anystory.story.steering import numbers

_SECONDS = re.compile(
    r"(?:(\d{1,2}):)?(?:(\d{1,2}):)?(\d{1,6}(?:[.,]\d{1,6})?)\s*(?:s|secs?|seconds?|秒|segundos?)?\.?", re.IGNORECASE
)
"""Seconds, minutes and seconds, or hours, minutes and seconds."""


def seconds(value: Any) -> float | None:
    """How many seconds a number or words such as "2.5", "3 s" and "0:04" are; None for what is none, or none of
    `DURATIONS`."""
    found: float
    if isinstance(value, int | float) and not isinstance(value, bool):
        found = value
    elif isinstance(value, str) and (hit := _SECONDS.fullmatch(value.strip())):
        hours, minutes = (hit[1], hit[2]) if hit[2] else (None, hit[1])
        found = 3600.0 * int(hours or 0) + 60.0 * int(minutes or 0) + float(hit[3].replace(",", "."))
    else:
        return None
    return float(found) if DURATIONS[0] <= found <= DURATIONS[1] else None


class Values:
    """Reads values, and keeps what is wrong with them, going on after each mistake. A `path` leads to a value through
    the data; `folder` is where pictures lie (None forbids them)."""

    def __init__(self, parsed: Parsed, folder: Path | None) -> None:
        self.source, self.spans, self.keys, self.called = parsed.source, parsed.spans, parsed.keys, parsed.called
        self.folder = folder
        self.errors: list[ScriptError] = []

    def mapping(self, value: Any, path: Where, keys: Sequence[str]) -> Mapping[str, Any]:
        if not isinstance(value, Mapping):
            self.fail(path, Message("Expected {keys} here, not {kind}.", keys=", ".join(keys), kind=kind(value)))
        for key in value:
            if key not in keys and len(self.errors) < MAX_ERRORS:
                near = nearest(str(key), keys)
                hint = meant(near)
                self.report(
                    (*path, key),
                    Message(
                        "There is no key {key} here{hint}; the keys are {keys}.",
                        key=shown(key),
                        hint=hint,
                        keys=", ".join(keys),
                    ),
                    fix=near,
                    span=self.keys.get((*path, key)),
                )
        return value

    def items(self, fields: Mapping[str, Any], key: str, path: Where, most: int) -> Sequence[Any]:
        value = fields.get(key)
        if value is None:
            return []
        if not isinstance(value, list | tuple):
            self.fail(
                (*path, key),
                Message("{word} must be a list, not {kind}.", word=self.word(path, key), kind=kind(value)),
            )
        if len(value) > most:
            self.fail(
                (*path, key, most),
                Message(
                    "{word} has {count} entries; at most {most} can be read.",
                    word=self.word(path, key),
                    count=len(value),
                    most=most,
                ),
            )
        return value

    def text(self, fields: Mapping[str, Any], key: str, path: Where) -> str:
        """A string in composed form, stripped; "" if it is not there."""
        value = fields.get(key)
        if value is None:
            return ""
        if not isinstance(value, str):
            self.fail(
                (*path, key),
                Message("{word} must be text, not {kind}.", word=self.word(path, key), kind=kind(value)),
            )
        try:  # JSON may write an emoji as two halves
            value = value.encode("utf-16", "surrogatepass").decode("utf-16")
        except UnicodeDecodeError:
            self.fail((*path, key), Message("{word} has half a character; write it again.", word=self.word(path, key)))
        value = composed(value.replace("\r\n", "\n"))
        if bad := re.search(r"[\x00-\x08\x0b-\x1f\x7f]", value):
            self.fail(
                (*path, key),
                Message(
                    "{word} has the control character U+{code}; delete it.",
                    word=self.word(path, key),
                    code=f"{ord(bad[0]):04X}",
                ),
            )
        if len(value) > MAX_TEXT:
            self.fail(
                (*path, key),
                Message(
                    "{word} has {count} characters; at most {max_text} can be read.",
                    word=self.word(path, key),
                    count=len(value),
                    max_text=MAX_TEXT,
                ),
            )
        return value

    def number(self, fields: Mapping[str, Any], key: str, path: Where, low: int, high: int) -> int | None:
        """A whole number within its bounds; None where it is not there."""
        value = fields.get(key)
        if value is None or value == "":
            return None
        if isinstance(value, str) and re.fullmatch(r"[+-]?\d{1,20}", value, re.ASCII):
            value = int(value)
        if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
            word = self.word(path, key)
            self.fail(
                (*path, key),
                Message(
                    "The {word} {value} must be a whole number from {low} to {high}.",
                    word=word,
                    value=shown(value),
                    low=low,
                    high=high,
                ),
            )
        return value

    def numbers(
        self, value: Any, count: int, path: Where, what: str = "", code: str = "script", words: str = ""
    ) -> tuple[float, ...]:
        """`count` numbers, which a sentence calls `what` (their key, if nothing is said)."""
        try:
            return numbers(value, count, what or str(path[-1]))
        except ValueError as error:
            self.fail(path, error.args[0], code, words=words)

    def frame(self, fields: Mapping[str, Any], path: Where) -> dict[str, Any]:
        """How large frames are and what shape they have."""
        size = self.attempt(self.size, fields, path)
        shape = self.attempt(self.shape, fields, path, otherwise="")
        if shape and size and not size.is_square:
            message = Message("The story has both sides of its size and the shape {shape}; leave one out.", shape=shape)
            if path:
                message = Message(
                    "Panel {number} has both sides of its size and the shape {shape}; leave one out.",
                    number=int(path[-1]) + 1,
                    shape=shape,
                )
            self.report((*path, "shape"), message)
            shape = ""
        return {"size": size, "shape": shape}

    def size(self, fields: Mapping[str, Any], path: Where) -> Size | None:
        """The size of frames; None where it is not said."""
        value = fields.get("size")
        if value is None or value == "":
            return None
        try:
            return Size.asked(value)
        except ValueError:
            number = value if not isinstance(value, str) or not re.fullmatch(r"[+-]?\d{1,20}", value) else int(value)
            message = Message(
                "The {word} {value} must be a whole number from {low} to {high}, or two such as 1344x768.",
                word=self.word(path, "size"),
                value=shown(number),
                low=SIDES[0],
                high=SIDES[1],
            )
            self.fail((*path, "size"), message)

    def shape(self, fields: Mapping[str, Any], path: Where) -> str:
        """The shape of frames; "" where it is not said."""
        value = fields.get("shape")
        if value is None or value == "":
            return ""
        shape = re.sub(r"\s*[:：/xX×]\s*", ":", str(value).strip())
        if shape not in SHAPES:
            message = Message(
                "There is no {word} {value}; frames can be {shapes}.",
                word=self.word(path, "shape"),
                value=shown(value),
                shapes=", ".join(SHAPES),
            )
            self.fail((*path, "shape"), message)
        return shape

    def from_sketch(self, fields: Mapping[str, Any], path: Where) -> FromSketch | None:
        """What frames take of their sketches; None where it is not said."""
        value = fields.get(KEY)
        if value is None or value == "":
            return None
        try:
            return FromSketch.read(value)
        except FromSketchError as error:
            self.fail((*path, KEY), error.said)

    def duration(self, fields: Mapping[str, Any], path: Where) -> float | None:
        """Seconds; None where they are not said."""
        value = fields.get("duration")
        if value is None or value == "":
            return None
        found = seconds(value)
        if found is None:
            message = Message(
                "The {word} {value} must be seconds from {low} to {high}, such as 2.5.",
                word=self.word(path, "duration"),
                value=shown(value),
                low=DURATIONS[0],
                high=DURATIONS[1],
            )
            self.fail((*path, "duration"), message)
        return found

    def picture(self, value: Any, word: str, path: Where) -> Path | None:
        """The file that a value names; `word` is what the source calls it."""
        if value is None or value == "":
            return None
        if not isinstance(value, str | os.PathLike):
            self.fail(path, Message("{word} must be a path, not {kind}.", word=word, kind=kind(value)))
        if self.folder is None:
            self.fail(
                path,
                Message("Pasted text cannot name a picture ({file}); load it as a file.", file=shown(str(value))),
            )
        if bad := re.search(r"[\x00-\x1f\x7f]", str(value)):
            hint = Message("\\ begins an escape in double quotes, so write folders with /")
            self.fail(
                path,
                Message(
                    "{word} has the control character U+{code} ({file}); {hint}.",
                    word=word,
                    code=f"{ord(bad[0]):04X}",
                    file=shown(str(value), 400),
                    hint=hint,
                ),
            )
        try:
            file = find(value if isinstance(value, str) else Path(value), self.folder)
        except FilenameError as error:
            self.fail(path, error.said)
        if file is not None and file.is_file():
            return file.resolve()
        name, where = basename(str(value)), value if PureWindowsPath(value).drive else self.folder.resolve() / value
        aside = Message(", or put {name} beside the script", name=name) if name != str(value) else ""
        self.fail(
            path,
            Message(
                "There is no picture file {where}; check {word}{aside}.",
                where=shown(str(where), 400),
                word=word,
                aside=aside,
            ),
        )

    def word(self, path: Where, key: str) -> str:
        """What the source calls a key."""
        return self.called.get((*path, key), key)

    def under(self, key: str, path: Where = ()) -> str:
        """Where to write it, for a source that calls it otherwise."""
        return Message(" under {word}", word=shown(self.word(path, key))) if (*path, key) in self.called else ""

    def attempt(self, read: Callable[..., Any], *arguments: Any, otherwise: Any = None) -> Any:
        """What `read` returns, or `otherwise` with its complaint kept."""
        try:
            return read(*arguments)
        except ScriptError as error:
            self.errors += [error][: MAX_ERRORS - len(self.errors)]
            return otherwise

    def enough(self) -> None:
        """Raise where another mistake would not be told: its sentence, hint and place take time."""
        if len(self.errors) >= MAX_ERRORS:
            raise ScriptError(Message("There are more mistakes."))

    def report(self, *arguments: Any, **more: Any) -> None:
        """Complain, and go on."""
        self.attempt(partial(self.fail, *arguments, **more))

    def fail(
        self,
        path: Where,
        sentence: str,
        code: str = "script",
        fix: str | None = None,
        *,
        words: str = "",
        span: Span | None = None,
    ) -> NoReturn:
        """Raise with the place of the nearest part that has one, or of `words` within it."""
        self.enough()
        span = span or span_of(self.source, self.spans, path, words)
        # What is to be put in place of another word needs the place of that word.
        exact = span is not None and (not words or self.source[slice(*span)] == words)
        raise ScriptError(sentence, span and place(self.source, span[0]), span, code, fix if exact else None)
