"""Muon: its law on singular values, PyTorch's own as the second truth, and convolutions, which that does not take."""

import pytest
import torch

from anystory.training.muon import Muon, is_hidden_matrix, orthogonalise
from tests.tiny import mini_pipeline

SHAPES = [(2, 32, 200), (3, 48, 48), (1, 200, 32)]


def _matrices(*shape):
    """With singular values from 1 to 100 times the least."""
    left, values, right = torch.linalg.svd(torch.randn(*shape), full_matrices=False)
    return left @ (torch.logspace(0, 2, values.shape[-1]) * torch.ones_like(values)).diag_embed() @ right


@pytest.mark.parametrize("shape", SHAPES)
def test_singular_values_become_about_equal(shape):
    torch.manual_seed(0)
    matrices = _matrices(*shape)
    values = torch.linalg.svdvals(orthogonalise(matrices).float())
    assert values.min() > 0.5 and values.max() < 1.3


@pytest.mark.parametrize("shape", SHAPES)
def test_singular_vectors_stay(shape):
    """So that the change points to where the gradient does: the nearest orthogonal matrix is the truth."""
    torch.manual_seed(0)
    matrices = _matrices(*shape)
    left, _, right = torch.linalg.svd(matrices, full_matrices=False)
    nearest = (left @ right).flatten()
    assert torch.cosine_similarity(orthogonalise(matrices).float().flatten(), nearest, dim=0) > 0.95


def test_nothing_learned_is_nothing_changed():
    assert not orthogonalise(torch.zeros(1, 8, 8)).any()


def _train(weights, optimiser, gradients):
    for per_weight in gradients:
        for weight, gradient in zip(weights, per_weight, strict=True):
            weight.grad = gradient.clone()
        optimiser.step()
    return [weight.detach().clone() for weight in weights]


def _start(*shapes):
    torch.manual_seed(1)
    return [torch.nn.Parameter(torch.randn(shape)) for shape in shapes]


@pytest.mark.skipif(not hasattr(torch.optim, "Muon"), reason="PyTorch has Muon from 2.9")
def test_linear_weights_move_as_by_pytorch():
    shapes = [(40, 64), (64, 40), (40, 64)]
    own, other = _start(*shapes), _start(*shapes)
    gradients = [[torch.randn(shape) for shape in shapes] for _ in range(4)]
    ours = _train(own, Muon(own, lr=0.1, weight_decay=0.05), gradients)
    theirs = torch.optim.Muon(other, lr=0.1, weight_decay=0.05, adjust_lr_fn="match_rms_adamw")
    for a, b, start in zip(ours, _train(other, theirs, gradients), _start(*shapes), strict=True):
        assert (a - b).norm() < 0.02 * (b - start).norm()


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_a_convolution_moves_as_the_matrix_of_its_inputs(layout):
    (convolution,), (matrix,) = _start((40, 33, 3, 3)), _start((40, 33 * 9))
    convolution.data = convolution.data.to(memory_format=layout)
    gradients = [torch.randn(40, 33, 3, 3) for _ in range(3)]
    moved = _train([convolution], Muon([convolution], lr=0.1), [[g.to(memory_format=layout)] for g in gradients])[0]
    expected = _train([matrix], Muon([matrix], lr=0.1), [[g.flatten(1)] for g in gradients])[0]
    assert moved.is_contiguous(memory_format=layout)
    assert torch.allclose(moved.flatten(1), expected, atol=1e-6)


def test_a_weight_without_a_gradient_stays():
    with_gradient, without = _start((32, 32), (32, 32))
    with_gradient.grad = torch.randn(32, 32)
    Muon([with_gradient, without], lr=0.1).step()
    assert torch.equal(without, _start((32, 32), (32, 32))[1])


def test_it_is_for_hidden_matrices():
    chosen = {name for name, weight in mini_pipeline().model.named_parameters() if is_hidden_matrix(name, weight)}
    ends = {name.rsplit(".", 1)[-1] for name in chosen}
    assert ends == {"weight"}
    assert any("conv1" in name for name in chosen) and any("to_q" in name for name in chosen)
    assert not any(part in name for name in chosen for part in ("conv_in", "conv_out", "embedding", "norm"))
