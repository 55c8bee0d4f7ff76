"""Quantised weights, loaded as a plan loads them and run on the CPU: the real packages, on the tiny golden weights."""

import importlib
import shutil

import pytest
import torch

from anystory.bench.build import save_gguf
from anystory.bench.flux import last
from anystory.model.flux.pipeline import AnyStoryFluxPipeline, FluxSettings
from anystory.model.flux.plans import PRECISIONS, FluxPlan
from tests.backends.test_flux_golden import GOLDEN
from tests.backends.test_flux_modes import golden, pipeline, routed

STEPS = 3


def package(precision):
    """The package that a precision takes; the test is skipped where it is not installed."""
    name = PRECISIONS[precision].package
    try:
        return importlib.import_module(name)
    except ImportError:
        pytest.skip(f"{precision} takes the optional package {name}: pip install {name}")


@pytest.fixture
def base(tmp_path):
    """FLUX's folder, the transformer in a .gguf file."""
    package("gguf")
    folder = tmp_path / "base"
    shutil.copytree(GOLDEN / "base", folder)
    save_gguf(folder / "transformer")
    return folder


@pytest.fixture
def without_a_gpu(monkeypatch):
    """diffusers refuses bitsandbytes on a machine without a GPU, and bitsandbytes' kernels for AVX512-BF16 want wider
    layers than these and end the process on zero tokens: its others are taken, those that every CPU has."""
    package("nf4")
    from bitsandbytes.nn import modules
    from diffusers.quantizers.bitsandbytes import BnB4BitDiffusersQuantizer

    monkeypatch.setattr(BnB4BitDiffusersQuantizer, "validate_environment", lambda *_, **__: None)
    monkeypatch.setattr(BnB4BitDiffusersQuantizer, "update_device_map", lambda *_: {"": "cpu"})
    monkeypatch.setattr(modules, "has_avx512bf16", lambda: False)


def check(precision, text, kinds, base=GOLDEN / "base"):
    """Load a plan's precisions, see the kinds of weights it has, and how far the frame is from the full picture."""
    plan = FluxPlan(precision, text, "cpu", 0, 0)
    redux, checkpoint = GOLDEN / "redux", GOLDEN / "anystory_flux_tiny.bin"
    one = AnyStoryFluxPipeline.from_release(base, redux, checkpoint, torch.float32, plan)
    t5 = one.text_encoder_2.encoder.block[0].layer[0].SelfAttention
    layers = one.transformer.transformer_blocks[0].attn.to_q, t5.q
    assert [type(layer.weight).__name__ for layer in layers] == kinds
    case = routed()
    cast, settings, theirs = golden(case)
    settings = FluxSettings(**{**settings.__dict__, "num_inference_steps": STEPS})
    given = theirs["prompt_embeds"], theirs["pooled_prompt_embeds"], [cast], theirs["latents"], settings
    full, ours = last(pipeline(), *given), last(one, *given)
    distance = ((ours - full).norm() / full.norm()).item()
    assert 0 < distance <= PRECISIONS[precision].distance, f"{precision} is {distance:.3g} away"
    states, _ = one.encode_text("a fox meets an owl")
    expected, _ = pipeline().encode_text("a fox meets an owl")
    assert (states - expected).norm() <= 0.3 * expected.norm()
    assert torch.equal(states, expected) == (text == "float32")


@pytest.mark.parametrize(("precision", "kind"), [("fp8", "Float8Tensor"), ("int8", "Int8Tensor")])
def test_torchao(precision, kind):
    package(precision)
    check(precision, precision, [kind, kind])


def test_bitsandbytes(without_a_gpu):
    check("nf4", "nf4", ["Params4bit", "Params4bit"])


def test_gguf(base):
    check("gguf", "float32", ["GGUFParameter", "Parameter"], base)
