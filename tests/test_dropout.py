"""The quick dropout drops what torch's would: each value independently, with the stated probability."""

import pytest
import torch
from scipy import stats
from torch import nn

from core.network.dropout import MOST, Dropout


@pytest.mark.parametrize("rate", [0.01, 0.05, MOST, 0.5])
@pytest.mark.parametrize("order", [torch.contiguous_format, torch.channels_last])
def test_values_are_dropped_with_their_probability_and_the_rest_is_scaled(rate, order):
    torch.manual_seed(0)
    inputs = torch.ones(8, 16, 32, 32).contiguous(memory_format=order)
    outputs = Dropout(rate)(inputs)
    dropped = outputs == 0
    assert torch.allclose(outputs[~dropped], torch.tensor(1 / (1 - rate)))
    assert stats.binomtest(int(dropped.sum()), dropped.numel(), rate).pvalue > 1e-4
    assert outputs.stride() == inputs.stride()


def test_neighbours_are_dropped_independently():
    torch.manual_seed(1)
    dropped = Dropout(0.1)(torch.ones(1_000_000)) == 0
    both = int((dropped[1:] & dropped[:-1]).sum())
    assert stats.binomtest(both, 999_999, 0.01).pvalue > 1e-4


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("order", [torch.contiguous_format, torch.channels_last])
def test_the_gradient_is_that_of_what_was_kept(dtype, order):
    torch.manual_seed(2)
    inputs = torch.randn(4, 8, 5, 7).to(dtype).contiguous(memory_format=order).requires_grad_()
    outputs = Dropout(0.2)(inputs)
    gradient = torch.randn(4, 8, 5, 7).to(dtype)  # in the usual order, whatever the inputs have
    outputs.backward(gradient)
    expected = torch.where(outputs == 0, torch.zeros((), dtype=dtype), gradient / 0.8)
    assert torch.equal(inputs.grad, expected)


def test_it_repeats_itself_from_torchs_seed_and_does_nothing_in_evaluation():
    layer, inputs = Dropout(0.1), torch.ones(4, 3, 8, 8)
    torch.manual_seed(3)
    first, second = layer(inputs), layer(inputs)
    torch.manual_seed(3)
    assert torch.equal(layer(inputs), first)
    assert not torch.equal(first, second)
    assert torch.equal(layer.eval()(inputs), inputs)


def test_what_does_not_lie_in_one_piece_is_dropped_too():
    torch.manual_seed(4)
    inputs = torch.ones(100, 100)[:, ::2]
    assert 0 < int((Dropout(0.1)(inputs) == 0).sum()) < 1000


def test_it_is_torchs_own_module_to_everybody_else():
    assert isinstance(Dropout(0.3), nn.Dropout)
    assert Dropout(0.3).state_dict() == {}
