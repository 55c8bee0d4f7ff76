"""The cast in a real browser: cards that come, go, move and are written on."""

import re

from playwright.sync_api import expect

from tests.app.steps import EXAMPLE, frames, saved, settle, upload, write


def test_cards_are_written_on_while_others_come_move_and_go(page):
    upload(page, EXAMPLE / "bruno.png")
    expect(page.locator("img.cutout")).to_have_count(1)
    name = page.locator("#actor-1 .name input")
    name.fill("")
    name.press_sequentially("Big ")
    upload(page, *(EXAMPLE / f"{who}.png" for who in ("fern", "pip", "lola")))
    name.press_sequentially("bear")  # and not a letter of it lost, nor the place to type
    expect(page.locator("img.cutout")).to_have_count(4)
    name.press_sequentially(" Otto")
    expect(name).to_be_focused()
    expect(name).to_have_value("Big bear Otto")
    write(page, "Big bear Otto and Pip")
    expect(page.locator("#reading .chip")).to_have_text(["Big bear Otto", "Pip"])
    name.fill("  ")
    page.locator("#actor-2 .words input").fill("a small dragon ")
    expect(name).to_have_value("Big bear Otto")

    page.locator("#actor-3 .up").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#actor-2 .name input")).to_have_value("Pip")
    expect(page.locator("#actor-2 .up")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#actor-1 .name input")).to_have_value("Pip")
    expect(page.locator("#actor-1")).to_be_focused()
    expect(page.locator("#actor-1 .up")).to_be_disabled()
    expect(page.locator("#reading .chip")).to_have_text(["Pip", "Big bear Otto"])
    expect(page.locator("#actor-3 .words input")).to_have_value("a small dragon ")
    page.locator("#actor-2 .remove").click()
    expect(page.locator("img.cutout")).to_have_count(3)
    expect(page.locator("#actor-2")).to_be_focused()
    expect(page.locator("#actor-2 .words input")).to_have_value("a small dragon ")
    expect(page.locator("#reading .chip")).to_have_text(["Pip"])

    page.locator("#actor-1 .name input").fill("Chick")
    page.locator("#actor-1 .name input").press("Enter")
    expect(page.locator("#script textarea")).to_have_value("Big bear Otto and Chick")
    page.locator("#cast-renamed button").click()
    expect(page.locator("#script textarea")).to_have_value("Big bear Otto and Pip")
    expect(page.locator("#actor-1 .name input")).to_have_value("Pip")
    expect(page.locator("#cast-renamed .renamed")).to_have_count(0)

    page.locator("#shelf summary").focus()  # the drawer stands open: Enter closes it, and opens it again
    page.keyboard.press("Enter")
    page.keyboard.press("Enter")
    expect(page.locator("#shelf input")).to_be_focused()
    page.keyboard.type("seal")
    expect(page.locator("#shelf button:visible")).to_have_text(["Selma"])
    page.keyboard.press("Enter")
    expect(page.locator("#actor-4 .name input")).to_have_value("Selma")
    expect(page.locator("#actor-4 .words input")).to_have_value("a pale grey seal")
    expect(page.locator("#actor-4 img.cutout")).to_be_visible()


def test_what_was_just_typed_is_what_ctrl_enter_renders(page, tmp_path):
    page.locator("#describe").click()
    page.locator("#actor-1 .words input").fill("a big bear")
    page.locator("#describe").click()
    expect(page.locator("#actor-1 .likeness")).to_have_count(4)
    expect(page.locator("#actor-1 .likenesses")).to_be_hidden()  # a model draws from the words itself
    page.locator("#actor-2 .remove").click()
    name = page.locator("#actor-1 .name input")
    broken = tmp_path / "broken.png"
    broken.write_bytes(b"no picture")
    page.locator("#actor-1 .replace input").set_input_files(str(broken))
    expect(page.locator("#cast-notice .notice")).to_contain_text(re.compile(r"broken\.png"))
    page.locator("#actor-1 .replace input").set_input_files(str(EXAMPLE / "fern.png"))
    expect(page.locator("#actor-1 img.cutout")).to_be_visible()
    expect(page.locator("#actor-1")).not_to_have_attribute("aria-busy", "true")
    expect(page.locator("#cast-notice .notice")).to_have_count(0)
    write(page, "Mia walks")
    name.fill("Mia")
    name.press("Control+Enter")
    expect(frames(page)).to_have_count(1)
    settle(page)
    page.locator("#see input").check()
    expect(page.locator("#who")).to_contain_text("Mia")


def test_a_character_has_several_pictures_each_with_its_mask(page, tmp_path):
    upload(page, EXAMPLE / "bruno.png")
    expect(page.locator("#actor-1 img.cutout")).to_have_count(1)
    album, first = page.locator("#actor-1 .album img"), page.locator("#actor-1 img.cutout").get_attribute("src")
    page.locator("#actor-1 .more input").set_input_files([str(EXAMPLE / f"{who}.png") for who in ("fern", "pip")])
    expect(album).to_have_count(2)
    expect(page.locator(".actor")).to_have_count(1)
    automatic, other = (album.nth(k).get_attribute("src") for k in range(2))

    page.locator("#actor-1 .album .mask").first.click()
    expect(page.locator("#mask-editor h3")).to_have_text("Mask: Bruno (2)")
    canvas = page.locator("#canvas canvas").first
    expect(canvas).to_be_visible()
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y - 60)
    page.mouse.down()
    page.mouse.move(x, y + 60, steps=8)
    page.mouse.up()
    expect(album.first).not_to_have_attribute("src", automatic)
    expect(album.last).to_have_attribute("src", other)
    expect(page.locator("#actor-1 img.cutout")).to_have_attribute("src", first)
    brushed = album.first.get_attribute("src")

    page.locator("#actor-1 .album .unpicture").last.click()
    expect(album).to_have_count(1)
    expect(page.locator("#mask-editor").first).to_be_visible()
    page.locator("#title input").fill("Album")
    expect(page.locator(".story .name")).to_have_text("Album")
    expect(page.locator(".story .kept.saved time")).to_be_visible()
    file = saved(page, "#story-save", tmp_path)
    page.locator("#story-new").click()
    expect(page.locator(".actor")).to_have_count(0)
    page.locator("#drop input[type=file]").set_input_files(str(file))
    expect(album).to_have_count(1)
    expect(album).to_have_attribute("src", brushed)
    expect(page.locator("#actor-1 img.cutout")).to_have_attribute("src", first)
    page.locator("#actor-1 .album .unpicture").click()
    expect(album).to_have_count(0)


