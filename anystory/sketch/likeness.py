"""A character who is only told of, as a drawing of the library."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image

from anystory.sketch.language.tokens import language_of, units_of
from anystory.sketch.stagecraft.props import library
from anystory.sketch.things import LibraryDrawing, render
from anystory.story.model import Script

_HEIGHT = 768
"""Pixels of a drawing's height: as much as a frame of 1024 shows of one character."""

_EDGE = 24
"""Clear pixels around it, so that nothing of it looks cut off."""


@dataclass(frozen=True)
class Likeness:
    """The drawing that a description asks for, and the colour it names, a key of `things.COLOURS`, or ""."""

    drawing: LibraryDrawing
    colour: str = ""

    @property
    def words(self) -> str:
        return " ".join(filter(None, (self.colour, self.drawing.concept)))

    def picture(self) -> tuple[Image.Image, Image.Image]:
        """The drawing on white, RGB, and its own alpha, L."""
        pixels = np.pad(render(self.drawing, _HEIGHT, self.colour), ((_EDGE, _EDGE), (_EDGE, _EDGE), (0, 0)))
        pixels[pixels[..., 3] == 0] = (255, 255, 255, 0)
        return Image.fromarray(pixels[..., :3]), Image.fromarray(pixels[..., 3])


def library_cast(script: Script) -> dict[str, Likeness]:
    """What the library has for the members of the cast that have a description and no picture, by name. Everybody of
    the cast counts, whoever is in a panel: a member stays who it is."""
    told = [member for member in script.cast if member.description and member.image is None]
    found = likenesses([member.description for member in told])
    return {member.name: one for member, one in zip(told, found, strict=True) if one is not None}


def likenesses(descriptions: Sequence[str]) -> list[Likeness | None]:
    """A drawing for each of a cast's descriptions, in their order; None where the library has none. Of two boys the
    second is another drawing of a boy, if there is one. The same descriptions give the same."""
    taken: set[tuple[str, str]] = set()
    found = []
    for description in descriptions:
        choice = _choice(description)
        free = (one for one in choice if (one.drawing.concept, one.colour) not in taken)
        best = next(free, choice[0] if choice else None)
        if best is not None:
            taken.add((best.drawing.concept, best.colour))
        found.append(best)
    return found


def _choice(description: str) -> list[Likeness]:
    """What the description names and variants of that, the best first."""
    candidates = [one for one in library().candidates(description, 12) if one.part != "face" and one.kind != "mark"]
    if not candidates:
        return []
    first = candidates[0]
    variants = [one for one in candidates[1:] if one.part == "whole" and first.concept in one.tags.get("en", ())]
    colour = "" if first.kind == "person" else _colour(description)
    return [Likeness(one, colour) for one in (first, *variants)]


def _colour(description: str) -> str:
    """The colour that a description begins with; not that of what somebody wears or has."""
    for unit in units_of(description, {}, language_of(description)):
        if "with" in unit or unit.mark:
            break
        if "colours" in unit:
            return unit.value("colours")
    return ""
