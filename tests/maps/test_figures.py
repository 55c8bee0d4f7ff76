"""Sheets and animations of maps that are known token by token."""

import io

import numpy as np
import pytest
from PIL import Image, ImageColor

from anystory.maps import figures as module
from anystory.maps.figures import (
    EFFECTIVE,
    NOBODYS,
    REST,
    animated,
    animation,
    contact_sheet,
    figure,
    layer_figure,
    some_steps,
)
from anystory.maps.overlay import colour, colours_of, legend, trace_overlay
from anystory.story.model import BACKGROUND, CastMember, Frame, Panel, RoutingMaps, Script, TraceRecorder

NAMES = ("Fox", "Owl", BACKGROUND)
SHAPES = ((4, 6), (2, 3), (2, 3))


def left_and_right(shape, shift=0):
    """Fox has the left third, Owl the right one; `shift` moves both by columns."""
    held = np.full(shape, 2, np.uint8)
    third = shape[1] // 3
    held[:, :third], held[:, -third:] = 0, 1
    return np.roll(held, shift, axis=1)


@pytest.fixture
def trace():
    """Three oblong layers, four steps; coarse maps are the refined ones of the sides changed."""
    recorder = TraceRecorder(NAMES)
    for step in range(1, 5):
        refined = [left_and_right(shape, shift=step - 1) for shape in SHAPES]
        recorder.add(step, refined, [np.fliplr(layer) for layer in refined])
    return recorder.trace(4)


@pytest.fixture
def image():
    return Image.fromarray(np.random.default_rng(0).integers(0, 256, (40, 60, 3), dtype=np.uint8))


def pixels(image):
    return np.asarray(image.convert("RGB")).astype(int)


def share(image, colour):
    return float((pixels(image) == np.array(colour)).all(-1).mean())


# The overlay of a layer.


def test_a_layers_overlay_has_a_block_for_every_token(trace, image):
    full = pixels(trace_overlay(image, trace, 2, 1, opacity=1))
    held = trace.holders(2, 1)
    for (row, column), who in np.ndenumerate(held):
        block = full[10 * row : 10 * row + 10, 10 * column : 10 * column + 10]
        wanted = pixels(image)[10 * row : 10 * row + 10, 10 * column : 10 * column + 10]
        assert (block == (ImageColor.getrgb(colour(who)) if who < 2 else wanted)).all()


def test_the_overlay_tells_steps_layers_kinds_and_subjects_apart(trace, image):
    rng, recorder = np.random.default_rng(0), TraceRecorder(NAMES)
    for step in (1, 2):
        recorder.add(step, *([rng.integers(0, 3, (4, 6)) for _ in range(2)] for _ in "rc"))
    various = recorder.trace(2)
    views = {
        (step, layer, kind): trace_overlay(image, various, step, layer, kind).tobytes()
        for step in (1, 2)
        for layer in (1, 2, None)
        for kind in various.kinds
    }
    assert len(set(views.values())) == len(views)
    fox = trace_overlay(image, trace, 1, 1, names=["Fox"], opacity=1)
    assert share(fox, ImageColor.getrgb(colour(0))) == pytest.approx(1 / 3, abs=0.01)
    assert share(fox, ImageColor.getrgb(colour(1))) < 0.01
    assert trace_overlay(image, trace, 1, 1, names=()).tobytes() == image.tobytes()
    with pytest.raises(ValueError, match="no maps of step 9"):
        trace_overlay(image, trace, 9)


def test_the_cast_fixes_the_colours(trace, image):
    shown = trace_overlay(image, trace, 1, 1, opacity=1, cast=["Elk", "Owl", "Fox"])
    assert share(shown, ImageColor.getrgb(colour(2))) == pytest.approx(1 / 3, abs=0.01)
    assert share(shown, ImageColor.getrgb(colour(0))) < 0.01


# Figures 4 and 5.


