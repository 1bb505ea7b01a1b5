"""Batch norm over a batch of which every process holds a part.

`torch.nn.SyncBatchNorm` does it on GPUs; it refuses tensors on a CPU, and there is nothing else there.
"""

from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from torch.nn import functional

if TYPE_CHECKING:
    from core.training.peers import Peers


def share_norms(network: nn.Module, peers: "Peers") -> nn.Module:
    """The network with every batch norm replaced; parameters, statistics and names stay as they are."""
    for module in list(network.modules()):
        # Not by named_modules and setattr, which fail for a layer called `train`.
        for name, part in module._modules.items():
            if isinstance(part, nn.BatchNorm2d):
                module._modules[name] = _share(part, peers)
    return network


def _share(norm: nn.BatchNorm2d, peers: "Peers") -> nn.Module:
    if not norm.weight.is_cuda:
        return SharedBatchNorm.of(norm, peers)
    shared: nn.Module = nn.SyncBatchNorm.convert_sync_batchnorm(norm)  # type: ignore[no-untyped-call]
    return shared


class SharedBatchNorm(nn.BatchNorm2d):
    """`torch.nn.BatchNorm2d` whose mean and variance, while training, are those of all processes' maps.

    The part of a process may be empty; all parts together must hold two values a channel.
    """

    peers: "Peers"

    @classmethod
    def of(cls, norm: nn.BatchNorm2d, peers: "Peers") -> "SharedBatchNorm":
        """One with the parameters and statistics of `norm`, and not copies of them."""
        shared = cls(norm.num_features, eps=norm.eps, momentum=norm.momentum)
        shared._parameters, shared._buffers = norm._parameters, norm._buffers
        shared.peers, shared.training = peers, norm.training
        return shared

    def forward(self, inputs: Tensor) -> Tensor:
        if not self.training:
            return super().forward(inputs)
        with torch.no_grad():
            mean, variance, count = moments(inputs, self.peers)
            mean, variance = mean.to(self.weight.dtype), variance.to(self.weight.dtype)
            self._remember(mean, variance * (count / (count - 1)))
        outputs: Tensor = _Normalise.apply(
            inputs, self.weight, self.bias, mean, variance, count, self.eps, self.peers
        )
        return outputs

    def _remember(self, mean: Tensor, variance: Tensor) -> None:
        assert self.running_mean is not None
        assert self.running_var is not None
        assert self.num_batches_tracked is not None
        assert self.momentum is not None
        self.num_batches_tracked.add_(1)
        self.running_mean.lerp_(mean, self.momentum)
        self.running_var.lerp_(variance, self.momentum)


def moments(inputs: Tensor, peers: "Peers") -> tuple[Tensor, Tensor, float]:
    """Mean and biased variance `(C,)` float64 of all processes' maps (n, C, H, W), and values a channel.

    Means and squared distances are put together as by Chan et al. 1979; a difference of two large sums of
    squares would lose what it is after.
    """
    channels, own = inputs.shape[1], inputs.numel() // inputs.shape[1]
    told = torch.zeros(3, channels, dtype=torch.float64, device=inputs.device)
    if own:
        variance, mean = torch.var_mean(_wide(inputs), dim=(0, 2, 3), correction=0)
        told[0], told[1], told[2] = own, mean, variance
    counts, means, variances = peers.gather(told).unbind(1)
    shares = counts / counts.sum(0)
    mean = (shares * means).sum(0)
    variance = (shares * (variances + (means - mean).square())).sum(0)
    return mean, variance, float(counts[:, 0].sum())


class _Normalise(torch.autograd.Function):
    """`(inputs - mean) / sqrt(variance + eps) * weight + bias`, where the moments depend on all inputs."""

    @staticmethod
    def forward(
        context: Any,
        inputs: Tensor,
        weight: Tensor,
        bias: Tensor,
        mean: Tensor,
        variance: Tensor,
        count: float,
        eps: float,
        peers: "Peers",
    ) -> Tensor:
        context.save_for_backward(inputs, weight, mean, (variance + eps).rsqrt())
        context.count, context.peers = count, peers
        return functional.batch_norm(inputs, mean, variance, weight, bias, training=False, eps=eps)

    @staticmethod
    def backward(context: Any, gradient: Tensor) -> Any:
        inputs, weight, mean, scale = context.saved_tensors
        centred = _wide(inputs) - mean[:, None, None]
        slope = _wide(gradient)
        own = torch.stack([slope.sum((0, 2, 3)), (slope * centred).sum((0, 2, 3)) * scale])
        sums = own.to(torch.float64, copy=True)
        context.peers.add_up(sums)
        towards_bias, towards_weight = (sums / context.count).to(own.dtype)[:, :, None, None]
        change = slope - towards_bias - centred * (towards_weight * scale[:, None, None])
        # The parameters' own gradients are summed over the processes with all the others.
        for_inputs = change * (weight * scale)[:, None, None]
        return for_inputs.to(inputs.dtype), own[1], own[0], None, None, None, None, None


def _wide(values: Tensor) -> Tensor:
    """Of at least float32, as torch's own batch norm counts bfloat16."""
    return values.to(torch.promote_types(values.dtype, torch.float32))
