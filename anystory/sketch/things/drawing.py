"""One drawing of the library, and the table of all of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path

from anystory.supplies import ASSETS

FOLDER = ASSETS / "things"
INDEX, PACK = FOLDER / "index.tsv", FOLDER / "drawings.zip"

KINDS = (
    "animal", "person", "fantasy", "food", "plant", "nature", "weather", "space", "building", "vehicle", "furniture",
    "household", "tool", "school", "clothes", "instrument", "toy", "sport", "mark",
)  # fmt: skip
BEINGS = ("animal", "person", "fantasy")
PARTS = ("whole", "upper half", "face")
RESTS = ("ground", "table", "hand", "wall", "sky", "water", "head")
COLUMNS = (
    "concept", "drawing", "kind", "part", "facing", "size", "rests", "colour", "aspect", "en", "zh", "es", "tags",
)  # fmt: skip
LANGUAGES = ("en", "zh", "es")


@dataclass(frozen=True)
class LibraryDrawing:
    """A drawing and what it shows.

    `concept`: the plain English noun, in the singular, no other drawing has it. `kind`: one of `KINDS`. `part`: how
    much of it is shown, one of `PARTS`; a lion's face is no whole lion. `facing`: "left", "right", "front", or "" where
    it does not matter. `size`: metres, its longest side in the world; small things as large as they have to be to be
    seen. `rests`: where it is, of `RESTS`, the usual one first. `colour`: its main colour, "#rrggbb", which is the one
    that another colour replaces; "" where no single one is. `aspect`: width by height of what is seen. `names`: by
    language, what else it is called; `tags`: by language, broader words that it may stand for ("fruit"). `source`: what
    it is drawn from (see `build.py`). `file`: a picture of the user's, None for the library's own.
    """

    concept: str
    kind: str = "household"
    part: str = "whole"
    facing: str = ""
    size: float = 0.4
    rests: tuple[str, ...] = ("ground", "hand")
    colour: str = ""
    aspect: float = 1.0
    names: Mapping[str, tuple[str, ...]] = field(default_factory=dict, compare=False)
    tags: Mapping[str, tuple[str, ...]] = field(default_factory=dict, compare=False)
    source: str = ""
    file: Path | None = None

    @property
    def height(self) -> float:
        """Metres from its lowest to its highest point."""
        return self.size / max(self.aspect, 1.0)

    def taking_after(self, like: LibraryDrawing | None) -> LibraryDrawing:
        """The same picture, of the kind, the size and the place that `like` has."""
        if like is None:
            return self
        return replace(self, kind=like.kind, size=like.size, rests=like.rests, names=like.names, tags=like.tags)

    @property
    def living(self) -> bool:
        """Whether it can be a character."""
        return self.kind in BEINGS


def parse(text: str) -> tuple[LibraryDrawing, ...]:
    """The drawings of a table: tab-separated, the first line names the columns, lists are separated by ";"."""
    first, *lines = text.splitlines()
    if tuple(first.split("\t")) != COLUMNS:
        raise ValueError(f"A table of drawings begins with the columns {', '.join(COLUMNS)}, separated by tabs.")
    return tuple(_row(line) for line in lines)


def _row(line: str) -> LibraryDrawing:
    concept, source, kind, part, facing, size, rests, colour, aspect, *words = line.split("\t")
    *names, tags = (tuple(text.split(";")) if text else () for text in words)
    # A tag is said in one language or in all: "fruit/水果,果子/fruta".
    told = [tag.split("/") for tag in tags]
    broader = [tuple(word for tag in told for word in tag[i : i + 1] for word in word.split(",")) for i in range(3)]
    return LibraryDrawing(
        concept,
        kind,
        part,
        facing,
        float(size),
        tuple(rests.split(";")),
        colour,
        float(aspect or 1),
        dict(zip(LANGUAGES, names, strict=True)),
        dict(zip(LANGUAGES, broader, strict=True)),
        source,
    )


@lru_cache(maxsize=1)
def all_drawings() -> tuple[LibraryDrawing, ...]:
    """The library's own drawings; of several that fit a word, the best comes first."""
    return parse(INDEX.read_text(encoding="utf-8"))
