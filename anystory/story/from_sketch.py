"""What a model's frame takes of its panel's sketch: where everybody is, and what it begins from. numpy and PIL only.

The sketch is the picture that storybook makes of the panel. `FromSketch` says what is taken of it, in a script
as `off`, or as one or several of `layout`, `reference` and `0.4`, in this order; an `Underdrawing` is the sketch
beneath one frame.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from PIL import Image

from anystory.errors import AnyStoryError, Message

KEY = "from_sketch"
"""What it is called in scripts."""

OFF, LAYOUT, REFERENCE = "off", "layout", "reference"
"""Nothing of the sketch; where everybody is; all of it, as one more picture that the model is shown."""

STRENGTH = 0.4
"""How far the frames of the embedded model go from the sketches they begin with where nobody says: chosen by looking at
what it draws (assets/mini/README.md)."""


class FromSketchError(AnyStoryError, ValueError):
    """What is said of the sketch cannot be read. The message is one sentence for the user."""


@dataclass(frozen=True)
class FromSketch:
    """What a frame takes of its sketch. `layout`: everybody's place in it is the layout of the routing, as firmly and
    in the steps that the panel's layout says; places by hand win over it. `reference`: the model sees it beside the
    pictures of the cast, where it can. `strength`: how far the frame goes from the sketch it begins with, 1 = from
    noise, 0 = the sketch; of N steps only the last int(N * strength + 0.5) run, at least one above 0. Raises
    FromSketchError for a strength beyond 0 and 1."""

    layout: bool = False
    strength: float = 1.0
    reference: bool = False

    def __post_init__(self) -> None:
        if not 0 <= self.strength <= 1:
            raise FromSketchError(
                Message(
                    "The strength of from_sketch is {strength}; it must be between 0 (the sketch) and 1 (from noise).",
                    strength=f"{self.strength:g}",
                )
            )

    @classmethod
    def read(cls, said: Any) -> FromSketch:
        """From what a script, a command or a program says: its words, a number alone, or False. Raises FromSketchError
        for anything else."""
        words = str(said).casefold().split() if not isinstance(said, bool) or said else [OFF]
        if words == [OFF]:
            return cls()
        layout = words[:1] == [LAYOUT]
        reference = words[layout : layout + 1] == [REFERENCE]
        numbers = words[layout + reference :]
        try:
            if not words or len(numbers) > 1:
                raise ValueError
            return cls(layout, round(float(numbers[0]), 4) if numbers else 1.0, reference)
        except FromSketchError:
            raise
        except ValueError as error:
            raise FromSketchError(
                Message(
                    "from_sketch is {said}; write off, layout, reference, a number from 0 (the sketch) to 1 (from "
                    "noise), or several as in layout 0.4 or layout reference 0.4.",
                    said=repr(str(said)[:60]),
                )
            ) from error

    def __str__(self) -> str:
        """The words that `read` reads."""
        words = [LAYOUT] * self.layout + [REFERENCE] * self.reference + [f"{self.strength:g}"] * (self.strength < 1)
        return " ".join(words) or OFF

    def __bool__(self) -> bool:
        """Whether it takes anything."""
        return self.layout or self.reference or self.strength < 1

    def steps(self, total: int) -> int:
        """How many of a frame's `total` steps run."""
        return max(int(total * self.strength + 0.5), int(self.strength > 0))

    def within(self, total: int) -> FromSketch:
        """What that comes to in so many steps: where all of them run, the frame is one from noise."""
        return self if self.steps(total) < total else replace(self, strength=1.0)


FROM_NOISE = FromSketch()


@dataclass(frozen=True)
class Underdrawing:
    """The sketch beneath a frame, and what is taken of it. `picture` RGB, of the frame's size; `holders` uint8 (H, W):
    whom of `names` each pixel shows, as many as they are for nobody."""

    taken: FromSketch
    picture: Image.Image
    holders: np.ndarray
    names: tuple[str, ...]

    def regions(self, names: Sequence[str], side: int) -> np.ndarray:
        """Where each of `names` is seen, as float32 (names, side, side) of 0 and 1 over the frame: as many fields
        as its pixels would fill, at least one, those of which it has the most. Who has fewer chooses first, so nobody
        is lost who is seen at all, however small or hidden. Zeros for who is not seen."""
        if not names:
            return np.zeros((0, side, side), np.float32)
        shares = [_shares(self.holders == self.names.index(name), side) for name in names]
        covered = np.stack(shares).reshape(len(names), -1)
        regions, free = np.zeros_like(covered), np.ones(side * side, bool)
        for index in np.argsort(covered.sum(axis=1), kind="stable"):
            fields = int(covered[index].sum() + 0.5) or int(covered[index].any())
            best = np.argsort(np.where(free, -covered[index], 1), kind="stable")[:fields]
            best = best[covered[index, best] > 0]
            regions[index, best], free[best] = 1, False
        return regions.reshape(len(names), side, side)


def _shares(seen: np.ndarray, side: int) -> np.ndarray:
    """How much of each of side x side fields is True: float32. Fields need not be whole pixels."""
    rows, columns = (_overlap(side, count) for count in seen.shape)
    return rows @ seen.astype(np.float32) @ columns.T


def _overlap(fields: int, pixels: int) -> np.ndarray:
    """What share of each field each pixel of a line covers: float32 (fields, pixels), its rows summing to 1."""
    edges = np.arange(fields)[:, None] * (pixels / fields)
    ends, pixel = edges + pixels / fields, np.arange(pixels)
    shared = np.minimum(ends, pixel + 1) - np.maximum(edges, pixel)
    return (shared.clip(min=0) * (fields / pixels)).astype(np.float32)
