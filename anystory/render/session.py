"""From a story to its frames: encode each character once, go panel by panel, resume where it stopped."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any

from anystory.backends.base import Backend, Batcher, SubjectEncoding
from anystory.errors import AnyStoryError
from anystory.maps.diagnosis import another_seed, diagnose
from anystory.project.folder import Entry, Project, content
from anystory.render.batch import Batches
from anystory.story.model import (
    ATTENTION,
    BACKGROUND,
    MAX_TRACE,
    Frame,
    Prompt,
    Script,
    Settings,
    Step,
    Story,
    Subject,
    panel_seed,
    sides,
    trace_size,
)
from anystory.story.prompt import compose
from anystory.story.shot import Shot
from anystory.story.steering import UNSTEERED, Steering
from anystory.story.styles import style_of


class RenderError(AnyStoryError, ValueError):
    """A story cannot be rendered as asked. The message is one sentence for the user."""


@dataclass(frozen=True)
class Progress:
    """One step of one panel (`panel` from 1). A `reused` panel has a single step with the frame that was
    already in the folder. `attempt` counts the seeds from 1; the last step of one holds the best frame so far.
    `done` marks the last of the panel, with the frame that stays."""

    panel: int
    step: Step
    reused: bool = False
    attempt: int = 1
    done: bool = False


@dataclass(frozen=True)
class Request:
    """All that one panel's pixels depend on, besides the backend. `key` is the hash of it all."""

    prompt: Prompt
    subjects: tuple[Subject, ...]
    seed: int
    steering: Steering
    key: str


def chosen_panels(story: Story, panels: Iterable[int] | None, backend: Backend) -> list[int]:
    """`panels` (None = all) in story order, each once. Raises RenderError for those that do not exist, have more
    characters than `backend` takes or a size that it cannot draw."""
    count = len(story.script.panels)
    wanted = list(range(1, count + 1)) if panels is None else sorted(set(panels))
    for number in wanted:
        if not 1 <= number <= count:
            raise RenderError(f"There is no panel {number}; the story has panels 1 to {count}.")
        cast, size = story.script.panels[number - 1].cast, story.script.panels[number - 1].size
        if size is not None and size not in backend.sizes:
            raise RenderError(f"Panel {number} asks for {size} pixels; {backend.name} draws {sides(backend.sizes)}.")
        if len(cast) > backend.max_subjects:
            raise RenderError(
                f"Panel {number} has {len(cast)} characters; {backend.name} takes at most {backend.max_subjects} in a "
                "frame: leave some out."
            )
    return wanted


def panel_settings(story: Story, number: int) -> Settings:
    """The settings panel `number` (from 1) is rendered with: the story's, in its own size if it has one."""
    size = story.script.panels[number - 1].size
    return story.settings if size is None else replace(story.settings, size=size)


def looks(story: Story) -> dict[str, str]:
    """What each character looks like, as a hash (`content`), by name."""
    return {subject.name: content(subject) for subject in story.subjects}


