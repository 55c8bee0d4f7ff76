"""The desk: correct the routing of a frame, choose among others, pin, and read how alike everyone is; and who is where
in a picture of somebody's own."""

import re
import shutil
import zipfile

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import expect

from anystory.maps.consistency import Consistency, Look
from anystory.project.folder import Project
from anystory.render.locating import Located
from anystory.story.model import BACKGROUND
from anystory.story.steering import SIDE, Layout, Place, Steering
from tests.app.steps import EXAMPLE, few_steps, frames, open_part, pictures, saved, settle, upload, write
from ui import desk, finder
from ui.previews import FOLDER, PREVIEWS
from ui.studio import TRIES
from ui.words import words

NAMES = ("Fern", "Bruno")
TOLD = {
    "layout": [],
    "strength": "0.5",
    "start": "0",
    "end": "100",
    "first": "",
    "last": "",
    "router": True,
    "seed": "7",
}
PAINT = "1" * SIDE + "0" * SIDE * (SIDE - 1)


def paint(page, *shares):
    """A stroke over the board through points given as shares of it."""
    board = page.locator("#routing canvas")
    board.scroll_into_view_if_needed()
    area = board.bounding_box()
    at = [(area["x"] + x * area["width"], area["y"] + y * area["height"]) for x, y in shares]
    page.mouse.move(*at[0])
    page.mouse.down()
    for point in at[1:]:
        page.mouse.move(*point, steps=4)
    page.mouse.up()


