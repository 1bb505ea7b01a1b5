"""How much of what a network's units can see lies under the holes of an augmentation; NumPy only.

A unit's receptive field is taken as its whole box, cut to the image: what sticks out is padding, which no
hole can hide. Fields come from `core.network.sizing`, holes from `Preview.hidden`.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from core.errors import SpecError
from core.network.coverage import follow_fields
from core.network.receptive_field import Field
from core.network.sizing import LayerSizing
from core.network.spec import NetworkSpec

Mask = NDArray[np.bool_]


class LayerHidden(NamedTuple):
    """One layer: of its units, over all images, how many lose most of their field, and how many all of it."""

    name: str
    op: str
    rows: int
    """Of its map, in units; columns likewise."""
    columns: int
    receptive_field: int
    """Input pixels, padding included, on the longer axis."""
    blind: int
    """Units of the map whose field lies wholly in the padding; they are left out of the shares."""
    hidden: float
    """The mean share of a unit's field that is hidden."""
    mostly: float
    """The share of the units with more than half of their field hidden."""
    entirely: float
    """The share of the units with all of their field hidden."""


def hidden_layers(spec: NetworkSpec, sized: Sequence[LayerSizing], hidden: Mask) -> tuple[LayerHidden, ...]:
    """For every sized layer of `spec`, what the holes `hidden` (N, H, W) take from its units.

    `SpecError` where the masks are not of the size of the network's images, or there is none.
    """
    side = spec.input_shape[1:]
    if hidden.ndim != 3 or hidden.shape[1:] != side or not len(hidden):
        raise SpecError(
            f"holes must be (N, {side[0]}, {side[1]}) for images of this network, got {hidden.shape}; "
            "take a network for images of that size"
        )
    table = integral(hidden)
    fields = follow_fields(spec, sized)
    return tuple(_layer(row, fields[row.name], table) for row in sized)


def integral(hidden: Mask) -> NDArray[np.int32]:
    """(N, H + 1, W + 1): at [n, y, x] the hidden pixels of image n above row y and left of column x."""
    count, height, width = hidden.shape
    table = np.zeros((count, height + 1, width + 1), np.int32)
    hidden.cumsum(axis=1, dtype=np.int32).cumsum(axis=2, out=table[:, 1:, 1:])
    return table


def field_shares(
    field: Field, rows: int, columns: int, table: NDArray[np.int32]
) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
    """Hidden pixels (N, rows, columns) in each unit's field, and the pixels of each field (rows, columns).

    `field` is the first unit's, `table` what `integral` gives; both counts are of pixels of the image.
    """
    start, height, width, jump, _ = field
    top, bottom = _ends(start, height, jump, rows, table.shape[1] - 1)
    left, right = _ends(start, width, jump, columns, table.shape[2] - 1)
    upper, lower = table[:, top], table[:, bottom]
    counts = lower[:, :, right] - lower[:, :, left] - upper[:, :, right] + upper[:, :, left]
    return counts, np.outer(bottom - top, right - left)


def _ends(start: int, length: int, jump: int, units: int, side: int) -> tuple[NDArray[np.int64], ...]:
    """Where the field of each unit of a row begins and ends within the image, (units,) each."""
    begins = start + jump * np.arange(units)
    return np.clip(begins, 0, side), np.clip(begins + length, 0, side)


def _layer(row: LayerSizing, field: Field, table: NDArray[np.int32]) -> LayerHidden:
    _, rows, columns = row.output_shape
    counts, areas = field_shares(field, rows, columns, table)
    sees = areas > 0
    counts, seen = counts[:, sees], areas[sees]
    size = counts.size or 1
    return LayerHidden(
        name=row.name,
        op=row.op,
        rows=rows,
        columns=columns,
        receptive_field=row.receptive_field,
        blind=int((~sees).sum()),
        hidden=float((counts / seen).sum() / size),
        mostly=np.count_nonzero(2 * counts > seen) / size,
        entirely=np.count_nonzero(counts == seen) / size,
    )
