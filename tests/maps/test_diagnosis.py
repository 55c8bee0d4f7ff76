"""The diagnosis against frames whose numbers are known by construction."""

import json

import numpy as np
import pytest
from PIL import Image

from anystory.maps.diagnosis import MAX_ONE_REGION, MAX_OVERLAP, MIN_SHARE, another_seed, diagnose
from anystory.story.model import ATTENTION, BACKGROUND, ROUTING, SEEN, RoutingMaps


def maps(*subjects, names=("Fox", "Owl", "Elk")):
    """Maps of the given subject values; the background takes the rest."""
    rest = 1 - sum(subjects) if subjects else np.ones((10, 10))
    return RoutingMaps((*names[: len(subjects)], BACKGROUND), np.stack([*subjects, rest]).astype(np.float32))


def box(top, left, height, width, value=1.0, floor=0.0, size=(10, 10)):
    values = np.full(size, floor)
    values[top : top + height, left : left + width] = value
    return values


def test_two_subjects_apart_pass_with_their_shares():
    found = diagnose(maps(box(0, 0, 4, 5), box(6, 5, 2, 5)))
    assert found.names == ("Fox", "Owl", BACKGROUND) and found.shares == (0.2, 0.1, 0.7)
    (pair,) = found.pairs
    assert (pair.names, pair.overlap, pair.one_region) == (("Fox", "Owl"), 0.0, 0.0)
    assert found.passed and found.badness == (False, 0, 0.0)
    assert found.sentence == "Fox holds 20 % and Owl 10 % of the frame, each in a place of its own."


def test_a_subject_that_holds_nothing_is_told():
    found = diagnose(maps(box(0, 0, 5, 5), box(6, 6, 2, 2, value=0.3)))
    assert found.shares == (0.25, 0.0, 0.75) and not found.passed
    assert found.sentence == "Owl holds nothing of the frame: try another seed."


@pytest.mark.parametrize(("tokens", "passes"), [(1, False), (99, False), (100, True), (101, True)])
def test_a_share_just_below_the_bound_is_told_with_its_number(tokens, passes):
    values = np.zeros(10_000)
    values[:tokens] = 1
    found = diagnose(maps(values.reshape(100, 100)))
    assert found.shares[0] == tokens / 10_000 and MIN_SHARE == 0.01
    assert found.passed == passes
    if not passes:
        assert f"Fox holds only {tokens / 100:.1f} % of the frame (at least 1.0 % is wanted)" in found.sentence


def test_overlap_counts_on_the_tokens_that_either_holds():
    """Fox holds ten tokens with 0.6 against 0.3, Owl ten with 0.8 against 0.2: (3 + 2) / (6 + 8). In the background,
    where both have 0.1, nothing is at stake."""
    fox = np.full((10, 10), 0.1)
    owl = np.full((10, 10), 0.1)
    fox[0], owl[0] = 0.6, 0.3
    fox[9], owl[9] = 0.2, 0.8
    found = diagnose(maps(fox, owl))
    assert found.shares == (0.1, 0.1, 0.8)
    assert found.pairs[0].overlap == pytest.approx(5 / 14, abs=1e-3) and found.pairs[0].one_region == 0
    assert found.passed


def test_two_subjects_in_one_region_are_told_also_where_one_holds_all_of_it():
    fox, owl = box(2, 2, 4, 4, value=0.55), box(2, 2, 4, 3, value=0.35)
    found = diagnose(maps(fox, owl))
    assert found.shares == (0.16, 0.0, 0.84)
    assert found.pairs[0].one_region == 1.0
    assert found.problems == (
        "Owl holds nothing of the frame",
        "Fox and Owl are in one region, 100 % of the smaller place",
    )
    # The place is where a map is at least half its greatest value: of Owl's 12 tokens, 4 are Fox's too.
    fox, owl = box(2, 2, 4, 4, value=0.8), box(2, 5, 4, 3, value=0.8)
    fox[2:6, 5], owl[2:6, 5] = 0.5, 0.45
    moved = diagnose(maps(fox, owl))
    assert moved.pairs[0].one_region == round(4 / 12, 4) and moved.passed


def test_maps_that_hardly_differ_are_told_by_their_overlap():
    fox, owl = box(0, 0, 10, 10, floor=0.0, value=0.4), box(0, 0, 10, 10, value=0.35)
    found = diagnose(maps(fox, owl))
    assert found.pairs[0].overlap == pytest.approx(0.35 / 0.4, abs=1e-3) and found.pairs[0].overlap > MAX_OVERLAP
    assert found.pairs[0].one_region == 1.0 > MAX_ONE_REGION and not found.passed