def test_figure_4_has_a_row_a_subject_a_column_a_step_and_all_layers_in_a_field(trace):
    tile = 12
    drawn = pixels(figure(trace, ["refined"], steps=[1, 3], tile=tile))
    effective = (drawn == EFFECTIVE).all(-1)
    known = effective | (drawn == REST).all(-1)
    rows, columns = np.flatnonzero(known.any(1)), np.flatnonzero(known.any(0))
    top, left = rows[0], columns[0]
    # Two rows of tiles (8 px high, 12 wide): layers 1 and 2 below each other, layer 3 beside them.
    gap = 8
    down, across = max((8 + 1) * 2 - 1, 20) + gap, max((12 + 1) * 2 - 1, 56) + gap
    for row in (0, 1):
        for column, step in enumerate((1, 3)):
            for layer, (y, x) in enumerate([(0, 0), (9, 0), (0, 13)], 1):
                begin = top + row * down + y, left + column * across + x
                tile_pixels = effective[begin[0] : begin[0] + 8, begin[1] : begin[1] + 12]
                held = trace.holders(step, layer) == row
                scale = 8 // held.shape[0], 12 // held.shape[1]
                assert np.array_equal(tile_pixels, np.kron(held, np.ones(scale, bool)))
    assert known.sum() == 2 * 2 * 3 * 8 * 12


def test_figure_5_is_coarse_beside_refined(trace):
    both, coarse, refined = (pixels(figure(trace, kinds, tile=12)) for kinds in (None, ["coarse"], ["refined"]))
    assert both.shape[0] == coarse.shape[0] and both.shape[1] > 1.8 * coarse.shape[1]
    known = [(picture == EFFECTIVE).all(-1) | (picture == REST).all(-1) for picture in (both, coarse, refined)]
    cut = [picture[mask] for picture, mask in zip((both, coarse, refined), known, strict=True)]
    assert len(cut[0]) == len(cut[1]) + len(cut[2])
    first = np.flatnonzero(known[0].any(0))[0]
    width = np.flatnonzero(known[1].any(0))[-1] - np.flatnonzero(known[1].any(0))[0] + 1
    start = np.flatnonzero(known[1].any(0))[0]
    body = slice(np.flatnonzero(known[1].any(1))[0], None)
    assert np.array_equal(both[body, first : first + width], coarse[body, start : start + width])
    assert not np.array_equal(both[body, first : first + width], refined[body, start : start + width])


def test_figures_show_some_steps_or_those_asked_for(trace):
    assert some_steps(trace) == (1, 2, 3, 4) and some_steps(trace, 2) == (1, 4) and some_steps(trace, 3) == (1, 3, 4)
    one, all_of_them = figure(trace, ["refined"], steps=[2]), figure(trace, ["refined"])
    assert all_of_them.width > 2 * one.width
    with pytest.raises(ValueError, match="no maps of step 7; there are those of 1 to 4"):
        figure(trace, steps=[7])
    with pytest.raises(ValueError, match="no sideways maps"):
        figure(trace, ["sideways"])


def test_a_backend_without_coarse_maps_has_its_figures_too():
    recorder = TraceRecorder(NAMES)
    recorder.add(3, [left_and_right((4, 6))] * 57)
    trace = recorder.trace(25)
    assert figure(trace).size == figure(trace, ["refined"]).size
    assert layer_figure(trace).height > 57 * 30
    with pytest.raises(ValueError, match="no coarse maps; there are: refined"):
        figure(trace, ["coarse"])


def test_a_frame_with_nobody_has_no_figure_but_its_layers():
    recorder = TraceRecorder((BACKGROUND,))
    recorder.add(1, [np.zeros((4, 4), np.uint8)])
    trace = recorder.trace(1)
    with pytest.raises(ValueError, match="Nobody is in this frame"):
        figure(trace)
    assert share(layer_figure(trace), ImageColor.getrgb(NOBODYS)) > 0.1


