"""A story's own drawings: a folder of pictures, each named by what it shows: `red ball.svg`, `kite, dragon kite.png`.

An SVG comes from somebody else: it is taken only without a reference to a file or an address, within bounds, and
without what grows when it is drawn. resvg opens every file that an `href` names, so none is left in.
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree
from functools import lru_cache
from pathlib import Path

import numpy as np
from PIL import Image

from anystory.errors import AnyStoryError
from anystory.images import open_image
from anystory.sketch.things.drawing import Drawing
from anystory.sketch.things.svg import SVG, rasterise, seen_box

PICTURES = {".png", ".webp", ".jpg", ".jpeg", ".gif"}
MAX_FILES = 500
MAX_SVG_BYTES = 2_000_000
MAX_ELEMENTS = 50_000
"""Of an SVG as it is drawn, every use of a part counted."""

_EMBEDDED = re.compile(r"data:image/(?:png|jpe?g|webp|gif)[;,]", re.IGNORECASE)
_ADDRESS = re.compile(r"url\((?!\s*['\"]?\s*#)|@import", re.IGNORECASE)
_LINK = re.compile(r"url\(\s*['\"]?\s*#([^)'\"\s]+)")
_MEASURE = 256


class ThingError(AnyStoryError, ValueError):
    """A drawing of one's own cannot be used. The message is one sentence for the user."""


def own_drawings(folder: Path) -> list[tuple[str, Drawing]]:
    """Names and drawings of the pictures in `folder`, by file name; other files are left out. A file's name is what it
    shows, or several names with commas between. Raises `ThingError`, or `ImageError` for a damaged picture."""
    if not folder.is_dir():
        raise ThingError(f"There is no folder {str(folder)!r} with drawings of your own; check the path.")
    files = sorted(path for path in folder.iterdir() if path.suffix.lower() in PICTURES | {".svg"} and path.is_file())
    if len(files) > MAX_FILES:
        raise ThingError(f"{str(folder)!r} holds {len(files)} drawings, more than {MAX_FILES}; take some out.")
    found = []
    for path in files:
        names = [name.strip() for name in path.stem.replace("_", " ").split(",") if name.strip()]
        if not names:
            raise ThingError(f"{path.name!r} says nothing of what it shows; name it like 'red ball{path.suffix}'.")
        pixels = own_pixels(path, _MEASURE)
        drawing = Drawing(
            names[0].lower(), aspect=pixels.shape[1] / pixels.shape[0], colour=main_colour(pixels), file=path
        )
        found += [(name, drawing) for name in names]
    return found


def own_pixels(path: Path, height: int) -> np.ndarray:
    """The picture of a file trimmed to what is seen, uint8 (`height`, w, 4). Raises `ThingError`."""
    if path.suffix.lower() == ".svg":
        return rasterise(own_svg(path), height)
    image = open_image(path).convert("RGBA")
    box = image.getchannel("A").point(lambda alpha: 255 if alpha > 8 else 0).getbbox()
    if box is None:
        raise ThingError(f"{path.name} shows nothing: every pixel of it is transparent.")
    image = image.crop(box)
    width = max(1, round(height * image.width / image.height))
    # "RGBa" is premultiplied: the colour of what is transparent does not bleed into the edges.
    return np.array(image.convert("RGBa").resize((width, height), Image.Resampling.LANCZOS).convert("RGBA"))


def own_svg(path: Path) -> SVG:
    """An SVG file with nothing in it that reaches out of it, and the box of what it shows. Raises `ThingError`."""
    stat = path.stat()
    return _own_svg(path, stat.st_mtime_ns, stat.st_size)


@lru_cache(maxsize=32)
def _own_svg(path: Path, changed: int, size: int) -> SVG:
    if size > MAX_SVG_BYTES:
        raise ThingError(f"{path.name} has {size:,} bytes, more than {MAX_SVG_BYTES:,}; save a simpler SVG.")
    try:
        text = path.read_text(encoding="utf-8-sig")
        if "<!entity" in text.lower():
            raise ThingError(f"{path.name} declares XML entities; save it as plain SVG.")
        root = ElementTree.fromstring(text)
    except (ElementTree.ParseError, UnicodeDecodeError) as error:
        raise ThingError(f"{path.name} is not a readable SVG ({error}); save it again as plain SVG.") from error
    if root.tag.rsplit("}", 1)[-1] != "svg":
        raise ThingError(f"{path.name} is no SVG: its outermost element is {root.tag.rsplit('}', 1)[-1]!r}.")
    _refuse_references(root, path.name)
    _refuse_growth(root, path.name)
    # Written anew, the text begins with the root that was looked at, whatever comments came before it.
    text = ElementTree.tostring(root, encoding="unicode")
    try:
        box = seen_box(text)
    except ValueError as error:
        raise ThingError(f"{path.name} cannot be drawn ({error}); save it again as plain SVG.") from error
    if box is None:
        raise ThingError(f"{path.name} shows nothing; text has to be turned into paths first.")
    return SVG(text, box)


def _refuse_references(root: ElementTree.Element, name: str) -> None:
    for element in root.iter():
        for attribute, value in element.attrib.items():
            reference = attribute.rsplit("}", 1)[-1] == "href" and element.tag.rsplit("}", 1)[-1] != "a"
            if reference and not (value.strip().startswith("#") or _EMBEDDED.match(value.strip())):
                raise ThingError(f"{name} refers to {value[:60]!r}; only a picture inside the file may be shown.")
            if _ADDRESS.search(value):
                raise ThingError(f"{name} refers to {value[:60]!r}; only what is inside the file may be used.")
        if element.text and _ADDRESS.search(element.text):
            raise ThingError(f"{name} refers to something outside the file in its style; take that out.")


def _refuse_growth(root: ElementTree.Element, name: str) -> None:
    """Parts that use parts that use parts can make a drawing of any size out of a few lines."""
    by_id = {element.attrib["id"]: element for element in root.iter() if "id" in element.attrib}
    sizes: dict[int, int] = {}

    def size(element: ElementTree.Element, above: tuple[int, ...]) -> int:
        if id(element) in above or len(above) > 200:
            raise ThingError(f"{name} uses a part within itself or is nested too deep; save it as plain SVG.")
        if id(element) not in sizes:
            inside = list(element)
            for attribute, value in element.attrib.items():
                links = _LINK.findall(value)
                if attribute.rsplit("}", 1)[-1] == "href":
                    links.append(value.strip().removeprefix("#"))
                inside += [by_id[link] for link in links if link in by_id]
            sizes[id(element)] = 1 + sum(size(part, (*above, id(element))) for part in inside)
        return sizes[id(element)]

    if (total := size(root, ())) > MAX_ELEMENTS:
        raise ThingError(f"{name} draws {total:,} elements, more than {MAX_ELEMENTS:,}; save a simpler SVG.")


def main_colour(pixels: np.ndarray) -> str:
    """ "#rrggbb" of the colour that covers most of a picture, (h, w, 4); shades of one are one."""
    opaque = pixels[pixels[..., 3] > 200][:, :3]
    if not len(opaque):
        return ""
    _, index, counts = np.unique(opaque // 32, axis=0, return_inverse=True, return_counts=True)
    best = opaque[index.reshape(-1) == int(counts.argmax())]
    return "#" + bytes(np.median(best, axis=0).astype(np.uint8).tolist()).hex()
