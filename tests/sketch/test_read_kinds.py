"""Kinds of lines that were once misread: what is named beats what is seen, deadlines, pronouns, rare doings."""

import pytest

from anystory.sketch.read import read_story
from anystory.story.model import CastMember, Panel, Script

CAST = (
    CastMember("Mia", description="a little girl"),
    CastMember("Tom", description="a boy"),
    CastMember("小美", description="一个小女孩"),
)


def shots(*lines, members=("Mia", "Tom", "小美")):
    """The shots of a story, each line with all of the cast that it may mean."""
    chinese = any("\u4e00" <= letter <= "\u9fff" for letter in "".join(lines))
    members = ("小美",) if chinese else tuple(name for name in members if name != "小美")
    return read_story(Script(tuple(Panel(line, members) for line in lines), CAST))


def last(*lines, members=("Mia", "Tom", "小美")):
    return shots(*lines, members=members)[-1]


@pytest.mark.parametrize(
    ("lines", "place"),
    [
        (["Mia runs through the living room with her pillow"], "room"),
        (["Mia is in the living room", "She hugs a pillow and a blanket"], "room"),
        (["Mia walks by the sea", "She sits by the fire in the kitchen"], "kitchen"),
        (["In the park, Mia and Tom lay two jackets for goalposts"], "park"),
        (["Mia writes a formula on the lab blackboard"], "laboratory"),
        (["Mia walks on the beach", "She finds an old cannon in the bushes"], "beach"),
        (["Mia sits in the garden", "Tom holds a toothbrush"], "garden"),
        (["Mia pasea por el parque", "Lleva una almohada y una manta"], "park"),
        (["小美在公园里", "她抱着枕头跑"], "park"),
        (["Mia walks in the forest", "There is no blackboard here"], "forest"),
        (["Mia walks in the forest", "Tom is late: the teacher is at the blackboard"], "classroom"),
        (["At home, Mia stirs the dough"], "kitchen"),
        (["Mia hugs her pillow"], "bedroom"),
    ],
)
def test_what_can_be_carried_moves_a_story_nowhere_and_what_is_named_stays(lines, place):
    assert last(*lines).place == place


@pytest.mark.parametrize(
    ("lines", "place"),
    [
        (["The parcel must reach the camp by Monday; Mia and Tom set out across the snow"], "snow"),
        (["Mia and Tom walk to the camp across the snow"], "camp"),
        (["Mia sails on the sea", "Down she dives, through a crowd of fish"], "underwater"),
        (["Mia stands by the lake", "She swims down into the dark"], "underwater"),
        (["Mia stands by the lake", "She swims to the boat"], "lake"),
        (["Mia walks in the forest", "The mushrooms are taller than towers"], "mushroom forest"),
        (["Mia sits under the reddest mushroom"], "mushroom forest"),
        (["Mia walks in the forest", "She picks a mushroom"], "forest"),
        (["Mia flies her rocket through space", "Red sand on every side"], "desert"),
        (["In the belly of the ship, Captain Mia watches three planets"], "spaceship"),
        (["Mia runs over the stubble"], "field"),
        (["Mia entra en su tienda"], "shop"),
        (["Mia acampa en el bosque", "Tom duerme en su tienda"], "camp"),
    ],
)
def test_places_of_deadlines_depths_wonders_and_words_of_two_meanings(lines, place):
    assert last(*lines).place == place


@pytest.mark.parametrize(
    ("lines", "members", "actions"),
    [
        (["Mia walks in the park", "Sings all the way"], ("Mia", "Tom"), ["sings", "listens"]),
        (["Mia le da la mano a Tom", "Salta por encima del muro"], ("Mia", "Tom"), ["jumps", "stands"]),
        (["Mia y Tom llegan al parque", "Todo tiembla. Corren ladera abajo"], ("Mia", "Tom"), ["runs", "runs"]),
        (["Mia y Tom llegan al parque", "Saltan por encima del muro"], ("Mia", "Tom"), ["jumps", "jumps"]),
        (["Mia corre por el parque", "«Qué calor», se ríe Tom"], ("Mia", "Tom"), ["stands", "laughs"]),
        (["At last he sleeps"], ("Mia",), ["sleeps"]),
        (["They laugh"], ("Mia",), ["laughs"]),
        (["She and he dance"], ("Mia", "Tom"), ["dances", "dances"]),
        (["Only her nose peeks out"], ("Mia", "Tom"), ["peeks", "stands"]),
        (["The wind howls. She shivers, hugs the dog and waits"], ("Mia", "Tom"), ["hugs", "stands"]),
        (["她的手在挖沙子"], (), ["digs"]),
    ],
)
def test_pronouns_and_verbs_without_a_subject_are_of_who_fits(lines, members, actions):
    assert [role.action for role in last(*lines, members=members).roles] == actions


