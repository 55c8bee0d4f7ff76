"""What the app does, without its widgets: the visitor's folder, the running render, the files to take home."""

from __future__ import annotations

import hashlib
import io
import math
import re
import secrets
import shutil
import tempfile
import threading
import time
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from queue import Queue

from PIL import Image

from anystory.api import load_story
from anystory.backends.base import MODELS, Backend, BackendError, Locator
from anystory.cast import segment
from anystory.cast.segment import Segmenter, SegmentError
from anystory.errors import AnyStoryError, Message
from anystory.maps import figures as maps
from anystory.maps.diagnosis import Diagnosis
from anystory.project.drafts import Store
from anystory.project.folder import Project, ProjectError, png, write_atomic
from anystory.project.imprint import ImprintError, story_from_png
from anystory.project.lineage import lineage, pictured, renamed, renames
from anystory.render.jobs import RenderJob, work
from anystory.render.locating import Located, locate
from anystory.render.portraits import Drawing, UncutError, undrawn, with_drawn
from anystory.render.session import Asked, Progress, Renderer, RenderError, framed, looks
from anystory.render.sketches import Sketches
from anystory.script.wildcards import WildcardError, expand_panel, expand_script
from anystory.story.model import Frame, Panel, RoutingTrace, Script, Story, Subject, panel_seed
from anystory.story.steering import UNSTEERED, Steering
from anystory.story.styles import own_styles
from ui.backends import Backends
from ui.estimate import TimeLeft
from ui.gate import Listeners
from ui.limits import Allowance, Limits
from ui.previews import STORY as EXAMPLE
from ui.scratch import Scratch, forget
from ui.stills import Still
from ui.strings import say
from ui.turnstile import Turn, Turnstile

TRIES = 8
"""Other seeds that are tried for a doubtful panel at a time."""

THUMBNAIL = 320
"""Longest side in pixels of the pictures on the strip."""

MAX_SKETCHES = 200
"""Sketches that a visitor has at a time, some 20 kB each."""

UPLOADED = 6 * 3600
"""Seconds for which files stay that a visitor uploaded or was shown."""


@dataclass(frozen=True)
class Visit:
    """One visitor's folders: `story` holds the project and the draft of the story with that `key` (of the `Store`),
    `files` what is offered for download, for as long as the page is open."""

    story: Path
    files: Path
    key: str = ""


