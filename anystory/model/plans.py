"""Memory plans of the paper's model, of any size: how its weights are kept and where, and what that takes of a card.

FLUX's are in `anystory.model.flux.plans`.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from diffusers import DiffusionPipeline, UNet2DConditionModel
from diffusers.models.attention import BasicTransformerBlock
from safetensors import safe_open
from torch import nn

from anystory.errors import Message
from anystory.model.memory import CONTEXT, WHERE, described
from anystory.model.offload import by_layer, take_turns

ALWAYS = ("vae", "adapter")
"""Parts that stay on the card in every plan: they are used in parts, in the middle of others' work."""

STORED = ("unet", "reference_net")
"""Parts whose layers are kept in 8 bits where a plan says so; the routers, which decide who is where, never are."""

BYTES = {"float32": (4, 4), "bf16": (2, 2), "fp8": (1, 2)}
"""Bytes a number as it is kept, of `STORED`, and as it is computed with."""


@dataclass(frozen=True)
class Work:
    """The largest frame a plan has to hold: its width and height in pixels, its subjects, and the pictures of the one
    with the most, to which the others are padded."""

    size: tuple[int, int]
    subjects: int = 2
    pictures: int = 1


@dataclass(frozen=True)
class Plan:
    """A way to keep the model on a card.

    `weights` is how those of `STORED` are kept, "float32", "bf16" or "fp8"; `offload` is "none" (all on the card),
    "model" (the models take turns), "layer" (so do their layers) or "cpu" (there is no card). `peak` is what the card
    needs, in bytes, `host` what the computer's memory does, where all weights are before they go to the card.
    """

    weights: str
    offload: str
    peak: int
    host: int

    @property
    def precision(self) -> str:
        return self.weights

    @property
    def form(self) -> Message:
        """What it does, in words."""
        return Message("weights in {weights}, {where}", weights=self.weights, where=WHERE[self.offload])

    def __str__(self) -> str:
        return described(self)


CANDIDATES = (("bf16", "none"), ("bf16", "model"), ("fp8", "model"), ("bf16", "layer"))
"""Precisions and offloading, each smaller than the ones before: the best pictures first, then the fastest."""


