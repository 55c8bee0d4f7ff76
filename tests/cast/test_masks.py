"""Brush strokes and hints on masks drawn for the purpose."""

import numpy as np
import pytest
from PIL import Image, ImageDraw

from anystory.cast.masks import ADD, MIN_DETAIL, REMOVE, brushed, hints


def blank(size=(200, 200)):
    return Image.new("L", size)


def drawn(*boxes, size=(200, 200)):
    """A mask of filled boxes (left, top, right, bottom), the last pixels included."""
    mask = blank(size)
    for box in boxes:
        ImageDraw.Draw(mask).rectangle(box, fill=255)
    return mask


def strokes(*boxes, size=(200, 200), opacity=255):
    layer = Image.new("RGBA", size)
    for colour, box in boxes:
        ImageDraw.Draw(layer).rectangle(box, fill=(*Image.new("RGB", (1, 1), colour).getpixel((0, 0)), opacity))
    return layer


def test_no_strokes_change_nothing():
    rng = np.random.default_rng(0)
    soft = Image.fromarray(rng.integers(0, 256, (40, 60), dtype=np.uint8))
    assert brushed(soft, Image.new("RGBA", soft.size)).tobytes() == soft.tobytes()


def test_strokes_add_and_remove_and_the_last_one_counts():
    mask = drawn((50, 50, 149, 149))
    painted = strokes((ADD, (150, 50, 169, 149)), (REMOVE, (50, 50, 69, 149)), (ADD, (60, 60, 64, 64)))
    expected = drawn((70, 50, 169, 149), (60, 60, 64, 64))
    assert brushed(mask, painted).tobytes() == expected.tobytes()
    assert mask.tobytes() == drawn((50, 50, 149, 149)).tobytes()


def test_a_stroke_counts_as_strongly_as_it_is_opaque():
    half = brushed(drawn((0, 0, 99, 199)), strokes((ADD, (0, 0, 199, 99)), (REMOVE, (0, 100, 199, 199)), opacity=128))
    values = np.asarray(half)
    assert (values[0, 0], values[0, 199], values[199, 0], values[199, 199]) == (255, 128, 127, 0)


@pytest.mark.parametrize(("colour", "value"), [("#22d060", 255), ("#ff4060", 0), ("#00ff00", 255), ("#c00000", 0)])
def test_a_colour_counts_as_the_one_it_is_nearer_to(colour, value):
    assert brushed(drawn((0, 0, 99, 199)), strokes((colour, (0, 0, 199, 199)))).getextrema() == (value, value)


def test_a_layer_of_another_size_is_scaled_to_the_mask():
    small = strokes((ADD, (0, 0, 49, 99)), size=(100, 100))
    assert (
        np.abs(np.asarray(brushed(blank(), small), int) - np.asarray(drawn((0, 0, 99, 199)), int))[:, 3:-103].max() == 0
    )


def test_a_good_mask_has_no_hints_and_an_empty_one_none_either():
    assert hints(drawn((40, 30, 150, 180))) == ()
    assert hints(blank()) == ()


@pytest.mark.parametrize(
    ("width", "height", "small"), [(95, 40, True), (40, 95, True), (96, 10, False), (10, 96, False)]
)
def test_too_small_is_the_longer_side_in_pixels(width, height, small):
    assert MIN_DETAIL == 96
    found = hints(drawn((20, 20, 19 + width, 19 + height)))
    assert len(found) == small
    if small:
        assert found[0].startswith(f"The character is only {width} × {height} px; 96 px on the longer side")


def test_cut_off_tells_the_edge_and_how_much_of_it():
    (hint,) = hints(drawn((50, 60, 149, 199)))
    assert hint.startswith("The character touches the bottom edge along 100 px (50% of it): what lies beyond")
    (hint,) = hints(drawn((0, 0, 119, 149), size=(300, 200)))
    assert "the top edge along 120 px (40% of it) and the left edge along 150 px (75% of it)" in hint
    (hint,) = hints(drawn((0, 0, 199, 199)))
    assert all(f"the {edge} edge along 200 px (100% of it)" in hint for edge in ("top", "bottom", "left", "right"))


@pytest.mark.parametrize(("pixels", "told"), [(3, False), (4, True)])
def test_a_touch_along_less_than_a_fiftieth_of_an_edge_is_no_cut(pixels, told):
    mask = drawn((50, 50, 149, 149), (100, 150, 99 + pixels, 199))
    assert len(hints(mask)) == told


def test_two_things_are_told_with_their_shares():
    (hint,) = hints(drawn((10, 10, 109, 109), (150, 10, 189, 59)))  # 10000 and 2000 pixels
    assert hint.startswith("2 separate things were found, with 83% and 17% of the cut-out: if only one")
    (hint,) = hints(drawn((10, 10, 109, 59), (10, 70, 109, 119), (10, 130, 109, 179)))
    assert hint.startswith("3 separate things were found, with 33%, 33% and 33% of the cut-out")


@pytest.mark.parametrize(("height", "told"), [(52, False), (53, True)])  # of 10000 + 10 n pixels
def test_a_speck_is_no_thing_of_its_own(height, told):
    assert len(hints(drawn((10, 10, 109, 109), (150, 10, 159, 9 + height)))) == told


def test_what_touches_at_a_corner_is_one_thing():
    assert hints(drawn((10, 10, 109, 109), (110, 110, 180, 180))) == ()
    assert len(hints(drawn((10, 10, 109, 109), (111, 111, 180, 180)))) == 1


def test_only_what_is_selected_counts():
    faint = drawn((40, 30, 150, 180))
    faint.paste(127, (0, 0, 30, 200))
    assert hints(faint) == ()


def test_all_that_is_wrong_is_told():
    small, cut_off, two = hints(drawn((0, 0, 19, 19), (60, 0, 79, 19)))
    assert "80 × 20 px" in small and "the top edge along 40 px" in cut_off and "50% and 50%" in two
