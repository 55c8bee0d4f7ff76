"""The app as people use it: Chromium on the real page, a real tiny model behind it."""

import json
import re
import shutil
import socket
import subprocess
import sys
import urllib.error
import urllib.request
import zipfile
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import expect, sync_playwright

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = ROOT / "assets" / "example"
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
PATIENCE = 300_000
"""Milliseconds until a wait gives up: for slow machines, not a measure."""

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium: apt-get install chromium")
expect.set_options(timeout=PATIENCE)


@pytest.fixture(scope="module")
def out(tmp_path_factory):
    return tmp_path_factory.mktemp("out")


@pytest.fixture(scope="module")
def address(tiny_model_folder, out, tmp_path_factory):
    """The running app's address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    log = tmp_path_factory.mktemp("log") / "app.log"
    command = [sys.executable, "-u", "app.py", "--port", str(port), "--model", str(tiny_model_folder)]
    with log.open("w") as errors:
        app = subprocess.Popen(
            [*command, "--device", "cpu", "--out", str(out)], cwd=ROOT, stdout=subprocess.PIPE, stderr=errors, text=True
        )
    try:
        said = iter(app.stdout.readline, "")
        assert any("Running on local URL" in line for line in said), log.read_text()
        yield f"http://127.0.0.1:{port}"
    finally:
        app.terminate()
        app.wait()
    assert "Traceback" not in log.read_text(), log.read_text()


@pytest.fixture(scope="module")
def browser():
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        yield browser
        browser.close()


@pytest.fixture
def page(browser, address):
    """A fresh visitor. Whatever the test does, the page may ask no other host and log no error."""
    context = browser.new_context(viewport={"width": 1360, "height": 950}, accept_downloads=True)
    page, asked, wrong = context.new_page(), [], []
    page.set_default_timeout(PATIENCE)
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: wrong.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.goto(address)
    expect(page.locator(".model.ready")).to_be_visible()
    yield page
    context.close()
    assert [url for url in asked if not url.startswith((address, "data:", "blob:"))] == []
    assert wrong == []


@pytest.fixture(scope="module")
def photo(tmp_path_factory):
    """A character on a background, as a camera gives it: no transparency."""
    picture = Image.linear_gradient("L").resize((320, 320)).convert("RGB")
    bear = Image.open(EXAMPLE / "bruno.png").resize((240, 240))
    picture.paste(bear, (40, 60), bear)
    path = tmp_path_factory.mktemp("photo") / "big_bear.jpg"
    picture.save(path, quality=95)
    return path


def upload(page, *paths):
    page.locator("#drop input[type=file]").set_input_files([str(path) for path in paths])


def write(page, text):
    page.locator("#script textarea").fill(text)


def frames(page):
    return page.locator("#gallery .thumbnail-item")


def pictures(page):
    """The addresses of the gallery's pictures, which change with what they show."""
    return frames(page).locator("img").evaluate_all("images => images.map(image => image.src)")


def settle(page):
    """Wait for the end of a render."""
    expect(page.locator("#render")).to_be_visible()
    expect(page.locator("#progress .progress")).to_have_count(0)


def test_a_story_from_uploads_to_overlays_and_downloads(page, photo, tmp_path):
    upload(page, photo, EXAMPLE / "fern.png")
    expect(page.locator("img.cutout")).to_have_count(2)
    expect(page.locator("#actor-1 .name input")).to_have_value("Big bear")
    page.locator("#actor-1 .name input").fill("Otto")
    page.locator("#title input").fill("Test & tell")
    write(page, "Otto in the forest\nFern on the left and Otto on the right # Hello there\n[NC] the sea")
    rows = page.locator("#reading li")
    expect(rows).to_have_count(3)
    expect(rows.nth(0).locator(".chip")).to_have_text(["Otto"])
    expect(rows.nth(1).locator(".chip")).to_have_text(["Otto", "Fern"])
    expect(rows.nth(2).locator(".chip")).to_have_text(["nobody"])

    page.locator("#render").click()
    expect(frames(page)).to_have_count(3)
    settle(page)
    expect(page.locator("#gallery .caption-label").nth(1)).to_have_text("Hello there")

    frames(page).nth(1).click()
    expect(page.locator(".opened .caption")).to_have_text("Hello there")
    boxes = page.locator("#who input[type=checkbox]")
    expect(boxes).to_have_count(2)
    picture = page.locator("#frame img")
    both = picture.get_attribute("src")
    boxes.nth(0).uncheck()
    expect(picture).not_to_have_attribute("src", both)
    one = picture.get_attribute("src")
    boxes.nth(1).uncheck()
    expect(picture).not_to_have_attribute("src", one)
    plain = picture.get_attribute("src")
    boxes.nth(0).check()
    expect(picture).not_to_have_attribute("src", plain)
    tinted = picture.get_attribute("src")
    page.locator("#opacity input[type=number]").fill("90")
    page.locator("#opacity input[type=number]").blur()
    expect(picture).not_to_have_attribute("src", tinted)

    with page.expect_download() as waiting:
        page.locator("#download-frame").click()
    waiting.value.save_as(tmp_path / "frame.png")
    assert waiting.value.suggested_filename == "test-tell-002.png"
    assert Image.open(tmp_path / "frame.png").info["prompt"]
    with page.expect_download() as waiting:
        page.locator("#download-all").click()
    waiting.value.save_as(tmp_path / "story.zip")
    with zipfile.ZipFile(tmp_path / "story.zip") as archive:
        story = json.loads(archive.read("story.json"))
        assert {"frames/001.png", "frames/002-maps.npz", "subjects/otto.png"} <= set(archive.namelist())
    assert [panel["cast"] for panel in story["script"]["panels"]] == [["Otto"], ["Otto", "Fern"], []]


