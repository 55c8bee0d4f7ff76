"""The page's parts without a browser: cast, script, HTML, and renders into a visitor's folder."""

import json
import zipfile
from contextlib import closing
from dataclasses import replace

import pytest
from PIL import Image

from anystory.backend import ASSETS, BackendError
from anystory.overlay import colour
from anystory.script import load_script, parse_script
from anystory.segment import Segmenter
from anystory.story import Panel
from ui import cast, html, script
from ui.studio import Job, Studio, story_file

EXAMPLE = ASSETS / "example"


@pytest.fixture(scope="module")
def actors():
    paths = [EXAMPLE / "bruno.png", EXAMPLE / "fern.png"]
    added, refused = cast.add((), paths, (), Segmenter())
    assert refused == []
    return added


@pytest.fixture
def studio(tiny_backend):
    return Studio(lambda: tiny_backend)


def job(studio, actors, text, **changes):
    subjects = cast.subjects(actors, [""] * cast.MAX_CAST, [""] * cast.MAX_CAST)
    asked = {"seed": 0, "steps": 2, "guidance": 1.0, **changes}
    return Job(script.read(text, "A day out", "", subjects).script, subjects, studio.visit(), **asked)


def last(moments):
    return list(moments)[-1]


# Cast


@pytest.mark.parametrize(
    ("file", "taken", "name"),
    [
        ("mia.png", [], "Mia"),
        ("my_big-fox (2).JPG", [], "My big fox 2"),
        ("mia.png", ["MIA"], "Mia 2"),
        ("mia.png", ["Mia", "Mia 2"], "Mia 3"),
        ("___.png", [], "Character"),
        ("狐.png", [], "狐"),
    ],
)
def test_a_name_comes_from_the_file(file, taken, name):
    assert cast.name_from_file(file, taken) == name


def test_a_picture_that_cannot_be_used_is_one_sentence_and_the_others_stay(tmp_path, actors):
    broken = tmp_path / "broken.png"
    broken.write_bytes(b"\x89PNG\r\n\x1a\nnot a picture")
    flat = tmp_path / "flat.png"
    Image.new("RGBA", (64, 64), (0, 0, 0, 0)).save(flat)
    now, refused = cast.add(actors, [broken, EXAMPLE / "pip.png", flat], ["Bruno", "Fern"], Segmenter())
    assert [actor.subject.name for actor in now] == ["Bruno", "Fern", "Pip"]
    assert len(refused) == 2
    assert refused[0].startswith("broken.png")


def test_a_full_cast_says_so(actors):
    full = (actors * cast.MAX_CAST)[: cast.MAX_CAST]
    now, refused = cast.add(full, [EXAMPLE / "pip.png"], [], Segmenter())
    assert now == full
    assert "pip.png" in refused[0] and str(cast.MAX_CAST) in refused[0]


def test_text_boxes_name_the_cast_and_an_empty_one_keeps_the_files_name(actors):
    called = cast.subjects(actors, [" Bär ", ""], ["a bear ", ""])
    assert [(s.name, s.description) for s in called] == [("Bär", "a bear"), ("Fern", "")]


def test_new_rows_leave_what_is_typed_in_the_others(actors):
    values = cast.show(actors, ["", "Fern"], ["", ""], first=1)
    rows = cast.MAX_CAST
    state, shown = values[0], values[1 : 1 + rows]
    names = values[1 + 2 * rows : 1 + 3 * rows]
    assert state == actors
    assert [row.visible for row in shown] == [True, True] + [False] * (rows - 2)
    assert names[0] == {"__type__": "update"} and names[1] == "Fern"


# Script


def test_feedback_says_who_is_in_each_panel_in_their_colours(actors):
    subjects = cast.subjects(actors, ["", ""], ["", ""])
    page = script.feedback("Fern meets Bruno\n[NC] the sea", subjects)
    first, second = page.split("<li>")[1:]
    assert first.index("Bruno</span>") < first.index("Fern</span>")
    assert colour(0) in first and colour(1) in first
    assert "nobody" in second
    assert "notice" not in page


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("Bruno\n\n[Brumo] walks", "Line 3:"),
        ("cast: Tom, a cat\n\nTom and Bruno", "Tom is in panel 1 but has no picture"),
        ("Bruno # only a caption\n# remark\n#x", ""),
    ],
)
def test_feedback_names_the_line_or_the_panel(actors, text, says):
    page = script.feedback(text, cast.subjects(actors, ["", ""], ["", ""]))
    assert says in page
    assert ("notice" in page) == bool(says)


def test_two_characters_of_one_name_are_an_error(actors):
    reading = script.read("Bruno walks", "", "", cast.subjects(actors, ["Bruno", "bruno"], ["", ""]))
    assert reading.script is None
    assert "Bruno" in reading.errors[0] or "bruno" in reading.errors[0]


def test_a_crowd_is_pointed_out(actors):
    subjects = cast.subjects(actors, ["", ""], ["", ""])
    assert "trained for 1" in script.feedback("Bruno and Fern", subjects, most=1)
    assert "trained for" not in script.feedback("Bruno and Fern", subjects, most=2)


