"""Runs that differ in their seed alone, and the mean and spread of what they reached."""

import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from core.training.events import RateChanged
from core.training.recipe import RunSpec
from core.training.runs import Run


@dataclass(frozen=True, slots=True)
class Spread:
    """The mean of some values, and how far they lie apart."""

    mean: float
    deviation: float | None
    """The sample's standard deviation (n − 1 below the root); None of a single value."""
    count: int


def spread(values: Iterable[float | None]) -> Spread | None:
    """Mean and deviation of the values that are there; None where there is none."""
    known = [value for value in values if value is not None]
    if not known:
        return None
    return Spread(statistics.fmean(known), statistics.stdev(known) if len(known) > 1 else None, len(known))


def group_seeds(compared: Sequence[Run]) -> tuple[tuple[Run, ...], ...]:
    """The runs in groups whose members differ in the seed of their recipe alone, in their order.

    A run whose rate was changed by hand is like another only where the same was changed at the same steps;
    one that repeats the seed of another is none of its group, as it tells nothing about the spread.
    """
    groups: list[list[Run]] = []
    for run in compared:
        alike = (group for group in groups if _belongs(run, group))
        group = next(alike, None)
        if group is None:
            groups.append([run])
        else:
            group.append(run)
    return tuple(map(tuple, groups))


def _belongs(run: Run, group: Sequence[Run]) -> bool:
    seeds = {other.spec.recipe.seed for other in group}
    return run.spec.recipe.seed not in seeds and _but_for_seed(run) == _but_for_seed(group[0])


def _but_for_seed(run: Run) -> tuple[RunSpec, tuple[RateChanged, ...]]:
    return replace(run.spec, recipe=replace(run.spec.recipe, seed=0)), run.rate_changes


def best_accuracy(run: Run) -> float | None:
    """The highest accuracy on the images that choose the epoch; None before the first epoch ends."""
    return max((row.validation_accuracy for row in run.history), default=None)
