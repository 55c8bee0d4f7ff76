"""What the routing of a frame says about its subjects: who holds how much, who shares a place, who is not there."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import reduce
from itertools import combinations
from typing import Any

import numpy as np
from PIL import Image

from anystory.errors import Message, listed
from anystory.story.model import ATTENTION, ROUTING, SEEN, RoutingMaps

MIN_SHARE = 0.01
"""A subject that holds a smaller share of the frame is hardly to be seen: two of 16 × 16 tokens are no figure."""

MAX_OVERLAP = 0.5
"""Beyond this two maps differ by less than a factor of two where it counts: whose features a place gets is chance."""

MAX_ONE_REGION = 0.5
"""Beyond this most of one subject's place is the other's too, and one figure gets the looks of both."""


FLAT = 2
"""Up to this difference of 256 in each channel a picture is of one colour: nobody sees another one in it."""


@dataclass(frozen=True)
class Pair:
    """Two subjects. `overlap`: of their soft maps on the tokens that either of them holds, Σ min(M_i, M_j) over
    Σ max(M_i, M_j); 0 apart, 1 the same. `one_region`: of the smaller one's place, the share that is the other's too;
    a subject's place is where its map is at least half its greatest value, whoever holds the token."""

    names: tuple[str, str]
    overlap: float
    one_region: float


@dataclass(frozen=True)
class Diagnosis:
    """Numbers of a frame, all from 0 to 1. `shares`: of the tokens, those that each name holds (whose map is the
    greatest there), the background last, adding up to 1; `pairs`: every two subjects. Of maps that measure attention
    `shares` are those of the frame's attention, and nothing is held against a subject that has no competitor; of maps
    of what is seen they are those of the picture. `blank`: the picture is of one colour."""

    names: tuple[str, ...]
    shares: tuple[float, ...]
    pairs: tuple[Pair, ...]
    measure: str = ROUTING
    blank: bool = False

    @property
    def problems(self) -> tuple[str, ...]:
        """A clause for each thing that is wrong: a picture of one colour, of which nothing else is worth telling;
        else, in the order of the cast, who holds too little, who overlaps."""
        if self.blank:
            return (Message("The picture is of one colour"),)
        if self.measure == ATTENTION:
            return ()
        found = []
        for name, share in zip(self.names[:-1], self.shares, strict=False):
            holds = Message("fills" if self.measure == SEEN else "holds")
            if share == 0:
                found.append(Message("{name} {holds} nothing of the frame", name=name, holds=holds))
            elif share < MIN_SHARE:
                found.append(
                    Message(
                        "{name} {holds} only {share} of the frame (at least {least} is wanted)",
                        name=name,
                        holds=holds,
                        share=_percent(share),
                        least=_percent(MIN_SHARE),
                    )
                )
        for pair in self.pairs:
            one, other = pair.names
            if pair.one_region > MAX_ONE_REGION:
                found.append(
                    Message(
                        "{one} and {other} are in one region, {share} of the smaller place",
                        one=one,
                        other=other,
                        share=_percent(pair.one_region),
                    )
                )
            elif pair.overlap > MAX_OVERLAP:
                found.append(
                    Message(
                        "{one} and {other} overlap by {share} in their maps",
                        one=one,
                        other=other,
                        share=_percent(pair.overlap),
                    )
                )
        return tuple(found)

    @property
    def passed(self) -> bool:
        """Whether nothing is wrong."""
        return not self.problems

    @property
    def sentence(self) -> str:
        """The diagnosis in a sentence for people, with its numbers."""
        if self.problems:
            told = reduce(lambda one, other: Message("{one}; {other}", one=one, other=other), self.problems)
            return Message("{problems}: try another seed.", problems=told)
        if not self.names[:-1]:
            return Message("Nobody is in this panel.")
        if self.measure == ATTENTION:
            return Message(
                "{name} is alone and gets {share} of the frame's attention.",
                name=self.names[0],
                share=_percent(self.shares[0]),
            )
        (first, *others), (share, *shares) = self.names[:-1], map(_percent, self.shares)
        holds = Message("fills" if self.measure == SEEN else "holds")
        held: list[str] = [Message("{name} {holds} {share}", name=first, holds=holds, share=share)]
        held += [f"{name} {share}" for name, share in zip(others, shares, strict=False)]
        if self.measure == SEEN or not others:
            return Message("{held} of the frame.", held=listed(held))
        return Message("{held} of the frame, each in a place of its own.", held=listed(held))

    @property
    def badness(self) -> tuple[bool, int, float]:
        """For ordering frames of one panel, the best first: whether there is a picture at all, how much is wrong, and
        how far beyond the bounds."""
        missing = sum(max(0.0, 1 - share / MIN_SHARE) for share in self.shares[:-1])
        shared = sum(
            max(0.0, pair.overlap - MAX_OVERLAP) + max(0.0, pair.one_region - MAX_ONE_REGION) for pair in self.pairs
        )
        return self.blank, len(self.problems), missing + shared

    def as_data(self) -> dict[str, Any]:
        """Numbers, strings, lists and dicts for JSON."""
        return {
            "passed": self.passed,
            "blank": self.blank,
            "shares": dict(zip(self.names, self.shares, strict=True)),
            "pairs": [
                {"names": list(pair.names), "overlap": pair.overlap, "one_region": pair.one_region}
                for pair in self.pairs
            ],
        }


