"""Changes to a network as a person makes them: rows inserted, moved and deleted, and cells typed over.

Every function returns a new `NetworkSpec`, or raises `SpecError` and leaves the old one as it was.
"""

import math
import re
from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Any

from core.errors import SizingError, SpecError
from core.network import LayerSpec, NetworkSpec, size_network
from core.network.blocks import free_name
from core.network.sizing import LayerSizing
from core.spec import from_dict

CELLS = tuple(field.name for field in fields(LayerSpec))

USED: dict[str, tuple[str, ...]] = {
    "conv": ("out_channels", "kernel_size", "stride", "padding", "dilation", "groups", "bias"),
    "max_pool": ("kernel_size", "stride", "padding", "dilation"),
    "avg_pool": ("kernel_size", "stride", "padding"),
    "global_avg_pool": (),
    "add": ("source",),
    "flatten": (),
    "linear": ("out_channels", "bias"),
}
"""The cells that mean something for each op, beside `name`, `op`, `block` and `then`."""

OPTIONAL = tuple(dict.fromkeys(cell for used in USED.values() for cell in used))


def sized_layers(spec: NetworkSpec) -> tuple[LayerSizing, ...]:
    """The sizing of every layer up to the first that cannot work."""
    try:
        return size_network(spec).layers
    except SizingError as error:
        return error.sized  # type: ignore[return-value]


def insert_layer(spec: NetworkSpec, index: int, block: str) -> NetworkSpec:
    """`spec` with a new layer of `block` at `index`, of a kind that leaves the shape of the map as it is."""
    inputs = spec.layers[:index]
    channels = next(
        (layer.out_channels for layer in reversed(inputs) if layer.out_channels), spec.input_shape[0]
    )
    op = "linear" if any(layer.op in ("flatten", "linear") for layer in inputs) else "conv"
    window = {"kernel_size": 3, "padding": 1, "bias": False, "then": ("batch_norm", "relu")}
    values = {"op": op, "name": free_name(_names(spec), op), "block": block, "out_channels": channels}
    layer = from_dict(LayerSpec, values | (window if op == "conv" else {}))
    return replace(spec, layers=(*inputs, layer, *spec.layers[index:]))


def duplicate_layer(spec: NetworkSpec, index: int) -> NetworkSpec:
    """`spec` with a copy of layer `index` behind it."""
    layer = spec.layers[index]
    copy = replace(layer, name=free_name(_names(spec), layer.name))
    return replace(spec, layers=(*spec.layers[: index + 1], copy, *spec.layers[index + 1 :]))


def move_layer(spec: NetworkSpec, index: int, distance: int) -> NetworkSpec:
    """`spec` with layer `index` moved by `distance` rows, at most to either end."""
    layers = list(spec.layers)
    target = min(max(index + distance, 0), len(layers) - 1)
    layers.insert(target, layers.pop(index))
    return replace(spec, layers=tuple(layers))


def delete_layer(spec: NetworkSpec, index: int) -> NetworkSpec:
    """`spec` without layer `index`; `SpecError` for the last one left, or one that an `add` needs."""
    if len(spec.layers) == 1:
        raise SpecError("a network needs a layer; insert another before you delete this one")
    return replace(spec, layers=spec.layers[:index] + spec.layers[index + 1 :])


def change_classes(spec: NetworkSpec, num_classes: int) -> NetworkSpec:
    """`spec` for `num_classes`; the last layer with channels follows where it gave one for each class."""
    layers = list(spec.layers)
    last = next((i for i in reversed(range(len(layers))) if layers[i].out_channels is not None), None)
    if last is not None and layers[last].out_channels == spec.num_classes:
        layers[last] = from_dict(LayerSpec, {**_values(layers[last]), "out_channels": num_classes})
    return replace(spec, layers=tuple(layers), num_classes=num_classes)


