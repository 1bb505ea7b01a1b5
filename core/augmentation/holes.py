"""How much of an image the holes of a CoarseDropout hide, worked out and not drawn."""

from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.augmentation.spec import StepSpec

DROPOUT = "CoarseDropout"
SIDE = 32
MAX_HOLES = 1000
# What CoarseDropout of 2.0.8 does without arguments.
DEFAULTS = {"num_holes_range": (1, 2), "hole_height_range": (0.1, 0.2), "hole_width_range": (0.1, 0.2)}


@lru_cache(maxsize=64)
def hidden_share(step: StepSpec) -> float | None:
    """The share of a 32x32 image that the holes of a CoarseDropout hide on average, when it acts.

    None where its ranges are none, or reach beyond the image: `check` says what is wrong with them.

    A hole of height h starts with equal chance at each of the 33 - h rows where it fits, columns likewise,
    and every hole for itself: a pixel that one hole hides with chance q is hidden by n with 1 - (1 - q)^n.
    """
    arguments = DEFAULTS | step.keywords
    heights, widths = arguments["hole_height_range"], arguments["hole_width_range"]
    ranges = (arguments["num_holes_range"], heights, widths)
    if not all(_is_range(ends, most) for ends, most in zip(ranges, (MAX_HOLES, SIDE, SIDE), strict=True)):
        return None
    in_pixels = max(heights) >= 1
    by_one = np.outer(_line_chance(heights, in_pixels), _line_chance(widths, in_pixels))
    least, most = arguments["num_holes_range"]
    shares = [float((1 - (1 - by_one) ** count).mean()) for count in range(int(least), int(most) + 1)]
    return sum(shares) / len(shares)


def _is_range(ends: Any, most: int) -> bool:
    are_two = isinstance(ends, tuple) and len(ends) == 2
    return are_two and all(isinstance(end, int | float) for end in ends) and 0 <= ends[0] <= ends[1] <= most


def _line_chance(sizes: tuple[float, float], in_pixels: bool) -> NDArray[np.float64]:
    """For each of the 32 rows, the chance that one hole with such a height lies on it."""
    chance = np.zeros(SIDE)
    for size, weight in _sizes(sizes, in_pixels).items():
        starts = SIDE + 1 - size
        for start in range(starts):
            chance[start : start + size] += weight / starts
    return chance


def _sizes(ends: tuple[float, float], in_pixels: bool) -> dict[int, float]:
    """Each size in pixels with its chance; a share of the side is cut off to whole pixels."""
    least, most = ends
    if in_pixels:
        sizes = range(int(least), min(int(most), SIDE) + 1)
        return {size: 1 / len(sizes) for size in sizes}
    low, high = SIDE * least, SIDE * most
    if low == high:
        return {int(low): 1.0}
    whole = range(int(low), int(high) + 1)
    return {size: (min(size + 1, high) - max(size, low)) / (high - low) for size in whole}
