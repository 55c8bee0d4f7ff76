"""A story's folder: script, cut-outs, frames and routing maps on disk, and back again.

    story.json              version, backend, script, settings, cut-outs, and every finished panel
    subjects/NAME.png       RGBA, alpha = the mask
    frames/001.png          the frame; prompt, seed, settings, backend, version and key as PNG text
    frames/001-maps.npz     names (unicode: the panel's cast, then the background), maps float16 (S+1, h, w), key

Every file is written beside its place and renamed, so a file that is there is whole. Picture and maps carry
the key story.json lists for the panel, so after a crash between two renames nothing false is believed.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import os
import re
import unicodedata
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from anystory.script import dump_script, parse_script
from anystory.story import Frame, RoutingMaps, Settings, Story, Subject

VERSION = 1


class ProjectError(RuntimeError):
    """A folder cannot be read or written. The message is one sentence for the user."""


@dataclass(frozen=True)
class Entry:
    """A finished panel as story.json lists it: `number` from 1, the `seed` used, the `key` of everything its
    pixels depend on, the `names` of its maps; `image` and `maps` are paths from the folder."""

    number: int
    seed: int
    key: str
    names: tuple[str, ...]
    image: str
    maps: str


def content(subject: Subject) -> str:
    """What a subject looks like, as a hash: its pixels and its mask, whatever its name."""
    digest = hashlib.sha256(repr(subject.image.size).encode())
    digest.update(subject.image.tobytes())
    digest.update(subject.mask.tobytes())
    return digest.hexdigest()


def cutout(subject: Subject) -> Image.Image:
    """The subject as RGBA with its mask as alpha. Colours under alpha 0 stay, so the mask can be corrected later."""
    rgba = subject.image.copy()
    rgba.putalpha(subject.mask)
    return rgba


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
            f"{path} cannot be written ({error.strerror or error}); free space there or choose another folder "
            "(what was finished before is kept)."
        ) from error


def png(image: Image.Image, text: dict[str, str] | None = None) -> bytes:
    """`image` as PNG bytes with `text` in its text chunks."""
    info = PngInfo()
    for key, value in (text or {}).items():
        info.add_text(key, value)
    buffer = io.BytesIO()
    image.save(buffer, "PNG", pnginfo=info)
    return buffer.getvalue()


def migrate(data: Any) -> dict[str, Any]:
    """The content of a story.json of any version we know, as the present version. Raises ProjectError."""
    version = data.get("version") if isinstance(data, dict) else None
    if version == VERSION:
        return data
    if isinstance(version, int) and version > VERSION:
        raise ProjectError(
            f"it was written by a newer AnyStory (version {version}, this one reads up to {VERSION}); update AnyStory."
        )
    raise ProjectError("it does not say which version it is; choose another folder.")


class Project:
    """One project folder. Opening reads what is there; a folder without story.json is a new project.

    `entries` are the finished panels by number; `story()` and `frame()` read back, `begin()` and `save()` write.
    Raises ProjectError where story.json is damaged, foreign or from a newer version.
    """

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)
        self.entries: dict[int, Entry] = {}
        self._cutouts: dict[str, dict[str, str]] = {}
        self._data: dict[str, Any] | None = None
        path = self.folder / "story.json"
        try:
            self._data = migrate(json.loads(path.read_text(encoding="utf-8")))
            listed = [Entry(**{**panel, "names": tuple(panel["names"])}) for panel in self._data["panels"]]
            self.entries = {int(entry.number): entry for entry in listed}
            self._cutouts = {subject["name"]: subject for subject in self._data["subjects"]}
        except FileNotFoundError:
            return
        except ProjectError as error:
            raise ProjectError(f"{path} cannot be opened: {error}") from error
        except OSError as error:
            raise ProjectError(f"{path} cannot be read ({error.strerror}).") from error
        except (ValueError, KeyError, TypeError) as error:
            raise ProjectError(f"{path} is damaged; move it away or choose another folder.") from error

    def story(self) -> Story:
        """The story as it was last rendered: script, cut-outs, settings. A member of the script's cast has
        the path of its cut-out as image, or None. Raises ProjectError for a new or a damaged project."""
        if self._data is None:
            raise ProjectError(f"{self.folder} holds no story.json; choose the folder of a rendered story.")
        try:
            files = {name: self._inside(listed["file"]) for name, listed in self._cutouts.items()}
            script = parse_script(self._data["script"])
            script = replace(script, cast=tuple(replace(m, image=files.get(m.name)) for m in script.cast))
            subjects = []
            for member in script.cast:
                if member.image is not None:
                    with Image.open(member.image, formats=["PNG"]) as picture:
                        rgba = picture.convert("RGBA")
                    subjects.append(Subject(member.name, rgba.convert("RGB"), rgba.getchannel("A"), member.description))
            return Story(script, tuple(subjects), Settings(**self._data["settings"]))
        except (OSError, SyntaxError, ValueError, KeyError, TypeError) as error:
            raise ProjectError(f"The story in {self.folder} is damaged: {error}") from error

    def frame(self, number: int) -> Frame:
        """The finished frame of panel `number` (from 1), its maps as float32. Raises ProjectError when it is not
        there, not whole, or not the one story.json lists."""
        try:
            entry = self.entries[number]
            data = self._inside(entry.image).read_bytes()
            Image.open(io.BytesIO(data), formats=["PNG"]).verify()
            picture = Image.open(io.BytesIO(data), formats=["PNG"])
            with np.load(self._inside(entry.maps), allow_pickle=False) as maps:
                routing = RoutingMaps(tuple(maps["names"].tolist()), maps["maps"].astype(np.float32))
                keys = {picture.info.get("key"), str(maps["key"])}
            if keys != {entry.key}:
                raise ValueError("the files are not the ones story.json lists")
            return Frame(picture.convert("RGB"), routing, entry.seed)
        except Exception as error:  # whatever a broken picture or archive raises, the frame is not to be had
            raise ProjectError(f"Panel {number} has no readable frame in {self.folder}: {error}") from error

    def finished(self, number: int, key: str) -> Frame | None:
        """The frame of panel `number` if it was made from exactly `key` and is whole on disk."""
        entry = self.entries.get(number)
        if entry is None or entry.key != key:
            return None
        try:
            return self.frame(number)
        except ProjectError:
            return None

    def begin(
        self, story: Story, keys: Sequence[str | None], names: Sequence[tuple[str, ...]], backend: str, version: str
    ) -> None:
        """Take `story` in before it is rendered by `backend`: write story.json and new cut-outs; hand frames to
        the panels that now have their key (a moved panel costs nothing); forget panels that are gone.

        `keys` and `names` (of the maps) stand for each panel of the script; a key is None where it is unknown.
        """
        files = subject_files([subject.name for subject in story.subjects])
        before, self._cutouts, changed = self._cutouts, {}, {}
        for subject in story.subjects:
            listed = {"name": subject.name, "file": files[subject.name], "content": content(subject)}
            path = self.folder / listed["file"]
            if before.get(subject.name) != listed or not path.exists():
                changed[path] = png(cutout(subject))
            self._cutouts[subject.name] = listed
        described = {subject.name: subject.description for subject in story.subjects}
        cast = (
            replace(m, image=None, mask=None, description=described.get(m.name, m.description))
            for m in story.script.cast
        )
        self._data = {
            "version": VERSION,
            "backend": {"name": backend, "version": version},
            "script": dump_script(replace(story.script, cast=tuple(cast))),
            "settings": asdict(story.settings),
            "subjects": list(self._cutouts.values()),
        }
        self._arrange(keys, names)
        self._write_story(changed)

    def save(self, number: int, frame: Frame, key: str, prompt: str, settings: Settings) -> None:
        """Write the finished frame of panel `number` with its maps, and list it in story.json."""
        backend = self._data["backend"]
        shared = {name: value for name, value in asdict(settings).items() if name != "seed"}
        text = {
            "prompt": prompt,
            "seed": str(frame.seed),
            "settings": json.dumps(shared),
            "backend": backend["name"],
            "version": backend["version"],
            "key": key,
        }
        self._put(number, png(frame.image, text), frame.maps, frame.seed, key)
        self._write_story()

    def _arrange(self, keys: Sequence[str | None], names: Sequence[tuple[str, ...]]) -> None:
        """Make `entries` those of the panels with `keys`, moving and renaming finished frames."""
        old = self.entries
        places = {entry.key: number for number, entry in sorted(old.items(), reverse=True)}
        moved, claimed = {}, set()
        for number, (key, wanted) in enumerate(zip(keys, names, strict=True), 1):
            source = number if number in old and old[number].key == key else places.get(key)
            if source is None:
                continue
            claimed.add(source)
            if source != number or old[number].names != wanted:
                try:
                    frame = self.frame(source)
                except ProjectError:
                    continue  # it will be rendered anew
                data = self._inside(old[source].image).read_bytes()
                moved[number] = data, RoutingMaps(wanted, frame.maps.values), frame.seed, key
        # An outdated frame stays until its panel is rendered again, unless it went to another panel.
        self.entries = {
            number: entry
            for number, entry in old.items()
            if number <= len(keys) and (entry.key == keys[number - 1] or number not in claimed)
        }
        for number, new in moved.items():
            self._put(number, *new)
        for number in claimed - self.entries.keys():
            for name in (old[number].image, old[number].maps):
                with contextlib.suppress(OSError):
                    self._inside(name).unlink()

    def _put(self, number: int, image: bytes, maps: RoutingMaps, seed: int, key: str) -> None:
        entry = Entry(number, seed, key, maps.names, f"frames/{number:03d}.png", f"frames/{number:03d}-maps.npz")
        buffer = io.BytesIO()
        np.savez_compressed(buffer, names=np.array(maps.names), maps=maps.values.astype(np.float16), key=key)
        write_atomic({self.folder / entry.maps: buffer.getvalue(), self.folder / entry.image: image})
        self.entries[number] = entry

    def _write_story(self, files: Mapping[Path, bytes] = MappingProxyType({})) -> None:
        """Write story.json, and `files` with it."""
        panels = [asdict(entry) for _, entry in sorted(self.entries.items())]
        text = json.dumps({**self._data, "panels": panels}, indent=2, ensure_ascii=False)
        write_atomic({**files, self.folder / "story.json": (text + "\n").encode("utf-8")})

    def _inside(self, name: str) -> Path:
        """The path of a file story.json names, which must lie in the folder."""
        path = self.folder / name
        if not path.resolve().is_relative_to(self.folder.resolve()):
            raise ValueError(f"{name!r} lies outside the folder.")
        return path
