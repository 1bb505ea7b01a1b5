"""The lesson: one operation on a grid small enough to check by head, in plain NumPy.

A grid is (H, W) one channel, (C, H, W) all of them; rows, columns and channels count from 0. Whether a layer
fits its input, and what it costs, is for `size_network` to say: ask it first.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import Field

from core.network.spec import LayerSpec, NetworkSpec
from core.spec import describe

Operation = Literal[
    "standard", "strided", "dilated", "grouped", "depthwise", "pointwise", "separable", "max_pool", "avg_pool"
]

WINDOW = ("kernel_size", "stride", "padding")
CHANNELS = ("in_channels", "out_channels")
SETTINGS: Mapping[Operation, tuple[str, ...]] = {
    "standard": ("kernel_size", "padding", *CHANNELS),
    "strided": (*WINDOW, *CHANNELS),
    "dilated": (*WINDOW, "dilation", *CHANNELS),
    "grouped": (*WINDOW, "groups", *CHANNELS),
    "depthwise": (*WINDOW, "dilation", "in_channels"),
    "pointwise": ("stride", *CHANNELS),
    "separable": (*WINDOW, "dilation", *CHANNELS),
    "max_pool": (*WINDOW, "in_channels"),
    "avg_pool": (*WINDOW, "in_channels"),
}
"""Which fields of `Lesson` an operation has, besides `size`."""

LessonChannels = Annotated[int, Field(ge=1, le=128)]


@describe
class Lesson:
    """What the page shows. A setting that the operation does not have is left out of the account."""

    operation: Operation
    size: int = Field(default=8, ge=5, le=12)
    """Height and width of the input, in pixels."""
    kernel_size: int = Field(default=3, ge=1, le=5)
    stride: int = Field(default=1, ge=1, le=4)
    padding: int = Field(default=0, ge=0, le=4)
    dilation: int = Field(default=1, ge=1, le=4)
    groups: LessonChannels = 1
    in_channels: LessonChannels = 1
    out_channels: LessonChannels = 1


@dataclass(frozen=True, slots=True)
class Group:
    """Channels of one layer that are connected all with all: each of `outputs` reads each of `inputs`."""

    layer: int
    inputs: range
    outputs: range


@dataclass(frozen=True, slots=True, eq=False)
class Unit:
    """One output value and everything that went into it."""

    channel: int
    row: int
    column: int
    rows: np.ndarray
    """(k,) rows of the input that it reads; those outside the grid are padding."""
    columns: np.ndarray
    """(k,) columns of the input that it reads."""
    channels: range
    """Input channels that it reads."""
    values: np.ndarray
    """(len(channels), k, k) what it reads there."""
    weights: np.ndarray | None
    """(len(channels), k, k) what each is multiplied with; None for pooling."""
    value: float

    @property
    def sums(self) -> np.ndarray:
        """(len(channels),) what each input channel adds to the value of a convolution."""
        products = self.values if self.weights is None else self.values * self.weights
        sums: np.ndarray = products.sum(axis=(1, 2))
        return sums


def make_layers(lesson: Lesson) -> tuple[LayerSpec, ...]:
    """The rows of a network that the operation is: two for depthwise-separable, else one; without bias."""
    has = SETTINGS[lesson.operation]
    window = {field: getattr(lesson, field) for field in (*WINDOW, "dilation") if field in has}
    if lesson.operation in ("max_pool", "avg_pool"):
        return (LayerSpec(op=lesson.operation, name=lesson.operation, **window),)
    each_alone = {"out_channels": lesson.in_channels, "groups": lesson.in_channels}
    if lesson.operation == "depthwise":
        return (_conv("depthwise", **window, **each_alone),)
    if lesson.operation == "pointwise":
        return (_conv("pointwise", kernel_size=1, out_channels=lesson.out_channels, **window),)
    if lesson.operation == "separable":
        pointwise = _conv("pointwise", kernel_size=1, out_channels=lesson.out_channels)
        return (_conv("depthwise", **window, **each_alone), pointwise)
    groups = lesson.groups if "groups" in has else 1
    return (_conv(lesson.operation, **window, out_channels=lesson.out_channels, groups=groups),)


def make_network(lesson: Lesson, layers: tuple[LayerSpec, ...]) -> NetworkSpec:
    """`layers` on the lesson's input, ended by global average pooling, so that they can be sized."""
    num_classes = next(
        (layer.out_channels for layer in reversed(layers) if layer.out_channels), lesson.in_channels
    )
    return NetworkSpec(
        name=f"lesson: {lesson.operation}",
        layers=(*layers, LayerSpec(op="global_avg_pool")),
        input_shape=(lesson.in_channels, lesson.size, lesson.size),
        num_classes=num_classes,
    )


