"""`render` and `resume`: stories to frames, by the model loaded here or by a Ray cluster's. `variants`, `history` and
`pin`: other frames for a panel, and which one stands."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from PIL import Image

from anystory.api import asked_settings, cut_out, filled_script, with_frames, with_sketches, workers_of
from anystory.backends import base as backend
from anystory.backends.base import Backend
from anystory.backends.cluster import Cluster
from anystory.backends.load import chosen
from anystory.backends.load import load as load_backend
from anystory.cli.check import found, tell_findings
from anystory.cli.pictures import segmenter_named
from anystory.cli.report import Report
from anystory.cli.usage import UsageError, panel_numbers
from anystory.errors import AnyStoryError
from anystory.maps.diagnosis import diagnose
from anystory.maps.overlay import sheet
from anystory.project.folder import Project, ProjectError, frame_file, png, write_atomic
from anystory.render.jobs import RenderJob, work
from anystory.render.portraits import Drawing, undrawn
from anystory.render.session import Progress, Renderer, panel_settings
from anystory.script.form import ScriptError
from anystory.script.read import parse_script
from anystory.story.model import LIBRARY, Script, Story, Subject
from anystory.story.names import folded
from anystory.story.steering import SteeringError, read_layout

UNHONOURED = ("no-picture", "steering", "style", "language", "unread")
"""What a render tells of its script: where a frame will not be what was written. `check` tells the rest."""


def render(arguments: argparse.Namespace, report: Report) -> int:
    """All scripts are read and their characters cut out before a model is loaded."""
    for option, given in (("--panels", arguments.panels), ("--layout", arguments.layout)):
        if given and len(arguments.scripts) > 1:
            raise UsageError(f"{option} is for one script; give the others a command of their own.")
    name = chosen(arguments.backend, arguments.model)
    read = []
    for path, folder in zip(arguments.scripts, _folders(arguments.scripts, arguments.out), strict=True):
        script = with_frames(filled_script(path, arguments.seed or 0), arguments.size, arguments.shape, arguments.pages)
        for panels, places in arguments.layout:
            script = _with_layout(script, panels, places)
        if arguments.layout_strength is not None:
            script = _with_layout_strength(script, arguments.layout_strength)
        numbers = panel_numbers(arguments.panels, len(script.panels))
        refuse_unseen(script, numbers, name)
        segmenter = segmenter_named(arguments.segmenter or script.segmenter, report)
        read.append((script, cut_out(script, segmenter), segmenter, folder, tuple(numbers)))
    with _engine(arguments, name, report) as engine:
        settings = asked_settings(engine, seed=arguments.seed, steps=arguments.steps, guidance=arguments.guidance)
        jobs = []
        for script, subjects, segmenter, folder, numbers in read:
            story = Story(with_sketches(script, engine, arguments.from_sketch), subjects, settings)
            jobs.append(RenderJob(story, segmenter, folder, numbers, arguments.trace, arguments.retry))
        for path in arguments.scripts:
            findings = [finding for finding in found(path, engine) if finding.code in UNHONOURED]
            tell_findings(path, findings, report, sys.stderr)
        return _make(jobs, engine, report)


def resume(arguments: argparse.Namespace, report: Report) -> int:
    """The story as it was last rendered, from its folder alone."""
    project = Project(arguments.folder)
    story = project.story()
    numbers = panel_numbers(arguments.panels, len(story.script.panels), whole="the story has panels")
    segmenter = segmenter_named(arguments.segmenter or story.script.segmenter, report)
    name = chosen(arguments.backend, arguments.model, project.made_with[0])
    with _engine(arguments, name, report) as engine:
        _refuse_another(arguments, project, engine)
        story, how = _in_settings_of(engine, story, project), (arguments.trace, arguments.retry)
        script = with_frames(story.script, arguments.size, arguments.shape, arguments.pages)
        story = replace(story, script=with_sketches(script, engine, arguments.from_sketch))
        return _make([RenderJob(story, segmenter, arguments.folder, tuple(numbers), *how)], engine, report)


def variants(arguments: argparse.Namespace, report: Report) -> None:
    """Frames of other seeds for one panel, to the panel's history and side by side in a picture."""
    project = Project(arguments.folder)
    story, number = project.story(), arguments.panel
    if arguments.out is not None and arguments.out.suffix.lower() != ".png":
        raise UsageError(f"{arguments.out} must end in .png.")
    pictures: dict[str, Image.Image] = {}
    made: dict[int, tuple[str, Image.Image]] = {}
    if (now := project.entries.get(number)) and project.is_readable(now):
        pictures[f"now: {now.short}"] = project.frame(number).image
    name = chosen(arguments.backend, arguments.model, project.made_with[0])
    with _engine(arguments, name, report) as engine:
        _refuse_another(arguments, project, engine)
        story = _in_settings_of(engine, story, project)
        segmenter = segmenter_named(story.script.segmenter, report)
        job = RenderJob(story, segmenter, arguments.folder, (number,), variants=arguments.count)
        events = work([job], engine, workers_of(engine))
        with report.bar(arguments.count * story.settings.steps) as bar, closing(events):
            for _, event in events:
                if isinstance(event, AnyStoryError):
                    raise event
                if isinstance(event, Drawing):
                    continue
                if event.step.index == 1:  # of a sketch it is known by now how many there are
                    bar.total += event.step.total - story.settings.steps
                bar.update()
                if frame := event.step.frame:
                    own = {kept.seed: kept for kept in Project(arguments.folder).history_of(number)}
                    kept = own[frame.seed]  # no seed is tried twice
                    made[event.attempt] = kept.short, frame.image
                    words = f"{kept.short}: {diagnose(frame.maps, frame.image).sentence}"
                    report.tell("variant", words, panel=number, seed=kept.seed, key=kept.key)
    pictures |= dict(made[attempt] for attempt in sorted(made))
    words = f"Take one with: history {arguments.folder} {number} --restore KEY, the first digits above"
    if arguments.out is not None:
        write_atomic({arguments.out: png(sheet(list(pictures.values()), list(pictures)))})
        words = f"They are side by side in {arguments.out}. {words}"
    report.tell("finished", words, folder=str(arguments.folder), panels=[number])


