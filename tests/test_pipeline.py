"""What is previewed is what is trained: albumentations' own pixels, drawn anew for every image."""

import inspect
import math

import numpy as np
import pytest

from core.augmentation import denormalise, presets
from core.augmentation.catalogue import TRANSFORMS
from core.augmentation.library import albumentations
from core.augmentation.pipeline import build_pipeline, check, normalise, preview
from core.augmentation.spec import AugmentationSpec, StepSpec
from core.errors import SpecError
from tests.pictures import pictures

MEAN, STD = (0.4914, 0.4822, 0.4465), (0.2470, 0.2435, 0.2616)


def step(transform: str, probability: float = 1.0, is_on: bool = True, **arguments: object) -> StepSpec:
    return StepSpec(
        transform=transform, probability=probability, is_on=is_on, arguments=tuple(arguments.items())
    )


def spec_of(*steps: StepSpec) -> AugmentationSpec:
    return AugmentationSpec(name="test", steps=steps, mean=MEAN, std=STD)


def hole(probability: float = 1.0, side: int = 16, fill: object = 0) -> StepSpec:
    ranges = {f"{name}_range": (side, side) for name in ("hole_height", "hole_width")}
    return step("CoarseDropout", probability, num_holes_range=(1, 1), fill=fill, **ranges)


def test_normalise_equals_albumentations_and_the_formula():
    images = pictures(20)
    normalised = normalise(images, MEAN, STD)
    library = albumentations.Normalize(mean=MEAN, std=STD)
    theirs = np.stack([library(image=image)["image"] for image in images])
    formula = (images.astype(np.float64) / 255 - MEAN) / STD
    assert normalised.shape == (20, 3, 32, 32)
    assert normalised.dtype == np.float32
    assert normalised.flags.c_contiguous
    assert np.abs(np.moveaxis(normalised, 1, -1) - theirs).max() <= 1e-6
    assert np.abs(np.moveaxis(normalised, 1, -1) - formula).max() <= 2e-6


def test_every_level_of_a_pixel_comes_back_from_the_normalisation():
    levels = np.arange(256, dtype=np.uint8).repeat(3).reshape(1, 16, 16, 3)
    assert np.array_equal(denormalise(normalise(levels, MEAN, STD), MEAN, STD), levels)


def test_the_pipeline_draws_the_very_pixels_of_albumentations_compose():
    images = pictures(30)
    ours = build_pipeline(spec_of(step("HorizontalFlip", 0.5), hole(0.5, fill=(9, 8, 7))), seed=5).apply(
        images
    )
    holes = {"num_holes_range": (1, 1), "hole_height_range": (16, 16), "hole_width_range": (16, 16)}
    compose = albumentations.Compose(
        [
            albumentations.HorizontalFlip(p=0.5),
            albumentations.CoarseDropout(**holes, fill=(9, 8, 7), p=0.5),
            albumentations.Normalize(mean=MEAN, std=STD),
        ],
        seed=5,
    )
    for number, transform in enumerate(compose.transforms):
        transform.set_random_seed(20 * 5 + number)
    theirs = np.stack([compose(image=image)["image"] for image in images])
    assert np.abs(np.moveaxis(ours, 1, -1) - theirs).max() <= 1e-6


def test_a_normalisation_in_the_middle_stays_where_it_is():
    images = pictures(5)
    dark = step("RandomBrightnessContrast", brightness_limit=(-1, -1), contrast_limit=(0, 0))
    before = build_pipeline(spec_of(dark, step("Normalize")), seed=1).apply(images)
    behind = build_pipeline(spec_of(step("Normalize"), hole(side=32, fill=0.25)), seed=1).apply(images)
    assert np.allclose(before[:, 0], -MEAN[0] / STD[0])  # black, then normalised
    assert np.all(behind == 0.25)  # in normalised units


@pytest.mark.parametrize("spec", presets().values(), ids=presets().keys())
def test_the_preview_shows_exactly_what_the_training_gets(spec):
    images = pictures(24)
    trained = build_pipeline(spec, seed=7).apply(images)
    shown = preview(spec, images, seed=7)
    assert np.array_equal(shown.images, denormalise(trained, spec.mean, spec.std))
    assert np.array_equal(preview(spec, images, seed=7).images, shown.images)


def test_the_preview_equals_the_training_for_every_transform_that_is_offered():
    images = pictures(8)
    for offered in TRANSFORMS.values():
        before = (TRANSFORMS[offered.after].new_step(),) if offered.after else ()
        behind = (TRANSFORMS["RandomCrop"].new_step(),) if offered.name == "Pad" else ()
        spec = spec_of(*before, offered.new_step(), *behind)
        trained = build_pipeline(spec, seed=3).apply(images)
        assert np.array_equal(preview(spec, images, seed=3).images, denormalise(trained, MEAN, STD))


