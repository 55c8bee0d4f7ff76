"""What a panel is told to show apart from its line."""

import pytest

from anystory.errors import Message
from anystory.script.lint import lint
from anystory.script.read import read_script
from anystory.script.write import dump_script, panel_lines
from anystory.sketch.read import read_story
from anystory.sketch.shows import ROLES, SECTIONS, label, offered, told
from anystory.sketch.words import LANGUAGES
from anystory.story.prompt import compose

CAST = "cast: Mia, a small fox\ncast: 小明, 一个男孩\n\n"


@pytest.mark.parametrize("kind", [*SECTIONS, *ROLES])
@pytest.mark.parametrize("language", LANGUAGES)
def test_every_label_means_what_it_is_for_and_no_two_are_alike(kind, language):
    who = "Mia" if kind in ROLES else ""
    labels = [label(kind, key, language) for key in offered(kind)]
    assert len(set(labels)) == len(labels) > 3
    for key, words in zip(offered(kind), labels, strict=True):
        meant = told(f"{who} {words}", ["Mia"])
        assert meant is not None and (meant.kind, meant.key, meant.who) == (kind, key, who), words


def test_spanish_labels_of_the_cast_fit_everybody_and_earlier_ones_are_understood():
    labels = [label(kind, key, "es") for kind in ROLES for key in offered(kind)]
    assert not [words for words in labels if words.endswith(("ado", "ido")) and words[:4] != "con "]
    before = {"está sentado": "sits", "está tumbado": "lies", "enfadado": "angry", "enamorado": "in love"}
    assert {words: told(f"Mia {words}", ["Mia"]).key for words in before} == before


def test_what_is_told_wins_over_the_line_and_goes_on():
    tag = "[shows: forest; night; rain; close-up; Mia sits; mia happy; 小明跑步]"
    text = f"{tag} Mia and 小明 walk on a sunny beach\nMia eats"
    script = read_script(CAST + text).script
    assert script.panels[0].shows == ("forest", "night", "rain", "close-up", "Mia sits", "Mia happy", "小明 跑步")
    first, second = read_story(script)
    assert (first.place, first.time, first.weather, first.framing) == ("forest", "night", "rain", "close-up")
    assert [(role.action, role.mood) for role in first.roles] == [("sits", "happy"), ("runs", "")]
    assert (second.place, second.time, second.weather, second.framing) == ("forest", "night", "rain", "")
    assert not {"place", "time", "weather"} & {*first.carried, *first.guessed}
    assert read_story(read_script(f"{CAST}Mia and 小明 walk on a sunny beach").script)[0].place == "beach"


def test_every_form_of_script_keeps_it():
    script = read_script(f"{CAST}[shows: bosque; Mia duerme] Mia at the sea").script
    panel = script.panels[0]
    assert panel.shows == ("bosque", "Mia duerme") and panel.prompt == "Mia at the sea"
    line = panel_lines(panel, script.cast)
    assert line == "[shows: bosque; Mia duerme] Mia at the sea"
    assert read_script(CAST + line).script.panels == script.panels
    data = dump_script(script)
    assert data["panels"][0]["shows"] == ["bosque", "Mia duerme"]
    assert "shows" not in dump_script(read_script(f"{CAST}Mia").script)["panels"][0]


def test_a_model_reads_it_after_the_line():
    script = read_script(f"{CAST}[shows: forest; Mia happy] Mia sings").script
    assert compose(script.panels[0], script.cast[:1]).text == "a small fox sings, forest, the small fox happy"


@pytest.mark.parametrize(
    ("shows", "says"),
    [
        ("blorb", "'blorb' is nothing that a picture can be told to show; name a place, a time of day"),
        ("Mia blorbs", "'Mia blorbs' is nothing that a picture can be told to show"),
        ("小明 跑步", "小明 is told what to do but is not in the panel; name 小明 there."),
    ],
)
def test_what_cannot_be_shown_is_said(shows, says):
    (found,) = [one for one in lint(f"{CAST}[shows: {shows}] Mia sings") if one.severity == "error"]
    assert says in found.message and isinstance(found.message, Message)
