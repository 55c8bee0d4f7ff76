"""The paper's comparisons as switches of the one architecture: hooks on its modules, which are gone when the context
closes, and arguments that the sampling has anyway. The model itself knows nothing of them.

With none thrown a frame is the model's own, bit for bit. No layout may guide a frame that is compared: the coarse map
would be guided twice.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from anystory.model.anystory import AnyStoryModel
from anystory.model.attention import Gate, given_gate
from anystory.model.routing import CLOSED, hard_maps, open_maps

BOTH, CLIP, REFERENCE = "both", "clip", "reference"
REFINED, COARSE, NONE, MASKS, COUPLED = "refined", "coarse", "none", "masks", "coupled"


@dataclass(frozen=True)
class Switch:
    """What is switched off, or for another.

    branches: "clip" is IP-Adapter's decoupled cross-attention alone (eq 5), "reference" ReferenceNet alone (eq 6-8),
    "both" the paper's. router: "refined" is the paper's map, "coarse" its first one alone, "masks" the true masks,
    "none" opens every subject everywhere, and "coupled" is UniPortrait's: each layer's plain inner product with what
    one query reads of the subject's own tokens E, chosen among the subjects alone; that choice drives both branches.
    background: whether the router may choose nobody; without, M is a softmax over the subjects alone, but the regions
    in which R_i are refined stay as they are. unconditional: whether E_{N+1} stands in for the subjects in the
    unconditional branch; without, that branch has no subject attention at all.
    """

    branches: str = BOTH
    router: str = REFINED
    background: bool = True
    unconditional: bool = True

    @property
    def reference(self) -> tuple[float, float]:
        """The shares of the steps between which references are read."""
        return (0.0, 0.0) if self.branches == CLIP else (0.0, 1.0)

    def gate(self, masks: Tensor) -> Gate:
        """σ(M); masks (B, N, H, W) in [0, 1] are the true ones, B the rows of the pass."""
        if self.router == NONE:
            return open_maps
        if self.router == MASKS:
            return given_gate(masks, torch.ones(len(masks), dtype=torch.bool, device=masks.device))
        return hard_maps

    @contextmanager
    def on(self, model: AnyStoryModel) -> Iterator[None]:
        """Throw the switch in the modules of `model` while the context is open, for encoding, sampling and training."""
        adapter = model.adapter
        with ExitStack() as stack:

            def each(modules: nn.ModuleList, hook: Callable[..., Any]) -> None:
                for module in modules:
                    stack.callback(module.register_forward_hook(hook).remove)

            if self.router in (COARSE, COUPLED):
                each(adapter.routers, _coarse)
            if self.router == COUPLED or not self.background:
                each(adapter.routers, _without_background)
            if self.router == COUPLED:

                def read(_: nn.Module, args: tuple[Tensor]) -> tuple[Tensor]:
                    return (model.subject_qformer(*args),)

                stack.callback(model.routing_qformer.register_forward_pre_hook(read).remove)
            if self.branches == REFERENCE:
                each(adapter.subject_v, _silent)
            if not self.unconditional:
                each(adapter.subject_v, _silent_unconditional)
            yield


def _coarse(_: nn.Module, args: Any, maps: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
    return maps[0], maps[0]


def _without_background(_: nn.Module, args: Any, maps: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
    """The background's logits, of frames with subjects, closed: so far below the subjects' together that its share is
    0 whatever theirs are, and no gradient moves them for its sake."""
    coarse, refined = (
        torch.cat([logits[:, :-1], logits[:, :-1].logsumexp(1, keepdim=True) - CLOSED], 1)
        if logits.shape[1] > 1
        else logits
        for logits in maps
    )
    return coarse, refined


def _silent(_: nn.Module, args: Any, values: Tensor) -> Tensor:
    return torch.zeros_like(values)


def _silent_unconditional(_: nn.Module, args: Any, values: Tensor) -> Tensor:
    """Values (B * (N+1), m, d) of a guided batch, whose second half is the unconditional branch."""
    half = len(values) // 2
    return torch.cat([values[:half], torch.zeros_like(values[half:])])
