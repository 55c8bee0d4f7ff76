"""What training teaches the networks, and how: the losses of both stages (section 3.4), read off the modules that the
pipeline runs."""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from anystory.model.anystory import AnyStoryModel, Text
from anystory.model.attention import Bank, Gate, attend, given_gate
from anystory.model.mention import SILENT
from anystory.model.routing import area_maps, gumbel_maps, hard_maps, layer_shape, mask_shares, sides, soft_maps

ROUTING_WEIGHT = 0.1
"""lambda of eq 4."""


@dataclass(frozen=True)
class TrainingBatch:
    """B composed frames of S subjects each, encoded by the frozen encoders.

    latents (B, C, h, w); text of B captions followed by the empty prompt (B+1 rows); mentions (B, S, T) distances;
    vision (B, S, n, d_v) tokens of the cut-outs, no_vision (n, d_v) those of the zero image; references
    (B, S, C+1, h_r, w_r) latents with the mask channel; masks (B, S, H, W) visible masks in [0, 1], at the latents'
    resolution or a multiple of it;
    correspondence (B, S, 3, 3) from frame to reference coordinates, zeros where unknown.
    """

    latents: Tensor
    text: Text
    mentions: Tensor
    vision: Tensor
    no_vision: Tensor
    references: Tensor
    masks: Tensor
    time_ids: Tensor
    correspondence: Tensor


@dataclass(frozen=True)
class Target:
    """What the U-Net predicts: `prediction_type` "epsilon" or "v_prediction" on the schedule `alphas_cumprod` (T,),
    the error of each latent channel counted by `channel_weights` (C,) of mean 1."""

    alphas_cumprod: Tensor
    prediction_type: str
    channel_weights: Tensor


@dataclass(frozen=True)
class Objective:
    """What a stage asks of the networks.

    draws: noise levels a frame; truth: share of frames gated by the true masks instead of the router's own map;
    temperature: of the Gumbel-softmax gates, None = hard argmax (no gradient); joint: routers learn by
    cross-entropy on detached features beside a U-Net that learns too; otherwise by eq 4 and the diffusion loss;
    mask_weight: of the diffusion loss inside subjects, on top of 1; levels: mean and standard deviation of the
    logarithm of the noise levels (noise to signal), None = all time steps alike; correspondence: weight of the loss
    that shows reference attention where to look.
    """

    draws: int = 1
    truth: float = 1.0
    temperature: float | None = None
    joint: bool = False
    drop_text: float = 0.1
    drop_vision: float = 0.1
    drop_references: float = 0.1
    drop_all: float = 0.05
    mask_weight: float = 2.0
    levels: tuple[float, float] | None = None
    correspondence: float = 0.0


