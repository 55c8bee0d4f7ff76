"""What lines are read as: what is there and what is only spoken of, who does what, and what stays from
panel to panel."""

from pathlib import Path

import pytest

from anystory.bench.reading import load
from anystory.sketch.language.company import Company
from anystory.sketch.language.grammar import parse
from anystory.sketch.language.traditional import pairs
from anystory.sketch.read import read, read_story
from anystory.sketch.reading.clues import clues_of, shown_by
from anystory.sketch.reading.roles import height_of
from anystory.sketch.reading.style import PRESETS, medium_of
from anystory.sketch.scenery import MEDIUMS, PLACES
from anystory.sketch.stagecraft.poses import POSES
from anystory.sketch.words import ACTIONS, DEFAULT_HEIGHT, LANGUAGES, signs, things
from anystory.story.model import CastMember, Line, Panel, Script
from anystory.story.styles import NO_STYLE, presets

CAST = (
    CastMember("Mia", description="a little girl"),
    CastMember("Tom", description="a boy"),
    CastMember("Bruno", description="a big brown bear"),
)
NAMES = ("Mia", "Tom", "Bruno")
DATA = Path(__file__).resolve().parent.parent / "data"


def shots(*lines, cast=CAST, names=NAMES, style=""):
    return read_story(Script(tuple(Panel(line, names) for line in lines), cast, style=style))


def shot(line, names=NAMES):
    return shots(line, names=names)[0]


def roles(line, names=NAMES):
    return {role.name: role for role in shot(line, names).roles}


# Where a panel is, as against the places that are only spoken of

SPOKEN_OF = (
    "Mia dreams of the beach",
    "Mia reads a book about the sea",
    "Mia paints a picture of a castle",
    "Mia wants to go to the moon",
    "They never saw the sea",
    "Mia remembers the old lighthouse",
    "They leave the castle",
    "Tom comes back from the farm",
    "Tom the beachcomber waves",
    "Mia throws the beach ball",
    "Mia parks the car",
    "They stage a play",
    'Mia says: "Let us go to the desert!"',
    "Mia sings a song about the mountains",
    "The bear is as big as a house",
    "Mia, without a thought of the jungle, sits down",
    "米娅梦见了大海",
    "米娅在看一本关于城堡的书",
    "汤姆离开了城堡",
    "米娅想去月球",
    "米娅没有在海边",
    "Mia sueña con el mar",
    "Mia lee un libro sobre el desierto",
    "Tom no está en la playa",
    "Salen del castillo",
    "Mia lanza la pelota de playa",
)


@pytest.mark.parametrize("line", SPOKEN_OF)
def test_a_place_that_is_only_spoken_of_is_not_where_they_are(line):
    cast = (*CAST, CastMember("米娅", description="小女孩"), CastMember("汤姆", description="小男孩"))
    names = ("米娅", "汤姆") if "\u4e00" <= line[0] <= "\u9fff" else NAMES
    place = "graveyard"
    before = shots("In the graveyard")[0]
    after = read(Panel(line, names), cast, before)
    assert (after.place, after.carried[:1]) == (place, ("place",))


@pytest.mark.parametrize(
    ("line", "place"),
    [
        ("They leave the forest and come to a village", "village"),
        ("On the way to the castle they cross a bridge", "bridge"),
        ("At home in the kitchen, Mia bakes a cake", "kitchen"),
        ("Mia waves from the bridge", "bridge"),
        ("A boat on the lake", "lake"),
        ("The edge of the desert", "desert"),
        ("In the king's castle, Mia dances", "palace"),
        ("Tom waits in front of the school", "school"),
        ("INT. KITCHEN – NIGHT. Mia eats.", "kitchen"),
        ("Not in the palace but out in the rose garden they meet", "garden"),
        ("They walk along the shore", "beach"),
        ("Not far from the sea, Mia digs", "beach"),
        ("Mia swims in the sea", "sea"),
        ("Mia lies in her warm bed", "bedroom"),
        ("米娅在海边的大树下睡觉", "beach"),
        ("他们从村子走到了山顶", "mountains"),
        ("En la cocina del castillo, Mia come pan", "kitchen"),
        ("Corren por la orilla del río", "river"),
    ],
)
def test_where_they_are(line, place):
    cast = (*CAST, CastMember("米娅", description="小女孩"))
    assert read(Panel(line, (*NAMES, "米娅")), cast).place == place


