"""What the frames of a project ask of storybook once more, to be painted larger or taken apart."""

from __future__ import annotations

from anystory.backends.base import STORYBOOK
from anystory.backends.load import load
from anystory.project.folder import Project
from anystory.render.session import Asked, Encodings, RenderSession


class Again:
    """The frames of a project as storybook would make them now. Its story is read once, for all panels."""

    def __init__(self, project: Project) -> None:
        self.project, self.backend = project, load(STORYBOOK)
        self.encodings = Encodings(self.backend)
        self.session = RenderSession(project.story(), self.backend, self.encodings, {})
        self.encodings.keep(self.session.looks.values())

    def asked(self, number: int) -> Asked | None:
        """What the frame of panel `number` asks for; None where another version or other words made it."""
        entry = self.project.entries[number]
        asked = self.session.asked(number, entry.seed)
        return asked if asked is not None and asked.key == entry.key else None
