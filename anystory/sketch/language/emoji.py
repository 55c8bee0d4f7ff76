"""`python -m anystory.sketch.language.emoji PACKAGE` writes emoji.tsv from the folder of an unpacked npm package
`emojibase-data` (MIT, 17.0.0 was used; its names are those of Unicode's CLDR): names of drawable things in three
languages.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Sequence
from pathlib import Path

from anystory.sketch.words import LANGUAGES

TARGET = Path(__file__).parent.parent / "emoji.tsv"
DRAWABLE = frozenset(
    """animal-mammal animal-bird animal-amphibian animal-reptile animal-marine animal-bug plant-flower plant-other
    food-fruit food-vegetable food-prepared food-asian food-sweet drink dishware transport-ground transport-water
    transport-air event award-medal sport game arts-crafts clothing sound musical-instrument phone computer
    light-video book-paper money mail writing office lock tool science medical household other-object""".split()  # noqa: SIM905
)
# Faces of animals, variants by direction and state, brand and sign names: not what an author calls a thing.
ODD = re.compile(
    r"face|oncoming|with |front-facing|departure|arrival|muted|speaker|suit$|tilted|incoming|outbox|inbox|closed|opened"
    r"|open |locked|sign|chart|banknote|national park|control|slider|wedding|cooking|construction|moon viewing|without"
    r"|liquid|low battery|nose|meat on|poultry|pouring|tanabata|decoration|wilted|fluttering|leafless|nesting"
    r"|performing"
    r"|light rail|seat|station|bus stop|motorway|suspension|ballot|page|done|index|dividers|tabs|linked|crossed"
    r"|\bgame\b|uniform|hole|clinking|cut of|leafy|root vegetable|ice$|goal|clothes|bars"
)
COLOURED = re.compile(r"^(?:red|green|blue|orange|white|black|brown) (?=apple|book|flower|cat|bird|mushroom)")


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the table; one line per name that is not said to be odd."""
    arguments = sys.argv[1:] if arguments is None else list(arguments)
    if len(arguments) != 1:
        print("usage: python -m anystory.sketch.language.emoji PACKAGE", file=sys.stderr)
        return 2
    package = Path(arguments[0])
    groups = json.loads((package / "meta" / "groups.json").read_text(encoding="utf-8"))["subgroups"]
    entries = {
        language: {
            entry["hexcode"]: entry
            for entry in json.loads((package / language / "data.json").read_text(encoding="utf-8"))
        }
        for language in LANGUAGES
    }
    rows = []
    for code, entry in entries["en"].items():
        english = entry["label"].lower()
        kind = groups.get(str(entry.get("subgroup")))
        if kind not in DRAWABLE or ODD.search(english) or COLOURED.search(english):
            continue
        chinese, spanish = (
            re.sub("[,，].*", "", entries[language][code]["label"].lower()) for language in ("zh", "es")
        )
        rows.append("\t".join((english, "", "", chinese, spanish)))
    head = (
        "# Names of emoji in Unicode's CLDR, by way of the npm package emojibase-data 17.0.0 (MIT);\n"
        "# made by language/emoji.py."
    )
    TARGET.write_text("\n".join((head, *rows)) + "\n", encoding="utf-8")
    print(f"{TARGET.name}: {len(rows)} names")
    return 0


if __name__ == "__main__":
    sys.exit(main())
