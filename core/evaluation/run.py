"""Measuring a checkpoint on the test images of a dataset. Importing this module costs torch."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from core import checkpoint as checkpoints
from core.data import Dataset
from core.errors import CheckpointError
from core.evaluation.fit import check_fits
from core.evaluation.metrics import evaluate
from core.network.build import restore_network
from core.network.predict import predict_batches


@dataclass(frozen=True, slots=True)
class EvaluationProgress:
    """How far an evaluation is."""

    done: int
    """Test images."""
    total: int
    """Test images."""


def run_evaluation(folder: Path, dataset: Dataset, device: str = "cpu") -> Iterator[EvaluationProgress]:
    """Compute the probabilities of the checkpoint in `folder` for all test images, and save them beside it.

    In float32, normalised with the mean and std of the checkpoint's own augmentation. Nothing is saved unless
    the last image is reached. Raises `CheckpointError` where the checkpoint is damaged, does not fit the
    dataset, gives no probabilities, or is replaced meanwhile by the training that it belongs to.
    """
    checkpoint = checkpoints.load(folder)
    check_fits(checkpoint, dataset)
    network = restore_network(checkpoint.run_spec.network, checkpoints.load_weights(folder)).to(device)
    pixels, test = checkpoint.run_spec.augmentation, dataset.test
    parts: list[np.ndarray] = []
    done = 0
    for part in predict_batches(network, test.images, pixels.mean, pixels.std, device):
        yield EvaluationProgress(done, len(test))
        parts.append(part)
        done += len(part)
    probabilities = np.concatenate(parts)
    evaluate(probabilities, test.labels, dataset.classes)
    # The seal names the weights that lie there now: they must be those that were measured.
    if checkpoints.load(folder).weights_sha256 != checkpoint.weights_sha256:
        raise CheckpointError(f"{folder}: its training saved a new epoch meanwhile; measure it again")
    checkpoints.save_probabilities(folder, dataset.fingerprint, probabilities)
    yield EvaluationProgress(done, len(test))
