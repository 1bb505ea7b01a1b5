"""Another kind of convolution in the place of one: what the network becomes, or why that makes no sense.

Only the one convolution changes: its input, its output channels and, but for `strided`, the shape of its map
stay, and so do the steps behind it. What an `add` took from it, it takes from what stands in its place.
"""

from collections.abc import Callable
from dataclasses import replace
from math import gcd
from typing import NamedTuple

from core.errors import SizingError, SpecError
from core.network.sizing import NetworkSizing, Shape, size_network
from core.network.spec import LayerSpec, NetworkSpec, parse_step

GROUPS = 4
"""The most groups that `grouped` takes where it has a choice: with more it comes close to depthwise."""
DILATION = 2
STRIDE = 2
NAME_LENGTH = 40


class Variant(NamedTuple):
    """The network with one convolution swapped, or the reason why there is none."""

    kind: str
    network: NetworkSpec | None
    """None where this kind makes no sense for the layer."""
    sizing: NetworkSizing | None
    """None where there is no network, or where it does not work."""
    problem: str
    """Why there is no network, or which of its layers cannot work; empty where all is well."""


class _Place(NamedTuple):
    """The convolution, and the maps (C, H, W) that it takes and gives."""

    layer: LayerSpec
    kernel: int
    input_shape: Shape
    output_shape: Shape
    next_layer: LayerSpec | None
    """What follows, if nothing else takes the convolution's output."""


def list_variants(spec: NetworkSpec, layer_name: str) -> tuple[Variant, ...]:
    """`spec` with every kind of convolution in the place of `layer_name`, also those that do not work."""
    return tuple(_try_variant(spec, layer_name, kind) for kind in KINDS)


def _try_variant(spec: NetworkSpec, layer_name: str, kind: str) -> Variant:
    try:
        network = swap_convolution(spec, layer_name, kind)
    except SpecError as error:
        return Variant(kind, None, None, str(error))
    try:
        return Variant(kind, network, size_network(network), "")
    except SizingError as error:
        return Variant(kind, network, None, str(error))


def swap_convolution(spec: NetworkSpec, layer_name: str, kind: str) -> NetworkSpec:
    """`spec` with a convolution of `kind`, one of `KINDS`, in the place of `layer_name`.

    Raises `SpecError` where that makes no sense for the layer, `SizingError` where `spec` does not work as it
    is. Whether the result works, `size_network` tells: a stride can leave too small a map for a later layer.
    """
    if kind not in KINDS:
        raise SpecError(f"kind must be one of {', '.join(KINDS)}, got {kind!r}")
    place, index = _find(spec, layer_name)
    layers, is_next_replaced = KINDS[kind](place)
    last = index + 1 + is_next_replaced
    named = _name(layers, spec, {layer.name for layer in spec.layers[index:last]})
    gone, output = {layer.name for layer in spec.layers[index:last]}, named[-1].name
    after = [replace(each, source=output) if each.source in gone else each for each in spec.layers[last:]]
    return replace(spec, layers=(*spec.layers[:index], *named, *after))


def _find(spec: NetworkSpec, layer_name: str) -> tuple[_Place, int]:
    index = next((i for i, layer in enumerate(spec.layers) if layer.name == layer_name), None)
    if index is None or spec.layers[index].op != "conv":
        raise SpecError(f"a convolution is swapped by its name, and {layer_name!r} is none; choose another")
    layer, sized = spec.layers[index], size_network(spec).layers[index]
    assert layer.kernel_size is not None  # a conv without it cannot be made
    following = spec.layers[index + 1] if index + 1 < len(spec.layers) else None
    if layer_name in {other.source for other in spec.layers}:
        following = None
    return _Place(layer, layer.kernel_size, sized.input_shape, sized.output_shape, following), index


Swapped = tuple[tuple[LayerSpec, ...], bool]
"""The layers to put in, first to last, and whether they also stand for the layer that follows."""


def _standard(place: _Place) -> Swapped:
    layer = place.layer
    if layer.groups == 1 and layer.dilation == 1:
        raise _refuse(place, "it is standard already")
    return (_refit(place, dilation=1, groups=1),), False


def _depthwise_separable(place: _Place) -> Swapped:
    layer, channels = place.layer, place.input_shape[0]
    if place.kernel == 1:
        raise _refuse(place, "a depthwise 1×1 would only scale its channels")
    if layer.groups == channels:
        raise _refuse(place, "each of its input channels has kernels of its own already")
    # Nothing stands between the two, so a bias of the first would only shift that of the second.
    depthwise = replace(layer, out_channels=channels, groups=channels, bias=False, then=())
    pointwise = replace(layer, kernel_size=1, stride=1, padding=0, dilation=1, groups=1)
    return (_call(depthwise, "depthwise"), _call(pointwise, "pointwise")), False


