"""The C library's heap, where pictures lie: glibc keeps what is free for the next one, in a part for every few threads.

Elsewhere than with glibc nothing here does anything.
"""

from __future__ import annotations

import ctypes
import sys

_glibc = ctypes.CDLL(None) if sys.platform == "linux" else None

_MMAP_THRESHOLD, _ARENA_MAX = -3, -8
"""`M_MMAP_THRESHOLD` and `M_ARENA_MAX` of glibc's malloc.h."""


def share() -> None:
    """Have all threads started from now on share two parts, in place of eight a core: each keeps what it has once had.
    Python's threads take turns anyway."""
    if mallopt := getattr(_glibc, "mallopt", None):
        mallopt(_ARENA_MAX, 2)


def apart() -> None:
    """Have whatever is larger than a megabyte lie by itself from now on, and go back to the system as soon as it is
    free. For processes that make large pictures one after the other: each new one takes a little longer."""
    if mallopt := getattr(_glibc, "mallopt", None):
        mallopt(_MMAP_THRESHOLD, 1_000_000)


def give_back() -> None:
    """Give the system back what is free: after work that took much more than what stays of it. Takes some
    milliseconds."""
    if malloc_trim := getattr(_glibc, "malloc_trim", None):
        malloc_trim(0)
