"""A story as one ZIP file: packed from its folder, and unpacked again however the file was made.

A ZIP holds the project (`anystory.project.folder`) and the draft (`anystory.project.drafts`) as they lie in the folder:
script, pictures with their masks, frames, maps, traces and settings. story.json and draft.json say their versions;
older ones are migrated when they are opened. The same folder gives the same bytes.

A ZIP that is opened may come from anyone: only files with the names a story has are taken, within bounds of number and
size, and each is checked to be what its name says before the folder appears at its place.
"""

from __future__ import annotations

import contextlib
import glob
import io
import json
import os
import re
import secrets
import shutil
import stat
import tempfile
import time
import warnings
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from anystory.cast.images import open_image
from anystory.errors import DAMAGE, AnyStoryError, Message
from anystory.project.drafts import DraftError, load_draft
from anystory.project.folder import (
    ABANDONED,
    Project,
    ProjectError,
    is_clutter,
    make_folder,
    read_list,
    settle,
    settle_folder,
    settle_folders,
    write_atomic,
)
from anystory.project.imprint import without_pictures
from anystory.project.own import MAX_DRAWING, MAX_SVG, drawing_files
from anystory.project.own import NAMES as DRAWINGS
from anystory.project.schema import DRAFT, SchemaError, parsed
from anystory.script.form import MAX_PANELS, ScriptError
from anystory.script.write import dump_script
from anystory.story.model import BOUNDS, MAX_TRACE, OWN, read_trace

NAMES = re.compile(
    r"story\.json|draft\.json|history/[0-9a-f]{16,64}(\.png|-maps\.npz)|subjects/[\w-]{1,80}\.png|frames/\d{3,6}(\.png|-maps\.npz|-trace\.npz)|(draft|drawn)/[0-9a-f]{16,64}\.png"
)
"""The files of a story."""

LIST = re.compile(r"([^/]+/)?(story|draft)\.json")
"""What tells where in a ZIP the story lies: in it or in a folder of it."""

MAX_FILES = 10_000
"""More than a story of the most panels and takes has."""
MAX_ZIP = 1_000_000_000
MAX_UNPACKED = 2_000_000_000
MAX_FILE = {".json": 20_000_000, ".png": 60_000_000, ".npz": 2 * MAX_TRACE, ".yaml": 200_000, ".svg": MAX_SVG}
MAX_FILE |= dict.fromkeys((".webp", ".jpg", ".jpeg", ".gif"), MAX_DRAWING)
MAX_FRAME = BOUNDS["size"][1] ** 2
"""Pixels of a frame, and of what was cut out of one."""
MAX_ALL_PIXELS = MAX_PANELS * MAX_FRAME
"""Pixels of all pictures: of the most panels in the largest size, or with all their takes in a usual one."""
UNLISTED = ("drawn/", *(f"{folder}/" for folder in OWN))
"""Where files of a story lie that its lists do not name."""
MAX_RATIO = 100
"""Of a file's size unpacked to its size in the ZIP: pictures and text stay far below."""
FREE = 1_000_000
"""Bytes of a file that are not asked about their ratio."""
PICTURES = (".png", ".webp", ".jpg", ".jpeg", ".gif")
"""How pictures end."""

STAMP = (1980, 1, 1, 0, 0, 0)


class ArchiveError(AnyStoryError, RuntimeError):
    """A ZIP cannot be written or opened. The message is one sentence for the user."""


@dataclass(frozen=True)
class Unpacked:
    """A story that was unpacked into `folder`; `notes` are sentences on what was left out."""

    folder: Path
    notes: tuple[str, ...] = ()


