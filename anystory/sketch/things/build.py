"""Building the pack of drawings from Noto Emoji, and pictures of what is in it.

The drawings are those of the npm package `@iconify-json/noto` (1.2.9, Apache-2.0): `npm pack @iconify-json/noto`, then
unpack the .tgz and give its `icons.json`. assets/things/index.tsv says which of them are taken, and from what each
drawing is made: the name of an icon; `icon/body/values`, an icon with a body beneath it (see `figures.py`); or
`#name`, a symbol of `drawn.svg` beside this file, drawn for this program.
"""

from __future__ import annotations

import json
import xml.etree.ElementTree as ElementTree
import zipfile
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from anystory.sketch.things.drawing import COLUMNS, LibraryDrawing, parse
from anystory.sketch.things.figures import Box, figure
from anystory.sketch.things.render import member, render
from anystory.sketch.things.svg import seen_box

DRAWN = Path(__file__).with_name("drawn.svg")
ICON: Box = (0, 0, 128, 128)
EPOCH = (1980, 1, 1, 0, 0, 0)
NAMESPACES = 'xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"'
_SVG = "{http://www.w3.org/2000/svg}"

CELL, LINE, MARGIN = 96, 26, 6


def build(icons: Path, index: Path, pack: Path) -> int:
    """Write the pack of all drawings of `index` and put their aspects into it; returns how many there are. `icons` is
    the package's icons.json. The same input gives the same bytes. Raises ValueError for what cannot be drawn."""
    bodies = {name: icon["body"] for name, icon in json.loads(icons.read_text(encoding="utf-8"))["icons"].items()}
    drawn = symbols(DRAWN)
    first, *lines = index.read_text(encoding="utf-8").splitlines()
    rows = [line.split("\t") for line in lines]
    source, aspect = COLUMNS.index("drawing"), COLUMNS.index("aspect")
    made: dict[str, str] = {}
    for row in rows:
        marks, box = assembled(row[source], bodies, drawn)
        seen = seen_box(f'<svg {NAMESPACES} viewBox="{_numbers(box)}">{marks}</svg>')
        if seen is None:
            raise ValueError(f"The drawing of {row[0]!r}, {row[source]!r}, shows nothing.")
        made[member(row[source])] = f'<svg {NAMESPACES} viewBox="{_numbers(seen)}">{marks}</svg>'
        row[aspect] = f"{seen[2] / seen[3]:.3f}"
    with zipfile.ZipFile(pack, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as file:
        for name in sorted(made):
            entry = zipfile.ZipInfo(name, EPOCH)
            entry.compress_type = zipfile.ZIP_DEFLATED
            file.writestr(entry, made[name])
    index.write_text("\n".join([first, *("\t".join(row) for row in rows), ""]), encoding="utf-8", newline="\n")
    return len(parse(index.read_text(encoding="utf-8")))


def assembled(source: str, bodies: dict[str, str], drawn: dict[str, tuple[str, Box]]) -> tuple[str, Box]:
    """The SVG marks of what the index says a drawing is made from, and the box they lie in."""
    if source.startswith("#"):
        if source[1:] not in drawn:
            raise ValueError(f"{DRAWN.name} has no symbol {source[1:]!r}.")
        return drawn[source[1:]]
    icon, *rest = source.split("/")
    if icon not in bodies:
        raise ValueError(f"The package has no icon {icon!r}; take another or another version of it.")
    if not rest:
        return bodies[icon], ICON
    body, values = rest
    return figure(bodies[icon], body, values.split(",") if values else [])


def symbols(path: Path) -> dict[str, tuple[str, Box]]:
    """The marks and the box of every symbol of an SVG file, by its id."""
    found = {}
    for symbol in ElementTree.parse(path).getroot().iter(f"{_SVG}symbol"):
        for element in symbol.iter():
            element.tag = element.tag.removeprefix(_SVG)
        marks = "".join(ElementTree.tostring(part, encoding="unicode").strip() for part in symbol)
        x, y, width, height = map(float, symbol.attrib["viewBox"].split())
        found[symbol.attrib["id"]] = marks, (x, y, width, height)
    return found


def sheet(drawings: list[LibraryDrawing], columns: int = 12, colours: tuple[str, ...] = ("",)) -> Image.Image:
    """The drawings, each in all the colours, with their concepts beneath them."""
    cells = [(drawing, colour) for drawing in drawings for colour in colours]
    rows = -(-len(cells) // columns)
    step = CELL + MARGIN
    out = Image.new("RGB", (columns * step + MARGIN, rows * (step + LINE) + MARGIN), "#dfe8ee")
    pen, font = ImageDraw.Draw(out), ImageFont.load_default(11)
    for i, (drawing, colour) in enumerate(cells):
        x, y = MARGIN + i % columns * step, MARGIN + i // columns * (step + LINE)
        height = max(1, round(CELL / max(drawing.aspect, 1)))
        picture = Image.fromarray(render(drawing, height, colour))
        out.paste(picture, (x + (CELL - picture.width) // 2, y + CELL - picture.height), picture)
        for line, text in enumerate((drawing.concept[:18], colour or drawing.concept[18:36])):
            pen.text((x, y + CELL + 1 + 11 * line), text, "#333333", font)
    return out


def _numbers(box: Box) -> str:
    return " ".join(f"{number:.6g}" for number in box)
