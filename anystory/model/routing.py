"""From routing logits to maps, and from maps to gates and biases. Pure functions of tensors (section 3.3).

Shapes: B frames, N subjects, N+1 entries with the background last, h x w tokens of a layer.
What the paper leaves open is chosen here: M is a softmax over the N+1 entries, maps change resolution as
logits (bilinear, before any argmax), eq 4 is a mean over pixels, and a coarse region with no token in it
is opened everywhere instead of giving NaN.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

POSITION_DIM = 32
"""Numbers that say where a token is."""


def layer_shape(tokens: int, height: int, width: int) -> tuple[int, int]:
    """(h, w) of a layer with `tokens` tokens in a U-Net whose latent is height x width: each level halves,
    rounding up. Raises ValueError when no level fits."""
    h, w = height, width
    while h * w > tokens:
        h, w = math.ceil(h / 2), math.ceil(w / 2)
    if h * w != tokens:
        raise ValueError(f"{tokens} tokens fit no level of a {height}x{width} latent.")
    return h, w


def positions(shape: tuple[int, int], like: Tensor) -> Tensor:
    """Sines and cosines of half periods 1, 1/2, ... of the frame's height and width at the middle of every token,
    (h * w, POSITION_DIM), with the device and dtype of `like`."""
    waves = torch.arange(1, POSITION_DIM // 4 + 1, device=like.device) * math.pi
    y, x = (((torch.arange(n, device=like.device) + 0.5) / n)[:, None] * waves for n in shape)
    rows, columns = torch.cat([y.sin(), y.cos()], dim=1), torch.cat([x.sin(), x.cos()], dim=1)
    grid = torch.cat([rows.repeat_interleave(shape[1], dim=0), columns.repeat(shape[0], 1)], dim=1)
    return grid.to(like.dtype)


def resize(maps: Tensor, shape: tuple[int, int]) -> Tensor:
    """Logits or soft maps (B, N+1, h, w) at another resolution, bilinear."""
    if maps.shape[-2:] == shape:
        return maps
    return F.interpolate(maps, size=shape, mode="bilinear", align_corners=False)


def soft_maps(logits: Tensor) -> Tensor:
    """M in [0, 1], summing to 1 over the entries (dim 1)."""
    return logits.softmax(dim=1)


def hard_maps(logits: Tensor) -> Tensor:
    """sigma(M): one-hot over the entries (dim 1) by argmax; ties go to the first entry."""
    return torch.zeros_like(logits).scatter_(1, logits.argmax(dim=1, keepdim=True), 1.0)


def gumbel_maps(logits: Tensor, temperature: float) -> Tensor:
    """sigma(M) in training: Gumbel-softmax, one-hot forward, soft gradient (straight through)."""
    return F.gumbel_softmax(logits, tau=temperature, hard=True, dim=1)


def area_maps(masks: Tensor, shape: tuple[int, int]) -> Tensor:
    """Soft maps (B, N+1, h, w) of visible subject masks (B, N, H, W) in [0, 1]: each token's share, the
    background taking what is left."""
    shares = F.interpolate(masks, size=shape, mode="area")
    background = (1 - shares.sum(dim=1, keepdim=True)).clamp(min=0)
    maps = torch.cat([shares, background], dim=1)
    return maps / maps.sum(dim=1, keepdim=True)


def open_empty(regions: Tensor) -> Tensor:
    """Boolean regions (B, N+1, hw) for masked attention, those without any token opened everywhere."""
    return regions | ~regions.any(dim=-1, keepdim=True)


def reference_bias(maps: Tensor, reference_tokens: int, gamma: float, active: Tensor) -> Tensor:
    """Eq 8 on the reference keys: (B, 1, hw, N * n), gamma where the query's token belongs to the subject, else -inf.

    maps: one-hot (B, N+1, h, w) of the preceding layer at this layer's resolution; active: (B,) bool, False
    closes every reference of that row. The frame's own keys take 0, so no row of the softmax is empty.
    """
    subjects = maps[:, :-1].flatten(2).transpose(1, 2) > 0.5
    is_open = subjects & active[:, None, None]
    bias = torch.full(is_open.shape, -torch.inf, dtype=maps.dtype, device=maps.device).masked_fill(is_open, gamma)
    return bias.repeat_interleave(reference_tokens, dim=2).unsqueeze(1)


def routing_loss(logits: Tensor, masks: Tensor) -> Tensor:
    """Eq 4 without lambda for one layer: mean over subjects and tokens of (M_i - M_i^gt)^2.

    logits: (B, N+1, h, w); masks: (B, N, H, W) visible masks of the whole instances, brought to h x w.
    """
    target = F.interpolate(masks, size=logits.shape[-2:], mode="area")
    return F.mse_loss(soft_maps(logits.float())[:, :-1], target)


def routing_cross_entropy(logits: Tensor, masks: Tensor) -> Tensor:
    """Cross-entropy of the maps against the visible masks: what teaches routers from random weights, where
    the gradient of eq 4 through a flat softmax is too small."""
    target = area_maps(masks, logits.shape[-2:])
    return -(target * logits.float().log_softmax(dim=1)).sum(dim=1).mean()


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
