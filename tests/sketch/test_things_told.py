"""What things of a line do, wear, hold and belong to, from the line to the place in the picture."""

import numpy as np
import pytest

from anystory.sketch.bend import STRAIGHT
from anystory.sketch.compose import picture_of
from anystory.sketch.cutout import Cutout
from anystory.sketch.patch import fitted
from anystory.sketch.read import read_story
from anystory.sketch.recall import recalled
from anystory.sketch.scenery import PLACES, paint
from anystory.sketch.sketcher import sketch
from anystory.sketch.stagecraft.covers import means
from anystory.sketch.staging import stage
from anystory.story.model import CastMember, Panel, Script
from tests.sketch.panels import SQUARE, drawing

CAST = (
    CastMember("Mia", description="a girl"),
    CastMember("Bruno", description="a dog"),
    CastMember("Pip", description="a chick"),
    CastMember("Tom", description="a boy"),
)


def read(line):
    names = tuple(member.name for member in CAST if member.name in line)
    return read_story(Script((Panel(line, names),), CAST))[0]


def thing(shot, concept):
    return next(one for one in shot.things if one.concept == concept)


def staged(line, seed=1):
    shot = read(line)
    place = PLACES[shot.place]
    painting = paint(shot.place, shot.time or place.times[0], shot.weather, "flat", seed)
    staging = stage(shot, [drawing(role.name) for role in shot.roles], painting, SQUARE, seed)
    return {one.concept: one for one in staging.things}, {one.name: one for one in staging.placed}, staging


@pytest.mark.parametrize(
    ("line", "concept", "action", "toward"),
    [
        ("Three birds fly over Mia", "bird", "flies", ""),
        ("A pirate chases Tom", "pirate", "chases", "Tom"),
        ("The queen sleeps while Tom waits", "queen", "sleeps", ""),
        ("天上飘着三只风筝，Tom笑了", "kite", "floats", ""),
        ("Tom sees a flying fish", "fish", "flies", ""),
    ],
)
def test_things_have_doings(line, concept, action, toward):
    found = thing(read(line), concept)
    assert (found.action, found.toward) == (action, toward)


def test_how_many_there_are_is_heard_before_what_they_do():
    assert thing(read("Tom shouts at the two fighting cats"), "cat").count == 2


def test_who_only_owns_something_is_not_there():
    assert [one.concept for one in read("Tom wears his grandfather's black hat").things] == ["hat"]


@pytest.mark.parametrize("line", ["Mia gives Tom a basket full of cherries", "Tom finds a basket of cherries"])
def test_what_something_is_full_of_is_in_it(line):
    things, _, _ = staged(line)
    (x0, y0, x1, y1), fruit = things["basket"].box, things["cherry"].box
    assert x0 <= fruit[0] and fruit[2] <= x1 and y0 - 0.05 < fruit[3] < y1
    assert things["cherry"].depth > things["basket"].depth


def test_who_is_given_something_is_held_by_nobody():
    shot = read("Pip gives the hedgehog a red apple")
    assert thing(shot, "hedgehog").held_by == "" and thing(shot, "apple").held_by == "Pip"
    assert shot.roles[0].toward == "hedgehog"


def test_what_an_extra_hands_over_is_in_their_hand():
    things, _, _ = staged("A tall baker hands Pip a loaf of bread")
    assert things["bread"].held_by == "baker"


@pytest.mark.parametrize("line", ["Three birds fly past Mia", "A bird flies over Tom", "Mia's balloon floats away"])
def test_what_flies_is_in_the_air(line):
    _, cast, staging = staged(line)
    (flier,) = staging.things
    feet = next(iter(cast.values())).box[3]
    assert flier.contact is None and flier.box[3] < feet - 0.1


def test_what_is_painted_has_its_colour():
    assert thing(read("Mia paints the fence yellow"), "fence").colour == "yellow"


