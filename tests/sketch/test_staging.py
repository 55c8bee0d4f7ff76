"""Who stands where: laws that hold for every shot, for places by hand, cut-outs of all kinds and framings."""

import math
import random
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from anystory.sketch.bend import bent
from anystory.sketch.compose import compose
from anystory.sketch.cutout import PIXELS
from anystory.sketch.scenery import PLACES
from anystory.sketch.staging import stage
from anystory.story.shot import Role, Shot
from anystory.story.steering import Layout, Place, painted
from tests.sketch.panels import (
    SHAPES,
    SQUARE,
    WHERE,
    area,
    drawing,
    face,
    hidden_share,
    middle,
    painting,
    random_panel,
    shared,
    staged,
    tall,
)

FACE_ROWS = 45


@pytest.mark.parametrize("seed", range(60))
def test_any_panel_is_staged_the_same_way_twice_and_whole(seed):
    shot, cutouts, size = random_panel(seed, related=True)
    staging = stage(shot, cutouts, painting(shot.place), size, seed)
    assert staging == stage(shot, cutouts[::-1], painting(shot.place), size, seed)
    assert [(one.name, one.action) for one in staging.placed] == [(role.name, role.action) for role in shot.roles]
    x0, y0, x1, y1 = staging.window
    assert 0 <= x0 < x1 <= 1 + 1e-9 and 0 <= y0 < y1 <= 1 + 1e-9
    broader = size[0] / size[1] / ((x1 - x0) / (y1 - y0))
    assert broader == pytest.approx(1) or (size[0] > size[1] and 1 < broader < 1.251)
    for one, cutout in zip(staging.placed, cutouts, strict=True):
        assert np.isfinite(one.box).all() and -180 <= one.angle <= 180
        rows, columns = bent(cutout, one.bend).pixels.shape[:2]
        turn = np.radians(one.angle)
        around = [abs(np.cos(turn)) * a + abs(np.sin(turn)) * b for a, b in ((columns, rows), (rows, columns))]
        wide, high = (one.box[2] - one.box[0]) * size[0], tall(one) * size[1]
        assert wide / high == pytest.approx(around[0] / around[1], rel=1e-6)


@pytest.mark.parametrize("seed", range(80))
def test_heads_are_whole_and_no_face_is_covered(seed):
    shot, cutouts, size = random_panel(seed, most=8)
    placed = stage(shot, cutouts, painting(shot.place), size, seed).placed
    for one in placed:
        assert one.box[1] >= 0.02 and one.box[0] >= -1e-6 and one.box[2] <= 1 + 1e-6
        if tall(one) * size[1] >= (one.box[2] - one.box[0]) * size[0] and len(placed) <= 4:
            assert tall(one) >= 0.1 * min(1, size[0] / size[1])
    for back in placed:
        for front in placed:
            if front.depth > back.depth:
                assert shared(face(back), front.box) < 0.02 * area(back.box), (back, front)
            if front is not back:
                assert shared(back.box, front.box) <= 0.26 * min(area(back.box), area(front.box))


@pytest.mark.parametrize("place", PLACES)
def test_feet_are_on_the_ground_of_every_place(place):
    """In every shape of frame; and whoever is drawn further down is in front."""
    ground, water = painting(place).ground, painting(place).water
    for number, size in enumerate(SHAPES):
        shot = Shot(place=place, roles=tuple(Role(name, "walks") for name in "ABC"), framing=("", "wide")[number % 2])
        staging = stage(shot, [drawing(name) for name in "ABC"], painting(place), size, number)
        y0, y1 = staging.window[1], staging.window[3]
        for one in staging.placed:
            line = y0 + one.depth * (y1 - y0)
            assert ground[0] - 1e-6 <= line <= ground[1] + 1e-6
            if one.contact is not None:
                assert one.contact == pytest.approx(one.depth)
                assert one.box[3] >= one.contact - 1e-6 and one.box[3] - one.contact < 0.1
                assert water is None or line >= water[1]
            else:
                assert painting(place).floats or one.waterline == one.depth
        assert len({one.depth for one in staging.placed}) == 3


