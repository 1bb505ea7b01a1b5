"""Pairs of linear layers with nothing nonlinear between, and the one layer that could replace them."""

from collections.abc import Iterator
from math import gcd
from typing import NamedTuple

from core.network.findings.words import conv_weights
from core.network.reading import Reading, is_depthwise, is_pointwise
from core.network.receptive_field import spread

LINEAR_STEPS = ("batch_norm", "dropout", "dropout2d")


class Link(NamedTuple):
    """Two layers, by index, of which the second takes in what the first puts out."""

    first: int
    second: int


class Comparison(NamedTuple):
    """What a pair of linear layers holds beside the one layer that could do all that it does."""

    is_wasteful: bool
    """Whether the one layer would have no more weights."""
    words: str


def find_links(reading: Reading) -> Iterator[Link]:
    """Every `conv` and `linear` that takes in linearly what another puts out, but for separable pairs."""
    open_index: int | None = None
    for index, layer in enumerate(reading.spec.layers[: len(reading.rows)]):
        if layer.op in ("conv", "linear"):
            if open_index is not None and not _is_separable(reading, open_index, index):
                yield Link(open_index, index)
            open_index = index
        elif layer.op != "flatten":
            open_index = None
        if any(step.split()[0] not in LINEAR_STEPS for step in layer.then):
            open_index = None


def _is_separable(reading: Reading, first: int, second: int) -> bool:
    in_channels = reading.rows[first].input_shape[0]
    layers = reading.spec.layers
    return is_depthwise(layers[first], in_channels) and is_pointwise(layers[second])


def compare_weights(reading: Reading, link: Link) -> Comparison:
    """The pair against a single layer from the inputs of the first to the outputs of the second."""
    first, second = (reading.spec.layers[index] for index in link)
    first_row, second_row = (reading.rows[index] for index in link)
    each = conv_weights(first, first_row), conv_weights(second, second_row)
    (channels, rows, columns), out_channels = first_row.input_shape, second_row.output_shape[0]
    if first_row.output_shape[1:] != second_row.input_shape[1:]:  # a flatten stands between
        single, one = channels * rows * columns * out_channels, "a linear layer of the whole map"
    else:
        taps = _joint_taps(reading, link)
        groups = gcd(first.groups, second.groups)
        single = taps * taps * channels * out_channels // groups
        one = f"a {taps}×{taps} convolution from {channels} to {out_channels} channels"
        one = one if first.op == "conv" else f"a linear layer from {channels} to {out_channels}"
    both = sum(each)
    is_wasteful = both >= single
    verdict = f"{one} could do all that they do with {single:,}" if is_wasteful else (
        f"that is leaner than the {single:,} of {one}, but can do nothing that it could not"
    )  # fmt: skip
    return Comparison(
        is_wasteful,
        f"the weights of {first.name} and {second.name} are {each[0]:,} + {each[1]:,} = {both:,}; {verdict}",
    )


def _joint_taps(reading: Reading, link: Link) -> int:
    """How many places on each axis the pair reads for one output."""
    first, second = (reading.spec.layers[index] for index in link)
    reach = spread(1, first.kernel_size or 1, first.dilation)
    return spread(reach, second.kernel_size or 1, second.dilation * first.stride).bit_count()
