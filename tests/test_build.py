"""The built module is the network that the spec describes and that sizing counted."""

from collections import defaultdict
from collections.abc import Iterator

import numpy as np
import pytest
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from core.errors import CheckpointError, SizingError
from core.network import LayerSpec, NetworkSpec, presets, size_network
from core.network.build import Flatten, build_network, restore_network
from tests.random_networks import draw_network

SMALL = NetworkSpec(
    name="small",
    input_shape=(3, 8, 8),
    num_classes=4,
    layers=(
        LayerSpec(
            op="conv", name="stem", out_channels=6, kernel_size=3, padding=1, then=("batch_norm", "relu")
        ),
        LayerSpec(op="conv", name="body", out_channels=6, kernel_size=3, padding=1, groups=2, bias=False),
        LayerSpec(op="add", name="sum", source="stem", then=("relu", "batch_norm", "relu")),
        LayerSpec(op="global_avg_pool", name="gap"),
        LayerSpec(op="linear", name="scores", out_channels=4),
    ),
)


@pytest.fixture(autouse=True, scope="module")
def one_thread() -> Iterator[None]:
    """These networks are so small that threads only wait for each other."""
    num_threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(num_threads)


def measure(
    spec: NetworkSpec,
) -> tuple[dict[str, tuple[int, ...]], dict[str, int], dict[str, int], dict[str, int]]:
    """By layer, from the module alone: output shape, parameters, activation bytes and FLOPs of one image."""
    network = build_network(spec).eval()
    shapes: dict[str, tuple[int, ...]] = {}
    activation_bytes: dict[str, int] = defaultdict(int)

    def watch(layer_name: str, module: nn.Module) -> None:
        def note(_: nn.Module, __: object, output: torch.Tensor) -> None:
            shapes[layer_name] = tuple(output.shape[1:])
            if not isinstance(module, Flatten):
                activation_bytes[layer_name] += output.numel() * output.element_size()

        module.register_forward_hook(note)

    for layer_name, layer in network.named_children():
        for part in layer:
            watch(layer_name, part)
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        scores = network(torch.rand(1, *spec.input_shape))
    assert scores.shape == (1, spec.num_classes)
    flops = {
        module.removeprefix("Network."): sum(counts.values())
        for module, counts in counter.get_flop_counts().items()
        if module.count(".") == 1
    }
    params = {name: sum(p.numel() for p in layer.parameters()) for name, layer in network.named_children()}
    return shapes, params, activation_bytes, flops


def assert_sized_as_built(spec: NetworkSpec) -> None:
    sizing = size_network(spec)
    shapes, params, activation_bytes, flops = measure(spec)
    assert [row.name for row in sizing.layers] == list(params)
    previous = spec.input_shape
    for row in sizing.layers:
        assert row.input_shape == previous
        assert row.output_shape == shapes[row.name], row
        assert row.num_params == params[row.name], row
        assert row.activation_bytes == activation_bytes[row.name], row
        assert row.macs * 2 == flops.get(row.name, 0), row
        previous = row.output_shape
    assert sizing.num_params == sum(params.values())
    assert sizing.activation_bytes == sum(activation_bytes.values())
    assert sizing.macs * 2 == sum(flops.values())
    assert sizing.output_shape == previous


@pytest.mark.parametrize("key", presets())
def test_sizing_counts_what_torch_counts_for_every_preset(key: str) -> None:
    assert_sized_as_built(presets()[key])


@pytest.mark.parametrize("first", range(0, 300, 50))
def test_sizing_counts_what_torch_counts_for_random_networks(first: int) -> None:
    for seed in range(first, first + 50):
        assert_sized_as_built(draw_network(seed))


def test_random_networks_have_everything_that_sizing_must_get_right() -> None:
    layers = [layer for seed in range(300) for layer in draw_network(seed).layers]
    assert {layer.op for layer in layers} == set(LayerSpec.__annotations__["op"].__args__)
    for field, plain in (("dilation", 1), ("groups", 1), ("stride", 1), ("padding", 0)):
        assert sum(getattr(layer, field) != plain for layer in layers) > 100, field
    assert sum(layer.op == "add" for layer in layers) > 100


def test_state_dict_keys_are_layer_step_parameter() -> None:
    keys = list(build_network(SMALL).state_dict())
    assert keys == [
        "stem.conv.weight",
        "stem.conv.bias",
        "stem.batch_norm.weight",
        "stem.batch_norm.bias",
        "stem.batch_norm.running_mean",
        "stem.batch_norm.running_var",
        "stem.batch_norm.num_batches_tracked",
        "body.conv.weight",
        "sum.batch_norm.weight",
        "sum.batch_norm.bias",
        "sum.batch_norm.running_mean",
        "sum.batch_norm.running_var",
        "sum.batch_norm.num_batches_tracked",
        "scores.linear.weight",
        "scores.linear.bias",
    ]


