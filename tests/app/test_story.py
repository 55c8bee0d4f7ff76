"""The story as a whole: kept, found again, opened, saved, undone."""

import re
from dataclasses import replace

import pytest
from playwright.sync_api import expect

from anystory import drafts
from anystory.archive import ArchiveError, pack
from anystory.drafts import Draft, Store
from anystory.project import Project, content, cutout
from anystory.story import Settings
from tests.app.steps import EXAMPLE, PATIENCE, few_steps, saved, settle, upload, write
from tests.stories import rendered, subject
from ui import cast, story
from ui.studio import Studio
from ui.words import words

SAY = words(None)


@pytest.fixture
def studio(tmp_path):
    """A studio without a model: nothing is rendered here."""
    return Studio(lambda: None, stories=Store(tmp_path / "stories"))


def drawn_by_hand(name, of="Fox"):
    made = subject(of)
    return drafts.Actor(name, "a fox", "", (drafts.Picture(made.image, made.mask, cutout(made)),))


def test_the_page_that_opened_a_story_last_keeps_it(studio):
    first = studio.visit()
    second = studio.visit(first.key)
    assert second.story == first.story and second.files != first.files
    assert studio.holds(second) and not studio.holds(first)
    studio.leave(first)
    assert studio.holds(second) and second.files.exists() and not first.files.exists()
    assert studio.holds(studio.visit(first.key, first.files)) and not studio.holds(second)
    other = studio.visit("no key")
    assert Store.is_key(other.key) and other.key != first.key
    moved = studio.visit(None, other.files)
    assert studio.holds(moved) and not studio.holds(other), "a page holds one story"


def test_what_stands_on_the_page_comes_back_as_it_was(studio):
    bear = story.actor(drawn_by_hand("Mia"))
    edited = replace(bear, description="a red fox")
    edited = replace(edited, pictures=(*bear.pictures, story.actor(drawn_by_hand("Owl", "Owl")).pictures[0]))
    waiting = replace(bear, drawn=("a fox, drawn", "a fox"), description="owl")
    values = ("Title", "Watercolour", "Mia walks [", (), (bear, edited, waiting, cast.Actor("Tom", "a cat")), 7, 3, 2.5)
    visit = studio.visit()
    studio.stories.save(visit.key, story.draft(studio, *values))
    opened = story.load(studio, studio.visit(visit.key))
    kept = opened.draft
    assert (kept.title, kept.style, kept.text) == ("Title", "Watercolour", "Mia walks [")
    assert (kept.settings.seed, kept.settings.steps, kept.settings.guidance) == (7, 3, 2.5)
    back = [story.actor(actor) for actor in kept.cast]
    assert [actor.name for actor in back] == ["Mia", "Mia", "Mia", "Tom"]
    assert [cast.to_draw(actor) for actor in back] == [False, False, True, True], "it waits to be drawn from new words"
    assert back[1].description == "a red fox"
    assert [content(actor.subject) for actor in back[:2]] == [content(actor.subject) for actor in (bear, edited)]
    assert story.load(studio, studio.visit()) is None


def test_frames_come_back_but_those_of_panels_that_changed(studio):
    visit = studio.visit()
    project = rendered(visit.story)
    shown = studio.frames(visit)
    assert [item.number for item in shown] == [1, 2, 3] and all(item.file.exists() for item in shown)
    made = project.story()
    panels = (made.script.panels[0], replace(made.script.panels[1], prompt="Fox alone"), made.script.panels[2])
    keys = ["key0", "other", "key2"]
    names = [(*panel.cast, "background") for panel in panels]
    Project(visit.story).begin(replace(made, script=replace(made.script, panels=panels)), keys, names, "mini", "1.0")
    assert [item.number for item in studio.frames(visit)] == [1, 3]


def test_a_zip_is_opened_with_every_check_and_a_bad_one_leaves_nothing(studio, tmp_path):
    made = rendered(tmp_path / "made")
    pack(made.folder, tmp_path / "story.zip")
    opened = story.open_zip(studio, tmp_path / "story.zip", studio.visit(), SAY)
    assert len(opened.shown) == 3 and opened.draft.title == made.story().script.title
    assert opened.said == ("story.zip is open.",)
    (tmp_path / "bad.zip").write_bytes(b"no zip")
    visit = studio.visit()
    with pytest.raises(ArchiveError, match=r"bad\.zip"):
        story.open_zip(studio, tmp_path / "bad.zip", visit, SAY)
    assert not visit.story.exists()


