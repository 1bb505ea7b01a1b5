"""What sizing says of a network agrees with published values and with measured gradients."""

from collections.abc import Iterator
from dataclasses import FrozenInstanceError
from time import perf_counter

import pytest
import torch
from torch import Tensor
from torch.nn.functional import conv2d

from benchmarks.sizing import compare
from core.errors import SizingError
from core.network import LayerSizing, LayerSpec, NetworkSpec, presets, size_network
from core.network.refusals import MAX_FIELD, MAX_WAYS
from tests.random_networks import draw_network


@pytest.fixture(autouse=True, scope="module")
def one_thread() -> Iterator[None]:
    """These networks are so small that threads only wait for each other."""
    num_threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(num_threads)


def conv(kernel_size: int, out_channels: int = 1, **arguments: object) -> LayerSpec:
    return LayerSpec(op="conv", kernel_size=kernel_size, out_channels=out_channels, **arguments)  # type: ignore[arg-type]


def max_pool(kernel_size: int, stride: int) -> LayerSpec:
    return LayerSpec(op="max_pool", kernel_size=kernel_size, stride=stride)


POOL = LayerSpec(op="global_avg_pool", name="gap")


def size(*layers: LayerSpec, shape: tuple[int, int, int] = (1, 32, 32)) -> tuple[LayerSizing, ...]:
    """The layers alone, sized; a head is put behind them."""
    head = (POOL, LayerSpec(op="linear", name="head", out_channels=2))
    spec = NetworkSpec(name="test", layers=(*layers, *head), input_shape=shape, num_classes=2)
    return size_network(spec).layers[: len(layers)]


def refuse(*layers: LayerSpec, shape: tuple[int, int, int] = (1, 32, 32), classes: int = 2) -> SizingError:
    with pytest.raises(SizingError) as refusal:
        size_network(NetworkSpec(name="test", layers=layers, input_shape=shape, num_classes=classes))
    return refusal.value


# Published values


def test_vgg_16_has_the_published_field_stride_and_padding() -> None:
    layers: list[LayerSpec] = []
    for channels, depth in ((64, 2), (128, 2), (256, 3), (512, 3), (512, 3)):
        layers += [conv(3, channels, padding=1, then=("relu",))] * depth
        layers.append(max_pool(2, 2))
    last = size(*layers, shape=(3, 224, 224))[-1]
    assert (last.receptive_field, last.effective_stride, last.effective_padding) == (212, 32, 90)
    assert last.output_shape == (512, 7, 7)
    assert last.coverage == 1


def test_alexnet_v2_has_the_published_field_stride_and_padding() -> None:
    layers = (
        conv(11, 64, stride=4, then=("relu",)),
        max_pool(3, 2),
        conv(5, 192, padding=2, then=("relu",)),
        max_pool(3, 2),
        conv(3, 384, padding=1, then=("relu",)),
        conv(3, 384, padding=1, then=("relu",)),
        conv(3, 256, padding=1, then=("relu",)),
        max_pool(3, 2),
    )
    last = size(*layers, shape=(3, 231, 231))[-1]
    assert (last.receptive_field, last.effective_stride, last.effective_padding) == (195, 32, 64)


@pytest.mark.parametrize(
    "dilations, reached", [((2, 2, 2), 49), ((1, 2, 3), 169), ((2, 2, 4), 81), ((1, 1, 6), 225)]
)
def test_repeated_dilations_leave_holes_in_a_field_of_the_same_size(
    dilations: tuple[int, ...], reached: int
) -> None:
    last = size(*(conv(3, dilation=dilation, padding=dilation) for dilation in dilations))[-1]
    assert last.receptive_field == 1 + 2 * sum(dilations)
    assert last.coverage == pytest.approx(reached / last.receptive_field**2)


# Measured gradients


def linearise(spec: NetworkSpec, images: Tensor) -> Tensor:
    """The network on a larger image, all weights 1, without biases or steps, and pools as sums.

    What takes in a whole map becomes a window of that map's size, so that its unit keeps to its place.
    """
    outputs: dict[str, Tensor] = {}
    x = images
    for layer, sized in zip(spec.layers, size_network(spec).layers, strict=True):
        channels = x.shape[1]
        if layer.source is not None:
            x = x + outputs[layer.source]
        elif layer.op in ("conv", "max_pool", "avg_pool"):
            assert layer.kernel_size is not None
            groups = layer.groups if layer.op == "conv" else channels
            shape = sized.output_shape[0], channels // groups, layer.kernel_size, layer.kernel_size
            window = {"stride": layer.stride, "padding": layer.padding, "dilation": layer.dilation}
            x = conv2d(x, torch.ones(shape, dtype=x.dtype), groups=groups, **window)
        elif layer.op == "linear":
            x = x.sum(dim=1, keepdim=True)
        else:
            x = conv2d(x, torch.ones(channels, 1, *sized.input_shape[1:], dtype=x.dtype), groups=channels)
        outputs[layer.name] = x
    return x


