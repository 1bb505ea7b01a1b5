"""Muon: momentum whose steps are made orthogonal (Jordan et al. 2024), for the kernels of convolutions.

torch has it from release 2.9 on, but only for matrices; here a kernel (out, in, k, k) counts as the matrix
(out, in * k * k), as in the speed records for CIFAR-10.
"""

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor, nn

COEFFICIENTS = (3.4445, -4.7750, 2.0315)
"""Of the quintic Newton-Schulz iteration, which brings all singular values near 1, quickly, not exactly."""
ITERATIONS = 3
EPSILON = 1e-7


class Muon(torch.optim.Optimizer):
    """SGD with Nesterov momentum in which the step of every kernel of two axes or more is made orthogonal.

    Parameters with `is_orthogonal` false in their group (biases, batch norm, depthwise kernels) take the
    plain step of SGD. Weight decay is decoupled for the orthogonal ones, L2 for the others.
    """

    def __init__(
        self,
        groups: Iterable[dict[str, Any]],
        lr: float,
        momentum: float,
        nesterov: bool,
        weight_decay: float,
    ) -> None:
        defaults = {"lr": lr, "momentum": momentum, "nesterov": nesterov, "weight_decay": weight_decay}
        super().__init__(groups, defaults)

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> None:  # type: ignore[override]
        """Move every parameter that has a gradient."""
        for group in self.param_groups:
            for parameter in group["params"]:
                if parameter.grad is None:
                    continue
                state, gradient = self.state[parameter], parameter.grad
                if not group["is_orthogonal"]:
                    gradient = gradient.add(parameter, alpha=group["weight_decay"])
                if "momentum_buffer" not in state:
                    state["momentum_buffer"] = torch.zeros_like(parameter)
                buffer = state["momentum_buffer"].mul_(group["momentum"]).add_(gradient)
                move = gradient.add(buffer, alpha=group["momentum"]) if group["nesterov"] else buffer
                if group["is_orthogonal"]:
                    parameter.mul_(1 - group["lr"] * group["weight_decay"])
                    move = orthogonalise(move)
                parameter.add_(move, alpha=-group["lr"] * group["scale"])


def orthogonalise(kernel: Tensor) -> Tensor:
    """The nearest kernel with orthogonal rows or columns, roughly, scaled to keep rows of length about 1."""
    matrix: Tensor = kernel.reshape(len(kernel), -1)
    is_tall = matrix.shape[0] > matrix.shape[1]
    if is_tall:
        matrix = matrix.T
    matrix = matrix / (matrix.norm() + EPSILON)
    first, second, third = COEFFICIENTS
    for _ in range(ITERATIONS):
        product = matrix @ matrix.T
        matrix = first * matrix + (second * product + third * product @ product) @ matrix
    if is_tall:
        matrix = matrix.T
    return matrix.reshape(kernel.shape)


def split_parameters(network: nn.Module) -> tuple[list[nn.Parameter], list[nn.Parameter]]:
    """The kernels for which a matrix makes sense, which grouped ones are not, and all other parameters."""
    kernels = {
        id(module.weight)
        for module in network.modules()
        if isinstance(module, nn.Conv2d | nn.Linear) and getattr(module, "groups", 1) == 1
    }
    parameters = list(network.parameters())
    return (
        [parameter for parameter in parameters if id(parameter) in kernels],
        [parameter for parameter in parameters if id(parameter) not in kernels],
    )
