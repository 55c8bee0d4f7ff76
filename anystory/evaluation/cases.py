"""What the judge asks a model for: a cast of unseen drawings, and sentences whose truth can be read off a frame."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from anystory.evaluation.identity import subject_of
from anystory.evaluation.reader import FrameReader
from anystory.sketch.scenery import PLACES, TIME_PHRASES
from anystory.story.model import Prompt, Subject
from anystory.training.art import Art
from anystory.training.captions import POSITIONS, SIZES

GROUPS = (
    "animals-nature",
    "people-body",
    "objects",
    "food-drink",
    "travel-places",
    "activities",
    "smileys-emotion",
    "own",
)
UNFIT = {"family", "person-symbol", "heart", "emotion", "body-parts"}
"""Subgroups that show no single character or thing."""

CALLED = "a character"

NAMES = ("Ann", "Bob")
"""What the characters of a case are called in the line that storybook reads of it."""


@dataclass(frozen=True)
class Gallery:
    """The drawings to be told apart: `subjects[i]` is entry `entries[i]` of the art, `kinds[i]` its concept, which
    several sets draw."""

    subjects: tuple[Subject, ...]
    entries: tuple[int, ...]
    kinds: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.subjects)


@dataclass(frozen=True)
class Case:
    """One frame to make: `cast` numbers the gallery's subjects in it; `where` and `size` are as in `world.Batch`, ""
    where nothing is asked for."""

    prompt: Prompt
    cast: tuple[int, ...]
    place: str
    time: str
    where: tuple[str, ...]
    size: tuple[str, ...]
    seed: int

    @property
    def line(self) -> str:
        """The sentence with names in it, as somebody with such a cast would write it: what the sketch is read from."""
        text = self.prompt.text
        for name, span in reversed(list(zip(NAMES, self.prompt.mentions, strict=False))):
            start, end = span or (0, 0)
            adjectives = text[start:end].removeprefix("a ").removesuffix("character")
            text = f"{text[:start]}{adjectives}{name}{text[end:]}"
        return text


def gallery(art: Art, count: int, seed: int = 0) -> Gallery:
    """`count` drawings of the art, pairs of one concept by different sets, all kinds of things in turn. Raises
    ValueError where the art has too few."""
    rng = np.random.default_rng(seed)
    drawn: dict[str, list[int]] = {}
    for i in rng.permutation(len(art.entries)):
        entry = art.entries[i]
        if entry.group in GROUPS and entry.subgroup not in UNFIT:
            drawn.setdefault(entry.concept, []).append(int(i))
    by_group: dict[str, list[list[int]]] = {group: [] for group in GROUPS}
    for entries in drawn.values():
        # One of each set, so that two of a kind are two different drawings.
        sets = {art.entries[i].set: i for i in reversed(entries)}
        by_group[art.entries[entries[0]].group].append(sorted(sets.values(), key=entries.index)[:2])
    chosen: list[int] = []
    while len(chosen) < count and any(by_group.values()):
        for group in GROUPS:
            if by_group[group]:
                chosen += by_group[group].pop(0)
    if len(chosen) < min(count, 2):
        raise ValueError("The art's test split has fewer than two drawings to tell apart; give a larger art pack.")
    chosen = chosen[:count]
    subjects = tuple(subject_of(art, i) for i in chosen)
    return Gallery(subjects, tuple(chosen), tuple(art.entries[i].concept for i in chosen))


def singles(cast: Gallery, seed: int = 0) -> list[Case]:
    """A case for every drawing: alone, called only "a character", at a place and time, somewhere, in some size."""
    rng = np.random.default_rng([seed, 1])
    cases = []
    for i in range(len(cast)):
        place, time, scene = _scene(i, rng)
        where = ("left", "middle", "right")[i % 3]
        size = ("", "small", "big")[i // 3 % 3]
        called = f"a {SIZES[size][rng.integers(2)]} character" if size else CALLED
        text = f"{called} {_pick(POSITIONS[where], rng)} {scene}"
        cases.append(Case(Prompt(text, ((0, len(called)),)), (i,), place, time, (where,), (size,), 1000 + i))
    return cases


def pairs(cast: Gallery, count: int, seed: int = 0) -> list[Case]:
    """`count` cases of two, one on the left and one on the right: every other pair two drawings of one kind."""
    rng = np.random.default_rng([seed, 2])
    kin = [(i, j) for i in range(len(cast)) for j in range(i + 1, len(cast)) if cast.kinds[i] == cast.kinds[j]]
    cases = []
    for number in range(count):
        if number % 2 == 0 and kin:
            two = kin[number // 2 % len(kin)]
        else:
            two = tuple(int(v) for v in rng.choice(len(cast), 2, replace=False))
        if rng.random() < 0.5:
            two = two[::-1]
        place, time, scene = _scene(number, rng)
        first, second = (f"{CALLED} {_pick(POSITIONS[side], rng)}" for side in ("left", "right"))
        text = f"{first} and {second} {scene}"
        start = len(f"{first} and ")
        spans = ((0, len(CALLED)), (start, start + len(CALLED)))
        cases.append(Case(Prompt(text, spans), two, place, time, ("left", "right"), ("", ""), 5000 + number))
    return cases


def stays(cast: Gallery, count: int, seed: int = 0) -> list[tuple[Case, Case]]:
    """`count` stories of two panels in one place at one time: somebody on the left, then somebody else on the right."""
    rng = np.random.default_rng([seed, 3])
    stories = []
    for number in range(count):
        place, time, scene = _scene(number, rng)
        two = []
        for panel, side in enumerate(("left", "right")):
            prompt = Prompt(f"{CALLED} {POSITIONS[side][0]} {scene}", ((0, len(CALLED)),))
            who = (2 * number + panel) % len(cast)
            two.append(Case(prompt, (who,), place, time, (side,), ("",), 9000 + 2 * number + panel))
        stories.append((two[0], two[1]))
    return stories


def _scene(number: int, rng: np.random.Generator) -> tuple[str, str, str]:
    """The `number`-th place, in turn, of those that the reader was taught, one of its times, and words for both."""
    names = FrameReader.taught()
    place = names[number % len(names)]
    times = PLACES[place].times
    time = times[int(rng.integers(len(times)))]
    words = f"{_pick(PLACES[place].phrases, rng)} {_pick([p for p in TIME_PHRASES[time] if p] or [''], rng)}"
    return place, time, words.strip()


def _pick(options: tuple[str, ...] | list[str], rng: np.random.Generator) -> str:
    return options[int(rng.integers(len(options)))]
