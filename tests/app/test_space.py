"""The app as a Space starts it, on a GPU that is lent in forks, and in a container."""

import json
import os
import re
import shlex
import subprocess
import sys
import tomllib

import gradio
import pytest
import yaml
from PIL import Image, ImageChops
from playwright.sync_api import expect

from anystory.backends.base import BACKENDS, BackendError, Locator, Request
from anystory.backends.load import load
from anystory.cast.segment import Segmenter
from anystory.cli.arguments import DELEGATED
from anystory.story.model import Prompt
from tests.app.steps import PATIENCE, ROOT, few_steps, frames, settle, tracebacks, upload, write
from ui import space
from ui.serve import arguments, limits, run
from ui.strings import told


@pytest.fixture
def fern():
    return Segmenter().subject("Fern", ROOT / "assets" / "example" / "fern.png")


def test_a_borrowed_gpu_makes_the_same_frame_and_says_what_is_wrong(tiny_backend, fern, monkeypatch):
    monkeypatch.setattr(space, "_backends", {"mini": tiny_backend})
    borrowed = space.Borrowing("mini", tiny_backend)
    settings = tiny_backend.about.defaults.__class__(size=64, steps=2)
    prompt = Prompt("Fern on the beach", ((0, 4),))

    def frame(backend, cast):
        return list(backend.denoise(Request(prompt, ("Fern",), cast, settings, 7)))[-1].frame

    own, lent = frame(tiny_backend, [tiny_backend.encode(fern)]), frame(borrowed, [borrowed.encode(fern)])
    assert ImageChops.difference(own.image, lent.image).getbbox() is None
    assert (own.maps.values == lent.maps.values).all()
    with pytest.raises(BackendError, match="at most") as refused:
        list(borrowed.denoise(Request(prompt, ("Fern",) * 9, [fern] * 9, settings, 7)))
    assert "tiene 9" in told("es", refused.value.said), "a fork keeps the Message"


def test_a_borrowed_gpu_looks_for_characters_where_the_backend_can(tiny_backend, fern, monkeypatch):
    monkeypatch.setattr(space, "_backends", {})
    monkeypatch.setattr(space, "spaces", space)  # as if the package were here
    monkeypatch.setattr(space, "is_zero_gpu_space", lambda: True)
    borrowed = space.borrowing("mini", lambda: tiny_backend)()
    assert isinstance(borrowed, Locator)
    picture = fern.image.resize((64, 64))
    own = tiny_backend.locate(picture, ["Fern"], [tiny_backend.encode(fern)])
    lent = borrowed.locate(picture, ["Fern"], [borrowed.encode(fern)])
    assert own.names == lent.names and (own.values == lent.values).all()
    with pytest.raises(BackendError, match="At most"):
        borrowed.locate(picture, [f"Fern {k}" for k in range(9)], [fern] * 9)


def test_no_gpu_is_a_sentence_without_links(tiny_backend, monkeypatch):
    def refused(*args):
        raise gradio.Error('No minutes left. <a href="https://example.org">Subscribe</a>')
        yield

    monkeypatch.setattr(space, "_denoise", refused)
    with pytest.raises(BackendError, match=r"^No minutes left\. Subscribe$"):
        list(
            space.Borrowing("mini", tiny_backend).denoise(
                Request(Prompt("a fox"), (), (), tiny_backend.about.defaults, 0)
            )
        )


def test_a_panel_is_asked_for_as_long_as_its_steps(tiny_backend, monkeypatch):
    monkeypatch.setattr(space, "_backends", {"mini": tiny_backend})
    start, step = space.SMALL

    def asked(steps, size):
        settings = tiny_backend.about.defaults.__class__(steps=steps, size=size)
        return space.seconds("mini", Request(Prompt("a fox"), (), (), settings, 0))

    size = tiny_backend.about.defaults.size
    assert asked(10, size) == round(start + 10 * step)
    assert asked(50, size) - asked(10, size) == 40 * step
    assert asked(10, 2 * size.width) == round(start + 4 * 10 * step)
    assert asked(1, size) <= space.locating_seconds("mini", None, (), ()) <= asked(10, size)


def test_the_backend_is_the_one_asked_for_or_what_the_space_offers(monkeypatch):
    monkeypatch.delenv("SPACE_ID", raising=False)
    monkeypatch.delenv("ANYSTORY_BACKEND", raising=False)
    assert space.chosen_backend(None) == BACKENDS[0]
    monkeypatch.setenv("SPACE_ID", "me/story")
    assert space.chosen_backend(None) == "storybook"  # there is no GPU here, or no licence accepted
    monkeypatch.setenv("ANYSTORY_BACKEND", "flux")
    assert space.chosen_backend(None) == "flux"
    assert space.chosen_backend("mini") == "mini"
    assert space.chosen_backend(None, ROOT) == "flux"  # whose folder it is said to be
    monkeypatch.setenv("ANYSTORY_BACKEND", "storybook")
    assert space.chosen_backend(None, ROOT) == "mini" and space.chosen_backend("storybook", ROOT) == "storybook"


