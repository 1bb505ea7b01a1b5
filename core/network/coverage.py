"""Where one unit's receptive field lies on the image, and by how many paths it reaches every pixel.

A path leads from a pixel to the unit through one tap of every window on its way; channels are left out. All
of it is the arithmetic of a network whose weights are 1, so that a count is also the gradient of its unit.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from core.network.receptive_field import PIXEL, Field, gather, slide, unite
from core.network.sizing import LayerSizing
from core.network.spec import WINDOW_OPS, LayerSpec, NetworkSpec

IMAGE = ""
"""The name of the image among the maps; a layer is never called so."""


class Box(NamedTuple):
    """A rectangle of pixels; the image's first is (0, 0), what is below 0 lies in the padding."""

    top: int
    left: int
    height: int
    width: int

    @property
    def bottom(self) -> int:
        """The last row that belongs to it."""
        return self.top + self.height - 1

    @property
    def right(self) -> int:
        """The last column that belongs to it."""
        return self.left + self.width - 1

    @property
    def area(self) -> int:
        """Pixels."""
        return self.height * self.width

    def overlap(self, other: "Box") -> "Box":
        """What lies in both; of no area where they lie apart."""
        top, left = max(self.top, other.top), max(self.left, other.left)
        height = min(self.bottom, other.bottom) + 1 - top
        width = min(self.right, other.right) + 1 - left
        return Box(top, left, max(height, 0), max(width, 0))


class Paths(NamedTuple):
    """How many paths lead to one unit, pixel by pixel."""

    box: Box
    """Where `counts` lies."""
    counts: np.ndarray
    """(height, width) float64: exact up to 2^53 and rounded beyond; 0 always means that there is no path."""


def follow_fields(spec: NetworkSpec, sized: Sequence[LayerSizing]) -> dict[str, Field]:
    """What the first unit of every sized layer sees, by the layer's name; the image itself is `IMAGE`."""
    field = PIXEL
    fields = {IMAGE: field}
    for layer, row in zip(spec.layers, sized, strict=False):
        if layer.source is not None:
            field = unite(field, fields[layer.source])
        elif layer.op in WINDOW_OPS:
            field = slide(field, layer.kernel_size or 1, layer.stride, layer.padding, layer.dilation)
        elif layer.op != "linear":
            field = gather(field, *row.input_shape[1:])
        fields[layer.name] = field
    return fields


def field_box(field: Field, row: int, column: int) -> Box:
    """The receptive field of the unit at `row` and `column` of a map whose first unit sees `field`."""
    start, height, width, jump, _ = field
    return Box(start + row * jump, start + column * jump, height, width)


def count_field_paths(spec: NetworkSpec, sized: Sequence[LayerSizing], index: int) -> np.ndarray:
    """(height, width) float64: the paths to a unit of layer `index` from every pixel of its field.

    The same for every unit, as if the image went on beyond its edges; takes 16 bytes a pixel of the field.
    """
    return _count(spec, sized, index, (0, 0), is_bounded=False).counts


def count_image_paths(
    spec: NetworkSpec, sized: Sequence[LayerSizing], index: int, row: int, column: int
) -> np.ndarray:
    """(H, W) float64: the paths to the unit at `row` and `column` of layer `index` from the image's pixels.

    A path that a window reads from its padding ends there.
    """
    box, counts = _count(spec, sized, index, (row, column), is_bounded=True)
    image = np.zeros(spec.input_shape[1:])
    image[box.top : box.bottom + 1, box.left : box.right + 1] = counts
    return image


def _count(
    spec: NetworkSpec, sized: Sequence[LayerSizing], index: int, unit: tuple[int, int], is_bounded: bool
) -> Paths:
    """Walk back from the unit, map by map, and add up what arrives at each over all ways."""
    arrived = {spec.layers[index].name: Paths(Box(*unit, 1, 1), np.ones((1, 1)))}
    for at in range(index, -1, -1):
        layer = spec.layers[at]
        paths = arrived.pop(layer.name, None)
        if paths is None:
            continue
        _, rows, columns = sized[at].input_shape
        before = _step_back(layer, paths, rows, columns)
        if is_bounded:
            before = _clip(before, Box(0, 0, rows, columns))
        name = spec.layers[at - 1].name if at else IMAGE
        if before.box.area:
            arrived[name] = _sum(arrived.get(name), before)
        if layer.source is not None:
            arrived[layer.source] = _sum(arrived.get(layer.source), paths)
    return arrived.get(IMAGE, Paths(Box(0, 0, 0, 0), np.zeros((0, 0))))


def _step_back(layer: LayerSpec, paths: Paths, rows: int, columns: int) -> Paths:
    """What arrives at the input of a layer, a map of `rows` by `columns`, from its output."""
    if layer.op in WINDOW_OPS:
        kernel, stride, dilation = layer.kernel_size or 1, layer.stride, layer.dilation
        down = _spread(paths.counts, kernel, stride, dilation)
        counts = _spread(down.T, kernel, stride, dilation).T
        top, left = paths.box.top * stride - layer.padding, paths.box.left * stride - layer.padding
        return Paths(Box(top, left, *counts.shape), counts)
    if layer.op in ("flatten", "global_avg_pool"):
        return Paths(Box(0, 0, rows, columns), np.full((rows, columns), paths.counts.sum()))
    return paths


def _spread(counts: np.ndarray, kernel: int, stride: int, dilation: int) -> np.ndarray:
    """Counts along the first axis handed to the taps of a window that stands at each of them."""
    length = (len(counts) - 1) * stride + 1
    spread = np.zeros((length + (kernel - 1) * dilation, counts.shape[1]))
    for tap in range(kernel):
        start = tap * dilation
        spread[start : start + length : stride] += counts
    return spread


def _clip(paths: Paths, bounds: Box) -> Paths:
    kept = paths.box.overlap(bounds)
    top, left = kept.top - paths.box.top, kept.left - paths.box.left
    return Paths(kept, paths.counts[top : top + kept.height, left : left + kept.width])


def _sum(first: Paths | None, second: Paths) -> Paths:
    """The counts of both, over the smallest box that holds both."""
    if first is None:
        return second
    boxes = first.box, second.box
    top, left = min(box.top for box in boxes), min(box.left for box in boxes)
    height = max(box.bottom for box in boxes) + 1 - top
    width = max(box.right for box in boxes) + 1 - left
    counts = np.zeros((height, width))
    for box, own in (first, second):
        counts[box.top - top :, box.left - left :][: box.height, : box.width] += own
    return Paths(Box(top, left, height, width), counts)
