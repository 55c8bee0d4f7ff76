"""The base of every exception that is meant for a person."""

from __future__ import annotations

from typing import ClassVar


class AnyStoryError(Exception):
    """Something cannot be done as asked. The message is one sentence: the value, its bound and what to do.

    `status` is what a command exits with: 2 where the person has to change something, 1 where something failed that
    was asked for rightly.
    """

    status: ClassVar[int] = 2
