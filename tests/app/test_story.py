"""The story as a whole: kept, found again, opened, saved, undone."""

import asyncio
import re
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from html import escape

import gradio as gr
import pytest
from gradio.state_holder import StateHolder
from PIL import Image
from playwright.sync_api import expect

from anystory.pages.form import Format
from anystory.project import drafts
from anystory.project.archive import ArchiveError, pack, unpack
from anystory.project.drafts import Draft, Store, load_draft, save_draft
from anystory.project.folder import Project, ProjectError, content
from anystory.project.lineage import renamed
from anystory.script.read import read_script
from anystory.script.wildcards import expand_script
from anystory.story.model import BOUNDS, Panel, Settings
from anystory.story.steering import Layout, Place, Steering
from tests.app.steps import EXAMPLE, PATIENCE, few_steps, frames, saved, settle, upload, write
from tests.stories import frame, rendered, subject
from ui import book, cast, story
from ui.app import build
from ui.script import with_take
from ui.strip import strip
from ui.studio import Studio, pin, pinned, placed, rechosen, takes
from ui.studio import restored as taken
from ui.words import words

SAY = words(None)
SAVED, UNDO = "story.saved", 'data-do="undo"'


@pytest.fixture
def studio(tmp_path):
    """A studio without a model: nothing is rendered here."""
    return Studio({"mini": lambda: None}, stories=Store(tmp_path / "stories"))


def drawn_by_hand(name, of="Fox"):
    made = subject(of)
    return drafts.DraftActor(name, "a fox", "", (drafts.DraftPicture(made.image, made.mask, made.mask),))


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


def test_pages_that_open_at_the_same_time_all_keep_their_stories(studio, tmp_path, monkeypatch):
    monkeypatch.setattr(Store, "folder", lambda store, key: tmp_path / key)
    usual = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        with ThreadPoolExecutor(8) as pages:
            visits = list(pages.map(lambda number: studio.visit(None, tmp_path / str(number)), range(800)))
            list(pages.map(studio.leave, visits[::2]))
    finally:
        sys.setswitchinterval(usual)
    assert [studio.holds(visit) for visit in visits] == [False, True] * 400


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


def begun(visit, made, panels):
    """The folder of a story after another program has begun it with other panels."""
    keys, names = [f"new{k}" for k in range(len(panels))], [(*panel.cast, "background") for panel in panels]
    project = Project(visit.story)
    project.begin(replace(made, script=replace(made.script, panels=tuple(panels))), keys, names, "mini", "1.0")
    return project


def test_frames_fit_by_all_that_they_show_and_by_nothing_else(studio):
    visit = studio.visit()
    made = rendered(visit.story).story()
    one, two, three = made.script.panels
    layout = Steering(Layout((Place("Fox", (0, 0, 0.5, 1)),)))
    for other in (replace(one, cast=("Owl",)), replace(one, steering=layout), replace(one, size=32)):
        shown = studio.frames(visit)
        assert re.findall(r'<li class="(\w+)"', strip(SAY, (other, two, three), shown, (), None))[0] == "old"
        begun(visit, made, (other, two, three))
        assert [item.number for item in studio.frames(visit)] == [2, 3]
        begun(visit, made, (one, two, three))
    told = replace(one, caption="Late", dialogue=())
    assert 'class="old"' not in strip(SAY, (told, two, three), studio.frames(visit), (), None)
    begun(visit, made, (told, two, three))
    assert [item.number for item in studio.frames(visit)] == [1, 2, 3]


def test_frames_that_cannot_be_read_are_told_when_their_story_comes_back(studio):
    visit = studio.visit()
    rendered(visit.story)
    (visit.story / "frames" / "002.png").write_bytes(b"")
    opened = story.load(studio, visit)
    assert ([item.number for item in opened.shown], opened.lost) == ([1, 3], (2,))


def test_frames_are_those_of_renamed_characters_when_a_story_is_opened_again(studio):
    visit = studio.visit()
    made = rendered(visit.story).story()
    cast = (replace(made.script.cast[0], name="Rex"), *made.script.cast[1:])
    panels = tuple(renamed(panel, {"Fox": "Rex"}) for panel in made.script.panels)
    subjects = (replace(made.subjects[0], name="Rex"), *made.subjects[1:])
    begun(visit, replace(made, script=replace(made.script, cast=cast), subjects=subjects), panels)
    shown = studio.frames(visit)
    assert [item.panel.prompt for item in shown] == ["Rex walks", "Rex meets Owl", "an empty beach"]
    assert shown[1].frame.maps.names[:2] == ("Rex", "Owl"), "also in a frame that is to be made anew"