def test_every_pair_is_looked_at_in_the_order_of_the_cast():
    found = diagnose(maps(box(0, 0, 3, 3), box(3, 3, 3, 3), box(6, 6, 3, 3)))
    assert [pair.names for pair in found.pairs] == [("Fox", "Owl"), ("Fox", "Elk"), ("Owl", "Elk")]
    assert found.sentence == "Fox holds 9.0 %, Owl 9.0 % and Elk 9.0 % of the frame, each in a place of its own."


def test_permuting_subjects_permutes_the_numbers():
    rng = np.random.default_rng(0)
    values = rng.dirichlet(np.ones(4), (6, 9)).transpose(2, 0, 1).astype(np.float32)
    one = diagnose(RoutingMaps(("a", "b", "c", BACKGROUND), values))
    other = diagnose(RoutingMaps(("c", "a", "b", BACKGROUND), values[[2, 0, 1, 3]]))
    assert dict(zip(one.names, one.shares, strict=True)) == dict(zip(other.names, other.shares, strict=True))
    pairs = {frozenset(p.names): (p.overlap, p.one_region) for p in one.pairs}
    assert pairs == {frozenset(p.names): (p.overlap, p.one_region) for p in other.pairs}
    assert one.badness[1] == pytest.approx(other.badness[1]) and sum(one.shares) == pytest.approx(1, abs=1e-3)


def test_nobody_passes_and_ties_go_to_the_first():
    found = diagnose(maps())
    assert (found.shares, found.pairs, found.passed, found.sentence) == ((1.0,), (), True, "Nobody is in this panel.")
    even = np.full((10, 10), 1 / 3)
    assert diagnose(maps(even, even)).shares == (1.0, 0.0, 0.0)


def test_half_precision_on_disk_changes_nothing():
    values = np.random.default_rng(1).dirichlet(np.ones(3), (8, 8)).transpose(2, 0, 1).astype(np.float32)
    kept = values.astype(np.float16).astype(np.float32)
    names = ("Fox", "Owl", BACKGROUND)
    assert diagnose(RoutingMaps(names, values)) == diagnose(RoutingMaps(names, kept))


def test_the_data_is_json_by_name():
    data = json.loads(json.dumps(diagnose(maps(box(0, 0, 4, 5), box(6, 5, 2, 5))).as_data()))
    assert data == {
        "passed": True,
        "blank": False,
        "shares": {"Fox": 0.2, "Owl": 0.1, BACKGROUND: 0.7},
        "pairs": [{"names": ["Fox", "Owl"], "overlap": 0.0, "one_region": 0.0}],
    }


def test_worse_frames_are_worse():
    good = maps(box(0, 0, 4, 5), box(6, 5, 2, 5))
    small = maps(box(0, 0, 4, 5), box(6, 5, 1, 1, size=(10, 10), value=0.4))
    shared = maps(box(0, 0, 4, 5, value=0.5), box(0, 0, 4, 5, value=0.45))
    order = sorted((shared, small, good), key=lambda m: diagnose(m).badness)
    assert order[0] is good and order[-1] is shared
    closer = maps(box(0, 0, 4, 5, value=0.5), box(0, 0, 3, 5, value=0.4) + box(6, 0, 2, 5, value=0.4))
    assert diagnose(closer).badness < diagnose(shared).badness


def test_seeds_follow_each_other_always_the_same_way_and_far_from_their_neighbours():
    assert (another_seed(0), another_seed(7)) == (1426356679, 1834427453)  # or old stories would be retried anew
    chain = [7]
    for _ in range(1000):
        chain.append(another_seed(chain[-1]))
    assert len(set(chain)) == len(chain) and all(0 <= seed < 2**31 for seed in chain)
    assert chain[1] == another_seed(7) and abs(another_seed(8) - another_seed(7)) > 1000


@pytest.mark.parametrize("colour", ["black", "white", "#336699"])
@pytest.mark.parametrize("measure", [ROUTING, ATTENTION, SEEN])
def test_a_picture_of_one_colour_is_a_finding(colour, measure):
    good = RoutingMaps(("Fox", BACKGROUND), np.full((2, 10, 10), 0.5, np.float32), measure)
    picture = Image.new("RGB", (64, 64), colour)
    found = diagnose(good, picture)
    assert not found.passed
    assert found.sentence == "The picture is of one colour: try another seed."
    assert found.badness > diagnose(maps(box(0, 0, 1, 1), box(0, 0, 1, 1))).badness
    picture.putpixel((3, 3), (picture.getpixel((3, 3))[0] ^ 64, 0, 0))
    assert diagnose(good, picture) == diagnose(good)
