"""How many training frames are composed a second: by all processes together, from a bank of places painted before."""

from __future__ import annotations

import time
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import torch

from anystory.evaluation.statistics import Estimate, mean
from anystory.sketch import scenery as scenes
from anystory.training.art import Art
from anystory.training.stages import SUBJECT_SHARES
from anystory.training.world import World

BATCH = 8
PAINTED = 11
"""Places painted to time the painting: few, for a bank paints each only once."""


@dataclass(frozen=True)
class Setting:
    """What is composed: frames of `size` pixels from the pack `art`, before `scenes` painted places kept in `cache`."""

    art: Path
    cache: Path
    size: int
    scenes: int

    def world(self) -> World:
        """Reads the pack and paints the places, or reads both from the cache."""
        art = Art(self.art, self.cache, split="train", size=128 if self.size <= 128 else 192)
        return World(art, self.cache, size=self.size, scenes_count=self.scenes)


def bench(setting: Setting, frames: int, processes: int, runs: int) -> dict[str, Estimate]:
    """Compose `frames` frames `runs` times over, in `processes` processes of one thread each: how many a second by the
    clock on the wall, a sample per run, and the processor's time per frame, a sample per batch, in which other
    work on the machine does not count. Painting is timed apart, one process alone, by the processor's time too."""
    setting.world()
    with get_context("spawn").Pool(processes, _start, (setting,)) as pool:
        rates, costs = [], []
        for run in range(runs + 1):
            jobs = [(run, start) for start in range(0, frames, BATCH)]
            begun = time.perf_counter()
            seconds = list(pool.imap_unordered(_compose, jobs))
            if run:  # the first one pays for what is set up once
                rates.append(len(jobs) * BATCH / (time.perf_counter() - begun))
                costs += [1000 * s / BATCH for s in seconds]
    return {
        "frames a second": mean(rates),
        "processor milliseconds a frame": mean(costs),
        "processor milliseconds a painted place": mean(_painting(setting.size)),
    }


_world: World


def _start(setting: Setting) -> None:
    global _world
    torch.set_num_threads(1)
    _world = setting.world()


def _compose(job: tuple[int, int]) -> float:
    """Compose a batch with as many subjects per frame as in training; returns the processor's seconds."""
    rng, begun = np.random.default_rng(job), time.process_time()
    _world.batch(BATCH, int(rng.choice(len(SUBJECT_SHARES), p=SUBJECT_SHARES)), rng)
    return time.process_time() - begun


def _painting(size: int) -> list[float]:
    labels = scenes.plan(len(scenes.PLACES))[:: len(scenes.PLACES) // PAINTED]
    scenes.paint(*labels[0], 0).render(size, size, grain=True)
    milliseconds = []
    for number, label in enumerate(labels):
        begun = time.process_time()
        scenes.paint(*label, (0, number)).render(size, size, grain=True)
        milliseconds.append(1000 * (time.process_time() - begun))
    return milliseconds
