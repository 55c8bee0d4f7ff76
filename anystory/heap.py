"""The C library's heap, where pictures lie: glibc keeps what is free for the next one, in a part for every few threads.

Elsewhere than with glibc nothing here does anything.
"""

from __future__ import annotations

import ctypes
import sys

_glibc = ctypes.CDLL(None) if sys.platform == "linux" else None

_ARENA_MAX = -8
"""`M_ARENA_MAX` of glibc's malloc.h."""


def share() -> None:
    """Have all threads started from now on share two parts, in place of eight a core: each keeps what it has once had.
    Python's threads take turns anyway."""
    if mallopt := getattr(_glibc, "mallopt", None):
        mallopt(_ARENA_MAX, 2)


def give_back() -> None:
    """Give the system back what is free: after work that took much more than what stays of it. Takes some
    milliseconds."""
    if malloc_trim := getattr(_glibc, "malloc_trim", None):
        malloc_trim(0)
