"""What a checkpoint gets right and wrong, counted from its probabilities; NumPy only.

Shapes: N images, C classes. Losses are in nats; accuracies are fractions. An image's id is its index, from 0,
in the test set.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from core.errors import CheckpointError

Order = Literal["highest", "lowest"]

# The two-sided 95 % point of the standard normal distribution.
Z_95 = 1.959963984540054

# Softmax in float32 can round a probability down to 0, whose loss would be infinite; this bounds it at 87.3.
LEAST_PROBABILITY = float(np.finfo(np.float32).tiny)

# Softmax in float32 adds up to 1 within about C roundings of 6e-8 each.
SUM_TOLERANCE = 1e-3


@dataclass(frozen=True, slots=True)
class Accuracy:
    """`correct` of `total` images."""

    correct: int
    total: int

    @property
    def value(self) -> float | None:
        """The fraction that is correct, or None where there are no images."""
        return self.correct / self.total if self.total else None

    @property
    def interval(self) -> tuple[float, float]:
        """The 95 % interval after Wilson (1927), as fractions; (0, 1) where there are no images.

        It stays inside [0, 1] and keeps its promise near 0 and 1, where p ± 1.96 √(p (1 − p) / n) does not.
        """
        if not self.total:
            return 0.0, 1.0
        n, p, z2 = self.total, self.correct / self.total, Z_95**2
        centre = (p + z2 / (2 * n)) / (1 + z2 / n)
        half = Z_95 / (1 + z2 / n) * math.sqrt(p * (1 - p) / n + z2 / (4 * n * n))
        return max(0.0, centre - half), min(1.0, centre + half)


@dataclass(frozen=True, eq=False, slots=True)
class Evaluation:
    """The probabilities that a checkpoint gives to labelled images, and everything counted from them."""

    classes: tuple[str, ...]
    probabilities: np.ndarray
    """(N, C) float32."""
    labels: np.ndarray
    """(N,) int64, the true classes."""
    predictions: np.ndarray
    """(N,) int64, the most probable classes; of equals the first."""
    confidences: np.ndarray
    """(N,) float32, the probability of the prediction."""
    losses: np.ndarray
    """(N,) float64, −ln of the probability of the true class."""
    confusion: np.ndarray
    """(C, C) int64, images by true class (rows) and predicted class (columns)."""

    @property
    def accuracy(self) -> Accuracy:
        """Over all images."""
        return Accuracy(int(self.confusion.trace()), len(self.labels))

    @property
    def class_accuracies(self) -> tuple[Accuracy, ...]:
        """For every class, over all images that truly belong to it."""
        totals = self.confusion.sum(axis=1)
        return tuple(
            Accuracy(int(correct), int(total))
            for correct, total in zip(self.confusion.diagonal(), totals, strict=True)
        )

    @property
    def mean_loss(self) -> float:
        """Mean cross-entropy, in nats an image."""
        return float(self.losses.mean())

    def select(
        self,
        *,
        is_correct: bool | None = None,
        true: int | None = None,
        predicted: int | None = None,
        order: Order = "highest",
    ) -> np.ndarray:
        """The ids of the images that meet every condition given, sorted by loss, (M,) int64.

        `true` and `predicted` are class indices. Images of equal loss stay in the order of their ids.
        """
        chosen = np.ones(len(self.labels), dtype=bool)
        if is_correct is not None:
            chosen &= (self.predictions == self.labels) == is_correct
        if true is not None:
            chosen &= self.labels == true
        if predicted is not None:
            chosen &= self.predictions == predicted
        ids = np.flatnonzero(chosen)
        losses = self.losses[ids]
        return ids[np.argsort(-losses if order == "highest" else losses, kind="stable")]

    def most_confused(self) -> tuple[int, int] | None:
        """The (true, predicted) pair of different classes with the most images; None if all are correct."""
        mistakes = self.confusion - np.diag(self.confusion.diagonal())
        if not mistakes.any():
            return None
        true, predicted = np.unravel_index(mistakes.argmax(), mistakes.shape)
        return int(true), int(predicted)


def evaluate(probabilities: np.ndarray, labels: np.ndarray, classes: Sequence[str]) -> Evaluation:
    """Count what `probabilities` (N, C) get right of the true `labels` (N,).

    Raises `CheckpointError` where the probabilities do not fit labels and classes, or are none, as
    those of a training that diverged.
    """
    _check(probabilities, labels, len(classes))
    labels = np.asarray(labels, dtype=np.int64)
    rows = np.arange(len(labels))
    predictions = probabilities.argmax(axis=1).astype(np.int64)
    of_true_class = np.clip(probabilities[rows, labels].astype(np.float64), LEAST_PROBABILITY, 1.0)
    pairs = np.bincount(labels * len(classes) + predictions, minlength=len(classes) ** 2)
    return Evaluation(
        classes=tuple(classes),
        probabilities=probabilities,
        labels=labels,
        predictions=predictions,
        confidences=probabilities[rows, predictions],
        losses=0.0 - np.log(of_true_class),  # never −0
        confusion=pairs.reshape(len(classes), len(classes)).astype(np.int64),
    )


def _check(probabilities: np.ndarray, labels: np.ndarray, num_classes: int) -> None:
    if len(labels) == 0:
        raise CheckpointError(
            "evaluation needs at least one test image, got 0; choose a dataset that has some"
        )
    if probabilities.shape != (len(labels), num_classes):
        raise CheckpointError(
            f"probabilities must have the shape {(len(labels), num_classes)} of the test images and classes, "
            f"got {probabilities.shape}; measure the checkpoint on this dataset again"
        )
    broken = ~(np.abs(probabilities.sum(axis=1) - 1) <= SUM_TOLERANCE) | ~(probabilities >= 0).all(axis=1)
    if broken.any():
        raise CheckpointError(
            f"every image's probabilities must be at least 0 and add up to 1, but those of "
            f"{int(broken.sum()):,} images do not (first: image {int(broken.argmax())}); "
            "the training has probably diverged, choose an earlier checkpoint"
        )
    if labels.min() < 0 or labels.max() >= num_classes:
        raise CheckpointError(
            f"labels must be from 0 to {num_classes - 1}, got {labels.min()} to {labels.max()}; "
            "the dataset has other classes"
        )