def test_a_panels_routing_is_corrected_and_one_of_its_variants_taken_and_pinned(page):
    upload(page, EXAMPLE / "fern.png", EXAMPLE / "bruno.png")
    expect(page.locator("img.cutout")).to_have_count(2)
    write(page, "Fern and Bruno in the forest\n[NC] the sea")
    few_steps(page, 2)
    page.locator("#render").click()
    expect(frames(page)).to_have_count(2)
    settle(page)
    script = page.locator("#script textarea")
    frames(page).first.click()
    first, sea = pictures(page)

    open_part(page, "routing")
    expect(page.locator("#routing [data-who]")).to_have_text(["Fern", "Bruno", "background"])
    page.locator('#routing [data-who="1"]').click()
    paint(page, (0.6, 0.2), (0.9, 0.8))
    page.locator('#routing [data-who="0"]').click()
    page.locator('#routing [data-tool="box"]').click()
    paint(page, (0.05, 0.25), (0.45, 0.95))
    expect(page.locator('#routing [data-edge="0"]')).to_have_value("5")
    page.locator('#routing [data-edge="0"]').fill("0")
    page.locator("#routing summary").click()
    page.locator('#routing [data-strength="eta"][data-name="Fern"]').fill("1.5")
    expect(page.locator("#routing .strengths .hint")).to_have_count(len(PREVIEWS))
    expect(page.locator("#routing .preview img")).to_have_count(sum(map(len, PREVIEWS.values())))
    page.locator('#routing [name="strength"]').fill("0.8")
    page.locator('#routing [name="end"]').fill("50")
    page.locator('#routing [data-act="steer"]').click()
    expect(script).to_have_value(
        re.compile(
            r"^\[seed: 0\] \[layout: Fern 0 0\.25 0\.45 0\.95; Bruno paint:\S+; strength 0\.8; steps 0 0\.5\] "
            r"\[eta: Fern 1\.5\] Fern and Bruno in the forest\n\[NC\] the sea$"
        )
    )
    settle(page)
    expect(page.locator(".opened .number")).to_contain_text("Panel 1")
    expect(page.locator("#gallery img").first).not_to_have_attribute("src", re.compile(re.escape(first.split("/")[-1])))
    steered, still = pictures(page)
    assert steered != first and still == sea
    expect(page.locator('#routing [data-edge="0"]')).to_have_value("0")

    open_part(page, "takes")
    expect(page.locator("#takes [data-key]")).to_have_count(1)
    page.locator("#takes .count").select_option("2")
    page.locator('#takes [data-act="vary"]').click()
    expect(page.locator("#takes [data-key]")).to_have_count(3)
    settle(page)
    assert pictures(page) == [steered, sea], "variants change no frame that is there"
    seed = page.locator("#takes [data-key] span").first.inner_text().split()[-1]
    page.locator("#takes [data-key]").first.click()
    expect(page.locator("#takes .after")).to_be_visible()
    page.locator("#takes .slide").fill("80")
    expect(page.locator("#takes .two")).to_have_attribute("style", re.compile(r"--at: 80%"))
    page.locator('#takes [data-act="pick"]').click()
    expect(page.locator(".opened .number")).to_contain_text(f"seed {seed}")
    expect(script).to_have_value(re.compile(rf"^\[seed: {seed}\] \[layout: Fern"))
    assert pictures(page)[0] not in (first, steered) and pictures(page)[1] == sea

    expect(page.locator('#routing [name="seed"]')).to_have_value(seed)
    page.locator('#routing [name="seed"]').fill("0")
    page.locator('#routing [data-act="steer"]').click()
    expect(script).to_have_value(re.compile(r"^\[seed: 0\] \[layout: Fern"))
    settle(page)
    expect(page.locator(".opened .number")).to_contain_text("seed 0")
    taken = pictures(page)
    assert taken == [steered, sea], "the same seed and layout give the same frame"

    page.locator('#takes [data-act="pin"]').click()
    expect(page.locator('#takes [data-act="pin"]')).to_have_attribute("aria-pressed", "true")
    expect(page.locator('#takes [data-act="pin"]')).to_have_text("Unpin")
    expect(page.locator("#gallery .pinned")).to_have_count(1)
    page.locator('#routing [data-act="steer"]').click()
    expect(page.locator("#desk-notice")).to_contain_text("Panel 1 is pinned")
    page.locator("#again").click()
    expect(page.locator("#again-refused")).to_contain_text("Panel 1 is pinned")
    page.locator("#render").click()
    settle(page)
    expect(page.locator("#again-refused")).to_be_empty()
    assert pictures(page) == taken, "nothing is made that is there"

    open_part(page, "alike")
    page.locator("#ask-alike").click()
    expect(page.locator("#alike")).to_contain_text("The whole story")
    expect(page.locator("#alike svg").first).to_have_attribute("aria-label", re.compile("Fern"))
    expect(page.locator("#alike .weakest")).to_contain_text("Look at panel 1 first")

    page.locator('#takes [data-act="pin"]').click()
    expect(page.locator('#takes [data-act="pin"]')).to_have_attribute("aria-pressed", "false")
    expect(page.locator("#gallery .pinned")).to_have_count(0)
    page.locator("#again").click()
    expect(page.locator(".opened .number")).not_to_contain_text("seed 0")
    settle(page)
    assert pictures(page)[0] != taken[0] and pictures(page)[1] == sea
    expect(page.locator("#alike svg")).to_have_count(0)  # it was about the frame before


def test_every_frame_has_a_board_of_its_own(page):
    upload(page, EXAMPLE / "fern.png", EXAMPLE / "bruno.png")
    expect(page.locator("img.cutout")).to_have_count(2)
    write(page, "Fern in the forest\nFern and Bruno at the sea\n[NC] night")
    few_steps(page, 2)
    page.locator("#render").click()
    expect(frames(page)).to_have_count(3)
    settle(page)
    frames(page).nth(0).click()
    open_part(page, "routing")
    expect(page.locator("#routing [data-who]")).to_have_text(["Fern", "background"])
    page.locator("#routing summary").click()
    eta, seed = page.locator('#routing [data-strength="eta"][data-name="Fern"]'), page.locator('#routing [name="seed"]')
    eta.fill("2")
    expect(seed).to_have_value("0")
    seed.fill("9")
    page.locator('#routing [name="router"]').uncheck()
    paint(page, (0.1, 0.1), (0.3, 0.3))

    frames(page).nth(2).click()
    expect(page.locator("#routing")).to_contain_text("Nobody is in this panel")
    frames(page).nth(1).click()
    expect(page.locator("#routing [data-who]")).to_have_text(["Fern", "Bruno", "background"])
    expect(seed).to_have_value("1")
    expect(eta).to_have_value("")
    expect(eta).to_be_visible()
    expect(page.locator('#routing [name="router"]')).to_be_checked()
    page.locator('#routing [data-who="2"]').click()
    page.locator('#routing [data-tool="box"]').click()
    paint(page, (0.05, 0.05), (0.95, 0.5))
    page.locator('#routing [name="first"]').fill("0")
    page.locator('#routing [name="last"]').fill("80")
    page.locator('#routing [data-strength="gamma"][data-name="Bruno"]').fill("-1")
    page.locator('#routing [name="router"]').uncheck()
    page.locator('#routing [data-act="steer"]').click()
    script = re.compile(
        r"^Fern in the forest\n\[seed: 1\] \[layout: (Fern paint:\S+; )?(Bruno paint:\S+; )?"
        r"background 0\.05 0\.05 0\.95 0\.5; strength 0\.5\] \[gamma: Bruno -1\] "
        r"\[reference_steps: 0 0\.8\] \[router: false\] Fern and Bruno at the sea\n\[NC\] night$"
    )
    expect(page.locator("#script textarea")).to_have_value(script)
    settle(page)