def test_a_crowd_stands_on_the_ground_too():
    for place in ("meadow", "room", "station"):
        for action in ("sits", "stands", "kneels"):
            placed = staged(*[Role(f"P{i}", action, height=0.2) for i in range(9)], place=place)
            assert all(painting(place).ground[0] <= one.depth <= painting(place).ground[1] for one in placed)


@pytest.mark.parametrize("place", PLACES)
def test_nothing_of_a_place_is_in_front_of_a_face_unasked(place):
    for seed, (where, action, distance) in enumerate(
        [("", "walks", ""), ("far left", "stands", ""), ("far right", "sits", "far")]
    ):
        roles = (Role("A", where=where), Role("B", action, distance=distance))
        cutouts = [drawing("A", 40), drawing("B", 40)]
        staging = stage(Shot(place=place, roles=roles), cutouts, painting(place), SQUARE, seed)
        scene = painting(place).render(128, 128, staging.window)
        for one, cutout in zip(staging.placed, cutouts, strict=True):
            upper = replace(cutout, pixels=cutout.pixels[:FACE_ROWS])
            x0, y0, x1, y1 = one.box
            top = replace(one, box=(x0, y0, x1, y0 + (y1 - y0) * FACE_ROWS / 100))
            assert hidden_share(top, upper, scene, staging.window, 128) < 0.25


def test_the_same_two_are_as_tall_beside_each_other_in_all_panels():
    cast = {"Mouse": (0.1, 80, 60), "Horse": (1.7, 120, 100), "Ann": (1.6, 40, 100), "Tom": (1.8, 45, 100)}
    ratios = {}
    for seed in range(40):
        chance = random.Random(seed)
        names = chance.sample(list(cast), chance.randint(2, 4))
        roles = tuple(
            Role(name, chance.choice(("stands", "walks", "eats", "talks")), height=cast[name][0]) for name in names
        )
        cutouts = [drawing(name, *cast[name][1:]) for name in names]
        place = chance.choice(("meadow", "room", "beach", "castle", "station"))
        # Straight ones: of who leans the box is another.
        placed = stage(Shot(place=place, roles=roles), cutouts, painting(place), SQUARE, seed).placed
        heights = {one.name: tall(one) for one in placed if one.angle == 0}
        for a in heights:
            for b in heights:
                ratios.setdefault((a, b), []).append(heights[a] / heights[b])
    assert len(ratios) == 16
    assert all(max(found) / min(found) < 1.001 for found in ratios.values())
    assert 2 < ratios["Tom", "Mouse"][0] < 4
    assert 1 < ratios["Tom", "Ann"][0] < 1.1


@pytest.mark.parametrize("count", range(1, 13))
def test_everybody_can_be_made_out(count):
    placed = staged(*["stands"] * count)
    assert min(tall(one) for one in placed) >= 0.14
    low, high = (0.49, 0.63) if count <= 3 else (0.14, 0.55)
    assert low <= max(tall(one) for one in placed) <= high
    mouse, elephant = staged(Role("Mouse", height=0.1), Role("Elephant", height=3.5))
    assert tall(mouse) >= 0.14 and tall(elephant) > 2.5 * tall(mouse)


@pytest.mark.parametrize("seed", range(20))
def test_where_the_line_says(seed):
    chance = random.Random(seed)
    count = chance.randint(2, 5)
    told = sorted(chance.sample(range(5), count))
    roles = [Role(f"P{i}", where=WHERE[i]) for i in told]
    chance.shuffle(roles)
    placed = staged(*roles, place=chance.choice(list(PLACES)), seed=seed)
    xs = {role.where: middle(one) for role, one in zip(roles, placed, strict=True)}
    assert sorted(xs, key=xs.get) == [WHERE[i] for i in told]


