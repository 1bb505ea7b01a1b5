"""Muon's steps are orthogonal where they should be, and SGD's where not."""

import pytest
import torch
from torch import nn

from core.training.muon import Muon, orthogonalise, split_parameters


@pytest.mark.parametrize("shape", [(8, 4, 3, 3), (64, 8, 1, 1), (32, 32), (96, 64, 3, 3)])
def test_all_singular_values_come_near_one(shape):
    torch.manual_seed(0)
    kernel = torch.randn(shape)
    values = torch.linalg.svdvals(orthogonalise(kernel).reshape(shape[0], -1))
    # The coefficients bring large ones to 0.7 to 1.2, and small ones up at least 3.4 times a turn.
    assert values.max() < 1.3
    assert values.median() > 0.6
    before = torch.linalg.svdvals(kernel.reshape(shape[0], -1))
    assert values.min() / values.max() > before.min() / before.max()


def test_it_points_the_way_of_the_kernel():
    """The nearest orthogonal matrix is U V^T of the singular value decomposition."""
    torch.manual_seed(0)
    kernel = torch.randn(16, 40)
    u, _, v = torch.linalg.svd(kernel, full_matrices=False)
    ours, nearest = orthogonalise(kernel).flatten(), (u @ v).flatten()
    assert torch.nn.functional.cosine_similarity(ours, nearest, dim=0) > 0.95


def test_depthwise_kernels_biases_and_batch_norm_take_the_step_of_sgd():
    torch.manual_seed(0)
    network = nn.Sequential(
        nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8), nn.Conv2d(8, 8, 3, groups=8, bias=False), nn.Conv2d(8, 4, 1)
    )
    kernels, others = split_parameters(network)
    assert [tuple(kernel.shape) for kernel in kernels] == [(8, 3, 3, 3), (4, 8, 1, 1)]
    twin = [nn.Parameter(parameter.detach().clone()) for parameter in others]
    groups = [
        {"params": kernels, "is_orthogonal": True, "scale": 0.5},
        {"params": others, "is_orthogonal": False, "scale": 1.0},
    ]
    muon = Muon(groups, lr=0.1, momentum=0.9, nesterov=True, weight_decay=0.01)
    sgd = torch.optim.SGD(twin, lr=0.1, momentum=0.9, nesterov=True, weight_decay=0.01)
    before = [kernel.detach().clone() for kernel in kernels]
    for _ in range(3):
        for parameter in (*kernels, *others):
            parameter.grad = torch.randn(parameter.shape)
        for mine, parameter in zip(twin, others, strict=True):
            mine.grad = parameter.grad.clone()
        muon.step()
        sgd.step()
    for mine, parameter in zip(twin, others, strict=True):
        torch.testing.assert_close(mine, parameter)
    assert not any(torch.equal(old, new) for old, new in zip(before, kernels, strict=True))


def test_the_first_step_is_the_rate_times_the_orthogonal_direction():
    kernel = nn.Parameter(torch.randn(4, 6))
    before = kernel.detach().clone()
    groups = [{"params": [kernel], "is_orthogonal": True, "scale": 0.2}]
    kernel.grad = torch.randn(4, 6)
    Muon(groups, lr=0.1, momentum=0.0, nesterov=False, weight_decay=0.5).step()
    expected = before * (1 - 0.1 * 0.5) - 0.1 * 0.2 * orthogonalise(kernel.grad)
    torch.testing.assert_close(kernel.detach(), expected)
