"""The counter against arithmetic done by hand, and against the layers of a real run."""

import pytest
import torch
from torch import nn

from anystory.bench import build
from anystory.bench.count import GPUS, LAUNCH, Cost, Counter
from anystory.bench.flux import FULL, Setup, counted, equal_shares, last, step_costs
from anystory.bench.flux import MODES as FULL_MODES
from anystory.model.flux.plans import RELEASE

TINY = Setup(
    {
        "transformer": {
            "num_layers": 2,
            "num_single_layers": 2,
            "attention_head_dim": 16,
            "num_attention_heads": 4,
            "joint_attention_dim": 48,
            "pooled_projection_dim": 32,
            "guidance_embeds": True,
            "axes_dims_rope": [4, 4, 8],
        },
        "vae": RELEASE["vae"] | {"block_out_channels": [16, 16, 32, 32], "norm_num_groups": 4},
        "image_encoder": RELEASE["image_encoder"]
        | {"hidden_size": 24, "intermediate_size": 48, "num_hidden_layers": 1, "num_attention_heads": 2},
        "image_embedder": {"redux_dim": 24, "txt_in_features": 48},
    },
    rank=4,
    size=64,
    text=24,
)
"""A FLUX that runs in a moment."""


def meta(*shape):
    return torch.empty(*shape, device="meta")


def test_a_product_is_two_operations_an_element_and_reads_and_writes_once():
    with Counter() as cost:
        meta(3, 5) @ meta(5, 7)
    assert (cost.flops, cost.launches) == (2 * 3 * 5 * 7, 1)
    assert cost.bytes == 4 * (3 * 5 + 5 * 7 + 3 * 7)


def test_a_kernel_takes_as_long_as_what_it_has_most_of():
    cost = Cost()
    for flops, moved in ((10**15, 10), (10, 10**13), (10, 10)):
        cost.launch(flops, moved)
    assert cost.estimate == pytest.approx([10**15 / rate + 10**13 / width + LAUNCH for rate, width in GPUS.values()])
    assert (cost * 2 + cost).estimate == pytest.approx([3 * x for x in cost.estimate])


def test_views_are_free_and_repeated_elements_are_read_once():
    x = meta(4, 6)
    with Counter() as cost:
        y = x.T.unsqueeze(0)[:, 1:]
    assert (cost.launches, cost.bytes) == (0, 0)
    with Counter() as cost:
        meta(1, 6).expand(4, 6) + x
    assert cost.bytes == 4 * (6 + 24 + 24)
    assert y.shape == (1, 5, 4)


def test_fused_attention_is_one_kernel_that_reads_its_mask():
    query, key, mask = meta(1, 2, 5, 8), meta(1, 2, 9, 8), meta(1, 2, 5, 9)
    with Counter() as cost:
        out = nn.functional.scaled_dot_product_attention(query, key, key, attn_mask=mask)
    assert out.shape == query.shape
    assert (cost.flops, cost.launches) == (4 * 2 * 5 * 9 * 8, 1)
    assert cost.bytes == 4 * (2 * 80 + 2 * 144 + 90)


def test_an_rms_norm_is_one_kernel_and_a_flattened_product_no_second_one():
    x, weight = meta(2, 5, 8), meta(8)
    with Counter() as cost:
        out = nn.functional.rms_norm(x, (8,), weight, 1e-6)
    assert out.shape == x.shape and (cost.launches, cost.bytes) == (1, 4 * (80 + 80 + 8))
    with torch.no_grad(), Counter() as cost:
        nn.functional.linear(x, meta(3, 8))
    assert cost.launches == 1


def test_the_peak_is_what_was_alive_at_once():
    with Counter() as cost:
        a = meta(1000)
        b = a + a
        del a
        c = b + b
        del b, c
        meta(500)
    assert cost.peak == 2 * 4000


def test_costs_add_up_and_scale():
    total = Cost(10, 20, 3, 7) * 2 + Cost(1, 1, 1, 9)
    assert total == Cost(21, 41, 7, 9)


def test_a_step_costs_what_its_layers_and_attention_cost():
    step = step_costs(build.build(TINY.configs, TINY.rank, "meta", torch.bfloat16), TINY, FULL_MODES["exact"])
    real = build.build(TINY.configs, TINY.rank, "cpu", torch.float32)
    flops = 0

    def count(layer, args, out):
        nonlocal flops
        flops += 2 * out.numel() * layer.in_features

    for module in real.transformer.modules():
        if isinstance(module, nn.Linear):
            module.register_forward_hook(count)
    settings = TINY.settings(FULL_MODES["exact"].speed)
    settings = type(settings)(
        height=64, width=64, num_inference_steps=1, enable_router=True, redux_end_at=0.0, ref_end_at=0.0
    )
    text, pooled = build.prompt(real, TINY.text)
    last(real, text, pooled, [build.cast(real, 2, 64)], build.noise(real, [0], 64), settings)
    tokens = TINY.text + (64 // 16) ** 2
    attention = 4 * 4 * tokens * tokens * 64  # layers, and two products of heads * channels = 64
    assert step[False, False].flops == flops + attention


def test_exact_costs_less_than_plain_in_every_way_and_modes_cost_less_than_exact():
    costs = counted(TINY, FULL_MODES)
    plain, exact = costs["plain"], costs["exact"]
    assert exact.flops < plain.flops and exact.bytes < plain.bytes and exact.launches < plain.launches
    assert costs["few steps"].flops < exact.flops and costs["cached"].flops < exact.flops
    assert costs["batch of 4"].launches < exact.launches and costs["batch of 4"].bytes < exact.bytes


def test_the_estimates_of_a_full_frame_reach_what_is_aimed_at():
    costs = counted(FULL, {name: FULL_MODES[name] for name in ("plain", "exact", "few steps")})
    seconds = {name: cost.estimate[0] for name, cost in costs.items()}  # of an H200
    assert seconds["plain"] >= 2 * seconds["exact"] and seconds["plain"] >= 4 * seconds["few steps"]


def test_shares_are_equal_and_complete_where_nothing_has_values():
    groups = equal_shares(meta(3, 10))
    assert [len(group) for group in groups] == [4, 3, 3]
