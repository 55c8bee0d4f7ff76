"""Type set in the lettering font: lines broken, words measured, letters drawn, and missing ones told.

Lines end where Unicode's line breaking algorithm (UAX 14) lets them: Chinese and Japanese marks stay with their
neighbours, no-break spaces hold. A line runs in the direction of its text's first letter (UAX 9). PIL and uniseg only.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_right
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from PIL import Image, ImageDraw, ImageFont, features
from uniseg.graphemecluster import grapheme_clusters
from uniseg.linebreak import line_break_units

from anystory.errors import Message
from anystory.supplies import ASSETS

FONT = ASSETS / "fonts" / "lettering.ttf"
Colour = tuple[int, int, int] | str
PAPER, INK = (255, 255, 255), (26, 26, 26)

MIN_SIZE = 10
"""Pixels an em has at least: below, letters are not told apart."""
SHRINK = 0.6
"""Text may become this part of its proper size before it is cut."""
LEADING = 1.3
CAP_HEIGHT = 0.73
FINE = 4
"""Letters are drawn this many times larger and scaled down: even spaces, smooth edges."""

Box = tuple[float, float, float, float]
"""Left, top, right, bottom in pixels."""

SHAPED = features.check("raqm")
"""Whether Pillow can join and order the letters of right-to-left scripts: it needs the FriBiDi library for that."""

NOT_SHAPED = Message("Arabic and Hebrew letters are not joined and ordered here; install the FriBiDi library.")

SPACES = " \t\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2008\u2009\u200a\u200b\u205f\u3000"
"""Spaces that a line may end with, which then are not seen. No-break ones are not among them."""

ELLIPSES = "…‥"

FIRST_STRONG_ISOLATE, POP_ISOLATE = "\u2068", "\u2069"
_ISOLATES = ("LRI", "RLI", "FSI")


@dataclass(frozen=True)
class TextBlock:
    """Text set in `lines` of an em of `size` pixels; `cut` where it had to be."""

    lines: tuple[str, ...]
    size: int
    cut: bool = False

    @property
    def width(self) -> float:
        return max(measure(line, self.size) for line in self.lines)

    @property
    def height(self) -> float:
        return len(self.lines) * LEADING * self.size


# --- letters ------------------------------------------------------------------------------------------------------


@lru_cache(64)
def font(size: int) -> ImageFont.FreeTypeFont:
    """The lettering font at an em of `size` pixels."""
    return ImageFont.truetype(str(FONT), size)


def measure(text: str, size: int) -> float:
    """The width of one line in pixels."""
    return _measured(text, size)


@lru_cache(20_000)
def _measured(text: str, size: int) -> float:
    return font(size * FINE).getlength(_drawable(text)) / FINE


def _drawable(text: str) -> str:
    """What is given to the font: without a layout engine that knows better, characters that are not seen are left out,
    or boxes would stand for them."""
    return text if SHAPED else "".join(char for char in text if not _ignorable(char))


def right_to_left(text: str) -> bool:
    """Whether a text runs from right to left: its first letter does that is not in an isolate (UAX 9, P2 and P3)."""
    depth = 0
    for kind in map(unicodedata.bidirectional, text):
        if kind in _ISOLATES:
            depth += 1
        elif kind == "PDI":
            depth = max(0, depth - 1)
        elif depth == 0 and kind in ("L", "R", "AL"):
            return kind != "L"
    return False


def isolated(text: str) -> str:
    """The text so that words of another script around it run as they would without it."""
    return f"{FIRST_STRONG_ISOLATE}{text}{POP_ISOLATE}"


def _ignorable(char: str) -> bool:
    """Whether a character is not seen by itself, as joiners, direction marks and variation selectors."""
    return (
        unicodedata.category(char) in ("Cc", "Cf", "Zl", "Zp")
        or char in "\u034f\u115f\u1160\u17b4\u17b5\u3164"
        or (0x180B <= ord(char) <= 0x180F or 0xFE00 <= ord(char) <= 0xFE0F or 0xE0100 <= ord(char) <= 0xE01EF)
    )


@lru_cache(4096)
def writable(char: str) -> bool:
    """Whether the font has a character, a combining mark too, or it is one that is not seen."""
    if _ignorable(char) or unicodedata.category(char) == "Zs":
        return True
    face = _plain_font()
    return bytes(face.getmask(char)) != bytes(face.getmask("\U0010ffff"))


@lru_cache(1)
def _plain_font() -> ImageFont.FreeTypeFont:
    """The font without shaping, which draws every character by itself."""
    return ImageFont.truetype(str(FONT), 24, layout_engine=ImageFont.Layout.BASIC)


def unwritable(text: str) -> str:
    """A sentence on the characters of a text that the font lacks or that are set wrongly; "" if there is none."""
    missing = "".join(dict.fromkeys(char for char in unicodedata.normalize("NFC", text) if not writable(char)))
    if missing:
        shown = missing if len(missing) <= 12 else f"{missing[:12]}…"
        # A mark is shown on the dotted circle that stands for any letter.
        shown = "".join(f"◌{char}" if unicodedata.category(char)[0] == "M" else char for char in shown)
        return Message("The lettering font lacks {shown}; empty boxes stand in for it.", shown=shown)
    if not SHAPED and any(unicodedata.bidirectional(char) in ("R", "AL") for char in text):
        return NOT_SHAPED
    return ""


# --- lines --------------------------------------------------------------------------------------------------------


def paragraphs(text: str) -> list[str]:
    """The lines that were written, with one space for several; no-break spaces stay. Empty lines are left out."""
    lines = (re.sub(r"[ \t]+", " ", line).strip(SPACES) for line in text.splitlines())
    return [line for line in lines if line]


@lru_cache(4096)
def clusters(text: str) -> tuple[str, ...]:
    """A text in its smallest parts that must not be torn: letters with their marks (UAX 29)."""
    return tuple(grapheme_clusters(text))


@lru_cache(4096)
def pieces(paragraph: str) -> tuple[str, ...]:
    """A paragraph in parts between which a line may end (UAX 14); spaces stay at the end of theirs. Other than there,
    an ellipsis that begins a word is not torn from it: …well."""
    parts: list[str] = []
    for unit in line_break_units(paragraph):
        last = parts[-1] if parts else ""
        if last and last[-1] in ELLIPSES and unit[0].isalnum() and not any(map(str.isalnum, last)):
            parts[-1] += unit
        else:
            parts.append(unit)
    return tuple(parts)


def wrap(text: str, size: int, width: float) -> list[str]:
    """The text in lines no wider than `width` pixels; words wider than that are torn, letters are not."""
    lines = []
    for paragraph in paragraphs(text):
        line, used = "", 0.0
        for piece in pieces(paragraph):
            for part in clusters(piece) if measure(piece.rstrip(SPACES), size) > width else (piece,):
                if line and used + measure(part.rstrip(SPACES), size) > width:
                    lines.append(line.rstrip(SPACES))
                    line, used = "", 0.0
                line, used = line + part, used + measure(part, size)
        if line.rstrip(SPACES):
            lines.append(line.rstrip(SPACES))
    return lines or [""]


def longest_piece(text: str, size: int) -> float:
    """The width in pixels of the widest part that a line has whole."""
    parts = (piece.rstrip(SPACES) for paragraph in paragraphs(text) for piece in pieces(paragraph))
    return max((measure(part, size) for part in parts), default=0.0)


def balanced(text: str, size: int, width: float) -> list[str]:
    """As `wrap`, of as few lines, but no line much shorter than the others."""
    lines = wrap(text, size, width)
    low, high = max(longest_piece(text, size), width / len(lines) / 2), width
    while len(lines) > 1 and high - low > size / 4:
        middle = (low + high) / 2
        narrower = wrap(text, size, middle)
        if len(narrower) == len(lines) and max(measure(line, size) for line in narrower) <= middle + 1:
            lines, high = narrower, middle
        else:
            low = middle
    return lines


def sizes(largest: int) -> list[int]:
    """The sizes a text is tried in, from its proper one down."""
    least = min(largest, max(MIN_SIZE, round(largest * SHRINK)))
    return sorted({round(largest - (largest - least) * k / 5) for k in range(6)}, reverse=True)


def fit(text: str, width: float, height: float, largest: int) -> TextBlock:
    """The text within `width` x `height` pixels, as large as it goes up to an em of `largest`, cut where it does not go
    at the least size."""
    for size in sizes(largest):
        block = TextBlock(tuple(wrap(text, size, width)), size)
        if block.height <= height and block.width <= width:
            return TextBlock(tuple(balanced(text, size, width)), size)
    return cut(text, width, height, size)


def cut(text: str, width: float, height: float, size: int) -> TextBlock:
    """As much of the text as goes into `width` x `height` pixels, one line at least; the last ends in an ellipsis where
    something is left out."""
    lines = wrap(text, size, width)
    kept = lines[: max(1, int(height / (LEADING * size)))]
    if len(kept) == len(lines) and max(measure(line, size) for line in kept) <= width:
        return TextBlock(tuple(kept), size)
    return TextBlock((*kept[:-1], _ending(kept[-1], size, width)), size, cut=True)


def clipped(text: str, size: int, width: float) -> str:
    """The text on one line, with an ellipsis for what does not go into `width` pixels."""
    line = " ".join(paragraphs(text))
    return line if measure(line, size) <= width else _ending(line, size, width)


def _ending(line: str, size: int, width: float) -> str:
    """As much of a line as goes into `width` pixels before an ellipsis."""
    parts = clusters(line)

    def shortened(end: int) -> str:
        return "".join(parts[:end]).rstrip(SPACES) + "…"

    return shortened(max(0, bisect_right(range(len(parts) + 1), width, key=lambda k: measure(shortened(k), size)) - 1))


# --- drawing ------------------------------------------------------------------------------------------------------


def write_block(image: Image.Image, block: TextBlock, box: Box, align: str, ink: Colour = INK) -> None:
    """Write a block into its box (the text's own, without margins). `align` is "start", where its direction begins, or
    "middle"."""
    left, top, right, _ = box
    backwards = right_to_left(" ".join(block.lines))
    x, anchor = (right, "r") if backwards else (left, "l")
    if align == "middle":
        x, anchor = (left + right) / 2, "m"
    for index, line in enumerate(block.lines):
        middle = top + (index + 0.5) * LEADING * block.size
        write_line(image, line, block.size, (x, middle), anchor, ink, backwards)


def write_line(
    image: Image.Image,
    text: str,
    size: int,
    at: tuple[float, float],
    anchor: str = "l",
    ink: Colour = INK,
    backwards: bool | None = None,
) -> None:
    """Write one line; `at` is the middle of its capitals' height, at its left end, middle or right end by `anchor`: l,
    m or r. `backwards`: it runs from right to left (None = as `right_to_left` tells)."""
    x, middle = at
    backwards = right_to_left(text) if backwards is None else backwards
    more: dict[str, Any] = {"direction": "rtl" if backwards else "ltr"} if SHAPED else {}
    above = max(0, int(middle - size))
    mask = Image.new("L", (image.width * FINE, 2 * size * FINE))
    place = x * FINE, (middle + CAP_HEIGHT * size / 2 - above) * FINE
    ImageDraw.Draw(mask).text(place, _drawable(text), 255, font(size * FINE), anchor=f"{anchor}s", **more)
    image.paste(ink, (0, above), mask.reduce(FINE))
