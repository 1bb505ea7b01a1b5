"""Gradient descent one step at a time, with everything that a step changes laid open. Needs torch."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from threading import Lock

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from core.arrays import Array
from core.data.dataset import Dataset
from core.data.splits import take_balanced
from core.errors import RunError
from core.network.build import build_network, restore_network
from core.network.predict import normalise
from core.network.spec import NetworkSpec
from core.training.batches import seed_of
from core.training.optimiser import to_array

MOST_STEPS = 1000
"""Then it has to begin anew; a class needs fewer, and every step is kept in the visitor's session."""

_drawing = Lock()


@dataclass(frozen=True, eq=False, slots=True)
class StepTaken:
    """One step of plain gradient descent: w ← w − η ∇L, on one batch of N images."""

    rate: float
    """η."""
    before: Mapping[str, Array]
    """Every parameter before the step, by its name."""
    gradients: Mapping[str, Array]
    """Of the batch's mean loss."""
    loss_before: float
    loss_after: float
    """On the same batch."""
    probabilities_before: NDArray[np.float32]
    """Of each image's own class, `(N,)`."""


@dataclass(frozen=True, eq=False, slots=True)
class Walk:
    """Where gradient descent stands, and how it came there. Immutable: a step gives another one."""

    network: NetworkSpec
    pictures: NDArray[np.uint8]
    """`(N, H, W, 3)` RGB."""
    indices: NDArray[np.int64]
    """Of the training images, `(N,)`."""
    labels: NDArray[np.int64]
    """`(N,)`."""
    mean: tuple[float, ...]
    std: tuple[float, ...]
    start: Mapping[str, Array]
    """The untrained network's weights, by their names in the `state_dict`."""
    weights: Mapping[str, Array]
    """The present ones."""
    losses: tuple[float, ...]
    """Before every step and now: one more than steps were taken."""
    probabilities: NDArray[np.float32]
    """Of each image's own class, now, `(N,)`."""
    last: StepTaken | None = None

    @property
    def steps(self) -> int:
        """Steps taken."""
        return len(self.losses) - 1


@dataclass(frozen=True, slots=True)
class LayerChange:
    """What the last step did to a layer; Euclidean norms over all its parameters."""

    layer: str
    num_params: int
    weights: float
    gradient: float
    change: float


def begin(network: NetworkSpec, dataset: Dataset, images: int, seed: int) -> Walk:
    """The untrained network before a batch of so many training images, as many of each class as can be.

    `DataError` where there are not so many.
    """
    indices = take_balanced(dataset.train.labels, images, seed)
    # The generator belongs to the whole process, and several visitors may begin at once.
    with _drawing, torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed_of(seed, 0))
        built = build_network(network)
    weights = _arrays(dict(built.state_dict()))
    walk = Walk(
        network=network,
        pictures=np.array(dataset.train.images[indices]),
        indices=indices,
        labels=dataset.train.labels[indices],
        mean=dataset.mean,
        std=dataset.std,
        start=weights,
        weights=weights,
        losses=(),
        probabilities=np.empty(0, np.float32),
    )
    loss, probabilities = _look(built.train(), walk)
    return replace(walk, losses=(float(loss.detach()),), probabilities=probabilities)


def take_steps(walk: Walk, rate: float, count: int = 1) -> Walk:
    """The walk after `count` steps at `rate`.

    `RunError` where it would be longer than `MOST_STEPS`, or where the loss is no longer a number: the walk
    itself stays as it is.
    """
    if walk.steps + count > MOST_STEPS:
        raise RunError(f"there were {walk.steps} steps, and at most {MOST_STEPS} are kept; start over")
    network = restore_network(walk.network, walk.weights).train()
    loss, probabilities = _look(network, walk)
    losses = list(walk.losses)
    for _ in range(count):
        before = _arrays(dict(network.named_parameters()))
        network.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        gradients = {name: to_array(_gradient(each)) for name, each in network.named_parameters()}
        with torch.no_grad():
            for parameter in network.parameters():
                parameter.sub_(rate * _gradient(parameter))
        loss_before, probabilities_before = float(loss.detach()), probabilities
        loss, probabilities = _look(network, walk)
        losses.append(float(loss.detach()))
        if not np.isfinite(losses[-1]):
            raise RunError(
                f"after step {len(losses) - 1} the loss is no longer a number: the rate {rate:g} is too high;"
                " start over with a lower one"
            )
    taken = StepTaken(rate, before, gradients, loss_before, losses[-1], probabilities_before)
    return replace(
        walk,
        weights=_arrays(dict(network.state_dict())),
        losses=tuple(losses),
        probabilities=probabilities,
        last=taken,
    )


def layer_changes(walk: Walk) -> tuple[LayerChange, ...]:
    """What the last step did to every layer that has weights; empty before the first step."""
    if walk.last is None:
        return ()
    layers: dict[str, list[str]] = {}
    for name in walk.last.before:
        layers.setdefault(name.partition(".")[0], []).append(name)
    before, gradients = walk.last.before, walk.last.gradients
    return tuple(
        LayerChange(
            layer=layer,
            num_params=sum(before[name].size for name in names),
            weights=_norm(walk.weights[name] for name in names),
            gradient=_norm(gradients[name] for name in names),
            change=_norm(walk.weights[name] - before[name] for name in names),
        )
        for layer, names in layers.items()
    )


def _look(network: nn.Module, walk: Walk) -> tuple[torch.Tensor, NDArray[np.float32]]:
    """The mean cross-entropy of the batch in nats, and each image's probability of its own class."""
    scores = network(normalise(walk.pictures, walk.mean, walk.std, "cpu"))
    labels = torch.from_numpy(walk.labels)
    loss = nn.functional.cross_entropy(scores, labels)
    own: NDArray[np.float32] = scores.detach().softmax(dim=1)[range(len(labels)), labels].numpy()
    return loss, own


def _gradient(parameter: nn.Parameter) -> torch.Tensor:
    """A parameter that the loss does not depend on has the gradient 0."""
    return torch.zeros_like(parameter) if parameter.grad is None else parameter.grad


def _arrays(tensors: Mapping[str, torch.Tensor]) -> dict[str, Array]:
    return {name: to_array(tensor) for name, tensor in tensors.items()}


def _norm(arrays: Iterable[Array]) -> float:
    return float(np.sqrt(sum(np.square(each, dtype=np.float64).sum() for each in arrays)))
