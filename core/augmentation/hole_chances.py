"""For each transform that hides pixels: the chance of each pixel of a 32x32 image, as release 2.0.8 draws."""

from collections.abc import Callable, Mapping
from functools import lru_cache
from itertools import combinations
from math import comb
from typing import Any

import numpy as np
from numpy.typing import NDArray

Chances = NDArray[np.float64]

DROPOUT = "CoarseDropout"
DROPOUT_BEGINS = {"num_holes_range": (1, 2), "hole_height_range": (0.1, 0.2), "hole_width_range": (0.1, 0.2)}
"""What CoarseDropout does without arguments."""
SIDE = 32
MAX_HOLES = 1000
MAX_ORDERS = 64
"""So many orders of the cells of a grid are looked at, drawn from a seed where there are more."""
NUM_ERASED = 64
"""So many areas, and so many shapes of each, stand for all that Erasing may draw."""


def coarse_dropout(arguments: Mapping[str, Any]) -> Chances | None:
    """Of holes that lie anywhere in the image, as many as the range says."""
    counts = arguments["num_holes_range"]
    heights, widths = arguments["hole_height_range"], arguments["hole_width_range"]
    if not (_is_range(counts, MAX_HOLES) and _is_range(heights, SIDE) and _is_range(widths, SIDE)):
        return None
    in_pixels = max(heights) >= 1
    sizes = [_whole(ends) if in_pixels else _cut_off(ends, SIDE) for ends in (heights, widths)]
    return 1 - _missed(np.outer(*(_line(each) for each in sizes)), counts)


def erasing(arguments: Mapping[str, Any]) -> Chances | None:
    """Of one rectangle: its area is drawn as far as every ratio fits, then a ratio that fits this area."""
    scales, ratios = arguments["scale"], arguments["ratio"]
    if not (_is_range(scales, 1) and _is_range(ratios, SIDE) and scales[0] > 0 and ratios[0] > 0):
        return None
    least, most = scales[0], min(scales[1], ratios[0], 1 / ratios[1])
    if most < least:
        return None
    middles = (np.arange(NUM_ERASED) + 0.5) / NUM_ERASED
    areas = (least + (most - least) * middles)[:, None]
    lowest, highest = np.maximum(ratios[0], areas), np.minimum(ratios[1], 1 / areas)
    shapes = lowest + (highest - lowest) * middles
    heights = np.rint(SIDE * np.sqrt(areas / shapes)).astype(int)
    widths = np.rint(SIDE * np.sqrt(areas * shapes)).astype(int)
    weights = np.zeros((SIDE + 1, SIDE + 1))
    np.add.at(weights, (heights, widths), 1 / shapes.size)
    lines = np.array([_line({size: 1.0}) for size in range(SIDE + 1)])
    chances: Chances = lines.T @ weights @ lines
    return chances