@dataclass(frozen=True)
class Job:
    """All that a visitor asked for when they pressed the button, and where its frames go.

    `subjects` are those with a picture; `segmenter` cuts out whoever is drawn; `keys` are those of the page's
    characters by the names they have in the script. `panels` are those to make, None = all;
    `retry` is the one panel to make under other seeds until one passes, None = as they are; with `variants` so many
    frames of other seeds are made for the one of `panels`, for somebody to choose from. `backend` names who draws, ""
    being whoever draws where nobody chose; `steps` and `guidance` are None for what that was made for.
    """

    script: Script
    subjects: tuple[Subject, ...]
    visit: Visit
    seed: int
    backend: str = ""
    steps: int | None = None
    guidance: float | None = None
    segmenter: Segmenter = field(default_factory=Segmenter)
    panels: tuple[int, ...] | None = None
    retry: int | None = None
    variants: int = 0
    keys: Mapping[str, str] = field(default_factory=dict)

    @property
    def frames(self) -> int:
        """How many frames it is to make, unless it takes several tries."""
        return self.variants or len(self.wanted)

    @property
    def wanted(self) -> tuple[int, ...]:
        """The numbers of the panels to make, in story order."""
        if self.retry is not None:
            return (self.retry,)
        return tuple(sorted(set(self.panels))) if self.panels else tuple(range(1, len(self.script.panels) + 1))

    def take(self, number: int, seed: int, steering: Steering | None = None) -> Job:
        """Panel `number` alone, with another seed, and steered otherwise where that is given."""
        panel = self.script.panels[number - 1]
        panel = replace(panel, seed=seed, steering=panel.steering if steering is None else steering)
        return replace(self.with_panel(number, panel), panels=(number,), retry=None, variants=0)

    def arranged(self, item: Shown, steering: Steering) -> Job:
        """The panel of a frame alone, steered otherwise; its seed is only written down where it has another than its
        panel would have by itself."""
        panel = self.script.panels[item.number - 1]
        own = panel_seed(self.seed, item.number) if panel.seed is None else panel.seed
        panel = replace(panel, steering=steering, seed=panel.seed if own == item.still.seed else item.still.seed)
        return replace(self.with_panel(item.number, panel), panels=(item.number,), retry=None, variants=0)

    def with_panel(self, number: int, panel: Panel) -> Job:
        """The job with another panel `number`."""
        panels = (*self.script.panels[: number - 1], panel, *self.script.panels[number:])
        return replace(self, script=replace(self.script, panels=panels))

    def drawn_by(self, backend: str) -> Job:
        """The job for a backend; what was asked of another in numbers means nothing to it."""
        return self if backend == self.backend else replace(self, backend=backend, steps=None, guidance=None)

    def as_written(self, panels: Sequence[Panel]) -> Job:
        """The job with its panels as a page has them by now, in wildcards too, which a story's folder has filled in;
        where they ask for something else they stay."""
        mine = list(self.script.panels)
        for panel, place in zip(panels, lineage(mine, panels), strict=True):
            if place is not None and self.filled(panel, place + 1) == self.filled(mine[place], place + 1):
                mine[place] = panel
        return replace(self, script=replace(self.script, panels=tuple(mine)))

    def keep(self, number: int, seed: int, steering: Steering | None = None) -> Job:
        """As `take`, for a frame that is there; the job as it is where wildcards choose other words under that seed."""
        taken = self.take(number, seed, steering)
        before, after = (job.filled(job.script.panels[number - 1], number) for job in (self, taken))
        return taken if (before.prompt, before.cast) == (after.prompt, after.cast) else self

    def with_words(self, script: Script | None) -> Script:
        """The script that was rendered, with the title, captions and dialogue that `script` has by now for panels whose
        prompts are still the same."""
        if script is None:
            return self.script
        panels = list(self.script.panels)
        for panel, place in zip(script.panels, lineage(panels, script.panels), strict=True):
            if place is not None and panels[place].prompt in (panel.prompt, self.filled(panel, place + 1).prompt):
                panels[place] = replace(panels[place], caption=panel.caption, dialogue=panel.dialogue)
        return replace(self.script, title=script.title, panels=tuple(panels))

    def filled(self, panel: Panel, number: int) -> Panel:
        """A panel as number `number` of the script, with its wildcards filled in as far as there are lists for them."""
        with suppress(WildcardError):
            return expand_panel(panel, panel_seed(self.seed, number), self.names)
        return panel

    @property
    def names(self) -> tuple[str, ...]:
        """The cast in the order that fixes its colours."""
        return tuple(member.name for member in self.script.cast)

    def story(self, backend: Backend) -> Story:
        """The story with its wildcards filled in, in the backend's defaults where the visitor has no say."""
        asked = replace(backend.about.defaults, seed=self.seed)
        if not backend.about.sketches:
            steps = asked.steps if self.steps is None else self.steps
            asked = replace(asked, steps=steps, guidance=asked.guidance if self.guidance is None else self.guidance)
        script = expand_script(self.script, self.seed).beside(self.visit.story)
        return Story(script, self.subjects, asked)


