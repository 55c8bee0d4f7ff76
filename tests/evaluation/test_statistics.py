"""Intervals: known values, and that they hold what they promise."""

import math

import numpy as np
import pytest

from anystory.evaluation.statistics import mean, ratio, share, share_difference


def test_wilsons_interval_has_its_known_values():
    figure = share([True] * 8 + [False] * 2)
    assert (figure.value, figure.n) == (0.8, 10)
    assert figure.low == pytest.approx(0.4902, abs=1e-4) and figure.high == pytest.approx(0.9433, abs=1e-4)
    sure = share([True] * 20)
    assert sure.high == 1 and sure.low == pytest.approx(0.8389, abs=1e-4)


def test_no_samples_give_no_figure():
    assert share([]).n == 0 and math.isnan(mean([]).value)
    assert share([]).as_data() == {"value": None, "interval": None, "n": 0}
    assert str(mean([])) == "–"


def test_the_bootstrap_covers_the_truth_about_nineteen_times_in_twenty():
    rng = np.random.default_rng(0)
    inside = [
        (f := mean(rng.exponential(1.0, 60))).low <= 1.0 <= f.high and f.low < f.value < f.high for _ in range(200)
    ]
    assert 0.87 < np.mean(inside) < 0.99
    narrow, wide = mean(rng.normal(0, 1, 1000)), mean(rng.normal(0, 1, 30))
    assert narrow.high - narrow.low < wide.high - wide.low


def test_a_ratio_of_means_and_its_interval():
    figure = ratio([2.0, 2.2, 1.8] * 20, [1.0, 1.1, 0.9] * 20)
    assert figure.value == pytest.approx(2.0) and figure.low < 2.0 < figure.high
    assert ratio([1.0], [0.0]).n == 0


def test_figures_are_the_same_every_time():
    values = list(np.random.default_rng(3).normal(size=50))
    assert mean(values) == mean(values)


def pairs(both, first, other, neither):
    """Two rows of hits with so many samples of each kind."""
    counts = both, first, other, neither
    return [
        [kind[row] for kind, count in zip(((1, 1), (1, 0), (0, 1), (0, 0)), counts, strict=True) for _ in range(count)]
        for row in range(2)
    ]


def test_the_difference_of_paired_shares_has_newcombes_known_values():
    figure = share_difference(*reversed(pairs(36, 12, 2, 0)))  # of Newcombe 1998, table II
    assert (figure.value, figure.n) == (pytest.approx(0.2), 50)
    assert (figure.low, figure.high) == (pytest.approx(0.0569, abs=1e-4), pytest.approx(0.3404, abs=1e-4))
    turned = share_difference(*pairs(36, 12, 2, 0))
    assert (turned.low, turned.high) == (pytest.approx(-figure.high), pytest.approx(-figure.low))


def test_few_pairs_that_agree_are_no_proof_that_all_would():
    same = share_difference(*pairs(4, 0, 0, 8))
    assert same.value == 0 and same.low == pytest.approx(-same.high) and 0.1 < same.high < 0.2
    assert share_difference(*pairs(0, 0, 0, 12)).high == pytest.approx(0.2425, abs=1e-4)
    assert share_difference([], []).n == 0
    with pytest.raises(ValueError, match="3 samples cannot be paired with 2"):
        share_difference([True] * 3, [True] * 2)


def test_the_difference_of_paired_shares_holds_the_truth_about_nineteen_times_in_twenty():
    """Of twelve pairs, where the bootstrap's interval holds it much less often."""
    rng = np.random.default_rng(0)
    held = {"newcombe": 0, "bootstrap": 0}
    for _ in range(400):
        kinds = rng.choice(4, 12, p=[0.3, 0.2, 0.05, 0.45])
        first, other = kinds < 2, (kinds == 0) | (kinds == 2)
        for name, figure in (
            ("newcombe", share_difference(first, other)),
            ("bootstrap", mean(other.astype(float) - first)),
        ):
            held[name] += figure.low <= -0.15 <= figure.high
    assert held["newcombe"] / 400 > 0.93 and held["newcombe"] > held["bootstrap"]
