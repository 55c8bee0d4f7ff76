"""The drawing that stands for who is only described: chosen from four, kept in the story, used in every panel."""

from dataclasses import replace

import pytest

from anystory.api import load_story, render_story
from anystory.backends.storybook import StorybookBackend
from anystory.project.drafts import draft_of, load_draft, save_draft
from anystory.project.folder import Project
from anystory.render.session import RenderError
from anystory.script.form import ScriptError
from anystory.script.lint import lint
from anystory.script.read import parse_script
from anystory.script.write import dump_script
from anystory.sketch.likeness import choices, library_cast
from anystory.story.model import LIBRARY

TEXT = "cast: Bo, a big bear\ndrawing: polar bear\n\nBo walks in the forest\nDrawing: Bo at home\nBo sleeps\n"


def test_a_choice_is_read_from_text_and_from_data_and_written_again():
    script = parse_script(TEXT)
    assert script.cast[0].drawing == "polar bear"
    assert len(script.panels) == 3  # "Drawing: …" after the first panel is one
    assert parse_script(dump_script(script)) == script
    data = {"cast": [{"name": "Bo", "description": "a bear", "drawing": "polar bear"}], "panels": ["Bo"]}
    assert parse_script(data).cast[0].drawing == "polar bear"


def test_a_drawing_that_is_none_is_said(tmp_path):
    backend = StorybookBackend()
    text = "cast: Bo, a bear\ndrawing: polar baer\n\nBo\n"
    (finding,) = (one for one in lint(text, backend=backend) if one.code == "no-picture")
    assert finding.severity == "error" and "polar bear" in finding.message
    with pytest.raises(RenderError, match=r"polar baer.*did you mean 'polar bear'"):
        list(render_story(load_story(parse_script(text), backend), backend))
    with pytest.raises(ScriptError, match="given twice"):
        parse_script("cast: Bo, a bear\ndrawing: bear\ndrawing: panda\n\nBo\n")


def test_there_are_four_to_choose_from_and_the_chosen_one_stands_for_the_member():
    offered = choices("a big bear")
    assert offered[0] == "bear" and len(offered) == 4 == len(set(offered))
    script = parse_script(TEXT)
    assert library_cast(script)["Bo"].drawing.concept == "polar bear"
    assert choices("") == []


def test_it_is_the_same_in_every_panel_in_the_folder_and_in_the_draft(tmp_path):
    backend = StorybookBackend()
    story = load_story(parse_script(TEXT), backend)
    story = replace(story, settings=replace(story.settings, size=64))
    list(render_story(story, backend, tmp_path))
    kept = Project(tmp_path).story()
    assert kept.script.cast[0].drawing == "polar bear"
    assert [subject.drawn for subject in kept.subjects] == [f"{LIBRARY}polar bear"]
    save_draft(tmp_path, draft_of(kept))
    assert load_draft(tmp_path).cast[0].drawing == "polar bear"
