"""A script as the files another program opens: a screenplay, a shot list, or a Storyboarder project with pictures."""

from __future__ import annotations

from collections.abc import Mapping

from anystory.script.exports.fountain import to_fountain
from anystory.script.exports.sheet import to_csv
from anystory.script.exports.storyboarder import to_storyboarder
from anystory.story.model import Script

ENDINGS = (".fountain", ".csv", ".storyboarder")
"""Of the names of scripts for other programs."""


def exported(script: Script, name: str, frames: Mapping[int, bytes], aspect: float = 1) -> dict[str, bytes]:
    """The files by their paths from the folder they are to be in: the script under `name`, which has one of `ENDINGS`,
    and for Storyboarder the pictures. `frames` are PNG files by the numbers (from 1) of their panels, `aspect` is their
    width by their height."""
    if name.endswith(".fountain"):
        return {name: to_fountain(script).encode()}
    if name.endswith(".csv"):
        return {name: to_csv(script).encode()}
    text, names = to_storyboarder(script, aspect, frames)
    return {name: text.encode()} | {f"images/{file}": frames[number] for number, file in names.items()}
