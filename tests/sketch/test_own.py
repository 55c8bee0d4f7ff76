"""A story's own drawings, from the folder beside its script to frames, and on to another folder."""

import shutil
from dataclasses import replace

import pytest
from PIL import Image

from anystory.api import load_story, render_story
from anystory.backends.storybook import StorybookBackend
from anystory.project.archive import ArchiveError, pack, unpack
from anystory.project.folder import Project
from anystory.project.own import MAX_SVG
from anystory.render.session import Renderer
from anystory.script.lint import lint
from anystory.script.read import load_script, parse_script
from anystory.sketch.own import with_own
from anystory.sketch.own_files import ThingError
from anystory.sketch.read import read_story
from anystory.sketch.stagecraft.props import silhouette_of
from anystory.sketch.things import Library, own_library
from anystory.story.model import CastMember, Panel, Script

SVG = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9"><circle cx="4" cy="4" r="4" fill="{}"/></svg>'
LINES = """[NC] a ball lies in the park
[NC] a zog sleeps in the forest
[NC] a kite flies over the sea
"""


@pytest.fixture
def folder(tmp_path):
    home = tmp_path / "home"
    (home / "things").mkdir(parents=True)
    (home / "story.txt").write_text(LINES, "utf-8")
    (home / "things" / "ball.svg").write_text(SVG.format("#c00"))
    (home / "things" / "z_1.svg").write_text(SVG.format("#0c0"))
    (home / "things" / "things.yaml").write_text("z_1.svg: {names: [zog, 佐格], like: robot, size: 0.5}\n", "utf-8")
    return home


def shots(folder):
    story = load_story(folder / "story.txt", StorybookBackend())
    return [asked.request.prompt.shot for asked in Renderer(StorybookBackend()).asked(story)]


def keys(folder):
    backend = StorybookBackend()
    return Renderer(backend).keys(load_story(folder / "story.txt", backend))


def test_a_folder_beside_the_script_is_the_storys(folder):
    assert load_script(folder / "story.txt").things == (folder / "things").resolve()
    assert parse_script(LINES).things is None
    ball, zog, kite = shots(folder)
    assert [thing.own.rpartition("/")[2] for thing in ball.things] == ["ball.svg"]
    assert [(thing.concept, bool(thing.own)) for thing in zog.things] == [("zog", True)]
    assert "zog" not in zog.unread
    assert [(thing.concept, thing.own, thing.look) for thing in kite.things] == [("kite", "", "")]


def test_a_list_says_what_a_drawing_is_called_and_how_large_it_is(folder):
    library = own_library(folder / "things")
    assert library.find("佐格") is library.find("zog") and library.find("zog").size == 0.5
    assert library.find("zog").kind == Library().find("robot").kind


def test_frames_depend_on_what_a_drawing_shows_and_not_on_where_it_lies(folder, tmp_path):
    first = keys(folder)
    shutil.move(folder, tmp_path / "moved")
    moved = tmp_path / "moved"
    assert keys(moved) == first
    (moved / "things" / "ball.svg").write_text(SVG.format("#00c"))
    changed = keys(moved)
    assert changed[0] != first[0] and changed[1:] == first[1:]
    (moved / "things" / "things.yaml").write_text("z_1.svg: {names: zog, like: robot, size: 2}\n")
    assert keys(moved)[1] != first[1]


def test_a_project_takes_its_drawings_along(folder, tmp_path):
    backend = StorybookBackend()
    story = load_story(folder / "story.txt", backend)
    made = [frame.image for frame in render_story(small(story), backend, tmp_path / "out")]
    pack(tmp_path / "out", tmp_path / "story.zip")
    shutil.rmtree(folder)
    assert unpack(tmp_path / "story.zip", tmp_path / "again").notes == ()
    again = Project(tmp_path / "again").story()
    assert own_library(again.script.things).find("佐格").size == 0.5
    frames = list(render_story(again, backend, tmp_path / "again"))
    assert all(frame.reused for frame in frames)
    anew = [frame.image for frame in render_story(again, backend)]
    assert [image.tobytes() for image in anew] == [image.tobytes() for image in made]


def test_a_picture_is_taken_along_whatever_its_name_says_of_its_kind(folder, tmp_path):
    Image.new("RGB", (40, 40), "red").save(folder / "things" / "kite.png", "JPEG")
    Image.new("RGB", (40, 40), "red").save(folder / "things" / "boat.jpg", "WEBP")
    backend = StorybookBackend()
    story = load_story(folder / "story.txt", backend)
    list(render_story(small(story), backend, tmp_path / "out"))
    pack(tmp_path / "out", tmp_path / "story.zip")
    assert unpack(tmp_path / "story.zip", tmp_path / "again").notes == ()
    assert own_library(Project(tmp_path / "again").story().script.things).find("kite") is not None


def test_a_drawing_that_is_none_is_told_of_before_it_is_packed(folder, tmp_path):
    backend = StorybookBackend()
    list(render_story(small(load_story(folder / "story.txt", backend)), backend, tmp_path / "out"))
    (tmp_path / "out" / "things" / "kite.png").write_bytes(b"no picture")
    with pytest.raises(ArchiveError, match=r"kite\.png' is not what its name says"):
        pack(tmp_path / "out", tmp_path / "story.zip")
    (tmp_path / "out" / "things" / "kite.png").unlink()
    (tmp_path / "out" / "things" / "kite.svg").write_bytes(b" " * (MAX_SVG + 1))
    with pytest.raises(ArchiveError, match=r"kite\.svg is too large"):
        pack(tmp_path / "out", tmp_path / "story.zip")


