"""Choices of pictures: balanced, complete, and the same for the same seed."""

import numpy as np
import pytest

from core.data.splits import split_validation, take_balanced
from core.errors import DataError

LABELS = np.repeat(np.arange(10), 60)


@pytest.mark.parametrize("count", [1, 10, 37, 200, 600])
def test_a_choice_has_equal_classes(count) -> None:
    chosen = take_balanced(LABELS, count, seed=1)
    assert len(set(chosen.tolist())) == count
    per_class = np.bincount(LABELS[chosen], minlength=10)
    assert per_class.max() - per_class.min() <= 1


def test_a_scarce_class_gives_all_it_has() -> None:
    labels = np.array([0] * 3 + [1] * 50)
    assert np.bincount(labels[take_balanced(labels, 20, seed=0)]).tolist() == [3, 17]


def test_a_larger_choice_continues_a_smaller_one() -> None:
    assert take_balanced(LABELS, 300, seed=4)[:120].tolist() == take_balanced(LABELS, 120, seed=4).tolist()


def test_the_seed_decides() -> None:
    first, again, other = (take_balanced(LABELS, 50, seed).tolist() for seed in (1, 1, 2))
    assert first == again
    assert first != other


@pytest.mark.parametrize("count", [-1, 0, 601])
def test_a_count_that_there_is_not_is_refused(count) -> None:
    with pytest.raises(DataError, match=rf"from 1 to the 600 pictures there are, got {count}"):
        take_balanced(LABELS, count, seed=1)


@pytest.mark.parametrize("fraction", [0.001, 0.1, 0.25, 0.5, 0.999])
def test_every_picture_is_on_one_side(fraction) -> None:
    train, validation = split_validation(LABELS, fraction, seed=3)
    assert sorted([*train.tolist(), *validation.tolist()]) == list(range(600))
    held_out = min(max(round(60 * fraction), 1), 59)
    assert np.bincount(LABELS[validation]).tolist() == [held_out] * 10


def test_the_seed_decides_what_validates() -> None:
    first, again, other = (split_validation(LABELS, 0.1, seed)[1].tolist() for seed in (1, 1, 2))
    assert first == again
    assert first != other


@pytest.mark.parametrize("fraction", [-0.1, 0, 1, float("nan")])
def test_a_fraction_outside_is_refused(fraction) -> None:
    with pytest.raises(DataError, match="between 0 and 1"):
        split_validation(LABELS, fraction, seed=1)


def test_one_picture_cannot_be_split() -> None:
    with pytest.raises(DataError, match=r"class 1 has one picture .* take more"):
        split_validation(np.array([0, 0, 1]), 0.1, seed=1)
