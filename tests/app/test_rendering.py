"""Renders as visitors have them: in turn, stopped, skipped, chosen, limited, and nobody sees another's."""

import re
import threading
import time
import urllib.error
import urllib.request
from dataclasses import replace
from types import SimpleNamespace

import pytest
from playwright.sync_api import expect

from anystory.cast.segment import Segmenter
from anystory.project.drafts import Store
from anystory.story.model import BACKGROUND, CastMember, Panel
from anystory.supplies import ASSETS
from tests.app.steps import EXAMPLE, few_steps, frames, settle, slide, upload, write
from ui import cast, script, storyboard
from ui.events.storyboard import EXAMPLE as EXAMPLE_FILES
from ui.frames import start_label
from ui.limits import Allowance, Limits
from ui.running import DONE, FAILED, OPEN, SKIPPED, WAITING, Run, Visitors
from ui.serve import arguments, limits
from ui.strip import strip
from ui.studio import Job, Studio
from ui.words import words

SAY = words(None)


class Gated:
    """A backend whose every step waits until the test lets it go: what is between two steps happens there, and no
    clock has a say. `at_work` are those whose steps were asked for, in their order."""

    def __init__(self, backend):
        self._backend, self.at_work = backend, []
        self.asked, self._go, self.fails = threading.Semaphore(0), threading.Semaphore(0), False

    def __getattr__(self, name):
        return getattr(self._backend, name)

    def denoise(self, request):
        for step in self._backend.denoise(request):
            self.at_work.append(request.prompt.text)
            self.asked.release()
            self._go.acquire()
            if self.fails:
                self.fails = False
                raise RuntimeError("CUDA out of memory at /usr/lib/cuda.so\nmore")
            yield step

    def step(self, count=1):
        """Let so many steps go, and wait until the next one is at work."""
        for _ in range(count):
            self._go.release()
            self.asked.acquire()

    def go(self):
        """No more waiting."""
        for _ in range(1000):
            self._go.release()


@pytest.fixture
def gate(tiny_backend):
    return Gated(tiny_backend)


@pytest.fixture(scope="module")
def fern():
    made, _ = cast.cut_out([ASSETS / "example" / "fern.png"], Segmenter())
    return cast.subjects(cast.joined((), made)[0])


@pytest.fixture
def studio(gate):
    return Studio({"mini": lambda: gate})


def job(studio, fern, *lines, **more):
    names = [subject.name for subject in fern]
    story = script.read("\n".join(lines), "", "", [CastMember(name) for name in names], names).script
    return Job(story, fern, studio.visit(), **{"seed": 0, "steps": 2, "guidance": 1.0, **more})


def run_of(studio, asked, before=(), limits=None):
    return Run(studio, asked, before, Allowance(limits or Limits()))


def states(run):
    return [run.state(number) for number in range(1, len(run.job.script.panels) + 1)]


# In the background


def test_a_panel_is_skipped_a_stop_keeps_what_is_finished_and_the_next_run_goes_on(studio, gate, fern):
    run = run_of(studio, job(studio, fern, "Fern one", "Fern two", "Fern three", "Fern four", steps=3))
    gate.asked.acquire()
    gate.step(3)  # panel 2 is at work
    assert states(run)[0] == DONE and states(run)[2:] == [WAITING, WAITING]
    run.skip()
    gate.step(2)
    assert gate.at_work[-1] == gate.at_work[0].replace("one", "three")
    assert states(run)[:2] == [DONE, SKIPPED]
    run.stop()
    gate.go()
    run.join()
    assert run.ended and run.stopped and run.error is None
    assert [item.number for item in run.shown] == [1]
    assert states(run) == [DONE, SKIPPED, OPEN, OPEN]

    again = run_of(studio, run.job, run.shown)
    again.join()
    assert states(again) == [DONE] * 4
    assert again.shown[0].file == run.shown[0].file and sum("one" in text for text in gate.at_work) == 3


def test_a_failure_in_the_middle_is_a_sentence_and_the_next_run_goes_on(studio, gate, fern, capsys):
    run = run_of(studio, job(studio, fern, "Fern one", "Fern two", "Fern three"))
    gate.asked.acquire()
    gate.step(3)  # the last step of panel 2 is at work
    gate.fails = True
    gate.go()
    run.join()
    said = str(run.error)
    assert "CUDA out of memory at …" in said and "Finished frames stay" in said and "/usr" not in said
    assert "more" not in said and "Traceback" in capsys.readouterr().err
    assert states(run) == [DONE, FAILED, OPEN]
    again = run_of(studio, run.job, run.shown)
    again.join()
    assert again.error is None and states(again) == [DONE] * 3
    assert len(studio.turns) == 0


