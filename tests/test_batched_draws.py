"""What the pipeline on tensors draws has the distributions of what albumentations draws.

Each test compares two samples with fixed seeds: a chi-square test of homogeneity for whole numbers, the
two-sample test of Kolmogorov and Smirnov for the others. Equal distributions pass with p > 0.001.
"""

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from scipy import stats

from core.augmentation.batched import Drawn, build_batched
from core.augmentation.check import active_steps, build_step
from core.augmentation.spec import AugmentationSpec, StepSpec

DRAWS = 4000
LEAST_P = 0.001
IMAGE = np.zeros((32, 32, 3), np.uint8)


def spec_of(transform: str, probability: float = 1.0, **arguments: object) -> AugmentationSpec:
    step = StepSpec(transform=transform, probability=probability, arguments=tuple(arguments.items()))
    return AugmentationSpec(name="test", steps=(step,))


def theirs(spec: AugmentationSpec, image: NDArray[np.uint8] = IMAGE) -> list[dict[str, object]]:
    """The parameters of the draws on which albumentations' transform acts."""
    ((index, _),) = active_steps(spec)
    transform = build_step(spec, index)
    transform.set_random_seed(11)
    applied = []
    for _ in range(DRAWS):
        transform(image=image)
        applied.append(transform.get_applied_params())
    return [params for params in applied if params]


def ours(spec: AugmentationSpec) -> Drawn:
    return build_batched(spec, 11, "cpu").draw(DRAWS)[0]


def p_of_counts(mine: NDArray[np.int64], other: NDArray[np.int64]) -> float:
    """Two samples of whole numbers; values that are rare are counted together."""
    values, counts = np.unique(np.concatenate([mine, other]), return_counts=True)
    places = np.searchsorted(values[counts >= 20], np.concatenate([mine, other]))
    table = [np.bincount(part, minlength=places.max() + 1) for part in np.split(places, [len(mine)])]
    return float(stats.chi2_contingency(np.array(table)).pvalue)


def p_of_values(mine: NDArray[np.float64], other: NDArray[np.float64]) -> float:
    return float(stats.ks_2samp(mine, other).pvalue)


@pytest.mark.parametrize("transform", ["HorizontalFlip", "VerticalFlip"])
@pytest.mark.parametrize("probability", [0.05, 0.4, 0.5])
def test_images_are_flipped_as_often_as_the_probability_says(transform: str, probability: float) -> None:
    rows = ours(spec_of(transform, probability)).rows
    assert rows is not None
    assert stats.binomtest(len(rows), DRAWS, probability).pvalue > LEAST_P