def test_what_is_done_to_a_frame_is_done_to_its_panel_wherever_that_is_by_now(studio):
    visit = studio.visit()
    made = rendered(visit.story).story()
    shown = studio.frames(visit)
    _, two, three = made.script.panels
    Project(visit.story).keep(2, frame(two.cast, seed=77), "7" * 64, two.prompt, made.settings)
    begun(visit, made, (three, Panel("snow"), two))
    (take,) = takes(shown[1])
    assert take.seed == 77 and takes(shown[2]) == []
    assert pin(shown[1], True).panel.seed == 9
    assert [(n, entry.pinned) for n, entry in Project(visit.story).entries.items()] == [(1, False), (3, True)]
    assert pinned(shown[1]) and not pinned(shown[2])
    new = taken(shown[1], take.key)
    assert (new.number, new.frame.seed, Project(visit.story).entries[3].seed) == (2, 77, 77)
    assert Image.open(new.file).info["seed"] == "77"
    pages = book.pages(shown, None, Format("one"))
    assert [(page.panels, pages.script.panels[page.panels[0] - 1].prompt) for page in pages] == [
        ((1,), three.prompt),
        ((3,), two.prompt),
    ]
    assert takes(shown[0]) == [] and not pinned(shown[0])
    with pytest.raises(ProjectError, match="Panel 1 is no longer in the story"):
        pin(shown[0], True)


def test_frames_stand_at_their_panels_while_lines_come_and_go(studio):
    visit = studio.visit()
    rendered(visit.story)
    shown = studio.frames(visit)
    one, two, three = shown[0].job.script.panels
    assert {n: item.number for n, item in placed(shown, (two, three)).items()} == {1: 2, 2: 3}
    moved = (Panel("snow"), three, replace(one, prompt="Fox walks home"), two)
    assert {n: item.number for n, item in placed(shown, moved).items()} == {2: 3, 3: 1, 4: 2}
    assert placed(shown, ()) == {1: shown[0], 2: shown[1], 3: shown[2]}, "a script that cannot be read moves nothing"
    drawn = strip(SAY, (two, three), shown, (), 2)
    assert re.findall(r'<li class="(\w+)" data-panel="(\d)"', drawn) == [("done", "1"), ("done", "2")]
    assert re.findall(r'data-open="(\d)" [^>]*aria-current', drawn) == ["2"]
    other = replace(shown[0].job.script, panels=(replace(three, caption="Late"), two))
    assert [panel.caption for panel in shown[0].job.with_words(other).panels] == [one.caption, two.caption, "Late"]


def test_what_is_chosen_are_panels_whatever_their_numbers_become():
    one, two, three = panels = Panel("Fox walks"), Panel("an owl at night"), Panel("the sea")
    assert rechosen((1, 3), panels, (Panel("snow"), one, two, three)) == (2, 4)
    assert rechosen((1, 3), panels, (three, two)) == (1,)
    assert rechosen((3,), panels, ()) == (3,) and rechosen((1, 3), (), (one, two)) == (1,)


@pytest.mark.parametrize("seed", [9, 0])
def test_a_pin_or_take_of_a_wildcard_story_opened_again_writes_a_seed_that_keeps_its_words(studio, seed):
    text = "Fox {walks|runs|sits|hops}\n[Fox, Owl] Fox meets Owl\n[NC] an empty beach"
    visit, cast_of = studio.visit(), rendered(studio.visit().story).story()
    page = read_script(text, cast=cast_of.script.cast).script
    words_of = expand_script(page, 9).panels
    begun(visit, replace(cast_of, settings=replace(cast_of.settings, seed=9)), words_of).save(
        1, frame(("Fox",), seed=seed), "new0", words_of[0].prompt, cast_of.settings
    )
    (shown,) = studio.frames(visit)
    assert shown.as_written(page.panels).job.script.panels == page.panels
    new = pin(shown.as_written(page.panels), True)
    after = with_take(text, page.cast, 1, new.panel)
    kept = read_script(after, cast=page.cast).script
    assert after.startswith("[seed: 9] ") == (seed == 9)
    assert expand_script(kept, 9).panels[0].prompt == words_of[0].prompt and new.shows(kept.panels[0], 1)


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
    opened = story.open_frame(frame, (drawn_by_hand("Reynard"), drafts.DraftActor("Owl")), SAY)
    assert [actor.name for actor in opened.draft.cast] == ["Fox", "Owl", "Ghost"]
    assert [len(actor.pictures) for actor in opened.draft.cast[:2]] == [1, 0]
    assert opened.draft.settings == Settings(size=64)
    said = " ".join(opened.said)
    assert "panel 2" in said and "Owl: add the picture" in said and "Fox" not in said and "Ghost" not in said
    opened = story.open_frame(frame, (drawn_by_hand("Owl", "Tree"),), SAY)
    assert "Owl: the picture here is not the one in the frame's story" in " ".join(opened.said)
    assert [len(actor.pictures) for actor in opened.draft.cast] == [0, 1, 0]


