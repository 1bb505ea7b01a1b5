"""What trainings come to when augmented on tensors, and when augmented image by image by albumentations.

    make bench                          # or: python benchmarks/parity.py --dataset cifar10 --seeds 5

The same network, recipe and augmentation, from the same first weights and over the same images in the same
order; only the draws of the augmentation differ, as `build_batched` makes its own. For every seed both ways
are trained once, one after the other, and judged by all test images after the last epoch.
"""

import argparse
from dataclasses import replace
from pathlib import Path

import numpy as np
from scipy import stats

from benchmarks.machine import describe_machine
from core import data
from core.augmentation import presets as augmentations
from core.data.dataset import Dataset
from core.network import presets as networks
from core.training import Recipe, RunSpec, batches
from core.training.engine import Training

NETWORK, AUGMENTATION = "scope_net", "seed_001_as_intended"
TENSORS, PIPELINE = "on tensors (build_batched)", "image by image (albumentations)"


def train(way: str, run_spec: RunSpec, dataset: Dataset) -> float:
    """The share of the test images that one training, augmented in this way, has right at its end."""
    supports = batches.supports
    if way == PIPELINE:
        batches.supports = lambda _: (False, "to compare")  # type: ignore[assignment]
    try:
        training = Training(run_spec, dataset, "cpu")
        for _ in training.events():
            pass
    finally:
        batches.supports = supports  # type: ignore[assignment]
    return training.history[-1].validation_accuracy


def compare(dataset: Dataset, recipe: Recipe, train_images: int, seeds: int) -> dict[str, list[float]]:
    """The accuracies of both ways, seed by seed."""
    accuracies: dict[str, list[float]] = {TENSORS: [], PIPELINE: []}
    for seed in range(1, seeds + 1):
        run_spec = RunSpec(
            dataset=dataset.name,
            fingerprint=dataset.fingerprint,
            network=replace(networks()[NETWORK], num_classes=len(dataset.classes)),
            augmentation=augmentations()[AUGMENTATION],
            recipe=replace(recipe, seed=seed),
            train_images=train_images,
        )
        for way, found in accuracies.items():
            found.append(train(way, run_spec, dataset))
    return accuracies


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, default=Path("data"), help="where datasets are (%(default)s)")
    parser.add_argument("--dataset", help="its name; by default the first one that is ready")
    parser.add_argument("--train-images", type=int, default=3000, help="%(default)s")
    parser.add_argument("--epochs", type=int, default=3, help="%(default)s")
    parser.add_argument("--seeds", type=int, default=3, help="pairs of trainings (%(default)s)")
    arguments = parser.parse_args()
    if arguments.seeds < 2:
        parser.error("--seeds must be at least 2: one pair has no spread")
    dataset = data.load(arguments.dataset or data.default_name(arguments.data), arguments.data)
    recipe = Recipe(
        epochs=arguments.epochs, batch_size=64, learning_rate=0.1, precision="bfloat16", validation="test"
    )
    accuracies = compare(dataset, recipe, arguments.train_images, arguments.seeds)
    print(
        f"{networks()[NETWORK].name}, {augmentations()[AUGMENTATION].name}, {arguments.epochs} epochs of "
        f"{arguments.train_images:,} images of {dataset.title}, {len(dataset.test.labels):,} test images"
    )
    print(describe_machine())
    for way, found in accuracies.items():
        each = ", ".join(f"{accuracy:.1%}" for accuracy in found)
        print(f"  {way:32s} {np.mean(found):6.1%}   seed by seed {each}")
    show_difference(np.subtract(accuracies[TENSORS], accuracies[PIPELINE]))


def show_difference(differences: np.ndarray) -> None:
    """The mean of the pairs' differences and its 95 % interval, after Student."""
    low, high = stats.t.interval(
        0.95, len(differences) - 1, loc=differences.mean(), scale=stats.sem(differences)
    )
    points = f"{100 * differences.mean():+.1f} points, 95 % interval {100 * low:+.1f} to {100 * high:+.1f}"
    print(f"  tensors less image by image: {points} ({len(differences)} pairs)")


if __name__ == "__main__":
    main()
