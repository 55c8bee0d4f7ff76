"""The authors' own weights as a backend: FLUX.1-dev, FLUX.1-Redux-dev and their checkpoint."""

from __future__ import annotations

import copy
import hashlib
import threading
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from functools import cache, partial
from importlib.metadata import version
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import torch
import transformers
from diffusers.utils import logging as diffusers_logging
from PIL import Image
from safetensors import SafetensorError
from torch import Tensor

from anystory.backends.base import BackendError, Lora, Request
from anystory.backends.files import model_files, reason, whole
from anystory.backends.hub import CHECKPOINT, FLUX, fetch
from anystory.backends.lora import add_lora, lora_file, lora_size
from anystory.backends.memory import Planned, computing, memory_of
from anystory.backends.models import MAX_SUBJECTS, choose_device, guide_of, pixels_of, readable, undrawn
from anystory.cast.images import SELECTED, square_crop
from anystory.model.finite import finite
from anystory.model.flux.checkpoint import CheckpointError
from anystory.model.flux.encoder import FluxSubject
from anystory.model.flux.pipeline import (
    REDUX_SCALE,
    TEXT_TOKENS,
    TOKEN,
    AnyStoryFluxPipeline,
    FluxDenoised,
    FluxSettings,
)
from anystory.model.flux.plans import (
    FluxFootprint,
    FluxPlan,
    FluxWork,
    candidates,
    frames_at_once,
    place,
    plan,
    release_configs,
    release_footprint,
    replan,
    transformer_file,
)
from anystory.model.flux.speeds import SPEEDS, hasten
from anystory.model.memory import PlanError, chain, out_of_memory, release_memory
from anystory.story.capabilities import Capabilities
from anystory.story.english import counted
from anystory.story.from_sketch import FROM_NOISE
from anystory.story.model import (
    ATTENTION,
    BACKGROUND,
    ROUTING,
    Frame,
    RoutingMaps,
    Settings,
    Shape,
    Step,
    Subject,
    TraceRecorder,
)
from anystory.story.size import Size

DEFINITE = 200
"""A mask pixel above this belongs to the character, as in the authors' program."""

SEVERAL_START = 0.09
"""Share of the steps without references where a frame has several subjects: they find their places first."""

LARGE = 4e9
"""Bytes of weights from which a model takes a GPU, and half precision everywhere."""

SAMPLES, SAMPLE = 64, 1 << 20
"""How many pieces of how many bytes of a large file its fingerprint is made from."""

REFERENCE = 512
"""Side in pixels at which references are read."""

DEFAULTS = Settings(Size.of(512), steps=25, guidance=3.5)
"""The release's."""

PROGRAM = "1"
"""Raised when the same weights, settings and seed would give another frame."""

T = TypeVar("T")


class SmallerBatch(Exception):
    """Memory is short for as many frames at once."""