def grid_dropout(arguments: Mapping[str, Any]) -> Chances | None:
    """Of a hole in every cell of a grid, averaged over the grids that may be drawn."""
    ratio, units, grid = arguments["ratio"], arguments["unit_size_range"], arguments["holes_number_xy"]
    is_free, shifts = arguments["random_offset"], arguments["shift_xy"]
    if not _are_numbers(ratio) or not 0 < ratio <= 1 or not _is_pair(shifts) or min(shifts) < 0:
        return None
    grids = [(10, 10)]
    if grid is not None:
        grids = [grid] if _is_pair(grid) and all(1 <= int(each) <= SIDE for each in grid) else []
    elif units is not None:
        # The greatest unit is never drawn.
        is_right = _is_range(units, SIDE) and units[0] >= 2
        sizes = range(int(units[0]), int(units[1])) if is_right else ()
        grids = [(SIDE // size, SIDE // size) for size in sizes]
    if not grids:
        return None
    across, down = (None, None) if is_free else map(int, shifts)
    outers = [
        np.outer(_grid_line(int(rows), ratio, down), _grid_line(int(columns), ratio, across))
        for rows, columns in grids
    ]
    chances: Chances = np.mean(outers, axis=0)
    return chances


def xy_masking(arguments: Mapping[str, Any]) -> Chances | None:
    """Of stripes over the whole height, and of stripes over the whole width."""
    missed = []
    for axis in "yx":
        counts, lengths = arguments[f"num_masks_{axis}"], arguments[f"mask_{axis}_length"]
        # One number stands for a range from 0.
        counts, lengths = ((0, ends) if _are_numbers(ends) else ends for ends in (counts, lengths))
        if not (_is_range(counts, MAX_HOLES) and _is_range(lengths, SIDE)):
            return None
        missed.append(_missed(_line(_whole(lengths)), counts))
    return 1 - np.outer(*missed)


def pixel_dropout(arguments: Mapping[str, Any]) -> Chances | None:
    """Of single pixels: those that are dropped in all three channels are hidden, the others only coloured."""
    chance = arguments["dropout_prob"]
    if not _are_numbers(chance) or not 0 <= chance <= 1:
        return None
    return np.full((SIDE, SIDE), float(chance) ** (3 if arguments["per_channel"] else 1))


def salt_and_pepper(arguments: Mapping[str, Any]) -> Chances | None:
    """Of single pixels that become white or black, a share of all."""
    if not _is_range(arguments["amount"], 1):
        return None
    counts = _cut_off(arguments["amount"], SIDE * SIDE)
    return np.full((SIDE, SIDE), sum(count * chance for count, chance in counts.items()) / SIDE**2)


WORKED_OUT: Mapping[str, tuple[dict[str, Any], Callable[[Mapping[str, Any]], Chances | None]]] = {
    DROPOUT: (DROPOUT_BEGINS, coarse_dropout),
    "Erasing": ({"scale": (0.02, 0.33), "ratio": (0.3, 3.3)}, erasing),
    "GridDropout": (
        {
            "ratio": 0.5,
            "random_offset": True,
            "unit_size_range": None,
            "holes_number_xy": None,
            "shift_xy": (0, 0),
        },
        grid_dropout,
    ),
    "PixelDropout": ({"dropout_prob": 0.01, "per_channel": False}, pixel_dropout),
    "SaltAndPepper": ({"amount": (0.01, 0.06)}, salt_and_pepper),
    "XYMasking": (
        dict.fromkeys(("num_masks_x", "num_masks_y", "mask_x_length", "mask_y_length"), 0),
        xy_masking,
    ),
}
"""By the name of the transform: what it does without arguments, and the chances with them."""


def _are_numbers(*values: Any) -> bool:
    return all(isinstance(value, int | float) for value in values)


def _is_pair(value: Any) -> bool:
    return isinstance(value, tuple) and len(value) == 2 and _are_numbers(*value) and max(value) <= SIDE


def _is_range(ends: Any, most: int) -> bool:
    is_two = isinstance(ends, tuple) and len(ends) == 2 and _are_numbers(*ends)
    return is_two and 0 <= ends[0] <= ends[1] <= most


def _whole(ends: tuple[float, float]) -> dict[int, float]:
    """Each whole number in a range, with its chance."""
    numbers = range(int(ends[0]), int(ends[1]) + 1)
    return {number: 1 / len(numbers) for number in numbers}


def _cut_off(ends: tuple[float, float], total: int) -> dict[int, float]:
    """Each whole number that a share of `total` can be cut off to, with its chance."""
    low, high = total * ends[0], total * ends[1]
    if low == high:
        return {int(low): 1.0}
    whole = range(int(low), int(high) + 1)
    return {number: (min(number + 1, high) - max(number, low)) / (high - low) for number in whole}


def _line(sizes: Mapping[int, float]) -> Chances:
    """For each of the 32 rows, the chance that one hole with such a height lies on it."""
    return sum((weight * _any_place(SIDE, size) for size, weight in sizes.items()), np.zeros(SIDE))


@lru_cache(maxsize=256)
def _any_place(rows: int, hole: int) -> Chances:
    """For each of `rows`, the chance to be hidden by a hole that may start wherever it fits."""
    row = np.arange(rows)
    first, last = np.maximum(row - hole + 1, 0), np.minimum(row, rows - hole)
    chance: Chances = np.maximum(last - first + 1, 0) / (rows - hole + 1)
    return chance


def _missed(by_one: Chances, counts: tuple[float, float]) -> Chances:
    """The chance to be missed by all holes, of which each hides with chance `by_one` for itself."""
    chance: Chances = np.mean([(1 - by_one) ** count for count in _whole(counts)], axis=0)
    return chance


def _grid_line(num_cells: int, ratio: float, shift: int | None) -> Chances:
    """For each of the 32 rows, the chance to lie in a hole of its cell, at any place in it or shifted.

    The same for all columns, so that a pixel lies in a hole where its row and its column do.
    """
    sizes = SIDE // num_cells, SIDE // num_cells + 1
    smaller, larger = (int(min(max(size * ratio, 1), size - 1)) for size in sizes)
    return _cells_line(num_cells, smaller, larger, shift)


@lru_cache(maxsize=256)  # many ratios cut off to the same holes
def _cells_line(num_cells: int, smaller: int, larger: int, shift: int | None) -> Chances:
    """The same with holes of so many rows in the cells, which differ by a row; their order is drawn anew."""
    size, num_larger = divmod(SIDE, num_cells)
    orders: Any = combinations(range(num_cells), num_larger)
    if comb(num_cells, num_larger) > MAX_ORDERS:
        rng = np.random.default_rng(0)
        orders = (rng.permutation(num_cells)[:num_larger] for _ in range(MAX_ORDERS))
    inside = _any_place(size, smaller), _any_place(size + 1, larger)
    lines = []
    for order in orders:
        is_larger = np.zeros(num_cells, int)
        is_larger[list(order)] = 1
        if shift is None:
            lines.append(np.concatenate([inside[which] for which in is_larger.tolist()]))
            continue
        line = np.zeros(SIDE)
        for start, hole in zip(
            np.cumsum(size + is_larger) - size - is_larger, np.where(is_larger, larger, smaller), strict=True
        ):
            top = min(start + shift, SIDE - hole)
            line[top : top + hole] = 1
        lines.append(line)
    chance: Chances = np.mean(lines, axis=0)
    return chance
