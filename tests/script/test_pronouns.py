"""Whom a panel means beyond the names in it."""

from dataclasses import replace

import pytest

from anystory.script.edits import move_panel, with_name, with_panel, with_prompt
from anystory.script.lint import lint
from anystory.script.read import parse_script, read_script
from anystory.script.write import dump_script
from anystory.story.prompt import compose

CASTS = {
    "en": "cast: Mia, a girl in a red coat\ncast: Tom, a small boy\ncast: Rex, a brown dog\ncast: Gran, an old woman\n",
    "zh": "cast: 小雨, 一个小女孩\ncast: 明明, 一个男孩\ncast: 奶奶, 一位老奶奶\n",
    "es": "cast: Ana, una niña\ncast: Leo, un niño\ncast: Abuela, una anciana\n",
}


def last(language, *lines):
    return parse_script("\n".join([CASTS[language], *lines])).panels[-1].cast


@pytest.mark.parametrize(
    ("language", "lines", "cast"),
    [
        ("en", ["Mia walks in the rain", "The sea at night", "She opens an umbrella"], ["Mia"]),
        ("en", ["Mia and Tom run", "He trips and she laughs"], ["Mia", "Tom"]),
        ("en", ["Gran bakes", "Mia eats", "Tom sleeps", "She sings"], ["Mia"]),
        ("en", ["Mia sings", "Rex barks", "She pats him"], ["Mia", "Rex"]),
        ("en", ["Mia sings", "An old man gives her an apple"], ["Mia"]),
        ("en", ["Rex barks", "Tom runs along the beach, a kite above him"], ["Tom"]),
        ("en", ["Rex barks", "Tom walks home, his cat beside him"], ["Tom"]),
        ("en", ["Rex barks", "Tom sees a bird behind him"], ["Tom"]),
        ("en", ["Rex barks", "Tom sits next to him"], ["Tom", "Rex"]),
        ("en", ["Mia runs", "Tom and Rex sleep", "They wake up"], ["Tom", "Rex"]),
        ("en", ["Mia runs", "Tom runs", "They meet"], ["Mia", "Tom"]),
        ("en", ["Mia, Tom and Rex run", "Gran and Rex wait", "All three hug"], ["Mia", "Tom", "Rex"]),
        ("en", ["Mia and Tom run", "Gran waits", "Both wave"], ["Mia", "Tom"]),
        ("en", ["Mia and Tom run", "Gran bakes", "The friends share a cake"], ["Mia", "Gran", "Tom"]),
        ("en", ["Mia, Rex and Tom run", "Gran waits", "Everyone eats"], ["Mia", "Tom", "Rex", "Gran"]),
        ("en", ["Mia, Rex and Tom run", "Gran waits", "The children eat"], ["Mia", "Tom"]),
        ("en", ["Mia and Tom run", "They wave at Gran"], ["Mia", "Tom", "Gran"]),
        ("en", ["Mia runs", "Tom runs", "Gran bakes", "They eat"], ["Mia", "Tom", "Gran"]),
        ("en", ["Mia, Tom and Rex run", "They rest and Rex barks"], ["Mia", "Tom", "Rex"]),
        ("en", ["Mia runs", "Tom gives her a book"], ["Mia", "Tom"]),
        ("en", ["Mia runs", "Tom hugs her"], ["Mia", "Tom"]),
        ("en", ["Mia and Tom run", "Mia hugs him"], ["Mia", "Tom"]),
        ("en", ["Mia and Tom run", "Gran shouts at the two fighting cats"], ["Gran"]),
        ("en", ["Mia and Tom run", "Gran feeds the two little pigs"], ["Gran"]),
        ("en", ["Mia and Tom run", "Two guards stood at the gate, and Gran bowed to them"], ["Gran"]),
        ("en", ["Mia and Tom run", "Mia sings and she laughs"], ["Mia"]),
        ("en", ["Mia and Tom run", "Before she eats, Mia rests"], ["Mia"]),
        ("en", ["Mia and Tom run", "Tom eats them all"], ["Tom"]),
        ("en", ["Mia sits", "Tom throws a ball at her head"], ["Mia", "Tom"]),
        ("en", ["Mia sits", "Tom tucks in his head"], ["Tom"]),
        ("en", ["Mia sits", "A dog runs up"], ["Rex"]),
        ("en", ["Mia and Rex sit", "A dog runs up"], []),
        ("en", ["Mia and Tom go camping", "We toast marshmallows"], ["Mia", "Tom"]),
        ("zh", ["小雨走在街上", "奶奶递给她一杯水"], ["小雨", "奶奶"]),
        ("zh", ["小雨走在街上", "追到海边"], ["小雨"]),
        ("es", ["Ana canta", "Leo le da una manzana"], ["Ana", "Leo"]),
        ("es", ["Ana canta", "A Leo se le cae el sombrero"], ["Leo"]),
        ("es", ["Ana y Leo corren", "Llegan a una isla y cavan"], ["Ana", "Leo"]),
        ("es", ["Ana corre", "Salta por encima del río"], ["Ana"]),
        ("zh", ["小雨走在街上", "她打开一把红伞"], ["小雨"]),
        ("zh", ["小雨和奶奶在家", "明明来了", "她们一起唱歌"], ["小雨", "明明", "奶奶"]),
        ("zh", ["小雨和明明跑步", "奶奶在家", "两人都笑了"], ["小雨", "明明"]),
        ("zh", ["小雨和明明跑步", "奶奶在家", "大家都睡了"], ["小雨", "明明", "奶奶"]),
        ("zh", ["小雨和明明跑步", "奶奶在家", "孩子们在玩"], ["小雨", "明明"]),
        ("es", ["Ana camina por el bosque", "Ella canta"], ["Ana"]),
        ("es", ["Ana y Leo corren", "Él salta"], ["Leo"]),
        ("es", ["Ana y Leo corren", "Abuela duerme", "Los dos saltan"], ["Ana", "Leo"]),
        ("es", ["Ana y Leo corren", "Abuela duerme", "Todos ríen"], ["Ana", "Leo", "Abuela"]),
        ("es", ["Ana y Leo corren", "Juntos vuelven a casa"], ["Ana", "Leo"]),
        ("es", ["Ana y Leo corren", "Abuela duerme", "Los niños juegan"], ["Ana", "Leo"]),
    ],
)
def test_pronouns_mean_the_people_of_the_panels_before(language, lines, cast):
    assert set(last(language, *lines)) == set(cast)


