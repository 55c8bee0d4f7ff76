"""Names as people write them, of characters and of files: when two are the same, by one rule, and how one is shown."""

from __future__ import annotations

import re
import unicodedata
from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

JOINERS = "\u200c\u200d"
"""Invisible, but they shape Persian and Indic words and hold emoji together."""

LINE = 4000
"""Characters of a text up to which it is kept folded."""

_ALIKE = str.maketrans(
    {"ٱ": "ا", "أ": "ا", "إ": "ا", "آ": "ا", "ـ": None, "’": "'", "‘": "'", "ʼ": "'", "´": "'", "`": "'"}
)
"""Letters and marks that one hand writes and another does not; and alef with and without what stands on it."""

_CLUSTER = re.compile(r"\s+|.[\u0300-\u036f\u0591-\u05c7\u064b-\u065f\u0670]*", re.DOTALL)

_POINTS = re.compile("[\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7\u0610-\u061a\u064b-\u065f\u0670\u06d6-\u06ed]")
"""Vowel signs of Hebrew and Arabic, which most texts leave out."""


@dataclass(frozen=True, slots=True)
class NameMention:
    """The characters [start, end) of a text are the name `name`."""

    name: str
    start: int
    end: int


@lru_cache(4096)
def folded(name: str, case: bool = False) -> str:
    """What two names have in common if they are the same to a reader: without case (nor the dots of Turkish i) unless
    `case`, in composed form, without invisible characters and vowel signs, with one kind of apostrophe, and with one
    plain space for every kind and run of them."""
    return " ".join(folded_part(name, case).split())


def folded_part(text: str, case: bool = False) -> str:
    """`folded`, but for the spaces."""
    text = unicodedata.normalize("NFKC", _POINTS.sub("", text))
    text = "".join(char for char in text if unicodedata.category(char) != "Cf")
    if not case:
        text = unicodedata.normalize("NFKC", text.casefold()).replace("i\u0307", "i")
        text = text.replace("ı", "i")
    return text.translate(_ALIKE)


def visible(name: str) -> str:
    """A name as it is kept and shown: in composed form, with single spaces, and without characters that nobody sees
    and nobody could type again."""
    text = unicodedata.normalize("NFC", name)
    kept = (char for char in text if unicodedata.category(char) != "Cf" or char in JOINERS)
    return " ".join("".join(kept).split()).strip(JOINERS)


_folded_cluster = lru_cache(1024)(folded_part)
"""`folded_part` of a character with what is combined with it: a text has few that are different."""


class FoldedText:
    """A text as `folded` sees it, which knows where each of its characters comes from."""

    def __init__(self, text: str) -> None:
        self._starts: Sequence[int]
        self._ends: Sequence[int]
        if text.isascii() and not re.search(r"\s\s", text):  # as most lines are
            self.text = re.sub(r"\s", " ", text.lower()).translate(_ALIKE)
            self._starts, self._ends = range(len(text)), range(1, len(text) + 1)
            return
        parts: list[str] = []
        starts, ends = array("L"), array("L")
        for start, end in _clusters(text):
            part = text[start:end]
            plain = " " if part.isspace() else _folded_cluster(part)
            if plain == " " and parts[-1:] == [" "]:
                ends[-1] = end
                continue
            if plain:
                parts.append(plain)
            for _ in plain:
                starts.append(start)
                ends.append(end)
        self.text, self._starts, self._ends = "".join(parts), starts, ends

    def find(self, pattern: str) -> list[tuple[int, int]]:
        """Where a pattern stands, as spans [start, end) of the text as it was given."""
        hits = re.finditer(pattern, self.text)
        return [(self._starts[hit.start()], self._ends[hit.end() - 1]) for hit in hits if hit.end() > hit.start()]


def folded_text(text: str) -> FoldedText:
    """`FoldedText`, that of a line kept for whoever looks for other names in it."""
    return _kept(text) if len(text) <= LINE else FoldedText(text)


@lru_cache(1024)
def _kept(text: str) -> FoldedText:
    return FoldedText(text)


def _clusters(text: str) -> list[tuple[int, int]]:
    """The text in characters with what is combined with them, and in runs of space."""
    return [
        hit.span() for hit in re.finditer(r"\s+|.[\u0300-\u036f\u0591-\u05c7\u064b-\u065f\u0670]*", text, re.DOTALL)
    ]