def test_a_draft_of_nothing_is_empty_and_what_is_typed_is_escaped():
    assert (
        story.is_empty(Draft()) and story.is_empty(Draft(" ", style="Watercolour")) and not story.is_empty(Draft("x"))
    )
    assert "<b>" not in story.head("<b>", "unsaved", "<b>") + story.note(["<b>"])


class Tab:
    """A page of the app that is open: Gradio's session of it, and what its boxes hold."""

    def __init__(self, page, browser=None):
        self.page, self.holder, self.shows = page, StateHolder(), {}
        self.holder.set_blocks(page)
        self.browser = browser or [None, None]
        self.does("story.arrive")

    def does(self, name, event=None, **typed):
        """What a handler of `ui.events` answers; `typed` goes into the boxes with these ids before."""
        (does,) = (
            fn for fn in self.page.fns.values() if f"{fn.fn and fn.fn.__module__}.{fn.name}" == f"ui.events.{name}"
        )
        self.shows |= {self.box(box): value for box, value in typed.items()}
        given = [self.holds(block) for block in does.inputs]
        how = {"request": gr.Request(session_hash="tab", headers={}), "state": self.holder["tab"]}
        work = self.page.process_api(does, given, event_data=event and gr.EventData(None, event), **how)
        with ThreadPoolExecutor(1) as apart:  # the browser's own loop runs in this thread
            answer = apart.submit(asyncio.run, work).result()
        for block, value in zip(does.outputs, answer["data"], strict=True):
            if isinstance(block, gr.BrowserState) and isinstance(value, list):
                self.browser = value
            elif isinstance(value, dict) and value.get("__type__") == "update":
                self.shows |= {block._id: value["value"]} if "value" in value else {}
            else:
                self.shows[block._id] = value
        return " ".join(str(value) for value in answer["data"])

    def holds(self, block):
        return self.browser if isinstance(block, gr.BrowserState) else self.shows.get(block._id, block.value)

    def box(self, elem_id):
        return next(key for key, block in self.page.blocks.items() if getattr(block, "elem_id", None) == elem_id)

    def shown(self, elem_id):
        return self.shows[self.box(elem_id)]

    def loses_its_connection(self, minutes):
        """The heartbeat stops; so many minutes later Gradio drops what has become old."""
        session = self.holder["tab"]
        session.is_closed = True
        for key, (lives, since) in session._state_ttl.items():
            session._state_ttl[key] = lives, since - timedelta(minutes=minutes)
        self.holder.delete_all_expired_state()


@pytest.fixture
def app(studio, tmp_path, monkeypatch):
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path / "uploads"))
    return build(studio)


@pytest.fixture
def kept_story(studio):
    """The key of a story with a cast."""
    key = Store.new_key()
    studio.stories.save(key, Draft("Mia walks", "Mia", cast=(drawn_by_hand("Mia"),)))
    return key


def cast_of(studio, key):
    return [actor.name for actor in studio.stories.load(key).cast]


