"""What somebody sees first, and what it takes from there to a finished page."""

import pytest
from playwright.sync_api import expect

from tests.app.steps import EXAMPLE, frames, settle, upload
from ui.strings import say

SHIFTS = """() => {
  window.shifts = 0;
  window.observer = new PerformanceObserver((list) => list.getEntries().forEach(({value}) => { shifts += value; }));
  observer.observe({type: "layout-shift"});
}"""
"""Adds up all layout shifts from now on, those too that answer somebody at once and that browsers do not count."""


@pytest.mark.parametrize("width, height", [(1360, 950), (1024, 768), (390, 844)])
def test_what_is_on_the_first_screen_stays_about_where_it_is_when_the_first_pictures_come(story_page, width, height):
    page = story_page
    page.set_viewport_size({"width": width, "height": height})
    drop = page.locator("#drop")
    before = drop.bounding_box()
    page.evaluate(SHIFTS)
    upload(page, EXAMPLE / "fern.png", EXAMPLE / "bruno.png")
    expect(page.locator("img.cutout")).to_have_count(2)
    expect(page.locator(".story .saved")).to_be_visible()
    after = drop.bounding_box()
    assert [after[side] for side in "xy"] == [before[side] for side in "xy"]
    page.evaluate("() => new Promise(done => requestAnimationFrame(() => setTimeout(done)))")
    assert page.evaluate("() => shifts") <= 0.1


def test_one_button_makes_the_example_and_the_language_is_a_choice(story_page):
    page = story_page
    sample = page.locator("#sample")
    expect(sample.locator("img")).to_be_visible()
    expect(page.locator("#drop")).to_be_visible()
    expect(page.locator("#shelf .examples")).to_be_visible()
    assert page.locator("#sample img").evaluate("image => image.naturalWidth") > 0

    page.locator("#language select").select_option("es")
    expect(page.locator("#cast-sheet h2")).to_have_text(say("es", "cast.heading"))
    expect(page.locator("html")).to_have_attribute("lang", "es")
    expect(page.locator("#language select")).to_have_value("es")
    expect(page.locator(".model.ready")).to_have_text(say("es", "model.storybook"))  # which the server says
    page.wait_for_function("() => document.querySelector('.story')")

    page.locator("#make-example").click()
    expect(frames(page)).to_have_count(4)
    settle(page)
    expect(page.locator("#title input")).to_have_value("El largo camino a casa")
    expect(sample).to_be_hidden()
    expect(page.locator(".panel .made:visible")).to_have_count(4)
    expect(page.locator("#pages .page img")).to_be_visible()
    expect(page.locator(".opened .number")).to_contain_text(say("es", "viewer.number", number=1, seed=0))
