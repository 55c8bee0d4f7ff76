"""What each variant learns, and that its switch is thrown while it does."""

import pytest
import torch

from anystory.evaluation.variants import CLIP, COUPLED, REFERENCE, train
from anystory.model.pipeline import AnyStoryPipeline
from anystory.training import stages
from anystory.training.art import Art
from anystory.training.world import World
from tests.tiny import mini_pipeline
from tests.training.test_world import folder  # noqa: F401 (a fixture)


@pytest.fixture(scope="module")
def world(folder, tmp_path_factory):  # noqa: F811
    cache = tmp_path_factory.mktemp("cache")
    return World(Art(folder, cache, split="train", size=48), cache, size=64, scenes_count=19)


@pytest.fixture
def model(tmp_path, monkeypatch):
    monkeypatch.setattr(stages, "HEALTH_FRAMES", 4)
    mini_pipeline().save_pretrained(tmp_path / "model")
    return tmp_path / "model"


def weights(folder):  # noqa: F811
    return AnyStoryPipeline.from_pretrained(folder).model.state_dict()


def changed(before, after):
    return {key for key in before if not torch.equal(before[key], after[key])}


def test_a_branch_alone_learns_nothing_of_the_other(model, world, tmp_path):
    """What is switched off gets no gradient: weight decay alone moves it, and not by itself where it is zero."""
    own = weights(model)
    for name, silent in ((CLIP, "adapter.reference_"), (REFERENCE, "adapter.subject_")):
        after = weights(train(name, model, world, tmp_path / "out", steps=2))
        moved = {key: (after[key] - own[key]).abs().max() / own[key].abs().max() for key in changed(own, after)}
        assert all(share < 1e-5 for key, share in moved.items() if key.startswith(silent))
        other = "adapter.subject_" if name == CLIP else "adapter.reference_"
        assert max(share for key, share in moved.items() if key.startswith(other)) > 1e-5


def test_routers_learn_from_nothing_and_the_model_stays_as_it_is(model, world, tmp_path):
    after = weights(train(COUPLED, model, world, tmp_path / "out", steps=3))
    start = weights(tmp_path / "out" / "coupled-start")
    own = weights(model)
    learned = ("routing_qformer.", "adapter.routers.", "adapter.mention.")
    assert all(key.startswith(learned) for key in changed(start, after))
    assert any(key.startswith("adapter.routers.") and "coarse" in key for key in changed(start, after))
    assert all(torch.equal(after[key], value) for key, value in own.items() if not key.startswith(learned))
