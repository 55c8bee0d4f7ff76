"""A story's folder: script, cut-outs, frames and routing maps on disk, and back again.

    story.json              version, backend, script, settings, cut-outs, and every finished panel
    subjects/NAME.png       RGBA, alpha = the mask; story.json says from which words a character was drawn, if it was;
                            further pictures of a character are NAME_2.png and so on
    things/, places/        the story's own drawings of things and places; see `anystory.project.own`
    drawn/KEY.png           drawings of characters that came without a picture; see `anystory.render.portraits`
    frames/001.png          the frame; prompt, seed, settings, backend, version, key, notes, what it is but a
                            model's drawing from noise, and the whole story (`anystory.project.imprint`) as PNG text
    frames/001-maps.npz     names (unicode: the panel's cast, then the background) as they were then, story.json has
                            those by now; maps float16 (S+1, h, w), what they measure, key
    history/KEY.png         frames that stood or could stand in a panel's place, with KEY-maps.npz; the same content
                            (also of the last panels that were removed, whose words may come back)
    frames/001-trace.npz    the maps of every layer and step, where they were asked for
    (`anystory.story.model.read_trace`) .lock                   held while story.json is written

Frames and histories belong to panels, which story.json tells apart by numbers of its own: `order` has them in the order
of the script's panels, `removed` those that are gone. They stay with a panel whatever becomes of the script
(`anystory.project.lineage`).

Every file is written beside its place, to the disk itself, and renamed, so a file that is there is whole. Picture, maps
and trace carry the key story.json lists for the panel, so after a crash between two renames nothing false is believed.
While frames go to other panels' places, story.json lists them under names of a history's.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import io
import json
import os
import re
import secrets
import shutil
import struct
import time
import unicodedata
import zlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from operator import itemgetter
from pathlib import Path
from types import MappingProxyType
from typing import Any, BinaryIO, TypeVar

import numpy as np
from filelock import FileLock, Timeout
from PIL import Image, UnidentifiedImageError
from PIL.PngImagePlugin import PngInfo, putchunk

from anystory.errors import AnyStoryError, Message
from anystory.maps.diagnosis import diagnose
from anystory.project.imprint import KEY as IMPRINT
from anystory.project.imprint import AskedStory, asked_in_png, imprint, unlisted
from anystory.project.lineage import lineage, renamed, renames
from anystory.project.own import drawings_of
from anystory.project.schema import STORY as STORY_JSON
from anystory.project.schema import SchemaError, parsed, read_settings
from anystory.script.form import ScriptError, shown
from anystory.script.read import parse_script
from anystory.script.write import dump_script
from anystory.story.from_sketch import KEY, OFF, FromSketch
from anystory.story.model import (
    ROUTING,
    CastMember,
    Frame,
    Panel,
    RoutingMaps,
    RoutingTrace,
    Script,
    Settings,
    Story,
    Subject,
    dump_trace,
    read_trace,
)

T = TypeVar("T")
L = TypeVar("L", "Entry", "Kept")

VERSION = 4

STORY = "story.json"

LOCKED = 10
"""Seconds to wait for another program that is writing, which takes it milliseconds."""

KEPT = 12
"""Frames per panel that its history holds; the oldest goes first."""

CLUTTER = re.compile(r"\.DS_Store|\._.+|Thumbs\.db|desktop\.ini|\..+\.[0-9a-f]{8}\.part", re.IGNORECASE)
"""Names of files that lie in a folder without anybody's having put them there."""

ABANDONED = 24 * 3600
"""Seconds after which nobody writes to a file any more that was not renamed to its own name."""

REMOVED = 12
"""Panels that are gone whose frames are kept, in case their words come back; the one that went first is forgotten."""

SHORT = 8
"""Digits of a key that people are told: enough to tell the frames of a history apart."""


class ProjectError(AnyStoryError, RuntimeError):
    """A folder cannot be read or written. The message is one sentence for the user: of the `file` or folder, if there
    is one, what the `reason` says."""

    def __init__(self, reason: str, file: Path | None = None) -> None:
        super().__init__(reason if file is None else Message("{file} {reason}", file=file, reason=reason))
        self.reason, self.file = reason, file


@dataclass(frozen=True)
class Entry:
    """A finished panel as story.json lists it: `number` from 1, `panel` which never changes, the `seed` used, the `key`
    of everything its pixels depend on, the `names` of its maps; `image`, `maps` and `trace` (None: not kept) are paths
    from the folder.

    `asked` is the key of the panel as it was asked for. It differs from `key` where the frame is not of the first of
    the `tries` seeds that were tried, or was drawn in another precision for want of memory. `diagnosis` holds the
    numbers of `anystory.maps.diagnosis`. A `pinned` frame stays whatever is asked for.
    """

    number: int
    panel: int
    seed: int
    key: str
    names: tuple[str, ...]
    image: str
    maps: str
    trace: str | None
    asked: str
    tries: int
    diagnosis: dict[str, Any]
    pinned: bool = False

    @property
    def short(self) -> str:
        """The frame as people are told of it: the first digits of its key, and its seed."""
        return _short(self)


@dataclass(frozen=True)
class Kept:
    """A frame of a panel's history: `panel`, `seed`, `key`, `names`, `image`, `maps`, `asked`, `tries` and `short` are
    as in `Entry`."""

    panel: int
    seed: int
    key: str
    names: tuple[str, ...]
    image: str
    maps: str
    asked: str
    tries: int

    @property
    def short(self) -> str:
        """As `Entry.short`."""
        return _short(self)


@dataclass(frozen=True)
class _Files:
    """A frame as its files have it: `image` and `trace` (None: without one) are their bytes, not decoded."""

    image: bytes
    maps: RoutingMaps
    seed: int
    trace: bytes | None = None


def _short(listed: Entry | Kept) -> str:
    return f"{listed.key[:SHORT]} (seed {listed.seed})"


def content(subject: Subject) -> str:
    """What a subject looks like, as a hash: the pixels and masks of its pictures, whatever its name."""
    digest = hashlib.sha256()
    for image, mask in subject.pictures:
        digest.update(repr(image.size).encode())
        digest.update(image.tobytes())
        digest.update(mask.tobytes())
    return digest.hexdigest()


def cutout(subject: Subject) -> Image.Image:
    """The subject's first picture as RGBA with its mask as alpha. Colours under alpha 0 stay, so the mask can be
    corrected later."""
    return cutouts(subject)[0]


