"""Things in a panel: laws that hold for every shot, and what each relation, hand and number of them looks like."""

import random
from dataclasses import replace

import numpy as np
import pytest

from anystory.sketch.compose import compose, picture_of
from anystory.sketch.cutout import Cutout
from anystory.sketch.recall import recalled
from anystory.sketch.scenery import PLACES, paint
from anystory.sketch.stagecraft.props import CROWD, MOST, arrangement, cutout_of, library
from anystory.sketch.stagecraft.seats import SEATS
from anystory.sketch.staging import stage
from anystory.story.shot import Role, Shot, Thing
from tests.sketch.panels import FACE, SHAPES, SQUARE, area, asset, drawing, middle, painting, shared, tall
from tests.sketch.panels import random_panel as panel_of_cast

CONCEPTS = (
    *("apple", "umbrella", "ball", "book", "sword", "crown", "hat", "glasses", "dog", "queen", "horse", "boat", "car"),
    *("tree", "house", "castle", "kite", "butterfly", "balloon", "table", "chair", "duck", "box", "rainbow", "mouse"),
    *("picture", "bed", "ladder", "elephant", "puddle", "plane", "key", "whale", "fence"),
)
RELATIONS = ("on", "in", "under", "behind", "in front of", "next to", "above", "between")
SIDE = 96


def random_panel(seed):
    """A shot with a few things, told of in any way, its cut-outs and the frame's size."""
    chance = random.Random(f"things {seed}")
    shot, cutouts, size = panel_of_cast(seed, most=4)
    names = [role.name for role in shot.roles]
    things = []
    for concept in chance.sample(CONCEPTS, chance.randint(1, 6)):
        how = {"count": chance.choice((1, 1, 1, 2, 3, 7, 12)), "colour": chance.choice(("", "", "red", "blue"))}
        told = chance.random()
        if told < 0.3:
            how["held_by"] = chance.choice(names)
        elif told < 0.5:
            how |= {"relation": chance.choice(RELATIONS[:6]), "targets": (chance.choice((*names, *CONCEPTS)),)}
        how["size"] = chance.choice(("", "", "tiny", "small", "big", "huge"))
        how["distance"] = chance.choice(("", "", "", "far", "near"))
        things.append(Thing(concept, concept, **how))
    roles = [
        replace(role, relation=chance.choice(RELATIONS), targets=(chance.choice(things).concept,))
        if chance.random() < 0.3
        else role
        for role in shot.roles
    ]
    return replace(shot, roles=tuple(roles), things=tuple(things)), cutouts, size


def panel(*things, roles=(Role("A"),), place="meadow", size=SQUARE, seed=1, cuts=None, **shot):
    cutouts = [(cuts or {}).get(role.name) or drawing(role.name, 40) for role in roles]
    shot = Shot(place=place, roles=tuple(roles), things=tuple(things), **shot)
    return stage(shot, cutouts, painting(place), size, seed)


@pytest.mark.parametrize("seed", range(80))
def test_things_are_in_the_frame_and_the_same_twice(seed):
    shot, cutouts, size = random_panel(seed)
    staging = stage(shot, cutouts, painting(shot.place), size, seed)
    assert staging == stage(shot, cutouts[::-1], painting(shot.place), size, seed)
    assert [one.thing for one in staging.things] == sorted(one.thing for one in staging.things)
    assert sum(one.drawing is not None for one in staging.things) <= MOST
    for one in staging.things:
        assert one.concept == shot.things[one.thing].concept
        assert 1 <= one.count <= CROWD and np.isfinite(one.box).all() and area(one.box) > 0
        assert one.box[0] >= -0.002 and one.box[2] <= 1.002 and one.box[1] >= -0.002, (shot, one)
        if one.depth <= 1:  # busts and close-ups are cut by the lower edge
            assert one.box[1] < 1 and (shot.framing or one.held_by or one.box[3] <= 1.05)


