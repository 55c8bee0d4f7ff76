"""The router: coarse map, masked cross-attention, refined map, against a loop."""

import math

import pytest
import torch

from anystory.model.router import Router
from anystory.model.routing import positions
from tests import slow


@pytest.fixture
def router():
    torch.manual_seed(1)
    router = Router(routing_dim=6, layer_dim=10, inner_dim=4)
    for parameter in router.parameters():
        torch.nn.init.normal_(parameter, std=0.6)
    return router


def _loop(router, routing, tokens, where):
    """One frame: features of the entries and rows of tokens -> coarse and refined logits, and who claims what."""
    entries = range(len(routing))
    normed = [slow.layer_norm(router.norm_tokens, row) for row in tokens]
    tokens = [slow.add(row, slow.linear(router.position, place)) for row, place in zip(normed, where, strict=True)]

    def scores(to_query, to_key, features):
        queries, keys = slow.linears(to_query, features), slow.linears(to_key, tokens)
        return [[slow.dot(q, k) / math.sqrt(len(q)) for k in keys] for q in queries]

    coarse = scores(router.coarse_query, router.coarse_key, routing)
    claims = [[u for u in range(len(tokens)) if slow.one_hot([row[u] for row in coarse])[i]] for i in entries]
    refined_features = []
    for i in entries:
        region = claims[i] or range(len(tokens))
        keys = slow.linears(router.to_k, [tokens[u] for u in region])
        values = slow.linears(router.to_v, [tokens[u] for u in region])
        seen = slow.attention(slow.linear(router.to_q, routing[i]), keys, values)
        feature = slow.add(routing[i], slow.linear(router.to_out, seen))
        first, _, second = router.feed_forward
        hidden = slow.gelu(slow.linear(first, slow.layer_norm(router.norm_refined, feature)))
        refined_features.append(slow.add(feature, slow.linear(second, hidden)))
    return coarse, scores(router.refined_query, router.refined_key, refined_features), claims


@pytest.mark.parametrize("subjects", [0, 1, 3])
@torch.no_grad()
def test_router_agrees_with_the_loop(router, subjects):
    routing, tokens = torch.randn(2, subjects + 1, 6), torch.randn(2, 20, 10)
    where = positions((4, 5), tokens)
    coarse, refined = router(routing, tokens, where)
    assert coarse.shape == refined.shape == (2, subjects + 1, 20)
    for b in range(2):
        slow_coarse, slow_refined, _ = _loop(
            router, slow.numbers(routing[b]), slow.numbers(tokens[b]), slow.numbers(where)
        )
        assert torch.allclose(coarse[b].double(), torch.tensor(slow_coarse, dtype=torch.double), atol=1e-4)
        assert torch.allclose(refined[b].double(), torch.tensor(slow_refined, dtype=torch.double), atol=1e-4)


def test_an_entry_that_claims_no_token_looks_at_all_of_them(router):
    tokens = torch.randn(1, 1, 10) + 0.2 * torch.randn(1, 9, 10)
    where = positions((3, 3), tokens)
    for _ in range(1000):  # until the first entry takes every token, and by more than rounding
        routing = torch.randn(1, 3, 6, requires_grad=True)
        coarse, refined = router(routing, tokens, where)
        if (coarse[0, 0] - coarse[0, 1:].amax(0)).min() > 0.01:
            break
    with torch.no_grad():
        _, slow_refined, claims = _loop(router, slow.numbers(routing[0]), slow.numbers(tokens[0]), slow.numbers(where))
    assert [len(c) for c in claims] == [9, 0, 0]
    assert torch.allclose(refined[0].double(), torch.tensor(slow_refined, dtype=torch.double), atol=1e-4)
    (coarse.sum() + refined.square().sum()).backward()
    assert routing.grad.isfinite().all() and (routing.grad != 0).any(-1).all()


@torch.no_grad()
def test_permuting_subjects_permutes_the_maps(router):
    routing, tokens = torch.randn(1, 4, 6), torch.randn(1, 20, 10)
    where = positions((4, 5), tokens)
    order = [2, 0, 1, 3]
    for maps, permuted in zip(router(routing, tokens, where), router(routing[:, order], tokens, where), strict=True):
        assert torch.allclose(maps[:, order], permuted, atol=1e-5)


def test_the_refined_map_teaches_every_part_but_the_coarse_one(router):
    """The coarse map is a hard mask: its own loss is what teaches it."""
    tokens = torch.randn(1, 20, 10)
    router(torch.randn(1, 3, 6), tokens, positions((4, 5), tokens))[1].softmax(1)[:, 0].sum().backward()
    taught = {name.split(".")[0] for name, p in router.named_parameters() if p.grad is not None and p.grad.any()}
    assert taught == {name for name, _ in router.named_children()} - {"coarse_query", "coarse_key"}