def stage_losses(
    model: AnyStoryModel,
    batch: TrainingBatch,
    objective: Objective,
    target: Target,
    generator: torch.Generator,
) -> dict[str, Tensor]:
    """Losses of one batch: `diffusion` (eq 1), `routing` (eq 4 or cross-entropy, unweighted) and `total`.

    generator: on the batch's device, the only source of chance but for Gumbel noise.
    """
    frames, subjects = batch.mentions.shape[:2]
    count = frames * objective.draws
    device = batch.latents.device

    def chance(share: float) -> Tensor:
        return torch.rand(count, generator=generator, device=device) < share

    repeat = torch.arange(frames, device=device).repeat(objective.draws)
    drop_all = chance(objective.drop_all)
    no_text = chance(objective.drop_text) | drop_all
    no_vision = chance(objective.drop_vision) | drop_all
    references_active = ~(chance(objective.drop_references) | drop_all)

    latents, masks = batch.latents[repeat], batch.masks[repeat]
    noise = torch.randn(latents.shape, generator=generator, device=device)
    t = _time_steps(objective.levels, target.alphas_cumprod, count, generator)
    alpha = target.alphas_cumprod[t].sqrt()[:, None, None, None]
    sigma = (1 - target.alphas_cumprod[t]).sqrt()[:, None, None, None]
    noisy = alpha * latents + sigma * noise
    truth = noise if target.prediction_type == "epsilon" else alpha * noise - sigma * latents

    text = batch.text.rows(torch.where(no_text, frames, repeat))
    mentions = batch.mentions[repeat].masked_fill(no_text[:, None, None], SILENT)
    vision = torch.cat([batch.vision, batch.no_vision.expand(frames, 1, -1, -1)], dim=1)
    tokens = model.subject_qformer(vision.flatten(0, 1)).unflatten(0, (frames, -1))[repeat]
    tokens = torch.where(no_vision[:, None, None, None], tokens[:, -1:], tokens)
    routing = model.routing_qformer(vision.flatten(0, 1)).unflatten(0, (frames, -1)).squeeze(2)[repeat]
    references = []
    if subjects:
        features = model.reference_net.features(batch.references.flatten(0, 1))
        references = [g.unflatten(0, (frames, subjects))[repeat] for g in features]
    bank = Bank(
        tokens=tokens,
        routing=model.adapter.routing_features(routing, text.states, mentions),
        references=references,
        references_active=references_active,
        latent_shape=sides(latents),
    )
    with attend(
        model.unet, model.adapter, bank, gate=_gate(objective, masks, chance(objective.truth)), detach=objective.joint
    ) as state:
        if objective.correspondence:
            state.queries = []
        predicted = model.unet(
            noisy,
            t,
            text.states,
            encoder_attention_mask=text.mask,
            added_cond_kwargs={"text_embeds": text.pooled, "time_ids": batch.time_ids[repeat]},
        ).sample

    inside = mask_shares(masks, sides(latents)).sum(1, keepdim=True).clamp(max=1)
    weight = 1 + objective.mask_weight * inside
    error = (predicted.float() - truth).pow(2) * target.channel_weights[:, None, None]
    diffusion = (weight * error).sum() / (weight.sum() * latents.shape[1])
    measure = routing_cross_entropy if objective.joint else routing_loss
    maps = state.refined + state.coarse
    routing_term = (
        sum(measure(logits, masks) for logits in maps) / len(maps) if subjects else torch.zeros((), device=device)
    )
    total = diffusion + ROUTING_WEIGHT * routing_term
    losses = {"diffusion": diffusion, "routing": routing_term}
    if subjects and objective.correspondence and state.queries is not None:
        sought = _correspondence(state.queries, batch, repeat, references_active)
        total = total + objective.correspondence * sought
        losses["correspondence"] = sought
    return {"total": total, **losses}


def _time_steps(
    levels: tuple[float, float] | None, alphas_cumprod: Tensor, count: int, generator: torch.Generator
) -> Tensor:
    """`count` time steps, log-normal in their noise level or all alike."""
    device = alphas_cumprod.device
    if levels is None:
        return torch.randint(len(alphas_cumprod), (count,), generator=generator, device=device)
    mean, deviation = levels
    wanted = (mean + deviation * torch.randn(count, generator=generator, device=device)).exp()
    known = ((1 - alphas_cumprod) / alphas_cumprod).sqrt()
    return torch.searchsorted(known, wanted).clamp(max=len(known) - 1)


