"""Places told by what one does there, by a later panel, and by where the cast belongs."""

import pytest

from anystory.sketch.language.forms import spanish_verb
from anystory.sketch.read import read_story
from anystory.sketch.words import signs
from anystory.story.model import CastMember, Panel, Script


def shots(*lines, **cast):
    """The shots of a story with `cast`, {name: description}, in every panel."""
    members = tuple(CastMember(name, description=text) for name, text in (cast or {"Mia": "a girl"}).items())
    names = tuple(member.name for member in members)
    return read_story(Script(tuple(Panel(line, names) for line in lines), members))


@pytest.mark.parametrize(
    ("lines", "place"),
    [
        (["Mia sits in the living room.", "She waters the thirsty red flowers."], "garden"),
        (["Mia plays in the meadow.", "She washes all the dirty plates."], "kitchen"),
        (["Mia plays in the meadow.", "She wants to build a snowman."], "meadow"),
        (["Mia sits in the living room.", "She is riding her new bike."], "street"),
        (["Mia está en el prado.", "Se cepilla los dientes."], "bathroom"),
        (["Mia está en la sala de estar.", "Riega las flores azules."], "garden"),
        (["米娅在草地上玩。", "米娅洗了很多盘子。"], "kitchen"),
    ],
)
def test_what_one_does_tells_where(lines, place):
    cast = {"米娅": "小女孩"} if "米娅" in lines[0] else {"Mia": "a girl"}
    assert shots(*lines, **cast)[-1].place == place


def test_a_later_panel_tells_where_a_story_began_unless_somebody_goes_there():
    told = shots("Mia counts to ten.", "She sits at the blackboard.")
    assert [shot.place for shot in told] == ["classroom", "classroom"]
    gone = shots("Mia counts to ten.", "She walks into the classroom.")
    assert [shot.place for shot in gone] == ["meadow", "classroom"]


def test_the_ship_is_the_one_of_which_was_told():
    lines = ("Zara sleeps in the spaceship.", "She explores a cave.", "She carries a crystal to the ship.")
    assert [shot.place for shot in shots(*lines, Zara="a girl")] == ["spaceship", "cave", "spaceship"]


def test_a_crater_is_the_moons_for_an_astronaut():
    assert shots("Nico da saltos entre los cráteres.", Nico="un niño astronauta")[0].place == "space"


@pytest.mark.parametrize(
    "line",
    [
        "Mia said she would rather live on an island.",
        "Mia asks if they may swim in the lake.",
        "Mia told us about the night she got lost in the jungle.",
        "Mia remembers the hut she built, and how it slid into the river.",
        "The city slept.",
        "Mia pregunta si pueden subir al castillo.",
        "Mia dice que en la selva hay tigres.",
        "Mia le contó cómo cruzó el desierto.",
    ],
)
def test_what_is_told_asked_or_remembered_is_not_where_they_are(line):
    assert shots("Mia sits in the kitchen.", line)[-1].place == "kitchen"


@pytest.mark.parametrize("line", ["米娅梦见自己飞过了大海。", "米娅说城堡里有一条龙。", "米娅想起海边，还有那座灯塔。"])
def test_what_is_told_or_dreamt_in_chinese_is_not_where_they_are(line):
    assert shots("米娅坐在厨房里。", line, 米娅="小女孩")[-1].place == "kitchen"


@pytest.mark.parametrize(
    ("line", "place"),
    [
        ("Mia dreams of the sea and walks into the garden.", "garden"),
        ("Mia dreams of the sea, but she is in the garden.", "garden"),
        ("Mia says that it is late. She runs to the beach.", "beach"),
        ("Mia writes how she feels, then she walks into the garden.", "garden"),
    ],
)
def test_what_is_told_ends(line, place):
    assert shots("Mia sits in the kitchen.", line)[-1].place == place


