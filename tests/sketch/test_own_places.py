"""A story's own places, from the folder beside its script to frames, and on to another folder."""

import shutil
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from anystory.api import load_story, render_story
from anystory.backends.storybook import StorybookBackend
from anystory.cast.images import ImageError
from anystory.project.archive import pack, unpack
from anystory.project.folder import Project
from anystory.render.session import Renderer
from anystory.script.read import parse_script
from anystory.sketch.own_files import ThingError
from anystory.sketch.own_places import lines_of, own_places
from anystory.sketch.read import read_story
from anystory.sketch.sketcher import painting_of, sketch

SVG = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9"><path d="M0 0h9v4H0z" fill="{}"/><path d="M0 4h9v5H0z"/>'
    "</svg>"
)
ROWS, COLUMNS = 60, 120
SKY, GROUND = (120, 170, 230), (70, 120, 40)


def picture(rows=ROWS, columns=COLUMNS, horizon=0.4):
    """A picture of sky over ground whose blue tells the column."""
    pixels = np.empty((rows, columns, 3), np.uint8)
    pixels[:] = SKY
    pixels[round(horizon * rows) :] = GROUND
    pixels[..., 2] = np.linspace(0, 250, columns)
    return Image.fromarray(pixels)


@pytest.fixture
def home(tmp_path):
    folder = tmp_path / "home" / "places"
    folder.mkdir(parents=True)
    picture().save(folder / "old mill, 老磨坊, viejo molino.png")
    (folder / "zogwald.svg").write_text(SVG.format("#c9f"))
    picture().save(folder / "forest.png")
    picture().save(folder / "our attic.png")
    return folder.parent


def settings(home, *lines):
    """Where each line is: the setting, and the file of its picture."""
    script = parse_script(
        "cast:\n  Mia: a girl\n\n" + "\n".join(f"{i}. {line}" for i, line in enumerate(lines, 1)), home
    )
    return [(shot.setting, shot.own.rpartition("/")[2]) for shot in read_story(script)]


MILL = ("old mill", "old mill, 老磨坊, viejo molino.png")


@pytest.mark.parametrize(
    "line",
    ["Mia sits at the old mill", "Mia runs to the OLD MILL.", "Mia坐在老磨坊里", "Mia duerme en el viejo molino",
     "Mia waits before the old mill"],
)  # fmt: skip
def test_a_line_names_a_place_in_any_language(home, line):
    assert settings(home, line) == [MILL]


@pytest.mark.parametrize(
    ("line", "there"),
    [
        ("Mia walks in the Zogwald", ("zogwald", "zogwald.svg")),
        ("Mia dreams of the Zogwald", ("meadow 1", "")),  # where they are is not what they speak of
        ('Mia says: "Off to the old mill!"', ("meadow 1", "")),
        ("Mia walks in the zogwalds", ("meadow 1", "")),  # a whole word
        ("Mia geht spazieren", ("meadow 1", "")),
        ("Mia camina por el bosque", ("forest", "forest.png")),  # its name is the word for such a place
        ("Mia sits in the attic", ("attic 1", "")),  # nobody said that it is ours
    ],
)
def test_only_where_a_line_goes_is_shown(home, line, there):
    assert settings(home, line) == [there]


def test_a_story_stays_at_its_own_place_until_it_leaves(home):
    lines = ("Mia is in our attic", "Mia sleeps", "Mia cooks in the kitchen", "Mia climbs up to the attic")
    attic = ("our attic", "our attic.png")
    assert settings(home, *lines) == [attic, attic, ("kitchen 1", ""), attic]
    lines = ("Mia is in the Zogwald", "Mia dances on the meadow", "Mia sleeps")
    assert settings(home, *lines) == [("zogwald", "zogwald.svg"), ("meadow 1", ""), ("meadow 1", "")]


def test_an_hour_and_a_weather_are_those_of_what_it_is_like(home):
    (home / "places" / "places.yaml").write_text("zogwald.svg: {like: cave}\nforest.png: {time: night}\n")
    zogwald, forest, mill = read_story(
        parse_script("1. It snows at night in the Zogwald\n2. A fox in the forest\n3. The old mill at sunset\n", home)
    )
    assert (zogwald.place, zogwald.weather) == ("cave", "") and (forest.time, mill.time) == ("night", "sunset")


def made(home, line, **how):
    """A sketch of a line of nobody."""
    (shot,) = read_story(parse_script(f"1. {line}", home))
    shot = replace(shot, medium="flat", **how)
    size = {"width": 96, "height": 96}
    return shot, lambda **other: sketch(shot, [], **(size | other), seed=1, story_seed=1)


