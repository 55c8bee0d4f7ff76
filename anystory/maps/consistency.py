"""Does everyone stay themselves? How much each subject of a finished frame looks like its reference, and how much it is
a copy of it, read by the judge's encoder on this computer. What needs torch is imported when it is first asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from PIL import Image

from anystory.story.model import Frame, Story

LEAST = 0.002
"""The share of a frame below which a subject is not there to be looked at."""


@dataclass(frozen=True)
class Look:
    """One subject in one frame. `likeness` is the cosine of the encoder's vectors of the subject in the frame, cut out
    by its routing map, and of its reference, from -1 to 1; `copied` is 1 less the difference of their poses, 1 for the
    reference itself pasted in. Both are None where the subject is not there."""

    name: str
    likeness: float | None
    copied: float | None


@dataclass(frozen=True)
class Consistency:
    """The looks of a story's frames by panel number (from 1)."""

    panels: Mapping[int, tuple[Look, ...]]

    def of_panel(self, number: int) -> float | None:
        """The mean likeness of those in a panel, who is not there counting 0; None for a panel with nobody in it."""
        return _mean([look.likeness or 0.0 for look in self.panels[number]])

    def of_subject(self, name: str) -> Look:
        """The means over the panels that a subject is in."""
        looks = [look for panel in self.panels.values() for look in panel if look.name == name]
        copied = [look.copied for look in looks if look.copied is not None]
        return Look(name, _mean([look.likeness or 0.0 for look in looks]), _mean(copied))

    @property
    def names(self) -> tuple[str, ...]:
        """All subjects in the frames, in the order in which they appear."""
        return tuple(dict.fromkeys(look.name for panel in self.panels.values() for look in panel))

    @property
    def likeness(self) -> float | None:
        """The mean over the panels with somebody in them: the story's number."""
        return _mean([mean for mean in map(self.of_panel, self.panels) if mean is not None])

    @property
    def weakest(self) -> int | None:
        """The panel of the least likeness, the one to look at first; None where nobody is in any."""
        means = {number: mean for number in self.panels if (mean := self.of_panel(number)) is not None}
        return min(means, key=lambda number: (means[number], number), default=None)

    def as_data(self) -> dict[str, Any]:
        """Numbers, strings, lists and dicts for JSON."""
        return {
            "panels": {str(number): [asdict(look) for look in looks] for number, looks in self.panels.items()},
            "subjects": [asdict(self.of_subject(name)) for name in self.names],
            "likeness": self.likeness,
            "weakest": self.weakest,
        }


def consistency(story: Story, frames: Mapping[int, Frame]) -> Consistency:
    """Look at finished `frames` by panel number (from 1) of `story`, whose subjects are the references. A subject
    without a picture in the story is left out. Raises OSError or ValueError where the judge's weights are missing."""
    from anystory.evaluation.encoder import load_encoder
    from anystory.evaluation.measures import Judge, pose_difference

    subjects = {subject.name: subject for subject in story.subjects}
    if not subjects or not frames:
        return Consistency({number: () for number in sorted(frames)})
    judge = Judge.of(load_encoder(), list(subjects.values()))
    places = {name: place for place, name in enumerate(subjects)}
    panels = {}
    for number, frame in sorted(frames.items()):
        names = [name for name in frame.maps.names[:-1] if name in subjects]
        cuts = [_cut(frame, frame.maps.names.index(name)) for name in names]
        scores = judge.likeness(cuts)
        panels[number] = tuple(
            Look(name, None, None)
            if cut is None
            else Look(
                name,
                round(float(row[places[name]]), 4),
                round(1 - pose_difference(cut, (subjects[name].image, subjects[name].mask)), 4),
            )
            for name, cut, row in zip(names, cuts, scores, strict=True)
        )
    return Consistency(panels)


def _cut(frame: Frame, index: int) -> tuple[Image.Image, Image.Image] | None:
    """The frame and where its `index`-th subject is, None where it is not."""
    place = frame.maps.located(frame.image.size)[index]
    mask = Image.fromarray(np.where(place, np.uint8(255), np.uint8(0)))
    return (frame.image, mask) if place.mean() >= LEAST else None


def _mean(numbers: Sequence[float]) -> float | None:
    return round(sum(numbers) / len(numbers), 4) if numbers else None
