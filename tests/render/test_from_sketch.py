"""Stories whose frames begin with their sketches: keys, the frames from before, and a sketch that changes."""

import copy
from dataclasses import replace

import numpy as np
import pytest

from anystory.api import load_story
from anystory.backends.load import load
from anystory.backends.storybook import ABOUT
from anystory.backends.underdrawing import underdrawing
from anystory.project.folder import Project
from anystory.render.session import Renderer, RenderError
from anystory.script.lint import lint
from anystory.sketch.cutout import prepare
from anystory.story.from_sketch import FROM_NOISE, FromSketch
from anystory.story.model import Panel
from anystory.story.steering import Layout, Steering
from anystory.supplies import ASSETS

TAKEN = FromSketch(True, 0.5)


@pytest.fixture(scope="module")
def backend(tiny_backend):
    """The tiny one, as it is where frames begin with their sketches unless somebody says otherwise."""
    changed = copy.copy(tiny_backend)
    changed.about = replace(tiny_backend.about, from_sketch=TAKEN)
    return changed


def story(backend, *panels, **more):
    told = load_story(ASSETS / "example" / "story.yaml", backend, steps=2, size=64)
    panels = panels or (Panel("Bruno in the forest", ("Bruno",)), Panel("Fern at the beach", ("Fern",)))
    return replace(told, script=replace(told.script, panels=panels, **more))


def reused(backend, told, folder, **how):
    return [event.reused for event in Renderer(backend).render(told, folder, **how) if event.done]


def test_frames_from_before_stay_and_new_ones_begin_with_sketches(tiny_backend, backend, tmp_path):
    assert reused(tiny_backend, story(tiny_backend), tmp_path) == [False, False]
    old = (tmp_path / "frames" / "001.png").read_bytes()
    edited = story(backend, Panel("Bruno in the forest", ("Bruno",)), Panel("Fern in a town", ("Fern",)))
    assert reused(backend, edited, tmp_path) == [True, False]
    assert reused(backend, edited, tmp_path) == [True, True]
    assert (tmp_path / "frames" / "001.png").read_bytes() == old
    assert [Project(tmp_path).frame(k).from_sketch for k in (1, 2)] == [FROM_NOISE, TAKEN]


def test_a_frame_from_before_goes_once_the_story_asks_for_its_sketch(tiny_backend, backend, tmp_path):
    assert reused(tiny_backend, story(tiny_backend), tmp_path) == [False, False]
    assert reused(backend, story(backend), tmp_path) == [True, True]
    Project(tmp_path).pin(2, True)
    assert reused(backend, story(backend, from_sketch=TAKEN), tmp_path) == [False, True]
    assert [Project(tmp_path).frame(k).from_sketch for k in (1, 2)] == [TAKEN, FROM_NOISE]
    assert reused(backend, story(backend), tmp_path) == [True, True]


def test_where_all_steps_run_a_frame_is_one_from_noise(backend):
    nearly, noise = (Renderer(backend).keys(story(backend, from_sketch=FromSketch(strength=s))) for s in (0.9, 1))
    assert nearly == noise


def test_a_frame_without_a_step_stays_though_it_has_no_trace(backend, tmp_path):
    told = story(backend, from_sketch=FromSketch(strength=0))
    assert reused(backend, told, tmp_path, trace=True) == [False, False]
    assert reused(backend, told, tmp_path, trace=True) == [True, True]


def test_a_frame_that_was_asked_for_from_noise_does_not_stay_for_one_from_a_sketch(backend, tmp_path):
    assert reused(backend, story(backend, from_sketch=FROM_NOISE), tmp_path) == [False, False]
    assert reused(backend, story(backend), tmp_path) == [False, False]


