"""Frames by a local Ray cluster of two workers: the same as without, also where a worker is killed in mid-run."""

import inspect
import os
import signal
import sys
from contextlib import closing
from importlib.util import find_spec

import pytest
from PIL import Image

from anystory.api import render_story, workers_of
from anystory.backends.base import Backend, BackendError, Request
from anystory.backends.cluster import INSTALL, Cluster, ClusterError, shares
from anystory.project.folder import Project
from anystory.render.jobs import together
from anystory.render.session import Progress, Renderer
from anystory.story.model import Prompt, Settings
from tests.stories import story

STEPS = 25


def test_a_cluster_has_all_that_a_backend_has():
    for name, method in inspect.getmembers(Backend, inspect.isfunction):
        if not name.startswith("_"):
            own = inspect.signature(getattr(Cluster, name)).parameters.values()
            assert [(p.name, p.default) for p in own] == [
                (p.name, p.default) for p in inspect.signature(method).parameters.values()
            ]


@pytest.mark.parametrize(
    ("machines", "workers", "count", "threads"),
    [
        ([(8, 16)], None, 8, 1),  # a core each
        ([(8, 5)], None, 2, 4),  # as far as the memory goes
        ([(8, 1)], None, 1, 8),
        ([(8, 16)], 2, 2, 4),
        ([(8, 16)], 3, 3, 2),
        ([(4, 16), (2, 16)], 2, 2, 2),  # three threads each would fit only once
        ([(3, 16), (3, 16), (3, 16)], 3, 3, 3),
        ([(2, 16)], 8, 8, 1),
    ],
)
def test_cpu_workers_share_the_cores_of_the_machines(machines, workers, count, threads, monkeypatch):
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    resources = [{"CPU": float(cpus), "memory": memory * 1e9} for cpus, memory in machines]
    got, needs = shares(resources, workers)
    assert (got, needs["runtime_env"]["env_vars"]["OMP_NUM_THREADS"]) == (count, str(threads))
    if needs["num_cpus"] >= 1:  # so they all find a place
        assert sum(cpus // needs["num_cpus"] for cpus, _ in machines) >= count
    else:
        assert needs["num_cpus"] * count <= sum(cpus for cpus, _ in machines)
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    assert shares(resources, workers)[1]["runtime_env"]["env_vars"] == {"OMP_NUM_THREADS": "3"}


def test_where_there_are_gpus_each_worker_has_one():
    machines = [{"GPU": 2.0, "CPU": 8.0, "memory": 64e9}, {"CPU": 8.0, "memory": 64e9}, {"GPU": 1.0, "CPU": 1.0}]
    assert shares(machines, None) == (3, {"num_gpus": 1, "num_cpus": 0})
    assert shares(machines, 2) == (2, {"num_gpus": 1, "num_cpus": 0})
    assert "num_gpus" not in shares(machines, 2, "cpu")[1]
    with pytest.raises(BackendError, match="There are 3 GPUs in the cluster and 4 workers asked for"):
        shares(machines, 4)


def test_where_ray_is_missing_it_is_said_how_to_get_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(BackendError) as caught:
        Cluster()
    assert INSTALL in str(caught.value) and caught.value.status == 2


@pytest.mark.parametrize(
    ("address", "says"),
    [
        ("127.0.0.1:9", "Nobody answers at"),
        ("somewhere", "is not a Ray cluster"),
        ("host:99999999", "Nobody answers at"),
    ],
)
def test_a_wrong_address_is_refused_at_once(address, says):
    pytest.importorskip("ray")
    with pytest.raises(BackendError, match=says):
        Cluster(address)


@pytest.fixture(scope="module")
def cluster(tiny_model_folder):
    if find_spec("ray") is None:
        pytest.skip(f"Ray is not installed: {INSTALL}")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OMP_NUM_THREADS", "1")
        told = []
        with Cluster("local", 2, name="mini", model=tiny_model_folder, device="cpu", tell=told.append) as cluster:
            cluster.told = told
            yield cluster


def made(backend, folder, **how):
    """The frames of the story by panel, as they lie on disk."""
    asked = story(steps=STEPS, guidance=3.0)
    frames = {frame.panel: frame for frame in render_story(asked, backend, folder, trace=True, **how)}
    project = Project(folder)
    return frames, {n: (project.entries[n].key, project.frame(n).image.tobytes()) for n in project.entries}


def test_the_cluster_is_the_backend(cluster, tiny_backend):
    assert cluster.about == tiny_backend.about
    assert cluster.layer_shapes(cluster.about.defaults) == tiny_backend.layer_shapes(tiny_backend.about.defaults)
    far = Prompt("far away " * 60)
    assert cluster.unread(far) == tiny_backend.unread(far) != ""
    assert (workers_of(cluster), workers_of(tiny_backend)) == (2, 1)


def test_a_worker_killed_in_mid_run_loses_nothing(cluster, tiny_backend, tmp_path):
    """The same frames, maps and traces as without Ray."""
    killed = []

    def kill(event):
        if isinstance(event, Progress) and event.step.index == 2 and not killed:
            killed.append(cluster.pids()[0])
            os.kill(killed[0], signal.SIGKILL)

    _, alone = made(tiny_backend, tmp_path / "alone")
    frames, together = made(cluster, tmp_path / "together", progress=kill)
    assert any("died; its frame is given to another" in said for said in cluster.told)
    assert together == alone and sorted(frames) == [1, 2, 3]
    assert cluster.pids() and killed[0] not in cluster.pids()  # replaced, or not needed any more
    again, _ = made(cluster, tmp_path / "together")
    assert all(frame.reused for frame in again.values())


def test_closing_stops_the_frames_under_way_and_frees_their_workers(cluster, tiny_backend, tmp_path):
    asked = story(steps=STEPS, guidance=3.0)
    with closing(render_story(asked, cluster, tmp_path / "out")) as frames:
        first = next(frames)
    assert first.panel in Project(tmp_path / "out").entries
    frames, together = made(cluster, tmp_path / "out")
    assert len(frames) == 3 and together == made(tiny_backend, tmp_path / "alone")[1]


def test_variants_of_a_panel_are_made_at_the_same_time(cluster, tiny_backend, tmp_path):
    asked, histories = story(steps=2, guidance=3.0), []
    for backend in (tiny_backend, cluster):
        folder = tmp_path / str(workers_of(backend))
        events = list(together(Renderer(backend).each_variant(asked, folder, 2, 3), workers_of(backend)))
        assert sorted((e.attempt, e.step.index, e.done) for e in events) == [
            (attempt, step, step == 2) for attempt in (1, 2, 3) for step in (1, 2)
        ]
        kept = {entry.seed: (folder / entry.image) for entry in Project(folder).history}
        histories.append({seed: Image.open(file).tobytes() for seed, file in kept.items()})
    assert histories[0] == histories[1] and len(histories[0]) == 3


def test_what_a_worker_refuses_is_said_in_its_words(cluster):
    with pytest.raises(BackendError, match=r"^The frame size is 3; mini draws multiples of"):
        list(cluster.denoise(Request(Prompt("waves"), (), (), Settings(size=3), 0)))


def test_a_cluster_without_a_place_for_a_worker_is_given_up(cluster, tiny_model_folder, monkeypatch):
    monkeypatch.setattr("anystory.backends.cluster.PLACE_SECONDS", 0)
    told = []
    with pytest.raises(ClusterError, match="no workers left") as caught:
        Cluster("local", 2, name="mini", model=tiny_model_folder, device="cpu", tell=told.append)
    assert caught.value.status == 1
    assert told == [f"Worker {2 - left} could not be started; {left} of 2 are left." for left in (1, 0)]
