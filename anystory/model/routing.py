"""From routing logits to maps, and from maps to gates and biases. Pure functions of tensors (section 3.3).

Shapes: B frames, N subjects, N+1 entries with the background last, h x w tokens of a layer.
What the paper leaves open is chosen here: M is a softmax over the N+1 entries, maps change resolution as
logits (bilinear, before any argmax), eq 4 is a mean over pixels, and a coarse region with no token in it
is opened everywhere instead of giving NaN.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

OPEN = 0.1
"""The gate above which a subject's reference is seen. Hard gates are 0 or 1, those of `open_maps` 1 / N."""

CLOSED = 1e4
"""By how much a logit is lowered at most, which no other logit comes near; finite, so that maps can be resized."""

LEVELS = (0.05, 0.1, 0.2)
"""How far a picture is noised to ask routers who is where in it, as shares of the training's time steps: so little that
it is still all there."""

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


def open_maps(logits: Tensor) -> Tensor:
    """No routing at all: every subject's gate open everywhere, in equal parts, and the background's shut."""
    gates = torch.full_like(logits, 1 / max(logits.shape[1] - 1, 1))
    gates[:, -1] = logits.shape[1] == 1
    return gates


def gumbel_maps(logits: Tensor, temperature: float) -> Tensor:
    """sigma(M) in training: Gumbel-softmax, one-hot forward, soft gradient (straight through)."""
    return F.gumbel_softmax(logits, tau=temperature, hard=True, dim=1)


def within(window: tuple[float, float], index: int, steps: int) -> bool:
    """Whether step `index` (from 0) of `steps` lies between two shares of them."""
    start, end = (int(steps * share + 0.5) for share in window)
    return start <= index < end


@dataclass(frozen=True)
class Guide:
    """Where a person wants the entries of one frame: `regions` float32 (N+1, S, S) in [0, 1] over the whole frame,
    zeros for an entry that has no region of its own. `strength` in [0, 1] acts at the steps numbered (from 0)
    int(steps * start + 0.5) up to, without, int(steps * end + 0.5)."""

    regions: np.ndarray
    strength: float
    start: float = 0.0
    end: float = 1.0

    def strength_at(self, index: int, steps: int) -> float:
        """The strength at step `index` (from 0) of `steps`."""
        return self.strength if within((self.start, self.end), index, steps) else 0.0


Guidance = Callable[[Tensor, tuple[int, int]], Tensor]
"""Routing logits (B, N+1, h * w) of a layer of (h, w) tokens -> the same, guided."""


def guided_by(guidance: Guidance | None, logits: Tensor) -> Tensor:
    """Logits (B, N+1, h, w) under a guidance, or as they are."""
    if guidance is None:
        return logits
    shape = sides(logits)
    return guidance(logits.flatten(2), shape).unflatten(2, shape)


def sides(maps: Tensor) -> tuple[int, int]:
    """The last two sizes of a tensor: rows and columns."""
    height, width = maps.shape[-2:]
    return height, width


class Guides:
    """The guides of a batch's frames, None for a frame without; `repeat` rows a frame, one batch after the other."""

    def __init__(self, guides: Sequence[Guide | None], entries: int, repeat: int, device: torch.device) -> None:
        self._guides = [*guides] * repeat or [None]
        none = np.zeros((entries, 1, 1), np.float32)
        side = max((guide.regions.shape[-1] for guide in guides if guide), default=1)
        regions = [np.broadcast_to(guide.regions if guide else none, (entries, side, side)) for guide in self._guides]
        self._regions = torch.from_numpy(np.stack(regions)).to(device)
        self._shares: dict[tuple[int, int], Tensor] = {}

    def at(self, index: int, steps: int) -> Guidance | None:
        """What guides the logits at step `index` (from 0) of `steps`; None where nothing does."""
        strengths = [guide.strength_at(index, steps) if guide else 0.0 for guide in self._guides]
        if not any(strengths):
            return None
        strength = torch.tensor(strengths, device=self._regions.device)

        def guidance(logits: Tensor, shape: tuple[int, int]) -> Tensor:
            if shape not in self._shares:
                self._shares[shape] = token_shares(self._regions, shape)
            rows = len(logits)  # the first ones: also those of a batch whose other half is not wanted
            return guided(logits, self._shares[shape][:rows], strength[:rows])

        return guidance


