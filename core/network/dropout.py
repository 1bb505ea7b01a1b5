"""Dropout that spends its random numbers on what it drops, and not on what it keeps."""

import math
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

MOST = 0.2
"""The rate up to which drawing positions is the quicker way; above it torch's own is as good."""


class Dropout(nn.Dropout):
    """`torch.nn.Dropout`, about five times as fast on a CPU at a rate of 0.05.

    torch draws a number for every value: a fifth of a training step on a CPU. Here positions are drawn, as
    many as a Poisson distribution says, so that a value is hit at least once with the probability `p`,
    independently of all others: if `-ln(1 - p)` hits fall on a value on average, none falls with 1 - p.
    """

    def forward(self, inputs: Tensor) -> Tensor:
        is_ours = self.training and inputs.device.type == "cpu" and 0 < self.p <= MOST and is_dense(inputs)
        if not is_ours:
            return functional.dropout(inputs, self.p, self.training)
        # Everything random follows torch's global generator, so that a seeded training repeats itself.
        seed = int(torch.empty((), dtype=torch.int64).random_())
        dropped: Tensor = _Drop.apply(inputs, draw_positions(inputs.numel(), self.p, seed), self.p)
        return dropped


def is_dense(tensor: Tensor) -> bool:
    """Whether the values lie in memory one after the other, in either order of the axes."""
    return tensor.is_contiguous() or (
        tensor.ndim == 4 and tensor.is_contiguous(memory_format=torch.channels_last)
    )


def draw_positions(count: int, rate: float, seed: int) -> Tensor:
    """Positions in [0, count), int64, some of them twice: each is among them with the probability `rate`."""
    generator = np.random.Generator(np.random.SFC64(seed))
    hits = generator.poisson(-math.log1p(-rate) * count)
    return torch.from_numpy(generator.integers(0, count, hits))


class _Drop(torch.autograd.Function):
    """Zero at the positions, and all else scaled so that the expectation stays."""

    @staticmethod
    def forward(context: Any, inputs: Tensor, positions: Tensor, rate: float) -> Tensor:
        context.save_for_backward(positions)
        context.rate, context.is_channels_last = rate, not inputs.is_contiguous()
        return _dropped(inputs, positions, rate)

    @staticmethod
    def backward(context: Any, gradient: Tensor) -> Any:
        (positions,) = context.saved_tensors
        # Positions count in the order in memory, which autograd may have changed.
        order = torch.channels_last if context.is_channels_last else torch.contiguous_format
        return _dropped(gradient.contiguous(memory_format=order), positions, context.rate), None, None


def _dropped(values: Tensor, positions: Tensor, rate: float) -> Tensor:
    scaled = values / (1 - rate)
    scaled.as_strided((scaled.numel(),), (1,)).index_fill_(0, positions, 0)
    return scaled
