"""Sketches: what storybook would make of each panel of a story while it is being written, small and at once.

They are made by the same rules and the same seeds as storybook's frames, whatever backend makes the frames.
"""

from __future__ import annotations

import io
import threading
from dataclasses import replace

from anystory.backends.base import STORYBOOK, Backend
from anystory.backends.load import load
from anystory.project.folder import content
from anystory.render.portraits import from_library, undrawn, with_drawn
from anystory.render.session import Asked, Renderer
from anystory.sketch.compose import Piece
from anystory.sketch.cutout import Cutout, prepare
from anystory.sketch.sketcher import Cache, layered, sketch, staged
from anystory.sketch.staging import Staging
from anystory.story.model import Panel, Script, Settings, Story, Subject
from anystory.story.shot import Shot
from anystory.story.size import Size
from anystory.story.steering import Layout

SIDE = 384
"""Pixels of a square sketch's sides; others have as many in all."""

QUALITY = 82
"""Of the WebP: some 20 kB a sketch."""


class Sketches:
    """Makes sketches and keeps the last of them; threads may share it."""

    def __init__(self, limit: int = 32_000_000) -> None:
        """`limit`: bytes of sketches that are kept, and twice as many of cut-outs."""
        self._renderer = Renderer(load(STORYBOOK))
        self._kept: Cache[bytes] = Cache(limit, len)
        self._cutouts: Cache[Cutout] = Cache(2 * limit, lambda cutout: cutout.pixels.nbytes)
        self._drawing = threading.Lock()  # one at a time: frames are being made beside them

    @property
    def backend(self) -> Backend:
        """Storybook, which makes them."""
        return self._renderer.backend

    def asked(self, story: Story) -> list[Asked | None]:
        """What each panel's sketch is made from, under a key that changes with the sketch; None where there can be
        none: somebody in it has neither a picture nor a drawing in the library, or it is too crowded."""
        script = replace(story.script, panels=tuple(replace(panel, size=None) for panel in story.script.panels))
        about = self._renderer.backend.about
        story = Story(script, story.subjects, replace(about.defaults, size=Size(SIDE, SIDE), seed=story.settings.seed))
        story = with_drawn(story, list(from_library(script, undrawn(story)).values()))
        asked = self._renderer.asked(story)
        return [one if one and len(one.subjects) <= about.max_subjects else None for one in asked]

    def of_frame(self, story: Story, number: int, seed: int) -> Asked | None:
        """What storybook's frame of panel `number` under a `seed` is made from, at its full size; None as in
        `asked`."""
        panels = list(story.script.panels)
        panels[number - 1] = replace(panels[number - 1], seed=seed)
        script = replace(story.script, panels=tuple(panels))
        story = Story(script, story.subjects, replace(self._renderer.backend.about.defaults, seed=story.settings.seed))
        story = with_drawn(story, list(from_library(script, undrawn(story)).values()))
        return self._renderer.asked(story)[number - 1]

    def staging(self, asked: Asked, layout: Layout) -> Staging:
        """Who is where in a frame with another layout. Raises ValueError as `draw` does."""
        shot, cutouts = self._given(asked)
        return staged(shot, cutouts, **self._how(asked), layout=layout)

    def layers(self, asked: Asked, side: int) -> tuple[Staging, Size, list[Piece]]:
        """A frame taken apart, its longer side `side` pixels or less; its staging and the size of the layers. Raises
        ValueError as `draw` does."""
        (shot, cutouts), size = self._given(asked), asked.request.settings.size
        scale = min(1.0, side / max(size))
        small = Size(*(max(1, round(length * scale)) for length in size))
        with self._drawing:
            staging = self.staging(asked, asked.request.steering.layout)
            story_seed = asked.request.settings.seed
            return staging, small, layered(shot, staging, cutouts, **small._asdict(), story_seed=story_seed)

    def _given(self, asked: Asked) -> tuple[Shot, list[Cutout]]:
        """What is shown and the cut-outs for it."""
        shot = asked.request.prompt.shot
        assert shot is not None  # storybook's are always read
        return shot, [replace(self._cut(subject), name=subject.name) for subject in asked.subjects]

    @staticmethod
    def _how(asked: Asked) -> dict[str, int]:
        settings = asked.request.settings
        return {**settings.size._asdict(), "seed": asked.request.seed, "story_seed": settings.seed}

    def warm(self) -> None:
        """Load what the first sketch would load, before somebody waits for it."""
        for asked in self.asked(Story(Script((Panel("a meadow in the morning"),)), (), Settings(Size(SIDE, SIDE)))):
            if asked:
                self.draw(asked)

    def has(self, asked: Asked) -> bool:
        """Whether a sketch is there at once."""
        return asked.key in self._kept

    def draw(self, asked: Asked) -> bytes:
        """The sketch as WebP, in the panel's shape; the same for the same key. Raises ValueError with a sentence
        where the mask of a picture selects nothing."""
        return self._kept.get(asked.key, lambda: self._drawn(asked))

    def _drawn(self, asked: Asked) -> bytes:
        buffer, (shot, cutouts) = io.BytesIO(), self._given(asked)
        with self._drawing:
            made = sketch(shot, cutouts, **self._how(asked), layout=asked.request.steering.layout)
            made.image.save(buffer, "WEBP", quality=QUALITY, method=2)
        return buffer.getvalue()

    def _cut(self, subject: Subject) -> Cutout:
        return self._cutouts.get(content(subject), lambda: prepare(subject))