def test_a_page_that_lost_its_connection_writes_nothing_and_a_reload_goes_on(studio, app, kept_story):
    tab = Tab(app, [kept_story, None])
    assert SAVED in tab.does("story.keep", title="Mia walks")
    tab.loses_its_connection(59)
    tab.does("cast.word", {"key": "nobody", "text": "", "count": 1})  # the cast is younger than the rest now
    assert SAVED in tab.does("story.keep", title="Mia runs")
    tab.loses_its_connection(2)
    lost = escape(SAY("story.lost"))
    assert lost in tab.does("story.keep", title="Mia flies") and lost in tab.does("story.here")
    for name in ("story.anew", "render.begin", "storyboard.load_example", "finder.look"):
        assert lost in tab.does(name), name
    with pytest.raises(gr.Error, match="lost its connection"):
        tab.does("story.save")
    assert tab.shown("title") == "Mia flies" and tab.browser == [kept_story, None]
    again = Tab(app, tab.browser)
    assert again.shown("title") == "Mia runs" and cast_of(studio, kept_story) == ["Mia"]
    assert SAVED in again.does("story.keep", title="Mia flies") and cast_of(studio, kept_story) == ["Mia"]


def test_nothing_that_is_kept_of_a_story_is_dropped_before_its_visit(studio, app):
    visit = next(block for block in app.blocks.values() if getattr(block, "delete_callback", None) == studio.leave)
    keep = next(fn for fn in app.fns.values() if fn.name == "keep")
    held = [block for block in keep.inputs if isinstance(block, gr.State)]
    assert held[0] is visit and len(held) == 3
    setting = [fn for fn in app.fns.values() if visit in fn.outputs]
    assert {fn.name for fn in setting} >= {"arrive", "anew"}
    for fn in setting:
        places = [fn.outputs.index(block) for block in held]
        assert places == sorted(places), fn.name


def test_the_example_and_a_dropped_script_can_be_taken_back(studio, app, kept_story, tmp_path):
    tab = Tab(app, [kept_story, None])
    assert UNDO in tab.does("storyboard.load_example")
    assert tab.shown("title") == "The long way home" and SAVED in tab.does("story.keep")
    assert cast_of(studio, tab.browser[0]) == ["Bruno", "Fern", "Pip", "Lola"]
    assert tab.browser[1] == kept_story and cast_of(studio, kept_story) == ["Mia"]
    assert UNDO in tab.does("story.act", {"what": "undo"}), "which can be taken back itself"
    assert tab.shown("title") == "Mia" and tab.browser[0] == kept_story
    tab.does("story.act", {"what": "undo"})
    assert tab.shown("title") == "The long way home" and tab.browser[1] == kept_story
    tab.does("story.act", {"what": "undo"})

    file = tmp_path / "uploads" / "one.txt"
    file.parent.mkdir(exist_ok=True)
    file.write_text("[NC] the sea")
    dropped = [{"path": str(file), "meta": {"_type": "gradio.FileData"}}]
    tab.does("storyboard.sort", drop=dropped)
    assert UNDO in tab.does("storyboard.dropped")
    assert (tab.shown("title"), tab.shown("script")) == ("", "[NC] the sea") and tab.browser[0] == kept_story
    tab.does("story.act", {"what": "undo"})
    assert (tab.shown("title"), tab.shown("script")) == ("Mia", "Mia walks")

    tab = Tab(app)
    assert UNDO not in tab.does("storyboard.load_example"), "there was nothing to lose"


def test_a_tab_that_no_longer_holds_the_story_changes_nothing_of_it(studio, app, kept_story):
    old, new = Tab(app, [kept_story, None]), Tab(app, [kept_story, None])
    new.does("story.keep", title="The newer one")
    with pytest.raises(gr.Error, match="another tab"):
        old.does("story.save")
    old.does("story.anew", title="Typed here")
    mine = old.browser[1]
    assert studio.stories.load(kept_story).title == "The newer one" and mine != kept_story
    assert studio.stories.load(mine).title == "Typed here" and cast_of(studio, mine) == ["Mia"]
    old.does("story.act", {"what": "undo"})
    assert old.shown("title") == "Typed here" and old.browser[0] == mine
    assert SAVED in old.does("story.keep", title="Typed on") and SAVED in new.does("story.keep", title="Newer still")

    other, newest = Tab(app, [kept_story, mine]), Tab(app, [kept_story, None])
    other.does("story.act", {"what": "undo"}, title="Typed in a third")
    assert other.browser[0] == mine and other.shown("title") == "Typed on"
    assert studio.stories.load(other.browser[1]).title == "Typed in a third"
    assert SAVED in newest.does("story.keep", title="The newest")
    new.browser = [Store.new_key(), mine]
    assert SAVED in new.does("story.here") and new.browser == [kept_story, mine]


