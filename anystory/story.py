"""The vocabulary of a story: what is asked for, what comes back. numpy and PIL only, no torch."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from PIL import Image

BACKGROUND = "background"
"""Name of the last entry of every `RoutingMaps`: the part of a frame that belongs to no subject."""


@dataclass(frozen=True)
class Subject:
    """A character with its cut-out. `image` is RGB, `mask` is L (255 = the character), of one size."""

    name: str
    image: Image.Image
    mask: Image.Image
    description: str = ""

    def __post_init__(self) -> None:
        if self.image.mode != "RGB" or self.mask.mode != "L":
            raise ValueError(
                f"{self.name}: the image must be RGB and the mask L, got {self.image.mode} and {self.mask.mode}."
            )
        if self.image.size != self.mask.size:
            raise ValueError(
                f"{self.name}: the mask is {self.mask.size} but the image is {self.image.size}; make them one size."
            )


@dataclass(frozen=True)
class CastMember:
    """A character as a script names it: the pictures are still paths."""

    name: str
    image: Path | None = None
    mask: Path | None = None
    description: str = ""


@dataclass(frozen=True)
class Line:
    """One line of dialogue: who says what."""

    who: str
    say: str


@dataclass(frozen=True)
class Panel:
    """One picture of the story. `cast` holds names in the script's cast order; `seed` None = the story's."""

    prompt: str
    cast: tuple[str, ...] = ()
    caption: str = ""
    dialogue: tuple[Line, ...] = ()
    seed: int | None = None


@dataclass(frozen=True)
class Script:
    """What a person writes: a title, a style, a cast and panels in order."""

    panels: tuple[Panel, ...]
    cast: tuple[CastMember, ...] = ()
    title: str = ""
    style: str = ""


@dataclass(frozen=True)
class Prompt:
    """The sentence a model reads. `mentions[i]` is the character span [start, end) of `text` that means
    the i-th subject of the frame; None where no words do."""

    text: str
    mentions: tuple[tuple[int, int] | None, ...] = ()


@dataclass(frozen=True)
class Settings:
    """Everything a render depends on besides the script, the pictures and the weights.

    `size` is the side of the square frame in pixels, `guidance` the classifier-free guidance scale
    (1 = off), `eta` the strength η of the CLIP injection (eq 5), `gamma` the bias γ on reference tokens
    (eq 8), `seed` the story's seed: panel k (from 0) without its own uses `seed + k`.
    """

    size: int
    steps: int = 25
    guidance: float = 3.0
    eta: float = 1.0
    gamma: float = 0.0
    seed: int = 0


@dataclass(frozen=True)
class Story:
    """A script whose characters have pictures. `subjects` follow the script's cast order."""

    script: Script
    subjects: tuple[Subject, ...]
    settings: Settings


@dataclass(frozen=True)
class RoutingMaps:
    """Who is where in a frame: `values` float32 (S+1, H, W) in [0, 1], summing to 1 over `names`, whose
    last is `BACKGROUND`."""

    names: tuple[str, ...]
    values: np.ndarray

    def __post_init__(self) -> None:
        if self.values.ndim != 3 or len(self.names) != len(self.values):
            raise ValueError(f"{len(self.names)} names do not fit maps of shape {self.values.shape}.")
        if not self.names or self.names[-1] != BACKGROUND:
            raise ValueError(f"The last routing map must be {BACKGROUND!r}, got {self.names[-1:]}.")


@dataclass(frozen=True)
class Frame:
    """A finished panel: RGB `image`, its routing maps and the seed it came from."""

    image: Image.Image
    maps: RoutingMaps
    seed: int


@dataclass(frozen=True)
class Step:
    """Progress of one panel: step `index` of `total` (from 1) is done, `preview` shows the frame so far
    (small, RGB, or None). The last step of a panel carries the `frame`."""

    index: int
    total: int
    preview: Image.Image | None = None
    frame: Frame | None = field(default=None)
