"""The lesson's arithmetic, held against torch."""

from typing import Any

import numpy as np
import pytest
import torch
from torch.nn import functional

from core.errors import SizingError, SpecError
from core.network import LayerSpec, lesson, size_network
from core.network.build import build_network
from core.network.lesson import SETTINGS, Lesson
from core.network.lesson_grids import (
    KERNELS,
    PATTERNS,
    make_kernel,
    make_pattern,
    make_weights,
    shrink_image,
    turn_into_channels,
)

CONVOLUTIONS = [operation for operation in SETTINGS if not operation.endswith("pool")]


def draw_lesson(operation: str, random: np.random.Generator) -> Lesson:
    """A lesson that fits, out of all that the page can set."""
    while True:
        groups = int(random.integers(1, 4))
        drawn: dict[str, Any] = {
            "operation": operation,
            "size": int(random.integers(5, 13)),
            "kernel_size": int(random.integers(1, 6)),
            "stride": int(random.integers(1, 5)),
            "padding": int(random.integers(0, 5)),
            "dilation": int(random.integers(1, 5)),
            "groups": groups,
            "in_channels": groups * int(random.integers(1, 4)),
            "out_channels": groups * int(random.integers(1, 4)),
        }
        drawn_lesson = Lesson(**drawn)
        try:
            size_network(lesson.make_network(drawn_lesson, lesson.make_layers(drawn_lesson)))
        except SizingError:
            continue
        return drawn_lesson


def lessons(operations: list[str], count: int = 20) -> list[Lesson]:
    random = np.random.default_rng(7)
    return [draw_lesson(operation, random) for operation in operations for _ in range(count)]


def run_torch(layer: LayerSpec, maps: torch.Tensor, weights: np.ndarray | None) -> torch.Tensor:
    """`layer` on `maps` (C, H, W), by torch."""
    window = {"stride": layer.stride, "padding": layer.padding}
    if layer.op == "max_pool":
        return functional.max_pool2d(maps, layer.kernel_size, dilation=layer.dilation, **window)
    if layer.op == "avg_pool":
        return functional.avg_pool2d(maps, layer.kernel_size, **window)
    kernels = torch.from_numpy(weights).to(maps)
    return functional.conv2d(maps, kernels, dilation=layer.dilation, groups=layer.groups, **window)


def test_every_operation_gives_the_maps_that_torch_gives() -> None:
    random = np.random.default_rng(1)
    for drawn in lessons(list(SETTINGS)):
        maps = random.integers(-9, 10, (drawn.in_channels, drawn.size, drawn.size)).astype(float)
        for layer in lesson.make_layers(drawn):
            weights = make_weights(layer, len(maps), "random", seed=3)
            expected = run_torch(layer, torch.from_numpy(maps), weights).numpy()
            given = [lesson.feature_map(layer, maps, weights, channel) for channel in range(len(expected))]
            np.testing.assert_allclose(np.stack(given), expected, err_msg=str(drawn))
            maps = expected


def test_a_unit_reads_exactly_the_pixels_that_torch_sends_its_gradient_to() -> None:
    random = np.random.default_rng(2)
    for drawn in lessons(CONVOLUTIONS, count=15):
        layer = lesson.make_layers(drawn)[0]
        maps = torch.zeros(drawn.in_channels, drawn.size, drawn.size, dtype=torch.float64, requires_grad=True)
        ones = make_weights(layer, drawn.in_channels, "ones", seed=0)
        output = run_torch(layer, maps, ones)
        channel, row, column = (int(random.integers(length)) for length in output.shape)
        output[channel, row, column].backward()  # type: ignore[no-untyped-call]
        unit = lesson.trace_unit(layer, maps.detach().numpy(), ones, channel, row, column)
        reached = {
            (source, y, x)
            for source in unit.channels
            for y in unit.rows
            for x in unit.columns
            if 0 <= y < drawn.size and 0 <= x < drawn.size
        }
        assert maps.grad is not None
        assert reached == set(map(tuple, maps.grad.nonzero().tolist())), drawn


