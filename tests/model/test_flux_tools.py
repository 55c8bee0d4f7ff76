"""What people put around a stock transformer keeps working with subjects in it: offloading, quantisation, lower
precision, compilation, caches and attention backends. Each is shown to be in force, and the numbers to be right."""

from types import SimpleNamespace

import accelerate
import pytest
import torch
from diffusers import hooks

from anystory.model.flux.pipeline import AnyStoryFluxPipeline, FluxSettings
from anystory.model.offload import _is_on
from tests.model.test_flux import GOLDEN, prompt, subject

SETTINGS = FluxSettings(height=64, width=64, num_inference_steps=5, enable_router=True, ref_start_at=0.1)
"""Five steps: nothing open, Redux and references, then references alone."""


def load():
    return AnyStoryFluxPipeline.from_release(GOLDEN / "base", GOLDEN / "redux", GOLDEN / "anystory_flux_tiny.bin")


@pytest.fixture(scope="module")
def cast():
    pipeline = load()
    return [subject(pipeline, seed, 64) for seed in range(2)]


def run(pipeline, cast, settings=SETTINGS):
    noise = torch.randn(1, 16, 16, generator=torch.Generator().manual_seed(5))
    steps = list(pipeline.denoise(*prompt(), cast, noise, settings))
    return steps[-1].latents, [logits.argmax(0) for step in steps for logits in step.logits]


@pytest.fixture(scope="module")
def plain(cast):
    return run(load(), cast)


def near(ours, plain, distance, agreement=1.0):
    latents, maps = ours
    torch.testing.assert_close(latents, plain[0], atol=distance, rtol=0)
    assert len(maps) == len(plain[1]) == 20  # four routed steps of five layers
    assert (torch.stack(maps) == torch.stack(plain[1])).float().mean() >= agreement


def test_layers_that_are_there_only_while_they_run(cast, plain):
    pipeline = load()
    accelerate.cpu_offload(pipeline.transformer, execution_device="cpu")
    assert {parameter.device.type for parameter in pipeline.transformer.parameters()} == {"meta"}
    near(run(pipeline, cast), plain, 1e-5)


def test_models_that_take_turns(cast, plain):
    pipeline = load()
    pipeline.enable_model_cpu_offload(device="cpu")
    near(run(pipeline, cast), plain, 1e-5)
    near(run(pipeline, cast), plain, 1e-5)  # and again, after the hooks were put back


@pytest.mark.parametrize("kind", ["leaf_level", "block_level"])
def test_groups_of_layers_that_take_turns(cast, plain, kind):
    pipeline = load()
    more = {"num_blocks_per_group": 1} if kind == "block_level" else {}
    pipeline.transformer.enable_group_offload(torch.device("cpu"), offload_type=kind, **more)
    near(run(pipeline, cast), plain, 1e-5)


def test_weights_in_eight_bits_between_their_uses(cast, plain):
    pipeline = load()
    pipeline.transformer.enable_layerwise_casting(torch.float8_e4m3fn, torch.float32)
    stored = [parameter.dtype for parameter in pipeline.transformer.parameters()]
    assert stored.count(torch.float8_e4m3fn) > len(stored) / 2
    near(run(pipeline, cast), plain, 0.5, agreement=0.9)


def test_weights_quantised_to_int8(cast, plain):
    torchao = pytest.importorskip("torchao.quantization")
    pipeline = load()
    torchao.quantize_(pipeline.transformer, torchao.Int8WeightOnlyConfig())
    weight = pipeline.transformer.transformer_blocks[0].attn.to_q.weight
    assert type(weight) is not torch.nn.Parameter
    ours = run(pipeline, cast)
    near(ours, plain, 0.2, agreement=0.95)
    assert not torch.equal(ours[0], plain[0])


def test_another_attention_backend(cast, plain):
    pipeline = load()
    pipeline.transformer.set_attention_backend("_native_math")
    assert {processor._attention_backend for processor in pipeline.transformer.attn_processors.values()} == {
        "_native_math"
    }
    near(run(pipeline, cast), plain, 1e-4)


CACHES = {
    "first block": lambda p: hooks.FirstBlockCacheConfig(threshold=10.0),
    "pyramid attention broadcast": lambda p: hooks.PyramidAttentionBroadcastConfig(
        spatial_attention_block_skip_range=2,
        spatial_attention_timestep_skip_range=(0, 1001),
        spatial_attention_block_identifiers=("transformer_blocks",),
        current_timestep_callback=lambda: p.current_timestep,
    ),
    "taylor seer": lambda p: hooks.TaylorSeerCacheConfig(cache_interval=2, disable_cache_before_step=1, max_order=1),
    "mag": lambda p: hooks.MagCacheConfig(num_inference_steps=5, mag_ratios=torch.ones(5)),
}


@pytest.mark.parametrize("cache", CACHES.values(), ids=CACHES)
def test_caches_save_work_from_frame_to_frame(cast, plain, cache):
    pipeline = load()
    pipeline.transformer.enable_cache(cache(pipeline))
    latents, maps = run(pipeline, cast)
    assert latents.isfinite().all()
    assert 0 < len(maps) < 20  # layers were left out, so it is in force
    again, _ = run(pipeline, cast)
    torch.testing.assert_close(again, latents)  # nothing of one frame is left in the next
    pipeline.transformer.disable_cache()
    near(run(pipeline, cast), plain, 1e-5)


def test_a_cache_that_never_saves_changes_nothing(cast, plain):
    pipeline = load()
    pipeline.transformer.enable_cache(hooks.FirstBlockCacheConfig(threshold=0.0))
    near(run(pipeline, cast), plain, 1e-5)


def test_a_card_without_a_number_is_whichever_a_model_is_on():
    class Somewhere(torch.nn.Module):
        def parameters(self, recurse=True):
            return iter([SimpleNamespace(device=torch.device("cuda:0"))])

    assert _is_on(Somewhere(), torch.device("cuda")) and _is_on(Somewhere(), torch.device("cuda:0"))
    assert not _is_on(Somewhere(), torch.device("cuda:1")) and not _is_on(Somewhere(), torch.device("cpu"))
