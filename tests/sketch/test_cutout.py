"""A character's picture made ready: clean edges, no dust, what it is and where it stands."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw

from anystory.cast.images import SELECTED
from anystory.cast.shelf import shelf
from anystory.script.read import load_script
from anystory.sketch.cutout import DRAWING, PHOTOGRAPH, PIXELS, prepare
from anystory.sketch.facing import guessed
from anystory.sketch.things.drawing import all_drawings
from anystory.sketch.things.render import render
from anystory.story.model import Subject

ASSETS = Path(__file__).resolve().parents[2] / "assets"
EXAMPLE = ASSETS / "example/story.yaml"
MIRRORED = {"left": "right", "right": "left", "front": "front"}
RED, GREEN = (220, 40, 40), (40, 200, 60)


def subject(image, mask):
    rgb, alpha = np.ascontiguousarray(image, np.uint8), np.ascontiguousarray(mask, np.uint8)
    return Subject("Mia", Image.fromarray(rgb), Image.fromarray(alpha))


def drawing(name):
    with Image.open(ASSETS / name) as image:
        rgba = image.convert("RGBA")
    return Subject(name, rgba.convert("RGB"), rgba.getchannel("A"))


def disc(size, radius, at=None):
    """How much of each pixel a disc covers: float (size, size)."""
    fine, (x, y) = 4, at or (size / 2, size / 2)
    rows, columns = np.mgrid[: size * fine, : size * fine] / fine
    inside = (rows - y) ** 2 + (columns - x) ** 2 <= radius**2
    return inside.reshape(size, fine, size, fine).mean((1, 3))


def over(share, front, back):
    return np.round(share[..., None] * front + (1 - share[..., None]) * np.array(back))


def photograph(height, width, seed=0):
    rng = np.random.default_rng(seed)
    smooth = Image.fromarray(rng.uniform(40, 220, (6, 6, 3)).astype(np.uint8)).resize((width, height))
    return np.clip(np.asarray(smooth) + rng.normal(0, 4, (height, width, 3)), 0, 255)


SPRITE = np.array(
    [[0, 1, 1, 1, 0], [1, 2, 1, 2, 1], [1, 1, 1, 1, 1], [0, 3, 3, 3, 0], [3, 3, 0, 3, 3], [3, 0, 0, 0, 3]]
)
PALETTE = np.array([[0, 0, 0], [230, 180, 60], [30, 30, 40], [60, 90, 200]])


@pytest.mark.parametrize("reach", [0.0, 0.7, 1.5])
@pytest.mark.parametrize("hard", [False, True])
def test_a_red_disc_cut_from_a_green_ground_shows_no_green(reach, hard):
    """Whether its mask is exact or reaches into the ground, soft or a staircase."""
    mask = disc(200, 60 + reach)
    mask = mask >= 0.5 if hard else mask
    cutout = prepare(subject(over(disc(200, 60), RED, GREEN), np.round(mask * 255)))
    red, green, _, alpha = np.moveaxis(cutout.pixels.astype(int), -1, 0)
    shown = alpha > 8
    assert (red - green)[shown].min() > 110
    assert abs(shown.sum() - np.pi * 60**2) < 2 * np.pi * 60 * 2.2


def test_a_transparent_drawing_keeps_its_colours_to_the_bit():
    """Its edge has its own colours already, and what lies under what is clear is no ground."""
    rgb = np.full((160, 160, 3), (30, 30, 34))
    rgb[disc(160, 50) > 0] = (20, 20, 24)
    rgb[disc(160, 44) > 0] = RED
    alpha = np.round(disc(160, 50) * 255).astype(np.uint8)
    rgb[alpha == 0] = 0
    cutout = prepare(subject(rgb, alpha))
    rows, columns = np.flatnonzero(alpha.any(1)), np.flatnonzero(alpha.any(0))
    part = (slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1))
    seen = cutout.pixels[..., 3] > 0
    assert np.array_equal(cutout.pixels[..., :3][seen], rgb[part][seen])
    assert np.abs(cutout.pixels[..., 3].astype(int) - alpha[part]).max() <= 5


def test_who_is_see_through_stays_so():
    alpha = np.round(disc(160, 50) * 130).astype(np.uint8)
    cutout = prepare(subject(np.full((160, 160, 3), (200, 210, 255)), alpha))
    assert np.median(cutout.pixels[..., 3][cutout.pixels[..., 3] > 0]) == 130


def test_a_staircase_is_softened_by_half_a_pixel():
    hard = (disc(200, 60) >= 0.5) * 255
    alpha = prepare(subject(np.full((200, 200, 3), RED), hard)).pixels[..., 3]
    soft = ((alpha > 20) & (alpha < 235)).sum()
    assert 0.5 < soft / (2 * np.pi * 60) < 2.5
    assert abs((alpha / 255).sum() - np.pi * 60**2) < 150


def test_dust_goes_and_parts_stay():
    share = np.maximum(disc(300, 70), disc(300, 12, (250, 40)))
    dusty = np.maximum(share, disc(300, 1.5, (20, 280)))
    cutout = prepare(subject(over(dusty, RED, (250, 250, 250)), np.round(dusty * 255)))
    clean = prepare(subject(over(share, RED, (250, 250, 250)), np.round(share * 255)))
    assert np.array_equal(cutout.pixels, clean.pixels)
    assert cutout.pixels[..., 3][: clean.pixels.shape[0] // 8, -24:].max() == 255


def test_a_swarm_is_no_dust():
    """Nor is the one part that is selected, however small it is beside what is fainter."""
    mask = np.zeros((120, 120), np.uint8)
    mask[::3, ::3] = 255  # 1,600 parts, each less than a thousandth of all
    cutout = prepare(subject(photograph(120, 120), mask))
    assert (cutout.pixels[..., 3] > 100).sum() == 1600
    veiled = np.full((200, 200), 100, np.uint8)
    veiled[:10, :10] = 0
    veiled[2:6, 2:6] = 255
    assert (prepare(subject(photograph(200, 200), veiled)).pixels[..., 3] >= 200).sum() == 16


def test_dust_says_nothing_of_what_is_cut():
    """A bust that ends within its picture is one with a speck in the corner too."""
    mask = np.zeros((300, 300), np.uint8)
    mask[100:200, 60:220] = 255
    mask[30:110, 100:180] = 255
    for speck in ((2, 2), (298, 298), (280, 100)):
        dusty = mask.copy()
        dusty[speck[0] : speck[0] + 2, speck[1] : speck[1] + 2] = 255
        assert prepare(subject(np.full((300, 300, 3), RED), dusty)).cut == {"bottom"}


@pytest.mark.parametrize("grid", [1, 3, 8])
@pytest.mark.parametrize("margin", [0, 5])
def test_pixel_art_is_known_and_its_pixels_are_found(grid, margin):
    blocks = np.pad(SPRITE, 2).repeat(grid, 0).repeat(grid, 1)
    blocks = np.pad(blocks, margin)
    cutout = prepare(subject(PALETTE[blocks], np.where(blocks > 0, 255, 0)))
    assert (cutout.kind, cutout.grid) == (PIXELS, grid)
    own = SPRITE.repeat(grid, 0).repeat(grid, 1)
    assert np.array_equal(cutout.pixels[..., 3], np.where(own > 0, 255, 0))
    assert np.array_equal(cutout.pixels[..., :3], PALETTE[own] * (own > 0)[..., None])


def test_a_soft_mask_of_pixel_art_takes_whole_pixels():
    blocks = np.pad(SPRITE, 3).repeat(10, 0).repeat(10, 1)
    mask = Image.fromarray(np.where(blocks > 0, 255, 0).astype(np.uint8)).resize((40, 40)).resize(blocks.shape[::-1])
    cutout = prepare(subject(np.where(blocks[..., None] > 0, PALETTE[blocks], (120, 200, 240)), np.asarray(mask)))
    assert (cutout.kind, cutout.grid) == (PIXELS, 10)
    assert set(np.unique(cutout.pixels[..., 3])) == {0, 255}
    assert cutout.pixels.shape == (SPRITE.shape[0] * 10, SPRITE.shape[1] * 10, 4)


def test_photographs_and_drawings():
    mask = np.round(disc(240, 90) * 255)
    assert prepare(subject(photograph(240, 240), mask)).kind == PHOTOGRAPH
    assert prepare(subject(np.full((240, 240, 3), RED), mask)).kind == DRAWING
    for name in ("bruno", "fern", "lola", "pip"):
        assert prepare(drawing(f"example/{name}.png")).kind == DRAWING


def test_what_the_picture_cuts_and_what_it_only_touches():
    mask = np.zeros((200, 200), np.uint8)
    mask[80:, 40:160] = 255
    mask[20:90, 70:130] = 255
    assert prepare(subject(photograph(200, 200), mask)).cut == {"bottom"}
    assert prepare(subject(photograph(200, 200), np.rot90(mask))).cut == {"right"}
    assert prepare(subject(np.full((200, 200, 3), RED), mask)).cut == {"bottom"}
    touching = np.round(disc(200, 99.5) * 255)
    assert prepare(subject(np.full((200, 200, 3), RED), touching)).cut == frozenset()
    walker = np.zeros((200, 120), np.uint8)
    walker[50:150, 20:100] = walker[150:, 25:45] = walker[150:, 75:95] = 255
    walker[:100] |= np.round(disc(120, 50)[10:110] * 255).astype(np.uint8)
    assert prepare(subject(np.full((200, 120, 3), RED), walker)).cut == frozenset()


def test_a_bust_that_ends_within_its_drawing_is_cut_below():
    image = Image.new("L", (200, 220))
    draw = ImageDraw.Draw(image)
    draw.ellipse((60, 20, 140, 120), fill=255)
    draw.rounded_rectangle((35, 110, 165, 240), 40, fill=255)
    draw.rectangle((0, 190, 200, 220), fill=0)
    assert prepare(subject(np.full((220, 200, 3), RED), np.asarray(image))).cut == {"bottom"}
    assert prepare(drawing("shelf/amira.webp")).cut == {"bottom"}
    for name in ("example/bruno.png", "example/pip.png", "shelf/brock.webp"):
        assert prepare(drawing(name)).cut == frozenset()


def test_the_foot_is_the_middle_of_what_stands():
    mask = np.zeros((200, 200), np.uint8)
    mask[20:180, 20:180] = 255
    mask[120:180, 60:180] = 0
    cutout = prepare(subject(np.full((200, 200, 3), RED), mask))
    assert cutout.foot == pytest.approx(20 / 160, abs=0.01)


@pytest.mark.parametrize("side", [16, 2048])
def test_small_and_large_pictures(side):
    mask = np.round(disc(256, 100) * 255).astype(np.uint8)
    mask = np.asarray(Image.fromarray(mask).resize((side, side)))
    cutout = prepare(subject(np.full((side, side, 3), RED), mask))
    assert cutout.pixels.shape[0] == pytest.approx(200 / 256 * side, rel=0.01, abs=2)


@pytest.mark.parametrize("part", [(slice(40, 41), slice(10, 90)), (slice(10, 90), slice(40, 42)), (40, 40)])
def test_the_thinnest_characters(part):
    mask = np.zeros((100, 100), np.uint8)
    mask[part] = 255
    for image in (np.full((100, 100, 3), RED), photograph(100, 100)):
        cutout = prepare(subject(image, mask))
        assert (cutout.pixels[..., 3] >= 100).any() and 0 <= cutout.foot <= 1


def test_a_thin_line_in_a_large_picture_is_softened_in_its_own_colour():
    """Though it is thinner than the steps in which colours are looked for."""
    mask = np.zeros((1400, 400), np.uint8)
    mask[100:1300, 200] = 255
    cutout = prepare(subject(np.where(mask[..., None] > 0, RED, GREEN), mask))
    shown = cutout.pixels[cutout.pixels[..., 3] > 8].astype(int)
    assert len(shown) > 2 * 1200 and (shown[:, 0] - shown[:, 1]).min() > 110


def test_a_picture_that_is_all_character():
    cutout = prepare(subject(photograph(120, 90), np.full((120, 90), 255)))
    assert cutout.pixels.shape == (120, 90, 4) and cutout.cut == {"left", "top", "right", "bottom"}


def test_the_same_picture_gives_the_same_cut_out():
    first, again = (prepare(drawing("shelf/tinsel.webp")) for _ in range(2))
    assert np.array_equal(first.pixels, again.pixels) and first.cut == again.cut


def test_a_mask_of_nothing_is_refused():
    with pytest.raises(ValueError, match="Mia: the mask selects nothing; paint over the character"):
        prepare(subject(np.zeros((40, 40, 3)), np.full((40, 40), 90)))


def beside(alpha, image=RED):
    """Two subjects of one shape, as it is and mirrored."""
    rgb = np.broadcast_to(np.array(image), (*alpha.shape, 3)) if isinstance(image, tuple) else image
    return [prepare(subject(rgb[:, ::step], alpha[:, ::step])) for step in (1, -1)]


def animal():
    """An animal on four legs, its head up to the left: uint8 (200, 220)."""
    picture = Image.new("L", (220, 200))
    pen = ImageDraw.Draw(picture)
    for box in ((60, 80, 200, 140), (20, 20, 70, 60), (50, 40, 80, 120), (70, 130, 90, 190), (170, 130, 190, 190)):
        pen.rectangle(box, fill=255)
    return np.asarray(picture)


def test_an_animal_on_four_legs_looks_where_its_head_is():
    assert [cutout.facing for cutout in beside(animal())] == ["left", "right"]


def test_of_a_photograph_and_of_a_part_nobody_knows_where_it_looks():
    cutouts = beside(animal(), photograph(200, 220))
    assert [(cutout.kind, cutout.facing) for cutout in cutouts] == [(PHOTOGRAPH, "")] * 2
    cutouts = beside(animal()[:130])
    assert all(cutout.cut and cutout.facing == "" for cutout in cutouts)


def test_a_guess_is_right_where_it_is_made():
    """Of the example, the shelf and the library's beings; what looks at us gets none. Fern looks back over its back,
    which no outline tells."""
    known = [(drawing(f"shelf/{one.image.name}"), one.facing) for one in shelf()]
    known += [
        (drawing(f"example/{one.name.lower()}.png"), one.facing)
        for one in load_script(EXAMPLE).cast
        if one.name != "Fern"
    ]
    guesses = [(prepare(one).facing, facing) for one, facing in known]
    for one in all_drawings():
        if one.living and one.part != "face" and one.facing:
            seen = render(one, 128)[..., 3] >= SELECTED
            guesses += [(guessed(seen), one.facing), (guessed(seen[:, ::-1]), MIRRORED[one.facing])]
    made = [(guess, facing) for guess, facing in guesses if guess]
    assert len(guesses) > 600 and len(made) >= 20
    assert [one for one in made if one[0] != one[1]] == []


@pytest.mark.parametrize("shape", ["disc", "towers"])
def test_what_the_upper_edge_cuts_is_rounded_off(shape):
    alpha = disc(120, 50, (60, 25)) * 255
    if shape == "towers":
        alpha = np.zeros((120, 120))
        alpha[:, 10:50] = alpha[30:, 50:70] = alpha[:, 70:110] = 255
    cut = prepare(subject(photograph(120, 120), alpha))
    assert "top" in cut.cut and 0.04 < cut.crown <= 0.3
    seen = cut.pixels[..., 3] >= SELECTED
    before = alpha >= SELECTED
    assert seen[0].sum() < 0.4 * before[0].sum()
    low = int(np.ceil(cut.crown * len(seen))) + 1
    assert (np.diff(seen[:5].sum(1)) > 0).all() and seen[low:].sum() > 0.97 * before[low:].sum()
    whole = prepare(subject(photograph(120, 120), disc(120, 50) * 255))
    assert whole.crown == 0 and not whole.cut


def test_two_feet_that_touch_the_edge_are_no_cut():
    alpha = np.zeros((60, 40))
    alpha[:50, 8:32] = alpha[40:, 2:17] = alpha[40:, 23:38] = 255
    alpha[50:55, 17:23] = 0
    rgb = np.where(np.arange(40)[None, :, None] < 20, (200, 80, 80), (80, 80, 200)) * np.ones((60, 1, 1))
    assert "bottom" not in prepare(subject(rgb, alpha)).cut
