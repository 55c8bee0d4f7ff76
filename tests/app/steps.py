"""What visitors do on the page, and what they see, for the browser tests."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import expect

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = ROOT / "assets" / "example"
GOLDEN = ROOT / "tests" / "golden"
PATIENCE = 120_000
"""Milliseconds until a wait gives up: for slow machines, not a measure."""


def upload(page, *paths):
    page.locator("#drop input[type=file]").set_input_files([str(path) for path in paths])


def write(page, text):
    page.locator("#script textarea").fill(text)


def frames(page):
    return page.locator("#gallery .thumbnail-item")


def pictures(page):
    """The addresses of the strip's pictures, which change with what they show."""
    return frames(page).locator("img").evaluate_all("images => images.map(image => image.src)")


def settle(page):
    """Wait for the end of a render."""
    expect(page.locator("#render")).to_be_visible()
    expect(page.locator("#progress .progress")).to_have_count(0)


def slide(page, where, value):
    """Type into a number's box, again if the page was still being built there: then it takes the value back."""
    box = page.locator(f"{where} input[type=number]")
    for _ in range(100):
        box.fill(str(value))
        box.blur()
        for _ in range(3):
            page.evaluate("() => new Promise(done => requestAnimationFrame(() => setTimeout(done)))")
        if box.input_value() == str(value):
            return
    raise AssertionError(f"{where} does not keep {value}")


def few_steps(page, steps):
    page.locator("#settings button").first.click()
    slide(page, "#steps", steps)


def saved(page, button, folder):
    """The file that a button hands over."""
    with page.expect_download() as waiting:
        page.locator(button).click()
    file = folder / waiting.value.suggested_filename
    waiting.value.save_as(file)
    return file


def tracebacks(log):
    """Those in an app's log. A visitor who leaves while a file is still coming makes Gradio print one: that is none."""
    said = log.read_text().split("Traceback (most recent call last):")[1:]
    return [one for one in said if "starlette.requests.ClientDisconnect" not in one]


def open_more(page):
    """Open what is tucked away below the opened frame."""
    more = page.locator("#desk-more > button")
    if not page.locator("#desk-takes").is_visible():
        more.click()
    expect(page.locator("#desk-takes")).to_be_visible()


def open_part(page, part):
    """Open a part of the desk, such as "routing"."""
    open_more(page)
    page.locator(f"#desk-{part} button").first.click()
