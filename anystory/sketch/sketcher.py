"""A panel's sketch from its `Shot` and cut-outs. What panels share is made once: the places of a story, and their
pixels at one size."""

from __future__ import annotations

import threading
import zlib
from collections import OrderedDict
from collections.abc import Callable, Generator, Hashable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Generic, TypeVar

from anystory.errors import Message
from anystory.sketch.compose import Backdrop, Coat, Piece, Sketch, backdrop, composing, finished, layers
from anystory.sketch.cutout import Cutout
from anystory.sketch.pictured import paint_picture
from anystory.sketch.plain import paint_plain
from anystory.sketch.scenery import PLACES, Painting, paint
from anystory.sketch.stagecraft.covers import means
from anystory.sketch.staging import PlacedThing, Staging, stage
from anystory.story.model import BOUNDS
from anystory.story.shot import Shot
from anystory.story.steering import Layout

SIDES = range(BOUNDS["size"][0], BOUNDS["size"][1] + 1)
"""Widths and heights a sketch can have."""

MEDIUM = "watercolour"
"""What a shot of no medium is painted in."""

_FURNITURE = 0.4
"""Metres: how tall something is at least that a place has one of."""

T = TypeVar("T")


class Cache(Generic[T]):
    """Keeps what was made last, up to `limit` bytes in all; threads may share it. `weigh` tells how many bytes a value
    takes. What is larger than half of the limit is made anew each time."""

    def __init__(self, limit: int, weigh: Callable[[T], int]) -> None:
        self._limit, self._weigh = limit, weigh
        self._values: OrderedDict[Hashable, T] = OrderedDict()
        self._lock = threading.Lock()
        self.nbytes = 0

    def __contains__(self, key: Hashable) -> bool:
        return key in self._values

    def get(self, key: Hashable, make: Callable[[], T]) -> T:
        with self._lock:
            if key in self._values:
                self._values.move_to_end(key)
                return self._values[key]
        value = make()  # unlocked: two threads that want the same thing make the same
        size = self._weigh(value)
        if size > self._limit // 2:
            return value
        with self._lock:
            if key not in self._values:
                self._values[key] = value
                self.nbytes += size
            while self.nbytes > self._limit:
                self.nbytes -= self._weigh(self._values.popitem(last=False)[1])
        return value


def _drawn(painting: Painting) -> int:
    return sum(len(mark.svg) + len(mark.defs) for sheet in painting.sheets for mark in sheet.marks)


_paintings: Cache[Painting] = Cache(16_000_000, _drawn)
_backdrops: Cache[Backdrop] = Cache(80_000_000, lambda behind: behind.nbytes)


def sketch(
    shot: Shot,
    cutouts: Sequence[Cutout],
    *,
    width: int,
    height: int,
    seed: int,
    story_seed: int,
    layout: Layout = Layout(),
) -> Sketch:
    """The finished sketch of a shot; see `sketching`."""
    return finished(
        sketching(shot, cutouts, width=width, height=height, seed=seed, story_seed=story_seed, layout=layout)
    )


def sketching(
    shot: Shot,
    cutouts: Sequence[Cutout],
    *,
    width: int,
    height: int,
    seed: int,
    story_seed: int,
    layout: Layout = Layout(),
) -> Generator[Coat, None, None]:
    """Sketch a shot layer by layer, `width` x `height` pixels; the last coat has the `Sketch`. `cutouts`: one of each
    role's name, in any order. `seed` says who stands how, `story_seed` and the shot's setting what the place looks
    like; the same arguments give the same bits. A time or weather that the place does not have gives way to one it
    has, and a note says so. Raises ValueError for a size outside of `SIDES`, an unknown place or a role without a
    cut-out."""
    for side, value in (("width", width), ("height", height)):
        if value not in SIDES:
            raise ValueError(f"The {side} is {value}; it must be from {SIDES[0]} to {SIDES[-1]} pixels.")
    shot, notes = _possible(shot)
    staging = staged(shot, cutouts, width=width, height=height, seed=seed, story_seed=story_seed, layout=layout)
    painting, behind = _behind(shot, staging, story_seed, width, height)
    named = {cutout.name: cutout for cutout in cutouts}
    cast = [named[placed.name] for placed in staging.placed]
    for coat in composing(staging, shot, cast, painting, width, height, behind):
        if coat.sketch is not None:
            coat = replace(coat, sketch=replace(coat.sketch, notes=(*notes, *coat.sketch.notes)))
        yield coat
        del coat  # whoever has gone on to the next lets it go


