"""`evaluate`: measure a checkpoint on the test images of a dataset."""

import argparse
import json
from collections.abc import Callable
from pathlib import Path

from core import checkpoint, data
from core.cli.data import DATA_ROOT
from core.evaluation import Accuracy, evaluate


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `evaluate`."""
    parser.add_argument("checkpoint", type=Path, help="its folder, such as runs/<id>/best")
    parser.add_argument("--dataset", help="its name (the one that the checkpoint was trained on)")
    parser.add_argument(
        "--data-root", type=Path, default=DATA_ROOT, help="where datasets are kept (%(default)s)"
    )
    parser.add_argument("--device", default="cpu", help="cpu, cuda, cuda:1, … (%(default)s)")


def run(arguments: argparse.Namespace, show: Callable[[str], None]) -> int:
    """Show the accuracy with its interval, over all images and for every class."""
    record = checkpoint.load(arguments.checkpoint)
    dataset = data.load(arguments.dataset or record.run_spec.dataset, arguments.data_root)
    probabilities = checkpoint.load_probabilities(arguments.checkpoint, dataset.fingerprint)
    if probabilities is None:
        from core.evaluation.run import run_evaluation

        for progress in run_evaluation(arguments.checkpoint, dataset, arguments.device):
            if arguments.json:
                show(json.dumps({"done": progress.done, "total": progress.total}))
        probabilities = checkpoint.load_probabilities(arguments.checkpoint, dataset.fingerprint)
        assert probabilities is not None  # it was saved just now
    evaluation = evaluate(probabilities, dataset.test.labels, dataset.classes)
    if arguments.json:
        by_class = dict(zip(evaluation.classes, map(_as_dict, evaluation.class_accuracies), strict=True))
        answer = {"dataset": dataset.title, **_as_dict(evaluation.accuracy), "classes": by_class}
        show(json.dumps(answer, ensure_ascii=False))
    else:
        show(f"{'all':<16}{_line(evaluation.accuracy)} of {dataset.title}")
        for name, accuracy in zip(evaluation.classes, evaluation.class_accuracies, strict=True):
            show(f"{name:<16}{_line(accuracy)}")
    return 0


def _as_dict(accuracy: Accuracy) -> dict[str, object]:
    low, high = accuracy.interval
    return {
        "correct": accuracy.correct,
        "images": accuracy.total,
        "accuracy": accuracy.value,
        "low": low,
        "high": high,
    }


def _line(accuracy: Accuracy) -> str:
    low, high = accuracy.interval
    value = f"{accuracy.value:7.2%}" if accuracy.value is not None else "      –"
    return f"{value}  (95 %: {low:.2%} to {high:.2%}), {accuracy.correct:,} of {accuracy.total:,} images"
