"""How much a pipeline removes, and which statistics it leaves: measured with the training's own code."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.augmentation.pipeline import build_pipeline
from core.augmentation.spec import AugmentationSpec

WORST_SHARE = 0.05
Channels = tuple[float, float, float]


@dataclass(frozen=True, eq=False, slots=True)
class Sample:
    """What one run of a pipeline did to some images; several add up to a `Removal`."""

    hidden: NDArray[np.float64]
    """`(N,)`: of each image the share of pixels that lie in a hole in the end."""
    sums: NDArray[np.float64]
    """`(3,)`: over all normalised pixels, R, G, B."""
    squares: NDArray[np.float64]
    """`(3,)`: likewise, of their squares."""
    num_pixels: int


@dataclass(frozen=True, eq=False, slots=True)
class Removal:
    """What a pipeline removes and what it leaves, over many images."""

    hidden: NDArray[np.float64]
    """`(N,)`: of each image the share of pixels that lie in a hole."""
    mean_hidden: float
    worst_from: float
    """The 95th percentile of `hidden`: of 20 images one loses at least so much."""
    worst_mean: float
    """The mean of `hidden` over the twentieth of the images that lose most."""
    with_hole: float
    """The share of the images that lose anything."""
    network_mean: Channels
    """Of the normalised pixels, R, G, B; what the network gets."""
    network_std: Channels
    pixel_mean: Channels
    """The same with the normalisation undone, of pixels scaled to [0, 1]."""
    pixel_std: Channels


def take_sample(spec: AugmentationSpec, images: NDArray[np.uint8], seed: int) -> Sample:
    """Run the pipeline of `spec` on `(N, H, W, 3)` uint8 images; `SpecError` where it cannot run."""
    traced = build_pipeline(spec, seed).trace(images)
    pixels = np.moveaxis(traced.normalised, 1, -1).reshape(-1, 3).astype(np.float64)
    return Sample(
        traced.hidden.mean(axis=(1, 2)), pixels.sum(axis=0), (pixels**2).sum(axis=0), num_pixels=len(pixels)
    )


def summarise(samples: Sequence[Sample], spec: AugmentationSpec) -> Removal:
    """All `samples` of one `spec` together; at least one image."""
    hidden = np.concatenate([sample.hidden for sample in samples])
    num_pixels = sum(sample.num_pixels for sample in samples)
    mean = np.sum([sample.sums for sample in samples], axis=0) / num_pixels
    variance = np.sum([sample.squares for sample in samples], axis=0) / num_pixels - mean**2
    std = np.sqrt(np.maximum(variance, 0))
    num_worst = max(1, round(WORST_SHARE * len(hidden)))
    return Removal(
        hidden=hidden,
        mean_hidden=float(hidden.mean()),
        worst_from=float(np.quantile(hidden, 1 - WORST_SHARE)),
        worst_mean=float(np.sort(hidden)[-num_worst:].mean()),
        with_hole=float(np.count_nonzero(hidden) / len(hidden)),
        network_mean=_channels(mean),
        network_std=_channels(std),
        pixel_mean=_channels(mean * np.array(spec.std) + np.array(spec.mean)),
        pixel_std=_channels(std * np.array(spec.std)),
    )


def _channels(values: NDArray[np.float64]) -> Channels:
    red, green, blue = values.tolist()
    return red, green, blue