def test_title_and_style_boxes_win_over_the_text(actors):
    text = "title: One\nstyle: ink\n\nBruno walks"
    subjects = cast.subjects(actors, ["", ""], ["", ""])
    assert script.read(text, "", "", subjects).script.title == "One"
    read = script.read(text, "Two", "oil", subjects).script
    assert (read.title, read.style) == ("Two", "oil")


def test_the_example_survives_the_text_box():
    story = load_script(EXAMPLE / "story.yaml")
    assert len(story.panels) == 4
    assert parse_script(script.lines(story), cast=story.cast).panels == story.panels
    assert {name for panel in story.panels for name in panel.cast} == {member.name for member in story.cast}


# HTML


def test_nothing_typed_becomes_markup(actors):
    evil = "<img src=x onerror=alert(1)>"
    subjects = cast.subjects(actors, [evil, ""], ["", ""])
    panel = Panel(evil, (evil,), caption=evil)
    names = [subject.name for subject in subjects]
    for page in (
        html.reading([panel], names, [evil]),
        html.opened(1, panel, [evil], names, 0),
        html.progress(evil, evil, 0.5),
        html.model("missing", evil),
    ):
        assert "<img src=x" not in page
        assert "&lt;img" in page


# Renders


def test_a_render_tells_every_step_and_fills_the_frames(studio, actors):
    asked = job(studio, actors, "Bruno walks\nBruno and Fern # Hello")
    moments = list(studio.render(asked))
    assert [(m.number, m.index) for m in moments] == [(1, 1), (1, 2), (2, 1), (2, 2)]
    assert [len(m.shown) for m in moments] == [0, 1, 1, 2]
    assert [m.fresh.number if m.fresh else None for m in moments] == [None, 1, None, 2]
    assert moments[-1].shown[1].panel.caption == "Hello"
    assert moments[-1].shown[1].frame.maps.names == ("Bruno", "Fern", "background")


def test_a_stop_keeps_what_is_finished_and_the_next_render_goes_on(studio, actors):
    asked = job(studio, actors, "Bruno walks\nBruno and Fern\nFern sleeps")
    with closing(studio.render(asked)) as running:
        stopped = next(moment for moment in running if moment.fresh)
    assert [item.number for item in stopped.shown] == [1]
    picture = stopped.shown[0].frame.image.tobytes()
    assert Image.open(stopped.shown[0].file).tobytes() == picture

    again = list(studio.render(asked, stopped.shown))
    assert len(again[0].shown) == 1
    assert again[0].fresh.number == 1 and again[1].index == 1, "the first panel must not be made twice"
    assert again[-1].shown[0].frame.image.tobytes() == picture
    assert [item.number for item in again[-1].shown] == [1, 2, 3]


def test_only_the_changed_panel_is_made_again_and_another_take_differs(studio, actors):
    asked = job(studio, actors, "Bruno walks\nFern sleeps")
    before = last(studio.render(asked)).shown
    taken = list(studio.render(asked.take(2, 99), before))
    assert [(m.number, m.index) for m in taken] == [(1, 2), (2, 1), (2, 2)]
    after = taken[-1].shown
    assert after[0].frame.image.tobytes() == before[0].frame.image.tobytes()
    assert after[1].frame.image.tobytes() != before[1].frame.image.tobytes()
    assert after[1].frame.seed == 99


def test_frames_of_lines_that_changed_are_not_shown_for_the_new_ones(studio, actors):
    asked = job(studio, actors, "Bruno walks\nFern sleeps\nFern eats")
    before = last(studio.render(asked)).shown
    changed = replace(asked, script=replace(asked.script, panels=(asked.script.panels[0], Panel("the sea"))))
    first = next(iter(studio.render(changed, before)))
    assert [item.number for item in first.shown] == [1]
    assert first.shown[0].job == changed


def test_the_zip_holds_the_whole_project(studio, actors):
    shown = last(studio.render(job(studio, actors, "Bruno walks\nFern sleeps"))).shown
    file = story_file(shown[0].job)
    assert file.name == "a-day-out.zip"
    with zipfile.ZipFile(file) as archive:
        names = set(archive.namelist())
        assert json.loads(archive.read("story.json"))["script"]["title"] == "A day out"
    frames = {f"frames/{n:03d}{end}" for n in (1, 2) for end in (".png", "-maps.npz")}
    assert names == {"story.json", "subjects/bruno.png", "subjects/fern.png", *frames}


def test_a_visitor_who_leaves_takes_the_folder_along_but_not_what_is_kept(tiny_backend, actors, tmp_path):
    studio = Studio(lambda: tiny_backend, tmp_path / "kept")
    asked = job(studio, actors, "Bruno walks")
    last(studio.render(asked))
    Studio.leave(asked.visit)
    assert not asked.visit.files.exists()
    assert (asked.visit.story / "frames" / "001.png").exists()
    temporary = Studio(lambda: tiny_backend).visit()
    assert temporary.story.parent == temporary.files


def test_a_model_that_is_not_there_is_an_error_when_it_is_needed(actors):
    def load():
        raise BackendError("There is no model.")

    studio = Studio(load)
    assert studio.most is None
    with pytest.raises(BackendError, match="There is no model"):
        list(studio.render(job(studio, actors, "Bruno walks")))
