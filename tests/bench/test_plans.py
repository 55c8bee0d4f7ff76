"""Memory plans: what they expect against what is counted at full size and measured at small, and what they say."""

import importlib.util
import subprocess
import sys
from dataclasses import replace

import pytest
import torch

from anystory.bench import build
from anystory.bench.flux import FULL, MODES, SMALL, frames, in_mode, measured_peak, references_cost
from anystory.model.flux.attention import blocks
from anystory.model.flux.plans import (
    CARDS,
    PRECISIONS,
    RANK,
    FluxFootprint,
    FluxWork,
    candidates,
    empty,
    frames_at_once,
    plan,
    quantisation,
    release_footprint,
    replan,
    table,
)
from anystory.model.memory import CONTEXT, GB, GIB, PlanError, chain, enough, out_of_memory
from anystory.supplies import HOME
from tests.bench.test_count import TINY

ALL = [p.package for p in PRECISIONS.values() if p.package]


def test_the_release_has_the_weights_it_is_known_for():
    weights = {name: sum(counts) for name, counts in release_footprint().weights.items()}
    assert weights["transformer"] == 11_901_408_320
    assert weights["text_encoder_2"] == 4_762_310_656
    assert weights["text_encoder"] == 123_060_480
    assert weights["vae"] == 83_819_683


def test_the_branches_are_counted_as_they_are_installed():
    pipeline = build.build(TINY.configs, TINY.rank, "meta", torch.float32)
    footprint = FluxFootprint.of(TINY.configs, TINY.rank)
    base = sum(footprint.weights["transformer"])
    installed = sum(p.numel() for p in pipeline.transformer.parameters()) - base
    installed += sum(p.numel() for part in (pipeline.redux, pipeline.router) for p in part.parameters())
    assert footprint.branches == installed


def test_expected_work_is_what_is_counted_at_full_size():
    layers = {"num_layers": 1, "num_single_layers": 2}
    configs = {name: config for name, config in FULL.configs.items() if "text" not in name}
    configs["transformer"] = configs["transformer"] | layers
    pipeline = build.build(configs, RANK, "meta", torch.bfloat16)
    meta = {"device": "meta", "dtype": torch.bfloat16}
    cost = references_cost(pipeline, [build.cast(pipeline, 2, 512, fill=1.0)], torch.empty(1, 768, **meta))
    work, footprint = FluxWork(), FluxFootprint.of(configs)
    step = footprint.step(replace(work, text=0, size=(16, 16)), 2)
    assert footprint.references(work, 2) + step == pytest.approx(cost.peak, rel=0.15)


def small_peak():
    """Bytes at the peak of a small frame."""
    small = replace(SMALL, steps=2)
    pipeline = build.build(small.configs, small.rank, "cpu", torch.float32)
    with in_mode(pipeline, MODES["exact"]):
        work = frames(pipeline, small, MODES["exact"])
        return min(measured_peak(work, "cpu") for _ in range(2))  # the first also fills what libraries keep


def test_expected_work_is_what_the_allocator_measures_at_small_scale():
    # In a process of its own: the profiler counts what the threads of other tests in this one allocate and free.
    command = [sys.executable, "-c", "from tests.bench.test_plans import small_peak; print(small_peak())"]
    peak = int(subprocess.run(command, cwd=HOME, capture_output=True, text=True, check=True).stdout)
    footprint, work = (
        FluxFootprint.of(SMALL.configs, SMALL.rank),
        FluxWork((SMALL.size, SMALL.size), SMALL.size, SMALL.subjects, 1, SMALL.text),
    )
    expected = footprint.references(work, 4) + footprint.step(work, 4)
    assert 0.75 * peak <= expected <= 1.5 * peak


SCALED = replace(SMALL, steps=3)


@pytest.fixture(scope="module")
def measured():
    """What a frame at small scale takes besides weights, and the weights of every part by precision: the bytes of the
    real tensors, quantised by the real packages."""
    pipeline = build.build(SCALED.configs, SCALED.rank, "cpu", torch.bfloat16)
    with in_mode(pipeline, MODES["exact"]):
        step = measured_peak(frames(pipeline, SCALED, MODES["exact"]), "cpu")
    latents = frames(pipeline, replace(SCALED, steps=1), MODES["exact"])()
    decode = measured_peak(lambda: pipeline.decode(latents, SCALED.size, SCALED.size), "cpu")
    return pipeline, max(step, decode)