@pytest.mark.parametrize(("where", "low", "high"), [("left", 0.15, 0.4), ("right", 0.6, 0.85), ("middle", 0.38, 0.62)])
def test_one_who_is_told_where(where, low, high):
    for seed in range(5):
        assert low < middle(staged(Role("P0", where=where), seed=seed)[0]) < high
        assert low < middle(staged(Role("P0", where=where), "walks", seed=seed)[0]) < high


def test_the_order_of_the_roles_is_the_order_of_the_places():
    """Without a word of where, whoever is mentioned first has the first place, whoever it is."""
    names = ["A", "B", "C", "D"]
    first = staged(*(Role(name) for name in names))
    for order in (["D", "A", "C", "B"], ["B", "C", "D", "A"]):
        again = staged(*(Role(name) for name in order))
        assert [one.box for one in again] == [one.box for one in first]
    turned = [middle(staged(*(Role(name) for name in names), seed=seed)[0]) > 0.5 for seed in range(12)]
    assert any(turned) and not all(turned)


def test_near_is_large_and_low_and_far_is_small_and_high():
    far, near = staged(Role("A", distance="far"), Role("B", distance="near"))
    assert tall(near) > 1.8 * tall(far) and near.depth > far.depth + 0.05
    small, large = staged(Role("A", size="tiny"), Role("B", size="huge"))
    assert tall(large) > 2.5 * tall(small)


@pytest.mark.parametrize(("speakers", "room"), [(1, 0.22), (2, 0.22), (3, 0.3)])
def test_balloons_have_room(speakers, room):
    for place in ("meadow", "room", "underwater", "sea"):
        for seed, actions in enumerate((("stands",), ("jumps", "flies"), ("rides", "stands", "falls"))):
            roles = [Role(f"P{i}", action, height=2.5) for i, action in enumerate(actions)]
            names = tuple(role.name for role in roles) * 3
            placed = staged(*roles, place=place, seed=seed, speakers=names[:speakers])
            assert min(one.box[1] for one in placed) >= room - 1e-6


def test_who_speaks_first_is_on_the_left():
    for seed in range(8):
        a, b = staged(Role("A"), Role("B"), seed=seed, speakers=("B", "A"))
        assert middle(b) < middle(a)


# --- the layout by hand ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(30))
def test_a_place_by_hand_wins(seed):
    """Exactly: feet on its lower edge, in its middle, as large as it allows; others make way."""
    chance = random.Random(seed)
    shot, cutouts, size = random_panel(seed, most=4, related=True)
    x0, y0 = chance.uniform(0, 0.6), chance.uniform(0, 0.5)
    box = (x0, y0, x0 + chance.uniform(0.15, 0.4), y0 + chance.uniform(0.2, 0.5))
    placed = stage(shot, cutouts, painting(shot.place), size, seed, Layout((Place("P0", box),))).placed[0]
    assert placed.box[3] == pytest.approx(box[3]) and middle(placed) == pytest.approx((box[0] + box[2]) / 2)
    assert placed.box[0] >= box[0] - 1e-9 and placed.box[2] <= box[2] + 1e-9 and placed.box[1] >= box[1] - 1e-9
    fills = max((placed.box[2] - placed.box[0]) / (box[2] - box[0]), tall(placed) / (box[3] - box[1]))
    assert fills == pytest.approx(1)
    ignored = stage(shot, cutouts, painting(shot.place), size, seed, Layout((Place("P0", box),), strength=0))
    assert ignored == stage(shot, cutouts, painting(shot.place), size, seed)


def test_others_make_way_for_a_place_by_hand():
    for seed, box in enumerate([(0.3, 0.3, 0.7, 0.95), (0.0, 0.4, 0.5, 0.9), (0.6, 0.5, 1.0, 1.0)]):
        first, *others = staged("stands", "walks", "stands", seed=seed, layout=Layout((Place("P0", box),)))
        assert all(shared(first.box, other.box) == 0 for other in others)


