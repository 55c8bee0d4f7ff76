"""Stands in for the package of that name on a ZeroGPU Space, for the tests.

As there, a decorated generator runs in a process that is forked for it, and arguments and results are pickled. What was
asked for goes to the file that FAKE_SPACE_LOG names.
"""

from __future__ import annotations

import multiprocessing
import os
import pickle
from collections.abc import Callable, Iterator
from functools import wraps
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

FORK = multiprocessing.get_context("fork")


def gradio_auto_wrap(function: Callable[..., Any]) -> Callable[..., Any]:
    """What Gradio asks of the package for every handler."""
    return function


def GPU(*, duration: int | Callable[..., int]) -> Callable[..., Any]:
    def decorate(task: Callable[..., Iterator[Any]]) -> Callable[..., Iterator[Any]]:
        @wraps(task)
        def lent(*args: Any) -> Iterator[Any]:
            with Path(os.environ["FAKE_SPACE_LOG"]).open("a") as log:
                asked = duration(*args) if callable(duration) else duration
                log.write(f"{asked} seconds from process {os.getpid()}\n")
            here, there = FORK.Pipe()
            worker = FORK.Process(target=_work, args=(task, pickle.dumps(args), there), daemon=True)
            worker.start()
            there.close()
            try:
                while (message := pickle.loads(here.recv_bytes())) is not None:
                    yield message[0]
            finally:
                worker.kill()
                worker.join()

        return lent

    return decorate


def _work(task: Callable[..., Iterator[Any]], args: bytes, there: Connection) -> None:
    for item in task(*pickle.loads(args)):
        there.send_bytes(pickle.dumps((item,)))
    there.send_bytes(pickle.dumps(None))
