"""The package installed from a wheel, used from an empty folder: nothing of the checkout is in reach."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
import urllib.request
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def run(*command, cwd, **more):
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, **more)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """Built offline from links to what the repository holds, so that nothing is written beside it."""
    source, out = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("wheel")
    for name in ("anystory", "ui", "assets", "pyproject.toml", "setup.py", "README.md", "LICENSE"):
        (source / name).symlink_to(ROOT / name)
    options = {"--build-option": ["--compression=stored"]}  # packing 155 MB takes longer than all the rest
    program = f"from setuptools import build_meta; build_meta.build_wheel({str(out)!r}, {options})"
    run(sys.executable, "-c", program, cwd=source)
    return next(out.glob("anystory-*.whl"))


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory):
    """The folder it is installed into, with `bin/anystory`."""
    folder = tmp_path_factory.mktemp("installed")
    options = ("--quiet", "--no-deps", "--no-index", "--no-compile", "--disable-pip-version-check")
    run(sys.executable, "-m", "pip", "install", *options, "--target", str(folder), str(wheel), cwd=folder)
    wheel.unlink()
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def anystory(installed, tmp_path):
    """The command as a list of words, its environment and an empty folder to run it in."""
    environment = os.environ | {"PYTHONPATH": str(installed), "HOME": str(tmp_path / "home")}
    (tmp_path / "empty").mkdir()
    return [sys.executable, str(installed / "bin" / "anystory")], environment, tmp_path / "empty"


def test_the_wheel_holds_every_file_that_is_no_source_of_an_asset(installed):
    kept = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    made = re.compile(r"assets/.*\.py|assets/mini/[^/]*\.(png|webp)")
    wanted = {
        re.sub("^assets/", "anystory/assets/", name)
        for name in kept.split("\0")
        if name.startswith(("anystory/", "ui/", "assets/")) and not made.fullmatch(name) and (ROOT / name).is_file()
    }
    assert {name for name in wanted if not (installed / name).is_file()} == set()
    top = {path.name for path in installed.iterdir() if not path.name.endswith(".dist-info")}
    assert top == {"anystory", "ui", "bin"}


def test_the_example_is_checked_and_rendered_from_an_empty_folder(anystory, installed):
    command, environment, folder = anystory
    example = str(installed / "anystory" / "assets" / "example" / "story.yaml")
    where = run(sys.executable, "-c", "import anystory; print(anystory.__file__)", cwd=folder, env=environment)
    assert Path(where.strip()) == installed / "anystory" / "__init__.py"
    run(*command, "check", example, cwd=folder, env=environment)
    run(*command, "render", example, "--out", "out", "--panels", "1,2", cwd=folder, env=environment)
    frames = json.loads((folder / "out" / "story.json").read_text(encoding="utf-8"))
    assert frames and {path.name for path in (folder / "out" / "frames").glob("*.png")} >= {"001.png", "002.png"}


def test_the_app_serves_its_page_from_an_empty_folder(anystory):
    command, environment, folder = anystory
    environment |= {"GRADIO_ANALYTICS_ENABLED": "False", "PYTHONUNBUFFERED": "1"}
    app = subprocess.Popen(
        [*command, "app"], cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    try:
        said = []
        for line in app.stdout:
            said.append(line)
            if found := re.search(r"http://127\.0\.0\.1:\d+", line):
                break
        else:
            pytest.fail("".join(said))
        with urllib.request.urlopen(found[0], timeout=60) as page:
            assert "AnyStory" in page.read().decode()
    finally:
        app.terminate()
        app.communicate()


def test_the_flat_list_of_requirements_holds_what_the_parts_do():
    """`requirements.txt` is read alone, before there is a package: a Space has only that file then."""
    lines = (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    flat = {str(Requirement(line)) for line in lines if line and not line.startswith("#")}
    parts = [*PROJECT["dependencies"], *(one for extra in PROJECT["optional-dependencies"].values() for one in extra)]
    assert flat == {str(needed) for needed in map(Requirement, parts) if needed.name != PROJECT["name"]}
    assert set(PROJECT["optional-dependencies"]) == {"ray", "train", "psd", "test"}