@dataclass(frozen=True, eq=False)  # Gradio hashes what a state holds, which pictures do not allow
class Shown:
    """A finished frame: panel `number` (from 1) of a job. `id` is that panel in the story's folder, whatever number it
    has there by now (`Entry.panel`). `still` is what is known of it without its pixels; `thumbnail` a small JPEG of it,
    under a name that changes with the picture. One that is `pinned` is not made again."""

    number: int
    id: int
    still: Still
    thumbnail: Path
    job: Job
    pinned: bool = False

    @property
    def token(self) -> str:
        """What tells the frame of its panel from all others that the page has had, those of other stories too."""
        return f"{self.job.visit.story.name}/{self.id}"

    @property
    def frame(self) -> Frame:
        """The whole frame. Raises ProjectError where it can no longer be read."""
        return self.still.frame

    @property
    def file(self) -> Path:
        """Its PNG to take home, settings inside."""
        return self.still.file

    @property
    def backend(self) -> str:
        """The name of what made it."""
        return self.still.backend

    @property
    def names(self) -> tuple[str, ...]:
        """Who is in it."""
        return self.still.names[:-1]

    @property
    def panel(self) -> Panel:
        return self.job.script.panels[self.number - 1]

    def as_written(self, panels: Sequence[Panel]) -> Shown:
        """The same frame, of a job as a page has it by now (`Job.as_written`)."""
        return replace(self, job=self.job.as_written(panels))

    def place(self, panels: Sequence[Panel]) -> int | None:
        """Which of the panels that a page has by now its own is, by its index; None where it is gone, or asks for other
        words. What the panel shows and how it is steered may have changed, and of panels with the same words that have
        not the one that is just the same is meant."""
        mine, own = self.job.script.panels, self.panel
        if mine.count(own) == 1 == panels.count(own):
            return panels.index(own)
        before, now = ([replace(each, shows=(), steering=UNSTEERED) for each in some] for some in (mine, panels))
        places = lineage(before, now)
        if self.number - 1 not in places:
            return None
        index = places.index(self.number - 1)
        one, other = (self.job.filled(panel, self.number) for panel in (before[self.number - 1], now[index]))
        same = all(getattr(one, key) == getattr(other, key) for key in ("prompt", "cast", "style", "size", "shape"))
        return index if same else None

    @property
    def in_folder(self) -> tuple[Project, int]:
        """The story's folder, and the number that the panel has there by now. Raises ProjectError where it is gone."""
        return _in_folder(self.job.visit, self.id, self.number)

    def shows(self, panel: Panel, number: int) -> bool:
        """Whether it is what a panel asks for, as number `number` of a script that is `framed`."""
        mine = framed(self.job.script)[self.number - 1]
        filled = self.job.filled(mine, self.number), self.job.filled(panel, number)
        mine, other = (pictured(each, self.still) for each in filled)
        return mine == other

    @property
    def diagnosis(self) -> Diagnosis:
        return self.still.diagnosis

    @property
    def trace_words(self) -> str:
        """What is kept of the routing of this frame."""
        trace = self.frame.trace
        if trace is None:
            return ""
        layers = len(trace.shapes)
        of = Message("{count} layers", count=layers) if layers > 1 else Message("one layer")
        return Message("{steps} steps of {layers} are kept.", steps=len(trace.steps), layers=of)


@dataclass(frozen=True)
class Moment:
    """How a render stands: the words of `key` with `values` say where it is, `what` is made, its `share` (0 to 1) of
    the whole, the picture so far, and the frames there are by now, None while characters are drawn. `panel` is at work
    (`part` of it is done), those of `waiting` are still to come, those of `skipped` were left out. `fresh` is the frame
    that has just come, or None; `drawn` are the characters that had no picture, as far as they have one now; `left`
    are the seconds it will still take, None while nobody knows. `place` is that in the queue, 0 = at work."""

    key: str
    values: Mapping[str, object] = field(default_factory=dict)
    what: str = ""
    share: float = 0.0
    preview: Image.Image | None = None
    shown: tuple[Shown, ...] | None = None
    fresh: Shown | None = None
    drawn: tuple[Subject, ...] = ()
    panel: int | None = None
    part: float = 0.0
    waiting: tuple[int, ...] = ()
    skipped: tuple[int, ...] = ()
    left: float | None = None
    place: int = 0

    @property
    def where(self) -> str:
        """Where it is, in English."""
        return say("en", self.key, **self.values)


