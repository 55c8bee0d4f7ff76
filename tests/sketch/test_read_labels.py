"""The labelled lines are read as well as docs/sketch.md says."""

from pathlib import Path

import pytest

from anystory.bench.reading import judge, load, table

LABELS = Path(__file__).resolve().parent.parent / "data" / "readings.yaml"

FLOORS = {
    "place": 0.95,
    "time": 0.95,
    "weather": 0.95,
    "where": 0.95,
    "action": 0.86,
    "things": 0.90,
    "framing": 0.95,
    "medium": 0.95,
}


@pytest.fixture(scope="module")
def judged():
    return judge(load(LABELS))


def test_the_set_is_large_and_in_three_languages(judged):
    assert len({one.text for one in judged}) >= 150
    assert {one.language for one in judged} == {"en", "zh", "es"}


@pytest.mark.parametrize("field", FLOORS)
def test_floors(judged, field):
    right = [one.right for one in judged if one.field == field]
    assert sum(right) / len(right) >= FLOORS[field]


def test_judging_sees_what_is_wrong():
    panel = {
        "text": "Mia sits in the forest with a red ball",
        "place": "sea",
        "time": "night",
        "weather": "rain",
        "cast": [{"name": "Mia", "action": ["runs", "flies"], "where": "left"}],
        "things": [{"concept": "ball", "count": 2, "colour": "blue"}, {"concept": "tree"}],
    }
    story = {"language": "en", "cast": [{"name": "Mia", "description": "a girl"}], "panels": [panel]}
    judged = judge([story])
    assert {one.field for one in judged if not one.right} == {
        *("place", "time", "weather", "action", "where", "things", "count", "colour")
    }
    assert [one.right for one in judged if one.field == "things"] == [True, True, False]
    assert table(judged).splitlines()[1].split() == ["place", "0.000", "1", "0.000", "1"]
