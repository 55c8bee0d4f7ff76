"""The app as it starts: with storybook, which is no model, and what the page says and shows of that."""

import re
import subprocess
import sys
from dataclasses import replace
from functools import partial

import pytest
from PIL import Image
from playwright.sync_api import expect

from anystory.backends.load import load
from anystory.project.folder import Project
from anystory.story.model import FROM_A_SKETCH, SEEN, Panel, Settings
from anystory.story.steering import Layout, Place, Steering
from tests.app.steps import EXAMPLE, ROOT, frames, open_part, pictures, settle, upload, write
from tests.app.test_parts import actors, job, last  # noqa: F401  actors is a fixture
from ui import board, cast, desk, html, masthead, panels, script, story, viewer
from ui.estimate import TimeLeft
from ui.strings import say
from ui.studio import Studio


def words(key, **values):
    return say("en", key, **values)


@pytest.fixture(scope="module")
def studio():
    return Studio({"storybook": lambda: load("storybook")})


@pytest.fixture
def shown(studio, actors):  # noqa: F811
    """Two small frames."""
    asked = job(studio, actors, "[size: 96] Bruno at the beach\n[size: 96] Bruno and Fern", steps=40, guidance=7.0)
    return last(studio.render(asked)).shown


def test_a_render_takes_one_step_a_frame_and_says_what_made_it(studio, shown):
    assert [item.backend for item in shown] == ["storybook", "storybook"]
    made = Project(shown[0].job.visit.story).story().settings
    assert (made.steps, made.guidance, made.size) == (1, 1.0, (1024, 1024))  # whatever the sliders of models say
    assert shown[1].frame.maps.measure == SEEN and shown[1].trace_words.endswith("of one layer are kept.")
    assert f"{shown[1].frame.trace.total} steps of one layer are kept" in shown[1].trace_words
    with Image.open(shown[0].file) as picture:
        assert picture.info["made"] == "painted place, your cut-outs"
    total = shown[1].frame.trace.total
    assert say("es", shown[1].trace_words).startswith(f"Se guardan {total} pasos de una capa")
    told = html.opened(1, shown[0].panel, ["Bruno"], ["Bruno"], 0, shown[0].backend, partial(say, "es"))
    assert "Viñeta 1 · semilla 0 · " in told
    assert "model.storybook" in told and "· mini<" in html.opened(1, shown[0].panel, [], [], 0, "mini")
    assert "viewer.who.seen" in html.measured(SEEN)


def test_the_board_of_a_text_without_panels_is_empty_beside_its_frames(studio, shown, actors):  # noqa: F811
    visit = shown[0].job.visit
    for text, count in (("", 0), ("Bruno at the beach", 1)):
        reading = script.read(text, "", "", cast.members(actors), [])
        assert len(board.slots(studio, visit, reading.source, actors, shown, 0, words)) == count


def test_cards_beyond_what_sketches_are_made_of_say_so(studio, shown, actors):  # noqa: F811
    text = "".join(f"[NC] a forest {number} {'by night ' * 200}\n" for number in range(30))
    reading = script.read(text, "", "", cast.members(actors), [])
    reach = board.READ // len(reading.script.panels[-1].prompt)
    for code, told in (("en", "No sketch"), ("zh-CN", "没有草图"), ("es", "Sin boceto")):
        slots = board.slots(studio, shown[0].job.visit, reading.source, actors, (), 0, partial(say, code))
        assert [told in slot and str(board.READ) in slot for slot in slots] == [False] * reach + [True] * (30 - reach)


def test_a_frame_is_taken_home_with_its_letters_and_its_story(shown):
    item, how = shown[0], ("box", "balloons")
    assert viewer.to_take_home(item, False, *how) == item.file
    with Image.open(viewer.to_take_home(item, True, *how)) as picture, Image.open(item.file) as plain:
        assert picture.filename != plain.filename and picture.size == (768, 768) and picture.info["page"] == "1"
        assert picture.info["prompt"] == plain.info["prompt"]


def test_frames_of_a_model_stay_and_say_so(studio, tiny_backend, actors):  # noqa: F811
    old = Studio({"mini": lambda: tiny_backend}, stories=studio.stories)
    asked = job(old, actors, "Bruno walks")
    last(old.render(asked))
    (item,) = studio.frames(studio.visit(asked.visit.key))
    assert item.backend == "mini" and item.frame.image.size == (64, 64)


def test_the_head_tells_what_it_is(studio, tiny_backend):
    backend = studio.backends["storybook"]
    assert masthead.ready(backend, words) == "storybook: painted place, your cut-outs"
    assert masthead.ready(tiny_backend, words) == "model: mini"
    said = masthead.banner(backend, words)
    assert "up to 12" in said and "1024 px" in said and "no model draws it" in said


