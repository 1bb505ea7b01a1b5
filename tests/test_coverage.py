"""Boxes and path counts agree with the gradients of a network whose weights are all 1."""

from collections.abc import Iterator

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn.functional import conv2d

from core.network import LayerSpec, NetworkSpec, presets, size_network
from core.network.coverage import (
    Box,
    count_field_paths,
    count_image_paths,
    field_box,
    follow_fields,
)
from core.network.sizing import LayerSizing
from tests.random_networks import draw_network


@pytest.fixture(autouse=True, scope="module")
def one_thread() -> Iterator[None]:
    """These networks are so small that threads only wait for each other."""
    num_threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(num_threads)


def network(*layers: LayerSpec, side: int = 32) -> tuple[NetworkSpec, tuple[LayerSizing, ...]]:
    """The layers on one channel with a head behind them, and the sizing of the layers without the head."""
    head = (HEAD, LayerSpec(op="linear", name="head", out_channels=1))
    spec = NetworkSpec(name="test", layers=(*layers, *head), input_shape=(1, side, side), num_classes=1)
    return spec, size_network(spec).layers[: len(layers)]


def conv(kernel_size: int, **arguments: object) -> LayerSpec:
    return LayerSpec(op="conv", kernel_size=kernel_size, out_channels=1, **arguments)  # type: ignore[arg-type]


HEAD = LayerSpec(op="global_avg_pool", name="gap")


def linear_maps(spec: NetworkSpec, sized: tuple[LayerSizing, ...], image: Tensor) -> dict[str, Tensor]:
    """Every map of the network on one channel, all weights 1, pools as sums, no biases and no steps."""
    maps: dict[str, Tensor] = {}
    x = image
    for layer, row in zip(spec.layers, sized, strict=False):
        if layer.source is not None:
            x = x + maps[layer.source]
        elif layer.kernel_size is not None:
            ones = torch.ones(1, 1, layer.kernel_size, layer.kernel_size, dtype=x.dtype)
            x = conv2d(x, ones, stride=layer.stride, padding=layer.padding, dilation=layer.dilation)
        elif layer.op in ("flatten", "global_avg_pool"):
            # As a window, so that a unit keeps to its place where the image is larger than the network's.
            x = conv2d(x, torch.ones(1, 1, *row.input_shape[1:], dtype=x.dtype))
        maps[layer.name] = x
    return maps


def measure(
    spec: NetworkSpec, sized: tuple[LayerSizing, ...], index: int, row: int, column: int
) -> np.ndarray:
    """The gradient of one unit on the network's own image, with its own padding."""
    image = torch.zeros(1, 1, *spec.input_shape[1:], dtype=torch.float64, requires_grad=True)
    unit = linear_maps(spec, sized, image)[spec.layers[index].name][0, 0, row, column]
    return torch.autograd.grad(unit, image)[0][0, 0].numpy()