def test_a_place_that_the_painter_does_not_have_is_the_nearest_and_guessed():
    there = shot("Mia walks through a swamp")
    assert there.place == "river" and "place" in there.guessed
    assert "place" not in shot("Mia walks by a river").guessed


# Times and weathers


@pytest.mark.parametrize(
    ("line", "time", "weather"),
    [
        ("It no longer snows in the village", "day", "clear"),
        ("In the village the rain stops", "day", "clear"),
        ("In the village at night, without a single star", "night", "clear"),
        ("The sun comes up over the village", "sunrise", "clear"),
        ("After the storm the village is quiet", "day", "clear"),
        ("In the village, a story about the night", "day", "clear"),
        ("Bruno has cloudy eyes in the village", "day", "clear"),
        ("In the village in a light rain jacket", "day", "clear"),
        ("A snowman in the village", "day", "clear"),
        ("Snow White in the village", "day", "clear"),
        ("In the village, good night!", "day", "clear"),
        ("One day in the village", "day", "clear"),
        ("The village in spring", "day", "clear"),
        ("A grey morning in the village", "sunrise", "cloudy"),
        ("The moon shines on the village, it is foggy", "night", "fog"),
        ("It starts to rain in the village", "day", "rain"),
        ("村子里不再下雪了", "day", "clear"),
        ("雨停了，他们在村子里", "day", "clear"),
        ("傍晚，村子里下起了大雨", "sunset", "rain"),
        ("Ya no llueve en la aldea", "day", "clear"),
        ("Sin lluvia, la aldea duerme", "day", "clear"),
        ("Al anochecer nieva en la aldea", "sunset", "snow"),
    ],
)
def test_times_and_weathers(line, time, weather):
    there = shot(line)
    assert (there.place, there.time, there.weather) == ("village", time, weather)


@pytest.mark.parametrize("name", PLACES)
def test_no_place_gets_a_time_or_weather_that_it_cannot_show(name):
    for time in ("at sunrise", "at night"):
        for weather in ("in the rain", "in falling snow", "in the fog"):
            there = shot(f"Mia {PLACES[name].phrases[0]} {time} {weather}")
            assert there.time in PLACES[there.place].times
            assert there.weather in PLACES[there.place].weathers


# What stays from panel to panel


def test_what_is_not_said_stays_and_indoors_hides_the_weather_only():
    story = shots(
        "Mia walks in the forest at sunset in the rain", "Tom sits down", "In the kitchen, they eat", "They go outside"
    )
    assert [there.place for there in story] == ["forest", "forest", "kitchen", "forest"]
    assert [there.weather for there in story] == ["rain", "rain", "", "rain"]
    assert {there.time for there in story} == {"sunset"}
    assert story[1].carried == ("place", "time", "weather", "medium")
    assert story[1].guessed == ()


def test_the_first_panel_falls_back_to_a_clear_day_on_a_meadow_and_says_so():
    there = shot("Mia waves")
    assert (there.place, there.setting, there.time, there.weather) == ("meadow", "meadow 1", "day", "clear")
    assert set(there.guessed) == {"place", "time", "weather", "medium"}
    assert there.carried == ()


def test_a_shot_from_elsewhere_is_gone_on_from():
    before = shots("Mia walks in the village at night in the snow", style="Woodcut")[0]
    after = read(Panel("Tom waves", NAMES), CAST, before)
    assert (after.place, after.setting, after.time, after.weather) == ("village", "village 1", "night", "snow")
    assert after.medium == before.medium == "ink"


def test_settings_are_the_same_place_until_another_one_is_meant():
    story = shots(
        "Mia lives in the village",
        "In the forest, Tom sleeps",
        "They come to another village",
        "It rains in the village",
        "They are back in the first village",
        "In the other village, Bruno waits",
        "In Mia's bedroom",
        "In Tom's bedroom",
        "Back in Mia's bedroom",
    )
    assert [there.setting for there in story] == [
        "village 1",
        "forest 1",
        "village 2",
        "village 2",
        "village 1",
        "village 2",
        "bedroom 1",
        "bedroom 2",
        "bedroom 1",
    ]


# Who does what


