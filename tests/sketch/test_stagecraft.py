"""The mark of every action and relation, and who looks where."""

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from anystory.sketch.cutout import Cutout, prepare
from anystory.sketch.read import read
from anystory.sketch.sketcher import painting_of
from anystory.sketch.stagecraft.covers import ROWS, Cover, hideout, means
from anystory.sketch.stagecraft.lineup import FIXED, Block, line_up
from anystory.sketch.stagecraft.poses import POSES
from anystory.sketch.staging import stage
from anystory.story.model import Panel, Subject
from anystory.story.shot import Role, Shot
from tests.sketch.panels import (
    ASSETS,
    SQUARE,
    area,
    asset,
    drawing,
    face,
    hidden_share,
    middle,
    painting,
    shared,
    staged,
    tall,
)

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
    "dances": lambda p: 2 <= abs(p.angle) <= 3.5 and p.bend.sway and p.contact is not None,
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


def test_the_head_of_who_lies_is_towards_the_middle():
    """Where nobody knows where the picture looks; who turns clockwise has its head on the right."""
    left, right = staged(Role("P0", "lies", where="left"), Role("P1", "lies", where="right"))
    assert (left.angle, right.angle) == (90, -90)


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


@pytest.mark.parametrize("picture", ["example/bruno.png", "example/pip.png"])
@pytest.mark.parametrize("facing", ["", "front"])
def test_a_rider_leaves_the_face_of_who_looks_at_us_free(picture, facing):
    cuts = {"Mount": Cutout("Mount", asset(picture)), "Ann": drawing("Ann", 40, 100, facing="left")}
    for seed in range(5):
        ann, mount = staged(
            Role("Ann", "rides", toward="Mount"), Role("Mount", "runs", facing=facing), cuts=cuts, seed=seed
        )
        assert mount.box[1] < ann.contact <= mount.box[1] + 0.05 * tall(mount)
        assert mount.box[0] < middle(ann) < mount.box[2] and ann.box[1] > 0


def test_a_mount_that_is_said_to_be_seen_from_the_side_has_its_rider_on_its_back():
    cuts = {"Horse": drawing("Horse", 140, 100), "Ann": drawing("Ann", 40, 100)}
    for facing, depth in (("left", 0.4), ("right", 0.4), ("front", 0.03), ("", 0.03)):
        ann, horse = staged(Role("Ann", "rides", toward="Horse"), Role("Horse", height=1.8, facing=facing), cuts=cuts)
        assert ann.contact == pytest.approx(horse.box[1] + depth * tall(horse), abs=0.02)


def test_where_a_picture_looks_is_what_was_said_before_what_was_guessed():
    said = {"left": "left", "right": "right", "front": "", "": "left"}
    for facing, shown in said.items():
        (placed,) = staged(Role("P0", facing=facing), cuts={"P0": drawing("P0", facing="left")})
        turned = {"left": "right", "right": "left"}.get(shown)
        assert placed.facing == (turned if placed.mirrored else shown)
    way = {f: staged(Role("P0", "walks", where="left", facing=f))[0].mirrored for f in ("left", "right", "front")}
    assert way == {"left": True, "right": False, "front": False}


def test_those_who_hug_overlap_a_little():
    a, b = pair("hugs", facing="")
    assert 0 < shared(a.box, b.box) <= 0.3 * min(area(a.box), area(b.box))


def test_those_who_dance_sway():
    sways = [placed.bend.sway for placed in staged("dances", "dances", "dances", "dances")]
    assert {np.sign(sway) for sway in sways} == {-1, 1}


def test_those_who_dance_with_each_other_stand_close_and_face_each_other():
    cuts = {name: drawing(name, 50, facing="right") for name in ("A", "B")}
    a, b = staged(Role("A", "dances", toward="B"), Role("B"), cuts=cuts)
    apart = staged(Role("A"), Role("B"), cuts=cuts)
    left, right = sorted((a, b), key=middle)
    assert (left.facing, right.facing) == ("right", "left")
    assert abs(middle(a) - middle(b)) < abs(middle(apart[0]) - middle(apart[1]))


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


@pytest.mark.parametrize("place", ["hill", "mountains", "desert"])
def test_who_climbs_a_hill_is_on_its_ground(place):
    for seed in range(3):
        (climber,) = staged(Role("A", "climbs"), place=place, seed=seed)
        assert climber.contact is not None
    (climber,) = staged(Role("A", "climbs", relation="on", targets=("tree",)), place="hill")
    assert climber.contact is None


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