def cutouts(subject: Subject) -> tuple[Image.Image, ...]:
    """Every picture of the subject as `cutout` gives the first."""
    found = []
    for image, mask in subject.pictures:
        rgba = image.copy()
        rgba.putalpha(mask)
        found.append(rgba)
    return tuple(found)


def subject_files(names: Sequence[str]) -> dict[str, str]:
    """A safe file name for each of `names`: lower-case letters, digits and dashes, with a short hash where two
    names would meet in one file (also on file systems that ignore case) or the word is not allowed on Windows."""
    slugs = {}
    for name in names:
        slug = re.sub(r"[\W_]+", "-", unicodedata.normalize("NFKC", name).lower()).strip("-")[:40]
        slugs[name] = slug or "subject"
    count = Counter(slugs.values())
    for name, slug in slugs.items():
        if count[slug] > 1 or re.fullmatch(r"con|prn|aux|nul|(com|lpt)\d", slug):
            slugs[name] = f"{slug}-{hashlib.sha256(name.encode('utf-8', 'surrogatepass')).hexdigest()[:8]}"
    return {name: f"subjects/{slug}.png" for name, slug in slugs.items()}


def more_files(file: str, count: int) -> list[str]:
    """The files of `count` further pictures of whom `subject_files` gives `file`; no name's own file has a "_"."""
    return [f"{file.removesuffix('.png')}_{number}.png" for number in range(2, count + 2)]


def history_file(key: str, end: str = ".png") -> str:
    """The path of a frame of a history, or of what belongs to it, from the folder."""
    return f"history/{key[:32]}{end}"


def frame_file(number: int, end: str = ".png") -> str:
    """The path of a panel's frame (from 1), or of what belongs to it, from the folder."""
    return f"frames/{number:03d}{end}"


Contents = bytes | Callable[[BinaryIO], None]
"""What goes into a file, or what writes it there."""


def write_atomic(files: Mapping[Path, Contents] | Iterable[tuple[Path, Contents]]) -> None:
    """Write every file beside its place, one after the other, then rename them all: a full disk leaves what was there
    before, and so does a loss of power until this returns; after that what is new is there. Raises ProjectError with a
    sentence, and what making the files raises as it is."""
    parts: dict[Path, Path] = {}
    try:
        for path, contents in files.items() if isinstance(files, Mapping) else files:
            with _writing(path):
                if path.exists() and not path.is_file():
                    raise ProjectError(Message("is not a file; choose another name."), path)
                make_folder(path.parent)
                # Of a name that no other program takes, which may write the same file at the same time.
                parts[path] = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
                with parts[path].open("wb") as file:
                    if isinstance(contents, bytes):
                        file.write(contents)
                    else:
                        contents(file)
                    settle(file)
        for path, part in parts.items():
            with _writing(path):
                os.replace(part, path)
    except BaseException:
        for part in parts.values():
            with contextlib.suppress(OSError):
                part.unlink()
        raise
    for folder in {path.parent for path in parts}:
        settle_folder(folder)


@contextlib.contextmanager
def _writing(path: Path) -> Iterator[None]:
    """Tells in a sentence why a file cannot be written."""
    try:
        yield
    except OSError as error:
        full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        raise ProjectError(
            Message(
                "cannot be written ({strerror}); {advice}choose another folder (what was finished before is kept).",
                strerror=error.strerror or error,
                advice=Message("free space there or ") if full else "",
            ),
            path,
        ) from error


def make_folder(folder: Path) -> None:
    """Make a folder where it is not there yet, with those above it, and have their names on the disk itself. Raises
    OSError."""
    new = [each for each in (folder, *folder.parents) if not each.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    for each in new:
        settle_folder(each.parent)


def linked(source: str | Path, target: str | Path) -> None:
    """Have a file that is only ever replaced as a whole in a second place, as the same one where the disk can. Raises
    OSError where it cannot be read or written."""
    try:
        os.link(source, target)
    except OSError:  # another disk, or one that knows no links
        with open(source, "rb") as old, open(target, "wb") as new:
            shutil.copyfileobj(old, new)
            settle(new)


def settle(file: BinaryIO) -> None:
    """Have what was written to a file on the disk itself, before it gets its name: a loss of power leaves names and
    content in any order. Raises OSError where the disk fails."""
    file.flush()
    try:
        os.fsync(file.fileno())
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):  # what a disk says that knows no such thing
            raise


def settle_folder(folder: Path) -> None:
    """Have the names in a folder on the disk itself, where a system knows how."""
    with contextlib.suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def settle_folders(folder: Path) -> None:
    """`settle_folder` of a folder and of all inside it."""
    for inside, _, _ in os.walk(folder):
        settle_folder(Path(inside))


def is_clutter(path: Path) -> bool:
    """Whether a file is nobody's work: a file manager's, or one that `write_atomic` was killed over."""
    return CLUTTER.fullmatch(path.name) is not None and path.is_file()


def sweep(folder: Path) -> None:
    """Remove what `write_atomic` was killed over, in a folder and those in it."""
    with contextlib.suppress(OSError):
        for part in (*folder.glob(".*.part"), *folder.glob("*/.*.part")):
            if time.time() - part.stat().st_mtime > ABANDONED:
                part.unlink()


_PNG_COLOURS = {"L": 0, "RGB": 2, "LA": 4, "RGBA": 6}
"""PNG's number for each kind of picture that it holds as it is."""

_UP = 2
"""PNG's filter that keeps of each byte what it differs by from the one above."""


def png(image: Image.Image, text: dict[str, str] | None = None) -> bytes:
    """`image` as PNG bytes with `text` in its text chunks: a frame of 1024 x 1024 in 40 ms, where Pillow's quickest
    takes 80 ms for as much, most of them to choose a filter for each row; painted pictures do as well with one."""
    if image.mode not in _PNG_COLOURS:
        image = image.convert("RGBA" if image.has_transparency_data else "RGB")
    info = PngInfo()
    for key, value in (text or {}).items():
        info.add_text(key, value)
    pixels = np.asarray(image).reshape(image.height, -1)
    rows = np.empty((image.height, 1 + pixels.shape[1]), np.uint8)
    rows[:, 0] = _UP
    rows[0, 1:] = pixels[0]
    np.subtract(pixels[1:], pixels[:-1], out=rows[1:, 1:])
    buffer = io.BytesIO()
    buffer.write(b"\x89PNG\r\n\x1a\n")
    putchunk(buffer, b"IHDR", struct.pack(">2I5B", *image.size, 8, _PNG_COLOURS[image.mode], 0, 0, 0))
    for kind, data, *_ in info.chunks:
        putchunk(buffer, kind, data)
    putchunk(buffer, b"IDAT", zlib.compress(rows.data, level=1))
    putchunk(buffer, b"IEND", b"")
    return buffer.getvalue()