def test_a_sheet_that_would_be_too_large_is_refused_before_it_is_drawn(trace, monkeypatch):
    with pytest.raises(
        ValueError, match=r"sheet would be \d+×\d+ px, more than 60 million pixels; ask for fewer steps"
    ):
        figure(trace, tile=3000)


def test_a_sheet_of_layers_has_each_token_in_its_holders_colour(trace):
    drawn = layer_figure(trace, ["refined"], steps=[1], tile=60)
    # A third of each of three layers of 60 × 40 px; a swatch of the legend more.
    for who in (0, 1):
        count = (pixels(drawn) == ImageColor.getrgb(colour(who))).all(-1).sum()
        assert 3 * 20 * 40 < count < 3 * 20 * 40 + 300
    assert 0 <= (pixels(drawn) == ImageColor.getrgb(NOBODYS)).all(-1).sum() - 3 * 20 * 40 < 100  # edges of letters
    swapped = layer_figure(trace, ["refined"], steps=[1], tile=60, cast=["Owl", "Fox"])
    assert drawn.tobytes() != swapped.tobytes()


# Animations.


@pytest.mark.parametrize("suffix", [".gif", ".webp"])
def test_an_animation_shows_every_step_and_is_the_same_file_again(trace, image, suffix):
    pictures = animation(image, trace, cast=["Fox", "Owl"], side=100)
    assert len({picture.tobytes() for picture in pictures}) == 4
    data = animated(pictures, suffix)
    assert data == animated(animation(image, trace, cast=["Fox", "Owl"], side=100), suffix)
    with Image.open(io.BytesIO(data)) as kept:
        assert kept.n_frames == 4 and kept.size == pictures[0].size and kept.info.get("loop", 0) == 0
        durations = []
        for k, picture in enumerate(pictures):
            kept.seek(k)
            kept.load()
            durations.append(kept.info["duration"])
            assert np.abs(pixels(kept) - pixels(picture)).mean() < 8
        assert durations[0] == 160 and durations[-1] >= 1600


def test_an_animation_of_one_layer_kind_and_some_steps(trace, image):
    all_layers, one = (animation(image, trace, ["refined"], [1, 2], layer) for layer in (None, 2))
    assert len(one) == 2 and one[0].tobytes() != all_layers[0].tobytes()
    assert animation(image, trace)[0].width > 1.8 * one[0].width
    with pytest.raises(ValueError, match="no layer 4; the layers are 1 to 3"):
        animation(image, trace, layer=4)


def test_an_animation_tints_grey_so_that_colours_mean_subjects(trace):
    red = Image.new("RGB", (60, 40), "red")
    picture = pixels(animation(red, trace, ["refined"], [1], 1, side=60)[0])
    assert not ((picture[..., 0] > 200) & (picture[..., 1] < 60)).any()


# The contact sheet.


def test_a_contact_sheet_has_every_panel_beside_its_routing():
    script = Script(
        (Panel("Fox walks", ("Fox",), caption="A start"), Panel("Owl", ("Owl",)), Panel("night")),
        (CastMember("Fox"), CastMember("Owl")),
        title="A day",
    )
    values = np.zeros((2, 4, 4), np.float32)
    values[0, :, :2], values[1, :, 2:] = 1, 1
    frames = {
        1: Frame(Image.new("RGB", (64, 64), "#123456"), RoutingMaps(("Fox", BACKGROUND), values), 0),
        3: Frame(Image.new("RGB", (64, 64), "#654321"), RoutingMaps((BACKGROUND,), np.ones((1, 4, 4), np.float32)), 0),
    }
    drawn = contact_sheet(script, frames, cell=64)
    count = {rgb: n for n, rgb in drawn.getcolors(1 << 20)}
    assert count[ImageColor.getrgb("#123456")] == count[ImageColor.getrgb("#654321")] == 64 * 64
    assert (
        0 <= count[ImageColor.getrgb(NOBODYS)] - 2 * 64 * 64 < 100
    )  # the panel that is not rendered, edges of letters
    grey = pixels(Image.new("RGB", (1, 1), "#123456").convert("L"))[0, 0]
    tinted = grey + module.OPACITY * (np.array(ImageColor.getrgb(colour(0))) - grey)
    assert count[tuple((tinted + 0.5).astype(int).tolist())] > 64 * 64 / 4
    assert contact_sheet(script, frames, cell=64).tobytes() == drawn.tobytes()
    untitled = Script(script.panels, script.cast)
    assert contact_sheet(untitled, frames, cell=64).height < drawn.height
    with pytest.raises(ValueError, match="no frame yet"):
        contact_sheet(script, {})


