"""A folder of a story's own pictures, each named by what it shows (`red ball.svg`, `kite, dragon kite.png`), and the
list beside them that says more: `FILE: {names: …}`, a line each."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from anystory.errors import AnyStoryError, Message
from anystory.story.names import folded

PICTURES = {".png", ".webp", ".jpg", ".jpeg", ".gif", ".svg"}
MAX_LIST = 200_000
MAX_FILES = 500

Said = Callable[[str, str, Any], Any]
"""Checks one value of the list: (where it stands, its key, the value) to the value as it is kept. Raises `ThingError`;
KeyError for a key that it does not know."""

Stamp = tuple[str, int, int]
"""A file's path, when it was changed last in nanoseconds, and its bytes."""


class ThingError(AnyStoryError, ValueError):
    """A drawing or a place of one's own cannot be used. The message is one sentence for the user."""


def own_files(folder: Path, manifest: str, said: Said, keys: str) -> list[tuple[Path, list[str], dict[str, Any]]]:
    """The pictures in `folder` by file name, what each is called, and what else the list says of it, as `said` keeps
    it; other and hidden files are left out. `manifest`: the name of the list; `keys`: what may be said in it, for a
    sentence. Raises `ThingError`."""
    if not folder.is_dir():
        raise ThingError(
            Message("There is no folder {folder} with drawings of your own; check the path.", folder=repr(str(folder)))
        )
    # macOS puts a hidden "._kite.png", which is no picture, beside a "kite.png" on a foreign disk.
    try:
        shown = [path for path in folder.iterdir() if not path.name.startswith(".")]
    except OSError as error:
        raise ThingError(
            Message(
                "{folder} cannot be read ({reason}); check the folder.", folder=repr(str(folder)), reason=error.strerror
            )
        ) from error
    files = sorted(path for path in shown if path.suffix.lower() in PICTURES and path.is_file())
    if len(files) > MAX_FILES:
        raise ThingError(
            Message(
                "{folder} holds {count} drawings, more than {most}; take some out.",
                folder=repr(str(folder)),
                count=len(files),
                most=MAX_FILES,
            )
        )
    told, found = _listed(folder / manifest, [path.name for path in files], said, keys), []
    for path in files:
        more = dict(told.get(path.name, {}))
        names = more.pop("names", None) or _split(path.stem.replace("_", " "))
        if not names or not all(any(letter.isalnum() for letter in name) for name in names):
            raise ThingError(
                Message(
                    "{file} does not say what it shows; name it like 'red ball{ending}'.",
                    file=repr(path.name),
                    ending=path.suffix,
                )
            )
        found.append((path, names, more))
    _refuse_namesakes(found)
    return found


def _refuse_namesakes(found: Sequence[tuple[Path, Sequence[str], Any]]) -> None:
    called: dict[str, Path] = {}
    for path, names, _ in found:
        for name in names:
            other = called.setdefault(folded(name), path)
            if other != path:
                raise ThingError(
                    Message(
                        "{other} and {file} are both called {name}; rename one of them.",
                        other=other.name,
                        file=path.name,
                        name=repr(name),
                    )
                )


def stamps(folder: Path) -> tuple[Stamp, ...]:
    """Of what a folder's own pictures are made by now: a new answer where one of them has changed."""
    wanted = {*PICTURES, ".yaml"}
    files = sorted(path for path in folder.glob("*") if path.suffix.lower() in wanted)
    return tuple((str(path), *changed(path)) for path in files)


def changed(path: Path) -> tuple[int, int]:
    """When a file was changed last, in nanoseconds, and how many bytes it has. Raises `ThingError` where it is gone."""
    try:
        stat = path.stat()
    except OSError as error:
        raise ThingError(
            Message(
                "{file} cannot be read ({reason}); put it back or start again.", file=path.name, reason=error.strerror
            )
        ) from error
    return stat.st_mtime_ns, stat.st_size


def _names(where: str, value: Any) -> list[str]:
    names = _split(value) if isinstance(value, str) else value
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise ThingError(
            Message(
                "{where} is {value}; write words there, such as 'kite, dragon kite'.",
                where=where,
                value=str(value)[:80],
            )
        )
    return [name.strip() for name in names]


def _split(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]


def _listed(path: Path, files: Sequence[str], said: Said, keys: str) -> dict[str, dict[str, Any]]:
    """What the list says of each of the files. Raises `ThingError`."""
    if not path.is_file():
        return {}
    try:
        text = path.read_bytes()[: MAX_LIST + 1].decode("utf-8-sig")
        if len(text) > MAX_LIST:
            raise ThingError(
                Message(
                    "{file} has more than {most} characters; say less of each drawing.",
                    file=path.name,
                    most=f"{MAX_LIST:,}",
                )
            )
        told = yaml.load(text, Loader=yaml.SafeLoader) or {}
    except (OSError, UnicodeDecodeError, yaml.YAMLError, RecursionError) as error:
        reason = str(error).split("\n")[0]
        raise ThingError(
            Message(
                "{file} cannot be read ({reason}); write it as FILE: {{names: …}}, a line each.",
                file=path.name,
                reason=reason,
            )
        ) from error
    if not isinstance(told, dict):
        raise ThingError(
            Message("{file} says nothing of any file; write it as FILE: {{names: …}}, a line each.", file=path.name)
        )
    for file in told:
        if file not in files:
            raise ThingError(
                Message(
                    "{file} tells of {named}, which is not there; rename one of them.",
                    file=path.name,
                    named=repr(str(file)[:80]),
                )
            )
    return {file: dict(_entry(path.name, file, entry, said, keys)) for file, entry in told.items()}


def _entry(manifest: str, file: str, entry: Any, said: Said, keys: str) -> Mapping[str, Any]:
    """One entry of the list, checked."""
    entry, kept = entry if isinstance(entry, dict) else {"names": entry}, {}
    for key, value in entry.items():
        where = f"{manifest}, {file}: {key}"
        if key == "names":
            kept[key] = _names(where, value)
            continue
        try:
            kept[key] = said(where, key, value)
        except KeyError:
            raise ThingError(Message("{where} is not known; say names, {keys}.", where=where, keys=keys)) from None
    return kept
