"""Stories on the way: what stands in the studio, finished or not, kept so that a closed and reopened tab finds it.

A story's folder holds the project (`anystory.project.folder`) and, beside it, the draft:

    draft.json        the text as it was typed, mistakes included; title, style, settings, the cast's names and words
    draft/HASH.png    the pictures of the cast, of each: as uploaded, the automatic mask, brush strokes, and the cut-out

A `Store` keeps one such folder for every session key. A key cannot be guessed and is not to be seen on the disk, so
nobody finds another's story; folders not used for long, and the oldest beyond a size, are removed.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import math
import os
import re
import secrets
import shutil
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from PIL import Image

from anystory.cast.images import MAX_PIXELS
from anystory.errors import AnyStoryError, Message
from anystory.project.folder import (
    ProjectError,
    linked,
    make_folder,
    png,
    settle_folder,
    settle_folders,
    write_atomic,
)
from anystory.project.imprint import without_pictures
from anystory.project.schema import DRAFT, SchemaError, parsed, read_settings
from anystory.script.form import MAX_BYTES, MAX_CAST, MAX_TEXT, ScriptError
from anystory.script.read import read_script
from anystory.script.write import dump_script, script_lines
from anystory.story.model import CastMember, Panel, Script, Settings, Story, Style, Subject

VERSION = 1
MAX_JSON = 4 * MAX_BYTES
HOUR = 3600
DAY = 24 * HOUR


class DraftError(AnyStoryError, RuntimeError):
    """A draft cannot be kept or read. The message is one sentence for the user."""


@dataclass(frozen=True)
class DraftPicture:
    """A picture of a character: `upload` as it came (RGB or RGBA), `automatic` its mask (L) before any brush, `mask`
    (L) what comes of it and of the `strokes` (RGBA) brushed over it, if there are any. Nobody changes their pixels."""

    upload: Image.Image
    automatic: Image.Image
    mask: Image.Image
    strokes: Image.Image | None = None

    @property
    def look(self) -> tuple[Image.Image, Image.Image]:
        """Image and mask as a `Subject` takes them."""
        return self.upload if self.upload.mode == "RGB" else self.upload.convert("RGB"), self.mask

    @property
    def cutout(self) -> Image.Image:
        """The picture as RGBA with its mask as alpha; made anew each time."""
        rgba = self.upload.convert("RGBA")
        rgba.putalpha(self.mask)
        return rgba

    @cached_property
    def names(self) -> dict[str, str]:
        """The names of its files by their kinds, each a hash of pixels: made once, as a story is kept at each pause."""
        return {kind: _picture_name(image) for kind in MODES if (image := getattr(self, kind))}


@dataclass(frozen=True)
class DraftActor:
    """A row of the cast, with at most `MAX_PICTURES` pictures. `drawn` are the words it was drawn from, if it was,
    `height` in metres and `facing`, one of `FACINGS`, are there where they are known; `drawing` is the library's that
    was chosen for who has no picture."""

    name: str
    description: str = ""
    drawn: str = ""
    pictures: tuple[DraftPicture, ...] = ()
    height: float | None = None
    facing: str | None = None
    drawing: str = ""

    @property
    def subject(self) -> Subject | None:
        """The character as a story takes it; None for one without a picture."""
        if not self.pictures:
            return None
        looks = [each.look for each in self.pictures]
        return Subject(self.name, *looks[0], self.description, self.drawn, tuple(looks[1:]), self.height, self.facing)


@dataclass(frozen=True)
class Draft:
    """What stands in the studio. `panels` are those that `text` cannot say all of, by their numbers from 1;
    `styles` presets that came with a script; `settings` None = the model's own."""

    text: str = ""
    title: str = ""
    style: str = ""
    cast: tuple[DraftActor, ...] = ()
    settings: Settings | None = None
    panels: tuple[tuple[int, Panel], ...] = ()
    styles: tuple[Style, ...] = ()


MODES = {"upload": ("RGB", "RGBA"), "automatic": ("L",), "strokes": ("RGBA",), "cutout": ("RGBA",)}
"""What a picture consists of, and the modes that each part may have."""


