"""Type set in the lettering fonts: lines broken, words measured, letters drawn, and missing ones told.

Lines end where Unicode's line breaking algorithm (UAX 14) lets them: Chinese and Japanese marks stay with their
neighbours, no-break spaces hold; Thai and Lao, written without spaces, also end before a syllable that a vowel leads. A
line runs in the direction of its text's first letter (UAX 9). A letter is taken from the first font that has it
(`anystory.fonts`). PIL and uniseg only.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import chain, groupby
from typing import Any

from PIL import Image, ImageDraw, features
from uniseg.graphemecluster import grapheme_clusters
from uniseg.linebreak import line_break_units

from anystory.errors import Message
from anystory.fonts import EMOJI, LETTERING, draws, emoji, font, home, ignorable, own, writable

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

SYLLABLE = re.compile(
    "(?<=[\u0e01-\u0e3a\u0e45-\u0e4e])(?=[\u0e40-\u0e44])|(?<=[\u0e81-\u0ebc\u0ec6-\u0ece])(?=[\u0ec0-\u0ec4])"
)
"""Between letters of Thai, or of Lao, before a vowel that is written first: there a syllable begins."""

EMOJI_EMS = 1.2
"""Ems an emoji is wide."""

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


@dataclass(frozen=True)
class Stretch:
    """A stretch of a line in one font: the path of its `face`, or `EMOJI`."""

    text: str
    face: str = LETTERING

    def width(self, size: int) -> float:
        """Pixels at an em of `size`."""
        if self.face == EMOJI:
            return EMOJI_EMS * size * len(clusters(self.text))
        return font(size * FINE, self.face).getlength(drawable(self.text)) / FINE


def measure(text: str, size: int) -> float:
    """The width of one line in pixels."""
    return _measured(text, size, own())


@lru_cache(20_000)
def _measured(text: str, size: int, own: str) -> float:
    return sum(run.width(size) for run in _runs(text, own))


def runs(text: str) -> tuple[Stretch, ...]:
    """A line in stretches of one font each, in the order they are read in. What no font has is left to the first."""
    return _runs(text, own())


@lru_cache(4096)
def _runs(text: str, own: str) -> tuple[Stretch, ...]:
    found: list[Stretch] = []
    for cluster in clusters(text):
        face = home(cluster, own)
        if face is None:  # nothing to be seen, as a space, goes with what is before it
            face = found[-1].face if found and found[-1].face != EMOJI else ""
            face = face if not face or ignorable(cluster[0]) or draws(face, cluster[0]) else LETTERING
        face = face or own or LETTERING
        if found and found[-1].face == face:
            found[-1] = Stretch(found[-1].text + cluster, face)
        else:
            found.append(Stretch(cluster, face))
    return tuple(found)


def drawable(text: str) -> str:
    """What is given to a font: without a layout engine that knows better, characters that are not seen are left out,
    or boxes would stand for them."""
    return text if SHAPED else "".join(char for char in text if not ignorable(char))


def right_to_left(text: str) -> bool:
    """Whether a text runs from right to left: its first letter does that is not in an isolate (UAX 9, P2 and P3)."""
    return direction(text) == "R"


def direction(text: str) -> str:
    """Where a text's first letter runs that is not in an isolate: "L" to the right, "R" to the left, "" without any."""
    depth = 0
    for kind in map(unicodedata.bidirectional, text):
        if kind in _ISOLATES:
            depth += 1
        elif kind == "PDI":
            depth = max(0, depth - 1)
        elif depth == 0 and kind in ("L", "R", "AL"):
            return "L" if kind == "L" else "R"
    return ""


def backward(text: str) -> bool:
    """Whether a sentence runs from right to left: as its first letter does, or as most do where one of another script,
    a name's, comes first: Mia הולכת."""
    kinds = Counter(map(unicodedata.bidirectional, text))
    return right_to_left(text) or kinds["R"] + kinds["AL"] > kinds["L"]


def isolated(text: str) -> str:
    """The text so that words of another script around it run as they would without it."""
    return f"{FIRST_STRONG_ISOLATE}{text}{POP_ISOLATE}"


def unwritable(text: str) -> str:
    """A sentence on the characters of a text that no font has or that are set wrongly; "" if there is none."""
    parts = [part for part in clusters(unicodedata.normalize("NFC", text)) if home(part, own()) == ""]
    # Of a flag or another joined emoji no character may be missing by itself.
    without = ([char for char in part if not writable(char, own())] or [part] for part in parts)
    missing = list(dict.fromkeys(chain.from_iterable(without)))
    if missing:
        # A mark is shown on the dotted circle that stands for any letter.
        shown = "".join(f"◌{one}" if unicodedata.category(one[0])[0] == "M" else one for one in missing[:12])
        shown += "…" * (len(missing) > 12)
        return Message("No font here has {shown}; empty boxes stand in for it: give one that has.", shown=shown)
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
    for unit in (part for whole in line_break_units(paragraph) for part in SYLLABLE.split(whole)):
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


