"""The mention reader is taught on captions alone."""

import re

import pytest
import torch

from anystory.model.pipeline import AnyStoryPipeline
from anystory.training import mentions
from anystory.training.art import Art
from anystory.training.loop import Loop
from anystory.training.mentions import train_mentions
from anystory.training.world import World
from tests.tiny import mini_pipeline
from tests.training.test_world import folder  # noqa: F401 (a fixture)


@pytest.fixture(scope="module")
def world(folder, tmp_path_factory):  # noqa: F811
    cache = tmp_path_factory.mktemp("cache")
    return World(Art(folder, cache, split="train", size=48), cache, size=64, scenes_count=19)


@pytest.fixture
def start(tmp_path):
    mini_pipeline().save_pretrained(tmp_path / "start")
    return tmp_path / "start"


def _weights(model_folder):
    pipeline = AnyStoryPipeline.from_pretrained(model_folder)
    return pipeline.model.state_dict() | pipeline.text_encoder.state_dict()


def _loss(text):
    return [float(found) for found in re.findall(r"loss ([\d.]+)", text)][-1]


def test_it_learns_and_touches_nothing_else(start, world, capsys, monkeypatch):
    monkeypatch.setattr(mentions, "BATCH", 24)
    before = _weights(start)
    train_mentions(start, world, steps=1)
    first = _loss(capsys.readouterr().out)
    train_mentions(start, world, steps=40)
    assert _loss(capsys.readouterr().out) < 0.95 * first
    after = _weights(start)
    assert {key for key, weight in after.items() if not torch.equal(weight, before[key])} == {
        key for key in before if key.startswith("adapter.mention.")
    }


class _Interrupted:
    """A world that stops telling after a while."""

    def __init__(self, world, left):
        self.world, self.left = world, left

    def tell(self, *arguments):
        if self.left == 0:
            raise KeyboardInterrupt
        self.left -= 1
        return self.world.tell(*arguments)


def test_resumed_it_ends_where_it_would_have_without_a_break(start, world, tmp_path, monkeypatch):
    other = tmp_path / "other" / "start"
    mini_pipeline().save_pretrained(other)
    train_mentions(start, world, steps=4)
    with monkeypatch.context() as patch:
        patch.setattr(mentions, "Loop", lambda *a, **k: Loop(*a, **(k | {"save_every": 0.0})))
        with pytest.raises(KeyboardInterrupt):
            train_mentions(other, _Interrupted(world, 2), steps=4)
    assert torch.load(other.with_name("mentions.pt"), weights_only=True)["step"] == 2
    train_mentions(other, world, steps=4)
    assert all(map(torch.equal, _weights(start).values(), _weights(other).values()))