def test_chosen_panels_alone_are_made_and_the_others_stay(studio, gate, fern):
    gate.go()
    asked = job(studio, fern, "Fern one", "Fern two", "Fern three", panels=(3, 1))
    run = run_of(studio, asked)
    run.join()
    assert [item.number for item in run.shown] == [1, 3] and states(run) == [DONE, OPEN, DONE]
    more = run_of(studio, replace(asked, panels=(2,)), run.shown)
    more.join()
    assert [item.number for item in more.shown] == [1, 2, 3]
    assert [item.file for item in more.shown][::2] == [item.file for item in run.shown]


def test_two_visitors_take_turns_panel_by_panel_and_are_told_their_place(studio, gate, fern):
    long = run_of(studio, job(studio, fern, *[f"Fern long {k}" for k in range(4)]))
    gate.asked.acquire()
    short = run_of(studio, job(studio, fern, "Fern short a", "Fern short b"))
    third = run_of(studio, job(studio, fern, "Fern third"))
    while len(studio.turns) < 3 or third.moment.place == 0:
        pass  # they queue up in threads of their own
    assert {short.moment.place, third.moment.place} == {1, 2}
    gate.go()
    for run in (long, short, third):
        run.join()
    order = [re.search(r"long|short|third", text)[0] for text in gate.at_work][::2]
    assert order[0] == "long" and sorted(order[1:3]) == ["short", "third"], order
    assert order[3] == "long" and order[4:] == ["short", "long", "long"], order
    assert all(len(run.shown) == len(run.job.script.panels) for run in (long, short, third))


def test_whoever_stops_in_the_queue_leaves_it(studio, gate, fern):
    long = run_of(studio, job(studio, fern, "Fern one"))
    gate.asked.acquire()
    waits = run_of(studio, job(studio, fern, "Fern two"))
    while waits.moment.place == 0:
        pass
    waits.stop()
    waits.join()
    assert waits.ended and not long.ended and len(studio.turns) == 1
    gate.go()
    long.join()
    assert states(long) == [DONE]


def test_time_used_up_ends_a_render_with_a_sentence_and_keeps_its_frames(studio, gate, fern, monkeypatch):
    now = [0.0]
    monkeypatch.setattr("ui.studio.time", SimpleNamespace(monotonic=lambda: now[0], time=lambda: 0.0))
    run = run_of(studio, job(studio, fern, "Fern one", "Fern two", "Fern three"), limits=Limits(minutes=1))
    gate.asked.acquire()
    gate.step(2)
    now[0] = 61.0
    gate.go()
    run.join()
    assert "1 minutes of computing" in str(run.error)
    assert [item.number for item in run.shown] == [1]


def test_a_visitor_who_leaves_stops_the_render(studio, gate, fern):
    visitors = Visitors(Limits())
    visitors["a"].run = run_of(studio, job(studio, fern, "Fern one", "Fern two"))
    assert visitors["b"].run is None and visitors["b"].allowance is not visitors["a"].allowance
    gate.asked.acquire()
    visitors.leave("b")
    visitors.leave("nobody")
    assert not visitors["a"].run.stopped
    visitors.leave("a")
    gate.go()
    visitors["a"].run.join()
    assert visitors["a"].run.stopped and not visitors["a"].run.shown


# The example, shared


@pytest.fixture
def example():
    return storyboard.load(EXAMPLE_FILES, (), "u2net")


def of_example(studio, board, lines=None, **more):
    """The job of a visitor who makes the example with the model's own settings, as far as it is not said otherwise."""
    subjects = cast.subjects(board.actors)
    names = [subject.name for subject in subjects]
    story = script.read(lines or board.lines, board.title, board.style, cast.members(board.actors), names).script
    own = {
        "seed": 0,
        "steps": studio.backends["mini"].about.defaults.steps,
        "guidance": studio.backends["mini"].about.defaults.guidance,
    }
    return Job(story, subjects, studio.visit(), **{**own, **more})


def made(studio, asked):
    *_, last = studio.render(asked)
    return last.shown


def test_the_first_visitor_has_the_example_made_and_the_next_has_it_at_once(tiny_backend, example, monkeypatch):
    studio = Studio({"mini": lambda: tiny_backend})
    renamed = tuple(replace(actor, name="Zoltan") if actor.name == "Bruno" else actor for actor in example.actors)
    private = example.lines.replace("Bruno", "Zoltan").replace("# Two", "# Zero")
    first = made(studio, of_example(studio, replace(example, actors=renamed, title="Zigzag"), private))
    with monkeypatch.context() as patch:
        patch.setattr(tiny_backend, "denoise", None)  # nobody may ask the model
        second = made(studio, of_example(studio, example))
    for one, other in zip(first, second, strict=True):
        assert one.frame.image.tobytes() == other.frame.image.tobytes()
        assert (one.frame.maps.values.astype("f2") == other.frame.maps.values.astype("f2")).all()
        assert other.frame.trace is not None and other.file.parent != one.file.parent
        assert other.frame.maps.names == other.frame.trace.names == (*other.panel.cast, BACKGROUND)
    # Of the first visitor's own words, nothing came along.
    visit = second[0].job.visit
    kept = [path.read_bytes() for folder in (visit.story, visit.files) for path in folder.rglob("*") if path.is_file()]
    assert kept and not [data for data in kept for word in (b"Zoltan", b"Zigzag", b"Zero") if word in data]


