"""Maps, gates and biases, each against a loop."""

import math

import pytest
import torch
from torch import nn

from anystory.model import routing
from tests import slow


@pytest.fixture(autouse=True)
def seed():
    torch.manual_seed(0)


@pytest.mark.parametrize("height", [1, 2, 7, 8, 9, 16, 33])
@pytest.mark.parametrize("width", [5, 8, 31])
def test_layer_shape_follows_the_convolutions_that_halve(height, width):
    halve = nn.Conv2d(1, 1, 3, stride=2, padding=1)
    x = torch.zeros(1, 1, height, width)
    for _ in range(4):
        assert routing.layer_shape(x.shape[2] * x.shape[3], height, width) == tuple(x.shape[2:])
        x = halve(x)


@pytest.mark.parametrize("tokens", [7, 63, 65])
def test_layer_shape_refuses_tokens_of_no_level(tokens):
    with pytest.raises(ValueError, match=f"{tokens} tokens fit no level of a 8x8 latent"):
        routing.layer_shape(tokens, 8, 8)


@pytest.mark.parametrize("shape", [(4, 4), (8, 8), (16, 16), (5, 5), (2, 3)])
def test_resize_is_bilinear(shape):
    maps = torch.randn(2, 3, 8, 8)
    resized = routing.resize(maps, shape)
    for b in range(2):
        for i in range(3):
            grid = slow.bilinear(slow.numbers(maps[b, i]), *shape)
            assert torch.allclose(resized[b, i].double(), torch.tensor(grid, dtype=torch.double), atol=1e-6)


def test_maps_sum_to_one_however_large_the_logits():
    maps = routing.soft_maps(torch.randn(2, 5, 4, 6) * torch.tensor([1.0, 1e4])[:, None, None, None])
    assert maps.min() >= 0 and maps.max() <= 1
    assert torch.allclose(maps.sum(1), torch.ones(2, 4, 6))
    column = torch.randn(1, 4, 1, 1)
    expected = slow.softmax(slow.numbers(column.flatten()))
    assert routing.soft_maps(column).flatten().tolist() == pytest.approx(expected, abs=1e-6)


def test_gates_are_one_hot_and_ties_go_to_the_first():
    logits = torch.randn(2, 4, 3, 3)
    logits[0, :, 0, 0] = 1.0
    gates = routing.hard_maps(logits)
    for b in range(2):
        for y in range(3):
            for x in range(3):
                assert gates[b, :, y, x].tolist() == slow.one_hot(logits[b, :, y, x].tolist())


def test_permuting_entries_permutes_maps_and_gates():
    logits, order = torch.randn(2, 4, 3, 3), torch.tensor([2, 0, 3, 1])
    for maps in (routing.soft_maps, routing.hard_maps):
        assert torch.allclose(maps(logits[:, order]), maps(logits)[:, order])


@pytest.mark.parametrize("temperature", [1.0, 0.3])
def test_gumbel_gates_are_one_hot_forward_and_soft_backward(temperature):
    logits = torch.randn(2, 3, 4, 4, requires_grad=True)
    gates = routing.gumbel_maps(logits, temperature)
    assert torch.allclose(gates.sum(1), torch.ones(2, 4, 4))
    assert torch.allclose(gates.max(1).values, torch.ones(2, 4, 4))
    (gates * torch.randn_like(gates)).sum().backward()
    assert logits.grad.abs().min() > 0
    assert torch.allclose(logits.grad.sum(1), torch.zeros(2, 4, 4), atol=1e-5)  # as through a softmax


def test_gumbel_gates_are_drawn_from_the_soft_map():
    logits = torch.tensor([1.0, 0.0, -1.0])[None, :, None, None].expand(1, -1, 150, 150)
    drawn = routing.gumbel_maps(logits, 0.5).mean((0, 2, 3))
    assert torch.allclose(drawn, logits[0, :, 0, 0].softmax(0), atol=0.01)


@pytest.mark.parametrize("shape", [(4, 4), (2, 8), (8, 8)])
def test_true_maps_are_shares_and_the_background_takes_the_rest(shape):
    masks = torch.rand(2, 2, 8, 8) * 0.7  # may overlap: then there is no background left
    maps = routing.area_maps(masks, shape)
    for b in range(2):
        first, second = (slow.shares(slow.numbers(masks[b, i]), *shape) for i in range(2))
        for y in range(shape[0]):
            for x in range(shape[1]):
                entries = [first[y][x], second[y][x], max(0, 1 - first[y][x] - second[y][x])]
                expected = [e / sum(entries) for e in entries]
                assert maps[b, :, y, x].tolist() == pytest.approx(expected, abs=1e-5)


def test_without_subjects_all_is_background():
    assert torch.equal(routing.area_maps(torch.zeros(2, 0, 8, 8), (4, 4)), torch.ones(2, 1, 4, 4))


def test_only_empty_regions_are_opened():
    regions = torch.tensor([[[True, False], [False, False]], [[False, False], [True, True]]])
    assert routing.open_empty(regions).tolist() == [[[True, False], [True, True]], [[True, True], [True, True]]]


@pytest.mark.parametrize("gamma", [0.0, -1.5])
def test_reference_bias_opens_each_reference_where_its_subject_is(gamma):
    logits = torch.randn(3, 3, 2, 3)
    active = torch.tensor([True, False, True])
    bias = routing.reference_bias(routing.hard_maps(logits), 4, gamma, active)
    assert bias.shape == (3, 1, 6, 2 * 4)
    for b in range(3):
        for u in range(6):
            owner = slow.one_hot(logits[b, :, u // 3, u % 3].tolist()).index(1)
            for subject in range(2):
                expected = gamma if owner == subject and active[b] else -math.inf
                assert bias[b, 0, u, subject * 4 : subject * 4 + 4].tolist() == [expected] * 4


def test_pictures_of_a_subject_share_the_weight_of_one_and_padding_is_never_seen():
    logits, counts = torch.randn(2, 3, 2, 3), [[3, 1], [2, 3]]
    gamma = torch.tensor([[[0.5, -1.0]], [[0.0, 2.0]]])
    present = torch.tensor([[[k < count for k in range(3)] for count in row] for row in counts])
    bias = routing.reference_bias(routing.hard_maps(logits), 3 * 4, gamma, torch.ones(2, dtype=torch.bool), present)
    assert bias.shape == (2, 1, 6, 2 * 3 * 4)
    for b in range(2):
        for u in range(6):
            owner = slow.one_hot(logits[b, :, u // 3, u % 3].tolist()).index(1)
            expected = []
            for subject, count in enumerate(counts[b]):
                weight = gamma[b, 0, subject].item() - math.log(count) if owner == subject else -math.inf
                expected += [weight] * 4 * count + [-math.inf] * 4 * (3 - count)
            assert bias[b, 0, u].tolist() == pytest.approx(expected)


def test_positions_are_waves_over_the_frame():
    """Against a loop; tokens at the same share of the frame have the same position at any resolution."""
    shape = (3, 5)
    found = routing.positions(shape, torch.zeros(1))
    assert found.shape == (15, routing.POSITION_DIM)
    for token, row in enumerate(found.tolist()):
        y, x = (token // 5 + 0.5) / 3, (token % 5 + 0.5) / 5
        waves = [k * math.pi for k in range(1, routing.POSITION_DIM // 4 + 1)]
        expected = [f(w * at) for at in (y, x) for f in (math.sin, math.cos) for w in waves]
        assert row == pytest.approx(expected, abs=1e-5)
    assert torch.allclose(routing.positions((3, 15), found)[1::3], found, atol=1e-5)
