"""A staging becomes a picture: exact masks, light, shadows, water, what hides whom; the same bits each time."""

from dataclasses import replace

import numpy as np
import pytest

from anystory.sketch.compose import backdrop, compose, composing
from anystory.sketch.cutout import DRAWING, PHOTOGRAPH, PIXELS, Cutout
from anystory.sketch.hand import in_medium
from anystory.sketch.patch import Patch
from anystory.sketch.scenery import MEDIUMS, PLACES, paint
from anystory.sketch.staging import Placed, Staging
from anystory.story.shot import Shot

SIDE = 64
WHOLE = (0.0, 0.0, 1.0, 1.0)


def figure(seed, height=24, width=16, name="Mia"):
    """A lumpy character of three colours with a soft edge and a see-through patch."""
    rng = np.random.default_rng(seed)
    rows, columns = np.mgrid[:height, :width]
    reach = np.hypot((rows - height / 2 + 0.5) / height, (columns - width / 2 + 0.5) / width) * 2
    alpha = np.clip((1 - reach) * 5 + rng.uniform(-0.3, 0.3, reach.shape), 0, 1)
    alpha[height // 2 : height // 2 + 3, 2:6] *= 0.55
    alpha[[0, -1], width // 2] = alpha[height // 2, [0, -1]] = 1
    colours = rng.integers(30, 255, (3, 3))[rows * 3 // height]
    return Cutout(name, np.dstack([colours, np.round(alpha * 255)]).astype(np.uint8))


def standing(cutout, x, foot, width=SIDE, height=SIDE, scale=1.0, **how):
    """A cut-out at `scale`, the middle of its lower edge at x and foot, all in pixels."""
    tall, wide = (scale * side for side in cutout.pixels.shape[:2])
    box = ((x - wide / 2) / width, (foot - tall) / height, (x + wide / 2) / width, foot / height)
    return Placed(cutout.name, "stands", box, **({"depth": foot / height, "contact": foot / height} | how))


def picture(cutouts, placed, painting, width=SIDE, height=SIDE, window=WHOLE):
    return compose(Staging(window, tuple(placed)), Shot(), cutouts, painting, width, height)


def meadow(medium="flat", time="day", weather="clear"):
    return paint("meadow", time, weather, medium, 7)


@pytest.fixture(scope="module")
def crowd():
    """Three who overlap each other and the tree and bush of a meadow."""
    cutouts = [figure(seed, name=name) for seed, name in enumerate(("Mia", "Pip", "Bo"))]
    placed = [standing(cutouts[0], 10, 52), standing(cutouts[1], 18, 56), standing(cutouts[2], 50, 53)]
    return cutouts, placed


def test_masks_are_exactly_what_is_seen(crowd):
    """Against a slow count for each pixel of how much of everything is left once all in front of it is there."""
    cutouts, placed = crowd
    painting = meadow()
    masks = picture(cutouts, placed, painting).masks
    things = [
        (layer.depth, -1, layer.pixels[..., 3] / 255) for layer in painting.render(SIDE, SIDE).layers if layer.name
    ]
    for index, (cutout, place) in enumerate(zip(cutouts, placed, strict=True)):
        alpha = np.zeros((SIDE, SIDE))
        x, y = (round(place.box[axis] * SIDE) for axis in (0, 1))
        height, width = cutout.pixels.shape[:2]
        alpha[y : y + height, x : x + width] = cutout.pixels[..., 3] / 255
        things.append((place.depth, index, alpha))
    things.sort(key=lambda thing: thing[:2])
    assert len(things) > 5
    hidden = 0
    for y in range(SIDE):
        for x in range(SIDE):
            left, seen = 1.0, {}
            for _, index, alpha in reversed(things):
                if index >= 0:
                    seen[index] = left * alpha[y, x]
                left *= 1 - alpha[y, x]
            for index in range(3):
                if abs(seen[index] - 0.5) > 1e-6:
                    assert masks[index, y, x] == (seen[index] > 0.5), (index, x, y)
                alone = next(alpha for _, who, alpha in things if who == index)
                hidden += alone[y, x] >= 0.5 > seen[index]
    assert hidden > 40


def test_no_pixel_belongs_to_two(crowd):
    masks = picture(*crowd, meadow()).masks
    assert masks.dtype == bool and masks.shape == (3, SIDE, SIDE)
    assert masks.sum(0).max() == 1 and (masks.sum((1, 2)) > 30).all()


def test_permuting_roles_permutes_masks(crowd):
    cutouts, placed = crowd
    sketch = picture(cutouts, placed, meadow())
    order = [2, 0, 1]
    again = picture([cutouts[i] for i in order], [placed[i] for i in order], meadow())
    assert np.array_equal(again.masks, sketch.masks[order])
    assert again.image.tobytes() == sketch.image.tobytes()


@pytest.mark.parametrize("medium", MEDIUMS)
def test_the_same_bits_twice(crowd, medium):
    cutouts, placed = crowd
    cutouts = [replace(cutouts[0], kind=PHOTOGRAPH), *cutouts[1:]]
    turned = [replace(placed[0], angle=20.0, mirrored=True), *placed[1:]]
    first, again = (picture(cutouts, turned, meadow(medium, "sunset")) for _ in range(2))
    assert first.image.tobytes() == again.image.tobytes() and np.array_equal(first.masks, again.masks)


@pytest.mark.parametrize("medium", MEDIUMS)
@pytest.mark.parametrize("weather", ["clear", "rain"])
def test_without_roles_there_is_the_place_alone(medium, weather):
    painting = meadow(medium, weather=weather)
    sketch = picture([], [], painting)
    place = painting.grain(painting.render(SIDE, SIDE).picture())
    assert np.abs(np.asarray(sketch.image).astype(int) - place).max() <= 2  # the layers' rounding, once grained
    assert sketch.masks.shape == (0, SIDE, SIDE)


def test_coats_go_on_one_by_one(crowd):
    cutouts, placed = crowd
    painting = meadow(weather="rain")
    coats = [
        replace(coat, holders=coat.holders.copy(), picture=coat.picture.copy())
        for coat in composing(Staging(WHOLE, tuple(placed)), Shot(), cutouts, painting, SIDE, SIDE)
    ]
    names = [coat.what for coat in coats]
    things = {sheet.name or "rain" for sheet in painting.sheets[1:]}
    assert names[0] == "the place" and set(names[1:-1]) == {"Mia", "Pip", "Bo"} | things and len(things) > 2
    assert len(coats) == 2 + len(painting.sheets) - 1 + 3
    assert all(coat.sketch is None for coat in coats[:-1])
    assert (coats[0].holders == 3).all() and np.array_equal(
        np.asarray(coats[0].picture), painting.render(SIDE, SIDE).background
    )
    last = coats[-1]
    assert np.array_equal(last.sketch.masks, last.holders == np.arange(3)[:, None, None])
    assert np.array_equal(np.asarray(last.sketch.image), np.asarray(last.picture))
    seen = {int(value) for coat in coats for value in np.unique(coat.holders)}
    assert seen == {0, 1, 2, 3}


def test_rain_hides_nobody_and_a_tree_does():
    who, clear, wet = figure(1), meadow(), meadow(weather="rain")
    place = standing(who, 10, 60)
    dry = replace(wet, sheets=tuple(sheet for sheet in wet.sheets if sheet.depth < 1.5))
    assert len(dry.sheets) == len(wet.sheets) - 1
    assert np.array_equal(picture([who], [place], dry).masks, picture([who], [place], wet).masks)
    tree = next(layer for layer in clear.render(SIDE, SIDE).layers if layer.name == "a tree")
    behind = picture([who], [replace(place, depth=tree.depth - 0.01)], clear).masks[0]
    before = picture([who], [replace(place, depth=tree.depth)], clear).masks[0]
    trunk = tree.pixels[..., 3] >= 200
    assert (before & trunk).any() and not (behind & trunk).any()
    assert np.array_equal(behind & (tree.pixels[..., 3] == 0), before & (tree.pixels[..., 3] == 0))


def test_a_layer_keeps_its_line_in_a_window():
    """A closer window: who stands in front of the tree in the whole place does so in the part of it."""
    painting = meadow()
    tree = next(layer for layer in painting.render(SIDE, SIDE).layers if layer.name == "a tree")
    window = (0.0, 0.4, 0.6, 1.0)
    line = (tree.depth - window[1]) / 0.6
    trunk = painting.render(SIDE, SIDE, window).layers
    trunk = next(layer for layer in trunk if layer.name == "a tree").pixels[..., 3] >= 200
    who = figure(1)
    for depth, hidden in ((line - 0.02, True), (line + 0.02, False)):
        mask = picture([who], [standing(who, 12, 60, depth=depth)], painting, window=window).masks[0]
        assert (mask & trunk).any() != hidden


def test_under_water_nobody_is_seen():
    painting = paint("lake", "day", "clear", "watercolour", 3)
    who = figure(2, 40, 30)
    line = 0.6
    swimmer = standing(who, 32, 54, contact=None, waterline=line, depth=0.62)
    mask = picture([who], [swimmer], painting).masks[0]
    rows = np.flatnonzero(mask.any(1))
    assert rows[-1] < line * SIDE + 2 and rows[0] < line * SIDE - 15
    dry = picture([who], [replace(swimmer, waterline=None)], painting).masks[0]
    above = slice(0, int(line * SIDE) - 2)
    assert np.array_equal(mask[above], dry[above]) and dry[int(line * SIDE) + 4 :].sum() > 100


@pytest.mark.parametrize("scale", [1, 3])
@pytest.mark.parametrize("angle", [0, 90, 180])
def test_pixel_art_stays_crisp(scale, angle):
    """Whole pixels, in no colours but its own in one light."""
    rng = np.random.default_rng(4)
    colours = np.array([[230, 60, 50], [40, 90, 220], [250, 220, 120], [30, 30, 40]], np.uint8)
    own = rng.integers(0, 4, (9, 7))
    pixels = np.dstack([colours[own], np.full(own.shape, 255, np.uint8)]).repeat(2, 0).repeat(2, 1)
    sprite = Cutout("Bit", pixels, kind=PIXELS, grid=2)
    wide, tall = (7 * scale, 9 * scale) if angle % 180 == 0 else (9 * scale, 7 * scale)
    box = ((32 - wide / 2) / SIDE, (60 - tall) / SIDE, (32 + wide / 2) / SIDE, 60 / SIDE)
    sketch = picture([sprite], [Placed("Bit", "stands", box, angle=angle, depth=0.99, contact=60 / SIDE)], bare())
    seen = np.asarray(sketch.image)[sketch.masks[0]]
    assert len(seen) == 63 * scale * scale
    shown = seen.reshape(tall, wide, 3)[::scale, ::scale]
    assert np.array_equal(shown.repeat(scale, 0).repeat(scale, 1), seen.reshape(tall, wide, 3))
    expected = np.rot90(own, -angle // 90)
    for number in range(4):
        assert len(np.unique(shown[expected == number], axis=0)) == 1
    factor = shown[expected == 2][0] / colours[2]
    assert np.abs(shown - colours[expected] * factor).max() < 20


def bare(medium="flat", time="day"):
    """A meadow without anything that stands in front."""
    painting = meadow(medium, time)
    return replace(painting, sheets=painting.sheets[:1])


def test_mirrored_turned_and_enlarged():
    """The left half red, a blue top: mirrored the red is right, turned clockwise by 90 degrees the top is right."""
    pixels = np.zeros((20, 20, 4), np.uint8)
    pixels[..., 3] = 255
    pixels[:, :10, 0] = pixels[:6, :, 2] = 220
    who = Cutout("Mia", pixels)

    def colours(**how):
        sketch = picture([who], [standing(who, 32, 56, **how)], bare())
        rows, columns = np.nonzero(sketch.masks[0])
        part = np.asarray(sketch.image).astype(int)[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
        half = part.shape[0] // 2
        return [
            part[:, :half, 0].mean() > part[:, half:, 0].mean(),
            part[:half, :, 2].mean() > part[half:, :, 2].mean(),
        ]

    assert colours() == [True, True]
    assert colours(mirrored=True) == [False, True]
    assert colours(angle=180.0) == [False, False]
    assert colours(angle=180.0, mirrored=True) == [True, False]
    turned = picture([who], [standing(who, 32, 56, angle=90.0)], bare())
    rows, columns = np.nonzero(turned.masks[0])
    part = np.asarray(turned.image).astype(int)[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
    assert part[:, 15:, 2].mean() > part[:, :5, 2].mean() + 40 and part[:9, :, 0].mean() > part[11:, :, 0].mean() + 40
    enlarged = picture([who], [standing(who, 32, 60, scale=2.5)], bare())
    assert enlarged.masks[0].sum() == 50 * 50


def test_the_box_holds_the_turned_picture():
    who = figure(3, 30, 20)
    placed = Placed("Mia", "falls", (0.2, 0.1, 0.8, 0.8), angle=37.0, depth=0.9)
    rows, columns = np.nonzero(picture([who], [placed], bare(), 200, 200).masks[0])
    assert columns.min() >= 40 and columns.max() < 160 and rows.min() >= 20 and rows.max() < 160
    assert max(np.ptp(rows) / 140, np.ptp(columns) / 120) > 0.6


@pytest.mark.parametrize("size", [(64, 64), (64, 180), (333, 97), (1500, 420), (4096, 64)])
def test_any_size_and_shape(size):
    width, height = size
    who, other = figure(1), replace(figure(2), kind=PHOTOGRAPH)
    window = (0.0, 0.5, 1.0, 1.0) if width > height else (0.3, 0.0, 0.7, 1.0)
    placed = [Placed("Mia", "stands", (0.2, 0.3, 0.5, 0.9), depth=0.9, contact=0.9)]
    placed += [Placed("Pip", "jumps", (0.5, -0.4, 1.4, 1.1), angle=12.0, depth=0.95)]
    sketch = picture([who, other], placed, meadow("flat", "sunset"), width, height, window)
    assert sketch.image.size == size and sketch.masks.shape == (2, height, width)
    assert sketch.masks.any((1, 2)).all()


@pytest.mark.parametrize("medium", MEDIUMS)
def test_who_is_outside_of_the_frame_or_without_extent_is_not_seen(medium):
    who = figure(1)
    for box in ((1.5, 0.2, 1.9, 0.8), (0.2, -0.9, 0.5, -0.2), (0.4, 0.5, 0.4001, 0.5001)):
        sketch = picture([who], [Placed("Mia", "runs", box, depth=0.9, contact=0.8)], bare(medium))
        assert sketch.masks.sum() <= 4


def test_a_face_stays_a_face_in_fog():
    """At night too: who is near is seen through little of it."""
    cut = figure(3, 200, 130)
    near = [standing(cut, 128, 240, 256, 256, depth=0.95)]
    for time in ("day", "night"):
        clear, fog = (picture([cut], near, meadow("flat", time, air), 256, 256) for air in ("clear", "fog"))
        grey, dim = (np.asarray(made.image, float).mean(-1)[made.masks[0]].std() for made in (clear, fog))
        assert dim > 0.68 * grey


def test_night_is_darker_and_a_face_stays_a_face():
    """Eyes and skin keep their contrast, as the eye measures it, though the light goes."""
    pixels = np.full((40, 30, 4), 255, np.uint8)
    pixels[..., :3] = (250, 205, 150)
    pixels[12:17, 7:12, :3] = pixels[12:17, 18:23, :3] = (70, 50, 40)
    who = Cutout("Mia", pixels)
    contrast, bright, ground = {}, {}, {}
    for time in ("day", "night"):
        sketch = picture([who], [standing(who, 100, 190, 200, 200, scale=3)], bare(time=time), 200, 200)
        grey = np.asarray(sketch.image.convert("L")).astype(float)
        face = grey[190 - 120 : 190, 100 - 45 : 100 + 45]
        skin, eye = face[60:100, 20:70].mean(), face[38:48, 23:34].mean()
        contrast[time], bright[time] = (skin - eye) / (skin + eye), skin
        ground[time] = grey[~sketch.masks[0]].mean()
    assert bright["night"] < 0.8 * bright["day"] and bright["night"] > 90
    assert contrast["night"] > 0.85 * contrast["day"]
    assert bright["night"] > ground["night"] + 20


def shade(sketch, painting, y, x0, x1):
    """How much darker than the place alone a stretch of a row is."""
    place = np.asarray(picture([], [], painting, 200, 200).image.convert("L")).astype(float)
    return (place - np.asarray(sketch.image.convert("L")))[y, x0:x1]


def test_shadows_ground_who_stands_and_pale_under_who_jumps():
    painting = paint("stage", "", "", "flat", 2)
    painting = replace(painting, sheets=painting.sheets[:1])
    who = figure(5, 60, 40)
    stands = picture([who], [standing(who, 100, 180, 200, 200)], painting, 200, 200)
    under = shade(stands, painting, 181, 90, 110).max()
    assert under > 15
    heights = []
    for lift in (20, 80):
        jumper = standing(who, 100, 180 - lift, 200, 200, contact=None, depth=0.9)
        dark = shade(picture([who], [jumper], painting, 200, 200), painting, 180, 60, 140)
        heights.append((dark.max(), (dark > 3).sum()))
    assert under > heights[0][0] > heights[1][0] > 3 and heights[0][1] > heights[1][1]
    floating = paint("underwater", "", "", "flat", 2)
    assert floating.floats
    floating = replace(floating, sheets=floating.sheets[:1])
    adrift = standing(who, 100, 120, 200, 200, contact=None, depth=0.9)
    assert np.abs(shade(picture([who], [adrift], floating, 200, 200), floating, 180, 60, 140)).max() == 0


@pytest.mark.parametrize("weather", ["clear", "rain"])
def test_nothing_of_a_rider_falls_into_the_air_beside_its_mount(weather):
    """Neither its shadow nor its image: on the mount there is a shadow."""
    wet = meadow(weather=weather)
    wet = replace(wet, sheets=wet.sheets[:1])
    mount = Cutout("Horse", np.full((80, 30, 4), 255, np.uint8))
    rider = Cutout("Mia", np.full((40, 90, 4), 255, np.uint8))
    below = standing(mount, 100, 180, 200, 200)
    above = standing(rider, 100, 110, 200, 200, depth=0.905)
    alone, both = (picture([mount, rider][:n], [below, above][:n], wet, 200, 200) for n in (1, 2))
    dark = np.asarray(alone.image.convert("L")).astype(float) - np.asarray(both.image.convert("L"))
    assert np.abs(dark[111:130, 20:84]).max() == 0 == np.abs(dark[111:130, 116:180]).max()
    assert dark[111:114, 90:110].mean() > 8 and np.abs(dark[140:178, 90:110]).max() < 4


def test_a_cast_shadow_falls_away_from_the_sun():
    who = figure(5, 60, 30)
    painting = bare(time="sunset")
    for sun, sign in ((0.1, 1), (0.9, -1)):
        lit = replace(painting, sun_x=sun)
        sketch = picture([who], [standing(who, 100, 150, 200, 200)], lit, 200, 200)
        dark = shade(sketch, lit, 165, 0, 200).clip(0)
        assert dark.sum() > 20
        assert sign * (np.average(np.arange(200), weights=dark) - 100) > 4


def test_the_side_that_looks_to_the_sun_is_lighter():
    pixels = np.full((60, 40, 4), 255, np.uint8)
    pixels[..., :3] = (110, 120, 130)
    who = Cutout("Mia", pixels)
    for sun, sign in ((0.1, 1), (0.9, -1)):
        painting = replace(bare(time="sunset"), sun_x=sun)
        grey = picture([who], [standing(who, 100, 150, 200, 200)], painting, 200, 200).image.convert("L")
        columns = np.asarray(grey).astype(float)[95:145, 80:120].mean(0)
        assert sign * (columns[:5].mean() - columns[-5:].mean()) > 15


def test_wet_ground_mirrors_who_stands_on_it():
    pixels = np.full((60, 40, 4), 255, np.uint8)
    pixels[..., :3] = (240, 20, 20)
    who, wet = Cutout("Mia", pixels), meadow(weather="rain")
    wet = replace(wet, sheets=wet.sheets[:1])
    place = [standing(who, 100, 150, 200, 200)]
    below = np.asarray(picture([who], place, wet, 200, 200).image).astype(float)[156:164, 90:110].mean((0, 1))
    dry = np.asarray(picture([], [], wet, 200, 200).image).astype(float)[156:164, 90:110].mean((0, 1))
    assert (below - dry)[0] > (below - dry)[1] + 10
    assert not picture([who], place, wet, 200, 200).masks[0, 152:].any()


@pytest.mark.parametrize("medium", [medium for medium in MEDIUMS if medium != "flat"])
def test_a_medium_draws_its_edge(medium):
    """The edge of a plain figure differs from its middle, and its middle stays itself."""
    pixels = np.full((40, 30, 4), 255, np.uint8)
    pixels[..., :3] = (120, 170, 210)
    who = Cutout("Mia", pixels)
    place = [standing(who, 100, 180, 200, 200, scale=2)]
    plain, drawn = (np.asarray(picture([who], place, bare(m), 200, 200).image).astype(float) for m in ("flat", medium))
    inside = (slice(115, 165), slice(85, 115))
    assert np.abs(plain[inside].mean((0, 1)) - drawn[inside].mean((0, 1))).max() < 32
    rows = drawn[115:165].mean((0, 2))
    edge = rows[66:74] if medium != "paper" else rows[68:71]
    assert np.abs(edge - rows[85:115].mean()).max() > 12


def test_a_medium_draws_its_edge_around_who_is_large_too():
    """As far around as the medium says, at the size of a printed page."""
    pixels = np.zeros((1200, 1200, 4), np.uint8)
    pixels[100:1100, 100:1100] = (120, 170, 210, 255)
    unit = 40.96
    edged = in_medium(Patch(pixels, 0, 0), "paper", DRAWING, unit)
    left = np.flatnonzero(edged.alpha[600] >= 0.5)[0] + edged.x
    assert 100 - left == pytest.approx(0.3 * unit, abs=1.5)


def test_photographs_are_calmed_in_a_medium_and_kept_in_flat():
    rng = np.random.default_rng(8)
    pixels = np.full((60, 40, 4), 255, np.uint8)
    pixels[..., :3] = np.clip(150 + rng.normal(0, 9, (60, 40, 3)), 0, 255)
    pixels[20:30, 10:20, :3] = 40
    photo, drawing = (Cutout("Mia", pixels, kind=kind) for kind in (PHOTOGRAPH, DRAWING))
    place = [standing(photo, 100, 180, 200, 200)]

    def body(cutout, medium):
        return np.asarray(picture([cutout], place, bare(medium), 200, 200).image.convert("L")).astype(float)[
            122:178, 82:118
        ]

    calm, rough = body(photo, "paper"), body(drawing, "paper")
    assert calm[30:55, 5:30].std() < 0.75 * rough[30:55, 5:30].std()
    assert abs(calm[20:26, 10:16].mean() - rough[20:26, 10:16].mean()) < 12
    assert np.array_equal(body(photo, "flat"), body(drawing, "flat"))


def test_a_backdrop_at_hand_changes_no_bit(crowd):
    cutouts, placed = crowd
    painting, staging = meadow("crayon", weather="rain"), Staging(WHOLE, tuple(placed))
    behind = backdrop(painting, SIDE, SIDE, WHOLE)
    before = behind.picture.copy(), [patch.pixels.copy() for patch, _, _ in behind.layers]
    *_, last = composing(staging, Shot(), cutouts, painting, SIDE, SIDE, behind)
    assert last.sketch.image.tobytes() == compose(staging, Shot(), cutouts, painting, SIDE, SIDE).image.tobytes()
    assert np.array_equal(behind.picture, before[0])
    assert all(np.array_equal(patch.pixels, was) for (patch, _, _), was in zip(behind.layers, before[1], strict=True))


@pytest.mark.parametrize("place", PLACES)
def test_every_place_takes_people(place):
    kind = PLACES[place]
    for number, (time, weather) in enumerate([(kind.times[0], kind.weathers[0]), (kind.times[-1], kind.weathers[-1])]):
        painting = paint(place, time, weather, MEDIUMS[number], 1)
        who = figure(number)
        sketch = picture([who], [standing(who, 32, 58)], painting)
        assert sketch.masks[0].sum() > 60


def test_roles_and_cut_outs_belong_together():
    with pytest.raises(ValueError, match="There are 0 roles and 1 cut-outs; give one for each role"):
        picture([figure(1)], [], meadow())
