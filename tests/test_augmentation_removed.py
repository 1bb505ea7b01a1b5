"""What a pipeline removes and leaves, measured, against what can be worked out by hand."""

import numpy as np
import pytest

from core.augmentation import AugmentationSpec, StepSpec, presets
from core.augmentation.holes import hidden_share
from core.augmentation.removed import Removal, summarise, take_sample
from tests.pictures import pictures

MEAN, STD = (0.4, 0.5, 0.6), (0.2, 0.25, 0.3)


def hole(probability: float, height: int, width: int, fill: object = 0, holes: int = 1) -> AugmentationSpec:
    arguments = {
        "num_holes_range": (holes, holes),
        "hole_height_range": (height, height),
        "hole_width_range": (width, width),
        "fill": fill,
    }
    step = StepSpec(transform="CoarseDropout", probability=probability, arguments=tuple(arguments.items()))
    return AugmentationSpec(name="test", steps=(step,), mean=MEAN, std=STD)


def measure(spec: AugmentationSpec, num_images: int = 1000) -> Removal:
    """Over two samples of so many images each."""
    images = pictures(num_images)
    return summarise([take_sample(spec, images, seed) for seed in (1, 2)], spec)


def test_one_fixed_hole_half_of_the_time_removes_half_of_its_area_on_average():
    removal = measure(hole(0.5, 16, 16))
    assert removal.mean_hidden == pytest.approx(0.125, abs=0.01)  # 3.6 standard errors of 2,000 coins
    assert removal.with_hole == pytest.approx(0.5, abs=0.04)
    assert removal.worst_from == removal.worst_mean == 0.25
    assert len(removal.hidden) == 2000


def test_a_hole_over_everything_removes_all_and_no_hole_nothing():
    everything = measure(hole(1.0, 32, 32, fill=(51, 102, 204)), 20)
    assert everything.mean_hidden == everything.worst_from == everything.worst_mean == 1
    colour = np.array((0.2, 0.4, 0.8))
    assert everything.pixel_mean == pytest.approx(colour, abs=1e-6)
    assert everything.network_mean == pytest.approx((colour - MEAN) / STD, abs=1e-5)
    assert everything.network_std == pytest.approx((0, 0, 0), abs=1e-3)
    nothing = measure(presets()["flip_crop"], 20)
    assert nothing.mean_hidden == nothing.with_hole == nothing.worst_mean == 0


def test_holes_that_overlap_are_counted_once():
    spec = hole(1.0, 12, 20, holes=4)
    worked_out = hidden_share(spec.steps[0])
    assert worked_out is not None
    assert worked_out < 4 * 12 * 20 / 1024
    assert measure(spec).mean_hidden == pytest.approx(worked_out, abs=0.01)


def test_the_worst_twentieth_is_found_among_holes_of_all_sizes():
    ranges = dict.fromkeys(("hole_height_range", "hole_width_range"), (1, 32))
    step = StepSpec(
        transform="CoarseDropout", arguments=(*ranges.items(), ("num_holes_range", (1, 1)), ("fill", 0))
    )
    removal = measure(AugmentationSpec(name="test", steps=(step,)))
    # The area of two independent sides, each with equal chance 1 to 32.
    areas = np.sort(np.outer(range(1, 33), range(1, 33)).ravel()) / 1024
    assert removal.mean_hidden == pytest.approx(areas.mean(), abs=0.02)
    assert removal.worst_from == pytest.approx(np.quantile(areas, 0.95), abs=0.03)
    assert removal.worst_mean == pytest.approx(areas[-51:].mean(), abs=0.03)


def test_without_steps_the_statistics_are_those_of_the_images():
    images = pictures(50)
    spec = AugmentationSpec(name="test", mean=MEAN, std=STD)
    removal = summarise([take_sample(spec, images[:30], 1), take_sample(spec, images[30:], 2)], spec)
    pixels = images.reshape(-1, 3).astype(np.float64) / 255
    assert removal.pixel_mean == pytest.approx(pixels.mean(axis=0), abs=1e-5)
    assert removal.pixel_std == pytest.approx(pixels.std(axis=0), abs=1e-5)
    assert removal.network_mean == pytest.approx((pixels.mean(axis=0) - MEAN) / STD, abs=1e-5)
    assert removal.network_std == pytest.approx(pixels.std(axis=0) / STD, abs=1e-5)
