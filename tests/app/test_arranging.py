"""The cast of an opened frame as objects: moved by mouse, by touch and by keys, kept as the panel's layout."""

import re
from contextlib import closing
from dataclasses import replace
from functools import partial

import numpy as np
import pytest
from PIL import Image, ImageChops
from playwright.sync_api import expect

from anystory.script.read import read_script
from anystory.sketch.read import read_story
from anystory.sketch.shows import label, offered
from anystory.sketch.shows import told as meant
from anystory.story.from_sketch import FromSketch
from anystory.story.model import Panel
from anystory.story.steering import Layout, Place, Steering
from tests.app.steps import EXAMPLE, few_steps, frames, open_part, settle, upload, write
from tests.app.test_parts import actors  # noqa: F401  a fixture
from tests.app.test_storybook import shown, studio, words  # noqa: F401  fixtures
from ui import arranging, chips, strings

LINES = "[size: 256] Fern and Bruno stand in the forest\n[size: 256] Bruno at the beach"


def opened(page, lines=LINES):
    """A page with the frames of `lines`, the first of them open and its cast laid out."""
    upload(page, EXAMPLE / "fern.png", EXAMPLE / "bruno.png")
    expect(page.locator("img.cutout")).to_have_count(2)
    write(page, lines)
    page.locator("#render").click()
    expect(frames(page)).to_have_count(lines.count("\n") + 1)
    settle(page)
    frames(page).first.click()
    expect(objects(page)).to_have_count(2)
    return page.locator("#script textarea")


def objects(page):
    return page.locator(".plane .object")


def named(page, name):
    return page.locator(f".plane .object[data-name={name}]")


def middle(page, name):
    box = named(page, name).bounding_box()
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def on_frame(page, name):
    """The middle of a figure from the frame's corner, wherever that is on the page by now."""
    (x, y), corner = middle(page, name), page.locator(".opened-frame").bounding_box()
    return x - corner["x"], y - corner["y"]


def composed(page):
    """Wait until the frame has been composed anew."""
    settle(page)
    expect(page.locator(".opened-frame")).not_to_have_class(re.compile("moving"))


def test_a_figure_is_dragged_and_the_frame_composed_anew(story_page):
    page = story_page
    script = opened(page)
    before = page.locator("#frame .whole").get_attribute("src")
    named(page, "Bruno").scroll_into_view_if_needed()
    x, y = middle(page, "Bruno")
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x - 80, y + 20, steps=5)
    expect(page.locator(".opened-frame")).to_have_class(re.compile("moving"))
    expect(page.locator(".plane .layer").first).to_be_visible()
    moved = on_frame(page, "Bruno")
    assert middle(page, "Bruno") == pytest.approx((x - 80, y + 20), abs=2)
    page.mouse.up()
    expect(script).to_have_value(re.compile(r"^\[size: 256\] \[layout: Fern [^;\]]+; Bruno [^;\]]+\] .*\n.*beach$"))
    composed(page)
    expect(page.locator("#frame .whole")).not_to_have_attribute("src", before)
    assert on_frame(page, "Bruno") == pytest.approx(moved, abs=4), "it is composed where it was dropped"
    page.reload()
    expect(script).to_have_value(re.compile("layout"))
    frames(page).first.click()
    expect(objects(page)).to_have_count(2)
    assert page.evaluate("() => document.querySelector('.opened-frame .plane').dataset.told") is not None


def test_another_frame_that_is_opened_has_its_own_cast_and_chips(story_page):
    page = story_page
    opened(page)
    expect(page.locator("#read [data-kind=place]")).to_have_value("forest")
    frames(page).nth(1).click()
    expect(objects(page)).to_have_count(1)
    expect(page.locator("#read [data-kind=place]")).to_have_value("beach")
    frames(page).first.click()
    expect(objects(page)).to_have_count(2)
    expect(page.locator("#read [data-kind=place]")).to_have_value("forest")


