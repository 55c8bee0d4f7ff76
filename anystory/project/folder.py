"""A story's folder: script, cut-outs, frames and routing maps on disk, and back again.

    story.json              version, backend, script, settings, cut-outs, and every finished panel
    subjects/NAME.png       RGBA, alpha = the mask; story.json says from which words a character was drawn, if it was;
                            further pictures of a character are NAME_2.png and so on
    things/                 the story's own drawings of things; see `anystory.project.things`
    drawn/KEY.png           drawings of characters that came without a picture; see `anystory.render.portraits`
    frames/001.png          the frame; prompt, seed, settings, backend, version, key, notes, what it is if no model's
                            drawing, and the whole story (`anystory.project.imprint`) as PNG text
    frames/001-maps.npz     names (unicode: the panel's cast, then the background), maps float16 (S+1, h, w), what they
                            measure, key
    history/KEY.png         frames that stood or could stand in a panel's place, with KEY-maps.npz; the same content
    frames/001-trace.npz    the maps of every layer and step, where they were asked for
    (`anystory.story.model.read_trace`) .lock                   held while story.json is written

Every file is written beside its place and renamed, so a file that is there is whole. Picture, maps and trace carry
the key story.json lists for the panel, so after a crash between two renames nothing false is believed.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import os
import re
import struct
import unicodedata
import zlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
from filelock import FileLock
from PIL import Image
from PIL.PngImagePlugin import PngInfo, putchunk

from anystory.errors import AnyStoryError
from anystory.maps.diagnosis import diagnose
from anystory.project.imprint import KEY as IMPRINT
from anystory.project.imprint import AskedStory, asked_in_png, imprint
from anystory.project.things import drawings_of, things_in
from anystory.script.read import parse_script
from anystory.script.write import dump_script
from anystory.story.model import (
    MADE,
    ROUTING,
    Frame,
    RoutingMaps,
    RoutingTrace,
    Settings,
    Story,
    Subject,
    dump_trace,
    read_trace,
)

VERSION = 3

STORY = "story.json"

LOCKED = 10
"""Seconds to wait for another program that is writing, which takes it milliseconds."""

KEPT = 12
"""Frames a panel that its history holds; the oldest goes first."""

SHORT = 8
"""Digits of a key that people are told: enough to tell the frames of a history apart."""


class ProjectError(AnyStoryError, RuntimeError):
    """A folder cannot be read or written. The message is one sentence for the user: of the `file` or folder, if there
    is one, what the `reason` says."""

    def __init__(self, reason: str, file: Path | None = None) -> None:
        super().__init__(reason if file is None else f"{file} {reason}")
        self.reason, self.file = reason, file


@dataclass(frozen=True)
class Entry:
    """A finished panel as story.json lists it: `number` from 1, the `seed` used, the `key` of everything its
    pixels depend on, the `names` of its maps; `image`, `maps` and `trace` (None: not kept) are paths from the folder.

    `asked` is the key of the panel as it was asked for. It differs from `key` where the frame is not of the first of
    the `tries` seeds that were tried, or was drawn in another precision for want of memory. `diagnosis` holds the
    numbers of `anystory.maps.diagnosis`. A `pinned` frame stays whatever is asked for.
    """

    number: int
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
    """A frame of a panel's history: `number`, `seed`, `key`, `names`, `image`, `maps` and `short` as in `Entry`."""

    number: int
    seed: int
    key: str
    names: tuple[str, ...]
    image: str
    maps: str

    @property
    def short(self) -> str:
        """As `Entry.short`."""
        return _short(self)


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


def frame_file(number: int, end: str = ".png") -> str:
    """The path of a panel's frame (from 1), or of what belongs to it, from the folder."""
    return f"frames/{number:03d}{end}"


