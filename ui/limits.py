"""What one visitor of a shared app may have, and what they have had. Refusals are words of `ui.strings`."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from PIL import Image

from ui.strings import SaidError


class LimitError(SaidError):
    """More than a visitor may have."""


@dataclass(frozen=True)
class Limits:
    """What a visitor may have; None = whatever they like. `panels` in one render, `minutes` of the model's time and
    `uploads` (files) in one visit, `pixels` of a picture in millions."""

    panels: int | None = None
    minutes: float | None = None
    uploads: int | None = None
    pixels: float | None = None


SHARED = Limits(panels=24, minutes=15, uploads=60, pixels=16)
"""For links that strangers have: room for a story and its second thoughts, not for a whole night of the machine."""


class Allowance:
    """What is left of the `limits` for one visitor. Safe for threads."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self._lock = threading.Lock()
        self._uploads = 0
        self._seconds = 0.0

    def render(self, panels: int) -> None:
        """Before so many panels are rendered. Raises LimitError."""
        if self.limits.panels is not None and panels > self.limits.panels:
            raise LimitError("limit.panels", count=self.limits.panels)
        self.spend(0)

    def spend(self, seconds: float) -> None:
        """The model worked so long for the visitor. Raises LimitError when the time is used up; it counts anyway."""
        with self._lock:
            self._seconds += seconds
            used_up = self.limits.minutes is not None and self._seconds >= 60 * self.limits.minutes
        if used_up:
            raise LimitError("limit.minutes", count=f"{self.limits.minutes:g}")

    @contextmanager
    def working(self) -> Iterator[None]:
        """Count the time of a block. Raises LimitError before it where the time is used up; what uses it up may end."""
        self.spend(0)
        since = time.monotonic()
        try:
            yield
        finally:
            with suppress(LimitError):
                self.spend(time.monotonic() - since)

    def upload(self, files: Iterable[str | Path]) -> None:
        """Before uploaded files are used. Raises LimitError, and none of them counts, for too many of them or too large
        a picture among them; what is no picture is for others to judge."""
        paths = [Path(file) for file in files]
        if self.limits.pixels is not None:
            for path in paths:
                if (size := _megapixels(path)) > self.limits.pixels:
                    raise LimitError(
                        "limit.pixels", name=path.name, size=f"{size:.0f}", count=f"{self.limits.pixels:g}"
                    )
        with self._lock:
            if self.limits.uploads is not None and self._uploads + len(paths) > self.limits.uploads:
                raise LimitError("limit.uploads", count=self.limits.uploads, left=self.limits.uploads - self._uploads)
            self._uploads += len(paths)


class Shares:
    """Renders that wait or are at work, by the address they were asked from. Safe for threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._taken = Counter[str]()

    def take(self, address: str, most: int) -> Callable[[], None]:
        """One more render of an address, until what is returned is called. Raises LimitError where it has `most`."""
        with self._lock:
            if self._taken[address] >= most:
                raise LimitError("limit.share", count=most)
            self._taken[address] += 1
        return partial(self._give_back, address)

    def _give_back(self, address: str) -> None:
        with self._lock:
            self._taken[address] -= 1
            self._taken += Counter[str]()  # who has none is forgotten


def _megapixels(path: Path) -> float:
    """Millions of pixels by the picture's head, without reading the rest; 0 for what is none."""
    try:
        with Image.open(path) as picture:
            return picture.width * picture.height / 1e6
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError):
        return 0.0