def test_what_is_seen_moves_a_story_from_a_place_that_was_named_only_for_good_reasons():
    assert shots("Mia walks through the forest.", "An anchor hung from a branch.")[-1].place == "forest"
    told = ["Mia sits in the kitchen.", "She goes to the park.", "Mia stirs the soup on the stove."]
    assert shots(*told)[-1].place == "kitchen"  # where they have been
    assert shots("Mia waits.", "She reads the blackboard.")[-1].place == "classroom"  # nothing was named


def test_the_roof_of_a_car_is_no_rooftop():
    assert shots("Mia waits in the street.", "She ties the kite onto the roof of the car.")[-1].place == "street"


def test_a_noun_and_its_verb_are_no_compound():
    (shot,) = shots("Mia laughs so hard that her sandwich falls in a puddle.")
    assert shot.place != "waterfall"
    assert {role.name: role.action for role in shots("Mia laughs until her hat falls off.")[0].roles} == {
        "Mia": "laughs"
    }


def test_who_kicks_what_is_not_told_kicks_a_ball():
    assert [thing.concept for thing in shots("Mia kicks with all her might.")[0].things] == ["ball"]
    assert [thing.concept for thing in shots("Mia kicks the door.")[0].things] == ["door"]


@pytest.mark.parametrize(
    ("verb", "form"), [("morder", "muerde"), ("aullar", "aúlla"), ("esquiar", "esquía"), ("reñir", "riñó")]
)
def test_spanish_stems_change(verb, form):
    assert form in spanish_verb(verb)


def test_what_is_done_is_spelled_out():
    doing = [sign for sign in signs() if sign.doing]
    assert doing
    assert not any("/" in phrase for sign in doing for several in sign.words.values() for phrase in several)


@pytest.mark.parametrize(
    ("line", "place"),
    [
        ("Cuentan que en la playa vivía una niña, Mia", "beach"),
        ("Dicen que en la playa vivía una niña, Mia", "beach"),
        ("Mia cuenta que en la playa vivía una niña", "kitchen"),
    ],
)
def test_a_story_that_is_handed_down_is_there(line, place):
    shots = read_story(Script((Panel("Mia está en la cocina", ("Mia",)), Panel(line, ("Mia",))), (CastMember("Mia"),)))
    assert shots[-1].place == place


@pytest.mark.parametrize(
    "line",
    [
        "Mia throws the ball up in the air.",
        "Mia eats a lollipop.",
        "Mia lights a candle.",
        "A storm is coming.",
        "Mia sees a rainbow.",
        "Mia ve una araña.",
        "El viento sopla y Mia tiene frío.",
        "Mia peina su larga cabellera.",
        "米娅吃巧克力。",
        "米娅看见一只老鼠。",
        "米娅吃水果。",
        "米娅一起跑过来。",
    ],
)
def test_what_is_met_anywhere_tells_no_place(line):
    who = "米娅" if "米娅" in line else "Mia"
    assert shots(line, **{who: "a girl"})[0].place == "meadow"


@pytest.mark.parametrize(
    ("lines", "place"),
    [
        (["Mia walks in the park.", "Mia climbs into the bathtub."], "bathroom"),
        (["Mia walks in the forest.", "Mia sits down at her desk."], "room"),
        (["Mia pasea por el bosque.", "Mia se esconde debajo del escritorio."], "room"),
        (["米娅在公园散步。", "米娅爬进浴缸。"], "bathroom"),
        (["米娅在公园散步。", "米娅躲进衣柜里。"], "bedroom"),
        (["Mia walks in the park.", "Mia sits on the picnic blanket."], "park"),
        (["Mia walks in the park.", "Mia sits on the bench."], "park"),
        (["Mia walks in the park.", "Mia carries the desk."], "park"),
        (["Mia walks in the park.", "Mia thinks of her bed."], "park"),
        (["Mia flies through the sky.", "Mia lies on the flying bed."], "sky"),
        (["Mia is in the classroom.", "Mia sits down at her desk."], "classroom"),
        (["Mia walks in the forest.", "Mia sleeps on a bed of moss."], "forest"),
        (["Mia walks in the park.", "Mia dances under a shower of petals."], "park"),
        (["Mia walks in the park.", "Mia lies in the bed of her sister."], "bedroom"),
        (["Mia walks in the park.", "Mia looks at the sofa."], "park"),
    ],
)
def test_who_uses_furniture_has_come_in(lines, place):
    who = "米娅" if "米娅" in lines[0] else "Mia"
    assert shots(*lines, **{who: "a girl"})[-1].place == place