def parts(matrices: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
    """Shift, scale and angle of matrices without shear `(N, 3, 3)`."""
    linear, middle = matrices[:, :2, :2], np.array([15.5, 15.5])
    shift = matrices[:, :2, 2] - middle + linear @ middle
    scale = np.linalg.norm(linear, axis=1)
    angle = np.degrees(np.arctan2(-linear[:, 1, 0], linear[:, 0, 0]))
    return {"shift": shift, "scale": scale, "angle": angle}


AFFINES = {
    "ShiftScaleRotate()": spec_of("ShiftScaleRotate"),
    "uneven ends": spec_of("Affine", translate_percent=(-0.2, 0.05), scale=(0.7, 1.1), rotate=(-10, 60)),
    "one scale, shift in pixels": spec_of(
        "Affine", translate_px=(-3, 2), scale=(0.9, 1.1), rotate=45, keep_ratio=True
    ),
}


@pytest.mark.parametrize("name", AFFINES)
def test_shift_scale_and_angle_are_distributed_as_in_albumentations(name: str) -> None:
    spec = AFFINES[name]
    mine = parts(ours(spec).parameters.numpy())
    other = parts(np.stack([params["matrix"] for params in theirs(spec)]))  # type: ignore[arg-type]
    assert np.abs(mine["shift"] - np.rint(mine["shift"])).max() < 1e-9
    for axis in (0, 1):
        counts = [np.rint(sample["shift"][:, axis]).astype(np.int64) for sample in (mine, other)]
        assert p_of_counts(*counts) > LEAST_P
        assert p_of_values(mine["scale"][:, axis], other["scale"][:, axis]) > LEAST_P
    assert p_of_values(mine["angle"], other["angle"]) > LEAST_P
    is_one_scale = [np.allclose(sample["scale"][:, 0], sample["scale"][:, 1]) for sample in (mine, other)]
    assert is_one_scale == [spec.steps[0].keywords.get("keep_ratio", False)] * 2


def test_shear_is_distributed_as_in_albumentations() -> None:
    spec = spec_of("Affine", shear=(-10, 30))
    mine = ours(spec).parameters.numpy()
    other = np.stack([params["matrix"] for params in theirs(spec)])  # type: ignore[arg-type]
    for row, column in ((0, 1), (1, 0)):
        assert p_of_values(mine[:, row, column], other[:, row, column]) > LEAST_P


HOLES = {
    "pixels": {"hole_height_range": (4, 16), "hole_width_range": (1, 32)},
    "shares": {"hole_height_range": (0.1, 0.6), "hole_width_range": (0.3, 0.9)},
    "one size": {"hole_height_range": (16, 16), "hole_width_range": (16, 16)},
}


@pytest.mark.parametrize("name", HOLES)
def test_holes_are_as_many_as_large_and_at_such_places_as_in_albumentations(name: str) -> None:
    spec = spec_of("CoarseDropout", num_holes_range=(1, 3), **HOLES[name])
    corners = ours(spec).parameters.corners.numpy()
    mine = [of_image[of_image.any(1)] for of_image in corners]
    other = [np.asarray(params["holes"]) for params in theirs(spec)]
    counts = [np.array([len(of_image) for of_image in sample]) for sample in (mine, other)]
    assert p_of_counts(*counts) > LEAST_P
    all_mine, all_other = np.concatenate(mine), np.concatenate(other)
    assert all_mine[:, :2].min() >= 0
    assert all_mine[:, 2:].max() <= 32
    for measure in (
        lambda holes: holes[:, 2] - holes[:, 0],
        lambda holes: holes[:, 3] - holes[:, 1],
        lambda holes: holes[:, 0],
        lambda holes: holes[:, 1],
    ):
        sample = [measure(holes).astype(np.int64) for holes in (all_mine, all_other)]
        if np.ptp(np.concatenate(sample)):
            assert p_of_counts(*sample) > LEAST_P


def test_windows_lie_at_such_places_as_in_albumentations() -> None:
    padded = AugmentationSpec(
        name="test",
        steps=(
            StepSpec(transform="Pad", arguments=(("padding", (4, 2)),)),
            StepSpec(transform="RandomCrop", arguments=(("height", 32), ("width", 32))),
        ),
    )
    mine = build_batched(padded, 11, "cpu").draw(DRAWS)[1].parameters
    crop = spec_of("RandomCrop", height=32, width=32)
    corners = [params["crop_coords"] for params in theirs(crop, np.zeros((36, 40, 3), np.uint8))]
    left, top = np.array(corners)[:, :2].T
    assert p_of_counts(mine.left.numpy(), left) > LEAST_P
    assert p_of_counts(mine.top.numpy(), top) > LEAST_P


def test_brightness_and_contrast_are_distributed_as_in_albumentations() -> None:
    spec = spec_of("RandomBrightnessContrast", brightness_limit=(-0.1, 0.4), contrast_limit=(-0.5, 0.2))
    mine, other = ours(spec).parameters, theirs(spec)
    for tensor, name in ((mine.factor, "alpha"), (mine.offset, "beta")):
        assert p_of_values(tensor.numpy(), np.array([params[name] for params in other])) > LEAST_P


def test_the_factors_of_jitter_and_their_order_are_distributed_as_in_albumentations() -> None:
    spec = spec_of("ColorJitter", brightness=(0.5, 1.2), contrast=0.3, saturation=(0, 2), hue=(-0.1, 0.3))
    mine, other = ours(spec).parameters, theirs(spec)
    for part, name in enumerate(("brightness", "contrast", "saturation", "hue")):
        values = np.array([params[name] for params in other])
        assert p_of_values(mine.factors[:, part].numpy(), values) > LEAST_P
    digits = np.array([1000, 100, 10, 1])
    orders = np.array([params["order"] for params in other])
    assert len(np.unique(mine.order.numpy() @ digits)) == 24
    assert p_of_counts(mine.order.numpy() @ digits, orders @ digits) > LEAST_P


@pytest.mark.parametrize("fill", ["random", "random_uniform"])
def test_noise_takes_all_levels_equally_often(fill: str) -> None:
    paint = ours(
        spec_of("CoarseDropout", fill=fill, hole_height_range=(32, 32), hole_width_range=(32, 32))
    ).parameters.paint
    levels = paint[:, :, 0, 0].flatten().long()
    assert stats.chisquare(torch.bincount(levels, minlength=256).numpy()).pvalue > LEAST_P


def test_the_test_of_distributions_can_fail() -> None:
    generator = np.random.default_rng(0)
    assert p_of_counts(generator.integers(0, 9, DRAWS), generator.integers(0, 10, DRAWS)) < LEAST_P
    assert p_of_values(generator.uniform(0, 1, DRAWS), generator.uniform(0, 1.1, DRAWS)) < LEAST_P
