"""The base of every exception that is meant for a person, and the sentences that people are told."""

from __future__ import annotations

import lzma
import struct
import zipfile
import zlib
from collections.abc import Sequence
from functools import reduce
from pathlib import Path, PurePath
from typing import Any, ClassVar

DAMAGE = (
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    struct.error,
    EOFError,
    NotImplementedError,
    ValueError,
    OverflowError,
)
"""What reading a damaged or made-up ZIP raises."""


class Message(str):
    """A sentence for a person, or a part of one, that can be told in other languages too: in English as a string, by
    its `pattern` and the `values` for the `{names}` in it in any other. A value may be a sentence itself;
    a path stays one, for visitors are told its name alone.

    >>> Message("{name} is not {kind}.", name="a.txt", kind=Message("a picture"))
    'a.txt is not a picture.'
    """

    pattern: str
    values: dict[str, Any]

    def __new__(cls, pattern: str, **values: object) -> Message:
        kept = {name: _plain(value) for name, value in values.items()}
        sentence = super().__new__(cls, pattern.format_map(kept))
        sentence.pattern, sentence.values = pattern, kept
        return sentence

    @classmethod
    def of(cls, text: str) -> Message:
        """Any text as a sentence, which is the same in every language if it was none."""
        return text if isinstance(text, Message) else cls("{text}", text=text)

    def __getnewargs_ex__(self) -> tuple[tuple[str], dict[str, Any]]:  # for copies and other processes
        return (self.pattern,), self.values


def _plain(value: object) -> Any:
    """A value as a sentence keeps it: of an error what it says, of anything but numbers and paths the string."""
    if isinstance(value, OSError) and isinstance(value.filename, str | PurePath):
        return Message("{strerror}: {file}", strerror=value.strerror, file=Path(value.filename))
    if isinstance(value, BaseException):
        return said(value)
    return value if isinstance(value, Message | PurePath | int | float) else str(value)


def listed(words: Sequence[str]) -> str:
    """Words as a sentence counts them up: "a, b and c"."""
    if len(words) < 2:
        return next(iter(words), "")
    first = reduce(lambda one, other: Message("{first}, {next}", first=one, next=other), words[:-1])
    return Message("{first} and {last}", first=first, last=words[-1])


def said(error: BaseException) -> str:
    """What an error says, ours or anybody's: as a `Message` where it can be told in other languages."""
    return next((sentence for sentence in error.args[:1] if isinstance(sentence, Message)), str(error))


class AnyStoryError(Exception):
    """Something cannot be done as asked. The message is one sentence: the value, its bound and what to do.

    `status` is what a command exits with: 2 where the person has to change something, 1 where something failed that
    was asked for rightly.
    """

    status: ClassVar[int] = 2

    @property
    def said(self) -> str:
        """What is said, as a `Message` where it can be told in other languages."""
        return said(self)
