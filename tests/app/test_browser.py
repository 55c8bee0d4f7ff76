"""The app as people use it, from uploads to frames and files."""

import json
import re
import urllib.error
import urllib.request
import zipfile
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import expect

from tests.app.steps import (
    EXAMPLE,
    GOLDEN,
    ROOT,
    few_steps,
    frames,
    open_more,
    pictures,
    saved,
    settle,
    slide,
    upload,
    write,
)


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
    expect(page.locator("#gallery .caption-label").nth(1)).to_contain_text("Hello there")

    frames(page).nth(1).click()
    expect(page.locator(".opened .caption")).to_have_text("Hello there")
    boxes = page.locator("#who input[type=checkbox]")
    picture = page.locator("#frame .whole")
    untinted = picture.get_attribute("src")
    page.locator("#see input").check()
    expect(boxes).to_have_count(2)
    expect(picture).not_to_have_attribute("src", untinted)
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

    frame = saved(page, "#download-frame", tmp_path)
    assert frame.name == "test-tell-002.png" and Image.open(frame).info["prompt"]
    open_more(page)
    with zipfile.ZipFile(saved(page, "#download-all", tmp_path)) as archive:
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
    expect(page.locator(".opened .number")).to_contain_text("Panel 1 · seed 0")
    old = pictures(page)
    page.locator("#again").click()
    expect(page.locator(".opened .number")).not_to_contain_text("Panel 1 · seed 0")
    settle(page)
    new = pictures(page)
    assert new[0] != old[0] and new[1:] == old[1:]


def test_stop_keeps_finished_frames_and_the_next_render_goes_on(page):
    upload(page, EXAMPLE / "fern.png")
    expect(page.locator("img.cutout")).to_have_count(1)
    write(page, "\n".join(f"Fern in the forest {number}" for number in range(1, 201)))
    expect(page.locator("#reading li")).to_have_count(200)
    few_steps(page, 60)  # more than a slow browser leaves the model time for
    page.locator("#render").click()
    expect(page.locator("#progress .where")).to_have_text(re.compile(r"Panel \d+ of 200 · step \d+ of \d+"))
    expect(frames(page).nth(0)).to_be_visible()
    page.locator("#stop").click()
    settle(page)
    kept = pictures(page)
    assert 1 <= len(kept) < 200
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
    expect(page.locator("#findings .error")).to_contain_text(re.compile("3:2.*'Farn'"))
    page.locator("#render").click()
    upload(page, EXAMPLE / "pip.png")  # comes after whatever the refused render did
    expect(page.locator("img.cutout")).to_have_count(2)
    expect(page.locator("#findings .error .place")).to_have_text("3:2")
    expect(page.locator("#render")).to_be_visible()
    expect(frames(page)).to_have_count(0)
    write(page, "Fern walks")
    page.locator("#render").click()
    expect(frames(page)).to_have_count(1)
    expect(page.locator("#findings .error")).to_have_count(0)
    settle(page)

    write(page, "")
    page.locator("#render").click()
    expect(page.locator(".toast-body")).to_contain_text("no panels")
    upload(page, EXAMPLE / "bruno.png")
    expect(page.locator("img.cutout")).to_have_count(3)
    expect(page.locator("#findings .error")).to_have_count(0)
    expect(frames(page)).to_have_count(1)
    expect(page.locator("#frame .whole")).to_be_visible()


def test_a_refused_picture_is_a_sentence_that_stays_and_characters_can_go(page, tmp_path):
    broken = tmp_path / "broken.png"
    broken.write_bytes((EXAMPLE / "lola.png").read_bytes()[:2000])
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


def test_a_storyboard_fills_the_page_and_a_click_mends_what_is_found(page):
    page.locator("#drop input[type=file]").set_input_files(str(GOLDEN / "storyboard_sample.json"))
    expect(page.locator("#reading li")).to_have_count(3)
    expect(page.locator("#actor-2 .name input")).to_have_value("老海龟")
    expect(page.locator("#actor-2 .words input")).to_have_value("An old turtle with round glasses.")
    expect(page.locator("#title input")).to_have_value("小狐狸找到灯塔")
    page.locator("#actor-1 .name input").fill("Mia")
    page.locator("#actor-2 .name input").fill("Tom")
    write(page, "Mia and Tmo 🌟 walk\nMia sleeps # Good night\nTom and Tmo")
    expect(page.locator("#findings .place")).to_have_text(["1:9", "3:9"])
    expect(page.locator("#findings li").nth(1)).to_contain_text("Nobody is named 'Tmo'; did you mean 'Tom'?")
    page.locator("#findings .place").nth(1).click()
    chosen = "box => box.value.slice(box.selectionStart, box.selectionEnd)"
    assert page.locator("#script textarea").evaluate(chosen) == "Tmo"
    page.locator("#findings .fix").nth(1).click()
    expect(page.locator("#script textarea")).to_have_value("Mia and Tmo 🌟 walk\nMia sleeps # Good night\nTom and Tom")
    expect(page.locator("#findings .place")).to_have_text(["1:9"])

    page.locator("#style input").fill("Line art")
    page.locator("#style input").press("Enter")
    expect(page.locator("#style-note")).to_contain_text("cannot follow a style; 'Line art'")
    broken = {"name": "broken.json", "mimeType": "application/json", "buffer": b'{"panels": ['}
    page.locator("#drop input[type=file]").set_input_files(broken)
    expect(page.locator("#taken .notice")).to_contain_text("not JSON")
    expect(page.locator("#actor-1 .name input")).to_have_value("Mia")


