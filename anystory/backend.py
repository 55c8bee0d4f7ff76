"""What every backend offers, and the one place that knows their names. Loading imports torch; this file does not."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Protocol

from anystory.story import Prompt, Settings, Step, Subject

ASSETS = Path(__file__).resolve().parent.parent / "assets"

BACKENDS = ("mini",)
"""Names `load` takes; the first is the default."""

SubjectEncoding = Any
"""What a backend makes of a subject, once a story. Opaque outside its backend."""


class BackendError(RuntimeError):
    """A backend cannot be had here. The message is one sentence for the user."""


class Backend(Protocol):
    """Frames from prompts and encoded subjects.

    `name` and `version` (a fingerprint of the weights and of the program) are written beside every frame;
    `defaults` are the settings the weights were made for; `max_subjects` is how many subjects a frame
    they were trained for.
    """

    name: str
    version: str
    defaults: Settings
    max_subjects: int

    def encode(self, subject: Subject) -> SubjectEncoding:
        """Encode a subject once; the result serves every panel it is in."""
        ...

    def denoise(
        self, prompt: Prompt, names: Sequence[str], cast: Sequence[SubjectEncoding], settings: Settings, seed: int
    ) -> Iterator[Step]:
        """Yield a `Step` after every denoising step; the last holds the `Frame`. `names` and `cast` are the
        frame's subjects in one order. Closing the generator stops the work."""
        ...


def load(name: str = BACKENDS[0], *, model: str | Path | None = None, device: str | None = None) -> Backend:
    """Load a backend by name; `model` is a saved AnyStory folder in place of the embedded one, `device` a
    torch device name (None = the best there is). Raises `BackendError` with a sentence."""
    if name not in BACKENDS:
        raise BackendError(f"There is no backend {name!r}; choose one of: {', '.join(BACKENDS)}.")
    from anystory.backends.sdxl import AnyStoryBackend

    folder = Path(model) if model is not None else ASSETS / name
    return AnyStoryBackend.load(folder, name=name, device=device)