def test_storybook_borrows_no_gpu(monkeypatch):
    monkeypatch.setattr(space, "_backends", {})
    monkeypatch.setattr(space, "spaces", space)  # as if the package were here
    monkeypatch.setattr(space, "is_zero_gpu_space", lambda: True)
    loaded = load("storybook")
    assert space.borrowing("storybook", lambda: loaded)() is loaded


def test_a_backend_that_is_none_is_one_sentence(monkeypatch, capsys):
    monkeypatch.setenv("ANYSTORY_BACKEND", "dream")
    assert run([]) == 2
    said = "ANYSTORY_BACKEND is 'dream'; it must be one of: storybook, mini, klein, flux.\n"
    assert capsys.readouterr().err == f"anystory app: {said}"


def test_a_space_listens_to_all_and_limits_visitors(monkeypatch):
    monkeypatch.setenv("GRADIO_SERVER_NAME", "0.0.0.0")
    assert arguments([]).host == "0.0.0.0" and limits(arguments([])).panels is None
    monkeypatch.setenv("SPACE_ID", "me/story")
    assert limits(arguments([])).panels == 24


def test_the_readme_tells_a_space_what_it_needs():
    said = yaml.safe_load((ROOT / "README.md").read_text(encoding="utf-8").split("---\n")[1])
    assert said["sdk"] == "gradio" and said["sdk_version"] == gradio.__version__
    assert (ROOT / said["app_file"]).is_file()
    minor = said["python_version"].rpartition(".")[0]
    assert f"python{minor}" in (ROOT / ".ci" / "zerogpu").read_text(encoding="utf-8")
    assert len(said["short_description"]) <= 60  # more is refused by the Hub


def test_the_container_copies_what_there_is_and_starts_the_app():
    lines = (ROOT / "Dockerfile").read_text(encoding="utf-8").replace("\\\n", " ").splitlines()
    steps = [line.split(maxsplit=1) for line in lines if line and not line.startswith("#")]
    copied = {name for word, rest in steps if word == "COPY" for name in shlex.split(rest)[:-1] if name[:2] != "--"}
    assert [name for name in copied if not (ROOT / name).exists()] == []
    ignored = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    assert copied & set(ignored) == set()
    # What the wheel is built of (tests/test_wheel.py builds it of the same), and the command that it brings.
    assert copied == {"pyproject.toml", "setup.py", "LICENSE", "README.md", "assets", "anystory", "ui"}
    settings = dict(pair.split("=") for word, rest in steps if word == "ENV" for pair in shlex.split(rest))
    start = json.loads(next(rest for word, rest in steps if word == "ENTRYPOINT"))
    command, name = start
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert command in project["scripts"] and name in DELEGATED
    assert ["EXPOSE", settings["GRADIO_SERVER_PORT"]] in steps
    order = [word for word, _ in steps]
    assert order.index("USER") < order.index("ENTRYPOINT") and "HEALTHCHECK" in order


def test_a_story_on_a_space_with_zero_gpu(browser, tiny_model_folder, tmp_path):
    log, asked = tmp_path / "app.log", tmp_path / "asked.log"
    (scratch := tmp_path / "scratch").mkdir()
    environment = os.environ | {
        "SPACE_ID": "me/story",
        "SPACES_ZERO_GPU": "true",
        "GRADIO_SERVER_NAME": "0.0.0.0",
        "FAKE_SPACE_LOG": str(asked),
        "TMPDIR": str(scratch),
        "PYTHONPATH": str(ROOT / "tests" / "app" / "fake_space"),
        "OMP_NUM_THREADS": "1",
    }
    command = [sys.executable, "-u", "-m", "tests.app.tiny_app", "--model", str(tiny_model_folder), "--device", "cpu"]
    with log.open("w") as errors:
        app = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=errors, text=True)
    try:
        started = next((line for line in iter(app.stdout.readline, "") if "Running on" in line), None)
        assert started is not None, log.read_text()
        port = re.search(r"http://0\.0\.0\.0:(\d+)", started)[1]
        page = browser.new_page()
        page.set_default_timeout(PATIENCE)
        page.goto(f"http://127.0.0.1:{port}")
        expect(page.locator(".model.ready")).to_be_visible()
        Image.new("L", (5000, 4000)).save(large := tmp_path / "large.png")
        upload(page, large)
        expect(page.locator("#taken")).to_contain_text("large.png has 20 million pixels")
        upload(page, ROOT / "assets" / "example" / "fern.png")
        expect(page.locator("#actors [role=listitem]")).to_have_count(1)
        write(page, "\n".join(["Fern walks"] * 25))
        expect(page.locator("#gallery li.open")).to_have_count(25)
        page.locator("#render").click()
        expect(page.locator("#refused .notice")).to_contain_text("at most 24 panels")
        write(page, "Fern walks on the beach\nFern in the forest")
        few_steps(page, 2)
        page.locator("#render").click()
        expect(frames(page)).to_have_count(2)
        settle(page)
        page.close()
        assert list(scratch.glob("anystory-*/*"))
    finally:
        app.terminate()
        app.wait()
    seconds = round(space.SMALL[0] + 2 * space.SMALL[1])
    assert asked.read_text().splitlines() == [f"{seconds} seconds from process {app.pid}"] * 2
    assert tracebacks(log) == []
    assert app.returncode == 0 and [path for path in scratch.rglob("*") if path.is_file()] == []