def test_it_is_the_only_animal():
    cast = (CastMember("Rex", description="a brown dog"), CastMember("Mia", description="a girl"))
    roles = read_story(Script((Panel("It sleeps", ("Rex", "Mia")),), cast))[0].roles
    assert [role.action for role in roles] == ["sleeps", "stands"]


@pytest.mark.parametrize(
    ("line", "action"),
    [
        ("Mia practises her flute", "plays"),
        ("Mia blows a horn", "plays"),
        ("They share a quilt", "sits"),
        ("Mia clings to the mast", "holds"),
        ("Mia hangs on to the rope", "holds"),
        ("Mia pulls a lever", "pulls"),
        ("“Wait!” she calls", "shouts"),
        ("Mia gets up on a stool and takes down a jar", "takes"),
        ("Mia takes a frog to school", "carries"),
    ],
)
def test_rare_doings(line, action):
    assert last(line).roles[0].action == action


@pytest.mark.parametrize(
    ("line", "seen", "unseen"),
    [
        ("Mia rows across the lake", "boat", ""),
        ("Ana se columpia en el parque", "swing", ""),
        ("Mia fiddles under a bridge", "violin", ""),
        ("Tom takes a bow", "", "bow"),
    ],
)
def test_things_that_a_verb_brings_along_or_only_sounds_like(line, seen, unseen):
    concepts = {thing.concept for thing in last(line).things}
    assert (not seen or seen in concepts) and unseen not in concepts


def test_what_one_refuses_to_do_is_not_done():
    assert last("Mia refuses to sit on the horse").roles[0].action != "sits"


@pytest.mark.parametrize(
    ("lines", "place"),
    [
        (["On the bridge of the ship, Mia looks at the stars"], "spaceship"),  # and on no bridge
        (["Mia is in the spaceship", "A whale of stars floats by"], "spaceship"),
        (["Mia is in the garden", "Tom opens the box. Inside is a frog"], "garden"),
        (["小美在公园里", "蛋裂开了，里面有一只小鸭子"], "park"),
        (["Mia is in the living room", "Inside the fort Tom reads a book"], "room"),
        (["Mia climbs up to the attic"], "attic"),
        (["小美躺在病床上"], "hospital"),
        (["Mia duerme en el tren"], "train"),
        (["Mia walks up the hill"], "hill"),
        (["Mia kicks a ball", "She is fast asleep under her blanket"], "bedroom"),
        (["Mia kicks a ball in the meadow", "She is fast asleep under her blanket"], "meadow"),
        (["Mia llega a la biblioteca"], "library"),
        (["Mia is in the kitchen", "Tom sat before the house"], "village"),
    ],
)
def test_where_they_are_by_the_longer_name_and_by_what_is_meant(lines, place):
    assert last(*lines).place == place


@pytest.mark.parametrize(
    ("line", "action"),
    [
        ("Mia y Tom van juntos al mercado", "walks"),
        ("Mia va a comer una manzana", "eats"),
        ("Por la tarde corre Mia en el parque", "runs"),
        ("Mia entrena en el parque", "plays"),
        ("一家人围着圆桌吃年夜饭", "eats"),
    ],
)
def test_who_does_it_in_spanish_and_as_a_family(line, action):
    assert last(line).roles[0].action == action