def diagnose(maps: RoutingMaps, image: Image.Image | None = None) -> Diagnosis:
    """Diagnose a frame by its routing maps, the averages over layers and steps, and its `image`, if that is given;
    numbers to four places.

    The maps count as a folder keeps them, in half precision, so a frame reads the same today and tomorrow.
    """
    blank = image is not None and is_blank(image)
    values = maps.values.astype(np.float16).astype(np.float32).reshape(len(maps.names), -1)
    if maps.measure == ATTENTION:
        totals = values.sum(axis=1, dtype=np.float64)
        return Diagnosis(maps.names, tuple(_rounded(total, totals.sum()) for total in totals), (), ATTENTION, blank)
    held = _greatest(values)
    places = values >= values.max(axis=1, keepdims=True) / 2
    pairs = []
    for i, j in combinations(range(len(maps.names) - 1), 2):
        either = (held == i) | (held == j)
        lesser, greater = np.minimum(values[i], values[j]), np.maximum(values[i], values[j])
        overlap = _rounded(lesser.sum(where=either, dtype=np.float64), greater.sum(where=either, dtype=np.float64))
        one_region = _rounded((places[i] & places[j]).sum(), min(places[i].sum(), places[j].sum()))
        pairs.append(Pair((maps.names[i], maps.names[j]), overlap, one_region))
    counts = np.bincount(held, minlength=len(maps.names))
    shares = tuple(_rounded(count, len(held)) for count in counts)
    return Diagnosis(maps.names, shares, tuple(pairs), maps.measure, blank)


def is_blank(image: Image.Image) -> bool:
    """Whether a picture is of one colour."""
    return all(high - low <= FLAT for low, high in np.reshape(image.convert("RGB").getextrema(), (3, 2)))


def _greatest(values: np.ndarray) -> np.ndarray:
    """Which of the rows (S, n) is the greatest in each column, uint8 (n,): of equal ones the first, as in the model.
    numpy's argmax takes far longer across a few rows."""
    greatest, held = values[0].copy(), np.zeros(values.shape[1], np.uint8)
    for number, row in enumerate(values[1:], 1):
        np.putmask(held, row > greatest, number)
        np.maximum(greatest, row, out=greatest)
    return held


def another_seed(seed: int) -> int:
    """The seed to try after `seed`, 0 to 2³¹ - 1: always the same one, and far off, as its neighbours are others'."""
    return int.from_bytes(hashlib.sha256(f"after {seed}".encode()).digest()[:4], "big") >> 1


def _rounded(part: float, whole: float) -> float:
    return round(float(part / whole), 4) if whole > 0 else 0.0


def _percent(share: float) -> str:
    return f"{share * 100:.1f} %" if 0 < share < 0.1 else f"{share * 100:.0f} %"
