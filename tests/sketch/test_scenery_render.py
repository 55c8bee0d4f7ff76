"""Rendering a painting: any part of it at any size, its grain, and the number that stands for its pixels."""

import hashlib
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from anystory.sketch import scenery
from anystory.sketch.scenery import MEDIUMS, PLACES, window_for
from anystory.sketch.scenery.sheet import Sheet

# Raise `scenery.PROGRAM` whenever these change: what was made of the old paintings is made again then.
GOLDEN = {"1": "08bb95e60acf7158"}


def painted(place, medium="flat", seed=1, time=0, weather=0):
    kind = PLACES[place]
    return scenery.paint(
        place, kind.times[time % len(kind.times)], kind.weathers[weather % len(kind.weathers)], medium, seed
    )


def test_the_program_number_stands_for_what_is_painted():
    """The marks of every place, in moments and mediums in turn, and the grain over a plain picture."""
    digest = hashlib.sha256()
    for number, place in enumerate(PLACES):
        painting = painted(place, MEDIUMS[number % len(MEDIUMS)], 7, number, number)
        for sheet in painting.sheets:
            digest.update(f"{sheet.name} {sheet.depth}".encode())
            digest.update("".join(mark.defs + mark.svg for mark in sheet.marks).encode())
    plain = np.linspace(0, 255, 48 * 64 * 3).astype(np.uint8).reshape(48, 64, 3)
    for medium in MEDIUMS:
        digest.update(painted("cave", medium).grain(plain).tobytes())
    assert {scenery.PROGRAM: digest.hexdigest()[:16]} == GOLDEN


@pytest.mark.parametrize("place", PLACES)
def test_no_window_shows_a_gap_and_every_place_has_its_horizon(place):
    for number, medium in enumerate(MEDIUMS):
        painting = painted(place, medium, number, number, number)
        assert 0.2 < painting.horizon < painting.ground[0]
        for window in ((0, 0, 1, 1), (0, 0.31, 0.47, 0.78), (0.52, 0.5, 1, 1)):
            pixels, box = painting.sheets[0].render(90, 67, window)
            assert pixels[..., 3].min() == 255 and box == (0, 0, 90, 67)


@pytest.mark.parametrize(("width", "height"), [(64, 64), (64, 300), (512, 288), (1024, 64), (4096, 64)])
def test_any_size_is_painted_at_that_size(width, height):
    painting = painted("village", "watercolour")
    scene = painting.render(width, height, window_for(painting, width, height), grain=True)
    assert scene.background.shape == scene.picture().shape == (height, width, 3)
    for layer in scene.layers:
        x0, y0, x1, y1 = layer.box
        assert layer.pixels.shape == (height, width, 4)
        outside = layer.pixels[..., 3].copy()
        outside[y0:y1, x0:x1] = 0
        assert 0 <= x0 < x1 <= width and 0 <= y0 < y1 <= height and not outside.any()


@pytest.mark.parametrize("place", list(PLACES)[::6])
def test_washes_in_stripes_are_the_same_pixels(place):
    for number, medium in enumerate(MEDIUMS):
        sheet = painted(place, medium, number, number, number).sheets[0]
        plain = Sheet(sheet.depth, sheet.name, [mark._replace(wash=None) for mark in sheet.marks])
        for width, height, window in ((160, 151, (0, 0, 1, 1)), (70, 333, (0.21, 0.13, 0.6, 0.87))):
            assert np.array_equal(sheet.render(width, height, window)[0], plain.render(width, height, window)[0])


@pytest.mark.parametrize("size", [(15, 64), (64, 15), (4097, 64), (64, 4097)])
def test_a_size_beyond_is_refused(size):
    with pytest.raises(
        ValueError, match=r"A scene of (15|4097) pixels (wide|high) cannot be painted: choose 16 to 4096"
    ):
        painted("cave").render(*size)


@pytest.mark.parametrize("window", [(0.5, 0, 0.5, 1), (-0.1, 0, 1, 1), (0, 0, 1, 1.1), (0, 0.8, 1, 0.2)])
def test_a_window_beyond_the_square_is_refused(window):
    with pytest.raises(ValueError, match="is not a part of the painted square"):
        painted("cave").render(64, 64, window)