def test_the_products_of_a_unit_add_up_to_what_torch_puts_out() -> None:
    random = np.random.default_rng(3)
    for drawn in lessons(CONVOLUTIONS, count=15):
        layer = lesson.make_layers(drawn)[0]
        maps = random.integers(0, 10, (drawn.in_channels, drawn.size, drawn.size))
        weights = make_weights(layer, drawn.in_channels, "random", seed=5)
        expected = run_torch(layer, torch.from_numpy(maps).double(), weights)
        channel, row, column = (int(random.integers(length)) for length in expected.shape)
        unit = lesson.trace_unit(layer, maps, weights, channel, row, column)
        assert unit.value == unit.sums.sum() == expected[channel, row, column], drawn
        seen = {(y, x): maps[:, y, x] for y in range(drawn.size) for x in range(drawn.size)}
        for i, y in enumerate(unit.rows):
            for j, x in enumerate(unit.columns):
                read = seen.get((int(y), int(x)), np.zeros(drawn.in_channels))
                assert list(unit.values[:, i, j]) == [read[source] for source in unit.channels]


@pytest.mark.parametrize("operation", ["max_pool", "avg_pool"])
def test_a_pooling_unit_holds_the_values_that_it_pools(operation: str) -> None:
    for drawn in lessons([operation]):
        layer = lesson.make_layers(drawn)[0]
        maps = np.random.default_rng(4).integers(-9, 0, (drawn.in_channels, drawn.size, drawn.size))
        unit = lesson.trace_unit(layer, maps, None, drawn.in_channels - 1, 0, 0)
        expected = run_torch(layer, torch.from_numpy(maps).double(), None)[-1, 0, 0]
        assert unit.value == pytest.approx(float(expected))
        pooled = unit.values.max() if operation == "max_pool" else unit.values.mean()
        assert unit.value == pytest.approx(pooled)


def test_reads_are_counted_as_the_gradient_of_the_whole_map_counts_them() -> None:
    for drawn in lessons(CONVOLUTIONS, count=15):
        layer = lesson.make_layers(drawn)[0]
        grid = torch.zeros(1, drawn.size, drawn.size, requires_grad=True)
        window = {"stride": layer.stride, "padding": layer.padding, "dilation": layer.dilation}
        kernel = torch.ones(1, 1, layer.kernel_size or 1, layer.kernel_size or 1)
        functional.conv2d(grid, kernel, **window).sum().backward()  # type: ignore[no-untyped-call]
        assert grid.grad is not None
        np.testing.assert_array_equal(lesson.count_reads(layer, drawn.size), grid.grad[0].numpy())


def test_a_max_pool_that_starts_in_its_padding_counts_only_real_pixels() -> None:
    layer = LayerSpec(op="max_pool", kernel_size=3, stride=3, padding=1)
    counts = lesson.count_reads(layer, 5)
    np.testing.assert_array_equal(counts, np.ones((5, 5)))


def test_groups_are_the_channels_that_reach_each_other_in_the_built_network() -> None:
    for drawn in lessons(list(SETTINGS), count=5):
        layers = lesson.make_layers(drawn)
        network = build_network(lesson.make_network(drawn, layers)).eval()
        for parameter in network.parameters():
            parameter.data.fill_(1.0)
        connected = np.eye(drawn.in_channels, dtype=bool)
        for index in range(len(layers)):
            groups = [
                group for group in lesson.find_groups(layers, drawn.in_channels) if group.layer == index
            ]
            step = np.zeros((groups[-1].outputs.stop, groups[-1].inputs.stop), bool)
            for group in groups:
                step[np.ix_(group.outputs, group.inputs)] = True
            connected = step @ connected
        image = torch.rand(1, drawn.in_channels, drawn.size, drawn.size, requires_grad=True)
        for channel, score in enumerate(network(image)[0]):
            (gradient,) = torch.autograd.grad(score, image, retain_graph=True)
            reached = gradient[0].abs().sum(dim=(1, 2)).numpy() > 0
            # A max pool may pick the same few pixels, but never those of another channel.
            np.testing.assert_array_equal(reached, connected[channel], err_msg=str(drawn))


def test_a_lesson_is_sized_as_torch_shapes_it() -> None:
    for drawn in lessons(list(SETTINGS), count=10):
        layers = lesson.make_layers(drawn)
        sizing = size_network(lesson.make_network(drawn, layers))
        maps = torch.zeros(drawn.in_channels, drawn.size, drawn.size)
        for layer, row in zip(layers, sizing.layers, strict=False):
            weights = make_weights(layer, len(maps), "ones", seed=0)
            maps = run_torch(layer, maps, weights)
            assert row.output_shape == tuple(maps.shape)
            assert row.num_params == (0 if weights is None else weights.size)


