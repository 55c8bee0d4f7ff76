"""Comic marks: whose they are, where they may be, and that they are nobody's pixels."""

import random
from dataclasses import replace

import numpy as np
import pytest

from anystory.sketch.compose import compose
from anystory.sketch.cutout import Cutout
from anystory.sketch.marks import SIGNS, aspect_of, drawn
from anystory.sketch.scenery import MEDIUMS, PLACES, paint
from anystory.sketch.stagecraft.bends import FOURS
from anystory.sketch.stagecraft.figure import kind_of
from anystory.sketch.stagecraft.marks import DONE, FELT, MOODS, SIZES, TRAILS
from anystory.sketch.staging import stage
from anystory.sketch.words import vocabulary
from anystory.story.shot import Role, Shot, Thing
from tests.sketch.panels import SHAPES, asset, drawing, middle, painting, random_panel, shared, tall

SIDE = 160
AT_THE_HEAD = set(MOODS.values()) | set(FELT.values()) | set(DONE.values())


def staging_of(*roles, place="meadow", size=(512, 512), seed=1, cuts=None, **shot):
    roles = [Role("A", role) if isinstance(role, str) else role for role in roles]
    cutouts = [(cuts or {}).get(role.name) or drawing(role.name) for role in roles]
    shot = Shot(place=place, roles=tuple(roles), **shot)
    return stage(shot, cutouts, painting(place), size, seed)


def marks(*roles, **how):
    return staging_of(*roles, **how).marks


def test_the_tables_speak_of_what_is_known():
    actions = vocabulary()["actions"]
    assert set(vocabulary()["moods"]) - {"happy"} == set(MOODS)
    assert set(FELT) | set(DONE) | set(TRAILS) <= set(actions)
    named = AT_THE_HEAD | {name for names in TRAILS.values() for name in names}
    assert named == set(SIGNS) and set(SIZES) >= AT_THE_HEAD


@pytest.mark.parametrize("name", SIGNS)
@pytest.mark.parametrize("medium", MEDIUMS)
def test_a_drawing_is_whole(name, medium):
    pixels = drawn(name, medium, 80).pixels
    assert pixels.shape == (80, pytest.approx(80 * aspect_of(name), abs=1), 4)
    seen = pixels[..., 3] > 40
    assert seen.mean() > 0.03 and not any(seen[edge].any() for edge in (0, -1, np.s_[:, 0], np.s_[:, -1]))


@pytest.mark.parametrize("mood", MOODS)
def test_a_mood_is_at_the_head_of_whose_it_is(mood):
    placed, other = (staging := staging_of(Role("A", mood=mood), Role("B"))).placed
    (mark,) = staging.marks
    assert mark.name == MOODS[mood] and mark.owner == "A"
    x = (mark.box[0] + mark.box[2]) / 2
    assert abs(x - middle(placed)) < abs(x - middle(other))
    assert mark.box[3] < placed.box[1] + 0.3 * tall(placed) and mark.box[3] > placed.box[1] - 0.05
    assert mark.box[2] - mark.box[0] < 0.2 and mark.box[3] - mark.box[1] < 0.16


def test_what_somebody_does_says_what_they_feel():
    assert [mark.name for mark in marks(Role("A", "cries", mood="sad"))] == ["tears", "tears"]
    assert [mark.name for mark in marks(Role("A", "sleeps", mood="sleepy"))] == ["zzz"]
    assert [mark.name for mark in marks(Role("A", "shouts", mood="angry"))] == ["anger"]
    assert [mark.name for mark in marks(Role("A", "laughs", mood="happy"))] == ["joy"]
    assert marks(Role("A", mood="happy")) == marks("stands", "walks") == ()


def test_tears_fall_on_both_sides_and_not_under_water():
    left, right = sorted(marks("cries"), key=lambda mark: mark.box[0])
    assert left.mirrored and not right.mirrored and left.box[2] < right.box[0]
    assert marks("cries", place="underwater") == ()


@pytest.mark.parametrize("action", ["kisses", "hugs"])
def test_two_who_are_fond_of_each_other_have_one_heart(action):
    staging = staging_of(Role("A", action, toward="B"), Role("B", action, toward="A"))
    (hearts,) = staging.marks
    left, right = sorted(middle(placed) for placed in staging.placed)
    assert left < (hearts.box[0] + hearts.box[2]) / 2 < right


def test_who_fights_meets_the_other_where_the_blow_is():
    staging = staging_of(Role("A", "fights", toward="B"), Role("B", "fights", toward="A"))
    (blow,) = staging.marks
    left, right = sorted(middle(placed) for placed in staging.placed)
    assert blow.name == "impact" and left < (blow.box[0] + blow.box[2]) / 2 < right
    assert marks("fights") == ()


def test_what_trails_is_behind_who_runs():
    for facing, side in (("right", -1), ("left", 1)):
        cuts = {"A": drawing("A", 50, facing=facing)}
        staging = staging_of(Role("A", "runs", facing=facing), cuts=cuts)
        (runner,) = staging.placed
        assert {mark.name for mark in staging.marks} == {"speed", "dust"}
        for mark in staging.marks:
            ahead = 1 if runner.facing == "right" else -1
            assert (middle(mark) - middle(runner)) * ahead < 0 and mark.depth < runner.depth
        assert side == -(1 if facing == "right" else -1)
    assert "dust" not in {mark.name for mark in marks("runs", place="room", weather="")}
    (up,) = marks("jumps")
    (leaper,) = staging_of("jumps").placed
    assert up.angle == 90 and up.box[1] >= leaper.box[3] and up.box[3] <= leaper.depth


