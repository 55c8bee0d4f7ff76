"""The table by which an embedded model is judged: each figure with its 95 % interval, beside what real composites
reach (the ceiling) and what colours alone, or chance, would reach (the floor)."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import chain
from typing import Any

import numpy as np
import torch
from PIL import Image

from anystory.backends.base import Request
from anystory.backends.models import pixels_of
from anystory.backends.sdxl import AnyStoryBackend
from anystory.backends.underdrawing import underdrawing
from anystory.cast.images import MaskedImage
from anystory.cast.segment import Segmenter
from anystory.evaluation.cases import NAMES, Case, Gallery, gallery, pairs, singles
from anystory.evaluation.examination import answers, composites, examine_identity
from anystory.evaluation.identity import cut_by_routing, subject_of
from anystory.evaluation.measures import (
    AMONG,
    LEAST_SHARE,
    Judge,
    area,
    found_by_segmentation,
    held,
    likeness,
    overlap,
    rank_of,
    read_size,
    read_where,
)
from anystory.evaluation.reader import FrameReader
from anystory.evaluation.statistics import NOTHING, Estimate, mean, ratio, share
from anystory.maps.consistency import pose_difference
from anystory.maps.overlay import overlay as tinted
from anystory.maps.overlay import sheet
from anystory.model.identity import load_encoder
from anystory.sketch.cutout import prepare
from anystory.sketch.read import read_story
from anystory.story.from_sketch import FromSketch, Underdrawing
from anystory.story.model import CastMember, Frame, Panel, Script, Settings
from anystory.story.shot import Shot
from anystory.story.steering import UNSTEERED, Steering
from anystory.training.art import Art
from anystory.training.world import World

SHOWN = 12
"""Frames of a sheet."""

POSE_PAIRS = 100

VIEWS = 3
"""Pictures of a character where several are tried."""

VIEWED = 20
"""Characters of which several are tried, at most."""


@dataclass(frozen=True)
class Row:
    """A line of the table. `aim` with `at_least` False is a bound from above; None where there is none."""

    what: str
    figure: Estimate
    aim: float | None = None
    at_least: bool = True
    ceiling: Estimate = NOTHING
    floor: str = ""
    unit: str = ""

    @property
    def met(self) -> bool | None:
        """Whether the figure reaches the aim; None where there is none."""
        if self.aim is None or not self.figure.n:
            return None
        return self.figure.value >= self.aim if self.at_least else self.figure.value <= self.aim

    def as_data(self) -> dict[str, object]:
        """For JSON."""
        data = {"what": self.what, **self.figure.as_data(), "aim": self.aim, "met": self.met}
        if self.aim is not None:
            data["aim is"] = "at least" if self.at_least else "at most"
        return data | {"real composites": self.ceiling.as_data(), "floor": self.floor, "unit": self.unit}


@dataclass(frozen=True)
class TableReport:
    """The rows, the judge's own examination, and contact sheets by file name."""

    rows: tuple[Row, ...]
    judge: tuple[Row, ...]
    confusions: tuple[tuple[str, str, int], ...]
    sheets: dict[str, Image.Image]

    def as_data(self) -> dict[str, object]:
        """For JSON."""
        return {
            "table": [row.as_data() for row in self.rows],
            "judge": {
                "on composites with known answers": [row.as_data() for row in self.judge],
                "taken for another": [{"is": a, "taken for": b, "times": n} for a, b, n in self.confusions],
            },
        }

    def as_markdown(self, title: str) -> str:
        """The same as a page."""
        lines = [
            f"# {title}",
            "",
            *table_lines(self.rows),
            "",
            "## The judge, on real composites with known answers",
            "",
        ]
        lines += table_lines(self.judge)
        if self.confusions:
            lines += ["", "Composites it took for another drawing:", ""]
            lines += [f"- {a} for {b}{f' ({n} times)' if n > 1 else ''}" for a, b, n in self.confusions]
        return "\n".join(lines) + "\n"