def pack(folder: str | Path, target: str | Path) -> None:
    """Write the story in `folder` to the ZIP file `target`. Raises ArchiveError where there is no story, one that
    `unpack` would not take, or the file cannot be written."""
    folder, target = Path(folder), Path(target)
    names = sorted(_listed(folder))
    for name in names:
        if (folder / name).resolve() != folder.resolve() / name:
            raise ArchiveError(
                Message(
                    "{file} is or lies behind a link, which could lead anywhere; put the file there.",
                    file=folder / name,
                )
            )
    _within_bounds(folder, names)
    if target.exists() and not target.is_file():
        raise ArchiveError(Message("{target} is not a file; choose another place.", target=target))
    part = target.with_name(f".{target.name}.{secrets.token_hex(4)}.part")
    try:
        make_folder(target.parent)
        with part.open("wb") as file:
            with zipfile.ZipFile(file, "w") as archive:
                for name in names:
                    entry = zipfile.ZipInfo(name, STAMP)
                    entry.create_system, entry.external_attr = 3, 0o644 << 16
                    # PNG and npz are compressed already.
                    entry.compress_type = zipfile.ZIP_DEFLATED if name.endswith(".json") else zipfile.ZIP_STORED
                    archive.writestr(entry, (folder / name).read_bytes())
            settle(file)
        os.replace(part, target)
        settle_folder(target.parent)
    except OSError as error:
        with contextlib.suppress(OSError):
            part.unlink()
        raise ArchiveError(
            Message(
                "{target} cannot be written ({strerror}); choose another place.",
                target=target,
                strerror=error.strerror or error,
            )
        ) from error


def _within_bounds(folder: Path, names: Sequence[str]) -> None:
    """What is packed can be unpacked again, with room for what a ZIP says of each file."""
    if len(names) > MAX_FILES:
        raise ArchiveError(
            Message(
                "{folder} has {count} files, a ZIP at most {max_files}; take panels out of the story.",
                folder=folder,
                count=len(names),
                max_files=MAX_FILES,
            )
        )
    try:
        size = sum((folder / name).stat().st_size for name in names)
    except OSError as error:
        raise ArchiveError(
            Message("{folder} cannot be read ({strerror}).", folder=folder, strerror=error.strerror)
        ) from error
    for name in filter(DRAWINGS.fullmatch, names):
        if (folder / name).stat().st_size > MAX_FILE[Path(name).suffix.lower()]:
            raise ArchiveError(Message("{file} is too large to be packed; take a smaller one.", file=folder / name))
        _check((folder / name).read_bytes(), name)
    pixels = sum(_pixels((folder / name).read_bytes()) for name in names if name.lower().endswith(PICTURES))
    if pixels > MAX_ALL_PIXELS:
        raise ArchiveError(
            Message(
                "{folder} has pictures of {size} million pixels, a ZIP at most {most}; take panels out of the story, "
                "or keep the folder itself.",
                folder=folder,
                size=pixels // 1000000,
                most=MAX_ALL_PIXELS // 1000000,
            )
        )
    if size > (most := MAX_ZIP - 1000 * MAX_FILES):
        raise ArchiveError(
            Message(
                "{folder} has {size} MB, a ZIP at most {most}; take panels out of the story, or keep the "
                "folder itself.",
                folder=folder,
                size=size // 1000000,
                most=most // 1000000,
            )
        )


def _listed(folder: Path) -> set[str]:
    """The files that belong to the story: those its two lists name, nothing else that may lie there."""
    names = {name for name in ("story.json", "draft.json") if (folder / name).is_file()}
    if not names:
        raise ArchiveError(
            Message("{folder} holds no story; choose the folder of a rendered or a kept one.", folder=folder)
        )
    for name in tuple(names):
        try:
            data = (folder / name).read_bytes()
            wanted = {*_pictures(name, data), *(f"drawn/{path.name}" for path in (folder / "drawn").glob("*.png"))}
            names |= {file for file in wanted if NAMES.fullmatch(file) and (folder / file).is_file()}
            names |= drawing_files(folder)
        except (SchemaError, ProjectError) as error:
            raise ArchiveError(
                Message("{folder} cannot be packed: {error}", folder=folder / name, error=error)
            ) from error
        except OSError as error:
            raise ArchiveError(
                Message("{folder} cannot be read ({strerror}).", folder=folder / name, strerror=error.strerror)
            ) from error
    return names