def test_the_same_seed_gives_the_same_images_in_however_many_calls_and_another_seed_others():
    images = pictures(20)
    spec = presets()["seed_001_as_intended"]
    at_once = build_pipeline(spec, seed=1).apply(images)
    pipeline = build_pipeline(spec, seed=1)
    in_parts = np.concatenate([pipeline.apply(images[:7]), pipeline.apply(images[7:])])
    assert np.array_equal(at_once, in_parts)
    assert not np.array_equal(at_once, build_pipeline(spec, seed=2).apply(images))
    assert not np.array_equal(at_once, pipeline.apply(images))  # the next epoch draws anew


def test_the_order_and_the_pixels_of_the_images_do_not_change_the_draws():
    spec = spec_of(hole())
    assert preview(spec, pictures(9, seed=1), 4).holes == preview(spec, pictures(9, seed=2), 4).holes


def test_every_image_has_its_own_draw():
    same = np.repeat(pictures(1), 64, axis=0)
    shown = preview(spec_of(hole()), same, seed=1)
    assert len(set(shown.holes)) > 40  # of 64 draws out of 17 x 17 places


def test_whether_a_step_acts_says_nothing_about_the_others():
    names = ("HorizontalFlip", "ToGray", "VerticalFlip", "RandomBrightnessContrast", "CoarseDropout")
    spec = spec_of(*(step(name, 0.5) for name in names))
    acted = np.zeros((2000, len(names)))
    for row, steps in zip(acted, preview(spec, np.repeat(pictures(20), 100, axis=0), 1).acted, strict=True):
        row[list(steps)] = 1
    correlations = np.corrcoef(acted.T)[np.triu_indices(len(names), 1)]
    assert np.abs(correlations).max() < 0.1  # 4.5 standard errors; they are 1 with Compose's own seeds


def test_images_are_left_untouched():
    images = pictures(6).copy()
    before = images.copy()
    for spec in presets().values():
        build_pipeline(spec, seed=1).apply(images)
    assert np.array_equal(images, before)


def test_no_images_give_no_images():
    none = np.empty((0, 32, 32, 3), np.uint8)
    assert build_pipeline(presets()["cutout"], seed=1).apply(none).shape == (0, 3, 32, 32)
    assert preview(presets()["cutout"], none, seed=1).holes == ()


@pytest.mark.parametrize("probability", [0.15, 0.5, 0.9])
def test_a_step_acts_as_often_as_its_probability_says(probability):
    images = np.zeros((2000, 32, 32, 3), np.uint8)
    shown = preview(spec_of(hole(probability, side=4, fill=255)), images, seed=11)
    acted = sum(bool(picture.any()) for picture in shown.images)
    assert abs(acted - 2000 * probability) <= 4 * math.sqrt(2000 * probability * (1 - probability))
    assert acted == sum(0 in steps for steps in shown.acted)
    assert acted == sum(len(holes) for holes in shown.holes)


def test_steps_that_are_off_or_never_act_are_left_out():
    images = pictures(10)
    idle = (step("VerticalFlip", 0.0), step("ToGray", is_on=False))
    shown = preview(spec_of(*idle, hole()), images, seed=1)
    assert np.array_equal(shown.images, preview(spec_of(hole()), images, seed=1).images)
    assert set(shown.acted) == {(2,)}


def test_one_hole_of_16_px_hides_256_px_exactly_where_it_is_reported():
    white = np.full((200, 32, 32, 3), 255, np.uint8)
    shown = preview(spec_of(hole()), white, seed=1)
    for picture, hidden, holes in zip(shown.images, shown.hidden, shown.holes, strict=True):
        ((x1, y1, x2, y2),) = holes
        assert min(x1, y1) >= 0
        assert max(x2, y2) <= 32
        reported = np.zeros((32, 32), bool)
        reported[y1:y2, x1:x2] = True
        assert np.array_equal((picture == 0).all(axis=-1), reported)
        assert np.array_equal(hidden, reported)
        assert hidden.sum() == 256


def test_a_hole_that_is_moved_afterwards_is_hidden_where_it_ends_up():
    white = np.full((20, 32, 32, 3), 255, np.uint8)
    shown = preview(spec_of(hole(side=8), step("HorizontalFlip")), white, seed=1)
    dark = (shown.images == 0).all(axis=-1)
    assert np.array_equal(shown.hidden, dark)
    ((x1, y1, x2, y2),) = shown.holes[0]
    assert dark[0, y1:y2, 32 - x2 : 32 - x1].all()


def test_overlapping_holes_are_counted_once():
    white = np.full((20, 32, 32, 3), 255, np.uint8)
    many = step(
        "CoarseDropout", num_holes_range=(9, 9), hole_height_range=(12, 12), hole_width_range=(12, 12)
    )
    shown = preview(spec_of(many), white, seed=1)
    assert {len(holes) for holes in shown.holes} == {9}
    assert np.array_equal(shown.hidden, (shown.images == 0).all(axis=-1))