def test_a_frame_finds_its_characters_by_their_looks_and_names_who_is_missing(studio, tmp_path):
    made = rendered(tmp_path / "made")
    frame = made.folder / "frames" / "002.png"
    assert story.is_story([str(frame)]) and not story.is_story([str(EXAMPLE / "fern.png")])
    opened = story.open_frame(frame, (drawn_by_hand("Reynard"), drafts.Actor("Owl")), SAY)
    assert [actor.name for actor in opened.draft.cast] == ["Fox", "Owl", "Ghost"]
    assert [len(actor.pictures) for actor in opened.draft.cast[:2]] == [1, 0]
    assert opened.draft.settings == Settings(size=64)
    said = " ".join(opened.said)
    assert "panel 2" in said and "Owl: add the picture" in said and "Fox" not in said and "Ghost" not in said
    opened = story.open_frame(frame, (drawn_by_hand("Owl", "Tree"),), SAY)
    assert "Owl: the picture here is another one" in " ".join(opened.said)
    assert [len(actor.pictures) for actor in opened.draft.cast] == [0, 1, 0]


def test_a_draft_of_nothing_is_empty_and_what_is_typed_is_escaped():
    assert (
        story.is_empty(Draft()) and story.is_empty(Draft(" ", style="Watercolour")) and not story.is_empty(Draft("x"))
    )
    assert "<b>" not in story.head("<b>", "unsaved", "<b>") + story.note(["<b>"])


def restored(page, address):
    """The same browser's page, opened again."""
    again = page.context.new_page()
    again.set_default_timeout(PATIENCE)
    again.goto(address)
    expect(again.locator(".model.ready")).to_be_visible()
    return again


def kept(page, title):
    """Wait until the page says that all is kept."""
    expect(page.locator(".story .name")).to_have_text(title)
    expect(page.locator(".story .kept.saved time")).to_be_visible()


def test_a_closed_and_reopened_tab_finds_its_story_and_nobody_else_does(page, address, browser):
    upload(page, EXAMPLE / "fern.png")
    expect(page.locator("img.cutout")).to_have_count(1)
    write(page, "Fern in the forest # Green\n[NC] the sea")
    few_steps(page, 3)
    page.locator("#render").click()
    expect(page.locator("#gallery img")).to_have_count(2)
    settle(page)
    page.locator("#title input").fill("At home")
    kept(page, "At home")

    again = restored(page, address)
    expect(again.locator(".told")).to_contain_text("back as you left it")
    expect(again.locator("#title input")).to_have_value("At home")
    expect(again.locator("#script textarea")).to_have_value("Fern in the forest # Green\n[NC] the sea")
    expect(again.locator("img.cutout")).to_have_count(1)
    expect(again.locator("#gallery img")).to_have_count(2)
    expect(again.locator("#frame img")).to_be_visible()
    again.locator("#settings button").first.click()
    expect(again.locator("#steps input[type=number]")).to_have_value("3")

    page.locator("#title input").fill("The first tab")
    expect(page.locator(".story .elsewhere")).to_contain_text("another tab")
    page.locator("[data-do=here]").click()
    kept(page, "The first tab")

    stranger = browser.new_context().new_page()
    stranger.goto(address)
    expect(stranger.locator(".model.ready")).to_be_visible()
    expect(stranger.locator("#title input")).to_have_value("")
    expect(stranger.locator(".told")).to_have_count(0)
    stranger.context.close()


def test_a_story_is_saved_put_away_opened_again_and_told_by_one_of_its_frames(page, tmp_path):
    upload(page, EXAMPLE / "fern.png")
    expect(page.locator("img.cutout")).to_have_count(1)
    page.locator("#title input").fill("Out and back")
    write(page, "[NC] the sea\nFern in the forest")
    page.locator("#render").click()
    expect(page.locator("#gallery img")).to_have_count(2)
    settle(page)
    kept(page, "Out and back")
    file = saved(page, "#story-save", tmp_path)
    frame = saved(page, "#download-frame", tmp_path)
    assert file.name == "out-and-back.zip" and frame.name == "out-and-back-001.png"

    page.locator("#story-new").click()
    expect(page.locator("img.cutout")).to_have_count(0)
    expect(page.locator("#gallery img")).to_have_count(0)
    page.locator("[data-do=undo]").click()
    expect(page.locator("#title input")).to_have_value("Out and back")
    expect(page.locator("#gallery img")).to_have_count(2)

    page.locator("#story-new").click()
    expect(page.locator("img.cutout")).to_have_count(0)
    page.locator("#storyboard input[type=file]").set_input_files(str(frame))
    expect(page.locator(".told")).to_contain_text("the frame is panel 1")
    expect(page.locator(".told")).to_contain_text("Fern: add the picture again")
    expect(page.locator("#script textarea")).to_have_value(re.compile("sea\n.*forest"))

    bad = tmp_path / "bad.zip"
    bad.write_bytes(b"no zip")
    page.locator("#storyboard input[type=file]").set_input_files(str(bad))
    expect(page.locator(".told")).to_contain_text("bad.zip cannot be opened")
    page.locator("#storyboard input[type=file]").set_input_files(str(file))
    expect(page.locator(".told")).to_contain_text("out-and-back.zip is open")
    expect(page.locator("#gallery img")).to_have_count(2)
    expect(page.locator("img.cutout")).to_have_count(1)
