"""Step by step an image ends as the preview shows it, and what each step drew is told as it was."""

import numpy as np
import pytest

from core.augmentation import AugmentationSpec, StepSpec, presets
from core.augmentation.drawn import drawn_words
from core.augmentation.forced import without_chance
from core.augmentation.library import albumentations
from core.augmentation.pipeline import preview, stages
from tests.pictures import pictures

SEED = 6


def step(transform: str, probability: float = 1.0, **arguments: object) -> StepSpec:
    return StepSpec(transform=transform, probability=probability, arguments=tuple(arguments.items()))


def only(*steps: StepSpec) -> AugmentationSpec:
    return AugmentationSpec(name="test", steps=steps)


def words(*steps: StepSpec) -> list[str]:
    """What each step drew for the first image, in words."""
    seen = stages(only(*steps), pictures(1), SEED, 0)
    return [drawn_words(steps[stage.index].transform, stage.drawn) for stage in seen]


@pytest.mark.parametrize("spec", presets().values(), ids=presets().keys())
def test_the_last_stage_of_every_image_is_its_preview(spec):
    images = pictures(12)
    shown = preview(spec, images, SEED)
    for index, image in enumerate(images):
        seen = stages(spec, images, SEED, index)
        assert tuple(stage.index for stage in seen if stage.drawn) == shown.acted[index]
        last = seen[-1].image if seen else image
        assert np.array_equal(last, shown.images[index])
        assert np.array_equal(seen[-1].hidden if seen else np.zeros((32, 32), bool), shown.hidden[index])


def test_a_stage_is_what_the_transform_alone_makes_of_the_stage_before():
    image = pictures(1)[0]
    grey = step("ToGray", method="weighted_average")
    flipped, greyed, padded, cropped = stages(
        only(
            step("HorizontalFlip"),
            grey,
            step("Pad", padding=4, border_mode=0),
            step("RandomCrop", height=32, width=32),
        ),
        image[None],
        SEED,
        0,
    )
    assert np.array_equal(flipped.image, image[:, ::-1])
    alone = albumentations.ToGray(method="weighted_average", p=1.0)(image=flipped.image)["image"]
    assert np.array_equal(greyed.image, alone)
    assert np.array_equal(padded.image[4:36, 4:36], alone)
    assert padded.image.shape == (40, 40, 3)
    x1, y1, x2, y2 = cropped.drawn["crop_coords"]
    assert np.array_equal(cropped.image, padded.image[y1:y2, x1:x2])


def test_steps_that_did_not_act_leave_the_image_and_drew_nothing():
    images = pictures(40)
    spec = only(step("HorizontalFlip", 0.5), step("VerticalFlip", 0.0), step("ToGray", 0.5))
    seen = [stages(spec, images, SEED, index) for index in range(len(images))]
    assert {stage.index for each in seen for stage in each} == {0, 2}  # the middle one can never act
    idle = [(image, each[0]) for image, each in zip(images, seen, strict=True) if not each[0].drawn]
    assert 10 < len(idle) < 30
    assert all(np.array_equal(stage.image, image) for image, stage in idle)


def test_forced_every_step_that_is_on_acts_and_nothing_else_changes():
    spec = presets()["seed_004_as_intended"]
    forced = without_chance(spec)
    assert [each.probability for each in forced.steps] == [1.0] * len(spec.steps)
    assert [each.arguments for each in forced.steps] == [each.arguments for each in spec.steps]
    assert preview(forced, pictures(20), SEED).acted == (tuple(range(len(spec.steps))),) * 20
    off = only(StepSpec(transform="ToGray", probability=0.2, is_on=False))
    assert preview(without_chance(off), pictures(3), SEED).acted == ((), (), ())


def test_what_a_warp_did_is_told_in_pixels_turns_and_scales():
    still = {"translate_percent": (0, 0), "scale": (1, 1), "rotate": (0, 0), "shear": (0, 0)}
    told = words(
        step("Affine", **still),
        step("Affine", **still | {"translate_percent": (0.125, 0.125)}),
        step("Affine", **still | {"rotate": (30, 30)}),
        step("Affine", **still | {"scale": (1.25, 1.25), "keep_ratio": True}),
    )
    assert told == ["left where it is", "shift +4.0, +4.0 px", "turn 30°", "scale 1.25"]


def test_what_the_other_steps_drew_is_told_in_words():
    told = words(
        step("HorizontalFlip"),
        step("Pad", padding=4, border_mode=0),
        step("RandomCrop", height=32, width=32),
        step("CoarseDropout", num_holes_range=(1, 1), hole_height_range=(8, 8), hole_width_range=(16, 16)),
        step("RandomBrightnessContrast", brightness_limit=(0.2, 0.2), contrast_limit=(0.5, 0.5)),
        step("ColorJitter", brightness=(1, 1), contrast=(2, 2), saturation=(0.5, 0.5), hue=(0, 0)),
    )
    assert told[0] == "mirrored"
    assert told[1] == "4 px all round"
    assert told[2].startswith("32×32 px from ")
    assert told[3].startswith("16×8 px at ")
    assert told[4] == "contrast 1.5 ×, brightness 51 of 255"
    assert "contrast 2, saturation 0.5, hue 0" in told[5]