@dataclass(frozen=True)
class SetLine:
    """A line of text in its place: `at` is the middle of its capitals' height, at its left end, middle or right end by
    `anchor`: l, m or r. `backwards`: it runs from right to left. `font` is the own one it is set in, "" for none."""

    text: str
    size: int
    at: tuple[float, float]
    anchor: str = "l"
    ink: Colour = INK
    backwards: bool = False
    font: str = ""

    def moved(self, x: float, y: float) -> SetLine:
        """The same line so many pixels further right and down."""
        return replace(self, at=(self.at[0] + x, self.at[1] + y))

    @property
    def baseline(self) -> float:
        """Where its letters stand, in pixels from the top."""
        return self.at[1] + CAP_HEIGHT * self.size / 2

    @property
    def placed(self) -> list[tuple[Stretch, float]]:
        """Its stretches from left to right, each with its left end in pixels. Those that run the other way than the
        line keep together in their own order (UAX 9, L2)."""
        parts, ordered = _runs(self.text, self.font), list[Stretch]()
        for against, group in groupby(parts, lambda run: direction(run.text) == ("L" if self.backwards else "R")):
            ordered += list(group)[:: -1 if against else 1]
        if self.backwards:
            ordered.reverse()
        x = self.at[0] - {"l": 0.0, "m": 0.5, "r": 1.0}[self.anchor] * sum(run.width(self.size) for run in parts)
        placed = []
        for run in ordered:
            placed.append((run, x))
            x += run.width(self.size)
        return placed


def set_block(block: TextBlock, box: Box, align: str, ink: Colour = INK) -> list[SetLine]:
    """The lines of a block in their places in its box (the text's own, without margins). `align` is "start", where its
    direction begins, or "middle"."""
    left, top, right, _ = box
    backwards = backward(" ".join(block.lines))
    x, anchor = (right, "r") if backwards else (left, "l")
    if align == "middle":
        x, anchor = (left + right) / 2, "m"
    high = LEADING * block.size
    return [
        SetLine(line, block.size, (x, top + (index + 0.5) * high), anchor, ink, backwards, own())
        for index, line in enumerate(block.lines)
    ]


def write_block(image: Image.Image, block: TextBlock, box: Box, align: str, ink: Colour = INK) -> None:
    """Write a block into its box; see `set_block`."""
    write(image, set_block(block, box, align, ink))


def set_line(
    text: str,
    size: int,
    at: tuple[float, float],
    anchor: str = "l",
    ink: Colour = INK,
    backwards: bool | None = None,
) -> SetLine:
    """One line in its place; see `SetLine`. `backwards` None = as `backward` tells."""
    return SetLine(text, size, at, anchor, ink, backward(text) if backwards is None else backwards, own())


def write_line(image: Image.Image, text: str, size: int, at: tuple[float, float], *how: Any, **more: Any) -> None:
    """Write one line; see `set_line`."""
    write(image, [set_line(text, size, at, *how, **more)])


def write(image: Image.Image, words: Iterable[SetLine]) -> None:
    """Draw lines of text into a picture."""
    for line in words:
        above = max(0, int(line.at[1] - line.size))
        mask = Image.new("L", (image.width * FINE, 2 * line.size * FINE))
        draw, base = ImageDraw.Draw(mask), (line.baseline - above) * FINE
        more: dict[str, Any] = {"direction": "rtl" if line.backwards else "ltr"} if SHAPED else {}
        placed = line.placed
        if len(placed) == 1 and placed[0][0].face != EMOJI:
            face = font(line.size * FINE, placed[0][0].face)
            draw.text((line.at[0] * FINE, base), drawable(line.text), 255, face, anchor=f"{line.anchor}s", **more)
            image.paste(line.ink, (0, above), mask.reduce(FINE))
            continue
        for run, x in placed:
            if run.face != EMOJI:
                draw.text(
                    (x * FINE, base), drawable(run.text), 255, font(line.size * FINE, run.face), anchor="ls", **more
                )
        image.paste(line.ink, (0, above), mask.reduce(FINE))
        draw_emoji(image, line)


def draw_emoji(image: Image.Image, line: SetLine) -> None:
    """Draw the emoji of a line into a picture, without its letters."""
    side = max(1, round(EMOJI_EMS * line.size))
    for run, left in line.placed:
        for index, cluster in enumerate(clusters(run.text) if run.face == EMOJI else ()):
            picture = emoji(cluster, side)
            at = round(left + index * EMOJI_EMS * line.size), round(line.at[1] - side / 2)
            image.paste(picture, at, picture)