def test_keys_move_and_turn_and_what_was_done_is_put_back(story_page):
    page = story_page
    script = opened(page)
    bruno = named(page, "Bruno")
    bruno.focus()
    expect(bruno).to_have_attribute("aria-pressed", "true")
    for key in ("Shift+ArrowLeft", "ArrowUp", "+", "f", "]", "]"):
        page.keyboard.press(key)
    expect(page.locator(".spoken")).to_have_text(re.compile(r"^Bruno, middle at \d+ % .* turned by -?\d+°$"))
    expect(script).to_have_value(re.compile(r"\[flip: Bruno\] \[turn: Bruno 10\] Fern and Bruno stand"))
    composed(page)
    expect(bruno).to_be_focused()  # one may go on
    page.keyboard.press("Delete")
    expect(script).to_have_value(re.compile(r"^\[size: 256\] \[layout: Fern [^;\]]+\] Fern and Bruno stand"))
    composed(page)
    named(page, "Fern").focus()  # who has a place still
    page.locator(".tools .free").click()
    expect(script).to_have_value(LINES)
    composed(page)


def test_a_pinned_panel_stays_and_says_so(story_page):
    page = story_page
    script = opened(page)
    open_part(page, "takes")
    page.locator('#takes [data-act="pin"]').click()
    expect(page.locator('#takes [data-act="pin"]')).to_have_text("Unpin")
    text = script.input_value()
    named(page, "Bruno").scroll_into_view_if_needed()
    place = on_frame(page, "Bruno")
    named(page, "Bruno").focus()
    page.keyboard.press("Shift+ArrowLeft")
    expect(page.locator("#desk-notice")).to_contain_text("pinned")
    expect(page.locator(".opened-frame")).not_to_have_class(re.compile("moving"))
    assert on_frame(page, "Bruno") == pytest.approx(place, abs=2), "what is not made is not shown"
    weather = page.locator("#read [data-kind=weather]")
    weather.select_option("snow")
    expect(weather).to_have_value("clear")
    expect(script).to_have_value(text)


def test_a_finger_moves_whoever_is_tapped_and_the_corner_resizes(browser, storybook):
    context = browser.new_context(viewport={"width": 390, "height": 800}, has_touch=True, is_mobile=True)
    with closing(context):
        page = context.new_page()
        page.goto(storybook)
        expect(page.locator(".story")).to_be_visible()
        script = opened(page)
        bruno = named(page, "Bruno")
        bruno.scroll_into_view_if_needed()
        assert page.locator(".opened-frame").bounding_box()["width"] <= 390
        bruno.tap()
        expect(bruno).to_have_attribute("aria-pressed", "true")
        touch = context.new_cdp_session(page)
        for place in (lambda: middle(page, "Bruno"), lambda: centre(page.locator(".object[aria-pressed=true] .grow"))):
            before, text = bruno.bounding_box(), script.input_value()
            x, y = place()
            steps = [(x, y), (x - 10, y + 5), (x - 25, y + 10), (x - 40, y + 20)]
            for kind, at in zip(("touchStart", *["touchMove"] * 3, "touchEnd"), (*steps, None), strict=True):
                points = [{"x": at[0], "y": at[1]}] if at else []
                touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
            expect(script).not_to_have_value(text)
            composed(page)
            now = bruno.bounding_box()
        assert now["height"] < before["height"] - 5, "the corner made it smaller"


def test_a_chip_says_what_was_read_and_changes_it(story_page):
    page = story_page
    script = opened(page, "[size: 256] Fern and Bruno stand in the forest at night")
    reads = page.locator("#read .read")
    expect(reads).to_have_count(4 + 2 * 2)
    place, time, weather = (page.locator(f"#read [data-kind={kind}]") for kind in ("place", "time", "weather"))
    expect(place).to_have_value("forest")
    expect(time).to_have_value("night")
    expect(page.locator("#read .guessed [data-kind=weather]")).to_have_count(1)
    weather.select_option("snow")
    expect(script).to_have_value("[size: 256] [shows: snow] Fern and Bruno stand in the forest at night")
    composed(page)
    expect(page.locator("#read .chosen [data-kind=weather]")).to_have_value("snow")
    page.locator("#read [data-kind=does][data-who=Bruno]").select_option("jumps")
    expect(script).to_have_value(re.compile(r"\[shows: snow; Bruno jumps\]"))
    composed(page)
    expect(page.locator("#read .chosen")).to_have_count(2)
    weather.select_option("")
    expect(script).to_have_value(re.compile(r"\[shows: Bruno jumps\]"))
    composed(page)
    expect(page.locator("#read .guessed [data-kind=weather]")).to_have_value("clear")


