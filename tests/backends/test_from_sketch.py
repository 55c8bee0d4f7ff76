"""Frames from a sketch in every backend that is a model: what begins with it, what it costs, and what is told of it."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image, ImageChops, ImageDraw

from anystory.backends.base import Batcher, Request
from anystory.backends.load import load
from anystory.backends.models import pixels_of
from anystory.project.folder import Project
from anystory.project.imprint import story_from_png
from anystory.render.session import Renderer
from anystory.story.from_sketch import FROM_NOISE, FromSketch, Underdrawing
from anystory.story.model import (
    FROM_A_SKETCH,
    ROUTING,
    SEEN,
    CastMember,
    Panel,
    Script,
    Story,
)
from anystory.story.steering import UNSTEERED, Layout, Place, Steering
from tests.backends.conftest import GOLDEN
from tests.backends.test_layout import BOXES, CAST, NAMES, PROMPT, overlap, same

SIDE, STEPS = 64, 3


@pytest.fixture(scope="module")
def backend(each_backend):
    return each_backend


def drawn(taken, seed=0):
    """A sketch in which Fox and Robot stand in their `BOXES`."""
    picture = Image.fromarray(np.random.default_rng(seed).integers(0, 256, (SIDE, SIDE, 3), np.uint8))
    holders = np.full((SIDE, SIDE), 2, np.uint8)
    for index, place in enumerate(BOXES):
        x0, y0, x1, y1 = (round(edge * SIDE) for edge in place.box)
        holders[y0:y1, x0:x1] = index
        ImageDraw.Draw(picture).rectangle((x0, y0, x1, y1), ("red", "blue")[index])
    return Underdrawing(taken, picture, holders, NAMES)


def request(backend, under=None, steering=UNSTEERED, seed=7):
    settings = replace(backend.about.defaults, steps=STEPS, size=SIDE)
    cast = tuple(backend.encode(subject) for subject in CAST)
    return Request(PROMPT, NAMES, cast, settings, seed, steering, under)


def steps(backend, *asked):
    return list(backend.denoise(request(backend, *asked)))


def test_full_strength_is_a_frame_from_noise_bit_for_bit(backend):
    plain, begun = (steps(backend, under)[-1].frame for under in (None, drawn(FromSketch(strength=1.0))))
    assert same(plain, begun)


def test_no_strength_is_what_the_autoencoder_makes_of_the_sketch(backend):
    under = drawn(FromSketch(True, 0.0))
    (step,) = steps(backend, under)
    pipeline = backend.pipeline
    with torch.no_grad():
        config, pixels = pipeline.vae.config, pixels_of(under.picture)[None]
        code = pipeline.vae.encode(pixels)
        again = pipeline.vae.decode(code.latents if "latents" in code else code.latent_dist.mode()).sample
    assert config is not None and (step.index, step.total) == (1, 1)
    expected = ((again[0].clamp(-1, 1) + 1) * 127.5).permute(1, 2, 0).numpy()
    assert np.abs(np.asarray(step.frame.image, float) - expected).max() <= 1
    assert step.frame.maps.measure == SEEN and step.frame.trace is None
    assert np.array_equal(step.frame.maps.values.argmax(0), under.holders)


@pytest.mark.parametrize("strength", [0.34, 0.67])
def test_only_the_last_steps_run_and_the_same_seed_gives_the_same_frame(backend, strength):
    taken = FromSketch(strength=strength)
    made = steps(backend, drawn(taken))
    run = taken.steps(STEPS)
    assert [(step.index, step.total) for step in made] == [(k + 1, run) for k in range(run)]
    frame = made[-1].frame
    assert frame.trace is None or (frame.trace.total, max(frame.trace.steps)) == (run, run)
    assert same(frame, steps(backend, drawn(taken))[-1].frame)
    assert not same(frame, steps(backend, drawn(taken), UNSTEERED, 8)[-1].frame)
    assert not same(frame, steps(backend, drawn(taken, 1))[-1].frame)


def test_the_less_strength_the_nearer_to_the_sketch(backend):
    frames = [steps(backend, drawn(FromSketch(strength=s)))[-1].frame.image for s in (0, 0.34, 0.67, 1)]
    apart = [np.abs(np.asarray(f, float) - np.asarray(frames[0], float)).mean() for f in frames]
    assert apart[1] < apart[2] and apart[1] < apart[3]


@pytest.mark.parametrize("strength", [1.0, 0.67])
def test_the_places_in_the_sketch_are_the_layout_and_a_hands_places_win(backend, strength):
    taken = FromSketch(True, strength)
    made = steps(backend, drawn(taken))[-1].frame
    assert made.maps.measure == ROUTING and overlap(made.maps, Layout(BOXES)) >= 0.9
    hand = Place("Fox", (0, 0, 0.25, 0.25))
    moved = steps(backend, drawn(taken), Steering(Layout((hand,))))[-1].frame
    assert overlap(moved.maps, Layout((hand, BOXES[1]))) >= 0.9
    free = steps(backend, drawn(taken), Steering(Layout(strength=0)))[-1].frame
    assert same(free, steps(backend, drawn(FromSketch(strength=strength)))[-1].frame)


def story(backend, *panels, from_sketch=None, steps=STEPS):
    script = Script(panels, tuple(CastMember(name) for name in NAMES), from_sketch=from_sketch)
    return Story(script, CAST, replace(backend.about.defaults, steps=steps, size=SIDE))


def test_a_frame_tells_what_it_took_and_is_made_anew_for_anything_else(backend, tmp_path):
    def render(taken, panel=None):
        panels = Panel("Fox and Robot in the forest", NAMES, steering=Steering(from_sketch=panel)), Panel("the sea")
        told = story(backend, *panels, from_sketch=taken)
        return [event.reused for event in Renderer(backend).render(told, tmp_path, trace=True) if event.step.frame]

    assert render(FromSketch(True, 0.67)) == [False, False]
    project = Project(tmp_path)
    frame = project.frame(1)
    assert (frame.from_sketch, frame.made) == (FromSketch(True, 0.67), FROM_A_SKETCH)
    assert project.story().script.from_sketch == FromSketch(True, 0.67)
    again = story_from_png((tmp_path / "frames" / "001.png").read_bytes())
    assert (again.made, again.script.from_sketch) == (FROM_A_SKETCH, FromSketch(True, 0.67))
    assert render(FromSketch(True, 0.67)) == [True, True]
    assert render(FromSketch(True, 0.67), panel=FROM_NOISE) == [False, True]
    assert Project(tmp_path).frame(1).made == "" and render(None) == [True, False]
    assert render(FromSketch(True)) == [False, False] and render(FromSketch(False, 0)) == [False, False]


def test_flux_makes_several_from_their_sketches_at_once():
    flux = load("flux", model=GOLDEN, batch=2)
    assert isinstance(flux, Batcher)
    panels = Panel("Fox and Robot in the forest", NAMES), Panel("Fox and Robot at the sea", NAMES)
    told = story(flux, *panels, from_sketch=FromSketch(True, 0.67))
    both = [event.step.frame for event in Renderer(flux).render(told) if event.done]
    alone = [
        next(event.step.frame for event in Renderer(flux).render(told, panels=[number]) if event.done)
        for number in (1, 2)
    ]
    for one, other in zip(both, alone, strict=True):
        difference = np.asarray(ImageChops.difference(one.image, other.image))
        assert difference.max() <= 2 and one.from_sketch == other.from_sketch == FromSketch(True, 0.67)