def test_a_tab_that_no_longer_holds_its_story_makes_frames_after_a_file_that_is_none(studio, app, kept_story, tmp_path):
    old, new = Tab(app, [kept_story, None]), Tab(app, [kept_story, None])
    file = tmp_path / "uploads" / "bad.zip"
    file.parent.mkdir(exist_ok=True)
    file.write_bytes(b"PK no story")
    visit = next(block for block in app.blocks.values() if getattr(block, "delete_callback", None) == studio.leave)
    for tab in (old, new):
        tab.does("storyboard.sort", drop=[{"path": str(file), "meta": {"_type": "gradio.FileData"}}])
        assert "bad.zip" in tab.does("story.dropped")
        assert not studio.has_left(tab.holder["tab"][visit._id])
    assert studio.holds(new.holder["tab"][visit._id])


def test_the_story_before_can_be_had_back_after_a_reload(app, kept_story):
    tab = Tab(app, [kept_story, None])
    assert UNDO not in tab.shown("story-notice")
    tab.does("story.anew")
    for again in (Tab(app, tab.browser), Tab(app, [kept_story, Store.new_key()])):
        assert UNDO in again.shown("story-notice")
    again = Tab(app, tab.browser)
    again.does("story.act", {"what": "undo"})
    assert again.shown("title") == "Mia"


@pytest.mark.parametrize("numbers", [(0, 1, 2), [BOUNDS[name][1] for name in ("seed", "steps", "guidance")]])
def test_a_story_of_any_numbers_is_kept_by_the_page(studio, app, numbers):
    numbers = dict(zip(("seed", "steps", "guidance"), numbers, strict=True))
    key = Store.new_key()
    studio.stories.save(key, Draft("[NC] the sea", "Far", settings=Settings(512, **numbers)))
    tab = Tab(app, [key, None])
    assert SAVED in tab.does("story.keep", title="Farther")
    kept = studio.stories.load(key).settings
    assert {name: getattr(kept, name) for name in numbers} == numbers


def test_a_save_that_failed_does_not_read_as_one(app):
    keep = next(fn for fn in app.fns.values() if fn.name == "keep")
    (after,) = [fn for fn in app.fns.values() if fn.trigger_after == keep._id and fn.trigger_only_on_failure]
    assert SAVED not in (said := after.fn("Mine", None)) and escape(SAY("story.unread")) in said
    assert after.outputs == keep.outputs


def test_a_story_that_cannot_be_kept_is_packed_and_put_away_as_it_was(studio, app, kept_story, tmp_path):
    tab = Tab(app, [kept_story, None])
    tab.does("story.keep", title="Kept")
    assert "at most 500000" in tab.does("story.keep", title="Not kept", script="x" * 500_001)
    with pytest.warns(UserWarning, match="as it was last kept"):
        tab.does("story.save")
    (file,) = studio.pictures.rglob("not-kept.zip")
    unpack(file, tmp_path / "unpacked")
    assert load_draft(tmp_path / "unpacked").title == "Kept"
    tab.does("story.anew")
    assert "could not be kept" in tab.shown("story-notice") and tab.shown("title") == ""
    tab.does("story.act", {"what": "undo"})
    assert tab.shown("title") == "Kept"
    tab = Tab(app)
    tab.does("story.anew", title="Never kept", script="x" * 500_001)
    assert "could not be kept" in tab.shown("story-notice") and tab.shown("title") == "Never kept"


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
    expect(again.locator(".told:visible")).to_contain_text("back as you left it")
    expect(again.locator("#title input")).to_have_value("At home")
    expect(again.locator("#script textarea")).to_have_value("Fern in the forest # Green\n[NC] the sea")
    expect(again.locator("img.cutout")).to_have_count(1)
    expect(again.locator("#gallery img")).to_have_count(2)
    expect(again.locator("#frame .whole")).to_be_visible()
    again.locator("#settings button").first.click()
    expect(again.locator("#steps input[type=number]")).to_have_value("3")

    again.locator("#story-new").click()
    expect(again.locator("#title input")).to_have_value("")
    page.locator("#title input").fill("The first tab")
    expect(page.locator(".story .elsewhere")).to_contain_text("another tab")
    page.locator("[data-do=here]").click()
    kept(page, "The first tab")
    expect(restored(page, address).locator("#title input")).to_have_value("The first tab")

    stranger = browser.new_context().new_page()
    stranger.goto(address)
    expect(stranger.locator(".model.ready")).to_be_visible()
    expect(stranger.locator("#title input")).to_have_value("")
    expect(stranger.locator(".told:visible")).to_have_count(0)
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

    other = {"name": "other.txt", "mimeType": "text/plain", "buffer": b"[NC] a castle"}
    page.locator("#drop input[type=file]").set_input_files(other)
    expect(page.locator("#script textarea")).to_have_value("[NC] a castle")
    expect(page.locator("#gallery img")).to_have_count(0)
    page.locator("[data-do=undo]").click()
    expect(page.locator("#script textarea")).to_have_value(re.compile("sea\n.*forest"))
    expect(page.locator("#gallery img")).to_have_count(2)

    page.locator("#story-new").click()
    expect(page.locator("img.cutout")).to_have_count(0)
    page.locator("#drop input[type=file]").set_input_files(str(frame))
    expect(page.locator(".told:visible")).to_contain_text("the frame is panel 1")
    expect(page.locator(".told:visible")).to_contain_text("Fern: add the picture again")
    expect(page.locator("#script textarea")).to_have_value(re.compile("sea\n.*forest"))

    bad = tmp_path / "bad.zip"
    bad.write_bytes(b"no zip")
    page.locator("#drop input[type=file]").set_input_files(str(bad))
    expect(page.locator(".told:visible")).to_contain_text("bad.zip cannot be opened")
    page.locator("#drop input[type=file]").set_input_files(str(file))
    expect(page.locator(".told:visible")).to_contain_text("out-and-back.zip is open")
    expect(page.locator("#gallery img")).to_have_count(2)
    expect(page.locator("img.cutout")).to_have_count(1)