class Studio:
    """What all visitors of one app share: the backends, each loaded once in the background, and the places to write.

    `loaders`, `told`, `agreed` and `ask` are those of `Backends`. Every story has a folder of its own in `stories`, by
    a key that only its browser knows; without them stories live as long as the app. A `styles.yaml` in `out` adds
    presets. Raises StyleError for a file of presets that cannot be used. `limits` hold for every visitor, and all share
    the models through `turns`.
    """

    def __init__(
        self,
        loaders: Mapping[str, Callable[[], Backend]],
        out: Path | None = None,
        told: Mapping[str, Sequence[str]] | None = None,
        limits: Limits | None = None,
        stories: Store | None = None,
        agreed: set[str] | None = None,
        ask: Callable[[str], None] = lambda name: None,
    ) -> None:
        forget(Path(tempfile.gettempdir()))
        self._scratch = Scratch()
        self.stories = stories or Store(self.pictures / "stories")
        self._open: dict[str, Path] = {}
        self._opening = threading.Lock()  # visitors come and go at the same time
        self.limits = limits or Limits()
        self._uploads: dict[Path, float] = {}  # what is in Gradio's folder, and when that was seen first
        self.turns = Turnstile()
        self.listeners = Listeners()
        self.styles = own_styles(out) if out else ()
        self._examples: dict[str, dict[str, Frame | None]] = {}
        self.backends = Backends(loaders, told, agreed, ask)

    def _example(self, backend: Backend) -> dict[str, Frame | None]:
        """The frames of the example as it comes, by their keys. Whoever asks for one first has it made, and it is there
        at once for everybody else; no other frame has such a key, so nothing of a visitor's own is ever in here."""
        if backend.about.name not in self._examples:
            example = load_story(EXAMPLE, backend)
            keys = (key for key in Renderer(backend).keys(example) if key is not None)
            self._examples[backend.about.name] = dict.fromkeys(keys)
        return self._examples[backend.about.name]

    @cached_property
    def sketches(self) -> Sketches:
        """Who makes sketches for all visitors."""
        return Sketches()

    def sketch(self, asked: Asked, visit: Visit) -> Path:
        """A sketch as a file to show, of which twice `MAX_SKETCHES` are kept for a visitor. Raises ValueError as
        `Sketches.draw` does, and ProjectError as `write_atomic` does."""
        path = visit.files / f"sketch-{asked.key[:24]}.webp"
        if not path.exists():
            write_atomic({path: self.sketches.draw(asked)})
            for old in sorted(visit.files.glob("sketch-*.webp"), key=lambda file: file.stat().st_mtime)[
                : -2 * MAX_SKETCHES
            ]:
                old.unlink(missing_ok=True)
        return path

    @property
    def pictures(self) -> Path:
        """The folder whose files visitors can ask for, each under a name that only its visitor knows."""
        return self._scratch.path

    def close(self) -> None:
        """Remove what was only kept for as long as the app runs."""
        self._scratch.close()

    @property
    def stored(self) -> str:
        """The key of the words that say how long stories are kept."""
        if self.stories.root.is_relative_to(self.pictures):
            return "stored.run"
        return "stored.kept" if math.isinf(self.stories.days) else "stored.month"

    def visit(self, key: object = None, files: Path | None = None) -> Visit:
        """The folders of a visitor to the story of `key`, or to a new one where that is none. `files` are those of the
        visitor's page, None for a page that has just been opened. From now on this page is the one that keeps it."""
        key = key if isinstance(key, str) and Store.is_key(key) else Store.new_key()
        if files is None:
            files = self.pictures / secrets.token_urlsafe(16)
            files.mkdir(parents=True)
        with self._opening:
            self._open = {other: page for other, page in self._open.items() if page != files} | {key: files}
        return Visit(self.stories.folder(key), files, key)

    def holds(self, visit: Visit) -> bool:
        """Whether no other page has opened this story since."""
        return self._open.get(visit.key) == visit.files

    def turn_back(self, visit: Visit, other: Visit, held: bool) -> None:
        """The page stays with `visit`, as the `other` story cannot be opened. `held`: it kept that before."""
        with self._opening:
            if self.holds(other):
                del self._open[other.key]
            if held:
                self._open[visit.key] = visit.files

    def has_left(self, visit: Visit) -> bool:
        """Whether the page that had this story shows another one by now."""
        return any(page == visit.files and key != visit.key for key, page in list(self._open.items()))

    def leave(self, visit: Visit | None) -> None:
        """Forget a visitor: what was only kept for the visit goes."""
        if visit is not None:
            with self._opening:
                if self.holds(visit):
                    del self._open[visit.key]
            shutil.rmtree(visit.files, ignore_errors=True)

    def tidy(self, uploads: Path) -> None:
        """Remove what has become old: stories that nobody has open, and files in `uploads`, where Gradio puts what
        comes and goes."""
        self.stories.sweep(tuple(self._open))
        now = time.monotonic()
        there = [path for path in uploads.rglob("*") if path.is_file()]
        self._uploads = {path: self._uploads.get(path, now) for path in there}
        for path in there:
            if now - self._uploads[path] > UPLOADED:
                path.unlink(missing_ok=True)

    def frames(self, visit: Visit) -> tuple[Shown, ...]:
        """The finished frames of a story that was rendered before, less those of panels that have changed since, but
        not by the names of their characters. Raises ProjectError."""
        project = Project(visit.story)
        if not project.entries:
            return ()
        story = project.story()
        settings = story.settings
        job = Job(
            story.script,
            story.subjects,
            visit,
            settings.seed,
            project.made_with[0],
            settings.steps,
            settings.guidance,
        )
        now = dict.fromkeys((member.name for member in story.script.cast), "") | looks(story)
        shown = []
        for number in project.entries:
            made = project.asked(number)
            if made is None:
                continue
            try:
                frame = project.frame(number)
            except ProjectError:  # as `Project.unreadable` tells
                continue
            was = {member.name: made.looks.get(member.name, "") for member in made.script.cast}
            then = renamed(framed(made.script)[made.panel - 1], renames(was, now))
            panel = framed(story.script)[number - 1]
            # Not their seeds: a frame that was tried for or chosen has another than its panel.
            if pictured(replace(then, seed=None), frame) == pictured(replace(panel, seed=None), frame):
                shown.append(_shown(number, project.panel(number), frame, job))
        return tuple(shown)

    def render(
        self,
        job: Job,
        before: Sequence[Shown] = (),
        allowance: Allowance | None = None,
        skip: Callable[[], bool] = lambda: False,
    ) -> Generator[Moment, None, None]:
        """Draw the characters without a picture, then render into the visitor's folder: the panels of the job, or with
        `retry` one of them under up to `TRIES` other seeds while its frame is doubtful, the best being kept, or with
        `variants` other frames of one that go to its history. Who draws them is loaded first. Close
        the iterator to stop; finished frames stay. The turn is passed on after every frame and drawing.

        `before` are the frames of the visitor's last render: those whose panel is still the same are shown until
        they are made again. The model's time counts for `allowance`; `skip` is asked after every step and leaves the
        rest of a panel out. Raises what `Renderer.render` and `draw_cast` raise, BackendError and LimitError.
        """
        allowance = allowance or Allowance(self.limits)
        allowance.render(job.frames)
        moment = Moment("frames.waiting", waiting=job.wanted)
        yield moment
        name = job.backend or self.backends.first
        for _ in self.backends.arriving(name, again=True):
            yield replace(moment, key="backend.loading", values={"name": name}, what=self.backends.saying(name))
        with self.backends.using(name) as backend, self.turns.enter() as turn:
            clock, story = _Clock(allowance), job.story(backend)
            with closing(self._work(backend, story, job, before, skip, clock, turn, moment)) as moments:
                for moment in moments:
                    yield moment
                    clock.tick()

    def _work(
        self,
        backend: Backend,
        story: Story,
        job: Job,
        before: Sequence[Shown],
        skip: Callable[[], bool],
        clock: _Clock,
        turn: Turn,
        moment: Moment,
    ) -> Generator[Moment, None, None]:
        """What `render` yields once it is in the queue; `moment` is the one before it."""
        telling = _Telling(story, job, before, self._tries(job, before))

        def my_turn() -> Iterator[Moment]:
            for place in turn.wait():
                clock.stop()
                yield replace(moment, place=place, fresh=None)
            clock.start()

        def skips() -> bool:
            asked = skip()
            if asked:
                telling.leave_out(moment)
            return asked

        yield from my_turn()
        telling.left.start(time.monotonic())
        made = RenderJob(
            story,
            job.segmenter,
            job.visit.story,
            job.wanted,
            trace=True,
            retry=telling.tries,
            variants=job.variants,
            shared=self._example(backend),
            skip=skips,
        )
        with closing(work([made], backend)) as events:
            for _, event in events:
                if isinstance(event, UncutError):  # its whole message names a file, which no visitor can open
                    raise RenderError(event.sentence) from event
                if isinstance(event, AnyStoryError):
                    raise event
                if isinstance(event, Drawing):
                    moment, done = telling.drawing(event), event.subject is not None
                else:
                    moment, done = telling.frame(event), event.step.frame is not None and not event.reused
                yield moment
                if done:
                    turn.pass_on()
                    yield from my_turn()

    def locate(
        self, name: str, picture: Image.Image, subjects: Sequence[Subject], cast: Sequence[str], allowance: Allowance
    ) -> Iterator[int | Located]:
        """Wait for the turn, yielding the place in the queue, then yield who of `subjects` is where in a picture, by
        the backend `name`. The model's time counts for `allowance`. Raises BackendError and LimitError."""
        allowance.spend(0)
        with self.backends.using(name) as backend:
            if not isinstance(backend, Locator):
                raise BackendError(
                    Message("{name} cannot look for characters in a picture; {other} can.", name=name, other=MODELS[0])
                )
            with self.turns.enter() as turn:
                yield from turn.wait()
                with allowance.working():
                    found = locate(backend, picture, subjects, cast)
        yield found

    @staticmethod
    def _tries(job: Job, before: Sequence[Shown]) -> int:
        """How many other seeds the panel to try again, which `before` has, may have had in the end; 0 for other jobs.
        Raises ProjectError where the panel is gone."""
        item = next((item for item in before if item.number == job.retry and item.job.script == job.script), None)
        if item is None:
            return 0
        project, number = item.in_folder
        return project.entries[number].tries - 1 + TRIES if number in project.entries else TRIES