def _grouped(place: _Place) -> Swapped:
    channels, out_channels = place.input_shape[0], place.output_shape[0]
    if place.layer.groups > 1:
        raise _refuse(place, f"it has {place.layer.groups} groups already")
    common = gcd(channels, out_channels)
    divisors = [groups for groups in range(2, channels) if common % groups == 0]
    if not divisors:
        raise _refuse(
            place,
            f"no number of groups from 2 to below {channels} divides both {channels} input"
            f" and {out_channels} output channels",
        )
    fitting = [groups for groups in divisors if groups <= GROUPS]
    return (replace(place.layer, groups=max(fitting, default=divisors[0])),), False


def _dilated(place: _Place) -> Swapped:
    if place.kernel == 1:
        raise _refuse(place, "a 1×1 kernel has no gaps to widen")
    if place.layer.dilation > 1:
        raise _refuse(place, f"its dilation is {place.layer.dilation} already")
    return (_refit(place, dilation=DILATION, groups=place.layer.groups),), False


def _strided(place: _Place) -> Swapped:
    """A stride in place of none; where a pool follows that is as wide as its stride, in the pool's place."""
    layer, following = place.layer, place.next_layer
    if layer.stride > 1:
        raise _refuse(place, f"its stride is {layer.stride} already")
    if place.output_shape[1:] == (1, 1):
        raise _refuse(place, "its map is 1×1")
    if following and _is_plain_pool(following):
        then = (*layer.then, *following.then)
        return (replace(layer, stride=following.stride, then=then),), True
    return (replace(layer, stride=STRIDE),), False


def _is_plain_pool(layer: LayerSpec) -> bool:
    """Whether its windows touch, and neither overlap nor reach into padding."""
    is_plain = (layer.padding, layer.dilation) == (0, 1) and layer.stride == layer.kernel_size
    return layer.op in ("max_pool", "avg_pool") and is_plain and layer.stride > 1


def _factorised(place: _Place) -> Swapped:
    """As VGG does: k×k as (k - 1) / 2 kernels of 3×3, whose field is the same, with activations between."""
    layer, kernel = place.layer, place.kernel
    if kernel < 5:
        raise _refuse(place, f"a {kernel}×{kernel} kernel is not larger than 3×3")
    if kernel % 2 == 0:
        raise _refuse(place, f"3×3 kernels in a row see 5, 7, 9, … pixels, never {kernel}")
    count = (kernel - 1) // 2
    between = tuple(step for step in layer.then if parse_step(step)[0] not in ONCE)
    paddings = [layer.padding // count + (turn < layer.padding % count) for turn in range(count)]
    stack = [
        replace(layer, kernel_size=3, padding=padding, stride=1, then=between) for padding in paddings[:-1]
    ]
    # The stride comes last: earlier, it would spread the taps that follow and widen the field.
    stack.append(replace(layer, kernel_size=3, padding=paddings[-1]))
    return tuple(_call(part, str(turn)) for turn, part in enumerate(stack, 1)), False


ONCE = ("dropout", "dropout2d", "log_softmax")
"""Steps that a stack of convolutions takes at its end alone."""

KINDS: dict[str, Callable[[_Place], Swapped]] = {
    "standard": _standard,
    "depthwise_separable": _depthwise_separable,
    "grouped": _grouped,
    "dilated": _dilated,
    "strided": _strided,
    "factorised": _factorised,
}


def _refit(place: _Place, dilation: int, groups: int) -> LayerSpec:
    """The layer at that dilation and with so many groups, padded so that its map stays as large as it is."""
    layer = place.layer
    growth = (place.kernel - 1) * (dilation - layer.dilation)
    padding = layer.padding + growth // 2
    if growth % 2 or padding < 0:
        rows, columns = place.output_shape[1:]
        raise _refuse(
            place,
            f"at dilation {dilation} no padding keeps its map at {rows}×{columns}:"
            f" it would take {layer.padding + growth / 2:g}",
        )
    return replace(layer, padding=padding, dilation=dilation, groups=groups)


def _refuse(place: _Place, reason: str) -> SpecError:
    return SpecError(f"{place.layer.name}: {reason}")


def _call(layer: LayerSpec, part: str) -> LayerSpec:
    """The layer named as a part of what it stands for."""
    return replace(layer, name=f"{layer.name[: NAME_LENGTH - len(part) - 1]}_{part}")


def _name(layers: tuple[LayerSpec, ...], spec: NetworkSpec, freed: set[str]) -> tuple[LayerSpec, ...]:
    """The layers with names that no other layer of `spec` has."""
    taken = {layer.name for layer in spec.layers} - freed
    named = []
    for layer in layers:
        name, turn = layer.name, 2
        while name in taken:
            name, turn = f"{layer.name[: NAME_LENGTH - 4]}_{turn}", turn + 1
        taken.add(name)
        named.append(replace(layer, name=name))
    return tuple(named)