@pytest.mark.parametrize(
    "line", ["Mia plays in the park.", "Mia cavorts in the park.", "Mia squats by the lake in the park."]
)
def test_a_verb_leaves_its_preposition_to_the_place_after_it(line):
    assert shots("Mia sits in the kitchen.", line)[-1].place in ("park", "lake")


@pytest.mark.parametrize(
    "line",
    [
        "She had been at the beach the day before.",
        "When Mia was a little girl, she lived by the sea.",
        "Grandpa used to live in a lighthouse.",
        "Había estado en la playa.",
        "Cuando era pequeña vivía en un castillo.",
        "小时候她住在海边。",
        "She lived by the sea as a child.",
        "She lived by the sea when she was little.",
        "In the summer she used to swim in the lake.",
        "De niña, Mia vivía en un castillo.",
        "Mia había pasado el verano en la playa.",
        "小時候她住在海邊。",
        "她曾经去过沙漠。",
    ],
)
def test_what_was_before_the_story_is_not_where_they_are(line):
    chinese = not line.isascii() and line.endswith("。")
    who, begins = ("米娅", "米娅坐在公园里。") if chinese else ("Mia", "Mia sits in the park.")
    assert shots(begins, line, **{who: "a girl"})[-1].place == "park"


@pytest.mark.parametrize(
    ("line", "place"),
    [
        ("Mia, used to the dark, walks into the cave.", "cave"),
        ("She used to live in a castle, but now she walks into the kitchen.", "kitchen"),
        ("睡觉以前，米娅去厨房。", "kitchen"),
        ("以前她住在海边，现在她走进厨房。", "kitchen"),
        ("Mia goes to the lake where she used to swim.", "lake"),
        ("Mia returns to the beach.", "beach"),
        ("Mia visits the castle she used to live in.", "castle"),
        ("Mia walks to the lake. She used to swim there as a child.", "lake"),
        ("Mia returns to the beach where she played when she was little.", "beach"),
        ("Mia, who had been in the kitchen, runs into the forest.", "forest"),
        ("Mia hides in the forest as a boy walks by.", "forest"),
        ("Mia walks into the cave, dressed as a boy.", "cave"),
        ("Mia used to be afraid of the dark, but she walks into the cave.", "cave"),
        ("After they had been to the beach, they went to the castle.", "castle"),
        ("Un grupo de niños juega en el castillo.", "palace"),
        ("Mia vuelve a la playa donde jugaba cuando era pequeña.", "beach"),
        ("Habían pasado tres días cuando llegaron al castillo.", "castle"),
        ("米娅回到小时候住的城堡，笑了。", "castle"),
        ("就在那时候，米娅走进了厨房。", "kitchen"),
        ("以前她住在海邊，現在她走進廚房。", "kitchen"),
        ("米娅曾经怕黑，但是她走进了山洞。", "cave"),
    ],
)
def test_what_is_now_is_where_they_are(line, place):
    who, begins = ("米娅", "米娅坐在公园里。") if "，" in line else ("Mia", "Mia sits in the park.")
    assert shots(begins, line, **{who: "a girl"})[-1].place == place


def test_a_story_may_begin_with_what_was_before():
    assert shots("When she was little, Mia lived in a castle.")[0].place == "palace"
