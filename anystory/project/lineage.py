"""Which panel of a script is which of the script before it, so that what belongs to a panel stays with it while panels
are moved, edited, inserted and deleted, and while their characters are renamed.

Scripts carry no identities: a line is a line. Two versions of a script are compared as text is, panel by panel: first
those that are alike in everything, in their order and then wherever they went; then those with the same words; then
those with the most words in common. Panels with too little in common are two panels.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import replace
from difflib import SequenceMatcher
from itertools import pairwise
from operator import itemgetter
from typing import Protocol

from anystory.story.from_sketch import FromSketch
from anystory.story.model import Panel
from anystory.story.prompt import rename
from anystory.story.steering import Steering

IN_PLACE = 0.25
"""How alike two panels are that are one, edited, if they stand between the same panels, from 0 to 1."""

ELSEWHERE = 0.5
"""And wherever they stand: somebody moved it and edited it."""


def lineage(before: Sequence[Panel], now: Sequence[Panel], names: Mapping[str, str] | None = None) -> list[int | None]:
    """For each panel of `now` the index of the one in `before` that it is, None for a new one; no two are the same.

    `names` has those by now of characters that were called otherwise before, by their names then.
    """
    old = [renamed(panel, names or {}) for panel in before]
    found: dict[int, int] = {}
    for left, right in ((old, now), (list(map(words, old)), list(map(words, now)))):
        _in_order(left, right, found)
        _anywhere(left, right, found)
    _alike(old, now, found)
    return [found.get(index) for index in range(len(now))]


def words(panel: Panel) -> tuple[str, tuple[str, ...]]:
    """What a frame shows of a panel: its prompt and its cast."""
    return " ".join(panel.prompt.split()), panel.cast


class FrameLike(Protocol):
    """A finished frame, or what is known of one."""

    @property
    def is_sketch(self) -> bool: ...

    @property
    def from_sketch(self) -> FromSketch: ...


def pictured(panel: Panel, frame: FrameLike) -> Panel:
    """A panel less what a frame like this one does not show of it: panels that are alike in the rest ask for the same.
    Who speaks, is flipped or turned shows in sketches and in what begins with one; its style and what is asked of a
    model do not in a sketch alone."""
    if not (frame.is_sketch or frame.from_sketch):
        return replace(panel, caption="", dialogue=(), steering=panel.steering.routed)
    speakers = tuple(replace(line, say="") for line in panel.dialogue)
    shown = replace(panel, caption="", dialogue=speakers)
    return replace(shown, style="", steering=Steering(panel.steering.layout)) if frame.is_sketch else shown


def renames(before: Mapping[str, str], now: Mapping[str, str]) -> dict[str, str]:
    """The characters that are called otherwise now, by their names before. `before` and `now` are the casts in their
    order with what each character looks like, as a hash, "" for one without a picture."""
    gone = {name: look for name, look in before.items() if name not in now}
    new = {name: look for name, look in now.items() if name not in before}
    found = {}
    for name, look in gone.items():
        if look and (other := next((n for n, seen in new.items() if seen == look), None)):
            found[name] = other
            del new[other]
    if len(before) == len(now):  # those without a picture, or with a new one, where everybody else stayed in place
        for name, other in zip(before, now, strict=True):
            if name in gone and name not in found and other in new and not (gone[name] and new[other]):
                found[name] = other
    return found


def renamed(panel: Panel, names: Mapping[str, str]) -> Panel:
    """A panel whose characters have other names, given by those they had."""
    return replace(
        panel,
        prompt=rename(panel.prompt, names),
        cast=tuple(names.get(name, name) for name in panel.cast),
        dialogue=tuple(replace(line, who=names.get(line.who, line.who)) for line in panel.dialogue),
        steering=panel.steering.renamed(names),
        shows=tuple(_renamed(words, names) for words in panel.shows),
    )


def _renamed(words: str, names: Mapping[str, str]) -> str:
    """What somebody shows, under the name they have now."""
    old = next((name for name in sorted(names, key=len, reverse=True) if words.startswith(f"{name} ")), None)
    return words if old is None else names[old] + words[len(old) :]


def _in_order(old: Sequence[Hashable], now: Sequence[Hashable], found: dict[int, int]) -> None:
    """Add those that are equal and stand in the same order, between those that are `found` already."""
    for (a, b), (c, d) in _gaps(len(old), len(now), found):
        left, right = _open(range(a, b), found.values()), _open(range(c, d), found)
        matcher = SequenceMatcher(None, [old[i] for i in left], [now[j] for j in right], autojunk=False)
        for block in matcher.get_matching_blocks():
            found |= {right[block.b + k]: left[block.a + k] for k in range(block.size)}


def _anywhere(old: Sequence[Hashable], now: Sequence[Hashable], found: dict[int, int]) -> None:
    """Add those that are equal, wherever they went."""
    waiting: dict[Hashable, list[int]] = {}
    for i in _open(range(len(old)), found.values()):
        waiting.setdefault(old[i], []).append(i)
    for j in _open(range(len(now)), found):
        if there := waiting.get(now[j]):
            found[j] = there.pop(0)


def _alike(old: Sequence[Panel], now: Sequence[Panel], found: dict[int, int]) -> None:
    """Add those with the most in common, nearest first where several have as much."""
    left, right = _open(range(len(old)), found.values()), _open(range(len(now)), found)
    gap: dict[int, range] = {}
    for (a, b), (c, d) in _gaps(len(old), len(now), found):
        gap |= {j: range(a, b) for j in range(c, d)}
    tokens = {i: _pieces(old[i]) for i in left}, {j: _pieces(now[j]) for j in right}
    pairs = []
    for j in right:
        for i in left:
            alike, near = likeness(tokens[0][i], tokens[1][j]), i in gap.get(j, ())
            if alike >= (IN_PLACE if near else ELSEWHERE):
                pairs.append((-alike, not near, abs(i - j), j, i))
    for *_, j, i in sorted(pairs):
        if j not in found and i not in found.values():
            found[j] = i


def likeness(one: tuple[set[str], set[str]], other: tuple[set[str], set[str]]) -> float:
    """How alike two panels' words are, from 0 to 1: the share of words, or of pairs of letters in scripts that do not
    part words, that both have."""
    return max(2 * len(a & b) / (len(a) + len(b)) if a and b else 0.0 for a, b in zip(one, other, strict=True))


def _pieces(panel: Panel) -> tuple[set[str], set[str]]:
    text = panel.prompt.casefold()
    found = {word.strip(".,;:!?…\"'()[]“”„«»。，！？、") for word in text.split()} - {""}
    letters = "".join(filter(str.isalnum, text))
    return found, {letters[k : k + 2] for k in range(len(letters) - 1)} if len(found) <= 2 else set()


def _open(indices: range, taken: Iterable[int]) -> list[int]:
    closed = set(taken)
    return [index for index in indices if index not in closed]


def _gaps(old: int, now: int, found: Mapping[int, int]) -> list[tuple[tuple[int, int], tuple[int, int]]]:
    """What lies between panels that are found and kept their order: ranges of the old and of the new indices. Those
    that moved across others are no borders."""
    anchors = _rising([(j, found[j]) for j in sorted(found)])
    edges = [(-1, -1), *anchors, (now, old)]
    return [((a + 1, b), (c + 1, d)) for (c, a), (d, b) in pairwise(edges)]


def _rising(pairs: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """The longest run of pairs whose second numbers rise, as the first ones do."""
    ends: list[int] = []
    last: list[int] = []
    before: list[int | None] = []
    for k, (_, value) in enumerate(pairs):
        place = bisect_left(ends, value)
        ends[place : place + 1], last[place : place + 1] = [value], [k]
        before.append(last[place - 1] if place else None)
    chain, at = [], last[-1] if last else None
    while at is not None:
        chain.append(pairs[at])
        at = before[at]
    return sorted(chain, key=itemgetter(0))
