"""Maps, gates, biases and their losses, each against a loop."""

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


def test_routing_loss_is_the_mean_square_distance_of_subject_maps():
    logits, masks = torch.randn(2, 3, 4, 4), torch.rand(2, 2, 8, 8)
    total = 0.0
    for b in range(2):
        truth = [slow.shares(slow.numbers(masks[b, i]), 4, 4) for i in range(2)]
        for y in range(4):
            for x in range(4):
                maps = slow.softmax(slow.numbers(logits[b, :, y, x]))
                total += sum((maps[i] - truth[i][y][x]) ** 2 for i in range(2))
    assert routing.routing_loss(logits, masks).item() == pytest.approx(total / (2 * 2 * 16), abs=1e-6)


def test_routing_cross_entropy_agrees_with_the_loop():
    logits, masks = torch.randn(2, 3, 4, 4), torch.rand(2, 2, 4, 4) * 0.5
    total = weights = 0.0
    for b in range(2):
        tokens = [(y, x) for y in range(4) for x in range(4)]
        truth = {}
        for y, x in tokens:
            first, second = slow.numbers(masks[b, :, y, x])
            truth[y, x] = first, second, 1 - first - second
        areas = [sum(truth[token][i] for token in tokens) / 16 for i in range(3)]
        for y, x in tokens:
            maps = slow.softmax(slow.numbers(logits[b, :, y, x]))
            for i in range(3):
                weight = truth[y, x][i] / math.sqrt(areas[i])
                total -= weight * math.log(maps[i])
                weights += weight
    assert routing.routing_cross_entropy(logits, masks).item() == pytest.approx(total / weights, abs=1e-5)


def test_routing_cross_entropy_is_least_at_the_truth():
    masks = torch.zeros(2, 2, 4, 4)
    masks[:, 0, :2, :2] = masks[:, 1, 2:, 3] = 1
    truth = (routing.area_maps(masks, (4, 4)) + 1e-6).log()
    wrong = truth + 0.5 * torch.randn_like(truth)
    assert routing.routing_cross_entropy(truth, masks) < routing.routing_cross_entropy(wrong, masks)
    assert routing.routing_loss(truth, masks) < 1e-10


def test_a_router_that_cannot_see_puts_a_subject_where_it_most_likely_is():
    # Ten frames: the subject holds a column of four, in four of them the left one, in two each of the others.
    masks = torch.zeros(10, 1, 4, 4)
    for b, column in enumerate([0, 0, 0, 0, 1, 1, 2, 2, 3, 3]):
        masks[b, 0, :, column] = 1
    logits = torch.zeros(1, 2, 4, 4, requires_grad=True)
    optimiser = torch.optim.Adam([logits], lr=0.1)
    for _ in range(200):
        optimiser.zero_grad()
        routing.routing_cross_entropy(logits.expand(10, -1, -1, -1), masks).backward()
        optimiser.step()
    assert routing.hard_maps(logits)[0, 0].bool().tolist() == [[True, False, False, False]] * 4


def _projective():
    """From frame to reference: one that scales, shifts and turns; one with perspective; one unknown."""
    turn = torch.tensor([[0.613, -0.787, 0.311], [0.787, 0.613, -0.207], [0.0, 0.0, 1.0]])
    perspective = torch.tensor([[1.413, 0.107, 0.013], [0.029, 1.217, 0.211], [0.307, -0.911, 0.703]])
    return torch.stack([turn, perspective, torch.zeros(3, 3)])[None]


@pytest.mark.parametrize(("shape", "reference"), [((6, 6), (6, 6)), ((4, 7), (5, 3))])
def test_matching_tokens_agrees_with_the_loop(shape, reference):
    matrices = _projective()
    tokens, known = routing.matching_tokens(matrices, shape, reference)
    assert tokens.shape == known.shape == (1, 3, shape[0] * shape[1])
    for subject in range(3):
        for u in range(shape[0] * shape[1]):
            y, x = (2 * (u // shape[1]) + 1) / shape[0] - 1, (2 * (u % shape[1]) + 1) / shape[1] - 1
            px, py, depth = (slow.dot(row, (x, y, 1.0)) for row in slow.numbers(matrices[0, subject]))
            match = None
            if depth > 1e-3:
                column = math.floor((px / depth + 1) / 2 * reference[1])
                row = math.floor((py / depth + 1) / 2 * reference[0])
                if 0 <= column < reference[1] and 0 <= row < reference[0]:
                    match = row * reference[1] + column
            assert (tokens[0, subject, u].item() if known[0, subject, u] else None) == match
    assert known[0, :2].any(-1).all() and not known[0, :2].all() and not known[0, 2].any()
    assert tokens.min() >= 0 and tokens.max() < reference[0] * reference[1]


def test_the_identity_matches_every_token_with_itself():
    tokens, known = routing.matching_tokens(torch.eye(3)[None, None], (5, 7), (5, 7))
    assert known.all() and tokens.flatten().tolist() == list(range(35))


def test_correspondence_loss_agrees_with_the_loop():
    heads, size, subjects, n = 2, 3, 2, 5
    query, key = torch.randn(1, heads, 4, size, requires_grad=True), torch.randn(1, heads, subjects * n, size)
    target = torch.randint(n, (1, subjects, 4))
    counts = torch.tensor([[[True, False, True, False], [False, True, False, False]]])
    total = 0.0
    for subject, token in ((0, 0), (0, 2), (1, 1)):
        scores = [0.0] * n  # the mean over heads
        for head in range(heads):
            keys = slow.numbers(key[0, head, subject * n : subject * n + n])
            query_row = slow.numbers(query[0, head, token])
            scores = slow.add(scores, [slow.dot(query_row, k) / math.sqrt(size) / heads for k in keys])
        total -= math.log(slow.softmax(scores)[target[0, subject, token]])
    loss = routing.correspondence_loss(query, key, target, counts)
    assert loss.item() == pytest.approx(total / 3, abs=1e-5)
    loss.backward()
    assert (query.grad.abs().sum((0, 1, 3)) > 0).tolist() == [True, True, True, False]


def test_correspondence_loss_without_a_match_is_zero():
    query, key = torch.randn(1, 2, 4, 3), torch.randn(1, 2, 5, 3)
    none = torch.zeros(1, 1, 4, dtype=torch.bool)
    assert routing.correspondence_loss(query, key, torch.zeros(1, 1, 4, dtype=torch.long), none) == 0


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