def guided(logits: Tensor, shares: Tensor, strength: Tensor) -> Tensor:
    """Routing logits (B, N+1, hw), lowered as far as a token is not the entry's, `shares` (B, N+1, hw) in [0, 1], by

        (1 - share) * s / (1 - s) * the mean over the frame's tokens of their logits' range,

    so that a strength s (B,) of 0 changes no bit, 1/2 overrules a token that is as sure as the layer's tokens are on
    average, and 1 every token, whatever the scale of a layer's logits.
    """
    spread = (logits.amax(dim=1) - logits.amin(dim=1)).float().mean(dim=1).clamp(min=1e-3)
    penalty = (strength / (1 - strength) * spread).clamp(max=CLOSED)
    return logits - (penalty[:, None, None] * (1 - shares)).to(logits.dtype)


def token_shares(regions: Tensor, shape: tuple[int, int]) -> Tensor:
    """How much of each token of an h x w layer may be each entry's, (B, N+1, hw) in [0, 1], for regions (B, N+1, S, S).

    What no region covers may be of whoever has none, or anyone's where all have. A region that has the most of no token
    gets the one of which it has most, so that nobody is lost in a coarse layer.
    """
    covered = F.interpolate(regions, size=shape, mode="area").flatten(2)
    outside = 1 - F.interpolate(regions.amax(dim=1, keepdim=True), size=shape, mode="area").flatten(2)
    placed = regions.flatten(2).any(dim=2, keepdim=True)
    free = ~placed | placed.all(dim=1, keepdim=True)
    shares = torch.where(free, covered + outside, covered).clamp(0, 1)
    lost = placed.squeeze(2) & ~((shares == shares.amax(dim=1, keepdim=True)) & (covered > 0)).any(dim=2)
    for row, entry in lost.nonzero().tolist():
        token = int(covered[row, entry].argmax())
        shares[row, :, token] = 0
        shares[row, entry, token] = 1
    return shares


def mask_shares(masks: Tensor, shape: tuple[int, int]) -> Tensor:
    """Each token's share of masks (B, N, H, W), (B, N, h, w)."""
    if masks.shape[1] == 0:  # which a GPU refuses to pool
        return masks.new_zeros(len(masks), 0, *shape)
    return F.interpolate(masks, size=shape, mode="area")


def area_maps(masks: Tensor, shape: tuple[int, int]) -> Tensor:
    """Soft maps (B, N+1, h, w) of visible subject masks (B, N, H, W) in [0, 1]: each token's share, the
    background taking what is left."""
    shares = mask_shares(masks, shape)
    background = (1 - shares.sum(dim=1, keepdim=True)).clamp(min=0)
    maps = torch.cat([shares, background], dim=1)
    return maps / maps.sum(dim=1, keepdim=True)


def open_empty(regions: Tensor) -> Tensor:
    """Boolean regions (B, N+1, hw) for masked attention, those without any token opened everywhere."""
    return regions | ~regions.any(dim=-1, keepdim=True)


def spread(present: Tensor, tokens: int) -> Tensor:
    """Which pictures (B, N, P) are there, bool, as which of the `tokens` of their entry are, (B, N, tokens)."""
    return present.repeat_interleave(tokens // present.shape[2], dim=2)


def reference_bias(
    maps: Tensor, reference_tokens: int, gamma: float | Tensor, active: Tensor, present: Tensor | None = None
) -> Tensor:
    """Eq 8 on the reference keys: (B, 1, hw, N * n), gamma where the query's token belongs to the subject, else -inf.

    maps: one-hot (B, N+1, h, w) of the preceding layer at this layer's resolution; gamma: one for all, or (B, 1, N);
    active: (B,) bool, False closes every reference of that row; present: (B, N, P) bool, which pictures the n tokens of
    a subject come from, None = one each. The P of them share the weight of one: each takes gamma - log P, so that two
    that are alike change nothing. The frame's own keys take 0, so no row of the softmax is empty.
    """
    subjects = maps[:, :-1].flatten(2).transpose(1, 2) > OPEN
    is_open = subjects & active[:, None, None]
    shut = torch.full_like(maps[:, :-1].flatten(2).transpose(1, 2), -torch.inf)
    weight = gamma.to(maps) if isinstance(gamma, Tensor) else maps.new_full((), gamma)  # no copy that a GPU waits for
    if present is not None:
        weight = weight - present.sum(dim=2).to(maps.dtype).log().unsqueeze(1)
    bias = torch.where(is_open, weight, shut).repeat_interleave(reference_tokens, dim=2)
    if present is not None:
        bias = bias.masked_fill(~spread(present, reference_tokens).flatten(1).unsqueeze(1), -torch.inf)
    return bias.unsqueeze(1)
