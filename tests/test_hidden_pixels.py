"""What counts as hidden is what nothing is left of: measured on images that have nothing in common."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from core.augmentation import AugmentationSpec, StepSpec
from core.augmentation.catalogue import OfferedTransform
from core.augmentation.check import build_step
from core.augmentation.discovery import offered_transforms
from core.augmentation.drawn import drawn_words
from core.augmentation.hiding import HIDING
from core.augmentation.pipeline import begin, build_pipeline, finish, preview, stages
from core.augmentation.removed import summarise, take_sample
from tests.pictures import pictures

OFFERED = offered_transforms()
NAMES = sorted({kind.__name__ for kind in HIDING} & set(OFFERED))
FROM_BEYOND = {
    "CropAndPad",
    "GridDistortion",
    "Pad",
    "PadIfNeeded",
    "Rotate",
    "SafeRotate",
    "ThinPlateSpline",
}
"""They put black where a pixel comes from beyond the edge: the image is moved, and nothing is put over it."""
TOLD: dict[str, dict[str, Any]] = {
    "CoarseDropout": {"fill": 0},
    "PixelDropout": {"dropout_prob": 0.3},
    "SaltAndPepper": {"amount": (0.2, 0.3)},
}


def pipeline(*steps: StepSpec) -> AugmentationSpec:
    return AugmentationSpec(name="test", steps=steps)


def new_step(offered: OfferedTransform) -> StepSpec:
    step = replace(offered.new_step(), probability=1.0)
    arguments = step.keywords | TOLD.get(offered.name, {})
    return replace(step, arguments=tuple(arguments.items()))


def lost_pixels(step: StepSpec, seed: int) -> NDArray[np.bool_]:
    """Where six images of noise come out alike from the transform alone, drawing alike."""
    noise = np.random.default_rng(seed).integers(64, 192, (6, 32, 32, 3), dtype=np.uint8)
    transform = build_step(pipeline(step), 0)
    outcomes = []
    for image in noise:
        transform.set_random_seed(seed)
        outcomes.append(transform(image=image)["image"])
    return (np.ptp(outcomes, axis=0) == 0).all(axis=-1)


def test_those_that_hide_are_all_on_offer_of_which_images_come_out_alike():
    found = {name for name, offered in OFFERED.items() if lost_pixels(new_step(offered), 1).any()}
    assert found - FROM_BEYOND == set(NAMES)
    assert "ChannelDropout" not in NAMES


@pytest.mark.parametrize("name", NAMES)
def test_the_pixels_that_are_hidden_are_those_that_changed_to_the_fill(name):
    grey = np.full((40, 32, 32, 3), 128, np.uint8)
    shown = preview(pipeline(new_step(OFFERED[name])), grey, seed=1)
    filled = ((shown.images == 0) | (shown.images == 255)).all(axis=-1)
    assert np.array_equal(shown.hidden, filled)
    assert np.array_equal(filled, (shown.images != 128).any(axis=-1))
    assert filled.any()
    for hidden, holes in zip(shown.hidden, shown.holes, strict=True):
        reported = np.zeros((32, 32), bool)
        for x1, y1, x2, y2 in holes:
            reported[y1:y2, x1:x2] = True
        assert np.array_equal(hidden, reported)


def test_a_pixel_that_lost_only_some_of_its_channels_is_not_hidden():
    step = StepSpec(transform="PixelDropout", arguments={"dropout_prob": 0.6, "per_channel": True})
    shown = preview(pipeline(step), np.full((9, 32, 32, 3), 128, np.uint8), seed=1)
    assert np.array_equal(shown.hidden, (shown.images == 0).all(axis=-1))
    assert shown.hidden.sum() < 0.3 * (shown.images == 0).any(axis=-1).sum()


@pytest.mark.parametrize("name", ["PixelDropout", "SaltAndPepper"])
def test_pixels_that_are_moved_afterwards_are_hidden_where_they_end_up(name):
    spec = pipeline(new_step(OFFERED[name]), StepSpec(transform="HorizontalFlip"))
    shown = preview(spec, np.full((5, 32, 32, 3), 128, np.uint8), seed=1)
    assert np.array_equal(shown.hidden, (shown.images != 128).any(axis=-1))


@pytest.mark.parametrize("name", ["PixelDropout", "SaltAndPepper"])
def test_looking_at_what_is_hidden_changes_no_draw_and_nothing_that_is_kept(name):
    hole = StepSpec(transform="CoarseDropout", arguments={"fill": 9})
    spec, images = pipeline(hole, new_step(OFFERED[name]), StepSpec(transform="ColorJitter")), pictures(8)
    trained = build_pipeline(spec, 1).apply(images)
    assert np.array_equal(trained, build_pipeline(spec, 1).trace(images).normalised)
    begun = begin(spec, images, 1, count=1)
    masks = [mask.copy() for mask in begun.masks]
    again: list[Any] = [finish(spec, begun, 1) for _ in range(2)]
    assert np.array_equal(again[0].hidden, again[1].hidden)
    assert np.array_equal(again[0].hidden, preview(spec, images, 1).hidden)
    assert all(np.array_equal(mask, before) for mask, before in zip(begun.masks, masks, strict=True))


def test_dropped_pixels_are_removed_told_and_outlined_step_by_step():
    spec = pipeline(new_step(OFFERED["PixelDropout"]))
    removal = summarise([take_sample(spec, pictures(200), 1)], spec)
    assert removal.mean_hidden == pytest.approx(0.3, abs=0.01)
    assert removal.with_hole == 1
    (stage,) = stages(spec, pictures(1), 1, 0)
    assert stage.hidden.any()
    assert drawn_words("PixelDropout", stage.drawn) == f"{stage.hidden.sum()} pixels"


def test_what_single_pixels_drew_is_told_in_words():
    per_channel = np.zeros((32, 32, 3), bool)
    per_channel[:2, 0], per_channel[5, 5, 1] = True, True
    words = drawn_words("PixelDropout", {"drop_mask": per_channel})
    assert words == "2 pixels, and channels of 1 more"
    salt, pepper = np.eye(32, dtype=bool), np.zeros((32, 32), bool)
    assert drawn_words("SaltAndPepper", {"salt_mask": salt, "pepper_mask": pepper}) == (
        "32 white pixels, 0 black"
    )
