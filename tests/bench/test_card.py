"""The simulated card: it computes what the CPU does, and refuses what a real one would not do right."""

import pytest
import torch
from diffusers.hooks import apply_group_offloading
from torch import nn

from anystory.bench.card import CARD, Card, CardError, CardStream, OnCard

X = torch.arange(12.0).view(3, 4)


@pytest.fixture
def card():
    with torch.no_grad(), Card() as one:
        yield one


@pytest.fixture
def layers():
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(4, 4), nn.LayerNorm(4), nn.Linear(4, 2)).requires_grad_(False)


def test_it_computes_what_the_cpu_does(layers):
    query = torch.randn(1, 2, 5, 8)
    expected = layers(X), nn.functional.scaled_dot_product_attention(query, query, query), X.argmax(1), X[1:, ::2]
    with torch.no_grad(), Card():
        layers.to(CARD)
        x, q = X.to(CARD), query.to(CARD)
        found = layers(x), nn.functional.scaled_dot_product_attention(query=q, key=q, value=q), x.argmax(1), x[1:, ::2]
        assert all(one.device == CARD for one in found)
        assert all(torch.equal(one.cpu(), other) for one, other in zip(found, expected, strict=True))
        x[0] = 7.0
        assert x.tolist()[0] == [7.0] * 4 and torch.zeros(2, device=CARD).device == CARD
    assert (X[0] == torch.arange(4)).all()


def test_parameters_stay_the_objects_they_are(card, layers):
    before = list(layers.parameters())
    layers.to(CARD)
    assert all(isinstance(one, nn.Parameter) and one.device == CARD for one in before)
    layers.to("cpu")
    assert all(a is b for a, b in zip(layers.parameters(), before, strict=True))
    assert not any(isinstance(one, OnCard) for one in before)


def test_tensors_of_both_places_are_refused_but_for_numbers_indices_and_copies(card):
    x = X.to(CARD)
    for mixed in (lambda: x + X, lambda: torch.cat([x, X]), lambda: torch.mul(X, x)):
        with pytest.raises(CardError, match=r"\(3, 4\) that is not there"):
            mixed()
    with pytest.raises(CardError, match="indexed with one on the card"):
        X[torch.tensor([0, 2], device=CARD)]
    assert ((x + torch.tensor(1.0)).cpu() == X + 1).all()
    assert (x[torch.tensor([0, 2])].cpu() == X[[0, 2]]).all()
    assert (x.copy_(X + 1).cpu() == X + 1).all()


def test_a_models_work_off_the_card_is_refused(card, layers):
    with pytest.raises(CardError, match="runs off the card"):
        layers(X)
    assert (X + X).sum() == 132  # what is small may be the CPU's


def test_bytes_are_counted_while_they_are_alive_and_bounded():
    with Card(capacity=100) as card:
        x = X.to(CARD)
        assert card.memory.alive == 48
        y = x[1:]  # a view takes nothing
        del x
        assert card.memory.alive == 48
        with pytest.raises(torch.OutOfMemoryError, match="out of memory"):
            torch.zeros(20, device=CARD)
        z = X.to(CARD)
        del y, z
        assert (card.memory.alive, card.memory.peak) == (0, 96)


def test_what_is_still_being_copied_is_not_read(card):
    pinned, stream = X.pin_memory(), CardStream()
    assert pinned.is_pinned() and not X.is_pinned() and card.pinned.alive == 64  # a power of two
    with card.stream(stream):
        late, early = pinned.to(CARD, non_blocking=True), X.to(CARD, non_blocking=True)
    assert (early + 1).device == CARD  # from memory that is not pinned a copy is done when it returns
    with pytest.raises(CardError, match="still being copied"):
        late + 1
    stream.synchronize()
    assert ((late + 1).cpu() == X + 1).all()


def test_group_offloading_works_with_streams_and_a_weight_that_is_read_uncalled_is_found(card, layers):
    expected = layers.to(CARD)(X.to(CARD)).cpu()
    layers.to("cpu")
    model = nn.ModuleDict({"layers": layers})
    model.forward = lambda x, wrong=False: layers(x) @ layers[2].weight if wrong else layers(x)
    apply_group_offloading(model, CARD, torch.device("cpu"), "leaf_level", use_stream=True)
    for _ in range(3):  # traced, then ahead
        assert torch.equal(model(X.to(CARD)).cpu(), expected)
        assert {one.device.type for one in layers.parameters()} == {"cpu"}
    with pytest.raises(CardError, match=r"\(2, 4\) that is not there"):
        model(X.to(CARD), wrong=True)