def test_the_desk_places_and_has_no_strengths(shown):
    board = desk.routing(shown[1], sketches=True)
    assert 'name="seed"' in board and "data-strength" not in board and 'name="router"' not in board
    assert 'type="hidden" name="strength" value="1"' in board
    assert "data-strength" in desk.routing(shown[1], sketches=False)
    box = {"name": "Fern", "box": [0, 0, 0.5, 1], "paint": ""}
    told = {"layout": [box], "strength": "1", "start": "0", "end": "100", "first": "", "last": "", "router": True}
    layout = desk.steering({**told, "eta": {}, "gamma": {}}, ("Bruno", "Fern")).layout
    assert (layout.strength, layout.start, layout.end) == (1, 0, 1) and layout.places[0].name == "Fern"


def test_the_desk_leaves_what_the_script_says_to_a_model():
    here, there = Place("Fern", (0, 0, 0.5, 1)), Place("Fern", (0.5, 0, 1, 1))
    before = Steering(Layout((here,), 0.4, end=0.5), eta=(("Fern", 2.0),))
    asked = Steering(Layout((there,)))
    assert desk.placed(before, asked) == replace(before, layout=replace(before.layout, places=(there,)))
    assert desk.placed(before, Steering()).layout == Layout()
    for unheeded in (Steering(), replace(before, layout=Layout((here,), 0))):
        assert desk.placed(unheeded, asked).layout == asked.layout


def test_numbers_and_sizes_are_those_that_mean_something(studio):
    assert story.numbers(Settings(64, 30, 4.0)) == (30, 4.0)
    assert all(isinstance(skipped, dict) for skipped in story.numbers(studio.backends["storybook"].about.defaults))
    offered = panels._offered(studio.backends["storybook"].about.sizes)
    assert {512, 1024, 2048} < set(offered) and len(offered) <= 12


def test_the_time_left_of_frames_of_one_step_is_told():
    timer = TimeLeft(10, 1)
    timer.start(0.0)
    for second in (1, 2, 3):
        timer.step(float(second), 3, 3)  # whatever the number of the step that ended it
    assert timer.left() == pytest.approx(7.0)
    timer.skip()
    assert timer.left() == pytest.approx(6.0)


def test_the_time_left_counts_the_steps_that_frames_really_take():
    timer = TimeLeft(2, 25)
    timer.start(0.0)
    for second in range(1, 5):
        timer.step(float(second), second, 10)  # of a frame from a sketch, which runs 10 of its 25
    assert timer.left() == pytest.approx(6 + 25)
    timer.skip(4, 10)
    assert timer.left() == pytest.approx(25)
    for second in range(5, 15):
        timer.step(float(second), second - 4, 10)
    assert timer.left() == 0


def test_a_frame_from_a_sketch_says_so(studio):
    panel = Panel("Bruno sits")
    assert "· mini, " in html.opened(1, panel, [], [], 0, "mini", made=FROM_A_SKETCH)
    assert "· mini<" in html.opened(1, panel, [], [], 0, "mini")


def test_starting_imports_no_model_and_writes_no_stubs():
    program = (
        "import sys, pathlib\n"
        "written, write = [], pathlib.Path.write_text\n"
        "pathlib.Path.write_text = lambda self, *more, **how: written.append(self) or write(self, *more, **how)\n"
        "import ui.serve\n"
        "from ui.quick import import_gradio\n"
        "import inspect; known = inspect.getfile\n"
        "import_gradio()\n"
        "assert inspect.getfile is known\n"
        "from ui.app import build\n"
        "from ui.studio import Studio\n"
        "from anystory.backends.load import load\n"
        "studio = Studio({'storybook': load})\n"
        "assert build(studio).app is None\n"  # the server is for `launch` to build
        "print(studio.backends['storybook'].about.name, [path for path in written if path.suffix == '.pyi'])\n"
        "late = {'torch', 'diffusers', 'transformers', 'numba', 'onnxruntime', 'rembg', 'pandas', 'typer'}\n"
        "print(sorted(late & set(sys.modules)))\n"
        "import gradio\n"
        "from gradio.caching import pd\n"
        "print(pd.Series([2, 3]).sum(), gradio.routes._condense_info({'named_endpoints': {}}, url_only=True))\n"
        "from gradio.cli import deploy\n"
        "from jinja2 import Template\n"
        "print(callable(deploy), Template('{{ 1 + 1 }}').render())\n"
    )
    run = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    assert run.stdout.splitlines() == ["storybook []", "[]", "5 {}", "True 2"]


