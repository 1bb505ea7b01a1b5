"""Pictures for tests that need no labels: smooth coloured scenes with edges, as photographs have them."""

import numpy as np
from numpy.typing import NDArray


def pictures(count: int, seed: int = 0) -> NDArray[np.uint8]:
    """`(count, 32, 32, 3)` uint8 RGB, read-only like the memory-mapped images of a dataset."""
    generator = np.random.default_rng(seed)
    rows, columns = np.mgrid[0:32, 0:32] / 32
    waves = generator.uniform(-1, 1, (count, 3, 4))
    angles = waves[:, :, 0, None, None] * 6 * rows + waves[:, :, 1, None, None] * 6 * columns
    scene = 0.5 + 0.35 * np.sin(angles + 3 * waves[:, :, 2, None, None]) + 0.1 * waves[:, :, 3, None, None]
    images = np.clip(np.moveaxis(scene, 1, -1) * 255, 0, 255).astype(np.uint8)
    corners = generator.integers(2, 18, (count, 2))
    for image, (top, left) in zip(images, corners, strict=True):
        image[top : top + 11, left : left + 11] = generator.integers(0, 256, 3)
    images.setflags(write=False)
    return images
