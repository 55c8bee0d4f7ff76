"""How the page looks to whoever sees little of it: contrast by day and by night, a phone, nothing that jumps."""

import re

import pytest
from playwright.sync_api import expect

from tests.app.steps import EXAMPLE, frames, settle, upload, write
from ui.theme import STYLES

FAINT = """() => {
  // WCAG 2: the contrast of each text with what is behind it; pictures behind are left out, and what is disabled.
  const rgba = (css) => {
    const [r, g, b, a = 1] = css.startsWith("color(srgb")
      ? css.match(/[\\d.]+/g).map(Number).map((value, index) => index < 3 ? 255 * value : value)
      : css.match(/[\\d.]+/g).map(Number);
    return [r, g, b, a];
  };
  const over = ([r, g, b, a], under) => [r, g, b].map((value, k) => a * value + (1 - a) * under[k]);
  const light = (colour) => colour.map((value) => value / 255)
    .map((value) => value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4)
    .reduce((sum, value, k) => sum + value * [0.2126, 0.7152, 0.0722][k], 0);
  const found = {};
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const element = node.parentElement, box = element.getBoundingClientRect();
    if (!node.data.trim() || ["SCRIPT", "STYLE", "OPTION", "TITLE"].includes(element.nodeName)) continue;
    if (!element.checkVisibility({opacityProperty: true, visibilityProperty: true})) continue;
    if (box.width < 2 || box.height < 2) continue;
    if (getComputedStyle(element).fontSize === "0px") continue;
    if (element.closest(":disabled, [aria-disabled=true], .unseen")) continue;
    const layers = [];
    let opacity = 1, solid = null;
    for (let up = element; up && !solid; up = up.parentElement) {
      const style = getComputedStyle(up), ground = rgba(style.backgroundColor);
      opacity *= Number(style.opacity);
      if (style.backgroundImage !== "none") { solid = "picture"; break; }
      layers.push(ground);
      if (ground[3] === 1) solid = ground;
    }
    if (solid === "picture") continue;
    const behind = layers.reverse().reduce((under, layer) => over(layer, under), [255, 255, 255]);
    const ink = rgba(getComputedStyle(element).color);
    const two = [light(over([ink[0], ink[1], ink[2], ink[3] * opacity], behind)), light(behind)].sort((a, b) => b - a);
    const contrast = (two[0] + 0.05) / (two[1] + 0.05);
    const where = `${element.closest("[id]")?.id} ${element.nodeName}.${element.className}`;
    if (contrast < 4.5) found[`${where} ${node.data.trim().slice(0, 30)}`] = contrast.toFixed(2);
  }
  return found;
}"""

CUT_OFF = """() => [...document.querySelectorAll("button, a, label, h2, p, input, select, textarea, img")]
  .filter((element) => element.checkVisibility({visibilityProperty: true}) && !element.closest(".examples, .unseen"))
  .map((element) => [element, element.getBoundingClientRect()])
  .filter(([, box]) => box.width > 1 && (box.right > innerWidth + 1 || box.left < -1))
  .map(([element]) => `${element.nodeName}#${element.id}.${element.className} ${element.textContent.slice(0, 30)}`)"""

CLIPPED = """() => [...document.querySelectorAll("#drop, #drop button, .own input")]
  .filter((element) => element.checkVisibility({visibilityProperty: true}))
  .filter((one) => one.scrollHeight > one.clientHeight + 1 || one.scrollWidth > one.clientWidth + 1)
  .map((one) => `${one.nodeName}#${one.id}.${one.className} ${one.scrollWidth}x${one.scrollHeight}`)"""


def told(page):
    """A page with something of everything on it: a story, frames, findings, and what was put away."""
    upload(page, EXAMPLE / "fern.png", EXAMPLE / "bruno.png")
    expect(page.locator("img.cutout")).to_have_count(2)
    write(page, "[size: 64] Fern meets Brumo  # Hello\n> Fern: Hi!\n[size: 64] [seed: 4294967295] Bruno in the snow")
    expect(page.locator(".panel .sketch")).to_have_count(2)
    page.locator("#render").click()
    expect(frames(page)).to_have_count(2)
    settle(page)
    page.locator("#story-new").click()
    expect(page.locator(".told button").first).to_be_visible()
    faint(page)
    page.locator(".told [data-do=undo]").click()
    expect(frames(page)).to_have_count(2)
    expect(page.locator(".panel .made:visible")).to_have_count(2)


def faint(page):
    for dark in (False, True):
        page.evaluate("dark => document.body.classList.toggle('dark', dark)", dark)
        page.evaluate("() => Promise.all(document.getAnimations().map(one => one.finished.catch(() => {})))")
        assert page.evaluate(FAINT) == {}


def test_every_text_can_be_read_by_day_and_by_night_and_on_a_phone(story_page):
    page = story_page
    faint(page)
    told(page)
    faint(page)
    assert page.evaluate(CLIPPED) == []
    page.set_viewport_size({"width": 390, "height": 844})
    assert page.evaluate(CUT_OFF) == page.evaluate(CLIPPED) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_a_rule_for_the_night_has_one_selector():
    """Gradio puts the page's class before a rule, and so between `.dark` and the rest of its first selector alone."""
    assert [path.name for path in STYLES if re.search(r",\s*\.dark", path.read_text(encoding="utf-8"))] == []


def test_nothing_jumps_while_the_page_opens(browser, storybook):
    context = browser.new_context(viewport={"width": 1360, "height": 950})
    page = context.new_page()
    page.add_init_script(
        "window.shift = 0; new PerformanceObserver((list) => list.getEntries().forEach((entry) => {"
        " if (!entry.hadRecentInput) window.shift += entry.value; })).observe({type: 'layout-shift', buffered: true})"
    )
    page.goto(storybook)
    expect(page.locator(".model.ready")).to_be_visible()
    expect(page.locator("#banner .hint")).to_be_visible()
    assert page.evaluate("window.shift") == pytest.approx(0, abs=0.1)
    context.close()
