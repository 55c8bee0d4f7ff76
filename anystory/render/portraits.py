"""Characters without a picture: drawn once from their descriptions, cut out, and references from then on; or, for a
backend that sketches, taken from the library of drawings.

In a story's folder they are kept as drawn/KEY.png (RGBA, alpha = the mask; prompt, seed, backend, version and key as
PNG text), where KEY stands for everything the drawing depends on: what has not changed is not drawn again.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from PIL import Image

from anystory.backends.base import Backend, Request
from anystory.cast.segment import NothingFoundError, Segmenter
from anystory.errors import Message
from anystory.project.folder import cutout, png, write_atomic
from anystory.render.session import RenderError, chosen_panels
from anystory.story.model import LIBRARY, CastMember, Panel, Script, Step, Story, Subject
from anystory.story.prompt import Prompt, portrait
from anystory.story.styles import style_of

SEEDS = (0, 1, 2)
"""The seeds a drawing is tried with, whatever the story's seed: a character stays who it is when frames are rolled."""


class UncutError(RenderError):
    """A character was drawn, and nothing could be cut out of any drawing. `kept` is the file of the last one, None
    where there is no folder; `sentence` is the message without it, for whoever cannot open files here."""

    def __init__(self, member: CastMember, found: str, kept: Path | None) -> None:
        tried = f"{member.name} was drawn from {member.description[:80]!r} {len(SEEDS)} times"
        failed = f"{tried}, but nothing could be cut out of it"
        advice = f"{found}; describe {member.name} in other words, or give a picture."
        super().__init__(f"{failed} (kept as {kept}): {advice}" if kept else f"{failed}: {advice}")
        self.sentence, self.kept = f"{failed}: {advice}", kept


@dataclass(frozen=True)
class Drawing:
    """One step of drawing the character `name`, by the `attempt`-th of `SEEDS`. The last one holds the `subject`; a
    `reused` one, which was there already, has a single step without a frame."""

    name: str
    attempt: int
    step: Step
    subject: Subject | None = None
    reused: bool = False


def undrawn(story: Story, panels: Iterable[int] | None = None) -> tuple[CastMember, ...]:
    """Who is in `panels` (numbers from 1; None = all), has a description and no picture, in the cast's order."""
    count = len(story.script.panels)
    wanted = range(1, count + 1) if panels is None else panels
    needed = {name for number in wanted if 1 <= number <= count for name in story.script.panels[number - 1].cast}
    pictured = {subject.name for subject in story.subjects}
    return tuple(m for m in story.script.cast if m.name in needed - pictured and (m.description or m.drawing))


def with_drawn(story: Story, drawn: Sequence[Subject]) -> Story:
    """The story with more subjects, all in the cast's order."""
    order = {member.name: index for index, member in enumerate(story.script.cast)}
    subjects = sorted((*story.subjects, *drawn), key=lambda subject: order.get(subject.name, len(order)))
    return replace(story, subjects=tuple(subjects))


def draw_cast(
    story: Story,
    backend: Backend,
    segmenter: Segmenter,
    folder: str | Path | None = None,
    panels: Iterable[int] | None = None,
) -> Generator[Drawing, None, None]:
    """Draw the characters that `undrawn` tells, one after the other; hand the subjects to `with_drawn`. Close the
    generator to stop.

    The drawing is a frame with no subject: the description on a plain background in the story's style, with the
    story's settings and `SEEDS`. With a `folder`, what was drawn is kept there and found again. Raises RenderError
    with a sentence for panels that cannot be rendered anyway, and where no seed gives anything to cut out; the last
    drawing is kept then, to be masked by hand. Raises SegmentError where the segmenter cannot be had.

    A backend that sketches draws nobody: it gets the drawing of the library that the description asks for, cut out as
    it is, and RenderError is raised where there is none.
    """
    if backend.about.sketches:
        yield from _from_library(story, backend, panels)
        return
    style = style_of(story.script, Panel("")) if backend.about.follows_style else ""
    for member in undrawn(story, chosen_panels(story, panels, backend)):
        prompt = portrait(member.description, style)
        settings = {name: value for name, value in story.settings.written.items() if name != "seed"}
        parts = [prompt.text, settings, SEEDS, backend.about.name, backend.about.version, segmenter.model]
        key = _key(parts)
        file = None if folder is None else Path(folder) / "drawn" / f"{key[:16]}.png"
        subject = _kept(file, key, member, prompt) or _reworded(folder, parts, member, prompt)
        if subject:
            step = Step(story.settings.steps, story.settings.steps)
            yield Drawing(member.name, 1, step, subject, reused=True)
        else:
            yield from _draw(story, backend, segmenter, member, prompt, file, key)