@pytest.mark.parametrize(
    ("line", "actions"),
    [
        ("Mia runs and Tom sleeps", "runs sleeps stands"),
        ("Mia and Tom run while Bruno sleeps", "runs runs sleeps"),
        ("They dance", "dances dances dances"),
        ("Mia is hugged by Bruno", "stands stands hugs"),
        ("Tom is chased by Bruno", "stands runs chases"),
        ("Bruno is being chased by three wolves", "stands stands runs"),
        ("Mia watches Tom swim", "looks swims stands"),
        ("In the garden sits Mia", "sits stands stands"),
        ("Mia does not sing", "stands stands stands"),
        ("Mia wants to fly", "stands stands stands"),
        ("Mia starts to dance", "dances stands stands"),
        ("Mia takes a nap", "sleeps stands stands"),
        ("Behind the house Tom digs, and next to him Bruno sings", "stands digs sings"),
        ("The girl sits, the bear lies down", "sits stands lies"),
        ("TOM: Who is there? ", "stands talks stands"),
        ("Mia sits on the left, Tom kneeling beside her", "sits kneels stands"),
        ("With Bruno sneaking behind, Mia walks", "walks stands sneaks"),
        ("Tom, who is tired, sleeps, and Mia reads", "reads sleeps stands"),
        ("Bruno carries Mia", "rides stands carries"),
    ],
)
def test_actions(line, actions):
    assert " ".join(role.action for role in shot(line).roles) in {actions, actions.replace("stands", "thinks", 1)}


def test_pairs_are_turned_to_each_other():
    assert roles("Mia gives Tom an apple")["Mia"].toward == "Tom"
    assert roles("Mia gives Tom an apple")["Mia"].holds == "apple"
    talking = roles("Mia and Tom talk")
    assert (talking["Mia"].toward, talking["Tom"].toward) == ("Tom", "Mia")


def test_positions_and_relations():
    beside = roles("Mia stands left of Tom")
    assert (beside["Mia"].where, beside["Tom"].where) == ("left", "right")
    assert roles("Mia sits between Tom and Bruno")["Mia"].targets == ("Tom", "Bruno")
    hidden = roles("Tom hides behind Mia")["Tom"]
    assert (hidden.action, hidden.relation, hidden.targets) == ("hides", "behind", ("Mia",))
    spots = roles("On the left Mia, on the right Tom, and far away Bruno waves")
    assert (spots["Mia"].where, spots["Tom"].where, spots["Bruno"].distance) == ("left", "right", "far")
    assert roles("Mia sits on a rock under a tree")["Mia"].relation == "on"


def test_moods_sizes_and_speakers():
    assert roles("Sad Mia sits, Tom is happy")["Mia"].mood == "sad"
    assert roles("Sad Mia sits, Tom is happy")["Tom"].mood == "happy"
    assert roles("Mia is not angry")["Mia"].mood == ""
    assert roles("Tiny Mia sits")["Mia"].size == "tiny"
    told = read(Panel("Mia sits", NAMES, dialogue=(Line("Tom", "Hi"), Line("Tom", "Ho"), Line("Zoe", "!"))), CAST)
    assert told.speakers == ("Tom", "Tom")


# Things


def test_things_with_number_colour_and_holder():
    found = {thing.concept: thing for thing in shot("Mia carries a red ball past three little birds and a tree").things}
    assert set(found) == {"ball", "bird", "tree"}
    assert (found["ball"].colour, found["ball"].held_by) == ("red", "Mia")
    assert (found["bird"].count, found["bird"].size) == (3, "small")


@pytest.mark.parametrize(
    "line",
    [
        "The bear sleeps",
        "Mia has no umbrella",
        "Mia walks without a hat",
        "Mia runs like a horse",
        "Mia looks for her ball",
        "Mia tells a story about a dragon",
        'Mia says "a cat!"',
        "Mia paints a giraffe",
    ],
)
def test_what_is_not_there_is_no_thing(line):
    assert shot(line).things == ()


def test_what_nobody_knows_is_unread():
    assert shot("Mia blorfs a wozzle").unread == ("blorfs", "wozzle")
    assert shot("Mia slowly walks to the big old tree").unread == ()


# Laws

MANY = (
    "Mia runs through the forest at night, Tom hides behind a tree",
    "In the kitchen, Tom gives Mia two apples while it rains",
    "Mia is on the left of Tom, Bruno sleeps in the background",
)


