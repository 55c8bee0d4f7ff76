"""The layers of a frame that storybook made: drawn once more from what its story asks for, to the same pixels."""

from __future__ import annotations

from pathlib import Path

from anystory.backends.base import STORYBOOK
from anystory.errors import AnyStoryError, Message
from anystory.pages.balloons import Lettering
from anystory.pages.layers import layered, words_layer
from anystory.project.folder import Project, ProjectError, write_atomic
from anystory.render.again import Again
from anystory.sketch.layers import SketchLayer, layers_of
from anystory.sketch.sketcher import sketching
from anystory.story.model import Script


class LayerError(AnyStoryError, ValueError):
    """A frame cannot be taken apart. The message is one sentence for the user."""


def frame_layers(project: Project, number: int, again: Again | None = None) -> tuple[SketchLayer, ...]:
    """The layers of the frame of panel `number`, from the back to the front; see `anystory.sketch.layers.layers_of`.
    Who takes several frames of a project apart gives the same `again` for all. Raises LayerError for a frame that
    storybook does not draw so, ProjectError where there is none."""
    if number not in project.entries:
        raise ProjectError(Message("{folder} holds no frame of panel {number}.", folder=project.folder, number=number))
    maker, _ = project.maker(number)
    if maker != STORYBOOK:
        raise LayerError(
            Message(
                "The frame of panel {number} was drawn by {maker} in one piece; only those of {storybook} have layers.",
                number=number,
                maker=maker,
                storybook=STORYBOOK,
            )
        )
    again = again or Again(project)
    asked = again.asked(number)
    if asked is None or (shot := asked.request.prompt.shot) is None:
        raise LayerError(
            Message(
                "The frame of panel {number} is not what its words would give now; render it again for its layers.",
                number=number,
            )
        )
    request = asked.request
    cutouts = [again.encodings.cutout(again.session.looks[subject.name], subject) for subject in asked.subjects]
    coats = sketching(
        shot,
        cutouts,
        width=request.settings.size.width,
        height=request.settings.size.height,
        seed=request.seed,
        story_seed=request.settings.seed,
        layout=request.steering.layout,
    )
    return layers_of(coats)[1]


def write_layers(
    project: Project, number: int, target: Path, how: Lettering | None = None, script: Script | None = None
) -> tuple[int, tuple[str, ...]]:
    """Write the layers of the frame of panel `number`, its words on top, to a file that ends as
    `anystory.pages.layers.ENDINGS` say; `script` has other words than those it was rendered with. Returns how many
    layers there are, and sentences on words that did not fit. Raises LayerError, PageError or ProjectError."""
    parts, frame = frame_layers(project, number), project.frame(number)
    panel = (script or project.story().script).panels[number - 1]
    words, warnings = words_layer(frame.image.size, panel, frame.maps, how or Lettering())
    parts += (words,) if words else ()
    write_atomic({target: layered(parts, frame.image.size, target.suffix.lower())})
    return len(parts), warnings
