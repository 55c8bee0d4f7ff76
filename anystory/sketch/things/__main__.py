"""`python -m anystory.sketch.things build ICONS.JSON` makes assets/things/drawings.zip (see `build.py`), `sheets
FOLDER` draws contact sheets of all drawings by kind and of recoloured ones, `find WORDS …` says what a phrase finds."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from anystory.errors import AnyStoryError
from anystory.sketch.things.build import build, sheet
from anystory.sketch.things.colours import COLOURS
from anystory.sketch.things.drawing import INDEX, KINDS, PACK, all_drawings
from anystory.sketch.things.library import Library

RECOLOURED = 24
"""Every how many drawings one is shown in other colours."""


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m anystory.sketch.things", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    one = commands.add_parser("build", help="make the pack of drawings")
    one.add_argument("icons", type=Path, help="icons.json of the npm package @iconify-json/noto")
    one = commands.add_parser("sheets", help="draw contact sheets")
    one.add_argument("folder", type=Path)
    one = commands.add_parser("find", help="say which drawing a phrase finds")
    one.add_argument("phrases", nargs="+")
    one.add_argument("--own", type=Path, help="folder with drawings of your own")
    given = parser.parse_args(arguments)
    if given.command == "build":
        count = build(given.icons, INDEX, PACK)
        print(f"{PACK}: {count} drawings, {PACK.stat().st_size / 1e6:.1f} MB")
    elif given.command == "sheets":
        sheets(given.folder)
    else:
        try:
            library = Library(given.own)
        except AnyStoryError as error:
            parser.error(str(error))
        for phrase in given.phrases:
            found = library.find(phrase)
            like = [drawing.concept for drawing in library.candidates(phrase)]
            print(f"{phrase}: {found.concept if found else 'nothing'} ({', '.join(like)})")
    return 0


def sheets(folder: Path) -> None:
    """Write a picture for every kind of drawing, and one of other colours."""
    folder.mkdir(parents=True, exist_ok=True)
    for kind in KINDS:
        shown = [drawing for drawing in all_drawings() if drawing.kind == kind]
        sheet(shown).save(folder / f"{kind}.png")
        print(f"{folder / kind}.png: {len(shown)} drawings")
    turned = [drawing for drawing in all_drawings() if drawing.colour][::RECOLOURED]
    colours = ("", *COLOURS)
    sheet(turned, len(colours), colours).save(folder / "colours.png")


if __name__ == "__main__":
    sys.exit(main())
