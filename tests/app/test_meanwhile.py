"""What is done on the page while something else is on its way, or nothing can be sent: none of it is lost."""

import re
from contextlib import contextmanager

from playwright.sync_api import expect

from tests.app.steps import EXAMPLE, frames, saved, upload, write
from tests.app.test_arranging import composed, named, opened


@contextmanager
def held(page, where, asked=lambda request: True):
    """Inside, such requests stay on their way."""
    routes = []

    def hold(route):
        return routes.append(route) if asked(route.request) else route.continue_()

    page.route(where, hold)
    yield
    for route in routes:
        route.continue_()
    page.unroute(where)


def is_action(request):
    """Whether something was done on a card, a chip or an object."""
    said = (request.post_data_json or {}).get("event_data")
    return isinstance(said, dict) and bool({"of", "do"} & set(said))


@contextmanager
def answered_late(page):
    """Inside, what is done on a card, a chip or an object is told, for which there is a function to wait, and not
    answered until the end."""
    with held(page, "**/run/predict*", is_action):
        yield lambda: page.wait_for_function("'telling' in document.body.dataset")
    page.wait_for_function("!('telling' in document.body.dataset)")


def drop(page, *files):
    """Drop files on the page, each a name with a path."""
    page.evaluate(
        """async (files) => {
          const data = new DataTransfer();
          for (const [name, bytes] of files) data.items.add(new File([new Uint8Array(bytes)], name));
          document.querySelector("#script-sheet h2")
            .dispatchEvent(new DragEvent("drop", {dataTransfer: data, bubbles: true, cancelable: true}));
        }""",
        [[name, list(path.read_bytes())] for name, path in files],
    )


def test_words_typed_while_an_answer_is_on_its_way_stay(story_page):
    page = story_page
    script, weather = opened(page), page.locator("#read [data-kind=weather]")
    with answered_late(page) as told:
        weather.select_option("snow")
        told()
        script.press("Control+End")
        script.press_sequentially(" with a kite")
        script.press("ArrowLeft")
    expect(script).to_have_value(re.compile(r"\[shows: snow\] Fern and .*forest\n.* at the beach with a kite$"))
    expect(script).to_be_focused()
    script.press_sequentially("it")
    expect(script).to_have_value(re.compile("with a kitite?e$"))
    composed(page)
    with answered_late(page) as told:
        named(page, "Bruno").focus()
        page.keyboard.press("Shift+ArrowLeft")
        told()
        script.press("Control+End")
        script.press_sequentially("\nFern sleeps")
    expect(script).to_have_value(re.compile(r"^\[size: 256\] .*\[layout: .*\n.*\nFern sleeps$"))
    composed(page)
    with answered_late(page) as told:
        page.locator(".panel .caption").nth(2).fill("Night")
        told()
        script.press("Control+End")
        script.press_sequentially(" well")
    expect(script).to_have_value(re.compile("\nFern sleeps well  # Night$"))
    expect(page.locator(".panel .prompt").nth(2)).to_have_value("Fern sleeps well")
    expect(page.locator("#edits p")).to_be_hidden()

    with answered_late(page) as told:
        page.locator(".panel .prompt").nth(2).fill("Fern sings")
        told()
        script.fill("Fern swims")
    expect(page.locator("#edits p")).to_contain_text("What you typed here meanwhile stays")
    expect(script).to_have_value("Fern swims")
    expect(page.locator(".panel .prompt")).to_have_count(1)
    page.locator(".panel .caption").fill("Noon")
    expect(script).to_have_value("Fern swims  # Noon")
    expect(page.locator("#edits p")).to_be_hidden()


def test_what_was_done_on_a_frame_is_done_though_another_is_opened_at_once(story_page):
    page = story_page
    script = opened(page, "[size: 256] Fern and Bruno stand in the forest\n[size: 256] Bruno at the beach by day")
    with answered_late(page) as told:
        page.locator("#read [data-kind=weather]").select_option("snow")
        page.locator("#read [data-kind=time]").select_option("night")
        told()
        frames(page).nth(1).click()
        expect(page.locator("#read [data-kind=place]")).to_have_value("beach")
    expect(script).to_have_value(
        re.compile(r"\[shows: snow; night\] Fern and Bruno .*\n\[size: 256\] Bruno at the beach")
    )
    composed(page)
    expect(page.locator("#read [data-kind=place]")).to_have_value("beach")
    before = frames(page).first.locator("img").get_attribute("src")
    frames(page).first.click()
    expect(page.locator("#read [data-kind=place]")).to_have_value("forest")
    expect(page.locator(".plane .object")).to_have_count(2)
    with answered_late(page):
        page.locator("#read [data-kind=weather]").select_option("rain")
        named(page, "Bruno").focus()
        page.keyboard.press("Shift+ArrowLeft")
        frames(page).nth(1).click()
        expect(page.locator(".plane .object")).to_have_count(1)
    expect(script).to_have_value(
        re.compile(r"\[shows: night; rain\] \[layout: .*Bruno .*\] Fern and .*\n\[size: 256\] Bruno")
    )
    composed(page)
    expect(frames(page).first.locator("img")).not_to_have_attribute("src", before)
    expect(page.locator("#read [data-kind=place]")).to_have_value("beach")