def test_a_story_of_many_steps_is_opened_kept_and_drawn(page, address, tmp_path):
    folder = tmp_path / "story"
    save_draft(folder, Draft("[NC] the sea", "Many", settings=Settings(64, seed=4294967294, steps=61, guidance=11.5)))
    pack(folder, tmp_path / "many.zip")
    page.locator("#drop input[type=file]").set_input_files(str(tmp_path / "many.zip"))
    expect(page.locator("#title input")).to_have_value("Many")
    kept(page, "Many")
    page.locator("#title input").fill("As many")
    kept(page, "As many")

    again = restored(page, address)
    expect(again.locator("#title input")).to_have_value("As many")
    again.locator("#settings button").first.click()
    expect(again.locator("#steps input[type=number]")).to_have_value("61")
    expect(again.locator("#guidance input[type=number]")).to_have_value("11.5")
    again.locator("#render").click()
    expect(frames(again)).to_have_count(1)
    settle(again)
    unpack(saved(again, "#story-save", tmp_path), tmp_path / "unpacked")
    settings = load_draft(tmp_path / "unpacked").settings
    assert (settings.seed, settings.steps, settings.guidance) == (4294967294, 61, 11.5)


def test_a_story_that_cannot_be_had_makes_room_for_a_new_one(app, kept_story):
    arrive = next(fn for fn in app.fns.values() if fn.name == "arrive")
    (after,) = [fn for fn in app.fns.values() if fn.trigger_after == arrive._id and fn.trigger_only_on_failure]
    said = after.fn([kept_story, None], None)
    new, before = next(value for part, value in said.items() if isinstance(part, gr.BrowserState))
    assert before == kept_story != new and any(SAY("story.never") in str(value) for value in said.values())


def test_a_page_whose_story_does_not_arrive_says_so(browser, storybook):
    page = browser.new_context().new_page()
    page.clock.install()
    page.route(
        "**/queue/join*", lambda route: None
    )  # never answered; one refused would make Gradio load the page again
    page.goto(storybook)
    page.wait_for_selector("#story-late", state="attached")
    page.clock.run_for(30_000)
    expect(page.locator("#story-late .told")).to_be_visible()
    with page.expect_navigation():
        page.locator("#story-late [data-do=new]").dispatch_event("click")  # which loads the page again
    kept = page.context.storage_state()
    page.context.close()
    # A context of its own: each page of the first one would live through those thirty seconds again.
    context = browser.new_context(storage_state=kept)
    page = context.new_page()
    page.goto(storybook)
    expect(page.locator("#story-head .story")).to_be_visible()
    expect(page.locator("#story-late .told")).to_be_hidden()
    context.close()
