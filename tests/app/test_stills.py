"""Frames stay on the disk while they are shown, and are there whatever becomes of their story."""

import gc
import shutil
import weakref

import pytest
from playwright.sync_api import expect

from anystory.backends.load import load
from anystory.project.folder import ProjectError
from tests.app.steps import EXAMPLE, frames, settle, upload, write
from tests.app.test_parts import actors, job, last  # noqa: F401  actors is a fixture
from ui import stills
from ui.studio import Studio


@pytest.fixture(scope="module")
def studio():
    return Studio({"storybook": lambda: load("storybook")})


PAINTED = """() => {
  const ask = window.fetch, decode = HTMLImageElement.prototype.decode;
  const count = () => { window.frames_since += 1; requestAnimationFrame(count); };
  HTMLImageElement.prototype.decode = async function () {
    await decode.call(this);
    window.frames_since = 0;
  };
  window.frames_since = 0;
  count();
  window.fetch = (what, how) => {
    if (/"event_data":\\{"id"/.test(how?.body)) window.painted ??= window.frames_since;
    return ask(what, how);
  };
}"""
"""Counts the frames that the browser has painted from when the last picture was ready until a frame is asked about."""


def rendered(studio, actors, lines=("Bruno at the beach", "Bruno and Fern")):  # noqa: F811
    return last(studio.render(job(studio, actors, "\n".join(f"[size: 96] {line}" for line in lines)))).shown


@pytest.fixture
def unseen(monkeypatch):
    """Nobody has looked at a frame yet: each look reads it."""
    monkeypatch.setattr(stills, "_seen", stills.Cache(0, stills._weight))


def bits(item):
    frame = item.frame
    trace = frame.trace and {key: packed.tobytes() for key, packed in frame.trace.packed.items()}
    return frame.image.tobytes(), frame.maps.names, frame.maps.values.tobytes(), trace, frame.seed, frame.notes


def test_a_frame_is_read_from_the_disk_as_it_was_made(studio, actors, unseen):  # noqa: F811
    shown = rendered(studio, actors)
    again = studio.frames(shown[0].job.visit)
    assert [bits(item) for item in shown] == [bits(item) for item in again]
    assert all(item.frame.trace is not None and item.frame is not item.frame for item in shown)
    assert shown[1].names == ("Bruno", "Fern") and shown[1].still.size == shown[1].frame.image.size == (96, 96)
    assert {(item.still.measure, item.still.is_sketch) for item in shown} == {(shown[0].frame.maps.measure, True)}


def test_pixels_do_not_stay_in_memory(studio, actors, unseen):  # noqa: F811
    shown = rendered(studio, actors)
    pictures = [weakref.ref(item.frame.image) for item in shown]
    gc.collect()
    assert [picture() for picture in pictures] == [None, None]


def test_a_frame_that_is_shown_stays_when_another_takes_its_place(studio, actors, unseen):  # noqa: F811
    before = rendered(studio, actors)
    seen, file = bits(before[0]), before[0].file.read_bytes()
    for seed in range(99, 99 + 13):  # as many as push the first one out of the panel's history
        after = last(studio.render(before[0].job.take(1, seed), before)).shown
        assert bits(after[0]) != seen and after[0].file != before[0].file
    assert bits(before[0]) == seen and before[0].file.read_bytes() == file


def test_a_frame_that_is_shown_stays_when_the_folder_of_its_story_goes(studio, actors, unseen):  # noqa: F811
    shown = rendered(studio, actors)
    seen = [bits(item) for item in shown]
    shutil.rmtree(shown[0].job.visit.story)
    assert [bits(item) for item in shown] == seen


def test_of_a_frame_whose_own_files_are_gone_a_sentence_tells(studio, actors, unseen):  # noqa: F811
    (item,) = rendered(studio, actors, ["Bruno at the beach"])
    shutil.rmtree(item.job.visit.files)
    with pytest.raises(ProjectError, match=rf"^{item.file.name} is no longer on this machine; make its panel again\.$"):
        _ = item.frame


def test_the_files_of_frames_that_nobody_shows_go(studio, actors, monkeypatch):  # noqa: F811
    monkeypatch.setattr(stills, "LEFT", 0)
    shown = rendered(studio, actors)
    first, second = (item.file.parent for item in shown)
    shown = shown[1:]
    gc.collect()
    assert not first.exists() and second.exists(), shown


def test_a_frame_that_is_opened_shows_at_once_and_is_told_of_then(story_page):
    page = story_page
    upload(page, EXAMPLE / "bruno.png")
    expect(page.locator("img.cutout")).to_have_count(1)
    write(page, "Bruno at the beach\nBruno in the forest\nBruno in the snow")
    page.locator("#render").click()
    expect(frames(page)).to_have_count(3)
    settle(page)
    page.evaluate(PAINTED)
    held, waits = [], True
    # Nobody answers for now.
    page.route("**/gradio_api/run/predict**", lambda route: held.append(route) if waits else route.continue_())
    for number in (3, 2):
        button = frames(page).nth(number - 1)
        button.click()
        expect(page.locator("#frame .whole")).to_have_attribute("src", button.get_attribute("data-file"))
    page.wait_for_function("() => 'painted' in window")
    assert page.evaluate("() => painted") >= 2, "the picture is on the screen before the page is busy asking"
    expect(page.locator("#viewer .opened .number")).to_contain_text("1")
    expect(page.locator("#frame .plane .object")).to_have_count(0)
    waits = False
    for route in held:
        route.continue_()
    expect(page.locator("#viewer .prompt")).to_have_text("Bruno in the forest")
    expect(page.locator("#frame .opened-frame")).to_have_attribute("data-number", "2")
    expect(page.locator("#frame .whole")).to_have_attribute("src", frames(page).nth(1).get_attribute("data-file"))
    expect(page.locator("#frame .plane .object")).to_have_count(1)
