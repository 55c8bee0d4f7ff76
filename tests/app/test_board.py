"""The board: a story that is seen while it is written."""

from playwright.sync_api import expect

from tests.app.steps import EXAMPLE, few_steps, frames, settle, upload, write


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


def test_while_frames_are_made_a_slim_bar_with_stop_is_in_sight_and_the_board_shows_it(page):
    upload(page, EXAMPLE / "fern.png")
    expect(page.locator("img.cutout")).to_have_count(1)
    write(page, "Fern walks\nFern sleeps")
    expect(page.locator("#reading .panel")).to_have_count(2)
    few_steps(page, 1000)
    page.set_viewport_size({"width": 390, "height": 700})
    page.evaluate("scrollTo(0, 0)")
    page.locator("#title input").press("Control+Enter")
    made = page.locator('#reading .frame[data-state="making"] .ring')
    expect(made).to_be_in_viewport()
    assert made.evaluate("ring => getComputedStyle(ring).animationName") == "turning"
    for width, most in ((390, 100), (1360, 70)):
        page.set_viewport_size({"width": width, "height": 700})
        for what in ("#progress .progress", "#stop", "#skip"):
            expect(page.locator(what)).to_be_in_viewport(ratio=1)
        bar, stop = (page.locator(what).bounding_box() for what in ("#progress .progress", "#stop"))
        assert bar["height"] <= most and bar["y"] <= stop["y"] <= stop["y"] + stop["height"] <= bar["y"] + bar["height"]
    page.keyboard.press("Escape")
    settle(page)
