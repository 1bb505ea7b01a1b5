"""The optimiser of a recipe, and its state as arrays."""

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from core.arrays import Array
from core.training.muon import Muon, split_parameters
from core.training.recipe import Recipe

MUON_SCALE = 0.4
"""Of the recipe's rate for kernels that `muon` moves, so that rates that suit `sgd` suit it too."""


def build_optimiser(recipe: Recipe, network: nn.Module) -> torch.optim.Optimizer:
    """The optimiser over all parameters; its rate is set at every step."""
    parameters, rate, decay = network.parameters(), recipe.learning_rate, recipe.weight_decay
    if recipe.optimiser == "muon":
        kernels, others = split_parameters(network)
        groups = [
            {"params": kernels, "is_orthogonal": True, "scale": MUON_SCALE},
            {"params": others, "is_orthogonal": False, "scale": 1.0},
        ]
        return Muon(groups, rate, recipe.momentum, recipe.nesterov, decay)
    if recipe.optimiser == "adamw":
        return torch.optim.AdamW(parameters, lr=rate, weight_decay=decay)
    return torch.optim.SGD(
        parameters, lr=rate, momentum=recipe.momentum, nesterov=recipe.nesterov, weight_decay=decay
    )


def set_rate(optimiser: torch.optim.Optimizer, rate: float, momentum: float) -> None:
    """Set the learning rate of the next step, and the momentum of optimisers that have one."""
    for group in optimiser.param_groups:
        group["lr"] = rate
        if "momentum" in group:
            group["momentum"] = momentum


def optimiser_arrays(optimiser: torch.optim.Optimizer) -> dict[str, Array]:
    """Copies of what the optimiser remembers, by `<parameter index>.<name>`."""
    return {
        f"{index}.{name}": to_array(value)
        for index, state in optimiser.state_dict()["state"].items()
        for name, value in state.items()
        if isinstance(value, Tensor)
    }


def restore_optimiser(optimiser: torch.optim.Optimizer, arrays: Mapping[str, Array]) -> None:
    """Put back what `optimiser_arrays` took; keys that do not begin with a number are not its own."""
    parameters = [parameter for group in optimiser.param_groups for parameter in group["params"]]
    state: dict[int, dict[str, Tensor]] = {}
    for key, array in arrays.items():
        if not key[0].isdecimal():
            continue
        index, name = int(key.partition(".")[0]), key.partition(".")[2]
        value = torch.tensor(array)
        if value.shape == parameters[index].shape:
            # In the parameter's memory format: other loops over the same numbers may round differently.
            value = torch.empty_like(parameters[index], requires_grad=False).copy_(value)
        state.setdefault(index, {})[name] = value
    optimiser.load_state_dict({**optimiser.state_dict(), "state": state})


def to_array(tensor: Tensor) -> Array:
    """A copy as an array, in the usual order of the axes."""
    return tensor.detach().cpu().contiguous().numpy().copy()
