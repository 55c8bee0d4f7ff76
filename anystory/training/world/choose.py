"""Who is in a frame and what they do: chance over the art's drawings and the place's actions."""

from __future__ import annotations

import math

import numpy as np

from anystory.sketch.scenery import PLACES
from anystory.training.art import Art, ArtEntry
from anystory.training.bank import Ground

_GROUP_WEIGHT = {
    "animals-nature": 2.0,
    "people-body": 1.5,
    "smileys-emotion": 0.6,
    "objects": 0.5,
    "food-drink": 0.5,
    "travel-places": 0.6,
    "activities": 0.5,
}
_SUBGROUP_WEIGHT = {
    # Several people in one drawing would teach that one subject is a crowd; bare symbols have no shape to keep.
    "family": 0.0,
    "person-symbol": 0.0,
    "emotion": 0.1,
    "heart": 0.1,
    "sky-weather": 0.3,
    "body-parts": 0.3,
    "face-costume": 2.0,
    "cat-face": 1.0,
    "monkey-face": 1.0,
    "person-fantasy": 3.0,
    "comic": 0.7,
}
_CROWDS = {"men", "women", "people", "couple", "kiss", "busts"}
_POSES_WEIGHT = 4.0
"""A group of poses is the only teacher of "the same one, otherwise"."""

_HELD = {
    "food-fruit",
    "food-sweet",
    "drink",
    "musical-instrument",
    "book-paper",
    "game",
    "sport",
    "plant-flower",
}
"""Subgroups of what can be held."""

_ON_LAND = {
    "stands": 0.62,
    "lies": 0.05,
    "stands on its head": 0.04,
    "jumps": 0.07,
    "flies": 0.05,
    "floats": 0.04,
    "falls": 0.04,
    "sits in": 0.05,
    "holds": 0.04,
}
_AFLOAT = {"stands": 0.1, "floats": 0.5, "flies": 0.25, "falls": 0.15}
_UNDER_WATER = {"stands": 0.1, "dives": 0.9}
IN_THE_AIR = ("jumps", "flies", "floats", "falls", "dives")
_HIDES, _SWIMS = 0.3, 0.4
"""How often someone hides behind what a scene has to hide behind, and swims where there is water."""


class Casting:
    """Draws who is in frames and what they do. Of each entry of the art, `first` is its first cell and `count` how many
    it has; `held` are the entries that can be held."""

    def __init__(self, art: Art) -> None:
        self._chroma = art.chroma.numpy()
        weights = np.array([_weight(e) for e in art.entries])
        if not weights.any():  # a folder of one's own may hold nothing else
            weights = np.ones(len(weights))
        self._chances = weights / weights.sum()
        kin: dict[str, list[int]] = {}
        for i, entry in enumerate(art.entries):
            kin.setdefault(entry.text, []).append(i)
        self._kin = [np.array(kin[entry.text]) for entry in art.entries]
        self.first = np.array([e.cells.start for e in art.entries])
        self.count = np.array([len(e.cells) for e in art.entries])
        self._fixed = np.array([any(a.startswith(("sits", "rides", "drives")) for a in e.actions) for e in art.entries])
        self.held = [i for i, e in enumerate(art.entries) if e.subgroup in _HELD and len(e.cells) == 1]

    def who(self, shape: tuple[int, int], rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """Entries (B, S) and colour matrices (B, S, 3, 3); often two of one kind."""
        n, count = shape
        entry = rng.choice(len(self._chances), shape, p=self._chances)
        identity = np.where((rng.random(shape) < 0.4)[..., None, None], _recolour(shape, rng), np.eye(3))
        for b in np.flatnonzero(rng.random(n) < 0.25) if count > 1 else ():
            i, j = rng.choice(count, 2, replace=False)
            first = entry[b, i]
            others = self._kin[first][self._kin[first] != first]
            # Grey drawings look alike in any hue: their double can only be another drawing.
            grey = self._chroma[self.first[first]] < 0.25
            if len(others) and (grey or rng.random() < 0.5):
                entry[b, j] = rng.choice(others)
            elif not grey:
                entry[b, j] = first
                turn = turn_hue(identity[b, i : i + 1, ...], rng.uniform(math.pi / 2, math.pi * 1.5, 1))
                identity[b, j] = turn[0]
        return entry, identity

    def action(self, ground: Ground, entry: int, rng: np.random.Generator) -> str:
        """What an entry does in a place, before it is known whether there is room for it."""
        if self._fixed[entry]:
            return "stands"
        under_water = ground.place == "underwater"
        chances = _UNDER_WATER if under_water else _AFLOAT if PLACES[ground.place].floats else _ON_LAND
        if ground.water and rng.random() < _SWIMS:
            return "swims"
        if rng.random() < _HIDES:
            return "hides behind"
        names = list(chances)
        share = np.array([chances[name] for name in names])
        return names[rng.choice(len(names), p=share / share.sum())]


def _weight(entry: ArtEntry) -> float:
    # What one's own characters are called says nothing of how many are in the picture.
    if entry.group != "own" and not _CROWDS.isdisjoint(entry.text.lower().split()):
        return 0.0
    kind = _SUBGROUP_WEIGHT.get(entry.subgroup, _GROUP_WEIGHT.get(entry.group, 0.5))
    return kind * (_POSES_WEIGHT if len(entry.cells) > 1 else 1.0)


def turn_hue(matrices: np.ndarray, angle: np.ndarray) -> np.ndarray:
    """Colour matrices (..., 3, 3) turned by `angle` (...) radians of hue: a rotation about the grey axis."""
    cos, sin = np.cos(angle)[..., None, None], np.sin(angle)[..., None, None]
    cross = np.array([[0, -1, 1], [1, 0, -1], [-1, 1, 0]]) / math.sqrt(3)
    return (cos * np.eye(3) + sin * cross + (1 - cos) / 3) @ matrices


def _recolour(shape: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
    """(..., 3, 3) matrices that give a drawing a clearly other colour: a hue turn or a swap of channels."""
    turns = turn_hue(np.broadcast_to(np.eye(3), (*shape, 3, 3)), rng.uniform(0.25, 1.75, shape) * math.pi)
    swaps = np.array([np.eye(3)[list(p)] for p in ((0, 2, 1), (1, 0, 2), (2, 1, 0), (1, 2, 0), (2, 0, 1))])
    swapped = swaps[rng.integers(len(swaps), size=shape)]
    return np.where((rng.random(shape) < 0.3)[..., None, None], swapped, turns)