def test_what_is_done_quickly_is_done_one_by_one_and_also_while_frames_are_made(story_page):
    page = story_page
    script = opened(page)
    for kind, key in (
        ("weather", "snow"),
        ("time", "night"),
        ("place", "beach"),
    ):  # the second before the first is made
        page.locator(f"#read [data-kind={kind}]").select_option(key)
    expect(script).to_have_value(re.compile(r"\[shows: snow; night; beach\] Fern and Bruno stand"))
    composed(page)
    expect(page.locator("#read .chosen")).to_have_count(3)
    more = [f"[size: 512] Bruno reads book {k}" for k in range(5)]
    write(page, "\n".join([script.input_value(), *more]))
    page.locator("#render").click()
    expect(page.locator("#progress .progress")).to_be_visible()
    named(page, "Bruno").focus()
    page.keyboard.press("Shift+ArrowLeft")
    page.locator("#read [data-kind=weather]").select_option("rain")
    expect(script).to_have_value(re.compile(r"\[layout: Fern [^;\]]+; Bruno [^;\]]+\]"))
    expect(script).to_have_value(re.compile(r"\[shows: night; beach; rain\]"))
    composed(page)
    expect(page.locator("#desk-notice")).to_have_text("")


def test_a_request_that_fails_holds_up_no_other(browser, storybook):
    context = browser.new_context(viewport={"width": 1360, "height": 950})
    page, lost = context.new_page(), []
    page.goto(storybook)
    expect(page.locator(".model.ready")).to_be_visible()
    expect(page.locator(".story")).to_be_visible()
    script = opened(page)

    def lose(route):
        said = route.request.post_data_json["event_data"] or {}
        if "of" not in said and "do" not in said:
            return route.continue_()
        lost.append(said)
        return route.fulfill(status=500, json={"error": "The disk is full."})

    page.route("**/run/predict*", lose)
    weather, place = page.locator("#read [data-kind=weather]"), on_frame(page, "Bruno")
    before = weather.input_value()
    weather.select_option("snow")
    expect(weather).to_have_value(before)  # as it was read
    named(page, "Bruno").focus()
    page.keyboard.press("Shift+ArrowLeft")
    expect(page.locator(".opened-frame")).to_have_class(re.compile("moving"))
    composed(page)
    assert np.allclose(on_frame(page, "Bruno"), place, atol=1)
    card = page.locator(".panel .prompt").nth(1)
    with page.expect_event("requestfinished", lambda asked: '"do":"edit"' in (asked.post_data or "")):
        card.fill("Bruno sings at the beach")
    page.wait_for_function("!('telling' in document.body.dataset)")
    expect(card).to_have_value("Bruno sings at the beach")
    expect(script).to_have_value(LINES)
    assert len(lost) == 3
    page.unroute("**/run/predict*")
    weather.select_option("snow")
    expect(script).to_have_value(re.compile(r"\[shows: snow\] Fern and Bruno stand"))
    composed(page)
    page.locator("#render").click()  # for which words that were not heard are told again
    expect(script).to_have_value(re.compile(r"Bruno sings at the beach$"))
    context.close()


def test_a_frame_of_a_line_that_was_edited_is_made_again_first(story_page):
    page = story_page
    script = opened(page)
    write(page, "Fern sings alone\n" + LINES)  # which moves the line, and is none of its own
    expect(page.locator(".panel")).to_have_count(3)
    page.locator("#read [data-kind=weather]").select_option("snow")
    expect(script).to_have_value("Fern sings alone\n" + LINES.replace("] Fern", "] [shows: snow] Fern", 1))
    composed(page)
    edited = "[size: 256] Fern and Bruno swim in the lake"
    write(page, edited)
    expect(page.locator(".panel")).to_have_count(1)
    named(page, "Bruno").focus()
    page.keyboard.press("Shift+ArrowLeft")
    expect(page.locator("#desk-notice")).to_contain_text("was changed after this frame was made")
    expect(page.locator(".opened-frame")).not_to_have_class(re.compile("moving"))
    time = page.locator("#read [data-kind=time]")
    time.select_option("night")
    expect(time).to_have_value("day")
    expect(script).to_have_value(edited)


