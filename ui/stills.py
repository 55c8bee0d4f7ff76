"""Finished frames as the page holds them: their pixels, maps and traces stay on the disk until somebody looks at them.

A frame has files of its own beside the story's, the same ones where the disk can: a story's files are only ever
replaced as a whole, so a frame that is shown stays what it is whatever becomes of its panel, its story or the story's
folder. They go some time after the last who shows it.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import weakref
from collections import deque
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from PIL import Image

from anystory.errors import Message
from anystory.maps.diagnosis import Diagnosis, diagnose
from anystory.project.folder import Project, ProjectError, linked
from anystory.sketch.sketcher import Cache
from anystory.story.from_sketch import FromSketch
from anystory.story.model import Frame, RoutingMaps, read_trace
from anystory.story.size import Size

MAPS, TRACE = "maps.npz", "trace.npz"
"""A frame's files beside its picture."""

LEFT = 50
"""How many frames that nobody shows any more keep their files."""


@dataclass(frozen=True, eq=False)
class Still:
    """A finished frame: what is known of it without its pixels, and where they are. `file` is its PNG; `names` are
    those of its maps, the background last; `backend` made it; the rest is as in `Frame`."""

    file: Path
    seed: int
    size: Size
    names: tuple[str, ...]
    measure: str
    diagnosis: Diagnosis
    backend: str
    notes: tuple[str, ...]
    version: str
    from_sketch: FromSketch
    is_sketch: bool

    @classmethod
    def of(cls, frame: Frame, project: Project, number: int, folder: Path, name: str) -> Still:
        """A frame that is the one of panel `number` in its story's folder, with files in a new folder within `folder`;
        the picture is called `name`. Raises ProjectError where the story's are gone."""
        folder.mkdir(parents=True, exist_ok=True)  # of a visitor who has gone meanwhile
        own = Path(tempfile.mkdtemp(prefix="frame-", dir=folder))
        try:
            entry = project.entries[number]
            for there, here in ((entry.image, name), (entry.maps, MAPS), (entry.trace, TRACE)):
                if there is not None:
                    linked(project.folder / there, own / here)
            with Image.open(own / name) as picture:
                backend = str(picture.info.get("backend", ""))
        except BaseException as error:
            shutil.rmtree(own, ignore_errors=True)
            if not isinstance(error, KeyError | FileNotFoundError):
                raise
            raise ProjectError(
                Message("Panel {number} is no longer in the story; make the frames again.", number=number)
            ) from error
        still = cls(
            own / name,
            frame.seed,
            Size(*frame.image.size),
            frame.maps.names,
            frame.maps.measure,
            diagnose(frame.maps, frame.image),
            backend,
            frame.notes,
            frame.version,
            frame.from_sketch,
            frame.is_sketch,
        )
        # Not at the end of the program, where all that is in the folder goes at once.
        weakref.finalize(still, _leave, own).atexit = False
        _seen.get(still.file, lambda: frame)
        return still

    @property
    def frame(self) -> Frame:
        """All of it; the last ones that were looked at are at hand. Raises ProjectError where its files are gone."""
        return _seen.get(self.file, self._read)

    def written_anew(self, other: Still) -> None:
        """Take over the picture's file of another still of the same frame, which may tell more of its story."""
        os.replace(other.file, self.file)

    def _read(self) -> Frame:
        folder = self.file.parent
        try:
            with Image.open(self.file) as picture:
                image = picture.convert("RGB")
            with np.load(folder / MAPS, allow_pickle=False) as there:
                maps = RoutingMaps(self.names, there["maps"].astype(np.float32), self.measure)
            trace = replace(read_trace(folder / TRACE), names=self.names) if (folder / TRACE).exists() else None
        except (OSError, ValueError) as error:
            raise ProjectError(
                Message("{file} is no longer on this machine; make its panel again.", file=self.file.name)
            ) from error
        return Frame(image, maps, self.seed, trace, self.notes, self.version, self.from_sketch)


def _leave(folder: Path) -> None:
    """Remove the files of a frame that nobody shows any more; not at once, as a page may be asking for them."""
    _left.append(folder)
    with suppress(IndexError):  # another thread may be as far
        while len(_left) > LEFT:
            shutil.rmtree(_left.popleft(), ignore_errors=True)


_left: deque[Path] = deque()


def _weight(frame: Frame) -> int:
    """Bytes of a frame in memory; of a pixel's four, Pillow leaves one empty."""
    trace = sum(packed.nbytes for packed in frame.trace.packed.values()) if frame.trace else 0
    return 4 * frame.image.width * frame.image.height + frame.maps.values.nbytes + trace


_seen: Cache[Frame] = Cache(32_000_000, _weight)