@pytest.mark.parametrize(
    ("line", "things"),
    [
        ("Mia dives for the ball", ["ball"]),
        ("Mia can't find her hat", []),
        ("Mia looks up at a tower of stone", ["tower"]),
        ("STEP ONE: Mia stirs the soup", ["soup"]),
        ("En casa, Mia come una sopa", ["soup"]),
        ("小美收到一个红包", ["red envelope"]),
        ("Mia lleva una armónica", ["harmonica"]),
    ],
)
def test_what_is_there_and_what_is_only_said(line, things):
    assert [thing.concept for thing in last(line).things] == things


def test_a_new_day_clears_the_sky_and_another_place_the_dawn():
    shown = shots("It rains in the village at night. Mia runs", "The next day Mia walks in the park", "Tom swims")
    assert [shot.weather for shot in shown] == ["rain", "clear", "clear"]
    shown = shots("At dawn Mia walks in the forest", "Mia swims in the lake")
    assert [shot.time for shot in shown] == ["sunrise", "day"]


@pytest.mark.parametrize(
    ("before", "line"),
    [
        ("Mia walks in the rain through the park", "A week later Mia is in the park"),
        ("Mia sits in her bedroom. It is raining outside", "On Sunday Mia plays in the park"),
        ("Mia está en el parque y llueve", "Unos días después Mia está en la playa"),
        ("小美在公园。下雨了", "几天后小美在海边玩"),
        ("Mia está en el parque y llueve", "La tarde siguiente Mia corre"),
        ("小美在公园。下雨了", "過了三天，小美跑步"),
    ],
)
def test_the_rain_of_another_day_has_passed(before, line):
    assert shots(before, line)[-1].weather == "clear"


@pytest.mark.parametrize(
    "line", ["四周一片漆黑，小美害怕", "过了一会儿天黑了，小美跑步", "那天后来小美跑步", "小美每天后悔"]
)
def test_the_rain_of_the_same_day_falls_on(line):
    assert shots("小美在公园。下雨了", line)[-1].weather == "rain"


@pytest.mark.parametrize(
    ("line", "weather"),
    [
        ("Tom says it is raining", "rain"),
        ("Tom said that it was snowing", "snow"),
        ("Tom says it will rain tomorrow", "clear"),
        ("Tom asks if it is raining", "clear"),
        ("Mia dreams that it is snowing", "clear"),
        ("Tom dice que llueve", "rain"),
        ("Tom dice que mañana lloverá", "clear"),
        ("Tom pregunta si llueve", "clear"),
        ("小美说下雨了", "rain"),
        ("小美说明天会下雨", "clear"),
        ("小美说没有下雨", "clear"),
        ("小美说下雪最好玩", "clear"),
        ("小美说外面下雪", "snow"),
    ],
)
def test_the_weather_that_somebody_tells_of_is_there(line, weather):
    assert shots("小美在公园" if "小美" in line else "Mia is in the park", line)[-1].weather == weather


def test_stars_of_paper_are_no_night():
    assert last("Mia hung five silver stars on the tree").time == "day"


@pytest.mark.parametrize(
    ("lines", "place"),
    [
        (["Mia stands at the school gate", "Inside, the teacher writes on the blackboard"], "classroom"),
        (
            ["Mia walks to the shop in the street", "Tom waits in front of the library", "Inside, they whisper"],
            "library",
        ),
        (["Mia is in her bedroom", "Tom comes in with two buckets of sand and a parasol"], "bedroom"),
        (["Mia is in her bedroom", "Tom sees sand in every direction, on the chairs and on the lamp"], "bedroom"),
        (["Mia is in her bedroom", "Mia and Tom build a sandcastle and watch the tide"], "beach"),
        (["Mia is at the market", "Mia looks at six oranges"], "market"),
        (["Mia está en el mercado", "El vendedor le da seis naranjas"], "market"),
        (["A rooster crows on the barn roof", "The dog sleeps in its kennel"], "farm"),
        (["The sea is calm, and Mia rows to the pier"], "pier"),
        (["Mia is in the lighthouse", "She peers out of the window. A ship tosses on the waves"], "lighthouse"),
        (["Mia walks in the park", "A cat at the window watches them"], "park"),
        (["Mia is in the classroom", "Tom and Mia carry a tent"], "classroom"),
        (["Mia está en casa", "Mia y Tom salen a la calle"], "street"),
        (["Desde la ventana, Tom ve olas en el mar"], "room"),
        (["Mia corre por el prado", "Tom saluda desde la meta"], "meadow"),
    ],
)
def test_what_is_brought_bought_or_seen_through_a_window_moves_a_story_nowhere(lines, place):
    assert last(*lines).place == place


