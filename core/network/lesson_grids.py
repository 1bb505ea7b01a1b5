"""Small inputs and kernels for the lesson: integers, so that a class can check them by head."""

import numpy as np

from core.errors import SpecError
from core.network.spec import LayerSpec

PATTERNS = ("edge", "ramp", "checkerboard", "dot")
KERNELS = ("edge", "blur", "sharpen", "ones", "random")

MAX_WEIGHT = 3
IMAGE_LEVELS = 9
LUMINANCE = (0.299, 0.587, 0.114)  # ITU-R BT.601


def make_pattern(name: str, size: int) -> np.ndarray:
    """(size, size) small integers: `ramp`, `edge`, `checkerboard` or `dot`."""
    rows, columns = np.indices((size, size))
    patterns = {
        "ramp": columns,
        "edge": columns >= size // 2,
        "checkerboard": (rows + columns) % 2,
        "dot": (rows == size // 2) & (columns == size // 2),
    }
    pattern: np.ndarray = patterns[name].astype(np.int64)
    return pattern


def shrink_image(image: np.ndarray, size: int) -> np.ndarray:
    """The middle of `image` (H, W, 3) uint8 as (size, size) steps of luminance, 0 black to 9 white."""
    block = min(image.shape[:2]) // size
    if block == 0:
        raise SpecError(
            f"the image must have at least {size}×{size} pixels, got {image.shape[0]}×{image.shape[1]}"
        )
    top, left = ((length - block * size) // 2 for length in image.shape[:2])
    middle = image[top : top + block * size, left : left + block * size] @ np.array(LUMINANCE)
    means = middle.reshape(size, block, size, block).mean(axis=(1, 3))
    levels: np.ndarray = np.rint(means / 255 * IMAGE_LEVELS).astype(np.int64)
    return levels


def turn_into_channels(grid: np.ndarray, channels: int) -> np.ndarray:
    """(channels, H, W) from a square grid: each channel is the one before, turned left by a quarter."""
    return np.stack([np.rot90(grid, channel) for channel in range(channels)])


def make_kernel(name: str, kernel_size: int) -> np.ndarray:
    """(kernel_size, kernel_size) integer weights: `ones`, `blur`, `edge` (Sobel) or `sharpen`.

    Blur is Pascal's triangle both ways; edge is that one way and its difference the other; sharpen keeps
    brightness: its weights add up to 1. `SpecError` where the kernel is too small or has no middle.
    """
    if name == "edge" and kernel_size < 2:
        raise SpecError(
            f"kernel: edge compares neighbours, but a kernel of size {kernel_size} has none; use 2 or more"
        )
    if name == "sharpen" and kernel_size % 2 == 0:
        raise SpecError(
            f"kernel: sharpen needs a middle, but a kernel of size {kernel_size} has none; use 3 or 5"
        )
    smooth = _pascal(kernel_size)
    if name == "edge":
        return np.outer(smooth, np.convolve(_pascal(kernel_size - 1), [-1, 1]))
    if name == "blur":
        return np.outer(smooth, smooth)
    kernel = np.ones((kernel_size, kernel_size), np.int64)
    if name == "sharpen":
        middle = kernel_size // 2
        kernel = np.zeros_like(kernel)
        kernel[middle, :] = kernel[:, middle] = -1
        kernel[middle, middle] = 2 * kernel_size - 1
    return kernel


def _pascal(length: int) -> np.ndarray:
    row = np.ones(1, np.int64)
    for _ in range(length - 1):
        row = np.convolve(row, [1, 1])
    return row


def make_weights(layer: LayerSpec, in_channels: int, kernel: str, seed: int) -> np.ndarray | None:
    """(out_channels, in_channels / groups, k, k) integer weights of a convolution; None for pooling.

    `random` draws each from −3 to 3. Of a named kernel, every output channel has a copy of its own, turned
    left by a quarter from channel to channel.
    """
    if layer.op != "conv":
        return None
    assert layer.kernel_size is not None
    assert layer.out_channels is not None
    shape = (layer.out_channels, in_channels // layer.groups, layer.kernel_size, layer.kernel_size)
    if kernel == "random":
        return np.random.default_rng(seed).integers(-MAX_WEIGHT, MAX_WEIGHT, shape, endpoint=True)
    turned = turn_into_channels(make_kernel(kernel, layer.kernel_size), layer.out_channels)
    return np.repeat(turned[:, None], shape[1], axis=1)