@pytest.mark.parametrize("seed", range(60))
def test_things_cover_no_face(seed):
    """Pixel by pixel: what of a face is seen with the things is what is seen without them."""
    shot, cutouts, _ = random_panel(seed)
    named = {cutout.name: cutout for cutout in cutouts}
    staging = stage(shot, cutouts, painting(shot.place), (SIDE, SIDE), seed)
    cast = [named[one.name] for one in staging.placed]
    with_things, alone = (
        compose(one, shot, cast, painting(shot.place), SIDE, SIDE).masks
        for one in (staging, replace(staging, things=()))
    )
    assert not (with_things & ~alone).any()
    for one, seen, before in zip(staging.placed, with_things, alone, strict=True):
        if abs(one.angle) < 50:
            top, bottom = max(round(one.box[1] * SIDE), 0), round((one.box[1] + 0.42 * tall(one)) * SIDE)
            worn = [thing for thing in staging.things if thing.held_by == one.name and thing.contact is None]
            lost = (before & ~seen)[top:bottom].sum()
            assert lost <= (0.4 if worn else 0.15) * before[top:bottom].sum() + 4, (shot, one)


@pytest.mark.parametrize("seed", range(30))
def test_what_lies_about_moves_nobody(seed):
    shot, cutouts, size = panel_of_cast(seed, most=5)
    things = (Thing("ball"), Thing("rainbow"), Thing("house"), Thing("apple", held_by=shot.roles[0].name))
    alone = stage(shot, cutouts, painting(shot.place), size, seed)
    assert stage(replace(shot, things=things), cutouts, painting(shot.place), size, seed).placed == alone.placed


# --- in the hand and on the head ------------------------------------------------------------------------------------


@pytest.mark.parametrize("concept", ["apple", "umbrella", "sword", "book", "balloon", "bucket", "flower", "guitar"])
@pytest.mark.parametrize("action", ["stands", "walks", "runs", "sits"])
def test_what_is_held_touches_its_holder_and_can_be_made_out(concept, action):
    for seed in range(4):
        roles = (Role("A", action, holds=concept), Role("B"))
        staging = panel(Thing(concept, held_by="A"), roles=roles, seed=seed)
        (thing,), holder = staging.things, staging.placed[0]
        assert thing.held_by == "A" and shared(thing.box, holder.box) > 0
        long = max(tall(thing), thing.box[2] - thing.box[0])
        assert long >= 0.11 and tall(thing) <= (0.76 if concept in ("umbrella", "balloon") else 0.56) * tall(holder)
        hand = holder.box[1] + 0.57 * tall(holder)
        assert thing.box[1] <= hand + 0.06 and thing.box[3] >= hand - 0.01


def test_it_is_held_on_the_side_one_looks_to():
    for facing in ("left", "right"):
        cuts = {"A": replace(drawing("A", 40), facing=facing)}
        for where in ("left", "right"):
            staging = panel(Thing("apple", held_by="A"), roles=(Role("A", where=where), Role("B")), cuts=cuts)
            holder = staging.placed[0]
            assert (middle(staging.things[0]) > middle(holder)) == (holder.facing == "right")
    giver = panel(Thing("apple", held_by="A"), roles=(Role("A", "gives", toward="B"), Role("B")))
    a, b = map(middle, giver.placed)
    assert (middle(giver.things[0]) - a) * (b - a) > 0


def test_a_hat_is_on_the_head_and_tilts_with_it():
    for concept in ("hat", "crown", "helmet"):
        for action in ("stands", "runs"):
            roles = (Role("B", "holds"), Role("A", action if action != "stands" else "stands"))
            staging = panel(Thing(concept), roles=roles if action == "stands" else (roles[1],))
            hat, wearer = staging.things[0], staging.placed[-1]
            assert hat.held_by == "A" and hat.angle == wearer.angle and hat.depth > wearer.depth
            assert hat.box[1] < wearer.box[1] < hat.box[3] < wearer.box[1] + 0.25 * tall(wearer)


def test_who_holds_what_is_too_large_stands_beside_it():
    staging = panel(Thing("snowman", held_by="A"), roles=(Role("A", "plays", height=1.2, holds="snowman"),))
    (snowman,) = staging.things
    assert snowman.contact is not None and snowman.held_by == ""
    assert shared(snowman.box, staging.placed[0].box) < 0.3 * area(snowman.box)


