"""Dropped files by what they are; their content says it, not where they were dropped."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from anystory.script.read import SUFFIXES
from anystory.story.styles import FILE
from ui import story, storyboard


@dataclass(frozen=True)
class Sorted:
    """Files by what they are: a `story` alone, or a `script` with all that lies beside it, or `pictures` of characters;
    `alone` are stories that came with others. `zipped`: the script came in a ZIP."""

    story: str = ""
    script: tuple[str, ...] = ()
    pictures: tuple[str, ...] = ()
    alone: tuple[str, ...] = ()
    zipped: bool = False


def sort(paths: Sequence[str]) -> Sorted:
    """Look what dropped files are. Raises ScriptError for a ZIP that is too large."""
    files = storyboard.unzipped(paths)
    zipped = files != list(paths)
    if story.is_story(files):
        return Sorted(story=files[0])
    alone = tuple(path for path in files if story.is_story([path]))
    rest = tuple(path for path in files if path not in alone)
    if any(_is_script(path) for path in rest):
        return Sorted(script=rest, alone=alone, zipped=zipped)
    return Sorted(pictures=rest, alone=alone)


def _is_script(path: str) -> bool:
    return Path(path).suffix.lower() in SUFFIXES or Path(path).name == FILE
