"""What is true of a laid out frame, in words."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from anystory.training.art import Art, ArtEntry, noun_phrase
from anystory.training.bank import SceneBank
from anystory.training.captions import Told, caption, colour_names
from anystory.training.world.stage import Director, Placements


class Narrator:
    """Tells of laid out frames in true sentences."""

    def __init__(self, art: Art, stage: Director, bank: SceneBank) -> None:
        self._art, self._stage, self._bank = art, stage, bank
        self._small = art.small.numpy()

    def captions(
        self, scene: np.ndarray, layout: Placements, rng: np.random.Generator
    ) -> list[tuple[str, list[tuple[int, int]]]]:
        """A true sentence about each frame, and the spans in it of its subjects."""
        where, size = where_words(layout), size_words(layout)
        return [
            caption(self._bank.grounds[i], self._tell(layout, b, where[b], size[b]), _behind(layout, b), rng)
            for b, i in enumerate(scene)
        ]

    def _tell(self, layout: Placements, b: int, where: Sequence[str], size: Sequence[str]) -> list[Told]:
        """What can be said of each subject of frame b."""
        told = []
        for s, i in enumerate(layout.entry[b]):
            entry, prop, action = self._art.entries[i], layout.prop[b, s], layout.action[b, s]
            small = self._small[layout.cell[b, s]].reshape(4, -1) / 255
            small[:3] = layout.identity[b, s] @ small[:3]
            thing = layout.shy[b, s].name if layout.shy[b, s] else ""
            if action == "sits in":
                thing = self._stage.props[prop].name
            elif action == "holds":
                thing = noun_phrase(self._art.entries[prop].text)
            told.append(
                Told(
                    entry=entry,
                    where=where[s],
                    size=size[s],
                    action=action,
                    object=thing,
                    does=self._does(entry, layout, b, s),
                    colours=colour_names(small),
                    recoloured=not np.allclose(layout.identity[b, s], np.eye(3)),
                    x=float(layout.seen_x[b, s]),
                )
            )
        return told

    def _does(self, entry: ArtEntry, layout: Placements, b: int, s: int) -> str:
        """What a posed drawing shows, with the way it goes where that is known."""
        number = int(layout.cell[b, s]) - entry.cells.start
        does = entry.actions[number] if entry.actions else ""
        facing = entry.facing[number] if entry.facing else ""
        if does in ("walks", "runs") and facing:
            right = (facing == "right") == (layout.flip[b, s] > 0)
            does += " to the right" if right else " to the left"
        return does


def _behind(layout: Placements, b: int) -> tuple[int, int] | None:
    """(i, j) where of two subjects j visibly covers a part of i."""
    if layout.over.shape[1] != 2:
        return None
    for i, j in ((0, 1), (1, 0)):
        if layout.over[b, i, j] > 0.08:
            return i, j
    return None


def where_words(layout: Placements) -> list[list[str]]:
    """Where each subject is, in a word, or "" where no word would be clearly true."""
    rows = []
    for x in layout.seen_x:
        if len(x) == 1:
            c = x[0]
            rows.append(["left" if c < 0.4 else "right" if c > 0.6 else "middle" if 0.45 < c < 0.55 else ""])
            continue
        names = {
            0: (),
            2: ("left", "right"),
            3: ("left", "middle", "right"),
            4: ("far left", "second from the left", "third from the left", "far right"),
        }[len(x)]
        order = np.argsort(x)
        clear = len(x) and np.diff(x[order]).min() > 0.12
        row = [""] * len(x)
        for name, i in zip(names, order, strict=True):
            row[i] = name if clear else ""
        rows.append(row)
    return rows


def size_words(layout: Placements) -> list[list[str]]:
    edges, names = (0.2, 0.28, 0.52, 0.66), ("tiny", "small", "", "big", "huge")
    return [[names[int(np.searchsorted(edges, long))] for long in row] for row in layout.long]
