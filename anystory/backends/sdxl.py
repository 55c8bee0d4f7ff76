"""The paper's model as a backend. The embedded small model is the same class with a small config."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import torch
import transformers
from diffusers.utils import logging as diffusers_logging
from safetensors import SafetensorError

import anystory.model.autoencoder  # noqa: F401  diffusers loads no class of a module nobody imported
from anystory.backend import BackendError
from anystory.images import square_crop
from anystory.model.anystory import SubjectEncoding
from anystory.model.pipeline import AnyStoryPipeline, MapAverage
from anystory.story import BACKGROUND, Frame, Prompt, RoutingMaps, Settings, Step, Subject

MAX_SUBJECTS = 4
"""Subjects a frame; beyond it no model here was trained or tried."""

PROGRAM = "1"
"""Raised when the same weights, settings and seed would give another frame."""


@dataclass
class AnyStoryBackend:
    """Frames from a saved AnyStory folder."""

    name: str
    version: str
    defaults: Settings
    pipeline: AnyStoryPipeline
    max_subjects: int = MAX_SUBJECTS

    def __post_init__(self) -> None:
        self._lock = threading.Lock()  # a U-Net with processors installed serves one frame at a time

    @classmethod
    def load(cls, folder: Path, *, name: str, device: str | None = None) -> AnyStoryBackend:
        """Load a folder that `AnyStoryPipeline.save_pretrained` wrote. Raises `BackendError` with a sentence."""
        index = folder / "model_index.json"
        if not index.is_file():
            raise BackendError(f"There is no AnyStory model in {str(folder)!r}: it has no model_index.json.")
        device, dtype = choose_device(device)
        transformers.utils.logging.disable_progress_bar()
        diffusers_logging.disable_progress_bar()
        try:
            pipeline = AnyStoryPipeline.from_pretrained(
                folder, dtype=dtype, local_files_only=True, use_safetensors=True
            )
            modules = {k: m for k, m in pipeline.components.items() if isinstance(m, torch.nn.Module)}
            for part, module in modules.items():
                if any(parameter.is_meta for parameter in module.parameters()):
                    raise ValueError(f"the weights of its {part} are not complete.")
                module.eval().requires_grad_(False)
            pipeline.to(device)
        except (OSError, ValueError, KeyError, AttributeError, ImportError, RuntimeError, SafetensorError) as error:
            reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
            raise BackendError(f"The model in {str(folder)!r} cannot be loaded: {reason}") from error
        return cls(
            name=name,
            version=f"{PROGRAM}-{fingerprint(folder)}",
            defaults=Settings(size=pipeline.config.frame_size, guidance=pipeline.config.guidance),
            pipeline=pipeline,
        )

    def encode(self, subject: Subject) -> SubjectEncoding:
        """Cut out, crop square on white, encode."""
        with self._lock:
            return self.pipeline.encode(*square_crop(subject.image, subject.mask))

    def denoise(
        self,
        prompt: Prompt,
        names: Sequence[str],
        cast: Sequence[SubjectEncoding],
        settings: Settings,
        seed: int,
    ) -> Iterator[Step]:
        """Denoise one frame, a `Step` with a preview after each step; the last holds the frame."""
        if len(cast) > self.max_subjects:
            raise BackendError(
                f"A frame takes at most {self.max_subjects} characters, this panel has {len(cast)}; leave some out."
            )
        factor = self.pipeline.latent_factor
        if settings.size < 2 * factor or settings.size % factor:
            least = 2 * factor
            raise BackendError(f"The frame size is {settings.size}; it must be a multiple of {factor} from {least}.")
        if settings.steps < 1:
            raise BackendError(f"The number of steps is {settings.steps}; it must be at least 1.")
        with self._lock:
            average = MapAverage()
            mentions = prompt.mentions or (None,) * len(cast)
            for step in self.pipeline.denoise(
                [prompt.text],
                [mentions],
                [cast],
                [seed],
                size=settings.size,
                steps=settings.steps,
                guidance=settings.guidance,
                eta=settings.eta,
                gamma=settings.gamma,
            ):
                average.add(step)
                if step.index < step.total:
                    yield Step(step.index, step.total, self.pipeline.decode(step.clean)[0])
            image = self.pipeline.decode(step.latents)[0]
            maps = RoutingMaps((*names, BACKGROUND), average.maps()[0].numpy())
        yield Step(step.total, step.total, image, Frame(image, maps, seed))


def choose_device(device: str | None = None) -> tuple[str, torch.dtype]:
    """The device asked for, or the best there is (CUDA, Apple's MPS, CPU), with a fitting dtype: bfloat16 on CUDA,
    float32 elsewhere. Raises `BackendError` with a sentence for a device that is not there."""
    best = "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"
    chosen = device or best
    try:
        torch.empty(0, device=chosen)
    except (RuntimeError, AssertionError, ImportError) as error:
        raise BackendError(f"There is no device {chosen!r} here; the best there is: {best}.") from error
    return chosen, torch.bfloat16 if chosen.startswith("cuda") else torch.float32


def fingerprint(folder: Path) -> str:
    """Twelve hex digits over every config and weight of a model folder and the libraries that run it."""
    digest = hashlib.sha256()
    for path in sorted(p for p in folder.rglob("*") if p.suffix in (".json", ".safetensors")):
        digest.update(path.relative_to(folder).as_posix().encode())
        with path.open("rb") as file:
            digest.update(hashlib.file_digest(file, "sha256").digest())
    for library in ("torch", "diffusers", "transformers"):
        digest.update(f"{library}={version(library)}".encode())
    return digest.hexdigest()[:12]
