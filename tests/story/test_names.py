"""Names are the same, and are found, by one rule, whatever keyboard, machine or language they come from."""

import unicodedata

import pytest

from anystory.script.lint import lint
from anystory.script.read import parse_script, read_script
from anystory.story.model import CastMember
from anystory.story.names import folded, visible
from anystory.story.prompt import compose, find_names

SAME = [
    ("Zoë", unicodedata.normalize("NFD", "Zoë")),
    ("İpek", "ipek"),
    ("İpek", "IPEK"),
    ("Işıl", "IŞIL"),
    ("Mia", "Mia\u200b"),
    ("Mia", "\ufeffM\u00adia\u2060"),
    ("O’Neil", "o'neil"),
    ("Mia Lu", "mia\u00a0 \u3000lu"),
    ("محمد", "مُحَمَّد"),
    ("أحمد", "احمد"),
    ("דוד", "דָּוִד"),
    ("Ｍｉａ", "Mia"),
    ("Straße", "STRASSE"),
]


@pytest.mark.parametrize(("one", "other"), SAME)
def test_the_same_name_is_the_same_everywhere(one, other):
    assert folded(one) == folded(other)
    assert [mention.name for mention in find_names(f"({other}) walks", [one])] == [one]
    assert parse_script({"cast": [one], "panels": [{"prompt": "walks", "cast": [other]}]}).panels[0].cast == (
        visible(one),
    )
    assert read_script(f"cast: {one}\ncast: {other}\n\nhi").errors[0].code == "duplicate-name"
    assert len(parse_script(f"cast: {other}, a fox\n\n[{one}] hi", cast=(CastMember(one),)).cast) == 1


@pytest.mark.parametrize(("one", "other"), [("Mia", "Mina"), ("Ana", "Anna"), ("محمد", "أحمد"), ("Zoe", "Zoé")])
def test_other_names_stay_others(one, other):
    assert folded(one) != folded(other)


def test_a_mention_is_where_the_text_has_it():
    text = f"at dusk {unicodedata.normalize('NFD', 'Zoë')} and M\u200bia\u00a0  Lu run"
    mentions = find_names(text, ["Zoë", "Mia Lu"])
    assert [folded(text[m.start : m.end]) for m in mentions] == [folded("Zoë"), folded("Mia Lu")]


@pytest.mark.parametrize(
    ("text", "names", "there"),
    [
        ("مريم وأحمد في الغابة", ["مريم", "أحمد"], ["مريم", "أحمد"]),
        ("مريم تعطي الكتاب لأحمد", ["مريم", "أحمد"], ["مريم", "أحمد"]),
        ("وبأحمد نلتقي", ["أحمد"], ["أحمد"]),
        ("تعطي السمكة للقط", ["القط"], ["القط"]),
        ("שרה ודוד בגינה", ["שרה", "דוד"], ["שרה", "דוד"]),
        ("היא נתנה לשרה ספר", ["שרה"], ["שרה"]),
        ("כשדוד בא", ["דוד"], ["דוד"]),
        ("محمدين", ["محمد"], []),
        ("דגל", ["גל"], []),
        ("בגל", ["גל"], []),
        ("وأحمدي", ["أحمد"], []),
    ],
)
def test_small_words_written_in_one_with_a_name(text, names, there):
    assert [mention.name for mention in find_names(text, names)] == there


def test_a_model_reads_the_glued_word_and_the_description_apart():
    cast = (CastMember("مريم", description="a girl"), CastMember("أحمد", description="a boy"))
    panel = parse_script("مريم وأحمد", cast=cast).panels[0]
    assert compose(panel, cast).text == "A girl و a boy".replace("A", "a")


def test_turkish_suffixes_and_capitals():
    script = parse_script("cast: İpek\ncast: Işıl\n\n[ipek] koşuyor\nİPEK ve IŞIL\nİpek'in kedisi")
    assert [panel.cast for panel in script.panels] == [("İpek",), ("İpek", "Işıl"), ("İpek",)]


def test_what_nobody_sees_is_not_in_a_name():
    assert parse_script("cast: Mia\u200b, a fox\n\nMia walks").cast[0].name == "Mia"
    assert visible("\u2066Mia\u2069 \u200e Lu") == "Mia Lu"
    assert visible("می\u200cنا") == "می\u200cنا"


@pytest.mark.parametrize(
    ("text", "near"),
    [
        ("cast: أحمد\n\nأحمر يلعب", "أحمد"),
        ("cast: Mochi\n\nMocchi walks", "Mochi"),
        ("cast: שלומית\n\nשלומת רצה", "שלומית"),
    ],
)
def test_a_name_that_looks_meant_is_told(text, near):
    found = [finding for finding in lint(text) if finding.code == "unknown-name"]
    assert [finding.fix for finding in found] == [near]


@pytest.mark.parametrize("name", ["background", "Background", "BACK\u200bGROUND", "nc"])
def test_a_name_with_a_meaning_of_its_own_is_one_sentence(name):
    (error,) = read_script(f"cast: {name}\n\nhi").errors
    assert "has a meaning of its own" in error.sentence
