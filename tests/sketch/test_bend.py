"""Cut-outs bent as one piece: where every part gets to, against a spine walked step by step; nothing torn, nothing
folded."""

import math

import numpy as np
import pytest
from scipy import ndimage

from anystory.sketch import bend
from anystory.sketch.bend import Bend, bent, tallness
from anystory.sketch.cutout import PIXELS, Cutout
from anystory.sketch.stagecraft.bends import BENDS, FOURS, ROUND, UPRIGHT, bend_of
from anystory.sketch.stagecraft.figure import figure, kind_of
from anystory.sketch.words import vocabulary
from anystory.story.shot import Role
from tests.sketch.panels import REAL, asset, drawing

EVERY = sorted({one for kinds in BENDS.values() for one in kinds.values()}, key=repr)


def slab(height=240, width=80, dots=()):
    """An opaque grey picture with a dark dot of 9 pixels around each of `dots`, (x, y)."""
    pixels = np.full((height, width, 4), (180, 180, 180, 255), np.uint8)
    for x, y in dots:
        pixels[y - 4 : y + 5, x - 4 : x + 5, :3] = 0
    return Cutout("A", pixels)


def walked(bow, low, high, stretch, point, height=240, width=80, steps=4000):
    """Where a point (x, y) of a picture gets to, from the foot of its spine, x to the right and y up: the spine
    walked in small steps, each turned as the height says."""
    x, y = point
    share = 1 - (y + 0.5) / height
    at = [0.0, 0.0]
    for i in range(round(share * steps)):
        rising = min(max(((i + 0.5) / steps - low) / (high - low), 0), 1)
        lean = math.radians(bow) * rising * rising * (3 - 2 * rising)
        at[0] += math.sin(lean) * stretch * height / steps
        at[1] += math.cos(lean) * stretch * height / steps
    rising = min(max((share - low) / (high - low), 0), 1)
    lean = math.radians(bow) * rising * rising * (3 - 2 * rising)
    aside = (x + 0.5 - width / 2) / math.sqrt(stretch)
    return at[0] + aside * math.cos(lean), at[1] - aside * math.sin(lean)


def dark_spots(pixels):
    """The middles of the dark parts, (x, y) from the left lower corner, the highest first."""
    dark = (pixels[..., :3].max(-1) < 90) & (pixels[..., 3] > 200)
    parts, count = ndimage.label(dark)
    middles = ndimage.center_of_mass(dark, parts, range(1, count + 1))
    return [(x + 0.5, len(pixels) - y - 0.5) for y, x in sorted(middles)]


@pytest.mark.parametrize(
    ("bow", "low", "high", "stretch"),
    [(30, 0.0, 1.0, 1.0), (-24, 0.3, 0.9, 1.0), (0, 0.0, 1.0, 1.2), (15, 0.2, 1.0, 0.85)],
)
def test_every_part_gets_to_where_the_spine_takes_it(bow, low, high, stretch):
    dots = [(40, 20), (15, 70), (65, 110), (40, 200)]
    made = bent(slab(dots=dots), Bend(bow=bow, low=low, high=high, stretch=stretch)).pixels
    expected = [walked(bow, low, high, stretch, dot) for dot in dots]
    edge = [walked(bow, low, high, stretch, (x, y)) for x in (-0.5, 79.5) for y in np.linspace(-0.5, 239.5, 60)]
    left, bottom = (min(point[axis] for point in edge) for axis in (0, 1))
    for (x, y), (right_x, right_y) in zip(dark_spots(made), sorted(expected, key=lambda p: -p[1]), strict=True):
        assert x == pytest.approx(right_x - left, abs=2.5) and y == pytest.approx(right_y - bottom, abs=2.5)


@pytest.mark.parametrize(("height", "width"), [(1, 1), (2, 1), (3, 5), (12, 4), (17, 9)])
def test_the_smallest_bend_too(height, width):
    for one in EVERY:
        assert min(bent(slab(height, width), one).pixels.shape[:2]) >= 1


@pytest.mark.parametrize("one", EVERY, ids=repr)
def test_nothing_is_torn_or_folded(one):
    """One piece without a hole, of the size it had but for legs that are drawn in; its lower edge level."""
    for aspect in (0.4, 0.9, 1.6):
        cutout = drawing("A", round(200 * aspect), 200)
        pixels = bent(cutout, one).pixels
        seen = pixels[..., 3] >= 128
        assert ndimage.label(seen)[1] == 1 and (ndimage.binary_fill_holes(seen) == seen).all()
        before = (cutout.pixels[..., 3] >= 128).sum()
        if one.legs == 1:
            assert seen.sum() == pytest.approx(before * one.stretch**0.5, rel=0.06)
        else:
            assert 0.5 * before < seen.sum() < before
        assert np.abs(pixels[seen][:, :3].astype(int) - (200, 90, 40)).max() <= 4