def test_drawings_that_a_story_has_no_more_leave_its_project(folder, tmp_path):
    backend, out = StorybookBackend(), tmp_path / "out" / "things"

    def rendered():
        list(render_story(small(load_story(folder / "story.txt", backend)), backend, tmp_path / "out"))
        return {path.name for path in out.iterdir()}

    before = rendered()
    (out / "by hand.svg").write_text(SVG.format("#00c"))
    (folder / "things" / "ball.svg").write_text(SVG.format("#00c"))
    after = rendered()
    assert len(after) == len(before) + 1 and "by hand.svg" in after and len(before & after) == len(before) - 1
    for path in (folder / "things").iterdir():
        path.unlink()
    assert rendered() == {"by hand.svg"}


def small(story):
    return replace(story, settings=replace(story.settings, size=64))


@pytest.mark.parametrize(
    ("told", "said"),
    [
        ("z_1.svg: {names: zog, size: 500}", "0.01 to 100 metres"),
        ("z_1.svg: {names: zog, rests: moon}", "one of ground"),
        ("z_1.svg: {names: zog, facing: up}", "left, right or front"),
        ("z_1.svg: {name: zog}", "is not known"),
        ("none.svg: zog", "not there"),
        ("[", "cannot be read"),
        ("[" * 5000, "cannot be read"),
        ("z_1.svg:", "names is None; write words there"),
        ("z_1.svg: {names: [1]}", "write words there"),
        ("z_1.svg: {names: ['?']}", "does not say what it shows"),
        ("z_1.svg: [zog, BALL]", "ball.svg and z_1.svg are both called 'BALL'"),
        ("- zog", "nothing of any file"),
    ],
)
def test_mistakes_in_the_list_are_said(folder, told, said):
    (folder / "things" / "things.yaml").write_text(told, "utf-8")
    with pytest.raises(ThingError, match=said):
        shots(folder)


@pytest.mark.parametrize("name", ["😀.svg", "()*.svg", "__.svg"])
def test_a_drawing_without_a_name_is_refused_and_not_in_every_panel(folder, name):
    (folder / "things" / name).write_text(SVG.format("#00c"))
    with pytest.raises(ThingError, match="does not say what it shows"):
        shots(folder)


def test_check_tells_what_is_wrong_with_drawings_and_places(folder):
    assert "own" not in [finding.code for finding in lint(LINES, folder=folder)]
    (folder / "things" / "things.yaml").write_text("none.svg: zog", "utf-8")
    (folder / "places").mkdir()
    for name in ("mill.png", "ruin.png"):
        (folder / "places" / name).write_bytes(b"no picture")
    found = [finding for finding in lint(LINES, folder=folder) if finding.code == "own"]
    assert [finding.severity for finding in found] == ["error"] * 3
    assert all(name in " ".join(one.message for one in found) for name in ("none.svg", "mill.png", "ruin.png"))


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("Zog walks in the forest", []),  # who is of the cast
        ('Pip says: "Look, a wug!"', []),  # what is only said
        ("Pip dreams of a ball", []),  # what reading knows not to be there
        ("Pip is at the ball", ["ball.svg"]),
        ("Pip meets two wugs in the park", ["wug.svg"]),
        ("Pip在花园里拿着气球", []),  # 花 and 球 are parts of other words
        ("Pip在公园里拿着球", ["球.svg"]),
        ("Pip sits under the moon", ["moon.svg"]),
    ],
)
def test_a_drawing_is_shown_where_a_line_tells_that_it_is_there(tmp_path, line, shown):
    (tmp_path / "things").mkdir()
    for name in ("zog", "wug", "ball", "moon", "花", "球"):
        (tmp_path / "things" / f"{name}.svg").write_text(SVG.format("#c00"))
    cast = (CastMember("Zog", description="a robot"), CastMember("Pip", description="a mouse"))
    panel = Panel(line, tuple(one.name for one in cast if one.name in line))
    (shot,) = read_story(Script((panel,), cast))
    shot = with_own(shot, line, ["Zog", "Pip"], tmp_path / "things")
    assert [thing.own.rpartition("/")[2] for thing in shot.things if thing.own] == shown


def test_a_drawing_that_was_changed_is_placed_as_it_is_now(folder):
    wide = SVG.replace("0 0 9 9", "-2 -2 20 9").replace("/></svg>", '/><path d="M12 0h4v8h-4z" fill="#c00"/></svg>')
    path = folder / "things" / "ball.svg"
    seen = []
    for svg in (wide, wide.replace("M12 0h4v8h-4z", "M12 0h4v1h-4zM12 7h4v1h-4z")):
        path.write_text(svg.format("#c00"))
        drawing = own_library(folder / "things").find("ball")
        seen.append(silhouette_of(drawing, 1).pixels)
    assert seen[0].shape == seen[1].shape and (seen[0] != seen[1]).any()
