"""The paper's table 1 at full size, counted where nothing is computed: the original ReferenceNet, which is the U-Net
with its cross-attention, against the one without."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from diffusers import UNet2DConditionModel
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from anystory.model.reference import ReferenceNet

SDXL: dict[str, Any] = {
    "sample_size": 128,
    "down_block_types": ("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
    "up_block_types": ("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"),
    "block_out_channels": (320, 640, 1280),
    "layers_per_block": 2,
    "transformer_layers_per_block": [1, 2, 10],
    "attention_head_dim": [5, 10, 20],
    "cross_attention_dim": 2048,
    "use_linear_projection": True,
    "addition_embed_type": "text_time",
    "addition_time_embed_dim": 256,
    "projection_class_embeddings_input_dim": 2816,
}
"""The U-Net of stabilityai/stable-diffusion-xl-base-1.0."""

SIDE = 64
"""Rows and columns of the paper's latents."""

TEXT = 77
"""Tokens that the cross-attention of the original reads."""


@dataclass(frozen=True)
class Network:
    """A line of table 1: parameters, operations of a pass (multiplications and additions), and the paper's
    milliseconds on an A100, None of what it does not have."""

    name: str
    parameters: int
    operations: int
    milliseconds: float | None = None


def table() -> tuple[Network, ...]:
    """The original, the simplified one, and the simplified one as far as it is run here: to the last self-attention."""
    with torch.device("meta"):
        original = UNet2DConditionModel(**SDXL)
        simplified = ReferenceNet.from_unet(original)
        latents, time = torch.empty(1, 4, SIDE, SIDE), torch.zeros(1)
        masked = torch.empty(1, 5, SIDE, SIDE)
        states = torch.empty(1, TEXT, SDXL["cross_attention_dim"])
        conditions = {"text_embeds": torch.empty(1, 1280), "time_ids": torch.empty(1, 6)}
        return (
            _network("original", original, lambda: original(latents, time, states, added_cond_kwargs=conditions), 62.0),
            _network("simplified", simplified, lambda: simplified(masked, time, encoder_hidden_states=None), 53.2),
            _network("simplified, as far as it is read", simplified, lambda: simplified.features(masked)),
        )


def _network(name: str, module: nn.Module, run: Callable[[], object], milliseconds: float | None = None) -> Network:
    with FlopCounterMode(display=False) as counter:
        run()
    return Network(name, sum(p.numel() for p in module.parameters()), counter.get_total_flops(), milliseconds)


def table_lines(networks: tuple[Network, ...]) -> list[str]:
    """Table 1 in Markdown, ratios beside the original."""
    first = networks[0]
    lines = [
        "| ReferenceNet | parameters | operations at 64 × 64 | ratio | the paper's ms on an A100 | ratio |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for one in networks:
        ms = of = ""
        if one.milliseconds and first.milliseconds:
            ms, of = f"{one.milliseconds:.1f}", f"{one.milliseconds / first.milliseconds:.3f}"
        lines.append(
            f"| {one.name} | {one.parameters / 1e9:.3f} B | {one.operations / 1e12:.3f} T | "
            f"{one.operations / first.operations:.3f} | {ms} | {of} |"
        )
    return lines
