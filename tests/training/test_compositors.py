"""The training world's compositor and the sketch's put the same drawing into the same place: what the embedded model
learns on is what storybook shows. One draws in torch, with light and shadow of its own, the other in PIL and numpy; who
is seen where must be the same, up to edges that are sampled otherwise."""

import numpy as np
import pytest
import torch

from anystory.sketch import scenery
from anystory.sketch.compose import Backdrop, composing
from anystory.sketch.cutout import Cutout
from anystory.sketch.staging import Placed, Staging
from anystory.story.shot import Shot
from anystory.training.art import Art
from anystory.training.world import World
from tests.training.test_world import folder  # noqa: F401

SIZE = 192
EDGE = 1
"""Pixels by which an outline may be off, of a frame of `SIZE`."""


@pytest.fixture(scope="module")
def world(folder, tmp_path_factory):  # noqa: F811
    cache = tmp_path_factory.mktemp("cache")
    return World(Art(folder, cache, split="train", size=96), cache, size=SIZE, scenes_count=2)


def laid_out(world, *subjects):
    """One frame with these subjects: their entry, x, base, long side, degrees and whether mirrored."""
    scene, mirrored = np.zeros(1, int), np.zeros(1, bool)
    layout = world.stage.lay_out(scene, mirrored, len(subjects), np.random.default_rng(0))
    entry, x, base, long, angle, flipped = (np.array([column]) for column in zip(*subjects, strict=True))
    layout.entry, layout.cell = entry, world.stage.casting.first[entry]
    layout.x, layout.base, layout.foot, layout.long = x, base, base.copy(), long
    layout.angle, layout.flip = np.deg2rad(angle), np.where(flipped, -1.0, 1.0)
    layout.bend, layout.cut, layout.covers = np.zeros_like(layout.bend), np.full_like(x, 2.0), [[]]
    layout.action[:], layout.prop, layout.identity = "stands", np.full_like(entry, -1), np.eye(3)[None, None]
    return scene, mirrored, layout


def by_the_world(world, *subjects):
    """Who is seen where, bool (S, SIZE, SIZE)."""
    _, masks = world.compositor.compose(*laid_out(world, *subjects), np.random.default_rng(0))
    return masks[0].numpy() >= 0.5


def by_the_sketch(world, *subjects):
    """The same by the sketch's compositor, in a plain place."""
    cutouts, placed = [], []
    half = world.stage.half(laid_out(world, *subjects)[2])[0]
    for number, (entry, x, base, _, angle, flipped) in enumerate(subjects):
        pixels = world.art.cells[world.stage.casting.first[entry]].permute(1, 2, 0).numpy().astype(np.float32)
        pixels[..., :3] /= np.maximum(pixels[..., 3:], 1) / 255
        rows, columns = (np.flatnonzero(pixels[..., 3].any(axis)) for axis in (1, 0))
        shown = pixels[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
        cutouts.append(Cutout(str(number), shown.clip(0, 255).round().astype(np.uint8)))
        wide, tall = half[number]
        box = (x - wide, base - 2 * tall, x + wide, base)
        placed.append(Placed(str(number), "stands", box, angle, bool(flipped), depth=base))
    painting = scenery.paint("meadow", "day", "clear", next(iter(scenery.MEDIUMS)), 0)
    behind = Backdrop(np.full((SIZE, SIZE, 3), 128, np.uint8), (0, 0, 1, 1), ())
    staging = Staging((0, 0, 1, 1), tuple(placed))
    *_, last = composing(staging, Shot("meadow", "meadow 1"), cutouts, painting, SIZE, SIZE, behind)
    return last.sketch.masks


def grown(mask, by):
    shape = torch.nn.functional.max_pool2d(torch.from_numpy(mask.astype(np.float32))[None, None], 2 * by + 1, 1, by)
    return shape[0, 0].numpy() > 0


@pytest.mark.parametrize(
    "subjects",
    [
        [(0, 0.5, 0.9, 0.6, 0, False)],
        [(2, 0.3, 0.8, 0.4, 0, True)],
        [(1, 0.5, 0.9, 0.5, 25, False)],
        [(1, 0.6, 0.7, 0.5, -70, True)],
        [(0, 0.02, 0.95, 0.5, 0, False)],
        [(0, 0.4, 0.8, 0.5, 0, False), (1, 0.55, 0.9, 0.5, 0, False)],
        [(0, 0.4, 0.9, 0.5, 0, False), (1, 0.55, 0.8, 0.5, 10, True)],
    ],
    ids=["upright", "mirrored", "turned", "turned and mirrored", "cut by the frame", "behind", "before"],
)
def test_who_is_seen_where_is_the_same(world, subjects):
    for one, other in zip(by_the_world(world, *subjects), by_the_sketch(world, *subjects), strict=True):
        assert one.any() and other.any()
        assert not (one & ~grown(other, EDGE)).any() and not (other & ~grown(one, EDGE)).any()
        assert (one & other).sum() / (one | other).sum() > 0.95


def test_a_place_elsewhere_is_not_the_same(world):
    """Or the law above would show nothing."""
    one = by_the_world(world, (0, 0.5, 0.9, 0.6, 0, False))[0]
    other = by_the_sketch(world, (0, 0.53, 0.9, 0.6, 0, False))[0]
    assert (one & ~grown(other, EDGE)).any()
