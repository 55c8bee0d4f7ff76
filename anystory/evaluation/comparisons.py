"""The paper's own comparisons on one data set: what each switch does to the same frames from the same seeds, with
paired differences.

Three kinds of sample: frames from noise; frames that begin with the sketch of their line, whose places are left to the
router; and one pass over composed frames, whose truth is known.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

import numpy as np
import torch
from PIL import Image

from anystory.backends.models import pixels_of
from anystory.backends.sdxl import AnyStoryBackend
from anystory.evaluation.cases import NAMES, Case, Gallery, pairs, singles
from anystory.evaluation.composed import predicted
from anystory.evaluation.identity import region
from anystory.evaluation.measures import Judge, rank_of
from anystory.evaluation.reader import FrameReader
from anystory.evaluation.statistics import Estimate, mean, share, share_difference
from anystory.evaluation.switches import BOTH, CLIP, COARSE, COUPLED, MASKS, NONE, REFERENCE, REFINED, Switch
from anystory.evaluation.table import Artist, shots
from anystory.evaluation.variants import DECOUPLED, VARIANTS
from anystory.model.identity import load_encoder
from anystory.story.from_sketch import FROM_NOISE, STRENGTH, FromSketch, Underdrawing
from anystory.story.model import BACKGROUND, RoutingTrace, Settings, TraceRecorder
from anystory.training.health import SIGMAS
from anystory.training.inputs import encode_batch, prepare
from anystory.training.losses import TrainingBatch
from anystory.training.world import World

NOISE, SKETCH = "from noise", "from the sketch"
TAKEN = {NOISE: FROM_NOISE, SKETCH: FromSketch(strength=STRENGTH)}
"""What frames begin with. A layout would decide who is where in the router's place."""

BATCH = 4
"""Frames denoised together, the same ones for every switch."""

COMPOSED = 4
"""Composed frames a drawing of the cast."""

LIKE, APART, FOUND, PLACE = "likeness", "more like itself than like the other", "found first", "place"
SHARES = {FOUND, PLACE}
"""Measures that are yes or no."""


@dataclass(frozen=True)
class Arm:
    """One side of a comparison: a switch, on the given model or on a trained variant of that name."""

    name: str
    switch: Switch
    variant: str = ""

    @property
    def key(self) -> tuple[Switch, str]:
        """What its frames depend on."""
        return self.switch, self.variant


def trained(*names: str) -> tuple[Arm, ...]:
    """Arms of variants, under their own switches."""
    return tuple(Arm(name, VARIANTS[name].switch, name) for name in names)


@dataclass(frozen=True)
class Comparison:
    """Arms on equal frames, the first of which is what the others are held against; with how many subjects; and what
    its sheet is called."""

    slug: str
    what: str
    subjects: tuple[int, ...]
    arms: tuple[Arm, ...]


COMPARISONS = (
    Comparison(
        "figure-2",
        "branches (figure 2), switched off in the model as it is",
        (1,),
        (Arm(BOTH, Switch()), Arm(CLIP, Switch(branches=CLIP)), Arm(REFERENCE, Switch(branches=REFERENCE))),
    ),
    Comparison("figure-2-trained", "branches (figure 2), each trained alike", (1,), trained(BOTH, CLIP, REFERENCE)),
    Comparison(
        "figure-3",
        "router (figures 3 and 5)",
        (1, 2),
        (
            Arm(REFINED, Switch()),
            Arm(COARSE, Switch(router=COARSE)),
            Arm(NONE, Switch(router=NONE)),
            Arm(MASKS, Switch(router=MASKS)),
        ),
    ),
    Comparison("coupled", "router, each trained alike from nothing", (2,), trained(DECOUPLED, COUPLED)),
    Comparison("background", "background entry", (1, 2), (Arm("on", Switch()), Arm("off", Switch(background=False)))),
    Comparison(
        "unconditional",
        "unconditional branch",
        (1, 2),
        (Arm("with E_N+1", Switch()), Arm("without", Switch(unconditional=False))),
    ),
)


@dataclass(frozen=True)
class Drawn:
    """A frame and who held what at every step."""

    image: Image.Image
    trace: RoutingTrace | None


@dataclass(frozen=True)
class Compared:
    """An arm's figure, and how far it is from the first arm's on the same samples, None of that one itself."""

    comparison: str
    subjects: int
    samples: str
    measure: str
    arm: str
    figure: Estimate
    difference: Estimate | None

    def as_data(self) -> dict[str, object]:
        """For JSON."""
        named = {key: getattr(self, key) for key in ("comparison", "subjects", "samples", "measure", "arm")}
        return {
            **named,
            **self.figure.as_data(),
            "difference": None if self.difference is None else self.difference.as_data(),
        }