def test_the_padded_crop_shifts_by_every_offset_up_to_four_and_shows_black_beyond_the_edge():
    rows, columns = np.mgrid[0:32, 0:32]
    coded = np.stack([rows + 1, columns + 1, 0 * rows + 200], axis=-1).astype(np.uint8)
    spec = spec_of(*presets()["flip_crop"].steps[1:])
    shown = preview(spec, np.repeat(coded[None], 600, axis=0), seed=1).images
    offsets = set()
    for picture in shown:
        down, right = int(picture[16, 16, 0]) - 17, int(picture[16, 16, 1]) - 17
        padded = np.pad(coded, ((4, 4), (4, 4), (0, 0)))
        assert np.array_equal(picture, padded[4 + down : 36 + down, 4 + right : 36 + right])
        offsets.add((down, right))
    assert offsets == {(down, right) for down in range(-4, 5) for right in range(-4, 5)}


REFUSED = {
    "a transform of another kind": (
        step("Compose"),
        "is not offered: it is no transform of images in albumentations 2.0.8; choose",
    ),
    "a hostile name": (step("__class__"), "step 1 .__class__.: is not"),
    "the old name of a count": (
        step("CoarseDropout", max_holes=1),
        "no argument max_holes .* num_holes_range",
    ),
    "the old name of a fill": (step("CoarseDropout", fill_value=0), "no argument fill_value .* use fill"),
    "a probability as an argument": (step("HorizontalFlip", p=1), "no argument p "),
    "an invented argument": (step("ToGray", amount=1), "no argument amount .* method"),
    "least above most": (step("CoarseDropout", hole_width_range=(16, 1)), "least to most, got .16, 1.; swap"),
    "no hole": (step("CoarseDropout", num_holes_range=(0, 0)), "num_holes_range"),
    "a hole that is too large": (hole(side=33), "0 to 32 px"),
    "pixels and shares": (
        step("CoarseDropout", hole_height_range=(0.1, 0.2), hole_width_range=(4, 8)),
        "one kind",
    ),
    "a share of one": (step("CoarseDropout", hole_height_range=(0.5, 1.0)), "all whole pixels or all shares"),
    "words for numbers": (step("CoarseDropout", num_holes_range="many"), "num_holes_range"),
    "a fill of two channels": (hole(fill=(1, 2)), "cannot work"),
    "an unknown fill": (hole(fill="glitter"), "fill"),
    "one channel": (step("ToGray", num_output_channels=1), "must leave an RGB image"),
    "a vast margin": (step("Pad", padding=100_000), "within ±1000"),
    "a large margin": (step("Pad", padding=900), "sides up to 256"),
    "a scale of zero": (step("Affine", scale=(0, 0)), "scale is at least"),
    "a scale of zero by its old name": (step("ShiftScaleRotate", scale_limit=(-1, 0)), "scale is at least"),
    "shears to a line": (step("Affine", shear=(45, 45), border_mode=4), "shear lies within"),
    "another size": (step("RandomCrop", height=28, width=28), "28x28 px"),
    "a margin without a crop": (step("Pad", padding=4), "40x40 px; end it with a RandomCrop"),
}


@pytest.mark.timeout(30)
@pytest.mark.parametrize("refused, words", REFUSED.values(), ids=REFUSED.keys())
def test_what_cannot_run_as_it_reads_is_refused_with_step_rule_and_remedy(refused, words):
    with pytest.raises(SpecError, match=words) as refusal:
        check(spec_of(refused))
    assert refused.transform in str(refusal.value) or "pipeline" in str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_a_crop_that_only_sometimes_follows_its_margin_is_refused():
    margin, crop = step("Pad", padding=4), step("RandomCrop", 0.9, height=32, width=32)
    with pytest.raises(SpecError, match="40x40 px"):
        build_pipeline(spec_of(margin, crop), seed=1)
    check(spec_of(step("Pad", 0.5, padding=4), step("RandomCrop", height=32, width=32)))


def test_the_message_counts_the_steps_as_people_do():
    with pytest.raises(SpecError, match=r"step 2 \(ToGray\)"):
        check(spec_of(step("HorizontalFlip"), step("ToGray", method="best")))


def test_faults_in_a_step_that_is_off_do_not_matter():
    check(spec_of(step("CoarseDropout", is_on=False, max_holes=1)))


def test_albumentations_itself_would_have_ignored_the_old_names():
    """The reason for refusing them; if this fails, the library has become stricter."""
    with pytest.warns(UserWarning, match="max_holes"):
        ignored = albumentations.CoarseDropout(max_holes=1, max_height=16, max_width=16)
    assert ignored.hole_height_range == (0.1, 0.2)
    assert "max_holes" not in inspect.signature(albumentations.CoarseDropout).parameters
