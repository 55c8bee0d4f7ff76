"""The comparisons as a command on a tiny model, their figures against slow computations, and table 1."""

import json
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from anystory.evaluation.__main__ import main
from anystory.evaluation.comparisons import COMPARISONS, as_markdown, rows_of
from anystory.evaluation.size import table, table_lines
from anystory.evaluation.statistics import share_difference
from anystory.evaluation.variants import VARIANTS
from tests.evaluation.test_main import art as test_art

art = test_art
"""The same twenty drawings by two sets."""


def compare(model, art, out, *more: str) -> dict:
    arguments = [str(model), "--art", str(art), "--out", str(out), "--only", "comparisons", "--samples", "2"]
    assert main([*arguments, "--steps", "2", *more]) == 0
    return json.loads((out / "figures.json").read_text())


def test_the_comparisons_are_whole_and_the_same_every_time(tiny_model_folder, art, tmp_path):
    first, second = (compare(tiny_model_folder, art, tmp_path) for _ in range(2))
    assert first == second and first["steps of each training"] == 0
    rows = first["comparisons"]
    untrained = [one for one in COMPARISONS if not any(arm.variant for arm in one.arms)]
    assert {row["comparison"] for row in rows} == {one.what for one in untrained}
    for one in untrained:
        named = [row["arm"] for row in rows if row["comparison"] == one.what]
        assert set(named) == {arm.name for arm in one.arms}
        with Image.open(tmp_path / f"{one.slug}.png") as sheet:
            assert sheet.width > 300
    for row in rows:
        first_arm = next(one.arms[0].name for one in untrained if one.what == row["comparison"])
        assert (row["difference"] is None) == (row["arm"] == first_arm)
        low, high = row["interval"]
        assert low <= row["value"] <= high and row["n"] == (8 if "composed" in row["samples"] else 2)
    assert {row["samples"] for row in rows} == {
        "from noise",
        "from the sketch",
        "composed, noise level 1",
        "composed, noise level 4",
    }
    page = (tmp_path / "comparisons.md").read_text()
    assert page.count("| refined |") == 8 and "| original | 2.567 B |" in page
    for name in ("figure-4.png", "figure-5.png"):
        assert (tmp_path / name).is_file()


def test_a_difference_is_of_pairs():
    arms = (SimpleNamespace(name="a"), SimpleNamespace(name="b"))
    rng = np.random.default_rng(0)
    one, two = rng.normal(size=9), rng.normal(size=9)
    base, other = rows_of(SimpleNamespace(what="x", arms=arms), 1, "s", [{"m": one}, {"m": two}])
    assert base.difference is None and base.figure.value == pytest.approx(sum(one) / 9)
    apart = [b - a for a, b in zip(one, two, strict=True)]
    assert other.difference.value == pytest.approx(sum(apart) / 9) and other.difference.n == 9
    means = sorted(
        sum(apart[i] for i in picks) / 9 for picks in np.random.default_rng(0).integers(9, size=(2000, 9)).tolist()
    )
    low, high = np.percentile(means, [2.5, 97.5])
    assert (other.difference.low, other.difference.high) == (pytest.approx(low), pytest.approx(high))
    page = as_markdown([base, other], "Title", ["| table |"])
    assert "One subject, s, n = 9:" in page and f"Δ {sum(apart) / 9:+.3f}" in page


def test_yes_and_no_are_shares():
    arms = (SimpleNamespace(name="a"),)
    (row,) = rows_of(SimpleNamespace(what="x", arms=arms), 1, "s", [{"found first": np.array([1.0, 0, 1, 1])}])
    assert row.figure.value == 0.75 and row.figure.low == pytest.approx(0.3006, abs=1e-4)  # Wilson's


def test_shares_differ_by_pairs():
    arms = (SimpleNamespace(name="a"), SimpleNamespace(name="b"))
    hits = np.array([1.0, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0])
    _, other = rows_of(SimpleNamespace(what="x", arms=arms), 1, "s", [{"place": hits}, {"place": hits.copy()}])
    assert other.difference.value == 0 and other.difference.low < -0.1  # twelve that agree leave room
    _, other = rows_of(SimpleNamespace(what="x", arms=arms), 1, "s", [{"place": hits}, {"place": hits * 0}])
    assert other.difference == share_difference(hits.astype(bool), np.zeros(12, bool))


def test_table_1_is_the_papers():
    """Operations of the attentions by hand; the parameters as the paper has them."""
    original, simplified, read = table()
    assert (round(original.parameters / 1e9, 2), round(simplified.parameters / 1e9, 2)) == (2.57, 2.02)
    assert read.operations < simplified.operations < original.operations
    # What is taken out of each of 70 layers: q and out, k and v of 77 tokens of 2048, and their two products.
    layers = [(32 * 32, 640)] * 10 + [(16 * 16, 1280)] * 60
    taken = sum(2 * (2 * n * d * d + 2 * 77 * 2048 * d + 2 * n * 77 * d) for n, d in layers)
    stem = 2 * 9 * 320 * 64 * 64  # the mask's channel is one more
    embedding = 2 * (2816 * 1280 + 1280 * 1280)
    assert original.operations - simplified.operations == taken + embedding - stem
    assert "0.858" in table_lines((original, simplified, read))[3]


def test_what_cannot_be_compared_is_refused_in_a_sentence(tiny_model_folder, art, tmp_path, capsys):
    common = [str(tiny_model_folder), "--art", str(art), "--out", str(tmp_path), "--only", "comparisons"]
    for more, sentence in (
        (["--train", "-1"], "--train is -1"),
        (["--guidance", "1"], "The guidance is 1"),
        (["--train", "3", "--only", "table"], "--train is 3, which only the comparisons use"),
    ):
        assert main([*common, *more]) == 2
        assert sentence in capsys.readouterr().err


def test_every_trained_arm_has_its_variant():
    assert {arm.variant for one in COMPARISONS for arm in one.arms} - {""} == set(VARIANTS)