def history(arguments: argparse.Namespace, report: Report) -> None:
    """What was made for a panel, and one of it put in the panel's place."""
    project, number = Project(arguments.folder), arguments.panel
    count = len(project.story().script.panels)
    if number > count:
        raise UsageError(f"There is no panel {number}; the story has panels 1 to {count}.")
    if arguments.restore is not None:
        project.restore(number, arguments.restore)
        entry = project.entries[number]
        words = f"Panel {number} is the frame {entry.short} again; what was there is in its history."
        report.tell("restored", words, panel=number, seed=entry.seed, key=entry.key)
        return
    now, others = project.entries.get(number), project.history_of(number)
    if not now and not others:
        raise UsageError(f"Panel {number} has no frame in {arguments.folder} and had none before; render it first.")
    if now:
        how = ", pinned" * now.pinned + ", unreadable" * (not project.is_readable(now))
        words = f"{now.short}: {now.image} (now{how})"
        report.tell("kept", words, seed=now.seed, key=now.key, file=now.image, now=True)
    for kept in reversed([kept for kept in others if now is None or kept.key != now.key]):
        report.tell("kept", f"{kept.short}: {kept.image}", seed=kept.seed, key=kept.key, file=kept.image, now=False)


def pin(arguments: argparse.Namespace, report: Report) -> None:
    """Keep a panel's frame, or let it go again."""
    Project(arguments.folder).pin(arguments.panel, not arguments.off)
    said = "is rendered again when it changes" if arguments.off else "stays as it is, whatever changes"
    report.tell("pinned", f"Panel {arguments.panel} {said}.", panel=arguments.panel, pinned=not arguments.off)


def _refuse_another(arguments: argparse.Namespace, project: Project, engine: Backend) -> None:
    """Frames by other weights than these would all be made anew, unless that was asked for."""
    name, version = project.made_with
    chosen = arguments.backend or arguments.model
    if project.entries and not chosen and (engine.about.name, engine.about.version) != (name, version):
        raise UsageError(
            f"The frames in {arguments.folder} are by {name} {version} and this is {engine.about.version}: all would "
            f"be made anew; name the --model they were made with, or say --backend {name} to have it so."
        )


def _in_settings_of(engine: Backend, story: Story, project: Project) -> Story:
    """The story of a folder that is to be gone on with by `engine`: in its settings where another backend had made the
    frames, whose size and steps it may not be able to draw."""
    if engine.about.name == project.made_with[0]:
        return story
    return replace(story, settings=replace(engine.about.defaults, seed=story.settings.seed))


@contextmanager
def _engine(arguments: argparse.Namespace, name: str, report: Report) -> Iterator[Backend]:
    """The backend that was asked for, here or as many on a cluster."""
    how = {key: getattr(arguments, key) for key in ("model", "device", "vram", "speed", "batch", "routing")}
    how |= {"name": name, "loras": arguments.lora, "tell": report.note}
    asked = backend.refused if arguments.ray else report.agree  # workers have no terminal
    how["agree"] = backend.agreed if arguments.download else asked
    if arguments.ray and arguments.batch > 1:
        raise UsageError("--batch is for one machine and --ray spreads the frames; leave one of them out.")
    if arguments.ray:
        with Cluster(arguments.ray, arguments.workers, **how) as cluster:
            yield cluster
    elif arguments.workers:
        raise UsageError("--workers is for --ray; say --ray local to have several on this machine.")
    else:
        yield load_backend(**how)