def test_who_has_no_picture_is_drawn_first_then_frames_are_looked_into_and_tried_again(page, tmp_path):
    upload(page, EXAMPLE / "fern.png")
    expect(page.locator("img.cutout")).to_have_count(1)
    page.locator("#describe").click()
    expect(page.locator("#actor-2 .undrawn")).to_be_visible()
    page.locator("#actor-2 .name input").fill("Mia")
    write(page, "Fern and Mia in the forest\nMia and Fern on the beach")
    expect(page.locator("#findings .error")).to_contain_text("Mia has neither a picture nor a description")
    page.locator("#actor-2 .words input").fill("a small fox")
    expect(page.locator("#findings .error")).to_have_count(0)
    few_steps(page, 3)
    page.locator("#render").click()
    expect(page.locator("#actor-2 img.cutout")).to_be_visible()
    expect(page.locator("#actor-2 .hints .quiet")).to_contain_text("Drawn from these words")
    expect(frames(page)).to_have_count(2)
    settle(page)

    expect(page.locator("#verdict")).to_contain_text("Mia")
    picture, kept = page.locator("#frame .whole"), pictures(page)
    seen = [picture.get_attribute("src")]

    def changed():
        expect(picture).not_to_have_attribute("src", seen[-1])
        seen.append(picture.get_attribute("src"))

    page.locator("#see input").check()
    changed()
    page.locator("#mode label").nth(1).click()
    changed()
    expect(page.locator("#scrub")).to_contain_text("3 steps of")
    slide(page, "#step", 1)
    changed()
    slide(page, "#layer", 2)
    changed()
    page.locator("#kind label").filter(has_text="coarse").click()
    changed()
    page.locator("#kind label").filter(has_text="side by side").click()
    changed()
    assert picture.evaluate("image => image.naturalWidth > 1.8 * image.naturalHeight * 0.8")
    assert pictures(page) == kept, "nothing is rendered for a look"

    assert Image.open(saved(page, "#maps", tmp_path)).format == "PNG"
    film = Image.open(saved(page, "#animation", tmp_path))
    assert film.format == "WEBP" and film.n_frames == 3
    open_more(page)
    assert saved(page, "#contact-sheet", tmp_path).name == "story-sheet.png"

    doubtful = page.locator("#gallery .caption-label").filter(has_text="⚠")
    assert doubtful.count() > 0, "random weights place nobody well"
    doubtful.first.click()
    expect(page.locator("#verdict .doubt")).to_contain_text("try another seed")
    number = page.locator(".opened .number").inner_text().split(" · ")[0]
    page.locator("#retry").click()
    expect(page.locator("#progress .hint")).to_contain_text(
        re.compile(rf"{number}: (seed \d+ was|no other seed was) better")
    )
    settle(page)
    others = [k for k in range(2) if f"Panel {k + 1}" != number]
    assert [pictures(page)[k] for k in others] == [kept[k] for k in others]


def test_masks_are_brushed_hinted_at_and_made_by_a_model_of_ones_choice(page, tmp_path):
    two = Image.new("RGBA", (300, 300), (0, 0, 0, 0))
    two.paste((200, 40, 40, 255), (20, 60, 120, 220))
    two.paste((40, 40, 200, 255), (180, 60, 280, 220))
    two.save(tmp_path / "two.png")
    upload(page, tmp_path / "two.png")
    expect(page.locator("#actor-1 .hints .doubt")).to_contain_text("2 separate things were found")
    cutout = page.locator("#actor-1 img.cutout")
    automatic = cutout.get_attribute("src")

    page.locator("#actor-1 .mask").click()
    expect(page.locator("#mask-editor h3")).to_have_text("Mask: Two")
    canvas = page.locator("#canvas canvas").first
    expect(canvas).to_be_visible()
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x + 60, y - 60)
    page.mouse.down()
    page.mouse.move(x + 60, y + 60, steps=8)
    page.mouse.up()
    expect(cutout).not_to_have_attribute("src", automatic)
    expect(page.locator("#mask-result img")).to_be_visible()
    page.locator("#mask-reset").click()
    expect(cutout).to_have_attribute("src", automatic)
    page.locator("#mask-done").click()
    expect(page.locator("#mask-editor").first).to_be_hidden()

    page.locator("#cutting button").first.click()
    page.locator("#segmenter input").click()
    page.get_by_role("option", name="isnet-anime").click()
    expect(page.locator("#about-segmenter")).to_contain_text(re.compile("drawn characters · Apache-2.0 .*176 MB"))
    expect(page.locator("#use-segmenter")).to_have_text("Download and cut out (176 MB)")
    page.locator("#use-segmenter").click()
    expect(page.locator("#segmenter-progress .notice")).to_contain_text("cannot be fetched")
    expect(page.locator("#use-segmenter")).to_be_enabled()
    expect(cutout).to_have_attribute("src", automatic)

    upload(page, EXAMPLE / "fern.png")
    expect(page.locator("#actor-2 img.cutout")).to_be_visible()
    page.locator("#actor-1 .replace input").set_input_files(str(EXAMPLE / "pip.png"))
    expect(page.locator("#actor-1 .hints .doubt")).to_have_count(0)
    expect(page.locator("#actor-1 .name input")).to_have_value("Two")


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
    page.locator("#see input").check()
    page.locator("#mode label").nth(1).click()
    expect(page.locator("#scrub")).to_be_visible()
    page.locator("#actor-1 .mask").click()
    expect(page.locator("#canvas canvas").first).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
