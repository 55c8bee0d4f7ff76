"""Lines of text as the glyphs of fonts, and the fonts with these glyphs alone: what a PDF has of its letters.

HarfBuzz shapes and subsets, as it does inside of Pillow. Where it is missing, or would set a line otherwise than Pillow
does, nothing is told of a line, and its letters stay part of the picture.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import groupby
from pathlib import Path
from typing import Any

from anystory.fonts import EMOJI, ignorable
from anystory.typeset import SetLine, Stretch

try:
    import uharfbuzz as _harfbuzz
except ImportError:  # on a system that there is no wheel for
    _harfbuzz = None
harfbuzz: Any = _harfbuzz

LIKE = 0.01
"""The part of its width by which a line may differ from what Pillow draws, and still be the same."""


@dataclass(frozen=True)
class Glyph:
    """A glyph of the font `face`, by its number there, at `x` and `y` pixels of a page; `text` is what it stands for,
    "" for those that go with the one before."""

    face: str
    number: int
    x: float
    y: float
    text: str


@dataclass
class FontFace:
    """A font of a PDF: its glyphs that are used, each with what it stands for."""

    path: str
    used: dict[int, str] = field(default_factory=dict)

    @property
    def em(self) -> int:
        """Units an em has."""
        return _face(self.path).upem

    def width(self, number: int) -> float:
        """The width of a glyph in thousandths of an em."""
        return _font(self.path).get_glyph_h_advance(number) * 1000 / self.em

    @property
    def outlines(self) -> str:
        """How its letters are drawn: "glyf" of TrueType, or "CFF"."""
        return "CFF" if "CFF " in _face(self.path).table_tags else "glyf"

    @property
    def data(self) -> bytes:
        """The font file with the used glyphs alone, which keep their numbers."""
        asked = harfbuzz.SubsetInput()
        asked.glyph_set.update(self.used)
        flags = harfbuzz.SubsetFlags
        asked.flags = flags.RETAIN_GIDS | flags.NO_HINTING | flags.NOTDEF_OUTLINE  # boxes for what is missing
        asked.layout_feature_tag_set.clear()
        asked.pin_all_axes_to_default(_face(self.path))
        return harfbuzz.subset(_face(self.path), asked).blob.data


@lru_cache(16)
def _face(path: str) -> Any:
    return harfbuzz.Face(harfbuzz.Blob(Path(path).read_bytes()))


@lru_cache(16)
def _font(path: str) -> Any:
    return harfbuzz.Font(_face(path))


def glyphs(line: SetLine) -> list[Glyph] | None:
    """The glyphs of a line, but for its emoji; None where its letters are better drawn."""
    if harfbuzz is None:
        return None
    made: list[Glyph] = []
    for stretch, left in line.placed:
        if stretch.face == EMOJI:
            continue
        x = left
        for part, backwards in _ways(stretch.text, line.backwards):
            words = [word for word in re.split("(\\s+)", part) if word]
            for word in reversed(words) if backwards else words:
                if word.isspace():  # which some fonts make wider between their letters, and Pillow does not
                    x += Stretch(word, stretch.face).width(line.size)
                    continue
                shaped, width = _shaped(stretch.face, word, backwards, line.size, x, line.baseline)
                made += shaped
                x += width
        if abs(x - left - stretch.width(line.size)) > LIKE * stretch.width(line.size) + 1:
            return None
    return made


def _ways(text: str, backwards: bool) -> Iterator[tuple[str, bool]]:
    """A text in parts that run one way each, from left to right as they stand in a line that runs so or `backwards`:
    marks between letters that run the same way go with these, others with the line."""
    kinds = [_way(char) for char in text]
    for start, end in _unknown(kinds):
        around = {kinds[start - 1] if start else backwards, kinds[end] if end < len(kinds) else backwards}
        kinds[start:end] = [around.pop() if len(around) == 1 else backwards] * (end - start)
    parts = [
        ("".join(char for char, _ in group), bool(way))
        for way, group in groupby(zip(text, kinds, strict=True), lambda pair: pair[1])
    ]
    yield from reversed(parts) if backwards else parts


def _way(char: str) -> bool | None:
    """Whether a character runs from right to left, None where that depends on those around it."""
    kind = unicodedata.bidirectional(char)
    return {"R": True, "AL": True, "L": False, "EN": False, "AN": False}.get(kind)


def _unknown(kinds: list[bool | None]) -> list[tuple[int, int]]:
    """Where stretches of None begin and end."""
    found, start = [], 0
    for kind, group in groupby(kinds):
        end = start + len(list(group))
        if kind is None:
            found.append((start, end))
        start = end
    return found


def _shaped(face: str, text: str, backwards: bool, size: int, x: float, y: float) -> tuple[list[Glyph], float]:
    """A text that runs one way as glyphs from `x` on, and its width."""
    buffer = harfbuzz.Buffer()
    buffer.add_str(text)
    buffer.guess_segment_properties()
    buffer.direction = "rtl" if backwards else "ltr"
    harfbuzz.shape(_font(face), buffer)
    scale, made, begin = size / _face(face).upem, list[Glyph](), x
    starts = sorted({info.cluster for info in buffer.glyph_infos})
    ends = dict(zip(starts, [*starts[1:], len(text)], strict=True))
    told: set[int] = set()
    for info, place in zip(buffer.glyph_infos, buffer.glyph_positions, strict=True):
        stands = text[info.cluster : ends[info.cluster]]
        means = "" if info.cluster in told else stands
        told.add(info.cluster)
        if not all(map(ignorable, stands)) and not stands.isspace():
            made.append(Glyph(face, info.codepoint, x + place.x_offset * scale, y - place.y_offset * scale, means))
        x += place.x_advance * scale
    return made, x - begin