@dataclass
class FluxBackend:
    """Frames from the authors' release.

    `memory` holds the pipeline under the plan in force; `footprint` and `card`, the bytes there are on the GPU (None:
    there is none), tell what frames the plan has room for. `versions` gives the version of frames under a plan;
    what it is `about` names that of the plan it begins with.
    """

    about: Capabilities
    memory: Planned[FluxPlan, AnyStoryFluxPipeline]
    footprint: FluxFootprint
    versions: Callable[[FluxPlan], str]
    card: float | None = None
    batch: int = 1

    def __post_init__(self) -> None:
        self._lock = threading.Lock()  # the transformer's layers know one frame at a time
        # A copy, so that a script can be checked while a frame is made: a tokenizer serves one thread at a time, and
        # what one asks of it, padding say, holds for the other.
        self._tokenizer = copy.deepcopy(self.pipeline.tokenizer_2)
        self._reading = threading.Lock()
        config = self.pipeline.transformer.config
        self._layers = config.num_layers + config.num_single_layers

    @property
    def pipeline(self) -> AnyStoryFluxPipeline:
        """The pipeline, loaded where memory had run out for it. Whoever computes with it holds the lock."""
        return self.memory.model

    @classmethod
    def load(
        cls,
        folder: Path | None = None,
        *,
        device: str | None = None,
        loras: Sequence[Lora] = (),
        vram: float | None = None,
        speed: str = "exact",
        batch: int = 1,
        tell: Callable[[str], None] = lambda _: None,
    ) -> FluxBackend:
        """Load the release from the Hugging Face Hub, or from a `folder` with `base/`, `redux/` and one checkpoint,
        with LoRAs on top, as fits into `vram` GB of the GPU, for at most `batch` frames at once. Raises `BackendError`
        with a sentence."""
        chosen, _ = choose_device(device)
        local = _release(folder) if folder is not None else None
        large = local is None or _weight(*local[:2]) > LARGE
        if large:
            _check_gpu(device, chosen)
        files = [lora_file(lora) for lora in loras]  # which are small, beside what the plan is about
        sizes = [lora_size(lora, file) for lora, file in zip(loras, files, strict=True)]
        footprint = replace(_footprint(local), loras=(sum(n for n, _ in sizes), sum(size for _, size in sizes)))
        card = memory_of(chosen, vram)
        plans = _plans(footprint, card, large, chosen)
        if card is not None:
            batch = frames_at_once(footprint, FluxWork(batch=batch), plans[0], card)
        tell(f"FLUX: {plans[0]}{f'; {batch} panels at once' if batch > 1 else ''}.")
        if local is None:
            base, redux, authors = fetch(FLUX)
            checkpoint = authors / CHECKPOINT
        else:
            base, redux, checkpoint = local
        transformers.utils.logging.disable_progress_bar()
        diffusers_logging.disable_progress_bar()
        diffusers_logging.set_verbosity_error()  # CLIP's bound is warned of at every frame; `unread` tells what counts

        def build(plan: FluxPlan) -> AnyStoryFluxPipeline:
            dtype = torch.float32 if plan.transformer == "float32" else torch.bfloat16
            try:
                pipeline = AnyStoryFluxPipeline.from_release(base, redux, checkpoint, dtype, plan)
                for part, module in pipeline.components.items():
                    if isinstance(module, torch.nn.Module) and any(p.is_meta for p in module.parameters()):
                        raise ValueError(f"the weights of its {part} are not complete.")
            except CheckpointError as error:
                raise BackendError(str(error)) from error
            except (OSError, ValueError, KeyError, AttributeError, ImportError, RuntimeError, SafetensorError) as error:
                if out_of_memory(error):
                    raise
                where = f"in {str(folder)!r}" if folder else f"from the Hugging Face Hub ({base})"
                raise BackendError(
                    f"The model {where} cannot be loaded: {reason(error)} Get a file anew that is cut short."
                ) from error
            for number, (lora, file) in enumerate(zip(loras, files, strict=True)):
                loaded, there = add_lora(pipeline, f"lora_{number}", lora, file)
                tell(f"LoRA {lora.name}: {loaded} of the {there} layers in its file are loaded.")
            if loras:
                pipeline.set_adapters([f"lora_{k}" for k in range(len(loras))], [lora.strength for lora in loras])
            place(plan, pipeline, chosen)
            hasten(pipeline.transformer, SPEEDS[speed])
            return pipeline

        @cache  # which reads files of tens of gigabytes
        def versions(plan: FluxPlan) -> str:
            asked = [lora.strength for lora in loras], plan.transformer, plan.text, speed
            packages = (*plan.packages, *(["peft"] if loras else []))
            return f"{PROGRAM}-{fingerprint([base, redux, checkpoint, *files], asked, packages)}"

        defaults = replace(DEFAULTS, steps=SPEEDS[speed].steps or DEFAULTS.steps)
        memory = Planned("FLUX", build, plans, tell)
        _ = memory.model  # under the plan that the version is to name
        about = Capabilities(
            name="flux",
            version=versions(memory.plan),
            defaults=defaults,
            sizes=range(TOKEN, 2048 + 1, TOKEN),
            max_subjects=MAX_SUBJECTS,
            from_sketch=FROM_NOISE,  # nobody has measured another on a card
        )
        return cls(about, memory, footprint, versions, card, batch)

    def unread(self, text: str) -> str:
        """What T5 does not read of `text`; CLIP's share, one vector of the first words, sets no bound."""
        with self._reading:
            tokens = self._tokenizer(text, return_offsets_mapping=True, verbose=False)["offset_mapping"]
        if len(tokens) <= TEXT_TOKENS:
            return ""
        end = max(stop for _, stop in tokens[: TEXT_TOKENS - 1])  # the last is the mark of the end
        cut = text[end:].lstrip() == text[end:] != ""  # in the middle of a word: all of it counts as unread
        return text[text[:end].rfind(" ") + 1 if cut else end :].strip()

    def encode(self, subject: Subject) -> FluxSubject:
        """Cut out with a definite edge, crop square on white, encode, every picture."""
        squares = [square_crop(image, _definite(mask)) for image, mask in subject.pictures]

        def encoded() -> Iterator[FluxSubject]:
            yield FluxSubject.joined([self.pipeline.encode(*square, REFERENCE) for square in squares])

        with self._lock:
            return next(self.memory.run(encoded))

    def layer_shapes(self, settings: Settings) -> tuple[Shape, ...]:
        """Every layer of the transformer sees all image tokens."""
        return ((settings.size.height // TOKEN, settings.size.width // TOKEN),) * self._layers

    def locate(self, picture: Image.Image, names: Sequence[str], cast: Sequence[FluxSubject]) -> RoutingMaps:
        """Who is where in a picture of any shape, which is read at about the area of a frame, without words. The
        router knows no background: several share the whole picture, and of one the map is its share of attention."""
        pixels = readable(picture, len(cast), self.about.defaults.size.area, TOKEN)
        shape = pixels.shape[1] // TOKEN, pixels.shape[2] // TOKEN

        measure = ATTENTION if len(cast) == 1 else ROUTING

        def found() -> Iterator[RoutingMaps]:
            average = FluxMapAverage()
            for level in self.pipeline.locate(*self.pipeline.encode_text(""), cast, pixels):
                average.add(level)
            yield average.maps(names, shape, measure)

        with self._lock:
            return next(self.memory.run(found))

    def denoise(self, request: Request) -> Generator[Step, None, None]:
        """Denoise one frame, a `Step` with a preview after each step; the last holds the frame.

        `eta` multiplies the release's strength of Redux tokens, `gamma` is its `ref_shift`. A layout lets the router
        run for a single subject too, whose frame is its own otherwise.
        """
        with closing(self.denoise_batch([request])) as steps:
            for step in steps:
                yield step[0]

    def denoise_batch(self, requests: Sequence[Request]) -> Generator[dict[int, Step], None, None]:
        """As `denoise`, `batch` frames at once, whose characters have equally many pictures; where memory is short for
        that, from then on half as many."""
        asked = [self._settings(request) for request in requests]
        pictures = [[subject.pictures for subject in request.cast] for request in requests]
        waiting = list(range(len(requests)))
        while waiting:
            places = [place for place in waiting if pictures[place] == pictures[waiting[0]]][: self.batch]
            with self._lock:
                places = places[
                    : self._room(
                        FluxWork((asked[0].width, asked[0].height), REFERENCE, sum(pictures[places[0]]), len(places))
                    )
                ]
                work = partial(self._frames, [requests[place] for place in places], asked[0])
                try:
                    with closing(self._together(work, len(places))) as steps:
                        for step in steps:
                            together = dict(zip(places, step, strict=True))
                            if not step[0].frame:
                                yield together
                except SmallerBatch:
                    continue
            yield together  # the last, after others may have their turn
            waiting = [place for place in waiting if place not in places]

    def _room(self, work: FluxWork) -> int:
        """How many of a batch's frames there is room for, under the plan that has room for one. Raises BackendError
        where none has."""
        if self.card is None:
            return work.batch
        one = replace(work, batch=1)
        self.memory.make_room(
            lambda each: replan(self.footprint, one, each).peak,
            self.card,
            f"A frame of {Size(*work.size)} pixels with {counted(work.pictures, 'picture')}",
        )
        return frames_at_once(self.footprint, work, self.memory.plan, self.card)

    def _settings(self, request: Request) -> FluxSettings:
        """The release's settings of a frame."""
        names, settings, steering, most = request.names, request.settings, request.steering, self.about.max_subjects
        if len(names) > most:
            raise BackendError(f"A frame takes at most {most} characters, this panel has {len(names)}; leave some out.")
        several, guided = len(names) > 1, guide_of(steering.layout, names, request.underdrawing) is not None
        own = SEVERAL_START if several else FluxSettings.ref_start_at, FluxSettings.ref_end_at
        start, end = steering.reference or own
        try:
            return FluxSettings(
                height=settings.size.height,
                width=settings.size.width,
                num_inference_steps=settings.steps,
                guidance_scale=settings.guidance,
                enable_router=steering.router and (several or (guided and bool(names))),
                redux_scale=tuple(REDUX_SCALE * eta for eta in steering.etas(names, settings.eta)),
                ref_start_at=start,
                ref_end_at=end,
                ref_shift=steering.gammas(names, settings.gamma),
            )
        except ValueError as error:
            raise BackendError(str(error)) from error

    def _frames(self, requests: Sequence[Request], asked: FluxSettings) -> Iterator[tuple[Step, ...]]:
        """Frames made at once, the step of each."""
        pipeline, shape = self.pipeline, (asked.height // TOKEN, asked.width // TOKEN)
        version = self.versions(self.memory.plan)
        names, casts = [each.names for each in requests], [each.cast for each in requests]
        encoded = [pipeline.encode_text(each.prompt.text) for each in requests]
        text, pooled = (torch.cat(parts) for parts in zip(*encoded, strict=True))
        noise = torch.cat([pipeline.noise(each.seed, asked.height, asked.width) for each in requests])
        guides = [guide_of(each.steering.layout, each.names, each.underdrawing) for each in requests]
        guides = guides if any(guides) else ()
        begun: dict[str, Any] = {}
        under = [each.underdrawing for each in requests if each.underdrawing and each.underdrawing.taken.strength < 1]
        if under:  # all of a batch take the same
            start = torch.cat([pipeline.encode_picture(pixels_of(each.picture)) for each in under])
            begun = {"start": start, "last": under[0].taken.steps(asked.num_inference_steps)}
            if begun["last"] == 0:
                images = [pipeline.decode(one[None], asked.height, asked.width) for one in start]
                frames = zip(names, under, images, [each.seed for each in requests], strict=True)
                yield tuple(Step(1, 1, one[2], undrawn(*one, version)) for one in frames)
                return
        measure = len(casts[0]) == 1 and not asked.enable_router
        soft = [FluxMapAverage() for _ in requests]
        recorders = [TraceRecorder((*people, BACKGROUND)) for people in names]
        for step in pipeline.denoise_batch(text, pooled, casts, noise, asked, measure, guides, **begun):
            frames = tuple(step.frames())
            for one, average, recorder in zip(frames, soft, recorders, strict=True):
                average.add(one)
                if one.logits:
                    recorder.add(step.index, [x.argmax(0).byte().view(shape).cpu().numpy() for x in one.logits])
            if step.index < step.total:
                previews = [pipeline.preview(one.clean, asked.height, asked.width) for one in frames]
                yield tuple(Step(step.index, step.total, preview) for preview in previews)
        images = [pipeline.decode(one.latents, asked.height, asked.width) for one in frames]
        kind = ATTENTION if measure else ROUTING
        made = [
            Frame(
                image=image,
                maps=average.maps(each.names, shape, kind),
                seed=each.seed,
                trace=recorder.trace(step.total),
                version=version,
            )
            for image, average, each, recorder in zip(images, soft, requests, recorders, strict=True)
        ]
        yield tuple(Step(step.total, step.total, frame.image, frame) for frame in made)

    def _together(self, work: Callable[[], Iterator[T]], count: int) -> Generator[T, None, None]:
        """What `work` on `count` frames yields. Where memory runs out for several, raises SmallerBatch, with half as
        many in `batch`."""
        if count == 1:
            yield from self.memory.run(work)
            return
        try:
            with computing(self.memory.name):
                yield from work()
            return
        except (torch.OutOfMemoryError, MemoryError, RuntimeError, OSError) as error:
            if isinstance(error, BackendError) or not out_of_memory(error):
                raise
        self.batch = (count + 1) // 2
        release_memory()
        fewer = "one at a time" if self.batch == 1 else f"{self.batch} at once"
        self.memory.tell(f"Memory ran out with {count} panels at once. Finished ones are kept; FLUX makes {fewer}.")
        raise SmallerBatch


class FluxMapAverage:
    """A frame's maps averaged over layers and steps: of several subjects the softmax of the routing logits, of one its
    share of attention."""

    def __init__(self) -> None:
        self.total: Tensor | None = None
        self.count = 0

    def add(self, step: FluxDenoised) -> None:
        """Take in what the layers of one step tell."""
        for values in [*(x.softmax(dim=0) for x in step.logits), *(x[None] for x in step.shares)]:
            self.total = values if self.total is None else self.total + values
            self.count += 1

    def maps(self, names: Sequence[str], shape: Shape, measure: str) -> RoutingMaps:
        """The maps, of (h, w) tokens. The release's router knows no background: several subjects share the whole
        frame, but for what a layout keeps them out of."""
        subjects = np.full((len(names), *shape), 1 / max(len(names), 1), np.float32)
        if self.total is not None:
            mean = finite(self.total / self.count, "maps")
            subjects = mean.cpu().numpy().reshape(-1, *shape)[: len(names)]
        background = (1 - subjects.sum(axis=0, keepdims=True)).clip(min=0)
        values = np.concatenate([subjects, background])
        return RoutingMaps((*names, BACKGROUND), values / values.sum(axis=0), measure)


def _definite(mask: Image.Image) -> Image.Image:
    """A mask without half-tones."""
    edge = DEFINITE if np.asarray(mask).max() > DEFINITE else SELECTED - 1
    return mask.point([0] * (edge + 1) + [255] * (255 - edge))


def _footprint(local: tuple[Path, Path, Path] | None) -> FluxFootprint:
    """That of the model in local folders, None = the release's."""
    if local is None:
        return release_footprint()
    file = transformer_file(local[0] / "transformer")
    try:
        return replace(FluxFootprint.of(release_configs(*local[:2])), gguf=file.stat().st_size if file else 0)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise BackendError(f"The model's configs cannot be read: {reason(error)}") from error


def _plans(footprint: FluxFootprint, card: float | None, large: bool, device: str) -> tuple[FluxPlan, ...]:
    """How to keep the model on a card of so many bytes, None = there is none, and how else should memory run out."""
    if card is None:
        return tuple(plan(footprint, FluxWork(), each, each, "cpu") for each in ("float32", "bf16")[large:])
    plans = candidates(footprint, FluxWork(), fp8=torch.cuda.get_device_capability(device) >= (8, 9))
    try:
        return chain(plans, card, "FLUX")
    except PlanError as error:
        raise BackendError(str(error)) from error


def _check_gpu(asked: str | None, chosen: str) -> None:
    if asked is None and chosen == "cpu":
        raise BackendError(
            "FLUX needs a GPU and there is none here; take --backend mini, or give --device cpu to try it all the same "
            "(40 GB of memory, many minutes a step)."
        )


def _release(folder: Path) -> tuple[Path, Path, Path]:
    """The parts of a local folder."""
    base, redux, checkpoints = folder / "base", folder / "redux", sorted(folder.glob("*.bin"))
    needed = [(base, part) for part in FLUX[0].required] + [(redux, part) for part in FLUX[1].required]
    for path in (folder, *(where / part for where, part in needed)):
        if not path.is_dir():
            missing = f": it has no folder {path.relative_to(folder)}" if path != folder else ""
            raise BackendError(f"There is no FLUX model in {str(folder)!r}{missing}.")
        if path.parent in (base, redux) and not whole(path):
            raise BackendError(
                f"The model in {str(folder)!r} is not complete: {path.relative_to(folder)} lacks its config, its "
                "vocabulary or some of its weights; get the missing files."
            )
    if len(checkpoints) != 1:
        raise BackendError(
            f"A FLUX model has one checkpoint such as {CHECKPOINT}; {str(folder)!r} has {len(checkpoints)} .bin files."
        )
    return base, redux, checkpoints[0]


def _weight(*folders: Path) -> int:
    """Bytes of the weights in folders."""
    files = (path for folder in folders for path in folder.rglob("*") if path.suffix in (".safetensors", ".gguf"))
    return sum(path.stat().st_size for path in files)


def fingerprint(files: Sequence[Path], more: object, packages: Sequence[str] = ()) -> str:
    """Twelve hex digits over the models in files and folders, `more`, and the libraries that run them, `packages` among
    them. Of large files evenly spaced samples are read, as tens of gigabytes would take minutes."""
    digest = hashlib.sha256(repr(more).encode())
    for root in files:
        for path in model_files(root) if root.is_dir() else [root]:
            size = path.stat().st_size
            digest.update(f"{path.relative_to(root).as_posix()}={size}".encode())
            with path.open("rb") as file:
                for sample in range(SAMPLES):
                    file.seek(max(0, size - SAMPLE) * sample // (SAMPLES - 1))
                    digest.update(file.read(SAMPLE))
                    if size <= SAMPLE:
                        break
    for library in ("torch", "diffusers", "transformers", *packages):
        digest.update(f"{library}={version(library)}".encode())
    return digest.hexdigest()[:12]
