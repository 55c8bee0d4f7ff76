"""Frames by several processes at once: what paints them holds Python's lock, so threads alone would take turns.

Each process is this module as a program, which reads requests from its standard input and writes frames to its standard
output, pickled; nobody else can write there. It ends with its input: when the crew is closed, and when whoever started
it is gone. Unlike `multiprocessing` it asks nothing of the program that it is used in, which may be a script without
`if __name__ == "__main__"`, and it loads nothing but what a frame needs.
"""

from __future__ import annotations

import contextlib
import os
import pickle
import queue
import subprocess
import sys
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from typing import Any, BinaryIO

from anystory import heap
from anystory.backends.base import Backend, Request, SubjectEncoding
from anystory.story.model import Frame
from anystory.supplies import HOME

CORES = os.cpu_count() or 1

MOST = 4
"""Processes at most: each takes some 200 MB."""

ALONE = {"process_group": 0, "creationflags": getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0)}
"""How a process is started that Ctrl-C does not reach, not even while it starts: that is for whoever started it, and
ends it."""


class Crew:
    """Processes that make frames as `backend` does, which goes to each of them pickled. A context manager; at its end
    what is not finished is given up."""

    def __init__(self, backend: Backend) -> None:
        self.size = min(CORES, MOST)
        self._backend = backend
        self._threads = ThreadPoolExecutor(self.size, thread_name_prefix="crew")
        self._free: queue.SimpleQueue[_Hand] = queue.SimpleQueue()
        self._hands = [_Hand(backend) for _ in range(self.size)]
        for hand in self._hands:
            self._free.put(hand)
        self._closed = False

    def __enter__(self) -> Crew:
        return self

    def __exit__(self, *_: object) -> None:
        self._closed = True
        for hand in self._hands:
            hand.close()
        self._threads.shutdown(cancel_futures=True)

    def begin(self, request: Request) -> Future[Frame]:
        """Have the frame of `request` made as soon as somebody is free; what that raises, its result raises."""
        return self._threads.submit(self._make, request)

    def _make(self, request: Request) -> Frame:
        hand = self._free.get()
        try:
            return hand.make(request)
        except (EOFError, OSError, pickle.UnpicklingError):  # the process is gone: for want of memory, say
            if self._closed:
                raise
            return frame(self._backend, request)
        finally:
            self._free.put(hand)


class _Hand:
    """One process."""

    def __init__(self, backend: Backend) -> None:
        path = os.pathsep.join(filter(None, [str(HOME), os.environ.get("PYTHONPATH")]))
        environment = os.environ | {"PYTHONPATH": path}
        command = [sys.executable, "-P", "-m", "anystory.backends.crew"]  # -P: not what lies in the user's folder
        how: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, **ALONE}
        self._sent: dict[int, SubjectEncoding] = {}
        self._process: subprocess.Popen[bytes] | None = None
        with contextlib.suppress(OSError):  # none can be started here, or no more
            self._process = subprocess.Popen(command, env=environment, **how)
            self._tell(backend)

    def make(self, request: Request) -> Frame:
        """The frame of `request`, whose cast is sent once. Raises OSError or EOFError where there is no process."""
        if self._process is None or self._process.stdout is None:
            raise OSError("There is no process.")
        cast = request.cast
        new = {id(one): one for one in cast if id(one) not in self._sent}
        self._sent |= new  # kept here, so that no other gets the same id
        self._tell((new, [id(one) for one in cast], replace(request, cast=())))
        made = pickle.load(self._process.stdout)
        if isinstance(made, Exception):
            raise made
        return made

    def close(self) -> None:
        if self._process is None:
            return
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            with contextlib.suppress(OSError):
                if pipe is not None:
                    pipe.close()

    def _tell(self, what: object) -> None:
        orders = self._process.stdin if self._process else None
        if orders is None:
            return
        with contextlib.suppress(OSError):  # whoever reads the answer finds that the process is gone
            pickle.dump(what, orders)
            orders.flush()


def frame(backend: Backend, request: Request) -> Frame:
    """The finished frame of a request."""
    *_, last = backend.denoise(request)
    return last.finished


def main() -> None:
    """Make frames until the input ends."""
    heap.apart()
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # what a library prints goes elsewhere
    with contextlib.suppress(EOFError, OSError):
        serve(sys.stdin.buffer, answers)


def serve(requests: BinaryIO, answers: BinaryIO) -> None:
    """Answer every request with its frame, or with what making it raised. Raises EOFError at the end."""
    backend: Backend = pickle.load(requests)
    known: dict[int, SubjectEncoding] = {}
    while True:
        new, cast, request = pickle.load(requests)
        known |= new
        try:
            answer: Frame | Exception = frame(backend, replace(request, cast=tuple(known[one] for one in cast)))
        except Exception as error:
            answer = error
        pickle.dump(answer, answers)
        answers.flush()


if __name__ == "__main__":
    main()
