"""How large a frame is: its two sides in pixels, the shapes it may have, and how both are written."""

from __future__ import annotations

import math
import re
from typing import NamedTuple

from anystory.errors import Message

SHAPES = ("21:9", "16:9", "3:2", "4:3", "1:1", "3:4", "2:3", "9:16")
"""What a frame may be asked to look like, width to height, from the widest to the tallest."""

SIDES = (16, 4096)
"""The least and the greatest side of a frame that anybody may ask for, in pixels."""

_WRITTEN = re.compile(r"\s*(\d{1,5})\s*(?:[xX×*]\s*(\d{1,5})\s*)?", re.ASCII)


class Size(NamedTuple):
    """A frame's width and height in pixels."""

    width: int
    height: int

    @classmethod
    def of(cls, value: object) -> Size:
        """A size as it is written: a whole number, the side of a square, as a number or in words, or both sides, as in
        "1344x768". Raises ValueError for anything else."""
        if isinstance(value, Size):
            return value
        if isinstance(value, int) and not isinstance(value, bool):
            return cls(value, value)
        if isinstance(value, str) and (sides := _WRITTEN.fullmatch(value)):
            return cls(int(sides[1]), int(sides[2] or sides[1]))
        raise ValueError(
            Message("{value} is not a size; give a side in pixels, or two such as 1344x768.", value=repr(value))
        )

    @classmethod
    def asked(cls, value: object) -> Size:
        """A size that somebody asks for, as in `of`. Raises ValueError also where a side is not within `SIDES`."""
        size = cls.of(value)
        if not all(SIDES[0] <= side <= SIDES[1] for side in size):
            raise ValueError(f"{value!r} is not a size between {SIDES[0]} and {SIDES[1]} a side.")
        return size

    @property
    def written(self) -> int | str:
        """The size as files have it: the side of a square, else "1344x768"."""
        return self.width if self.is_square else f"{self.width}x{self.height}"

    @property
    def is_square(self) -> bool:
        return self.width == self.height

    @property
    def area(self) -> int:
        return self.width * self.height

    def __str__(self) -> str:
        return str(self.written)

    def within(self, sizes: range) -> bool:
        """Whether both sides are among `sizes`."""
        return self.width in sizes and self.height in sizes


def ratio(shape: str) -> float:
    """Width to height of one of `SHAPES`."""
    wide, tall = shape.split(":")
    return int(wide) / int(tall)


def shaped(ratio: float, area: float, sizes: range) -> Size:
    """The size with sides of `sizes` that is nearest to width : height = `ratio` at about so many pixels in all."""
    width, height = (area * ratio) ** 0.5, (area / ratio) ** 0.5
    return Size(nearest_side(width, sizes), nearest_side(height, sizes))


def nearest_side(side: float, sizes: range) -> int:
    """The one of `sizes` that is nearest to a side; of two the smaller."""
    return sizes[min(max(math.ceil((side - sizes[0]) / sizes.step - 0.5), 0), len(sizes) - 1)]