# --- relations ------------------------------------------------------------------------------------------------------


def with_thing(concept, relation, action="stands", place="meadow", **how):
    staging = panel(
        Thing(concept), roles=(Role("A", action, relation=relation, targets=(concept,)),), place=place, **how
    )
    return staging.placed[0], staging.things[0]


@pytest.mark.parametrize("concept", ["horse", "bicycle", "elephant", "unicorn", "motorcycle"])
def test_who_rides_is_above_and_behind_the_back(concept):
    for seed in range(4):
        rider, mount = with_thing(concept, "on", "rides", seed=seed)
        assert mount.box[0] < middle(rider) < mount.box[2] and rider.depth < mount.depth
        assert rider.box[1] < mount.box[1] and mount.box[1] < rider.box[3] < mount.box[3]


@pytest.mark.parametrize("concept", ["chair", "bench", "sofa", "throne", "stool", "rock"])
def test_who_sits_is_before_and_on_the_seat(concept):
    sitter, seat = with_thing(concept, "on", "sits", place="room")
    assert seat.box[0] < middle(sitter) < seat.box[2] and sitter.depth > seat.depth
    assert seat.box[1] < sitter.contact <= seat.box[3] and sitter.box[3] == pytest.approx(sitter.contact, abs=0.01)


@pytest.mark.parametrize("concept", ["boat", "box", "bathtub", "basket", "car"])
def test_who_is_in_something_looks_out_of_it(concept):
    staging = panel(Thing(concept), roles=(Role("A", "sits", relation="in", targets=(concept,)),))
    masks = compose(staging, Shot(roles=(Role("A"),)), [drawing("A", 40)], painting(), SIDE, SIDE).masks[0]
    alone = compose(
        replace(staging, things=()), Shot(roles=(Role("A"),)), [drawing("A", 40)], painting(), SIDE, SIDE
    ).masks[0]
    assert 0.3 < masks.sum() / alone.sum() < 0.9
    rows = np.flatnonzero(alone.any(1))
    head = slice(rows[0], rows[0] + len(rows) // 3)
    assert masks[head].sum() > 0.9 * alone[head].sum()


@pytest.mark.parametrize("concept", SEATS)
def test_of_whoever_sits_anywhere_the_head_is_seen(concept):
    """A third of the figure from the top, with the thing and without it."""
    action, relation = ("rides", "on") if library().find(concept).living else ("sits", "in")
    staging = panel(Thing(concept), roles=(Role("A", action, relation=relation, targets=(concept,)),))
    assert [thing.concept for thing in staging.things] == [concept]
    shot, cut = Shot(roles=(Role("A"),)), [drawing("A", 40)]
    seen, alone = (
        compose(one, shot, cut, painting(), SIDE, SIDE).masks[0] for one in (staging, replace(staging, things=()))
    )
    rows = np.flatnonzero(alone.any(1))
    head = slice(rows[0], rows[0] + len(rows) // 3)
    assert seen[head].sum() > 0.7 * alone[head].sum()


def test_a_boat_floats_and_who_is_in_it_is_not_under_water():
    one, boat = with_thing("boat", "in", "sits", place="sea")
    assert boat.box[1] + 0.8 * tall(boat) < boat.waterline < boat.box[3] and one.waterline is None
    assert one.box[1] < boat.box[1]


def test_under_behind_before_and_up():
    one, tree = with_thing("tree", "under", place="room")
    assert tree.box[0] < middle(one) < tree.box[2] and one.depth > tree.depth and tree.box[1] < one.box[1]
    one, table = with_thing("table", "under")
    assert table.box[0] < one.box[0] and one.box[2] < table.box[2] and one.box[1] > table.box[1]
    one, barrel = with_thing("barrel", "behind", "hides")
    assert one.depth < barrel.depth and 0.3 < shared(one.box, barrel.box) / area(one.box) < 0.7
    one, tent = with_thing("tent", "in")
    assert one.depth > tent.depth and tent.box[0] < middle(one) < tent.box[2]
    one, ladder = with_thing("ladder", "", "climbs")
    assert one.contact is None and ladder.box[0] < middle(one) < ladder.box[2] and one.box[3] < ladder.box[3]
    roles = (Role("A", relation="between", targets=("cows",)),)
    staging = panel(Thing("cows", count=2), roles=roles)
    left, right = sorted(staging.things, key=middle)
    assert middle(left) < middle(staging.placed[0]) < middle(right)


def test_what_the_place_shows_is_used_and_not_drawn_again():
    (tree,) = panel(Thing("tree"), place="meadow").things
    assert tree.drawing is None and tree.box[1] < tree.depth
    assert panel(Thing("tree", colour="red"), place="meadow").things[0].drawing is not None
    assert panel(Thing("moon"), Thing("ship"), place="pirate ship").things == ()


def test_things_on_things():
    staging = panel(Thing("cup", relation="on", targets=("table",)), Thing("table"))
    cup, table = staging.things
    assert table.box[0] < middle(cup) < table.box[2] and cup.depth > table.depth
    assert table.box[1] < cup.box[3] < table.box[1] + 0.3 * tall(table)


def test_in_the_air_on_water_and_far():
    for concept in ("balloon", "kite", "plane", "rainbow", "butterfly"):
        (thing,) = panel(Thing(concept)).things
        assert concept == "balloon" or (thing.contact is None and thing.box[3] < 0.75)
    flier, plane = with_thing("plane", "in", "flies")
    assert plane.contact is None and plane.box[3] < plane.depth - 0.05 and flier.depth < plane.depth
    (duck,) = panel(Thing("duck", count=5), place="lake").things
    low, high = painting("lake").water
    assert low < duck.waterline < high and duck.contact is None
    (castle,) = panel(Thing("castle", distance="far")).things
    (near,) = panel(Thing("castle")).things
    assert tall(castle) < 0.8 * tall(near) and castle.depth <= near.depth


# --- which, how many, how large -------------------------------------------------------------------------------------


def test_what_no_drawing_fits_is_said():
    staging = panel(Thing("flux capacitor"), Thing("ball"))
    assert [one.concept for one in staging.things] == ["ball"]
    assert "There is no drawing of a flux capacitor; it is not shown." in staging.notes


def test_a_panel_is_not_crowded():
    concepts = [concept for concept in CONCEPTS if concept not in ("tree", "duck")][:14]
    staging = panel(*map(Thing, concepts))
    assert len(staging.things) <= MOST
    said = " ".join(staging.notes)
    missing = set(concepts) - {one.concept for one in staging.things}
    assert missing and all(concept in said for concept in missing)


@pytest.mark.parametrize("rests", ["ground", "hand", "sky", "water"])
@pytest.mark.parametrize("count", range(1, CROWD + 1))
def test_so_many_are_drawn(count, rests):
    """Each has its own place, from which the others hide less than half of it."""
    corners = arrangement(count, rests)
    assert len(set(corners)) == len(corners) == count
    for number, (x, y) in enumerate(corners):
        behind = np.ones((40, 40), bool)
        for a, b in corners[number + 1 :]:
            left, top = round((a - x) * 40), round((b - y) * 40)
            if abs(left) < 40 and abs(top) < 40:
                behind[max(top, 0) : top + 40 if top < 0 else None, max(left, 0) : left + 40 if left < 0 else None] = 0
        assert behind.mean() > 0.3


def test_a_group_is_many_times_its_drawing():
    apple = library().find("apple")
    one = (cutout_of(apple, 1, "", 64).pixels[..., 3] >= 128).sum()
    for count in (2, 3, 5, 12):
        many = (cutout_of(apple, count, "", 64).pixels[..., 3] >= 128).sum()
        assert 0.6 * count * one < many <= count * one


def test_the_same_thing_is_as_large_beside_the_same_one_in_all_panels():
    ratios = []
    for seed in range(6):
        for place in ("meadow", "beach", "street"):
            staging = panel(Thing("ball", colour="red"), place=place, seed=seed)
            (ball,) = staging.things
            assert ball.drawing == library().find("ball") and ball.colour == "red"
            ratios.append(tall(ball) / tall(staging.placed[0]))
    assert max(ratios) / min(ratios) < 1.01
    big, small = (tall(panel(Thing("ball", size=size)).things[0]) for size in ("huge", "small"))
    assert big > 1.5 * small


def test_what_is_said_of_a_thing_once_holds_until_something_else_is_said():
    told = [
        Thing("ball", colour="red", size="big"),
        Thing("ball", held_by="A"),
        Thing("cup"),
        Thing("ball", colour="blue"),
    ]
    shots = recalled([Shot(things=(thing,)) for thing in (*told, Thing("ball"))])
    looks = [(shot.things[0].colour, shot.things[0].size) for shot in shots]
    assert looks == [("red", "big"), ("red", "big"), ("", ""), ("blue", "big"), ("blue", "big")]
    assert shots[1].things[0].held_by == "A" and recalled(shots) == shots


def test_colours_are_seen():
    red, blue = (panel(Thing("ball", colour=colour, held_by="A")) for colour in ("red", "blue"))
    assert red.things[0].box == blue.things[0].box
    means = [picture_of(one.things[0], 256).pixels[..., [0, 2]].mean((0, 1)) for one in (red, blue)]
    assert means[0][0] > means[0][1] and means[1][1] > means[1][0]


# --- pixels ---------------------------------------------------------------------------------------------------------


def test_a_thing_in_front_hides_exactly_its_own_pixels_and_one_behind_none():
    cut, role = drawing("A", 40), Role("A")
    staging = panel(Thing("barrel"), roles=(replace(role, action="hides", relation="behind", targets=("barrel",)),))
    shot, place = Shot(roles=(role,)), painting()
    alone = compose(replace(staging, things=()), shot, [cut], place, SIDE, SIDE).masks[0]
    hidden = compose(staging, shot, [cut], place, SIDE, SIDE).masks[0]
    (barrel,) = staging.things
    pixels = picture_of(barrel, SIDE).pixels
    x, y = round(barrel.box[0] * SIDE), round(barrel.box[3] * SIDE) - len(pixels)
    cover = np.zeros((SIDE, SIDE))
    part = cover[y : y + len(pixels), x : x + pixels.shape[1]]
    part[...] = pixels[: part.shape[0], : part.shape[1], 3] / 255
    assert (alone & ~hidden).sum() > 40
    inner, outer = cover > 0.95, cover > 0.02
    assert not (hidden & inner).any()
    grown = outer.copy()
    for axis in (0, 1):
        for step in (-1, 1):
            grown |= np.roll(outer, step, axis)
    assert np.array_equal(hidden & ~grown, alone & ~grown)
    behind = replace(staging, things=(replace(barrel, depth=0.1),))
    assert np.array_equal(compose(behind, shot, [cut], place, SIDE, SIDE).masks[0], alone)


@pytest.mark.parametrize("medium", ["watercolour", "ink", "paper", "crayon"])
def test_things_are_painted_in_every_medium_with_the_same_bits(medium):
    place = paint("village", "sunset", "clear", medium, 3)
    shot = Shot(place="village", roles=(Role("A"),), things=(Thing("ball", colour="red"), Thing("hat")))
    cut = drawing("A", 40)
    staging = stage(shot, [cut], place, SQUARE, 3)
    assert len(staging.things) == 2
    first, again = (compose(staging, shot, [cut], place, SIDE, SIDE) for _ in range(2))
    bare = compose(replace(staging, things=()), shot, [cut], place, SIDE, SIDE)
    assert first.image.tobytes() == again.image.tobytes() != bare.image.tobytes()
    assert first.masks.sum(0).max() == 1


@pytest.mark.parametrize("place", sorted(PLACES)[::5])
@pytest.mark.parametrize("size", SHAPES[3:])
def test_every_shape_of_frame_and_real_cut_outs(place, size):
    shot = Shot(place=place, roles=(Role("A", "holds"),), things=(Thing("umbrella", held_by="A"), Thing("dog")))
    cut = Cutout("A", asset("example/bruno.png"))
    staging = stage(shot, [cut], painting(place), size, 2)
    held = next(one for one in staging.things if one.concept == "umbrella")
    assert shared(held.box, staging.placed[0].box) > 0
    assert abs(staging.placed[0].angle) < 50 and FACE < 0.5