def test_who_is_put_into_water_or_into_the_air_by_hand_does_not_stand():
    def placed(action, place, box):
        return staged(Role("P0", action), place=place, layout=Layout((Place("P0", box),)))[0]

    low, high = painting("lake").water
    swimmer = placed("swims", "lake", (0.3, low - 0.1, 0.5, high))
    assert low < swimmer.waterline < high and swimmer.contact is None
    assert placed("stands", "lake", (0.3, 0.4, 0.5, 0.9)).contact == pytest.approx(0.9)
    hanging = placed("stands", "lake", (0.3, 0.1, 0.5, 0.4))
    assert hanging.contact is None and hanging.depth > 0.8


def test_paint_counts_as_the_box_around_it():
    mask = np.zeros((64, 64), np.uint8)
    mask[20:50, 8:24] = 255
    mask[10:20, 12:16] = 255
    text = painted(Image.fromarray(mask))
    by_paint = staged("stands", "walks", layout=Layout((Place("P0", paint=text),)))
    by_box = staged("stands", "walks", layout=Layout((Place("P0", (8 / 64, 10 / 64, 24 / 64, 50 / 64)),)))
    assert by_paint == by_box


# --- cut-outs -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("side", [64, 128, 360, 512, 1024, 2048])
def test_pixel_art_is_enlarged_by_whole_pixels(side):
    cut = drawing("A", 32, 48, kind=PIXELS, grid=2)
    for action in ("stands", "runs", "lies", "falls", "flies", "hides"):
        for layout in (Layout(), Layout((Place("A", (0.1, 0.1, 0.83, 0.91)),))):
            one = staged(Role("A", action), size=(side, side), cuts={"A": cut}, layout=layout)[0]
            assert one.angle % 90 == 0
            own = (16, 24) if one.angle % 180 == 0 else (24, 16)
            times = [(one.box[2] - one.box[0]) * side / own[0], tall(one) * side / own[1]]
            assert times[0] == pytest.approx(times[1])
            whole = times[0] if times[0] > 0.999 else 1 / times[0]
            assert whole == pytest.approx(round(whole)) and round(whole) >= 1
            if not layout.places and action != "hides":
                assert one.box[0] * side == pytest.approx(round(one.box[0] * side))


@pytest.mark.parametrize(("own", "side", "times"), [(5, 360, 7), (2, 360, 27), (5, 360, 28)])
def test_pixel_art_fills_a_place_that_is_a_whole_multiple_of_it(own, side, times):
    """Though n / m * k / (n / m) may come out just below k."""
    cut = drawing("A", own, own, kind=PIXELS)
    box = (0.0, 0.0, own / side * times, own / side * times)
    one = staged(Role("A"), size=(side, side), cuts={"A": cut}, layout=Layout((Place("A", box),)))[0]
    assert tall(one) * side == pytest.approx(own * times)


def test_what_is_enlarged_far_is_told():
    shot = Shot(roles=(Role("A"),))
    assert stage(shot, [drawing("A", 60, 100)], painting(), (512, 512), 1).notes == ()
    (note,) = stage(shot, [drawing("A", 60, 100)], painting(), (2048, 2048), 1).notes
    assert "A" in note and "60 × 100" in note and "12 times" in note
    assert stage(shot, [drawing("A", 60, 100, kind=PIXELS)], painting(), (2048, 2048), 1).notes == ()