def write_atomic(files: Mapping[Path, bytes]) -> None:
    """Write every file beside its place, then rename them all: a full disk leaves what was there before.
    Raises ProjectError with a sentence."""
    parts = {path: path.with_name(f".{path.name}.part") for path in files}
    try:
        for path, part in parts.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            part.write_bytes(files[path])
        for path, part in parts.items():
            os.replace(part, path)
    except OSError as error:
        for part in parts.values():
            with contextlib.suppress(OSError):
                part.unlink()
        raise ProjectError(
            f"cannot be written ({error.strerror or error}); free space there or choose another folder "
            "(what was finished before is kept).",
            path,
        ) from error


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
        return data | {"version": 3, "history": []}
    if isinstance(version, int) and version > VERSION:
        raise ProjectError(
            f"it was written by a newer AnyStory (version {version}, this one reads up to {VERSION}); update AnyStory."
        )
    raise ProjectError("it does not say which version it is; choose another folder.")


def _look(file: Path) -> tuple[Image.Image, Image.Image]:
    """A cut-out from the disk as image and mask. Raises ValueError with a sentence."""
    try:
        with Image.open(file, formats=["PNG"]) as picture:
            rgba = picture.convert("RGBA")
    except (OSError, SyntaxError, ValueError) as error:  # what PIL raises for a damaged file
        why = (isinstance(error, OSError) and error.strerror) or "it is no whole PNG"
        raise ValueError(f"the cut-out {file.name} cannot be read ({why}).") from error
    return rgba.convert("RGB"), rgba.getchannel("A")


def packed_maps(maps: RoutingMaps, key: str) -> bytes:
    """A frame's maps as an npz file."""
    buffer = io.BytesIO()
    values = maps.values.astype(np.float16)
    np.savez_compressed(buffer, names=np.array(maps.names), maps=values, measure=maps.measure, key=key)
    return buffer.getvalue()


