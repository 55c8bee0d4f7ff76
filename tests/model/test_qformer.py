"""Eq 2: learned queries that read a picture's vision tokens, against a loop."""

import pytest
import torch

from anystory.model.qformer import QFormer
from tests import slow


@pytest.fixture
def qformer():
    torch.manual_seed(0)
    return QFormer(vision_dim=6, output_dim=5, queries=3, width=8, layers=2, head_dim=4).eval()


def _loop(qformer, features):
    resampler = qformer.resampler
    features = slow.linears(resampler.proj_in, features)
    queries = slow.numbers(resampler.latents[0])
    for block in resampler.layers:
        attention, (norm, feed_forward) = block.attn, block.ff
        normed = [slow.layer_norm(block.ln1, row) for row in queries]
        seen = [slow.layer_norm(block.ln0, row) for row in features] + normed
        keys, values = slow.linears(attention.to_k, seen), slow.linears(attention.to_v, seen)
        for i, row in enumerate(normed):
            read = slow.attention(slow.linear(attention.to_q, row), keys, values, heads=2)
            queries[i] = slow.add(queries[i], slow.linear(attention.to_out[0], read))
        first, last = feed_forward.net[0].proj, feed_forward.net[2]
        for i, row in enumerate(queries):
            hidden = slow.gelu(slow.linear(first, slow.layer_norm(norm, row)))
            queries[i] = slow.add(row, slow.linear(last, hidden))
    return [slow.layer_norm(resampler.norm_out, row) for row in slow.linears(resampler.proj_out, queries)]


@torch.no_grad()
def test_qformer_agrees_with_the_loop(qformer):
    features = torch.randn(2, 7, 6)
    out = qformer(features)
    assert out.shape == (2, 3, 5)
    for b in range(2):
        expected = _loop(qformer, slow.numbers(features[b]))
        assert torch.allclose(out[b].double(), torch.tensor(expected, dtype=torch.double), atol=1e-5)


@torch.no_grad()
def test_a_picture_is_a_set_of_tokens(qformer):
    """Order carries nothing here: the vision encoder has put positions into its tokens."""
    features = torch.randn(1, 7, 6)
    assert torch.allclose(qformer(features), qformer(features.flip(1)), atol=1e-5)
    assert not torch.allclose(qformer(features), qformer(torch.zeros_like(features)), atol=1e-2)


def test_the_papers_size():
    """Four layers and 64 queries of the U-Net's width 2048 from CLIP ViT-H/14's 257 tokens of 1280."""
    with torch.device("meta"):
        qformer = QFormer(1280, 2048, queries=64)
        assert qformer(torch.empty(1, 257, 1280)).shape == (1, 64, 2048)
    assert len(qformer.resampler.layers) == 4


@torch.no_grad()
def test_saved_and_loaded_it_is_the_same(qformer, tmp_path):
    qformer.save_pretrained(tmp_path)
    features = torch.randn(1, 7, 6)
    assert torch.equal(QFormer.from_pretrained(tmp_path)(features), qformer(features))
