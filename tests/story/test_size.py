"""Sizes and shapes: how they are written, and which frame comes of a panel's and a story's."""

from contextlib import nullcontext

import pytest

from anystory.story.model import Panel, Script, Settings, frame_size
from anystory.story.size import SHAPES, Size, ratio, shaped

ANY, EIGHTS, SIXTEENS = range(64, 4097), range(16, 513, 8), range(16, 2049, 16)


def test_a_size_is_a_side_or_both():
    assert Size.of(512) == Size.of("512") == Size.of(" 512x512 ") == (512, 512) and Size.of(512).written == 512
    assert Size.of("1344x768") == Size.of("1344×768") == Size.of("1344 X 768") == (1344, 768)
    assert Size(1344, 768).written == "1344x768" == str(Size(1344, 768)) and Size.of("1344x768").area == 1344 * 768
    for wrong in ("", "x", "12x", "1x2x3", True, 1.5, None, [1, 2], "9" * 6):
        with pytest.raises(ValueError, match="1344x768"):
            Size.of(wrong)


@pytest.mark.parametrize(
    ("value", "taken"), [("16", True), (15, False), ("4096x16", True), ("16x4097", False), ("x", False)]
)
def test_nobody_asks_for_a_side_out_of_bounds(value, taken):
    with nullcontext() if taken else pytest.raises(ValueError, match=str(value)):
        assert Size.asked(value) == Size.of(value)


@pytest.mark.parametrize(("usual", "sizes"), [(1024, ANY), (128, EIGHTS), (512, SIXTEENS)])
@pytest.mark.parametrize("shape", SHAPES)
def test_a_shape_has_the_area_of_the_square_and_its_own_proportions(shape, usual, sizes):
    size = shaped(ratio(shape), usual**2, sizes)
    step = sizes.step / min(size)
    assert size.within(sizes) and abs(size.area / usual**2 - 1) < 1.5 * step + 0.01
    assert abs(size.width / size.height / ratio(shape) - 1) < step + 0.01
    assert shape != "1:1" or size == (usual, usual)


def test_a_panels_own_wins_and_a_side_alone_is_a_square():
    script = Script(
        (Panel("a"), Panel("b", size=512), Panel("c", shape="9:16"), Panel("d", size=256, shape="3:2")), shape="16:9"
    )
    sizes = [frame_size(script, number, Size.of(1024), ANY) for number in (1, 2, 3, 4)]
    assert sizes == [(1365, 768), (512, 512), (768, 1365), (314, 209)]
    sized = Script((Panel("a"), Panel("b", shape="1:1")), size="1200x300")
    assert [frame_size(sized, number, Size.of(1024), ANY) for number in (1, 2)] == [(1200, 300), (600, 600)]


def test_settings_are_written_as_they_always_were():
    assert Settings(64).written == {"size": 64, "steps": 25, "guidance": 3.0, "eta": 1.0, "gamma": 0.0, "seed": 0}
    wide = Settings("96x64")
    assert wide.written["size"] == "96x64" and Settings(**wide.written) == wide
