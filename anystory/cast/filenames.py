"""Names of files as people write them: one rule for when two are the same, on whatever machine each was written."""

from __future__ import annotations

import os
import re
import unicodedata
from collections.abc import Sequence
from pathlib import Path, PurePath, PurePosixPath, PureWindowsPath
from urllib.parse import unquote

from anystory.errors import AnyStoryError, Message
from anystory.story.names import folded

SUFFIXES = (
    ".png",
    ".jpg",
    ".jpeg",
    ".jfif",
    ".webp",
    ".gif",
    ".bmp",
    ".tif",
    ".tiff",
    ".avif",
    ".heic",
    ".heif",
)
"""How the names of pictures end, in lower case; what a file is, its content says."""


class FilenameError(AnyStoryError, ValueError):
    """A name that two files share. The message is one sentence for the user."""


def basename(path: str | Path) -> str:
    """The last part of a path of any machine, with its ending."""
    return _pure(str(path)).name


def find(path: str | Path, folder: str | Path = ".") -> Path | None:
    """The file or folder that a path means, None if there is none; a relative path begins in `folder`.

    A file of exactly that name comes first, then one whose name is the same in composed form, then one whose name is
    the same by `anystory.story.names.folded`. `\\` separates folders too. Of an absolute path that leads nowhere, as
    one of another machine does, the longest end that leads somewhere from `folder` counts. Raises `FilenameError` where
    two are meant.
    """
    exact = Path(folder) / path
    if _is_there(exact):
        return exact
    pure = _pure(str(path))
    if not pure.anchor:
        return _walk(Path(folder), pure.parts)
    own = _walk(Path(pure.anchor), pure.parts[1:]) if Path(path).is_absolute() else None
    tails = (_walk(Path(folder), pure.parts[start:]) for start in range(1, len(pure.parts)))
    return own or next((found for found in tails if found), None)


def _pure(path: str) -> PurePath:
    """A path in its parts. Windows copies paths with quotes around them, browsers as addresses."""
    path = path.strip().strip("\"'“”").strip()
    if path.casefold().startswith("file:"):
        path = re.sub(r"^/+(?=[A-Za-z]:)|^/{2,}(?=/)", "", unquote(path[len("file:") :]))
    return PureWindowsPath(path) if "\\" in path or re.match(r"[A-Za-z]:/", path) else PurePosixPath(path)


def _walk(start: Path, parts: Sequence[str]) -> Path | None:
    """Where the parts lead from a folder, one by one."""
    for part in parts:
        if not _is_there(start / part):
            there = _alike(start, part)
            if there is None:
                return None
            part = there
        start /= part
    return start


def _is_there(path: Path) -> bool:
    try:
        return path.exists()
    except (OSError, ValueError):  # too long, or with a character no path may have
        return False


def _alike(folder: Path, name: str) -> str | None:
    """What in a folder is called like `name`."""
    try:
        there = sorted(os.listdir(folder))
    except OSError:  # no folder, or not ours to look into
        return None
    for form in (lambda text: unicodedata.normalize("NFC", text), folded):
        found = [other for other in there if form(other) == form(name)]
        if len(found) > 1:
            raise FilenameError(
                Message(
                    "{found} and {found2} both match {name}; rename one of them.",
                    found=found[0],
                    found2=found[1],
                    name=repr(name),
                )
            )
        if found:
            return found[0]
    return None
