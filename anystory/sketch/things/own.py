"""A story's own drawings of things: a folder of pictures (`anystory.sketch.own_files`).

An SVG comes from somebody else: it is taken only without a reference to a file or an address, within bounds, and
without what grows when it is drawn. resvg opens every file that an `href` names, so none is left in.
"""

from __future__ import annotations

import base64
import hashlib
import io
import re
import xml.etree.ElementTree as ElementTree
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import unquote, unquote_to_bytes

import numpy as np
from PIL import Image

from anystory.cast.images import open_image
from anystory.errors import Message
from anystory.sketch.own_files import ThingError, changed, own_files
from anystory.sketch.things.drawing import RESTS, LibraryDrawing
from anystory.sketch.things.svg import SVG, rasterise, seen_box

MAX_SVG_BYTES = 2_000_000
MAX_ASPECT = 50
MAX_EMBEDDED = 16_000_000
"""Pixels of all pictures in an SVG, 4 bytes each."""

MAX_ELEMENTS = 50_000
"""Of an SVG as it is drawn, every use of a part counted."""

_EMBEDDED = re.compile(r"data:image/(?:png|jpe?g|webp|gif)[;,]", re.IGNORECASE)
_ADDRESS = re.compile(r"url\((?!\s*['\"]?\s*#)|@import", re.IGNORECASE)
_LINK = re.compile(r"url\(\s*['\"]?\s*#([^)'\"\s]+)")
_RULE = re.compile(r"([^{}]+)\{([^{}]*)\}")
_MEASURE = 256


@dataclass(frozen=True)
class Own:
    """A drawing of the story's own, what it is called, and what it is `like`, of whose kind and size it is."""

    names: tuple[str, ...]
    drawing: LibraryDrawing
    like: str
    said: Mapping[str, Any]

    def taking_after(self, like: LibraryDrawing | None) -> LibraryDrawing:
        """The drawing as large as `like`, but for what was said of it."""
        return replace(self.drawing.taking_after(like), **self.said)


def own_drawings(folder: Path) -> list[Own]:
    """The drawings of things in `folder`, by file name. Raises `ThingError`, or `ImageError` for a damaged picture."""
    found = []
    for path, names, said in own_files(folder, "things.yaml", _said, "like, size, rests or facing"):
        pixels = own_pixels(path, _MEASURE)
        drawing = LibraryDrawing(
            names[0].lower(), aspect=pixels.shape[1] / pixels.shape[0], colour=main_colour(pixels), file=path
        )
        found.append(Own(tuple(names), drawing, said.pop("like", names[0]), said))
    return found


def _said(where: str, key: str, value: Any) -> Any:
    """One value of the list, checked; see `own_files.Said`."""
    if key == "like" and isinstance(value, str):
        return value
    if key == "size":
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0.01 <= value <= 100:
            raise ThingError(
                Message("{where} is {value}; it must be from 0.01 to 100 metres.", where=where, value=repr(value))
            )
        return float(value)
    if key == "rests":
        if value not in RESTS:
            raise ThingError(
                Message(
                    "{where} is {value}; it must be one of {choices}.",
                    where=where,
                    value=repr(value),
                    choices=", ".join(RESTS),
                )
            )
        return (value,)
    if key == "facing":
        if value not in ("left", "right", "front"):
            raise ThingError(
                Message("{where} is {value}; it must be left, right or front.", where=where, value=repr(value))
            )
        return value
    raise KeyError(key)


def look_of(own: Own) -> str:
    """What a drawing looks like and how it is put into a picture, as a hash: the file's bytes and what is said of
    it."""
    digest = hashlib.sha256(own.drawing.file.read_bytes() if own.drawing.file else b"")
    digest.update(repr((own.like, sorted(own.said.items()))).encode())
    return digest.hexdigest()


def own_pixels(path: Path, height: int) -> np.ndarray:
    """The picture of a file trimmed to what is seen, uint8 (`height`, w, 4). Raises `ThingError`."""
    if path.suffix.lower() == ".svg":
        return rasterise(own_svg(path), height)
    image = open_image(path).convert("RGBA")
    box = image.getchannel("A").point(lambda alpha: 255 if alpha > 8 else 0).getbbox()
    if box is None:
        raise ThingError(Message("{file} shows nothing: every pixel of it is transparent.", file=path.name))
    image = image.crop(box)
    _refuse_slivers(image.width, image.height, path.name)
    width = max(1, round(height * image.width / image.height))
    # "RGBa" is premultiplied: the colour of what is transparent does not bleed into the edges.
    return np.array(image.convert("RGBa").resize((width, height), Image.Resampling.LANCZOS).convert("RGBA"))


def own_svg(path: Path) -> SVG:
    """An SVG file with nothing in it that reaches out of it, and the box of what it shows. Raises `ThingError`."""
    return _own_svg(path, *changed(path))


@lru_cache(maxsize=32)
def _own_svg(path: Path, time: int, size: int) -> SVG:
    if size > MAX_SVG_BYTES:
        raise ThingError(
            Message(
                "{file} has {bytes} bytes, more than {most}; save a simpler SVG.",
                file=path.name,
                bytes=f"{size:,}",
                most=f"{MAX_SVG_BYTES:,}",
            )
        )
    try:
        text = path.read_text(encoding="utf-8-sig")
        if "<!entity" in text.lower():
            raise ThingError(Message("{file} declares XML entities; save it as plain SVG.", file=path.name))
        root = ElementTree.fromstring(text)
    except (ElementTree.ParseError, UnicodeDecodeError, OSError) as error:
        raise ThingError(
            Message(
                "{file} is not a readable SVG ({reason}); save it again as plain SVG.", file=path.name, reason=error
            )
        ) from error
    if root.tag.rsplit("}", 1)[-1] != "svg":
        raise ThingError(
            Message(
                "{file} is not an SVG: its outermost element is {element}.",
                file=path.name,
                element=repr(root.tag.rsplit("}", 1)[-1]),
            )
        )
    _refuse_references(root, path.name)
    _refuse_growth(root, path.name)
    # Written anew, the text begins with the root that was looked at, whatever comments came before it.
    text = ElementTree.tostring(root, encoding="unicode")
    try:
        box = seen_box(text)
    except ValueError as error:
        raise ThingError(
            Message("{file} cannot be drawn ({reason}); save it again as plain SVG.", file=path.name, reason=error)
        ) from error
    if box is None:
        raise ThingError(Message("{file} shows nothing; text has to be turned into paths first.", file=path.name))
    _refuse_slivers(*box[2:], path.name)
    return SVG(text, box)


