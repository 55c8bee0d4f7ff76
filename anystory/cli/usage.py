"""How programs read their arguments, and what several commands refuse."""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable
from typing import NoReturn

from anystory.backends.base import Lora
from anystory.errors import AnyStoryError
from anystory.story.from_sketch import FromSketch, FromSketchError
from anystory.story.size import SIDES, Size


class Parser(argparse.ArgumentParser):
    """A mistake is one sentence on stderr and exit status 2."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {message} ({self.prog} --help tells more)\n")


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


def vram(text: str) -> float | None:
    """An argparse type: None for `auto`, else GB."""
    try:
        return None if text == "auto" else between(float, 1, 1024)(text)
    except argparse.ArgumentTypeError as error:
        raise argparse.ArgumentTypeError(f"{error}, nor auto") from error


def lora(text: str) -> Lora:
    """An argparse type: a LoRA and its strength."""
    try:
        return Lora.parse(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def from_sketch(text: str) -> FromSketch:
    """An argparse type: what frames take of their sketches."""
    try:
        return FromSketch.read(text)
    except FromSketchError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def size(text: str) -> Size:
    """An argparse type: the size of frames, a side or both."""
    try:
        return Size.asked(text)
    except ValueError as error:
        low, high = SIDES
        reason = f"{text!r} is not a side between {low} and {high}, or two such as 1344x768"
        raise argparse.ArgumentTypeError(reason) from error


def between(kind: Callable[[str], float], low: float, high: float) -> Callable[[str], float]:
    """An argparse type: a number of `kind` within [low, high]."""
    noun = "a whole number" if kind is int else "a number"

    def read(text: str) -> float:
        try:
            value = kind(text)
        except ValueError:
            value = float("nan")
        if not low <= value <= high:
            raise argparse.ArgumentTypeError(f"{text!r} is not {noun} between {low} and {high}")
        return value

    return read
