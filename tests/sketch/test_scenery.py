"""The painted places: every one in every light, layers that can hide someone, words that are true."""

import numpy as np
import pytest

from anystory.sketch import scenery as scenes
from anystory.sketch.scenery import MEDIUMS, PLACES, TIMES, WEATHERS, phrases
from anystory.sketch.scenery.draw import Painter

SIDE = 48


def paint(place, time, weather, medium="flat", seed=0, size=SIDE):
    return scenes.paint(place, time, weather, medium, seed).render(size, size, grain=True)


def moment(place):
    return PLACES[place].times[0], PLACES[place].weathers[0]


def test_there_are_many_places_moments_and_mediums():
    assert len(PLACES) >= 40 and len(MEDIUMS) >= 3
    assert sum(place.times == TIMES for place in PLACES.values()) >= 30
    assert sum(place.weathers == WEATHERS for place in PLACES.values()) >= 15
    old = (
        "beach pier forest meadow mountains desert snow street village room sky space underwater castle park farm lake"
    )
    assert set(f"{old} cave stage".split()) <= set(PLACES)


@pytest.mark.parametrize("place", PLACES)
def test_a_place_can_be_painted_in_every_light(place):
    """Each time and weather in one medium or another; foreground layers are where they say and hide something."""
    kind, turn = PLACES[place], 0
    for time in kind.times:
        for weather in kind.weathers:
            scene = paint(place, time, weather, MEDIUMS[turn % len(MEDIUMS)], turn)
            turn += 1
            assert scene.background.shape == (SIDE, SIDE, 3) and scene.background.dtype == np.uint8
            assert scene.background.reshape(-1, 3).std(0).mean() > 5
            depths = [layer.depth for layer in scene.layers]
            assert depths == sorted(depths)
            assert all(layer.pixels.shape == (SIDE, SIDE, 4) for layer in scene.layers)
            named = [layer for layer in scene.layers if layer.name]
            assert named and all(layer.pixels[..., 3].any() for layer in named)
            assert all(0 < light <= 1 for light in scene.light)
            low, high = scene.ground
            assert 0.7 <= low < high <= 1


def test_a_layer_stands_on_its_line():
    """The lowest opaque pixel of what stands within the frame is near its depth."""
    checked = 0
    for number, place in enumerate(PLACES):
        for layer in paint(place, *moment(place), seed=number, size=96).layers:
            if layer.name and layer.depth < 0.95 and layer.name not in ("a wave", "a cloud", "balloons"):
                foot = np.flatnonzero((layer.pixels[..., 3] > 64).any(1)).max() / 96
                assert abs(foot - layer.depth) < 0.06, (place, layer.name)
                checked += 1
    assert checked > 30


def test_the_same_seed_paints_the_same_scene_and_another_seed_another():
    for medium in MEDIUMS:
        first, again, other = (paint("village", "sunset", "clear", medium, seed) for seed in (3, 3, 4))
        assert np.array_equal(first.picture(), again.picture())
        assert np.abs(first.picture().astype(int) - other.picture()).mean() > 8


def test_a_medium_changes_how_it_is_drawn_and_not_only_its_colours():
    """Styles differ in their edges, compared without colour: in the grey picture's gradient."""

    def edges(medium):
        grey = paint("castle", "day", "clear", medium, 5, 128).picture().astype(float).mean(-1)
        across, down = np.gradient(grey)
        return np.hypot(across, down)

    drawn = {medium: edges(medium) for medium in MEDIUMS}
    for medium in MEDIUMS:
        for other in MEDIUMS:
            alike = np.corrcoef(drawn[medium].ravel(), drawn[other].ravel())[0, 1]
            assert alike < 0.97 or medium == other


def test_night_is_dark_snow_is_white_and_fog_is_grey():
    def mean(time, weather, rows):
        pictures = [paint(place, time, weather, seed=7).picture() for place in ("village", "castle", "park", "farm")]
        return np.stack(pictures)[:, rows].astype(float).reshape(-1, 3)

    ground, all_rows = slice(SIDE * 3 // 4, SIDE), slice(0, SIDE)
    assert mean("night", "clear", all_rows).mean() < 0.6 * mean("day", "clear", all_rows).mean()
    assert mean("day", "snow", ground).min(1).mean() > 1.3 * mean("day", "clear", ground).min(1).mean()
    clear, fog = (np.ptp(mean("day", weather, slice(0, SIDE * 3 // 4)), axis=1).mean() for weather in ("clear", "fog"))
    assert fog < 0.5 * clear


def test_what_is_impossible_is_refused():
    with pytest.raises(ValueError, match="no place 'moon base'"):
        paint("moon base", "day", "clear")
    with pytest.raises(ValueError, match="'cave' has no time 'night'"):
        paint("cave", "night", "")
    with pytest.raises(ValueError, match="'desert' has no weather 'snow'"):
        paint("desert", "day", "snow")
    with pytest.raises(ValueError, match="no medium 'oil'"):
        paint("beach", "day", "clear", "oil")


def test_a_plan_shows_all_places_in_all_their_moments_and_mediums():
    labels = scenes.plan(len(PLACES) * 60)
    assert {label[0] for label in labels[: len(PLACES)]} == set(PLACES)
    for name, place in PLACES.items():
        mine = [label[1:] for label in labels if label[0] == name]
        assert {(time, weather) for time, weather, _ in mine} == {(t, w) for t in place.times for w in place.weathers}
        assert {medium for *_, medium in mine} == set(MEDIUMS)
    assert scenes.plan(100) == labels[:100]


@pytest.mark.parametrize("time", [*TIMES, ""])
@pytest.mark.parametrize("weather", [*WEATHERS, ""])
def test_words_are_true_of_the_moment_and_of_no_other(time, weather):
    rng = np.random.default_rng(0)
    said = {" ".join(phrases.when(time, weather, rng)) for _ in range(200)}
    assert len(said) > 8 if time and weather else True
    other_times = [p for t in TIMES if t != time for p in phrases.TIME_PHRASES[t] if p]
    other_weathers = [p for w in WEATHERS if w != weather for p in phrases.WEATHER_PHRASES[w] if p]
    signs = {"rain": "rain", "snow": "snow", "fog": "fog", "night": "night", "morning": "sunrise", "evening": "sunset"}
    for text in said:
        assert not any(phrase in text for phrase in other_times + other_weathers), text
        assert all(meant in (time, weather) for sign, meant in signs.items() if sign in text), text
        assert "  " not in text and text == text.strip()


def test_a_medium_is_named_sometimes_and_truly():
    rng = np.random.default_rng(1)
    said = [phrases.in_medium("ink", rng) for _ in range(400)]
    assert 0.1 < np.mean([bool(text) for text in said]) < 0.3
    assert {text for text in said if text} == set(phrases.MEDIUM_PHRASES["ink"])


def test_phrases_of_places_are_varied_and_their_own():
    said = [phrase for place in PLACES.values() for phrase in place.phrases]
    assert all(len(place.phrases) >= 3 and place.empty for place in PLACES.values())
    assert len(set(said)) == len(said)


def test_snow_covers_the_ground():
    dry, white = (Painter("day", weather, "flat", "hill") for weather in ("clear", "snow"))
    assert min(white.ground("#3f7f3f")) > 0.7 > min(dry.ground("#3f7f3f"))
