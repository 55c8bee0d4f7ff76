"""What a GPU gives, and a model under the first of its memory plans that there is room for, under the next one when
memory runs out."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Generic, TypeVar

import torch

from anystory.backends.base import BackendError
from anystory.model.memory import GIB, P, out_of_memory, release_memory

M = TypeVar("M")
T = TypeVar("T")


class Planned(Generic[P, M]):
    """A model that is loaded when it is needed. One thread at a time uses it.

    `plans` are those that are left, the one in force first. After memory ran out under the last of them the model is
    let go, and loaded again for the next who asks: by then there may be room.
    """

    def __init__(self, name: str, build: Callable[[P], M], plans: Sequence[P], tell: Callable[[str], None]) -> None:
        """`build` loads the model under a plan; `tell` is given sentences about `name`."""
        self.name = name
        self.plans = tuple(plans)
        self.tell = tell
        self._build = build
        self._model: M | None = None

    @property
    def model(self) -> M:
        """The model, under the first plan that memory is enough for. Raises BackendError where it is for none."""
        while self._model is None:
            try:
                self._model = self._build(self.plans[0])
            except (torch.OutOfMemoryError, MemoryError, RuntimeError, OSError) as error:
                if isinstance(error, BackendError) or not out_of_memory(error):
                    raise
            if self._model is None:
                self._fall()
        return self._model

    def run(self, work: Callable[[], Iterator[T]]) -> Iterator[T]:
        """What `work` yields; where memory runs out, once more from its start under the next plan. Raises BackendError
        where there is none."""
        while True:
            try:
                yield from work()
                return
            except (torch.OutOfMemoryError, MemoryError, RuntimeError, OSError) as error:
                if isinstance(error, BackendError) or not out_of_memory(error):
                    raise
            self._fall()

    def prefer(self, plan: P, why: str) -> None:
        """Go on with a later one of `plans`, because of `why`."""
        self._model = None
        release_memory()
        self.plans = self.plans[self.plans.index(plan) :]
        self.tell(f"{why}; {self.name} goes on with {plan}.")

    def _fall(self) -> None:
        """To the next plan, after the first one failed."""
        self._model = None  # before the next one is there
        release_memory()
        if len(self.plans) == 1:
            raise BackendError(
                "The memory is too short for this frame; close what else uses it, ask for a smaller one, or leave out "
                "pictures of its characters."
            )
        before, *_ = self.plans
        self.plans = self.plans[1:]
        self.tell(
            f"Memory ran out with {before.form}. Finished panels are kept; {self.name} goes on with {self.plans[0]}."
        )


def memory_of(device: str, vram: float | None) -> float | None:
    """Bytes that a model may use of a GPU: `vram` GB, which is a limit from then on, or what is free; None where the
    device is none. Raises BackendError for `vram` without a GPU."""
    if not device.startswith("cuda"):
        if vram is not None:
            raise BackendError(f"--vram tells how much of a GPU may be used and the device is {device}; leave it out.")
        return None
    free, total = torch.cuda.mem_get_info(device)
    if vram is None:
        return free
    allowed = min(total, vram * GIB)
    torch.cuda.set_per_process_memory_fraction(allowed / total, torch.device(device).index)  # None: the current one
    return allowed