def draft_of(story: Story) -> Draft:
    """The draft of a story that came without one, from a ZIP or a folder."""
    by_name = {subject.name: subject for subject in story.subjects}
    cast = []
    for member in story.script.cast:
        subject = by_name.get(member.name)
        description = subject.description if subject else member.description
        actor = DraftActor(member.name, description, height=member.height, facing=member.facing, drawing=member.drawing)
        if subject:
            pictures = tuple(DraftPicture(image, mask, mask) for image, mask in subject.pictures)
            actor = replace(actor, drawn=subject.drawn, pictures=pictures)
        cast.append(actor)
    script, text = story.script, script_lines(story.script)
    try:
        said = read_script(text, cast=script.cast).panels
    except ScriptError:  # it is too long
        said = ()
    panels = tuple((k, panel) for k, panel in enumerate(script.panels, 1) if panel not in said[k - 1 : k])
    return Draft(text, script.title, script.style, tuple(cast), story.settings, panels, tuple(script.styles))


def save_draft(folder: str | Path, draft: Draft, most: float = math.inf) -> None:
    """Write a draft into a story's folder; pictures that are there already are not written again. No picture is added
    that makes the folder larger than `most` bytes. Raises DraftError, and then the draft that is there stays."""
    for what, typed, bound in _bounded(draft):
        if len(typed) > bound:
            raise DraftError(
                Message(
                    "The {what} has {count} characters; at most {bound} are kept.",
                    what=what,
                    count=len(typed),
                    bound=bound,
                )
            )
    folder = Path(folder)
    files: dict[Path, tuple[DraftPicture, str]] = {}
    cast = []
    for actor in draft.cast:
        for each in actor.pictures:
            files |= {folder / name: (each, kind) for kind, name in each.names.items()}
        first, *more = [each.names for each in actor.pictures] or [{}]
        listed: dict[str, Any] = {"name": actor.name, "description": actor.description, "drawn": actor.drawn, **first}
        told = {"height": actor.height, "facing": actor.facing, "drawing": actor.drawing or None}
        listed |= {key: value for key, value in told.items() if value is not None}
        cast.append(listed | ({"more": more} if more else {}))
    numbers = [number for number, _ in draft.panels]
    # Not the cast: two in it may have one name as yet, or one that no script takes.
    met = (name for _, panel in draft.panels for name in (*panel.cast, *(line.who for line in panel.dialogue)))
    members = tuple(CastMember(name) for name in dict.fromkeys(met))
    script = dump_script(Script(tuple(panel for _, panel in draft.panels), members, styles=draft.styles))
    data = {
        "version": VERSION,
        "text": draft.text,
        "title": draft.title,
        "style": draft.style,
        "settings": draft.settings and draft.settings.written,
        "cast": cast,
        "numbers": numbers,
        "script": script,
    }
    text = json.dumps(data, indent=2)  # in ASCII: half a character, typed or pasted, is kept too
    if len(text) > MAX_JSON:
        raise DraftError(
            Message(
                "The story has {count} characters of text; at most {max_json} are kept.",
                count=len(text),
                max_json=MAX_JSON,
            )
        )
    try:
        new = {path: png(getattr(each, kind)) for path, (each, kind) in files.items() if not path.exists()}
        gone = [path for path in (folder / "draft").glob("*.png") if path not in files]
        grown = sum(map(len, new.values())) - _size(gone)
        if grown > 0 and _size(folder.rglob("*")) + grown > most:  # words are few bytes and always kept
            raise DraftError(
                Message("With these pictures it takes more than {most} MB; remove some.", most=most // 1000000)
            )
        write_atomic({**new, folder / "draft.json": text.encode()})
        for path in gone:
            path.unlink(missing_ok=True)
    except ProjectError as error:
        raise DraftError(error.said) from error
    except OSError as error:
        raise DraftError(
            Message("{folder} cannot be written ({strerror}).", folder=folder, strerror=error.strerror)
        ) from error


def _bounded(draft: Draft) -> Iterator[tuple[str, str, int]]:
    """What was typed, by what it is, and how long it may be to be read again."""
    yield Message("text"), draft.text, MAX_BYTES
    yield Message("title"), draft.title, MAX_TEXT
    yield Message("style"), draft.style, MAX_TEXT
    for actor in draft.cast:
        yield Message("name of a character"), actor.name, MAX_TEXT
        yield Message("description of {name}", name=actor.name), actor.description, MAX_TEXT


def _picture_name(picture: Image.Image) -> str:
    digest = hashlib.sha256(f"{picture.mode} {picture.size}".encode())
    digest.update(picture.tobytes())
    return f"draft/{digest.hexdigest()[:24]}.png"


def load_draft(folder: str | Path) -> Draft | None:
    """The draft in a story's folder; None where there is none. Raises DraftError for one that is damaged, foreign or
    from a newer version."""
    folder = Path(folder)
    path = folder / "draft.json"
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise DraftError(Message("{path} cannot be read ({strerror}).", path=path, strerror=error.strerror)) from error
    try:
        if len(data) > MAX_JSON:
            raise DraftError(
                Message("{file} is larger than {max_json} MB.", file=path.name, max_json=MAX_JSON // 1000000)
            )
        return _draft(parsed(data), folder)
    except (ScriptError, SchemaError) as error:
        raise DraftError(Message("{file} is damaged: {error}", file=path.name, error=error)) from error
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:  # what PIL raises for such files
        raise DraftError(
            Message("{file} is damaged or its pictures are; start again or open another story.", file=path.name)
        ) from error


def _draft(data: Any, folder: Path) -> Draft:
    version = data.get("version") if isinstance(data, dict) else None
    if version != VERSION:
        newer = isinstance(version, int) and version > VERSION
        raise DraftError(
            Message("The draft was written by a newer AnyStory; update AnyStory.")
            if newer
            else Message("The draft has no known version.")
        )
    DRAFT(data, "")
    script = without_pictures(data["script"]) if data["script"]["panels"] else None
    return Draft(
        text=data["text"],
        title=data["title"],
        style=data["style"],
        cast=tuple(_actor(listed, folder) for listed in data["cast"][:MAX_CAST]),
        settings=None if data["settings"] is None else read_settings(data["settings"]),
        panels=tuple(zip(data["numbers"], script.panels, strict=True)) if script else (),
        styles=script.styles if script else _styles(data["script"]),
    )


def _styles(script: dict[str, Any]) -> tuple[Style, ...]:
    """The presets of a script without panels, which no script may be."""
    return without_pictures({**script, "panels": ["a panel"]}).styles


def _actor(listed: dict[str, Any], folder: Path) -> DraftActor:
    given = [listed, *listed.get("more", [])] if MODES.keys() & listed.keys() else []
    return DraftActor(
        listed["name"],
        listed["description"],
        listed["drawn"],
        tuple(_picture(each, folder) for each in given),
        listed.get("height"),
        listed.get("facing"),
        listed.get("drawing", ""),
    )


def _picture(listed: dict[str, Any], folder: Path) -> DraftPicture:
    parts = {}
    for kind, modes in MODES.items():
        if kind in listed:
            with Image.open(folder / listed[kind], formats=["PNG"]) as picture:
                if picture.width * picture.height > MAX_PIXELS or picture.mode not in modes:
                    raise ValueError(f"{kind} is no such picture")
                parts[kind] = picture.copy()
    mask = parts.pop("cutout").getchannel("A")
    if mask.size != parts["upload"].size:
        raise ValueError("the cutout is of another picture")
    return DraftPicture(**parts, mask=mask)


def cache_folder() -> Path:
    """Where a machine keeps what its programs may lose: the folder of our own in it."""
    if sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    elif sys.platform == "darwin":
        base = Path.home() / "Library" / "Caches"
    else:
        base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return base / "anystory" / "stories"


class Steady:
    """The time in seconds as `file` has kept it: it goes on while the program runs, however the system's clock is set
    meanwhile, and from one start to the next by what that clock says, but by at most a day and never back.

    So a clock that jumps makes nothing old: a story kept for 30 days outlives as many starts on as many days.
    """

    def __init__(
        self,
        file: Path,
        clock: Callable[[], float] = time.time,
        running: Callable[[], float] = time.monotonic,
    ) -> None:
        self._file, self._running = file, running
        self._since, now = running(), clock()
        try:
            kept = float(file.read_text(encoding="ascii"))
        except (OSError, ValueError):
            kept = now
        self._start = kept + min(max(0.0, now - kept), DAY) if math.isfinite(kept) else now

    def __call__(self) -> float:
        return self._start + self._running() - self._since

    def keep(self) -> None:
        """Write it down, for the next start."""
        with contextlib.suppress(ProjectError):
            write_atomic({self._file: f"{self():.0f}".encode()})


class Store:
    """Story folders by session key below `root`.

    A folder that was not used for `days` is removed, and so are those used longest ago while all together take more
    than `total` bytes; pictures come into one story up to `most` bytes. What somebody was killed over who made or
    removed a folder goes when it is found a second time, an hour of `running` later. `clock` is the time in seconds.
    """

    def __init__(
        self,
        root: str | Path,
        *,
        days: float = 30,
        total: float = 10_000_000_000,
        most: int = 1_000_000_000,
        clock: Callable[[], float] = time.time,
        running: Callable[[], float] = time.monotonic,
    ) -> None:
        self.root = Path(root)
        self.days = days
        self._total, self._most, self._running = total, most, running
        self._clock = Steady(self.root / ".clock", clock, running)
        self._left: dict[Path, float] = {}  # what is in nobody's name, and when that was seen first

    @staticmethod
    def new_key() -> str:
        """A key for a new session: 192 bits that cannot be guessed."""
        return secrets.token_urlsafe(24)

    @staticmethod
    def is_key(key: Any) -> bool:
        """Whether something that came from a browser can be a key."""
        return isinstance(key, str) and re.fullmatch(r"[A-Za-z0-9_-]{32}", key) is not None

    def folder(self, key: str) -> Path:
        """The folder of a session, which may not be there yet. On the disk is only a hash of the key. Raises DraftError
        for what is no key."""
        if not self.is_key(key):
            raise DraftError(Message("This browser's session is not known; reload the page."))
        return self.root / hashlib.sha256(key.encode()).hexdigest()[:32]

    def save(self, key: str, draft: Draft) -> None:
        """Keep a draft. Raises DraftError where it cannot be written, or its pictures make the story too large."""
        save_draft(self.folder(key), draft, self._most)
        self.touch(key)

    def load(self, key: str) -> Draft | None:
        """The draft of a session, None where there is none. Raises DraftError as `load_draft` does."""
        draft = load_draft(self.folder(key))
        if draft is not None:
            self.touch(key)
        return draft

    def copy(self, key: str, other: str) -> None:
        """Keep under the key `other` what is kept of a session: its files, which are only ever replaced, are the same
        ones where the disk can. Raises DraftError where it cannot be written."""
        source, target = self.folder(key), self.folder(other)
        part = _nameless(target)
        try:
            if source.is_dir():
                shutil.copytree(source, part, copy_function=linked)
                settle_folders(part)
                os.replace(part, target)
                settle_folder(self.root)
        except OSError as error:
            shutil.rmtree(part, ignore_errors=True)
            raise DraftError(
                Message("The story cannot be put away ({strerror}).", strerror=error.strerror or type(error).__name__)
            ) from error
        self.touch(other)

    def touch(self, key: str) -> None:
        """Say that a session's folder is in use."""
        folder = self.folder(key)
        now = self._clock()
        with contextlib.suppress(OSError):  # who writes to it says so
            make_folder(folder)
            os.utime(folder, (now, now))

    def forget(self, key: str) -> None:
        """Remove all that is kept of a session."""
        self._remove(self.folder(key))

    def sweep(self, keep: tuple[str, ...] = ()) -> int:
        """Remove what is old or too much, never the folders of the keys `keep`. Returns how many were removed."""
        kept = {self.folder(key) for key in keep}
        found, left = [], []
        with contextlib.suppress(OSError):
            for folder in self.root.iterdir():
                if re.fullmatch(r"[0-9a-f]{32}", folder.name) and folder.is_dir():
                    found.append((folder.stat().st_mtime, folder))
                elif re.fullmatch(r"\.[0-9a-f]{32}-\w{8}", folder.name):
                    left.append(folder)
        now = self._running()
        self._left = {folder: self._left.get(folder, now) for folder in left}
        for folder in left:
            if now - self._left[folder] >= HOUR:
                shutil.rmtree(folder, ignore_errors=True)
        if self.root.is_dir():
            self._clock.keep()
        sizes = {folder: _size(folder.rglob("*")) for _, folder in found}
        whole, removed = sum(sizes.values()), 0
        for used, folder in sorted(found):
            old = used < self._clock() - self.days * DAY
            if (old or whole > self._total) and folder not in kept:
                self._remove(folder)
                whole -= sizes[folder]
                removed += 1
        return removed

    def _remove(self, folder: Path) -> None:
        gone = _nameless(folder)
        with contextlib.suppress(OSError):
            os.replace(folder, gone)  # at once, so that nobody reads half a story
            shutil.rmtree(gone, ignore_errors=True)


def _nameless(folder: Path) -> Path:
    """A name beside a story's folder for one that is not whole, of those that `Store.sweep` knows."""
    return folder.with_name(f".{folder.name}-{secrets.token_hex(4)}")


def _size(paths: Iterable[Path]) -> int:
    """Bytes of all files there are of these."""
    total = 0
    for path in paths:
        with contextlib.suppress(OSError):
            total += path.lstat().st_size
    return total
