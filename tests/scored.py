"""Checkpoints with probabilities made up for tests of what is counted and shown: no training, no torch."""

from pathlib import Path
from typing import Any

import numpy as np

from core import checkpoint
from core.data import Dataset
from tests.tiny import run_spec


def made_up_probabilities(dataset: Dataset, seed: int = 0) -> np.ndarray:
    """Probabilities (N, C) float32 of the test images, right for about half of them."""
    draw = np.random.default_rng(seed)
    scores = draw.normal(0, 1.5, (len(dataset.test), len(dataset.classes)))
    scores[np.arange(len(scores)), dataset.test.labels] += 2
    shares = np.exp(scores)
    return (shares / shares.sum(axis=1, keepdims=True)).astype(np.float32)


def save_checkpoint(
    folder: Path, dataset: Dataset, weights: dict[str, np.ndarray] | None = None, **record: Any
) -> np.ndarray:
    """Save a checkpoint of the tiny network on `dataset`, with `record` in its record; its probabilities."""
    probabilities = made_up_probabilities(dataset)
    defaults: dict[str, Any] = {
        "run_spec": run_spec(dataset),
        "epoch": 3,
        "history": (),
        "chosen_by": "validation",
        "classes": dataset.classes,
        "dataset_title": dataset.title,
        "is_stand_in": dataset.is_stand_in,
        "num_params": 954,
        "device": "test",
        "threads": 1,
    }
    # Other weights for every folder, as real ones would be.
    weights = weights or {"w": np.frombuffer(str(folder).encode(), dtype=np.uint8)}
    checkpoint.save(folder, weights=weights, **(defaults | record))
    checkpoint.save_probabilities(folder, dataset.fingerprint, probabilities)
    accuracy = float((probabilities.argmax(axis=1) == dataset.test.labels).mean())
    checkpoint.record_test(folder, accuracy, len(dataset.test))
    return probabilities
