"""Which pictures: a part of a split with equal classes, and a validation split."""

import numpy as np
from numpy.typing import NDArray

from core.errors import DataError

Indices = NDArray[np.int64]


def take_balanced(labels: NDArray[np.int64], count: int, seed: int) -> Indices:
    """`count` indices into `labels` (N,), in mixed order, as many of each class as there are.

    Class sizes differ by one at most, unless a class has too few. With one seed, a smaller choice is the
    beginning of a larger one. `DataError` unless 1 <= count <= N.
    """
    if not 1 <= count <= len(labels):
        raise DataError(f"count must be from 1 to the {len(labels):,} pictures there are, got {count:,}")
    order = np.random.default_rng(seed).permutation(len(labels))
    place = np.empty(len(labels), np.int64)  # of each picture among those of its class, in this order
    for label in np.unique(labels):
        is_member = labels[order] == label
        place[is_member] = np.arange(is_member.sum())
    chosen: Indices = order[np.argsort(place, kind="stable")][:count]
    return chosen


def split_validation(labels: NDArray[np.int64], fraction: float, seed: int) -> tuple[Indices, Indices]:
    """Indices into `labels` (N,) to train on and to validate on, each ascending, together every picture once.

    Every class gives `fraction` of its pictures, rounded, but at least one, and keeps at least one.
    `DataError` where the fraction is not between 0 and 1, or a class has fewer than two pictures.
    """
    if not 0 < fraction < 1:
        raise DataError(f"the validation fraction must lie between 0 and 1, got {fraction}")
    generator = np.random.default_rng(seed)
    is_held_out = np.zeros(len(labels), bool)
    for label in np.unique(labels):
        members = np.flatnonzero(labels == label)
        if len(members) < 2:
            raise DataError(
                f"class {label} has one picture to train on, but a validation split needs two or more; "
                "take more pictures"
            )
        held_out = min(max(round(fraction * len(members)), 1), len(members) - 1)
        is_held_out[generator.permutation(members)[:held_out]] = True
    return np.flatnonzero(~is_held_out), np.flatnonzero(is_held_out)