def test_the_key_holds_what_the_sketch_is_made_from(backend, monkeypatch):
    def key(*panels, **more):
        return Renderer(backend).keys(story(backend, *panels, **more))[-1]

    first = Panel("Bruno in the forest", ("Bruno",))
    same = key(first, Panel("Bruno sits", ("Bruno",)))
    assert key(first, Panel("Bruno sits", ("Bruno",), caption="Hi")) == same
    assert key(replace(first, prompt="Bruno at the beach"), Panel("Bruno sits", ("Bruno",))) != same  # goes on there
    off = Steering(from_sketch=FROM_NOISE)
    noise = key(first, Panel("Bruno sits", ("Bruno",), steering=off))
    assert noise == key(replace(first, prompt="Bruno at the beach"), Panel("Bruno sits", ("Bruno",), steering=off))
    assert key(first, Panel("Bruno sits", ("Bruno",)), from_sketch=TAKEN) == same != noise
    monkeypatch.setattr("anystory.backends.storybook.ABOUT", replace(ABOUT, version="another"))
    assert key(first, Panel("Bruno sits", ("Bruno",))) != same
    assert key(first, Panel("Bruno sits", ("Bruno",), steering=off)) == noise


@pytest.mark.parametrize("layout", [Layout(flip=("Fern",)), Layout(turn=(("Fern", 90),))])
def test_who_is_mirrored_or_turned_by_hand_is_so_in_the_sketch(backend, layout):
    def asked(layout, taken):
        panel = Panel("Fern in the forest", ("Fern",), steering=Steering(layout))
        return Renderer(backend).asked(story(backend, panel, from_sketch=taken))[0]

    def seen(asked):
        return underdrawing(asked.request, TAKEN, {"Fern": prepare(asked.subjects[0])}).holders == 0

    plain, moved = (asked(each, TAKEN) for each in (Layout(), layout))
    assert plain.key != moved.key and seen(plain).any() and not np.array_equal(seen(plain), seen(moved))
    assert asked(Layout(), FROM_NOISE).key == asked(layout, FROM_NOISE).key


def test_storybook_takes_nothing_and_says_so():
    storybook = load("storybook")
    assert storybook.about.from_sketch is None
    with pytest.raises(RenderError, match="storybook draws nothing from sketches"):
        load_story(ASSETS / "example" / "story.yaml", storybook, from_sketch="layout")
    plain, told = (Renderer(storybook).keys(story_of(storybook, taken)) for taken in (None, TAKEN))
    assert plain == told


def test_who_takes_no_sketch_for_a_reference_says_so_and_makes_the_frame_without(tiny_backend):
    wanted = FromSketch(True, reference=True)
    with pytest.raises(RenderError, match="mini takes no sketch for a reference; say layout, a strength or both"):
        load_story(ASSETS / "example" / "story.yaml", tiny_backend, from_sketch=wanted)
    told = Renderer(tiny_backend).keys(story(tiny_backend, from_sketch=wanted))
    assert told == Renderer(tiny_backend).keys(story(tiny_backend, from_sketch=FromSketch(True)))
    source = "from_sketch: layout reference\n\nThe sea\n[from_sketch: reference] A hill\n[from_sketch: 0.5] A town"
    found = [f for f in lint(source, backend=tiny_backend) if f.code == "steering"]
    assert [source[f.start : f.end] for f in found] == ["reference", "reference"]
    assert all(f.severity == "note" and "that part of from_sketch is left out" in f.message for f in found)
    able = copy.copy(tiny_backend)
    able.about = replace(tiny_backend.about, refers_to_sketches=True)
    assert not [f for f in lint(source, backend=able) if f.code == "steering"]


def story_of(backend, taken):
    told = load_story(ASSETS / "example" / "story.yaml", backend)
    return replace(told, script=replace(told.script, from_sketch=taken))


def test_the_embedded_model_begins_with_sketches_and_other_folders_do_not(tiny_backend):
    assert load("mini").about.from_sketch == FromSketch(True, 0.4)
    assert tiny_backend.about.from_sketch == FROM_NOISE