def stored(module, precision):
    """Bytes of a module's weights, those of its linear layers in a precision."""
    package = PRECISIONS[precision].package
    if package is None:
        return sum(p.nbytes for p in module.parameters())
    if importlib.util.find_spec(package) is None:
        pytest.skip(f"{precision} takes the optional package {package}: pip install {package}")
    total = sum(p.nbytes for p in module.parameters())
    for layer in (m for m in module.modules() if isinstance(m, torch.nn.Linear)):
        total += quantised(layer.weight, precision) - layer.weight.nbytes
    return total


def quantised(weight, precision):
    """Bytes of one quantised weight."""
    if precision == "nf4":
        from bitsandbytes.functional import quantize_4bit

        packed, state = quantize_4bit(weight, quant_type="nf4", compress_statistics=True)
        return packed.nbytes + state.absmax.nbytes + state.state2.absmax.nbytes
    from torchao.quantization import Float8WeightOnlyConfig, Int8WeightOnlyConfig, quantize_

    layer = torch.nn.Linear(*weight.shape[::-1], bias=False, dtype=weight.dtype)
    layer.weight.data = weight.clone()
    quantize_(layer, Float8WeightOnlyConfig() if precision == "fp8" else Int8WeightOnlyConfig())
    return sum(getattr(layer.weight, name).nbytes for name in layer.weight.tensor_data_names)


@pytest.mark.parametrize("card", CARDS)
def test_a_cards_plan_expects_what_is_measured_at_small_scale(card, measured):
    pipeline, frame = measured
    chosen = chain(candidates(release_footprint(), FluxWork(), ALL, fp8=True), card * GIB, "FLUX")[0]
    footprint = FluxFootprint.of({n: c for n, c in SCALED.configs.items() if "text" not in n}, SCALED.rank)
    work = FluxWork((SCALED.size, SCALED.size), SCALED.size, SCALED.subjects, 1, SCALED.text)
    expected = plan(footprint, work, chosen.transformer, chosen.text, chosen.offload).peak - CONTEXT

    branches = [pipeline.redux, pipeline.router]
    transformer = pipeline.transformer
    base = empty("transformer", SCALED.configs["transformer"], "cpu").to(torch.bfloat16)
    low_rank = sum(p.nbytes for p in transformer.parameters()) - sum(p.nbytes for p in base.parameters())
    weights = stored(base, chosen.transformer) + low_rank + sum(stored(m, "bf16") for m in branches)
    others = [stored(part, "bf16") for part in (pipeline.vae, pipeline.image_embedder)]
    if chosen.offload == "none":
        weights += stored(pipeline.image_encoder, "bf16")
    elif chosen.offload == "block":
        parts = [stored(block, "bf16") for block in blocks(base)]
        weights *= (2 * max(parts) + stored(base, "bf16") - sum(parts)) / stored(base, "bf16")
    assert expected == pytest.approx(weights + sum(others) + frame, rel=0.3)


def test_every_card_gets_a_plan_that_fits_and_smaller_ones_to_fall_to():
    plans = candidates(release_footprint(), FluxWork(), ALL, fp8=True)
    names = {}
    for card in CARDS:
        fitting = chain(plans, card * GIB, "FLUX")
        names[card] = fitting[0].name
        peaks = [each.peak for each in fitting]
        assert peaks[0] < card * GIB and peaks == sorted(set(peaks), reverse=True)
    assert names == {
        8: "bf16/bf16/block",
        12: "nf4/bf16/model",
        16: "nf4/nf4/none",
        24: "fp8/fp8/none",
        48: "bf16/bf16/none",
        80: "bf16/bf16/none",
    }
    assert all(f"| {card} GB |" in table(release_footprint()) for card in CARDS)


def test_without_packages_or_fp8_there_are_other_plans():
    footprint = release_footprint()
    assert {each.transformer for each in candidates(footprint, FluxWork(), [])} == {"bf16"}
    assert chain(candidates(footprint, FluxWork(), ALL), 24 * GIB, "FLUX")[0].transformer == "int8"
    packed = replace(footprint, gguf=12 * GIB)  # as of eight bits a weight
    (only,) = candidates(packed, FluxWork(), ALL)
    assert only.name == "gguf/bf16/block" and candidates(packed, FluxWork(), []) == ()
    assert only.host - plan(footprint, FluxWork(), "gguf", "bf16", "block").host > 5e9


def test_larger_frames_more_subjects_and_batches_take_more():
    footprint = release_footprint()
    least = plan(footprint, FluxWork(), "bf16", "bf16", "none").peak
    for work in (FluxWork(size=(1024, 1024)), FluxWork(pictures=8), FluxWork(batch=4)):
        assert plan(footprint, work, "bf16", "bf16", "none").peak > least


