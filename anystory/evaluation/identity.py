"""Does each character stay itself? Measured on drawings of the test split, which no training saw.

The embedding that compares pictures is fixed arithmetic on colours and their places: it owes the generator nothing.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from PIL import Image

from anystory.backends.base import Backend, Request
from anystory.cast.images import SELECTED, MaskedImage, square_crop
from anystory.story.model import Frame, Prompt, RoutingMaps, Settings, Subject
from anystory.training.art import Art
from anystory.training.world import World

DRAWINGS = 20
BINS = 7

ALONE = "a character in the middle of a meadow"
PAIR = "a character on the left and a character on the right in a meadow"


def drawings(art: Art, count: int = DRAWINGS, seed: int = 0) -> list[Subject]:
    """`count` drawings of the art's split with `count` different concepts, people, animals and things in turn. Raises
    ValueError where the art has too few."""
    rng = np.random.default_rng(seed)
    groups = ("animals-nature", "people-body", "objects", "food-drink")
    order = rng.permutation(len(art.entries))
    chosen: list[Subject] = []
    concepts: set[str] = set()
    while len(chosen) < count:
        group = groups[len(chosen) % len(groups)]
        left = (e for e in (art.entries[i] for i in order) if e.group == group and e.concept not in concepts)
        if (entry := next(left, None)) is None:
            raise ValueError(
                f"The art's {art.split} split has too few drawings of {group} to tell {count} apart; "
                "give a larger art pack or measure --only table."
            )
        concepts.add(entry.concept)
        chosen.append(subject_of(art, art.entries.index(entry)))
    return chosen


def subject_of(art: Art, index: int, cell: int = 0) -> Subject:
    """Entry `index` of the art, its pose number `cell`, as a subject."""
    entry = art.entries[index]
    pixels = art.cells[entry.cells[cell]]
    premultiplied, alpha = pixels[:3].permute(1, 2, 0).numpy(), pixels[3].numpy()
    colour = np.clip(premultiplied.astype(np.float32) * 255 / np.maximum(alpha, 1)[..., None], 0, 255)
    name = f"{entry.text} ({entry.set})"
    return Subject(name, Image.fromarray(colour.astype(np.uint8)), Image.fromarray(alpha))


def embed(image: Image.Image, mask: Image.Image) -> np.ndarray:
    """A cut-out's fixed embedding, a unit vector: its CIELAB histogram (7 x 7 x 7, soft) and its colours on a 6 x 6
    grid of the square around it, each half of the whole."""
    square, cut = square_crop(image, mask)
    lab, weight = _lab(square.resize((96, 96), Image.Resampling.BOX)), _alpha(cut, 96)
    # a and b of drawings fill about half of their range.
    places = ((lab + np.array([0, 64, 64])) / [100, 128, 128]).clip(0, 1) * (BINS - 1)
    histogram = np.zeros((BINS + 1,) * 3)
    low = np.floor(places).astype(int)
    for corner in np.ndindex(2, 2, 2):
        share = np.prod(np.where(corner, places - low, 1 - places + low), axis=-1) * weight
        np.add.at(histogram, tuple(np.moveaxis(low + corner, -1, 0)), share)
    grid, shape = _lab(square.resize((6, 6), Image.Resampling.BOX)), _alpha(cut, 6)[..., None]
    layout = np.concatenate([(grid - [50, 0, 0]) / 64 * shape, shape], axis=-1)
    halves = [np.sqrt(histogram / max(histogram.sum(), 1e-6)).ravel(), layout.ravel()]
    return np.concatenate([half / max(np.linalg.norm(half), 1e-6) for half in halves]) / math.sqrt(2)


def _alpha(mask: Image.Image, side: int) -> np.ndarray:
    return np.asarray(mask.resize((side, side), Image.Resampling.BOX), np.float64) / 255


def _lab(image: Image.Image) -> np.ndarray:
    """sRGB -> CIELAB (D65), (H, W, 3)."""
    value = np.asarray(image, np.float64) / 255
    linear = np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)
    xyz = linear @ np.array([[0.4124, 0.2126, 0.0193], [0.3576, 0.7152, 0.1192], [0.1805, 0.0722, 0.9505]])
    root = np.cbrt(xyz / [0.9505, 1.0, 1.089])
    f = np.where(root > 6 / 29, root, xyz / [0.9505, 1.0, 1.089] * 841 / 108 + 4 / 29)
    return np.stack([116 * f[..., 1] - 16, 500 * (f[..., 0] - f[..., 1]), 200 * (f[..., 1] - f[..., 2])], axis=-1)


def colours(image: Image.Image, mask: Image.Image) -> np.ndarray:
    """The histogram half of `embed` alone, a unit vector: what colours tell without shapes."""
    histogram = embed(image, mask)[: (BINS + 1) ** 3]
    return histogram / max(np.linalg.norm(histogram), 1e-6)


def likeness(cuts: Sequence[MaskedImage], references: Sequence[MaskedImage]) -> np.ndarray:
    """(cuts, references): cosine of the embeddings, the better of the reference as it is and mirrored."""
    mirrored = [tuple(p.transpose(Image.Transpose.FLIP_LEFT_RIGHT) for p in pair) for pair in references]
    embedded = np.stack([embed(*cut) for cut in cuts])
    return np.maximum(*(embedded @ np.stack([embed(*r) for r in way]).T for way in (references, mirrored)))


def region(maps: RoutingMaps, index: int, size: tuple[int, int]) -> Image.Image:
    """L mask of where entry `index` is the strongest, at `size` pixels."""
    soft = [np.asarray(Image.fromarray(m).resize(size, Image.Resampling.BILINEAR)) for m in maps.values]
    return Image.fromarray(((np.argmax(soft, axis=0) == index) * 255).astype(np.uint8))


def cut_by_routing(frame: Frame, index: int) -> MaskedImage | None:
    """The frame and where subject `index` is in it, by its routing map; None where the map gives it nothing."""
    mask = region(frame.maps, index, frame.image.size)
    if np.count_nonzero(np.asarray(mask) >= SELECTED) < 16:
        return None
    return frame.image, mask


@dataclass(frozen=True)
class Retrieval:
    """Who is found: `ranks[i]` is the place (from 1) of the i-th drawing's own reference among all, `frames` the
    frames; `hits` of `ranks` are 1."""

    ranks: tuple[int, ...]
    frames: tuple[Frame, ...]

    @property
    def hits(self) -> int:
        return sum(rank == 1 for rank in self.ranks)


def ranks(cuts: Sequence[MaskedImage | None], subjects: Sequence[Subject]) -> tuple[int, ...]:
    """The place of cut-out i's own reference, by likeness, among all references; the last for an empty cut-out."""
    found = {i: cut for i, cut in enumerate(cuts) if cut is not None}
    places = [len(subjects)] * len(cuts)
    if found:
        scores = likeness(list(found.values()), [(s.image, s.mask) for s in subjects])
        for row, i in zip(scores, found, strict=True):
            places[i] = int((row > row[i]).sum()) + 1
    return tuple(places)