def _pictures(name: str, data: bytes) -> Iterator[str]:
    """The files that story.json or draft.json names. Raises SchemaError, ProjectError."""
    if name == "story.json":
        yield from _named(read_list(data))
    else:
        draft = parsed(data)
        DRAFT(draft, "")
        yield from _draft_pictures(draft)


def _named(data: dict[str, Any]) -> Iterator[str]:
    """The files a story.json names."""
    yield from (file for subject in data["subjects"] for file in (subject["file"], *subject.get("more", ())))
    for panel in data["panels"]:
        yield from (panel[kind] for kind in ("image", "maps", "trace") if panel[kind] is not None)
    yield from (kept[kind] for kept in data["history"] for kind in ("image", "maps"))


def _draft_pictures(data: dict[str, Any]) -> Iterator[str]:
    for actor in data["cast"]:
        for picture in (actor, *actor.get("more", ())):
            yield from (value for value in picture.values() if isinstance(value, str) and value.startswith("draft/"))


def unpack(source: str | Path, folder: str | Path, most: int = MAX_UNPACKED) -> Unpacked:
    """Unpack the ZIP file `source` into `folder`, which must be new or empty, in at most `most` bytes.

    Nothing of a ZIP that is refused stays. Frames that are not whole are left out and named. Raises ArchiveError with a
    sentence.
    """
    source, folder = Path(source), Path(folder)
    if folder.exists() and (not folder.is_dir() or not all(map(is_clutter, folder.iterdir()))):
        raise ArchiveError(Message("{folder} is not empty; choose a new folder.", folder=folder))
    try:
        if source.stat().st_size > MAX_ZIP:
            raise ArchiveError(
                Message("{file} has more than {max_zip} MB.", file=source.name, max_zip=MAX_ZIP // 1000000)
            )
        make_folder(folder.parent)
        _sweep(folder)
        scratch = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    except OSError as error:
        raise ArchiveError(
            Message("{file} cannot be unpacked ({strerror}).", file=source.name, strerror=error.strerror)
        ) from error
    try:
        for name, content in _files(source, most):
            path = scratch / name
            path.parent.mkdir(exist_ok=True)
            with path.open("wb") as file:
                file.write(content)
                settle(file)
        notes = _verified(scratch)
        if folder.exists():
            for path in folder.iterdir():
                os.replace(path, scratch / path.name)
            folder.rmdir()
        os.chmod(scratch, 0o755)
        settle_folders(scratch)
        os.replace(scratch, folder)
        settle_folder(folder.parent)
        return Unpacked(folder, tuple(notes))
    except ProjectError as error:
        what = Message("it")
        if error.file and error.file != scratch:
            what = Message("its {file}", file=error.file.name)
        raise ArchiveError(
            Message("{file} cannot be opened: {what} {reason}", file=source.name, what=what, reason=error.reason)
        ) from error
    except (ArchiveError, DraftError) as error:
        raise ArchiveError(Message("{file} cannot be opened: {error}", file=source.name, error=error)) from error
    except OSError as error:
        raise ArchiveError(
            Message("{file} cannot be unpacked ({strerror}).", file=source.name, strerror=error.strerror or error)
        ) from error
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _sweep(folder: Path) -> None:
    """Remove what unpacking into `folder` was killed over."""
    for scratch in folder.parent.glob(f".{glob.escape(folder.name)}-" + "?" * 8):
        with contextlib.suppress(OSError):
            if scratch.is_dir() and time.time() - scratch.stat().st_mtime > ABANDONED:
                shutil.rmtree(scratch, ignore_errors=True)


def _files(source: Path, most: int) -> Iterator[tuple[str, bytes]]:
    """The story's files by name, one after the other."""
    try:
        with zipfile.ZipFile(source) as archive:
            taken, room = _checked(archive, most), MAX_ALL_PIXELS
            lists = {name: _content(archive, entry, name) for name, entry in taken.items() if LIST.fullmatch(name)}
            wanted = _wanted(lists)
            for name, entry in taken.items():
                if name in lists:
                    yield name, lists[name]
                elif name in wanted or name.startswith(UNLISTED):
                    content = _content(archive, entry, name)
                    room -= _pixels(content) if name.lower().endswith(PICTURES) else 0
                    if room < 0:
                        most = MAX_ALL_PIXELS // 1000000
                        raise ArchiveError(Message("its pictures have more than {most} million pixels.", most=most))
                    _check(content, name)
                    yield name, content
    except DAMAGE as error:
        raise ArchiveError(Message("it is not a ZIP file, or it is damaged; save the story again.")) from error


def _checked(archive: zipfile.ZipFile, most: int) -> dict[str, zipfile.ZipInfo]:
    """The entries to take by the names they get, all names and bounds checked before anything is unpacked. Other files,
    such as a file manager's, are passed over; a folder around the story is taken off."""
    entries = archive.infolist()
    if len(entries) > MAX_FILES:
        raise ArchiveError(
            Message("it has {count} files; a story has at most {max_files}.", count=len(entries), max_files=MAX_FILES)
        )
    for entry in entries:
        parts = re.split(r"[/\\]", entry.filename)
        if ".." in parts or entry.filename.startswith(("/", "\\")) or ":" in entry.filename or "\0" in entry.filename:
            raise ArchiveError(
                Message("the name {filename} leads out of the folder.", filename=repr(entry.filename[:80]))
            )
        if entry.external_attr >> 16 and stat.S_IFMT(entry.external_attr >> 16) not in (0, stat.S_IFREG, stat.S_IFDIR):
            raise ArchiveError(
                Message("{filename} is a link or a device, not a file.", filename=repr(entry.filename[:80]))
            )
        if entry.flag_bits & 1:
            raise ArchiveError(Message("it is locked with a password; save it without one."))
    files = [entry for entry in entries if not entry.is_dir()]
    lists = sorted((e.filename for e in files if LIST.fullmatch(e.filename)), key=lambda name: (name.count("/"), name))
    top = lists[0].rpartition("/")[0] + "/" if lists and "/" in lists[0] else ""
    taken: dict[str, zipfile.ZipInfo] = {}
    folded = set[str]()
    for entry in files:
        name = entry.filename[len(top) :] if entry.filename.startswith(top) else ""
        if not (NAMES.fullmatch(name) or DRAWINGS.fullmatch(name)):
            continue
        if name.casefold() in folded:
            raise ArchiveError(Message("{name} is in it twice.", name=repr(name)))
        large, ratio = MAX_FILE[Path(name).suffix.lower()], entry.file_size / max(entry.compress_size, 1)
        if entry.file_size > large or (entry.file_size > FREE and ratio > MAX_RATIO):
            raise ArchiveError(
                Message(
                    "{name} unpacks to {file_size} bytes, more than such a file has.",
                    name=repr(name),
                    file_size=entry.file_size,
                )
            )
        taken[name] = entry
        folded.add(name.casefold())
    whole = sum(entry.file_size for entry in taken.values())
    if whole > most:
        raise ArchiveError(
            Message(
                "it unpacks to {whole} MB; at most {most} MB are accepted.",
                whole=f"{whole / 1000000.0:.0f}",
                most=f"{most / 1000000.0:.0f}",
            )
        )
    if not {"story.json", "draft.json"} & taken.keys():
        raise ArchiveError(Message("there is no story in it; give a ZIP that AnyStory saved."))
    return taken


def _wanted(lists: Mapping[str, bytes]) -> set[str]:
    """The files that a story's lists name, as far as they can be read: what is wrong with them is told later."""
    wanted = set[str]()
    for name, data in lists.items():
        with contextlib.suppress(SchemaError, ProjectError):
            wanted |= {*_pictures(name, data)}
    return wanted


def _content(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, name: str) -> bytes:
    """An entry's bytes, of the size it says."""
    with archive.open(entry) as source:
        data = source.read(entry.file_size + 1)
    if len(data) != entry.file_size:
        raise ArchiveError(Message("{name} is not of the size that it states.", name=repr(name)))
    return data


def _pixels(data: bytes) -> int:
    """How many pixels a picture says it has; 0 for what is none."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(data)) as picture:
                return picture.width * picture.height
    except Image.DecompressionBombError:
        return MAX_ALL_PIXELS
    except Exception:  # whatever a false picture raises
        return 0


def _check(data: bytes, name: str) -> None:
    """Refuse what is not what its name says; of an own drawing's picture, as where it is drawn, the content says it."""
    try:
        if name.startswith(OWN) and name.lower().endswith(PICTURES):
            open_image(data)
        elif name.endswith(".png"):
            with Image.open(io.BytesIO(data), formats=["PNG"]) as picture:
                if picture.width * picture.height > MAX_FRAME:
                    raise ValueError("too many pixels")
                picture.load()
        elif name.endswith("-maps.npz"):
            with zipfile.ZipFile(io.BytesIO(data)) as arrays:
                if sum(array.file_size for array in arrays.infolist()) > 2 * MAX_TRACE:
                    raise ValueError("too large")
            with np.load(io.BytesIO(data), allow_pickle=False) as arrays:
                [arrays[key] for key in arrays.files]
    except Exception as error:  # whatever a false picture or archive raises
        raise ArchiveError(Message("{name} is not what its name says.", name=repr(name))) from error


def _verified(folder: Path) -> list[str]:
    """Read the whole story as it will be used; frames that are not whole are taken off its list."""
    if (folder / "draft.json").exists():
        load_draft(folder)
    path = folder / "story.json"
    if not path.exists():
        return []
    try:
        data = read_list(path.read_bytes())
        for name in _named(data):
            if not NAMES.fullmatch(name):
                raise ArchiveError(
                    Message("its story names the file {name}, which no story has.", name=repr(str(name)[:80]))
                )
        data["script"] = dump_script(without_pictures(data["script"], [each["name"] for each in data["subjects"]]))
    except ScriptError as error:
        raise ArchiveError(error.said) from error
    except SchemaError as error:
        raise ArchiveError(Message("its story.json is damaged: {error}; save the story again.", error=error)) from error
    _write(path, data)
    project = Project(folder)
    project.story()
    notes: list[str] = []
    whole = []
    numbers = {entry.panel: number for number, entry in project.entries.items()}
    for panel in data["panels"]:
        if panel["panel"] not in numbers:
            continue
        panel["number"] = numbers[panel["panel"]]
        try:
            project.frame(panel["number"])
        except ProjectError:
            notes.append(
                Message(
                    "The frame of panel {panel} is incomplete and was left out; render it again.", panel=panel["number"]
                )
            )
            continue
        if panel["trace"] is not None:
            try:
                read_trace(folder / panel["trace"], panel["key"])
            except (OSError, ValueError):
                (folder / panel["trace"]).unlink(missing_ok=True)
                panel = panel | {"trace": None}
                notes.append(
                    Message("The trace of panel {panel} is incomplete and was left out.", panel=panel["number"])
                )
        whole.append(panel)
    known = {(kept.panel, kept.key) for kept in project.history if project.is_readable(kept)}
    history = [kept for kept in data["history"] if (kept["panel"], kept["key"]) in known]
    _write(path, data | {"panels": whole, "history": history})
    return notes


def _write(path: Path, data: dict[str, Any]) -> None:
    write_atomic({path: (json.dumps(data, indent=2, ensure_ascii=False) + "\n").encode("utf-8")})