@pytest.mark.parametrize("seed", range(40))
def test_marks_are_inside_the_frame_below_the_balloons_and_on_no_head(seed):
    """Pixel by pixel: what is seen of the upper fifth of everybody is seen with the marks too."""
    shot, cutouts, size = random_panel(seed, most=5, related=True)
    chance = random.Random(seed)
    roles = tuple(replace(role, mood=chance.choice(("", *MOODS))) for role in shot.roles)
    shot = replace(shot, roles=roles)
    place = painting(shot.place)
    staging = stage(shot, cutouts, place, size, seed)
    assert staging == stage(shot, cutouts, place, size, seed)
    for mark in staging.marks:
        assert 0 <= mark.box[0] < mark.box[2] <= 1 and 0 <= mark.box[1] < mark.box[3] <= 1
        if shot.speakers and shot.framing == "":
            assert mark.box[1] >= 0.22 - 1e-9
    heads = [mark for mark in staging.marks if mark.name in AT_THE_HEAD and mark.name != "tears"]
    assert len({mark.owner for mark in heads}) == len(heads)
    small = (SIDE, round(SIDE * size[1] / size[0])) if size[0] <= size[1] else (round(SIDE * size[0] / size[1]), SIDE)
    masks, bare = (compose(one, shot, cutouts, place, *small).masks for one in (staging, replace(staging, marks=())))
    assert not (masks & ~bare).any()
    for placed, cut, seen, before in zip(staging.placed, cutouts, masks, bare, strict=True):
        if abs(placed.angle) < 30 and before.sum() > 200:
            rows, columns = (np.flatnonzero(before.any(axis)) for axis in (1, 0))
            head = np.zeros(before.shape, bool)
            head[rows[0] : rows[0] + max(len(rows) // 5, 1)] = True
            if kind_of(cut, "") == FOURS:  # its head is where it looks
                middle_column = (columns[0] + columns[-1]) // 2
                head[:, middle_column:] &= placed.facing != "left"
                head[:, :middle_column] &= placed.facing != "right"
            assert (seen & head).sum() >= 0.9 * (before & head).sum()


@pytest.mark.parametrize("medium", MEDIUMS)
@pytest.mark.parametrize("time", ["day", "night"])
def test_a_mark_stands_out_in_every_medium_and_light(medium, time):
    role = Role("A", mood="surprised")
    cut, place = drawing("A"), paint("meadow", time, "clear", medium, 3)
    shot = Shot(roles=(role,))
    staging = stage(shot, [cut], place, (SIDE, SIDE), 1)
    with_it, without = (
        np.asarray(compose(one, shot, [cut], place, SIDE, SIDE).image, int)
        for one in (staging, replace(staging, marks=()))
    )
    x0, y0, x1, y1 = (round(edge * SIDE) for edge in staging.marks[0].box)
    change = np.abs(with_it - without).max(-1)
    assert change[y0:y1, x0:x1].max() > 60 and (change[y0:y1, x0:x1] > 25).mean() > 0.15
    outside = change.copy()
    outside[y0 - 6 : y1 + 7, x0 - 6 : x1 + 7] = 0
    assert outside.max() == 0


TOLD = [
    *(Role("A", mood=mood) for mood in MOODS),
    *(Role("A", action, toward="B") for action in (*FELT, *DONE, *TRAILS)),
]


@pytest.mark.parametrize("framing", ["", "wide", "medium", "close-up", "from above", "from below"])
@pytest.mark.parametrize("told", TOLD, ids=lambda role: role.mood or role.action)
def test_no_mark_is_on_a_face_or_under_a_balloon(told, framing):
    """Of the cast, of extras by themselves and of a flock, whether or not somebody talks."""
    cuts = {"A": Cutout("A", asset("shelf/leo.webp")), "B": Cutout("B", asset("shelf/tuk.webp"))}
    extras = (Thing("queen"), Thing("dog", toward="A"), Thing("duck", count=5), Thing("bird", action="flies"))
    for place, speakers, size in (("beach", (), (512, 512)), ("meadow", ("A", "B", "A"), (640, 400))):
        staging = staging_of(
            told, Role("B"), place=place, framing=framing, things=extras, speakers=speakers, cuts=cuts, size=size
        )
        living = [one for one in staging.things if one.drawing is not None and one.drawing.living]
        assert len(living) >= 3
        for mark in staging.marks:
            assert not speakers or mark.box[1] >= 0.3 - 1e-9
            for one in (*staging.placed, *living):
                x0, y0, x1, y1 = one.box
                narrow = (x1 - x0) * size[0] < 0.7 * (y1 - y0) * size[1]  # of who is broad the face is at one end
                flock = getattr(one, "count", 1) > 1
                if (narrow or flock) and abs(one.angle) < 30 and mark.owner != getattr(one, "name", ""):
                    assert shared(mark.box, (x0, y0, x1, y1 if flock else y0 + 0.2 * (y1 - y0))) == 0, (mark, one)


def test_every_place_and_frame_has_room_for_one_mood():
    """The head of somebody who stands by themselves is never without its mark."""
    cut = Cutout("A", asset("shelf/leo.webp"))
    for place in PLACES:
        for size in SHAPES[:6]:
            found = marks(Role("A", mood="surprised"), place=place, size=size, cuts={"A": cut})
            assert [mark.name for mark in found] == ["!"], (place, size)