def test_a_frame_knows_its_line_whatever_was_chosen_of_it(studio, shown):  # noqa: F811
    item = shown[1]
    mine, other = item.panel, replace(item.panel, prompt="Bruno sleeps", cast=("Bruno",))
    asks = replace(mine, shows=("snow",), steering=Steering(Layout(strength=0.4)))
    assert item.place([other, mine]) == 1 and item.place([asks, other]) == 0
    assert item.place([other]) is None and item.place([replace(mine, prompt="Bruno and Fern swim")]) is None
    assert item.place([asks, mine, other]) == 1, "of two with the same words the one that is just the same"
    twice = replace(item.job.script, panels=(mine, mine))
    twin = replace(item, job=replace(item.job, script=twice))
    assert twin.place([mine, asks]) == 1 and replace(twin, number=1).place([asks, mine]) == 0


def test_what_a_chip_may_say_is_what_is_offered():
    panel = Panel("Mia runs", ("Mia",), shows=("night", "Mia sits"))
    say = partial(strings.say, "es")
    chosen = partial(chips.chosen, panel, say=say)
    assert chosen({"kind": "time", "who": "", "key": "day"}).shows == ("Mia sits", "día")
    assert chosen({"kind": "does", "who": "Mia", "key": ""}).shows == ("night",)
    assert chosen({"kind": "mood", "who": "Mia", "key": "sad"}).shows == ("night", "Mia sits", "Mia triste")
    for choice in ({}, {"kind": "time", "key": "<b>"}, {"kind": "does", "who": "Tom", "key": "sits"}, {"kind": ["x"]}):
        assert chips.chosen(panel, choice, say) == panel
    assert (label("does", "hugs", "es"), label("does", "runs", "es")) == ("abraza", "corre")
    assert not set(offered("does")) & {"hugs", "falls"} and meant("Mia abraza", ["Mia"]).key == "hugs"
    shot = read_story(read_script("cast: <b>, a fox\n\n[<b>] runs").script)[0]
    html = chips.chips(shot, Panel("", ("<b>",)), ["<b>"], say)
    assert "<b>" not in html.replace("<b>&lt;b&gt;</b>", "") and "bosque" in html


def centre(locator):
    expect(locator).to_be_visible()
    box = locator.bounding_box()
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def test_of_a_models_frame_the_boxes_are_moved_and_the_frame_made_when_asked(page):
    upload(page, EXAMPLE / "fern.png", EXAMPLE / "bruno.png")
    expect(page.locator("img.cutout")).to_have_count(2)
    write(page, "Fern and Bruno in the wood")
    few_steps(page, 2)
    page.locator("#render").click()
    expect(frames(page)).to_have_count(1)
    settle(page)
    expect(objects(page)).to_have_count(2)
    script = page.locator("#script textarea")
    named(page, "Fern").focus()
    page.keyboard.press("Shift+ArrowRight")
    expect(script).to_have_value("Fern and Bruno in the wood")
    page.locator(".tools .make").click()
    expect(script).to_have_value(re.compile(r"^\[layout: Fern [^;\]]+; strength 0\.5\] Fern and Bruno in the wood$"))
    settle(page)


def test_the_layers_together_are_the_frame_without_its_shadows(studio, shown):  # noqa: F811
    item = shown[1]
    asked = arranging.asked_of(studio, item)
    staging, size, layers = studio.sketches.layers(asked, arranging.SIDE)
    assert size == item.frame.image.size and {layer.role for layer in layers} >= {None, 0, 1}
    whole = Image.new("RGBA", size)
    for layer in layers:
        picture = layer.picture.convert("RGBA")
        if layer.role is not None:
            picture = picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT) if layer.mirrored else picture
            picture = picture.rotate(-layer.angle, Image.Resampling.BICUBIC, expand=True)
        corner = [round(at - side / 2) for at, side in zip(layer.middle, picture.size, strict=True)]
        sheet = Image.new("RGBA", size)
        sheet.paste(picture, tuple(corner))
        whole.alpha_composite(sheet)
    off = np.asarray(ImageChops.difference(whole.convert("RGB"), item.frame.image)).max(-1)
    assert (off > 60).mean() < 0.06
    held = item.frame.maps.located(size)
    for index in range(2):
        assert (off[held[index]] > 60).mean() < 0.12  # at the edges
    assert len(staging.placed) == 2


