"""A preview that goes on from pictures behind its first steps is the preview of one Compose, bit for bit."""

from dataclasses import replace

import numpy as np
import pytest

from core.augmentation import AugmentationSpec, StepSpec, presets
from core.augmentation.discovery import offered_transforms
from core.augmentation.pipeline import Preview, begin, finish, preview
from core.augmentation.small_images import SLOW
from tests.control_values import spec_with, step_with
from tests.pictures import pictures

SEED = 11
FLIP = StepSpec(transform="HorizontalFlip", probability=0.5)
HOLES = StepSpec(
    transform="CoarseDropout",
    probability=0.5,
    arguments=(("hole_height_range", (2, 9)), ("hole_width_range", (3, 30)), ("num_holes_range", (1, 3))),
)


def is_same(ours: Preview, theirs: Preview) -> bool:
    return (
        np.array_equal(ours.images, theirs.images)
        and np.array_equal(ours.hidden, theirs.hidden)
        and ours.holes == theirs.holes
        and ours.acted == theirs.acted
    )


def splits_that_differ(spec: AugmentationSpec, num_images: int) -> list[int]:
    images = pictures(num_images)
    whole = preview(spec, images, SEED)
    counts = range(len(spec.steps) + 1)
    return [
        count for count in counts if not is_same(finish(spec, begin(spec, images, SEED, count), SEED), whole)
    ]


@pytest.mark.parametrize("spec", presets().values(), ids=presets())
def test_every_preset_goes_on_from_behind_any_of_its_steps(spec: AugmentationSpec) -> None:
    assert splits_that_differ(spec, 24) == []


@pytest.mark.parametrize("offered", offered_transforms().values(), ids=offered_transforms())
def test_every_transform_goes_on_between_others_that_come_by_chance(offered) -> None:
    always = offered.name in ("Normalize", "RandomCrop")  # by chance, these would not be allowed
    chain = spec_with(offered, replace(step_with(offered), probability=1.0 if always else 0.7))
    spec = replace(chain, steps=(FLIP, HOLES, *chain.steps, replace(FLIP, transform="VerticalFlip"), HOLES))
    assert splits_that_differ(spec, 2 if offered.name in SLOW else 6) == []


def test_steps_behind_a_normalisation_and_steps_that_are_off_change_nothing_about_it() -> None:
    off = replace(HOLES, is_on=False)
    spec = AugmentationSpec(name="test", steps=(off, FLIP, off, StepSpec(transform="Normalize"), HOLES, off))
    assert splits_that_differ(spec, 12) == []


def test_one_begun_is_good_for_whatever_comes_behind() -> None:
    images = pictures(12)
    begun = begin(AugmentationSpec(name="test", steps=(FLIP, HOLES, HOLES)), images, SEED, 2)
    for side in (1, 8, 32):
        sizes = (("hole_height_range", (side, side)), ("hole_width_range", (side, 32)))
        last = replace(HOLES, arguments=sizes)
        spec = AugmentationSpec(name="test", steps=(FLIP, HOLES, last))
        assert is_same(finish(spec, begun, SEED), preview(spec, images, SEED))
