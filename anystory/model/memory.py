"""What memory plans of every model share: what a card holds, which plan fits it, and when memory is short."""

from __future__ import annotations

import gc
import math
from collections.abc import Callable, Sequence
from typing import Protocol, TypeVar

import torch

from anystory.errors import Message

GB, GIB = 1e9, 2**30

CONTEXT = 0.8e9
"""Bytes that CUDA itself and its kernels take."""

SPARE = 0.94
"""The share of a card that a plan may fill: the rest goes to fragments and to the desktop."""

NEVER_RUN = Message("computed from the configs; never run on a GPU so far")

WHERE = {
    "none": Message("all of it on the card"),
    "model": Message("one model on the card at a time"),
    "block": Message("one block on the card at a time"),
    "layer": Message("one layer on the card at a time"),
    "cpu": Message("on the CPU"),
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
    """No plan fits. The message is one sentence for the user, a `Message`."""


class MemoryPlan(Protocol):
    """A way to keep a model: `peak` is what the card needs and `host` what the computer's memory does, in bytes; `form`
    says it in words, `described` with its figures. Plans of one `precision` draw the same frames."""

    @property
    def peak(self) -> int: ...

    @property
    def host(self) -> int: ...

    @property
    def form(self) -> Message: ...

    @property
    def precision(self) -> str: ...


P = TypeVar("P", bound=MemoryPlan)


def described(plan: MemoryPlan) -> Message:
    """A plan with what it takes."""
    host = f"{plan.host / GB:.1f}"
    if not plan.peak:
        return Message("{form}: {host} GB of memory expected", form=plan.form, host=host)
    return Message(
        "{form}: {card} GB on the card and {host} GB of the computer's memory expected ({known})",
        form=plan.form,
        card=f"{plan.peak / GB:.1f}",
        host=host,
        known=NEVER_RUN,
    )


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
            Message(
                "{name} needs {needed} GB on the card and there are {card} GB; close what else uses the card, ask for "
                "a smaller frame, or take --backend mini.",
                name=name,
                needed=f"{least / SPARE / GB:.1f}",
                card=f"{card / GB:.1f}",
            )
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
            Message(
                "{frame} needs {needed} GB on the card and there are {card} GB; ask for a smaller one, or leave out "
                "characters or pictures of them.",
                frame=frame,
                needed=f"{least / SPARE / GB:.1f}",
                card=f"{card / GB:.1f}",
            )
        )
    same = [each for each in fitting if each.precision == plans[0].precision]
    return (same or fitting)[0]
