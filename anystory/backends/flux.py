"""The authors' own weights as a backend: FLUX.1-dev, FLUX.1-Redux-dev and their checkpoint."""

from __future__ import annotations

import gc
import hashlib
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from functools import partial
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import TypeVar

import numpy as np
import torch
import transformers
from diffusers.utils import logging as diffusers_logging
from PIL import Image
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from anystory.backend import BackendError, Lora
from anystory.backends.hub import CHECKPOINT, FLUX, fetch, fetch_file
from anystory.backends.sdxl import MAX_SUBJECTS, choose_device, guide_of, readable
from anystory.images import SELECTED, square_crop
from anystory.model.flux.checkpoint import CheckpointError
from anystory.model.flux.encoder import FluxSubject
from anystory.model.flux.pipeline import TEXT_TOKENS, TOKEN, AnyStoryFluxPipeline, Denoised, FluxSettings
from anystory.model.flux.plans import (
    GIB,
    Footprint,
    Plan,
    PlanError,
    Work,
    candidates,
    chain,
    frames_at_once,
    out_of_memory,
    place,
    plan,
    release_configs,
    release_footprint,
    transformer_file,
)
from anystory.model.flux.speeds import SPEEDS, hasten
from anystory.steering import UNSTEERED, Steering
from anystory.story import (
    ATTENTION,
    BACKGROUND,
    ROUTING,
    Frame,
    Prompt,
    RoutingMaps,
    Settings,
    Shape,
    Step,
    Subject,
    TraceRecorder,
)

DEFINITE = 200
"""A mask pixel above this belongs to the character, as in the authors' program."""

SEVERAL_START = 0.09
"""Share of the steps without references where a frame has several subjects: they find their places first."""

LARGE = 4e9
"""Bytes of weights from which a model takes a GPU, and half precision everywhere."""

SAMPLES, SAMPLE = 64, 1 << 20
"""How many pieces of how many bytes of a large file its fingerprint is made from."""

DEFAULTS = Settings(size=512, steps=25, guidance=3.5)
"""The release's."""

PROGRAM = "1"
"""Raised when the same weights, settings and seed would give another frame."""

T = TypeVar("T")

Order = tuple[Prompt, Sequence[str], Sequence[FluxSubject], Settings, int, Steering]
"""What `FluxBackend.denoise` takes."""


class SmallerBatch(Exception):
    """Memory is short for as many frames at once."""