def test_two_behind_one_are_on_both_its_sides():
    roles = [Role("A", relation="behind", targets=("C",)), Role("B", relation="behind", targets=("C",)), Role("C")]
    for seed in range(10):
        a, b, c = (middle(one) for one in staged(*roles, seed=seed))
        assert (a < c) != (b < c)


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


@pytest.mark.parametrize(
    ("word", "layer"),
    [("stone", "rocks"), ("stone", "a moon rock"), ("box", "a crate"), ("leaf", "big leaves"), ("tree", "a pine tree"),
     ("trees", "a tree"), ("plant", "ferns"), ("chair", "an armchair"), ("bench", "a bench"), ("crate", "crates")],
)  # fmt: skip
def test_what_is_read_of_a_line_means_a_part_of_the_place(word, layer):
    assert means(word, layer) and not means("house", layer) and not means("", layer)


@pytest.mark.parametrize(
    ("place", "word", "layer"),
    [
        ("room", "chair", "an armchair"),
        ("mushroom forest", "plant", "ferns"),
        ("dinosaur valley", "plant", "a fern"),
    ],
)
def test_who_hides_is_behind_what_the_line_says(place, word, layer):
    """By its name in the reading, which is not the painter's; and not behind whatever else there is."""
    line = next(sheet.depth for sheet in painting(place).sheets if sheet.name == layer)
    for seed in range(4):
        role = Role("A", "hides", height=0.8, relation="behind", targets=(word,))
        staging = stage(Shot(place=place, roles=(role,)), [drawing("A")], painting(place), SQUARE, seed)
        y0, y1 = staging.window[1], staging.window[3]
        assert y0 + staging.placed[0].depth * (y1 - y0) == pytest.approx(line, abs=0.01)


def test_a_circle_of_relations_is_staged():
    a, b = staged(Role("P0", relation="behind", targets=("P1",)), Role("P1", relation="in front of", targets=("P0",)))
    assert a.depth < b.depth
    three = [Role(f"P{i}", relation="on", targets=(f"P{(i + 1) % 3}",)) for i in range(3)]
    assert len(staged(*three)) == 3


def test_who_carries_somebody_small_has_them_in_the_arms():
    a, b = staged(Role("A", "carries", height=1.7, toward="B"), Role("B", height=0.3))
    assert b.contact is None and b.depth > a.depth and shared(a.box, b.box) > 0
    assert b.box[1] > face(a)[3] and b.box[3] < a.box[3]


def test_a_bust_with_company_does_not_float_either():
    cuts = {"P0": drawing("P0", 90, cut=frozenset({"bottom"}))}
    for relation in ("in front of", "on", "under", "above", "next to"):
        for action in ("stands", "rides", "hugs", "climbs"):
            a, _ = staged(Role("P0", action, relation=relation, targets=("P1",), toward="P1"), "stands", cuts=cuts)
            assert a.box[3] >= 1


@pytest.mark.parametrize("wide", [20, 60, 160])
def test_a_bust_behind_somebody_looks_over_their_back_or_stands_beside(wide):
    """Its cut edge is behind who is broad enough, or at the frame's; nobody's face is hidden."""
    cuts = {"P0": drawing("P0", 90, cut=frozenset({"bottom"})), "P1": drawing("P1", wide)}
    for action in ("stands", "hides", "peeks"):
        bust, other = staged(Role("P0", action, relation="behind", targets=("P1",)), "stands", cuts=cuts)
        assert shared(face(bust), face(other)) < 0.3 * area(face(other)) or bust.depth < other.depth
        if bust.box[3] < 1:
            half = (bust.box[2] - bust.box[0]) / 2
            across = (bust.box[3] - other.box[1]) / tall(other)  # how far down the oval the edge is
            reach = np.sqrt(max(1 - (2 * across - 1) ** 2, 0)) * (other.box[2] - other.box[0]) / 2
            assert bust.depth < other.depth and half <= reach + 0.01 and middle(bust) == pytest.approx(middle(other))


# --- the line-up ----------------------------------------------------------------------------------------------------


def blocks(rng, count):
    """Blocks of equal standing beside each other on one line, in the order in which they wish to be."""
    wishes = np.sort(rng.uniform(0, 4, count))
    return [Block(x, *rng.uniform(0.1, 0.3, 2), 0.2, 0.9, 0.5, 0.9) for x in wishes.tolist()]