@pytest.mark.parametrize("line", MANY)
def test_the_names_do_not_matter(line):
    names = {"Mia": "Xenia", "Tom": "Wuk", "Bruno": "Old Zeb"}
    other = line
    for old, new in names.items():
        other = other.replace(old, new)
    cast = tuple(CastMember(names[member.name], description=member.description) for member in CAST)
    told = repr(read(Panel(line, NAMES), CAST))
    for old, new in names.items():
        told = told.replace(repr(old), repr(new))
    assert told == repr(read(Panel(other, tuple(names.values())), cast))


def test_a_panel_with_everything_said_does_not_depend_on_those_before():
    line = "In watercolour: Mia sits in a village at night in the rain"
    alone, after = shot(line), shots("Tom swims in the sea at sunrise", "A dragon flies", line)[-1]
    assert (alone.place, alone.time, alone.weather) == (after.place, after.time, after.weather)
    assert (alone.roles, alone.things) == (after.roles, after.things)


@pytest.mark.parametrize(
    ("english", "chinese", "spanish"),
    [
        ("Mia runs through the forest", "Mia在森林里跑", "Mia corre por el bosque"),
        ("Mia sits under a tree by the lake", "Mia坐在湖边的树下", "Mia se sienta bajo un árbol junto al lago"),
        ("Mia gives Tom a red apple", "Mia给Tom一个红苹果", "Mia le da una manzana roja a Tom"),
        ("At night, Mia sleeps in the tent", "夜里，Mia睡在帐篷里", "De noche, Mia duerme en la tienda de campaña"),
        ("Tom hides behind Mia in the snow", "Tom在雪地里躲在Mia后面", "Tom se esconde detrás de Mia en la nieve"),
        ("Mia stands between Tom and Bruno", "Mia站在Tom和Bruno中间", "Mia está entre Tom y Bruno"),
        ("Bruno chases Tom over the bridge", "Bruno追着Tom跑过桥", "Bruno persigue a Tom por el puente"),
        ("On the left, Mia reads a book", "左边，Mia在看书", "A la izquierda, Mia lee un libro"),
    ],
)  # fmt: skip
def test_three_languages_say_the_same(english, chinese, spanish):
    def told(line):
        there = shot(line)
        moment = (there.place, there.time, there.weather, there.framing)
        who = [(role.action, role.where, role.relation, role.targets, role.toward, role.holds) for role in there.roles]
        return moment, who, [(thing.concept, thing.count, thing.colour) for thing in there.things]

    assert told(english) == told(chinese) == told(spanish)


def test_reading_twice_gives_the_same():
    assert shots(*MANY) == shots(*MANY)


# Tables


def test_presets_have_mediums():
    named = {style.name for style in presets()} - {NO_STYLE}
    assert set(PRESETS) == named
    assert set(PRESETS.values()) <= set(MEDIUMS)
    assert medium_of("drawn in crayon on grey paper") == "crayon"
    assert medium_of("in the manner of nobody") == ""


def test_a_style_draws_all_panels_and_a_line_its_own():
    story = shots("Mia sits", "Tom sits, as a paper collage", style="Pixel art")
    assert [there.medium for there in story] == ["flat", "paper"]


def test_heights():
    assert height_of("a little mouse") < height_of("a mouse") < height_of("a cat") < height_of("a girl")
    assert height_of("a girl with a giraffe") == height_of("a girl")
    assert height_of("一头大象") == height_of("un elefante") == height_of("an elephant")
    assert height_of("") == height_of("somebody odd") == DEFAULT_HEIGHT
    assert sum(kind.height is not None for kind in things()) >= 150
    given = type("Member", (), {"name": "Mia", "description": "a girl", "height": 3.5})()
    assert read(Panel("Mia sits", ("Mia",)), [given]).roles[0].height == 3.5


def test_every_thing_that_is_made_by_hand_has_words_in_all_languages():
    concepts = [kind.concept for kind in things()]
    assert len(concepts) > 900
    assert all(set(kind.words) == set(LANGUAGES) for kind in things())


def test_what_staging_has_a_pose_for_is_an_action():
    """Those without one stand."""
    assert set(POSES) <= set(ACTIONS) and {"sits", "lies", "flies", "swims", "hides", "stands on its head"} <= set(
        POSES
    )


