"""The paper's model as a backend. The embedded small model is the same class with a small config."""

from __future__ import annotations

import copy
import hashlib
import json
import re
import threading
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from functools import cache, partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import torch
import transformers
from diffusers import UNet2DConditionModel
from diffusers.utils import logging as diffusers_logging
from PIL import Image
from safetensors import SafetensorError
from torch import Tensor
from transformers import PreTrainedTokenizerBase

import anystory.model.autoencoder  # noqa: F401  diffusers loads no class of a module nobody imported
from anystory.backends.base import BackendError, Request
from anystory.backends.files import model_files, reason, whole
from anystory.backends.memory import Planned, memory_of
from anystory.backends.models import MAX_SUBJECTS, choose_device, guide_of, pixels_of, readable, undrawn
from anystory.cast.images import square_crop
from anystory.errors import Message, said
from anystory.model.anystory import SubjectEncoding
from anystory.model.memory import PlanError, chain, described, out_of_memory
from anystory.model.pipeline import AnyStoryPipeline, MapAverage
from anystory.model.plans import Footprint, Plan, Work, candidates, layer_shapes, place, replan
from anystory.model.routing import hard_maps, open_maps
from anystory.story.capabilities import Capabilities
from anystory.story.from_sketch import FROM_NOISE, STRENGTH, FromSketch
from anystory.story.model import (
    BACKGROUND,
    Frame,
    Prompt,
    RoutingMaps,
    Settings,
    Shape,
    Step,
    Subject,
    TraceRecorder,
    sides,
)
from anystory.story.size import Size
from anystory.supplies import ASSETS

STEPS = {"exact": Settings.steps, "few": 10}
"""Steps per frame, unless asked for otherwise, by the names of speeds that users know."""

EMBEDDED = ASSETS / "mini"
"""The weights that come with the program."""

EMBEDDED_TAKES = FromSketch(layout=True, strength=STRENGTH)
"""What frames by those take of their sketches unless somebody says otherwise. For other weights nobody has measured
it."""

PROGRAM = "1"
"""Raised when the same weights, settings and seed would give another frame."""


