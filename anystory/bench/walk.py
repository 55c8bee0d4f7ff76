"""Every memory plan once, from a subject to a picture, on a simulated card: does each model find its weights there, and
does the frame take what the plan says?"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import torch
from PIL import Image, ImageDraw
from torch.utils._python_dispatch import _disable_current_modes

from anystory.bench import build
from anystory.bench.card import CARD, Card
from anystory.bench.flux import GOLDEN, SMALL
from anystory.model.flux.pipeline import AnyStoryFluxPipeline
from anystory.model.flux.plans import CANDIDATES, FluxFootprint, FluxPlan, FluxWork, place, plan
from anystory.model.flux.speeds import SPEEDS
from anystory.model.memory import CONTEXT, MemoryPlan

SCALED = replace(
    SMALL,
    configs=SMALL.configs
    | {
        "transformer": SMALL.configs["transformer"] | {"num_layers": 1, "num_single_layers": 3},
        "text_encoder": {
            "vocab_size": 258,
            "hidden_size": 64,
            "intermediate_size": 128,
            "num_hidden_layers": 2,
            "num_attention_heads": 2,
            "bos_token_id": 256,
            "eos_token_id": 257,
        },
        "text_encoder_2": {
            "vocab_size": 98,
            "d_model": 256,
            "d_kv": 64,
            "d_ff": 1024,
            "num_layers": 3,
            "num_heads": 2,
            "feed_forward_proj": "gated-gelu",
        },
    },
    text=512,
    steps=2,
)
"""A FLUX a twelfth as wide, of few blocks, with its text encoders, whose tokenizers are those of the golden weights."""

ROOM = 1.2
"""How many times what is expected a walk may take."""


@dataclass(frozen=True)
class Walk:
    """How one plan went: bytes on the card, at most, as `expected` and as `measured`, and how many of the computer's
    were `pinned`; the pixels of the `picture`; or why it was not walked, `skipped`, or broke off, `error`."""

    name: str
    expected: int = 0
    measured: int = 0
    pinned: int = 0
    picture: bytes = b""
    skipped: str = ""
    error: str = ""

    @property
    def passed(self) -> bool:
        return bool(self.skipped) or (not self.error and self.measured <= ROOM * self.expected)

    def same_as(self, picture: bytes) -> Walk:
        """This walk, failed if its picture is another one."""
        if self.error or self.picture == picture:
            return self
        return replace(self, error="it draws another picture than the plan above with its precisions")

    def __str__(self) -> str:
        if self.skipped:
            return f"{self.name}: not walked, {self.skipped}"
        if self.error:
            return f"{self.name}: FAILED, {self.error}"
        found = f"{self.measured / 1e6:.1f} MB on the card, {self.expected / 1e6:.1f} expected"
        return f"{self.name}: {found}, {self.pinned / 1e6:.1f} MB pinned: {'yes' if self.passed else 'NO'}"


def walks() -> Iterator[Walk]:
    """Every plan of FLUX in turn."""
    with TemporaryDirectory() as folder:
        files = saved(Path(folder) / "plain")
        footprint = FluxFootprint.of(SCALED.configs, SCALED.rank)
        work = FluxWork((SCALED.size, SCALED.size), SCALED.size, SCALED.subjects, 1, SCALED.text)
        whole: dict[tuple[str, str], bytes] = {}
        for candidate in CANDIDATES:
            each = plan(footprint, work, *candidate)
            if "nf4" in candidate:
                yield Walk(each.name, skipped="bitsandbytes loads on real cards only, and moves its tensors by itself")
            elif missing := [package for package in each.packages if find_spec(package) is None]:
                yield Walk(each.name, skipped=f"it takes the package {missing[0]}")
            else:
                own = saved(Path(folder) / "gguf", gguf=True) if "gguf" in candidate else files
                found = walked(each.name, each, partial(_drawn, each, own))
                yield found.same_as(whole.setdefault(candidate[:2], found.picture))


def saved(folder: Path, *, gguf: bool = False) -> tuple[Path, Path, Path]:
    """The model's files in a new folder, the transformer's in a .gguf file if asked for, as `from_release` takes
    them."""
    files = build.save(SCALED.configs, SCALED.rank, GOLDEN / "base", folder)
    if gguf:
        build.save_gguf(files[0] / "transformer")
    return files


def _drawn(each: FluxPlan, files: tuple[Path, Path, Path]) -> Image.Image:
    return frame(loaded(each, *files))


def walked(name: str, each: MemoryPlan, draw: Callable[[], Image.Image]) -> Walk:
    """How a plan goes that `draw` loads on the card and takes to a picture."""
    expected = round(each.peak - CONTEXT)
    with Card() as card:
        try:
            picture = draw().tobytes()
        except Exception as error:
            return Walk(name, expected, error=f"{type(error).__name__}: {str(error).splitlines()[0]}")
    return Walk(name, expected, card.memory.peak, card.pinned.peak, picture)


def loaded(each: FluxPlan, base: Path, redux: Path, checkpoint: Path) -> AnyStoryFluxPipeline:
    """The pipeline under a plan, on the card."""
    with _disable_current_modes():  # loading is the CPU's
        pipeline = AnyStoryFluxPipeline.from_release(base, redux, checkpoint, torch.bfloat16, each)
    place(each, pipeline, str(CARD))
    return pipeline


def frame(pipeline: AnyStoryFluxPipeline) -> Image.Image:
    """A frame of the walk, with a preview after every step, as a backend makes it; twice, as a model that was sent away
    has to come again."""
    settings = SCALED.settings(SPEEDS["exact"])
    for _ in range(2):
        cast = [pipeline.encode(*subject(seed), SCALED.size) for seed in range(SCALED.subjects)]
        text = pipeline.encode_text("a fox meets an owl")
        noise = pipeline.noise(0, SCALED.size, SCALED.size)
        for step in pipeline.denoise(*text, cast, noise, settings):
            pipeline.preview(step.clean, SCALED.size, SCALED.size)
        image = pipeline.decode(step.latents, SCALED.size, SCALED.size)
    return image


def subject(seed: int) -> tuple[Image.Image, Image.Image]:
    """A picture of noise, and a mask with an ellipse."""
    side = SCALED.size
    image = Image.fromarray(np.random.default_rng(seed).integers(0, 255, (side, side, 3), np.uint8))
    mask = Image.new("L", image.size)
    ImageDraw.Draw(mask).ellipse((side // 8, side // 8, side - side // 8, side - side // 8), fill=255)
    return image, mask
