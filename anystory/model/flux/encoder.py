"""A subject as FLUX is told about it: Redux tokens, router tokens and the reference's latent tokens.

Nothing here depends on a panel, so a subject is encoded once a story.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from diffusers import ConfigMixin, ModelMixin
from diffusers.configuration_utils import register_to_config
from diffusers.pipelines.flux.modeling_flux import ReduxImageEncoder
from PIL import Image
from torch import Tensor, nn
from transformers import SiglipVisionConfig, SiglipVisionModel

from anystory.errors import Message
from anystory.model.flux.low_rank import LowRank

REDUX_SIDE = 9
"""Redux tokens of a subject a side."""

ROUTER_SIDE = 3
"""Router tokens of a subject a side."""


@dataclass(frozen=True)
class FluxSubject:
    """A subject's tokens from P pictures: `redux` (P, 81, d_t) and, one for all, `router` (1, 9, d_t) of the text's
    width d_t, `ref` (P, r * r, c) packed latents, `ref_ids` (r * r, 3) their positions, which all pictures share as all
    subjects do, `ref_mask` (P, r * r, 1), 1 where the subject is."""

    redux: Tensor
    router: Tensor
    ref: Tensor
    ref_ids: Tensor
    ref_mask: Tensor

    @property
    def pictures(self) -> int:
        """P."""
        return len(self.ref)

    @classmethod
    def joined(cls, subjects: Sequence[FluxSubject]) -> FluxSubject:
        """One subject from those of its pictures, read at one size: all their tokens, the mean for the router."""
        redux, router, ref, mask = (
            torch.cat([getattr(subject, name) for subject in subjects])
            for name in ("redux", "router", "ref", "ref_mask")
        )
        return cls(redux, router.mean(dim=0, keepdim=True), ref, subjects[0].ref_ids, mask)


class VisionEncoder(SiglipVisionModel):
    """SigLIP without its pooling head, which nobody reads, and whose weights offloading would not find: they are read
    without calling the layers they belong to."""

    _keys_to_ignore_on_load_unexpected = [r"head\."]  # noqa: RUF012 (read by name)

    def __init__(self, config: SiglipVisionConfig) -> None:
        config.vision_use_head = False
        super().__init__(config)


class SubjectEmbedder(ModelMixin, ConfigMixin):
    """The Redux embedder with a low-rank branch beside both its layers and a gate that says which tokens count."""

    @register_to_config
    def __init__(self, vision_dim: int, text_dim: int, rank: int) -> None:
        super().__init__()
        self.up = LowRank(vision_dim, 3 * text_dim, rank, bias=True)
        self.down = LowRank(3 * text_dim, text_dim, rank, bias=True)
        self.gate = nn.Linear(text_dim, 1)

    @classmethod
    def from_state(cls, state: Mapping[str, Tensor]) -> SubjectEmbedder:
        """From the release's names. Raises KeyError where one is missing, ValueError where one does not fit."""
        embedder = cls(
            vision_dim=state["redux_up_lora_A.weight"].shape[1],
            text_dim=state["gate_proj.weight"].shape[1],
            rank=state["redux_up_lora_A.weight"].shape[0],
        )
        for name, value in embedder.state_dict().items():
            module, _, rest = name.partition(".")
            given = state[
                f"gate_proj.{rest}"
                if module == "gate"
                else f"redux_{module}_lora_{rest.replace('down', 'A').replace('up', 'B')}"
            ]
            if given.shape != value.shape:
                raise ValueError(
                    Message(
                        "the embedder's {name} is {shape} where {needed} is needed",
                        name=name,
                        shape=tuple(given.shape),
                        needed=tuple(value.shape),
                    )
                )
            value.copy_(given)
        return embedder

    def forward(self, base: ReduxImageEncoder, vision: Tensor, side: int) -> Tensor:
        """Vision tokens (B, n * n, d_v) -> (B, side * side, d_t), pooled with the gate as weight. n is a multiple of
        `side`."""
        inner = F.silu(base.redux_up(vision) + self.up(vision))
        tokens = base.redux_down(inner) + self.down(inner)
        gate = self.gate(tokens).sigmoid()
        n = int(vision.shape[1] ** 0.5)
        weighted, weight = (F.avg_pool2d(_grid(x, n), n // side) for x in (tokens * gate, gate))
        return (weighted / (weight + 1e-6)).flatten(2).transpose(1, 2)


def masked_pixels(image: Image.Image, mask: Image.Image, side: int, resample: int) -> tuple[Tensor, Tensor]:
    """An RGB picture and its L mask -> pixels (1, 3, side, side) in [-1, 1], 0 (grey) off the subject, and the mask
    (1, 1, side, side) in [0, 1]."""
    pixels = _to_tensor(image.resize((side, side), resample)) * 2 - 1
    small = _to_tensor(mask.resize((side, side), Image.Resampling.NEAREST))
    return pixels * small, small


def touched(mask: Tensor, side: int) -> Tensor:
    """The mask (1, 1, H, W) at token resolution, (1, side * side, 1) of 0 and 1: a token counts, wholly, as soon as a
    pixel of it does at all."""
    return (F.adaptive_max_pool2d(mask, side) > 0).float().flatten(2).transpose(1, 2)


def pack(latents: Tensor) -> Tensor:
    """(B, C, h, w) -> tokens of 2 x 2 latents (B, h/2 * w/2, 4 * C)."""
    b, c, h, w = latents.shape
    return latents.view(b, c, h // 2, 2, w // 2, 2).permute(0, 2, 4, 1, 3, 5).reshape(b, h * w // 4, c * 4)


def unpack(tokens: Tensor, height: int, width: int) -> Tensor:
    """Tokens (B, height * width, 4 * C) -> (B, C, 2 * height, 2 * width)."""
    b, _, c = tokens.shape
    blocks = tokens.view(b, height, width, c // 4, 2, 2).permute(0, 3, 1, 4, 2, 5)
    return blocks.reshape(b, c // 4, 2 * height, 2 * width)


def positions(height: int, width: int, shift: int = 0) -> Tensor:
    """Ids (height * width, 3) of tokens in row order: (0, row, column - shift)."""
    rows, columns = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    return torch.stack([torch.zeros_like(rows), rows, columns - shift], dim=-1).reshape(-1, 3).float()


def _grid(tokens: Tensor, side: int) -> Tensor:
    """(B, side * side, d) -> (B, d, side, side)."""
    return tokens.transpose(1, 2).unflatten(2, (side, side))


def _to_tensor(image: Image.Image) -> Tensor:
    """PIL -> (1, C, H, W) in [0, 1]."""
    array = np.asarray(image, dtype=np.float32) / 255
    return torch.from_numpy(array if array.ndim == 3 else array[..., None]).permute(2, 0, 1)[None].contiguous()