@pytest.mark.parametrize("place", PLACES)
def test_a_frame_of_any_shape_shows_the_ground_and_what_it_can_of_the_rest(place):
    painting = painted(place)
    low, high = painting.ground
    for width, height in ((512, 512), (300, 400), (512, 910), (64, 4096)):
        x0, y0, x1, y1 = window_for(painting, width, height)
        assert (y0, y1) == (0, 1) and x0 + x1 == pytest.approx(1)
        assert (x1 - x0) * height == pytest.approx(width)
    for width, height in ((4, 3), (16, 9), (2, 1), (4, 1)):
        x0, y0, x1, y1 = window_for(painting, width, height)
        broader = (y1 - y0) * width / height
        assert (x0, x1) == (0, 1) and 1 - 1e-9 <= broader <= 1.25 + 1e-9
        assert 0 <= y0 < low and y1 <= 1
        seen = min(high, y1) - low
        assert seen == high - low or seen >= 0.18 * (y1 - y0) - 1e-9
        assert y0 < painting.horizon or (seen < 0.19 * (y1 - y0) and broader > 1.24), "less ground before no horizon"
        x0, y0, x1, y1 = window_for(replace(painting, stretches=False), width, height)
        assert (x1 - x0, (y1 - y0) * width) == (1, pytest.approx(height)), "a picture is as it is"
    assert window_for(painting, 21, 9)[1] < painting.horizon or place in ("harbour", "market", "stadium", "waterfall")


@pytest.mark.parametrize("medium", ["flat", "watercolour"])
def test_a_window_is_that_part_of_the_whole(medium):
    """Painted, not cut out and enlarged: alike when made small, and finer than what is enlarged."""
    painting = painted("castle", medium)
    whole = painting.render(400, 400).picture()
    near = painting.render(400, 400, (0.25, 0.25, 0.75, 0.75)).picture()
    small = np.asarray(Image.fromarray(near).resize((200, 200), Image.Resampling.BOX)).astype(float)
    assert np.abs(small - whole[100:300, 100:300]).mean() < 5
    enlarged = np.asarray(Image.fromarray(whole[100:300, 100:300]).resize((400, 400), Image.Resampling.BICUBIC))

    def sharp(picture):
        return np.hypot(*np.gradient(picture.astype(float).mean(-1))).max()

    assert sharp(near) > 1.2 * sharp(enlarged)


def test_layers_keep_their_places_when_the_background_is_cut_and_those_outside_are_left_out():
    painting = painted("mountains")
    whole = painting.render(300, 300)
    for window in ((0, 0.5, 0.5, 1), (0.5, 0.5, 1, 1)):
        part = painting.render(150, 150, window)
        left, top = round(window[0] * 300), round(window[1] * 300)
        names = {layer.name for layer in part.layers}
        for layer in whole.layers:
            cut = layer.pixels[top : top + 150, left : left + 150]
            if layer.name not in names:
                assert not cut[..., 3].any()
            else:
                (other,) = (shown for shown in part.layers if shown.name == layer.name)
                assert other.depth == layer.depth
                assert np.abs(other.pixels[..., 3].astype(int) - cut[..., 3]).mean() < 1


def test_a_pen_is_no_thicker_in_a_closer_window():
    """The share of inked pixels in a frame twice as near: a thicker pen would keep it, a pen of its own halves it."""
    painting = painted("castle", "ink", 4)

    def inked(window):
        picture = painting.render(500, 500, window).picture().astype(int)
        return (np.abs(picture - (0x2E, 0x28, 0x36)).max(-1) < 40).mean()

    quarters = [inked((x, y, x + 0.5, y + 0.5)) for x in (0, 0.5) for y in (0, 0.5)]
    assert np.mean(quarters) < 0.75 * inked((0, 0, 1, 1))


# Grain.


def test_grain_is_of_the_frames_pixels_and_the_same_under_all_of_a_painting():
    plain = np.full((120, 200, 3), 150, np.uint8)
    for medium in MEDIUMS:
        painting = painted("village", medium, 3)
        grained = painting.grain(plain)
        assert np.array_equal(grained, painting.grain(plain)) and grained.shape == plain.shape
        if medium == "flat":
            assert np.array_equal(grained, plain)
            continue
        spread = grained.astype(float).mean(-1)
        assert spread.std() > 1.5 and abs(spread.mean() - 150) < 25
        assert np.abs(np.diff(spread, axis=1)).mean() > 0.5
        assert not np.array_equal(grained, painted("village", medium, 4).grain(plain))


def test_grain_leaves_alpha_and_the_given_picture_alone():
    layer = np.random.default_rng(0).integers(0, 256, (70, 90, 4), np.uint8)
    kept = layer.copy()
    for medium in MEDIUMS:
        grained = painted("village", medium).grain(layer)
        assert np.array_equal(layer, kept) and np.array_equal(grained[..., 3], layer[..., 3])


def test_grain_of_layers_is_that_of_the_picture():
    """Where a layer covers all, its own grain is what the whole picture's would be."""
    for medium in MEDIUMS:
        painting = painted("village", medium)
        single, together = (
            painting.render(96, 96, grain=True).picture(),
            painting.grain(painting.render(96, 96).picture()),
        )
        assert np.abs(single.astype(int) - together).mean() < 1.5
