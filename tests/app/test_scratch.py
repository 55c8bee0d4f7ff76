"""An app removes the temporary folders that apps have left which are no more, and nothing of anybody's."""

import os
import shutil
import subprocess
import sys
import tempfile

import pytest

from ui.scratch import MARKER, Scratch, forget


@pytest.fixture(autouse=True)
def temporary(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))


def crashed(tmp_path):
    """The folder of an app that was killed."""
    code = (
        "import os, signal, tempfile; from ui.scratch import Scratch\n"
        f"tempfile.tempdir = {str(tmp_path)!r}; one = Scratch(); print(one.path, flush=True)\n"
        "os.kill(os.getpid(), signal.SIGKILL)"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    return tmp_path / os.path.basename(said.stdout.strip())


def test_a_project_that_is_called_like_ours_stays(tmp_path):
    for name in ("anystory-story", "anystory-empty", "other"):
        (tmp_path / name / "frames").mkdir(parents=True)
        (tmp_path / name / "story.json").write_text("{}")
        for path in (*(tmp_path / name).rglob("*"), tmp_path / name):
            os.utime(path, (0, 0))
    forget(tmp_path)
    assert len(list(tmp_path.rglob("story.json"))) == 3


@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL")
def test_what_a_killed_app_left_is_removed_but_no_copy_and_nothing_behind_a_link(tmp_path):
    left = crashed(tmp_path)
    (left / "visit").mkdir()
    shutil.copytree(left, tmp_path / "anystory-copy")
    (tmp_path / "anystory-link").symlink_to(tmp_path / "anystory-copy")
    forget(tmp_path)
    assert not left.exists()
    assert (tmp_path / "anystory-copy" / "visit").is_dir() and (tmp_path / "anystory-link").is_symlink()


@pytest.mark.parametrize("when", [0, 2**33])
def test_a_running_app_keeps_its_folder_whatever_the_clock_says(tmp_path, when):
    with Scratch() as one:
        (one.path / "visit").mkdir()
        for path in (*one.path.rglob("*"), one.path):
            os.utime(path, (when, when))
        code = f"from pathlib import Path; from ui.scratch import forget; forget(Path({str(tmp_path)!r}))"
        subprocess.run([sys.executable, "-c", code], check=True)
        forget(tmp_path)
        assert (one.path / "visit").is_dir() and (one.path / MARKER).is_file()
    assert not one.path.exists()
