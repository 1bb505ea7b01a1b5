"""Pixels to what a network sees, and back."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

WHITE = np.float32(255)


def normalise(images: NDArray[np.uint8], mean: Sequence[float], std: Sequence[float]) -> NDArray[np.float32]:
    """`(pixel / 255 - mean) / std` per channel: `(N, H, W, 3)` uint8 to `(N, 3, H, W)` float32.

    The operations, their order and their precision are those of albumentations' Normalize.
    """
    offset = np.array(mean, np.float32) * WHITE
    factor = np.reciprocal(np.array(std, np.float32) * WHITE)
    count, height, width, channels = images.shape
    normalised = np.empty((count, channels, height, width), np.float32)
    for channel in range(channels):  # a plane at a time: 3.5 times faster than to transpose the result
        np.subtract(images[..., channel], offset[channel], out=normalised[:, channel])
        normalised[:, channel] *= factor[channel]
    return normalised


def denormalise(
    normalised: NDArray[np.float32], mean: Sequence[float], std: Sequence[float]
) -> NDArray[np.uint8]:
    """The picture in what a network sees: `(N, 3, H, W)` float32 to `(N, H, W, 3)` uint8, cut to 0..255."""
    pixels = np.moveaxis(normalised, 1, -1) * np.array(std, np.float32) + np.array(mean, np.float32)
    pictures: NDArray[np.uint8] = np.clip(np.rint(pixels * WHITE), 0, 255).astype(np.uint8)
    return pictures