def migrate(data: Any) -> dict[str, Any]:
    """The content of a story.json of any version we know, as the present version. Raises ProjectError."""
    version = data.get("version") if isinstance(data, dict) else None
    if version == VERSION:
        return data
    if version == 1:  # no traces, no retries; the diagnosis is made when the story is next rendered
        more: dict[str, Any] = {"trace": None, "tries": 1, "diagnosis": {}}
        return migrate(
            data | {"version": 2, "panels": [{**panel, "asked": panel["key"], **more} for panel in data["panels"]]}
        )
    if version == 2:  # no history, nothing pinned
        return migrate(data | {"version": 3, "history": []})
    if version == 3:  # frames and histories belonged to numbers
        order = list(range(1, len(data["script"]["panels"]) + 1))
        # A panel that is gone may have left its history, which no new one gets.
        used = [*order, *(listed["number"] for listed in (*data["panels"], *data["history"]))]
        return data | {
            "version": 4,
            "order": order,
            "next": max(used, default=0) + 1,
            "removed": [],
            "panels": [{**panel, "panel": panel["number"]} for panel in data["panels"]],
            "history": [
                {"panel": kept["number"], **{key: value for key, value in kept.items() if key != "number"}}
                | {"asked": kept["key"], "tries": 1}
                for kept in data["history"]
            ],
        }
    if isinstance(version, int) and version > VERSION:
        raise ProjectError(
            Message(
                "it was written by a newer AnyStory (version {version}, this one reads up to {version2}); "
                "update AnyStory.",
                version=shown(version),
                version2=VERSION,
            )
        )
    raise ProjectError(Message("it does not say which version it is; choose another folder."))


def read_list(data: bytes) -> dict[str, Any]:
    """What a story.json of any version we know lists, as the present version, held against the schema. Raises
    SchemaError, or ProjectError for a version that we do not know."""
    try:
        now = migrate(parsed(data))
    except (LookupError, TypeError, AttributeError) as error:
        raise SchemaError(Message("it lacks what its version has")) from error
    STORY_JSON(now, "")
    known = [*now["order"], *(each["panel"] for each in now["removed"])]
    if len({*known}) < len(known) or max(known, default=0) >= now["next"]:
        raise SchemaError(Message("its panels cannot be told apart"))
    if len(now["order"]) != len(now["script"]["panels"]):
        raise SchemaError(Message("it has other panels than its script"))
    return now


def _as_listed(kind: type[L], listed: Mapping[str, Any]) -> L:
    """A frame as story.json lists it; what a newer version added is left out."""
    known = {each.name: listed[each.name] for each in fields(kind) if each.name in listed}
    return kind(**{**known, "names": tuple(listed["names"])})


def _shown(panel: Any) -> Any:
    """What a frame shows of a panel, as a script's data have it; of a panel that is a line, the line."""
    return (panel.get("prompt"), panel.get("cast")) if isinstance(panel, Mapping) else panel


def _gone(panel: int, words: Panel, entry: Entry | None) -> dict[str, Any]:
    """A panel that is gone, as story.json remembers it."""
    key, pinned = (entry.key, entry.pinned) if entry else (None, False)
    return {"panel": panel, "prompt": words.prompt, "cast": [*words.cast], "key": key, "pinned": pinned}


def _files_of(listed: Iterable[Entry | Kept]) -> set[str]:
    """The files of listed frames."""
    return {file for each in listed for file in (each.image, each.maps, getattr(each, "trace", None)) if file}


def _as_called(names: tuple[str, ...], now: Mapping[str, str]) -> tuple[str, ...]:
    """The names of a frame's maps, some of whom may have been renamed since."""
    return tuple(now.get(name, name) for name in names)


