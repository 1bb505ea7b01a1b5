"""The range test of learning rates with the real engine, from the untrained network. Needs torch."""

import math
from collections.abc import Iterator
from dataclasses import replace

import torch

from core.data.dataset import Dataset, Split
from core.errors import DivergedError, RunError
from core.training.engine import Training
from core.training.estimate import free_memory, memory_warning
from core.training.events import StepDone
from core.training.rate_finder import HIGH, LOW, STEPS, RatePoint, RateSweep, judge, sweep
from core.training.recipe import RunSpec

BASE = HIGH / 500
"""The recipe's own rate; the sweep multiplies it."""


def find_rate(
    run_spec: RunSpec, dataset: Dataset, device: str, threads: int, steps: int = STEPS
) -> Iterator[RatePoint | RateSweep]:
    """Sweep the rate over the first steps of the run, on a network of its own; the last event is the result.

    Everything but the rate is the run's: its first weights, its batches, its optimiser. Sets the number of
    threads of the process. `RunError` where a step does not fit into the memory that is free.
    """
    if device == "cpu" and (warning := memory_warning(run_spec, free_memory())):
        raise RunError(warning)
    torch.set_num_threads(threads)
    training = Training(_with_constant_rate(run_spec, steps), _without_test(dataset), device)
    training.told_every = 1
    events = training.events()

    def step(rate: float) -> float:
        training.change_rate(rate / BASE)
        try:
            return next(event.loss for event in events if isinstance(event, StepDone))
        except DivergedError:
            return math.nan

    points = []
    for point in sweep(step, LOW, HIGH, steps):
        points.append(point)
        yield point
    yield judge(points, HIGH)


def _with_constant_rate(run_spec: RunSpec, steps: int) -> RunSpec:
    """The run with a rate that only the sweep moves, and epochs enough."""
    recipe = replace(run_spec.recipe, schedule="constant", cycle_momentum=False, learning_rate=BASE)
    recipe = replace(recipe, epochs=min(steps, 1000))
    return replace(run_spec, recipe=recipe)


def _without_test(dataset: Dataset) -> Dataset:
    """The dataset with one test image: a sweep that runs into a next epoch has nothing to ask of more."""
    test = Split(images=dataset.test.images[:1], labels=dataset.test.labels[:1])
    return replace(dataset, test=test)
