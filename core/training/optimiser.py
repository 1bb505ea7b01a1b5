"""The optimiser of a recipe, and its state as arrays."""

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from core.arrays import Array
from core.training.recipe import Recipe


def build_optimiser(recipe: Recipe, network: nn.Module) -> torch.optim.Optimizer:
    """The optimiser over all parameters; its rate is set at every step."""
    parameters, rate, decay = network.parameters(), recipe.learning_rate, recipe.weight_decay
    if recipe.optimiser == "adamw":
        return torch.optim.AdamW(parameters, lr=rate, weight_decay=decay)
    return torch.optim.SGD(
        parameters, lr=rate, momentum=recipe.momentum, nesterov=recipe.nesterov, weight_decay=decay
    )


def optimiser_arrays(optimiser: torch.optim.Optimizer) -> dict[str, Array]:
    """Copies of what the optimiser remembers, by `<parameter index>.<name>`."""
    return {
        f"{index}.{name}": to_array(value)
        for index, state in optimiser.state_dict()["state"].items()
        for name, value in state.items()
        if isinstance(value, Tensor)
    }


def restore_optimiser(optimiser: torch.optim.Optimizer, arrays: Mapping[str, Array]) -> None:
    """Put back what `optimiser_arrays` took."""
    parameters = [parameter for group in optimiser.param_groups for parameter in group["params"]]
    state: dict[int, dict[str, Tensor]] = {}
    for key, array in arrays.items():
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
