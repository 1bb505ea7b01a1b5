"""A dataset: two splits of 32×32 pictures, their classes, and what identifies and normalises them."""

import hashlib
import json
import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

IMAGE_SIDE = 32
"""Pixels. Every picture of every source is brought to this size."""

_CHUNK = 1_000  # images read at a time, so that a memory-mapped split never comes into memory whole

Channels = tuple[float, float, float]


@dataclass(frozen=True, eq=False, slots=True)
class Split:
    """The pictures that are trained on, or those that are tested on."""

    images: NDArray[np.uint8]
    """(N, 32, 32, 3) uint8 RGB, memory-mapped and read-only."""
    labels: NDArray[np.int64]
    """(N,) int64, indices into the dataset's classes."""

    def __len__(self) -> int:
        return len(self.labels)


@dataclass(frozen=True, eq=False, slots=True)
class Dataset:
    """Pictures with their labels, from whichever source."""

    name: str
    """What `load` takes: "cifar10", "shapes", or the name of a folder or archive."""
    title: str
    """For people, with the variant: "CIFAR-10 (official archive)"."""
    is_stand_in: bool
    """Drawn by ConvScope for want of real pictures; said wherever the dataset shows."""
    classes: tuple[str, ...]
    train: Split
    test: Split
    fingerprint: str
    """SHA-256, in hex, over classes, pictures and labels; see `fingerprint`."""
    mean: Channels
    """Of the train pixels scaled to [0, 1], for red, green and blue."""
    std: Channels
    """Of the train pixels scaled to [0, 1], for red, green and blue."""


def fingerprint(classes: tuple[str, ...], *splits: Split) -> str:
    """The SHA-256, in hex, over the class names, then shape, pixels and labels of each split."""
    digest = hashlib.sha256(json.dumps(classes).encode())
    for split in splits:
        digest.update(repr(split.images.shape).encode())
        for start in range(0, len(split), _CHUNK):
            digest.update(split.images[start : start + _CHUNK].tobytes())
        digest.update(split.labels.astype("<i8").tobytes())
    return digest.hexdigest()


def measure_pixels(images: NDArray[np.uint8]) -> tuple[Channels, Channels]:
    """Mean and standard deviation for each channel of `images` (N, H, W, 3), as pixels scaled to [0, 1].

    The sums are whole numbers, so the result is exact and the same on every machine.
    """
    count = images.size // 3
    sums, squares = np.zeros(3, np.uint64), np.zeros(3, np.uint64)
    for start in range(0, len(images), _CHUNK):
        pixels = images[start : start + _CHUNK].reshape(-1, 3).astype(np.uint32)
        sums += pixels.sum(axis=0, dtype=np.uint64)
        squares += (pixels * pixels).sum(axis=0, dtype=np.uint64)
    red, green, blue = (
        (total / count / 255, math.sqrt(count * square - total * total) / count / 255)
        for total, square in zip(sums.tolist(), squares.tolist(), strict=True)
    )
    return (red[0], green[0], blue[0]), (red[1], green[1], blue[1])