def table_lines(rows: Sequence[Row]) -> list[str]:
    """Rows as a table in Markdown."""
    out = [
        "| what | figure [95 %] | n | aim | met | real composites | floor |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for row in rows:
        aim = "" if row.aim is None else f"{'≥' if row.at_least else '≤'} {row.aim:g}{row.unit}"
        met = {True: "yes", False: "no", None: ""}[row.met]
        ceiling = str(row.ceiling) if row.ceiling.n else ""
        out.append(
            f"| {row.what} | {row.figure}{row.unit} | {row.figure.n} | {aim} | {met} | {ceiling} | {row.floor} |"
        )
    return out


@dataclass(frozen=True)
class JudgedFrame:
    """A case and what became of it: a subject's cut-out by its routing map, each, and the seconds it took."""

    case: Case
    frame: Frame
    cuts: tuple[MaskedImage | None, ...]
    seconds: float
    beneath: Underdrawing | None


def shots(cases: Sequence[Case]) -> list[Shot]:
    """What storybook reads of the lines of cases, which are one story."""
    panels = tuple(Panel(case.line, NAMES[: len(case.cast)]) for case in cases)
    return read_story(Script(panels), [CastMember(name) for name in NAMES])


@dataclass(frozen=True)
class Artist:
    """Who draws the cases: a model with its settings, and what its frames take of the sketch that storybook makes of
    the case's line."""

    backend: AnyStoryBackend
    settings: Settings
    taken: FromSketch

    def sketch(self, case: Case, cast: Gallery, shot: Shot) -> Underdrawing:
        """The sketch of a case's shot, with the drawings of `cast`."""
        names = NAMES[: len(case.cast)]
        request = Request(replace(case.prompt, shot=shot), names, (), self.settings, case.seed)
        subjects = [replace(cast.subjects[i], name=name) for i, name in zip(case.cast, names, strict=True)]
        return underdrawing(request, self.taken, {subject.name: prepare(subject) for subject in subjects})

    def draw(
        self,
        case: Case,
        cast: Gallery,
        encoded: Sequence[Any],
        steering: Steering = UNSTEERED,
        shot: Shot | None = None,
    ) -> JudgedFrame:
        """A case's frame, with the drawings of `cast` and their encodings; its sketch shows the shot, or what storybook
        reads of the case's line."""
        names = NAMES[: len(case.cast)]
        request = Request(case.prompt, names, tuple(encoded[i] for i in case.cast), self.settings, case.seed, steering)
        start = time.monotonic()
        if self.taken:
            request = replace(request, underdrawing=self.sketch(case, cast, shot or shots([case])[0]))
        *_, last = self.backend.denoise(request)
        seconds = time.monotonic() - start
        frame = last.finished
        cuts = tuple(cut_by_routing(frame, k) for k in range(len(names)))
        return JudgedFrame(case, frame, cuts, seconds, request.underdrawing)


def evaluate(artist: Artist, art: Art, world: World, samples: int) -> TableReport:
    """Measure everything on `samples` drawings of `art` (the test split) and half as many pairs."""
    cast, backend, settings = gallery(art, samples), artist.backend, artist.settings
    judge = Judge.of(load_encoder(), cast.subjects)
    reader, segmenter = FrameReader.load(), Segmenter()
    encoded = [backend.encode(subject) for subject in cast.subjects]

    alone = [artist.draw(case, cast, encoded) for case in singles(cast)]
    couples = [artist.draw(case, cast, encoded) for case in pairs(cast, max(1, samples // 2))]
    unrouted = [artist.draw(made.case, cast, encoded, Steering(router=False)) for made in couples]
    real = composites(world, cast)

    seen = [found_by_segmentation(made.frame.image, segmenter) for made in alone]
    seen_couples = [found_by_segmentation(made.frame.image, segmenter) for made in couples]
    seen_real = [found_by_segmentation(one.image, segmenter) for one in real]

    scores, scores_real = (judge.likeness(c) for c in ([m.cuts[0] for m in alone], [(r.image, r.mask) for r in real]))
    ranks = [rank_of(row, made.case.cast[0]) for row, made in zip(scores, alone, strict=True)]
    ranks_real = [rank_of(row, one.who) for row, one in zip(scores_real, real, strict=True)]
    by_colour = judge.colour_likeness([made.cuts[0] for made in alone])
    colour_hits = [rank_of(row, made.case.cast[0]) == 1 for row, made in zip(by_colour, alone, strict=True)]
    ranks_on, ranks_off = ([_ranks(judge, made) for made in some] for some in (couples, unrouted))
    both_on, both_off = ([all(r == 1 for r in two) for two in some] for some in (ranks_on, ranks_off))
    large = [cut is not None and area(cut[1]) >= LEAST_SHARE for made in (*alone, *couples) for cut in made.cuts]
    near = [rank <= AMONG for rank in (*ranks, *chain(*ranks_on))]
    one_view, views = (_seen_from(artist, art, count, min(VIEWED, samples)) for count in (1, VIEWS))
    truth = answers(real, seen_real, reader)
    side = settings.size.width
    everyone, everyone_seen = [*alone, *couples], [*seen, *seen_couples]
    chance = 1 / len(cast)
    poses = _poses(art)

    rows = [
        Row(
            f"identity: found first among {len(cast)}",
            share([rank == 1 for rank in ranks]),
            0.85,
            ceiling=share([rank == 1 for rank in ranks_real]),
            floor=f"colours {share(colour_hits)}; chance {chance:.3f}",
        ),
        *_by_views(one_view, views),
        Row("no blending: both found first in their own region", share(both_on), 0.8, floor=f"chance {chance**2:.4f}"),
        Row("the same with every gate open", share(both_off)),
        Row(
            "what routing adds to it",
            mean(np.subtract(np.array(both_on, float), np.array(both_off, float))),
            0.15,
        ),
        Row(
            f"nobody missing: ≥ {LEAST_SHARE:.0%} of the frame, among the {AMONG} nearest",
            share([a and b for a, b in zip(large, near, strict=True)]),
            0.9,
            ceiling=share([area(o.mask) >= LEAST_SHARE and r <= AMONG for o, r in zip(real, ranks_real, strict=True)]),
            floor=f"chance {min(1.0, AMONG * chance):.3f}",
        ),
        Row(f"of that: ≥ {LEAST_SHARE:.0%} of the frame", share(large)),
        Row(f"of that: among the {AMONG} nearest", share(near)),
        Row(
            "routing maps: IoU with a mask found on the frame",
            mean([overlap(held(m.frame.maps, side), s) for m, s in zip(everyone, everyone_seen, strict=True)]),
            0.75,
            ceiling=mean([overlap(_bool(o.mask), s) for o, s in zip(real, seen_real, strict=True)]),
            floor=f"the whole frame {mean([0.0 if s is None else float(s.mean()) for s in everyone_seen])}",
        ),
        *(
            Row(f"the {kind} maps alone", mean(_traced(everyone, everyone_seen, kind, side)))
            for kind in ("coarse", "refined")
        ),
        *_read(alone, seen, truth, reader),
        Row(
            "no copy-paste: of those found first, pose difference to the reference, of real pose pairs'",
            ratio(
                [
                    pose_difference(m.cuts[0], _cut(cast, m.case.cast[0]))
                    for m, rank in zip(alone, ranks, strict=True)
                    if m.cuts[0] and rank == 1
                ],
                poses,
            ),
            0.5,
            ceiling=ratio([pose_difference((o.image, o.mask), _cut(cast, o.who)) for o in real if area(o.mask)], poses),
            floor="a copy 0",
        ),
        *_copied(everyone, backend),
        Row(
            f"seconds a frame: {side} px, two subjects, {settings.steps} steps, {torch.get_num_threads()} threads",
            mean([made.seconds for made in couples]),
            8.0,
            at_least=False,
            unit=" s",
        ),
    ]
    known, confusions = examine_identity(judge, cast, real)
    known |= {what: share(hits) for what, hits in truth.items()}
    examination = tuple(Row(what, figure) for what, figure in known.items())
    return TableReport(
        tuple(rows), examination, tuple(confusions), _sheets(cast, alone, scores, ranks, couples, unrouted)
    )


# Frames.


def _seen_from(artist: Artist, art: Art, pictures: int, count: int) -> list[bool]:
    """Whether characters that are drawn in several poses, at most `count`, find themselves first among each other, each
    made from so many pictures of it."""
    posed = [i for i, entry in enumerate(art.entries) if len(entry.cells) >= VIEWS]
    chosen = [int(i) for i in np.random.default_rng(3).permutation(posed)[:count]]
    if len(chosen) < 2:
        return []
    subjects, kinds = [subject_of(art, i) for i in chosen], [art.entries[i].concept for i in chosen]
    cast = Gallery(tuple(subjects), tuple(chosen), tuple(kinds))
    poses = [[subject_of(art, i, cell) for cell in range(1, pictures)] for i in chosen]
    shown = [
        replace(first, more=tuple((pose.image, pose.mask) for pose in others))
        for first, others in zip(subjects, poses, strict=True)
    ]
    encoded = [artist.backend.encode(subject) for subject in shown]
    judge = Judge.of(load_encoder(), subjects)
    return [_ranks(judge, artist.draw(case, cast, encoded)) == [1] for case in singles(cast)]


# Measures of many.


def _ranks(judge: Judge, made: JudgedFrame) -> list[int]:
    return [rank_of(row, own) for row, own in zip(judge.likeness(made.cuts), made.case.cast, strict=True)]


def _traced(made: Sequence[JudgedFrame], seen: Sequence[np.ndarray | None], kind: str, side: int) -> list[float]:
    """IoU of the layers' votes at the last step, where there is a trace of that kind."""
    values = []
    for one, mask in zip(made, seen, strict=True):
        trace = one.frame.trace
        if trace is not None and kind in trace.kinds:
            values.append(overlap(held(trace.votes(trace.steps[-1], kind=kind), side), mask))
    return values


def _copied(made: Sequence[JudgedFrame], backend: AnyStoryBackend) -> list[Row]:
    """How near frames are to their sketches, inside the characters and outside: as nothing of the steps but the
    autoencoder would leave them (the ceiling)."""
    rows = []
    for what, inside in (("inside the characters", True), ("outside", False)):
        near, plain = list[float](), list[float]()
        for one in made:
            if one.beneath is not None:
                sketch = one.beneath.picture
                within = (one.beneath.holders < len(one.case.cast)) == inside
                again = backend.pipeline.decode(backend.pipeline.encode_image(pixels_of(sketch)[None]))[0]
                near += [likeness(one.frame.image, sketch, within)] if within.any() else []
                plain += [likeness(again, sketch, within)] if within.any() else []
        if near:
            rows.append(Row(f"copied from the sketch, {what}: PSNR", mean(near), ceiling=mean(plain), unit=" dB"))
    return rows


def _by_views(one_view: Sequence[bool], views: Sequence[bool]) -> list[Row]:
    if not views:
        return []
    return [
        Row(f"identity from one picture, of {len(views)} characters that have {VIEWS} poses", share(one_view)),
        Row(f"the same from {VIEWS} pictures of each", share(views)),
    ]


def _read(
    alone: Sequence[JudgedFrame],
    seen: Sequence[np.ndarray | None],
    truth: dict[str, list[bool]],
    reader: FrameReader,
) -> list[Row]:
    """Does the frame show the place, the time, the position and the size that were asked for?"""
    asked = [made.case for made in alone]
    readings = reader.read([made.frame.image for made in alone])
    hits = {
        "place": [r.place == c.place for r, c in zip(readings, asked, strict=True)],
        "time": [r.time == c.time for r, c in zip(readings, asked, strict=True) if c.time],
        "position": [read_where(s) == c.where[0] for s, c in zip(seen, asked, strict=True)],
        "size": [read_size(s) == c.size[0] for s, c in zip(seen, asked, strict=True) if c.size[0]],
    }
    floors = {
        "place": f"chance {1 / len({c.place for c in asked}):.3f}",
        "time": "chance 0.250",
        "position": "chance 0.333",
        "size": "chance 0.333",
    }
    return [
        Row(f"text: {what}", share(found), 0.85, ceiling=share(truth[what]), floor=floors[what])
        for what, found in hits.items()
    ]


def _poses(art: Art) -> list[float]:
    """Pose differences of real pairs of poses of one character, of the art's split."""
    several = [i for i, entry in enumerate(art.entries) if len(entry.cells) > 1]
    differences = []
    for number, i in enumerate(several * POSE_PAIRS):
        if number >= POSE_PAIRS:
            break
        count = len(art.entries[i].cells)
        one, other = subject_of(art, i, number % count), subject_of(art, i, (number + 1 + number // count) % count)
        if one.image != other.image:
            differences.append(pose_difference((one.image, one.mask), (other.image, other.mask)))
    return differences


def _cut(cast: Gallery, number: int) -> MaskedImage:
    return cast.subjects[number].image, cast.subjects[number].mask


def on_white(cast: Gallery, number: int) -> Image.Image:
    """Drawing `number` of the gallery."""
    image, mask = _cut(cast, number)
    return Image.composite(image, Image.new("RGB", image.size, "white"), mask)


def _bool(mask: Image.Image) -> np.ndarray:
    return np.asarray(mask) >= 128


# Sheets.


def _sheets(
    cast: Gallery,
    alone: Sequence[JudgedFrame],
    scores: np.ndarray,
    ranks: Sequence[int],
    couples: Sequence[JudgedFrame],
    unrouted: Sequence[JudgedFrame],
) -> dict[str, Image.Image]:
    """The frames whose subjects are the most, middling and the least like themselves against all others; pairs in
    their order, with and without routing."""
    own = np.array([row[made.case.cast[0]] for row, made in zip(scores, alone, strict=True)])
    others = [np.delete(row, made.case.cast[0]).max(initial=-1.0) for row, made in zip(scores, alone, strict=True)]
    order = np.argsort(np.array(others) - own, kind="stable")
    middle = max(0, (len(order) - SHOWN) // 2)
    chosen = {
        "best.png": order[:SHOWN],
        "typical.png": order[middle : middle + SHOWN],
        "worst.png": order[::-1][:SHOWN],
    }
    sheets = {}
    for name, numbers in chosen.items():
        pictures, captions = [], []
        for k in numbers:
            made = alone[k]
            pictures += [on_white(cast, made.case.cast[0]), made.frame.image]
            pictures.append(tinted(made.frame.image, made.frame.maps))
            captions += [cast.subjects[made.case.cast[0]].name, made.case.prompt.text, f"found as number {ranks[k]}"]
        sheets[name] = sheet(pictures, captions, columns=6, cell=192)
    pictures, captions = [], []
    for on, off in list(zip(couples, unrouted, strict=True))[:SHOWN]:
        pictures += [*(on_white(cast, i) for i in on.case.cast), on.frame.image]
        pictures += [tinted(on.frame.image, on.frame.maps), off.frame.image]
        captions += [*(cast.subjects[i].name for i in on.case.cast), on.case.prompt.text, "who is where", "gates open"]
    sheets["pairs.png"] = sheet(pictures, captions, columns=5, cell=192)
    return sheets