def test_the_module_computes_what_the_same_layers_written_by_hand_compute() -> None:
    torch.manual_seed(3)
    network = build_network(SMALL).eval()
    torch.manual_seed(3)
    stem = nn.Conv2d(in_channels=3, out_channels=6, kernel_size=3, padding=1)
    body = nn.Conv2d(in_channels=6, out_channels=6, kernel_size=3, padding=1, groups=2, bias=False)
    scores = nn.Linear(in_features=6, out_features=4)
    norm = nn.BatchNorm2d(6).eval()
    images = torch.randn(5, 3, 8, 8)
    first = norm(stem(images)).relu()
    by_hand = scores(norm((body(first) + first).relu()).relu().mean(dim=(2, 3)))
    assert torch.allclose(network(images), by_hand, atol=1e-6)


def test_a_residual_adds_the_named_layer_and_not_the_one_before() -> None:
    layers = (
        LayerSpec(op="max_pool", name="a", kernel_size=1),
        LayerSpec(op="avg_pool", name="b", kernel_size=3, stride=1, padding=1),
        LayerSpec(op="avg_pool", name="c", kernel_size=3, stride=1, padding=1),
        LayerSpec(op="add", name="d", source="a"),
        LayerSpec(op="global_avg_pool", name="e"),
    )
    spec = NetworkSpec(name="sum", layers=layers, input_shape=(3, 6, 6), num_classes=3)
    images = torch.rand(2, 3, 6, 6)
    blurred = nn.functional.avg_pool2d(nn.functional.avg_pool2d(images, 3, 1, 1), 3, 1, 1)
    assert torch.allclose(build_network(spec)(images), (images + blurred).mean(dim=(2, 3)))


@pytest.mark.parametrize("name", ["type", "train", "forward", "spec", "keys", "parameters"])
def test_a_layer_may_be_called_what_torch_calls_something_else(name: str) -> None:
    layers = (
        LayerSpec(op="global_avg_pool", name="gap"),
        LayerSpec(op="linear", name=name, out_channels=2, then=("batch_norm",)),
    )
    spec = NetworkSpec(name="clash", layers=layers, num_classes=2)
    network = build_network(spec)
    weights = {key: tensor.numpy() for key, tensor in network.state_dict().items()}
    assert f"{name}.linear.weight" in weights
    images = torch.rand(2, 3, 32, 32)
    assert torch.equal(restore_network(spec, weights).eval()(images), network.eval()(images))
    assert network.train().training


def test_a_network_that_cannot_work_is_refused_before_anything_is_allocated() -> None:
    huge = LayerSpec(op="conv", name="huge", out_channels=4096, kernel_size=512, padding=512)
    layers = (huge, LayerSpec(op="global_avg_pool"), LayerSpec(op="linear", out_channels=10))
    with pytest.raises(SizingError, match=r"layer 1 \(huge, conv\).* parameters"):
        build_network(NetworkSpec(name="huge", layers=layers))


def make_weights(spec: NetworkSpec) -> dict[str, np.ndarray]:
    torch.manual_seed(0)
    network = build_network(spec)
    for tensor in network.state_dict().values():
        if tensor.is_floating_point():
            tensor.normal_()
    return {key: tensor.numpy() for key, tensor in network.state_dict().items()}


def test_restored_weights_are_exact_copies_and_no_random_number_is_drawn() -> None:
    weights = make_weights(SMALL)
    state = torch.get_rng_state()
    network = restore_network(SMALL, weights)
    assert torch.equal(torch.get_rng_state(), state)
    restored = network.state_dict()
    assert list(restored) == list(weights)
    for key, array in weights.items():
        assert np.array_equal(restored[key].numpy(), array), key
        assert not np.shares_memory(restored[key].numpy(), array), key
    assert all(parameter.requires_grad for parameter in network.parameters())
    network(torch.rand(2, 3, 8, 8)).sum().backward()


def test_weights_that_do_not_fit_are_refused_by_the_first_tensor_that_does_not() -> None:
    whole = make_weights(SMALL)
    missing = {key: array for key, array in whole.items() if key != "body.conv.weight"}
    with pytest.raises(CheckpointError, match=r"lack body\.conv\.weight"):
        restore_network(SMALL, missing)
    with pytest.raises(CheckpointError, match=r"no other\.weight"):
        restore_network(SMALL, {**whole, "other.weight": np.zeros(1, np.float32)})
    turned = {**whole, "scores.linear.weight": whole["scores.linear.weight"].T}
    with pytest.raises(
        CheckpointError, match=r"scores\.linear\.weight must have the shape \(4, 6\), got \(6, 4\)"
    ):
        restore_network(SMALL, turned)
    broken = {key: array.copy() for key, array in whole.items()}
    broken["sum.batch_norm.running_var"][2] = np.nan
    with pytest.raises(
        CheckpointError, match=r"sum\.batch_norm\.running_var holds numbers that are not finite"
    ):
        restore_network(SMALL, broken)
