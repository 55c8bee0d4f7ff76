"""The gap between the right reference, a wrong one and none."""

import numpy as np
import pytest
import torch

from anystory.training.art import Art
from anystory.training.health import reference_gap
from anystory.training.inputs import encode_batch, prepare
from anystory.training.world import World
from tests.tiny import mini_pipeline
from tests.training.test_world import folder  # noqa: F401 (a fixture)


@torch.no_grad()
def test_it_is_there_only_where_references_are_read_and_half_precision_sees_it_too(folder, tmp_path):  # noqa: F811
    world = World(Art(folder, tmp_path, split="train", size=48), tmp_path, size=64, scenes_count=2)
    composed = world.batch(4, 1, np.random.default_rng(1))

    def gap(pipeline):
        with torch.autocast("cpu", torch.bfloat16, enabled=pipeline.dtype == torch.bfloat16):
            return reference_gap(pipeline, [encode_batch(pipeline, prepare(pipeline, composed))], sigma=1.0)

    pipeline = mini_pipeline()
    for values in (*pipeline.adapter.subject_v, *pipeline.adapter.reference_v):
        values.weight *= 20
    errors = gap(pipeline)
    assert len({round(error, 4) for error in errors.values()}) == 3
    assert gap(pipeline.to(torch.bfloat16)) == pytest.approx(errors, rel=0.05)

    for name, weight in pipeline.adapter.named_parameters():
        if name.startswith(("subject_v", "reference_k", "reference_v")):
            weight.zero_()
    errors = gap(pipeline)
    assert errors["right"] == errors["wrong"]
