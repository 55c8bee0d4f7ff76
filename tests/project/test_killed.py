"""A kill between any two files that are written: every frame that was there before is there after it, in its place or
in its panel's history."""

import errno
import os
import shutil
from dataclasses import replace
from itertools import count

import pytest

from anystory.project.folder import Project, frame_file
from anystory.story.model import BACKGROUND, Panel
from tests.solid.kills import there
from tests.stories import PANELS, frame, rendered, story


class Killed(BaseException):
    """In the place of a SIGKILL, after which nothing tidies up."""


def killed_at(folder, number, monkeypatch, do):
    """Let `do` work on a folder until a name in it is changed for the `number`th time; whether it came so far."""
    left = count(1)

    def until_then(change):
        def changed(*names, **how):
            if next(left) == number:
                raise Killed
            return change(*names, **how)

        return changed

    with monkeypatch.context() as patched:
        for name in ("replace", "link", "unlink"):
            patched.setattr(os, name, until_then(getattr(os, name)))
        try:
            do()
        except Killed:
            return True
    return False


def no_links(*names, **how):
    raise OSError(errno.ENOTSUP, os.strerror(errno.ENOTSUP))


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
        assert there(folder) >= before, f"killed at change {number}"
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


@pytest.mark.parametrize("links", [True, False])
def test_a_kill_while_frames_go_to_other_panels_leaves_each_of_them_with_its_own(tmp_path, monkeypatch, links):
    good, folder = tmp_path / "good", tmp_path / "folder"
    made = story()
    project = rendered(good, made)
    project.pin(2)
    project.keep(1, frame(("Fox",), seed=5), "b" * 32, "", made.settings)
    before = there(good)
    turned = replace(made, script=replace(made.script, panels=(*PANELS[1:], PANELS[0])))
    names = [(*panel.cast, BACKGROUND) for panel in turned.script.panels]
    if not links:
        monkeypatch.setattr(os, "link", no_links)

    def work():
        Project(folder).begin(turned, ["key1", "key2", "key0"], names, "mini", "1.0")

    for number in count(1):
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(good, folder)
        went_on = killed_at(folder, number, monkeypatch, work)
        assert there(folder) == before and Project(folder).unreadable() == {}, f"killed at change {number}"
        assert len(Project(folder).entries) == len(PANELS)
        if not went_on:
            break
        Project(folder).begin(turned, ["key1", "key2", "key0"], names, "mini", "1.0")
        assert [entry.image for entry in Project(folder).entries.values()] == [frame_file(n) for n in (1, 2, 3)]
        assert there(folder) == before
    assert number > 10 and len([*(folder / "history").iterdir()]) == 2, "what was set aside is gone"
