"""What findings say of a network is what torch measures on it."""

from collections.abc import Iterable, Iterator

import pytest
import torch
from torch import Tensor, nn

from core.network import LayerSpec, NetworkSpec, find_problems, presets, size_network
from core.network.build import Network, build_network
from core.network.notation import conv, global_avg_pool, network
from core.network.sizing import LayerSizing
from tests.random_networks import draw_network

SEEDS = range(60)


@pytest.fixture(autouse=True, scope="module")
def one_thread() -> Iterator[None]:
    """These networks are so small that threads only wait for each other."""
    num_threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(num_threads)


def window(layer: LayerSpec) -> nn.Module:
    """The convolution or pool of one channel; a max pool is a sum here, so that all that it reads shows."""
    assert layer.kernel_size is not None
    module = nn.Conv2d(
        in_channels=1,
        out_channels=1,
        kernel_size=layer.kernel_size,
        stride=layer.stride,
        padding=layer.padding,
        dilation=layer.dilation,
        bias=False,
    ).double()
    nn.init.uniform_(module.weight, 0.5, 1.5)
    return module


def windows(spec: NetworkSpec) -> Iterator[tuple[LayerSpec, LayerSizing, bool]]:
    """Every convolution and pool, its sizing, and whether an `add` takes up its input too."""
    sources = {layer.source for layer in spec.layers if layer.source is not None}
    before = ""
    for layer, row in zip(spec.layers, size_network(spec).layers, strict=True):
        if layer.op in ("conv", "max_pool", "avg_pool"):
            yield layer, row, before in sources
        before = layer.name


def findings_by_layer(spec: NetworkSpec) -> dict[str, dict[str, str]]:
    """What is said, by layer and kind."""
    said: dict[str, dict[str, str]] = {layer.name: {} for layer in spec.layers}
    for finding in find_problems(spec):
        said[finding.name][finding.kind] = finding.problem
    return said


def test_what_a_window_is_said_to_leave_out_has_no_gradient() -> None:
    num_blamed = 0
    for seed in SEEDS:
        spec = draw_network(seed)
        said = findings_by_layer(spec)
        for layer, row, is_taken_up in windows(spec):
            inputs = torch.rand(1, 1, *row.input_shape[1:], dtype=torch.float64, requires_grad=True)
            (gradient,) = torch.autograd.grad(window(layer)(inputs).sum(), inputs)
            num_unread = int((gradient == 0).sum())
            problem = said[layer.name].get("skipped_pixels") or said[layer.name].get("dropped_rows")
            if num_unread and not is_taken_up:
                num_blamed += 1
                assert problem is not None, (seed, layer)
                assert f"{num_unread:,} of the {gradient.numel():,} values of every channel" in problem
            else:
                assert problem is None, (seed, layer)
    assert num_blamed > 20


def test_outputs_that_are_said_to_be_constant_do_not_change_with_the_input() -> None:
    num_blamed = 0
    for seed in SEEDS:
        spec = draw_network(seed)
        said = findings_by_layer(spec)
        for layer, row, _ in windows(spec):
            module = window(layer)
            first, second = (module(torch.rand(1, 1, *row.input_shape[1:]).double() + 0.1) for _ in range(2))
            num_constant = int((first == second).sum())
            problem = said[layer.name].get("constant_outputs")
            assert (problem is not None) == (num_constant > 0), (seed, layer)
            if problem is not None:
                num_blamed += 1
                assert problem.startswith(f"{num_constant} of its {first.numel()} outputs")
    assert num_blamed > 3


def test_weights_that_are_said_to_meet_only_padding_have_no_gradient() -> None:
    num_blamed = 0
    for seed in SEEDS:
        spec = draw_network(seed)
        said = findings_by_layer(spec)
        for layer, row, _ in windows(spec):
            module = window(layer)
            module(torch.rand(1, 1, *row.input_shape[1:]).double() + 0.1).sum().backward()
            gradient = next(module.parameters()).grad
            assert gradient is not None
            num_idle = int((gradient == 0).sum())
            problem = said[layer.name].get("idle_taps")
            assert (problem is not None) == (layer.op == "conv" and num_idle > 0), (seed, layer)
            if problem is not None:
                num_blamed += 1
                assert problem.startswith(f"{num_idle} of the {gradient.numel()} weights")
    assert num_blamed > 3


def outputs_of(module: Network, name: str, images: Tensor) -> Tensor:
    """What the op of a layer puts out, before its steps."""
    seen: list[Tensor] = []
    (op, *_) = module.get_submodule(name).children()
    hook = op.register_forward_hook(lambda _, __, outputs: seen.append(outputs))
    module(images)
    hook.remove()
    return seen[0]


def test_twelve_of_the_sixteen_outputs_of_seed_004_s_strided_layer_are_constant() -> None:
    module = build_network(presets()["seed_004"]).eval()
    with torch.no_grad():
        outputs = outputs_of(module, "strided", torch.rand(8, 3, 32, 32))
    is_constant = (outputs == outputs[:1]).all(dim=(0, 1))
    assert int(is_constant.sum()) == 12
    assert not is_constant[1:3, 1:3].any()


