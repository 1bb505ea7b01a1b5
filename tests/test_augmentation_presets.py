"""The seeds' pipelines as written do to pixels what the old releases did; as intended, what was meant."""

import cv2
import numpy as np
import pytest

from core.augmentation import notes, presets
from core.augmentation.library import albumentations
from core.augmentation.pipeline import build_pipeline, preview
from core.augmentation.spec import CIFAR10_MEAN, CIFAR10_STD, AugmentationSpec
from tests.pictures import pictures

SEEDS = ("seed_000", "seed_001", "seed_002", "seed_003", "seed_004")
WITH_HOLES = ("seed_001", "seed_003", "seed_004")


def alone(key: str, *transforms: str) -> AugmentationSpec:
    """The preset with only these steps left on, each acting on every image; Normalize stays."""
    spec = presets()[key]
    kept = [step for step in spec.steps if step.transform in (*transforms, "Normalize")]
    always = tuple(
        type(step)(transform=step.transform, arguments=step.arguments, probability=1.0) for step in kept
    )
    return AugmentationSpec(name=key, steps=always, mean=spec.mean, std=spec.std)


def normalised(key: str, images: np.ndarray) -> np.ndarray:
    """`(N, H, W, 3)`, by the formula of every release and with no code of ours."""
    spec = presets()[key]
    return ((images / 255.0 - spec.mean) / spec.std).astype(np.float32)


def channels_last(batch: np.ndarray) -> np.ndarray:
    return np.moveaxis(batch, 1, -1)


def test_every_preset_runs_on_pictures_and_says_what_it_is():
    images = pictures(16)
    assert list(presets()) == list(notes())
    names = [spec.name for spec in presets().values()]
    assert len(set(names)) == len(names)
    assert {f"{seed}_as_{how}" for seed in SEEDS for how in ("written", "intended")} <= set(presets())
    for key, spec in presets().items():
        batch = build_pipeline(spec, seed=1).apply(images)
        assert np.isfinite(batch).all()
        assert len(notes()[key]) > 30


@pytest.mark.parametrize(
    "key", ["none", *(f"seed_{n}_as_{how}" for n in ("000", "002") for how in ("written", "intended"))]
)
def test_those_without_augmentation_only_normalise(key):
    images = pictures(4)
    batch = build_pipeline(presets()[key], seed=1).apply(images)
    assert np.abs(channels_last(batch) - normalised(key, images)).max() < 2e-6


@pytest.mark.parametrize(
    "key, value", [("seed_001_as_written", (0.4675, 0.4599, 0.4236)), ("seed_003_as_written", 0.4734)]
)
def test_fills_below_one_came_out_black_on_8_bit_images(key, value):
    """NumPy's assignment to uint8, which all releases use, cuts the fraction off; so the preset says 0."""
    old = np.full((32, 32, 3), 99, np.uint8)
    old[4:20, 8:24] = np.asarray(value).astype(np.uint8)
    shown = preview(alone(key, "CoarseDropout"), np.full((8, 32, 32, 3), 99, np.uint8), seed=1)
    for picture, ((x1, y1, x2, y2),) in zip(shown.images, shown.holes, strict=True):
        assert (x2 - x1, y2 - y1) == (16, 16)
        assert np.array_equal(np.unique(picture[y1:y2, x1:x2]), np.unique(old[4:20, 8:24]))
        assert picture.sum(dtype=int) == old.sum(dtype=int)


def test_seed_004_fills_its_hole_with_the_mean_in_the_wrong_units():
    images = pictures(12)
    spec = alone("seed_004_as_written", "CoarseDropout")
    holes = preview(spec, images, seed=1).holes
    batch = channels_last(build_pipeline(spec, seed=1).apply(images))
    expected = normalised("seed_004_as_written", images)
    for image, ((x1, y1, x2, y2),) in zip(expected, holes, strict=True):
        image[y1:y2, x1:x2] = (0.49139968, 0.48215841, 0.44653091)  # what release 1.2.1 assigned
    assert np.abs(batch - expected).max() < 2e-6
    assert batch.min() < -1.5  # nothing was cut off at 0


