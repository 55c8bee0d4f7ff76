"""The figures of docs/app.md: `python -m tests.app.figures` measures them in Chromium, on the app with storybook."""

from __future__ import annotations

import math
import os
import re
import sys
import tempfile
from contextlib import suppress
from pathlib import Path

from PIL import Image
from playwright.sync_api import expect, sync_playwright

from tests.app.conftest import ARGUMENTS, CHROMIUM, serving, visiting
from tests.app.steps import EXAMPLE, frames, settle, upload

LINES = ("Fern walks in the forest", "Bruno sits on the beach", "Fern and Bruno dance in the snow")
"""Three places that nobody has painted before."""

SKETCHED = """count => count ===
  [...document.querySelectorAll(".panel .sketch")].filter((image) => image.naturalWidth).length"""

ACTED = """() => ["input", "click"].forEach((kind) => document.addEventListener(kind, ({timeStamp}) => {
  window.acted = timeStamp;
}, true))"""
"""Notes when somebody typed or clicked last."""

SEEN = """async ([selector, count, old]) => {
  const there = () => [...document.querySelectorAll(selector)].filter((image) => image.naturalWidth && image.complete);
  const next = () => new Promise(requestAnimationFrame);
  while (there().length < count || there()[0].getAttribute("src") === old) await next();
  await there()[count - 1].decode();
  await next();
  return (performance.now() - window.acted) / 1000;
}"""
"""Seconds from then until so many pictures are seen, the first of which is not the old one."""

PHOTOGRAPH = (4000, 3000)
"""Pixels of a photograph: 12 million."""

MANY = 20
"""Frames whose memory is measured."""

MOVES = 240
"""Of the mouse, of a drag."""

COUNT = """() => {
  const since = performance.now();
  let frames = 0, on = true;
  const next = () => { frames += 1; if (on) requestAnimationFrame(next); };
  requestAnimationFrame(next);
  window.counted = () => { on = false; return 1000 * frames / (performance.now() - since); };
}"""


def main() -> int:
    """Print the figures."""
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        command = [sys.executable, "-u", "app.py", "--out", folder]
        with serving(command, Path(folder, "app.log")) as address:
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
            with visiting(browser, address) as page:
                measure(page)
            with visiting(browser, address) as page:
                load(page, Path(folder))
            browser.close()
    return 0


def measure(page) -> None:
    """Write three lines, make their frames, and open two: while the page is still busy with their end, and at rest."""
    upload(page, EXAMPLE / "fern.png", EXAMPLE / "bruno.png")
    expect(page.locator("img.cutout")).to_have_count(2)
    box, asked = page.locator("#script textarea"), []
    page.on("request", lambda request: asked.append(request.url))
    page.evaluate(ACTED)
    for count, line in enumerate(LINES, 1):
        asked.clear()
        box.press("Control+End")
        box.press_sequentially(line if count == 1 else f"\n{line}", delay=20)
        wait = page.evaluate(SEEN, [".panel .sketch", count, None])
        page.wait_for_function("() => !document.querySelector('.story.waits')")
        print(f"line {count}: sketch after {wait:.2f} s, {len(asked)} requests")
    page.locator("#render").click()
    expect(frames(page)).to_have_count(len(LINES))
    settle(page)
    for index, when in ((1, "just after the render"), (2, "after that")):
        before = page.locator("#frame .whole").get_attribute("src")
        frames(page).nth(index).click()
        print(f"a panel opened {when} after {page.evaluate(SEEN, ['#frame .whole', 1, before]):.2f} s")
        expect(page.locator("#viewer .prompt")).to_have_text(LINES[index])
        expect(page.locator("#read select").first).to_be_visible()
    drag(page)


def load(page, folder: Path) -> None:
    """Drop six photographs, make many frames of who is in them, twice, and look how much memory the app takes."""
    picture = Image.linear_gradient("L").resize(PHOTOGRAPH).convert("RGB")
    with Image.open(EXAMPLE / "bruno.png") as bear:
        bear = bear.convert("RGBA").resize((2400, 2400))
    picture.paste(bear, (800, 400), bear)
    names = [f"friend{letter}" for letter in "abcdef"]
    photographs = [folder / f"{name}.jpg" for name in names]
    for file in photographs:
        picture.save(file, quality=90)
    upload(page, *photographs)
    expect(page.locator("img.cutout")).to_have_count(len(names))
    memory("after six photographs")
    for turn in ("first", "second"):
        lines = (f"[size: 768] Friend{'abcdef'[k % 6]} walks in the forest {turn} {k}" for k in range(MANY))
        page.locator("#script textarea").fill("\n".join(lines))
        expect(page.locator(".panel")).to_have_count(MANY)
        page.wait_for_function(SKETCHED, arg=MANY)
        page.locator("#render").click()
        expect(page.locator("#progress .progress")).to_be_visible()
        expect(frames(page)).to_have_count(MANY)
        settle(page)
        memory(f"after the {turn} {MANY} frames")


def memory(when: str) -> None:
    """Print how much memory the app takes, as Linux tells."""
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            status = (folder / "status").read_text()
            mine = re.search(r"PPid:\s+(\d+)", status)
            if mine and int(mine[1]) == os.getpid() and b"app.py" in (folder / "cmdline").read_bytes():
                now, most = (int(re.search(rf"{key}:\s+(\d+)", status)[1]) // 1000 for key in ("VmRSS", "VmHWM"))
                print(f"{when} the app has {now} MB in memory, {most} MB at most")


def drag(page) -> None:
    """Drag one of the cast about and count the frames that the browser shows."""
    figure = page.locator(".plane .object").first
    figure.scroll_into_view_if_needed()
    page.wait_for_function("() => [...document.querySelectorAll('.plane .layer')].every((image) => image.complete)")
    area = figure.bounding_box()
    x, y = area["x"] + area["width"] / 2, area["y"] + area["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 8, y)
    page.evaluate(COUNT)
    for step in range(MOVES):
        page.mouse.move(x + 8 + 100 * math.sin(step / 9), y + 20 * math.cos(step / 9))
    print(f"{page.evaluate('() => window.counted()'):.0f} frames a second while somebody is dragged")
    page.mouse.up()


if __name__ == "__main__":
    sys.exit(main())