@pytest.mark.parametrize("action", ["stands", "walks", "flies", "jumps", "lies", "peeks", "swims", "falls"])
@pytest.mark.parametrize("size", SHAPES)
def test_a_bust_never_floats(action, size):
    cuts = {"A": drawing("A", 90, 100, cut=frozenset({"bottom"}))}
    for place in ("meadow", "lake", "underwater", "room"):
        bust, other = staged(Role("A", action), Role("B"), place=place, size=size, cuts=cuts)
        turn = np.radians(abs(bust.angle))
        width, height = (bust.box[2] - bust.box[0]) * size[0] / size[1], tall(bust)
        # The upper one of the two lower corners of the turned picture.
        corner = bust.box[3] - np.sin(turn) * (width - height * np.tan(turn)) / (1 - np.tan(turn) ** 2) / np.cos(turn)
        assert corner >= 1 and abs(bust.angle) <= 10 and bust.contact is None
        assert bust.depth > other.depth and bust.box[1] < 0.9


@pytest.mark.parametrize("place", ["meadow", "forest", "park", "lake", "room", "harbour"])
@pytest.mark.parametrize("action", ["hides", "peeks"])
def test_the_cut_edge_of_a_bust_that_hides_is_out_of_sight(place, action):
    bust = drawing("A", 90, 100, cut=frozenset({"bottom"}))
    for target in ("tree", "bush", "stone", "barrel"):
        role = Role("A", action, relation="behind", targets=(target,))
        staging = stage(Shot(place=place, roles=(role,)), [bust], painting(place), (192, 192), 1)
        mask = compose(staging, Shot(roles=(role,)), [bust], painting(place), 192, 192).masks[0]
        (placed,) = staging.placed
        rows = np.flatnonzero(mask.any(1))
        assert mask.sum() > 100 and rows[0] < (placed.box[1] + 0.4 * tall(placed)) * 192
        assert rows[-1] < placed.box[3] * 192 - 2 or placed.box[3] >= 1


@pytest.mark.parametrize("cut", ["left", "right"])
def test_what_is_cut_at_a_side_is_at_that_side_of_the_frame(cut):
    cuts = {"A": drawing("A", cut=frozenset({cut}))}
    for seed in range(4):
        one, _ = staged(Role("A"), Role("B"), cuts=cuts, seed=seed)
        assert not one.mirrored
        assert one.box[0] == pytest.approx(0, abs=1e-6) if cut == "left" else one.box[2] == pytest.approx(1, abs=1e-6)
    other = {"left": "right", "right": "left"}[cut]
    one, _ = staged(Role("A", where=other), Role("B"), cuts=cuts)
    assert one.mirrored


@pytest.mark.parametrize(("cut", "bottom"), [({"top"}, 1.0), ({"top", "bottom"}, 1.0), ({"top", "left"}, 1.0)])
def test_a_head_that_its_picture_cuts_reaches_beyond_the_frame(cut, bottom):
    cuts = {"A": drawing("A", 70, 100, cut=frozenset(cut), crown=0.1), "B": drawing("B")}
    for framing in ("", "medium", "close-up", "from below"):
        for size in (SQUARE, (400, 300), (300, 400)):
            (one,) = staged(Role("A"), cuts=cuts, framing=framing, size=size)
            assert one.box[1] + 0.1 * tall(one) <= 1e-6 and one.box[3] >= bottom
            assert "left" not in cut or one.box[0] <= 1e-6
    # Where there is no room for that it is as large as anybody.
    for others in ({"framing": "wide"}, {"speakers": ("A",)}):
        (one,) = staged(Role("A"), cuts=cuts, **others)
        assert tall(one) < 0.8
    assert all(tall(one) < 0.8 for one in staged(Role("A"), Role("B"), cuts=cuts))


# --- framing --------------------------------------------------------------------------------------------------------


