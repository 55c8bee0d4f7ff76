"""Who stands where: laws that hold for every shot, and the mark of every action and relation."""

import functools
import random
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from anystory.shot import Role, Shot
from anystory.sketch.cutout import PIXELS, Cutout
from anystory.sketch.scenery import PLACES, paint
from anystory.sketch.stagecraft.poses import POSES
from anystory.sketch.staging import stage
from anystory.steering import Layout, Place, painted

ASSETS = Path(__file__).resolve().parents[2] / "assets"
SQUARE = (512, 512)
SHAPES = ((512, 512), (64, 64), (4096, 4096), (768, 256), (256, 768), (1024, 640), (300, 500))
FACE = 0.45
BESIDE = ("hides", "peeks", "climbs", "rides", "hugs", "kisses", "holds", "carries")
"""What puts somebody behind or over something."""

WHERE = ("far left", "left", "middle", "right", "far right")


@functools.cache
def painting(place="meadow", seed=3):
    return paint(place, PLACES[place].times[0], PLACES[place].weathers[0], "flat", seed)


def drawing(name, width=60, height=100, **how):
    """A picture of an oval."""
    y, x = np.mgrid[:height, :width] + 0.5
    pixels = np.zeros((height, width, 4), np.uint8)
    pixels[(2 * x / width - 1) ** 2 + (2 * y / height - 1) ** 2 <= 1] = (200, 90, 40, 255)
    return Cutout(name, pixels, **how)


