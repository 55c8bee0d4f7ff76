"""What every backend offers, and the one place that knows their names. Loading imports torch; this file does not."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from PIL import Image

from anystory.errors import AnyStoryError
from anystory.story.model import Prompt, RoutingMaps, Settings, Shape, Step, Subject
from anystory.story.steering import UNSTEERED, Steering
from anystory.supplies import ASSETS

STORYBOOK = "storybook"
"""The backend that is no model: its frames are sketches."""

MODELS = ("mini", "flux")
"""Those that are. The first one is embedded, and takes the folder of another AnyStory in its place."""

BACKENDS = (STORYBOOK, *MODELS)
"""Names `load` takes; the first is the default."""

SPEEDS = ("exact", "compiled", "cached", "few")
"""How flux may hurry: with the same numbers, the same from compiled blocks, with most steps guessed, in 8 steps."""

SubjectEncoding = Any
"""What a backend makes of a subject, once a story. Opaque outside its backend."""


MAX_BATCH = 16
"""The most frames at once that may be asked for."""

MAX_STRENGTH = 4
"""The greatest strength of a LoRA; 1 is what it was trained for."""


class BackendError(AnyStoryError, RuntimeError):
    """A backend cannot be had here. The message is one sentence for the user."""


@dataclass(frozen=True)
class Lora:
    """A LoRA to run on top of a backend's weights: a file, or a name on the Hugging Face Hub, and its strength."""

    name: str
    strength: float = 1.0

    @classmethod
    def parse(cls, text: str) -> Lora:
        """Read NAME or NAME:STRENGTH. Raises ValueError with a sentence."""
        name, colon, number = text.rpartition(":")
        try:
            lora = cls(name, float(number)) if colon else cls(text)
        except ValueError:  # a colon of the name's own, as in C:\\loras\\ink.safetensors
            lora = cls(text)
        if not lora.name.strip():
            raise ValueError(f"{text!r} names no LoRA; give a file or a Hub name, as in owner/name:0.8.")
        if not abs(lora.strength) <= MAX_STRENGTH:
            raise ValueError(
                f"The strength of {lora.name!r} is {number}; it must be between -{MAX_STRENGTH} and {MAX_STRENGTH}."
            )
        return lora


class Backend(Protocol):
    """Frames from prompts and encoded subjects.

    `name` and `version` (a fingerprint of the weights and of the program) are written beside every frame;
    `defaults` are the settings the weights were made for, `sizes` the sides of frames it can draw; `max_subjects`
    is how many subjects a frame they were trained for; `languages` are those its text encoder reads, in English
    ("English", "Chinese"); `follows_style` tells whether words of style change its frames as they say,
    `draws_characters` whether it can draw a character that it is only told of. One that `sketches` puts the cut-outs
    into painted places by its prompts' `shot`: it has neither steps nor guidance, routing nor references.
    """

    name: str
    version: str
    defaults: Settings
    sizes: range
    max_subjects: int
    languages: tuple[str, ...]
    follows_style: bool
    draws_characters: bool
    sketches: bool

    def unread(self, text: str) -> str:
        """The end of `text` that is beyond what the text encoder reads, from the start of a word; mostly ""."""
        ...

    def encode(self, subject: Subject) -> SubjectEncoding:
        """Encode a subject once; the result serves every panel it is in."""
        ...

    def layer_shapes(self, settings: Settings) -> tuple[Shape, ...]:
        """Rows and columns of tokens of every routed layer, in the order of execution: what a frame's trace holds."""
        ...

    def denoise(
        self,
        prompt: Prompt,
        names: Sequence[str],
        cast: Sequence[SubjectEncoding],
        settings: Settings,
        seed: int,
        steering: Steering = UNSTEERED,
    ) -> Iterator[Step]:
        """Yield a `Step` after every denoising step; the last holds the `Frame` with its trace. `names` and `cast`
        are the frame's subjects in one order, `steering` acts on its routing. Closing the generator stops the work."""
        ...


