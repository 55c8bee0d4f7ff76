"""Who does what in lines as authors write them: subjects, pronouns, participles, poses that last."""

import pytest

from anystory.sketch.read import read_story
from anystory.sketch.words import ACTIONS, listed, vocabulary
from anystory.story.model import CastMember, Panel, Script

CAST = {
    "en": {"Lena": "a girl with pigtails", "Max": "a brown dog", "Gran": "an old woman"},
    "zh": {"小宝": "一个小男孩", "阿花": "一只花猫", "爸爸": "戴眼镜的爸爸"},
    "es": {"Clara": "una niña de trenzas", "Rufo": "un perro grande", "Abuela": "una anciana"},
}


def roles(*lines, language="en"):
    cast = tuple(CastMember(name, description=text) for name, text in CAST[language].items())
    shots = read_story(Script(tuple(Panel(line, tuple(CAST[language])) for line in lines), cast))
    return {role.name: role for role in shots[-1].roles}


def done(*lines, language="en"):
    return {name: role.action for name, role in roles(*lines, language=language).items() if role.action != "stands"}


@pytest.mark.parametrize(
    ("line", "actions"),
    [
        ("Curled up in the armchair, Gran is knitting a scarf.", {"Gran": "sits"}),
        ("Kneeling on the sand she digs, and Max watches.", {"Max": "looks"}),
        ("Lena trudges uphill while Max bounds ahead.", {"Lena": "walks", "Max": "runs"}),
        ("Up she clambers.", {"Lena": "climbs"}),
        ("I woke up and Max yelped at me.", {"Max": "shouts"}),
        ("Lena and Gran share a cake.", {"Lena": "eats", "Gran": "eats"}),
        ("All three waltz around the tree.", {"Lena": "dances", "Max": "dances", "Gran": "dances"}),
        ("Lena dreams that she can fly.", {"Lena": "thinks"}),
        ("Lena is being chased by a swarm of bees.", {"Lena": "runs"}),
        ("Lena, left, kneeling by the fire. Max, right, dozing.", {"Lena": "kneels", "Max": "sleeps"}),
    ],
)
def test_english(line, actions):
    found = done(line)
    assert {name: found.get(name) for name in actions} == actions


@pytest.mark.parametrize(
    ("line", "actions"),
    [
        ("Sentada en el columpio, Clara se balancea.", {"Clara": "sits"}),
        ("Yo abracé a Rufo.", {"Clara": "hugs"}),
        ("Corrimos por la playa.", {"Clara": "runs", "Rufo": "runs", "Abuela": "runs"}),
        ("Clara le lanza la pelota a Rufo y él la atrapa.", {"Clara": "throws", "Rufo": "catches"}),
    ],
)
def test_spanish(line, actions):
    assert done(line, language="es") == actions


@pytest.mark.parametrize(
    ("line", "actions"),
    [
        ("小宝撒腿就跑，阿花在后面紧追不舍。", {"小宝": "runs", "阿花": "chases"}),
        ("小宝靠在爸爸身上睡着了。", {"小宝": "sleeps"}),
        ("爸爸牵着小宝的手散步。", {"小宝": "walks", "爸爸": "walks"}),
    ],
)
def test_chinese(line, actions):
    assert done(line, language="zh") == actions


def test_relations_to_others_and_to_it():
    assert roles("Lena perches on Gran's lap.")["Lena"].targets == ("Gran",)
    assert roles("Gran trudges on, Lena on her shoulders.")["Lena"].targets == ("Gran",)
    above = roles("There is a red boat on the lake. Max glides above it.")["Max"]
    assert (above.relation, above.targets) == ("above", ("boat",))
    behind = roles("Behind Lena stands Gran.")["Gran"]
    assert (behind.relation, behind.targets) == ("behind", ("Lena",))


def test_who_rests_goes_on_resting_until_something_else_is_said():
    assert done("Max sleeps on the rug.", "Gran cooks soup.") == {"Max": "sleeps", "Gran": "cooks"}
    assert done("Max sleeps on the rug.", "Max barks.") == {"Max": "shouts"}
    assert done("In the kitchen Max sleeps on the rug.", "At the beach Gran swims.") == {"Gran": "swims"}


def test_the_narrator_is_who_the_lines_do_not_name():
    assert done("Max and Gran sit down.", "I run.")["Lena"] == "runs"


def test_moods_that_are_said_count_more_than_those_that_verbs_betray():
    assert roles("Lena weeps for joy.")["Lena"].mood == "happy"
    assert roles("Lena weeps.")["Lena"].mood == "sad"


@pytest.mark.parametrize("language", ["en", "zh", "es"])
def test_a_phrase_means_one_action(language):
    known: dict[str, str] = {}
    for action in ACTIONS:
        for phrase in listed(vocabulary()["actions"][action][language])[-5:]:
            assert known.setdefault(phrase, action) == action


def test_what_is_gone_is_not_there():
    panel = Panel("Rosa cries, for her golden crown is gone", ("Rosa",))
    (shot,) = read_story(Script((panel,), (CastMember("Rosa", description="a princess"),)))
    assert "crown" not in [thing.concept for thing in shot.things]


def test_a_dark_forest_is_a_forest_in_the_dark():
    lines = ("Rosa sits in the kitchen", "Rosa searches in the dark forest", "Rosa works in the early morning garden")
    panels = tuple(Panel(line, ("Rosa",)) for line in lines)
    shots = read_story(Script(panels, (CastMember("Rosa", description="a princess"),)))
    assert [(shot.place, shot.time) for shot in shots[1:]] == [("forest", "night"), ("garden", "sunrise")]


@pytest.mark.parametrize(
    ("line", "actions"),
    [
        ("树后面爬出一只乌龟。", {}),
        ("石头后面跳出阿花。", {"阿花": "jumps"}),
        ("地毯上趴着阿花。", {"阿花": "lies"}),
        ("Clara y Rufo esperan. «Qué frío», se ríe la Abuela.", {"Abuela": "laughs"}),
    ],
)
def test_who_comes_after_the_verb_is_its_subject(line, actions):
    assert done(line, language="es" if "«" in line else "zh") == actions


@pytest.mark.parametrize(
    ("lines", "actions"),
    [
        (["小宝和阿花回到家。", "两个都睡着了。"], {"小宝": "sleeps", "阿花": "sleeps"}),
        (["三个一起跳起来。"], dict.fromkeys(("小宝", "阿花", "爸爸"), "jumps")),
        (["小宝的脚很疼，坐在地上。"], {"小宝": "sits"}),
        (["爸爸半夜背着小宝。"], {"爸爸": "carries", "小宝": "rides"}),
    ],
)
def test_numbers_and_limbs_stand_for_those_who_do_it_in_chinese(lines, actions):
    assert done(*lines, language="zh") == actions


def test_what_is_told_in_chinese_ends_with_somebody_else_after_a_comma():
    assert done("爸爸说该睡觉了，阿花躺下来。", language="zh") == {"爸爸": "talks", "阿花": "lies"}