def _correspondence(
    queries: list[tuple[Tensor, Tensor]], batch: TrainingBatch, repeat: Tensor, active: Tensor
) -> Tensor:
    """Correspondence loss of the layers with the most tokens, which carry the detail."""
    most = max(query.shape[2] for query, _ in queries)
    layers = [(query, key) for query, key in queries if query.shape[2] == most]
    shape = layer_shape(most, *sides(batch.latents))
    reference_shape = layer_shape(layers[0][1].shape[2] // batch.references.shape[1], *sides(batch.references))
    target, known = matching_tokens(batch.correspondence, shape, reference_shape)
    belongs = hard_maps(area_maps(batch.masks, shape))[:, :-1].flatten(2) > 0.5
    counts = (known & belongs)[repeat] & active[:, None, None]
    terms = [correspondence_loss(query, key, target[repeat], counts) for query, key in layers]
    return torch.stack(terms).sum() / len(terms)


def _gate(objective: Objective, masks: Tensor, truth: Tensor) -> Gate:
    def own(logits: Tensor) -> Tensor:
        if objective.temperature is None:
            return hard_maps(logits)
        return gumbel_maps(logits.float(), objective.temperature).to(logits.dtype)

    return given_gate(masks, truth, own)


def routing_loss(logits: Tensor, masks: Tensor) -> Tensor:
    """Eq 4 without lambda for one layer: mean over subjects and tokens of (M_i - M_i^gt)^2.

    logits: (B, N+1, h, w); masks: (B, N, H, W) visible masks of the whole instances, brought to h x w.
    """
    target = mask_shares(masks, sides(logits))
    return F.mse_loss(soft_maps(logits.float())[:, :-1], target)


def routing_cross_entropy(logits: Tensor, masks: Tensor) -> Tensor:
    """Cross-entropy of the maps against the visible masks: what teaches routers from random weights, where
    the gradient of eq 4 through a flat softmax is too small.

    An entry counts by the inverse root of its area. Otherwise, while a frame is still noise and a subject only
    likely to be somewhere, the background would win every argmax and nobody would be drawn anywhere.
    """
    target = area_maps(masks, sides(logits))
    weight = target.mean(dim=(2, 3), keepdim=True).clamp(min=1e-3).rsqrt()
    weighted = target * weight
    return -(weighted * logits.float().log_softmax(dim=1)).sum() / weighted.sum()


def matching_tokens(
    correspondence: Tensor, shape: tuple[int, int], reference: tuple[int, int]
) -> tuple[Tensor, Tensor]:
    """Which reference token shows what each token of a layer shows.

    correspondence: (B, N, 3, 3) from frame to reference coordinates, both in [-1, 1]; shape: (h, w) of the layer;
    reference: (h_r, w_r). Returns the token numbers (B, N, hw) and whether there is one (bool).
    """
    axes = [(torch.arange(n, device=correspondence.device) * 2 + 1) / n - 1 for n in shape]
    y, x = torch.meshgrid(*axes, indexing="ij")
    points = torch.stack([x, y, torch.ones_like(x)]).flatten(1).to(correspondence)
    x, y, depth = (correspondence @ points).unbind(dim=2)
    known = depth > 1e-3
    column = ((x / depth.clamp(min=1e-3) + 1) * reference[1] / 2).floor().long()
    row = ((y / depth.clamp(min=1e-3) + 1) * reference[0] / 2).floor().long()
    inside = known & (column >= 0) & (column < reference[1]) & (row >= 0) & (row < reference[0])
    return torch.where(inside, row * reference[1] + column, 0), inside


def correspondence_loss(query: Tensor, key: Tensor, target: Tensor, counts: Tensor) -> Tensor:
    """Cross-entropy of the attention from frame tokens to their subject's reference against the matching token.

    query: (B, heads, hw, d); key: (B, heads, N * n, d); target: (B, N, hw) token numbers below n; counts: (B, N, hw)
    bool, where the token belongs to the subject and has a match.
    """
    subjects = target.shape[1]
    # One distribution from the mean of the heads' scores: it is enough that the heads together look there.
    queries, keys = (x.transpose(1, 2).flatten(2) for x in (query, key))
    scores = queries @ keys.transpose(-1, -2) * query.shape[-1] ** -0.5 / query.shape[1]
    scores = scores.unflatten(2, (subjects, -1)).float().log_softmax(dim=-1)
    picked = scores.gather(-1, target.transpose(1, 2).unsqueeze(-1)).squeeze(-1)
    counts = counts.transpose(1, 2).to(picked.dtype)
    return -(picked * counts).sum() / counts.sum().clamp(min=1)
