"""How long a film stays at a panel, in every form a script has."""

import json

import pytest

from anystory.script.exports.sheet import to_csv
from anystory.script.exports.storyboarder import DURATION, to_storyboarder
from anystory.script.form import ScriptError
from anystory.script.read import parse_script, read_script
from anystory.script.values import seconds
from anystory.script.write import dump_script, script_lines, script_yaml
from anystory.story.model import Panel, Script

SCRIPT = Script((Panel("the sea", duration=2.5), Panel("a hill"), Panel("a wood", duration=DURATION / 1000)))


@pytest.mark.parametrize(
    "text",
    [
        "[duration: 2.5] the sea\na hill\na wood [duration: 2 s]",
        script_lines(SCRIPT),
        script_yaml(SCRIPT),
        json.dumps(dump_script(SCRIPT)),
        to_csv(SCRIPT),
        to_storyboarder(SCRIPT, 1, ())[0],
        json.dumps({"shots": [{"description": p.prompt, "duration_seconds": p.duration} for p in SCRIPT.panels]}),
    ],
)
def test_every_form_says_the_same(text):
    assert [(panel.prompt, panel.duration) for panel in parse_script(text).panels] == [
        (panel.prompt, panel.duration) for panel in SCRIPT.panels
    ]


@pytest.mark.parametrize(
    ("words", "found"),
    [("3", 3), ("3s", 3), ("2,5 sec.", 2.5), ("4 segundos", 4), ("3秒", 3), ("0:04", 4), ("1:02", 62), ("0:01:02", 62)],
)
def test_seconds_in_words(words, found):
    assert seconds(words) == found


@pytest.mark.parametrize("value", ["", "soon", "2-3 s", "0", "-1", 0, 601, True, None, [2], float("nan"), float("inf")])
def test_what_is_no_duration(value):
    assert seconds(value) is None


def test_it_is_told():
    with pytest.raises(ScriptError, match=r"duration 'long' must be seconds from 0.1 to 600, such as 2.5"):
        parse_script("a\n[duration: long] b")
    sheet = read_script("Prompt,Duration\nthe sea,2-3 s\na hill,4", form="sheet")
    assert [panel.duration for panel in sheet.script.panels] == [None, 4]
    assert [str(words.why) for words in sheet.left_out] == ["'2-3 s' is no duration; write seconds from 0.1 to 600"]
    assert [sheet.source[slice(*out.span)] for out in sheet.left_out] == ["2-3 s"], "and not its row"


def test_a_storyboarder_board_of_the_usual_length_has_none_of_its_own():
    project = json.loads(to_storyboarder(SCRIPT, 1, ())[0])
    times = [(board["time"], board["duration"]) for board in project["boards"]]
    assert times == [(0, 2500), (2500, 2000), (4500, 2000)]
    for board in project["boards"]:
        board.pop("seconds", None)  # as Storyboarder itself writes it
    assert [panel.duration for panel in parse_script(json.dumps(project)).panels] == [2.5, None, None]