@pytest.mark.parametrize("seed", range(10))
def test_a_line_up_is_as_near_as_can_be(seed):
    """To the wishes, of all that keep their distance: against a slow search that moves one or several at a time."""
    rng = np.random.default_rng(seed)
    made = blocks(rng, 4)
    places, need = line_up(made, 0.0, 4.0, 0.02)
    assert need <= 1

    def valid(xs):
        pairs = zip(xs, xs[1:], made, made[1:], strict=False)
        apart = all(b - a >= p.right + q.left + 0.02 - 1e-9 for a, b, p, q in pairs)
        return apart and xs[0] >= made[0].left - 1e-9 and xs[-1] <= 4 - made[-1].right + 1e-9

    def cost(xs):
        return sum((x - block.x) ** 2 for x, block in zip(xs, made, strict=True))

    assert valid(places)
    for step in (0.05, 0.01, 0.001):
        for moved in np.ndindex(3, 3, 3, 3):
            tried = [x + (way - 1) * step for x, way in zip(places, moved, strict=True)]
            assert not valid(tried) or cost(tried) >= cost(places) - 1e-9


def test_a_line_up_says_when_there_is_no_room():
    made = [Block(1.0, 0.5, 0.5, 0.2, 0.9, 0.5, 0.9) for _ in range(4)]
    assert line_up(made, 0.0, 4.2, 0.02)[1] <= 1
    places, need = line_up(made, 0.0, 3.0, 0.02)
    assert need == pytest.approx(4.06 / 3) and places == sorted(places)
    assert line_up([], 0.0, 1.0, 0.02)[0] == []


def test_nobody_moves_who_is_fixed():
    made = [Block(x, 0.2, 0.2, 0.2, 0.9, 0.5, 0.9, weight) for x, weight in ((1.0, 1.0), (1.1, FIXED), (1.2, 1.0))]
    places, need = line_up(made, 0.0, 4.0, 0.02)
    assert places == pytest.approx([0.68, 1.1, 1.52], abs=1e-3) and need <= 1
    _, need = line_up([Block(0.2, 0.2, 0.2, 0.2, 0.9, 0.5, 0.9), replace(made[1], x=0.3)], 0.0, 4.0, 0.02)
    assert need > 1


def test_who_is_small_may_stand_before_who_is_tall():
    tall_one, small_one = Block(1.0, 0.3, 0.3, 0.2, 0.9, 0.5, 0.85), Block(1.1, 0.1, 0.1, 0.8, 0.95, 0.87, 0.95)
    places, _ = line_up([tall_one, small_one], 0.0, 4.0, 0.02)
    assert places[1] - places[0] < 0.4
    behind = replace(small_one, line=0.8)  # its face would be covered
    places, _ = line_up([tall_one, behind], 0.0, 4.0, 0.02)
    assert places[1] - places[0] >= 0.4


@pytest.mark.parametrize(("name", "laid"), [("bruno", True), ("lola", False), ("fern", False), ("pip", True)])
def test_who_stands_on_four_legs_is_not_laid_on_its_head(name, laid):
    """A bear and a chick seen from in front lie on their sides; a llama and a dinosaur in profile stay as they are."""
    with Image.open(ASSETS / "example" / f"{name}.png") as file:
        rgba = file.convert("RGBA")
    cut = prepare(Subject(name, rgba.convert("RGB"), rgba.getchannel("A")))
    (asleep,) = staged(Role(name, "sleeps"), cuts={name: cut})
    assert (abs(asleep.angle) == 90) is laid


def test_nobody_hides_behind_the_edge_of_the_frame():
    """What stands before the frame's lower edge lets one stand below that, but only where it is."""
    trunk = np.zeros((ROWS, ROWS), bool)
    trunk[:, :8] = True
    figure = drawing("A", 60, 120)
    for wish in (0.1, 0.5, 0.9):
        spot = hideout(figure, 0.45, wish, [Cover("a tree", 1.01, trunk)], [], 0.8)
        assert spot is not None and spot.x - spot.height / 4 < 8 / ROWS


def test_two_of_a_kind_that_fight_look_at_each_other():
    shot = read(Panel("Two cats fight in the garden", ()), ())
    staging = stage(shot, (), painting_of(shot, 3), (512, 512), 3)
    first, second = sorted(staging.things, key=lambda thing: thing.box[0])
    assert (first.concept, second.concept) == ("cat", "cat") and first.mirrored != second.mirrored
