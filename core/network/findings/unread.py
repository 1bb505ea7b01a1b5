"""Findings about what a window leaves out of its map: between its steps, at the end, or all pooling."""

from dataclasses import replace
from math import gcd
from typing import Any

from core.errors import SpecError
from core.findings import Finding
from core.network.findings import words
from core.network.findings.axis import Axis, axes
from core.network.findings.remedies import first_remedy
from core.network.findings.report import report
from core.network.reading import GLOBAL_POOL, Reading, read_network
from core.network.sizing import LayerSizing
from core.network.spec import WINDOW_OPS, LayerSpec, NetworkSpec


def unread_values(
    reading: Reading, index: int, layer: LayerSpec, row: LayerSizing
) -> Finding[NetworkSpec] | None:
    """A window that leaves out part of its map, which no `add` takes up either."""
    if layer.op not in WINDOW_OPS or (index and reading.spec.layers[index - 1].name in reading.sources):
        return None
    rows, columns = axes(layer, row)
    num_rows, num_columns = rows.read().bit_count(), columns.read().bit_count()
    num_values, num_read = rows.places * columns.places, num_rows * num_columns
    if num_read == num_values:
        return None
    arithmetic = (
        f"{words.window(layer)} on a {words.map_size(row.input_shape)} map: {num_rows} of {rows.places} rows"
        f" and {num_columns} of {columns.places} columns are read, {num_read:,} of {num_values:,} values"
    )
    unread = f"{num_values - num_read:,} of the {num_values:,} values of every channel"
    make = _skipped_pixels if _skips(rows) or _skips(columns) else _dropped_rows
    return make(reading, index, layer, row, unread, arithmetic)


def _skips(axis: Axis) -> bool:
    """Whether a place that is read comes after one that is not."""
    read = axis.read()
    return read & (read + 1) != 0


def _leaves_out(axis: Axis) -> bool:
    return axis.read().bit_count() < axis.places


def _skipped_pixels(
    reading: Reading, index: int, layer: LayerSpec, row: LayerSizing, unread: str, arithmetic: str
) -> Finding[NetworkSpec]:
    shared = gcd(layer.stride, layer.dilation)
    if shared > 1:
        arithmetic += f"; dilation {layer.dilation} and stride {layer.stride} share the factor {shared}"
    advice = "use a kernel at least as large as the stride, and a dilation that shares no factor with it"
    return report(
        reading,
        index,
        "skipped_pixels",
        "warning",
        f"its windows step over {unread}, and nothing else reads them",
        arithmetic,
        first_remedy(reading, index, _gapless(layer), _skips, advice),
    )


def _gapless(layer: LayerSpec) -> list[dict[str, int]]:
    """Windows like this one that may skip nothing, from the most to the least alike."""
    kernel, stride, dilation = layer.kernel_size or 1, layer.stride, layer.dilation
    if layer.op != "conv":
        return [{"kernel_size": max(kernel, stride), "dilation": 1}]
    wide = kernel if kernel >= stride else stride + 1 - stride % 2
    dilations = [1] if dilation == 1 else [*range(dilation + 1, dilation + 4), 1]
    padded = [{"kernel_size": wide, "dilation": d, "padding": (wide - 1) * d // 2} for d in dilations]
    return [*padded, {"kernel_size": wide, "dilation": 1}]


def _dropped_rows(
    reading: Reading, index: int, layer: LayerSpec, row: LayerSizing, unread: str, arithmetic: str
) -> Finding[NetworkSpec]:
    candidates: list[dict[str, Any]] = [
        {"padding": padding} for padding in range(layer.padding + 1, layer.padding + 4)
    ]
    if layer.op == "avg_pool" and row.output_shape[1:] == (1, 1):
        candidates.insert(0, GLOBAL_POOL)
    advice = "use a kernel, stride or padding with which the windows end where the map does"
    return report(
        reading,
        index,
        "dropped_rows",
        "note" if layer.op == "conv" else "warning",
        f"its windows end before the map does and leave out {unread}",
        arithmetic,
        first_remedy(reading, index, candidates, _leaves_out, advice),
    )


def idle_pool(
    reading: Reading, index: int, layer: LayerSpec, row: LayerSizing
) -> Finding[NetworkSpec] | None:
    """A pool whose windows are single values."""
    if layer.op not in ("max_pool", "avg_pool") or layer.kernel_size != 1 or layer.stride != 1:
        return None
    if layer.padding:
        return None
    return report(
        reading,
        index,
        "idle_pool",
        "note",
        "it pools nothing",
        f"windows of one value at stride 1 hand the {words.map_size(row.input_shape)} map on as it is",
        ("remove it, or give it a larger kernel", _without(reading, index)),
    )


def _without(reading: Reading, index: int) -> Reading | None:
    """The network without that layer, whose steps go to the layer before."""
    layers = list(reading.spec.layers)
    layer = layers.pop(index)
    if (
        not index
        or layer.name in reading.sources
        or (layer.then and layers[index - 1].name in reading.sources)
    ):
        return None
    try:
        layers[index - 1] = replace(layers[index - 1], then=(*layers[index - 1].then, *layer.then))
        return read_network(replace(reading.spec, layers=tuple(layers)))
    except SpecError:
        return None
