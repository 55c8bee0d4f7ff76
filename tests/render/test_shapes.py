"""Frames of any shape: sizes that a backend draws and does not, and stories of squares that stay as they were."""

from dataclasses import replace
from pathlib import Path

import pytest

from anystory.__main__ import main
from anystory.backends.storybook import StorybookBackend
from anystory.maps.diagnosis import diagnose
from anystory.pages import layout as pages
from anystory.pages.balloons import Lettering
from anystory.pages.crop import cover
from anystory.pages.export import export
from anystory.pages.form import Format
from anystory.pages.layout import Pages, picture_shape
from anystory.project.archive import unpack
from anystory.project.folder import Project
from anystory.project.imprint import story_from_png
from anystory.render.session import Renderer, RenderError
from anystory.story.layouts import LAYOUTS
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
    [("96x12", "96x12 pixels; storybook draws anything from 16 to 4096 a side"), ("5000", "5000 pixels")],
)
def test_a_frame_that_cannot_be_drawn_is_told_with_what_can(size, says):
    told = stories.story((Panel("the sea"), Panel("the sea", size=size)))
    with pytest.raises(RenderError, match=f"Panel 2 asks for {says}"):
        next(Renderer(StorybookBackend()).render(told))


def test_a_models_sides_are_multiples(tiny_backend):
    told = stories.story((Panel("the sea", size="100x64"),))
    with pytest.raises(RenderError, match="asks for 100x64 pixels; mini draws multiples of 8 from 16 to 256 a side"):
        next(Renderer(tiny_backend).render(told))


def paged(layout, title=""):
    panels = tuple(Panel(f"Fox walks {k}", ("Fox",), f"Caption {k}") for k in range(1, 8))
    told = stories.story(panels, title)
    return replace(
        told, script=replace(told.script, pages=layout, size=160), settings=replace(told.settings, size=1024)
    )


@pytest.mark.parametrize("layout", [name for name in LAYOUTS if name != "frames"])
def test_a_frame_has_the_shape_of_its_cell_and_nothing_is_cropped(layout, tmp_path, monkeypatch):
    told, cells = paged(layout, title="A title"), []
    list(Renderer(StorybookBackend()).render(told, tmp_path))

    def seen(frame, size):
        cells.append((frame.image.size, size))
        return cover(frame, size)

    monkeypatch.setattr(pages, "cover", seen)
    assert [number for page in Pages(Project(tmp_path), Format(layout, dpi=72)) for number in page.panels] == [
        *range(1, 8)
    ]
    for (width, height), (wide, high) in cells:
        scale = min(width / wide, height / high)
        lost = width - wide * scale, height - high * scale
        assert max(lost) < 2 + scale and abs(width * height / 160**2 - 1) < 0.03


@pytest.mark.parametrize("layout", [name for name in LAYOUTS if name != "frames"])
def test_no_cell_is_so_narrow_that_two_balloons_hide_a_face(layout):
    for title in ("", "A title", "A title\nof two lines"):
        script = paged(layout, title).script
        assert min(picture_shape(script, number, Format(layout)) for number in range(1, 8)) > 2 / 3


def test_another_layout_makes_anew_what_has_another_shape(tmp_path):
    backend = StorybookBackend()

    def made(told):
        return [event.panel for event in Renderer(backend).render(told, tmp_path) if event.done and not event.reused]

    assert made(paged("2x2")) == [1, 2, 3, 4, 5, 6, 7] and made(paged("2x2")) == []
    assert made(paged("strip")) == [7], "whose cells are squares too, and the last of three fills a row of 2x2"
    assert made(paged("column")) == [] and made(paged("manga")) == [1, 2, 3, 4, 5, 6, 7]
    told = paged("manga")
    assert made(replace(told, script=replace(told.script, title="A title"))) == [1, 2, 3, 4, 5], "those of its page"


def test_cropped_frames_are_told_with_how_to_make_them_anew_and_pages_are_then_in_that_layout(tmp_path, capsys):
    list(Renderer(StorybookBackend()).render(paged("2x2"), tmp_path / "out"))
    project = Project(tmp_path / "out")
    cropped = {layout: Pages(project, Format(layout)).misfits for layout in ("frames", "2x2", "manga", "splash")}
    assert cropped == {"frames": (), "2x2": (), "manga": (1, 2, 3, 4, 5, 6, 7), "splash": (2, 3, 4, 7)}
    script = project.story().script
    own = replace(script, panels=(replace(script.panels[0], shape="1:1"), *script.panels[1:]))
    assert Pages(project, Format("manga"), own).misfits == (2, 3, 4, 5, 6, 7), "not what somebody chose"

    def said(*words):
        assert main([str(word) for word in words]) == 0
        return capsys.readouterr().err

    words = "export", project.folder, "--dpi", 72, "--out", tmp_path / "book.pdf"
    told = said(*words, "--pages", "splash")
    assert "2, 3, 4, 7. To make them anew in it: resume" in told and "--pages splash" in told
    said("resume", project.folder, "--pages", "splash")
    assert Pages(project, Format("splash")).misfits == () and "Cropped" not in said(*words)
    export(project.folder, tmp_path / "pages")
    assert len(list((tmp_path / "pages").iterdir())) == 2, "of four panels and three"


def test_a_strip_below_the_picture_leaves_less_of_the_cell():
    script = paged("2x2").script
    without, with_strip = (
        picture_shape(script, 1, Format("2x2", lettering=Lettering(captions=way))) for way in ("box", "below")
    )
    assert without == pytest.approx(1, abs=0.01) and with_strip > 1.05
    assert picture_shape(script, 1, Format("frames")) is None


def test_a_panels_own_shape_wins_over_its_cell():
    told = paged("manga")
    panels = (replace(told.script.panels[0], shape="1:1"), replace(told.script.panels[1], size=96))
    told = replace(told, script=replace(told.script, panels=panels))
    asked = Renderer(StorybookBackend()).asked(told)
    assert [each.request.settings.size for each in asked] == [(160, 160), (96, 96)]