def retrieval(backend: Backend, subjects: Sequence[Subject], settings: Settings, seed: int = 0) -> Retrieval:
    """A frame a drawing, each called only "a character": does its cut-out find its own reference among all?"""
    frames = []
    for number, subject in enumerate(subjects):
        encoded = backend.encode(subject)
        prompt = Prompt(ALONE, (_span(ALONE, 0),))
        *_, last = backend.denoise(Request(prompt, (subject.name,), (encoded,), settings, seed + number))
        frames.append(last.finished)
    return Retrieval(ranks([cut_by_routing(frame, 0) for frame in frames], subjects), tuple(frames))


@dataclass(frozen=True)
class Swap:
    """Two frames of one seed and sentence whose references changed places. `kept[k]`: in the first frame, subject k's
    place looks more like it than like the other; `swapped[k]`: in the second, that same place looks like the other."""

    frames: tuple[Frame, Frame]
    kept: tuple[bool, bool]
    swapped: tuple[bool, bool]


def swap(backend: Backend, pair: tuple[Subject, Subject], settings: Settings, seed: int) -> Swap:
    """Render `PAIR` with the pair in both orders."""
    prompt = Prompt(PAIR, (_span(PAIR, 0), _span(PAIR, 1)))
    frames = []
    for order in (pair, pair[::-1]):
        cast = tuple(backend.encode(subject) for subject in order)
        *_, last = backend.denoise(Request(prompt, tuple(s.name for s in order), cast, settings, seed))
        frames.append(last.finished)
    places = [cut_by_routing(frames[0], k) for k in range(2)]
    first = [(frames[0].image, place[1]) if place else None for place in places]
    second = [(frames[1].image, place[1]) if place else None for place in places]
    return Swap(
        (frames[0], frames[1]),
        kept=(_is_more_like(first[0], pair[0], pair[1]), _is_more_like(first[1], pair[1], pair[0])),
        swapped=(_is_more_like(second[0], pair[1], pair[0]), _is_more_like(second[1], pair[0], pair[1])),
    )


def _is_more_like(cut: MaskedImage | None, one: Subject, other: Subject) -> bool:
    if cut is None:
        return False
    (scores,) = likeness([cut], [(s.image, s.mask) for s in (one, other)])
    return bool(scores[0] > scores[1])


def _span(text: str, number: int) -> tuple[int, int]:
    """The span of the `number`-th "a character" of a sentence."""
    start = -1
    for _ in range(number + 1):
        start = text.index("a character", start + 1)
    return start, start + len("a character")


def composite_ceiling(world: World, count: int = DRAWINGS, batches: int = 4) -> float:
    """The share that is found first when the frames are real composites cut out by their true masks: what a perfect
    generator could reach, its references in another pose, turned or cropped."""
    hits = 0
    for number in range(batches):
        batch = world.batch(count, 1, np.random.default_rng(number))
        subjects = [
            Subject(str(i), _picture(cutout[:3]), _picture(cutout[3:]))
            for i, cutout in enumerate(batch.references[:, 0])
        ]
        masks = (batch.masks[:, 0] * 255).byte()
        cuts = [(_picture(f), _picture(m[None])) for f, m in zip(batch.frames, masks, strict=True)]
        hits += ranks(cuts, subjects).count(1)
    return hits / (batches * count)


def _picture(pixels: torch.Tensor) -> Image.Image:
    """uint8 (3, H, W) -> RGB, (1, H, W) -> L."""
    return Image.fromarray(pixels.permute(1, 2, 0).squeeze(-1).cpu().numpy())