def _make(jobs: Sequence[RenderJob], engine: Backend, report: Report) -> int:
    """Make the jobs and tell of it; returns 1 where one of several could not be made."""
    for job in jobs:
        with suppress(ProjectError):  # of a folder that cannot be opened `work` tells
            project = Project(_folder(job))
            for number, error in project.unreadable().items():
                if project.entries[number].pinned:
                    report.note(f"{error} What is made in its place is not pinned.")
        _announce(job, engine, report)
    failed: set[int] = set()
    total = sum(job.story.settings.steps * (len(_panels(job)) + len(undrawn(job.story, job.panels))) for job in jobs)
    kept: dict[tuple[int, int], int] = {}
    drawn: list[list[Subject]] = [[] for _ in jobs]
    with report.bar(total) as bar, closing(work(jobs, engine, workers_of(engine))) as events:
        for index, event in events:
            folder, steps = jobs[index].folder, jobs[index].story.settings.steps
            where: dict[str, Any] = {"folder": str(folder)}
            if isinstance(event, AnyStoryError):
                if len(jobs) == 1:
                    raise event
                failed.add(index)
                report.error(f"{folder}: {event}", **where)
                continue
            step = event.step
            if step.index == 1 and not event.reused:  # of a sketch it is known by now how many there are
                bar.total += step.total - (steps if event.attempt == 1 else 0)
            bar.update(steps if event.reused else 1)
            at: dict[str, Any] = {"attempt": event.attempt, "step": step.index, "steps": step.total}
            if isinstance(event, Drawing):
                bar.set_description(f"drawing {event.name}, step {step.index} of {step.total}")
                report.tell("drawing", **where, name=event.name, **at)
                if event.subject:
                    words = f"{event.name}: {how_drawn(event.subject, drawn[index], event.reused)}"
                    drawn[index].append(event.subject)
                    report.tell("drawn", words, **where, name=event.name, reused=event.reused)
                continue
            bar.set_description(f"panel {event.panel}, step {step.index} of {step.total}")
            report.tell("step", **where, panel=event.panel, **at)
            if step.frame:
                before = kept.get((index, event.panel))
                kept[index, event.panel] = step.frame.seed
                _tell_frame(event, before, jobs[index], report, several=len(jobs) > 1)
    for index, job in enumerate(jobs):
        if index not in failed:
            words = f"The frames are in {_folder(job) / 'frames'}"
            report.tell("finished", words, folder=str(job.folder), panels=_panels(job))
    return 1 if failed else 0


def how_drawn(subject: Subject, others: Sequence[Subject] = (), reused: bool = False) -> str:
    """In a word or two how somebody came by their picture who was only told of, `reused` if it was there already, and
    who of `others` has the same."""
    same = next((f", the same as {other.name}" for other in others if other.drawn == subject.drawn), "")
    if reused and not same:
        return "unchanged"
    return f"{subject.drawn if subject.drawn.startswith(LIBRARY) else 'drawn'}{same}"


def _panels(job: RenderJob) -> list[int]:
    """The numbers of a job's panels."""
    return list(job.panels or range(1, len(job.story.script.panels) + 1))


def _folder(job: RenderJob) -> Path:
    """Where a job's frames go; a command always says where."""
    if job.folder is None:
        raise UsageError("Say where the frames are to go: --out DIR.")
    return job.folder


def _announce(job: RenderJob, engine: Backend, report: Report) -> None:
    story = job.story
    what: dict[str, Any] = {"title": story.script.title, "panels": _panels(job), "steps": story.settings.steps}
    made: dict[str, Any] = {"seed": story.settings.seed, "backend": engine.about.name, "version": engine.about.version}
    report.tell("story", folder=str(job.folder), **what, **made)
    if anew := _reshaped(job, engine):
        words = f"Frames of another size are made anew: {', '.join(map(str, anew))}. Stop now to keep those there are."
        report.tell("reshaped", words, folder=str(job.folder), panels=anew)
    if job.trace:
        size = Renderer(engine).trace_size(story, _panels(job))
        said = f"{size / 1e6:.1f} MB" if size > 1e6 else f"{-(-size // 1000)} kB"
        report.tell("traces", f"The traces take at most {said}.", folder=str(job.folder), bytes=size)


