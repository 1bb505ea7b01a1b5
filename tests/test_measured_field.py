"""Gradients of the built network stay within the theoretical box; torch's own counts are those of sizing."""

from collections.abc import Iterator

import numpy as np
import pytest
import torch

from core.errors import SizingError
from core.network import LayerSizing, LayerSpec, NetworkSpec, presets, size_network
from core.network.build import build_network
from core.network.coverage import Box, count_image_paths, field_box, follow_fields
from core.network.measured_field import MAX_SIDE, initial_network, measure_field, measure_layer
from core.network.sizing import count_before_pooling
from tests.random_networks import draw_network

HALF = (0.5, 0.5, 0.5)


@pytest.fixture(autouse=True, scope="module")
def one_thread() -> Iterator[None]:
    """These networks are so small that threads only wait for each other."""
    num_threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(num_threads)


def noise(count: int, spec: NetworkSpec) -> np.ndarray:
    shape = (count, *spec.input_shape[1:], 3)
    return np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)


def measure(spec: NetworkSpec, index: int, unit: tuple[int, int], seed: int = 0) -> np.ndarray:
    network = initial_network(spec, sized_part(spec), seed)
    return measure_field(network, spec.layers[index].name, unit, noise(2, spec), HALF, HALF)


def sized_part(spec: NetworkSpec) -> tuple[LayerSizing, ...]:
    try:
        return size_network(spec).layers
    except SizingError as error:
        return error.sized  # type: ignore[return-value]


def mass_outside(gradient: np.ndarray, box: Box) -> float:
    inside = box.overlap(Box(0, 0, *gradient.shape))
    outside = gradient.copy()
    outside[inside.top : inside.bottom + 1, inside.left : inside.right + 1] = 0
    return float(outside.sum())


def assert_within_box(spec: NetworkSpec, index: int, unit: tuple[int, int]) -> None:
    sized = sized_part(spec)
    box = field_box(follow_fields(spec, sized)[spec.layers[index].name], *unit)
    gradient = measure(spec, index, unit)
    assert gradient.shape == spec.input_shape[1:]
    assert mass_outside(gradient, box) == 0
    assert not gradient[count_image_paths(spec, sized, index, *unit) == 0].any()


@pytest.mark.parametrize("key", presets())
def test_no_gradient_leaves_the_box_of_a_preset(key: str) -> None:
    spec = presets()[key]
    sized = size_network(spec).layers
    for index in range(0, count_before_pooling(sized), 3):
        rows, columns = sized[index].output_shape[1:]
        assert_within_box(spec, index, (rows // 2, columns // 2))
    assert_within_box(spec, 0, (0, 0))


@pytest.mark.parametrize("first", range(0, 60, 20))
def test_no_gradient_leaves_the_box_of_random_networks(first: int) -> None:
    for seed in range(first, first + 20):
        spec = draw_network(seed)
        sized = size_network(spec).layers
        index = len(sized) // 2
        rows, columns = sized[index].output_shape[1:]
        for unit in {(0, 0), (rows // 2, columns // 2), (rows - 1, columns - 1)}:
            assert_within_box(spec, index, unit)


def test_the_gradient_of_one_convolution_is_its_weights() -> None:
    layers = (
        LayerSpec(op="conv", name="conv1", kernel_size=3, out_channels=2, padding=1),
        LayerSpec(op="global_avg_pool"),
    )
    spec = NetworkSpec(name="one", layers=layers, input_shape=(3, 6, 6), num_classes=2)
    network = build_network(spec)
    gradient = measure_field(network, "conv1", (2, 3), noise(3, spec), HALF, HALF)
    weight = network.state_dict()["conv1.conv.weight"].abs().double().mean(dim=(0, 1))
    np.testing.assert_allclose(gradient[1:4, 2:5], weight.numpy(), rtol=1e-6)
    assert np.count_nonzero(gradient) == 9


def test_holes_between_dilated_taps_have_no_gradient() -> None:
    conv = [LayerSpec(op="conv", kernel_size=3, out_channels=4, dilation=2, padding=2) for _ in range(3)]
    layers = (*conv, LayerSpec(op="global_avg_pool"))
    spec = NetworkSpec(name="holes", layers=layers, input_shape=(1, 32, 32), num_classes=4)
    gradient = measure(spec, 2, (16, 16))
    assert np.count_nonzero(gradient) == 49


def test_a_seed_always_gives_the_same_field_and_leaves_the_global_generator_alone() -> None:
    spec = presets()["seed_001"]
    state = torch.get_rng_state()
    first, again, other = (measure(spec, 2, (8, 8), seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)
    assert torch.equal(torch.get_rng_state(), state)


def test_a_network_that_stops_half_way_is_measured_up_to_there() -> None:
    layers = (
        LayerSpec(op="conv", kernel_size=3, out_channels=4, name="head0"),
        LayerSpec(op="flatten"),
        LayerSpec(op="conv", kernel_size=3, out_channels=4),
    )
    spec = NetworkSpec(name="stops", layers=layers, input_shape=(3, 12, 12), num_classes=2)
    sized = sized_part(spec)
    assert len(sized) == 2
    assert_within_box(spec, 0, (4, 4))
    assert_within_box(spec, 1, (0, 0))
    assert measure_layer(spec, sized, 1).output_shape == (400, 1, 1)


def assert_measured_as_said(spec: NetworkSpec) -> None:
    sized = size_network(spec).layers
    for index, row in enumerate(sized):
        measured = measure_layer(spec, sized, index)
        assert measured.receptive_field is not None
        for name, value in measured._asdict().items():
            assert value == pytest.approx(getattr(row, name), abs=1e-12), (spec.name, row.name, name)


@pytest.mark.parametrize("key", presets())
def test_torch_counts_what_sizing_says_of_every_layer_of_a_preset(key: str) -> None:
    assert_measured_as_said(presets()[key])


@pytest.mark.parametrize("first", range(0, 60, 20))
def test_torch_counts_what_sizing_says_of_every_layer_of_random_networks(first: int) -> None:
    for seed in range(first, first + 20):
        assert_measured_as_said(draw_network(seed))


def test_a_field_too_large_to_measure_is_left_open() -> None:
    conv = [LayerSpec(op="conv", kernel_size=3, out_channels=1, dilation=64, padding=64) for _ in range(4)]
    layers = (*conv, LayerSpec(op="global_avg_pool"))
    spec = NetworkSpec(name="far", layers=layers, input_shape=(1, 32, 32), num_classes=1)
    sized = size_network(spec).layers
    assert sized[3].receptive_field > MAX_SIDE
    measured = measure_layer(spec, sized, 3)
    assert (measured.receptive_field, measured.coverage) == (None, None)
    assert measured.num_params == 10
