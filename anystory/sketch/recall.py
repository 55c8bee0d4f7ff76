"""What a story says once of a thing holds in the panels after it: the red ball is red where it is only "the ball"."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from anystory.story.shot import Shot, Thing


def recalled(shots: Sequence[Shot]) -> list[Shot]:
    """The shots of a story, in their order, each thing with the colour and the size that were last said of its kind
    where its own line says none."""
    looks: dict[str, Thing] = {}
    return [replace(shot, things=tuple(_recalled(thing, looks) for thing in shot.things)) for shot in shots]


def _recalled(thing: Thing, looks: dict[str, Thing]) -> Thing:
    before = looks.get(thing.concept, thing)
    thing = replace(thing, colour=thing.colour or before.colour, size=thing.size or before.size)
    looks[thing.concept] = thing
    return thing
