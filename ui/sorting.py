"""Dropped files by what they are; their content says it, not where they were dropped."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from anystory.cast.images import ImageError, look
from anystory.script.read import SUFFIXES
from anystory.story.styles import FILE
from ui import story, storyboard


@dataclass(frozen=True)
class Sorted:
    """Files by what they are: a `story` alone, or a `script` with all that lies beside it, or `pictures` of characters;
    `alone` are stories that came with others, but for frames with a script, whose pictures they may be; `refused` are
    sentences on what is none of these. `zipped`: the script came in a ZIP."""

    story: str = ""
    script: tuple[str, ...] = ()
    pictures: tuple[str, ...] = ()
    alone: tuple[str, ...] = ()
    refused: tuple[str, ...] = ()
    zipped: bool = False


def sort(paths: Sequence[str]) -> Sorted:
    """Look what dropped files are. Raises ScriptError for a ZIP that is too large."""
    files = storyboard.unzipped(paths)
    zipped = files != list(paths)
    if story.is_story(files):
        return Sorted(story=files[0])
    scripts = tuple(path for path in files if _is_script(path))
    alone = tuple(path for path in files if story.is_story([path]) and not (scripts and story.is_frame(Path(path))))
    rest, refused = list[str](), list[str]()
    for path in files:
        if path in scripts:
            rest.append(path)
        elif path not in alone:
            try:
                look(path)
                rest.append(path)
            except ImageError as error:
                refused.append(error.said)
    found = Sorted(alone=alone, refused=tuple(refused))
    return replace(found, script=tuple(rest), zipped=zipped) if scripts else replace(found, pictures=tuple(rest))


def _is_script(path: str) -> bool:
    return Path(path).suffix.lower() in SUFFIXES or Path(path).name == FILE