class _Telling:
    """What a render's events come to, as the moments that its visitor sees. `before` are the frames of the last render;
    a panel that is tried again has had `tries` other seeds in the end, of which the last `TRIES` are of this render."""

    def __init__(self, story: Story, job: Job, before: Sequence[Shown], tries: int) -> None:
        self.tries = tries
        self._story, self._job, self._before = story, job, before
        self._drawn: tuple[Subject, ...] = ()
        self._waiting = len(undrawn(story, job.wanted))
        self._total = self._waiting + job.frames
        self._steps = story.settings.steps
        self._skipped: list[int] = []
        self._drawings, self._frames = 1, max(0, tries - TRIES + 1)  # the attempt that each is at
        self._shown = self._kept()
        self.left = TimeLeft(self._total, self._steps)

    @cached_property
    def _project(self) -> Project:
        """The story's folder, as this render has begun it."""
        return Project(self._job.visit.story)

    def _kept(self) -> dict[int, Shown]:
        """The frames of the last render whose panel is still the same, wherever it stands."""
        panels = framed(self._story.script)
        there = placed(self._before, panels) if panels else {}
        same = ((number, item) for number, item in there.items() if item.shows(panels[number - 1], number))
        return {number: replace(item, number=number, job=self._job) for number, item in same}

    def leave_out(self, moment: Moment) -> None:
        """The rest of the panel that `moment` is at is left out."""
        if moment.panel is not None:
            self._skipped.append(moment.panel)
        step = moment.values["step"]
        steps = moment.values["steps"]
        if isinstance(step, int) and isinstance(steps, int) and steps <= self._steps:
            self.left.skip(step, steps)
        else:
            self.left.skip()

    def drawing(self, event: Drawing) -> Moment:
        """A step of drawing a character."""
        step = event.step
        if event.attempt > self._drawings:
            self.left.more()
        self._drawings = event.attempt
        if event.reused:
            self.left.skip()
        else:
            self.left.step(time.monotonic(), step.index, step.total)
        done = len(self._drawn) + (1 if event.subject else step.index / step.total)
        if event.subject:
            self._drawn = (*self._drawn, event.subject)
            self._story = with_drawn(self._story, [event.subject])
            self._job = replace(self._job, subjects=self._story.subjects)
            self._shown = self._kept()
        cast = self._story.script.cast
        return Moment(
            "frames.drawing",
            {"name": event.name, "step": step.index, "steps": step.total},
            what=next(member.description for member in cast if member.name == event.name),
            share=done / self._total,
            preview=step.frame.image if step.frame else step.preview,
            drawn=self._drawn,
            waiting=self._job.wanted,
            left=self.left.left(),
        )

    def frame(self, event: Progress) -> Moment:
        """A step of making a frame."""
        step, number, job, panels = event.step, event.panel, self._job, self._story.script.panels
        if job.retry is not None and event.attempt > self._frames:
            self.left.more()
            self._frames = event.attempt
        if event.reused:
            self.left.skip()
        elif step.total <= self._steps or step.frame:  # of a sketch the whole frame counts as a step
            self.left.step(time.monotonic(), step.index, step.total)
        fresh = None
        if step.frame and not job.variants:
            fresh = _shown(number, self._project.panel(number), step.frame, job)
        if fresh and number in self._shown and _same(fresh, self._shown[number]):
            self._shown[number].still.written_anew(fresh.still)
            fresh = self._shown[number]  # what is open or cached of it goes on being so
        if fresh:
            self._shown[number] = fresh
        counts = {"number": number, "count": len(panels), "step": step.index, "steps": step.total}
        key, place = "frames.progress", job.wanted.index(number)
        if job.variants:
            key, place = "frames.variant", event.attempt - 1
            counts |= {"variant": event.attempt, "count": job.variants}
        elif job.retry is not None:
            key = "frames.retrying"
        return Moment(
            key,
            counts,
            what=panels[number - 1].prompt,
            share=(self._waiting + place + step.index / step.total) / self._total,
            preview=step.frame.image if step.frame else step.preview,
            shown=tuple(self._shown[key] for key in sorted(self._shown)),
            fresh=fresh,
            drawn=self._drawn,
            panel=number,
            part=step.index / step.total,
            waiting=job.wanted[job.wanted.index(number) + 1 :],
            skipped=tuple(self._skipped),
            left=self.left.left(),
        )


