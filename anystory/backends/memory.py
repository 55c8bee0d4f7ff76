"""What a GPU gives, and a model under the first of its memory plans that there is room for, under the next one when
memory runs out."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from typing import Generic, TypeVar

import torch

from anystory.backends.base import BackendError
from anystory.errors import Message, said
from anystory.model.finite import NotFiniteError
from anystory.model.memory import GIB, P, PlanError, described, enough, out_of_memory, release_memory

M = TypeVar("M")
T = TypeVar("T")


class Planned(Generic[P, M]):
    """A model that is loaded when it is needed. One thread at a time uses it.

    `plans` are those that memory was not found short under so far, the best first; `plan` is the one in force. After
    memory ran out under the last of them the model is let go, and loaded again for the next who asks: by then there may
    be room.
    """

    def __init__(self, name: str, build: Callable[[P], M], plans: Sequence[P], tell: Callable[[str], None]) -> None:
        """`build` loads the model under a plan; `tell` is given sentences about `name`, each a `Message`."""
        self.name = name
        self.plans = tuple(plans)
        self.plan = self.plans[0]
        self.tell = tell
        self._build = build
        self._model: M | None = None

    @property
    def model(self) -> M:
        """The model, under the plan in force or the first after it that memory is enough for. Raises BackendError where
        it is for none."""
        while self._model is None:
            try:
                self._model = self._build(self.plan)
            except (torch.OutOfMemoryError, MemoryError, RuntimeError, OSError) as error:
                if isinstance(error, BackendError) or not out_of_memory(error):
                    raise
            if self._model is None:
                self._fall()
        return self._model

    def run(self, work: Callable[[], Iterator[T]]) -> Generator[T, None, None]:
        """What `work` yields; where memory runs out, once more from its start under the next plan. Raises BackendError
        where there is none."""
        while True:
            try:
                with computing(self.name):
                    yield from work()
                return
            except (torch.OutOfMemoryError, MemoryError, RuntimeError, OSError) as error:
                if isinstance(error, BackendError) or not out_of_memory(error):
                    raise
            self._fall()

    def make_room(self, takes: Callable[[P], float], card: float, frame: str) -> None:
        """Go on under the plan that a card of `card` bytes has room with for what a `frame`, as its sentence begins,
        `takes`: the first such plan, whatever frame was made before. Raises BackendError where there is none."""
        try:
            plan = enough(self.plans, takes, card, frame)
        except PlanError as error:
            raise BackendError(said(error)) from error
        if plan == self.plan:
            return
        more = self.plans.index(plan) > self.plans.index(self.plan)
        self._model = None
        release_memory()
        self.plan = plan
        self.tell(
            Message(
                "{frame} takes more memory; {name} goes on with {plan}."
                if more
                else "{frame} takes less memory; {name} goes on with {plan}.",
                frame=frame,
                name=self.name,
                plan=described(plan),
            )
        )

    def _fall(self) -> None:
        """To the next plan, after the one in force failed."""
        self._model = None  # before the next one is there
        release_memory()
        later = self.plans[self.plans.index(self.plan) + 1 :]
        if not later:
            raise BackendError(
                Message(
                    "The memory is too short for this frame; close what else uses it, ask for a smaller one, or leave "
                    "out pictures of its characters."
                )
            )
        before, self.plan = self.plan, later[0]
        self.plans = tuple(each for each in self.plans if each != before)
        self.tell(
            Message(
                "Memory ran out with {before}. Finished panels are kept; {name} goes on with {plan}.",
                before=before.form,
                name=self.name,
                plan=described(self.plan),
            )
        )


@contextmanager
def computing(name: str) -> Iterator[None]:
    """While the model called `name` computes: NaN and infinity are a BackendError."""
    try:
        yield
    except NotFiniteError as error:
        raise BackendError(
            Message(
                "{name} failed: {error}. Its weights are damaged, or too coarse for this frame: get them anew, or ask "
                "for less guidance.",
                name=name,
                error=error,
            )
        ) from error


def memory_of(device: str, vram: float | None) -> float | None:
    """Bytes that a model may use of a GPU, which is the current one from then on: what is free, and at most `vram` GB,
    which is a limit from then on. None where the device is none. Raises BackendError for `vram` without a GPU."""
    if not device.startswith("cuda"):
        if vram is not None:
            raise BackendError(
                Message(
                    "--vram tells how much of a GPU may be used and the device is {device}; leave it out.",
                    device=device,
                )
            )
        return None
    index = torch.device(device).index
    if index is not None:
        torch.cuda.set_device(index)  # where bitsandbytes loads
    free, total = torch.cuda.mem_get_info(device)
    if vram is None:
        return free
    allowed = min(total, vram * GIB)
    torch.cuda.set_per_process_memory_fraction(allowed / total, index)  # None: the current one
    return min(allowed, free)
