"""The benchmark of augmentation compares ways that do the same work, and the claim that it prints holds."""

import numpy as np
import pytest
import torch

from benchmarks import parity
from benchmarks.augmentation import BATCHED, COURSE, compare, noise, ways
from core.augmentation import presets
from core.training import Recipe


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


def test_what_is_compared_by_training_differs_in_the_augmentation_alone(monkeypatch, shapes) -> None:
    begun = []

    class Watched(parity.Training):
        def __init__(self, *given: object) -> None:
            super().__init__(*given)
            begun.append((self, self.snapshot().weights))

    monkeypatch.setattr(parity, "Training", Watched)
    recipe = Recipe(epochs=1, batch_size=20, validation="test")
    found = parity.compare(shapes, recipe, train_images=100, seeds=1)
    (tensors, weights), (pipeline, other_weights) = begun
    assert (tensors.batches.is_on_tensors, pipeline.batches.is_on_tensors) == (True, False)
    assert all(np.array_equal(weights[name], other_weights[name]) for name in weights)
    of_tensors, of_pipeline = tensors.batches.at(1, 1), pipeline.batches.at(1, 1)
    assert np.array_equal(of_tensors.indices, of_pipeline.indices)
    assert not torch.equal(of_tensors.inputs, of_pipeline.inputs)
    assert found == {
        parity.TENSORS: [tensors.history[-1].validation_accuracy],
        parity.PIPELINE: [pipeline.history[-1].validation_accuracy],
    }
