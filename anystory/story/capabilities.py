"""What whoever makes a story's frames is and can do, as the rest of the program needs to know it."""

from __future__ import annotations

from dataclasses import dataclass

from anystory.story.from_sketch import FromSketch
from anystory.story.model import Settings


@dataclass(frozen=True)
class Capabilities:
    """What a backend is and can do.

    `name` and `version` (a fingerprint of the weights and of the program) are written beside every frame, one that is
    drawn otherwise than asked for, where memory is short, with a version of its own; `defaults` are the settings the
    weights were made for, `sizes` the sides of frames it can draw, in pixels; `max_subjects` is how many subjects a
    frame they were trained for; `languages` are those it reads, in English ("English", "Chinese").
    `follows_style` tells whether words of style change its frames as they say, `draws_characters` whether it can draw a
    character that it is only told of. One that `sketches` puts the cut-outs into painted places by its prompts' `shot`:
    it has neither steps nor guidance, routing nor references. `settings` are the names of those `Settings` that change
    its frames; a frame's own seed, which the request has, always does. `from_sketch` is what its frames take of their
    panels' sketches where nobody says, None where they can take nothing; `refers_to_sketches` tells whether it can take
    one for a further reference.
    """

    name: str
    version: str
    defaults: Settings
    sizes: range
    max_subjects: int
    languages: tuple[str, ...] = ("English",)
    follows_style: bool = True
    draws_characters: bool = True
    sketches: bool = False
    settings: tuple[str, ...] = ("size", "steps", "guidance", "eta", "gamma")
    from_sketch: FromSketch | None = None
    refers_to_sketches: bool = False
