"""A kill between any two files that are written: every frame that was there before is there after it, in its place or
in its panel's history."""

import os
import shutil
from dataclasses import replace
from itertools import count

import pytest

from anystory.project.folder import Project
from anystory.story.model import BACKGROUND, Panel
from tests.solid.kills import there
from tests.stories import PANELS, frame, rendered, story


class Killed(BaseException):
    """In the place of a SIGKILL, after which nothing tidies up."""


def killed_at(folder, number, monkeypatch, do):
    """Let `do` work on a folder until its `number`th rename; whether it came so far."""
    left, rename = count(1), os.replace

    def renamed(one, other):
        if next(left) == number:
            raise Killed
        rename(one, other)

    with monkeypatch.context() as patched:
        patched.setattr(os, "replace", renamed)
        try:
            do()
        except Killed:
            return True
    return False


@pytest.mark.parametrize("how", ["save", "restore"])
def test_a_kill_over_a_frame_that_takes_anothers_place_loses_neither(tmp_path, monkeypatch, how):
    good, folder = tmp_path / "good", tmp_path / "folder"
    made = story()
    project = rendered(good, made)
    project.keep(1, frame(("Fox",), seed=5), "b" * 32, "", made.settings)
    before = there(good)

    def work():
        project = Project(folder)
        if how == "save":
            project.save(1, frame(("Fox",), seed=9), "c" * 32, "", made.settings)
        else:
            project.restore(1, "b" * 32)

    for number in count(1):
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(good, folder)
        went_on = killed_at(folder, number, monkeypatch, work)
        assert there(folder) >= before, f"killed at rename {number}"
        if not went_on:
            break
    assert number > 4


def test_a_kill_over_a_story_that_has_changed_leaves_it_open_and_what_went_in_its_history(tmp_path, monkeypatch):
    good, folder = tmp_path / "good", tmp_path / "folder"
    made = story()
    rendered(good, made)
    before = there(good)
    changed = replace(made, script=replace(made.script, panels=(*PANELS[:2], Panel("Fox sees the sea", ("Fox",)))))

    def work():
        names = [(*panel.cast, BACKGROUND) for panel in changed.script.panels]
        Project(folder).begin(changed, ["key0", "key1", "other"], names, "mini", "1.0")

    for number in count(1):
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(good, folder)
        went_on = killed_at(folder, number, monkeypatch, work)
        assert Project(folder).story() and there(folder) >= {each for each in before if each[0] != 3}
        if not went_on:
            break
    assert there(folder) >= before, "the panel that is gone is in its history"
