"""One at a time, and everyone in turn: what visitors share a GPU by.

Whoever wants to work joins the queue, waits for the head of it and, after a piece of work, passes the turn on and
queues up again behind the others. So a long story and a short one advance side by side, a panel each.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator

LOOK = 5
"""Seconds after which whoever waits looks up, though nothing has changed."""


class Turnstile:
    """A fair lock for threads. The first in the queue works; the others wait in order of arrival."""

    def __init__(self) -> None:
        self._queue: list[Turn] = []
        self._changed = threading.Condition()
        self._wakes = 0

    def __len__(self) -> int:
        """How many work or wait."""
        with self._changed:
            return len(self._queue)

    def enter(self) -> Turn:
        """A place at the end of the queue, to be used in a `with`, which gives it up whatever happens."""
        return Turn(self)

    def wake(self) -> None:
        """Have everybody who waits look up, for those who were told to stop."""
        with self._changed:
            self._wakes += 1
            self._changed.notify_all()


class Turn:
    """A place in the queue of a `Turnstile`, from the `with` on."""

    def __init__(self, turnstile: Turnstile) -> None:
        self._stile = turnstile

    def __enter__(self) -> Turn:
        with self._stile._changed:
            self._stile._queue.append(self)
        return self

    def __exit__(self, *_: object) -> None:
        with self._stile._changed:
            self._stile._queue.remove(self)
            self._stile._changed.notify_all()

    @property
    def place(self) -> int:
        """How many are before this one; 0 = it is its turn."""
        with self._stile._changed:
            return self._stile._queue.index(self)

    def wait(self) -> Iterator[int]:
        """Wait for the turn, yielding the place (1 = next) at first, whenever the queue changes, after every `wake` and
        every `LOOK` seconds: whoever it is for may have gone."""
        stile = self._stile
        while True:
            with stile._changed:
                place, wakes = stile._queue.index(self), stile._wakes
            if place == 0:
                return
            yield place
            with stile._changed:  # a wake during the yield counts
                if stile._queue.index(self) == place and stile._wakes == wakes:
                    stile._changed.wait(LOOK)

    def pass_on(self) -> None:
        """Let everybody who waits go first. `wait` again before going on."""
        with self._stile._changed:
            self._stile._queue.remove(self)
            self._stile._queue.append(self)
            self._stile._changed.notify_all()
