"""Whether a checkpoint and a dataset belong together."""

from typing import Literal

from core.checkpoint import Checkpoint
from core.data import Dataset
from core.errors import CheckpointError

Fit = Literal["same", "other_images", "other_classes"]


def compare_data(checkpoint: Checkpoint, dataset: Dataset) -> Fit:
    """Whether `dataset` is what the checkpoint was trained on, or has other images, or even other classes."""
    if checkpoint.classes != dataset.classes:
        return "other_classes"
    return "same" if checkpoint.run_spec.fingerprint == dataset.fingerprint else "other_images"


def check_fits(checkpoint: Checkpoint, dataset: Dataset) -> None:
    """Raise `CheckpointError` unless the checkpoint's classes are those of `dataset`, in the same order."""
    if compare_data(checkpoint, dataset) == "other_classes":
        raise CheckpointError(
            f"The checkpoint tells apart {list_classes(checkpoint.classes)}, but {dataset.title} has "
            f"{list_classes(dataset.classes)}. Choose {checkpoint.dataset_title}, or another checkpoint."
        )


def list_classes(classes: tuple[str, ...]) -> str:
    """The classes in words, the first few of many."""
    shown = ", ".join(classes[:10])
    return f"{len(classes)} classes ({shown}{', …' if len(classes) > 10 else ''})"
