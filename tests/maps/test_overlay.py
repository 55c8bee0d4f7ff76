"""Laws of the routing overlay."""

import numpy as np
import pytest
from PIL import Image, ImageColor

from anystory.maps.overlay import PALETTE, colour, legend, overlay, sheet, with_legend
from anystory.story.model import BACKGROUND, RoutingMaps

SIZE = 48


@pytest.fixture
def image():
    return Image.fromarray(np.random.default_rng(0).integers(0, 256, (SIZE, SIZE, 3), dtype=np.uint8))


def routing(*subjects, names=None):
    """Maps of the given subject values; the background takes the rest."""
    values = np.stack([*subjects, 1 - sum(subjects)]).astype(np.float32)
    return RoutingMaps((*(names or [f"s{i}" for i in range(len(subjects))]), BACKGROUND), values)


def halves(h=8):
    left = np.zeros((h, h))
    left[:, : h // 2] = 1
    return routing(left, 1 - left, names=("fox", "owl"))


def pixels(image):
    return np.asarray(image).astype(int)


def rgb(index):
    return np.array(ImageColor.getrgb(colour(index)))


def test_colours_differ_and_start_again():
    assert len(set(PALETTE)) == len(PALETTE) >= 6
    assert colour(0) == colour(len(PALETTE))
    assert all(len(c) == 7 and ImageColor.getrgb(c) for c in PALETTE)


def test_opacity_0_is_the_frame_and_1_is_the_map(image):
    assert np.array_equal(pixels(overlay(image, halves(), opacity=0)), pixels(image))
    full = pixels(overlay(image, halves(), opacity=1))
    assert (full[:, : SIZE // 4] == rgb(0)).all() and (full[:, -SIZE // 4 :] == rgb(1)).all()


def test_a_full_map_tints_everything_and_the_background_nothing(image):
    full = pixels(overlay(image, routing(np.ones((4, 4))), opacity=0.5))
    assert np.abs(full - (pixels(image) + rgb(0)) / 2).max() <= 0.5
    assert np.array_equal(pixels(overlay(image, routing(np.zeros((4, 4))))), pixels(image))
    alone = RoutingMaps((BACKGROUND,), np.ones((1, 4, 4), np.float32))
    assert np.array_equal(pixels(overlay(image, alone)), pixels(image))


def test_a_soft_map_tints_in_proportion():
    grey = Image.new("RGB", (SIZE, SIZE), "black")
    quarter, half = (pixels(overlay(grey, routing(np.full((4, 4), v)), opacity=1)) for v in (0.25, 0.5))
    assert np.abs(half - 2 * quarter).max() <= 2 and np.abs(half - rgb(0) / 2).max() <= 0.5


def test_subjects_not_shown_leave_no_tint(image):
    assert np.array_equal(pixels(overlay(image, halves(), names=())), pixels(image))
    fox = pixels(overlay(image, halves(), names=["fox"]))
    changed = (fox != pixels(image)).any(-1)
    assert changed[:, : SIZE // 4].any() and not changed[:, 3 * SIZE // 4 :].any()
    owl = pixels(overlay(image, halves(), names=["owl"]))
    both = pixels(overlay(image, halves()))
    assert np.abs((fox - pixels(image)) + (owl - pixels(image)) - (both - pixels(image))).max() <= 1


def test_permuting_subjects_with_the_cast_fixed_changes_nothing(image):
    maps = halves()
    turned = RoutingMaps(("owl", "fox", BACKGROUND), maps.values[[1, 0, 2]])
    cast = ("bear", "fox", "owl")
    assert np.array_equal(pixels(overlay(image, maps, cast=cast)), pixels(overlay(image, turned, cast=cast)))
    assert not np.array_equal(pixels(overlay(image, maps)), pixels(overlay(image, turned)))


def test_maps_are_upsampled_smoothly():
    black = Image.new("RGB", (SIZE, SIZE))
    ramp = pixels(overlay(black, halves(4), names=["fox"], opacity=1))[SIZE // 2, :, 0]
    assert (np.diff(ramp) <= 0).all() and len(set(ramp.tolist())) > 6


def test_overlay_leaves_its_input_alone_and_takes_any_mode(image):
    before = image.tobytes()
    overlay(image, halves())
    assert image.tobytes() == before
    assert overlay(image.convert("L"), halves()).mode == "RGB"


@pytest.mark.parametrize("opacity", [-0.1, 1.5, float("nan")])
def test_opacity_outside_0_to_1_is_refused(image, opacity):
    with pytest.raises(ValueError, match="between 0 and 1"):
        overlay(image, halves(), opacity=opacity)


@pytest.mark.parametrize(
    "name", ["Fox", "小狐", "ثعلب", "Лиса", "🦊", "two\nlines", "", "x" * 500, "\ud800", "\0", "e\u0301\u200d"]
)
def test_legend_takes_names_of_any_script(name):
    strip = legend([name, "Owl", BACKGROUND], width=200)
    assert strip.width == 200 and strip.mode == "RGB"


def test_legend_shows_the_colours_of_the_cast_and_no_background():
    def colours(strip):
        return {c for _, c in strip.getcolors(1 << 20)} & {tuple(rgb(i)) for i in range(len(PALETTE))}

    cast = ("bear", "fox", "owl")
    assert colours(legend(["owl", BACKGROUND], cast=cast)) == {tuple(rgb(2))}
    assert colours(legend(["bear", "fox", BACKGROUND])) == {tuple(rgb(0)), tuple(rgb(1))}
    assert colours(legend([BACKGROUND])) == set()


def test_legend_wraps_and_stands_below_the_frame(image):
    many = [f"character {i}" for i in range(20)]
    assert legend(many, 300).height > legend(many[:1], 300).height
    both = with_legend(image, many[:2])
    assert both.width == SIZE and both.height > SIZE
    assert np.array_equal(pixels(both)[:SIZE], pixels(image))


def test_sheet_holds_every_frame_once(image):
    reds = [Image.new("RGB", (30, 60), (10 * k + 5, 0, 0)) for k in range(5)]
    paper = sheet(reds, ["one", "two " * 50, "三"], columns=3, cell=64)
    colours = {c for _, c in paper.getcolors(1 << 20)}
    assert all((10 * k + 5, 0, 0) in colours for k in range(5))
    assert sheet(reds[:1], columns=3, cell=64).width < paper.width
    with pytest.raises(ValueError, match="at least one"):
        sheet([])


def test_a_caption_takes_two_lines_at_most_and_rows_are_as_high_as_their_pictures():
    wide = [Image.new("RGB", (60, 30), "red")]
    bare, one, two, many = (sheet(wide, captions, cell=64) for captions in ((), ["a"], ["word " * 6], ["word " * 60]))
    assert bare.height < 64 and bare.height < one.height < two.height == many.height
    assert sheet(wide, ["x" * 300], cell=64).size == many.size
