"""From a story to its frames: encode each character once, go panel by panel, resume where it stopped."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path

from anystory.backend import Backend, SubjectEncoding
from anystory.project import Project, content
from anystory.prompt import compose
from anystory.story import BACKGROUND, Prompt, Settings, Step, Story, Subject


class RenderError(ValueError):
    """A story cannot be rendered as asked. The message is one sentence for the user."""


@dataclass(frozen=True)
class Progress:
    """One step of one panel (`panel` from 1). A `reused` panel has a single step with the frame that was
    already in the folder."""

    panel: int
    step: Step
    reused: bool = False


@dataclass(frozen=True)
class Request:
    """All that one panel's pixels depend on, besides the backend. `key` is the hash of it all."""

    prompt: Prompt
    subjects: tuple[Subject, ...]
    seed: int
    key: str


class Renderer:
    """Renders stories with one backend; a renderer keeps the encodings of its last story's characters."""

    def __init__(self, backend: Backend) -> None:
        self.backend = backend
        self._encodings: dict[str, SubjectEncoding] = {}

    def render(
        self, story: Story, folder: str | Path | None = None, panels: Iterable[int] | None = None
    ) -> Iterator[Progress]:
        """Render `panels` (numbers from 1; None = all) in story order. Close the generator to stop.

        With a `folder`, every frame is written there the moment it is done, and panels whose frame is already
        there are not rendered again. The same story gives the same frames whichever panels are asked for.
        Raises RenderError for panels that do not exist, are too crowded for the backend or whose characters
        have no picture, ProjectError where the folder cannot be read or written.
        """
        hashes = {subject.name: content(subject) for subject in story.subjects}
        requests = [self._request(story, number, hashes) for number in range(1, len(story.script.panels) + 1)]
        wanted = range(1, len(requests) + 1) if panels is None else sorted(set(panels))
        for number in wanted:
            if not 1 <= number <= len(requests):
                raise RenderError(f"There is no panel {number}; the story has panels 1 to {len(requests)}.")
            cast = story.script.panels[number - 1].cast
            if len(cast) > self.backend.max_subjects:
                raise RenderError(
                    f"Panel {number} has {len(cast)} characters; {self.backend.name} takes at most "
                    f"{self.backend.max_subjects} in a frame: leave some out."
                )
            for name in cast:
                if name not in hashes:
                    raise RenderError(f"{name} is in panel {number} but has no picture; add one for {name}.")

        project = None
        if folder is not None:
            project = Project(folder)
            keys = [request and request.key for request in requests]
            names = [(*panel.cast, BACKGROUND) for panel in story.script.panels]
            project.begin(story, keys, names, self.backend.name, self.backend.version)

        self._encodings = {key: self._encodings[key] for key in hashes.values() if key in self._encodings}
        for number in wanted:
            request = requests[number - 1]
            frame = project and project.finished(number, request.key)
            if frame:
                yield Progress(number, Step(story.settings.steps, story.settings.steps, frame=frame), reused=True)
                continue
            for step in self._denoise(request, hashes, story.settings):
                if project and step.frame:
                    project.save(number, step.frame, request.key, request.prompt.text, story.settings)
                yield Progress(number, step)

    def _request(self, story: Story, number: int, hashes: dict[str, str]) -> Request | None:
        """What panel `number` asks of the backend; None while one of its characters has no picture."""
        panel = story.script.panels[number - 1]
        if not hashes.keys() >= set(panel.cast):
            return None
        by_name = {subject.name: subject for subject in story.subjects}
        subjects = tuple(by_name[name] for name in panel.cast)
        prompt = compose(panel, subjects, story.script.style)
        seed = story.settings.seed + number - 1 if panel.seed is None else panel.seed
        # Neither number, caption, dialogue nor title: they never change a pixel. The story's seed only through `seed`.
        settings = {name: value for name, value in asdict(story.settings).items() if name != "seed"}
        looks = [hashes[name] for name in panel.cast]
        parts = [prompt.text, prompt.mentions, looks, settings, seed, self.backend.name, self.backend.version]
        key = hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()
        return Request(prompt, subjects, seed, key)

    def _denoise(self, request: Request, hashes: dict[str, str], settings: Settings) -> Iterator[Step]:
        cast: list[SubjectEncoding] = []
        for subject in request.subjects:
            look = hashes[subject.name]
            if look not in self._encodings:
                self._encodings[look] = self.backend.encode(subject)
            cast.append(self._encodings[look])
        names = [subject.name for subject in request.subjects]
        with closing(self.backend.denoise(request.prompt, names, cast, settings, request.seed)) as steps:
            yield from steps
