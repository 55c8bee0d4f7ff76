"""The health of a training: does the reference lower the error where its subject is?

A dead reference path is the likeliest failure, and the losses do not show it: places and light outweigh it by far.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from anystory.model.attention import Bank, attend, given_gate
from anystory.model.pipeline import AnyStoryPipeline
from anystory.model.routing import mask_shares, sides
from anystory.training.losses import TrainingBatch

SIGMAS = (1.0, 4.0)
"""Noise levels to ask at: where details are decided, and where colours and shapes are."""


@torch.no_grad()
def reference_gap(
    pipeline: AnyStoryPipeline, frames: Sequence[TrainingBatch], sigma: float, seed: int = 0
) -> dict[str, float]:
    """Mean squared error of the prediction inside subjects at noise level `sigma`, over composed frames of one subject
    gated by their true masks: with the "right" reference, a "wrong" one (the next frame's) and "none"."""
    levels = ((1 - pipeline.scheduler.alphas_cumprod) / pipeline.scheduler.alphas_cumprod).sqrt()
    t = int((levels - sigma).abs().argmin())
    alpha = float(pipeline.scheduler.alphas_cumprod[t].sqrt())
    spread = (1 - alpha**2) ** 0.5
    device = pipeline.device
    errors: dict[str, Tensor | float] = dict.fromkeys(("right", "wrong", "none"), 0.0)
    weight: Tensor | float = 0.0
    for number, batch in enumerate(frames):
        noise = torch.randn(batch.latents.shape, generator=torch.Generator().manual_seed(seed + number)).to(device)
        noisy = alpha * batch.latents + spread * noise
        is_epsilon = pipeline.scheduler.config.prediction_type == "epsilon"
        truth = noise if is_epsilon else alpha * noise - spread * batch.latents
        inside = mask_shares(batch.masks, sides(noise))
        rows = torch.arange(len(noise), device=device)
        gate = given_gate(batch.masks, torch.ones(len(rows), dtype=torch.bool, device=device))
        for kind in errors:
            shown = rows.roll(1) if kind == "wrong" else rows
            vision = batch.vision[shown] if kind != "none" else batch.no_vision.expand_as(batch.vision)
            vision = torch.cat([vision, batch.no_vision.expand_as(vision)], dim=1).flatten(0, 1)
            references = pipeline.reference_net.features(batch.references[shown].flatten(0, 1))
            bank = Bank(
                tokens=pipeline.subject_qformer(vision).unflatten(0, (-1, 2)),
                routing=pipeline.routing_qformer(vision).squeeze(1).unflatten(0, (-1, 2)),
                references=[g.unsqueeze(1) for g in references],
                references_active=torch.full((len(rows),), kind != "none", device=device),
                latent_shape=sides(noise),
            )
            with attend(pipeline.unet, pipeline.adapter, bank, gate=gate):
                predicted = pipeline.unet(
                    noisy,
                    t,
                    batch.text.states[:-1],
                    encoder_attention_mask=None if batch.text.mask is None else batch.text.mask[:-1],
                    added_cond_kwargs={"text_embeds": batch.text.pooled[:-1], "time_ids": batch.time_ids},
                ).sample
            errors[kind] += ((predicted.float() - truth).pow(2).mean(1, keepdim=True) * inside).sum()
        weight += inside.sum()
    return {kind: float(error / weight) for kind, error in errors.items()}
