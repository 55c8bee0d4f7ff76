"""From a composed batch to what the networks learn from: tokens and tensors first, which any process can make, then the
frozen encoders, where the model is."""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from anystory.model.pipeline import AnyStoryPipeline, Tokens
from anystory.model.routing import mask_shares
from anystory.training.losses import TrainingBatch
from anystory.training.world import Batch


class Inputs(NamedTuple):
    """A `world.Batch` as tensors on the CPU: `frames`, `references` and `correspondence` as there, `masks` (B, S, h, w)
    at the latents' resolution, and the `tokens` of the B captions and of the empty prompt."""

    frames: Tensor
    masks: Tensor
    references: Tensor
    correspondence: Tensor
    tokens: Tokens


def prepare(pipeline: AnyStoryPipeline, composed: Batch) -> Inputs:
    """What can be made without a network."""
    subjects, side = composed.masks.shape[1], composed.frames.shape[-1] // pipeline.latent_factor
    return Inputs(
        frames=composed.frames,
        masks=mask_shares(composed.masks, (side, side)),
        references=composed.references,
        correspondence=composed.correspondence,
        tokens=pipeline.tokenise([*composed.captions, ""], [*composed.mentions, (None,) * subjects]),
    )


@torch.no_grad()
def encode_batch(pipeline: AnyStoryPipeline, inputs: Inputs) -> TrainingBatch:
    """Inputs through the frozen encoders. Nothing here makes the processor wait for a GPU."""
    frames, masks, references, correspondence, mentions = (
        x.to(pipeline.device, non_blocking=True)
        for x in (inputs.frames, inputs.masks, inputs.references, inputs.correspondence, inputs.tokens.mentions)
    )
    vision, references = encode_references(pipeline, references)
    return TrainingBatch(
        latents=pipeline.encode_image(frames.float() / 127.5 - 1).float(),
        text=pipeline.read(inputs.tokens),
        mentions=mentions[:-1],
        vision=vision,
        no_vision=pipeline.encode_nothing(),
        references=references,
        masks=masks,
        time_ids=pipeline.time_ids(len(frames), (frames.shape[-1], frames.shape[-2])),
        correspondence=correspondence,
    )


def encode_references(pipeline: AnyStoryPipeline, cutouts: Tensor) -> tuple[Tensor, Tensor]:
    """RGBA cut-outs uint8 (B, S, 4, R, R) -> vision tokens (B, S, n, d_v) and latents (B, S, C+1, h, w)."""
    count, subjects = cutouts.shape[:2]
    flat = cutouts.flatten(0, 1).float() / 255
    alpha = flat[:, 3:]
    white = flat[:, :3] * alpha + (1 - alpha)
    if subjects == 0:
        n = (pipeline.image_encoder.config.image_size // pipeline.image_encoder.config.patch_size) ** 2 + 1
        return cutouts.new_zeros(count, 0, n, pipeline.image_encoder.config.hidden_size).float(), flat[:, :1]
    side = pipeline.image_encoder.config.image_size
    pixels = F.interpolate(white, size=side, mode="bicubic", antialias=True).clamp(0, 1)
    expected = zip(pixels.unbind(1), pipeline.config.image_mean, pipeline.config.image_std, strict=True)
    vision = pipeline.encode_vision(torch.stack([(channel - mean) / std for channel, mean, std in expected], dim=1))
    size = pipeline.config.reference_size
    white, alpha = (F.interpolate(x, size=size, mode="area") for x in (white, alpha))
    latents = pipeline.encode_reference(white * 2 - 1, alpha)
    return vision.unflatten(0, (count, subjects)), latents.float().unflatten(0, (count, subjects))
