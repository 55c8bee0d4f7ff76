"""What every backend offers, and what backends are called. It imports none of them: `load.py` does."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

from PIL import Image

from anystory.errors import AnyStoryError
from anystory.story.capabilities import Capabilities
from anystory.story.from_sketch import Underdrawing
from anystory.story.model import Prompt, RoutingMaps, Settings, Shape, Step, Subject
from anystory.story.steering import UNSTEERED, Steering

STORYBOOK = "storybook"
"""The backend that is no model: its frames are sketches."""

MODELS = ("mini", "klein", "flux")
"""Those that are. The first one is embedded, and takes the folder of another AnyStory in its place."""

BACKENDS = (STORYBOOK, *MODELS)
"""All of them; the first is the default."""


@dataclass(frozen=True)
class Needs:
    """What a backend needs: a download of so many GB, once, and a GPU with at least so many GB of memory; 0 = none."""

    download: float = 0
    gpu: float = 0


NEEDS = {STORYBOOK: Needs(), "mini": Needs(), "klein": Needs(download=16, gpu=8), "flux": Needs(download=34, gpu=8)}
"""Of each of the `BACKENDS`."""

SPEEDS = ("exact", "compiled", "cached", "few")
"""How flux may hurry: with the same numbers, the same from compiled blocks, with most steps guessed, in 8 steps."""

ROUTINGS = ("read", "close")
"""What klein does with who is where: read it, or also close to everybody the references of others."""

SubjectEncoding = Any
"""What a backend makes of a subject, once a story. Opaque outside its backend."""


MAX_BATCH = 16
"""The most frames at once that may be asked for."""

MAX_STRENGTH = 4
"""The greatest strength of a LoRA; 1 is what it was trained for."""


class BackendError(AnyStoryError, RuntimeError):
    """A backend cannot be had here. The message is one sentence for the user."""


class DownloadError(BackendError):
    """A model's weights are not here, and nobody has agreed to their download."""


def agreed(offer: str) -> bool:
    """Yes to whatever download is offered: for who has said so before."""
    return True


def refused(offer: str) -> bool:
    """No to whatever download is offered: for who cannot be asked."""
    return False


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


@dataclass(frozen=True)
class Request:
    """All that one frame's pixels depend on, besides the backend: `cast` are the encodings of its subjects `names`, in
    one order, and `steering` acts on its routing; `underdrawing` is the sketch beneath it, where it takes anything of
    one."""

    prompt: Prompt
    names: tuple[str, ...]
    cast: tuple[SubjectEncoding, ...]
    settings: Settings
    seed: int
    steering: Steering = UNSTEERED
    underdrawing: Underdrawing | None = None


class Backend(Protocol):
    """Frames from prompts and encoded subjects. `about` tells what it is and can do."""

    @property
    def about(self) -> Capabilities: ...

    def unread(self, prompt: Prompt, pictures: Sequence[int] = ()) -> str:
        """The end of the prompt's text that is beyond what the text encoder reads, from the start of a word; mostly "".
        `pictures` are how many its subjects have, of which some models are told in words."""
        ...

    def encode(self, subject: Subject) -> SubjectEncoding:
        """Encode a subject once; the result serves every panel it is in."""
        ...

    def layer_shapes(self, settings: Settings) -> tuple[Shape, ...]:
        """Rows and columns of tokens of every routed layer, in the order of execution: what a frame's trace holds."""
        ...

    def denoise(self, request: Request) -> Generator[Step, None, None]:
        """Yield a `Step` after every denoising step; the last holds the `Frame` with its trace. Closing the generator
        stops the work."""
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

    def denoise_batch(self, requests: Sequence[Request]) -> Generator[dict[int, Step], None, None]:
        """As `Backend.denoise`, for several frames, of a backend that does not sketch with equally many subjects, the
        same settings, what they take of their sketches among them, and no steering. Yields the frames' steps by
        their place in `requests` (from 0), all or some at a time; a frame that is begun anew has a step 1 once
        more. A frame is what it is alone up to the rounding of batched kernels."""
        ...
