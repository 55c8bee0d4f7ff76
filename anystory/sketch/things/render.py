"""A drawing as pixels of any height, in a colour of one's choice."""

from __future__ import annotations

import threading
import zipfile
from collections import OrderedDict
from functools import lru_cache
from pathlib import Path

import numpy as np

from anystory.sketch.own_files import changed
from anystory.sketch.things.colours import is_like, recoloured, recoloured_svg, rgb
from anystory.sketch.things.drawing import PACK, LibraryDrawing
from anystory.sketch.things.own import own_pixels
from anystory.sketch.things.svg import SVG, rasterise, view_box

MAX_HEIGHT = 4096
CACHE_BYTES = 48_000_000
"""Pixels that are kept for the next time, all drawings together."""


def render(drawing: LibraryDrawing, height: int, colour: str = "") -> np.ndarray:
    """`drawing` at `height` pixels, uint8 (height, about height · aspect, 4), straight alpha, trimmed to what is seen;
    not to be written to, as it is kept for the next call. With a `colour`, a key of `COLOURS` or "#rrggbb", what has
    its main colour turns to that one in its own shading. Raises ValueError for a height beyond 1 to `MAX_HEIGHT` or an
    unknown colour, and `ThingError` for a file of the user's that cannot be used."""
    if not 1 <= height <= MAX_HEIGHT:
        raise ValueError(f"A drawing cannot be {height} px high; choose 1 to {MAX_HEIGHT}.")
    if colour:
        rgb(colour)
    if is_like(drawing.colour, colour) or not drawing.colour:
        colour = ""
    key = (drawing.source, drawing.file, drawing.file and changed(drawing.file), drawing.colour, height, colour)
    pixels = _KEPT.get(key)
    if pixels is None:
        pixels = _drawn(drawing, height, colour)
        pixels.setflags(write=False)
        _KEPT.put(key, pixels)
    return pixels


def _drawn(drawing: LibraryDrawing, height: int, colour: str) -> np.ndarray:
    if drawing.file is not None:
        # Pixels, not the text of an SVG: colours can be written there as "red", rgb() or #rgba, or not at all.
        pixels = own_pixels(drawing.file, height)
        if colour:
            pixels[..., :3] = np.rint(recoloured(pixels[..., :3], drawing.colour, colour))
        return pixels
    svg = packed(drawing.source)
    if colour:
        svg = SVG(recoloured_svg(svg.text, drawing.colour, colour), svg.box)
    return rasterise(svg, height)


def packed(source: str) -> SVG:
    """A drawing of the library's own. Raises KeyError for what is not in the pack."""
    pack, lock = _pack(PACK)
    with lock:
        text = pack.read(member(source)).decode("utf-8")
    return SVG(text, view_box(text))


def member(source: str) -> str:
    """The pack's name of what is drawn from `source`."""
    return source.replace("/", " ").replace("#", "") + ".svg"


@lru_cache(maxsize=1)
def _pack(path: Path) -> tuple[zipfile.ZipFile, threading.Lock]:
    return zipfile.ZipFile(path), threading.Lock()


class _Kept:
    """Pixels by key, the longest unused forgotten first once they are more than `limit` bytes."""

    def __init__(self, limit: int) -> None:
        self.limit, self.bytes = limit, 0
        self._entries: OrderedDict[tuple, np.ndarray] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: tuple) -> np.ndarray | None:
        with self._lock:
            if key in self._entries:
                self._entries.move_to_end(key)
            return self._entries.get(key)

    def put(self, key: tuple, pixels: np.ndarray) -> None:
        with self._lock:
            if key in self._entries or pixels.nbytes > self.limit // 2:
                return
            self._entries[key] = pixels
            self.bytes += pixels.nbytes
            while self.bytes > self.limit:
                self.bytes -= self._entries.popitem(last=False)[1].nbytes


_KEPT = _Kept(CACHE_BYTES)