def test_framings():
    def framed(framing, place="village"):
        shot = Shot(place=place, framing=framing, roles=(Role("A"), Role("B", height=1.2)))
        return stage(shot, [drawing("A", 40), drawing("B", 40)], painting(place), SQUARE, 1)

    sizes = {
        framing: framed(framing).window[3] - framed(framing).window[1] for framing in ("wide", "", "medium", "close-up")
    }
    assert sizes["wide"] == sizes[""] == 1 > sizes["medium"] > sizes["close-up"] == pytest.approx(0.5)
    heights = {framing: tall(framed(framing).placed[0]) for framing in sizes}
    assert heights["wide"] < 0.65 * heights[""] and heights[""] < heights["medium"] < heights["close-up"]
    close = framed("close-up").placed
    assert all(one.box[1] >= 0.02 and one.box[1] + 0.6 * tall(one) <= 1 for one in close)
    assert max(one.box[3] for one in close) > 1
    assert framed("close-up").window[3] == pytest.approx(painting("village").ground[1])
    horizons = {}
    for framing in ("from above", "", "from below"):
        _, y0, _, y1 = framed(framing).window
        horizons[framing] = (0.55 - y0) / (y1 - y0)
    assert horizons["from above"] < horizons[""]
    assert framed("from below").placed[0].depth > framed("").placed[0].depth
    assert framed("as nobody says") == framed("")


def test_what_cannot_be_staged_is_said():
    with pytest.raises(ValueError, match=r"no cut-out of B; give one"):
        stage(Shot(roles=(Role("A"), Role("B"))), [drawing("A")], painting(), SQUARE, 1)
    with pytest.raises(ValueError, match=r"0 × 512 pixels; both must be at least 1"):
        stage(Shot(), [], painting(), (0, 512), 1)


def test_nobody_is_staged_too():
    staging = stage(Shot(), [], painting(), SQUARE, 1)
    assert staging.placed == () and staging.window == (0, 0, 1, 1)


def test_a_role_keeps_its_place_when_its_picture_changes_colour():
    cut = drawing("A")
    again = replace(cut, pixels=np.where(cut.pixels[..., :1] > 0, cut.pixels[..., [2, 1, 0, 3]], cut.pixels))
    assert staged(Role("A"), cuts={"A": cut}) == staged(Role("A"), cuts={"A": again})


def test_whose_place_by_hand_lies_within_anothers_is_in_front():
    """Painted over somebody larger, one would not be seen."""
    layout = Layout((Place("P0", (0.2, 0.2, 0.8, 0.95)), Place("P1", (0.4, 0.4, 0.6, 0.7))))
    large, small = staged("stands", "stands", layout=layout)
    assert small.depth > large.depth
    assert small.box[1] >= 0.4 - 1e-6 and small.box[3] <= 0.7 + 1e-6


def test_a_stray_dab_of_paint_places_nobody():
    mask = Image.new("L", (64, 64))
    mask.paste(255, (8, 10, 24, 50))
    painted_well = painted(mask)
    mask.putpixel((60, 3), 255)
    with_dab = painted(mask)
    assert staged("stands", layout=Layout((Place("P0", paint=painted_well),))) == staged(
        "stands", layout=Layout((Place("P0", paint=with_dab),))
    )


@pytest.mark.parametrize("seed", range(20))
def test_flip_mirrors_and_turn_turns_about_the_middle_and_nobody_else_moves(seed):
    shot, cutouts, size = random_panel(seed, most=4)
    before = stage(shot, cutouts, painting(shot.place), size, seed).placed
    name = before[0].name
    flipped = stage(shot, cutouts, painting(shot.place), size, seed, Layout(flip=(name,))).placed
    assert flipped[0].mirrored != before[0].mirrored and flipped[1:] == before[1:]
    assert flipped[0].box == pytest.approx(before[0].box, abs=1e-9)
    by_hand = Layout((Place(name, (0.2, 0.2, 0.7, 0.9)),))
    there = stage(shot, cutouts, painting(shot.place), size, seed, by_hand).placed[0]
    turned = stage(shot, cutouts, painting(shot.place), size, seed, replace(by_hand, turn=((name, 30.0),))).placed[0]
    assert math.remainder(turned.angle - there.angle - 30, 360) == pytest.approx(0, abs=1e-9)
    assert -180 < turned.angle <= 180
    assert middle(turned) == pytest.approx(middle(there), abs=0.5 / min(size))
