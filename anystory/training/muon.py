"""Muon (K. Jordan and others, 2024): the update of a weight matrix is its momentum with all singular values made about
equal, so that rare directions are learned as fast as common ones. For hidden matrices; everything else is AdamW's.

Unlike `torch.optim.Muon` (from torch 2.9) it takes convolutions too, and shares the work among processes.
"""

from __future__ import annotations

from collections.abc import Iterable

import torch
import torch.distributed as dist
from torch import Tensor

LEAST_SIDE = 32
"""Matrices with a smaller side are AdamW's."""


def is_hidden_matrix(name: str, weight: Tensor) -> bool:
    """Whether Muon is for this weight: a linear layer's or a convolution's, but no embedding's."""
    return weight.ndim in (2, 4) and min(weight.shape[:2]) >= LEAST_SIDE and "embed" not in name


def orthogonalise(matrices: Tensor) -> Tensor:
    """(k, m, n) -> the same in bfloat16 with singular values between about 0.7 and 1.2, by the iteration of Newton and
    Schulz with Jordan's coefficients."""
    x = matrices.bfloat16()
    wide = x.shape[-2] <= x.shape[-1]
    x = x if wide else x.mT
    x = x / (x.norm(dim=(-2, -1), keepdim=True) + 1e-7)
    for _ in range(5):
        square = x @ x.mT
        polynomial = torch.baddbmm(square, square, square, beta=-4.7750, alpha=2.0315)
        x = torch.baddbmm(x, polynomial, x, beta=3.4445)
    return x if wide else x.mT


class Muon(torch.optim.Optimizer):
    """Muon over weights (m, n) and (m, n, h, w), the latter as matrices (m, n·h·w). Steps are as long as AdamW's of the
    same `lr`: 0.2 √max(m, n) times an orthogonal matrix (Liu and others, 2025, arXiv 2502.16982)."""

    def __init__(
        self, weights: Iterable[Tensor], lr: float, momentum: float = 0.95, weight_decay: float = 0.01
    ) -> None:
        super().__init__(weights, {"lr": lr, "momentum": momentum, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self, closure: None = None) -> None:  # type: ignore[override]  # what it takes is not needed here
        """Move every weight that has a gradient; equal gradients in all processes leave equal weights in all."""
        for group in self.param_groups:
            weights = [weight for weight in group["params"] if weight.grad is not None]
            if not weights:
                continue
            gradients = [weight.grad for weight in weights]
            means = [self._mean(weight) for weight in weights]
            torch._foreach_lerp_(means, gradients, 1 - group["momentum"])
            nesterov = torch._foreach_lerp(gradients, means, group["momentum"])
            updates = _orthogonalise_together([update.flatten(1) for update in nesterov])
            torch._foreach_mul_(updates, [0.2 * max(update.shape) ** 0.5 for update in updates])
            torch._foreach_mul_(weights, 1 - group["lr"] * group["weight_decay"])
            updates = [update.view(weight.shape) for update, weight in zip(updates, weights, strict=True)]
            torch._foreach_add_(weights, updates, alpha=-group["lr"])

    def _mean(self, weight: Tensor) -> Tensor:
        """The running mean of the weight's gradients."""
        state = self.state[weight]
        if not state:
            state["momentum"] = torch.zeros_like(weight)
        return state["momentum"]


def _orthogonalise_together(matrices: list[Tensor]) -> list[Tensor]:
    """`orthogonalise` of each, those of one shape at once, every process its share of them."""
    rank, processes = (dist.get_rank(), dist.get_world_size()) if dist.is_initialized() else (0, 1)
    by_shape: dict[torch.Size, list[int]] = {}
    for number, matrix in enumerate(matrices):
        by_shape.setdefault(matrix.shape, []).append(number)
    sizes = [len(alike) * shape.numel() for shape, alike in by_shape.items()]
    flat = torch.zeros(sum(sizes), dtype=torch.bfloat16, device=matrices[0].device)
    for (shape, alike), part in zip(by_shape.items(), flat.split(sizes), strict=True):
        if own := alike[rank::processes]:
            done = orthogonalise(torch.stack([matrices[number] for number in own]))
            part.view(len(alike), *shape)[rank::processes] = done
    if processes > 1:
        dist.all_reduce(flat)  # the shares of others are zero here
    results: dict[int, Tensor] = {}
    for (shape, alike), part in zip(by_shape.items(), flat.float().split(sizes), strict=True):
        results |= zip(alike, part.view(len(alike), *shape), strict=True)
    return [results[number] for number in range(len(matrices))]
