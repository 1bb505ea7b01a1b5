"""What every layer of a network costs and sees, by arithmetic alone.

Shapes are (C, H, W) of one image; `flatten` and `linear` give (C, 1, 1).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from core.errors import SizingError
from core.network import refusals
from core.network.receptive_field import PIXEL, Field, coverage, gather, slide, unite
from core.network.refusals import MAX_ACTIVATION_BYTES, MAX_FIELD, MAX_PARAMS, MAX_WAYS, Misfit
from core.network.spec import LayerSpec, NetworkSpec

Shape = tuple[int, int, int]

FLOAT_BYTES = 4
POOLS = ("max_pool", "avg_pool", "global_avg_pool")


class LayerSizing(NamedTuple):
    """One layer, sized for one image. A tuple, because that takes a quarter of a frozen dataclass's time."""

    name: str
    op: str
    input_shape: Shape
    output_shape: Shape
    num_params: int
    """Weights and biases of the op and of every `batch_norm` in `then`."""
    macs: int
    """Multiply-adds of `conv` and `linear`; biases, batch norm, pooling and `add` are left out."""
    activation_bytes: int
    """float32 outputs of the op and of each step of `then`, all kept; `flatten` is a view and takes none."""
    receptive_field: int
    """Input pixels, padding included, from the first to the last that one unit sees, on the longer axis."""
    effective_stride: int
    """Input pixels from one unit's field to the next's; a layer over the whole map keeps its input's."""
    effective_padding: int
    """Input pixels by which the first unit's field sticks out over the edge of the image."""
    coverage: float
    """The fraction of the field's pixels that any path reaches, whatever the channel."""


@dataclass(frozen=True, slots=True)
class NetworkSizing:
    """A whole network, sized for one image; the fields mean what they mean in `LayerSizing`."""

    layers: tuple[LayerSizing, ...]
    num_params: int
    macs: int
    activation_bytes: int
    receptive_field: int
    """Of the scores, so after any pooling."""
    receptive_field_before_pooling: int
    """Of the map that enters the first pooling or flatten to 1×1; of the scores where there is none."""
    coverage: float
    """Of `receptive_field_before_pooling`."""
    output_shape: Shape


_Map = tuple[Shape, Field]
_Sized = tuple[Shape, Field, int, int]
"""A layer's output shape, the field of its units, num_params and macs."""


def size_network(spec: NetworkSpec) -> NetworkSizing:
    """Size every layer; `SizingError` names the first that cannot work and carries those before it."""
    shape, field = spec.input_shape, PIXEL
    maps: dict[str, _Map] = {}
    sized: list[LayerSizing] = []
    num_params = macs = activation_bytes = 0
    for layer in spec.layers:
        try:
            row, field = _size_layer(layer, shape, field, maps)
            num_params += row.num_params
            macs += row.macs
            activation_bytes += row.activation_bytes
            if num_params > MAX_PARAMS:
                raise refusals.many_params(num_params)
            if activation_bytes > MAX_ACTIVATION_BYTES:
                raise refusals.many_activations(activation_bytes)
        except Misfit as misfit:
            raise _locate(misfit, spec, sized) from None
        shape = row.output_shape
        sized.append(row)
        maps[layer.name] = shape, field
    if shape != (spec.num_classes, 1, 1):
        raise _locate(refusals.other_scores(shape, spec.num_classes), spec, sized[:-1])
    last = count_before_pooling(sized) - 1
    before, reached = (sized[last].receptive_field, sized[last].coverage) if last >= 0 else (1, 1.0)
    after = sized[-1].receptive_field
    return NetworkSizing(tuple(sized), num_params, macs, activation_bytes, after, before, reached, shape)


def _locate(misfit: Misfit, spec: NetworkSpec, sized: list[LayerSizing]) -> SizingError:
    """The error for the layer behind those that are sized."""
    index = len(sized)
    layer = spec.layers[index]
    return SizingError(f"layer {index + 1} ({layer.name}, {layer.op}): {misfit}", index, tuple(sized))


def count_before_pooling(sized: Sequence[LayerSizing]) -> int:
    """How many layers come before the first pooling or flatten to 1×1; all of them where there is none."""
    for index, row in enumerate(sized):
        if row.output_shape[1:] == (1, 1) and (row.op in POOLS or row.op == "flatten"):
            return index
    return len(sized)


