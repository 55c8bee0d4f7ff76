"""How long the embedded model takes for a frame beside programs that keep the cores busy, against alone.

As a program of its own it is the child that is measured: it makes frames as `anystory.load_backend` has them made, in a
process that has not imported torch before, as how its threads wait is settled then.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from contextlib import ExitStack
from dataclasses import dataclass, replace
from statistics import median

MOST = 3.0
"""How many times as long as alone a frame may take beside `NEIGHBOURS`."""

NEIGHBOURS = 2
"""Processes that do nothing but count."""


@dataclass(frozen=True)
class Busy:
    """Seconds a frame, the median of some, alone and beside `NEIGHBOURS` busy processes."""

    alone: float
    beside: float

    @property
    def passed(self) -> bool:
        """Whether it stays within `MOST`."""
        return self.beside <= MOST * self.alone

    def __str__(self) -> str:
        """A line for a person."""
        return (
            f"a frame of mini alone {self.alone:.2f} s, beside {NEIGHBOURS} busy processes {self.beside:.2f} s: "
            f"{self.beside / self.alone:.1f} times as long (at most {MOST:g})"
        )


def bench(frames: int) -> Busy:
    """Make so many frames of the embedded model alone and as many beside busy processes, which end with it."""
    alone = _seconds(frames)
    with ExitStack() as stack:
        for _ in range(NEIGHBOURS):
            neighbour = subprocess.Popen([sys.executable, "-c", "while True: pass"])
            stack.callback(neighbour.wait)
            stack.callback(neighbour.kill)
        return Busy(alone, _seconds(frames))


def _seconds(frames: int) -> float:
    """The median seconds of so many frames, made by a process of their own."""
    command = [sys.executable, "-m", "anystory.bench.busy", str(frames)]
    told = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout
    return median(json.loads(told.splitlines()[-1]))


def main(frames: int) -> None:
    """Print the seconds of each of so many frames after a first one, as JSON."""
    import anystory
    from anystory.backends.base import Request
    from anystory.story.model import Prompt

    backend = anystory.load_backend("mini")
    request = Request(Prompt("a beach at sunset"), (), (), replace(backend.about.defaults, steps=10), 0)
    seconds = []
    for _ in range(frames + 1):
        start = time.monotonic()
        for _ in backend.denoise(request):
            pass
        seconds.append(time.monotonic() - start)
    print(json.dumps(seconds[1:]))


if __name__ == "__main__":
    main(int(sys.argv[1]))
