"""What is read off a finished frame, by means that owe the generator nothing: who somebody is, where, how
large. The mask on which places and sizes rest is the segmentation model's (rembg), not the routing's."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image
from scipy import ndimage

from anystory.cast.images import SELECTED, MaskedImage
from anystory.cast.segment import Segmenter, SegmentError
from anystory.evaluation.identity import colours
from anystory.model.identity import IdentityEncoder, cut_out, embed
from anystory.story.model import RoutingMaps, Subject

LEAST_SHARE = 0.02
"""Of the frame: who covers less is missing."""

AMONG = 5
"""Who is not among so many of the nearest is not to be recognised: missing too."""

LEFT, RIGHT = 0.42, 0.58
SMALL, BIG = 0.3, 0.5
"""Long side as a share of the frame, between which a subject is neither small nor big."""


@dataclass(frozen=True)
class Judge:
    """Tells who is who among `subjects`: row i of `known` and of `colours` is subject i, by the encoder and by the
    colour histogram alone. `shown` may be other pictures of them than those of the cast."""

    encoder: IdentityEncoder
    known: np.ndarray
    colours: np.ndarray

    @classmethod
    def of(cls, encoder: IdentityEncoder, subjects: Sequence[Subject]) -> Judge:
        known = embed(encoder, [cut_out(s.image, s.mask) for s in subjects])
        return cls(encoder, known, np.stack([colours(s.image, s.mask) for s in subjects]))

    def likeness(self, cuts: Sequence[MaskedImage | None]) -> np.ndarray:
        """(cuts, subjects): cosines; an empty cut-out is like nobody, -1."""
        return self._scores(cuts, self.known, lambda some: embed(self.encoder, [cut_out(*cut) for cut in some]))

    def colour_likeness(self, cuts: Sequence[MaskedImage | None]) -> np.ndarray:
        """The same by the colour histogram alone: the floor."""
        return self._scores(cuts, self.colours, lambda some: np.stack([colours(*cut) for cut in some]))

    @staticmethod
    def _scores(
        cuts: Sequence[MaskedImage | None], known: np.ndarray, look: Callable[[list[MaskedImage]], np.ndarray]
    ) -> np.ndarray:
        scores = np.full((len(cuts), len(known)), -1.0)
        found = {i: cut for i, cut in enumerate(cuts) if cut is not None}
        if found:
            scores[list(found)] = look(list(found.values())) @ known.T
        return scores


def rank_of(scores: np.ndarray, own: int) -> int:
    """The place, from 1, of column `own` in a row of scores; the last one in an empty cut-out's."""
    if scores[own] <= -1:
        return len(scores)
    return int((scores > scores[own]).sum()) + 1


def area(mask: Image.Image) -> float:
    """The share of the frame that a mask selects."""
    return float((np.asarray(mask) >= SELECTED).mean())


def found_by_segmentation(frame: Image.Image, segmenter: Segmenter) -> np.ndarray | None:
    """Where the segmentation model sees figures in a frame: bool (H, W), or None where it sees none."""
    try:
        return np.asarray(segmenter.cut(frame.convert("RGB"))) >= SELECTED
    except SegmentError:
        return None


def overlap(a: np.ndarray | None, b: np.ndarray | None) -> float:
    """Intersection over union of two bool masks; 0 where one of them is missing or both are empty."""
    if a is None or b is None or not (a | b).any():
        return 0.0
    return float((a & b).sum() / (a | b).sum())


def likeness(one: Image.Image, other: Image.Image, where: np.ndarray) -> float:
    """How near two RGB pictures of one size are where a mask, bool (H, W), says: PSNR in dB, at most 99."""
    apart = (np.asarray(one, np.float64)[where] - np.asarray(other, np.float64)[where]) / 255
    return float(min(99.0, -10 * np.log10(max(float((apart**2).mean()), 1e-10))))


def held(maps: RoutingMaps, side: int) -> np.ndarray:
    """Where any subject's map is the strongest: bool (side, side)."""
    soft = [np.asarray(Image.fromarray(m).resize((side, side), Image.Resampling.BILINEAR)) for m in maps.values]
    return np.argmax(soft, axis=0) < len(maps.values) - 1


def read_where(mask: np.ndarray | None) -> str:
    """ "left", "middle" or "right" by the middle of the largest figure in a mask; "" of nothing."""
    figure = _largest(mask)
    if figure is None:
        return ""
    x = (np.flatnonzero(figure.any(0)).mean() + 0.5) / figure.shape[1]
    return "left" if x < LEFT else "right" if x > RIGHT else "middle"


def read_size(mask: np.ndarray | None) -> str:
    """ "small", "big" or "between" by the long side of the largest figure in a mask; "" of nothing."""
    figure = _largest(mask)
    if figure is None:
        return ""
    long = max(np.ptp(np.flatnonzero(figure.any(k))) + 1 for k in (0, 1)) / figure.shape[0]
    return "small" if long < SMALL else "big" if long > BIG else "between"


def _largest(mask: np.ndarray | None) -> np.ndarray | None:
    if mask is None or not mask.any():
        return None
    parts, count = ndimage.label(mask)
    sizes = ndimage.sum_labels(mask, parts, np.arange(1, count + 1))
    return parts == int(np.argmax(sizes)) + 1