class Renderer:
    """Renders stories with one backend; a renderer keeps the encodings of its last story's characters."""

    def __init__(self, backend: Backend, shared: dict[str, Frame | None] | None = None) -> None:
        """`shared` holds frames that any story may have by their keys (see `keys`), None for those that nobody has made
        yet: they are filled in as they are made, and go into folders as they are."""
        self.backend = backend
        self._shared = {} if shared is None else shared
        self._encodings: dict[str, SubjectEncoding] = {}
        self._encoding: dict[str, threading.Lock] = {}
        self._read: tuple[Script | None, list[Shot]] = (None, [])
        self._writing = threading.Lock()  # panels that are made at the same time list their frames in one file

    def render(
        self,
        story: Story,
        folder: str | Path | None = None,
        panels: Iterable[int] | None = None,
        *,
        trace: bool = False,
        retry: int = 0,
        skip: Callable[[], bool] = lambda: False,
    ) -> Generator[Progress, None, None]:
        """Render `panels` (numbers from 1; None = all) in story order. Close the generator to stop.

        With a `folder`, every frame is written there the moment it is done, and panels whose frame is already
        there are not rendered again. The same story gives the same frames whichever panels are asked for.

        `trace` keeps the maps of every layer and step in the folder; a finished frame without them is made once more.
        A frame that does not pass its diagnosis is made again under `another_seed`, up to `retry` times or until one
        passes; the best is kept, and tries already made are not made again.
        `skip` is asked after every step: where it says True the rest of that panel is left out, and what it had stays.
        Where the backend makes several frames at once, a panel's first try comes with those of the next panels, of a
        model those that have as many characters and are not steered; they are told in story order all the same.

        Raises RenderError for panels that do not exist, are too crowded for the backend or whose characters
        have no picture, or traces larger than `MAX_TRACE`, ProjectError where the folder cannot be read or written.
        """
        hashes, project, wanted = self._open(story, folder, panels, trace)
        if project:
            self._adopt(story, hashes, project, wanted, trace)
        return self._in_order(story, hashes, project, wanted, trace, retry, skip)

    def panels(
        self,
        story: Story,
        folder: str | Path | None = None,
        panels: Iterable[int] | None = None,
        *,
        trace: bool = False,
        retry: int = 0,
    ) -> list[Generator[Progress, None, None]]:
        """The same, taken apart: one generator per panel, each the work of that panel alone. They may run in any order
        and at the same time, in threads of their own, as far as the backend bears it."""
        hashes, project, wanted = self._open(story, folder, panels, trace)
        return [self._panel(story, number, hashes, project, trace, retry, Batches()) for number in wanted]

    def keys(self, story: Story) -> list[str | None]:
        """The key of each panel's frame, None where somebody in it has no picture: two panels with the same key, of
        whatever stories, have the same pixels."""
        return [request and request.key for request in self.requests(story)]

    def requests(self, story: Story, hashes: dict[str, str] | None = None) -> list[Request | None]:
        """What each panel asks of the backend, None where somebody in it has no picture; `hashes` are the story's
        `looks`, where they are known."""
        hashes = looks(story) if hashes is None else hashes
        return [self._request(story, number, hashes) for number in range(1, len(story.script.panels) + 1)]

    def _open(
        self, story: Story, folder: str | Path | None, panels: Iterable[int] | None, trace: bool
    ) -> tuple[dict[str, str], Project | None, list[int]]:
        """Check what is asked and open the folder: the characters' hashes by name, the folder, the panels' numbers."""
        hashes = looks(story)
        wanted = chosen_panels(story, panels, self.backend)
        for number in wanted:
            for name in story.script.panels[number - 1].cast:
                if name not in hashes:
                    more = "" if self.backend.sketches else ", or a description"
                    raise RenderError(f"{name} is in panel {number} but has no picture; add one for {name}{more}.")

        if trace:
            self.trace_size(story, wanted)

        project = None if folder is None else self._begin(story, folder, hashes)
        self._forget_others(hashes)
        return hashes, project, wanted

    def variants(
        self, story: Story, folder: str | Path, number: int, count: int, *, skip: Callable[[], bool] = lambda: False
    ) -> Iterator[Progress]:
        """Render panel `number` under `count` seeds that were not tried for it yet, for a person to choose from: each
        goes to the panel's history in `folder`, and `Project.restore` makes one the panel's. No frame that is there
        changes. `attempt` of the progress counts from 1; errors as in `render`; `skip` leaves out all that is left."""
        for running in self.each_variant(story, folder, number, count):
            with closing(running):
                for progress in running:
                    yield progress
                    if skip():
                        return

    def each_variant(
        self, story: Story, folder: str | Path, number: int, count: int
    ) -> list[Generator[Progress, None, None]]:
        """The same, taken apart as in `panels`: one generator a seed."""
        (running,) = self.panels(story, folder, [number])
        running.close()  # only checked
        hashes = looks(story)
        asked, project = self._request(story, number, hashes), Project(folder)
        tried = {asked.seed, *(kept.seed for kept in project.history if kept.number == number)}
        tried |= {project.entries[number].seed} if number in project.entries else set()
        settings = panel_settings(story, number)

        def variant(attempt: int, seed: int) -> Generator[Progress, None, None]:
            request = self._request(story, number, hashes, seed)
            for step in self._denoise(request, hashes, settings):
                if step.frame:
                    with self._writing:
                        project.keep(number, step.frame, request.key, request.prompt.text, settings)
                yield Progress(number, step, attempt=attempt, done=step.frame is not None)

        runs, seed = [], asked.seed
        for attempt in range(1, count + 1):
            while seed in tried:
                seed = another_seed(seed)
            tried.add(seed)
            runs.append(variant(attempt, seed))
        return runs

    def _begin(self, story: Story, folder: str | Path, hashes: dict[str, str]) -> Project:
        """The story's folder, which now holds the story."""
        project = Project(folder)
        keys = [request and request.key for request in self.requests(story, hashes)]
        names = [(*panel.cast, BACKGROUND) for panel in story.script.panels]
        made_by = self.backend.name, self.backend.version
        reworded = self._adopt_reworded(story, hashes, project, {key for key in keys if key})
        project.begin(story, keys, names, *made_by, partial(self._is_own, story, hashes, reworded=reworded))
        return project

    def _is_own(
        self,
        story: Story,
        hashes: dict[str, str],
        number: int,
        entry: Entry,
        reworded: Mapping[str, str] = MappingProxyType({}),
    ) -> bool:
        """Whether a listed frame shows what panel `number` asks for, under whatever seed. `reworded` has the keys that
        frames would have today by those they have."""
        asked = self._request(story, number, hashes, entry.seed)
        return asked is not None and asked.key == reworded.get(entry.key, entry.key)

    def _adopt_reworded(self, story: Story, hashes: dict[str, str], project: Project, keys: set[str]) -> dict[str, str]:
        """Let panels keep frames whose sentence an earlier version composed in other words. Such a frame's key is no
        panel's of `keys`, but what its picture tells was asked for, asked today, has one. Returns the key each such
        frame would have today by the one it has."""
        by_look = {hashes[subject.name]: subject for subject in story.subjects}
        scripts: dict[str, Script] = {}
        reworded: dict[str, str] = {}
        for number, entry in project.entries.items():
            then = None if entry.asked in keys else project.asked(number)
            if then is None or (then.backend, then.version) != (self.backend.name, self.backend.version):
                continue
            script = scripts.setdefault(repr(then.script), then.script)  # the same one is read once
            told = {member.name: member.description for member in script.cast}
            there = {name: look for name, look in then.looks.items() if look in by_look}
            subjects = tuple(
                replace(by_look[look], name=name, description=told.get(name, "")) for name, look in there.items()
            )
            before = Story(script, subjects, then.settings)
            asked, own = (self._request(before, then.panel, there, seed) for seed in (None, entry.seed))
            wanted = next((request.key for request in (asked, own) if request and request.key in keys), None)
            if wanted and own and own.key != entry.key:
                project.entries[number] = replace(entry, asked=wanted)
                reworded[entry.key] = own.key
        return reworded

    def _adopt(self, story: Story, hashes: dict[str, str], project: Project, wanted: list[int], trace: bool) -> None:
        """Write the shared frames of panels that have none."""
        for number in wanted:
            asked = self._request(story, number, hashes)
            frame = self._shared.get(asked.key)
            if frame and not project.finished(number, asked.key):
                frame = frame.named((*story.script.panels[number - 1].cast, BACKGROUND))
                settings = panel_settings(story, number)
                project.save(number, frame, asked.key, asked.prompt.text, settings, trace=trace)

    def _forget_others(self, hashes: dict[str, str]) -> None:
        """Keep the encodings of these characters only."""
        self._encodings = {key: self._encodings[key] for key in hashes.values() if key in self._encodings}
        self._encoding = {key: threading.Lock() for key in hashes.values()}

    def _in_order(
        self,
        story: Story,
        hashes: dict[str, str],
        project: Project | None,
        wanted: list[int],
        trace: bool,
        retry: int,
        skip: Callable[[], bool],
    ) -> Generator[Progress, None, None]:
        together = Batches()
        try:
            for place, number in enumerate(wanted):
                if number not in together:
                    group = self._group(story, wanted[place:], hashes, project)
                    if group or not self.backend.sketches:
                        together.close()  # a batch that was broken off holds the model
                    if len(group) > 1:
                        together.start(group, self._denoise_batch(story, group, hashes))
                with closing(self._panel(story, number, hashes, project, trace, retry, together)) as running:
                    for progress in running:
                        yield progress
                        if skip():
                            together.leave_out(number)
                            break
        finally:
            self._keep(together.close(), story, hashes, project, trace)

    def trace_size(self, story: Story, panels: Iterable[int]) -> int:
        """Bytes that the traces of `panels` take on disk at most. Raises RenderError where one is over `MAX_TRACE`."""
        settings, total = story.settings, 0
        for number in panels:
            shapes = self.backend.layer_shapes(panel_settings(story, number))
            subjects = len(story.script.panels[number - 1].cast)
            size = trace_size(settings.steps, shapes, subjects)
            if size > MAX_TRACE:
                raise RenderError(
                    f"The trace of panel {number} takes {size / 1e6:.0f} MB ({settings.steps} steps, {len(shapes)} "
                    f"layers, characters: {subjects}), more than {MAX_TRACE / 1e6:.0f} MB; ask for fewer steps or "
                    "leave the trace out."
                )
            total += size
        return total

    def _group(self, story: Story, wanted: list[int], hashes: dict[str, str], project: Project | None) -> list[int]:
        """The first of `wanted` and those of the next that come with it in a batch: all without a frame, and unless
        they are sketches with as many characters, of the same settings, and not steered."""
        most = self.backend.batch if isinstance(self.backend, Batcher) else 1
        panels, group = story.script.panels, list[int]()
        first = len(panels[wanted[0] - 1].cast), panel_settings(story, wanted[0])
        for number in wanted if most > 1 else ():
            if len(group) == most or (number != wanted[0] and not group):
                break
            panel, request = panels[number - 1], self._request(story, number, hashes)
            alike = (len(panel.cast), panel_settings(story, number)) == first and panel.steering == UNSTEERED
            if (alike or self.backend.sketches) and not (project and project.finished(number, request.key)):
                group.append(number)
        return group

    def _keep(
        self, frames: dict[int, Frame], story: Story, hashes: dict[str, str], project: Project | None, trace: bool
    ) -> None:
        """Write the frames of panels that are stopped before they are told."""
        for number, frame in frames.items() if project else ():
            asked = self._request(story, number, hashes)
            keep = {"asked": asked.key, "tries": 1, "trace": trace}
            project.save(number, frame, asked.key, asked.prompt.text, panel_settings(story, number), **keep)

    def _panel(
        self,
        story: Story,
        number: int,
        hashes: dict[str, str],
        project: Project | None,
        trace: bool,
        retry: int,
        together: Batches,
    ) -> Generator[Progress, None, None]:
        """One panel: the frame that is there or a new one, then other seeds as long as they are needed."""
        asked, settings = self._request(story, number, hashes), panel_settings(story, number)
        with self._writing:
            best = project and project.finished(number, asked.key)
        tries = project.entries[number].tries if best else 1
        pinned = best is not None and project.entries[number].pinned
        own = best is not None and self._is_own(story, hashes, number, project.entries[number])

        def again(best: Frame) -> bool:
            return not pinned and tries <= retry and not diagnose(best.maps).passed

        def attempt(seed: int, best: Frame | None) -> Generator[Progress, None, Frame]:
            request = self._request(story, number, hashes, seed)
            with_others = number in together
            if not with_others:
                together.settle()
            steps = together.steps(number) if with_others else self._denoise(request, hashes, settings)
            for step in steps:
                if step.frame:
                    if request.key in self._shared:
                        self._shared[request.key] = step.frame
                    better = best is None or diagnose(step.frame.maps).badness < diagnose(best.maps).badness
                    best = step.frame if better else best
                    keep = {"asked": asked.key, "tries": tries, "trace": trace}
                    with self._writing:
                        if project and better:
                            project.save(number, best, request.key, request.prompt.text, settings, **keep)
                        elif project:
                            project.tried(number, tries)
                    step = replace(step, frame=best)
                yield Progress(number, step, attempt=tries, done=bool(step.frame) and not again(best))
            return best

        if best is None:
            best = yield from attempt(asked.seed, None)
        elif trace and asked.subjects and best.trace is None and best.maps.measure != ATTENTION and own and not pinned:
            best = yield from attempt(best.seed, None)  # the same frame, for its trace
        else:
            whole = Step(story.settings.steps, story.settings.steps, frame=best)
            yield Progress(number, whole, reused=True, done=not again(best))
        seed = asked.seed
        for _ in range(tries - 1):
            seed = another_seed(seed)
        while again(best):
            tries, seed = tries + 1, another_seed(seed)
            best = yield from attempt(seed, best)

    def _request(self, story: Story, number: int, hashes: dict[str, str], seed: int | None = None) -> Request | None:
        """What panel `number` asks of the backend, with its own seed or another; None while one of its characters
        has no picture."""
        panel = story.script.panels[number - 1]
        if not hashes.keys() >= set(panel.cast):
            return None
        by_name = {subject.name: subject for subject in story.subjects}
        subjects = tuple(by_name[name] for name in panel.cast)
        style = style_of(story.script, panel) if self.backend.follows_style else ""
        prompt = compose(panel, subjects, style, [member.name for member in story.script.cast])
        shot = self._shot(story, number) if self.backend.sketches else None
        if seed is None:
            seed = panel_seed(story.settings.seed, number) if panel.seed is None else panel.seed
        # Neither number, caption, dialogue nor title: they never change a pixel, but for who speaks in a shot. The
        # story's seed only through `seed`, and through the places of a shot.
        settings = {name: value for name, value in asdict(panel_settings(story, number)).items() if name != "seed"}
        steering = panel.steering
        if shot:
            shown = asdict(replace(shot, carried=(), guessed=(), unread=()))  # how it was read shows in nothing
            settings = {"size": settings["size"], "story seed": story.settings.seed, "shot": shown}
            steering = Steering(steering.layout)
        cast = [hashes[name] for name in panel.cast]
        parts = [prompt.text, prompt.mentions, cast, settings, seed, self.backend.name, self.backend.version]
        steered = steering.asked((*panel.cast, BACKGROUND))
        parts += [steered] if steered else []
        key = hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()
        return Request(replace(prompt, shot=shot), subjects, seed, steering, key)

    def _shot(self, story: Story, number: int) -> Shot:
        """What panel `number` shows. A script is read whole, as panels go on from those before them, and once."""
        from anystory.sketch.read import read_story  # whose vocabulary no other backend needs
        from anystory.sketch.recall import recalled

        script, shots = self._read
        if script is not story.script:
            shots = recalled(read_story(story.script, story.script.cast))
            self._read = story.script, shots
        return shots[number - 1]

    def _denoise(self, request: Request, hashes: dict[str, str], settings: Settings) -> Iterator[Step]:
        with closing(self.backend.denoise(*self._asked(request, hashes, settings))) as steps:
            yield from steps

    def _denoise_batch(self, story: Story, numbers: list[int], hashes: dict[str, str]) -> Generator[dict[int, Step]]:
        requests = [self._request(story, number, hashes) for number in numbers]
        frames = [
            self._asked(request, hashes, panel_settings(story, number))
            for request, number in zip(requests, numbers, strict=True)
        ]
        with closing(self.backend.denoise_batch(frames)) as steps:
            yield from steps

    def _asked(self, request: Request, hashes: dict[str, str], settings: Settings) -> tuple[Any, ...]:
        """What the backend's `denoise` takes for a request; characters it does not know yet are encoded."""
        cast: list[SubjectEncoding] = []
        for subject in request.subjects:
            look = hashes[subject.name]
            with self._encoding[look]:
                if look not in self._encodings:
                    self._encodings[look] = self.backend.encode(subject)
            cast.append(self._encodings[look])
        names = [subject.name for subject in request.subjects]
        return request.prompt, names, cast, settings, request.seed, request.steering
