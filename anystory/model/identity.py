"""The judge's eye: a small convolutional network that tells drawn characters apart, as it looks at pictures.

It owes the generator nothing; `anystory.evaluation.encoder` tells how it learns, from what, and why.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from safetensors import safe_open
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn import functional as F

from anystory.cast.images import square_crop
from anystory.supplies import ASSETS

SIDE = 64
"""Pixels of the square the encoder sees."""

DIMENSION = 128
WEIGHTS = ASSETS / "judge" / "identity.safetensors"
FORMAT = "anystory-judge"
"""What the weights say they are."""


class _Block(nn.Module):
    def __init__(self, inside: int, outside: int, stride: int = 1) -> None:
        super().__init__()
        self.a = nn.Conv2d(inside, outside, 3, stride, 1, bias=False)
        self.b = nn.Conv2d(outside, outside, 3, 1, 1, bias=False)
        self.norm_a, self.norm_b = nn.BatchNorm2d(outside), nn.BatchNorm2d(outside)
        self.skip = nn.Conv2d(inside, outside, 1, stride, bias=False) if inside != outside else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        y = self.norm_b(self.b(F.relu(self.norm_a(self.a(x)))))
        return F.relu(y + self.skip(x))


class IdentityEncoder(nn.Module):
    """Premultiplied RGBA (B, 4, SIDE, SIDE) in [0, 1] to unit vectors (B, DIMENSION)."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(nn.PixelUnshuffle(2), nn.Conv2d(16, 64, 3, 2, 1, bias=False), nn.BatchNorm2d(64))
        self.blocks = nn.Sequential(_Block(64, 64), _Block(64, 128, 2), _Block(128, 224, 2), _Block(224, 224))
        self.head = nn.Linear(448, DIMENSION, bias=False)

    def forward(self, pixels: Tensor) -> Tensor:
        grey = torch.cat([pixels[:, :3] + 0.5 * (1 - pixels[:, 3:]), pixels[:, 3:]], 1)
        x = self.blocks(F.relu(self.stem(grey * 2 - 1)))
        pooled = torch.cat([x.mean((2, 3)), x.amax((2, 3))], 1)
        return F.normalize(self.head(pooled).float(), dim=-1)


def load_encoder(path: Path = WEIGHTS) -> IdentityEncoder:
    """The shipped judge, or another one. Raises OSError for a missing file, ValueError for one that is no judge."""
    if not path.is_file():
        raise OSError(f"The judge's weights {path} are missing; python -m anystory.evaluation.train trains them.")
    model = IdentityEncoder()
    try:
        with safe_open(path, "pt") as file:
            if (file.metadata() or {}).get("format") != FORMAT:
                raise ValueError(f"{path} holds no weights of the judge.")
        model.load_state_dict({key: value.float() for key, value in load_file(path).items()})
    except RuntimeError as error:
        raise ValueError(f"{path} does not fit this version of the judge; train it again.") from error
    return model.eval()


def cut_out(image: Image.Image, mask: Image.Image) -> Tensor:
    """A picture (RGB) and its mask (L) as the encoder takes them: (4, SIDE, SIDE), the masked part filling it."""
    square, cut = square_crop(image, mask, ground=(0, 0, 0))
    rgba = np.asarray(square.resize((SIDE, SIDE), Image.Resampling.BOX), np.float32)
    alpha = np.asarray(cut.resize((SIDE, SIDE), Image.Resampling.BOX), np.float32)
    pixels = np.concatenate([np.minimum(rgba, alpha[..., None]), alpha[..., None]], -1) / 255
    return torch.from_numpy(pixels.transpose(2, 0, 1).copy())


@torch.no_grad()
def embed(model: IdentityEncoder, cuts: Sequence[Tensor]) -> np.ndarray:
    """Unit vectors (N, DIMENSION) of cut-outs, each the mean of itself and its mirror image."""
    stacked = torch.stack(list(cuts))
    both = torch.cat([model(part) for part in torch.cat([stacked, stacked.flip(3)]).split(64)]).view(2, len(cuts), -1)
    return F.normalize(both.mean(0), dim=-1).numpy()
