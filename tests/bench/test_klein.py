"""What maps cost FLUX.2 [klein], and its memory plans, at full size on the meta device."""

from dataclasses import replace

import pytest

from anystory.bench.klein import WORK, counted, walks
from anystory.model.flux.plans import FluxWork, candidates, plan, replan
from anystory.model.klein.plans import RELEASE, KleinFootprint, release_footprint
from anystory.model.memory import GIB, chain

TWO_BLOCKS = RELEASE | {"transformer": RELEASE["transformer"] | {"num_layers": 1, "num_single_layers": 1}}
"""Of the release's widths; blocks of a kind cost the same."""


@pytest.fixture(scope="module")
def costs():
    return counted(TWO_BLOCKS, steps=2)


def test_maps_cost_little_and_closing_brings_some_back(costs):
    stock, read, close = (costs[mode] for mode in ("stock", "read", "close"))
    assert stock.flops < close.flops < read.flops <= 1.15 * stock.flops


def test_a_step_takes_the_memory_that_its_plan_expects(costs):
    expected = KleinFootprint.of(TWO_BLOCKS).step(WORK, 2)
    assert costs["stock"].peak <= costs["close"].peak <= expected <= 1.6 * costs["close"].peak


def test_a_sketch_to_look_at_costs_what_one_more_picture_does():
    costs = counted(TWO_BLOCKS, steps=1, sketch=True)
    more = replace(WORK, pictures=WORK.pictures + 1)
    assert costs["stock"].flops < costs["read"].flops <= 1.15 * costs["stock"].flops
    assert costs["close"].flops <= 1.15 * costs["stock"].flops
    assert costs["close"].peak <= KleinFootprint.of(TWO_BLOCKS).step(more, 2) <= 1.6 * costs["close"].peak


def test_the_release_has_the_weights_it_is_known_for():
    """Its files have 7.75 GB for the transformer; of the text encoder's 8.05 GB eight layers are not read."""
    sizes = {name: 2 * sum(counts) / 1e9 for name, counts in release_footprint().weights.items()}
    assert sizes["transformer"] == pytest.approx(7.75, abs=0.01) and sizes["vae"] == pytest.approx(0.168, abs=0.01)
    assert sizes["text_encoder"] == pytest.approx(8.05 - 8 * 0.2019, abs=0.01)


@pytest.mark.parametrize(("card", "name"), [(8, "int8/int8/model"), (12, "bf16/bf16/model"), (24, "bf16/bf16/none")])
def test_every_card_from_8_gb_on_has_a_plan(card, name):
    plans = candidates(release_footprint(), WORK, ["torchao"], fp8=True)
    chosen = chain(plans, card * GIB, "FLUX.2 [klein]")
    assert chosen[0].name == name and [each.peak for each in chosen] == sorted({p.peak for p in chosen}, reverse=True)
    assert chosen[-1].name == "bf16/bf16/block"


def test_without_torchao_8_gb_take_a_block_at_a_time():
    plans = candidates(release_footprint(), WORK, [])
    assert chain(plans, 8 * GIB, "FLUX.2 [klein]")[0].name == "bf16/bf16/block"


def test_more_pictures_frames_and_pixels_take_more():
    footprint = release_footprint()
    least = plan(footprint, FluxWork((512, 512)), "bf16", "bf16", "model")
    for work in (FluxWork((1024, 1536)), FluxWork((1024, 1024), batch=4), FluxWork((1024, 1024), pictures=8, batch=2)):
        assert replan(footprint, work, least).peak > least.peak


def test_every_plan_finds_its_weights_on_a_card_and_draws_the_same_picture():
    found = list(walks())
    assert all(walk.passed for walk in found), [*map(str, found)]
    assert [walk.name for walk in found if not walk.skipped][:2] == ["klein bf16/bf16/none", "klein bf16/bf16/model"]