def staged(
    shot: Shot,
    cutouts: Sequence[Cutout],
    *,
    width: int,
    height: int,
    seed: int,
    story_seed: int,
    layout: Layout = Layout(),
) -> Staging:
    """Who is where in the sketch of a shot; arguments and errors as of `sketching`."""
    shot, _ = _possible(shot)
    return stage(shot, cutouts, painting_of(shot, story_seed), (width, height), seed, layout)


def layered(
    shot: Shot, staging: Staging, cutouts: Sequence[Cutout], *, width: int, height: int, story_seed: int
) -> list[Piece]:
    """The sketch of a shot that is `staged`, taken apart for somebody to move its cast about, at any size of its
    shape."""
    shot, _ = _possible(shot)
    painting, behind = _behind(shot, staging, story_seed, width, height)
    named = {cutout.name: cutout for cutout in cutouts}
    return layers(staging, [named[placed.name] for placed in staging.placed], painting, behind, width, height)


def _behind(shot: Shot, staging: Staging, story_seed: int, width: int, height: int) -> tuple[Painting, Backdrop]:
    """The place of a staging, without what the line tells of by itself, and its pixels."""
    painting = painting_of(shot, story_seed)
    drawn = {thing.concept for thing in staging.things if _stands_for_itself(thing)}
    doubled = sorted(name for name in painting.motifs if any(means(concept, name) for concept in drawn))
    painting = painting.without(doubled)  # nobody has two beds where a line tells of one
    behind = _backdrops.get(
        (_key(shot, story_seed), tuple(doubled), width, height, staging.window),
        lambda: backdrop(painting, width, height, staging.window),
    )
    return painting, behind


def _stands_for_itself(thing: PlacedThing) -> bool:
    """Whether it is large enough to be the place's own one of its kind: a bed, and not a book in somebody's hand."""
    return thing.drawing is not None and not thing.held_by and thing.drawing.height >= _FURNITURE


def painting_of(shot: Shot, story_seed: int) -> Painting:
    """The shot's place as it is in this story: one setting is one place in all of its panels. Raises ValueError for an
    unknown place, or a time or weather it does not have, `ThingError` or `ImageError` for a picture of a place that
    cannot be used."""
    seed = (story_seed, zlib.crc32(shot.setting.encode()))
    moment = (shot.time, shot.weather, shot.medium, seed)

    def make() -> Painting:
        if shot.own:
            return paint_picture(Path(shot.own), *moment)
        return paint(shot.place, *moment) if shot.place else paint_plain(*moment)

    return _paintings.get(_key(shot, story_seed), make)


def _key(shot: Shot, story_seed: int) -> tuple[str | int, ...]:
    return (shot.place, shot.time, shot.weather, shot.medium, shot.setting, shot.look, story_seed)


def _possible(shot: Shot) -> tuple[Shot, tuple[str, ...]]:
    """The shot at a time and in a weather that its place has, with a sentence for each that had to give way."""
    shot = replace(shot, medium=shot.medium or MEDIUM)
    if shot.own or shot.place not in PLACES:
        return shot, ()
    place, notes = PLACES[shot.place], list[str]()
    for what, possible in (("time", place.times), ("weather", place.weathers)):
        asked = getattr(shot, what)
        if asked not in possible:
            shot = replace(shot, time=possible[0]) if what == "time" else replace(shot, weather=possible[0])
            if asked and possible[0]:
                notes.append(
                    Message(
                        "The {place} cannot be painted in {what} {asked}; it shows {shown}.",
                        place=shot.place,
                        what=what,
                        asked=repr(asked),
                        shown=repr(possible[0]),
                    )
                )
    return shot, tuple(notes)
