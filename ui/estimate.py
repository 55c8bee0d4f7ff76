"""How long a render still takes, by how long its steps took so far. Pure: the clock is the caller's."""

from __future__ import annotations

from collections import deque
from statistics import median

RECENT = 40
"""Steps looked back on: a machine that got busier is followed within a frame or two."""


class TimeLeft:
    """The time left of a render of `panels` frames (characters to draw first counted too) of `steps` steps each, or of
    fewer, as a frame tells with its first one.

    Tell it of every step in order, and of frames that needed none. It takes the median of recent steps, so that one
    that waited for something else does not count, and apart from them what a frame needs besides its steps (characters
    are encoded before the first, the picture is decoded after the last).
    """

    def __init__(self, panels: int, steps: int) -> None:
        self._left = panels * steps
        self._frames = panels
        self._steps = steps
        self._before: float | None = None
        self._inner: deque[float] = deque(maxlen=RECENT)
        self._first: deque[float] = deque(maxlen=5)

    def start(self, now: float) -> None:
        """The render begins at `now` seconds."""
        self._before = now

    def step(self, now: float, index: int, total: int) -> None:
        """Step `index` (from 1) of a frame that takes `total` was done at `now`."""
        if self._before is not None:
            first = index == 1 and self._steps > 1
            (self._first if first else self._inner).append(max(0.0, now - self._before))
        self._before = now
        if index == 1:
            self._left += total - self._steps
        self._left = max(0, self._left - 1)
        if index == 1 or self._steps == 1:
            self._frames = max(0, self._frames - 1)

    def skip(self, done: int = 0, total: int = 0) -> None:
        """The rest of a frame of which `done` steps were made, of `total`, is not made."""
        self._left = max(0, self._left - ((total if done else self._steps) - done))
        if not done:
            self._frames = max(0, self._frames - 1)

    def more(self, panels: int = 1) -> None:
        """So many more frames are made than was planned: another seed."""
        self._left += panels * self._steps
        self._frames += panels

    def left(self) -> float | None:
        """Seconds to the end; None while too little is known."""
        if not self._left:
            return 0.0
        if len(self._inner) < 2:
            return None
        each = median(self._inner)
        besides = max(0.0, median(self._first) - each) if self._first else 0.0
        return self._left * each + self._frames * besides


def rounded(seconds: float) -> tuple[str, float]:
    """The time left rounded as far as it can be trusted: a key of `ui.strings` and the count that goes in it."""
    if seconds < 5:
        return "time.soon", 0
    if seconds < 55:
        return "time.seconds", max(5, round(seconds / 5) * 5)
    minutes = round(seconds / 60)
    if minutes < 2:
        return "time.minute", 1
    if minutes < 90:
        return "time.minutes", minutes
    return "time.hours", round(seconds / 3600, 1)