def test_a_card_keeps_where_a_picture_looks_and_how_tall_it_is(page):
    upload(page, EXAMPLE / "bruno.png", EXAMPLE / "fern.png")
    expect(page.locator("img.cutout")).to_have_count(2)
    looks, height = page.locator("#actor-2 select"), page.locator("#actor-2 .height input")
    expect(looks.locator("option:checked")).to_have_text("looks: guessed")
    looks.select_option("left")
    height.fill("2.5")
    height.press("Enter")
    height.fill("1000")  # no height: it stays as it was
    page.locator("#actor-1 .height input").focus()
    expect(height).to_have_value("2.5")
    page.locator("#actor-2 .up").click()
    expect(page.locator("#actor-1 .name input")).to_have_value("Fern")
    expect(page.locator("#actor-1 select")).to_have_value("left")
    expect(page.locator("#actor-2 select")).to_have_value("")
    expect(page.locator("#actor-1 .height input")).to_have_value("2.5")
    expect(page.locator(".story time")).to_be_visible()
    page.reload()
    expect(page.locator("#actor-1 select")).to_have_value("left")
    expect(page.locator("#actor-1 .height input")).to_have_value("2.5")
    page.locator("#actor-1 .replace input").set_input_files(str(EXAMPLE / "pip.png"))
    expect(page.locator("#actor-1 select")).to_have_value("")
    expect(page.locator("#actor-1 .height input")).to_have_value("2.5")
