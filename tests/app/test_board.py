"""The board: a story that is seen while it is written."""

from playwright.sync_api import expect

from tests.app.steps import EXAMPLE, frames, settle, upload, write


def card(page, number):
    return page.locator(f'#reading .panel[data-number="{number}"]')


def sketches(page):
    """The addresses of the cards' sketches, once the browser has them."""
    ready = (
        "() => [...document.querySelectorAll('.panel .sketch')].every(image => image.complete && image.naturalWidth)"
    )
    page.wait_for_function(ready)
    return page.locator(".panel .sketch").evaluate_all("images => images.map(image => image.src)")


def test_two_pictures_and_three_lines_fill_the_board_and_frames_take_the_place_of_sketches(story_page):
    page = story_page
    upload(page, EXAMPLE / "fern.png", EXAMPLE / "bruno.png")
    expect(page.locator("img.cutout")).to_have_count(2)
    lines = "[size: 96] Fern in the forest\n[size: 96] Bruno at the beach\n[size: 96] They sit in the snow"
    write(page, lines)
    expect(page.locator(".panel .sketch")).to_have_count(3)
    expect(page.locator(".panel .tag")).to_have_text(["sketch"] * 3)
    before = sketches(page)
    assert len(set(before)) == 3
    expect(page.locator("#story-head .kept.saved")).to_be_visible()

    asked = []
    page.on("request", lambda request: asked.append(request.url))
    write(page, lines.replace("the beach", "the castle"))
    page.wait_for_function("old => document.querySelectorAll('.panel .sketch')[1].src !== old", arg=before[1])
    after = sketches(page)
    page.wait_for_function("() => !document.querySelector('.story.waits')")
    assert [old == new for old, new in zip(before, after, strict=True)] == [True, False, True]
    assert len(asked) <= 3, asked

    page.locator("#render").click()
    settle(page)
    expect(page.locator(".panel .made:visible img")).to_have_count(3)
    expect(page.locator(".panel .tag:visible")).to_have_count(0)
    expect(card(page, 2).locator(".made img")).to_have_attribute(
        "src", frames(page).nth(1).locator("img").evaluate("image => image.src")
    )
    card(page, 2).locator(".made").click()
    expect(page.locator(".opened .prompt")).to_have_text("Bruno at the castle")

    page.locator("#script-head button").click()
    expect(page.locator("#script")).to_be_hidden()
    card(page, 2).locator(".prompt").fill("Bruno at the castle at night")
    expect(card(page, 2).locator(".tag")).to_be_visible()
    expect(page.locator(".panel .made:visible")).to_have_count(2)