def change_cells(
    spec: NetworkSpec, rows: Mapping[int, Mapping[str, Any]]
) -> tuple[NetworkSpec, tuple[str, ...]]:
    """`spec` with the cells of `rows` (by index, then by field), and what was refused, row by row.

    A row that breaks a rule is left out as a whole and named; the other rows are taken.
    """
    refused = []
    for index, cells in sorted(rows.items()):
        if not 0 <= index < len(spec.layers):
            continue
        try:
            spec = _change_row(spec, index, cells)
        except SpecError as error:
            message = str(error)
            where = f"layer {index + 1} ({spec.layers[index].name})"
            refused.append(message if message.startswith("layer ") else f"{where}: {message}")
    return spec, tuple(refused)


def _change_row(spec: NetworkSpec, index: int, cells: Mapping[str, Any]) -> NetworkSpec:
    layer = spec.layers[index]
    old = _values(layer)
    new = {name: _clean(name, value) for name, value in cells.items() if name in CELLS}
    changed = {name: value for name, value in new.items() if value != old[name]}
    op = changed.get("op", layer.op)
    if op != layer.op and op in USED:
        old = _values_for(spec, index, op)
    for name in changed.keys() & set(OPTIONAL) - set(USED.get(op, OPTIONAL)):
        raise SpecError(f"{name} has no meaning for {op}, got {changed[name]}; leave the cell empty")
    edited = from_dict(LayerSpec, {**old, **changed})
    if edited.name in {each.name for each in spec.layers if each is not layer}:
        raise SpecError(f"the name {edited.name!r} is taken; give every layer its own")
    layers = [*spec.layers[:index], edited, *spec.layers[index + 1 :]]
    if edited.name and edited.name != layer.name:
        layers = [replace(each, source=edited.name) if each.source == layer.name else each for each in layers]
    return replace(spec, layers=tuple(layers))


def _values(layer: LayerSpec) -> dict[str, Any]:
    return {name: getattr(layer, name) for name in CELLS}


_DEFAULTS = {name: value for name, value in _values(LayerSpec(op="flatten")).items() if name != "op"}


def _values_for(spec: NetworkSpec, index: int, op: str) -> dict[str, Any]:
    """Layer `index` turned into `op`: what both share stays, what `op` needs is filled in."""
    layer = spec.layers[index]
    old = _values(layer)
    values = {name: old[name] for name in ("block", "then")}
    values |= {name: old[name] for name in USED[op] if name in USED[layer.op]}
    was_named_by_op = re.fullmatch(rf"{layer.op}\d+_*", layer.name)
    values |= {"op": op, "name": free_name(_names(spec), op) if was_named_by_op else layer.name}
    if op in ("conv", "linear") and values.get("out_channels") is None:
        given = next((each.out_channels for each in reversed(spec.layers[:index]) if each.out_channels), None)
        values["out_channels"] = given or spec.num_classes
    if op == "conv" and "kernel_size" not in values:
        values |= {"kernel_size": 3, "padding": 1}
    if op.endswith("_pool") and "kernel_size" in USED[op] and "kernel_size" not in values:
        values |= {"kernel_size": 2, "stride": 2}
    if op == "add":
        values["source"] = _source_for(spec, index)
    return _DEFAULTS | values


def _source_for(spec: NetworkSpec, index: int) -> str:
    """The nearest earlier layer that an `add` at `index` can take, but not the one just before it."""
    if index == 0:
        raise SpecError("add needs an earlier layer to sum its input with; move this layer down first")
    sized = sized_layers(spec)[:index]
    for earlier in reversed(sized[:-1]):
        if earlier.output_shape == sized[-1].output_shape:
            return earlier.name
    return spec.layers[index - 1].name


def _names(spec: NetworkSpec) -> set[str]:
    return {layer.name for layer in spec.layers}


def _clean(name: str, value: Any) -> Any:
    """A cell as the field takes it: an emptied one is the field's default, whole floats are integers."""
    if isinstance(value, float):
        if math.isnan(value):
            value = None
        elif value.is_integer():
            value = int(value)
    if name == "then":
        return tuple(value or ())
    if value is None or (value == "" and name == "source"):
        return _DEFAULTS.get(name)
    return value.strip() if isinstance(value, str) else value
