"""Measuring a strength curve. Importing this module costs torch and albumentations."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from torch import nn

from core import checkpoint as checkpoints
from core.augmentation import AugmentationSpec
from core.augmentation.pipeline import build_pipeline, check
from core.checkpoint import Checkpoint
from core.data import Dataset
from core.data.splits import take_balanced
from core.evaluation.fit import check_fits
from core.evaluation.metrics import evaluate
from core.evaluation.run import EvaluationProgress
from core.evaluation.strength import StrengthCurve, StrengthPoint, StrengthSettings, at_strength
from core.network.build import restore_network
from core.network.predict import predict

BATCH_SIZE = 250


def measure_strength(
    folder: Path, dataset: Dataset, settings: StrengthSettings, device: str = "cpu"
) -> Iterator[EvaluationProgress | StrengthCurve]:
    """Measure the checkpoint in `folder` with the step off and at every value, on one sample of test images.

    The pictures are those of a preview, 8-bit RGB, and go through the one path of every evaluation, so that
    with nothing changed in them the answers are the stored ones. Progress counts pictures over all values;
    the curve comes last. `SpecError` where the pipeline cannot run at one of the values, before anything is
    measured; `CheckpointError` where the checkpoint is damaged or has other classes than the dataset.
    """
    checkpoint = checkpoints.load(folder)
    check_fits(checkpoint, dataset)
    specs = [at_strength(settings, value) for value in settings.values]
    for each in specs:
        check(each)
    network = restore_network(checkpoint.run_spec.network, checkpoints.load_weights(folder)).to(device)
    labels = dataset.test.labels
    ids = sample_ids(dataset, settings.images, settings.seed)
    points: list[StrengthPoint] = []
    total = (1 + len(specs)) * len(ids)
    for turn, value in enumerate([None, *settings.values]):
        spec = specs[turn - 1] if turn else None
        parts: list[NDArray[np.float32]] = []
        for part in _answers(network, checkpoint, dataset.test.images, ids, spec, settings.seed, device):
            parts.append(part)
            yield EvaluationProgress(turn * len(ids) + sum(map(len, parts)), total)
        points.append(_point(value, np.concatenate(parts), labels[ids], dataset.classes))
    yield StrengthCurve(
        settings=settings,
        classes=dataset.classes,
        totals=_per_class(np.ones(len(ids)), labels[ids], dataset.classes),
        off=points[0],
        points=tuple(points[1:]),
        stored_correct=_stored_correct(folder, dataset, ids),
    )


def sample_ids(dataset: Dataset, images: int, seed: int) -> NDArray[np.int64]:
    """The ids of up to `images` test images, as many of each class, ascending."""
    labels = dataset.test.labels
    return np.sort(take_balanced(labels, min(images, len(labels)), seed))


def _answers(
    network: nn.Module,
    checkpoint: Checkpoint,
    images: NDArray[np.uint8],
    ids: NDArray[np.int64],
    spec: AugmentationSpec | None,
    seed: int,
    device: str,
) -> Iterator[NDArray[np.float32]]:
    """Probabilities (n, C) of the images `ids`, batch by batch, each image with its own draw of `spec`."""
    pipeline = None if spec is None else build_pipeline(spec, seed)
    pixels = checkpoint.run_spec.augmentation
    for start in range(0, len(ids), BATCH_SIZE):
        pictures = images[ids[start : start + BATCH_SIZE]]
        if pipeline is not None:
            pictures = pipeline.preview(pictures).images
        yield predict(network, pictures, pixels.mean, pixels.std, device, BATCH_SIZE)


def _point(
    value: float | None,
    probabilities: NDArray[np.float32],
    labels: NDArray[np.int64],
    classes: tuple[str, ...],
) -> StrengthPoint:
    answered = evaluate(probabilities, labels, classes)
    confidences = np.bincount(labels, weights=answered.confidences, minlength=len(classes))
    correct = _per_class(answered.predictions == labels, labels, classes)
    return StrengthPoint(value=value, correct=correct, confidences=tuple(confidences.tolist()))


def _per_class(
    chosen: NDArray[np.generic], labels: NDArray[np.int64], classes: tuple[str, ...]
) -> tuple[int, ...]:
    counts = np.bincount(labels, weights=chosen.astype(np.float64), minlength=len(classes))
    return tuple(int(count) for count in counts)


def _stored_correct(folder: Path, dataset: Dataset, ids: NDArray[np.int64]) -> int | None:
    """How many of these images the stored evaluation recognises."""
    stored = checkpoints.load_probabilities(folder, dataset.fingerprint)
    if stored is None:
        return None
    return int(np.count_nonzero(stored[ids].argmax(axis=1) == dataset.test.labels[ids]))