@dataclass
class FluxBackend:
    """Frames from the authors' release."""

    version: str
    pipeline: AnyStoryFluxPipeline
    plans: tuple[Plan, ...]
    build: Callable[[Plan], AnyStoryFluxPipeline]
    tell: Callable[[str], None] = lambda _: None
    name: str = "flux"
    defaults: Settings = DEFAULTS
    max_subjects: int = MAX_SUBJECTS
    languages: tuple[str, ...] = ("English",)
    sizes: range = range(TOKEN, 2048 + 1, TOKEN)
    follows_style: bool = True
    draws_characters: bool = True
    sketches: bool = False
    batch: int = 1

    def __post_init__(self) -> None:
        self._lock = threading.Lock()  # the transformer's layers know one frame at a time

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
        plans, batch = _plans(local, large, chosen, vram, batch)
        tell(f"FLUX: {plans[0]}{f'; {batch} panels at once' if batch > 1 else ''}.")
        if local is None:
            base, redux, authors = fetch(FLUX)
            checkpoint = authors / CHECKPOINT
        else:
            base, redux, checkpoint = local
        files = [_lora_file(lora) for lora in loras]
        transformers.utils.logging.disable_progress_bar()
        diffusers_logging.disable_progress_bar()
        diffusers_logging.set_verbosity_error()  # CLIP's bound is warned of at every frame; `unread` tells what counts

        def build(plan: Plan) -> AnyStoryFluxPipeline:
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
                    f"The model {where} cannot be loaded: {_reason(error)} Get a file anew that is cut short."
                ) from error
            for number, (lora, file) in enumerate(zip(loras, files, strict=True)):
                _add_lora(pipeline, f"lora_{number}", lora, file)
            if loras:
                pipeline.set_adapters([f"lora_{k}" for k in range(len(loras))], [lora.strength for lora in loras])
            place(plan, pipeline, chosen)
            hasten(pipeline.transformer, SPEEDS[speed])
            return pipeline

        asked = [lora.strength for lora in loras], plans[0].transformer, plans[0].text, speed
        version = f"{PROGRAM}-{fingerprint([base, redux, checkpoint, *files], asked)}"
        defaults = replace(DEFAULTS, steps=SPEEDS[speed].steps or DEFAULTS.steps)
        pipeline, plans = _built(build, plans, tell)
        return cls(version, pipeline, plans, build, tell, defaults=defaults, batch=batch)

    def unread(self, text: str) -> str:
        """What T5 does not read of `text`; CLIP's share, one vector of the first words, sets no bound."""
        tokens = self.pipeline.tokenizer_2(text, return_offsets_mapping=True, verbose=False)["offset_mapping"]
        if len(tokens) <= TEXT_TOKENS:
            return ""
        end = max(stop for _, stop in tokens[: TEXT_TOKENS - 1])  # the last is the mark of the end
        cut = text[end:].lstrip() == text[end:] != ""  # in the middle of a word: all of it counts as unread
        return text[text[:end].rfind(" ") + 1 if cut else end :].strip()

    def encode(self, subject: Subject) -> FluxSubject:
        """Cut out with a definite edge, crop square on white, encode, every picture."""
        squares = [square_crop(image, _definite(mask)) for image, mask in subject.pictures]

        def encoded() -> Iterator[FluxSubject]:
            yield FluxSubject.joined([self.pipeline.encode(*square) for square in squares])

        with self._lock:
            return next(self._in_memory(encoded))

    def layer_shapes(self, settings: Settings) -> tuple[Shape, ...]:
        """Every layer of the transformer sees all image tokens."""
        config = self.pipeline.transformer.config
        return ((settings.size // TOKEN,) * 2,) * (config.num_layers + config.num_single_layers)

    def locate(self, picture: Image.Image, names: Sequence[str], cast: Sequence[FluxSubject]) -> RoutingMaps:
        """Who is where in a picture of any shape, which is read at about the area of a frame, without words. The
        router knows no background: several share the whole picture, and of one the map is its share of attention."""
        pixels = readable(picture, len(cast), self.defaults.size, TOKEN)
        shape = pixels.shape[1] // TOKEN, pixels.shape[2] // TOKEN

        def found() -> Iterator[MapAverage]:
            average = MapAverage()
            for level in self.pipeline.locate(*self.pipeline.encode_text(""), cast, pixels):
                average.add(level)
            yield average

        with self._lock:
            average = next(self._in_memory(found))
        return average.maps(names, shape, ATTENTION if len(cast) == 1 else ROUTING)

    def denoise(
        self,
        prompt: Prompt,
        names: Sequence[str],
        cast: Sequence[FluxSubject],
        settings: Settings,
        seed: int,
        steering: Steering = UNSTEERED,
    ) -> Iterator[Step]:
        """Denoise one frame, a `Step` with a preview after each step; the last holds the frame.

        `eta` multiplies the release's strength of Redux tokens, `gamma` is its `ref_shift`. A layout lets the router
        run for a single subject too, whose frame is its own otherwise.
        """
        with closing(self.denoise_batch([(prompt, names, cast, settings, seed, steering)])) as steps:
            for step in steps:
                yield step[0]

    def denoise_batch(self, frames: Sequence[Order]) -> Iterator[dict[int, Step]]:
        """As `denoise`, `batch` frames at once, whose characters have equally many pictures; where memory is short for
        that, from then on half as many."""
        asked = [self._settings(names, settings, steering) for _, names, _, settings, _, steering in frames]
        pictures = [[subject.pictures for subject in cast] for _, _, cast, *_ in frames]
        waiting = list(range(len(frames)))
        while waiting:
            places = [place for place in waiting if pictures[place] == pictures[waiting[0]]][: self.batch]
            work = partial(self._frames, [frames[place] for place in places], asked[0])
            try:
                with self._lock, closing(self._in_memory(work, len(places))) as steps:
                    for step in steps:
                        together = dict(zip(places, step, strict=True))
                        if not step[0].frame:
                            yield together
            except SmallerBatch:
                continue
            yield together  # the last, after others may have their turn
            waiting = [place for place in waiting if place not in places]

    def _settings(self, names: Sequence[str], settings: Settings, steering: Steering) -> FluxSettings:
        """The release's settings of a frame of `names`."""
        if len(names) > self.max_subjects:
            raise BackendError(
                f"A frame takes at most {self.max_subjects} characters, this panel has {len(names)}; leave some out."
            )
        several, guided = len(names) > 1, guide_of(steering.layout, names) is not None
        own = SEVERAL_START if several else FluxSettings.ref_start_at, FluxSettings.ref_end_at
        start, end = steering.reference or own
        try:
            return FluxSettings(
                height=settings.size,
                width=settings.size,
                num_inference_steps=settings.steps,
                guidance_scale=settings.guidance,
                enable_router=steering.router and (several or (guided and bool(names))),
                redux_scale=tuple(FluxSettings.redux_scale * eta for eta in steering.etas(names, settings.eta)),
                ref_start_at=start,
                ref_end_at=end,
                ref_shift=steering.gammas(names, settings.gamma),
            )
        except ValueError as error:
            raise BackendError(str(error)) from error

    def _frames(self, orders: Sequence[Order], asked: FluxSettings) -> Iterator[tuple[Step, ...]]:
        """Frames made at once, the step of each."""
        pipeline, side = self.pipeline, asked.height // TOKEN
        prompts, names, casts, _, seeds, steering = zip(*orders, strict=True)
        encoded = [pipeline.encode_text(prompt.text) for prompt in prompts]
        text = (torch.cat(parts) for parts in zip(*encoded, strict=True))
        noise = torch.cat([pipeline.noise(seed, asked.height, asked.width) for seed in seeds])
        guides = [guide_of(each.layout, people) for each, people in zip(steering, names, strict=True)]
        guides = guides if any(guides) else ()
        measure = len(casts[0]) == 1 and not asked.enable_router
        soft = [MapAverage() for _ in orders]
        recorders = [TraceRecorder((*people, BACKGROUND)) for people in names]
        for step in pipeline.denoise_batch(*text, casts, noise, asked, measure=measure, guides=guides):
            frames = tuple(step.frames())
            for one, average, recorder in zip(frames, soft, recorders, strict=True):
                average.add(one)
                if one.logits:
                    recorder.add(step.index, [x.argmax(0).byte().view(side, side).cpu().numpy() for x in one.logits])
            if step.index < step.total:
                previews = [pipeline.preview(one.clean, asked.height, asked.width) for one in frames]
                yield tuple(Step(step.index, step.total, preview) for preview in previews)
        images = [pipeline.decode(one.latents, asked.height, asked.width) for one in frames]
        kind = ATTENTION if measure else ROUTING
        made = [
            Frame(image, average.maps(people, (side, side), kind), seed, recorder.trace(step.total))
            for image, average, people, seed, recorder in zip(images, soft, names, seeds, recorders, strict=True)
        ]
        yield tuple(Step(step.total, step.total, frame.image, frame) for frame in made)

    def _in_memory(self, work: Callable[[], Iterator[T]], count: int = 1) -> Iterator[T]:
        """What `work` on `count` frames yields; where memory runs out, once more from its start under the next plan.
        Raises SmallerBatch, with half as many in `batch`, as long as there are several."""
        while True:
            try:
                yield from work()
                return
            except (torch.OutOfMemoryError, MemoryError, RuntimeError) as error:
                if not out_of_memory(error):
                    raise
            if count > 1:
                self.batch = (count + 1) // 2
                release_memory()
                fewer = "one at a time" if self.batch == 1 else f"{self.batch} at once"
                self.tell(f"Memory ran out with {count} panels at once. Finished ones are kept; FLUX makes {fewer}.")
                raise SmallerBatch
            self.pipeline = None  # before the next one is there
            self.pipeline, self.plans = _built(self.build, _next_plans(self.plans, self.tell), self.tell)


class MapAverage:
    """A frame's maps averaged over layers and steps: of several subjects the softmax of the routing logits, of one its
    share of attention."""

    def __init__(self) -> None:
        self.total: Tensor | None = None
        self.count = 0

    def add(self, step: Denoised) -> None:
        """Take in what the layers of one step tell."""
        for values in [*(x.softmax(dim=0) for x in step.logits), *(x[None] for x in step.shares)]:
            self.total = values if self.total is None else self.total + values
            self.count += 1

    def maps(self, names: Sequence[str], shape: Shape, measure: str) -> RoutingMaps:
        """The maps, of (h, w) tokens. The release's router knows no background: several subjects share the whole
        frame, but for what a layout keeps them out of."""
        subjects = np.full((len(names), *shape), 1 / max(len(names), 1), np.float32)
        if self.total is not None:
            subjects = (self.total / self.count).cpu().numpy().reshape(-1, *shape)[: len(names)]
        background = (1 - subjects.sum(axis=0, keepdims=True)).clip(min=0)
        values = np.concatenate([subjects, background])
        return RoutingMaps((*names, BACKGROUND), values / values.sum(axis=0), measure)


def _definite(mask: Image.Image) -> Image.Image:
    """A mask without half-tones."""
    edge = DEFINITE if mask.getextrema()[1] > DEFINITE else SELECTED - 1
    return mask.point([0] * (edge + 1) + [255] * (255 - edge))


def _plans(
    local: tuple[Path, Path, Path] | None, large: bool, device: str, vram: float | None, batch: int
) -> tuple[tuple[Plan, ...], int]:
    """How to keep the model of local folders, None = the release's, and how else should memory run out; and how many
    frames at once, up to `batch`, the first has room for."""
    try:
        footprint = Footprint.of(release_configs(*local[:2])) if local else release_footprint()
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise BackendError(f"The model's configs cannot be read: {_reason(error)}") from error
    if not device.startswith("cuda"):
        if vram is not None:
            raise BackendError(f"--vram tells how much of a GPU may be used and the device is {device}; leave it out.")
        precisions = ("float32", "bf16")[large:]
        return tuple(plan(footprint, Work(batch=batch), each, each, "cpu") for each in precisions), batch
    free, total = torch.cuda.mem_get_info(device)
    if vram is not None:
        free = min(total, vram * GIB)
        torch.cuda.set_per_process_memory_fraction(free / total, torch.device(device).index)  # None: the current one
    plans = candidates(
        footprint,
        Work(),
        gguf=local is not None and transformer_file(local[0] / "transformer") is not None,
        fp8=torch.cuda.get_device_capability(device) >= (8, 9),
    )
    try:
        fitting = chain(plans, free)
        return fitting, frames_at_once(footprint, Work(batch=batch), fitting[0], free)
    except PlanError as error:
        raise BackendError(str(error)) from error


def _built(
    build: Callable[[Plan], AnyStoryFluxPipeline], plans: tuple[Plan, ...], tell: Callable[[str], None]
) -> tuple[AnyStoryFluxPipeline, tuple[Plan, ...]]:
    """The pipeline under the first plan that memory is enough for, and the plans from that one on."""
    while True:
        try:
            return build(plans[0]), plans
        except (torch.OutOfMemoryError, MemoryError, RuntimeError) as error:
            if isinstance(error, BackendError) or not out_of_memory(error):
                raise
        plans = _next_plans(plans, tell)


def release_memory() -> None:
    """Give back what nobody holds any longer."""
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()


def _next_plans(plans: tuple[Plan, ...], tell: Callable[[str], None]) -> tuple[Plan, ...]:
    """The plans that are left after the first one failed."""
    release_memory()
    if len(plans) == 1:
        raise BackendError("The memory is too short for this frame; close what else uses it, or ask for a smaller one.")
    tell(f"Memory ran out with {plans[0].form}. Finished panels are kept; FLUX goes on with {plans[1]}.")
    return plans[1:]


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
    if len(checkpoints) != 1:
        raise BackendError(
            f"A FLUX model has one checkpoint such as {CHECKPOINT}; {str(folder)!r} has {len(checkpoints)} .bin files."
        )
    return base, redux, checkpoints[0]


def _weight(*folders: Path) -> int:
    """Bytes of the weights in folders."""
    return sum(path.stat().st_size for folder in folders for path in folder.rglob("*.safetensors"))


def _lora_file(lora: Lora) -> Path:
    """The file of a LoRA: on this computer, or by its name on the Hub, owner/name or owner/name/FILE."""
    if find_spec("peft") is None:
        raise BackendError("LoRAs need the package peft; install it with: pip install peft")
    path = Path(lora.name).expanduser()
    if path.is_file():
        if path.suffix != ".safetensors":
            raise BackendError(f"The LoRA {lora.name!r} must be a .safetensors file; other files could run code.")
        return path
    parts = lora.name.split("/")
    if path.is_dir() or len(parts) < 2 or lora.name.startswith(("/", ".", "~")):
        raise BackendError(f"There is no LoRA file {lora.name!r}; give a .safetensors file, or owner/name on the Hub.")
    return fetch_file("/".join(parts[:2]), "/".join(parts[2:]), ".safetensors")


def _add_lora(pipeline: AnyStoryFluxPipeline, adapter: str, lora: Lora, file: Path) -> None:
    """Load a LoRA beside the weights. The frame, its references and the router all read the weights with it."""
    try:
        pipeline.load_lora_weights(load_file(file), adapter_name=adapter)
    except (OSError, ValueError, KeyError, RuntimeError, TypeError, AttributeError, SafetensorError) as error:
        raise BackendError(f"The LoRA {lora.name!r} does not fit FLUX.1-dev: {_reason(error)}") from error
    if not any(adapter in adapters for adapters in pipeline.get_list_adapters().values()):
        raise BackendError(f"The LoRA {lora.name!r} has nothing for FLUX.1-dev; it was made for another model.")


def _reason(error: Exception) -> str:
    """The first line of what a library says."""
    line = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
    return f"{line.rstrip('.')}."


def fingerprint(files: Sequence[Path], more: object) -> str:
    """Twelve hex digits over the models in files and folders, `more`, and the libraries that run them. Of large files
    evenly spaced samples are read, as tens of gigabytes would take minutes."""
    digest = hashlib.sha256(repr(more).encode())
    for root in files:
        for path in sorted(p for p in root.rglob("*") if p.suffix in (".json", ".safetensors")) or [root]:
            size = path.stat().st_size
            digest.update(f"{path.relative_to(root).as_posix()}={size}".encode())
            with path.open("rb") as file:
                for sample in range(SAMPLES):
                    file.seek(max(0, size - SAMPLE) * sample // (SAMPLES - 1))
                    digest.update(file.read(SAMPLE))
                    if size <= SAMPLE:
                        break
    for library in ("torch", "diffusers", "transformers"):
        digest.update(f"{library}={version(library)}".encode())
    return digest.hexdigest()[:12]
