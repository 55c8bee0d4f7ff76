"""Processes beside the training change how long it takes, and no bit of what comes out."""

import itertools
import signal

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from anystory.training import parallel
from anystory.training.art import Art
from anystory.training.bank import SceneBank
from anystory.training.parallel import ahead, cores, in_parallel
from tests.training.test_world import folder  # noqa: F401 (a fixture)

pytestmark = pytest.mark.skipif(cores() < 2, reason="one core, or no fork")


@pytest.fixture
def by_the_pool(monkeypatch):
    """Makes every list of jobs worth a process each."""
    return lambda: monkeypatch.setattr(parallel, "WORTH_A_PROCESS", 1)


def test_many_jobs_come_back_in_their_order(by_the_pool):
    by_the_pool()
    assert list(in_parallel(np.negative, range(50))) == [-i for i in range(50)]


def test_a_pool_ends_whatever_its_parent_does_when_told_to_end(by_the_pool):
    by_the_pool()
    before = signal.signal(signal.SIGTERM, lambda *_: None)
    try:
        for _ in range(20):  # of two jobs one process does both before the other has begun, once in a while
            assert list(in_parallel(np.negative, range(2))) == [0, -1]
    finally:
        signal.signal(signal.SIGTERM, before)


def test_places_and_art_are_the_same_by_one_process_or_several(folder, tmp_path, by_the_pool):  # noqa: F811
    def make(cache):
        SceneBank(cache, count=6, size=48, seed=3)
        Art(folder, cache, split="train", size=48)
        return {path.name: path for path in cache.glob("*.safetensors")}

    serial = make(tmp_path / "serial")
    by_the_pool()
    pooled = make(tmp_path / "pooled")
    assert len(serial) == 2 and serial.keys() == pooled.keys()
    for name, path in serial.items():
        one, other = load_file(path), load_file(pooled[name])
        assert one.keys() == other.keys() and all(torch.equal(one[key], other[key]) for key in one)
        with path.open("rb") as a, pooled[name].open("rb") as b:
            assert a.read() == b.read()


def test_what_is_made_ahead_is_what_the_step_asks_for_from_any_step_on():
    def make(step):
        return torch.randn(3, generator=torch.Generator().manual_seed(step)), torch.tensor(step)

    torch.manual_seed(0)
    for workers in (0, 2):
        made = list(itertools.islice(ahead(make, 5, workers=workers, pin=False), 6))
        for step, (noise, number) in enumerate(made, start=5):
            assert number == step and torch.equal(noise, make(step)[0])
    assert torch.equal(torch.rand(2), torch.rand(2, generator=torch.Generator().manual_seed(0)))  # nobody else drew


def test_an_error_in_a_process_is_an_error_here():
    def fail(step):
        raise ValueError("no such step")

    with pytest.raises(ValueError, match="no such step"):
        next(ahead(fail, 0, workers=1, pin=False))