def test_trying_seeds_is_stopped_and_the_frames_there_are_stay(page, out, tmp_path):
    twin = shutil.copyfile(EXAMPLE / "fern.png", tmp_path / "twin.png")
    upload(page, EXAMPLE / "fern.png", twin)
    expect(page.locator("img.cutout")).to_have_count(2)
    # The two look alike and nothing names them: under every seed one holds what both should, so no frame ever passes.
    write(page, "[size: 128] [Fern, Twin] a forest of seeds\n[NC] the sea")
    few_steps(page, 60)  # more than a slow browser leaves the model time for, eight times
    page.locator("#render").click()
    expect(frames(page)).to_have_count(2)
    settle(page)
    frames(page).first.click()
    expect(page.locator("#verdict .doubt")).to_be_visible()
    sea = pictures(page)[1]

    page.locator("#retry").click()
    expect(page.locator("#progress .where")).to_contain_text("Panel 1, another seed")
    page.locator("#stop").click()
    expect(page.locator("#progress")).to_contain_text("Stopped. Finished frames are kept.")
    settle(page)
    (story,) = [file.parent for file in out.glob("*/story.json") if "forest of seeds" in file.read_text()]
    assert 1 <= Project(story).entries[1].tries < 1 + TRIES, "it ended before all seeds were tried"
    assert len(pictures(page)) == 2 and pictures(page)[1] == sea
    expect(page.locator("#verdict .doubt")).to_be_visible()
    expect(page.locator("#retry")).to_be_enabled()


def test_what_the_board_tells_is_a_steering_and_nothing_else_passes():
    told = TOLD | {
        "layout": [
            {"name": "Fern", "box": [0, 0.2, 0.5, 1], "paint": ""},
            {"name": "Bruno", "box": None, "paint": PAINT},
            {"name": BACKGROUND, "box": None, "paint": ""},
        ],
        "eta": {"Fern": "1.5", "Bruno": ""},
        "gamma": {"Bruno": "-2"},
        "start": "25",
        "first": "0",
        "last": "80",
        "router": False,
    }
    found = desk.steering(told, NAMES)
    row = np.zeros((SIDE, SIDE))
    row[0] = 1
    box, held = found.layout.places
    assert box == Place("Fern", (0, 0.2, 0.5, 1)) and (held.region() == row).all()
    assert found == Steering(
        Layout((box, held), 0.5, 0.25, 1), (("Fern", 1.5),), (("Bruno", -2.0),), (0, 0.8), router=False
    )
    assert desk.steering(TOLD, NAMES) == Steering() and desk.seed(TOLD) == 7


@pytest.mark.parametrize(
    ("entry", "more", "says"),
    [
        ({"name": "Fern", "paint": "2" * SIDE * SIDE}, {}, "The paint of Fern is damaged; paint it again."),
        ({"name": "Fern", "box": [0, 0, 3, 1]}, {}, "The box of Fern is 0 0 3 1; its numbers"),
        ({"name": "Fern", "paint": PAINT}, {"strength": ""}, "The strength of the layout must be a number, not ''."),
        ({"name": "Fern", "paint": PAINT}, {"start": "90", "end": "10"}, "The layout's steps are 0.9 to 0.1"),
        ({}, {"eta": {"Fern": "9"}}, "The eta of Fern is 9; it must be between 0 and 4."),
        ({}, {"first": "10"}, "The reference_steps must be 2 numbers"),
    ],
)
def test_what_cannot_be_asked_is_one_sentence(entry, more, says):
    with pytest.raises(ValueError, match=re.escape(says)):
        desk.steering(TOLD | {"layout": [entry]} | more, NAMES)