def test_a_batch_is_as_large_as_the_card_has_room_for():
    footprint = release_footprint()
    chosen = plan(footprint, FluxWork(), "bf16", "bf16", "none")
    most = {card: frames_at_once(footprint, FluxWork(batch=4), chosen, card * GIB) for card in (40, 42, 80)}
    assert most == {40: 1, 42: 2, 80: 4}


def test_a_card_that_is_too_small_is_told_how_much_it_takes():
    with pytest.raises(PlanError, match=r"needs \d+\.\d GB on the card and there are 2\.0 GB; close"):
        chain(candidates(release_footprint(), FluxWork(), ALL), 2 * GB, "FLUX")


def test_a_plan_says_what_it_does_what_it_takes_and_that_it_was_never_run():
    text = str(plan(release_footprint(), FluxWork(), "nf4", "bf16", "model"))
    assert text.startswith("transformer in nf4, text encoder in bf16, one model on the card at a time: 11.")
    assert "never run on a GPU" in text


def test_quantisation_is_what_the_libraries_call_it():
    assert quantisation("bf16", "diffusers") is None
    for library in ("diffusers", "transformers"):
        pytest.importorskip("bitsandbytes")
        assert quantisation("nf4", library).bnb_4bit_quant_type == "nf4"


def test_memory_that_is_short_is_known_by_what_the_allocator_raises():
    with pytest.raises(RuntimeError) as caught:
        torch.empty(1 << 50, dtype=torch.uint8)
    assert out_of_memory(caught.value)
    assert out_of_memory(torch.OutOfMemoryError("CUDA out of memory"))
    for said in (
        "CUDA error: out of memory\nCUDA kernel errors might be asynchronously reported",
        "CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`",
        "cuDNN error: CUDNN_STATUS_ALLOC_FAILED",
        "CUDA error: CUBLAS_STATUS_NOT_INITIALIZED when calling `cublasCreate(handle)`",
        "cuDNN error: CUDNN_STATUS_NOT_INITIALIZED",
        "Unable to find a valid cuDNN algorithm to run convolution",
        "GET was unable to find an engine to execute this computation",
        "MPS backend out of memory (MPS allocated: 17.1 GB, max allowed: 18.1 GB)",
        "[enforce fail at alloc_cpu.cpp:117] DefaultCPUAllocator: not enough memory: you tried to allocate 9 bytes.",
    ):
        assert out_of_memory(RuntimeError(said)), said
    assert out_of_memory(OSError(12, "Cannot allocate memory"))
    assert out_of_memory(OSError("The paging file is too small for this operation to complete. (os error 1455)"))
    assert not out_of_memory(RuntimeError("shapes do not fit"))
    assert not out_of_memory(KeyError("out of memory"))
    for said in ("CUDA error: CUBLAS_STATUS_EXECUTION_FAILED", "CUDA error: an illegal memory access was encountered"):
        assert not out_of_memory(RuntimeError(said)), said


def test_references_of_all_pictures_are_counted():
    """Four subjects with eight pictures each, recorded in 57 layers: keys and values of 1 024 tokens a picture."""
    recorded = release_footprint().references(FluxWork(pictures=32), 2)
    assert recorded == 2 * 57 * 32 * 1024 * 3072 * 2 > 22e9
    plans = candidates(release_footprint(), FluxWork(), [])

    def fitting(pictures, card):
        takes = [replan(release_footprint(), FluxWork(pictures=pictures), each).peak for each in plans]
        return enough(plans, lambda each: takes[plans.index(each)], card * GIB, "This frame")

    assert fitting(2, 48) is plans[0] and fitting(32, 48).offload == "block"
    with pytest.raises(
        PlanError, match=r"^This frame needs \d\d\.\d GB on the card and there are 8\.6 GB; ask for a sm"
    ):
        fitting(64, 8)


def test_a_larger_frame_keeps_the_precision_that_frames_are_named_after():
    """Where turns are enough, weights in eight bits are not taken, though they come first."""
    first, other, same = (
        plan(release_footprint(), FluxWork(), *how)
        for how in (("bf16", "bf16", "none"), ("fp8", "fp8", "none"), ("bf16", "bf16", "block"))
    )
    takes = {first.name: 30 * GIB, other.name: 10 * GIB, same.name: 9 * GIB}
    assert enough((first, other, same), lambda each: takes[each.name], 24 * GIB, "This frame") is same
    takes[same.name] = 30 * GIB
    assert enough((first, other, same), lambda each: takes[each.name], 24 * GIB, "This frame") is other


def test_reading_a_reference_is_counted_where_it_takes_more_than_the_frame():
    footprint = release_footprint()
    small, large = (
        plan(footprint, FluxWork(size=(64, 64), reference=side), "bf16", "bf16", "block") for side in (512, 1024)
    )
    assert large.peak > small.peak
