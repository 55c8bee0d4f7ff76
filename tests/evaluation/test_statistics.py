"""Intervals: known values, and that they hold what they promise."""

import math

import numpy as np
import pytest

from anystory.evaluation.statistics import mean, ratio, share


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
