"""A place stays itself: whatever the hour, the weather and the medium, its ground is where it was."""

from collections import Counter
from itertools import product

import numpy as np
import pytest

from anystory.sketch import scenery
from anystory.sketch.scenery import PLACES
from anystory.sketch.scenery.chance import Chance
from anystory.sketch.scenery.draw import Painter, lighting, motif, weathering

NEAR = 1.0
"""How far a medium's hand may move anything, in percent of the square."""


def drawn(painting, stream="ground"):
    """Layer, motif and box of every mark of a stream in the order of drawing."""
    return [
        (sheet.name, sheet.depth, mark.motif, mark.box)
        for sheet in painting.sheets
        for mark in sheet.marks
        if mark.stream == stream
    ]


def moments(place):
    return list(product(PLACES[place].times, PLACES[place].weathers))


@pytest.mark.parametrize("place", PLACES)
def test_every_motif_of_the_ground_is_where_it_was_at_every_time_in_every_weather(place):
    """To the bit, in a medium that strays and in one that does not; what the weather brings is there at every time."""
    for medium in ("flat", "ink"):
        first, brought = None, {}
        for time, weather in moments(place):
            painting = scenery.paint(place, time, weather, medium, 5)
            ground = drawn(painting), painting.horizon
            first = first or ground
            assert len(ground[0]) > 12
            assert ground == first, (time, weather)
            falling = drawn(painting, "weather")
            assert brought.setdefault(weather, falling) == falling, (time, weather)


@pytest.mark.parametrize("place", PLACES)
def test_every_motif_is_where_it_was_in_every_medium(place):
    """Mediums draw edges their own way and may tear their washes, so what is compared is what all of them have."""

    def boxes(medium):
        found = {}
        for _, _, name, box in drawn(scenery.paint(place, *moments(place)[0], medium, 5)):
            found.setdefault(name, []).append(box)
        return {name: np.array(some) for name, some in found.items() if None not in some}

    flat = boxes("flat")
    for medium in ("watercolour", "ink", "paper", "crayon"):
        other, compared = boxes(medium), 0
        for name in flat.keys() & other.keys():
            if len(flat[name]) == len(other[name]):
                assert np.abs(flat[name] - other[name]).max() < NEAR, (medium, name)
                compared += 1
        assert compared >= 0.9 * len(flat), medium


@pytest.mark.parametrize("place", ["village", "room", "harbour"])
def test_the_pixels_of_the_ground_have_their_edges_where_they_were(place):
    """Night is another light on the same things: the lower half's edges lie on each other."""

    def edges(time, seed):
        kind = PLACES[place]
        scene = scenery.paint(place, time, kind.weathers[0], "flat", seed).render(160, 160)
        grey = scene.picture()[80:].astype(float).mean(-1)
        return np.hypot(*np.gradient(grey)).ravel()

    same = np.corrcoef(edges("day", 3), edges("night", 3))[0, 1]
    other = np.corrcoef(edges("day", 3), edges("night", 4))[0, 1]
    assert same > 0.6 > other + 0.2


def test_the_sky_is_another_at_another_hour():
    skies = [drawn(scenery.paint("meadow", time, "clear", "flat", 2), "light") for time in PLACES["meadow"].times]
    assert all(one and one != other for one, other in zip(skies, skies[1:] + skies[:1], strict=True))


def test_snow_and_light_come_and_go():
    def streams(time, weather):
        painting = scenery.paint("village", time, weather, "flat", 1)
        return Counter(mark.stream for sheet in painting.sheets for mark in sheet.marks)

    assert streams("day", "snow")["weather"] > streams("day", "cloudy")["weather"] + 20
    assert streams("night", "clear")["light"] > streams("day", "clear")["light"] + 20


# The streams themselves.


def test_chance_is_what_its_name_says():
    one, again, other = Chance("a"), Chance("a"), Chance("b")
    first = [one.between(0, 1) for _ in range(2000)]
    assert first == [again.between(0, 1) for _ in range(2000)]
    assert not set(first) & {other.between(0, 1) for _ in range(2000)}
    assert 0 <= min(first) < 0.01 and 0.99 < max(first) < 1 and abs(np.mean(first) - 0.5) < 0.02
    assert Counter(one.pick("x", "y", "z") for _ in range(3000)).most_common()[-1][1] > 900
    assert {one.count(2, 4) for _ in range(100)} == {2, 3, 4}
    assert sorted(one.shuffled(range(50))) == list(range(50)) != one.shuffled(range(50))
    places = one.spread(10, 0, 100)
    assert [int(at // 10) for at in places] == list(range(10))


def test_what_happens_inside_a_motif_moves_nothing_that_comes_after():
    @motif
    def thing(p, x, draws):
        return [p.between(0, 1) for _ in range(draws)]

    @lighting
    def lamp(p):
        return p.between(0, 1)

    @weathering
    def drift(p):
        return p.between(0, 1)

    def after(*before):
        p = Painter("day", "clear", "flat", "somewhere")
        for draw, values in before:
            draw(p, *values)
        with p.lighting():
            p.between(0, 1)
        return p.between(0, 1), thing(p, 9.0, 2), p.tone("#aabbcc")

    alone = after()
    assert after((thing, (1.0, 3)), (lamp, ()), (drift, ())) == alone
    p = Painter("day", "clear", "flat", "somewhere")
    assert thing(p, 9.0, 2) == alone[1] != thing(p, 8.0, 2)


def test_a_tone_does_not_hang_on_the_tones_before_it():
    first, second = (Painter("day", "clear", "flat", "somewhere") for _ in range(2))
    second.tone("#123456")
    assert first.tone("#aabbcc") == second.tone("#aabbcc") != second.tone("#aabbcc")


def test_what_is_drawn_in_the_light_stays_of_the_light():
    p = Painter("night", "snow", "flat", "somewhere")
    with p.lighting(), p.weathering():
        p.oval(50, 50, 4, 4, (1, 1, 1))
    with p.weathering():
        p.blob(50, 50, 4, 4, (1, 1, 1))
    p.blob(50, 50, 4, 4, (1, 1, 1))
    assert [mark.stream for mark in p.sheets[0].marks] == ["light", "weather", "ground"]