def _called(gone: dict[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    """A panel that is gone, whose characters may have been renamed since."""
    words = renamed(Panel(gone["prompt"], tuple(gone["cast"])), names)
    return gone | {"prompt": words.prompt, "cast": [*words.cast]}


def left_out(error: ProjectError) -> str:
    """A sentence on a frame that cannot be read and that others do without."""
    return Message("{error} It is left out: render it again.", error=error)


def _reason(error: Exception) -> Exception | Message:
    """Why a frame cannot be read; of a picture that is none, Pillow names but the bytes in memory."""
    return Message("its picture is not a whole PNG.") if isinstance(error, UnidentifiedImageError) else error


def _look(file: Path) -> tuple[Image.Image, Image.Image]:
    """A cut-out from the disk as image and mask. Raises ValueError with a sentence."""
    try:
        with Image.open(file, formats=["PNG"]) as picture:
            rgba = picture.convert("RGBA")
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:  # what PIL raises for such files
        why = (isinstance(error, OSError) and error.strerror) or "it is not a whole PNG"
        raise ValueError(f"the cut-out {file.name} cannot be read ({why}).") from error
    return rgba.convert("RGB"), rgba.getchannel("A")


def packed_maps(maps: RoutingMaps, key: str) -> bytes:
    """A frame's maps as an npz file."""
    buffer = io.BytesIO()
    values = maps.values.astype(np.float16)
    np.savez_compressed(buffer, names=np.array(maps.names), maps=values, measure=maps.measure, key=key)
    return buffer.getvalue()


def _script(data: Any, subjects: Iterable[str]) -> Script:
    """The script of story.json. `subjects` that its cast lacks are members too. Raises ScriptError."""
    return parse_script(data, cast=unlisted(data, subjects))


class Project:
    """One project folder. Opening reads what is there; a folder without story.json is a new project.

    `entries` are the finished panels by number, `history` what else was made for any panel, oldest first; `story()` and
    `frame()` read back, `begin()` and `save()` write. Several programs may write to one folder: what another one has
    listed meanwhile is taken in, but for panels that both changed, and its script stays if it began after this one.
    Numbers are always those of the script that this one has begun or read: a frame finds its panel wherever that is in
    the folder's script by now, and goes to its history where the folder's has other words for it or is without it.
    Raises ProjectError where story.json is damaged, foreign or from a newer version.
    """

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)
        self.history: list[Kept] = []
        self._frames: dict[int, Entry] = {}
        self._order: tuple[int, ...] = ()
        self._lock = FileLock(self.folder / ".lock", timeout=LOCKED)
        self._cutouts: dict[str, dict[str, Any]] = {}
        self._data: dict[str, Any] | None = None
        self._head: dict[str, Any] | None = None
        self._seen: tuple[dict[int, Entry], frozenset[Kept]] = {}, frozenset()
        self._read = b""
        path = self.folder / STORY
        try:
            self._read = path.read_bytes()
            self._data = read_list(self._read)
            self._order = tuple(self._data["order"])
            listed = [_as_listed(Entry, panel) for panel in self._data["panels"]]
            self._frames = {entry.panel: entry for entry in listed if entry.panel in self._order}
            self.history = [_as_listed(Kept, kept) for kept in self._data["history"]]
            self._cutouts = {subject["name"]: subject for subject in self._data["subjects"]}
            self._remember(self._data)
        except FileNotFoundError:
            pass
        except ProjectError as error:
            raise ProjectError(Message("cannot be opened: {error}", error=error), path) from error
        except OSError as error:
            raise ProjectError(Message("cannot be read ({strerror}).", strerror=error.strerror), path) from error
        except SchemaError as error:
            raise ProjectError(
                Message("is damaged: {error}; move it away or choose another folder.", error=error), path
            ) from error

    @property
    def entries(self) -> dict[int, Entry]:
        """The finished panels by number."""
        listed = ((number, self._frames.get(panel)) for number, panel in enumerate(self._order, 1))
        return {number: entry for number, entry in listed if entry}

    def history_of(self, number: int) -> list[Kept]:
        """What else was made for panel `number`, oldest first."""
        own = self._order[number - 1 : number] if number > 0 else ()
        return [kept for kept in self.history if kept.panel in own]

    def panel(self, number: int) -> int:
        """The panel of a number, which is the same whatever number it has elsewhere. Raises ProjectError where there is
        none."""
        if not 1 <= number <= len(self._order):
            raise ProjectError(
                Message(
                    "There is no panel {number}; the story has panels 1 to {count}.",
                    number=number,
                    count=len(self._order),
                )
            )
        return self._order[number - 1]

    def number(self, panel: int) -> int | None:
        """The number that a panel has; None where it is gone."""
        return self._order.index(panel) + 1 if panel in self._order else None

    @property
    def made_with(self) -> tuple[str, str]:
        """Name and version of the backend that the story was last rendered with. Raises ProjectError for a new
        project."""
        backend = self._listed()["backend"]
        return backend["name"], backend["version"]

    def _listed(self) -> dict[str, Any]:
        if self._data is None:
            raise ProjectError(Message("holds no story.json; choose the folder of a rendered story."), self.folder)
        return self._data

    def _at_hand(self) -> dict[str, Any]:
        """What story.json says besides frames and histories, by whatever program."""
        if self._head is None:
            raise ProjectError(Message("holds no story.json; choose the folder of a rendered story."), self.folder)
        return self._head

    def story(self) -> Story:
        """The story as it was last rendered: script, cut-outs, settings. A member of the script's cast has
        the paths of its cut-outs as images, or None. Raises ProjectError for a new or a damaged project."""
        data = self._listed()
        try:
            cast, subjects = [], []
            script = _script(data["script"], self._cutouts)
            for member in script.cast:
                if listed := self._cutouts.get(member.name):
                    first, *more = [self._inside(file) for file in (listed["file"], *listed.get("more", ()))]
                    member = replace(member, image=first, more=tuple((file, None) for file in more))
                    (image, mask), *others = map(_look, (first, *more))
                    drawn = listed.get("drawn", "")
                    told = member.description, drawn, tuple(others), member.height, member.facing
                    subjects.append(Subject(member.name, image, mask, *told))
                cast.append(member)
            script = replace(script, cast=tuple(cast)).beside(self.folder)
            return Story(script, tuple(subjects), read_settings(data["settings"]))
        except ValueError as error:
            raise ProjectError(Message("holds a damaged story: {error}", error=error), self.folder) from error

    def frame(self, number: int) -> Frame:
        """The finished frame of panel `number` (from 1), its maps as float32, with its trace if there is a whole one.
        Raises ProjectError when it is not there, not whole, or not the one story.json lists."""
        return self._read_of(number, lambda entry: replace(self._frame(entry), trace=self._trace(entry)))

    def frames(self) -> tuple[dict[int, Frame], list[str]]:
        """Every finished frame that can be read, by number, and a sentence on each that cannot."""
        found, lost = {}, []
        for number in self.entries:
            try:
                found[number] = self.frame(number)
            except ProjectError as error:
                lost.append(left_out(error))
        return found, lost

    def unreadable(self) -> dict[int, ProjectError]:
        """The finished frames that cannot be read, by number; quick, as no pixel is decoded."""
        lost = {}
        for number in self.entries:
            try:
                self._read_of(number, self._whole)
            except ProjectError as error:
                lost[number] = error
        return lost

    def _read_of(self, number: int, read: Callable[[Entry], T]) -> T:
        """What `read` finds in the frame of a panel, asked again where another program was just writing it."""
        try:
            entry = self.entries[number]
        except KeyError as error:
            raise ProjectError(
                Message(
                    "Panel {number} has no readable frame in {folder}: it has none yet.",
                    number=number,
                    folder=self.folder,
                )
            ) from error
        try:
            return read(entry)
        except Exception:
            try:
                with self._alone():
                    self._take_in()
                    return read(self.entries[number])
            except Exception as error:  # whatever a broken picture or archive raises, the frame is not to be had
                raise ProjectError(
                    Message(
                        "Panel {number} is pinned to a frame in {folder} that cannot be read: {error}"
                        if entry.pinned
                        else "Panel {number} has no readable frame in {folder}: {error}",
                        number=number,
                        folder=self.folder,
                        error=_reason(error),
                    )
                ) from error

    def lost(self, numbers: Iterable[int]) -> list[int]:
        """Which of these panels have no frame here, or one whose files are gone."""
        entries = {number: self.entries.get(number) for number in sorted(numbers)}
        return [
            number
            for number, entry in entries.items()
            if entry is None or not all(self._is_there(file) for file in (entry.image, entry.maps))
        ]

    def maker(self, number: int) -> tuple[str, str]:
        """Name and version of the backend that made the frame of panel `number`, as its picture says. Raises
        ProjectError when there is none."""
        return self._read_of(number, self.made_by)

    def made_by(self, listed: Entry | Kept) -> tuple[str, str]:
        """Name and version of the backend that made a listed frame, as its picture says. Raises ProjectError when it
        cannot be read."""
        try:
            with Image.open(self._inside(listed.image), formats=["PNG"]) as picture:
                return str(picture.info["backend"]), str(picture.info["version"])
        except Exception as error:  # as in `frame`
            raise self._broken(listed, error) from error

    def _broken(self, listed: Entry | Kept, error: Exception) -> ProjectError:
        """What is told of a listed frame that `error` keeps from being read."""
        return ProjectError(
            Message(
                "The frame {short} in {folder} cannot be read: {error}",
                short=listed.short,
                folder=self.folder,
                error=_reason(error),
            )
        )

    def asked(self, number: int) -> AskedStory | None:
        """What the picture of panel `number` tells of what was asked for; None where it tells nothing."""
        try:
            return asked_in_png(self._inside(self.entries[number].image).read_bytes())
        except (KeyError, OSError, ValueError):  # of which ImprintError is one
            return None

    def kept(self, number: int, key: str) -> Frame:
        """The frame of `key`, or of its first digits, `SHORT` or more, in the history of panel `number`. Raises
        ProjectError where there is none."""
        listed = self._listed_of(number, key)
        try:
            return self._frame(listed)
        except Exception as error:  # as in `frame`
            raise self._broken(listed, error) from error

    def is_readable(self, listed: Entry | Kept) -> bool:
        """Whether a listed frame is whole on disk."""
        try:
            return self._frame(listed) is not None
        except Exception:  # as in `frame`
            return False

    def _listed_of(self, number: int, key: str) -> Kept:
        own = self.history_of(number)
        for kept in own:
            if len(key) >= SHORT and kept.key.startswith(key):
                return kept
        there = (
            Message("there are {keys}", keys=", ".join(kept.short for kept in own)) if own else Message("it is empty")
        )
        raise ProjectError(
            Message(
                "There is no frame {key} in the history of panel {number}; {there}.",
                key=repr(key),
                number=number,
                there=there,
            )
        )

    def _frame(self, entry: Entry | Kept) -> Frame:
        """A listed frame without its trace. Raises whatever a broken picture or archive raises."""
        picture, routing = self._whole(entry), self._maps(entry)
        notes = tuple(map(str, json.loads(picture.info.get("notes", "[]"))))
        version = str(picture.info.get("version", ""))
        taken = FromSketch.read(picture.info.get(KEY, OFF))
        return Frame(picture.convert("RGB"), routing, entry.seed, notes=notes, version=version, from_sketch=taken)

    def _maps(self, entry: Entry | Kept) -> RoutingMaps:
        """The maps of a listed frame, under the names by now: those in the file are of when it was written."""
        with np.load(self._inside(entry.maps), allow_pickle=False) as maps:
            measure = str(maps["measure"]) if "measure" in maps else ROUTING
            return RoutingMaps(entry.names, maps["maps"].astype(np.float32), measure)

    def _files(self, entry: Entry | Kept) -> _Files:
        """A listed frame as its files have it, which are whole. Raises as `_frame`."""
        self._whole(entry)
        trace = None
        if isinstance(entry, Entry) and entry.trace and self._trace(entry):
            trace = self._inside(entry.trace).read_bytes()
        return _Files(self._inside(entry.image).read_bytes(), self._maps(entry), entry.seed, trace)

    def _whole(self, entry: Entry | Kept) -> Image.Image:
        """The picture of a listed frame, which is whole and the one that is listed, as its maps are; not decoded yet.
        Raises as `_frame`."""
        data = self._inside(entry.image).read_bytes()
        Image.open(io.BytesIO(data), formats=["PNG"]).verify()
        picture = Image.open(io.BytesIO(data), formats=["PNG"])
        with np.load(self._inside(entry.maps), allow_pickle=False) as maps:
            keys = {picture.info.get("key"), str(maps["key"])}
            if damaged := maps.zip.testzip():
                raise ValueError(f"{damaged} in {Path(entry.maps).name} is damaged")
        if keys != {entry.key}:
            raise ValueError("the files are not the ones story.json lists")
        return picture

    def trace(self, number: int) -> RoutingTrace:
        """The trace of panel `number`. Raises ProjectError where there is no whole one."""
        if number not in self.entries:
            raise ProjectError(
                Message(
                    "Panel {number} has no frame in {folder}; render it with --trace.",
                    number=number,
                    folder=self.folder,
                )
            )
        trace = self._trace(self.entries[number])
        if trace is None:
            raise ProjectError(
                Message(
                    "Panel {number} has no trace in {folder}; render it again with --trace: its frame stays the same.",
                    number=number,
                    folder=self.folder,
                )
            )
        return trace

    def _trace(self, entry: Entry) -> RoutingTrace | None:
        try:
            if not entry.trace:
                return None
            return replace(read_trace(self._inside(entry.trace), entry.key), names=entry.names)
        except (OSError, ValueError):
            return None

    def finished(self, number: int, key: str) -> Frame | None:
        """The frame of panel `number` if it was made for exactly `key`, under whatever seed, or is pinned, and is whole
        on disk."""
        self._take_in()
        entry = self.entries.get(number)
        if entry is None or (entry.asked != key and not entry.pinned):
            return None
        try:
            return self.frame(number)
        except ProjectError:
            return None

    def begin(
        self,
        story: Story,
        keys: Sequence[str | None],
        names: Sequence[tuple[str, ...]],
        backend: str,
        version: str,
        own: Callable[[int, Entry | Kept], bool] = lambda number, entry: True,
    ) -> None:
        """Take `story` in before it is rendered by `backend`: write story.json and new cut-outs; find every panel of
        the story before again, and leave it its frame and its history wherever it stands by now; hand frames to the
        panels that now have their key (one that was asked for before costs nothing).

        `keys` and `names` (of the maps) stand for each panel of the script; a key is None where it is unknown. `own`
        tells whether a listed frame shows what the panel of that number asks for: one that was restored may show
        somebody else, and keeps the names it has. A pinned frame stays with its panel, and an outdated one until its
        panel is rendered again, unless it went to another panel. Of panels that are gone the frames go to the history:
        those of the last `REMOVED` are there again when their words are.
        """
        files = subject_files([subject.name for subject in story.subjects])
        described = {subject.name: subject.description for subject in story.subjects}
        listed_names = {member.name for member in story.script.cast}
        # A program's script may list nobody beside its subjects; what is written stands by itself.
        members = (*story.script.cast, *(CastMember(name) for name in described if name not in listed_names))
        cast = (
            replace(m, image=None, mask=None, more=(), description=described.get(m.name, m.description))
            for m in members
        )
        with self._alone():
            self._take_in()
            # Of the folder by now: another program may have put its own pictures into these files.
            before = {subject["name"]: subject for subject in (self._head or {}).get("subjects", ())}
            self._cutouts = {}
            changed: dict[Path, bytes] = {}
            for subject in story.subjects:
                listed: dict[str, Any] = {"name": subject.name, "file": files[subject.name]}
                listed["content"] = content(subject)
                more = more_files(listed["file"], len(subject.more))
                listed |= ({"drawn": subject.drawn} if subject.drawn else {}) | ({"more": more} if more else {})
                paths = [self.folder / file for file in (listed["file"], *more)]
                if before.get(subject.name) != listed or not all(path.exists() for path in paths):
                    changed |= zip(paths, map(png, cutouts(subject)), strict=True)
                self._cutouts[subject.name] = listed
            old, script = self._head, dump_script(replace(story.script, cast=tuple(cast)))
            was, called = self._renamed(old, story, before)
            self._data = self._head = {
                "version": VERSION,
                "backend": {"name": backend, "version": version},
                "script": script,
                "settings": story.settings.written,
                "subjects": list(self._cutouts.values()),
                **self._found_again(old, story, was, called),
            }
            self.history = [replace(kept, names=_as_called(kept.names, called)) for kept in self.history]
            try:
                drawings, gone = drawings_of(story.script, self.folder)
            except OSError as error:
                why = Message(
                    "{things} cannot be read ({strerror}); check the folder.",
                    things=error.filename,
                    strerror=error.strerror,
                )
                raise ProjectError(why) from error
            self._order = tuple(self._data["order"])
            sweep(self.folder)
            self._arrange(old, keys, names, own, called, changed | drawings)
            self._drop_cutouts(before.values())
            for path in gone:
                with contextlib.suppress(OSError):
                    path.unlink()

    def _renamed(
        self, old: dict[str, Any] | None, story: Story, looks: Mapping[str, dict[str, Any]]
    ) -> tuple[Script | None, dict[str, str]]:
        """The script of the story before, `old`, whose characters had these `looks`, and what those who were renamed
        since are called now, by their names then."""
        if old is None:
            return None, {}
        try:
            script = _script(old["script"], looks)
        except ScriptError as error:
            raise ProjectError(Message("holds a damaged story: {error}", error=error), self.folder) from error
        was = {member.name: looks.get(member.name, {}).get("content", "") for member in script.cast}
        names = dict.fromkeys([*(member.name for member in story.script.cast), *self._cutouts])
        now = {name: self._cutouts.get(name, {}).get("content", "") for name in names}
        return script, renames(was, now)

    def _drop_cutouts(self, before: Iterable[dict[str, Any]]) -> None:
        """Remove the files of cut-outs that are listed under another name by now."""
        looks = {listed["content"] for listed in self._cutouts.values()}
        used = {file for listed in self._cutouts.values() for file in (listed["file"], *listed.get("more", ()))}
        for listed in (listed for listed in before if listed.get("content") in looks):
            for file in {listed["file"], *listed.get("more", ())} - used:
                with contextlib.suppress(OSError, ValueError):
                    self._inside(file).unlink()

    def _found_again(
        self, old: dict[str, Any] | None, story: Story, script: Script | None, called: Mapping[str, str]
    ) -> dict[str, Any]:
        """The story's panels and those that are gone, as story.json has them, after the story of `old` and its
        `script`, some of whose characters are `called` otherwise by now."""
        panels = story.script.panels
        if old is None or script is None:
            return {"order": list(range(1, len(panels) + 1)), "next": len(panels) + 1, "removed": []}
        places = lineage(script.panels, panels, called)
        order: list[int | None] = [None if place is None else old["order"][place] for place in places]
        removed, number = [_called(gone, called) for gone in old["removed"]], old["next"]
        for index, words in enumerate(panels):
            if order[index] is None:
                back = [gone for gone in removed if (gone["prompt"], gone["cast"]) == (words.prompt, [*words.cast])]
                if back:
                    order[index] = back[-1]["panel"]
                    removed.remove(back[-1])
                else:
                    order[index], number = number, number + 1
        removed += [
            _gone(panel, script.panels[place], self._frames.get(panel))
            for place, panel in enumerate(old["order"])
            if panel not in order
        ]
        kept = {each.panel for each in self.history} | self._frames.keys()
        return {
            "order": order,
            "next": number,
            "removed": [gone for gone in removed if gone["panel"] in kept][-REMOVED:],
        }

    def save(
        self,
        number: int,
        frame: Frame,
        key: str,
        prompt: str,
        settings: Settings,
        *,
        asked: str | None = None,
        tries: int = 1,
        trace: bool = False,
    ) -> None:
        """Write the finished frame of panel `number` with its maps, and its trace if `trace`; list it in story.json.
        What was there goes to the history; where another program pinned that meanwhile, the new one does. `key` is that
        of the frame's seed, `asked` (None = the same) that of the panel's, `tries` as in `Entry`."""
        files = self._packed(number, frame, key, prompt, settings)
        if trace and frame.trace is not None:
            files = replace(files, trace=dump_trace(frame.trace, key))
        with self._alone():
            self._take_in()
            panel = self._order[number - 1]
            if self._stands(number) and not self._is_pinned(number):
                if self._retire(panel, key):
                    self._write_story()  # a kill while files take the place of others loses neither frame
                self._write_story(self._put(panel, files, key, asked or key, tries))
            else:
                self._add(panel, files, key, asked or key, tries)
                self._write_story()

    def keep(self, number: int, frame: Frame, key: str, prompt: str, settings: Settings) -> None:
        """Write a frame that could stand in the place of panel `number` to its history; arguments as in `save`."""
        files = self._packed(number, frame, key, prompt, settings)
        with self._alone():
            self._take_in()
            self._add(self._order[number - 1], files, key, key, 1)
            self._write_story()

    def restore(self, number: int, key: str, *, rewritten: bool = False) -> None:
        """Make a frame of its history, given as in `kept`, the one of panel `number`. The one that was there goes to
        the history. A render keeps it as long as what the panel asks for stays the same; `rewritten` tells that the
        panel asks for this very frame from now on."""
        with self._alone():
            self._take_in()
            listed = self._listed_of(number, key)
            if listed.panel not in self._at_hand()["order"]:
                raise ProjectError(
                    Message(
                        "Panel {number} is no longer in the story in {folder}; open the story again.",
                        number=number,
                        folder=self.folder,
                    )
                )
            try:
                files = self._files(listed)
            except Exception as error:  # as in `frame`
                raise self._broken(listed, error) from error
            entry = self._frames.get(listed.panel)
            asked, tries, pinned = (entry.asked, entry.tries, entry.pinned) if entry else (listed.key, 1, False)
            if rewritten:
                asked, tries = listed.key, 1
            if self._retire(listed.panel, listed.key):
                self._write_story()  # as in `save`
            self._write_story(self._put(listed.panel, files, listed.key, asked, tries, pinned))

    def pin(self, number: int, pinned: bool = True) -> None:
        """Keep the frame of panel `number` whatever is asked for, or no longer. Raises ProjectError where there is none
        or the one to be kept cannot be read."""
        self._listed()
        with self._alone():
            self._take_in()
            panel = self.panel(number)
            if pinned or panel not in self._frames:
                self.frame(number)
            self._frames[panel] = replace(self._frames[panel], pinned=pinned)
            self._write_story()

    def _stands(self, number: int) -> bool:
        """Whether the folder's script, which another program may have brought, has the panel of this number, and the
        same words for it."""
        mine, theirs = self._listed(), self._at_hand()
        if mine is theirs:
            return True
        panel = self._order[number - 1]
        if panel not in theirs["order"]:
            return False
        one, other = (_shown(data["script"]["panels"][data["order"].index(panel)]) for data in (mine, theirs))
        return one == other

    def _is_pinned(self, number: int) -> bool:
        """Whether the panel of a number has a frame that stays, which is whole."""
        entry = self.entries.get(number)
        return entry is not None and entry.pinned and self.is_readable(entry)

    def _retire(self, panel: int, key: str) -> bool:
        """Copy the frame of a panel to the history, unless it is the one of `key` or cannot be read. Returns whether
        story.json has to list it there before the files of another frame take its place."""
        entry = self._frames.get(panel)
        if entry is None or entry.key == key:
            return False
        try:
            files = self._files(entry)
        except Exception:  # whatever a broken picture or archive raises
            return False
        self._add(panel, files, entry.key, entry.asked, entry.tries)
        return True

    def _add(self, panel: int, frame: _Files, key: str, asked: str, tries: int) -> None:
        """Write a frame without its trace to the history, and let the oldest go."""
        picture, maps = (history_file(key, end) for end in (".png", "-maps.npz"))
        write_atomic({self.folder / maps: packed_maps(frame.maps, key), self.folder / picture: frame.image})
        self.history = [kept for kept in self.history if (kept.panel, kept.key) != (panel, key)]
        self.history.append(Kept(panel, frame.seed, key, frame.maps.names, picture, maps, asked, tries))
        own = [kept for kept in self.history if kept.panel == panel]
        self._forget(own[:-KEPT])

    def _forget(self, gone: Sequence[Kept]) -> None:
        self.history = [kept for kept in self.history if kept not in gone]
        self._clear(_files_of(gone))

    def _packed(self, number: int, frame: Frame, key: str, prompt: str, settings: Settings) -> _Files:
        """A frame without its trace as its files have it, with what its picture tells of itself."""
        listed = self._listed()
        backend = listed["backend"]
        shared = {name: value for name, value in settings.written.items() if name != "seed"}
        looks = {name: listed["content"] for name, listed in self._cutouts.items()}
        text = {
            "prompt": prompt,
            "seed": str(frame.seed),
            "settings": json.dumps(shared),
            "backend": backend["name"],
            "version": frame.version or backend["version"],
            "key": key,
            **({"made": frame.made} if frame.made else {}),
            **({"notes": json.dumps(frame.notes)} if frame.notes else {}),
            **({KEY: str(frame.from_sketch)} if frame.from_sketch else {}),
            IMPRINT: imprint(listed["script"], listed["settings"], looks, number),
        }
        return _Files(png(frame.image, text), frame.maps, frame.seed)

    def made_for(self, number: int, asked: str) -> None:
        """Let the frame of panel `number` be one that was made for the key `asked`, from the next `begin` on."""
        entry = self.entries[number]
        self._frames[entry.panel] = replace(entry, asked=asked)

    def tried(self, number: int, tries: int) -> None:
        """List that `tries` seeds were tried for panel `number`, and the frame that is there is still the best."""
        with self._alone():
            self._take_in()
            if (entry := self.entries.get(number)) and self._stands(number):
                self._frames[entry.panel] = replace(entry, tries=tries)
                self._write_story()

    def _arrange(
        self,
        old: dict[str, Any] | None,
        keys: Sequence[str | None],
        names: Sequence[tuple[str, ...]],
        own: Callable[[int, Entry | Kept], bool],
        names_now: Mapping[str, str],
        changed: Mapping[Path, bytes],
    ) -> None:
        """Bring the frames of the panels with `keys` to their places: their own, or that which was made for the key.
        `names_now` has the new names of who was renamed, `changed` what else is written with story.json."""
        frames, came_back = self._frames, {gone["panel"]: gone for gone in (old or {}).get("removed", ())}
        chosen: dict[int, Entry | Kept] = {}  # whose frame stands in the place of each number
        stale, pinned = dict[int, Entry | Kept](), set[int]()
        for number, (panel, key) in enumerate(zip(self._order, keys, strict=True), 1):
            now: Entry | Kept | None = frames.get(panel)
            if gone := came_back.get(panel):
                now = next((kept for kept in self.history if (kept.panel, kept.key) == (panel, gone["key"])), None)
            if now and (now.pinned if isinstance(now, Entry) else gone is not None and gone["pinned"]):
                pinned.add(number)
            if now and (now.asked == key or number in pinned):
                chosen[number] = now
            elif source := self._made_for(panel, key):
                chosen[number] = source
            if now and chosen.get(number) is not now:
                stale[number] = now
        claimed = {id(entry) for entry in chosen.values()}
        for number, entry in stale.items():
            if number not in chosen and id(entry) not in claimed:
                chosen[number] = entry
        moved: dict[int, tuple[_Files, str, str, int, bool]] = {}  # not decoded: there may be hundreds
        settled: dict[int, Entry] = {}
        for number, entry in list(chosen.items()):
            key, wanted = keys[number - 1], names[number - 1]
            asked = entry.asked if number in pinned or (number in stale and stale[number] is entry) else key
            same = asked == key and own(number, entry)
            called = wanted if same else _as_called(entry.names, names_now)
            if isinstance(entry, Entry) and entry.diagnosis:
                there = entry.panel, entry.image, entry.names, entry.asked
                if there == (self._order[number - 1], frame_file(number), called, asked):
                    settled[entry.panel] = entry
                    continue
            try:
                files = self._files(entry)
                moved[number] = (
                    replace(files, maps=replace(files.maps, names=called)),
                    entry.key,
                    asked or entry.asked,
                    entry.tries if entry.asked == asked else 1,
                    number in pinned,
                )
            except Exception:  # whatever a broken picture or archive raises: it will be rendered anew
                del chosen[number]
        for panel, was in frames.items():  # what goes from its place goes to its panel's history
            stands = chosen.get(self._order.index(panel) + 1) if panel in self._order else None
            if stands is not was:
                self._retire(panel, stands.key if stands else "")
        places = {frame_file(number) for number in moved}
        moving = [
            (entry, moved[number][0])
            for number in moved
            if isinstance(entry := chosen[number], Entry) and entry.image in places - {frame_file(number)}
        ]
        aside = self._set_aside(moving)
        self._frames = frames | {entry.panel: entry for entry in aside}
        self._write_story(changed)  # before files take the place of others, as in `save`
        self._frames, files = settled, dict[Path, bytes]()
        for number, put in moved.items():
            files |= self._put(self._order[number - 1], *put)
        self._write_story(files)
        known = {*self._order, *(gone["panel"] for gone in self._at_hand()["removed"])}
        self._forget([kept for kept in self.history if kept.panel not in known])
        self._clear(_files_of([*frames.values(), *aside]))
        self._write_story()

    def _set_aside(self, moving: Iterable[tuple[Entry, _Files]]) -> list[Entry]:
        """Give frames whose places others are about to take names of a history's, where nothing takes their place: so
        story.json has them whatever is renamed before a kill. Returns how they are listed meanwhile."""
        aside = []
        for entry, files in moving:
            picture, maps = (history_file(entry.key, end) for end in (".png", "-maps.npz"))
            try:
                make_folder((self.folder / picture).parent)
                for source, target in ((entry.maps, maps), (entry.image, picture)):
                    with contextlib.suppress(FileExistsError):  # the same frame, in a history too
                        os.link(self._inside(source), self.folder / target)
            except OSError:  # a disk that knows no links
                packed = packed_maps(files.maps, entry.key)
                write_atomic({self.folder / maps: packed, self.folder / picture: files.image})
            aside.append(replace(entry, image=picture, maps=maps))
        if aside:
            settle_folder(self.folder / "history")
        return aside

    def _clear(self, files: Iterable[str]) -> None:
        """Remove those files that nothing in story.json names any more."""
        for file in {*files} - _files_of([*self._frames.values(), *self.history]):
            with contextlib.suppress(OSError, ValueError):
                self._inside(file).unlink()

    def _made_for(self, panel: int, key: str | None) -> Entry | Kept | None:
        """A frame that was made for a key: of its own panel if there is one; one that was asked for before one that was
        found under its seed; one in its place before one of a history, and of those the newest."""
        if key is None:
            return None
        all_of: list[Entry | Kept] = [*self._frames.values(), *reversed(self.history)]
        for own in (True, False):
            for what in ("asked", "key"):
                for entry in all_of:
                    if (entry.panel == panel) == own and getattr(entry, what) == key:
                        return entry
        return None

    def _put(
        self, panel: int, frame: _Files, key: str, asked: str, tries: int, pinned: bool = False
    ) -> dict[Path, bytes]:
        """Enter a frame; returns its files, to be written with story.json. A trace it has not goes."""
        number = self._at_hand()["order"].index(panel) + 1
        picture, maps, packed = (frame_file(number, end) for end in (".png", "-maps.npz", "-trace.npz"))
        names = frame.maps.names
        files = {self.folder / maps: packed_maps(frame.maps, key), self.folder / picture: frame.image}
        if frame.trace is not None:
            files = {self.folder / packed: frame.trace, **files}
        if frame.trace is None:
            with contextlib.suppress(OSError):
                (self.folder / packed).unlink()
        trace = packed if frame.trace is not None else None
        self._frames[panel] = Entry(
            number=number,
            panel=panel,
            seed=frame.seed,
            key=key,
            names=names,
            image=picture,
            maps=maps,
            trace=trace,
            asked=asked,
            tries=tries,
            diagnosis=diagnose(frame.maps).as_data(),
            pinned=pinned,
        )
        return files

    def _write_story(self, files: Mapping[Path, bytes] = MappingProxyType({})) -> None:
        """Write story.json, and `files` with it. Where that fails, what was listed before is."""
        with self._alone():
            self._take_in()
            panels = sorted((asdict(entry) for entry in self._frames.values()), key=itemgetter("number"))
            history = [asdict(kept) for kept in self.history]
            text = json.dumps(
                {**(self._head or {}), "panels": panels, "history": history}, indent=2, ensure_ascii=False
            )
            self._read = (text + "\n").encode("utf-8")
            try:
                write_atomic({**files, self.folder / STORY: self._read})
            except ProjectError:
                self._frames = dict(self._seen[0])
                raise
            self._remember(self._head)

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        """While no other program writes to the folder; on disks that cannot lock files, without that."""
        try:
            make_folder(self.folder)
            self._lock.acquire()
        except Timeout as error:
            waited = f"{self._lock.timeout:g}"
            raise ProjectError(
                Message(
                    "was in use by another program for {seconds} seconds; try again when it is done.", seconds=waited
                ),
                self.folder,
            ) from error
        except (OSError, NotImplementedError):
            pass
        try:
            yield
        finally:
            self._lock.release()

    def _take_in(self) -> None:
        """Take in what another program has listed in story.json since it was read or written here."""
        try:
            if (self.folder / STORY).read_bytes() == self._read:
                return
        except OSError:  # not there yet, or taken away: then it is written anew
            return
        other, (entries, history) = Project(self.folder), self._seen
        mine = {n for n in self._frames | entries if self._frames.get(n) != entries.get(n)}
        listed = {n: entry for n, entry in other._frames.items() if n not in mine}
        self._frames = listed | {n: entry for n, entry in self._frames.items() if n in mine}
        gone, new = history - {*self.history}, [kept for kept in self.history if kept not in history]
        self.history = [kept for kept in other.history if kept not in gone and kept not in new] + new
        self._read, self._seen, self._head = other._read, other._seen, other._head
        if not self._order:  # this one has neither begun nor read a story
            self._order = other._order

    def _remember(self, head: dict[str, Any] | None) -> None:
        """What story.json lists, and the rest of it, as far as is known here."""
        self._seen, self._head = (dict(self._frames), frozenset(self.history)), head

    def _is_there(self, name: str) -> bool:
        """Whether a file that story.json names is in the folder."""
        try:
            return self._inside(name).is_file()
        except ValueError:
            return False

    def _inside(self, name: str) -> Path:
        """The path of a file story.json names, which must lie in the folder."""
        path = self.folder / name
        if not path.resolve().is_relative_to(self.folder.resolve()):
            raise ValueError(f"{name!r} lies outside the folder.")
        return path
