"""A training step hands a GPU its work without ever waiting for it, as far as a CPU can tell: nothing in it asks for a
number, for a shape that values decide, or copies constants from the processor."""

import itertools

import numpy as np
import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from anystory.training.art import Art
from anystory.training.inputs import encode_batch, prepare
from anystory.training.losses import Target, stage_losses
from anystory.training.muon import Muon, is_hidden_matrix
from anystory.training.stages import STAGES
from anystory.training.world import World
from tests.tiny import mini_pipeline
from tests.training.test_world import folder  # noqa: F401 (a fixture)

WAITS = ("_local_scalar_dense", "nonzero", "masked_select", "unique", "equal", "lift_fresh", "repeat_interleave.Tensor")


class _Waits(TorchDispatchMode):
    """Collects the operations for which a processor waits."""

    def __init__(self):
        super().__init__()
        self.seen = []

    def __torch_dispatch__(self, operation, types, arguments=(), settings=None):
        name = str(operation).removeprefix("aten.")
        by_mask = name == "index.Tensor" and any(i is not None and i.dtype == torch.bool for i in arguments[1])
        if name.startswith(WAITS) or by_mask:
            self.seen.append(name)
        return operation(*arguments, **(settings or {}))


@pytest.mark.parametrize(("stage", "subjects"), itertools.product(("joint", "router"), (0, 2)))
def test_a_step_waits_for_nothing(folder, tmp_path, stage, subjects):  # noqa: F811
    pipeline = mini_pipeline()
    for frozen in (pipeline.vae, pipeline.text_encoder, pipeline.image_encoder):
        frozen.requires_grad_(False)
    world = World(Art(folder, tmp_path, split="train", size=48), tmp_path, size=64, scenes_count=2)
    inputs = prepare(pipeline, world.batch(2, subjects, np.random.default_rng(0)))
    target = Target(pipeline.scheduler.alphas_cumprod, "v_prediction", torch.ones(4))
    model, generator, waits = pipeline.model.train().requires_grad_(True), torch.Generator(), _Waits()
    muon = Muon([weight for name, weight in model.named_parameters() if is_hidden_matrix(name, weight)], lr=1e-3)
    with waits:
        with torch.autocast("cpu", torch.bfloat16):
            losses = stage_losses(model, encode_batch(pipeline, inputs), STAGES[stage].objective, target, generator)
        losses["total"].backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 0.5)
        muon.step()
    assert waits.seen == []


def test_such_a_wait_is_seen():
    with _Waits() as waits:
        x = torch.ones(3)
        x[x > 0].sum().item()
    assert waits.seen == ["index.Tensor", "_local_scalar_dense.default"]
