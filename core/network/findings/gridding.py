"""Holes that dilations leave in the receptive field, and dilations of the same reach that leave none.

The rule for them is that of Wang et al., "Understanding Convolution for Semantic Segmentation" (2018): taps
lie no further apart than what every one of them sees without a hole.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from core.network.reading import Reading
from core.network.receptive_field import PIXEL, Field, coverage, gather, slide, unite
from core.network.spec import WINDOW_OPS, LayerSpec

MAX_DILATION = 512


def find_holes(reading: Reading) -> list[int]:
    """The dilated layers that leave holes in the field before pooling; none where no dilation is to blame."""
    last = reading.last_before_pooling
    if last < 0 or (reading.misfit is not None and last == len(reading.rows) - 1):
        return []
    if reading.rows[last].coverage == 1:
        return []
    first = 1 + max((index for index in range(last) if reading.rows[index].coverage == 1), default=-1)
    dilated = [index for index in range(first, last + 1) if _is_dilated(reading.spec.layers[index])]
    return dilated if dilated and _has_holes_beyond_strides(reading) else []


def _is_dilated(layer: LayerSpec) -> bool:
    return layer.dilation > 1 and (layer.kernel_size or 1) > 1


def _has_holes_beyond_strides(reading: Reading) -> bool:
    """Whether holes would remain if every unit saw all the pixels up to the next, whatever strides skip."""
    field = PIXEL
    fields: dict[str, Field] = {}
    for index in range(reading.last_before_pooling + 1):
        layer, row = reading.spec.layers[index], reading.rows[index]
        if layer.source is not None:
            field = unite(field, fields[layer.source])
        elif layer.op in WINDOW_OPS:
            field = slide(field, layer.kernel_size or 1, layer.stride, layer.padding, layer.dilation)
        elif layer.op != "linear":
            field = gather(field, *row.input_shape[1:])
        start, height, width, jump, _ = field
        if min(height, width) < jump:
            block = (1 << jump) - 1
            field = start, jump, jump, jump, ((block, block),)
        fields[layer.name] = field
    return coverage(field) < 1


def fill_holes(reading: Reading, dilated: list[int]) -> Reading | None:
    """The network with dilations that leave no holes, and the same field where that can be."""
    for dilations in _hole_free(reading, dilated):
        changes = {
            index: _dilate(reading.spec.layers[index], dilation)
            for index, dilation in zip(dilated, dilations, strict=True)
        }
        changed = reading.change(changes)
        if changed is not None and not find_holes(changed):
            return changed
    return None


def _hole_free(reading: Reading, dilated: list[int]) -> Iterator[list[int]]:
    """Dilations that each reach no further than the field before them, ascending where the layers are alike.

    What one layer has to give up, a later one takes over as soon as the field is large enough.
    """
    dilations, owed = [], 0
    width = reading.field_before(dilated[0])
    for index in range(dilated[0], dilated[-1] + 1):
        layer, jump = reading.spec.layers[index], reading.stride_before(index)
        growth = ((layer.kernel_size or 1) - 1) * jump
        dilation = layer.dilation
        if index in dilated:
            wanted = layer.dilation + owed // growth
            dilation = min(wanted, max(1, width // jump), MAX_DILATION)
            owed += (layer.dilation - dilation) * growth
            dilations.append(dilation)
        width += growth * dilation
    steps = {(reading.spec.layers[index].kernel_size, reading.stride_before(index)) for index in dilated}
    if len(steps) == 1:
        yield sorted(dilations)
    yield dilations


def _dilate(layer: LayerSpec, dilation: int) -> Mapping[str, Any]:
    """The layer's new dilation, and the padding that keeps its map if it was padded."""
    more = ((layer.kernel_size or 1) - 1) * (dilation - layer.dilation) // 2
    return {"dilation": dilation, "padding": max(0, layer.padding + more) if layer.padding else 0}