def test_what_is_not_the_example_as_it_comes_is_never_shared(gate, example):
    gate.go()
    studio = Studio({"mini": lambda: gate})
    count = len(example.lines.splitlines())
    other = {"steps": 1, "guidance": 1.5}
    made(studio, of_example(studio, example, "Bruno is private\nFern and Pip", **other))
    made(studio, of_example(studio, example, **other))
    made(studio, of_example(studio, example, seed=9, panels=(1,)))
    changed = tuple(replace(actor, description="a secret") for actor in example.actors)
    made(studio, of_example(studio, replace(example, actors=changed), panels=(1,)))
    assert list(studio._examples["mini"].values()) == [None] * count
    made(studio, of_example(studio, example, panels=(1,)))
    assert [frame is not None for frame in studio._examples["mini"].values()] == [True] + [False] * (count - 1)


# The strip, settings, files


def test_the_strip_escapes_what_was_typed_and_tells_how_panels_stand(studio, gate, fern):
    gate.go()
    run = run_of(studio, job(studio, fern, "Fern one", "Fern two walks home alone"))
    run.join()
    evil = 'Fern two walks home <img src=x onerror="alert(1)">'
    panels = (run.job.script.panels[0], Panel(evil), Panel("Fern", caption=evil))
    page = strip(SAY, panels, run.shown, {2}, 1)
    assert "<img src=x" not in page and 'onerror="' not in page
    stands = re.findall(r'<li class="(\w+)" data-panel="(\d)"', page)
    assert stands == [("done", "1"), ("old", "2"), ("open", "3")]
    assert page.count('aria-checked="true"') == 1 and page.count('aria-current="true"') == 1
    assert strip(SAY, (), run.shown, (), None).count("thumbnail-item") == 2, "frames outlive their lines"
    assert "data-pick" not in strip(SAY, (), run.shown, {1}, None), "but cannot be chosen"
    assert strip(SAY, (), (), (), None) == ""


def test_the_button_says_what_it_makes():
    assert start_label(SAY, ()) == "Make the frames"
    assert start_label(SAY, (2, 5)) == "Make panel 2, 5"
    assert start_label(SAY, (1, 2, 3, 4, 7, 8)) == "Make panel 1–4, 7, 8"


def test_limits_are_settings_with_defaults_where_strangers_come(monkeypatch):
    monkeypatch.delenv("SPACE_ID", raising=False)
    assert limits(arguments([])) == Limits()
    shared = limits(arguments(["--share"]))
    assert None not in (shared.panels, shared.minutes, shared.uploads, shared.pixels)
    own = limits(arguments(["--share", "--limit-panels", "8", "--limit-minutes", "none"]))
    assert own == replace(shared, panels=8, minutes=None)
    assert limits(arguments(["--limit-uploads", "3"])) == Limits(uploads=3)
    monkeypatch.setenv("SPACE_ID", "somebody/story")
    assert limits(arguments([])) == shared


@pytest.mark.parametrize("given", ["0", "-1", "many", "1.5", ""])
def test_a_limit_that_is_none_is_one_sentence(given, capsys):
    with pytest.raises(SystemExit) as stopped:
        arguments([f"--limit-panels={given}"])
    said = capsys.readouterr().err
    assert stopped.value.code == 2 and repr(given) in said and "none" in said and said.count("\n") == 1


def test_what_has_become_old_is_removed_and_what_is_open_stays(tiny_backend, tmp_path, monkeypatch):
    studio = Studio({"mini": lambda: tiny_backend}, stories=Store(tmp_path / "stories"))
    (uploads := tmp_path / "uploads" / "abc").mkdir(parents=True)
    (uploads / "fern.png").write_bytes(b"...")
    mine, old = studio.visit(), Store.new_key()
    for key in (mine.key, old):
        studio.stories.touch(key)
    studio.tidy(tmp_path / "uploads")
    assert (uploads / "fern.png").exists() and studio.stories.folder(old).exists()
    monkeypatch.setattr("time.time", lambda: 4e9)
    studio.tidy(tmp_path / "uploads")
    assert (uploads / "fern.png").exists() and studio.stories.folder(old).exists()  # no clock has a say in it
    later = time.monotonic() + 31 * 24 * 3600
    monkeypatch.setattr("ui.studio.time", SimpleNamespace(monotonic=lambda: later))
    monkeypatch.setattr(studio.stories._clock, "_running", lambda: later)
    studio.tidy(tmp_path / "uploads")
    assert not (uploads / "fern.png").exists() and not studio.stories.folder(old).exists() and mine.story.exists()