def told(name, box, **more):
    return {"name": name, "box": list(box), "angle": 0, "turned": False, "mirrored": False, **more}


def test_everybody_stays_as_they_are_seen_when_one_is_moved(studio, shown):  # noqa: F811
    item = shown[1]
    asked = arranging.asked_of(studio, item)
    before = studio.sketches.staging(asked, Layout()).placed
    objects = [told(one.name, one.box, angle=one.angle, mirrored=one.mirrored) for one in before]
    steering = arranging.arranged(studio, item, Steering(), {"objects": objects}, 1.0)
    after = studio.sketches.staging(asked, steering.layout).placed
    for one, other in zip(before, after, strict=True):
        assert other.box == pytest.approx(one.box, abs=2e-3) and other.mirrored == one.mirrored
    flipped = [one | {"mirrored": not one["mirrored"], "angle": 30, "turned": True} for one in objects]
    steering = arranging.arranged(studio, item, Steering(), {"objects": flipped}, 1.0)
    turned = studio.sketches.staging(asked, steering.layout).placed
    assert all(one.mirrored != other.mirrored for one, other in zip(before, turned, strict=True))
    assert [one.angle for one in turned] == pytest.approx([30, 30], abs=0.06)


def test_what_comes_from_the_page_is_a_layout_or_one_sentence(studio, shown):  # noqa: F811
    item, before = shown[1], Steering(Layout((Place("Fern", (0, 0, 0.5, 1)),), flip=("Fern",)))
    keep = arranging.arranged(studio, item, before, {"objects": [told("Nobody", (0, 0, 1, 1)), 7], "free": "x"}, 1.0)
    assert keep == before
    freed = arranging.arranged(studio, item, before, {"free": ["Fern"]}, 1.0)
    assert freed == Steering()
    asked = replace(before, from_sketch=FromSketch.read("layout 0.4"), router=False)
    freed = arranging.arranged(studio, item, asked, {"free": ["Fern"]}, 1.0)
    assert freed == replace(asked, layout=Layout()), "what a model is told stays"
    firm = Layout(before.layout.places, 0.4, 0.1, 0.6)
    freed = arranging.arranged(studio, item, replace(before, layout=firm), {"free": ["Fern"]}, 1.0)
    assert freed.layout == Layout((), 0.4, 0.1, 0.6), "how firmly and when stays, for the places of the sketch"
    again = arranging.arranged(studio, item, freed, {"objects": [told("Fern", (0, 0, 0.5, 1))]}, 0.5)
    assert (again.layout.strength, again.layout.start, again.layout.end) == (0.4, 0.1, 0.6)
    begun = arranging.arranged(studio, item, Steering(), {"objects": [told("Fern", (0, 0, 0.5, 1))]}, 0.5)
    assert begun.layout.strength == 0.5
    assert arranging.arranged(studio, item, begun, {"free": ["Fern"]}, 0.5) == Steering()
    for box in (["x", 0, 1, 1], [2, 0, 3, 1], [0.5, 0.5, 0.5, 0.5]):
        with pytest.raises(ValueError, match="The box of Fern"):
            arranging.arranged(studio, item, before, {"objects": [told("Fern", box)]}, 1.0)
    with pytest.raises(ValueError, match="The turn of Fern must be a number"):
        one = told("Fern", (0, 0, 0.5, 1), angle="x", turned=True)
        arranging.arranged(studio, item, before, {"objects": [one]}, 1.0)


def test_names_and_words_are_escaped_for_the_browser(studio, shown):  # noqa: F811
    evil = "<img src=x onerror=alert(1)>' "
    item = shown[0]
    panel = replace(item.panel, prompt=evil)
    script = replace(item.job.script, panels=(panel, *item.job.script.panels[1:]))
    item = replace(item, job=replace(item.job, script=script))
    assert evil not in arranging.figure(item, words) and "<img src=x" not in arranging.figure(item, words)
