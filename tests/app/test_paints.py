"""Paint in the text has a short name in its box, and is whole in everything behind it."""

import json
import re
import zipfile

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import expect

from anystory.script.read import read_script
from anystory.story.model import CastMember
from anystory.story.steering import Place, SteeringError, painted
from tests.app.steps import EXAMPLE, frames, open_part, saved, settle, upload, write
from ui import paints


def paint(column):
    """The left columns of a frame."""
    picture = np.zeros((64, 64), np.uint8)
    picture[::3, :column] = 255
    return painted(Image.fromarray(picture))


def test_a_name_stands_for_its_paint_on_its_page_alone():
    page, text = paints.Paints(), f"[layout: Mia {paint(9)}; Tom {paint(30)}] Mia and Tom  # {paint(9)[:12]}"
    short = page.short(text)
    assert re.fullmatch(r"\[layout: Mia (paint:\w{6}); Tom (?!\1)paint:\w{6}\] Mia and Tom  # paint:\S+", short)
    assert page.whole(short) == text and page.short(short) == short and page.short(text) == short
    other = paints.Paints()
    assert other.whole(short) == short
    with pytest.raises(SteeringError, match=r"paint:\w{6} of Mia is the paint of another story; paint it again"):
        Place("Mia", paint=short.split()[2].strip(";"))
    cast = [CastMember("Mia"), CastMember("Tom")]
    assert read_script(short, cast=cast).errors and not read_script(text, cast=cast).errors


def test_two_with_the_same_first_digits_have_longer_names():
    page = paints.Paints()
    first = page.short(paint(5)).removeprefix("paint:")
    page._known[f"paint:{first}"] = paint(7)
    assert len(page.short(paint(5)).removeprefix("paint:")) == len(first) + 1
    assert page.whole(page.short(paint(5))) == paint(5)


def test_places_are_those_of_the_box():
    page, text = paints.Paints(), f"Mia\n[layout: Mia {paint(9)}] Mia and {paint(5)} Tom\nTom"
    box = page.short(text)
    for words in ("Mia\n[", "] Mia", " Tom\n", "\nTom"):
        place = text.index(words)
        assert paints._moved(place, text, box) == box.index(words)
        assert paints._moved(box.index(words), box, text) == place
    assert paints.short(text) == text.replace(paint(9), page.short(paint(9))).replace(paint(5), page.short(paint(5)))


def test_the_text_has_a_short_name_and_the_file_the_paint(story_page, browser, storybook, tmp_path):
    page = story_page
    upload(page, EXAMPLE / "fern.png", EXAMPLE / "bruno.png")
    expect(page.locator("img.cutout")).to_have_count(2)
    script = page.locator("#script textarea")
    write(page, f"[size: 256] [layout: Fern {paint(20)}] Fern and Bruno in the forest\nFern and Bruno  # they dance")
    expect(page.locator(".panel")).to_have_count(2)
    page.locator(".panel .copy").nth(1).click()  # an action on a card: the text comes back from the server
    expect(script).to_have_value(
        re.compile(r"^\[size: 256\] \[layout: Fern paint:\w{6}\] Fern and Bruno in the forest\n")
    )
    expect(page.locator(".panel")).to_have_count(3)
    short = script.input_value()
    page.locator("#render").click()
    expect(frames(page)).to_have_count(3)
    settle(page)
    with zipfile.ZipFile(saved(page, "#story-save", tmp_path)) as archive:
        kept = json.loads(archive.read("draft.json"))["text"]
    assert paint(20) in kept and not re.search(r"paint:\w{6}\W", kept)
    page.reload()  # the story comes back whole, under the same name
    expect(script).to_have_value(short)
    write(page, f"{short}\nFern meets Brunno")
    expect(page.locator(".panel")).to_have_count(4)
    expect(page.locator("#findings .error")).to_have_count(0)
    page.locator("#findings .place").last.click()
    start, end = script.evaluate("box => [box.selectionStart, box.selectionEnd]")
    assert script.input_value()[start:end] == "Brunno"
    page.locator("#findings .fix").last.click()
    expect(script).to_have_value(f"{short}\nFern meets Bruno")
    page.locator("#story-new").click()
    expect(script).to_have_value("")
    page.locator("#story-notice [data-do=undo]").click()
    expect(script).to_have_value(f"{short}\nFern meets Bruno")
    elsewhere = browser.new_context()
    other = elsewhere.new_page()
    other.goto(storybook)
    expect(other.locator(".story")).to_be_visible()
    upload(other, EXAMPLE / "fern.png", EXAMPLE / "bruno.png")
    expect(other.locator("img.cutout")).to_have_count(2)
    write(other, short)
    expect(other.locator("#findings .error").first).to_contain_text("is the paint of another story")
    elsewhere.close()


def test_what_is_painted_at_the_desk_has_a_short_name(story_page):
    page = story_page
    upload(page, EXAMPLE / "fern.png")
    expect(page.locator("img.cutout")).to_have_count(1)
    write(page, "[size: 256] Fern in the forest")
    page.locator("#render").click()
    expect(frames(page)).to_have_count(1)
    settle(page)
    open_part(page, "routing")
    page.locator("#routing [data-tool=brush]").click()
    board = page.locator("#routing canvas")
    board.scroll_into_view_if_needed()
    board.click(position={"x": 40, "y": 60})
    page.locator("#routing [data-act=steer]").click()
    expect(page.locator("#script textarea")).to_have_value(re.compile(r"\[layout: Fern paint:\w{6}\] "))
    settle(page)