def _refuse_slivers(width: float, height: float, name: str) -> None:
    """A line across a page, trimmed, would be thousands of pixels long for a few of its height."""
    if max(width, height) > MAX_ASPECT * min(width, height):
        raise ThingError(
            Message(
                "{file} shows something over {most} times as long as it is wide; draw it thicker.",
                file=name,
                most=MAX_ASPECT,
            )
        )


def _refuse_references(root: ElementTree.Element, name: str) -> None:
    pixels = 0
    for element in root.iter():
        for attribute, value in element.attrib.items():
            reference = attribute.rsplit("}", 1)[-1] == "href" and element.tag.rsplit("}", 1)[-1] != "a"
            embedded = reference and _EMBEDDED.match(value.strip())
            if reference and not (value.strip().startswith("#") or embedded):
                raise ThingError(
                    Message(
                        "{file} refers to {value}; only a picture inside the file may be shown.",
                        file=name,
                        value=repr(value[:60]),
                    )
                )
            pixels += _pixels_of(value.strip(), name) if embedded else 0
            if _ADDRESS.search(value):
                raise ThingError(
                    Message(
                        "{file} refers to {value}; only what is inside the file may be used.",
                        file=name,
                        value=repr(value[:60]),
                    )
                )
        if element.text and _ADDRESS.search(element.text):
            raise ThingError(
                Message("{file} refers to something outside the file in its style; take that out.", file=name)
            )
    if pixels > MAX_EMBEDDED:
        raise ThingError(
            Message(
                "{file} holds pictures of {pixels} pixels, more than {most}; scale them down.",
                file=name,
                pixels=f"{pixels:,}",
                most=f"{MAX_EMBEDDED:,}",
            )
        )


def _pixels_of(address: str, name: str) -> int:
    """How many pixels a picture has that is written out in a "data:" address, of which nothing is decoded."""
    kind, _, data = address.partition(",")
    try:
        content = base64.b64decode(unquote(data)) if kind.lower().endswith(";base64") else unquote_to_bytes(data)
        with Image.open(io.BytesIO(content)) as image:
            return image.width * image.height
    except (ValueError, OSError, Image.DecompressionBombError) as error:
        raise ThingError(
            Message("{file} holds a picture that cannot be used; embed it again as PNG or JPEG.", file=name)
        ) from error


def _refuse_growth(root: ElementTree.Element, name: str) -> None:
    """Parts that use parts that use parts can make a drawing of any size out of a few lines."""
    by_id = {element.attrib["id"]: element for element in root.iter() if "id" in element.attrib}
    by_style = _styles(root)
    sizes: dict[int, int] = {}

    def size(element: ElementTree.Element, above: tuple[int, ...]) -> int:
        if id(element) in above or len(above) > 200:
            raise ThingError(
                Message("{file} uses a part within itself or is nested too deep; save it as plain SVG.", file=name)
            )
        if id(element) not in sizes:
            inside = list(element)
            called = {element.tag.rsplit("}", 1)[-1], element.get("id", ""), *element.get("class", "").split(), "*"}
            inside += [by_id[link] for one in called for link in by_style.get(one, ()) if link in by_id]
            for attribute, value in element.attrib.items():
                links = _LINK.findall(value)
                if attribute.rsplit("}", 1)[-1] == "href":
                    links.append(value.strip().removeprefix("#"))
                inside += [by_id[link] for link in links if link in by_id]
            sizes[id(element)] = 1 + sum(size(part, (*above, id(element))) for part in inside)
        return sizes[id(element)]

    if (total := size(root, ())) > MAX_ELEMENTS:
        raise ThingError(
            Message(
                "{file} draws {count} elements, more than {most}; save a simpler SVG.",
                file=name,
                count=f"{total:,}",
                most=f"{MAX_ELEMENTS:,}",
            )
        )


def _styles(root: ElementTree.Element) -> dict[str, list[str]]:
    """What the style sheets of an SVG link to, by the class, id or tag, or "*", for which they do."""
    found: dict[str, list[str]] = {}
    sheets = (element.text or "" for element in root.iter() if element.tag.rsplit("}", 1)[-1] == "style")
    for selectors, body in _RULE.findall(" ".join(sheets)):
        for called in re.findall(r"[\w-]+|\*", selectors):
            found.setdefault(called, []).extend(_LINK.findall(body))
    return found


def main_colour(pixels: np.ndarray) -> str:
    """ "#rrggbb" of the colour that covers most of a picture, (h, w, 4); shades of one are one."""
    opaque = pixels[pixels[..., 3] > 200][:, :3]
    if not len(opaque):
        return ""
    _, index, counts = np.unique(opaque // 32, axis=0, return_inverse=True, return_counts=True)
    best = opaque[index.reshape(-1) == int(counts.argmax())]
    return "#" + bytes(np.median(best, axis=0).astype(np.uint8).tolist()).hex()