@pytest.mark.parametrize("operation", [operation for operation in SETTINGS if operation != "standard"])
def test_the_counterpart_reads_all_channels_and_keeps_the_output_shape(operation: str) -> None:
    for drawn in lessons([operation], count=10):
        layer = lesson.standard_counterpart(drawn)
        assert layer is not None
        own, other = (
            size_network(lesson.make_network(drawn, layers)).layers[:-1]
            for layers in (lesson.make_layers(drawn), (layer,))
        )
        assert layer.groups == 1
        assert layer.op == "conv"
        assert other[-1].output_shape[0] == own[-1].output_shape[0]
        if operation != "strided":
            assert other[-1].output_shape == own[-1].output_shape
        if operation != "pointwise":
            assert other[-1].receptive_field == own[-1].receptive_field


def test_the_textbook_saving_of_a_depthwise_separable_convolution() -> None:
    drawn = Lesson(operation="separable", padding=1, in_channels=64, out_channels=128)
    layer = lesson.standard_counterpart(drawn)
    assert layer is not None
    own, other = (
        size_network(lesson.make_network(drawn, layers)).macs
        for layers in (lesson.make_layers(drawn), (layer,))
    )
    assert own / other == pytest.approx(1 / 128 + 1 / 9)  # MobileNet, arXiv 1704.04861, section 3.1


def test_kernels_are_the_known_ones() -> None:
    assert make_kernel("edge", 3).tolist() == [[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]]
    assert make_kernel("blur", 3).tolist() == [[1, 2, 1], [2, 4, 2], [1, 2, 1]]
    assert make_kernel("sharpen", 3).tolist() == [[0, -1, 0], [-1, 5, -1], [0, -1, 0]]
    assert make_kernel("ones", 2).tolist() == [[1, 1], [1, 1]]
    for size in (2, 3, 4, 5):
        assert make_kernel("edge", size).sum() == 0
    assert make_kernel("sharpen", 5).sum() == 1


def test_a_kernel_that_cannot_be_says_why_and_what_to_do() -> None:
    with pytest.raises(
        SpecError, match="edge compares neighbours, but a kernel of size 1 has none; use 2 or more"
    ):
        make_kernel("edge", 1)
    with pytest.raises(
        SpecError, match="sharpen needs a middle, but a kernel of size 4 has none; use 3 or 5"
    ):
        make_kernel("sharpen", 4)


@pytest.mark.parametrize("kernel", KERNELS)
def test_every_kernel_fills_every_channel_with_integers(kernel: str) -> None:
    layer = LayerSpec(op="conv", kernel_size=3, out_channels=6, groups=2)
    weights = make_weights(layer, 4, kernel, seed=1)
    assert weights is not None
    assert weights.shape == (6, 2, 3, 3)
    assert np.issubdtype(weights.dtype, np.integer)


def test_random_weights_follow_the_seed() -> None:
    layer = LayerSpec(op="conv", kernel_size=3, out_channels=2)
    first, again, other = (make_weights(layer, 2, "random", seed) for seed in (1, 1, 2))
    assert first is not None
    assert other is not None
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()


@pytest.mark.parametrize("pattern", PATTERNS)
@pytest.mark.parametrize("size", range(5, 13))
def test_patterns_are_square_and_not_flat(pattern: str, size: int) -> None:
    grid = make_pattern(pattern, size)
    assert grid.shape == (size, size)
    assert grid.min() == 0
    assert grid.max() > 0


@pytest.mark.parametrize("size", range(5, 13))
def test_a_shrunk_image_keeps_black_white_and_the_order_of_luminance(size: int) -> None:
    image = np.zeros((32, 32, 3), np.uint8)
    image[:, 16:] = 255
    grid = shrink_image(image, size)
    assert grid.shape == (size, size)
    assert grid[0, 0] == 0
    assert grid[-1, -1] == 9
    plain = {name: np.full((32, 32, 3), colour, np.uint8) for name, colour in PRIMARIES.items()}
    levels = {name: int(shrink_image(colour, size)[0, 0]) for name, colour in plain.items()}
    assert levels["blue"] < levels["red"] < levels["green"]


PRIMARIES = {"red": (255, 0, 0), "green": (0, 255, 0), "blue": (0, 0, 255)}


def test_an_image_smaller_than_the_grid_is_refused() -> None:
    with pytest.raises(SpecError, match="at least 8×8 pixels, got 6×6"):
        shrink_image(np.zeros((6, 6, 3), np.uint8), 8)


def test_channels_are_quarter_turns_of_the_first() -> None:
    grid = make_pattern("ramp", 5)
    channels = turn_into_channels(grid, 5)
    np.testing.assert_array_equal(channels[4], grid)
    np.testing.assert_array_equal(channels[2], grid[::-1, ::-1])
