"""Work for other processes: a long list of jobs on every core, and a training's batches made ahead of their steps.

Processes are forked, so that they share the art and the painted scenes with the one that loaded them; each uses one
thread. They never touch a GPU.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from multiprocessing import get_context
from typing import TypeVar

import torch
from torch.utils.data import DataLoader, Dataset

Job = TypeVar("Job")
Result = TypeVar("Result")

WORTH_A_PROCESS = 100
"""Jobs of a few milliseconds that take longer than starting a process for them."""


def cores() -> int:
    """How many processes can work side by side: one per core on Linux, this one elsewhere, where forks are not safe."""
    return len(os.sched_getaffinity(0)) if sys.platform == "linux" else 1


@contextmanager
def one_thread() -> Iterator[None]:
    """Lets torch work in one thread meanwhile: of thousands of small operations, several only wait for each other."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def in_parallel(work: Callable[[Job], Result], jobs: Sequence[Job]) -> Iterator[Result]:
    """`work` of each of the jobs, in their order, on as many cores as are worth it."""
    processes = min(cores(), len(jobs) // WORTH_A_PROCESS)
    if processes < 2:
        yield from map(work, jobs)
        return
    with get_context("fork").Pool(processes, _begin) as pool:
        yield from pool.imap(work, jobs, chunksize=8)
        # Leaving the block ends them by SIGTERM, which one that was just forked may have no time to heed.
        pool.close()
        pool.join()


def _begin() -> None:
    """In a process of the pool: one thread, and an end when it is told to, whatever the one it was forked from does."""
    torch.set_num_threads(1)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)


class _Steps(Dataset[Result]):
    def __init__(self, make: Callable[[int], Result]) -> None:
        self.make = make

    def __getitem__(self, step: int) -> Result:
        return self.make(step)


def ahead(make: Callable[[int], Result], start: int, *, workers: int, pin: bool) -> Iterator[Result]:
    """make(start), make(start + 1), … without end: tensors, or tuples of them, made by `workers` processes before they
    are asked for; with 0, by this one when they are. `pin`: in page-locked memory, from where a GPU copies alone."""
    if workers:  # a tokenizer that was used before the fork must not be used with threads after it
        os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    steps: Iterable[int] = range(start, 2**62)
    return iter(
        DataLoader(
            _Steps(make),
            batch_size=None,
            sampler=steps,
            num_workers=workers,
            pin_memory=pin,
            multiprocessing_context="fork" if workers else None,
            generator=torch.Generator(),  # else it would draw from the one that the training draws from
        )
    )
