"""The ten outlines of the stand-in dataset, as functions of position.

Each takes `x` and `y` (any shape, float32; the outline is about 1 in radius, y points up) and returns how far
outside the outline each position lies: negative inside, in the same unit, near enough to a distance to
smooth an edge. Only +, -, *, /, square root and comparison are used, which every IEEE 754 machine computes
alike to the last bit; `shapes` relies on that for pictures that are the same everywhere.
"""

from collections.abc import Callable
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

Grid = NDArray[np.float32]
Outline = Callable[[Grid, Grid], Grid]

# Unit vectors, to seven digits, at which the edges of triangle and star face outwards.
_TRIANGLE_FACES = ((0.0, -1.0), (0.8660254, 0.5), (-0.8660254, 0.5))
_STAR_FACES = (
    (0.0, -1.0),
    (0.9510565, -0.3090170),
    (0.5877853, 0.8090170),
    (-0.5877853, 0.8090170),
    (-0.9510565, -0.3090170),
)
_SQRT_HALF = np.float32(0.70710678)


def _distance(x: Grid, y: Grid) -> Grid:
    distance: Grid = np.sqrt(x * x + y * y)
    return distance


def _box(x: Grid, y: Grid, half_width: float, half_height: float) -> Grid:
    distance: Grid = np.maximum(np.abs(x) - np.float32(half_width), np.abs(y) - np.float32(half_height))
    return distance


def _arrow(x: Grid, y: Grid) -> Grid:
    shaft = _box(x, y + np.float32(0.45), 0.24, 0.55)
    slope = (np.abs(x) + (y - np.float32(1.0))) * _SQRT_HALF
    head = np.maximum(slope, np.float32(0.12) - y)
    arrow: Grid = np.minimum(shaft, head)
    return arrow


def _circle(x: Grid, y: Grid) -> Grid:
    return _distance(x, y) - np.float32(0.88)


def _crescent(x: Grid, y: Grid) -> Grid:
    moon = _distance(x + np.float32(0.15), y) - np.float32(0.98)
    bite = _distance(x - np.float32(0.34), y) - np.float32(0.82)
    crescent: Grid = np.maximum(moon, -bite)
    return crescent


def _cross(x: Grid, y: Grid) -> Grid:
    cross: Grid = np.minimum(_box(x, y, 0.95, 0.30), _box(x, y, 0.30, 0.95))
    return cross


def _heart(x: Grid, y: Grid) -> Grid:
    half = np.float32(0.54)
    low = y + np.float32(0.16)
    right, left = (low + x) * _SQRT_HALF, (low - x) * _SQRT_HALF
    square = np.maximum(np.abs(right), np.abs(left)) - half
    lobes = np.minimum(_distance(right - half, left), _distance(right, left - half)) - half
    heart: Grid = np.minimum(square, lobes)
    return heart


def _ring(x: Grid, y: Grid) -> Grid:
    ring: Grid = np.abs(_distance(x, y) - np.float32(0.72)) - np.float32(0.22)
    return ring


def _spiral(x: Grid, y: Grid) -> Grid:
    # Half circles that widen by a step at each half turn, their centre moving to and fro by the same step.
    step = np.float32(0.27)
    right = x - np.float32(0.12)
    above = _distance(right, y)
    below = _distance(right - step, y)
    upper = np.minimum(np.abs(above - np.float32(0.08)), np.abs(above - np.float32(0.62)))
    lower = np.minimum(np.abs(below - np.float32(0.35)), np.abs(below - np.float32(0.89)))
    spiral: Grid = np.where(y >= 0, upper, lower) - np.float32(0.13)
    return spiral


def _square(x: Grid, y: Grid) -> Grid:
    return _box(x, y, 0.76, 0.76)


def _star(x: Grid, y: Grid) -> Grid:
    # Inside a five-pointed star, at most one of its five edge lines has the position on its far side.
    largest = np.full_like(x, -9.0)
    second = np.full_like(x, -9.0)
    for across, up in _STAR_FACES:
        beyond = x * np.float32(across) + y * np.float32(up)
        second = np.maximum(second, np.minimum(largest, beyond))
        largest = np.maximum(largest, beyond)
    return second - np.float32(0.34)


def _triangle(x: Grid, y: Grid) -> Grid:
    low = y + np.float32(0.18)
    first, *others = (x * np.float32(across) + low * np.float32(up) for across, up in _TRIANGLE_FACES)
    beyond = first
    for other in others:
        beyond = np.maximum(beyond, other)
    return beyond - np.float32(0.56)


OUTLINES: MappingProxyType[str, Outline] = MappingProxyType(
    {
        "arrow": _arrow,
        "circle": _circle,
        "crescent": _crescent,
        "cross": _cross,
        "heart": _heart,
        "ring": _ring,
        "spiral": _spiral,
        "square": _square,
        "star": _star,
        "triangle": _triangle,
    }
)
"""By class name, in the order of the labels."""
