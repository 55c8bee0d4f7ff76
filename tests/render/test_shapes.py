"""Frames of any shape: sizes that a backend draws and does not, and stories of squares that stay as they were."""

from dataclasses import replace
from pathlib import Path

import pytest

from anystory.backends.storybook import ABOUT, StorybookBackend
from anystory.maps.diagnosis import diagnose
from anystory.project.archive import unpack
from anystory.project.folder import Project
from anystory.project.imprint import story_from_png
from anystory.render.session import Renderer, RenderError
from anystory.story.model import Panel
from anystory.story.size import SHAPES, ratio
from tests import stories

SQUARES = Path(__file__).parents[1] / "data" / "squares.zip"
"""Frames of mini in its own size and one of 64 pixels, made before there were others."""


def test_squares_made_before_are_still_what_their_panels_ask_for(tiny_backend, tmp_path):
    unpack(SQUARES, tmp_path / "story")
    project = Project(tmp_path / "story")
    name, version = project.made_with
    backend = replace(tiny_backend, about=replace(tiny_backend.about, name=name, version=version))
    keys = Renderer(backend).keys(project.story())
    assert keys == [project.entries[number].key for number in (1, 2, 3)]


@pytest.mark.parametrize(("which", "size"), [("storybook", 128), ("tiny_backend", 64)])
def test_every_shape_from_the_script_to_the_folder_and_back(which, size, request, tmp_path):
    backend = StorybookBackend() if which == "storybook" else request.getfixturevalue(which)
    told = stories.story(tuple(Panel("Fox walks in the forest", ("Fox",), shape=shape) for shape in SHAPES))
    told = replace(told, settings=replace(told.settings, steps=1, size=size))
    list(Renderer(backend).render(told, tmp_path, trace=True))
    project = Project(tmp_path)
    for number, shape in enumerate(SHAPES, 1):
        frame, (width, height) = project.frame(number), project.frame(number).image.size
        assert abs(width / height / ratio(shape) - 1) < 0.2 and abs(width * height / size**2 - 1) < 0.2
        rows, columns = frame.maps.values.shape[1:]
        assert abs(columns / rows / (width / height) - 1) < 0.2, "its maps have its shape"
        tall, wide = max(frame.trace.shapes, key=lambda shape: shape[0] * shape[1])
        assert abs(wide / tall / (width / height) - 1) < 0.2, "and so has its trace"
        assert "Fox" in diagnose(frame.maps, frame.image).sentence
        asked = Renderer(backend).asked(told)[number - 1]
        assert backend.layer_shapes(asked.request.settings) == frame.trace.shapes
        found = story_from_png((tmp_path / project.entries[number].image).read_bytes())
        assert found.script.panels[number - 1].shape == shape
    again = [event.reused for event in Renderer(backend).render(project.story(), tmp_path)]
    assert all(again) and len(set(Renderer(backend).keys(told))) == len(SHAPES)


@pytest.mark.parametrize(
    ("size", "says"),
    [("96x60", "96x60 pixels; storybook draws anything from 64 to 4096 a side"), ("5000", "5000 pixels")],
)
def test_a_frame_that_cannot_be_drawn_is_told_with_what_can(size, says):
    told = stories.story((Panel("the sea"), Panel("the sea", size=size)))
    assert ABOUT.sizes == range(64, 4097)
    with pytest.raises(RenderError, match=f"Panel 2 asks for {says}"):
        next(Renderer(StorybookBackend()).render(told))


def test_a_models_sides_are_multiples(tiny_backend):
    told = stories.story((Panel("the sea", size="100x64"),))
    with pytest.raises(RenderError, match="asks for 100x64 pixels; mini draws multiples of 8 from 16 to 256 a side"):
        next(Renderer(tiny_backend).render(told))