@dataclass
class Atelier:
    """Whoever draws: the given model and the trained variants, on one cast with one set of cases. Frames are drawn
    once, however many comparisons they stand in."""

    model: AnyStoryBackend
    variants: Mapping[str, AnyStoryBackend]
    settings: Settings
    cast: Gallery
    drawn: dict[tuple[tuple[Switch, str], int, str], list[Drawn]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.cases = {1: singles(self.cast), 2: pairs(self.cast, len(self.cast))}
        artist = Artist(self.model, self.settings, TAKEN[SKETCH])
        self.sketches: dict[int, list[Underdrawing]] = {
            subjects: [artist.sketch(case, self.cast, shot) for case, shot in zip(cases, shots(cases), strict=True)]
            for subjects, cases in self.cases.items()
        }

    def backend(self, arm: Arm) -> AnyStoryBackend:
        """Who draws an arm."""
        return self.variants[arm.variant] if arm.variant else self.model

    def frames(self, arm: Arm, subjects: int, start: str) -> list[Drawn]:
        """A frame for each case."""
        key = arm.key, subjects, start
        if key not in self.drawn:
            self.drawn[key] = list(self._draw(arm, subjects, TAKEN[start]))
        return self.drawn[key]

    @torch.no_grad()
    def _draw(self, arm: Arm, subjects: int, taken: FromSketch) -> Iterator[Drawn]:
        backend, cases, steps = self.backend(arm), self.cases[subjects], self.settings.steps
        pipeline = backend.pipeline
        with arm.switch.on(pipeline.model):
            encoded = [backend.encode(subject) for subject in self.cast.subjects]
            for first in range(0, len(cases), BATCH):
                some, sketches = cases[first : first + BATCH], self.sketches[subjects][first : first + BATCH]
                start = torch.stack([pixels_of(sketch.picture) for sketch in sketches])
                masks = torch.stack([_masks(sketch, subjects) for sketch in sketches]).to(pipeline.device)
                recorders = [TraceRecorder((*NAMES[:subjects], BACKGROUND)) for _ in some]
                for step in pipeline.denoise(
                    [case.prompt.text for case in some],
                    [case.prompt.mentions for case in some],
                    [[encoded[i] for i in case.cast] for case in some],
                    [case.seed for case in some],
                    size=(self.settings.size.width, self.settings.size.height),
                    steps=steps,
                    guidance=self.settings.guidance,
                    reference=arm.switch.reference,
                    gate=arm.switch.gate(torch.cat([masks, masks])),  # both branches of guidance
                    start=pipeline.encode_image(start).float(),
                    last=taken.steps(steps),
                ):
                    for row, recorder in enumerate(recorders):
                        recorder.add(step.index, _held(step.refined, row), _held(step.coarse, row))
                for image, recorder in zip(pipeline.decode(step.latents), recorders, strict=True):
                    yield Drawn(image, recorder.trace(step.total))


def _masks(sketch: Underdrawing, subjects: int) -> torch.Tensor:
    """Who is where in a sketch, (N, H, W)."""
    return torch.from_numpy(sketch.holders == np.arange(subjects, dtype=np.uint8)[:, None, None]).float()


def _held(logits: Sequence[torch.Tensor], row: int) -> list[np.ndarray]:
    return [layer[row].argmax(0).byte().cpu().numpy() for layer in logits]


@dataclass(frozen=True)
class Eye:
    """What is seen on a frame. Who stands where is asked of the given model's routers on the finished frame, the same
    for every arm; who it is, of the judge."""

    model: AnyStoryBackend
    judge: Judge
    reader: FrameReader
    cast: Gallery

    @classmethod
    def of(cls, model: AnyStoryBackend, cast: Gallery) -> Eye:
        return cls(model, Judge.of(load_encoder(), cast.subjects), FrameReader.load(), cast)

    def measure(self, cases: Sequence[Case], frames: Sequence[Drawn]) -> dict[str, np.ndarray]:
        """A number a frame, (frames,): the judge's cosine of everybody to their own picture, mean over the subjects;
        of two, that less the cosine to the other's; whether all are found first among the cast; and whether the place
        is the one that was asked for. Who is not to be seen is like nobody, 0."""
        encoded = [self.model.encode(subject) for subject in self.cast.subjects]
        found: dict[str, list[float]] = {LIKE: [], APART: [], FOUND: []}
        for case, frame in zip(cases, frames, strict=True):
            names = NAMES[: len(case.cast)]
            maps = self.model.locate(frame.image, names, [encoded[i] for i in case.cast])
            regions = [region(maps, k, frame.image.size) for k in range(len(names))]
            cuts = [(frame.image, mask) if np.asarray(mask).any() else None for mask in regions]
            scores = self.judge.likeness(cuts)
            seen = np.maximum(scores, 0)
            own = [seen[k, i] for k, i in enumerate(case.cast)]
            other = [seen[k, i] for k, i in enumerate(case.cast[::-1])]
            found[LIKE].append(float(np.mean(own)))
            found[APART].append(float(np.mean(own) - np.mean(other)))
            found[FOUND].append(float(all(rank_of(scores[k], i) == 1 for k, i in enumerate(case.cast))))
        read = self.reader.read([frame.image for frame in frames])
        measures = {what: np.array(values) for what, values in found.items() if what != APART or len(cases[0].cast) > 1}
        return measures | {PLACE: np.array([r.place == c.place for r, c in zip(read, cases, strict=True)], float)}


Look = Callable[[Arm, int], dict[str, np.ndarray]]
"""An arm with so many subjects in a frame -> its measures, a number a sample."""


def compare(atelier: Atelier, world: World, told: Callable[[str], None] = lambda _: None) -> list[Compared]:
    """Every comparison whose models are there, `told` of what is being looked at."""
    looks = _looks(atelier, world)
    known: dict[tuple[tuple[Switch, str], int, str], dict[str, np.ndarray]] = {}
    rows: list[Compared] = []
    for comparison in comparisons_of(atelier):
        for subjects in comparison.subjects:
            for samples, look in looks.items():
                if samples not in TAKEN and not all(arm.switch.unconditional for arm in comparison.arms):
                    continue  # one pass has no unconditional branch
                for arm in comparison.arms:
                    key = arm.key, subjects, samples
                    if key not in known:
                        told(f"{arm.name}, {subjects} in a frame, {samples}")
                        known[key] = look(arm, subjects)
                found = [known[arm.key, subjects, samples] for arm in comparison.arms]
                rows += rows_of(comparison, subjects, samples, found)
    return rows


def comparisons_of(atelier: Atelier) -> list[Comparison]:
    """Those whose models are there."""
    return [one for one in COMPARISONS if all(not arm.variant or arm.variant in atelier.variants for arm in one.arms)]


def _looks(atelier: Atelier, world: World) -> dict[str, Look]:
    """What there is to look at, by the name of the samples."""
    eye = Eye.of(atelier.model, atelier.cast)
    composed = {n: _composed(world, atelier.model, n, COMPOSED * len(atelier.cast)) for n in atelier.cases}

    def frames(start: str, arm: Arm, subjects: int) -> dict[str, np.ndarray]:
        return eye.measure(atelier.cases[subjects], atelier.frames(arm, subjects, start))

    def one_pass(sigma: float, arm: Arm, subjects: int) -> dict[str, np.ndarray]:
        return predicted(atelier.backend(arm).pipeline, composed[subjects], arm.switch, sigma)

    looks: dict[str, Look] = {start: partial(frames, start) for start in TAKEN}
    return looks | {f"composed, noise level {sigma:g}": partial(one_pass, sigma) for sigma in SIGMAS}


def _composed(world: World, model: AnyStoryBackend, subjects: int, count: int) -> list[TrainingBatch]:
    """At least `count` composed frames, encoded by the frozen encoders, which all variants share."""
    batches = (
        world.batch(BATCH, subjects, np.random.default_rng([11, subjects, number]))
        for number in range(-(-count // BATCH))
    )
    return [encode_batch(model.pipeline, prepare(model.pipeline, batch)) for batch in batches]


def rows_of(
    comparison: Comparison, subjects: int, samples: str, found: Sequence[dict[str, np.ndarray]]
) -> Iterator[Compared]:
    """Figures and paired differences of one comparison's arms on equal samples."""
    for measure, first in found[0].items():
        for arm, values in zip(comparison.arms, found, strict=True):
            own = values[measure]
            if measure in SHARES:
                hits = [bool(v) for v in own]
                figure, apart = share(hits), share_difference([bool(v) for v in first], hits)
            else:
                figure, apart = mean(own.tolist()), mean((own - first).tolist())
            difference = None if values is found[0] else apart
            yield Compared(comparison.what, subjects, samples, measure, arm.name, figure, difference)


# The report.


def as_markdown(rows: Sequence[Compared], title: str, table_1: Sequence[str]) -> str:
    """Everything as a page: for each comparison and kind of sample a table, a line an arm."""
    lines = [
        f"# {title}",
        "",
        "Each figure with its 95 % interval, and after Δ the mean of the paired differences from the first line with "
        "its own; one that does not hold 0 is in bold.",
        "",
        "## ReferenceNet at full size (table 1)",
        "",
        *table_1,
    ]
    for what in dict.fromkeys(row.comparison for row in rows):
        lines += ["", f"## {what[0].upper()}{what[1:]}"]
        some = [row for row in rows if row.comparison == what]
        for subjects, samples in dict.fromkeys((row.subjects, row.samples) for row in some):
            these = [row for row in some if (row.subjects, row.samples) == (subjects, samples)]
            measures = list(dict.fromkeys(row.measure for row in these))
            who = "one subject" if subjects == 1 else "two subjects"
            lines += ["", f"{who[0].upper()}{who[1:]}, {samples}, n = {these[0].figure.n}:", ""]
            lines += [f"| | {' | '.join(measures)} |", f"| --- {'| --- ' * len(measures)}|"]
            for arm in dict.fromkeys(row.arm for row in these):
                cells = {row.measure: row for row in these if row.arm == arm}
                lines.append(f"| {arm} | {' | '.join(_cell(cells[measure]) for measure in measures)} |")
    return "\n".join(lines) + "\n"


def _cell(row: Compared) -> str:
    if row.difference is None:
        return str(row.figure)
    difference = row.difference
    told = f"Δ {difference.value:+.3f} [{difference.low:+.3f}, {difference.high:+.3f}]"
    return f"{row.figure}; {f'**{told}**' if difference.low > 0 or difference.high < 0 else told}"
