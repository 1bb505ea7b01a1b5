"""Short constructors, so that a network can be written down like its table."""

from collections.abc import Iterable
from dataclasses import replace

from core.network.spec import LayerSpec, NetworkSpec


def network(name: str, *blocks: Iterable[LayerSpec]) -> NetworkSpec:
    """A network for 32×32 images of ten classes, from its blocks."""
    return NetworkSpec(name=name, layers=tuple(layer for block in blocks for layer in block))


def block(label: str, *layers: LayerSpec) -> tuple[LayerSpec, ...]:
    """The layers, labelled as one block."""
    return tuple(replace(layer, block=label) for layer in layers)


def conv(
    name: str,
    out_channels: int,
    kernel_size: int,
    *,
    stride: int = 1,
    padding: int = 0,
    dilation: int = 1,
    groups: int = 1,
    bias: bool = True,
    then: tuple[str, ...] = (),
) -> LayerSpec:
    """A convolution, with the defaults of `torch.nn.Conv2d`."""
    return LayerSpec(
        op="conv",
        name=name,
        out_channels=out_channels,
        kernel_size=kernel_size,
        stride=stride,
        padding=padding,
        dilation=dilation,
        groups=groups,
        bias=bias,
        then=then,
    )


def max_pool(name: str, kernel_size: int) -> LayerSpec:
    """A max pool whose windows touch and do not overlap."""
    return LayerSpec(op="max_pool", name=name, kernel_size=kernel_size, stride=kernel_size)


def avg_pool(name: str, kernel_size: int, then: tuple[str, ...] = ()) -> LayerSpec:
    """An average pool whose windows touch and do not overlap."""
    return LayerSpec(op="avg_pool", name=name, kernel_size=kernel_size, stride=kernel_size, then=then)


def global_avg_pool(name: str) -> LayerSpec:
    """The mean of every channel's map."""
    return LayerSpec(op="global_avg_pool", name=name)


def add(name: str, source: str, then: tuple[str, ...] = ()) -> LayerSpec:
    """A residual: the input plus the output of the earlier layer `source`."""
    return LayerSpec(op="add", name=name, source=source, then=then)
