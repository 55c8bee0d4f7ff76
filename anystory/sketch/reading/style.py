"""In what medium a style is drawn: the nearest of the painter's to the words of a preset or of one's own."""

from __future__ import annotations

from functools import cache

from anystory.sketch.language.tokens import language_of, units_of
from anystory.story.styles import presets

PRESETS = {
    "Chinese painting": "ink",
    "Japanese Anime": "flat",
    "Pixar/Disney Character": "flat",
    "Photographic": "watercolour",
    "Comic book": "ink",
    "Line art": "ink",
    "Black and White Film Noir": "ink",
    "Isometric Rooms": "flat",
    "Watercolour": "watercolour",
    "Oil painting": "watercolour",
    "Pencil sketch": "crayon",
    "Children's book": "watercolour",
    "Paper cut-out": "paper",
    "Clay animation": "paper",
    "Pixel art": "flat",
    "Woodcut": "ink",
    "Stained glass": "flat",
    "Low poly": "flat",
    "Art Nouveau poster": "flat",
    "Cyberpunk": "flat",
    "Chalkboard": "crayon",
}


@cache
def medium_of(style: str) -> str:
    """A key of `MEDIUMS` for a style, or "" where its words name none."""
    style = style.strip()
    named = next((preset for preset in presets() if preset.name.casefold() == style.casefold()), None)
    if named is not None:
        return PRESETS.get(named.name, "")
    if not style:
        return ""
    units = units_of(style.replace("{prompt}", " "), {}, language_of(style))
    return next(
        (unit.value("mediums") or unit.value("drawn") for unit in units if "mediums" in unit or "drawn" in unit), ""
    )
