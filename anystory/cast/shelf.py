"""The shelf: example characters to put into a cast (assets/shelf), cut out already."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

from anystory.cast.images import open_image
from anystory.story.model import Subject
from anystory.supplies import ASSETS, read_yaml

FOLDER = ASSETS / "shelf"


@dataclass(frozen=True)
class Example:
    """A character on the shelf: `image` is a picture with transparency, `facing` where it looks (of `story.FACINGS`),
    `source` and `licence` are the drawing's."""

    name: str
    image: Path
    facing: str
    description: str
    source: str
    licence: str

    def subject(self) -> Subject:
        """The character as a story takes it."""
        rgba = open_image(self.image)
        return Subject(self.name, rgba.convert("RGB"), rgba.getchannel("A"), self.description, facing=self.facing)


@cache
def shelf() -> tuple[Example, ...]:
    """All characters on the shelf, in the order of a menu."""
    data = read_yaml(FOLDER / "shelf.yaml", as_text=True)
    return tuple(Example(name, **{**fields, "image": FOLDER / fields["image"]}) for name, fields in data.items())
