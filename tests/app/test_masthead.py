"""The head of the page: the tour, day and night, and the languages."""

import re

import pytest
from playwright.sync_api import expect

from ui.strings import LANGUAGES, translations
from ui.words import t


def test_a_visitor_is_shown_around_with_the_example_and_the_night_stays(page):
    guide = page.locator("#tour .guide")
    expect(guide).to_be_hidden()
    page.locator("#tour-start").click()
    expect(page.locator("img.cutout")).to_have_count(4)
    seen = set()
    for number in range(1, 5):
        expect(guide.locator(".count")).to_have_text(f"{number} / 4")
        expect(guide.locator("p:visible")).to_have_count(1)
        seen.add(guide.locator("p:visible").inner_text())
        expect(page.locator(".tour-stop")).to_have_count(1)
        if number < 4:
            guide.locator(".next").click()
    assert len(seen) == 4
    expect(guide.locator(".next")).to_be_hidden()
    page.keyboard.press("Escape")
    expect(guide).to_be_hidden()
    expect(page.locator(".tour-stop")).to_have_count(0)

    switch, body = page.locator("#light button"), page.locator("body")
    expect(switch).to_have_attribute("aria-label", "Day or night")
    switch.click()
    expect(body).to_have_class(re.compile(r"\bdark\b"))
    page.reload()
    expect(page.locator(".model.ready")).to_be_visible()
    expect(body).to_have_class(re.compile(r"\bdark\b"))
    expect(page.locator("#light button")).to_have_attribute("aria-pressed", "true")


@pytest.mark.parametrize("asked, code", [("es-AR", "es"), ("zh-TW", "zh-CN")])
def test_a_browser_sees_its_language_everywhere(browser, address, asked, code):
    context = browser.new_context(locale=asked)
    page = context.new_page()
    page.goto(address)
    expect(page.locator(".model.ready")).to_be_visible()
    own = translations()[code]
    for where, key in (("#masthead p", "app.tagline"), ("#example", "app.example"), ("#cast-sheet h2", "cast.heading")):
        expect(page.locator(where).first).to_have_text(own[key])
    expect(page.locator("#cast-sheet h2 + p")).to_have_text(own["cast.about"])
    expect(page.locator("#light button")).to_have_attribute("title", own["app.light"])
    expect(page.locator("#banner")).to_contain_text(own["model.banner"].format(name="mini", size=64, count=4))
    expect(page.locator("html")).to_have_attribute("lang", code)
    assert "__i18n__" not in page.locator("body").inner_html()
    context.close()


def test_words_are_known_or_refused():
    assert t("cast.name") != t("cast.heading")
    with pytest.raises(KeyError, match=r"cast\.nme"):
        t("cast.nme")
    assert set(translations()) == set(LANGUAGES)