@pytest.mark.parametrize(
    ("line", "actions"),
    [
        ("Tom looks up, waves and leaves", {"waves", "looks"}),
        ("Tom sees them from the window and waves", {"waves", "looks"}),
        ("The whole kingdom saw Tom fly", {"flies"}),
        ("Mia looks out over it all, hands in her pockets", {"looks"}),
        ("Mia could hear him crow", {"shouts"}),
        ("Mia rose early", {"stands"}),
        ("Tom bats it away and laughs", {"laughs"}),
        ("Mia trains hard", {"stands"}),
    ],
)
def test_verbs_that_might_be_nouns_are_no_things(line, actions):
    shot = last("Mia and Tom are in the park", line)
    assert actions & {role.action for role in shot.roles}
    assert not shot.things


@pytest.mark.parametrize(
    ("line", "seen"),
    [
        ("Mia collects sticks, leaves and stones", {"stick", "leaf", "stone"}),
        ("Tom draws water and carries a bucket of milk", {"bucket"}),
        ("Mia searches the park in search of her pearl", set()),
        ("Mia's friends wave from the bench", {"bench"}),
        ("Mia holds a rod", {"fishing rod"}),
        ("小美没带伞", set()),
        ("Tom reads a comic book", {"book"}),
        ("The wind howls, the leaves fly", {"leaf"}),
        ("Mia está sentada en un banco del parque", {"bench"}),
        ("Mia baila alrededor de la hoguera", {"fire"}),
        ("Con el pico, el pájaro abre una caja", {"bird", "box"}),
    ],
)
def test_lists_containers_and_what_is_missing(line, seen):
    assert {thing.concept for thing in last(line).things} == seen


def test_how_large_something_is_beside_who_has_it():
    assert [thing.size for thing in last("Tom holds a strawberry as big as himself").things] == ["huge"]


@pytest.mark.parametrize(("place", "seen"), [("room", {"window"}), ("garden", set())])
@pytest.mark.parametrize("line", ["Tom watches from the window", "Tom stands behind the window"])
def test_no_window_hangs_in_the_sky(line, place, seen):
    shot = last(f"Mia is in the {place}", line)
    assert {thing.concept for thing in shot.things} | {word for role in shot.roles for word in role.targets} == seen


@pytest.mark.parametrize(("place", "seen"), [("room", set()), ("garden", {"wall"})])
def test_the_wall_of_a_room_is_no_thing(place, seen):
    shot = last(f"Mia is in the {place}", "Tom leans against the wall")
    assert {thing.concept for thing in shot.things} == seen


@pytest.mark.parametrize(
    ("line", "count"),
    [
        ("Mia and 7 small cats run", 7),
        ("Mia and 3.5 cats run", 4),
        ("Mia sees the 2 old cats", 2),
        ("Mia has 1 cat", 1),
        ("Mia counts 300 cats", 12),
        ("Mia counts 1,500 cats", 12),
        ("Mia eats 0.2 cats", 1),
        ("Mia ve 1,5 gatos en el parque", 2),
        ("小美看见5只猫", 5),
        ("Mia ve 4 gatos en el parque", 4),
        ("At 5 Mia feeds her cats", 3),
    ],
)
def test_numbers_in_digits_say_how_many(line, count):
    (shot,) = shots(line)
    assert [thing.count for thing in shot.things if thing.concept == "cat"] == [count]


@pytest.mark.parametrize(
    "line",
    [
        "Mia the girl runs",
        "Mia, a clever girl, runs",
        "Mia (a girl) runs",
        "Mia, the detective, runs",
        "Mia the brave runs",
        "Mia, a girl, and Tom, a boy, run",
        "Mia is a girl who runs",
    ],
)
def test_who_somebody_is_is_nobody_else(line):
    (shot,) = shots(line)
    assert shot.things == () and {role.action for role in shot.roles if role.name in line} == {"runs"}


