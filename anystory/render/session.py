"""From a story to its frames: encode each character once, go panel by panel, resume where it stopped."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from anystory.backends.base import Backend, Batcher, Request, SubjectEncoding
from anystory.errors import AnyStoryError, Message
from anystory.maps.diagnosis import another_seed, diagnose
from anystory.pages.form import Format
from anystory.pages.layout import picture_shape
from anystory.project.folder import Entry, Kept, Project, ProjectError, content
from anystory.render.batch import Batches
from anystory.story.capabilities import Capabilities
from anystory.story.from_sketch import FROM_NOISE, FromSketch
from anystory.story.model import (
    ATTENTION,
    BACKGROUND,
    MAX_TRACE,
    Frame,
    Panel,
    Prompt,
    Script,
    Settings,
    Step,
    Story,
    Subject,
    frame_size,
    panel_seed,
    sides,
    trace_size,
)
from anystory.story.prompt import compose
from anystory.story.shot import Shot
from anystory.story.steering import UNSTEERED, Steering
from anystory.story.styles import style_of

if TYPE_CHECKING:
    from anystory.sketch.cutout import Cutout

KEYED = {"seed": "story seed"}
"""What settings are called in a frame's key, if otherwise: its own seed stands there beside them."""


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
class Asked:
    """What a panel asks for: a `request` whose cast is still to be encoded from its `subjects`. `key` is the hash of
    all that the frame's pixels depend on, the backend among it; `taken` what the frame takes of its sketch."""

    request: Request
    subjects: tuple[Subject, ...]
    key: str
    taken: FromSketch = FROM_NOISE


def chosen_panels(story: Story, panels: Iterable[int] | None, backend: Backend) -> list[int]:
    """`panels` (None = all) in story order, each once. Raises RenderError for those that do not exist, have more
    characters than `backend` takes or a size that it cannot draw."""
    count, about = len(story.script.panels), backend.about
    wanted = list(range(1, count + 1)) if panels is None else sorted(set(panels))
    for number in wanted:
        if not 1 <= number <= count:
            raise RenderError(
                Message("There is no panel {number}; the story has panels 1 to {count}.", number=number, count=count)
            )
        cast, size = story.script.panels[number - 1].cast, panel_settings(story, number, about).size
        if not size.within(about.sizes):
            raise RenderError(
                Message(
                    "Panel {number} asks for {size} pixels; {name} draws {sizes}.",
                    number=number,
                    size=size,
                    name=about.name,
                    sizes=sides(about.sizes),
                )
            )
        if len(cast) > about.max_subjects:
            raise RenderError(
                Message(
                    "Panel {number} has {count} characters; {name} takes at most {max_subjects} in a frame: "
                    "leave some out.",
                    number=number,
                    count=len(cast),
                    name=about.name,
                    max_subjects=about.max_subjects,
                )
            )
    return wanted


def framed(script: Script) -> tuple[Panel, ...]:
    """The panels with the size, the shape and what is taken of sketches that the story gives those without their own,
    the shape of a cell as a number: what panels of two scripts ask for of their frames can be compared by these."""
    panels = []
    for number, panel in enumerate(script.panels, 1):
        cell = picture_shape(script, number, Format(script.pages)) if script.pages else None
        fitting = f"{cell:.2f}" if cell else ""
        own = panel.shape or ("" if panel.size else script.shape or fitting)
        shape = "" if own in ("1:1", "1.00") else own
        steering = panel.steering
        if steering.from_sketch is None:
            steering = replace(steering, from_sketch=script.from_sketch)
        panels.append(replace(panel, size=panel.size or script.size, shape=shape, steering=steering))
    return tuple(panels)


def panel_settings(story: Story, number: int, about: Capabilities) -> Settings:
    """The settings panel `number` (from 1) is rendered with by a backend: the story's, in the panel's `frame_size`."""
    script = story.script
    cell = picture_shape(script, number, Format(script.pages)) if script.pages else None
    return replace(story.settings, size=frame_size(script, number, story.settings.size, about.sizes, cell))


def looks(story: Story) -> dict[str, str]:
    """What each character looks like, as a hash (`content`), by name."""
    return {subject.name: content(subject) for subject in story.subjects}


def _telling(step: Step, asked: Asked) -> Step:
    """A step whose frame tells what it took of its sketch."""
    return replace(step, frame=replace(step.frame, from_sketch=asked.taken)) if step.frame and asked.taken else step


