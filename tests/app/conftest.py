"""The app's fixtures: Chromium on the real page, a real tiny model behind it; one of each serves all files."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
from contextlib import contextmanager

import pytest
from PIL import Image
from playwright.sync_api import expect, sync_playwright

from tests.app.steps import EXAMPLE, PATIENCE, ROOT, tracebacks
from ui.app import build, launch
from ui.studio import Studio

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")

ARGUMENTS = ["--no-sandbox", "--disable-gpu"]

expect.set_options(timeout=PATIENCE)


def pytest_collection_modifyitems(items):
    """A browser on a busy machine may lose a click to a page that is still being built: what fails twice is wrong."""
    for item in items:
        if "chromium" in item.fixturenames:
            item.add_marker(pytest.mark.flaky(reruns=1))


@pytest.fixture(scope="session")
def out(tmp_path_factory):
    return tmp_path_factory.mktemp("out")


@contextmanager
def serving(command, log, env=None):
    """The address of an app that `command` starts, given a port; it logs no traceback."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with log.open("w") as errors:
        app = subprocess.Popen(
            [*command, "--port", str(port)], cwd=ROOT, env=env, stdout=subprocess.PIPE, stderr=errors, text=True
        )
    try:
        said = iter(app.stdout.readline, "")
        assert any("Running on local URL" in line for line in said), log.read_text()
        yield f"http://127.0.0.1:{port}"
    finally:
        app.terminate()
        app.wait()
    assert tracebacks(log) == []


@pytest.fixture(scope="session")
def address(tiny_model_folder, out, tmp_path_factory):
    """The address of the app with a tiny model."""
    command = [sys.executable, "-u", "-m", "tests.app.tiny_app", "--model", str(tiny_model_folder)]
    command += ["--device", "cpu", "--out", str(out)]
    # No segmentation model but the supplied one, and no way to fetch another: nothing listens on port 9.
    alone = {"REMBG_HOME": str(out / "rembg"), "HTTPS_PROXY": "http://127.0.0.1:9", "NO_PROXY": "127.0.0.1,localhost"}
    with serving(command, tmp_path_factory.mktemp("log") / "app.log", os.environ | alone) as address:
        yield address


@pytest.fixture(scope="session")
def storybook(tmp_path_factory):
    """The address of the app as `python app.py` starts it."""
    command = [sys.executable, "-u", "app.py", "--out", str(tmp_path_factory.mktemp("out"))]
    with serving(command, tmp_path_factory.mktemp("log") / "app.log") as address:
        yield address


@pytest.fixture(scope="session")
def chromium():
    """Playwright's way to start Chromium; there can be one in a process."""
    if CHROMIUM is None:
        pytest.skip("no Chromium: apt-get install chromium")
    with sync_playwright() as playwright:
        yield playwright.chromium


@pytest.fixture(scope="session")
def browser(chromium):
    browser = chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
    yield browser
    browser.close()


@pytest.fixture
def page(browser, address):
    """A fresh visitor of the app with a tiny model."""
    with visiting(browser, address) as page:
        yield page


@pytest.fixture
def story_page(browser, storybook):
    """A fresh visitor of the app with storybook."""
    with visiting(browser, storybook) as page:
        yield page


@contextmanager
def visiting(browser, address):
    """A page that may ask no other host and log no error, whatever the test does."""
    context = browser.new_context(viewport={"width": 1360, "height": 950}, accept_downloads=True)
    page, asked, wrong = context.new_page(), [], []
    page.set_default_timeout(PATIENCE)
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: wrong.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.goto(address)
    expect(page.locator(".model.ready")).to_be_visible()
    expect(page.locator(".story")).to_be_visible()
    yield page
    context.close()
    assert [url for url in asked if not url.startswith((address, "data:", "blob:"))] == []
    assert wrong == []


@pytest.fixture(scope="session")
def photo(tmp_path_factory):
    """A character on a background, as a camera gives it: no transparency."""
    picture = Image.linear_gradient("L").resize((320, 320)).convert("RGB")
    bear = Image.open(EXAMPLE / "bruno.png").resize((240, 240))
    picture.paste(bear, (40, 60), bear)
    path = tmp_path_factory.mktemp("photo") / "big_bear.jpg"
    picture.save(path, quality=95)
    return path


@pytest.fixture
def served(tiny_backend, monkeypatch):
    """Starts the app, with a studio of its own or with mini, and options of `launch`; gives its address."""
    pages = []

    def start(studio=None, **how):
        studio = studio or Studio({"mini": lambda: tiny_backend})
        pages.append(page := build(studio))
        monkeypatch.setattr(page, "block_thread", lambda: None)  # the tests go on beside it
        launch(page, studio, **{"host": "127.0.0.1", "port": None, "share": False, "auth": None, **how})
        return page.local_url

    yield start
    for page in pages:
        page.close()