class Project:
    """One project folder. Opening reads what is there; a folder without story.json is a new project.

    `entries` are the finished panels by number, `history` what else was made for them, oldest first; `story()` and
    `frame()` read back, `begin()` and `save()` write. Several programs may write to one folder: what another one has
    listed meanwhile is taken in, but for panels that both changed, and its script stays if it began after this one.
    Raises ProjectError where story.json is damaged, foreign or from a newer version.
    """

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)
        self.entries: dict[int, Entry] = {}
        self.history: list[Kept] = []
        self._cutouts: dict[str, dict[str, Any]] = {}
        self._data: dict[str, Any] | None = None
        self._head: dict[str, Any] | None = None
        self._seen: tuple[dict[int, Entry], frozenset[Kept]] = {}, frozenset()
        self._read = b""
        path = self.folder / STORY
        try:
            self._read = path.read_bytes()
            self._data = migrate(json.loads(self._read))
            listed = [Entry(**{**panel, "names": tuple(panel["names"])}) for panel in self._data["panels"]]
            self.entries = {int(entry.number): entry for entry in listed}
            self.history = [Kept(**{**kept, "names": tuple(kept["names"])}) for kept in self._data["history"]]
            self._cutouts = {subject["name"]: subject for subject in self._data["subjects"]}
        except FileNotFoundError:
            pass
        except ProjectError as error:
            raise ProjectError(f"cannot be opened: {error}", path) from error
        except OSError as error:
            raise ProjectError(f"cannot be read ({error.strerror}).", path) from error
        except (ValueError, KeyError, TypeError) as error:
            raise ProjectError("is damaged; move it away or choose another folder.", path) from error
        self._remember(self._data)

    @property
    def made_with(self) -> tuple[str, str]:
        """Name and version of the backend that the story was last rendered with. Raises ProjectError as `story`."""
        try:
            backend = self._listed()["backend"]
            return str(backend["name"]), str(backend["version"])
        except (KeyError, TypeError) as error:
            raise ProjectError("is damaged; it names no backend.", self.folder / STORY) from error

    def _listed(self) -> dict[str, Any]:
        if self._data is None:
            raise ProjectError("holds no story.json; choose the folder of a rendered story.", self.folder)
        return self._data

    def story(self) -> Story:
        """The story as it was last rendered: script, cut-outs, settings. A member of the script's cast has
        the paths of its cut-outs as images, or None. Raises ProjectError for a new or a damaged project."""
        data = self._listed()
        try:
            cast, subjects = [], []
            script = parse_script(data["script"])
            for member in script.cast:
                if listed := self._cutouts.get(member.name):
                    first, *more = [self._inside(file) for file in (listed["file"], *listed.get("more", ()))]
                    member = replace(member, image=first, more=tuple((file, None) for file in more))
                    (image, mask), *others = map(_look, (first, *more))
                    drawn = listed.get("drawn", "")
                    told = member.description, drawn, tuple(others), member.height, member.facing
                    subjects.append(Subject(member.name, image, mask, *told))
                cast.append(member)
            script = replace(script, cast=tuple(cast), things=things_in(self.folder))
            return Story(script, tuple(subjects), Settings(**data["settings"]))
        except (KeyError, TypeError) as error:
            raise ProjectError("is damaged; move it away or choose another folder.", self.folder / STORY) from error
        except ValueError as error:
            raise ProjectError(f"holds a damaged story: {error}", self.folder) from error

    def frame(self, number: int) -> Frame:
        """The finished frame of panel `number` (from 1), its maps as float32, with its trace if there is a whole one.
        Raises ProjectError when it is not there, not whole, or not the one story.json lists."""
        try:
            entry = self.entries[number]
            return replace(self._frame(entry), trace=self._trace(entry))
        except Exception as error:  # whatever a broken picture or archive raises, the frame is not to be had
            raise ProjectError(f"Panel {number} has no readable frame in {self.folder}: {error}") from error

    def maker(self, number: int) -> tuple[str, str]:
        """Name and version of the backend that made the frame of panel `number`, as its picture says. Raises
        ProjectError when there is none."""
        try:
            with Image.open(self._inside(self.entries[number].image), formats=["PNG"]) as picture:
                return str(picture.info["backend"]), str(picture.info["version"])
        except Exception as error:  # as in `frame`
            raise ProjectError(f"Panel {number} has no readable frame in {self.folder}: {error}") from error

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
            raise ProjectError(f"The frame {listed.short} in {self.folder} cannot be read: {error}") from error

    def _listed_of(self, number: int, key: str) -> Kept:
        own = [kept for kept in self.history if kept.number == number]
        for kept in own:
            if len(key) >= SHORT and kept.key.startswith(key):
                return kept
        there = f"there are {', '.join(kept.short for kept in own)}" if own else "it is empty"
        raise ProjectError(f"There is no frame {key!r} in the history of panel {number}; {there}.")

    def _frame(self, entry: Entry | Kept) -> Frame:
        """A listed frame without its trace. Raises whatever a broken picture or archive raises."""
        data = self._inside(entry.image).read_bytes()
        Image.open(io.BytesIO(data), formats=["PNG"]).verify()
        picture = Image.open(io.BytesIO(data), formats=["PNG"])
        with np.load(self._inside(entry.maps), allow_pickle=False) as maps:
            measure = str(maps["measure"]) if "measure" in maps else ROUTING
            routing = RoutingMaps(tuple(maps["names"].tolist()), maps["maps"].astype(np.float32), measure)
            keys = {picture.info.get("key"), str(maps["key"])}
        if keys != {entry.key}:
            raise ValueError("the files are not the ones story.json lists")
        notes = tuple(map(str, json.loads(picture.info.get("notes", "[]"))))
        version = str(picture.info.get("version", ""))
        return Frame(picture.convert("RGB"), routing, entry.seed, notes=notes, version=version)

    def trace(self, number: int) -> RoutingTrace:
        """The trace of panel `number`. Raises ProjectError where there is no whole one."""
        if number not in self.entries:
            raise ProjectError(f"Panel {number} has no frame in {self.folder}; render it with --trace.")
        trace = self._trace(self.entries[number])
        if trace is None:
            raise ProjectError(
                f"Panel {number} has no trace in {self.folder}; render it again with --trace: its frame stays the same."
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
        own: Callable[[int, Entry], bool] = lambda number, entry: True,
    ) -> None:
        """Take `story` in before it is rendered by `backend`: write story.json and new cut-outs; hand frames to
        the panels that now have their key (a moved panel costs nothing); forget panels that are gone.

        `keys` and `names` (of the maps) stand for each panel of the script; a key is None where it is unknown. `own`
        tells whether a listed frame shows what the panel of that number asks for: one that was restored may show
        somebody else, and keeps the names it has.
        """
        files = subject_files([subject.name for subject in story.subjects])
        before, self._cutouts = self._cutouts, {}
        changed: dict[Path, bytes] = {}
        for subject in story.subjects:
            listed: dict[str, Any] = {
                "name": subject.name,
                "file": files[subject.name],
                "content": content(subject),
            }
            more = more_files(listed["file"], len(subject.more))
            listed |= ({"drawn": subject.drawn} if subject.drawn else {}) | ({"more": more} if more else {})
            paths = [self.folder / file for file in (listed["file"], *more)]
            if before.get(subject.name) != listed or not all(path.exists() for path in paths):
                changed |= zip(paths, map(png, cutouts(subject)), strict=True)
            self._cutouts[subject.name] = listed
        described = {subject.name: subject.description for subject in story.subjects}
        cast = (
            replace(m, image=None, mask=None, more=(), description=described.get(m.name, m.description))
            for m in story.script.cast
        )
        self._data = {
            "version": VERSION,
            "backend": {"name": backend, "version": version},
            "script": dump_script(replace(story.script, cast=tuple(cast))),
            "settings": asdict(story.settings),
            "subjects": list(self._cutouts.values()),
        }
        try:
            changed |= drawings_of(story.script.things, self.folder)
        except OSError as error:
            raise ProjectError(f"{story.script.things} cannot be read ({error.strerror}); check the folder.") from error
        self._arrange(keys, names, own)
        self._head = self._data
        self._write_story(changed)

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
        What was there goes to the history. `key` is that of the frame's seed, `asked` (None = the same) that of the
        panel's, `tries` as in `Entry`."""
        kept = frame if trace else replace(frame, trace=None)
        self._take_in()
        self._retire(number, key)
        self._put(number, self._png(number, frame, key, prompt, settings), kept, key, asked or key, tries)
        self._write_story()

    def keep(self, number: int, frame: Frame, key: str, prompt: str, settings: Settings) -> None:
        """Write a frame that could stand in the place of panel `number` to its history; arguments as in `save`."""
        self._add(number, frame, key, self._png(number, frame, key, prompt, settings))
        self._write_story()

    def restore(self, number: int, key: str, *, rewritten: bool = False) -> None:
        """Make a frame of its history, given as in `kept`, the one of panel `number`. The one that was there goes to
        the history. A render keeps it as long as what the panel asks for stays the same; `rewritten` tells that the
        panel asks for this very frame from now on."""
        listed, frame = self._listed_of(number, key), self.kept(number, key)
        image, entry = self._inside(listed.image).read_bytes(), self.entries.get(number)
        asked, tries, pinned = (entry.asked, entry.tries, entry.pinned) if entry else (listed.key, 1, False)
        if rewritten:
            asked, tries = listed.key, 1
        self._retire(number, listed.key)
        self._put(number, image, frame, listed.key, asked, tries)
        self.entries[number] = replace(self.entries[number], pinned=pinned)
        self._write_story()

    def pin(self, number: int, pinned: bool = True) -> None:
        """Keep the frame of panel `number` whatever is asked for, or no longer. Raises ProjectError without a frame."""
        self.frame(number)
        self.entries[number] = replace(self.entries[number], pinned=pinned)
        self._write_story()

    def _retire(self, number: int, key: str) -> None:
        """Copy the frame of panel `number` to the history, unless it is the one of `key` or cannot be read."""
        entry = self.entries.get(number)
        if entry is None or entry.key == key:
            return
        try:
            frame, image = self.frame(number), self._inside(entry.image).read_bytes()
        except (ProjectError, OSError):
            return
        self._add(number, frame, entry.key, image)

    def _add(self, number: int, frame: Frame, key: str, image: bytes) -> None:
        """Write a frame, whose `image` is encoded already, to the history, and let the oldest go."""
        picture, maps = (f"history/{key[:32]}{end}" for end in (".png", "-maps.npz"))
        write_atomic({self.folder / maps: packed_maps(frame.maps, key), self.folder / picture: image})
        self.history = [kept for kept in self.history if (kept.number, kept.key) != (number, key)]
        self.history.append(Kept(number, frame.seed, key, frame.maps.names, picture, maps))
        own = [kept for kept in self.history if kept.number == number]
        self._forget(own[:-KEPT])

    def _forget(self, gone: Sequence[Kept]) -> None:
        self.history = [kept for kept in self.history if kept not in gone]
        for file in {name for kept in gone for name in (kept.image, kept.maps)}:
            if all(file not in (kept.image, kept.maps) for kept in self.history):
                with contextlib.suppress(OSError, ValueError):
                    self._inside(file).unlink()

    def _png(self, number: int, frame: Frame, key: str, prompt: str, settings: Settings) -> bytes:
        """A frame's picture with what it tells of itself."""
        listed = self._listed()
        backend = listed["backend"]
        shared = {name: value for name, value in asdict(settings).items() if name != "seed"}
        looks = {name: listed["content"] for name, listed in self._cutouts.items()}
        text = {
            "prompt": prompt,
            "seed": str(frame.seed),
            "settings": json.dumps(shared),
            "backend": backend["name"],
            "version": frame.version or backend["version"],
            "key": key,
            **({"made": MADE[frame.maps.measure]} if frame.maps.measure in MADE else {}),
            **({"notes": json.dumps(frame.notes)} if frame.notes else {}),
            IMPRINT: imprint(listed["script"], listed["settings"], looks, number),
        }
        return png(frame.image, text)

    def tried(self, number: int, tries: int) -> None:
        """List that `tries` seeds were tried for panel `number`, and the frame that is there is still the best."""
        self.entries[number] = replace(self.entries[number], tries=tries)
        self._write_story()

    def _arrange(
        self, keys: Sequence[str | None], names: Sequence[tuple[str, ...]], own: Callable[[int, Entry], bool]
    ) -> None:
        """Make `entries` those of the panels with `keys`, moving and renaming finished frames."""
        old = self.entries
        # A frame serves the panel it was asked for; failing that, one with the seed it was found under.
        places = {entry.key: number for number, entry in sorted(old.items(), reverse=True)}
        places |= {entry.asked: number for number, entry in sorted(old.items(), reverse=True)}
        moved: dict[int, tuple[tuple[bytes, Frame, str, str, int], bool]] = {}
        claimed: set[int] = set()
        went: dict[int, int] = {}
        stays = {number for number, entry in old.items() if entry.pinned and entry.asked not in keys}
        for number, (key, wanted) in enumerate(zip(keys, names, strict=True), 1):
            if number in stays:
                continue
            source = number if number in old and old[number].asked == key else places.get(key or "")
            if source is None:
                continue
            claimed.add(source)
            went.setdefault(source, number)
            entry = old[source]
            wanted = wanted if own(number, entry) else entry.names
            if source != number or entry.names != wanted or entry.asked != key or not entry.diagnosis:
                try:
                    frame = self.frame(source).named(wanted)
                except ProjectError:
                    continue  # it will be rendered anew
                tries = entry.tries if entry.asked == key else 1
                image = self._inside(entry.image).read_bytes()
                moved[number] = (image, frame, entry.key, key or "", tries), entry.pinned
        # An outdated frame stays until its panel is rendered again, unless it went to another panel.
        self.entries = {
            number: entry
            for number, entry in old.items()
            if number <= len(keys) and (entry.asked == keys[number - 1] or number not in claimed)
        }
        for number, (new, pinned) in moved.items():
            self._put(number, *new)
            self.entries[number] = replace(self.entries[number], pinned=pinned)
        self.history = [replace(kept, number=went.get(kept.number, kept.number)) for kept in self.history]
        self._forget([kept for kept in self.history if kept.number > len(keys)])
        for number in claimed - self.entries.keys():
            for name in filter(None, (old[number].image, old[number].maps, old[number].trace)):
                with contextlib.suppress(OSError):
                    self._inside(name).unlink()

    def _put(self, number: int, image: bytes, frame: Frame, key: str, asked: str, tries: int) -> None:
        """Write the files of a frame, whose `image` is encoded already, and enter it. A trace it has not goes."""
        picture, maps, packed = (frame_file(number, end) for end in (".png", "-maps.npz", "-trace.npz"))
        names = frame.maps.names
        files = {self.folder / maps: packed_maps(frame.maps, key), self.folder / picture: image}
        if frame.trace is not None:
            files = {self.folder / packed: dump_trace(frame.trace, key), **files}
        write_atomic(files)
        if frame.trace is None:
            with contextlib.suppress(OSError):
                (self.folder / packed).unlink()
        trace = packed if frame.trace is not None else None
        numbers = diagnose(frame.maps).as_data()
        self.entries[number] = Entry(number, frame.seed, key, names, picture, maps, trace, asked, tries, numbers)

    def _write_story(self, files: Mapping[Path, bytes] = MappingProxyType({})) -> None:
        """Write story.json, and `files` with it."""
        with self._alone():
            self._take_in()
            panels = [asdict(entry) for _, entry in sorted(self.entries.items())]
            history = [asdict(kept) for kept in self.history]
            text = json.dumps(
                {**(self._head or {}), "panels": panels, "history": history}, indent=2, ensure_ascii=False
            )
            self._read = (text + "\n").encode("utf-8")
            write_atomic({**files, self.folder / STORY: self._read})
            self._remember(self._head)

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        """While no other program writes to the folder; on disks that cannot lock files, without that."""
        lock = FileLock(self.folder / ".lock", timeout=LOCKED)
        with contextlib.suppress(OSError, NotImplementedError):
            self.folder.mkdir(parents=True, exist_ok=True)
            lock.acquire()
        try:
            yield
        finally:
            lock.release()

    def _take_in(self) -> None:
        """Take in what another program has listed in story.json since it was read or written here."""
        try:
            if (self.folder / STORY).read_bytes() == self._read:
                return
        except OSError:  # not there yet, or taken away: then it is written anew
            return
        other, (entries, history) = Project(self.folder), self._seen
        mine = {n for n in self.entries | entries if self.entries.get(n) != entries.get(n)}
        listed = {n: entry for n, entry in other.entries.items() if n not in mine}
        self.entries = listed | {n: entry for n, entry in self.entries.items() if n in mine}
        gone, new = history - {*self.history}, [kept for kept in self.history if kept not in history]
        self.history = [kept for kept in other.history if kept not in gone and kept not in new] + new
        self._read, self._seen, self._head = other._read, other._seen, other._head

    def _remember(self, head: dict[str, Any] | None) -> None:
        """What story.json lists, and the rest of it, as far as is known here."""
        self._seen, self._head = (dict(self.entries), frozenset(self.history)), head

    def _inside(self, name: str) -> Path:
        """The path of a file story.json names, which must lie in the folder."""
        path = self.folder / name
        if not path.resolve().is_relative_to(self.folder.resolve()):
            raise ValueError(f"{name!r} lies outside the folder.")
        return path