def test_who_left_the_story_is_in_the_pictures_of_frames_that_stay(trace, image):
    """In the first colour after the cast's, and by name."""
    assert colours_of(("Fox", "Owl"), ("Cat", "Owl")) == [colour(2), colour(1)]
    values = np.zeros((3, 4, 4), np.float32)
    values[0, :2], values[1, 2:] = 1, 1
    frame = Frame(Image.new("RGB", (64, 64), "white"), RoutingMaps(NAMES, values), 0)
    gone = Script((Panel("Owl", ("Owl",)),), (CastMember("Owl"),))
    still = Script((Panel("Owl", ("Owl", "Fox")),), (CastMember("Owl"), CastMember("Fox")))
    assert contact_sheet(gone, {1: frame}).tobytes() == contact_sheet(still, {1: frame}).tobytes()
    for draw in (lambda cast: layer_figure(trace, cast=cast), lambda cast: animation(image, trace, cast=cast)[0]):
        assert draw(["Owl"]).tobytes() == draw(["Owl", "Fox"]).tobytes()


@pytest.mark.parametrize("words", [("小明在家", "红红去看"), ("Ωμέγα", "Άλφα"), ("שלום", "אבגד"), ("Łódź", "Škoda")])
def test_every_letter_the_font_has_is_drawn_on_sheets_and_legends(words):
    frame = Frame(Image.new("RGB", (32, 32)), RoutingMaps((BACKGROUND,), np.ones((1, 2, 2), np.float32)), 1)
    sheets, legends, figures = set(), set(), set()
    for word in words:
        script = Script((Panel("x", (), word),), (CastMember("A"),))
        assert module.unwritable_on_sheet(script, {1: frame}) == ""
        sheets.add(contact_sheet(script, {1: frame}).tobytes())
        legends.add(legend([word, BACKGROUND]).tobytes())
        recorder = TraceRecorder((word, BACKGROUND))
        recorder.add(1, [np.zeros((2, 2), np.uint8)])
        figures.add(figure(recorder.trace(1)).tobytes())
    assert len(sheets) == len(legends) == len(figures) == 2, "boxes would look alike"


def test_letters_that_a_sheet_lacks_are_told():
    frame = Frame(
        Image.new("RGB", (32, 32)), RoutingMaps(("\U00012000", BACKGROUND), np.ones((2, 2, 2), np.float32) / 2), 1
    )
    for script in (
        Script((Panel("x", (), "", ()),)),
        Script((Panel("x"),), title="\U00012000"),
        Script((Panel("\U00012000"),)),
    ):
        assert "\U00012000" in module.unwritable_on_sheet(script, {1: frame})
    assert module.unwritable_on_sheet(Script((Panel("x"),)), {}) == ""


def test_a_sheets_title_keeps_its_lines():
    frame = Frame(Image.new("RGB", (32, 32)), RoutingMaps((BACKGROUND,), np.ones((1, 2, 2), np.float32)), 1)
    heights = [contact_sheet(Script((Panel("x"),), title=title), {1: frame}).height for title in ("a", "a\nb", "a b")]
    assert heights[0] == heights[2] < heights[1]
