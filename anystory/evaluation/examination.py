"""The judge examined on pictures with known answers, before anybody is judged: real composites of drawings that no
training saw, cut out by their true masks, and real poses of one character."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image

from anystory.evaluation.cases import Gallery
from anystory.evaluation.identity import subject_of
from anystory.evaluation.measures import Judge, rank_of, read_size, read_where
from anystory.evaluation.reader import FrameReader
from anystory.evaluation.statistics import Estimate, mean, share
from anystory.model.identity import IdentityEncoder
from anystory.story.model import Subject
from anystory.training.art import Art
from anystory.training.world import World

ATTEMPTS = 6
"""Composites of a drawing until it stands in plain view."""

Mistake = tuple[str, str, int]
"""Who it was, for whom it was taken, and how often."""


@dataclass(frozen=True)
class Composite:
    """A real frame with one subject: gallery number, picture, its true mask, and what it truly shows."""

    who: int
    image: Image.Image
    mask: Image.Image
    where: str
    size: str
    place: str
    time: str
    weather: str


def composites(world: World, cast: Gallery, seed: int = 7, batch: int = 16) -> list[Composite]:
    """A real composite of every drawing of the gallery, standing in plain view, as the cases ask for."""
    real: dict[int, Composite] = {}
    for attempt in range(ATTEMPTS):
        pending = [i for i in range(len(cast)) if i not in real]
        for start in range(0, len(pending), batch):
            numbers = pending[start : start + batch]
            who = np.array([[cast.entries[i]] for i in numbers])
            made = world.batch(len(numbers), 1, np.random.default_rng([seed, attempt, start]), who)
            for b, i in enumerate(numbers):
                if made.action[b][0] != "stands" and attempt < ATTEMPTS - 1:
                    continue
                image = Image.fromarray(made.frames[b].permute(1, 2, 0).cpu().numpy())
                mask = Image.fromarray((made.masks[b, 0] * 255).round().byte().cpu().numpy())
                said = (made.where[b][0], made.size[b][0], made.place[b], made.time[b], made.weather[b])
                real[i] = Composite(i, image, mask, *said)
    return [real[i] for i in range(len(cast))]


def examine_identity(
    judge: Judge, cast: Gallery, real: Sequence[Composite]
) -> tuple[dict[str, Estimate], list[Mistake]]:
    """How often the composites find their own drawings, by the encoder and by colours alone, and whom the encoder takes
    for whom, commonest first."""
    cuts = [(one.image, one.mask) for one in real]
    own, kinds = [one.who for one in real], cast.kinds
    doubles = [k for k, i in enumerate(own) if kinds.count(kinds[i]) > 1]
    figures: dict[str, Estimate] = {}
    for by, scores in (("", judge.likeness(cuts)), (", by colours alone", judge.colour_likeness(cuts))):
        first = [rank_of(row, i) == 1 for row, i in zip(scores, own, strict=True)]
        figures[f"identity, all{by}"] = share(first)
        figures[f"identity, of those with a double of their kind{by}"] = share([first[k] for k in doubles])
        if not by:
            taken = scores.argmax(1)
            wrong = [(i, int(j)) for i, j, right in zip(own, taken, first, strict=True) if not right]
    figures["of its mistakes, those within a kind"] = share([kinds[i] == kinds[j] for i, j in wrong])
    counted = Counter((cast.subjects[i].name, cast.subjects[j].name) for i, j in wrong)
    return figures, [(*names, n) for names, n in sorted(counted.items(), key=lambda item: (-item[1], item[0]))]


def examine_poses(encoder: IdentityEncoder, art: Art) -> dict[str, Estimate]:
    """How often a character of the art in another pose finds itself among the first poses of all who have several, and
    is nearer to itself than to all others of its subgroup. A sample is a character, its value a share of its poses."""
    several = [(i, entry) for i, entry in enumerate(art.entries) if len(entry.cells) > 1]
    if len(several) < 2:
        return {}
    judge = Judge.of(encoder, [subject_of(art, i) for i, _ in several])
    kinds = np.array([entry.subgroup for _, entry in several])
    figures: dict[str, Estimate] = {}
    others = [[_cut(subject_of(art, i, pose)) for pose in range(1, len(entry.cells))] for i, entry in several]
    for by, look in (("", judge.likeness), (", by colours alone", judge.colour_likeness)):
        among, within = [], []
        for k, cuts in enumerate(others):
            scores = look(cuts)
            among.append(float(np.mean([rank_of(row, k) == 1 for row in scores])))
            kin = np.flatnonzero(kinds == kinds[k])
            if len(kin) > 1:
                place = int(np.flatnonzero(kin == k)[0])
                within.append(float(np.mean([rank_of(row[kin], place) == 1 for row in scores])))
        figures[f"another pose, among {len(several)} characters{by}"] = mean(among)
        figures[f"another pose, among those of its kind{by}"] = mean(within)
    sizes = [int((kinds == kind).sum()) for kind in kinds]
    figures["another pose, among those of its kind, by chance"] = mean([1 / n for n in sizes if n > 1])
    return figures


def answers(real: Sequence[Composite], seen: Sequence[np.ndarray | None], reader: FrameReader) -> dict[str, list[bool]]:
    """What is read off composites, right or wrong; `seen` is where the segmentation model finds figures."""
    readings = reader.read([one.image for one in real])
    coarse = {"tiny": "small", "small": "small", "big": "big", "huge": "big"}
    return {
        "place": [r.place == o.place for r, o in zip(readings, real, strict=True)],
        "time": [r.time == o.time for r, o in zip(readings, real, strict=True) if o.time],
        "weather": [r.weather == o.weather for r, o in zip(readings, real, strict=True) if o.weather],
        "position": [read_where(s) == o.where for s, o in zip(seen, real, strict=True) if o.where],
        "size": [read_size(s) == coarse[o.size] for s, o in zip(seen, real, strict=True) if o.size],
    }


def _cut(subject: Subject) -> tuple[Image.Image, Image.Image]:
    return subject.image, subject.mask
