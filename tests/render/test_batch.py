"""Panels that are made at once: the same frames, told in the same order, and none lost where it breaks off."""

from contextlib import closing
from dataclasses import replace

import numpy as np
import pytest
import torch

from anystory.backends.base import BackendError
from anystory.backends.load import load as load_backend
from anystory.maps.diagnosis import Diagnosis
from anystory.model.flux.attention import blocks
from anystory.project.folder import Project
from anystory.render.batch import Batches
from anystory.render.session import Renderer
from anystory.story.model import Frame, Panel, RoutingMaps, Script, Step, Story
from tests.backends.test_flux import FOX, GOLDEN, OWL, SETTINGS

STEPS = 2
PANELS = (
    Panel("Fox sleeps.", ("Fox",)),
    Panel("Fox meets Owl.", ("Fox", "Owl")),
    Panel("Fox runs.", ("Fox",)),
    Panel("Owl and Fox part.", ("Owl", "Fox")),
    Panel("Fox walks home.", ("Fox",)),
)
STORY = Story(Script(panels=PANELS), (FOX, OWL), replace(SETTINGS, steps=STEPS))
FOXES = replace(STORY, script=Script(panels=PANELS[::2]))
"""Three panels with one character each."""

TOLERANCE = 2
"""Levels of 255 by which a pixel may differ: batched kernels round differently."""


@pytest.fixture
def told():
    return []


@pytest.fixture
def flux(told):
    return load_backend("flux", model=GOLDEN, device="cpu", batch=2, tell=told.append)


@pytest.fixture(scope="module")
def alone():
    """The story's frames, one at a time."""
    events = Renderer(load_backend("flux", model=GOLDEN, device="cpu")).render(STORY)
    return {event.panel: event.step.frame for event in events if event.step.frame}


@pytest.fixture
def sizes(flux, monkeypatch):
    """How many frames the transformer was given at once, pass by pass."""
    seen, original = [], flux.pipeline.denoise_batch

    def counted(text, pooled, casts, *more, **how):
        seen.append(len(casts))
        return original(text, pooled, casts, *more, **how)

    monkeypatch.setattr(flux.pipeline, "denoise_batch", counted)
    return seen


def near(one, other):
    assert np.abs(np.asarray(one.image, int) - np.asarray(other.image, int)).max() <= TOLERANCE
    assert np.abs(one.maps.values - other.maps.values).max() < 1e-3
    assert (one.seed, one.maps.names) == (other.seed, other.maps.names)


def frames_in(folder):
    return sorted(path.stem for path in (folder / "frames").glob("*.png"))


def test_panels_made_at_once_are_what_they_are_alone_and_told_in_order(flux, alone, sizes, tmp_path):
    events = list(Renderer(flux).render(STORY, tmp_path, trace=True))
    assert sizes == [2, 2, 1]  # 1 with 3, 2 with 4, and 5
    assert [(e.panel, e.step.index) for e in events] == [(p, s) for p in range(1, 6) for s in range(1, STEPS + 1)]
    assert all(event.step.preview for event in events)
    for event in events[STEPS - 1 :: STEPS]:
        near(event.step.frame, alone[event.panel])
        near(Project(tmp_path).frame(event.panel), alone[event.panel])
        assert (event.step.frame.trace is None) == (alone[event.panel].trace is None)
    one_by_one = load_backend("flux", model=GOLDEN, device="cpu")
    assert all(event.reused for event in Renderer(one_by_one).render(STORY, tmp_path, trace=True))


def test_finished_panels_take_no_place_in_a_batch(flux, sizes, tmp_path):
    list(Renderer(flux).render(FOXES, tmp_path, panels=[2]))
    events = list(Renderer(flux).render(FOXES, tmp_path))
    assert sizes == [1, 2]  # 2 alone, then 1 with 3
    assert [event.panel for event in events if event.reused] == [2]
    assert [event.panel for event in events if event.step.frame] == [1, 2, 3]