def _size_layer(
    layer: LayerSpec, input_shape: Shape, input_field: Field, maps: dict[str, _Map]
) -> tuple[LayerSizing, Field]:
    if layer.source is None:
        shape, field, num_params, macs = _OPS[layer.op](layer, input_shape, input_field)
    else:
        own = input_shape, input_field
        shape, field, num_params, macs = _size_add(layer.source, own, maps[layer.source])
    start, height, width, jump, _ = field
    extent = height if height > width else width
    if extent > MAX_FIELD or jump > MAX_FIELD:
        raise refusals.far_sight(extent, jump)
    channels, rows, columns = shape
    then = layer.then
    if "batch_norm" in then:
        num_params += 2 * channels * then.count("batch_norm")
    num_outputs = len(then) + (layer.op != "flatten")
    row = LayerSizing(
        layer.name,
        layer.op,
        input_shape,
        shape,
        num_params,
        macs,
        channels * rows * columns * num_outputs * FLOAT_BYTES,
        extent,
        jump,
        -start,
        coverage(field),
    )
    return row, field


def _size_conv(layer: LayerSpec, shape: Shape, field: Field) -> _Sized:
    channels, out_channels, groups, kernel = shape[0], layer.out_channels, layer.groups, layer.kernel_size
    assert out_channels is not None  # a LayerSpec without it cannot be made
    assert kernel is not None
    if channels % groups or out_channels % groups:
        raise refusals.undivided_channels(groups, channels, out_channels)
    shape, field = _slide(layer, kernel, shape, field, out_channels)
    weights = out_channels * (channels // groups) * kernel * kernel
    biases = out_channels if layer.bias else 0
    return shape, field, weights + biases, weights * shape[1] * shape[2]


def _size_pool(layer: LayerSpec, shape: Shape, field: Field) -> _Sized:
    kernel = layer.kernel_size
    assert kernel is not None
    if layer.padding > kernel // 2:
        raise refusals.wide_pool_padding(layer.padding, kernel)
    return *_slide(layer, kernel, shape, field, shape[0]), 0, 0


def _slide(layer: LayerSpec, kernel: int, shape: Shape, field: Field, channels: int) -> _Map:
    """The map that a window gives where it fits whole, as torch counts its rows and columns."""
    _, rows, columns = shape
    padding, stride, dilation = layer.padding, layer.stride, layer.dilation
    spare = 2 * padding - (kernel - 1) * dilation - 1
    if rows + spare < 0 or columns + spare < 0:
        raise refusals.too_small(layer, kernel, rows, columns)
    shape = channels, (rows + spare) // stride + 1, (columns + spare) // stride + 1
    return shape, slide(field, kernel, stride, padding, dilation)


def _size_whole_map(layer: LayerSpec, shape: Shape, field: Field) -> _Sized:
    channels, rows, columns = shape
    out_channels = channels * rows * columns if layer.op == "flatten" else channels
    return (out_channels, 1, 1), gather(field, rows, columns), 0, 0


def _size_linear(layer: LayerSpec, shape: Shape, field: Field) -> _Sized:
    (features, rows, columns), out_features = shape, layer.out_channels
    assert out_features is not None
    if rows * columns != 1:
        raise refusals.map_into_linear(rows, columns)
    weights = out_features * features
    return (out_features, 1, 1), field, weights + (out_features if layer.bias else 0), weights


def _size_add(name: str, own: _Map, other: _Map) -> _Sized:
    (shape, field), (other_shape, other_field) = own, other
    if shape != other_shape:
        raise refusals.unequal_shapes(name, shape, other_shape)
    jump, other_jump = field[3], other_field[3]
    if jump != other_jump:
        raise refusals.unequal_strides(name, jump, other_jump)
    united = unite(field, other_field)
    num_ways = len(united[4])
    if num_ways > MAX_WAYS:
        raise refusals.many_ways(num_ways)
    return shape, united, 0, 0


_OPS: dict[str, Callable[[LayerSpec, Shape, Field], _Sized]] = {
    "conv": _size_conv,
    "max_pool": _size_pool,
    "avg_pool": _size_pool,
    "global_avg_pool": _size_whole_map,
    "flatten": _size_whole_map,
    "linear": _size_linear,
}