@pytest.mark.parametrize("path", REAL)
def test_real_pictures_stay_crisp(path):
    """Hardly more pixels are half there than before, and all that is seen goes to the edges of the bent picture."""
    cutout = Cutout("A", asset(path))
    for one in (Bend(bow=20), Bend(sway=12), Bend(legs=0.5)):
        pixels = bent(cutout, one).pixels
        assert all(pixels[side][..., 3].any() for side in (0, -1, np.s_[:, 0], np.s_[:, -1]))
        half = [
            ((p[..., 3] > 64) & (p[..., 3] < 192)).sum() / (p[..., 3] >= 192).sum() for p in (cutout.pixels, pixels)
        ]
        assert half[1] < half[0] + 0.05


def test_a_mirrored_picture_bends_to_the_other_side():
    cutout = Cutout("A", asset("shelf/leo.webp"), foot=0.4)
    flipped = Cutout("A", np.ascontiguousarray(cutout.pixels[:, ::-1]), foot=0.6)
    for one in (Bend(bow=30, low=0.3), Bend(sway=14)):
        made, mirror = bent(cutout, one), bent(flipped, one.mirrored())
        assert abs(made.pixels.shape[1] - mirror.pixels.shape[1]) <= 3 and made.foot == pytest.approx(
            1 - mirror.foot, abs=0.03
        )
        width = min(made.pixels.shape[1], mirror.pixels.shape[1])
        rows = min(len(made.pixels), len(mirror.pixels))
        a, b = (p[-rows:, -width:, 3].astype(float) for p in (made.pixels, mirror.pixels[:, ::-1]))
        assert np.abs(a - b).mean() < 12


def test_who_cannot_be_bent_stays():
    one = Bend(bow=30)
    assert bent(drawing("A"), Bend()) is not None
    for cutout in (
        drawing("A", kind=PIXELS),
        drawing("A", cut=frozenset({"bottom"})),
        drawing("A", cut=frozenset({"left"})),
    ):
        assert bent(cutout, one) is cutout and tallness(cutout, one) == 1


def test_what_is_remembered_is_the_same_and_forgotten_in_time(monkeypatch):
    cutout = drawing("A", 60, 100)
    first = bent(cutout, Bend(bow=20)).pixels
    assert bent(cutout, Bend(bow=20)).pixels is first
    monkeypatch.setattr(bend, "_kept", bend._Kept(limit=100_000))
    again = bent(cutout, Bend(bow=20)).pixels
    assert again is not first and np.array_equal(again, first)
    for bow in range(1, 10):
        bent(cutout, Bend(bow=bow))
        assert bend._kept.bytes <= 100_000
    assert bent(drawing("A", 60, 100), Bend(bow=20)).pixels is not again


def test_the_table_speaks_of_actions_and_kinds_that_are_known():
    assert set(BENDS) - {"sits on a seat"} <= set(vocabulary()["actions"])
    assert {kind for kinds in BENDS.values() for kind in kinds} <= {UPRIGHT, FOURS, ROUND}


def test_kinds_of_cut_outs():
    assert kind_of(Cutout("A", asset("shelf/leo.webp")), "left") == UPRIGHT
    assert kind_of(Cutout("A", asset("example/lola.png")), "") == FOURS
    assert kind_of(Cutout("A", asset("example/lola.png")), "front") == ROUND
    assert kind_of(Cutout("A", asset("example/bruno.png")), "") == ROUND
    assert kind_of(drawing("A", cut=frozenset({"bottom"})), "") == kind_of(drawing("A", kind=PIXELS), "") == ""


def test_nobody_leans_forwards_of_whom_nobody_knows_where_that_is():
    assert bend_of("runs", UPRIGHT, 0, False).bow == 0
    assert bend_of("runs", UPRIGHT, 1, False).bow == -bend_of("runs", UPRIGHT, -1, False).bow > 0
    assert bend_of("dances", ROUND, 0, True).sway == -bend_of("dances", ROUND, 0, False).sway
    assert bend_of("sits", UPRIGHT, 0, False).legs < 1 and bend_of("stands", UPRIGHT, 1, False) == Bend()


@pytest.mark.parametrize("action", ["runs", "chases", "sneaks", "dances", "works"])
def test_a_car_keeps_its_wheels_on_the_road(action):
    pixels, luck = asset("shelf/leo.webp"), np.array([0.5, 0.5])
    car = figure(0, Role("A", action), Cutout("A", pixels, rigid=True, facing="left"), luck)
    assert (car.turn, car.lift, car.bend) == (0.0, 0.0, bend.STRAIGHT)
    assert figure(0, Role("A", action), Cutout("A", pixels, facing="left"), luck).turn != 0.0