def test_a_skipped_panel_is_left_and_those_made_with_it_are_told(flux, alone, tmp_path):
    asked = iter([True])
    events = list(Renderer(flux).render(FOXES, tmp_path, skip=lambda: next(asked, False)))
    assert [(e.panel, e.step.index) for e in events] == [(1, 1), (2, 1), (2, 2), (3, 1), (3, 2)]
    assert frames_in(tmp_path) == ["002", "003"]


def test_a_batch_that_is_skipped_gives_way_to_a_panel_between(flux, alone, sizes, tmp_path):
    asked = iter([True])
    events = list(Renderer(flux).render(STORY, tmp_path, panels=[1, 2, 3], skip=lambda: next(asked, False)))
    assert [(e.panel, e.step.index) for e in events] == [(1, 1), (2, 1), (2, 2), (3, 1), (3, 2)]
    assert sizes == [2, 1, 1]
    near(Project(tmp_path).frame(3), alone[3])


def test_stopping_keeps_what_was_finished_but_not_told(flux, sizes, tmp_path):
    with closing(Renderer(flux).render(FOXES, tmp_path)) as events:
        for event in events:
            if event.step.frame:
                break
    assert frames_in(tmp_path) == ["001", "002"]
    again = list(Renderer(flux).render(FOXES, tmp_path))
    assert [event.panel for event in again if event.reused] == [1, 2]
    assert sizes == [2, 1]


def test_stopping_in_the_middle_writes_nothing_and_the_next_story_is_sound(flux, alone, tmp_path):
    with closing(Renderer(flux).render(STORY, tmp_path)) as events:
        next(events)
    assert not (tmp_path / "frames").exists() or frames_in(tmp_path) == []
    *_, last = Renderer(flux).render(STORY, panels=[1])
    near(last.step.frame, alone[1])


def fails_above(rows):
    """A hook that finds no memory for more rows than that."""

    def check(_, args, kwargs):
        if len(kwargs["hidden_states"]) > rows:
            raise torch.OutOfMemoryError("CUDA out of memory.")

    return check


@pytest.mark.parametrize(("rows", "batch", "expected"), [(2, 3, [3, 2, 1]), (1, 3, [3, 2, 1, 1, 1])])
def test_where_memory_is_short_smaller_batches_make_the_same_frames(
    flux, alone, told, sizes, tmp_path, rows, batch, expected
):
    flux.batch = batch
    blocks(flux.pipeline.transformer)[0].register_forward_pre_hook(fails_above(rows), with_kwargs=True)
    events = list(Renderer(flux).render(FOXES, tmp_path))
    assert sizes == expected
    assert flux.batch == rows
    assert len(flux.memory.plans) == 2  # the plan is what it was
    assert told[1] == ("Memory ran out with 3 panels at once. Finished ones are kept; FLUX makes 2 at once.")
    assert ("Memory ran out with 2 panels at once. Finished ones are kept; FLUX makes one at a time." in told) == (
        rows == 1
    )
    assert [event.panel for event in events if event.step.frame] == [1, 2, 3]
    *_, last = events
    assert last.step.frame.image.size == (64, 64)
    assert frames_in(tmp_path) == ["001", "002", "003"]
    near(Project(tmp_path).frame(1), alone[1])


def test_frames_of_a_batch_that_were_finished_before_memory_ran_out_for_good_stay(flux, told, tmp_path):
    flux.memory.plans, flux.batch = flux.memory.plans[:1], 3
    hook = blocks(flux.pipeline.transformer)[0].register_forward_pre_hook
    hook(fails_above(2), with_kwargs=True)
    with pytest.raises(BackendError, match="memory is too short for this frame"):
        for event in Renderer(flux).render(FOXES, tmp_path):
            if event.step.frame:  # the first of the two that are done: nothing fits from now on
                hook(fails_above(0), with_kwargs=True)
    assert frames_in(tmp_path) == ["001", "002"]


def test_batches_are_for_flux_and_off_unless_asked_for():
    assert load_backend("flux", model=GOLDEN, device="cpu").batch == 1
    with pytest.raises(BackendError, match="mini takes no --batch; klein and flux do"):
        load_backend("mini", batch=2)