# On the page


def test_panels_are_chosen_made_skipped_and_stopped_with_escape(page):
    upload(page, EXAMPLE / "fern.png")
    expect(page.locator("img.cutout")).to_have_count(1)
    write(page, "\n".join(f"Fern in the forest {number}" for number in range(1, 101)))
    expect(page.locator("#gallery li.open")).to_have_count(100)
    few_steps(page, 4)
    page.locator("#gallery .pick").nth(91).click()
    page.locator("#gallery .pick").nth(93).click(modifiers=["Shift"])
    page.locator("#gallery .pick").nth(94).focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Space")
    expect(page.locator("#render")).to_have_text("Make panel 92–94, 96")
    page.keyboard.press("Control+Enter")
    expect(page.locator("#gallery li.done")).to_have_count(4)
    settle(page)
    assert page.locator("#gallery li.done").evaluate_all("all => all.map(i => i.dataset.panel)") == [
        "92",
        "93",
        "94",
        "96",
    ]
    expect(page.locator("#render")).to_have_text("Make the frames")

    few = page.locator("#gallery .thumbnail-item").nth(2)
    few.press("Enter")
    expect(page.locator(".opened .number")).to_contain_text("Panel 94")
    slide(page, "#steps", 60)
    page.locator("#render").click()
    expect(page.locator("#gallery li.making")).to_have_count(1)
    page.locator("#skip").click(click_count=3)  # one may come with the last step of a frame, which stays then
    expect(page.locator("#gallery li.skipped").first).to_be_visible()
    page.locator("#script textarea").press("Escape")
    expect(page.locator("#progress")).to_contain_text("Finished frames are kept")
    settle(page)
    expect(page.locator("#gallery li")).to_have_count(100)
    expect(page.locator("#refused .notice")).to_have_count(0)


def test_what_is_chosen_stays_chosen_while_the_script_changes(page):
    upload(page, EXAMPLE / "fern.png")
    write(page, "Fern walks\nFern sits\nFern sleeps")
    expect(page.locator("#gallery li.open")).to_have_count(3)
    page.locator("#gallery .pick").first.focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Space")
    expect(page.locator("#render")).to_have_text("Make panel 2")
    write(page, "Fern walks\nFern sits\nFern sleeps\nFern swims")
    expect(page.locator("#gallery li.open")).to_have_count(4)
    page.locator("#gallery .pick").nth(3).press("Space")
    expect(page.locator("#render")).to_have_text("Make panel 2, 4")
    write(page, "Fern walks\nFern sits\nFern sleeps")
    expect(page.locator("#render")).to_have_text("Make panel 2")


def test_two_visitors_at_once_see_their_own_frames_only(page, browser, address):
    other_context = browser.new_context()
    other = other_context.new_page()
    other.goto(address)
    expect(other.locator(".model.ready")).to_be_visible()
    for visitor, file, text in ((page, "fern.png", "Fern walks\nFern sits"), (other, "pip.png", "Pip sleeps")):
        upload(visitor, EXAMPLE / file)
        expect(visitor.locator("img.cutout")).to_have_count(1)
        write(visitor, text)
        expect(visitor.locator("#gallery li.open")).to_have_count(text.count("\n") + 1)
    page.locator("#render").click()
    other.locator("#render").click()
    for visitor in (page, other):
        settle(visitor)
    expect(frames(page)).to_have_count(2)
    expect(frames(other)).to_have_count(1)
    expect(page.locator("#gallery")).not_to_contain_text("Pip")
    expect(other.locator("#gallery")).not_to_contain_text("Fern")
    theirs = frames(page).locator("img").evaluate_all("all => all.map(i => i.src)")
    assert not set(theirs) & set(frames(other).locator("img").evaluate_all("all => all.map(i => i.src)"))
    folders = {re.search(r"file=(.*)/\d{3}-", url)[1] for url in theirs}
    (folder,) = folders
    assert len(folder.rsplit("/", 1)[1]) >= 22, "128 bits that nobody guesses"
    assert urllib.request.urlopen(theirs[0]).status == 200
    for guess in (folder, folder.rsplit("/", 1)[0], f"{folder}x/001.jpg", f"{folder}/../"):
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(f"{address}/gradio_api/file={guess}")
        assert refused.value.code == 403
    other_context.close()
