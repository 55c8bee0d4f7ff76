"""What the app does, without its widgets: the visitor's folder, the running render, the files to take home."""

from __future__ import annotations

import re
import secrets
import shutil
import tempfile
import time
import zipfile
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, suppress
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from PIL import Image

from anystory.backend import Backend
from anystory.render import Renderer
from anystory.segment import Segmenter, SegmentError
from anystory.story import Frame, Panel, Script, Settings, Story, Subject


@dataclass(frozen=True)
class Visit:
    """One visitor's folders: `story` holds the project, `files` what is offered for download."""

    story: Path
    files: Path


@dataclass(frozen=True)
class Job:
    """All that a visitor asked for when they pressed the button, and where its frames go."""

    script: Script
    subjects: tuple[Subject, ...]
    visit: Visit
    seed: int
    steps: int
    guidance: float

    def take(self, number: int, seed: int) -> Job:
        """The same, but for the seed of panel `number`."""
        panels = list(self.script.panels)
        panels[number - 1] = replace(panels[number - 1], seed=seed)
        return replace(self, script=replace(self.script, panels=tuple(panels)))

    @property
    def names(self) -> tuple[str, ...]:
        """The cast in the order that fixes its colours."""
        return tuple(subject.name for subject in self.subjects)

    def story(self, defaults: Settings) -> Story:
        """The story, in the backend's `defaults` where the visitor has no say."""
        asked = replace(defaults, seed=self.seed, steps=self.steps, guidance=self.guidance)
        return Story(self.script, self.subjects, asked)


@dataclass(frozen=True)
class Shown:
    """A finished frame: panel `number` (from 1) of a job. `file` is its PNG to take home, settings inside."""

    number: int
    frame: Frame
    file: Path
    job: Job

    @property
    def panel(self) -> Panel:
        return self.job.script.panels[self.number - 1]


@dataclass(frozen=True)
class Moment:
    """How a render stands: the panel at work (`number` of `total`), its steps done, the picture so far and the
    frames there are by now. `fresh` is the one that has just come, or None."""

    number: int
    total: int
    index: int
    steps: int
    prompt: str
    preview: Image.Image | None
    shown: tuple[Shown, ...]
    fresh: Shown | None


class Studio:
    """What all visitors of one app share: the backend, loaded once in the background, and the places to write.

    `load` returns the backend. With `out` every story is kept there in a folder of its own, named by the time;
    without, stories live as long as their visitor.
    """

    def __init__(self, load: Callable[[], Backend], out: Path | None = None) -> None:
        self._scratch = tempfile.TemporaryDirectory(prefix="anystory-", ignore_cleanup_errors=True)
        self._out = out
        self.segmenter = Segmenter()
        background = ThreadPoolExecutor(1, thread_name_prefix="load")
        self._loading: Future[Backend] = background.submit(load)
        background.submit(self._warm_segmenter)

    def _warm_segmenter(self) -> None:
        """Load the segmentation model, so that the first visitor does not wait for it."""
        with suppress(SegmentError):  # there is nothing in an empty picture
            self.segmenter.cut(Image.new("RGB", (64, 64)))

    @property
    def backend(self) -> Backend:
        """The backend; waits for it. Raises BackendError when it cannot be had."""
        return self._loading.result()

    @property
    def most(self) -> int | None:
        """How many characters a frame the model was trained for; None while it is not there."""
        there = self._loading.done() and self._loading.exception() is None
        return self.backend.max_subjects if there else None

    @cached_property
    def renderer(self) -> Renderer:
        return Renderer(self.backend)

    def visit(self) -> Visit:
        """New folders for one visitor."""
        token = secrets.token_urlsafe(16)
        files = Path(self._scratch.name) / token
        files.mkdir()
        if self._out is None:
            return Visit(files / "story", files)
        return Visit(self._out / time.strftime(f"%Y-%m-%d-%H%M%S-{secrets.token_hex(3)}"), files)

    @staticmethod
    def leave(visit: Visit | None) -> None:
        """Forget a visitor: what was only kept for the visit goes."""
        if visit is not None:
            shutil.rmtree(visit.files, ignore_errors=True)

    def render(self, job: Job, before: Sequence[Shown] = ()) -> Iterator[Moment]:
        """Render into the visitor's folder. Close the iterator to stop; finished frames stay.

        `before` are the frames of the visitor's last render: those whose panel is still the same are shown until
        they are made again. Raises what `Renderer.render` raises, and BackendError.
        """
        story = job.story(self.backend.defaults)
        panels = story.script.panels
        same = (item for item in before if item.panel in panels[item.number - 1 : item.number])
        shown = {item.number: replace(item, job=job) for item in same}
        with closing(self.renderer.render(story, job.visit.story)) as running:
            for progress in running:
                step, number = progress.step, progress.panel
                fresh = Shown(number, step.frame, _picture_file(job, number), job) if step.frame else None
                if fresh and progress.reused and number in shown and _same(fresh, shown[number]):
                    fresh = shown[number]  # what is open or cached of it goes on being so
                if fresh:
                    shown[number] = fresh
                yield Moment(
                    number=number,
                    total=len(panels),
                    index=step.index,
                    steps=step.total,
                    prompt=panels[number - 1].prompt,
                    preview=step.frame.image if step.frame else step.preview,
                    shown=tuple(shown[key] for key in sorted(shown)),
                    fresh=fresh,
                )


def _same(one: Shown, other: Shown) -> bool:
    return one.frame.seed == other.frame.seed and one.frame.image.tobytes() == other.frame.image.tobytes()


def slug(title: str) -> str:
    """The title as a file name."""
    return re.sub(r"[^\w]+", "-", title.lower()).strip("-")[:60] or "story"


def _picture_file(job: Job, number: int) -> Path:
    """A copy of a finished frame under a name that tells the story's."""
    target = job.visit.files / f"{slug(job.script.title)}-{number:03d}.png"
    shutil.copyfile(job.visit.story / "frames" / f"{number:03d}.png", target)
    return target


def story_file(job: Job) -> Path:
    """The whole project as a ZIP: story.json, cut-outs, frames and routing maps."""
    target = job.visit.files / f"{slug(job.script.title)}.zip"
    with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as archive:
        for path in sorted(job.visit.story.rglob("*")):
            if path.suffix in {".json", ".png", ".npz"}:
                archive.write(path, path.relative_to(job.visit.story))
    return target