def test_the_example_renders_with_ctrl_enter_and_a_frame_can_be_taken_again(page):
    page.locator("#example").click()
    expect(page.locator("img.cutout")).to_have_count(4)
    expect(page.locator("#reading li")).to_have_count(4)
    page.locator("#script textarea").press("Control+Enter")
    expect(frames(page)).to_have_count(4)
    settle(page)
    expect(page.locator(".opened .number")).to_have_text("Panel 1 · seed 0")
    old = pictures(page)
    page.locator("#again").click()
    expect(page.locator(".opened .number")).not_to_have_text("Panel 1 · seed 0")
    settle(page)
    new = pictures(page)
    assert new[0] != old[0] and new[1:] == old[1:]


def test_stop_keeps_finished_frames_and_the_next_render_goes_on(page):
    upload(page, EXAMPLE / "fern.png")
    expect(page.locator("img.cutout")).to_have_count(1)
    write(page, "\n".join(f"Fern in the forest {number}" for number in range(1, 101)))
    expect(page.locator("#reading li")).to_have_count(100)
    page.locator("#render").click()
    expect(page.locator("#progress .where")).to_have_text(re.compile(r"Panel \d+ of 100 · step \d+ of \d+"))
    expect(frames(page).nth(0)).to_be_visible()
    page.locator("#stop").click()
    settle(page)
    kept = pictures(page)
    assert 1 <= len(kept) < 100
    write(page, "Fern in the forest 1\nFern in the forest 2\n[NC] the sea")
    expect(page.locator("#reading li")).to_have_count(3)
    page.locator("#render").click()
    expect(frames(page)).to_have_count(3)
    settle(page)
    assert pictures(page)[:2][: len(kept)] == kept[:2]


def test_a_bad_script_says_the_line_and_starts_nothing(page):
    upload(page, EXAMPLE / "fern.png")
    expect(page.locator("img.cutout")).to_have_count(1)
    write(page, "Fern walks\n\n[Farn] sleeps")
    expect(page.locator("#reading .notice")).to_contain_text(re.compile("Line 3: .*'Farn'"))
    page.locator("#render").click()
    upload(page, EXAMPLE / "pip.png")  # comes after whatever the refused render did
    expect(page.locator("img.cutout")).to_have_count(2)
    expect(page.locator("#reading .notice")).to_contain_text("Line 3")
    expect(page.locator("#render")).to_be_visible()
    expect(frames(page)).to_have_count(0)
    write(page, "Fern walks")
    page.locator("#render").click()
    expect(frames(page)).to_have_count(1)
    expect(page.locator("#reading .notice")).to_have_count(0)
    settle(page)

    write(page, "")
    page.locator("#render").click()
    expect(page.locator("#reading .notice")).to_contain_text("no panels")
    upload(page, EXAMPLE / "bruno.png")
    expect(page.locator("img.cutout")).to_have_count(3)
    expect(frames(page)).to_have_count(1)
    expect(page.locator("#frame img")).to_be_visible()


def test_a_refused_picture_is_a_sentence_that_stays_and_characters_can_go(page, tmp_path):
    broken = tmp_path / "broken.png"
    broken.write_bytes(b"no picture")
    upload(page, broken, EXAMPLE / "fern.png", EXAMPLE / "pip.png")
    expect(page.locator("#cast-notice .notice")).to_contain_text("broken.png")
    expect(page.locator("img.cutout")).to_have_count(2)
    page.locator("#actor-1 .words input").fill("<b>green</b>")
    expect(page.locator("#cast-notice .notice")).to_be_visible()
    write(page, "Fern and Pip")
    expect(page.locator("#reading .chip")).to_have_text(["Fern", "Pip"])
    page.locator("#actor-1 .remove").click()
    expect(page.locator("img.cutout")).to_have_count(1)
    expect(page.locator("#actor-1 .name input")).to_have_value("Pip")
    expect(page.locator("#actor-1 .words input")).to_have_value("")
    expect(page.locator("#reading .chip")).to_have_text(["Pip"])
    expect(page.locator("#cast-notice .notice")).to_have_count(0)


def test_files_of_a_visit_cannot_be_asked_for_by_path(page, address, out):
    page.locator("#example").click()
    expect(page.locator("#reading li")).to_have_count(4)
    page.locator("#render").click()
    settle(page)
    kept = next(out.glob("*/story.json"))
    for path in (kept, kept.parent / "frames" / "001.png", ROOT / "requirements.txt", Path("/etc/hostname")):
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(f"{address}/gradio_api/file={path}")
        assert refused.value.code == 403


def test_the_page_fits_a_phone(page):
    page.set_viewport_size({"width": 390, "height": 844})
    page.locator("#example").click()
    expect(page.locator("img.cutout")).to_have_count(4)
    page.locator("#render").click()
    expect(frames(page)).to_have_count(4)
    settle(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
