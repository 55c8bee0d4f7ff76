"""Stories to be made: the characters who have no picture first, then the frames; one story or a whole shelf of them,
one frame after the other or as many at once as the backend has workers."""

from __future__ import annotations

import queue
import threading
from collections import deque
from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from anystory.backends.base import Backend
from anystory.cast.segment import Segmenter
from anystory.errors import AnyStoryError, Message
from anystory.project.folder import Project, ProjectError
from anystory.render.portraits import Drawing, draw_cast, with_drawn
from anystory.render.session import Progress, Renderer, RenderError
from anystory.story.model import Frame, Story, Subject

T = TypeVar("T")


@dataclass(frozen=True, eq=False)
class RenderJob:
    """A story to be made: `panels` (numbers from 1; None = all) into `folder` (None = nowhere), the rest as
    `Renderer.render` takes it; or with `variants` so many other frames of its one panel, for the panel's history.

    `segmenter` cuts out the characters that are drawn first. `shared` is as in `Renderer`. `skip` is asked after every
    step, where one frame is made after the other.
    """

    story: Story
    segmenter: Segmenter
    folder: Path | None = None
    panels: tuple[int, ...] | None = None
    trace: bool = False
    retry: int = 0
    variants: int = 0
    shared: dict[str, Frame | None] = field(default_factory=dict)
    skip: Callable[[], bool] = lambda: False


Event = Drawing | Progress | AnyStoryError
"""What is told of a job: a step of a drawing or of a frame, or why it ends early."""


def work(jobs: Sequence[RenderJob], backend: Backend, workers: int = 1) -> Generator[tuple[int, Event], None, None]:
    """Make every job with one backend, `workers` frames at a time; yields events with the index of their job.

    A job that cannot go on tells its error as its last event but for frames already begun, and the others go on.
    Close the generator to stop: what is finished is kept in the jobs' folders.
    """
    stopped: set[int] = set()
    stories = [job.story for job in jobs]

    def guarded(index: int, running: Generator[Event, None, None]) -> Generator[tuple[int, Event], None, None]:
        if index in stopped:
            return
        try:
            for event in running:
                yield index, event
        except AnyStoryError as error:
            first = index not in stopped
            stopped.add(index)
            if first:
                yield index, error
        finally:
            running.close()

    def draw(index: int) -> Generator[Event, None, None]:
        job, drawn = jobs[index], list[Subject]()
        with closing(draw_cast(job.story, backend, job.segmenter, job.folder, job.panels)) as drawings:
            for event in drawings:
                drawn += [event.subject] if event.subject else []
                yield event
        stories[index] = with_drawn(job.story, drawn)

    yield from together([guarded(index, draw(index)) for index in range(len(jobs))], workers)
    panels: list[Generator[tuple[int, Event], None, None]] = []
    for index in range(len(jobs)):
        if index not in stopped:
            try:
                runs = _frames(jobs[index], stories[index], backend, workers)
                panels += [guarded(index, running) for running in runs]
            except AnyStoryError as error:
                stopped.add(index)
                yield index, error
    made: dict[int, set[int]] = {}
    with closing(together(panels, workers)) as events:
        for index, event in events:
            if isinstance(event, Progress) and event.done:
                made.setdefault(index, set()).add(event.panel)
            yield index, event
    for index, numbers in made.items():
        if index not in stopped and (error := _lost(jobs[index], numbers)):
            yield index, error


def _lost(job: RenderJob, numbers: Iterable[int]) -> AnyStoryError | None:
    """What is to be told where the frames of panels `numbers`, all made, are not in the job's folder in the end."""
    if job.folder is None or job.variants:
        return None
    try:
        lost = Project(job.folder).lost(numbers)
    except ProjectError as error:
        return error
    panels = f"panel{'s' * (len(lost) > 1)} {', '.join(map(str, lost))}"
    return (
        ProjectError(f"lost {panels} while it was rendered to: something removed them; render again.", job.folder)
        if lost
        else None
    )


def _frames(job: RenderJob, story: Story, backend: Backend, workers: int) -> Sequence[Generator[Progress, None, None]]:
    """The frames of a job whose characters are drawn: in one run, or in as many as workers can share."""
    renderer = Renderer(backend, job.shared)
    if job.variants:
        (panel,) = job.panels or ()
        if job.folder is None:
            raise RenderError(Message("Variants are for a story's folder; render the story into one first."))
        asked = story, job.folder, panel, job.variants
        return renderer.each_variant(*asked) if workers > 1 else [renderer.variants(*asked, skip=job.skip)]
    if workers > 1:
        return renderer.panels(story, job.folder, job.panels, trace=job.trace, retry=job.retry)
    return [renderer.render(story, job.folder, job.panels, trace=job.trace, retry=job.retry, skip=job.skip)]


def together(runs: Sequence[Generator[T, None, None]], workers: int) -> Generator[T, None, None]:
    """What `runs` yield, as it comes, `workers` of them at a time in their order, each in a thread of its own; a single
    worker needs no thread. The first exception ends all and is raised; closing the generator ends all too, each
    where it next yields."""
    if workers == 1:
        for run in runs:
            with closing(run):
                yield from run
        return
    items: queue.SimpleQueue[tuple[Any, BaseException | None]] = queue.SimpleQueue()
    waiting, stop = deque(runs), threading.Event()
    ended = object()

    def pump() -> None:
        try:
            while not stop.is_set():
                try:
                    run = waiting.popleft()
                except IndexError:
                    break
                with closing(run):
                    for item in run:
                        items.put((item, None))
                        if stop.is_set():
                            break
            items.put((ended, None))
        except BaseException as error:
            items.put((ended, error))

    threads = [threading.Thread(target=pump, daemon=True) for _ in range(min(workers, len(runs)))]
    running = len(threads)
    try:
        for thread in threads:
            thread.start()
        while running:
            item, error = items.get()
            if error:
                raise error
            if item is ended:
                running -= 1
            else:
                yield item
    finally:
        stop.set()
        for thread in threads:
            thread.join()
