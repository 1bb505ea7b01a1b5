"""The layers that fit a row of a summary table: all that its parameters and map sizes leave open.

Looked at are kernels up to 11, strides and dilations up to 4, any groups, and padding up to half the window.
A pool has no dilation and may span its whole map; where it puts out 1×1, it is listed with the stride of its
kernel alone, because any other computes the same. The plainest candidate comes first.
"""

from collections.abc import Iterable, Iterator
from math import gcd, isqrt

from core.network.spec import LayerSpec

Shape = tuple[int, int, int]

MAX_KERNEL = 11
MAX_STRIDE = 4
MAX_DILATION = 4


def list_convs(before: Shape, after: Shape, num_params: int) -> tuple[LayerSpec, ...]:
    """Every convolution from one map (C, H, W) to the other with so many parameters."""
    found = [
        LayerSpec(
            op="conv",
            out_channels=after[0],
            kernel_size=kernel,
            stride=stride,
            padding=padding,
            dilation=dilation,
            groups=groups,
            bias=bias,
        )
        for kernel, groups, bias in _list_kernels(before[0], after[0], num_params)
        for dilation in range(1, MAX_DILATION + 1 if kernel > 1 else 2)
        for stride in range(1, MAX_STRIDE + 1)
        # A padded 1×1 is odd, but there is one in a published network.
        for padding in range(max(1, ((kernel - 1) * dilation + 1) // 2) + 1)
        if _fits(before, after, kernel, stride, padding, dilation)
    ]
    return tuple(sorted(found, key=lambda layer: _oddness(layer, before[0])))


def list_pools(kind: str, before: Shape, after: Shape) -> tuple[LayerSpec, ...]:
    """Every max or average pool from one map to the other; `kind` is `max_pool` or `avg_pool`."""
    if before[0] != after[0]:
        return ()
    kernels = {*range(1, MAX_KERNEL + 1), *before[1:]}
    found = [
        LayerSpec(
            op="max_pool" if kind == "max_pool" else "avg_pool",
            kernel_size=kernel,
            stride=stride,
            padding=padding,
        )
        for kernel in sorted(kernels)
        for stride in ({kernel} if after[1:] == (1, 1) else sorted({*range(1, MAX_STRIDE + 1), kernel}))
        for padding in range(kernel // 2 + 1 if kernel <= MAX_KERNEL else 1)
        if _fits(before, after, kernel, stride, padding, 1)
    ]
    return tuple(sorted(found, key=lambda layer: _pool_oddness(layer, before)))


def list_whole_map_pools(before: Shape) -> tuple[LayerSpec, ...]:
    """What may bring a map to 1×1 without a row of its own."""
    pools = [LayerSpec(op="global_avg_pool")]
    if before[1] == before[2]:
        pools.append(LayerSpec(op="max_pool", kernel_size=before[1], stride=before[1]))
    return tuple(pools)


def _list_kernels(channels: int, out_channels: int, num_params: int) -> Iterator[tuple[int, int, bool]]:
    """(kernel size, groups, bias) for which a convolution has so many parameters."""
    for bias in (False, True):
        weights, rest = divmod(num_params - bias * out_channels, out_channels)
        if weights <= 0 or rest:
            continue
        for groups in _divisors(gcd(channels, out_channels)):
            area, rest = divmod(weights, channels // groups)
            kernel = isqrt(area)
            if not rest and kernel * kernel == area and 1 <= kernel <= MAX_KERNEL:
                yield kernel, groups, bias


def _divisors(number: int) -> Iterable[int]:
    return (divisor for divisor in range(1, number + 1) if number % divisor == 0)


def _fits(before: Shape, after: Shape, kernel: int, stride: int, padding: int, dilation: int) -> bool:
    spare = 2 * padding - (kernel - 1) * dilation - 1
    sides = zip(before[1:], after[1:], strict=True)
    return all(side + spare >= 0 and (side + spare) // stride + 1 == out for side, out in sides)


def _oddness(layer: LayerSpec, channels: int) -> tuple[int, ...]:
    """Smaller for what is more usual."""
    kernel = layer.kernel_size or 0
    usual_padding = (0, (kernel - 1) * layer.dilation // 2)
    odd = 2 * (kernel % 2 == 0) + (layer.groups not in (1, channels)) + (layer.padding not in usual_padding)
    odd += (layer.dilation > 1) + (layer.stride > 1)
    return odd, kernel, layer.dilation, layer.stride, layer.padding, layer.groups, layer.bias


def _pool_oddness(layer: LayerSpec, before: Shape) -> tuple[int, ...]:
    kernel = layer.kernel_size or 0
    odd = (layer.stride != kernel) + (layer.padding > 0) + (before[1] % kernel > 0)
    return odd, kernel, layer.stride, layer.padding