@pytest.mark.timeout(120)
def test_a_skipped_panel_leaves_the_model_to_a_retry(flux, tmp_path, monkeypatch):
    """Panels 1 and 3 have as many pictures, so have 2 and 4: two batches. While 2 and 4 are made 2 is skipped, and 3,
    which is finished, is tried again under another seed."""
    album = replace(OWL, more=FOX.pictures)
    panels = [Panel(text, cast) for text, cast in zip("abcd", [("Fox",), ("Owl",)] * 2, strict=True)]
    story = Story(Script(panels=tuple(panels)), (FOX, album), replace(SETTINGS, steps=2))
    monkeypatch.setattr(Diagnosis, "passed", False)
    flux.batch = 4
    told = []
    for event in Renderer(flux).render(story, tmp_path, retry=1, skip=lambda: told[-1][0] == 2):
        told.append((event.panel, event.attempt, event.step.index))
    finished = [(panel, attempt) for panel, attempt, step in told if step == 2]
    assert finished == [(1, 1), (1, 2), (3, 1), (3, 2), (4, 1), (4, 2)]
    assert frames_in(tmp_path) == ["001", "003", "004"]
    assert not flux._lock.locked()


# The order of telling, without a model.


def step(index, name="", total=2):
    frame = Frame(name, RoutingMaps(("background",), np.ones((1, 1, 1), np.float32)), 0) if index == total else None
    return Step(index, total, name, frame)


def started(numbers, steps):
    batches = Batches()
    batches.start(numbers, (step for step in steps))
    return batches


def test_steps_of_a_frame_begun_anew_replace_those_before():
    old, new, last = ({0: step(k, name), 1: step(k, name)} for k, name in ((1, "old"), (1, "new"), (2, "")))
    batches = started([7, 9], [old, new, last])
    assert [s.preview for s in batches.steps(7)] == ["old", "new", ""]
    assert 7 not in batches and 9 in batches
    assert [s.preview for s in batches.steps(9)] == ["new", ""]


def test_what_is_left_out_is_dropped_and_what_is_finished_is_handed_back():
    batches = started([1, 2, 3, 4], [{0: step(1)}, {0: step(2)}, {1: step(1), 2: step(1)}])
    batches.leave_out(2)
    list(batches.steps(1))
    next(batches.steps(3))
    assert batches.close() == {}  # 3 was not finished, 4 not begun
    batches.start([5, 6], ({0: step(k, "five"), 1: step(k)} for k in (1, 2)))
    list(batches.steps(6))
    assert {number: frame.image for number, frame in batches.close().items()} == {5: "five"}
    batches.start([8], ({0: step(k)} for k in (1, 2)))
    assert [s.index for s in batches.steps(5)] == [1, 2]  # finished before, told now
    assert [s.index for s in batches.steps(8)] == [1, 2]
    assert batches.close() == {}


def test_a_batch_is_given_up_where_nobody_waits_for_it_and_finished_where_the_model_is_wanted():
    """Two groups, of panels 1 and 3, and 2 and 4."""
    steps = [{0: step(1), 2: step(1)}, {0: step(2), 2: step(2)}, {1: step(1), 3: step(1)}, {1: step(2), 3: step(2)}]

    def running():
        try:
            yield from steps
        finally:
            ended.append(True)

    ended, batches = [], Batches()
    batches.start([1, 2, 3, 4], running())
    list(batches.steps(1))
    next(batches.steps(2))
    batches.leave_out(2)
    assert not ended and 4 in batches  # the fourth is being made
    batches.settle()
    assert [s.index for s in batches.steps(4)] == [1, 2] and [s.index for s in batches.steps(3)] == [1, 2]
    batches.start([1, 2, 3, 4], running())
    list(batches.steps(1))
    next(batches.steps(2))
    batches.leave_out(4)
    batches.leave_out(2)
    assert len(ended) == 2 and 3 in batches and 4 not in batches
    batches.settle()
    assert [s.index for s in batches.steps(3)] == [1, 2]