def test_a_story_is_made_by_storybook_in_the_browser(story_page):
    page = story_page
    expect(page.locator(".model.ready")).to_have_text(words("model.storybook"))
    expect(page.locator("#finder")).to_be_hidden()
    page.locator("#settings button").first.click()
    expect(page.locator("#seed-row")).to_be_visible()
    expect(page.locator("#steps")).to_be_hidden()
    upload(page, EXAMPLE / "fern.png", EXAMPLE / "bruno.png")
    expect(page.locator("img.cutout")).to_have_count(2)
    write(page, "[size: 128] Fern and Bruno at the beach at night\n[size: 128] Bruno in the forest")
    page.locator("#render").click()
    expect(frames(page)).to_have_count(2)
    settle(page)
    frames(page).first.click()
    expect(page.locator(".opened .number")).to_contain_text(words("model.storybook"))
    expect(page.locator("#verdict")).to_contain_text("Fern fills")
    open_part(page, "routing")
    for edge, value in enumerate((60, 20, 95, 90)):
        page.locator(f"#routing [data-edge='{edge}']").fill(str(value))
    page.locator("#routing .go").click()
    expect(page.locator("#desk-notice")).to_be_empty()
    settle(page)
    assert "[layout: " in page.locator("#script textarea").input_value()
    expect(frames(page)).to_have_count(2)


def test_a_drawing_chosen_on_the_card_is_in_the_frames_and_stays(story_page):
    page = story_page
    page.locator("#describe").click()
    page.locator("#actor-1 .name input").fill("Bo")
    page.locator("#actor-1 .words input").fill("a big bear")
    write(page, "[size: 96] Bo sits in the forest")
    page.locator("#render").click()
    expect(frames(page)).to_have_count(1)
    settle(page)
    (before,) = pictures(page)
    likenesses = page.locator("#actor-1 .likeness")
    expect(likenesses).to_have_count(4)
    expect(likenesses.first).to_have_attribute("aria-pressed", "true")
    likenesses.nth(2).click()
    expect(likenesses.nth(2)).to_have_attribute("aria-pressed", "true")
    page.locator("#render").click()
    expect(frames(page).locator("img")).not_to_have_attribute("src", before)
    settle(page)
    expect(page.locator("#story-head .story:not(.waits)")).to_be_visible()  # it is kept
    page.reload()
    expect(likenesses.nth(2)).to_be_visible()
    expect(likenesses.nth(2)).to_have_attribute("aria-pressed", "true")
    expect(frames(page)).to_have_count(1)


def test_the_frames_of_a_sketched_story_follow_the_layout_and_the_shape_that_are_chosen(story_page):
    page, script = story_page, story_page.locator("#script textarea")
    write(page, "\n".join(["size: 96", "[NC] the sea", "[NC] a forest", "[NC] a hill", "[NC] a beach", "[NC] a town"]))
    page.locator("#render").click()
    expect(frames(page)).to_have_count(5)
    settle(page)
    assert shapes(page) == [1, 1, 1, 1, 1]

    before = pictures(page)
    page.get_by_label("Layout").click()
    page.get_by_role("option", name="Manga").click()
    expect(script).to_have_value(re.compile("pages: manga\nsize: 96\n"))
    expect(frames(page).last.locator("img")).not_to_have_attribute("src", before[-1])
    settle(page)
    assert shapes(page) == [1.2, 0.8, 1.7, 0.8, 1.2]
    expect(page.locator("#pages .hint")).to_have_count(0)

    before = pictures(page)
    page.locator("#settings button").first.click()
    page.locator("#shape input").click()
    page.get_by_role("option", name="16:9").click()
    expect(script).to_have_value(re.compile("shape: 16:9\nsize: 96\n"))
    expect(page.get_by_label("Layout")).to_have_value("Two by two")
    expect(frames(page).last.locator("img")).not_to_have_attribute("src", before[-1])
    settle(page)
    assert shapes(page) == [1.8] * 5
    expect(page.locator("#pages .hint")).to_contain_text("Cropped by their cells: 1, 2, 3.")

    write(page, "pages: splash\nsize: 96\n[NC] the sea")
    expect(page.get_by_label("Layout")).to_have_value(words("book.layout.splash"))
    expect(page.locator("#shape input")).to_have_value(words("settings.shape.page"))


def shapes(page):
    """Width to height of the strip's pictures."""
    return (
        frames(page)
        .locator("img")
        .evaluate_all(
            "images => Promise.all(images.map(async image => { await image.decode();"
            " return Math.round(10 * image.naturalWidth / image.naturalHeight) / 10 }))"
        )
    )
