"""The world's bench as a command, at a size that takes a moment."""

import json

from anystory.bench.__main__ import main
from tests.evaluation.test_train import folder  # noqa: F401


def test_the_bench_counts_frames_and_paints(folder, tmp_path, capsys):  # noqa: F811
    arguments = ["world", "--art", str(folder), "--out", str(tmp_path), "--size", "64", "--scenes", "3"]
    assert main([*arguments, "--frames", "16", "--runs", "2", "--processes", "1"]) == 0
    told = json.loads((tmp_path / "world.json").read_text())
    assert told["frames a second"]["n"] == 2 and told["frames a second"]["value"] > 0
    assert told["processor milliseconds a frame"]["n"] == 4  # batches of 8
    assert told["processor milliseconds a painted place"]["n"] >= 10
    assert json.loads(capsys.readouterr().out) == told


def test_the_bench_needs_art(tmp_path, capsys):
    assert main(["world", "--art", str(tmp_path), "--out", str(tmp_path)]) == 2
    assert "holds no index.jsonl" in capsys.readouterr().err
