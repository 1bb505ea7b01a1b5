"""The smallest training there is: for tests that need one to happen, and not to be good."""

from dataclasses import replace

import numpy as np

from core.augmentation.spec import AugmentationSpec, StepSpec
from core.data.dataset import Dataset, Split
from core.network.spec import LayerSpec, NetworkSpec
from core.training.recipe import Recipe, RunSpec

NETWORK = NetworkSpec(
    name="Tiny",
    layers=(
        LayerSpec(
            op="conv", out_channels=8, kernel_size=3, stride=3, then=("relu", "batch_norm", "dropout 0.2")
        ),
        LayerSpec(op="conv", out_channels=10, kernel_size=3, stride=2),
        LayerSpec(op="global_avg_pool"),
    ),
)
AUGMENTATION = AugmentationSpec(name="Flip", steps=(StepSpec(transform="HorizontalFlip", probability=0.5),))
RECIPE = Recipe(epochs=3, batch_size=16, learning_rate=0.1)


def random_dataset(train: int = 80, test: int = 40) -> Dataset:
    """Noise with labels, ten classes, as many images of each."""
    draw = np.random.default_rng(0)

    def split(count: int) -> Split:
        images = draw.integers(0, 256, (count, 32, 32, 3), dtype=np.uint8)
        return Split(images=images, labels=np.arange(count) % 10)

    return Dataset(
        name="noise",
        title="Noise",
        is_stand_in=True,
        classes=tuple("abcdefghij"),
        train=split(train),
        test=split(test),
        fingerprint="0" * 64,
        mean=(0.5, 0.5, 0.5),
        std=(0.25, 0.25, 0.25),
    )


def run_spec(
    dataset: Dataset, train_images: int | None = None, network: NetworkSpec = NETWORK, **recipe: object
) -> RunSpec:
    """Train the tiny network on `dataset`; `recipe` changes `RECIPE`."""
    return RunSpec(
        dataset=dataset.name,
        fingerprint=dataset.fingerprint,
        network=network,
        augmentation=AUGMENTATION,
        recipe=replace(RECIPE, **recipe),
        train_images=train_images,
    )
