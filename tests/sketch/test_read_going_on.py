"""What goes on from panel to panel, and who does what where a line says it aslant."""

import pytest

from anystory.sketch.read import read_story
from anystory.story.model import CastMember, Panel, Script

CAST = (
    CastMember("Mia", description="a little girl"),
    CastMember("Tom", description="a boy"),
    CastMember("Bruno", description="a big brown bear"),
)


def shots(*lines):
    """The shots of panels in which everybody is whom any of the lines names."""
    there = tuple(member.name for member in CAST if any(member.name in line for line in lines))
    return read_story(Script(tuple(Panel(line, there) for line in lines), CAST))


@pytest.mark.parametrize(
    ("lines", "name", "action"),
    [
        (["Mia sits on a bench", "Mia opens her book and reads", "Tom waves"], "Mia", "sits"),
        (["Mia sits on a bench", "Mia runs to the tree", "Tom waves"], "Mia", "stands"),
        (["Mia sleeps", "Tom walks past Mia"], "Mia", "sleeps"),
        (["Mia begs Tom to sing"], "Tom", "listens"),
        (["Before Mia reaches the door, Tom falls asleep"], "Mia", "stands"),
        (["Mia opens the box, and out jump two frogs"], "Mia", "opens"),
        (["Mia laughs but says nothing"], "Mia", "laughs"),
        (["Mia finds Tom at the station, sitting on a bench"], "Tom", "sits"),
        (["Mia slides a letter across the table"], "Mia", "pushes"),
        (["Tom gives Mia an apple"], "Mia", "takes"),
        (["Mia is among the stars in space"], "Mia", "floats"),
        (["Mia is in her bed"], "Mia", "lies"),
        (["Tom lleva a Mia a casa", "Mia mira a Tom y lo abraza"], "Mia", "hugs"),
        (["Mia se echa a reír"], "Mia", "laughs"),
        (["Mia se despide sin llorar"], "Mia", "waves"),
        (["Mia拉Tom起来"], "Mia", "pulls"),
        (["回到家里，Mia睡着了，Tom在看书"], "Tom", "reads"),
        (["Mia一溜烟跑远了"], "Mia", "runs"),
        (["Mia不小心摔倒了"], "Mia", "falls"),
    ],
)
def test_kinds_of_doing(lines, name, action):
    assert {role.name: role.action for role in shots(*lines)[-1].roles}[name] == action


@pytest.mark.parametrize(
    ("lines", "place"),
    [
        (["Mia feeds the pigs on the farm", "Tom runs across the yard"], "farm"),
        (["Mia is in the classroom", "Mia and Tom run across the yard"], "playground"),
        (["Mia sits by the lake", "Tom waves from the shore"], "lake"),
        (["Mia builds a sandcastle on the beach", "Mia digs while Tom swims in the sea"], "beach"),
        (["Mia floats past the window of the spaceship"], "spaceship"),
        (["Mia is at the market", "Mia finds Tom at the station, sitting on a bench"], "station"),
        (["Mia is in the kitchen", "Mia walks out into the rainy street"], "street"),
        (["Mia orders soup"], "cafe"),
        (["Mia haggles over the melons"], "market"),
        (["Mia过马路"], "street"),
        (["Mia espera el autobús"], "street"),
    ],
)
def test_kinds_of_places(lines, place):
    assert shots(*lines)[-1].place == place


def test_what_is_gone_or_grown_on_somebody_is_no_thing():
    assert [thing.concept for thing in shots("Mia weeps, for her crown was stolen")[0].things] == []
    assert [thing.concept for thing in shots("Bruno puffs out his feathers")[0].things] == []


def test_a_colour_before_a_chinese_noun_is_the_colour_of_the_thing():
    (thing,) = shots("Mia指着一只红灯笼")[0].things
    assert (thing.concept, thing.colour) == ("lantern", "red")
