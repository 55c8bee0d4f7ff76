"""What somebody sees first, and what it takes from there to a finished page."""

from playwright.sync_api import expect

from tests.app.steps import frames, settle
from ui.strings import say


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