@functools.cache
def asset(path):
    pixels = np.array(Image.open(ASSETS / path).convert("RGBA"))
    rows, columns = (np.flatnonzero((pixels[..., 3] > 127).any(axis)) for axis in (1, 0))
    return pixels[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


REAL = (
    "example/bruno.png",
    "example/lola.png",
    "example/pip.png",
    "shelf/leo.webp",
    "shelf/tuk.webp",
    "shelf/sandy.webp",
)


def staged(*roles, place="meadow", size=SQUARE, seed=1, layout=Layout(), cuts=None, **shot):
    """The placed of roles, each an action or a `Role`; cut-outs are ovals where `cuts` has none of the name."""
    roles = [Role(f"P{i}", role) if isinstance(role, str) else role for i, role in enumerate(roles)]
    cutouts = [(cuts or {}).get(role.name) or drawing(role.name) for role in roles]
    return stage(Shot(place=place, roles=tuple(roles), **shot), cutouts, painting(place), size, seed, layout).placed


def random_panel(seed, most=12, related=False):
    """A shot, its cut-outs and the frame's size."""
    chance = random.Random(seed)
    names = [f"P{i}" for i in range(chance.randint(1, most))]
    actions = ["stands", *(action for action in POSES if related or action not in BESIDE)]
    roles, cutouts = [], []
    for name in names:
        how = {"where": chance.choice(WHERE)} if chance.random() < 0.2 else {}
        how |= {"distance": chance.choice(("near", "far"))} if chance.random() < 0.1 else {}
        how |= {"size": chance.choice(("tiny", "small", "big", "huge"))} if chance.random() < 0.1 else {}
        others = [other for other in names if other != name]
        if related and others:
            how["relation"] = chance.choice(
                ("", "behind", "in front of", "next to", "on", "under", "above", "in", "between")
            )
            how["targets"] = tuple(chance.sample(others, min(len(others), 1 + (how["relation"] == "between"))))
            how["toward"] = chance.choice(("", *others))
        action = chance.choice(actions) if chance.random() < 0.6 else "stands"
        roles.append(Role(name, action, height=chance.choice((0.1, 0.4, 1.2, 1.7, 3.0)), **how))
        facing, cut = chance.choice(("", "left", "right")), {"bottom"} if chance.random() < 0.08 else set()
        if chance.random() < 0.4:
            cutouts.append(Cutout(name, asset(chance.choice(REAL)), frozenset(cut), facing=facing))
        else:
            wide = chance.choice((30, 60, 90, 130))
            cutouts.append(drawing(name, wide, cut=frozenset(cut), facing=facing))
    shot = Shot(
        place=chance.choice(list(PLACES)),
        framing=chance.choice(("", "", "", "wide", "medium", "close-up", "from above", "from below")),
        roles=tuple(roles),
        speakers=tuple(chance.sample(names, min(len(names), chance.choice((0, 0, 1, 2))))),
    )
    return shot, cutouts, chance.choice(SHAPES)


def face(placed):
    """The box that nobody may cover: the upper part, of who does not stand upright all of it."""
    x0, y0, x1, y1 = placed.box
    return x0, y0, x1, y0 + FACE * (y1 - y0) if abs(placed.angle) < 50 else y1


def shared(a, b):
    """The area two boxes have in common."""
    return max(min(a[2], b[2]) - max(a[0], b[0]), 0) * max(min(a[3], b[3]) - max(a[1], b[1]), 0)


def area(box):
    return (box[2] - box[0]) * (box[3] - box[1])


def middle(placed):
    return (placed.box[0] + placed.box[2]) / 2


def tall(placed):
    return placed.box[3] - placed.box[1]


# --- laws -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(60))
def test_any_panel_is_staged_the_same_way_twice_and_whole(seed):
    shot, cutouts, size = random_panel(seed, related=True)
    staging = stage(shot, cutouts, painting(shot.place), size, seed)
    assert staging == stage(shot, cutouts[::-1], painting(shot.place), size, seed)
    assert [(one.name, one.action) for one in staging.placed] == [(role.name, role.action) for role in shot.roles]
    x0, y0, x1, y1 = staging.window
    assert 0 <= x0 < x1 <= 1 + 1e-9 and 0 <= y0 < y1 <= 1 + 1e-9
    assert (x1 - x0) / (y1 - y0) == pytest.approx(size[0] / size[1])
    for one, cutout in zip(staging.placed, cutouts, strict=True):
        assert np.isfinite(one.box).all() and -180 <= one.angle <= 180
        rows, columns = cutout.pixels.shape[:2]
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


def test_the_same_two_are_as_tall_beside_each_other_in_all_panels():
    cast = {"Mouse": (0.1, 80, 60), "Horse": (1.7, 120, 100), "Ann": (1.6, 40, 100), "Tom": (1.8, 45, 100)}
    ratios = {}
    for seed in range(40):
        chance = random.Random(seed)
        names = chance.sample(list(cast), chance.randint(2, 4))
        roles = tuple(
            Role(name, chance.choice(("stands", "walks", "sits", "talks")), height=cast[name][0]) for name in names
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


def test_what_is_enlarged_far_is_told():
    shot = Shot(roles=(Role("A"),))
    assert stage(shot, [drawing("A", 60, 100)], painting(), (512, 512), 1).notes == ()
    (note,) = stage(shot, [drawing("A", 60, 100)], painting(), (2048, 2048), 1).notes
    assert "A" in note and "60 × 100" in note and "12 times" in note
    assert stage(shot, [drawing("A", 60, 100, kind=PIXELS)], painting(), (2048, 2048), 1).notes == ()


@pytest.mark.parametrize("action", ["stands", "walks", "flies", "jumps", "lies", "hides", "peeks", "swims", "falls"])
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


# --- looks ----------------------------------------------------------------------------------------------------------


def looks(*roles, facing="left", **how):
    cuts = {f"P{i}": drawing(f"P{i}", facing=facing) for i in range(len(roles))}
    return staged(*roles, cuts=cuts, **how)


def pair(action, facing="left", **how):
    return looks(Role("P0", action, toward="P1"), Role("P1", how.pop("other", "stands")), facing=facing, **how)


@pytest.mark.parametrize("facing", ["left", "right"])
@pytest.mark.parametrize("action", ["talks", "gives", "hugs", "fights", "looks", "points", "kisses"])
def test_those_who_do_something_together_look_at_each_other(action, facing):
    for seed in range(6):
        a, b = pair(action, facing, seed=seed)
        assert (a.facing, b.facing) == (("right", "left") if middle(a) < middle(b) else ("left", "right"))
        assert a.mirrored == (a.facing != facing) and b.mirrored == (b.facing != facing)


def test_speakers_look_at_each_other():
    for seed in range(6):
        one, two, _ = looks("stands", "stands", "stands", seed=seed, speakers=("P1", "P0"))
        assert (two.facing, one.facing) == ("right", "left")


def test_nobody_is_mirrored_whose_looks_are_unknown():
    for seed in range(6):
        for placed in (
            pair("talks", "", seed=seed),
            pair("chases", "", seed=seed),
            looks("walks", facing="", seed=seed),
        ):
            assert not any(one.mirrored or one.facing for one in placed)


def test_a_leader_is_in_front():
    for action, other in (("chases", "runs"), ("follows", "walks"), ("follows", "stands")):
        for seed in range(6):
            a, b = pair(action, other=other, seed=seed)
            assert a.facing == b.facing == ("right" if middle(a) < middle(b) else "left")


def test_who_goes_somewhere_goes_into_the_free_side():
    for action in ("walks", "runs", "sneaks", "flies", "swims"):
        for where, way in (("left", "right"), ("right", "left")):
            one = looks(Role("P0", action, where=where))[0]
            assert one.facing == way
            assert np.sign(one.angle) == (1 if way == "right" else -1)
    for seed in range(6):
        alone = looks("walks", seed=seed)[0]
        assert (middle(alone) > 0.5) == (alone.facing == "left")


# --- actions --------------------------------------------------------------------------------------------------------


def one(action, place="meadow", seed=1, **how):
    return staged(Role("P0", action, **how), place=place, seed=seed)[0]


def in_the_air(placed):
    return placed.contact is None and placed.waterline is None and placed.box[3] < placed.depth - 0.05


MARKS = {
    "stands": lambda p: p.angle == 0 and p.contact == pytest.approx(p.box[3]),
    "walks": lambda p: 2 <= abs(p.angle) <= 4 and p.contact is not None,
    "runs": lambda p: 8 <= abs(p.angle) <= 12 and p.contact is None and abs(p.depth - p.box[3]) < 0.03,
    "sneaks": lambda p: 7 <= abs(p.angle) <= 11 and p.contact is not None,
    "crawls": lambda p: 38 <= abs(p.angle) <= 46 and p.contact is not None,
    "sits": lambda p: p.angle == 0 and p.contact > one("stands").contact,
    "kneels": lambda p: 4 <= abs(p.angle) <= 7 and p.contact > one("stands").contact,
    "bows": lambda p: 24 <= abs(p.angle) <= 32 and p.contact is not None,
    "lies": lambda p: abs(p.angle) == 90 and p.contact == pytest.approx(p.box[3]),
    "sleeps": lambda p: abs(p.angle) == 90 and p.contact == pytest.approx(p.box[3]),
    "jumps": lambda p: in_the_air(p) and 0.1 <= p.depth - p.box[3] + 0.01 <= 0.22,
    "flies": lambda p: in_the_air(p) and 10 <= abs(p.angle) <= 20 and (p.box[1] + p.box[3]) / 2 < 0.5,
    "floats": in_the_air,
    "falls": lambda p: in_the_air(p) and 120 <= abs(p.angle) <= 160,
    "climbs": lambda p: p.contact is None and 6 <= abs(p.angle) <= 10 and p.box[3] < 0.85,
    "stands on its head": lambda p: p.angle == 180 and p.contact == pytest.approx(p.box[3]),
    "hides": lambda p: p.angle == 0,
    "peeks": lambda p: p.box[0] < 0 < p.box[2] or p.box[0] < 1 < p.box[2],
    "digs": lambda p: 14 <= abs(p.angle) <= 20 and p.contact is not None,
    "dances": lambda p: 7 <= abs(p.angle) <= 11 and p.contact is not None,
}


@pytest.mark.parametrize("action", MARKS)
def test_an_action_has_its_mark(action):
    assert all(MARKS[action](one(action, seed=seed)) for seed in range(5))


def test_every_action_is_staged_everywhere():
    for number, action in enumerate([*POSES, "reads", "does what nobody knows"]):
        for place in ("meadow", "lake", "underwater", "sea", "space"):
            placed = one(action, place, number)
            assert placed.action == action and placed.box[1] >= 0.02


def test_what_is_wider_than_tall_only_lies_down():
    cuts = {"P0": drawing("P0", 120, 60)}
    assert 2 <= abs(staged("lies", cuts=cuts)[0].angle) <= 4


def test_the_face_of_who_lies_is_up():
    for facing, angle in (("left", 90), ("right", -90)):
        assert looks("lies", facing=facing)[0].angle == angle * (
            1 if not looks("lies", facing=facing)[0].mirrored else -1
        )


@pytest.mark.parametrize("place", ["lake", "river", "beach", "harbour", "ice"])
def test_swimmers_are_in_the_open_water(place):
    low, high = painting(place).water
    swimmer, diver, bather = staged("swims", "dives", "stands", place=place)
    assert low < swimmer.waterline < high and low < diver.waterline < high
    hidden = (swimmer.box[3] - swimmer.waterline) / tall(swimmer)
    assert 1 / 3 < hidden < 2 / 3
    assert abs(diver.angle) > 130 and diver.box[1] < diver.waterline < diver.box[3]
    assert bather.waterline is None and bather.contact is not None


def test_the_sea_has_no_ground_to_stand_on():
    for action in ("stands", "sits", "walks", "swims"):
        placed = one(action, "sea")
        assert placed.contact is None and placed.box[1] < placed.waterline < placed.box[3]


def test_where_one_floats_only_who_is_on_foot_touches_the_ground():
    for place in ("underwater", "sky"):
        assert all(one(action, place).contact is None for action in ("stands", "swims", "dives", "talks", "floats"))
        assert all(one(action, place).contact is not None for action in ("sits", "walks", "lies"))


def test_a_rider_is_on_its_mount():
    cuts = {"Horse": drawing("Horse", 140, 100, facing="left"), "Ann": drawing("Ann", 40, 100, facing="left")}
    for seed in range(5):
        ann, horse = staged(
            Role("Ann", "rides", toward="Horse"), Role("Horse", "runs", height=1.8), cuts=cuts, seed=seed
        )
        assert ann.contact == pytest.approx(horse.box[3] - 0.6 * tall(horse), abs=0.02)
        assert horse.box[0] < middle(ann) < horse.box[2] and 0 < ann.depth - horse.depth < 0.01
        assert ann.facing == horse.facing


def test_those_who_hug_overlap_a_little():
    a, b = pair("hugs", facing="")
    assert 0 < shared(a.box, b.box) <= 0.3 * min(area(a.box), area(b.box))


def test_those_who_dance_sway():
    angles = [placed.angle for placed in staged("dances", "dances", "dances", "dances")]
    assert len({np.sign(angle) for angle in angles}) == 2


def hidden_share(placed, cutout, scene, window, size):
    """How much of a straight figure the layers in front of it, and the frame, hide: pixel by pixel."""
    rows, columns = cutout.pixels.shape[:2]
    hidden = seen = 0
    for row in range(0, rows, 2):
        for column in range(0, columns, 2):
            if cutout.pixels[row, column, 3] < 128:
                continue
            x = placed.box[0] + (column + 0.5) / columns * (placed.box[2] - placed.box[0])
            y = placed.box[1] + (row + 0.5) / rows * tall(placed)
            inside = 0 <= x < 1 and 0 <= y < 1
            covered = inside and any(
                layer.pixels[int(y * size), int(x * size), 3] >= 128
                for layer in scene.layers
                if layer.name and (layer.depth - window[1]) / (window[3] - window[1]) > placed.depth
            )
            hidden, seen = hidden + (covered or not inside), seen + (inside and not covered)
    return hidden / (hidden + seen)


@pytest.mark.parametrize(
    ("place", "target", "height"),
    [
        ("meadow", "", 1.2),
        ("park", "bush", 0.3),
        ("farm", "fence", 0.6),
        ("kitchen", "table", 0.8),
        ("market", "stall", 1.2),
    ],
)
def test_who_hides_is_about_half_hidden(place, target, height):
    cutout = drawing("A")
    for seed in range(3):
        role = Role(
            "A", "hides", height=height, relation="behind" if target else "", targets=(target,) if target else ()
        )
        shot = Shot(place=place, roles=(role,))
        staging = stage(shot, [cutout], painting(place), SQUARE, seed)
        scene = painting(place).render(256, 256, staging.window)
        share = hidden_share(staging.placed[0], cutout, scene, staging.window, 256)
        assert 0.28 < share < 0.72


# --- relations ------------------------------------------------------------------------------------------------------


def related(relation, height=0.8, others=1, **how):
    targets = tuple(f"P{i}" for i in range(1, others + 1))
    roles = [
        Role("P0", height=height, relation=relation, targets=targets),
        *(Role(name, height=1.7) for name in targets),
    ]
    return staged(*roles, **how)


def test_relations_between_two():
    for seed in range(5):
        a, b = related("behind", 1.7, seed=seed)
        assert a.depth < b.depth and shared(face(a), b.box) < 0.1 * area(a.box) and shared(a.box, b.box) > 0
        a, b = related("in front of", seed=seed)
        assert a.depth > b.depth and shared(face(b), a.box) < 0.1 * area(b.box) and shared(a.box, b.box) > 0
        a, b = related("on", seed=seed)
        assert a.contact == pytest.approx(b.box[1], abs=0.05) and abs(middle(a) - middle(b)) < 0.02
        a, b = related("above", seed=seed)
        assert a.contact is None and a.box[3] < b.box[1] and abs(middle(a) - middle(b)) < 0.02
        a, b = related("under", 0.2, seed=seed)
        assert a.depth > b.depth and a.box[1] > face(b)[3] - 0.02 and b.box[0] < middle(a) < b.box[2]
        a, b = related("in", seed=seed)
        assert a.depth < b.depth and 0.2 < shared(a.box, b.box) / area(a.box) < 0.8 and a.box[1] < b.box[1]


def test_next_to_and_between():
    for seed in range(8):
        roles = [Role("A"), Role("B"), Role("C"), Role("D", relation="next to", targets=("A",))]
        placed = {one.name: middle(one) for one in staged(*roles, seed=seed)}
        assert abs(sorted(placed, key=placed.get).index("A") - sorted(placed, key=placed.get).index("D")) == 1
        roles = [Role("A", relation="between", targets=("B", "C")), Role("B"), Role("C")]
        a, b, c = (middle(one) for one in staged(*roles, seed=seed))
        assert min(b, c) < a < max(b, c)


def test_relations_to_the_place():
    def at(relation, target, place, **how):
        return staged(Role("A", relation=relation, targets=(target,), **how), place=place)[0]

    assert at("next to", "tree", "meadow").box[0] < 0.4
    assert at("in front of", "tree", "meadow").depth > 0.83
    assert at("on", "rock", "cave", height=0.4).contact is not None
    assert at("under", "no such thing", "meadow") == at("", "", "meadow")


def test_a_circle_of_relations_is_staged():
    a, b = staged(Role("P0", relation="behind", targets=("P1",)), Role("P1", relation="in front of", targets=("P0",)))
    assert a.depth < b.depth
    three = [Role(f"P{i}", relation="on", targets=(f"P{(i + 1) % 3}",)) for i in range(3)]
    assert len(staged(*three)) == 3


def test_who_carries_somebody_small_has_them_in_the_arms():
    a, b = staged(Role("A", "carries", height=1.7, toward="B"), Role("B", height=0.3))
    assert b.contact is None and b.depth > a.depth and shared(a.box, b.box) > 0
    assert b.box[1] > face(a)[3] and b.box[3] < a.box[3]


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
