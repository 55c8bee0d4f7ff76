"""The script in two views: the text and the cards of its panels, each following the other."""

import re

from playwright.sync_api import expect

from tests.app.steps import settle, write


def text_of(page):
    return page.locator("#script textarea")


def card(page, number):
    return page.locator(f'#reading .panel[data-number="{number}"]')


def test_what_is_typed_in_one_view_shows_in_the_other(page):
    page.locator("#example").click()
    expect(page.locator("#reading .panel")).to_have_count(4)
    write(page, "# mine\nBruno walks  # Early\n\nFern and Pip sit\n# end")
    expect(page.locator("#reading .panel")).to_have_count(2)

    prompt = card(page, 1).locator(".prompt")
    prompt.click()
    prompt.press("End")
    prompt.press_sequentially(" with Lola ")
    expect(text_of(page)).to_have_value("# mine\nBruno walks with Lola  # Early\n\nFern and Pip sit\n# end")
    expect(card(page, 1).locator(".chip")).to_have_text(["Bruno", "Lola"])
    prompt.press_sequentially("at dusk")
    expect(text_of(page)).to_have_value(re.compile("walks with Lola at dusk  # Early"))
    expect(prompt).to_be_focused()
    expect(prompt).to_have_value("Bruno walks with Lola at dusk")

    card(page, 1).locator('[data-name="Fern"]').click()
    expect(card(page, 1).locator(".chip")).to_have_text(["Bruno", "Fern", "Lola"])
    expect(card(page, 1).locator('[data-name="Fern"]')).to_be_focused()
    card(page, 2).locator(".say").click()
    said = card(page, 2).locator("[data-field=say]")
    expect(said).to_be_focused()
    said.fill("Half for you!")
    card(page, 2).locator("[data-field=who]").select_option("Pip")
    card(page, 2).locator("summary").click()
    card(page, 2).locator(".seed").fill("7")
    card(page, 2).locator(".size").fill("48")
    card(page, 2).locator(".style").fill("Line art")
    card(page, 2).locator(".caption").fill("Noon")
    expect(text_of(page)).to_have_value(
        "# mine\n[Bruno, Fern, Lola] Bruno walks with Lola at dusk  # Early\n\n"
        "[style: Line art] [seed: 7] [size: 48] Fern and Pip sit  # Noon\n> Pip: Half for you!\n# end"
    )

    card(page, 1).locator(".down").click()
    expect(text_of(page)).to_have_value(re.compile(r"^# mine\n\[style: Line art\].*\n> Pip: .*\n\n\[Bruno, Fern"))
    expect(card(page, 2).locator(".up")).to_be_focused()
    card(page, 2).locator(".number").drag_to(card(page, 1).locator(".number"))
    expect(card(page, 1).locator(".prompt")).to_have_value("Bruno walks with Lola at dusk")
    card(page, 1).locator(".copy").click()
    expect(page.locator("#reading .panel")).to_have_count(3)
    card(page, 3).locator(".add").click()
    expect(card(page, 4).locator(".prompt")).to_be_focused()
    card(page, 4).locator(".prompt").press_sequentially("the sea")
    expect(text_of(page)).to_have_value(re.compile(r"> Pip: Half for you!\n\[NC\] the sea\n# end$"))
    card(page, 2).locator(".remove").click()
    expect(page.locator("#reading .panel")).to_have_count(3)
    card(page, 2).locator(".unsay").click()
    expect(page.locator("#reading .said")).to_have_count(0)

    write(page, "[NC] the sea")
    expect(page.locator("#reading .panel")).to_have_count(1)
    card(page, 1).locator(".prompt").press("End")
    card(page, 1).locator(".prompt").press_sequentially(" at dawn")
    card(page, 1).locator(".prompt").press("Control+Enter")
    expect(page.locator(".opened .prompt")).to_have_text("the sea at dawn")
    settle(page)

    write(page, "Pip sits")
    expect(card(page, 1).locator(".chip")).to_have_text(["Pip"])
    text_of(page).press("End")
    text_of(page).press_sequentially("!")
    expect(text_of(page)).to_be_focused()
    page.locator("#reading .go").filter(has_text="Pip").click()
    assert page.evaluate("document.activeElement.value") == "Pip"


def test_a_card_makes_yaml_plain_and_its_presets_stay(page):
    write(page, 'style: Crayon\nstyles: {Crayon: "{prompt}, in crayon"}\npanels: [the sea, the sky]')
    expect(page.locator("#reading .panel")).to_have_count(2)
    card(page, 1).locator(".caption").fill("Hi")
    expect(text_of(page)).to_have_value("style: Crayon\n\nthe sea  # Hi\nthe sky")
    page.locator("#style input").click()
    expect(page.get_by_role("option", name="Crayon")).to_be_visible()


def test_wildcards_fixes_and_ideas(page):
    page.locator("#ideas summary").click()
    expect(page.locator("#ideas")).to_contain_text("Add a character first")
    page.locator("#example").click()
    expect(page.locator("#reading .panel")).to_have_count(4)
    write(page, "Bruno sits __plac__\n[Frn] sleeps\n[size: 60] Pip")
    expect(card(page, 1).locator(".fix")).to_have_text("Write __place__")
    card(page, 1).locator(".fix").click()
    expect(card(page, 1).locator(".becomes")).to_have_text(re.compile("Becomes: Bruno sits [^_]+$"))
    card(page, 2).locator(".fix").click()
    card(page, 3).locator(".fix").click()
    old = "Bruno sits __place__\n[Fern] sleeps\n[size: 56] Pip"
    expect(text_of(page)).to_have_value(old)
    card(page, 3).locator(".dice").click()
    expect(text_of(page)).to_have_value(re.compile(r"\[seed: \d+\] \[size: 56\] Pip$"))
    rolled = text_of(page).input_value()

    page.locator("#ideas summary").click()
    page.locator("#ideas button").filter(has_text="The longest day").click()
    expect(text_of(page)).to_have_value(re.compile("^Bruno wakes up at sunrise # It began early\n"))
    page.get_by_role("button", name="Put the old text back").click()
    expect(text_of(page)).to_have_value(rolled)

    page.set_viewport_size({"width": 390, "height": 844})
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