@dataclass(frozen=True)
class Footprint:
    """What memory depends on: the numbers in the weights of every part and in the U-Net's largest layer; in the
    reference features of one picture and in its tokens' keys, of all layers; and the widths that tensors have."""

    weights: Mapping[str, int]
    layer: int
    references: int
    tokens: int
    width: int
    factor: int
    channels: int

    @classmethod
    def of(cls, folder: Path) -> Footprint:
        """Of a saved pipeline; its weights are not read. Raises OSError, ValueError or KeyError for what is none."""
        index = _config(folder / "model_index.json")
        weights = {part.name: _numbers(part) for part in sorted(folder.iterdir()) if any(part.glob("*.safetensors"))}
        vae, qformer = _config(folder / "vae" / "config.json"), _config(folder / "subject_qformer" / "config.json")
        widths = vae.get("block_out_channels") or [vae["width"]]
        factor = vae.get("patch") or 2 ** (len(widths) - 1)
        with torch.device("meta"):
            unet = UNet2DConditionModel.from_config(_config(folder / "unet" / "config.json"))
        dims = _config(folder / "adapter" / "config.json")["layer_dims"]
        shapes = layer_shapes(unet, (index.get("reference_size", 512) // factor,) * 2)
        return cls(
            weights=weights,
            layer=max(sum(p.numel() for p in m.parameters(recurse=False)) for m in unet.modules()),
            references=sum(math.prod(shape) * width for shape, width in list(zip(shapes, dims, strict=True))[1:]),
            tokens=qformer["queries"] * sum(dims),
            width=unet.config.block_out_channels[0],
            factor=factor,
            channels=widths[min(1, len(widths) - 1)],
        )

    def held(self, work: Work, plain: float) -> float:
        """What a frame holds of its subjects: their features, and their keys and values in every layer. Guidance
        doubles it."""
        references = 3 * work.subjects * self.references
        tokens = 2 * (work.subjects + 1) * self.tokens
        return 2 * work.pictures * (references + tokens) * plain

    def step(self, work: Work, plain: float) -> float:
        """The largest tensors of a step besides, as counted; guidance doubles these too."""
        return 2 * 18 * math.prod(work.size) // self.factor**2 * self.width * plain

    def decoding(self, work: Work, plain: float) -> float:
        """The picture's widest tensors in the VAE."""
        return 4.5 * math.prod(work.size) * self.channels * plain


def layer_shapes(unet: UNet2DConditionModel, latents: tuple[int, int]) -> tuple[tuple[int, int], ...]:
    """Rows and columns of the U-Net's cross-attention layers for `latents` of so many: a level down halves both,
    rounding up."""
    high, wide = latents
    levels = [*range(len(unet.down_blocks)), len(unet.down_blocks) - 1, *reversed(range(len(unet.up_blocks)))]
    shapes: list[tuple[int, int]] = []
    for level, part in zip(levels, [*unet.down_blocks, unet.mid_block, *unet.up_blocks], strict=True):
        layers = sum(isinstance(m, BasicTransformerBlock) for m in part.modules()) if part else 0
        shapes += [(-(-high // 2**level), -(-wide // 2**level))] * layers
    return tuple(shapes)


def plan(footprint: Footprint, work: Work, weights: str, offload: str) -> Plan:
    """One plan with its peaks."""
    kept, plain = BYTES[weights]
    sizes = {name: count * (kept if name in STORED else plain) for name, count in footprint.weights.items()}
    total = sum(sizes.values())
    needs = {name: 0.0 for name in sizes}
    cast = footprint.layer * plain if kept < plain else 0  # one layer as it is computed with
    step, decoding = footprint.step(work, plain) + cast, footprint.decoding(work, plain)  # previews are between steps
    needs["unet"] = footprint.held(work, plain) + max(step, decoding)
    if offload == "cpu":
        return Plan(weights, offload, 0, round(total + max(needs.values())))
    if offload == "none":
        return Plan(weights, offload, round(total + max(needs.values()) + CONTEXT), round(total))
    always, host = sum(sizes[name] for name in ALWAYS), float(total)
    turns = {name: size for name, size in sizes.items() if name not in ALWAYS}
    if offload == "layer":  # the next one comes while one works, from a pinned copy, rounded up to a power of two
        host += 2 * 2 * footprint.layer * plain
        turns = {name: min(size, 2 * footprint.layer * plain) for name, size in turns.items()}
    peak = always + max(size + needs[name] for name, size in turns.items())
    return Plan(weights, offload, round(peak + CONTEXT), round(host))


def candidates(footprint: Footprint, work: Work) -> tuple[Plan, ...]:
    """Every plan, the best first."""
    return tuple(plan(footprint, work, *each) for each in CANDIDATES)


def replan(footprint: Footprint, work: Work, chosen: Plan) -> Plan:
    """The same plan for other work."""
    return plan(footprint, work, chosen.weights, chosen.offload)


def place(plan: Plan, pipeline: DiffusionPipeline, device: str) -> None:
    """Put a loaded pipeline where its plan says."""
    if plan.weights == "fp8":
        for name in STORED:
            part = getattr(pipeline, name)
            part.enable_layerwise_casting(storage_dtype=torch.float8_e4m3fn, compute_dtype=part.dtype)
    if plan.offload in ("none", "cpu"):
        pipeline.to(device)
        return
    parts = {name: part for name, part in pipeline.components.items() if isinstance(part, nn.Module)}
    for name in ALWAYS:
        parts.pop(name).to(device)
    if plan.offload == "model":
        take_turns(list(parts.values()), torch.device(device))
        return
    for name, part in parts.items():
        by_layer(part, torch.device(device), ahead=name != "reference_net")  # its pass is left before its end


def _config(file: Path) -> dict[str, Any]:
    return json.loads(file.read_text(encoding="utf-8"))


def _numbers(folder: Path) -> int:
    """How many numbers a part's weights are."""
    total = 0
    for file in folder.glob("*.safetensors"):
        with safe_open(file, "pt") as weights:
            total += sum(math.prod(weights.get_slice(name).get_shape()) for name in weights.keys())  # noqa: SIM118
    return total