def test_seed_004_greys_the_normalised_image_as_opencv_does():
    images = pictures(12)
    batch = channels_last(build_pipeline(alone("seed_004_as_written", "ToGray"), seed=1).apply(images))
    for image, grey in zip(normalised("seed_004_as_written", images), batch, strict=True):
        old = cv2.cvtColor(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
        weights = image.astype(np.float64) @ (0.299, 0.587, 0.114)
        assert np.abs(grey - old).max() < 1e-5
        assert np.abs(grey[..., 0] - weights).max() < 1e-5
    assert batch.min() < -1  # nothing was cut off at 0


def old_matrix(center: float, angle: float, scale: float, dx: float, dy: float) -> np.ndarray:
    """The matrix of ShiftScaleRotate in releases 1.0.0 (center 16) and 1.2.1 (15.5), dx and dy in pixels."""
    matrix = cv2.getRotationMatrix2D((center, center), angle, scale)
    matrix[:, 2] += (dx, dy)
    return matrix


@pytest.mark.parametrize("key", [f"{seed}_as_written" for seed in WITH_HOLES])
def test_the_shift_scale_rotate_draws_what_the_old_one_drew_but_whole_pixels(key):
    (affine,) = (s for s in presets()[key].steps if s.transform == "Affine")
    transform = albumentations.Affine(**affine.keywords, p=1)
    transform.set_random_seed(1)
    image = pictures(1)[0]
    angles, scales, shifts = [], [], set()
    for _ in range(3000):
        turned = transform(image=image)["image"]
        drawn = transform.get_applied_params()
        scale, angle = drawn["scale"]["x"], drawn["rotate"]
        assert drawn["scale"]["y"] == scale  # one factor, as before; ShiftScaleRotate of 2.0.8 draws two
        still = old_matrix(15.5, angle, scale, 0, 0)
        dx, dy = drawn["matrix"][:2, 2] - still[:, 2]
        assert np.abs(drawn["matrix"][:2] - old_matrix(15.5, angle, scale, dx, dy)).max() < 1e-9
        angles.append(angle)
        scales.append(scale)
        shifts.add((round(dx, 6), round(dy, 6)))
    old = cv2.warpAffine(image, drawn["matrix"][:2], (32, 32), borderMode=cv2.BORDER_REFLECT_101)
    assert np.abs(turned.astype(int) - old).max() <= 1
    assert -45 <= min(angles) < -44 < 44 < max(angles) <= 45
    assert 0.9 <= min(scales) < 0.902 < 1.098 < max(scales) <= 1.1
    assert shifts == {(x, y) for x in (-1.0, 0.0, 1.0) for y in (-1.0, 0.0, 1.0)}


def test_the_shiftscalerotate_of_the_installed_release_is_another_one():
    """Why the presets do not use it: width and height are scaled apart, and its border is black."""
    transform = albumentations.ShiftScaleRotate(p=1)
    transform.set_random_seed(1)
    transform(image=pictures(1)[0])
    scale = transform.get_applied_params()["scale"]
    assert scale["x"] != scale["y"]
    assert transform.border_mode == cv2.BORDER_CONSTANT


WRITTEN = {
    "seed_001": {"HorizontalFlip": 0.5, "Affine": 0.5, "CoarseDropout": 0.5},
    "seed_003": {"HorizontalFlip": 0.49, "Affine": 0.45, "CoarseDropout": 0.44},
    "seed_004": {"HorizontalFlip": 0.4, "Affine": 0.5, "Normalize": 1, "CoarseDropout": 0.5, "ToGray": 0.5},
}


@pytest.mark.parametrize("seed", WITH_HOLES)
def test_order_and_probabilities_are_the_projects(seed):
    written = {step.transform: step.probability for step in presets()[f"{seed}_as_written"].steps}
    assert list(written.items()) == list(WRITTEN[seed].items())
    intended = {step.transform: step.probability for step in presets()[f"{seed}_as_intended"].steps}
    assert intended == {name: p for name, p in WRITTEN[seed].items() if name != "Normalize"}


@pytest.mark.parametrize("seed", WITH_HOLES)
def test_as_intended_the_hole_means_nothing_to_the_network(seed):
    """A hole in the mean colour is 0 to the network, but for the rounding to whole levels of 255."""
    spec = alone(f"{seed}_as_intended", "CoarseDropout")
    images = pictures(6)
    holes = preview(spec, images, seed=1).holes
    batch = channels_last(build_pipeline(spec, seed=1).apply(images))
    for image, ((x1, y1, x2, y2),) in zip(batch, holes, strict=True):
        assert np.abs(image[y1:y2, x1:x2]).max() < 0.5 / 255 / min(CIFAR10_STD) + 1e-3
    assert np.abs(np.subtract(spec.mean, CIFAR10_MEAN)).max() < 1e-4
    assert np.abs(np.subtract(spec.std, CIFAR10_STD)).max() < 1e-4


def test_cutout_hides_a_quarter_of_every_image():
    shown = preview(presets()["cutout"], pictures(50), seed=1)
    assert np.all(shown.hidden.mean(axis=(1, 2)) == 0.25)


@pytest.mark.parametrize(
    "key, mean, most", [("trivial_augment_like", 0.91, 0.25), ("rand_augment_like", 1.82, 0.6)]
)
def test_a_mix_makes_as_many_changes_as_its_note_says(key, mean, most):
    """Of 13 operations in 11 steps, each with the chance of one in 14, or two."""
    spec = presets()[key]
    shown = preview(spec, np.repeat(pictures(20), 50, axis=0), 1)
    changes = np.array([sum(step > 2 for step in acted) for acted in shown.acted])
    assert changes.mean() == pytest.approx(mean, abs=0.15)  # 3.6 standard errors of the larger
    assert (changes > 1).mean() < most
    steps = {step for acted in shown.acted for step in acted}
    assert steps == set(range(len(spec.steps)))
    assert not any(mask.any() for mask in shown.hidden)