@pytest.mark.parametrize("line", ["Mia sees 0 cats", "小美看见0只猫", "Mia sees 0.0 cats and Tom runs"])
def test_none_in_digits_are_none(line):
    assert "cat" not in {thing.concept for thing in shots(line)[0].things}


@pytest.mark.parametrize(
    ("line", "seen"),
    [
        ("In front of Mia, a king.", {"king"}),
        ("Near little Mia, a king", {"king"}),
        ("Behind Mia, a king, waving, runs", {"king"}),
        ("Tom sits behind Mia, the king.", set()),
    ],
)
def test_who_is_in_front_of_a_name_is_somebody_else(line, seen):
    assert {thing.concept for thing in shots(line)[0].things} == seen


def test_who_comes_beside_a_name_in_a_list_is_somebody_else():
    assert [thing.concept for thing in shots("Mia, a dog, and Tom run")[0].things] == ["dog"]


@pytest.mark.parametrize(
    ("line", "actions"),
    [
        ("Mia tells Tom about her day", ["talks", "listens"]),
        ("Mia sings a lullaby", ["sings", "listens"]),
        ("Tom le habla a Mia de su perro", ["listens", "talks"]),
        ("Mia sits on the bench while Tom speaks", ["sits", "talks"]),
        ("Tom kicks the ball", ["stands", "kicks"]),
    ],
)
def test_who_is_alone_with_somebody_who_speaks_listens(line, actions):
    assert [role.action for role in last(line, members=("Mia", "Tom")).roles] == actions


@pytest.mark.parametrize(
    ("line", "action"),
    [
        ("Mia walks up to the table and laughs", "laughs"),
        ("Mia picks up her cup and drinks", "drinks"),
        ("Mia makes the bed and lies down", "lies"),
        ("Mia steps onto the stage and bows", "bows"),
        ("Mia looks at the hole that she had dug", "looks"),
        ("Mia mira el hoyo que había cavado", "looks"),
        ("Mia entra, toma una manzana y come", "eats"),
        ("小美走进来，拿起杯子喝水", "drinks"),
    ],
)
def test_of_several_actions_the_one_that_a_picture_shows(line, action):
    assert last(line).roles[0].action == action


@pytest.mark.parametrize(
    ("lines", "actions"),
    [
        (["“What is that?”"], ["talks", "talks"]),
        (["—¿Qué es eso?"], ["talks", "talks"]),
        (["Tom frowns. “Who are you?”"], ["listens", "talks"]),
        (["“What is that?” Mia runs away."], ["runs", "stands"]),
    ],
)
def test_where_only_words_are_told_those_who_are_there_talk(lines, actions):
    assert [role.action for role in last(*lines, members=("Mia", "Tom")).roles] == actions


def test_who_says_i_is_no_he():
    cast = (CastMember("Sam", description="a boy"), CastMember("Ben", description="a boy with a cap"))
    story = Script(
        tuple(Panel(line, ("Sam", "Ben")) for line in ("Ben and I go to the lake", "I wait, he swims")), cast
    )
    assert [role.action for role in read_story(story)[-1].roles] == ["stands", "swims"]


def test_whom_one_asks_in_chinese_is_there():
    assert [thing.concept for thing in last("小美问老师一个问题").things] == ["teacher"]
    assert [thing.concept for thing in last("小美告诉妈妈城堡里有龙").things] == ["mother"]


@pytest.mark.parametrize("line", ["Mia says that she is tired", "Mia dice que está cansada", "小美说她累了"])
def test_how_somebody_says_to_feel_is_how_they_feel(line):
    assert last(line, members=("Mia", "小美")).roles[0].mood == "sleepy"


@pytest.mark.parametrize(
    "line",
    [
        "In general Mia laughs",
        "Mia is a bookworm",
        "Mia stirs the batter",
        "I suspect that Mia is late",
        "Mia brushes her teeth",
        "Mia canta una nana",
        "La momia sale de la tumba",
        "小美把手插进口袋",
        "小美是我们的英雄",
    ],
)
def test_words_of_something_else_draw_nothing(line):
    assert not last(line).things
