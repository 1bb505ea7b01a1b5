"""The benchmark of augmentation compares ways that do the same work, and the claim that it prints holds."""

import pytest
import torch

from benchmarks.augmentation import BATCHED, COURSE, compare, noise, ways
from core.augmentation import presets


def test_every_way_makes_every_image() -> None:
    found = ways(noise(150), presets()["seed_001_as_intended"])
    assert {name: way() for name, way in found.items() if name != "kornia"} == dict.fromkeys(
        [name for name in found if name != "kornia"], 150
    )


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # kornia's, about torch
def test_tensors_are_at_least_four_times_faster_than_the_course_loader() -> None:
    torch.set_num_threads(1)
    speeds = compare(noise(512), rounds=5)
    assert speeds[COURSE].processor_us > 4 * speeds[BATCHED].processor_us