@dataclass
class AnyStoryBackend:
    """Frames from a saved AnyStory folder.

    `memory` holds the pipeline under the plan in force; `footprint` and `card`, the bytes there are on the GPU (None:
    there is none), tell what frames the plan has room for. `versions` gives the version of frames under a plan;
    what it is `about` names that of the plan it begins with.
    """

    about: Capabilities
    memory: Planned[Plan, AnyStoryPipeline]
    versions: Callable[[Plan], str]
    footprint: Footprint | None = None
    card: float | None = None

    def __post_init__(self) -> None:
        self._lock = threading.Lock()  # a U-Net with processors installed serves one frame at a time
        # Copies, so that a script can be checked while a frame is made: a tokenizer serves one thread at a time.
        pipeline = self.pipeline
        self._tokenizers = [copy.deepcopy(t) for t in (pipeline.tokenizer, pipeline.tokenizer_2) if t]
        self._reading = threading.Lock()
        self._factor = pipeline.latent_factor
        with torch.device("meta"):
            self._layers = UNet2DConditionModel.from_config(pipeline.unet.config)

    @property
    def pipeline(self) -> AnyStoryPipeline:
        """The pipeline, loaded where memory had run out for it. Whoever computes with it holds the lock."""
        return self.memory.model

    def unread(self, prompt: Prompt, pictures: Sequence[int] = ()) -> str:
        """What falls off the end: of two text encoders, what either of them does not read."""
        text = prompt.text
        end = len(text)
        with self._reading:
            for tokenizer in self._tokenizers:
                read = _reach(tokenizer, text, truncation=True, max_length=tokenizer.model_max_length)
                if read < _reach(tokenizer, text):
                    end = min(end, read)
        if re.match(r"\w", text[end:], re.ASCII):  # in the middle of a word: all of it counts as unread
            end = len(re.sub(r"[\w'-]*$", "", text[:end], flags=re.ASCII))
        return text[end:].strip()

    @classmethod
    def load(
        cls,
        folder: Path,
        *,
        name: str,
        device: str | None = None,
        vram: float | None = None,
        speed: str = "exact",
        tell: Callable[[str], None] = lambda _: None,
    ) -> AnyStoryBackend:
        """Load a folder that `AnyStoryPipeline.save_pretrained` wrote, as fits into `vram` GB of a GPU; `speed` is one
        of `STEPS`. Raises `BackendError` with a sentence."""
        index = folder / "model_index.json"
        if not index.is_file():
            raise BackendError(
                Message("There is no AnyStory model in '{folder}': it has no model_index.json.", folder=folder)
            )
        _check_whole(folder)
        device, dtype = choose_device(device)
        transformers.utils.logging.disable_progress_bar()
        diffusers_logging.disable_progress_bar()

        def build(plan: Plan) -> AnyStoryPipeline:
            with _loading(folder):
                pipeline = AnyStoryPipeline.from_pretrained(
                    folder, dtype=dtype, local_files_only=True, use_safetensors=True
                )
                modules = {k: m for k, m in pipeline.components.items() if isinstance(m, torch.nn.Module)}
                for part, module in modules.items():
                    if any(parameter.is_meta for parameter in module.parameters()):
                        raise ValueError(Message("the weights of its {part} are not complete.", part=part))
                    module.eval().requires_grad_(False)
                place(plan, pipeline, device)
                return pipeline

        card = memory_of(device, vram)
        if card is None:
            footprint, plans = None, (Plan("float32", "cpu", 0, 0),)
        else:
            with _loading(folder):
                footprint = Footprint.of(folder)
                side = json.loads(index.read_text(encoding="utf-8"))["frame_size"]
            try:
                plans = chain(candidates(footprint, Work((side, side))), card, Message("This model"))
            except PlanError as error:
                raise BackendError(said(error)) from error
            tell(Message("{name}: {plan}.", name=name, plan=described(plans[0])))

        @cache
        def versions(plan: Plan) -> str:
            return f"{PROGRAM}-{fingerprint(folder, plan.weights)}"

        memory = Planned(name, build, plans, tell)
        model = memory.model  # under the plan that the version is to name
        version = versions(memory.plan)
        taken = EMBEDDED_TAKES if folder.resolve() == EMBEDDED.resolve() else FROM_NOISE
        about = replace(capabilities(model, name, version, STEPS[speed]), from_sketch=taken)
        return cls(about, memory, versions, footprint, card)

    def encode(self, subject: Subject) -> SubjectEncoding:
        """Cut out, crop square on white, encode, every picture."""
        squares = [square_crop(image, mask) for image, mask in subject.pictures]

        def encoded() -> Iterator[SubjectEncoding]:
            yield SubjectEncoding.joined([self.pipeline.encode(*square) for square in squares])

        with self._lock:
            return next(self.memory.run(encoded))

    def layer_shapes(self, settings: Settings) -> tuple[Shape, ...]:
        """Tokens of the U-Net's cross-attention layers."""
        width, height = settings.size
        return layer_shapes(self._layers, (height // self._factor, width // self._factor))

    def locate(self, picture: Image.Image, names: Sequence[str], cast: Sequence[SubjectEncoding]) -> RoutingMaps:
        """Who is where in a picture of any shape, which is read at about the area of a frame."""
        pixels = readable(picture, len(cast), self.about.defaults.size.area, 2 * self._factor)
        # No words: of two in a sentence the router takes the first to be on the left, whatever it sees.
        with self._lock:
            maps = next(self.memory.run(lambda: iter([self.pipeline.locate(pixels, cast)])))
        return RoutingMaps((*names, BACKGROUND), maps.numpy())

    def denoise(self, request: Request) -> Generator[Step, None, None]:
        """Denoise one frame, a `Step` with a preview after each step; the last holds the frame."""
        cast, settings, most, about = request.cast, request.settings, self.about.max_subjects, self.about
        if len(cast) > most:
            raise BackendError(
                Message(
                    "A frame takes at most {max_subjects} characters, this panel has {count}; leave some out.",
                    max_subjects=most,
                    count=len(cast),
                )
            )
        if not settings.size.within(about.sizes):
            raise BackendError(
                Message(
                    "The frame size is {size}; {name} draws {sizes}.",
                    size=settings.size,
                    name=about.name,
                    sizes=sides(about.sizes),
                )
            )
        if settings.steps < 1:
            raise BackendError(Message("The number of steps is {steps}; it must be at least 1.", steps=settings.steps))
        with self._lock:
            self._make_room(cast, settings)
            with closing(self.memory.run(partial(self._frame, request))) as steps:
                for step in steps:
                    if not step.frame:
                        yield step
        yield step  # the last, after others may have their turn

    def _make_room(self, cast: Sequence[SubjectEncoding], settings: Settings) -> None:
        """Go on under the plan that has room for a frame. Raises BackendError where none has."""
        footprint = self.footprint
        if self.card is None or footprint is None:
            return
        most = max((subject.pictures for subject in cast), default=1)
        work = Work(settings.size, len(cast), most)
        held = Message("1 character") if len(cast) == 1 else Message("{count} characters", count=len(cast))
        self.memory.make_room(
            lambda each: replan(footprint, work, each).peak,
            self.card,
            Message("A frame of {size} pixels with {held}", size=settings.size, held=held),
        )

    def _frame(self, request: Request) -> Iterator[Step]:
        names, cast, settings, steering = request.names, request.cast, request.settings, request.steering
        begun: dict[str, Any] = {}
        under = request.underdrawing
        version = self.versions(self.memory.plan)
        if under is not None and under.taken.strength < 1:
            start = self.pipeline.encode_image(pixels_of(under.picture)[None]).float()
            begun = {"start": start, "last": under.taken.steps(settings.steps)}
            if begun["last"] == 0:
                image = self.pipeline.decode(start)[0]
                yield Step(1, 1, image, undrawn(under, image, request.seed, version))
                return
        average, recorder = MapAverage(), TraceRecorder((*names, BACKGROUND))
        mentions = request.prompt.mentions or (None,) * len(cast)
        for step in self.pipeline.denoise(
            [request.prompt.text],
            [mentions],
            [cast],
            [request.seed],
            size=settings.size,
            steps=settings.steps,
            guidance=settings.guidance,
            eta=[steering.etas((*names, BACKGROUND), settings.eta)],
            gamma=[steering.gammas(names, settings.gamma)],
            reference=steering.reference or (0.0, 1.0),
            gate=hard_maps if steering.router else open_maps,
            guides=[guide_of(steering.layout, names, under)],
            **begun,
        ):
            average.add(step)
            recorder.add(step.index, _holders(step.refined), _holders(step.coarse))
            if step.index < step.total:
                yield Step(step.index, step.total, self.pipeline.decode(step.clean)[0])
        image = self.pipeline.decode(step.latents)[0]
        maps = RoutingMaps((*names, BACKGROUND), average.maps()[0].numpy())
        frame = Frame(image, maps, request.seed, recorder.trace(step.total), version=version)
        yield Step(step.total, step.total, image, frame)


@contextmanager
def _loading(folder: Path) -> Iterator[None]:
    """Whatever a library says of a folder, but for want of memory, as a sentence."""
    try:
        yield
    except (OSError, ValueError, KeyError, AttributeError, ImportError, RuntimeError, SafetensorError) as error:
        if out_of_memory(error):
            raise
        raise BackendError(
            Message("The model in '{folder}' cannot be loaded: {reason}", folder=folder, reason=reason(error))
        ) from error


def _check_whole(folder: Path) -> None:
    """Raise BackendError where a part that the model's index names is not there, or not whole: for want of a vocabulary
    transformers makes a tokenizer up to which every word is unknown."""
    with _loading(folder):
        index = json.loads((folder / "model_index.json").read_text(encoding="utf-8"))
        listed = {part: made_by for part, made_by in index.items() if isinstance(made_by, list)}
        parts = [part for part, made_by in listed.items() if all(isinstance(word, str) for word in made_by)]
    for part in parts:
        if not whole(folder / part):
            raise BackendError(
                Message(
                    "The model in '{folder}' cannot be loaded: its {part} lacks a config, a vocabulary or some of its "
                    "weights; get the missing files.",
                    folder=folder,
                    part=part,
                )
            )


def capabilities(pipeline: AnyStoryPipeline, name: str, version: str, steps: int) -> Capabilities:
    """What a pipeline can do. Models on CLIP inherit SDXL's styles; the captions the others grew up on never name one,
    and a small model has seen too few characters to draw one without its picture."""
    config, factor = pipeline.config, pipeline.latent_factor
    on_clip = pipeline.text_encoder.config.model_type.startswith("clip")
    return Capabilities(
        name,
        version,
        defaults=Settings(Size.of(config.frame_size), steps=steps, guidance=config.guidance),
        sizes=range(2 * factor, 4 * config.frame_size + 1, factor),  # whole latents
        max_subjects=MAX_SUBJECTS,
        follows_style=on_clip,
        draws_characters=on_clip,
        from_sketch=FROM_NOISE,
    )


def _reach(tokenizer: PreTrainedTokenizerBase, text: str, **how: object) -> int:
    """Where in `text` the last of its tokens ends."""
    return max(end for _, end in tokenizer(text, return_offsets_mapping=True, verbose=False, **how)["offset_mapping"])


def _holders(logits: Sequence[Tensor]) -> list[np.ndarray]:
    """Routing logits of one frame, (1, N+1, h, w) a layer -> who holds each token, uint8 (h, w) a layer."""
    held = torch.cat([layer[0].argmax(dim=0).flatten() for layer in logits]).byte().cpu().numpy()
    shapes = [tuple(layer.shape[-2:]) for layer in logits]
    ends = np.cumsum([h * w for h, w in shapes])[:-1]
    return [part.reshape(shape) for part, shape in zip(np.split(held, ends), shapes, strict=True)]


def fingerprint(folder: Path, weights: str = "float32") -> str:
    """Twelve hex digits over every config, weight and tokenizer of a model folder, the libraries that run it, and how
    the weights are kept, if not as they are computed with."""
    digest = hashlib.sha256(b"fp8" if weights == "fp8" else b"")
    for path in model_files(folder):
        digest.update(path.relative_to(folder).as_posix().encode())
        with path.open("rb") as file:
            digest.update(hashlib.file_digest(file, "sha256").digest())
    for library in ("torch", "diffusers", "transformers"):
        digest.update(f"{library}={version(library)}".encode())
    return digest.hexdigest()[:12]
