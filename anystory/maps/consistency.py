"""Does everyone stay themselves? How much each subject of a finished frame looks like its reference, and how much it is
a copy of it, read by the judge's encoder on this computer. What needs torch is imported when it is first asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from PIL import Image

from anystory.cast.images import SELECTED, MaskedImage
from anystory.story.model import Frame, Story

LEAST = 0.002
"""The share of a frame below which a subject is not there to be looked at."""

POSE_SIDE = 48
"""Pixels of the square in which poses are compared."""


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
    from anystory.model.identity import cut_out, embed, load_encoder

    subjects = {subject.name: subject for subject in story.subjects}
    if not subjects or not frames:
        return Consistency({number: () for number in sorted(frames)})
    encoder = load_encoder()
    known = dict(zip(subjects, embed(encoder, [cut_out(s.image, s.mask) for s in subjects.values()]), strict=True))
    panels = {}
    for number, frame in sorted(frames.items()):
        names = [name for name in frame.maps.names[:-1] if name in subjects]
        cuts = [_cut(frame, frame.maps.names.index(name)) for name in names]
        there = {name: cut for name, cut in zip(names, cuts, strict=True) if cut is not None}
        seen = dict(zip(there, embed(encoder, [cut_out(*cut) for cut in there.values()]), strict=True)) if there else {}
        panels[number] = tuple(
            Look(
                name,
                round(float(seen[name] @ known[name]), 4),
                round(1 - pose_difference(there[name], (subjects[name].image, subjects[name].mask)), 4),
            )
            if name in there
            else Look(name, None, None)
            for name in names
        )
    return Consistency(panels)


def _cut(frame: Frame, index: int) -> MaskedImage | None:
    """The frame and where its `index`-th subject is, None where it is not."""
    place = frame.maps.located(frame.image.size)[index]
    mask = Image.fromarray(np.where(place, np.uint8(255), np.uint8(0)))
    return (frame.image, mask) if place.mean() >= LEAST else None


def _mean(numbers: Sequence[float]) -> float | None:
    return round(sum(numbers) / len(numbers), 4) if numbers else None


def pose_difference(a: MaskedImage, b: MaskedImage) -> float:
    """How much two cut-outs differ in outline and in what is where, 0 (a copy) to 1, whichever way they look: half
    their outlines' distance (1 - intersection over union), half the distance of grey pixels where both are."""
    one = _posed(a)
    return min(_distance(one, _posed(b, mirrored)) for mirrored in (False, True))


def _posed(cut: MaskedImage, mirrored: bool = False) -> tuple[np.ndarray, np.ndarray]:
    image, mask = cut
    box = mask.point([0] * SELECTED + [255] * (256 - SELECTED)).getbbox() or (0, 0, *mask.size)
    side = (POSE_SIDE, POSE_SIDE)
    grey, shape = image.crop(box).convert("L").resize(side), mask.crop(box).resize(side)
    if mirrored:
        grey, shape = (p.transpose(Image.Transpose.FLIP_LEFT_RIGHT) for p in (grey, shape))
    return np.asarray(grey, np.float64) / 255, np.asarray(shape) >= SELECTED


def _distance(a: tuple[np.ndarray, np.ndarray], b: tuple[np.ndarray, np.ndarray]) -> float:
    both, either = a[1] & b[1], a[1] | b[1]
    if not both.any():
        return 1.0
    outline = 1 - both.sum() / either.sum()
    # Light is none of the pose: compare what stands out of each one's mean.
    grey = [(v[0][both] - v[0][both].mean()) / max(v[0][both].std(), 0.05) for v in (a, b)]
    return float(0.5 * outline + 0.5 * min(1.0, np.abs(grey[0] - grey[1]).mean() / 2))
