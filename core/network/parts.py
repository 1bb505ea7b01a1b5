"""The torch modules that a network is made of, in words: for export and for the summary table.

Here a map is (C, H, W) and a vector is (C,), as in modules written by hand; a spec says (C, 1, 1) for both.
"""

from typing import NamedTuple

from core.network.sizing import LayerSizing, size_network
from core.network.spec import LayerSpec, NetworkSpec, parse_step

PLAIN_STEPS = {"relu": "ReLU", "relu6": "ReLU6", "leaky_relu": "LeakyReLU", "silu": "SiLU", "gelu": "GELU"}


class Part(NamedTuple):
    """One module of `torch.nn`."""

    kind: str
    """Its class, as in `Conv2d`."""
    arguments: tuple[tuple[str, object], ...]
    """What it is made with, defaults left out."""
    output_shape: tuple[int, ...]
    """Of one image: (C, H, W) or (C,)."""
    num_params: int


class LayerParts(NamedTuple):
    """One layer of the spec as modules; an `add` has only those of its steps."""

    layer: LayerSpec
    sizing: LayerSizing
    parts: tuple[Part, ...]
    is_vector: bool
    """Whether it puts out (C,) and not (C, H, W)."""


def list_parts(spec: NetworkSpec) -> tuple[LayerParts, ...]:
    """The modules of every layer, in order; raises `SizingError` where a layer cannot work."""
    layers: list[LayerParts] = []
    vectors: set[str] = set()
    is_vector = False
    for layer, sizing in zip(spec.layers, size_network(spec).layers, strict=True):
        parts, is_vector = _op_parts(layer, sizing, is_vector, layer.source in vectors)
        parts += [_step_part(step, sizing.output_shape, is_vector) for step in layer.then]
        if is_vector:
            vectors.add(layer.name)
        layers.append(LayerParts(layer, sizing, tuple(parts), is_vector))
    return tuple(layers)


def _op_parts(
    layer: LayerSpec, sizing: LayerSizing, is_vector: bool, source_is_vector: bool
) -> tuple[list[Part], bool]:
    """The modules of the op, and whether a vector comes out of them."""
    channels = sizing.input_shape[0]
    if layer.op == "add":
        return [], is_vector or source_is_vector
    if layer.op == "flatten":
        return [_flatten(sizing)], True
    if layer.op == "linear":
        before = [] if is_vector else [_flatten(sizing)]
        return [*before, _op_part(layer, sizing)], True
    unflattened = ("unflattened_size", (channels, 1, 1))
    before = [Part("Unflatten", (("dim", 1), unflattened), (channels, 1, 1), 0)] if is_vector else []
    return [*before, _op_part(layer, sizing)], False


def _flatten(sizing: LayerSizing) -> Part:
    channels, rows, columns = sizing.input_shape
    return Part("Flatten", (), (channels * rows * columns,), 0)


def _op_part(layer: LayerSpec, sizing: LayerSizing) -> Part:
    channels, out_channels = sizing.input_shape[0], sizing.output_shape[0]
    num_params = sizing.num_params - 2 * out_channels * layer.then.count("batch_norm")
    ends = ("in_channels", channels), ("out_channels", out_channels)
    window = (("kernel_size", layer.kernel_size),)
    slide = _unless(1, stride=layer.stride), _unless(0, padding=layer.padding)
    extras = _unless(1, dilation=layer.dilation), _unless(1, groups=layer.groups)
    bias = _unless(True, bias=layer.bias)
    match layer.op:
        case "conv":
            kind, arguments = "Conv2d", (*ends, *window, *sum((*slide, *extras), ()), *bias)
        case "linear":
            kind, arguments = "Linear", (("in_features", channels), ("out_features", out_channels), *bias)
            return Part(kind, arguments, (out_channels,), num_params)
        case "global_avg_pool":
            kind, arguments = "AdaptiveAvgPool2d", (("output_size", 1),)
        case _:
            kind = "MaxPool2d" if layer.op == "max_pool" else "AvgPool2d"
            stride = _unless(layer.kernel_size, stride=layer.stride)
            arguments = (*window, *stride, *slide[1], *extras[0])
    return Part(kind, arguments, sizing.output_shape, num_params)


def _unless(default: object, **argument: object) -> tuple[tuple[str, object], ...]:
    """The argument, or nothing where it is at its default in torch."""
    return tuple((name, value) for name, value in argument.items() if value != default)


def _step_part(step: str, shape: tuple[int, int, int], is_vector: bool) -> Part:
    kind, rate = parse_step(step)
    output_shape = shape[:1] if is_vector else shape
    if kind == "batch_norm":
        norm = "BatchNorm1d" if is_vector else "BatchNorm2d"
        return Part(norm, (("num_features", shape[0]),), output_shape, 2 * shape[0])
    if rate is not None:
        # To drop a channel of one pixel is to drop an element, and torch warns of Dropout2d on a vector.
        dropout = "Dropout2d" if kind == "dropout2d" and not is_vector else "Dropout"
        return Part(dropout, (("p", rate),), output_shape, 0)
    if kind == "log_softmax":
        return Part("LogSoftmax", (("dim", 1),), output_shape, 0)
    return Part(PLAIN_STEPS[kind], (), output_shape, 0)