class _Clock:
    """Counts the time that the model works for somebody."""

    def __init__(self, allowance: Allowance) -> None:
        self._allowance = allowance
        self._since: float | None = None

    def start(self) -> None:
        self._since = self._since or time.monotonic()

    def tick(self) -> None:
        """Count what has passed. Raises LimitError when that was all."""
        if self._since is not None:
            before, self._since = self._since, time.monotonic()
            self._allowance.spend(self._since - before)

    def stop(self) -> None:
        self._since = None


def fetch(model: str) -> Iterator[tuple[int, int]]:
    """Download a segmentation model unless it is here, yielding the bytes that have come and the bytes in all,
    percent by percent. Close the iterator to stop. Raises SegmentError with a sentence."""
    told: Queue[tuple[int, int] | None] = Queue()
    stopped = threading.Event()
    percent = -1

    def report(done: int, total: int) -> None:
        nonlocal percent
        if stopped.is_set():
            raise SegmentError("The download was stopped.")
        if 100 * done // total > percent:
            percent = 100 * done // total
            told.put((done, total))

    with ThreadPoolExecutor(1, thread_name_prefix="fetch") as background:
        fetched = background.submit(segment.fetch, model, report)
        fetched.add_done_callback(lambda _: told.put(None))
        try:
            yield from iter(told.get, None)
        finally:
            stopped.set()
    fetched.result()