@pytest.mark.parametrize(
    ("language", "line"),
    [
        ("en", "The sea at night"),
        ("en", "Her hat lies on the beach"),
        ("en", "A letter for her lies on the table"),
        ("en", "“They are gone!” says a voice"),
        ("en", "The birds rest, then they fly on"),
        ("en", "The two birds sing"),
        ("en", "A king comes in and he laughs"),
        ("en", "Mountains, all white"),
        ("en", "It rains"),
        ("en", "[NC] they are gone"),
        ("zh", "她的帽子掉在地上"),
        ("zh", "其他人都走了"),
        ("zh", "吉他响了"),
        ("zh", "两只小鸟在唱歌"),
        ("es", "Todos los días llueve"),
        ("es", "Los dos perros ladran"),
        ("es", "Un barco para ella"),
    ],
)
def test_what_means_nobody_of_the_cast(language, line):
    first = {"en": "Mia and Tom run", "zh": "小雨和明明跑步", "es": "Ana y Leo corren"}[language]
    assert last(language, first, line) == ()


@pytest.mark.parametrize(
    ("names", "line", "cast"),
    [
        ("Captain Rook, Pip", "Rook digs and Pip rests", ["Captain Rook", "Pip"]),
        ("Inspector Plum, Pip", "On the pier Plum hands Pip a badge", ["Inspector Plum", "Pip"]),
        ("Red Mabel, Pip", "Red apples for Pip", ["Pip"]),
        ("林小雨, 明明", "小雨和明明跑步", ["林小雨", "明明"]),
        ("林小雨, 小雨", "小雨在跑步", ["小雨"]),
    ],
)
def test_a_part_of_a_name_is_who_has_no_other(names, line, cast):
    script = parse_script("".join(f"cast: {name}\n" for name in names.split(", ")) + line)
    assert list(script.panels[0].cast) == cast


def test_a_card_keeps_whom_the_words_mean_beside_a_name():
    text = CASTS["en"] + "Mia runs\nTom gives her a book"
    panel = read_script(text).panels[1]
    assert panel.cast == ("Mia", "Tom")
    assert with_panel(text, 2, replace(panel, caption="A gift")).split("\n")[-1] == "Tom gives her a book  # A gift"


def test_nobody_is_meant_before_anybody_was_there():
    assert last("en", "They walk to school and she sings") == ()


def test_who_was_alone_with_a_pronoun_is_known_by_it():
    cast = "cast: Kim\ncast: Lou\n"
    lines = ["Kim finds a shell and she is glad", "Lou waits", "She shows it"]
    assert parse_script("\n".join([cast, *lines])).panels[-1].cast == ("Kim",)


def test_names_and_brackets_win():
    assert last("en", "Mia and Tom run", "[Gran] they wait for her") == ("Gran",)
    assert (
        parse_script({"cast": ["Mia"], "panels": ["Mia runs", {"prompt": "She rests", "cast": []}]}).panels[1].cast
        == ()
    )


def test_a_pronoun_holds_for_layouts_and_is_kept_in_what_a_model_reads():
    script = parse_script(CASTS["en"] + "Mia runs\n[layout: Mia 0 0.2 0.5 1] She rests")
    panel = script.panels[1]
    assert [place.name for place in panel.steering.layout.places] == ["Mia"]
    assert compose(panel, script.cast[:1]).text == "a girl in a red coat, She rests"
    assert parse_script(dump_script(script)) == script


def test_check_says_who_was_taken_in():
    (finding,) = [each for each in lint(CASTS["en"] + "Mia and Tom run\nThey rest") if each.code == "meant"]
    assert (finding.line, finding.severity) == (6, "note")
    assert finding.message == "Panel 2 does not name Mia and Tom, whom its words are taken to mean."
    assert [each.code for each in lint(CASTS["en"] + "Mia runs\nIt rains")].count("nobody") == 1


def test_a_card_keeps_the_pronoun_until_somebody_is_put_in():
    text = CASTS["en"] + "Mia runs\nShe rests\nTom runs"
    names = [member.name for member in read_script(text).script.cast]
    panel = read_script(text).panels[1]
    captioned = with_panel(text, 2, with_prompt(panel, "She sleeps", names))
    assert captioned.split("\n")[-2] == "She sleeps"
    assert with_panel(text, 2, with_prompt(panel, "The sea", names)).split("\n")[-2] == "The sea"
    assert with_panel(text, 2, with_name(panel, "Rex", names)).split("\n")[-2] == "[Mia, Rex] She rests"
    assert read_script(move_panel(text, 1, 2)).panels[0].cast == ()
