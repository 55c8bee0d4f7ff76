"""Where letters come from: a font of one's own, those supplied, the drawings of emoji, and the system's fonts.

The first that has a letter gives it, in this order; the system's are asked (by fontconfig) only for what no other has,
so that what is set in the supplied fonts looks the same everywhere. PIL only; resvg draws the emoji.
"""

from __future__ import annotations

import io
import lzma
import shutil
import subprocess
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import lru_cache
from pathlib import Path

import resvg_py
from PIL import Image, ImageFont

from anystory.errors import AnyStoryError, Message
from anystory.supplies import ASSETS

FOLDER = ASSETS / "fonts"
LETTERING = str(FOLDER / "lettering.ttf")
SUPPLIED = (LETTERING, *(str(FOLDER / f"{name}.ttf") for name in ("korean", "thai", "devanagari")))
"""The fonts that come with the program, in the order they are asked in."""
EMOJI = "emoji"
"""What stands for a font where a drawing of an emoji is meant."""

MAX_FONT = 40_000_000
"""Bytes that a font of one's own has at most."""
KINDS = (".ttf", ".otf", ".ttc")

_own: ContextVar[str] = ContextVar("own", default="")

SKIN = range(0x1F3FB, 0x1F400)
"""Skin tones, without which an emoji is drawn where its own is not there."""


class FontError(AnyStoryError, ValueError):
    """A font cannot be used. The message is one sentence for the user."""


@contextmanager
def using(path: str) -> Iterator[None]:
    """Set what is set meanwhile, in this thread, in a font of one's own first; "" for none."""
    token = _own.set(path)
    try:
        yield
    finally:
        _own.reset(token)


def own() -> str:
    """The path of the own font that text is set in now, "" for none."""
    return _own.get()


def checked(path: str | Path) -> str:
    """The path of a font of one's own. Raises FontError for what is none that letters can be drawn from."""
    file = Path(path)
    if file.suffix.lower() not in KINDS:
        raise FontError(Message("{file} is no font; give a .ttf, .otf or .ttc file.", file=file.name))
    try:
        size = file.stat().st_size
        if size > MAX_FONT:
            raise FontError(
                Message(
                    "{file} has {size} MB; a font may have {most} MB at most.",
                    file=file.name,
                    size=f"{size / 1e6:.0f}",
                    most=MAX_FONT // 1_000_000,
                )
            )
        ImageFont.truetype(str(file), 24).getmask("A")
    except (OSError, ValueError) as error:  # what FreeType says of a damaged font
        raise FontError(
            Message("{file} cannot be read as a font; choose another .ttf or .otf file.", file=file.name)
        ) from error
    return str(file.resolve())


@lru_cache(64)
def font(size: int, face: str = LETTERING) -> ImageFont.FreeTypeFont:
    """A font at an em of `size` pixels."""
    return ImageFont.truetype(face, size)


# --- who has which letter -----------------------------------------------------------------------------------------


def ignorable(char: str) -> bool:
    """Whether a character is not seen by itself, as joiners, direction marks and variation selectors."""
    return (
        unicodedata.category(char) in ("Cc", "Cf", "Zl", "Zp")
        or char in "\u034f\u115f\u1160\u17b4\u17b5\u3164"
        or (0x180B <= ord(char) <= 0x180F or 0xFE00 <= ord(char) <= 0xFE0F or 0xE0100 <= ord(char) <= 0xE01EF)
    )


@lru_cache(8192)
def has(face: str, char: str) -> bool:
    """Whether a font has a character, a combining mark too, or it is one that is not seen."""
    return ignorable(char) or unicodedata.category(char) == "Zs" or draws(face, char)


@lru_cache(8192)
def draws(face: str, char: str) -> bool:
    """Whether a font draws a character, be it a space, otherwise than one that it lacks."""
    plain = _plain(face)
    return bytes(plain.getmask(char)) != bytes(plain.getmask("\U0010ffff"))


@lru_cache(32)
def _plain(face: str) -> ImageFont.FreeTypeFont:
    """A font without shaping, which draws every character by itself."""
    return ImageFont.truetype(face, 24, layout_engine=ImageFont.Layout.BASIC)


@lru_cache(8192)
def home(cluster: str, own: str) -> str | None:
    """The font that a letter with its marks is drawn from, `EMOJI` for a drawing of it, "" where nothing has it, or
    None for what is not seen."""
    seen = [char for char in cluster if not ignorable(char) and unicodedata.category(char) != "Zs"]
    if not seen:
        return None
    if "\ufe0f" in cluster and _drawing(cluster):
        return EMOJI
    for face in (own, *SUPPLIED) if own else SUPPLIED:
        if all(has(face, char) for char in seen):
            return face
    if _drawing(cluster):
        return EMOJI
    if unicodedata.category(seen[0]) in ("Cn", "Co", "Cs"):  # which no two fonts agree on
        return ""
    return next((face for face in _installed(seen[0]) if all(has(face, char) for char in seen)), "")


def writable(char: str, own: str = "") -> bool:
    """Whether some font has a character."""
    return home(char, own) != ""


@lru_cache(1024)
def _installed(char: str) -> tuple[str, ...]:
    """The system's fonts that have a character, Noto's first, else by name; none where fontconfig is missing."""
    program = shutil.which("fc-list")
    if program is None:
        return ()
    asked = [program, f":charset={ord(char):x}:scalable=true:color=false", "file"]
    said = subprocess.run(asked, capture_output=True, text=True, check=False).stdout
    files = [line.strip().removesuffix(":") for line in said.splitlines()]
    return tuple(sorted((file for file in files if file.endswith(KINDS)), key=lambda file: ("Noto" not in file, file)))


# --- emoji --------------------------------------------------------------------------------------------------------


@lru_cache(1)
def _drawings() -> dict[str, str]:
    """The bodies of the emoji's SVG by their code points, as in "1f468-200d-1f33e"."""
    files = (FOLDER / f"{name}.tsv.xz" for name in ("emoji", "flags"))
    texts = (lzma.decompress(file.read_bytes()).decode() for file in files)
    return dict(line.split("\t", 1) for text in texts for line in text.splitlines())


def _drawing(cluster: str) -> str:
    """The body of an emoji's SVG, "" where there is none."""
    if all(ord(char) < 0x203C for char in cluster):  # no need to unpack them for letters
        return ""
    codes = [ord(char) for char in cluster if char != "\ufe0f"]
    plain = [code for code in codes if code not in SKIN]
    tries = ("-".join(f"{code:x}" for code in some) for some in (codes, plain))
    return next((_drawings()[key] for key in tries if key in _drawings()), "")


@lru_cache(64)
def emoji(cluster: str, side: int) -> Image.Image:
    """An emoji as an RGBA picture of `side` pixels square."""
    svg = '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" viewBox="0 0 128 128">'
    svg += f"{_drawing(cluster)}</svg>"
    data = bytes(resvg_py.svg_to_bytes(svg_string=svg, width=side, skip_system_fonts=True))
    with Image.open(io.BytesIO(data)) as picture:
        return picture.convert("RGBA")