def _from_library(story: Story, backend: Backend, panels: Iterable[int] | None) -> Iterator[Drawing]:
    """Whom `undrawn` tells as drawings of the library."""
    from anystory.sketch.likeness import missing  # whose vocabulary no model needs

    needed = undrawn(story, chosen_panels(story, panels, backend))
    found = from_library(story.script, needed)
    for member in needed:
        if member.name not in found:
            raise RenderError(
                Message(
                    "{backend} shows pictures you give; give {name} one or take one from the shelf. {missing}",
                    backend=backend.about.name,
                    name=member.name,
                    missing=missing(member),
                )
            )
        yield Drawing(member.name, 1, Step(1, 1, found[member.name].image), found[member.name])


def from_library(script: Script, members: Iterable[CastMember]) -> dict[str, Subject]:
    """Those of `members` for whom the library has a drawing, with it, by name."""
    from anystory.sketch.likeness import library_cast  # whose vocabulary no model needs

    found = {}
    alike = library_cast(script)
    for member in members:
        if member.name in alike:
            image, mask = alike[member.name].picture()
            drawn = LIBRARY + alike[member.name].words
            found[member.name] = Subject(member.name, image, mask, member.description, drawn, height=member.height)
    return found


def _draw(
    story: Story,
    backend: Backend,
    segmenter: Segmenter,
    member: CastMember,
    prompt: Prompt,
    file: Path | None,
    key: str,
) -> Iterator[Drawing]:
    for attempt, seed in enumerate(SEEDS, 1):
        with closing(backend.denoise(Request(prompt, (), (), replace(story.settings, seed=seed), seed))) as steps:
            for step in steps:
                if step.frame is None:
                    yield Drawing(member.name, attempt, step)
        image = step.finished.image
        text = {
            "prompt": prompt.text,
            "seed": str(seed),
            "backend": backend.about.name,
            "version": step.finished.version or backend.about.version,
        }
        try:
            subject = _subject(member, image, segmenter.cut(image), prompt)
        except NothingFoundError as error:
            reason = error
            yield Drawing(member.name, attempt, step)
            continue
        if file:
            write_atomic({file: png(cutout(subject), {**text, "key": key})})
        yield Drawing(member.name, attempt, step, subject)
        return
    uncut = file and file.with_name(f"{file.stem}-uncut.png")
    if uncut:
        write_atomic({uncut: png(image, text)})
    raise UncutError(member, reason.found, uncut)


def _kept(file: Path | None, key: str, member: CastMember, prompt: Prompt) -> Subject | None:
    """The drawing that is there, if it is whole and the one asked for."""
    if file is None or not file.is_file():
        return None
    try:
        with Image.open(file, formats=["PNG"]) as picture:
            rgba = picture.convert("RGBA")
            if picture.info.get("key") != key:
                return None
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError):  # what PIL raises for such files
        return None
    return _subject(member, rgba.convert("RGB"), rgba.getchannel("A"), prompt)


def _reworded(folder: str | Path | None, parts: list[Any], member: CastMember, prompt: Prompt) -> Subject | None:
    """A drawing there is that was asked for in the same words but articles and capitals, as an earlier version put
    them; `parts` are what a key stands for, the words first."""
    for file in sorted(Path(folder).glob("drawn/*.png")) if folder is not None else ():
        try:
            with Image.open(file, formats=["PNG"]) as picture:
                text, key = str(picture.info.get("prompt", "")), str(picture.info.get("key", ""))
        except (OSError, SyntaxError, ValueError, Image.DecompressionBombError):
            continue
        if _bare(text) == _bare(prompt.text) and key == _key([text, *parts[1:]]):
            return _kept(file, key, member, prompt)
    return None


def _bare(text: str) -> str:
    return re.sub(r"\b(?:an?|the)\s+", "", text.casefold())


def _key(parts: list[Any]) -> str:
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def _subject(member: CastMember, image: Image.Image, mask: Image.Image, prompt: Prompt) -> Subject:
    return Subject(
        member.name, image, mask, member.description, prompt.text, height=member.height, facing=member.facing
    )
