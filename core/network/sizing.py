"""What every layer of a network costs and sees, by arithmetic alone.

Shapes are (C, H, W) of one image; `flatten` and `linear` give (C, 1, 1).
"""

from collections.abc import Callable
from dataclasses import dataclass

from core.errors import SizingError
from core.network import receptive_field, refusals
from core.network.receptive_field import PIXEL, Field
from core.network.refusals import Misfit
from core.network.spec import LayerSpec, NetworkSpec

Shape = tuple[int, int, int]

FLOAT_BYTES = 4
POOLS = ("max_pool", "avg_pool", "global_avg_pool")


@dataclass(frozen=True, slots=True)
class LayerSizing:
    """One layer, sized for one image."""

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
    for index, layer in enumerate(spec.layers):
        try:
            row, field = _size_layer(layer, shape, field, maps)
            shape = row.output_shape
            num_params += row.num_params
            macs += row.macs
            activation_bytes += row.activation_bytes
            refusals.check_totals(num_params, activation_bytes)
            if index == len(spec.layers) - 1:
                refusals.check_scores(shape, spec.num_classes)
        except Misfit as misfit:
            message = f"layer {index + 1} ({layer.name}, {layer.op}): {misfit}"
            raise SizingError(message, index, tuple(sized)) from None
        sized.append(row)
        maps[layer.name] = shape, field
    before, coverage = _before_pooling(sized)
    after = sized[-1].receptive_field
    return NetworkSizing(tuple(sized), num_params, macs, activation_bytes, after, before, coverage, shape)


def _before_pooling(sized: list[LayerSizing]) -> tuple[int, float]:
    """Receptive field and coverage of what enters the first pooling or flatten to 1×1."""
    field, coverage = 1, 1.0
    for row in sized:
        if row.output_shape[1:] == (1, 1) and (row.op in POOLS or row.op == "flatten"):
            break
        field, coverage = row.receptive_field, row.coverage
    return field, coverage


def _size_layer(
    layer: LayerSpec, input_shape: Shape, input_field: Field, maps: dict[str, _Map]
) -> tuple[LayerSizing, Field]:
    if layer.source is None:
        shape, field, num_params, macs = _OPS[layer.op](layer, input_shape, input_field)
    else:
        shape, field, num_params, macs = _size_add(
            layer.source, (input_shape, input_field), maps[layer.source]
        )
    num_outputs = len(layer.then) + (layer.op != "flatten")
    row = LayerSizing(
        layer.name,
        layer.op,
        input_shape,
        shape,
        num_params + 2 * shape[0] * layer.then.count("batch_norm"),
        macs,
        shape[0] * shape[1] * shape[2] * num_outputs * FLOAT_BYTES,
        max(field.height, field.width),
        field.jump,
        -field.start,
        receptive_field.coverage(field),
    )
    return row, field


def _size_conv(layer: LayerSpec, shape: Shape, field: Field) -> _Sized:
    channels, out_channels, kernel = shape[0], layer.out_channels, layer.kernel_size
    assert out_channels is not None  # a LayerSpec without it cannot be made
    assert kernel is not None
    refusals.check_groups(layer.groups, channels, out_channels)
    (rows, columns), field = _slide(layer, kernel, shape, field)
    weights = out_channels * (channels // layer.groups) * kernel * kernel
    biases = out_channels if layer.bias else 0
    return (out_channels, rows, columns), field, weights + biases, weights * rows * columns


def _size_pool(layer: LayerSpec, shape: Shape, field: Field) -> _Sized:
    kernel = layer.kernel_size
    assert kernel is not None
    refusals.check_pool_padding(layer.padding, kernel)
    (rows, columns), field = _slide(layer, kernel, shape, field)
    return (shape[0], rows, columns), field, 0, 0


def _slide(layer: LayerSpec, kernel: int, shape: Shape, field: Field) -> tuple[tuple[int, int], Field]:
    """Rows and columns of the map that the window gives where it fits whole, as torch counts them."""
    _, rows, columns = shape
    padding, stride, dilation = layer.padding, layer.stride, layer.dilation
    last_tap = (kernel - 1) * dilation
    spare_rows, spare_columns = rows + 2 * padding - last_tap - 1, columns + 2 * padding - last_tap - 1
    if spare_rows < 0 or spare_columns < 0:
        raise refusals.too_small(layer, kernel, rows, columns)
    refusals.check_field(max(field.height, field.width) + last_tap * field.jump, field.jump * stride)
    out = spare_rows // stride + 1, spare_columns // stride + 1
    return out, receptive_field.slide(field, kernel, stride, padding, dilation)


def _size_whole_map(layer: LayerSpec, shape: Shape, field: Field) -> _Sized:
    channels, rows, columns = shape
    longest = max(field.height + (rows - 1) * field.jump, field.width + (columns - 1) * field.jump)
    refusals.check_field(longest, field.jump)
    out_channels = channels * rows * columns if layer.op == "flatten" else channels
    return (out_channels, 1, 1), receptive_field.gather(field, rows, columns), 0, 0


def _size_linear(layer: LayerSpec, shape: Shape, field: Field) -> _Sized:
    (features, rows, columns), out_features = shape, layer.out_channels
    assert out_features is not None
    refusals.check_linear_input(rows, columns)
    weights = out_features * features
    return (out_features, 1, 1), field, weights + (out_features if layer.bias else 0), weights


def _size_add(name: str, own: _Map, other: _Map) -> _Sized:
    (shape, field), (other_shape, other_field) = own, other
    refusals.check_sum(name, shape, other_shape, field.jump, other_field.jump)
    united = receptive_field.unite(field, other_field)
    refusals.check_ways(len(united.reach))
    return shape, united, 0, 0


_OPS: dict[str, Callable[[LayerSpec, Shape, Field], _Sized]] = {
    "conv": _size_conv,
    "max_pool": _size_pool,
    "avg_pool": _size_pool,
    "global_avg_pool": _size_whole_map,
    "flatten": _size_whole_map,
    "linear": _size_linear,
}
