"""Chance with a name: the same name gives the same numbers, whatever else is drawn before it or beside it."""

from __future__ import annotations

import math
import struct
from collections.abc import Iterator, Sequence
from hashlib import blake2b
from itertools import count as endless
from typing import TypeVar

import numpy as np

T = TypeVar("T")


def numbers(name: str) -> Iterator[float]:
    """Endless numbers in [0, 1) that belong to `name`: its hash, counted on. The same in every version of Python."""
    for block in endless():
        for number in struct.unpack("<8Q", blake2b(f"{name} {block}".encode()).digest()):
            yield (number >> 11) / (1 << 53)


class Chance:
    """A stream of chance of its own."""

    def __init__(self, name: str) -> None:
        self._next = numbers(name).__next__

    def between(self, low: float, high: float) -> float:
        return low + (high - low) * self._next()

    def count(self, low: int, high: int) -> int:
        """A whole number from `low` to `high`, both included."""
        return low + int((high - low + 1) * self._next())

    def chance(self, share: float) -> bool:
        return self._next() < share

    def pick(self, *options: T) -> T:
        return options[int(len(options) * self._next())]

    def sign(self) -> int:
        """-1 or 1."""
        return -1 if self._next() < 0.5 else 1

    def several(self, count: int, low: float, high: float) -> np.ndarray:
        """`count` numbers between `low` and `high`."""
        return np.array([self.between(low, high) for _ in range(count)])

    def spread(self, count: int, low: float = 0.0, high: float = 100.0, loose: float = 0.7) -> list[float]:
        """`count` places between `low` and `high`, one in each of as many equal parts."""
        part = (high - low) / max(count, 1)
        return [low + part * (k + 0.5 + self.between(-0.5, 0.5) * loose) for k in range(count)]

    def shuffled(self, options: Sequence[T]) -> list[T]:
        return sorted(options, key=lambda _: self._next())


class Motif:
    """What is being drawn: its `name`, the path of names to it, its `stream`, and a chance of its own."""

    def __init__(self, name: str, stream: str) -> None:
        self.name, self.stream = name, stream
        self.chance = Chance(name)
        self._asked: dict[object, int] = {}

    def variation(self, colour: object) -> tuple[float, float, float]:
        """Three numbers of mean 0 and standard deviation 1 for a colour: others that are asked for do not matter."""
        asked = self._asked[colour] = self._asked.get(colour, 0) + 1
        drawn = numbers(f"{self.name} {colour} {asked}")
        first, second, third = (math.sqrt(12) * (next(drawn) - 0.5) for _ in range(3))
        return first, second, third
