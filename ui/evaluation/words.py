"""Evaluations in words: how many images of what were taken for what."""

from dataclasses import dataclass

import numpy as np

from core.evaluation import Evaluation
from core.evaluation.metrics import Order


@dataclass(frozen=True, slots=True)
class Focus:
    """Which images are looked at; classes are indices."""

    true: int | None = None
    """None is any class."""
    predicted: int | None = None
    """None is any class."""
    is_correct: bool = False
    """Correctly classified images, or misclassified ones."""

    @property
    def has_class(self) -> bool:
        """Whether it is narrower than all mistakes, or all correct images."""
        return self.true is not None or self.predicted is not None

    def covers(self, true: int, predicted: int) -> bool:
        """Whether the images of this cell are in focus."""
        is_meant = self.true in (None, true) and self.predicted in (None, predicted)
        return is_meant and self.is_correct == (true == predicted)

    def ids(self, evaluation: Evaluation, order: Order = "highest") -> np.ndarray:
        """The ids of the images in focus, sorted by loss, (M,) int64."""
        return evaluation.select(
            is_correct=self.is_correct, true=self.true, predicted=self.predicted, order=order
        )


def describe(evaluation: Evaluation, focus: Focus) -> str:
    """How many images are in focus, of how many: "17 of 1,000 cat images taken for dog (1.7 %)"."""
    classes, totals = evaluation.classes, evaluation.confusion.sum(axis=1)
    if focus.is_correct:
        fate = "recognised"
    elif focus.predicted is not None:
        fate = f"taken for {classes[focus.predicted]}"
    else:
        fate = "misclassified" if focus.true is None else "taken for something else"
    owner = focus.predicted if focus.is_correct and focus.true is None else focus.true
    if owner is not None:
        total, images = totals[owner], f"{classes[owner]} images"
    elif focus.predicted is not None:
        total, images = totals.sum() - totals[focus.predicted], "other images"
    else:
        total, images = totals.sum(), "images"
    found = len(focus.ids(evaluation))
    share = f" ({100 * found / total:.1f} %)" if total else ""
    return f"{found:,} of {total:,} {images} {fate}{share}"


def image_caption(evaluation: Evaluation, image_id: int) -> tuple[str, str, str]:
    """Three lines: the fate of an image, "cat → dog"; its confidence and loss; its id."""
    true, predicted = _true_and_predicted(evaluation, image_id)
    confidence, loss = evaluation.confidences[image_id], evaluation.losses[image_id]
    return f"{true} → {predicted}", f"{100 * confidence:.0f} %, loss {loss:.2f}", f"id {image_id}"


def image_words(evaluation: Evaluation, image_id: int) -> str:
    """What the picture is and was taken for, for those who cannot see it."""
    true, predicted = _true_and_predicted(evaluation, image_id)
    fate = "recognised" if true == predicted else f"taken for {predicted}"
    return f"Test image {image_id}: {true}, {fate}"


def _true_and_predicted(evaluation: Evaluation, image_id: int) -> tuple[str, str]:
    classes = evaluation.classes
    return classes[evaluation.labels[image_id]], classes[evaluation.predictions[image_id]]