def _reshaped(job: RenderJob, engine: Backend) -> list[int]:
    """The panels whose frames a model makes anew as they have another size now; a sketch costs nothing."""
    if engine.about.sketches or job.folder is None:
        return []
    try:
        project, asked = Project(job.folder), _panels(job)
    except ProjectError:  # of which `work` tells
        return []
    there = [n for n in asked if n in project.entries and n not in project.unreadable()]
    return [n for n in there if project.frame(n).image.size != panel_settings(job.story, n, engine.about).size]


def _tell_frame(event: Progress, before: int | None, job: RenderJob, report: Report, several: bool) -> None:
    """A finished frame, or a try that was no better than the frame of seed `before` in its place so far."""
    frame = event.step.finished
    said = diagnose(frame.maps, frame.image)
    if frame.seed == before:
        words = f"try {event.attempt} is no better, seed {before} stays."
    else:
        done = "rendered" if event.attempt == 1 else f"rendered (try {event.attempt})"
        how = ["unchanged" if event.reused else done, *[frame.made] * bool(frame.from_sketch), f"seed {frame.seed}."]
        words = " ".join([", ".join(how), said.sentence, *frame.notes])
    file = _folder(job) / frame_file(event.panel)
    report.tell(
        "frame",
        f"{f'{job.folder}: ' if several else ''}panel {event.panel}: {words}",
        folder=str(job.folder),
        panel=event.panel,
        file=str(file),
        seed=frame.seed,
        from_sketch=str(frame.from_sketch),
        attempt=event.attempt,
        reused=event.reused,
        done=event.done,
        diagnosis=said.as_data(),
        message=said.sentence,
        notes=list(frame.notes),
    )


def _folders(scripts: Sequence[Path], out: Path) -> list[Path]:
    """Where each script goes: one to `out`, several to a folder each, called like the script."""
    if len(scripts) == 1:
        return [out]
    taken: dict[str, Path] = {}
    for script in scripts:
        other = taken.setdefault(folded(script.stem), script)
        if other is not script:
            raise UsageError(f"{other} and {script} would share {out / script.stem}; render one of them by itself.")
    return [out / script.stem for script in scripts]


def _with_layout(script: Script, numbers: str, places: str) -> Script:
    """The script with another layout for some panels, in the words of a plain script's `[layout: …]`."""
    panels = list(script.panels)
    for number in panel_numbers(numbers, len(panels), "--layout"):
        panel = panels[number - 1]
        try:
            asked = {"prompt": panel.prompt, "cast": list(panel.cast), **read_layout(places)}
            layout = parse_script({"panels": [asked]}, cast=script.cast).panels[0].steering.layout
        except (ScriptError, SteeringError) as error:
            sentence = error.sentence if isinstance(error, ScriptError) else str(error)
            raise UsageError(f"--layout {numbers}: {sentence}") from error
        before = panel.steering.layout
        layout = replace(layout, flip=before.flip, turn=before.turn)
        panels[number - 1] = replace(panel, steering=replace(panel.steering, layout=layout))
    return replace(script, panels=tuple(panels))


def _with_layout_strength(script: Script, strength: float) -> Script:
    """The script with every layout as strong."""
    steered = ((panel, panel.steering) for panel in script.panels)
    layouts = ((panel, s, replace(s.layout, strength=strength)) for panel, s in steered)
    return replace(script, panels=tuple(replace(p, steering=replace(s, layout=layout)) for p, s, layout in layouts))


def refuse_unseen(script: Script, numbers: Sequence[int], name: str) -> None:
    """Who is in a panel needs a picture, or a description from which a model can draw it, or that the library has."""
    if name not in backend.MODELS:
        from anystory.sketch.likeness import library_cast, missing  # whose vocabulary no model needs

        library = library_cast(script)
        for member in script.cast:
            if member.drawing and member.image is None and member.name not in library:
                raise UsageError(f"{name} cannot draw {member.name}: {missing(member)}")
        script = replace(script, cast=tuple(member for member in script.cast if member.name not in library))
    needed = {name for number in numbers for name in script.panels[number - 1].cast}
    for member in script.cast:
        if member.image is None and member.name in needed and not (member.description and name in backend.MODELS):
            words = f"{member.name} has no picture; add `image: FILE` to {member.name} in the script's cast, or "
            if name in backend.MODELS:
                raise UsageError(f"{words}a `description:` to draw from.")
            models = " or ".join(f"--backend {model}" for model in backend.MODELS)
            raise UsageError(f"{name} shows pictures you give, and {words}render it with {models}, which draw.")
