"""`python -m anystory.sketch.scenery FOLDER` draws the contact sheets of docs/scenes.md."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from anystory.sketch import scenery as scenes
from anystory.sketch.scenery import MEDIUMS, PLACES, TIMES, WEATHERS, Label

CELL = 256
MARGIN = 6
LINE = 22
COLUMNS = 4


def sheet(labels: Sequence[Label], columns: int, seed: int) -> Image.Image:
    """One scene a label, its label beneath."""
    rows = -(-len(labels) // columns)
    step = CELL + MARGIN
    out = Image.new("RGB", (columns * step + MARGIN, rows * (step + LINE) + MARGIN), "white")
    pen, font = ImageDraw.Draw(out), ImageFont.load_default(14)
    for i, label in enumerate(labels):
        picture = scenes.paint(*label, (seed, i)).render(CELL, CELL, grain=True).picture()
        x, y = MARGIN + i % columns * step, MARGIN + i // columns * (step + LINE)
        out.paste(Image.fromarray(picture), (x, y))
        pen.text((x, y + CELL + 2), ", ".join(word for word in label if word), "#333333", font)
    return out


def main(arguments: Sequence[str] | None = None) -> int:
    """Write a sheet a family of places, one of the mediums and one of the times and weathers."""
    arguments = sys.argv[1:] if arguments is None else list(arguments)
    if len(arguments) != 1:
        print("usage: python -m anystory.sketch.scenery FOLDER", file=sys.stderr)
        return 2
    folder = Path(arguments[0])
    folder.mkdir(parents=True, exist_ok=True)
    planned = scenes.plan(len(PLACES) * COLUMNS)
    families: dict[str, list[Label]] = {}
    for number, place in enumerate(PLACES.values()):
        family = place.paint.__module__.rsplit(".", 1)[1]
        families.setdefault(family, []).extend(planned[number + k * len(PLACES)] for k in range(COLUMNS))
    sheets = {family: (labels, COLUMNS) for family, labels in families.items()}
    shown = ("castle", "harbour", "forest")
    sheets["mediums"] = ([(place, "day", "clear", medium) for place in shown for medium in MEDIUMS], len(MEDIUMS))
    moments = [("village", time, weather, "watercolour") for time in TIMES for weather in WEATHERS]
    sheets["moments"] = (moments, len(WEATHERS))
    for number, (name, (labels, columns)) in enumerate(sheets.items()):
        path = folder / f"{name}.webp"
        sheet(labels, columns, number).save(path, quality=80, method=6)
        print(f"{path}: {len(labels)} scenes, {path.stat().st_size // 1024} KB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
