"""From a shot to a sketch: one setting is one place, what is cached changes nothing, every moment can be shown."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest

from anystory.sketch import sketcher
from anystory.sketch.cutout import Cutout
from anystory.sketch.plain import AIRS, LIGHTS, paint_plain
from anystory.sketch.scenery import MEDIUMS
from anystory.sketch.sketcher import Cache, painting_of, sketch, sketching
from anystory.story.shot import Role, Shot
from anystory.story.steering import Layout, Place

SIDE = 96


def cutout(name, colour):
    pixels = np.full((60, 40, 4), 255, np.uint8)
    pixels[..., :3] = colour
    pixels[:20, :8, 3] = pixels[:20, -8:, 3] = 0
    return Cutout(name, pixels)


CAST = [cutout("Mia", (220, 60, 50)), cutout("Pip", (250, 210, 60))]
ROLES = (Role("Mia"), Role("Pip", height=0.8))
NOBODY = Shot(roles=())


def drawn(shot, cast=CAST, width=SIDE, height=SIDE, seed=1, story_seed=5, **how):
    return sketch(shot, cast, width=width, height=height, seed=seed, story_seed=story_seed, **how)


def bits(*args, **how):
    result = drawn(*args, **how)
    return result.image.tobytes(), result.masks.tobytes()


def forgetful(monkeypatch):
    monkeypatch.setattr(sketcher, "_paintings", Cache(0, lambda painting: 1))
    monkeypatch.setattr(sketcher, "_backdrops", Cache(0, lambda behind: 1))


@pytest.mark.parametrize("medium", MEDIUMS)
def test_what_is_cached_changes_no_bit(medium, monkeypatch):
    shots = [Shot(roles=ROLES, medium=medium), Shot(roles=ROLES, medium=medium, framing="close-up")]
    first = [bits(shot) for shot in shots]
    again = [bits(shot) for shot in shots]
    forgetful(monkeypatch)
    assert first == again == [bits(shot) for shot in shots]
    assert first[0] != first[1]


def test_threads_get_the_same_bits(monkeypatch):
    shots = [Shot(place=place, setting=place, roles=ROLES) for place in ("beach", "forest", "beach", "castle")] * 2
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(bits, shots))
    forgetful(monkeypatch)
    assert together == [bits(shot) for shot in shots]


def test_a_setting_is_one_place_whoever_is_there():
    """The panel's seed says who stands how; what the place looks like comes from the story and the setting alone."""
    assert bits(NOBODY, seed=1) == bits(NOBODY, seed=2)
    assert drawn(Shot(roles=ROLES), seed=1).staging != drawn(Shot(roles=ROLES), seed=2).staging
    assert bits(NOBODY) != bits(NOBODY, story_seed=6)
    assert bits(NOBODY) != bits(replace(NOBODY, setting="meadow 2"))
    assert painting_of(NOBODY, 5) is painting_of(Shot(roles=ROLES), 5)


def test_coats_end_in_the_sketch():
    shot = Shot(roles=ROLES)
    coats = list(sketching(shot, CAST, width=SIDE, height=SIDE, seed=1, story_seed=5))
    assert [coat.what for coat in coats if coat.what in ("Mia", "Pip")].count("Mia") == 1
    last = coats[-1].sketch
    assert last.image.tobytes() == drawn(shot).image.tobytes() and last.shot == shot
    assert [placed.name for placed in last.staging.placed] == ["Mia", "Pip"]
    assert all(coat.sketch is None for coat in coats[:-1])


def test_cut_outs_come_in_any_order():
    assert bits(Shot(roles=ROLES)) == bits(Shot(roles=ROLES), CAST[::-1])


def test_a_layout_by_hand_says_where():
    layout = Layout((Place("Mia", (0.55, 0.3, 0.95, 0.8)),))
    mask = drawn(Shot(roles=ROLES), layout=layout).masks[0]
    rows, columns = np.nonzero(mask)
    assert columns.min() >= 0.5 * SIDE and rows.min() >= 0.25 * SIDE and rows.max() <= 0.85 * SIDE


@pytest.mark.parametrize("time", LIGHTS)
@pytest.mark.parametrize("weather", AIRS)
def test_a_plain_ground_has_every_moment(time, weather):
    medium = MEDIUMS[(LIGHTS.index(time) + AIRS.index(weather)) % len(MEDIUMS)]
    result = drawn(Shot("", "", time, weather, medium, roles=ROLES))
    assert (result.masks.sum((1, 2)) > 100).all()
    assert (result.shot.time, result.shot.weather, result.notes) == (time, weather, ())


def test_a_plain_ground_is_calm_and_as_bright_as_its_hour():
    bright = {}
    for time in ("day", "night"):
        grey = np.asarray(drawn(Shot("", "", time, "clear", "flat")).image.convert("L")).astype(float)
        bright[time] = grey.mean()
        assert np.abs(np.diff(grey, axis=0)).max() < 12 and np.abs(np.diff(grey, axis=1)).max() < 12
    assert bright["day"] > 200 and bright["night"] < 110
    with pytest.raises(ValueError, match="There is no time 'noon'; choose one of 'day'"):
        paint_plain("noon", "clear", "flat", 1)


def test_a_moment_the_place_does_not_have_gives_way_and_is_said():
    result = drawn(Shot("meadow", "meadow 1", "day", "snow", "", roles=ROLES))
    assert result.shot.weather == "clear" and result.shot.medium == sketcher.MEDIUM
    assert result.notes[0] == "The meadow cannot be painted in weather 'snow'; it shows 'clear'."
    silent = drawn(Shot("cave", "cave 1", "night", "rain", "flat", roles=ROLES))
    assert (silent.shot.time, silent.shot.weather) == ("", "")


@pytest.mark.parametrize("size", [(15, 512), (512, 4097)])
def test_sizes_beyond_the_bounds_are_refused(size):
    with pytest.raises(ValueError, match=r"The (width|height) is (15|4097); it must be from 16 to 4096 pixels\."):
        drawn(NOBODY, width=size[0], height=size[1])


def test_an_unknown_place_is_refused():
    with pytest.raises(ValueError, match="There is no place 'moonbase'"):
        drawn(replace(NOBODY, place="moonbase"))


def test_a_cache_keeps_within_its_bytes():
    made = []

    def get(key, size):
        return cache.get(key, lambda: made.append(key) or bytes(size))

    cache = Cache(100, len)
    for key in "abca":
        assert get(key, 30) == bytes(30)
    assert made == ["a", "b", "c"] and cache.nbytes == 90
    get("d", 40)  # "b" was used longest ago
    assert cache.nbytes == 100
    get("a", 30), get("c", 30)
    assert made == ["a", "b", "c", "d"]
    get("b", 30)
    assert made[-1] == "b" and cache.nbytes <= 100
    get("e", 60), get("e", 60)  # too large to be worth the rest
    assert made[-2:] == ["e", "e"] and cache.nbytes <= 100
