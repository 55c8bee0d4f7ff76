"""What the training's captions say is read back: every phrase of every place, time, weather, medium and action."""

import pytest

from anystory.sketch.read import read
from anystory.sketch.scenery import MEDIUM_PHRASES, PLACES, TIME_PHRASES, WEATHER_PHRASES
from anystory.sketch.scenery.phrases import _BOTH, _TIME_NOUNS, _WEATHER_ADJECTIVES
from anystory.sketch.words import drawn, signs, things, vocabulary
from anystory.story.model import CastMember, Panel
from anystory.training.captions import ACTIONS, POSITIONS

CAST = (CastMember("Mia", description="a little girl"),)

SHOWN = {
    "dives": {"dives", "swims", "floats"},
    "sits in": {"sits", "stands", "peeks"},
    "hides behind": {"hides", "peeks", "stands"},
    "holds": {"holds", "carries"},
}
"""What an action of the captions may be read as, where some of its phrases are those of another one too."""


def shot(line):
    return read(Panel(line, ("Mia",)), CAST)


@pytest.mark.parametrize("name", PLACES)
def test_places(name):
    lines = [PLACES[name].empty]
    for phrase in PLACES[name].phrases:
        lines += [f"Mia {phrase}", f"Mia sits {phrase}", f"{phrase}, Mia", f"nobody {phrase}"]
    assert {line: shot(line).place for line in lines} == dict.fromkeys(lines, name)


def test_the_words_are_of_places_that_there_are():
    book = vocabulary()
    named = {*book["places"], *book["nearest"], *book["landmarks"]}
    named |= {building[key] for building in book["buildings"] for key in ("in", "at", "by")}
    named |= {building["on"] for building in book["buildings"] if "on" in building}
    assert named | {place for sign in signs() for place in sign.at} <= set(PLACES)


def test_the_things_that_tell_a_place_are_things_that_are_known():
    known = {kind.concept for kind in (*things(), *drawn())}
    assert {concept for sign in signs() for concept in sign.things} <= known


def test_times_and_weathers():
    wrong = []
    for phrases, field in ((TIME_PHRASES, "time"), (WEATHER_PHRASES, "weather")):
        for value, several in phrases.items():
            for phrase in filter(None, several):
                for line in (f"Mia walks in a village {phrase}", f"In a village {phrase}, Mia walks"):
                    read_as = shot(line)
                    if (getattr(read_as, field), read_as.place) != (value, "village"):
                        wrong.append((line, read_as))
    assert wrong == []


def test_times_and_weathers_together():
    lines = {f"Mia in a village {phrase}": pair for pair, phrases in _BOTH.items() for phrase in phrases}
    for time, nouns in _TIME_NOUNS.items():
        for weather, adjectives in _WEATHER_ADJECTIVES.items():
            lines |= {f"Mia in a village on a {word} {noun}": (time, weather) for noun in nouns for word in adjectives}
    assert {line: (shot(line).time, shot(line).weather) for line in lines} == lines


def test_mediums():
    lines = {f"Mia in the forest, {phrase}": name for name, phrases in MEDIUM_PHRASES.items() for phrase in phrases}
    assert {line: shot(line).medium for line in lines} == lines


@pytest.mark.parametrize("action", ACTIONS)
def test_actions(action):
    thing = {"hides behind": "bush"}.get(action, "basket")
    for phrase in ACTIONS[action]:
        role = shot(f"Mia {phrase.format(f'a {thing}')}").roles[0]
        assert role.action in SHOWN.get(action, {action}), phrase
        if action in ("hides behind", "sits in"):
            assert (role.relation, role.targets) == ({"hides behind": "behind"}.get(action, "in"), (thing,)), phrase
        if action == "holds":
            assert role.holds == thing, phrase


@pytest.mark.parametrize("where", POSITIONS)
def test_positions(where):
    for phrase in POSITIONS[where]:
        told = "right" if phrase.endswith("right") and where.startswith("third") else where
        told = "left" if phrase.endswith("from the left") else told
        for line in (f"Mia sits {phrase}", f"{phrase}, Mia sleeps"):
            assert shot(line).roles[0].where == told, line
