"""Several runs together: order, threads, errors, and stopping."""

import shutil
import threading
from contextlib import closing
from dataclasses import replace

import pytest

from anystory.cast.segment import Segmenter
from anystory.errors import AnyStoryError
from anystory.project.folder import Project, ProjectError
from anystory.render.jobs import RenderJob, together, work
from anystory.story.model import Panel, Script, Story


def numbers(start, count=3, error=None):
    for number in range(count):
        yield start + number
    if error:
        raise error


def test_one_worker_goes_through_all_in_order_and_in_the_same_thread():
    threads = set()

    def run(start):
        threads.add(threading.current_thread())
        yield from numbers(start)

    assert list(together([run(0), run(10)], 1)) == [0, 1, 2, 10, 11, 12]
    assert threads == {threading.current_thread()}


@pytest.mark.parametrize("workers", [2, 3, 9])
def test_many_workers_lose_nothing_and_keep_each_run_in_order(workers):
    got = list(together([numbers(100 * run, 50) for run in range(5)], workers))
    assert sorted(got) == [100 * run + k for run in range(5) for k in range(50)]
    for run in range(5):
        own = [number for number in got if number // 100 == run]
        assert own == sorted(own)
    assert list(together([], workers)) == []


def test_as_many_runs_as_workers_are_under_way_at_a_time():
    """Two runs wait for each other: with one at a time neither would end."""
    meet = threading.Barrier(2, timeout=30)

    def run():
        yield meet.wait() >= 0

    assert list(together([run(), run()], 2)) == [True, True]


@pytest.mark.parametrize("workers", [1, 2])
def test_an_error_ends_all_and_is_raised(workers):
    closed = []

    def endless():
        try:
            while True:
                yield 0
        finally:
            closed.append(True)

    runs = [numbers(1, 2, IndexError("lost")), endless(), endless()]
    with pytest.raises(IndexError, match="lost"):
        list(together(runs, workers))
    assert closed == [True] * (workers - 1)


def test_closing_ends_every_run_where_it_next_yields():
    closed = []

    def endless(name):
        try:
            while True:
                yield name
        finally:
            closed.append(name)

    events = together([endless("a"), endless("b"), endless("c")], 2)
    while {next(events), next(events)} != {"a", "b"}:
        pass
    events.close()
    assert sorted(closed) == ["a", "b"]


@pytest.mark.parametrize("panels", [(1, 2, 3), (2, 3)])
def test_frames_that_somebody_removes_while_others_are_made_are_named_in_the_end(tiny_backend, tmp_path, panels):
    script = Script(tuple(Panel(text) for text in ("a beach", "a forest", "a town")))
    story = Story(script, (), replace(tiny_backend.about.defaults, steps=2))
    folder, done = tmp_path / "out", []
    with closing(work([RenderJob(story, Segmenter(), folder, panels)], tiny_backend)) as events:
        for _, event in events:
            if isinstance(event, AnyStoryError):
                break
            if event.done:
                done.append(event.panel)
                if len(done) == 1:
                    shutil.rmtree(folder / "frames")
    assert isinstance(event, ProjectError) and event.status == 2
    assert str(done[0]) in str(event) and str(folder) in str(event)
    assert sorted(done) == list(panels)
    again = [event for _, event in work([RenderJob(story, Segmenter(), folder, panels)], tiny_backend)]
    assert again[-1].done and Project(folder).lost(panels) == []