def _same(one: Shown, other: Shown) -> bool:
    return (one.still.seed, one.thumbnail) == (other.still.seed, other.thumbnail)  # by the digest of the picture


def slug(title: str) -> str:
    """The title as a file name."""
    return re.sub(r"[^\w]+", "-", title.lower()).strip("-")[:60] or "story"


def place(job: Job, end: str) -> Path:
    """A place for something to take home, under a name that tells the story's."""
    return job.visit.files / f"{slug(job.script.title)}{end}"


def _shown(number: int, panel: int, frame: Frame, job: Job) -> Shown:
    """A finished frame of panel `number` of a job, which is `panel` in the story's folder, with files of its own to
    show and to take home. Raises ProjectError where that is gone."""
    project, there = _in_folder(job.visit, panel, number)
    file = place(job, f"-{number:03d}.png")
    still = Still.of(frame, project, there, file.parent, file.name)
    return Shown(number, panel, still, _small(number, frame.image, job.visit), job, project.entries[there].pinned)


def _in_folder(visit: Visit, panel: int, number: int) -> tuple[Project, int]:
    """The folder of a visitor's story, and the number that `panel` of it has there by now. Raises ProjectError where it
    is gone, which was number `number`."""
    project = Project(visit.story)
    there = project.number(panel)
    if there is None:
        raise ProjectError(Message("Panel {number} is no longer in the story; make the frames again.", number=number))
    return project, there


@dataclass(frozen=True)
class Take:
    """A frame that stood or could stand in a panel's place: its `key`, its `seed`, the name of the `backend` that made
    it and a small JPEG of it."""

    key: str
    seed: int
    backend: str
    thumbnail: Path


def placed(shown: Sequence[Shown], panels: Sequence[Panel]) -> dict[int, Shown]:
    """Frames by the numbers that their panels have in the script by now; those of panels that are gone are left out.
    While there is no script to read they stand where they stood."""
    if not panels:
        return {item.number: item for item in shown}
    scripts = {id(item.job.script): item.job.script.panels for item in shown}
    places = {key: lineage(before, panels) for key, before in scripts.items()}
    now = {
        key: {place: number for number, place in enumerate(found, 1) if place is not None}
        for key, found in places.items()
    }
    found = ((now[id(item.job.script)].get(item.number - 1), item) for item in shown)
    return {number: item for number, item in found if number is not None}


def rechosen(chosen: Sequence[int], before: Sequence[Panel], panels: Sequence[Panel]) -> tuple[int, ...]:
    """The numbers that the panels chosen of a script `before` have by now; those that are gone are left out. A script
    that cannot be read has no panels, and moves nothing."""
    if not (before and panels):
        return tuple(number for number in chosen if not panels or number <= len(panels))
    places = enumerate(lineage(before, panels), 1)
    return tuple(number for number, place in places if place is not None and place + 1 in chosen)