@pytest.mark.parametrize(
    ("lines", "places"),
    [
        (["Mia kneads the dough"], ["kitchen"]),
        (["Mia is at the blackboard", "A bell rings", "She sits on a swing"], ["classroom", "classroom", "playground"]),
        (["In the park, Mia sits on a swing", "Mia feeds the pigeons"], ["park", "park"]),
        (["Mia waits at the station", "She dreams of the blackboard"], ["station", "station"]),
        (["Mia reads at home", "She has a bath"], ["room", "bathroom"]),
        (["Mia plants beans in the garden", "Mia points at a hot-air balloon"], ["garden", "garden"]),
        (["In the forest stand mushrooms as tall as houses"], ["mushroom forest"]),
        (["Mia opens the door of the bakery"], ["shop"]),
        (["Mia walks past the library"], ["street"]),
        (["Mia is in the shop", "She comes out with a bag"], ["shop", "street"]),
        (["The sun sinks into the sea as Mia waves from the lighthouse"], ["lighthouse"]),
        (["米娅用粉笔在黑板上写字"], ["classroom"]),
        (["米娅爬上桅杆"], ["pirate ship"]),
        (["Mia amasa el pan en la encimera"], ["kitchen"]),
        (["Mia se sienta en un banco del parque"], ["park"]),
    ],
)  # fmt: skip
def test_a_place_that_is_not_named_is_told_by_what_is_seen_there(lines, places):
    cast = (*CAST, CastMember("米娅", description="小女孩"))
    names = ("米娅",) if "\u4e00" <= lines[0][0] <= "\u9fff" else NAMES
    assert [shot.place for shot in read_story(Script(tuple(Panel(line, names) for line in lines), cast))] == places


def test_what_tells_a_place_moves_nobody_who_is_where_it_is_seen_too():
    for number, sign in enumerate(signs()):
        for phrase in sign.words["en"] if sign.moves else ():
            said = f"Mia and Tom {phrase}." if sign.doing else f"There is a {phrase}."
            sentence = parse(said, Company({"Mia": "", "Tom": ""}, ("Mia", "Tom")), "en")
            if {clue.number for clue in clues_of(sentence)} == {number}:
                assert {place: shown_by(sentence, place) for place in sign.at} == {place: place for place in sign.at}


@pytest.mark.parametrize(
    ("line", "concept"),
    [
        ("There is a trident under the table", "trident"),
        ("桌子下面有一根三叉戟", "trident"),
        ("Hay un tridente debajo de la mesa", "trident"),
        ("A pickle lies on the plate", "pickle"),
        ("A red apple lies on the table", "apple"),
    ],
)
def test_the_names_of_the_drawings_are_read_too(line, concept):
    assert concept in [thing.concept for thing in shots(line)[0].things]


# Chinese as Taiwan and Hong Kong write it

TRADITIONAL = {other: one for one, other in reversed(pairs())}


def traditional(text):
    return "".join(TRADITIONAL.get(letter, letter) for letter in text)


def chinese_stories():
    for path in sorted(DATA.glob("readings*.yaml")):
        yield from (story for story in load(path) if story["language"] == "zh")


def test_traditional_characters_are_read_as_simplified_ones():
    """Every Chinese story of the labelled sets, names and descriptions too, shows the same in either."""

    def read_in(story, write):
        cast = [CastMember(write(one["name"]), description=write(one["description"])) for one in story["cast"]]
        panels = [
            Panel(write(one["text"]), tuple(write(member["name"]) for member in one["cast"])) for one in story["panels"]
        ]
        return read_story(Script(tuple(panels), tuple(cast)))

    def told(shots):
        return [
            (one.setting, one.time, one.weather, [r.action for r in one.roles], [t.concept for t in one.things])
            for one in shots
        ]

    stories = list(chinese_stories())
    assert len(stories) > 40 and any(traditional(p["text"]) != p["text"] for s in stories for p in s["panels"])
    for story in stories:
        assert told(read_in(story, traditional)) == told(read_in(story, str)), story["panels"]


def test_what_is_not_understood_is_told_as_it_is_written():
    cast = (CastMember("小艾"),)
    assert shots("小艾在沙灘上齉齾", cast=cast, names=("小艾",))[0].unread == ("齉齾",)