def _badness(frame: Frame) -> tuple[bool, int, float]:
    return diagnose(frame.maps, frame.image).badness


class Encodings:
    """What a backend makes of subjects, each encoded once however many panels it is in, and by however many threads."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self._made: dict[str, SubjectEncoding] = {}
        self._cut: dict[str, Cutout] = {}
        self._making: dict[str, threading.Lock] = {}

    def keep(self, looks: Iterable[str]) -> None:
        """Keep the encodings of these looks only, as hashes (`content`), and be ready for them."""
        self._making = {look: threading.Lock() for look in looks}
        self._made = {look: self._made[look] for look in self._making if look in self._made}
        self._cut = {look: self._cut[look] for look in self._making if look in self._cut}

    def of(self, look: str, subject: Subject) -> SubjectEncoding:
        """The encoding of a subject that looks like this."""
        with self._making[look]:
            if look not in self._made:
                self._made[look] = self._backend.encode(subject)
        return self._made[look]

    def cutout(self, look: str, subject: Subject) -> Cutout:
        """A subject that looks like this as sketches show it."""
        from anystory.sketch.cutout import prepare  # which no frame from noise needs

        with self._making[look]:
            if look not in self._cut:
                self._cut[look] = prepare(subject)
        return replace(self._cut[look], name=subject.name)


class RenderSession:
    """One story with one backend: what its panels ask for, and how frames come of it, in `project` once it has begun.

    `trace` and `retry` are as in `Renderer.render`. `shared` holds frames that any story may have, as in `Renderer`.
    """

    def __init__(
        self,
        story: Story,
        backend: Backend,
        encodings: Encodings,
        shared: dict[str, Frame | None],
        *,
        trace: bool = False,
        retry: int = 0,
    ) -> None:
        self.story, self.backend, self.trace, self.retry = story, backend, trace, retry
        self.project: Project | None = None
        self.looks = looks(story)
        self._encodings, self._shared = encodings, shared
        self._writing = threading.Lock()  # panels that are made at the same time list their frames in one file

    # What is asked.

    def taken(self, number: int) -> FromSketch:
        """What the frame of panel `number` (from 1) takes of its sketch: as the panel says, or the story, or as the
        backend does; never more than the backend can."""
        usual, script = self.backend.about.from_sketch, self.story.script
        said = script.panels[number - 1].steering.from_sketch, script.from_sketch, usual
        taken = FROM_NOISE if usual is None else next(each for each in said if each is not None)
        if not self.backend.about.refers_to_sketches:
            taken = replace(taken, reference=False)
        return taken.within(self.story.settings.steps)

    def _is_said(self, number: int) -> bool:
        """Whether panel `number` (from 1) or the story says what its frame takes of its sketch."""
        script = self.story.script
        return script.panels[number - 1].steering.from_sketch is not None or script.from_sketch is not None

    def asked(
        self, number: int, seed: int | None = None, version: str | None = None, taken: FromSketch | None = None
    ) -> Asked | None:
        """What panel `number` (from 1) asks of the backend, with its own seed or another, as the backend's `version` or
        another draws it, with what it takes of its sketch or with something else `taken`; None while one of its
        characters has no picture."""
        story, about = self.story, self.backend.about
        panel = story.script.panels[number - 1]
        if not self.looks.keys() >= set(panel.cast):
            return None
        subjects, prompt = self._told(panel)
        if seed is None:
            seed = panel_seed(story.settings.seed, number) if panel.seed is None else panel.seed
        # Neither number, caption, dialogue nor title: they never change a pixel, but for who speaks in a shot.
        settings = panel_settings(story, number, about)
        written = settings.written
        counted = {KEYED.get(name, name): written[name] for name in about.settings}
        steering = panel.steering.routed
        if about.sketches:
            prompt, shown = self._shown(number, prompt)
            counted, steering = counted | {"shot": shown}, Steering(panel.steering.layout)
        cast = [self.looks[name] for name in panel.cast]
        parts = [prompt.text, prompt.mentions, cast, counted, seed, about.name, version or about.version]
        taken = self.taken(number) if taken is None else taken
        if taken:  # whose sketch heeds who is mirrored and turned
            steering = panel.steering
        steered = steering.asked((*panel.cast, BACKGROUND))
        parts += [steered] if steered else []
        if taken:
            from anystory.backends.storybook import ABOUT  # whose painters no frame from noise needs

            prompt, shown = self._shown(number, prompt)
            sketch: dict[str, Any] = {"from_sketch": str(taken), "shot": shown, "sketch": ABOUT.version}
            sketch |= {KEYED["seed"]: settings.seed}
            if taken.layout:
                layout = steering.layout
                sketch |= {"window": [layout.strength, layout.start, layout.end]}
            parts += [sketch]
        key = hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()
        return Asked(Request(prompt, panel.cast, (), settings, seed, steering), subjects, key, taken)

    def _shown(self, number: int, prompt: Prompt) -> tuple[Prompt, dict[str, Any]]:
        """A panel's prompt with what a sketch of it shows, and that as data for a key."""
        shot = self._shots[number - 1]
        # How it was read shows in nothing, nor where a drawing or a picture lies.
        things = tuple(replace(thing, own="") for thing in shot.things)
        return replace(prompt, shot=shot), asdict(
            replace(shot, own="", things=things, carried=(), guessed=(), unread=())
        )

    def _told(self, panel: Panel) -> tuple[tuple[Subject, ...], Prompt]:
        """Who is in a panel, all of whom have a picture, and the sentence for it."""
        script, about = self.story.script, self.backend.about
        by_name = {subject.name: subject for subject in self.story.subjects}
        subjects = tuple(by_name[name] for name in panel.cast)
        style = style_of(script, panel) if about.follows_style else ""
        return subjects, compose(panel, subjects, style, [member.name for member in script.cast])

    def needed(self, number: int, seed: int | None = None, version: str | None = None) -> Asked:
        """As `asked`. Raises RenderError where one of the panel's characters has no picture."""
        asked = self.asked(number, seed, version)
        if asked is None:
            self.check([number])
            raise RenderError(Message("Panel {number} cannot be made; give everybody in it a picture.", number=number))
        return asked

    def all_asked(self) -> list[Asked | None]:
        """What each panel asks."""
        return [self.asked(number) for number in range(1, len(self.story.script.panels) + 1)]

    @cached_property
    def _shots(self) -> list[Shot]:
        """What every panel shows. A script is read whole, as panels go on from those before them."""
        from anystory.sketch.own import with_own
        from anystory.sketch.read import read_story  # whose vocabulary no other backend needs
        from anystory.sketch.recall import recalled

        script = self.story.script
        shots = recalled(read_story(script, script.cast))
        if script.things is None:
            return shots
        cast = [member.name for member in script.cast]
        told = zip(shots, script.panels, strict=True)
        return [with_own(shot, panel.prompt, cast, script.things) for shot, panel in told]

    def steps(self, number: int) -> int:
        """How many steps the frame of panel `number` takes; one, if it is its sketch."""
        return max(1, self.taken(number).steps(self.story.settings.steps))

    def check(self, wanted: Iterable[int]) -> None:
        """Raise RenderError where somebody in a panel has no picture, or a trace would be too large."""
        for number in wanted:
            for name in self.story.script.panels[number - 1].cast:
                if name not in self.looks:
                    more = "" if self.backend.about.sketches else Message(", or a description")
                    raise RenderError(
                        Message(
                            "{name} is in panel {number} but has no picture; add one for {name}{more}.",
                            name=name,
                            number=number,
                            more=more,
                        )
                    )
        if self.trace:
            self.trace_size(wanted)

    def trace_size(self, panels: Iterable[int]) -> int:
        """As `Renderer.trace_size`."""
        total = 0
        for number in panels:
            steps = self.steps(number)
            shapes = self.backend.layer_shapes(panel_settings(self.story, number, self.backend.about))
            subjects = len(self.story.script.panels[number - 1].cast)
            size = trace_size(steps, shapes, subjects)
            if size > MAX_TRACE:
                raise RenderError(
                    Message(
                        "The trace of panel {number} takes {size} MB ({steps} steps, {layers} layers, characters: "
                        "{count}), more than {most} MB; ask for fewer steps or leave the trace out.",
                        number=number,
                        size=f"{size / 1e6:.0f}",
                        steps=steps,
                        layers=len(shapes),
                        count=subjects,
                        most=f"{MAX_TRACE / 1e6:.0f}",
                    )
                )
            total += size
        return total

    # The folder.

    def begin(self, folder: str | Path) -> None:
        """Open the story's folder, which from now on holds the story."""
        project, about = Project(folder), self.backend.about
        keys = [asked.key if asked else None for asked in self.all_asked()]
        names = [(*panel.cast, BACKGROUND) for panel in self.story.script.panels]
        today = self._adopt_reworded(project, keys)

        def own(number: int, entry: Entry | Kept) -> bool:
            return self._shows(project, number, replace(entry, key=today.get(entry.key, entry.key)))

        project.begin(self.story, keys, names, about.name, about.version, own)
        self.project = project

    def _adopt_reworded(self, project: Project, keys: Sequence[str | None]) -> dict[str, str]:
        """Let panels keep frames whose sentence an earlier version composed in other words, or that were drawn from
        noise when all frames were. Such a frame's key is no panel's of `keys`, but what its picture tells was asked
        for, asked today, has one. One from noise that was kept so is let go where the story says by now what is taken
        of the sketch. Returns the key each such frame would have today by the one it has."""
        said = {key: number for number, key in enumerate(keys, 1) if key and self._is_said(number)}
        by_look = {self.looks[subject.name]: subject for subject in self.story.subjects}
        sessions: dict[str, RenderSession] = {}
        reworded: dict[str, str] = {}
        for number, entry in project.entries.items():
            if entry.asked in said and self.taken(now := said[entry.asked]):
                drawn = self.asked(now, entry.seed, taken=FROM_NOISE)
                if drawn is not None and drawn.key == entry.key:
                    project.made_for(number, entry.key)
                continue
            then = None if entry.asked in keys else project.asked(number)
            if then is None or (then.backend, then.version) != (self.backend.about.name, self.backend.about.version):
                continue
            told = {member.name: member.description for member in then.script.cast}
            subjects = tuple(
                replace(by_look[look], name=name, description=told[name])
                for name, look in then.looks.items()
                if look in by_look
            )
            same = repr((then.script, then.settings, dict(then.looks)))  # whose panels are read once
            if same not in sessions:
                story = Story(then.script, subjects, then.settings)
                sessions[same] = RenderSession(story, self.backend, self._encodings, {})
            session, panel = sessions[same], then.script.panels[then.panel - 1]
            if not session.looks.keys() >= set(panel.cast):
                continue
            if session._told(panel)[1].text == then.prompt and not session._was_from_noise(then.panel, entry):
                continue  # in the same words, so another story's: no need to read that one whole
            asked, own = (session.asked(then.panel, seed) for seed in (None, entry.seed))
            wanted = next((each.key for each in (asked, own) if each and each.key in keys), None)
            if wanted and own:
                project.made_for(number, wanted)
                reworded[entry.key] = own.key
        return reworded

    def _was_from_noise(self, number: int, entry: Entry) -> bool:
        """Whether a frame of panel `number` of this story, which says nothing of sketches, is one from noise though the
        backend's frames begin from sketches by now."""
        if not self.backend.about.from_sketch or self._is_said(number):
            return False
        drawn = self.asked(number, entry.seed, taken=FROM_NOISE)
        return drawn is not None and drawn.key == entry.key

    def adopt(self, wanted: Iterable[int]) -> None:
        """Write the shared frames of panels that have none."""
        project = self.project
        for number in wanted if project else ():
            asked = self.needed(number)
            frame = self._shared.get(asked.key)
            if frame and project and not project.finished(number, asked.key):
                names = (*self.story.script.panels[number - 1].cast, BACKGROUND)
                self._save(number, frame.named(names), asked, trace=self.trace)

    def _is_own(self, number: int, entry: Entry | Kept) -> bool:
        """Whether a listed frame is what panel `number` asks for, under whatever seed."""
        asked = self.asked(number, entry.seed)
        return asked is not None and asked.key == entry.key

    def _shows(self, project: Project, number: int, entry: Entry | Kept) -> bool:
        """Whether a listed frame shows what panel `number` asks for, whatever version of the backend drew it."""
        if self._is_own(number, entry):
            return True
        try:
            name, version = project.made_by(entry)
        except ProjectError:
            return False
        drawn = self.asked(number, entry.seed, version)
        return name == self.backend.about.name and drawn is not None and drawn.key == entry.key

    def _as_drawn(self, number: int, made: Asked, frame: Frame) -> Asked:
        """What was asked for when a frame of panel `number` was made, as the version that drew it."""
        if frame.version in ("", self.backend.about.version):
            return made
        return self.needed(number, made.request.seed, frame.version)

    def _save(self, number: int, frame: Frame, made: Asked, **how: Any) -> None:
        request = made.request
        if self.project is not None:
            self.project.save(number, frame, made.key, request.prompt.text, request.settings, **how)

    # The frames.

    def in_order(self, wanted: list[int], skip: Callable[[], bool]) -> Generator[Progress, None, None]:
        """The panels `wanted` in story order, some of them made together; `skip` as in `Renderer.render`."""
        together = Batches()
        try:
            for place, number in enumerate(wanted):
                if number not in together:
                    group = self._group(wanted[place:])
                    if group or not self.backend.about.sketches:
                        together.close()  # a batch that was broken off holds the model
                    if len(group) > 1:
                        together.start(group, self._denoise_batch(group))
                with closing(self.panel(number, together)) as running:
                    for progress in running:
                        yield progress
                        if skip():
                            together.leave_out(number)
                            break
        finally:
            self._keep(together.close())

    def panel(self, number: int, together: Batches) -> Generator[Progress, None, None]:
        """One panel: the frame that is there or a new one, then other seeds as long as they are needed."""
        asked, project = self.needed(number), self.project
        with self._writing:
            best = project.finished(number, asked.key) if project else None
        entry = project.entries[number] if project and best is not None else None
        tries = entry.tries if entry else 1
        pinned = entry is not None and entry.pinned
        own = entry is not None and self._is_own(number, entry)

        def again(best: Frame) -> bool:
            return not pinned and tries <= self.retry and not diagnose(best.maps, best.image).passed

        def attempt(seed: int, best: Frame | None) -> Generator[Progress, None, Frame]:
            made = self.needed(number, seed)
            with_others = number in together
            if not with_others:
                together.settle()
            for step in together.steps(number) if with_others else self._denoise(made):
                if step.frame:
                    drawn = self._as_drawn(number, made, step.frame)
                    if drawn.key in self._shared:
                        self._shared[drawn.key] = step.frame
                    better = best is None or _badness(step.frame) < _badness(best)
                    best = step.frame if best is None or better else best
                    with self._writing:
                        if project and better:
                            self._save(number, best, drawn, asked=asked.key, tries=tries, trace=self.trace)
                        elif project:
                            project.tried(number, tries)
                    step = replace(step, frame=best)
                done = step.frame is not None and best is not None and not again(best)
                yield Progress(number, step, attempt=tries, done=done)
            if best is None:
                raise RenderError(
                    Message(
                        "{name} ended panel {number} without a frame; try again.",
                        name=self.backend.about.name,
                        number=number,
                    )
                )
            return best

        is_traceless = best is not None and best.trace is None and best.maps.measure != ATTENTION
        if best is not None and not best.from_sketch.strength:  # of which no step was made, and there is none
            is_traceless = False
        if best is None:
            best = yield from attempt(asked.request.seed, None)
        elif self.trace and asked.subjects and is_traceless and own and not pinned:
            best = yield from attempt(best.seed, None)  # the same frame, for its trace
        else:
            steps = self.steps(number)
            yield Progress(number, Step(steps, steps, frame=best), reused=True, done=not again(best))
        seed = asked.request.seed
        for _ in range(tries - 1):
            seed = another_seed(seed)
        while again(best):
            tries, seed = tries + 1, another_seed(seed)
            best = yield from attempt(seed, best)

    def variants(self, number: int, count: int) -> list[Generator[Progress, None, None]]:
        """`count` frames of panel `number` under seeds that were not tried for it yet, for its history: one generator a
        seed."""
        asked, project = self.needed(number), self.project
        if project is None:
            raise RenderError(Message("Variants are for a story's folder; render the story into one first."))
        tried = {asked.request.seed, *(kept.seed for kept in project.history_of(number))}
        tried |= {project.entries[number].seed} if number in project.entries else set()

        def variant(attempt: int, seed: int) -> Generator[Progress, None, None]:
            made = self.needed(number, seed)
            for step in self._denoise(made):
                if step.frame:
                    with self._writing:
                        key = self._as_drawn(number, made, step.frame).key
                        project.keep(number, step.frame, key, made.request.prompt.text, made.request.settings)
                yield Progress(number, step, attempt=attempt, done=step.frame is not None)

        runs, seed = [], asked.request.seed
        for attempt in range(1, count + 1):
            while seed in tried:
                seed = another_seed(seed)
            tried.add(seed)
            runs.append(variant(attempt, seed))
        return runs

    def _group(self, wanted: list[int]) -> list[int]:
        """The first of `wanted` and those of the next that come with it in a batch: all without a frame, and unless
        they are sketches with as many characters, of the same settings, and not steered."""
        most = self.backend.batch if isinstance(self.backend, Batcher) else 1
        panels, group = self.story.script.panels, list[int]()
        settings = panel_settings(self.story, wanted[0], self.backend.about)
        first = len(panels[wanted[0] - 1].cast), settings, self.taken(wanted[0])
        for number in wanted if most > 1 else ():
            if len(group) == most or (number != wanted[0] and not group):
                break
            panel, asked = panels[number - 1], self.needed(number)
            alike = (len(panel.cast), asked.request.settings, asked.taken) == first and panel.steering == UNSTEERED
            is_there = self.project and self.project.finished(number, asked.key)
            if (alike or self.backend.about.sketches) and not is_there:
                group.append(number)
        return group

    def _keep(self, frames: dict[int, Frame]) -> None:
        """Write the frames of panels that are stopped before they are told."""
        for number, frame in frames.items() if self.project else ():
            asked = self.needed(number)
            drawn = self._as_drawn(number, asked, frame)
            self._save(number, frame, drawn, asked=asked.key, tries=1, trace=self.trace)

    def _denoise(self, asked: Asked) -> Iterator[Step]:
        with closing(self.backend.denoise(self._encoded(asked))) as steps:
            yield from (_telling(step, asked) for step in steps)

    def _denoise_batch(self, numbers: list[int]) -> Generator[dict[int, Step], None, None]:
        backend: Any = self.backend  # a `Batcher`, or no panels would come together
        asked = [self.needed(number) for number in numbers]
        with closing(backend.denoise_batch([self._encoded(each) for each in asked])) as steps:
            yield from ({place: _telling(step, asked[place]) for place, step in made.items()} for made in steps)

    def _encoded(self, asked: Asked) -> Request:
        """The request with its cast and what it takes of its sketch; characters that the backend does not know yet are
        encoded."""
        cast = tuple(self._encodings.of(self.looks[subject.name], subject) for subject in asked.subjects)
        request = replace(asked.request, cast=cast)
        if not asked.taken:
            return request
        from anystory.backends.underdrawing import underdrawing  # whose painters no frame from noise needs

        cutouts = [self._encodings.cutout(self.looks[subject.name], subject) for subject in asked.subjects]
        beneath = underdrawing(request, asked.taken, {cutout.name: cutout for cutout in cutouts})
        return replace(request, underdrawing=beneath)