@pytest.mark.parametrize(("width", "height"), [(96, 96), (192, 96), (96, 192), (300, 100)])
@pytest.mark.parametrize("shape", [(60, 120), (120, 60), (80, 80)])
@pytest.mark.parametrize("framing", ["", "close-up", "from below"])
def test_a_frame_of_any_shape_shows_it_without_stretching(home, width, height, shape, framing):
    rows, columns = shape
    y, x = np.mgrid[:rows, :columns]
    pixels = np.dstack([np.full(shape, 128), 40 + y, 40 + x]).astype(np.uint8)  # each step of a pixel is one of colour
    Image.fromarray(pixels).save(home / "places" / "forest.png")
    _, draw = made(home, "A forest", framing=framing)
    seen = np.asarray(draw(width=width, height=height).image, int)
    assert (abs(seen[..., 0] - 128) <= 1).all()  # all of it is picture
    down = (seen[-3, width // 2, 1] - seen[3, width // 2, 1]) / (height - 6)
    across = (seen[height // 2, -3, 2] - seen[height // 2, 3, 2]) / (width - 6)
    assert abs(down - across) <= 0.3 * across + 0.02
    if not framing and width / height == columns / rows:
        assert seen[1, 1, 1] <= 42 and seen[-2, -2, 2] >= 40 + columns - 3  # all of it is there


def test_the_picture_is_as_it_is_by_day_and_in_the_light_of_other_hours_and_weathers(home):
    def mean(**how):
        return np.asarray(made(home, "A forest", **how)[1]().image, float)[..., :2].mean((0, 1))

    day, night, rain = mean(), mean(time="night"), mean(weather="rain")
    assert np.abs(np.asarray(made(home, "A forest")[1](width=192).image, int)[4, 4, :2] - SKY[:2]).max() <= 2
    assert (night < 0.7 * day).all() and (rain < day).any()
    (home / "places" / "places.yaml").write_text("forest.png: {time: night}\n")
    assert np.abs(mean(time="night") - day).max() < 1  # it shows the night already


def test_people_stand_on_its_ground(home):
    for horizon in (0.3, 0.6):
        picture(horizon=horizon).save(home / "places" / "forest.png")
        (forest, *_) = own_places(home / "places")
        assert lines_of(forest)[0] == pytest.approx(horizon, abs=0.03)
    (home / "places" / "places.yaml").write_text("forest.png: {horizon: 0.2, ground: 0.5}\n")
    shot, _ = made(home, "A forest")
    painting = painting_of(shot, 1)
    assert (painting.horizon, painting.ground[0]) == (pytest.approx(0.6), pytest.approx(0.75))  # of the lower half


def asked(home):
    backend = StorybookBackend()
    return Renderer(backend).keys(load_story(home / "story.txt", backend))


def test_frames_depend_on_what_the_picture_shows_and_not_on_where_it_lies(home, tmp_path):
    (home / "story.txt").write_text("1. A fox in the forest\n2. A fox at the beach\n")
    first = asked(home)
    shutil.move(home, tmp_path / "moved")
    moved = tmp_path / "moved"
    assert asked(moved) == first
    picture(horizon=0.5).save(moved / "places" / "forest.png")
    changed = asked(moved)
    assert changed[0] != first[0] and changed[1] == first[1]
    (moved / "places" / "places.yaml").write_text("forest.png: {ground: 0.7}\n")
    assert asked(moved)[0] not in (first[0], changed[0])


def test_a_project_takes_its_places_along(home, tmp_path):
    (home / "story.txt").write_text("1. A fox at the old mill\n", "utf-8")
    backend = StorybookBackend()
    story = load_story(home / "story.txt", backend)
    story = replace(story, settings=replace(story.settings, size=64))
    made = [frame.image for frame in render_story(story, backend, tmp_path / "out")]
    pack(tmp_path / "out", tmp_path / "story.zip")
    shutil.rmtree(home)
    assert unpack(tmp_path / "story.zip", tmp_path / "again").notes == ()
    again = Project(tmp_path / "again").story()
    assert MILL[0] in {place.name for place in own_places(again.script.places)}
    assert all(frame.reused for frame in render_story(again, backend, tmp_path / "again"))
    assert [frame.image.tobytes() for frame in render_story(again, backend)] == [image.tobytes() for image in made]


def test_a_zip_may_hold_a_place_under_its_own_name(home, tmp_path):
    (home / "story.txt").write_text("1. A fox at the Zogwald\n", "utf-8")
    backend = StorybookBackend()
    story = replace(load_story(home / "story.txt", backend), settings=replace(backend.about.defaults, size=64))
    bare = replace(story, script=replace(story.script, places=None))
    list(render_story(bare, backend, tmp_path / "out"))
    (tmp_path / "out" / "places").mkdir()
    shutil.copy(home / "places" / "zogwald.svg", tmp_path / "out" / "places" / "Zogwald.SVG")
    pack(tmp_path / "out", tmp_path / "story.zip")
    unpack(tmp_path / "story.zip", tmp_path / "again")
    (shot,) = read_story(Project(tmp_path / "again").story().script)
    assert (shot.setting, shot.own.rpartition("/")[2]) == ("Zogwald", "Zogwald.SVG")


@pytest.mark.parametrize(
    ("told", "said"),
    [
        ("forest.png: {horizon: 2}", "horizon is 2; it must be from 0.05 to 0.9"),
        ("forest.png: {ground: true}", "ground is True; it must be from 0.1 to 0.95"),
        ("forest.png: {horizon: 0.6, ground: 0.3}", "make ground the larger"),
        ("forest.png: {like: [forest]}", "like is ..forest..; it must be a place"),
        ("forest.png: {like: zog}", "'zog'; it must be a place that can be painted"),
        ("forest.png: {time: noon}", "day, sunrise, sunset or night"),
        ("forest.png: {size: 3}", "is not known; say names, like, time, horizon or ground"),
        ("none.png: zog", "places.yaml tells of 'none.png', which is not there"),
    ],
)
def test_mistakes_in_the_list_are_said(home, told, said):
    (home / "places" / "places.yaml").write_text(told)
    with pytest.raises(ThingError, match=said):
        settings(home, "A forest")


def test_a_picture_that_cannot_be_used_is_said_where_a_line_goes_there(home):
    for name, content in (("ruin.png", b"no picture"), ("strip.svg", SVG.replace("0 0 9 9", "0 0 90 9").encode())):
        (home / "places" / name).write_bytes(content)
    assert settings(home, "A fox at the old mill") == [MILL]
    with pytest.raises(ImageError, match=r"ruin\.png"):
        settings(home, "A fox at the ruin")
    with pytest.raises(ThingError, match=r"strip\.svg is 90 × 9, over 5 times as long"):
        settings(home, "A fox at the strip")