@pytest.mark.parametrize("seed", ["", "x", "1.5", "-1", str(2**32), "inf", "nan", None])
def test_a_seed_is_a_whole_number_within_bounds(seed):
    with pytest.raises(ValueError, match="The seed"):
        desk.seed({"seed": seed})


def test_takes_of_one_seed_are_told_apart():
    assert desk.labels([7, 5, 7, 0, 7]) == ["7 · 3", "5", "7 · 2", "0", "7 · 1"]
    assert desk.labels([]) == []


def test_charts_say_in_words_what_they_show_and_escape_names():
    found = Consistency({1: (Look("<b>", 0.5, 0.25), Look("Bruno", None, None)), 2: (Look("Bruno", 0.9, 0.5),)})
    shown = desk.alike(found, 1, ("<b>", "Bruno"), words(None))
    assert "&lt;b&gt;: 0.50 alike. 25 % copied." in shown and "Bruno is not there." in shown and "<b>" not in shown
    assert "Look at panel 1 first" in shown
    assert "svg" not in desk.alike(Consistency({1: ()}), 1, (), words(None))


def test_a_picture_is_dropped_and_who_of_the_cast_is_where_taken_home(page, tmp_path):
    def drop(path):
        page.locator("#find-drop input[type=file]").set_input_files(str(path))

    page.locator("#finder button").first.click()
    drop(EXAMPLE / "pip.png")
    expect(page.locator("#found")).to_contain_text("There is nobody to look for")
    upload(page, EXAMPLE / "fern.png", EXAMPLE / "bruno.png")
    expect(page.locator("img.cutout")).to_have_count(2)
    drop(EXAMPLE / "pip.png")
    expect(page.locator("#found li")).to_contain_text(["Fern: ", "Bruno: "])
    file = saved(page, "#download-masks", tmp_path)
    with zipfile.ZipFile(file) as archive:
        assert sorted(archive.namelist()) == ["bruno-mask.png", "fern-mask.png", "overlay.png"]
        with archive.open("fern-mask.png") as mask:
            assert Image.open(mask).size == Image.open(EXAMPLE / "pip.png").size
    broken = tmp_path / "broken.png"
    broken.write_bytes(b"no picture")
    drop(broken)
    expect(page.locator("#found .notice")).to_contain_text("broken.png")
    expect(page.locator("#download-masks")).to_have_count(0)


def test_what_was_found_is_told_with_names_escaped_and_in_the_casts_colours():
    half = Image.new("L", (4, 2))
    half.paste(255, (0, 0, 2, 2))
    found = Located(("<b>", "Bruno"), (half, Image.new("L", (4, 2))), Image.new("RGB", (4, 4)))
    shown = finder.shown(found, ("Fern", "<b>", "Bruno"), "And more.", words(None))
    assert "&lt;b&gt;: 50 % of the picture" in shown and "Bruno: 0 % of the picture" in shown and "<b>" not in shown
    assert "--who:#56b4e9" in shown and "--who:#e69f00" not in shown and "And more." in shown
    assert found.shares == {"<b>": 0.5, "Bruno": 0} and set(found.files) == {
        "b-mask.png",
        "bruno-mask.png",
        "overlay.png",
    }


def test_every_strength_has_its_previews_small_and_of_one_size():
    shown = [preview for previews in PREVIEWS.values() for preview in previews]
    assert {preview.image for preview in shown} == set(FOLDER.glob("*.webp"))
    assert {Image.open(preview.image).size for preview in shown} == {(128, 128)}
    assert sum(path.stat().st_size for path in FOLDER.glob("*.webp")) < 60_000
    assert len({path.read_bytes() for path in FOLDER.glob("*.webp")}) == 10, "every value shows something else"
