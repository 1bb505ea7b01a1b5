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
    is_to_blame = _undilated_coverage(reading, dilated) > reading.rows[last].coverage
    return dilated if is_to_blame else []


def _is_dilated(layer: LayerSpec) -> bool:
    return layer.dilation > 1 and (layer.kernel_size or 1) > 1


def _undilated_coverage(reading: Reading, dilated: list[int]) -> float:
    """The coverage before pooling if these layers had dilation 1 and were padded to match."""
    field = PIXEL
    fields: dict[str, Field] = {}
    for index in range(reading.last_before_pooling + 1):
        layer, row = reading.spec.layers[index], reading.rows[index]
        if layer.source is not None:
            field = unite(field, fields[layer.source])
        elif layer.op in WINDOW_OPS:
            kernel = layer.kernel_size or 1
            spare = (kernel - 1) * (layer.dilation - 1) // 2 if index in dilated else 0
            dilation = 1 if index in dilated else layer.dilation
            field = slide(field, kernel, layer.stride, layer.padding - spare, dilation)
        elif layer.op != "linear":
            field = gather(field, *row.input_shape[1:])
        fields[layer.name] = field
    return coverage(field)


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
