"""The bench's command from end to end, at a size that takes a moment."""

import contextlib
import io
import json
from dataclasses import replace
from xml.etree import ElementTree

import pytest
import torch

from anystory.bench import __main__ as command
from anystory.bench import flux
from tests.bench.test_count import TINY

BATCHED = f"batch of {flux.BATCH}"


def runs_out_in_batches(pipeline, setup, mode, *more, run=flux.run):
    """As `run`, on a device that has memory for one frame at a time."""

    def check(_, args, kwargs):
        if len(kwargs["hidden_states"]) > setup.subjects:
            raise torch.OutOfMemoryError("CUDA out of memory.\nTried to allocate much.")

    hook = pipeline.transformer.transformer_blocks[0].register_forward_pre_hook(check, with_kwargs=True)
    try:
        return run(pipeline, setup, mode, *more)
    finally:
        hook.remove()


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """One run on a CPU whose memory is too short for batches: its status, what it wrote, and all it said."""
    out, said = tmp_path_factory.mktemp("bench"), io.StringIO()
    with pytest.MonkeyPatch.context() as patch, contextlib.redirect_stdout(said):
        for name in ("FULL", "SMALL"):
            patch.setattr(flux, name, replace(TINY, steps=10))
        patch.setattr(flux, "run", runs_out_in_batches)
        status = command.main(["flux", "--out", str(out), "--device", "cpu", "--repeats", "1"])
    return status, json.loads((out / "flux.json").read_text()), (out / "flux.svg").read_text(), said.getvalue()


def test_the_bench_writes_figures_and_checks_the_numbers(run):
    _, report, _, said = run
    assert set(report["modes"]) == set(flux.MODES)
    for case in report["golden"].values():
        assert set(case) == {"exact", "plain", "exact to plain"}
        assert max(case.values()) <= 2e-4
    for name, result in report["modes"].items():
        assert result["costs"]["flops"] > 0
        if mode := not result["error"] and flux.MODES[name]:
            assert result["seconds"] > 0 and result["peak"] > 0
            assert result["distance"] is None if name == "exact" else (result["distance"] < 1e-3) == mode.speed.exact
    assert report["scale"].startswith("small")  # said to be so
    claims = {check["what"]: check["passed"] for check in report["checks"] if not check["aim"]}
    assert claims["plain is exact, relative to the latents"]
    assert sum("golden" in what for what in claims) == 6
    assert "golden numbers, one_subject: exact" in said


def test_a_mode_that_fails_is_recorded_and_the_others_go_on(run):
    status, report, svg, said = run
    assert status == 1
    error = "OutOfMemoryError: CUDA out of memory."
    assert report["errors"] == {BATCHED: error, f"few steps, {BATCHED}": error}
    assert {name for name, result in report["modes"].items() if result["error"]} == set(report["errors"])
    assert f"{BATCHED} failed: {error}" in said
    words = "".join(ElementTree.fromstring(svg).itertext())
    assert all(name in words for name in flux.MODES) and "counted at full size" in words and error in words


def test_golden_numbers_are_computed_in_float32_itself(monkeypatch):
    """Not in TF32, which GPUs take for convolutions unless told: it is a hundredth away."""
    switches = torch.backends.cudnn, torch.backends.cuda.matmul
    before, found = [switch.allow_tf32 for switch in switches], []
    for switch in switches:
        switch.allow_tf32 = True

    def seen(pipeline, *given):
        found.append([switch.allow_tf32 for switch in switches])
        return given[3]

    monkeypatch.setattr(flux, "last", seen)
    try:
        flux.golden("cpu")
        assert all(switch.allow_tf32 for switch in switches)
    finally:
        for switch, value in zip(switches, before, strict=True):
            switch.allow_tf32 = value
    assert len(found) >= 4 and not any(map(any, found))


def test_drawing_casts_and_prompts_is_not_timed(monkeypatch):
    timing, drawn = [False], []
    randn, timed = torch.randn, flux.timed

    def noted(*shape, **how):
        drawn.append(timing[0])
        return randn(*shape, **how)

    def watched(work):
        timing[0] = True
        seconds = timed(work)
        timing[0] = False
        return seconds

    pipeline = flux.build.build(TINY.configs, TINY.rank, "cpu", torch.float32)
    monkeypatch.setattr(torch, "randn", noted)
    monkeypatch.setattr(flux, "timed", watched)
    result, _ = flux.run(pipeline, replace(TINY, steps=2), flux.MODES["exact"], None, 2)
    assert drawn and not any(drawn) and result.seconds > 0


@pytest.fixture
def nothing_runs(monkeypatch):
    """Each part of the bench answers at once."""
    for name, answer in (("golden", {}), ("counted", {}), ("plan_checks", {"expected": 1, "measured": 1})):
        monkeypatch.setattr(flux, name, lambda *_, answer=answer: answer)
    monkeypatch.setattr(flux.build, "build", lambda *_: None)
    monkeypatch.setattr(flux, "run", lambda *_: (flux.Result(1.0, 1, 0.0), None))


def test_numbers_that_are_apart_fail_the_bench(nothing_runs, monkeypatch, tmp_path, capsys):
    asked = ["flux", "--out", str(tmp_path), "--device", "cpu"]
    assert command.main(asked) == 0
    monkeypatch.setattr(flux, "golden", lambda device: {"case": {"exact": 0.1}})
    assert command.main(asked) == 1
    assert "golden numbers, case: exact: 0.1 (at most 0.0002): NO" in capsys.readouterr().out


def test_no_mode_is_begun_when_time_is_over_and_what_was_found_is_written(nothing_runs, tmp_path):
    assert command.main(["flux", "--out", str(tmp_path), "--device", "cpu", "--minutes", "0"]) == 1
    report = json.loads((tmp_path / "flux.json").read_text())
    assert set(report["errors"]) == set(flux.MODES)
    assert report["modes"]["plain"]["error"] == "TimeoutError: 0 minutes are too few to begin it."


def test_without_a_model_the_golden_check_and_the_counts_remain(nothing_runs, monkeypatch):
    def short(*_):
        raise torch.OutOfMemoryError("CUDA out of memory.")

    monkeypatch.setattr(flux.build, "build", short)
    written = []
    report = flux.bench("cpu", write=lambda report: written.append(set(report["errors"])), tell=lambda _: None)
    assert set(report["errors"]) == {"model"} and written == [set(), set(), {"model"}]


def test_a_place_that_cannot_be_written_is_told_first(nothing_runs, tmp_path, capsys):
    (tmp_path / "file").touch()
    assert command.main(["flux", "--out", str(tmp_path / "file" / "bench"), "--device", "cpu"]) == 2
    assert "cannot be written" in capsys.readouterr().err


def test_plans_are_told_for_every_card(capsys):
    assert command.main(["plans"]) == 0
    assert capsys.readouterr().out.count(" GB | transformer in ") == 6