@runtime_checkable
class Locator(Protocol):
    """A backend that can tell who is where in any picture."""

    def encode(self, subject: Subject) -> SubjectEncoding:
        """As a backend's."""
        ...

    def locate(self, picture: Image.Image, names: Sequence[str], cast: Sequence[SubjectEncoding]) -> RoutingMaps:
        """The routing maps of an RGB picture that is there already, whoever made it."""
        ...


@runtime_checkable
class Batcher(Protocol):
    """A backend that can make several frames at once, and was asked for `batch` of them."""

    batch: int

    def denoise_batch(self, frames: Sequence[tuple[Any, ...]]) -> Iterator[dict[int, Step]]:
        """As `Backend.denoise`, for several frames: `frames` holds its arguments for each, of a backend that does not
        sketch with equally many subjects, the same settings and no steering. Yields the frames' steps by their place in
        it (from 0), all or some at a time; a frame that is begun anew has a step 1 once more. A frame is what it is
        alone up to the rounding of batched kernels."""
        ...


def suitable(*, gpu: bool) -> str:
    """The name of the best backend where nobody chose one: flux with a GPU, if the licence of its weights was accepted
    with the account of `HF_TOKEN`; storybook anywhere."""
    from anystory.backends.hub import FLUX, granted

    return "flux" if gpu and granted(FLUX) else BACKENDS[0]


def chosen(name: str | None, model: str | Path | None, usual: str = BACKENDS[0]) -> str:
    """The name of the backend to load: the one asked for, else the `usual` one; where a `model`'s folder was given
    and the usual one has no model, the paper's."""
    if name is not None:
        return name
    return MODELS[0] if model is not None and usual == STORYBOOK else usual


def load(
    name: str | None = None,
    *,
    model: str | Path | None = None,
    device: str | None = None,
    loras: Sequence[Lora] = (),
    vram: float | None = None,
    speed: str = SPEEDS[0],
    batch: int = 1,
    tell: Callable[[str], None] = lambda _: None,
) -> Backend:
    """Load a backend by name, None being what `chosen` says; `model` is a folder with other weights than its own,
    `device` a torch device name (None = the best there is), `loras` go on top of the weights, `vram` is how many GB of
    the GPU may be used (None = what is free), `speed` one of `SPEEDS`, `batch` how many frames may be made at once
    where memory allows it, `tell` is called with sentences: what will be loaded and how, before it is, and what changes
    when memory runs out. Raises `BackendError` with a sentence, also for what the backend has no use for."""
    name = chosen(name, model)
    if name not in BACKENDS:
        raise BackendError(f"There is no backend {name!r}; choose one of: {', '.join(BACKENDS)}.")
    if name == STORYBOOK:
        given = {"--model": model, "--device": device, "--vram": vram, f"--speed {speed}": speed != SPEEDS[0]}
        _refuse(name, "mini and flux do", given)
    if name != "flux":
        _refuse(name, "flux does", {"LoRAs": loras, "--batch": batch > 1})
    if name == STORYBOOK:
        from anystory.backends.storybook import StorybookBackend

        return StorybookBackend()
    hush()
    folder = Path(model) if model is not None else None
    if name == "flux":
        from anystory.backends.flux import FluxBackend

        return FluxBackend.load(folder, device=device, loras=loras, vram=vram, speed=speed, batch=batch, tell=tell)
    from anystory.backends.sdxl import STEPS, AnyStoryBackend

    _refuse(name, "flux does", {f"--speed {speed}": speed not in STEPS})
    folder = folder or ASSETS / name
    return AnyStoryBackend.load(folder, name=name, device=device, vram=vram, speed=speed, tell=tell)


def _refuse(name: str, others: str, given: Mapping[str, object]) -> None:
    """Raise BackendError for the first thing that was given to a backend that has no use for it."""
    for what, value in given.items():
        if value:
            raise BackendError(f"The backend {name} takes no {what}; {others}.")


def hush() -> None:
    """Before they are imported: libraries tell of image processors, formats and kernels of other machines that nobody
    uses here."""
    for library in ("TRANSFORMERS", "DIFFUSERS"):
        os.environ.setdefault(f"{library}_VERBOSITY", "error")
    for name in ("torchao", "torch.utils._pytree", "bitsandbytes"):
        logging.getLogger(name).setLevel(logging.ERROR)