@pytest.mark.parametrize(
    ("line", "concept", "wearer"),
    [
        ("Tom wears a black hat", "hat", "Tom"),
        ("Pip wears a yellow raincoat", "raincoat", "Pip"),
        ("Bruno wears a medal around his neck", "medal", "Bruno"),
        ("Mia lleva un vestido verde", "dress", "Mia"),
        ("Mia laughs because Bruno wears a red hat", "hat", "Bruno"),
        ("Bruno戴着帽子，Mia笑了", "hat", "Bruno"),
        ("Tom wraps Bruno in a blanket", "blanket", "Bruno"),
        ("A bear with a scarf blocks the path in front of Mia", "scarf", "bear"),
    ],
)
def test_what_is_worn_is_on_its_wearer(line, concept, wearer):
    things, cast, _ = staged(line)
    assert things[concept].held_by == wearer
    a, b = things[concept].box, (cast.get(wearer) or things[wearer]).box
    middle = (a[0] + a[2]) / 2
    assert b[0] < middle < b[2] and a[3] <= b[3] + 0.02


def test_an_animal_on_all_fours_carries_in_its_mouth():
    shot = read("Bruno carries a stick through the forest")
    pixels = np.zeros((60, 120, 4), np.uint8)
    pixels[20:60, 20:110] = 255
    pixels[:30, 5:30] = 255
    dog = drawing("Bruno").__class__("Bruno", pixels, facing="left")
    staging = stage(shot, [dog], paint("forest", "day", "clear", "flat", 1), SQUARE, 1)
    body, stick = staging.placed[0], staging.things[0]
    looks = -1 if body.facing == "left" else 1
    assert looks * ((stick.box[0] + stick.box[2]) / 2 - (body.box[0] + body.box[2]) / 2) > 0.25 * (
        body.box[2] - body.box[0]
    )


def test_who_is_pulled_is_on_the_sledge_and_not_who_pulls():
    things, cast, _ = staged("Mia pulls Tom on a sledge through the snow")
    sled = things["sled"].box
    inside = {name: sled[0] < (one.box[0] + one.box[2]) / 2 < sled[2] for name, one in cast.items()}
    assert inside == {"Mia": False, "Tom": True}


def test_who_is_carried_over_the_sea_is_in_the_boat_and_shows_no_legs_below_it():
    things, cast, _ = staged("A boat carries Mia and Pip over the sea")
    boat = things["boat"]
    for one in cast.values():
        assert boat.box[0] < (one.box[0] + one.box[2]) / 2 < boat.box[2]
        assert one.box[3] <= boat.box[1] + 0.76 * (boat.box[3] - boat.box[1])


def test_a_knight_rides_a_snail():
    things, _, _ = staged("A tiny knight rides a snail past Pip")
    knight, snail = things["knight"].box, things["snail"].box
    assert snail[0] < (knight[0] + knight[2]) / 2 < snail[2] and knight[1] < snail[1]


def test_who_looks_over_a_wall_is_behind_it_and_not_in_the_sky():
    things, _, _ = staged("Four sheep stare at Mia over the stone wall")
    assert things["sheep"].depth < things["wall"].depth
    assert things["wall"].box[1] - 0.5 < things["sheep"].box[1] < things["wall"].box[1] < things["sheep"].box[3]


def test_apples_above_a_table_lie_on_it():
    things, _, _ = staged("Sobre la mesa había cuatro manzanas, y Bruno las miraba")
    assert things["apple"].contact is not None and things["apple"].box[3] < things["table"].box[3]


def test_a_dragon_is_larger_than_a_dog():
    things, cast, _ = staged("An enormous dragon sleeps in the cave, and Bruno sneaks past")
    dragon, dog = things["dragon"].box, cast["Bruno"].box
    assert (dragon[3] - dragon[1]) * (dragon[2] - dragon[0]) > 1.6 * (dog[3] - dog[1]) * (dog[2] - dog[0])


@pytest.mark.parametrize(
    ("place", "line"),
    [("classroom", "Mia draws on the blackboard"), ("room", "Mia looks out of the window at home")],
)
def test_what_a_place_shows_is_not_drawn_again(place, line):
    shot = read(line)
    assert shot.place == place
    for seed in range(4):
        painting = paint(place, shot.time or PLACES[place].times[0], shot.weather, "flat", seed)
        staging = stage(shot, [drawing("Mia")], painting, SQUARE, seed)
        assert [one.drawing for one in staging.things] == [None]
        (x0, y0, x1, y1) = staging.things[0].box
        assert 0 <= x0 < x1 <= 1 and 0 <= y0 < y1 <= 1


