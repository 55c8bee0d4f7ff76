"""A character who is only told of, as a drawing of the library."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches

import numpy as np
from PIL import Image

from anystory.errors import Message
from anystory.sketch.language.tokens import language_of, units_of
from anystory.sketch.stagecraft.props import library
from anystory.sketch.things import LibraryDrawing, all_drawings, render
from anystory.story.model import CastMember, Script

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
    told = [one for one in script.cast if (one.description or one.drawing) and one.image is None]
    found = likenesses([member.description for member in told], [member.drawing for member in told])
    return {member.name: one for member, one in zip(told, found, strict=True) if one is not None}


def missing(member: CastMember) -> str:
    """A sentence on why the library has nobody for a member of the cast."""
    if not member.drawing:
        return Message("Nothing in its library is {description}.", description=repr(member.description[:80]))
    near = get_close_matches(member.drawing.casefold(), [drawing.concept for drawing in all_drawings()], 1)
    hint = Message(" (did you mean {near}?)", near=repr(near[0])) if near else ""
    return Message(
        "Its library has no drawing {drawing} for {name}{hint}; name another under `drawing`.",
        drawing=repr(member.drawing[:80]),
        name=member.name,
        hint=hint,
    )


def choices(description: str, count: int = 4) -> list[str]:
    """The concepts of up to `count` drawings that could stand for a description, the likeliest first."""
    return [one.concept for one in _candidates(description)[:count]]


def likenesses(descriptions: Sequence[str], chosen: Sequence[str] = ()) -> list[Likeness | None]:
    """A drawing for each of a cast's descriptions, in their order; None where the library has none. `chosen`: of each
    the concept of the drawing that somebody took, "" where nobody did. Of two boys the second is another drawing of a
    boy, if there is one. The same descriptions give the same."""
    found: list[Likeness | None] = []
    taken: set[tuple[str, str]] = set()
    for description, concept in zip(descriptions, chosen or [""] * len(descriptions), strict=True):
        choice = _chosen(description, concept) if concept else _choice(description)
        free = (one for one in choice if (one.drawing.concept, one.colour) not in taken)
        best = next(free, choice[0] if choice else None)
        if best is not None:
            taken.add((best.drawing.concept, best.colour))
        found.append(best)
    return found


def _choice(description: str) -> list[Likeness]:
    """What the description names and variants of that, the best first."""
    candidates = _candidates(description)
    if not candidates:
        return []
    first = candidates[0]
    variants = [one for one in candidates[1:] if one.part == "whole" and first.concept in one.tags.get("en", ())]
    colour = "" if first.kind == "person" else _colour(description)
    return [Likeness(one, colour) for one in (first, *variants)]


def _candidates(description: str) -> list[LibraryDrawing]:
    found = library().candidates(description, 12)
    return [one for one in found if one.part != "face" and one.kind != "mark"]


def _chosen(description: str, concept: str) -> list[Likeness]:
    """The drawing that was taken, in the colour of the description."""
    drawing = library().find(concept)
    if drawing is None:
        return []
    return [Likeness(drawing, "" if drawing.kind == "person" else _colour(description))]


def _colour(description: str) -> str:
    """The colour that a description begins with; not that of what somebody wears or has."""
    for unit in units_of(description, {}, language_of(description)):
        if "with" in unit or unit.mark:
            break
        if "colours" in unit:
            return unit.value("colours")
    return ""
