"""What a script may hold: its keys, its bounds, what is told of a mistake, and what reading it gives."""

from __future__ import annotations

import bisect
import difflib
import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from anystory.errors import AnyStoryError, Message
from anystory.story.from_sketch import KEY
from anystory.story.model import Panel, Script
from anystory.story.names import folded
from anystory.story.steering import STRENGTHS

MAX_BYTES = 500_000
MAX_PANELS = 200
MAX_CAST = 50
MAX_NAME = 40
MAX_TEXT = 2000
MAX_PARTS = 20_000
"""Values, lists and mappings of YAML or JSON: more than the largest script has, and half a second's reading."""
MAX_ERRORS = 200
"""Mistakes that are told of a script, the first ones."""
HEIGHTS = (0.01, 100)
"""Metres that a character may be tall, from a bee to a giant."""

DURATIONS = (0.1, 600)
"""Seconds that a film may stay at one panel."""

SCRIPT_KEYS = ("title", "style", "styles", "size", "shape", "pages", KEY, "segmenter", "cast", "panels")
MEMBER_KEYS = ("name", "alias", "image", "mask", "description", "height", "facing", "drawing")
STEERING_KEYS = (
    "layout",
    "layout_strength",
    "layout_steps",
    "flip",
    "turn",
    *STRENGTHS,
    "reference_steps",
    "router",
    KEY,
)
PANEL_KEYS = (
    *("prompt", "cast", "caption", "dialogue", "seed", "size", "shape", "style", "shows", "duration"),
    *STEERING_KEYS,
)
TAG_KEYS = (
    *("cast", "seed", "size", "shape", "style", "shows", "duration", "layout", "flip", "turn"),
    *(*STRENGTHS, "reference_steps", "router", KEY),
)
"""Those that plain text has in brackets, `[KEY: …]`."""

LINE_KEYS = ("who", "say")
NOBODY = "NC"

NEWLINE = re.compile(r"\r\n|\r|\n")
"""What ends a line in an editor; str.splitlines breaks at more."""

Where = tuple[str | int, ...]
"""A path into the data, such as ("panels", 2, "prompt")."""

Span = tuple[int, int]
"""The characters [start, end) of the source."""


def place(source: str, offset: int) -> tuple[int, int]:
    """Line and column, both from 1, of a character of the source."""
    starts = _line_starts(source)
    line = bisect.bisect_right(starts, offset)
    start = starts[line - 1]
    return line, max(offset - start, 0) + 1 - (start == 0 and offset > 0 and source.startswith("\ufeff"))


@lru_cache(maxsize=4)
def _line_starts(source: str) -> list[int]:
    """Where each line begins, kept for the next mistake in the same text."""
    return [0, *(hit.end() for hit in NEWLINE.finditer(source))]


class ScriptError(AnyStoryError, ValueError):
    """A script cannot be used. The message is one sentence for the user, with its line where that is known.

    `sentence` is the message without the line, `line` and `column` count from 1 (None = unknown), `span` is what it is
    about in the source, `code` its kind as in `anystory.script.lint`, `fix` a text to put in the span's place.
    """

    def __init__(
        self,
        sentence: str,
        at: tuple[int, int] | None = None,
        span: Span | None = None,
        code: str = "script",
        fix: str | None = None,
    ) -> None:
        self.line: int | None
        self.column: int | None
        self.line, self.column = at or (None, None)
        super().__init__(
            sentence if at is None else Message("Line {line}: {sentence}", line=self.line, sentence=sentence)
        )
        self.sentence, self.span, self.code, self.fix = sentence, span, code, fix


@dataclass(frozen=True)
class LeftOut:
    """Words of a source that are in no panel, where, and why. `fix` is a text for their place with which they are."""

    span: Span
    why: str
    fix: str | None = None


@dataclass(frozen=True)
class Parsed:
    """A text taken apart, nothing of it checked yet. `data` has the keys of `anystory.script.read.load_script`; `spans`
    tells where its parts stand in `source`, `keys` where their keys do, `called` what the source calls a key, each as
    far as known; `problems` are the mistakes that only the form shows, `left_out` what of the source is nowhere in
    `data`."""

    source: str
    data: Any
    spans: Mapping[Where, Span] = field(default_factory=dict)
    keys: Mapping[Where, Span] = field(default_factory=dict)
    called: Mapping[Where, str] = field(default_factory=dict)
    problems: tuple[ScriptError, ...] = ()
    left_out: tuple[LeftOut, ...] = ()


@dataclass(frozen=True)
class Reading:
    """A script as far as it could be read. `members` are the names of the source's cast in its order, `aliases` the
    other names it uses. `panels[i]` is None where panel i could not be read, and not in the script while it has no
    prompt. `errors` say what is wrong, the first being what `parse_script` raises; `spans` tell where the parts stand
    in `source`, `left_out` what of it is nowhere in the script."""

    source: str
    script: Script
    members: tuple[str | None, ...]
    aliases: tuple[str, ...]
    panels: tuple[Panel | None, ...]
    errors: tuple[ScriptError, ...]
    spans: Mapping[Where, Span]
    left_out: tuple[LeftOut, ...] = ()

    def span(self, path: Where, words: str = "") -> Span:
        """Where a part of the script stands, or of that the first `words` that are words of their own. A part that
        the source does not have (a default, a character known already) stands where what holds it does."""
        return span_of(self.source, self.spans, path, words) or (0, 0)


def span_of(source: str, spans: Mapping[Where, Span], path: Where, words: str = "") -> Span | None:
    """Where the part at `path` stands, or of it the first `words`; where the source has no such part, where the nearest
    one that holds it does. None where none has a place."""
    while path and path not in spans:
        path = path[:-1]
    for pattern in (rf"(?<!\w){re.escape(words)}(?!\w)", re.escape(words)) if words and path in spans else ():
        if hit := re.compile(pattern).search(source, *spans[path]):
            return hit.span()
    return spans.get(path)


def composed(text: str) -> str:
    """Stripped, and in the one of Unicode's forms in which equal text has equal characters."""
    return unicodedata.normalize("NFC", text).strip()


def nearest(word: str, known: Iterable[str], cutoff: float = 0.6) -> str | None:
    """The one of `known` most like a word, in any case; None where none is, to at least `cutoff` of 1."""
    spelt = {folded(name): name for name in known}
    near = difflib.get_close_matches(folded(word)[:MAX_NAME], spelt, n=1, cutoff=cutoff)
    return spelt[near[0]] if near else None


def kind(value: Any) -> str:
    """What a value is, for a sentence: "a list"."""
    if value is None:
        return Message("nothing")
    if isinstance(value, Mapping):
        return Message("a mapping")
    if isinstance(value, list | tuple):
        return Message("a list")
    if isinstance(value, str):
        return Message("text")
    return Message("the {type} {value}", type=type(value).__name__, value=shown(value))


def meant(near: str | None) -> str:
    """The question whether a word known here was meant, as a part of a sentence; nothing for None."""
    return "" if near is None else Message(" (did you mean {near}?)", near=repr(near))


def shown(value: Any, most: int = 60) -> str:
    """A value as a sentence shows it, cut after `most` characters."""
    text = repr(value)
    return text if len(text) <= most else f"{text[:most]}…"
