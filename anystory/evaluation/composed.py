"""What a switch does to one pass over composed frames, whose truth is known to the pixel: many samples, soon made."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from anystory.evaluation.switches import CLIP, Switch
from anystory.model.attention import Bank, attend
from anystory.model.pipeline import AnyStoryPipeline
from anystory.model.routing import hard_maps, mask_shares, resize, sides, soft_maps
from anystory.training.losses import TrainingBatch

INSIDE, OUTSIDE, OVERLAP = "error inside the subjects", "error outside", "maps: IoU with the true masks"


@torch.no_grad()
def predicted(
    pipeline: AnyStoryPipeline, batches: Sequence[TrainingBatch], switch: Switch, sigma: float, seed: int = 0
) -> dict[str, np.ndarray]:
    """One pass at noise level `sigma` over B frames in `batches`, the right references and captions: a number a frame
    (B,), the mean squared error of the prediction inside the true masks and outside, and how far the maps of all layers
    together agree with the masks. The unconditional branch has no part in it."""
    levels = ((1 - pipeline.scheduler.alphas_cumprod) / pipeline.scheduler.alphas_cumprod).sqrt()
    t = int((levels - sigma).abs().argmin())
    alpha = float(pipeline.scheduler.alphas_cumprod[t].sqrt())
    spread = (1 - alpha**2) ** 0.5
    found: dict[str, list[Tensor]] = {INSIDE: [], OUTSIDE: [], OVERLAP: []}
    with switch.on(pipeline.model):
        for number, batch in enumerate(batches):
            noise = torch.randn(batch.latents.shape, generator=torch.Generator().manual_seed(seed + number))
            noise = noise.to(batch.latents)
            noisy = alpha * batch.latents + spread * noise
            is_epsilon = pipeline.scheduler.config.prediction_type == "epsilon"
            truth = noise if is_epsilon else alpha * noise - spread * batch.latents
            text = batch.text.rows(torch.arange(len(noise), device=noise.device))
            with attend(
                pipeline.unet, pipeline.adapter, _bank(pipeline, batch, switch), gate=switch.gate(batch.masks)
            ) as state:
                made = pipeline.unet(
                    noisy,
                    t,
                    text.states,
                    encoder_attention_mask=text.mask,
                    added_cond_kwargs={"text_embeds": text.pooled, "time_ids": batch.time_ids},
                ).sample
            error = (made.float() - truth).pow(2).mean(1)
            inside = mask_shares(batch.masks, sides(noise)).sum(1).clamp(max=1)
            for what, weight in ((INSIDE, inside), (OUTSIDE, 1 - inside)):
                found[what].append((error * weight).sum((1, 2)) / weight.sum((1, 2)).clamp(min=1e-6))
            found[OVERLAP].append(overlaps(state.refined, batch.masks))
    return {what: torch.cat(values).cpu().numpy() for what, values in found.items()}


def overlaps(logits: Sequence[Tensor], masks: Tensor) -> Tensor:
    """Intersection over union of who holds which token by the mean of the layers' maps, logits (B, N+1, h, w) each,
    and by the true masks (B, N, H, W); mean over the N subjects, (B,). Who is nowhere in both counts as 1."""
    shape = max(map(sides, logits), key=np.prod)
    layers = [soft_maps(resize(layer, shape)) for layer in logits]
    held = hard_maps(torch.stack(layers).mean(0))[:, :-1] > 0.5
    shown = F.interpolate(masks, size=shape, mode="area") > 0.5
    common, either = (held & shown).sum((2, 3)), (held | shown).sum((2, 3))
    return torch.where(either > 0, common / either.clamp(min=1), torch.ones(())).mean(1)


def _bank(pipeline: AnyStoryPipeline, batch: TrainingBatch, switch: Switch) -> Bank:
    frames, subjects = batch.mentions.shape[:2]
    vision = torch.cat([batch.vision, batch.no_vision.expand(frames, 1, -1, -1)], dim=1).flatten(0, 1)
    routing = pipeline.routing_qformer(vision).squeeze(1).unflatten(0, (frames, -1))
    features = pipeline.reference_net.features(batch.references.flatten(0, 1))
    return Bank(
        tokens=pipeline.subject_qformer(vision).unflatten(0, (frames, -1)),
        routing=pipeline.adapter.routing_features(routing, batch.text.states[:-1], batch.mentions),
        references=[g.unflatten(0, (frames, subjects)) for g in features],
        references_active=torch.full((frames,), switch.branches != CLIP, device=vision.device),
        latent_shape=sides(batch.latents),
    )