def test_what_is_done_while_the_connection_is_broken_stays_and_is_sent_again(browser, storybook):
    context = browser.new_context(viewport={"width": 1360, "height": 950})
    page = context.new_page()
    page.goto(storybook)
    expect(page.locator(".story")).to_be_visible()
    upload(page, EXAMPLE / "fern.png")
    expect(page.locator("img.cutout")).to_have_count(1)
    write(page, "Fern walks\nFern sleeps")
    expect(page.locator(".panel .sketch")).to_have_count(2)
    expect(page.locator("#story-head .kept.saved")).to_be_visible()
    page.evaluate("window.same = true")
    page.route("**/gradio_api/**", lambda route: route.abort())
    prompts, script = page.locator(".panel .prompt"), page.locator("#script textarea")
    prompts.nth(1).fill("Fern sings")
    expect(page.locator("#unconnected")).to_be_visible()
    prompts.nth(0).fill("Fern runs")
    script.press("Control+End")
    script.press_sequentially(" well")
    page.locator("#title input").fill("A day")
    page.unroute("**/gradio_api/**")
    expect(script).to_have_value("Fern runs\nFern sings well")
    expect(page.locator("#unconnected")).to_be_hidden()
    expect(prompts.nth(1)).to_have_value("Fern sings well")
    expect(page.locator("#story-head .name")).to_have_text("A day")
    assert page.evaluate("window.same"), "the page was not loaded anew"
    context.close()


def test_what_the_server_did_though_its_answer_got_lost_is_not_done_again(browser, storybook):
    context = browser.new_context(viewport={"width": 1360, "height": 950})
    page, lost = context.new_page(), []
    page.goto(storybook)
    expect(page.locator(".model.ready")).to_be_visible()
    expect(page.locator(".story")).to_be_visible()
    page.locator("#describe").click()
    expect(page.locator(".actor")).to_have_count(1)
    describe = page.locator("#describe")

    def lose(route):
        if lost:
            return route.continue_()
        lost.append(route.fetch().json())
        return route.abort()

    with page.expect_request("**/queue/join*") as asked:
        describe.click()
    trigger = asked.value.post_data_json["trigger_id"]
    expect(page.locator(".actor")).to_have_count(2)

    def is_describe(request):
        return (request.post_data_json or {}).get("trigger_id") == trigger

    page.route("**/queue/join*", lambda route: lose(route) if is_describe(route.request) else route.continue_())
    describe.click()
    expect(page.locator(".actor")).to_have_count(3)
    assert lost[0]["event_id"]
    describe.click()
    expect(page.locator(".actor")).to_have_count(4)
    names = page.locator(".actor .name input").evaluate_all("all => all.map((one) => one.value)")
    assert names == ["Character", "Character 2", "Character 3", "Character 4"]
    context.close()


def test_a_story_that_is_put_away_goes_with_what_was_done_just_before(story_page):
    page = story_page
    script = opened(page)
    with answered_late(page) as told:
        page.locator("#read [data-kind=weather]").select_option("snow")
        told()
        page.locator("#story-new").click()
    expect(script).to_have_value(re.compile(r"\[shows: snow\]"))
    composed(page)
    page.locator("#story-new").click()
    expect(frames(page)).to_have_count(0)
    expect(script).to_have_value("")


def test_what_was_done_on_a_frame_of_a_story_that_was_put_away_changes_no_other(story_page, tmp_path):
    page = story_page
    script = opened(page)
    lines, story = script.input_value(), saved(page, "#story-save", tmp_path)
    with answered_late(page) as told:
        page.locator("#read [data-kind=weather]").select_option("snow")
        told()
        upload(page, story)
        expect(page.locator("#story-notice")).to_contain_text(story.name)
    expect(page.locator("#refused")).to_contain_text("no longer on the page")
    expect(script).to_have_value(lines)
    expect(frames(page)).to_have_count(2)


def test_files_that_are_dropped_while_others_are_on_their_way_come_in_as_well(story_page, tmp_path):
    page, script = story_page, tmp_path / "lines.txt"
    script.write_text("Fern and Bruno and Pip walk")
    with held(page, "**/gradio_api/upload*"):
        for name in ("fern.png", "bruno.png", "pip.png"):
            drop(page, (name, EXAMPLE / name))
        drop(page, ("lines.txt", script))
        expect(page.locator("#drop .uploading")).to_be_visible()
    expect(page.locator("img.cutout")).to_have_count(3)
    expect(page.locator("#script textarea")).to_have_value(script.read_text())
    names = page.locator(".actor .name input")
    assert sorted(names.evaluate_all("all => all.map((one) => one.value)")) == ["Bruno", "Fern", "Pip"]
