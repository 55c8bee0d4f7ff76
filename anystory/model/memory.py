"""What memory plans of every model share: what a card holds, which plan fits it, and when memory is short."""

from __future__ import annotations

import gc
import math
from collections.abc import Callable, Sequence
from typing import Protocol, TypeVar

import torch

GB, GIB = 1e9, 2**30

CONTEXT = 0.8e9
"""Bytes that CUDA itself and its kernels take."""

SPARE = 0.94
"""The share of a card that a plan may fill: the rest goes to fragments and to the desktop."""

NEVER_RUN = "computed from the configs; never run on a GPU so far"

WHERE = {
    "none": "all of it on the card",
    "model": "one model on the card at a time",
    "block": "one block on the card at a time",
    "layer": "one layer on the card at a time",
    "cpu": "on the CPU",
}
"""Where the weights are, in words."""

SHORT = (
    *("out of memory", "t allocate memory", "not enough memory", "bad_alloc", "paging file is too small"),
    *("alloc_failed", "cublas_status_not_initialized", "cudnn_status_not_initialized"),
    *("find a valid cudnn algorithm", "find an engine to execute this computation"),
)
"""What the messages say, in small letters, where there is no memory: allocators, CUDA's, Apple's, the CPU's on every
system; libraries that take some of their own besides what torch holds, or find no way that makes do with what is left.
"""


class PlanError(ValueError):
    """No plan fits. The message is one sentence for the user."""


class MemoryPlan(Protocol):
    """A way to keep a model: `peak` is what the card needs and `host` what the computer's memory does, in bytes; `form`
    says it in words, `str` with its figures. Plans of one `precision` draw the same frames."""

    @property
    def peak(self) -> int: ...

    @property
    def host(self) -> int: ...

    @property
    def form(self) -> str: ...

    @property
    def precision(self) -> str: ...


P = TypeVar("P", bound=MemoryPlan)


def described(plan: MemoryPlan) -> str:
    """A plan with what it takes."""
    if not plan.peak:
        return f"{plan.form}: {plan.host / GB:.1f} GB of memory expected"
    card, host = f"{plan.peak / GB:.1f} GB on the card", f"{plan.host / GB:.1f} GB of the computer's memory"
    return f"{plan.form}: {card} and {host} expected ({NEVER_RUN})"


def out_of_memory(error: BaseException) -> bool:
    """Whether an error says that memory is short, on a GPU or on the CPU."""
    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return True
    return isinstance(error, RuntimeError | OSError) and any(said in str(error).lower() for said in SHORT)


def release_memory() -> None:
    """Give back what nobody holds any longer."""
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()


def chain(plans: Sequence[P], card: float, name: str) -> tuple[P, ...]:
    """The plan of the model `name` for a card of `card` bytes, and those to fall to where its memory is short all the
    same, each smaller than the one before. Raises PlanError where none fits."""
    fitting = [each for each in plans if each.peak <= card * SPARE]
    if not fitting:
        least = min((each.peak for each in plans), default=math.inf)
        raise PlanError(
            f"{name} needs {least / SPARE / GB:.1f} GB on the card and there are {card / GB:.1f} GB; close what else "
            "uses the card, ask for a smaller frame, or take --backend mini."
        )
    chosen = [fitting[0]]
    for each in fitting:
        if each.peak < chosen[-1].peak:
            chosen.append(each)
    return tuple(chosen)


def enough(plans: Sequence[P], takes: Callable[[P], float], card: float, frame: str) -> P:
    """The first of `plans` with room on a card of `card` bytes for what a `frame`, as its sentence begins, `takes`
    under it: one that draws the same frames as the first of all, whose name they are kept under, if there is one.
    Raises PlanError where none has."""
    fitting = [each for each in plans if takes(each) <= card * SPARE]
    if not fitting:
        least = min(map(takes, plans))
        raise PlanError(
            f"{frame} needs {least / SPARE / GB:.1f} GB on the card and there are {card / GB:.1f} GB; ask for a "
            "smaller one, or leave out characters or pictures of them."
        )
    same = [each for each in fitting if each.precision == plans[0].precision]
    return (same or fitting)[0]