def standard_counterpart(lesson: Lesson) -> LayerSpec | None:
    """The standard convolution to hold the operation against; None where it is one itself.

    Strided: the same at stride 1. Dilated: a dense kernel with the same receptive field. Pointwise: 3×3 with
    padding 1. All else: the same window and channels, all with all.
    """
    layer = make_layers(lesson)[0]
    assert layer.kernel_size is not None  # every operation of the lesson has a window
    kernel_size, stride, padding, dilation = layer.kernel_size, layer.stride, layer.padding, layer.dilation
    out_channels = lesson.out_channels if "out_channels" in SETTINGS[lesson.operation] else lesson.in_channels
    if lesson.operation == "standard":
        return None
    if lesson.operation == "strided":
        stride = 1
    elif lesson.operation == "dilated":
        kernel_size, dilation = (kernel_size - 1) * dilation + 1, 1
    elif lesson.operation == "pointwise":
        kernel_size, padding = 3, 1
    return _conv(
        "standard",
        kernel_size=kernel_size,
        stride=stride,
        padding=padding,
        dilation=dilation,
        out_channels=out_channels,
    )


def _conv(name: str, **fields: Any) -> LayerSpec:
    return LayerSpec(op="conv", name=name, bias=False, **fields)


def channels_read(layer: LayerSpec, in_channels: int, channel: int) -> range:
    """Input channels that output channel `channel` reads."""
    groups = layer.groups if layer.op == "conv" else in_channels
    reads, gives = in_channels // groups, (layer.out_channels or in_channels) // groups
    group = channel // gives
    return range(group * reads, (group + 1) * reads)


def find_groups(layers: tuple[LayerSpec, ...], in_channels: int) -> tuple[Group, ...]:
    """Which channels feed which, layer by layer."""
    groups: list[Group] = []
    for index, layer in enumerate(layers):
        out_channels = layer.out_channels or in_channels
        outputs_of: dict[range, list[int]] = {}
        for channel in range(out_channels):
            outputs_of.setdefault(channels_read(layer, in_channels, channel), []).append(channel)
        groups += [
            Group(index, inputs, range(outputs[0], outputs[-1] + 1)) for inputs, outputs in outputs_of.items()
        ]
        in_channels = out_channels
    return tuple(groups)


def run_layer(layer: LayerSpec, maps: np.ndarray, weights: np.ndarray | None) -> np.ndarray:
    """(C', H', W') every output channel of `layer` on `maps` (C, H, W)."""
    channels = len(maps) if weights is None else len(weights)
    return np.stack([feature_map(layer, maps, weights, channel) for channel in range(channels)])


def feature_map(layer: LayerSpec, maps: np.ndarray, weights: np.ndarray | None, channel: int) -> np.ndarray:
    """(H', W') output channel `channel` of `layer` on `maps` (C, H, W)."""
    reads = channels_read(layer, len(maps), channel)
    windows = _windows(layer, maps[reads.start : reads.stop])
    if weights is not None:
        summed: np.ndarray = np.einsum("chwij,cij->hw", windows, weights[channel])
        return summed
    pooled: np.ndarray = (
        windows[0].max(axis=(2, 3)) if layer.op == "max_pool" else windows[0].mean(axis=(2, 3))
    )
    return pooled


def trace_unit(
    layer: LayerSpec, maps: np.ndarray, weights: np.ndarray | None, channel: int, row: int, column: int
) -> Unit:
    """The unit of `layer` at that channel, row and column, with all that it reads from `maps` (C, H, W)."""
    assert layer.kernel_size is not None
    reads = channels_read(layer, len(maps), channel)
    taps = np.arange(layer.kernel_size) * layer.dilation - layer.padding
    return Unit(
        channel=channel,
        row=row,
        column=column,
        rows=taps + row * layer.stride,
        columns=taps + column * layer.stride,
        channels=reads,
        values=_windows(layer, maps[reads.start : reads.stop])[:, row, column],
        weights=None if weights is None else weights[channel],
        value=float(feature_map(layer, maps, weights, channel)[row, column]),
    )


def count_reads(layer: LayerSpec, size: int) -> np.ndarray:
    """(size, size): by how many output units of one channel each input pixel is read."""
    numbers = np.arange(1, size * size + 1).reshape(1, size, size)
    read = _windows(layer, numbers)
    counts = np.bincount(read[read > 0].astype(np.int64), minlength=size * size + 1)
    return counts[1:].reshape(size, size)


def _windows(layer: LayerSpec, maps: np.ndarray) -> np.ndarray:
    """(C, H', W', k, k) what each unit reads; padding is 0, and −∞ for max pooling, as in torch."""
    assert layer.kernel_size is not None
    edge, fill = layer.padding, 0.0
    if layer.op == "max_pool":
        maps, fill = maps.astype(float), -np.inf
    padded = np.pad(maps, ((0, 0), (edge, edge), (edge, edge)), constant_values=fill)
    span = (layer.kernel_size - 1) * layer.dilation + 1
    views = np.lib.stride_tricks.sliding_window_view(padded, (span, span), axis=(1, 2))
    stride, dilation = layer.stride, layer.dilation
    return views[:, ::stride, ::stride, ::dilation, ::dilation]