def measure_unbounded(spec: NetworkSpec, sized: tuple[LayerSizing, ...], index: int) -> np.ndarray:
    """The gradient of a unit far from any edge, cut to its extent."""
    said = sized[index]
    side = said.receptive_field + 2 * (said.effective_padding + said.effective_stride)
    image = torch.zeros(1, 1, side, side, dtype=torch.float64, requires_grad=True)
    unit = -(-said.effective_padding // said.effective_stride)
    output = linear_maps(spec, sized, image)[spec.layers[index].name][0, 0, unit, unit]
    gradient = torch.autograd.grad(output, image)[0][0, 0]
    rows, columns = (gradient.sum(dim=axis).nonzero().flatten() for axis in (1, 0))
    return gradient[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1].numpy()


def middle(row: LayerSizing) -> tuple[int, int]:
    return row.output_shape[1] // 2, row.output_shape[2] // 2


def assert_counts_are_gradients(spec: NetworkSpec, sized: tuple[LayerSizing, ...]) -> None:
    for index in (len(sized) // 2, len(sized) - 1):
        rows, columns = sized[index].output_shape[1:]
        for row, column in {(0, 0), middle(sized[index]), (rows - 1, columns - 1)}:
            counted = count_image_paths(spec, sized, index, row, column)
            np.testing.assert_array_equal(counted, measure(spec, sized, index, row, column))
    counted = count_field_paths(spec, sized, len(sized) - 1)
    np.testing.assert_array_equal(counted, measure_unbounded(spec, sized, len(sized) - 1))
    assert np.count_nonzero(counted) / counted.size == pytest.approx(sized[-1].coverage, abs=1e-12)


@pytest.mark.parametrize("dilations, share", [((2, 2, 2), 0.290), ((1, 2, 3), 1.0)])
def test_three_dilated_convolutions_of_one_field_reach_different_shares_of_it(
    dilations: tuple[int, ...], share: float
) -> None:
    spec, sized = network(*(conv(3, dilation=d, padding=d) for d in dilations))
    counts = count_field_paths(spec, sized, 2)
    assert counts.shape == (13, 13)
    assert counts.sum() == 9**3
    assert round(np.count_nonzero(counts) / 169, 3) == share


def test_repeated_dilations_reach_every_other_pixel_with_binomial_counts() -> None:
    spec, sized = network(*(conv(3, dilation=2, padding=2) for _ in range(3)))
    line = [1, 0, 3, 0, 6, 0, 7, 0, 6, 0, 3, 0, 1]
    np.testing.assert_array_equal(count_field_paths(spec, sized, 2), np.outer(line, line))


@pytest.mark.parametrize(
    "layers",
    [
        (conv(3), conv(3, stride=2), conv(5)),
        (conv(3, padding=1), LayerSpec(op="max_pool", kernel_size=2, stride=2), conv(3, padding=1)),
        (conv(3, padding=2, stride=3), conv(2, dilation=3, padding=1)),
        (
            conv(3, padding=1, name="first"),
            conv(3, padding=2, dilation=2),
            LayerSpec(op="add", source="first"),
            conv(3, padding=1),
            LayerSpec(op="add", source="first"),
        ),
        (conv(3, padding=1, stride=2), LayerSpec(op="global_avg_pool")),
        (conv(1, stride=4), LayerSpec(op="avg_pool", kernel_size=3, stride=1), LayerSpec(op="flatten")),
    ],
    ids=[
        "valid",
        "pool",
        "padding beyond the kernel",
        "adds of one source",
        "global pool",
        "holes of stride",
    ],
)
def test_counts_are_the_gradients_of_an_all_ones_network(layers: tuple[LayerSpec, ...]) -> None:
    assert_counts_are_gradients(*network(*layers, side=15))


@pytest.mark.parametrize("key", presets())
def test_counts_of_every_preset_are_its_gradients(key: str) -> None:
    assert_counts_are_gradients(presets()[key], size_network(presets()[key]).layers)


@pytest.mark.parametrize("first", range(0, 100, 25))
def test_counts_of_random_networks_are_their_gradients(first: int) -> None:
    for seed in range(first, first + 25):
        spec = draw_network(seed)
        assert_counts_are_gradients(spec, size_network(spec).layers)


def test_the_box_of_a_unit_is_the_extent_of_its_gradient() -> None:
    spec, sized = network(conv(5, padding=2, stride=2), conv(3, padding=1, dilation=1))
    field = follow_fields(spec, sized)[spec.layers[1].name]
    gradient = measure(spec, sized, 1, 5, 9)
    rows, columns = (gradient.sum(axis=axis).nonzero()[0] for axis in (1, 0))
    assert field_box(field, 5, 9) == Box(rows[0], columns[0], len(rows), len(columns))
    corner = field_box(field, 0, 0)
    assert corner == Box(-4, -4, 9, 9)
    assert (corner.bottom, corner.right, corner.area) == (4, 4, 81)
    assert corner.overlap(Box(0, 0, 32, 32)) == Box(0, 0, 5, 5)


def test_boxes_that_lie_apart_share_nothing() -> None:
    assert Box(-9, -9, 3, 3).overlap(Box(0, 0, 32, 32)).area == 0


def test_a_unit_that_reads_only_padding_has_no_path() -> None:
    spec, sized = network(conv(3, stride=2), conv(1, padding=2))
    assert count_image_paths(spec, sized, 1, 0, 0).sum() == 0
    assert count_image_paths(spec, sized, 1, 2, 2).sum() == 9


def test_counts_beyond_whole_floats_stay_positive_where_there_is_a_path() -> None:
    spec, sized = network(*(conv(3, padding=1) for _ in range(58)))
    counts = count_field_paths(spec, sized, 57)
    assert counts.shape == (117, 117)
    assert counts.sum() == pytest.approx(9.0**58)
    assert (counts > 0).all()
    assert counts[0, 0] == 1
