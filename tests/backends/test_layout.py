"""A layout in every backend: what the finished frame's maps and its file say of it."""

from dataclasses import replace
from itertools import combinations
from types import MappingProxyType

import numpy as np
import pytest
from PIL import Image, ImageChops, ImageDraw

from anystory.backends.base import Request
from anystory.project.folder import Project
from anystory.render.session import Renderer
from anystory.story.model import BACKGROUND, ROUTING, CastMember, Panel, Prompt, Script, Story, Subject
from anystory.story.steering import UNSTEERED, Layout, Place, Steering, painted

PROMPT = Prompt("a fox and a robot", ((0, 5), (10, 17)))
NAMES = ("Fox", "Robot")
BOXES = (Place("Fox", (0.5, 0, 1, 0.75)), Place("Robot", (0, 0.25, 0.5, 1)))


@pytest.fixture(scope="module")
def backend(each_backend):
    return each_backend


def subject(name, colour):
    image, mask = Image.new("RGB", (50, 40), "gray"), Image.new("L", (50, 40))
    for picture, fill in ((image, colour), (mask, 255)):
        ImageDraw.Draw(picture).ellipse((10, 5, 40, 35), fill=fill)
    return Subject(name, image, mask)


CAST = (subject("Fox", "red"), subject("Robot", "blue"))


def frame(backend, steering=UNSTEERED, cast=CAST, size=64, steps=2, settings=MappingProxyType({})):
    settings = replace(backend.about.defaults, steps=steps, size=size, **settings)
    encoded = [backend.encode(s) for s in cast]
    prompt = Prompt(PROMPT.text, PROMPT.mentions[: len(cast)])
    *_, last = backend.denoise(Request(prompt, tuple(s.name for s in cast), encoded, settings, 7, steering))
    return last.frame


def same(a, b):
    return ImageChops.difference(a.image, b.image).getbbox() is None and np.array_equal(a.maps.values, b.maps.values)


def overlap(maps, layout):
    """The least intersection over union of a placed name's map with its place, at the maps' size."""
    held, found = maps.values.argmax(0), []
    for place in layout.places:
        region = Image.fromarray(place.region()).resize(held.shape[::-1], Image.Resampling.BOX)
        wanted, is_held = np.asarray(region) >= 0.5, held == maps.names.index(place.name)
        found.append((wanted & is_held).sum() / (wanted | is_held).sum())
    return min(found)


def test_nothing_asked_is_bit_equal(backend):
    plain = frame(backend)
    assert same(plain, frame(backend, Steering(Layout(BOXES, strength=0))))
    assert same(plain, frame(backend, Steering(Layout((Place("Somebody else", (0, 0, 1, 1)),)))))


def test_boxes_off_the_grid_are_followed_where_the_maps_are_fine_enough(backend):
    places = Layout((Place("Fox", (0.02, 0.3, 0.45, 0.98)), Place("Robot", (0.55, 0.3, 0.98, 0.98))))
    assert overlap(frame(backend, Steering(places), size=128).maps, places) >= 0.9


@pytest.mark.parametrize("size", [64, 128])
def test_at_full_strength_the_maps_are_the_boxes(backend, size):
    made = frame(backend, Steering(Layout(BOXES)), size=size)
    assert overlap(made.maps, Layout(BOXES)) >= 0.9
    assert made.maps.names == (*NAMES, BACKGROUND) and np.allclose(made.maps.values.sum(0), 1, atol=1e-5)
    assert overlap(made.trace.votes(made.trace.steps[-1]), Layout(BOXES)) >= 0.9


def test_paint_one_subject_and_the_background(backend):
    mask = Image.new("L", (256, 256))
    ImageDraw.Draw(mask).ellipse((64, 64, 250, 250), fill=255)
    paint = Layout((Place("Fox", paint=painted(mask)),))
    made = frame(backend, Steering(paint), CAST[:1], size=128)
    assert made.maps.measure == ROUTING and overlap(made.maps, paint) >= 0.9
    ground = frame(backend, Steering(Layout((Place(BACKGROUND, (0, 0, 1, 0.5)),)))).maps.values.argmax(0)
    assert (ground[: len(ground) // 2] == 2).all() and (ground[len(ground) // 2 :] != 2).any()


def test_a_window_of_steps_leaves_the_others_alone(backend):
    early = frame(backend, Steering(Layout(BOXES, start=0, end=0.5)), steps=4)
    whole = frame(backend, Steering(Layout(BOXES)), steps=4)
    first, last = whole.trace.steps[0], whole.trace.steps[-1]
    assert np.array_equal(early.trace.votes(first).values, whole.trace.votes(first).values)
    assert not np.array_equal(early.trace.votes(last).values, whole.trace.votes(last).values)
    assert not same(early, whole)


def test_every_subject_has_strengths_of_its_own_and_the_defaults_change_nothing(backend):
    plain = frame(backend)
    defaults = Steering(eta=(("Fox", 1.0), ("Robot", 1.0)), gamma=(("Robot", 0.0),))
    assert same(plain, frame(backend, defaults))
    etas = [Steering(eta=(("Fox", 0.0),)), Steering(eta=(("Robot", 2.0),))]
    changed = [
        *(etas if "eta" in backend.about.settings else []),
        Steering(gamma=(("Robot", 5.0),)),
        Steering(gamma=(("Fox", 5.0),)),
        Steering(reference=(0.5, 1)),
        Steering(router=False),
    ]
    frames = [frame(backend, steering) for steering in changed]
    assert not any(same(a, b) for a, b in combinations([plain, *frames], 2))
    everybody = Steering(eta=(("Fox", 2.0), ("Robot", 2.0)), gamma=(("Fox", 1.0), ("Robot", 1.0)))
    if backend.about.name == "flux":  # elsewhere the settings' η is the background's too
        assert same(frame(backend, everybody), frame(backend, settings={"eta": 2.0, "gamma": 1.0}))


def test_without_references_from_the_start_a_subjects_bias_does_nothing(backend):
    shut, pushed = Steering(reference=(0, 0)), Steering(reference=(0, 0), gamma=(("Fox", 5.0),))
    assert same(frame(backend, shut), frame(backend, pushed))


@pytest.mark.parametrize("count", [0, 1, 2])
def test_without_the_router_any_number_of_subjects_makes_a_frame(backend, count):
    made = frame(backend, Steering(Layout(BOXES), router=False), CAST[:count])
    assert made.maps.names == (*NAMES[:count], BACKGROUND)
    assert (
        ImageChops.difference(made.image, frame(backend, Steering(router=False), CAST[:count]).image).getbbox() is None
    )


def test_a_layout_belongs_to_a_frames_key_and_to_the_story_on_disk(backend, tmp_path):
    def render(steering):
        panels = (Panel(PROMPT.text, NAMES, steering=steering), Panel(PROMPT.text, NAMES[:1]))
        script = Script(panels, tuple(CastMember(name) for name in NAMES))
        story = Story(script, CAST, replace(backend.about.defaults, steps=2, size=64))
        return [event.reused for event in Renderer(backend).render(story, tmp_path) if event.step.frame]

    assert render(Steering(Layout(BOXES))) == [False, False]
    assert Project(tmp_path).story().script.panels[0].steering == Steering(Layout(BOXES))
    assert render(Steering(Layout(BOXES))) == [True, True]
    assert render(Steering(Layout(BOXES, strength=0.5))) == [False, True]
    assert render(Steering(Layout(BOXES, strength=0))) == [False, True]
    assert render(UNSTEERED) == [True, True]  # a layout without strength asks nothing