def test_a_place_gives_way_to_the_bed_of_a_line():
    """The bedroom has no second bed where somebody lies on the one that is told of, and is the same otherwise."""
    shot = read("Tom sleeps on the bed in his bedroom")
    made = sketch(shot, [drawing("Tom")], width=128, height=128, seed=3, story_seed=3)
    assert [one.concept for one in made.staging.things if one.drawing] == ["bed"]
    painting = paint("bedroom", shot.time, shot.weather, shot.medium, 3)
    assert any(means("bed", name) for name in painting.motifs)
    bare = painting.without(["bed"])
    kept = [mark for sheet in painting.sheets for mark in sheet.marks if not any(n == "bed" for n, _ in mark.shows)]
    assert [mark for sheet in bare.sheets for mark in sheet.marks] == kept
    assert painting.without([]) is painting


@pytest.mark.parametrize(
    "line",
    [
        "A dog sleeps in the park while Mia waits",
        "A cat sits in the meadow and Mia waves",
        "Two dogs run through the park after Mia",
        "A girl dances with Tom on the beach",
    ],
)
def test_an_extra_that_is_bent_fills_the_box_it_is_given(line):
    _, _, staging = staged(line)
    extras = [one for one in staging.things if one.drawing is not None and one.drawing.living]
    assert extras and all(one.bend != STRAIGHT for one in extras)
    for one in extras:
        fit = fitted(picture_of(one, 512), one, 512, 512)
        room = tuple(512 * (one.box[axis + 2] - one.box[axis]) for axis in (0, 1))
        assert fit.size == pytest.approx(room, rel=0.06) and fit.scale == pytest.approx(1, rel=0.15)


def dog():
    """An animal on all fours that looks to the left, its tail higher than its head."""
    pixels = np.zeros((100, 150, 4), np.uint8)
    for rows, columns in (((20, 50), (0, 40)), ((45, 75), (20, 140)), ((75, 100), (30, 45)), ((75, 100), (115, 130))):
        pixels[slice(*rows), slice(*columns)] = (200, 150, 60, 255)
    pixels[0:50, 130:140] = (200, 150, 60, 255)
    return Cutout("Bruno", pixels, facing="left")


@pytest.mark.parametrize("other", ["left", "right"])
def test_an_animals_hat_is_on_its_head_and_not_between_it_and_the_tail(other):
    shot = read(f"Mia is on the {other}, and Bruno wears a hat")
    staging = stage(shot, [drawing("Mia"), dog()], paint("meadow", "day", "clear", "flat", 1), SQUARE, 1)
    (hat,), (_, wearer) = staging.things, staging.placed
    x = ((hat.box[0] + hat.box[2]) / 2 - wearer.box[0]) / (wearer.box[2] - wearer.box[0])
    assert wearer.facing == other and (x if other == "left" else 1 - x) < 0.4
    assert hat.box[3] > wearer.box[1] + 0.15 * (wearer.box[3] - wearer.box[1])


def test_everybody_who_is_in_a_boat_is_seen():
    shot = read("Bruno and Pip sailed a paper boat on the pond")
    cutouts = [dog() if role.name == "Bruno" else drawing(role.name, 60) for role in shot.roles]
    made = sketch(shot, cutouts, width=192, height=192, seed=1, story_seed=1)
    for placed, mask in zip(made.staging.placed, made.masks, strict=True):
        (x0, y0, x1, y1) = placed.box
        assert mask.sum() > 0.25 * (x1 - x0) * (y1 - y0) * mask.size, placed.name


@pytest.mark.parametrize(
    "line", ["Mia picks three flowers and puts them into a vase", "Mia picks an apple and puts it into a basket"]
)
def test_what_is_put_into_something_small_is_in_it_and_not_who_puts_it_there(line):
    things, cast, _ = staged(line)
    (content, vessel) = things.values()
    assert content.held_by == "" and vessel.box[0] <= (content.box[0] + content.box[2]) / 2 <= vessel.box[2]
    assert cast["Mia"].contact is not None and cast["Mia"].box[3] > 0.8


def test_what_somebody_has_beside_what_they_are_on_is_in_their_hand():
    things, _, _ = staged("Mia sits on a cushion with a book")
    assert things["book"].held_by == "Mia"
    things, _, _ = staged("Mia carries three apples in a basket")
    assert things["basket"].held_by == "Mia" and things["apple"].box[0] > things["basket"].box[0]


def test_an_animal_that_is_with_an_extra_is_there():
    things, _, _ = staged("A pirate with a parrot shows Mia a map")
    assert {"pirate", "parrot", "map"} <= things.keys()


