"""AnyStory for other programs: load a backend, load a story, render it.

    backend = anystory.load_backend()
    story = anystory.load_story("story.yaml", backend)
    for frame in anystory.render_story(story, backend, "out"):
        frame.image.save(f"{frame.panel}.png")

What goes wrong is an `AnyStoryError` whose message is one sentence for a person; its subclasses say what it was about.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from anystory.backends.base import MODELS, Backend
from anystory.backends.cluster import Cluster
from anystory.cast.segment import Segmenter
from anystory.errors import AnyStoryError, Message
from anystory.maps.diagnosis import Diagnosis, diagnose
from anystory.project.folder import frame_file
from anystory.render.jobs import RenderJob, work
from anystory.render.portraits import Drawing
from anystory.render.session import Progress, RenderError
from anystory.script.read import load_script
from anystory.script.wildcards import expand_script, own_lists
from anystory.story.from_sketch import FromSketch
from anystory.story.layouts import LAYOUTS
from anystory.story.model import BOUNDS, Frame, Script, Settings, Story, Subject
from anystory.story.size import SHAPES, Size


@dataclass(frozen=True, kw_only=True)
class PanelFrame(Frame):
    """The finished frame of `panel` (from 1). `file` is where it was written, None without a folder; `reused` tells
    that it was there already."""

    panel: int
    file: Path | None = None
    reused: bool = False

    @property
    def diagnosis(self) -> Diagnosis:
        """What the picture and its routing maps say: who holds how much of the frame, and what looks wrong."""
        return diagnose(self.maps, self.image)


def load_story(
    script: str | Path | Script,
    backend: Backend,
    *,
    seed: int | None = None,
    steps: int | None = None,
    guidance: float | None = None,
    size: Size | int | str | None = None,
    shape: str = "",
    pages: str = "",
    from_sketch: FromSketch | float | str | bool | None = None,
    segmenter: Segmenter | None = None,
) -> Story:
    """A story ready to be rendered: wildcards filled in, characters cut out of their pictures.

    `script` is a file of any form (docs/scripts.md) or what `parse_script` made of text. `seed`, `steps` and `guidance`
    are those the backend's weights were made for where they are None, `segmenter` is the one that the script names.
    `size` (512, "1344x768"), `shape` (one of `SHAPES`, "16:9") and `pages` (a layout whose cells frames are to fit) are
    the story's in place of the script's, and so is `from_sketch`, what a model's frames take of their sketches ("off",
    "layout", "reference", 0.4 or "layout 0.4"); panels with their own keep it. Raises ScriptError, WildcardError,
    ImageError, SegmentError or FromSketchError, and RenderError for numbers beyond `BOUNDS`.
    """
    settings = asked_settings(backend, seed=seed, steps=steps, guidance=guidance)
    filled = with_frames(filled_script(script, settings.seed), size, shape, pages)
    filled = with_sketches(filled, backend, from_sketch)
    return Story(filled, cut_out(filled, segmenter or _segmenter_of(filled)), settings)


def render_story(
    story: Story,
    backend: Backend,
    folder: str | Path | None = None,
    *,
    panels: Iterable[int] | None = None,
    trace: bool = False,
    retry: int = 0,
    segmenter: Segmenter | None = None,
    progress: Callable[[Drawing | Progress], None] = lambda _: None,
) -> Iterator[PanelFrame]:
    """The frames of `panels` (numbers from 1; None = all), each as soon as it is finished: one after the other in the
    story's order, or in whatever order the workers of a `Cluster` finish them. Close the generator to stop.

    With a `folder` every frame is kept there, and one that is there already is not made again: the same call goes on
    where an earlier one stopped. `trace` keeps the maps of every layer and step too; a frame whose diagnosis tells of
    a problem is made again under up to `retry` other seeds and the best stays. Characters without a picture are drawn
    first and cut out by `segmenter` (None = the one that the script names). `progress` is called with every step.
    Raises RenderError, ProjectError, SegmentError or BackendError; what was finished stays in the folder.
    """
    place = None if folder is None else Path(folder)
    numbers = None if panels is None else tuple(panels)
    job = RenderJob(story, segmenter or _segmenter_of(story.script), place, numbers, trace, retry)
    with closing(work([job], backend, workers_of(backend))) as events:
        for _, event in events:
            if isinstance(event, AnyStoryError):
                raise event
            progress(event)
            if isinstance(event, Progress) and event.done:
                frame = event.step.frame
                file = place and place / frame_file(event.panel)
                yield PanelFrame(**vars(frame), panel=event.panel, file=file, reused=event.reused)


def asked_settings(
    backend: Backend, *, seed: int | None = None, steps: int | None = None, guidance: float | None = None
) -> Settings:
    """The backend's settings with the numbers that were asked for. Raises RenderError for one beyond `BOUNDS`, or that
    says nothing to a backend that sketches."""
    given = {"seed": seed, "steps": steps, "guidance": guidance}
    asked: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
    for name, value in asked.items():
        if backend.about.sketches and name != "seed":
            raise RenderError(
                f"{backend.about.name} has no {name} to set; leave {name} out, or take {' or '.join(MODELS)}."
            )
        low, high = BOUNDS[name]
        if not low <= value <= high:
            raise RenderError(f"{name} is {value}; it must be between {low} and {high}.")
    return replace(backend.about.defaults, **asked)


def with_frames(script: Script, size: Size | int | str | None = None, shape: str = "", pages: str = "") -> Script:
    """A script whose frames have another size or shape, or that of their cells in a layout of pages, but for those of
    panels with their own; as it is where nothing is given. A side alone leaves the script's shape or pages as they are.
    Raises RenderError for a size beyond `BOUNDS`, what is none of `SHAPES` or `LAYOUTS`, or what does not go
    together."""
    if size is None and not shape and not pages:
        return script
    low, high = BOUNDS["size"]
    try:
        asked = None if size is None else Size.of(size)
    except ValueError as error:
        raise RenderError(*error.args) from error
    if asked and not all(low <= side <= high for side in asked):
        raise RenderError(
            Message(
                "The size is {size}; each side must be between {low} and {high} pixels.", size=asked, low=low, high=high
            )
        )
    if shape and shape not in SHAPES:
        raise RenderError(
            Message("There is no shape {shape}; choose one of {shapes}.", shape=repr(shape), shapes=", ".join(SHAPES))
        )
    if pages and pages not in LAYOUTS:
        known = ", ".join(LAYOUTS)
        raise RenderError(
            Message("There is no layout {layout}; the layouts are {layouts}.", layout=repr(pages), layouts=known)
        )
    told = [str(asked)] if asked and not asked.is_square else []
    told += filter(None, (shape, pages))
    if len(told) > 1:
        raise RenderError(
            Message("A frame has one shape, and {told} say one each; leave one out.", told=" and ".join(told))
        )
    if asked and not told:
        return replace(script, size=asked)
    area = script.size if asked is None and script.size and script.size.is_square else asked
    return replace(script, size=area, shape=shape, pages=pages)


def with_sketches(script: Script, backend: Backend, taken: FromSketch | float | str | bool | None) -> Script:
    """A script whose frames take this of their sketches, but for those of panels that say it themselves; as it is where
    nothing is given. Raises FromSketchError for what says nothing, RenderError for a backend that can take nothing."""
    if taken is None:
        return script
    if backend.about.from_sketch is None:
        raise RenderError(
            f"{backend.about.name} draws nothing from sketches; leave from_sketch out, or take {' or '.join(MODELS)}."
        )
    taken = taken if isinstance(taken, FromSketch) else FromSketch.read(taken)
    if taken.reference and not backend.about.refers_to_sketches:
        raise RenderError(
            f"{backend.about.name} takes no sketch for a reference; say layout, a strength or both, or take klein."
        )
    return replace(script, from_sketch=taken)


def filled_script(script: str | Path | Script, seed: int) -> Script:
    """A script with its wildcards filled in under the story's seed, those of a `wildcards.yaml` beside a file too."""
    if isinstance(script, Script):
        return expand_script(script, seed)
    return expand_script(load_script(script), seed, own_lists(Path(script).parent))


def cut_out(script: Script, segmenter: Segmenter) -> tuple[Subject, ...]:
    """The cast with its pictures; a member without one is left out."""
    return tuple(
        replace(
            segmenter.subject(member.name, member.image, member.mask, member.description, member.more),
            height=member.height,
            facing=member.facing,
        )
        for member in script.cast
        if member.image is not None
    )


def _segmenter_of(script: Script) -> Segmenter:
    """The segmenter that a script names, else the default."""
    return Segmenter(script.segmenter) if script.segmenter else Segmenter()


def workers_of(backend: Backend) -> int:
    """How many frames a backend makes at a time."""
    return backend.workers if isinstance(backend, Cluster) else 1
