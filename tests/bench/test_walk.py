"""Every plan on the simulated card, at small scale: who is there when, and what it takes."""

import importlib.util
from dataclasses import replace

import pytest
import torch
from safetensors.torch import save_file
from torch import nn
from torch.utils._python_dispatch import _disable_current_modes
from transformers import SiglipVisionModel

from anystory.backends.base import Lora
from anystory.backends.lora import add_lora, lora_size
from anystory.bench import __main__ as command
from anystory.bench import walk
from anystory.bench.card import CARD, Card
from anystory.bench.flux import GOLDEN
from anystory.model import offload
from anystory.model.flux.pipeline import AnyStoryFluxPipeline
from anystory.model.flux.plans import ALWAYS, FluxFootprint, FluxWork, empty, place, plan

FOOTPRINT = FluxFootprint.of(walk.SCALED.configs, walk.SCALED.rank)
QKV = {"to_q", "to_k", "to_v"}
WORK = FluxWork((walk.SCALED.size, walk.SCALED.size), walk.SCALED.size, walk.SCALED.subjects, 1, walk.SCALED.text)


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    return walk.saved(tmp_path_factory.mktemp("scaled"))


def walked_by(each, *files):
    return walk.walked(each.name, each, lambda: walk.frame(walk.loaded(each, *files)))


@pytest.fixture(scope="module")
def walked(files):
    """Each way to keep the model, walked."""
    ways = ("none", "model", "block")
    return {offload: walked_by(plan(FOOTPRINT, WORK, "bf16", "bf16", offload), *files) for offload in ways}


def test_a_plan_finds_its_weights_and_takes_what_it_says(walked):
    for found in walked.values():
        assert found.passed, str(found)
        assert found.measured >= 0.8 * found.expected
    measured = [found.measured for found in walked.values()]
    assert measured == sorted(measured, reverse=True)


def test_every_plan_draws_the_same_picture(walked):
    assert len({found.picture for found in walked.values()}) == 1


def test_weights_that_come_block_by_block_are_pinned_as_they_go(walked):
    total = 2 * (sum(map(sum, FOOTPRINT.weights.values())) + FOOTPRINT.branches)
    assert walked["none"].pinned == walked["model"].pinned == 0
    assert 0 < walked["block"].pinned <= plan(FOOTPRINT, WORK, "bf16", "bf16", "block").host - total


def test_models_that_take_turns_are_alone(files):
    with Card():
        pipeline = walk.loaded(plan(FOOTPRINT, WORK, "bf16", "bf16", "model"), *files)
        parts = {name: part for name, part in pipeline.components.items() if isinstance(part, nn.Module)}
        seen = []

        def there():
            return {name for name, part in parts.items() if any(p.device == CARD for p in part.parameters())}

        for name, part in parts.items():
            part.register_forward_hook(lambda *_, name=name: seen.append((name, there())))
        walk.frame(pipeline)
        assert there() == {"transformer", *ALWAYS}  # where the next frame finds it, if its prompt is encoded
    assert all(those == {name, *ALWAYS} for name, those in seen)
    sent = [name for name, _ in seen]
    assert set(sent) == parts.keys() - set(ALWAYS)
    runs = [name for name, before in zip(sent, ["", *sent], strict=False) if name != before]
    assert runs.count("transformer") == 2  # once a frame: no preview sends it away


def test_a_plan_whose_models_do_not_make_room_is_found_out(files, monkeypatch):
    def only_the_one_before(modules, device):
        modules = modules[::-1]
        for module, before in zip(modules, [None, *modules], strict=False):
            offload.add_hook_to_module(module.to("cpu"), offload.CardTurn(device, [before] if before else []))

    monkeypatch.setattr("anystory.model.flux.plans.take_turns", only_the_one_before)
    found = walked_by(plan(FOOTPRINT, WORK, "bf16", "bf16", "model"), *files)
    assert not found.error and not found.passed and "NO" in str(found)


def test_a_weight_that_is_read_where_it_is_not_is_found_out(monkeypatch):
    with_head = SiglipVisionModel  # which reads a layer's weights without calling the layer
    monkeypatch.setattr("anystory.model.flux.pipeline.VisionEncoder", with_head)
    golden = GOLDEN / "base", GOLDEN / "redux", GOLDEN / "anystory_flux_tiny.bin"
    found = walked_by(plan(FOOTPRINT, WORK, "bf16", "bf16", "block"), *golden)
    assert not found.passed and "CardError: multi_head_attention_forward takes" in found.error


def test_the_command_walks_all_and_fails_with_one(monkeypatch, capsys):
    told = [walk.Walk("a", 10, 11), walk.Walk("b", skipped="it takes the package c")]
    monkeypatch.setattr(command, "walks", lambda: iter(told[:1]))
    monkeypatch.setattr(command.kleins, "walks", lambda: iter(()))
    monkeypatch.setattr(command.paper, "walks", lambda: iter(told[1:]))
    assert command.main(["plans", "--check"]) == 0
    told.append(walk.Walk("d", 10, 13))
    assert command.main(["plans", "--check"]) == 1
    told[-1] = walk.Walk("d", 10, error="CardError: no")
    assert command.main(["plans", "--check"]) == 1
    said = capsys.readouterr().out
    assert "b: not walked, it takes the package c" in said and "d: FAILED, CardError: no" in said


@pytest.mark.parametrize(
    ("names", "package"),
    [
        (("fp8", "fp8", "none"), "torchao"),
        (("int8", "bf16", "model"), "torchao"),
        (("gguf", "bf16", "block"), "gguf"),
    ],
    ids=["fp8", "int8", "gguf"],
)
def test_quantised_models_move_too(files, tmp_path, names, package):
    if importlib.util.find_spec(package) is None:
        pytest.skip(f"takes the optional package {package}")
    own = walk.saved(tmp_path, gguf=True) if "gguf" in names else files
    found = walked_by(plan(FOOTPRINT, WORK, *names), *own)
    assert found.passed, str(found)


def lora(file, rank):
    """A LoRA on every attention of the transformer."""
    model = empty("transformer", walk.SCALED.configs["transformer"])
    layers = [n for n, m in model.named_modules() if isinstance(m, nn.Linear) and n.rpartition(".")[2] in QKV]
    weights = {}
    for name in layers:
        layer = model.get_submodule(name)
        weights[f"transformer.{name}.lora_A.weight"] = torch.randn(rank, layer.in_features) / 16
        weights[f"transformer.{name}.lora_B.weight"] = torch.randn(layer.out_features, rank) / 16
    save_file(weights, file)
    return file


@pytest.mark.parametrize("offload", ["model", "block"])
def test_loras_are_counted(files, walked, tmp_path, offload):
    ink = Lora("ink"), lora(tmp_path / "ink.safetensors", 128)
    footprint = replace(FOOTPRINT, loras=lora_size(*ink))
    each = plan(footprint, WORK, "bf16", "bf16", offload)

    def draw():
        with _disable_current_modes():
            pipeline = AnyStoryFluxPipeline.from_release(*files, torch.bfloat16, each)
            add_lora(pipeline, "ink", *ink)
        place(each, pipeline, str(CARD))
        return walk.frame(pipeline)

    found = walk.walked(each.name, each, draw)
    without = walked[offload]
    assert found.passed and found.picture != without.picture, str(found)
    more = each.peak - plan(FOOTPRINT, WORK, "bf16", "bf16", offload).peak
    assert 0.5 * more <= found.measured - without.measured <= 1.1 * more and more > 0.05 * without.measured
