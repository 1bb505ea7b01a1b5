"""Ready-made blocks: layers that belong together, put into a network under names and a label of their own.

A network is a chain, in which only `add` reaches back. Where a residual changes the channels, its 1×1
therefore stands before both ways instead of on the skip alone.
"""

import re
from collections.abc import Callable, Container, Mapping
from dataclasses import dataclass, replace
from functools import partial
from types import MappingProxyType

from core.errors import SpecError
from core.network.notation import add, conv
from core.network.reading import read_network
from core.network.sizing import Shape
from core.network.spec import LayerSpec, NetworkSpec

THEN = ("batch_norm", "relu")

plain = partial(conv, kernel_size=3, padding=1, bias=False, then=THEN)
pointwise = partial(conv, kernel_size=1, bias=False, then=THEN)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a block goes: what enters it, and what it has to put out."""

    channels: int
    out_channels: int
    before: str | None
    """The layer just before; None in front of the whole network."""


@dataclass(frozen=True, slots=True)
class BlockKind:
    """One kind of block that can be inserted."""

    title: str
    summary: str
    """What it is made of, in a sentence."""
    make: Callable[[Place], list[LayerSpec]]
    """Its layers, with names that need not be free yet."""
    needs_map: bool = True
    """Whether it looks at neighbouring pixels, so that a 1×1 map is no place for it."""


def _conv_block(place: Place) -> list[LayerSpec]:
    return [plain("conv", place.out_channels)]


def _depthwise_separable(place: Place) -> list[LayerSpec]:
    depthwise = plain("depthwise", place.channels, groups=place.channels)
    return [depthwise, pointwise("pointwise", place.out_channels)]


def _transition(place: Place) -> list[LayerSpec]:
    return [pointwise("transition", place.out_channels)]


def _strided(place: Place) -> list[LayerSpec]:
    return [plain("strided", place.out_channels, stride=2)]


def _dilated_strided(place: Place) -> list[LayerSpec]:
    return [plain("dilated_strided", place.out_channels, stride=2, padding=3, dilation=3)]


def _residual(place: Place) -> list[LayerSpec]:
    layers = [plain("conv", place.out_channels), plain("conv", place.out_channels, then=("batch_norm",))]
    source = place.before
    if source is None or place.channels != place.out_channels:
        source = "projection"
        layers.insert(0, pointwise(source, place.out_channels))
    return [*layers, add("add", source, then=("relu",))]


BLOCKS: Mapping[str, BlockKind] = MappingProxyType(
    {
        "conv_block": BlockKind("conv block", "A 3×3 convolution, batch norm and ReLU.", _conv_block),
        "depthwise_separable": BlockKind(
            "depthwise separable",
            "A 3×3 with a group for every channel, then a 1×1 that mixes them; both with batch norm, ReLU.",
            _depthwise_separable,
        ),
        "transition": BlockKind(
            "transition",
            "A 1×1 convolution, batch norm and ReLU: it changes the channels only.",
            _transition,
            needs_map=False,
        ),
        "strided": BlockKind(
            "strided downsampling",
            "A 3×3 convolution with stride 2 halves the map, then batch norm and ReLU.",
            _strided,
        ),
        "dilated_strided": BlockKind(
            "dilated downsampling",
            "A 3×3 with stride 2 and dilation 3 halves the map and sees 7 pixels of it; dilation 2 would"
            " share a factor with the stride and skip every other pixel.",
            _dilated_strided,
        ),
        "residual": BlockKind(
            "residual",
            "Two 3×3 convolutions with batch norm, added to what came in, then ReLU. Where the channels"
            " change, a 1×1 comes first.",
            _residual,
        ),
    }
)
"""The kinds by their key."""


def insert_block(spec: NetworkSpec, index: int, kind: str, out_channels: int | None = None) -> NetworkSpec:
    """`spec` with a block of `kind`, a key of `BLOCKS`, before layer `index`; `len(spec.layers)` is the end.

    It puts out `out_channels`, or as many channels as it gets. `SpecError` where what it would get is not
    known, or is a 1×1 map and the block needs neighbours.
    """
    block = BLOCKS[kind]
    channels, *sides = shape_before(spec, index)
    if block.needs_map and max(sides) == 1:
        rule = f"{block.title} looks at neighbouring pixels, but the map before layer {index + 1} is 1×1"
        raise SpecError(f"{rule}; insert it before the pooling")
    before = spec.layers[index - 1].name if index else None
    made = block.make(Place(channels, out_channels or channels, before))
    label = _free_label({layer.block for layer in spec.layers}, block.title)
    named = _named_anew(made, {layer.name for layer in spec.layers}, before)
    layers = [replace(layer, block=label) for layer in named]
    return replace(spec, layers=(*spec.layers[:index], *layers, *spec.layers[index:]))


def shape_before(spec: NetworkSpec, index: int) -> Shape:
    """The shape (C, H, W) that layer `index` gets; `SpecError` behind a layer that cannot work."""
    if index == 0:
        return spec.input_shape
    ending = LayerSpec(op="flatten")  # so that a network whose scores do not fit yet can go on
    reading = read_network(replace(spec, layers=(*spec.layers[:index], ending)))
    if index > len(reading.rows):
        raise SpecError(f"what layer {index + 1} gets is not known: {reading.misfit}")
    return reading.rows[index - 1].output_shape


def free_name(taken: Container[str], name: str) -> str:
    """A name like `name` that is not `taken`: conv3 for a third `conv`, gap2 for a second `gap`."""
    numbered = re.fullmatch(r"([A-Za-z_]+)\d+", name)
    stem = (numbered[1] if numbered else name)[:36]
    if stem[-1].isdigit():
        stem += "_"
    turn = 2 if stem in taken else 1
    while f"{stem}{turn}" in taken:
        turn += 1
    return f"{stem}{turn}"


def _named_anew(layers: list[LayerSpec], taken: set[str], before: str | None) -> list[LayerSpec]:
    """The layers under free names, and an `add` that follows its source to the new one."""
    new_names: dict[str | None, str | None] = {before: before}
    named = []
    for layer in layers:
        name = free_name(taken, layer.name)
        taken.add(name)
        new_names[layer.name] = name
        named.append(replace(layer, name=name, source=new_names.get(layer.source)))
    return named


def _free_label(taken: Container[str], title: str) -> str:
    label, turn = title, 1
    while label in taken:
        turn += 1
        label = f"{title} {turn}"
    return label
