"""Frames painted anew for paper: storybook's, which look the same at any size."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from pathlib import Path

from anystory.backends.base import STORYBOOK
from anystory.project.folder import Project
from anystory.render.again import Again
from anystory.story.model import BOUNDS, Frame
from anystory.story.size import Size


class Printer:
    """Paints the frames of a project larger, as `anystory.pages.layout.Painter` asks for, with storybook, which made
    them. Frames that another version or other words made it leaves as they are."""

    def __init__(self, project: Project) -> None:
        self._again = Again(project)

    def __call__(self, number: int, frame: Frame, times: float) -> Frame | None:
        """The frame of panel `number`, `times` as large but no larger than a side may be."""
        again, most = self._again, BOUNDS["size"][1]
        asked = again.asked(number)
        if asked is None:
            return None
        times = min(times, most / max(frame.image.size))
        size = Size(*(min(int(most), round(side * times + 0.499)) for side in frame.image.size))
        cast = tuple(again.encodings.of(again.session.looks[subject.name], subject) for subject in asked.subjects)
        request = replace(asked.request, cast=cast, settings=replace(asked.request.settings, size=size))
        with closing(again.backend.denoise(request)) as steps:
            made = [step.frame for step in steps][-1]
        return made and made.named(frame.maps.names)


def printer(project: Project | str | Path) -> Printer | None:
    """Who paints the frames of a project, or of one in a folder, for paper; None where it is not storybook that
    made them."""
    project = project if isinstance(project, Project) else Project(project)
    return Printer(project) if project.made_with[0] == STORYBOOK else None
