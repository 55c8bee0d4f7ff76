"""What several commands refuse, and how they read numbers."""

from __future__ import annotations

import re

from anystory.errors import AnyStoryError


class UsageError(AnyStoryError, ValueError):
    """An argument does not fit. The message is one sentence for the user."""


def panel_numbers(
    text: str | None, total: int, option: str = "--panels", whole: str = "the script has panels"
) -> list[int]:
    """The numbers of `2,4-6`, in order and each once; all of `total` for None."""
    numbers: set[int] = set()
    for part in (f"1-{total}" if text is None else text).split(","):
        match = re.fullmatch(r"\s*(\d{1,9})\s*(?:-\s*(\d{1,9})\s*)?", part)
        if not match:
            raise UsageError(f"{option} takes numbers and ranges such as 2,4-6, not {text!r}.")
        first, last = int(match[1]), int(match[2] or match[1])
        if not 1 <= first <= last <= total:
            raise UsageError(f"{option} {text} does not fit: {whole} 1 to {total}.")
        numbers.update(range(first, last + 1))
    return sorted(numbers)