@pytest.mark.parametrize(
    "lines",
    [
        ("Mia holds a red ball", "Mia sleeps", "The ball lies under a tree", "Mia gives the ball to Tom"),
        ("Mia拿着一个红色的球", "Mia睡觉", "球在树下", "Mia把球给Tom"),
        ("Mia tiene una pelota roja", "Mia duerme", "La pelota está debajo de un árbol", "Mia da la pelota a Tom"),
    ],
)
def test_a_thing_is_the_same_in_every_panel_in_every_language(lines):
    panels = tuple(Panel(line, tuple(one.name for one in CAST if one.name in line)) for line in lines)
    shots = recalled(read_story(Script(panels, CAST)))
    found = [[one.colour for one in shot.things if one.concept == "ball"] for shot in shots]
    assert found == [["red"], [], ["red"], ["red"]]
    looks = set()
    for shot in (shots[0], shots[2], shots[3]):
        cutouts = [drawing(role.name) for role in shot.roles]
        things = stage(shot, cutouts, paint("meadow", "day", "clear", "flat", 1), SQUARE, 1).things
        looks |= {(one.drawing.concept, one.colour) for one in things if one.concept == "ball"}
    assert looks == {("ball", "red")}


@pytest.mark.parametrize("line", ["Mia puts a rose in a vase in the garden", "A vase with tulips stood beside Pip"])
def test_flowers_look_out_of_their_vase(line):
    things, _, _ = staged(line)
    vase, flowers = things.pop("vase").box, things.popitem()[1].box
    assert flowers[1] < vase[1] < flowers[3] < vase[3] and flowers[0] < (vase[0] + vase[2]) / 2 < flowers[2]


@pytest.mark.parametrize(
    ("line", "concept", "relation", "targets"),
    [
        ("Tom sat on the stairs with his robot", "robot", "", ()),
        ("A bear with his scarf blocked the path", "scarf", "of", ("bear",)),
        ("Mia llevaba una cesta llena de naranjas", "orange", "in", ("basket",)),
        ("Pip looked at a plate of biscuits from behind a teapot", "cookie", "on", ("plate",)),
    ],
)
def test_what_a_thing_belongs_to(line, concept, relation, targets):
    one = thing(read(line), concept)
    assert (one.relation, one.targets) == (relation, targets)


def test_who_looks_from_behind_something_is_behind_it():
    (role,) = read("Pip looked at a plate of biscuits from behind a teapot").roles
    assert (role.action, role.relation, role.targets) == ("peeks", "behind", ("teapot",))


def test_a_mood_is_of_the_being_it_stands_before():
    assert read("Pip gave the lonely hedgehog an apple").roles[0].mood == ""
    assert read("Pip拥抱孤独的刺猬").roles[0].mood == ""
    assert read("Pip sadly gave the hedgehog an apple").roles[0].mood == "sad"


def test_what_floats_in_the_sky_takes_nobody_there():
    shot = read("天上飘着三只风筝，Tom数了一遍又一遍。")
    assert shot.place != "sky" and shot.roles[0].action == "stands"


def test_stars_that_are_counted_are_in_the_sky_and_a_star_can_be_held():
    *_, staging = staged("Tom counted ten bright stars above the dark forest")
    (stars,) = staging.things
    assert not stars.held_by and stars.box[3] < 0.45
    *_, staging = staged("Mia holds a star")
    assert [one.held_by for one in staging.things] == ["Mia"]


@pytest.mark.parametrize("seed", range(4))
def test_two_under_one_umbrella_are_both_under_it(seed):
    *_, staging = staged("Mia and Tom stand under a big red umbrella", seed)
    (umbrella,) = staging.things
    for one in staging.placed:
        middle = (one.box[0] + one.box[2]) / 2
        assert umbrella.box[0] < middle < umbrella.box[2]
    assert umbrella.box[1] < min(one.box[1] for one in staging.placed)


def test_nobody_sleeps_in_a_place_without_rain_when_it_rains():
    shot = read("Pip slept under a mushroom while the rain fell")
    assert shot.weather == "rain" and shot.place != "mushroom forest"
    assert read("Pip slept under a mushroom").place == "mushroom forest"


def test_a_far_island_is_where_a_boat_goes():
    shot = read("Mia和Tom坐着一条大木船，驶向远方的小岛。")
    assert shot.place in ("sea", "lake") and thing(shot, "island").distance == "far"
    assert all(role.distance == "" for role in shot.roles)