def takes(item: Shown) -> list[Take]:
    """Those in the history of a frame's panel, the newest first, but for the one that stands there. Who cannot be read
    is left out."""
    try:
        project, number = item.in_folder
    except ProjectError:
        return []
    now = project.entries.get(number)
    listed = []
    for kept in reversed(project.history_of(number)):
        if now and kept.key == now.key:
            continue
        with suppress(ProjectError):
            image = project.kept(number, kept.key).image
            listed.append(
                Take(kept.key, kept.seed, project.made_by(kept)[0], _small(item.number, image, item.job.visit))
            )
    return listed


def restored(item: Shown, key: str) -> Shown:
    """The panel's frame of `key` from its history, in its place again. Its job asks for what that frame was made
    with, seed and steering, as far as the panel is otherwise still the same. Raises ProjectError with a sentence."""
    (project, number), job = item.in_folder, item.job
    for kept in (kept for kept in project.history_of(number) if kept.key == key):
        with suppress(ImprintError, OSError):
            made = story_from_png((project.folder / kept.image).read_bytes())
            panel = framed(made.script)[made.panel - 1]
            steering = framed(job.script)[item.number - 1].steering
            if item.shows(replace(panel, seed=item.panel.seed, steering=steering), item.number):
                own, told = made.script.panels[made.panel - 1].steering, panel.steering.from_sketch
                frame = project.kept(number, key)
                if own.from_sketch is None and told != job.script.from_sketch and not frame.is_sketch:
                    own = replace(own, from_sketch=frame.from_sketch)  # which another word of the story would change
                job = job.keep(item.number, kept.seed, own)
    project.restore(number, key, rewritten=job is not item.job)
    return _shown(item.number, item.id, project.frame(number), job)


def pinned(item: Shown) -> bool:
    """Whether the frame stays whatever is asked for."""
    try:
        project, number = item.in_folder
    except ProjectError:
        return False
    return number in project.entries and project.entries[number].pinned


def pin(item: Shown, on: bool) -> Shown:
    """Pin a frame, its seed being the panel's from now on (as in `Job.keep`), or let it go. Raises ProjectError with a
    sentence."""
    project, number = item.in_folder
    project.pin(number, on)
    return replace(item, job=item.job.keep(item.number, item.still.seed) if on else item.job, pinned=on)


def _small(number: int, image: Image.Image, visit: Visit) -> Path:
    """A small JPEG of a frame of panel `number`, under a name that changes with the picture."""
    digest = hashlib.sha256(image.tobytes()).hexdigest()[:12]
    path = visit.files / f"{number:03d}-{digest}.jpg"
    if not path.exists():
        image = image.convert("RGB")
        image.thumbnail((THUMBNAIL, THUMBNAIL), Image.Resampling.LANCZOS)
        buffer = io.BytesIO()
        image.save(buffer, "JPEG", quality=88)
        write_atomic({path: buffer.getvalue()})
    return path


def map_sheet(item: Shown) -> Path:
    """The paper's figure 4 of a frame with a trace, as PNG. Raises ValueError with a sentence where it is too large."""
    target = place(item.job, f"-{item.number:03d}-maps.png")
    write_atomic({target: png(maps.figure(_trace(item)))})
    return target


def _trace(item: Shown) -> RoutingTrace:
    trace = item.frame.trace
    if trace is None:
        raise ValueError(Message("The frame of panel {number} has no trace; make it again.", number=item.number))
    return trace


def animation(item: Shown) -> Path:
    """Who is where in a frame with a trace, step by step, as animated WebP. Errors as in `map_sheet`."""
    target = place(item.job, f"-{item.number:03d}-steps.webp")
    pictures = maps.animation(item.frame.image, _trace(item), cast=item.job.names)
    write_atomic({target: maps.animated(pictures, target.suffix)})
    return target


def contact_sheet(shown: Sequence[Shown]) -> Path:
    """The story at a glance, as PNG. Raises ValueError with a sentence where there is no frame."""
    job = shown[0].job
    target = place(job, "-sheet.png")
    write_atomic({target: png(maps.contact_sheet(job.script, {item.number: item.frame for item in shown}))})
    return target


def unwritable(shown: Sequence[Shown]) -> str:
    """A sentence on the letters of the contact sheet that its font lacks; "" if there is none."""
    return maps.unwritable_on_sheet(shown[0].job.script, {item.number: item.frame for item in shown})