class Renderer:
    """Renders stories with one backend; a renderer keeps the encodings of its last story's characters."""

    def __init__(self, backend: Backend, shared: dict[str, Frame | None] | None = None) -> None:
        """`shared` holds frames that any story may have by their keys (see `keys`), None for those that nobody has made
        yet: they are filled in as they are made, and go into folders as they are."""
        self.backend = backend
        self._shared = {} if shared is None else shared
        self._encodings = Encodings(backend)

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
        session, wanted = self._open(story, folder, panels, trace=trace, retry=retry)
        session.adopt(wanted)
        return session.in_order(wanted, skip)

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
        session, wanted = self._open(story, folder, panels, trace=trace, retry=retry)
        return [session.panel(number, Batches()) for number in wanted]

    def keys(self, story: Story) -> list[str | None]:
        """The key of each panel's frame, None where somebody in it has no picture: two panels with the same key, of
        whatever stories, have the same pixels."""
        return [asked.key if asked else None for asked in self.asked(story)]

    def asked(self, story: Story) -> list[Asked | None]:
        """What each panel asks of the backend, None where somebody in it has no picture."""
        return self._session(story).all_asked()

    def trace_size(self, story: Story, panels: Iterable[int]) -> int:
        """Bytes that the traces of `panels` take on disk at most. Raises RenderError where one is over `MAX_TRACE`."""
        return self._session(story).trace_size(panels)

    def variants(
        self, story: Story, folder: str | Path, number: int, count: int, *, skip: Callable[[], bool] = lambda: False
    ) -> Generator[Progress, None, None]:
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
        session, _ = self._open(story, folder, [number])
        return session.variants(number, count)

    def _session(self, story: Story, **how: Any) -> RenderSession:
        return RenderSession(story, self.backend, self._encodings, self._shared, **how)

    def _open(
        self, story: Story, folder: str | Path | None, panels: Iterable[int] | None, **how: Any
    ) -> tuple[RenderSession, list[int]]:
        """Check what is asked and open the folder; returns the numbers of the panels too."""
        session, wanted = self._session(story, **how), chosen_panels(story, panels, self.backend)
        session.check(wanted)
        if folder is not None:
            session.begin(folder)
        self._encodings.keep(session.looks.values())
        return session, wanted