def measure_field(spec: NetworkSpec) -> tuple[int, int, int, float]:
    """Field, stride, padding and coverage of the last layer from the gradients of two neighbouring units."""
    said = size_network(spec).layers[-1]
    side = said.receptive_field + 2 * (said.effective_padding + said.effective_stride)
    images = torch.zeros(1, spec.input_shape[0], side, side, dtype=torch.float64, requires_grad=True)
    scores = linearise(spec, images).sum(dim=(0, 1))
    first = -(-said.effective_padding // said.effective_stride)
    boxes = []
    for unit in (first, first + 1):
        (gradient,) = torch.autograd.grad(scores[unit, unit], images, retain_graph=True)
        is_reached = gradient.sum(dim=(0, 1)) > 0
        rows, columns = (is_reached.any(dim=axis).nonzero().flatten() for axis in (1, 0))
        height, width = int(rows[-1] - rows[0]) + 1, int(columns[-1] - columns[0]) + 1
        boxes.append((int(rows[0]), max(height, width), int(is_reached.sum()) / (height * width)))
    (start, field, coverage), (next_start, next_field, _) = boxes
    assert field == next_field
    return field, next_start - start, first * (next_start - start) - start, coverage


def assert_sees_what_gradients_reach(spec: NetworkSpec) -> None:
    said = size_network(spec).layers[-1]
    field, stride, padding, coverage = measure_field(spec)
    assert (said.receptive_field, said.effective_stride, said.effective_padding) == (field, stride, padding)
    assert said.coverage == pytest.approx(coverage, abs=1e-12)


@pytest.mark.parametrize("key", presets())
def test_the_field_of_every_preset_is_the_extent_of_its_gradient(key: str) -> None:
    assert_sees_what_gradients_reach(presets()[key])


@pytest.mark.parametrize("first", range(0, 300, 50))
def test_the_field_of_random_networks_is_the_extent_of_their_gradient(first: int) -> None:
    for seed in range(first, first + 50):
        assert_sees_what_gradients_reach(draw_network(seed))


def test_random_networks_have_gaps_and_several_ways() -> None:
    fields = [row for seed in range(300) for row in size_network(draw_network(seed)).layers]
    assert sum(row.coverage < 1 for row in fields) > 50
    sums = [row.coverage * row.receptive_field**2 for row in fields if row.op == "add"]
    assert sum(pixels**0.5 % 1 > 0 for pixels in sums) > 20, "one way alone reaches a square number of pixels"


def test_a_deep_residual_network_has_one_way_that_sees_all_the_others() -> None:
    layers = [conv(1, name="stem")]
    for block in range(25):
        layers += [conv(3, padding=1), LayerSpec(op="add", source=layers[-1].name, name=f"add{block}")]
    last = size(*layers)[-1]
    assert last.receptive_field == 51
    assert last.coverage == 1


def test_ways_that_see_different_pixels_are_united() -> None:
    layers = (
        conv(1, name="start"),
        conv(2, dilation=2, padding=1, name="corners"),
        LayerSpec(op="add", name="sum", source="start"),
    )
    corners, cross = size(*layers)[1:]
    assert (corners.receptive_field, corners.coverage) == (3, pytest.approx(4 / 9))
    assert (cross.receptive_field, cross.coverage) == (3, pytest.approx(5 / 9))
    assert cross.effective_padding == 1


# What is counted


def test_a_layer_counts_its_op_and_all_that_follows_it() -> None:
    (row,) = size(conv(3, 8, groups=2, stride=2, padding=1, then=("relu", "batch_norm")), shape=(4, 9, 12))
    assert row.input_shape == (4, 9, 12)
    assert row.output_shape == (8, 5, 6)
    assert row.num_params == 8 * 2 * 9 + 8 + 2 * 8
    assert row.macs == 8 * 2 * 9 * 5 * 6
    assert row.activation_bytes == 3 * (8 * 5 * 6) * 4


def test_a_flatten_is_a_view_and_takes_no_memory() -> None:
    layers = (LayerSpec(op="flatten"), LayerSpec(op="linear", out_channels=2, bias=False))
    sizing = size_network(NetworkSpec(name="flat", layers=layers, input_shape=(3, 4, 5), num_classes=2))
    assert [row.activation_bytes for row in sizing.layers] == [0, 8]
    assert sizing.layers[0].output_shape == (60, 1, 1)
    assert (sizing.num_params, sizing.macs) == (120, 120)
    assert sizing.receptive_field == 5
    assert sizing.receptive_field_before_pooling == 1


def test_on_an_oblong_image_the_field_is_that_of_the_longer_axis() -> None:
    spec = NetworkSpec(name="oblong", layers=(conv(3, 2), POOL), input_shape=(1, 6, 20), num_classes=2)
    rows = size_network(spec).layers
    assert [row.receptive_field for row in rows] == [3, 20]
    assert [row.coverage for row in rows] == [1, 1]


def test_the_field_before_pooling_is_what_enters_the_first_pooling_to_a_single_unit() -> None:
    def before(*layers: LayerSpec) -> int:
        spec = NetworkSpec(name="head", layers=layers, input_shape=(1, 8, 8), num_classes=2)
        return size_network(spec).receptive_field_before_pooling

    flatten, linear = LayerSpec(op="flatten"), LayerSpec(op="linear", out_channels=2)
    assert before(conv(3, 2), POOL, conv(1, 2)) == 3
    assert before(conv(3, 2), max_pool(2, 2), max_pool(3, 3), conv(1, 2)) == 4
    assert before(conv(3, 2), flatten, linear) == 3
    assert before(conv(3, 2), conv(6, 2)) == 8


def test_results_are_plain_immutable_values() -> None:
    sizing = size_network(presets()["seed_004"])
    assert size_network(presets()["seed_004"]) == sizing
    assert hash(sizing) == hash(size_network(presets()["seed_004"]))
    with pytest.raises(FrozenInstanceError):
        sizing.macs = 0  # type: ignore[misc]
    with pytest.raises(AttributeError):
        sizing.layers[0].macs = 0  # type: ignore[misc]


# Refusals: where, the arithmetic, the remedy


def test_a_window_that_does_not_fit_is_explained_with_the_arithmetic() -> None:
    error = refuse(conv(2, 8, stride=2), conv(3, 8, dilation=4, name="conv7"), POOL, shape=(1, 11, 10))
    assert str(error) == (
        "layer 2 (conv7, conv): a 5×5 map with padding 0, but kernel 3 at dilation 4 needs 9;"
        " raise the padding to at least 2 or lower the dilation"
    )
    assert error.layer == 1
    (row,) = error.sized
    assert isinstance(row, LayerSizing)
    assert row.output_shape == (8, 5, 5)


def test_the_padding_that_a_refusal_names_is_the_least_that_works() -> None:
    for padding, works in ((1, False), (2, True)):
        layers = (conv(3, 2, dilation=4, padding=padding), POOL)
        spec = NetworkSpec(name="edge", layers=layers, input_shape=(1, 5, 7), num_classes=2)
        if works:
            assert size_network(spec).layers[0].output_shape == (2, 1, 3)
        else:
            with pytest.raises(SizingError, match="raise the padding to at least 2"):
                size_network(spec)


HALF = LayerSpec(op="max_pool", kernel_size=3, padding=2)
LINEAR = LayerSpec(op="linear", out_channels=2)


@pytest.mark.parametrize(
    "layers, where, reason",
    [
        (
            (conv(5), POOL),
            1,
            "a 4×6 map with padding 0, but kernel 5 needs 5; raise the padding to at least 1 or",
        ),
        (
            (max_pool(9, 1), POOL),
            1,
            "a 4×6 map with padding 0, but kernel 9 needs 9; raise the padding to at least 3",
        ),
        (
            (LayerSpec(op="max_pool", kernel_size=2, dilation=8), POOL),
            1,
            "a 4×6 map with padding 0, but kernel 2 at dilation 8 needs 9; lower the dilation",
        ),
        (
            (conv(1, 4, groups=4), POOL),
            1,
            "groups 4 do not divide its 6 input channels; use 1 or another divisor of 2",
        ),
        ((conv(1, 7, groups=3), POOL), 1, "groups 3 do not divide its 7 output channels; use 1"),
        (
            (HALF, POOL),
            1,
            "padding 2, but a pool with kernel 3 takes at most half of it; lower the padding to 1",
        ),
        ((LINEAR,), 1, "a 4×6 map, but linear takes 1×1; put flatten or global_avg_pool before it"),
        (
            (conv(1, 6, name="a"), conv(1, 8), LayerSpec(op="add", source="a"), POOL),
            3,
            "its input is 8×4×6, but a is 6×4×6; bring both to the same channels with a 1×1 conv",
        ),
        (
            (conv(1, 6, name="a"), conv(3, 6), LayerSpec(op="add", source="a"), POOL),
            3,
            "its input is 6×2×4, but a is 6×4×6; bring both to the same map with padding or stride",
        ),
        (
            (conv(1, 6, name="a"), conv(3, 6, stride=2, padding=3), LayerSpec(op="add", source="a")),
            3,
            "bring both to the same map",
        ),
        (
            (conv(1, 3), POOL),
            2,
            "ends with 3×1×1, but 2 classes need 2×1×1; let the last conv or linear put out 2",
        ),
        (
            (conv(1, 2),),
            1,
            "ends with 2×4×6, but 2 classes need 2×1×1; bring the map to 1×1 with global_avg_pool",
        ),
        (
            (conv(1, 3),),
            1,
            "bring the map to 1×1 with global_avg_pool and let the last conv or linear put out 2",
        ),
        (
            (conv(1, 4096), conv(64, 4096, padding=40), POOL),
            2,
            "68,719,509,504 parameters, but at most 50,000,000",
        ),
        ((conv(1, 4096, padding=500), POOL), 1, "MiB, but at most 256 MiB are built; use fewer channels"),
    ],
)
def test_a_layer_that_cannot_work_is_named_with_reason_and_remedy(
    layers: tuple[LayerSpec, ...], where: int, reason: str
) -> None:
    error = refuse(*layers, shape=(6, 4, 6))
    name = error.args[0].split(":")[0]
    assert name.startswith(f"layer {where} (")
    assert reason in str(error)
    assert error.layer == where - 1
    assert len(error.sized) == where - 1


def test_maps_of_one_shape_that_show_different_places_are_not_added() -> None:
    layers = (
        conv(1, name="dense"),
        conv(2, stride=2),
        conv(1, padding=2, name="sparse"),
        LayerSpec(op="add", source="dense"),
        POOL,
    )
    error = refuse(*layers, shape=(1, 8, 8))
    assert "effective stride of 2 pixels, but dense has 1" in str(error)


def test_torch_refuses_the_pool_padding_that_sizing_refuses_and_takes_what_sizing_takes() -> None:
    images = torch.zeros(1, 1, 9, 9)
    for kernel in range(1, 6):
        for padding in range(4):
            pool = torch.nn.MaxPool2d(kernel_size=kernel, stride=1, padding=padding)
            layer = LayerSpec(op="max_pool", kernel_size=kernel, padding=padding)
            if padding <= kernel // 2:
                assert size(layer, shape=(1, 9, 9))[0].output_shape == tuple(pool(images).shape[1:])
            else:
                refuse(layer, shape=(1, 9, 9))
                with pytest.raises(RuntimeError, match="pad should be"):
                    pool(images)


# Hostile descriptions cost nothing


def test_strides_that_multiply_beyond_measure_are_refused() -> None:
    blow_up = [conv(1, padding=512, stride=2, name=f"c{turn}") for turn in range(58)]
    error = refuse(*blow_up, POOL, shape=(1, 512, 512))
    assert f"but at most {MAX_FIELD:,} are sized" in str(error)


def test_ways_that_multiply_beyond_measure_are_refused_at_once() -> None:
    layers = [conv(1, name="start")]
    for turn in range(20):
        step = 3**turn % 97 + 1
        layers.append(conv(2, dilation=2 * step, padding=step, name=f"c{turn}"))
        layers.append(LayerSpec(op="add", name=f"a{turn}", source=layers[-2].name))
    start = perf_counter()
    error = refuse(*layers, POOL, shape=(1, 64, 64))
    assert f"but at most {MAX_WAYS} are followed" in str(error)
    assert perf_counter() - start < 1


# Speed


@pytest.mark.slow
def test_thirteen_layers_are_sized_within_a_fifth_of_a_millisecond_and_200_times_faster_than_torchinfo() -> (
    None
):
    comparison = compare(rounds=15)
    assert comparison.best_sizing_ms < 0.2
    assert comparison.ratio >= 200