def test_a_max_pool_of_nothing_but_padding_puts_out_minus_infinity() -> None:
    layers = (
        LayerSpec(op="max_pool", name="pool", kernel_size=2, dilation=9, padding=1),
        conv("last", 10, 1),
    )
    spec = NetworkSpec(name="blind", layers=layers, input_shape=(3, 8, 8))
    problems = [finding.problem for finding in find_problems(spec) if finding.severity == "error"]
    assert problems == ["1 of its 1 outputs see nothing but padding and are minus infinity."]
    assert (outputs_of(build_network(spec), "pool", torch.rand(2, 3, 8, 8)) == -torch.inf).all()


def run_between(spec: NetworkSpec, first: str, last: str) -> nn.Sequential:
    """The layers from `first` to `last`, the last without its steps, as they predict."""
    module = build_network(spec).double().eval()
    names = [layer.name for layer in spec.layers]
    parts = [module.get_submodule(name) for name in names[names.index(first) : names.index(last)]]
    (op, *_) = module.get_submodule(last).children()
    return nn.Sequential(*parts, op)


def is_affine(module: nn.Module, shape: tuple[int, int, int]) -> bool:
    """Whether f(a + b) + f(0) = f(a) + f(b), as it is for nothing but weights, biases and scales."""
    a, b = torch.randn(2, 1, *shape, dtype=torch.float64)
    with torch.no_grad():
        return torch.allclose(module(a + b) + module(torch.zeros_like(a)), module(a) + module(b))


@pytest.mark.parametrize(
    "key, first, last",
    [
        ("seed_001", "dilated1", "pointwise1"),
        ("seed_001", "strided1", "pointwise2"),
        ("seed_001", "strided3", "conv3"),
        ("seed_003", "depthwise", "pointwise"),
        ("seed_003", "conv7", "classifier"),
    ],
)
def test_a_run_that_is_said_to_be_linear_is_until_its_remedy_is_applied(
    key: str, first: str, last: str
) -> None:
    spec = presets()[key]
    (finding,) = (each for each in find_problems(spec) if (each.kind, each.name) == ("linear_run", first))
    assert last in finding.problem
    shape = size_network(spec).layers[finding.index].input_shape
    assert is_affine(run_between(spec, first, last), shape)
    assert finding.remedied is not None
    assert not is_affine(run_between(finding.remedied, first, last), shape)


def test_the_single_convolution_that_could_replace_a_pair_reads_what_the_pair_reads() -> None:
    """7×7 from 3 channels for seed 001's dilated 3×3 and the 3×3 behind it, counted from a gradient."""
    pair = run_between(presets()["seed_001"], "dilated1", "depthwise1")
    images = torch.zeros(1, 3, 32, 32, dtype=torch.float64, requires_grad=True)
    (gradient,) = torch.autograd.grad(pair(images)[0, 0, 15, 15], images)
    assert int((gradient != 0).sum()) == 7 * 7 * 3
    (finding,) = (each for each in find_problems(presets()["seed_001"]) if each.name == "dilated1")
    assert f"a 7×7 convolution from 3 to 32 channels could do all that they do with {7 * 7 * 3 * 32:,}" in (
        finding.arithmetic
    )


def test_a_bias_before_batch_norm_changes_nothing_in_training() -> None:
    layers = (conv("conv", 4, 3, then=("batch_norm",)), global_avg_pool("gap"), conv("last", 10, 1))
    spec = network("biased", layers)
    assert [(each.kind, each.name) for each in find_problems(spec)] == [("bias_before_batch_norm", "conv")]
    module = build_network(spec).double().train()
    images = torch.rand(4, 3, 32, 32, dtype=torch.float64)
    before = module(images)
    with torch.no_grad():
        module.get_parameter("conv.conv.bias").add_(torch.tensor([3.0, -2.0, 0.5, 10.0]))
    assert torch.allclose(module(images), before)


def test_dropout_raises_the_mean_square_by_as_much_as_is_said() -> None:
    layers = (conv("conv", 4, 3, then=("relu", "dropout 0.2", "batch_norm")),)
    spec = network("dropped", (*layers, global_avg_pool("gap"), conv("last", 10, 1)))
    (finding,) = find_problems(spec)
    assert "1 / (1 − 0.2) = 1.25" in finding.arithmetic
    torch.manual_seed(0)
    values = torch.randn(400_000).relu()
    assert (nn.Dropout(0.2)(values) ** 2).mean() / (values**2).mean() == pytest.approx(1.25, abs=0.02)


def test_a_narrowest_field_by_residuals_is_what_one_way_alone_sees() -> None:
    """Our own network sees more than the image before its last window, but not past its residual blocks."""
    spec = presets()["scope_net"]

    def field_before(layers: Iterable[LayerSpec], name: str) -> int:
        rows = size_network(network("way", layers)).layers
        return rows[[row.name for row in rows].index(name) - 1].receptive_field

    residual = {"conv1", "dilated", "add1", "conv2", "conv3", "add2"}
    shortest = [layer for layer in spec.layers if layer.name not in residual]
    longest = [layer for layer in spec.layers if layer.op != "add"]
    assert field_before(longest, "depthwise3") == 53
    assert field_before(shortest, "depthwise3") == 25
    assert all(finding.kind != "outgrown_field" for finding in find_problems(spec))
    late = [each for each in find_problems(network("longest", longest)) if each.kind == "outgrown_field"]
    assert [finding.name for finding in late] == ["depthwise1"]
