"""A torch module becomes the spec of what it computes, or is refused with its path and the reason."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 (torch's own custom)

from core.errors import SizingError, SpecError
from core.network import LayerSizing, NetworkSpec, presets, size_network
from core.network.build import build_network
from core.network.export import to_python
from core.network.trace import from_module
from tests.random_networks import draw_network
from tests.test_export import run_source


@pytest.fixture(autouse=True, scope="module")
def one_thread() -> Iterator[None]:
    """These networks are so small that threads only wait for each other."""
    num_threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(num_threads)


def without_idle_flattens(spec: NetworkSpec) -> list[LayerSizing]:
    """The sizing's rows without names and without flattens of 1×1 maps, whose steps the layer before has."""
    rows: list[LayerSizing] = []
    for row in size_network(spec).layers:
        if row.op == "flatten" and row.input_shape[1:] == (1, 1) and rows:
            before = rows[-1]
            rows[-1] = before._replace(
                num_params=before.num_params + row.num_params,
                activation_bytes=before.activation_bytes + row.activation_bytes,
            )
        else:
            rows.append(row._replace(name=""))
    return rows


def assert_read_as(module: nn.Module, spec: NetworkSpec) -> None:
    read = NetworkSpec.from_module(module, spec.input_shape)
    assert without_idle_flattens(read) == without_idle_flattens(spec)
    ours, theirs = size_network(read), size_network(spec)
    assert replace(ours, layers=()) == replace(theirs, layers=())
    built = build_network(read).state_dict().values()
    assert [tensor.shape for tensor in built] == [tensor.shape for tensor in module.state_dict().values()]
    assert read.num_classes == spec.num_classes


@pytest.mark.parametrize("key", presets())
def test_a_built_preset_is_read_back_whole(key: str) -> None:
    spec = presets()[key]
    read = from_module(build_network(spec), spec.input_shape, spec.name)
    assert read == replace(spec, layers=tuple(replace(layer, block="") for layer in spec.layers))


@pytest.mark.parametrize("key", presets())
def test_an_exported_preset_is_read_back(key: str) -> None:
    assert_read_as(run_source(to_python(presets()[key])), presets()[key])


@pytest.mark.parametrize("first", range(0, 100, 25))
def test_random_networks_are_read_back_as_built_and_as_exported(first: int) -> None:
    for seed in range(first, first + 25):
        spec = draw_network(seed)
        assert_read_as(build_network(spec), spec)
        assert_read_as(run_source(to_python(spec)), spec)


class Residual(nn.Module):
    """Two convolutions and their input, as in ResNet."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, channels, 3, padding="same", bias=False)
        self.bn1 = nn.BatchNorm2d(channels)
        self.conv2 = nn.Conv2d(channels, channels, (3, 3), padding=(2, 2), dilation=2, bias=False)
        self.bn2 = nn.BatchNorm2d(channels)
        self.shortcut = nn.Sequential()

    def forward(self, x: Tensor) -> Tensor:
        out = F.relu(self.bn1(self.conv1(x)))
        out = self.bn2(self.conv2(out))
        out += self.shortcut(x)
        return F.relu(out)


class HandWritten(nn.Module):
    """A small residual network in the manner of course projects, most of it functional."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), nn.ReLU(inplace=True), nn.BatchNorm2d(8))
        self.drop = nn.Dropout2d(0.01)
        self.layer1 = nn.Sequential(Residual(8), Residual(8))
        self.fc1 = nn.Linear(8 * 4 * 4, 20)
        self.fc2 = nn.Linear(20, 5)

    def forward(self, x: Tensor) -> Tensor:
        x = self.drop(self.stem(x))
        x = F.max_pool2d(self.layer1(x), 2)
        x = self.drop(F.avg_pool2d(x, kernel_size=2))
        x = x.view(x.size(0), -1)
        x = F.dropout(torch.relu(self.fc1(x)), 0.2, training=self.training)
        return F.log_softmax(self.fc2(x), dim=-1)


def test_a_module_in_the_manner_of_course_projects_is_read_layer_by_layer() -> None:
    module = HandWritten()
    read = from_module(module, (3, 16, 16))
    assert read.name == "HandWritten"
    assert [(layer.op, layer.name, layer.block, layer.then, layer.source) for layer in read.layers] == [
        ("conv", "stem", "", ("relu", "batch_norm", "dropout2d 0.01"), None),
        ("conv", "layer1_0_conv1", "layer1.0", ("batch_norm", "relu"), None),
        ("conv", "layer1_0_conv2", "layer1.0", ("batch_norm",), None),
        ("add", "add1", "layer1.0", ("relu",), "stem"),
        ("conv", "layer1_1_conv1", "layer1.1", ("batch_norm", "relu"), None),
        ("conv", "layer1_1_conv2", "layer1.1", ("batch_norm",), None),
        ("add", "add2", "layer1.1", ("relu",), "add1"),
        ("max_pool", "max_pool1", "", (), None),
        ("avg_pool", "avg_pool1", "", ("dropout2d 0.01",), None),
        ("flatten", "flatten1", "", (), None),
        ("linear", "fc1", "", ("relu", "dropout 0.2"), None),
        ("linear", "fc2", "", ("log_softmax",), None),
    ]
    assert size_network(read).num_params == sum(parameter.numel() for parameter in module.parameters())


def test_the_module_is_left_as_it_was() -> None:
    module = HandWritten()
    module.drop.eval()
    modes = [part.training for part in module.modules()]
    before = {key: tensor.clone() for key, tensor in module.state_dict().items()}
    state = torch.get_rng_state()
    from_module(module, (3, 16, 16))
    assert [part.training for part in module.modules()] == modes
    assert all(torch.equal(before[key], tensor) for key, tensor in module.state_dict().items())
    assert torch.equal(torch.get_rng_state(), state)


def head(*parts: nn.Module) -> nn.Sequential:
    """The parts, which give four channels, and scores behind them."""
    return nn.Sequential(*parts, nn.AdaptiveAvgPool2d((1, 1)), nn.Flatten(), nn.Linear(4, 2))


class Call(nn.Module):
    """A forward that is a function of its parts and the images."""

    def __init__(self, function: object, *parts: nn.Module) -> None:
        super().__init__()
        self.parts = nn.ModuleList(parts)
        self.function = function

    def forward(self, x: Tensor) -> Tensor:
        return self.function(self, x, *self.parts)  # type: ignore[operator]


def conv(channels: int = 3, kernel_size: int = 3, **arguments: object) -> nn.Conv2d:
    """A convolution to four channels."""
    return nn.Conv2d(channels, 4, kernel_size, **arguments)  # type: ignore[arg-type]


def spectral_conv() -> nn.Module:
    """A convolution whose weight is computed anew at each call."""
    return nn.utils.parametrizations.spectral_norm(conv())


def hooked_conv() -> nn.Module:
    """A convolution with a hook that doubles what it puts out."""
    module = conv()
    module.register_forward_hook(lambda module, inputs, output: output * 2)
    return module


class Scaled(nn.Conv2d):
    """A convolution that is not just one."""

    def forward(self, input: Tensor) -> Tensor:  # noqa: A002
        return super().forward(input) * 2


REFUSED = {
    "0: kernel_size must be the same for height and width, got (3, 5)": head(nn.Conv2d(3, 4, (3, 5))),
    "0: stride must be the same": head(nn.Conv2d(3, 4, 3, stride=(1, 2))),
    "0: padding must be the same": head(nn.Conv2d(3, 4, 3, padding=(0, 1))),
    "0: padding_mode must be 'zeros', got 'reflect'": head(conv(padding=1, padding_mode="reflect")),
    "0: padding 'same' must be as wide on both sides": head(conv(kernel_size=2, padding="same")),
    "0: ConvTranspose2d cannot be said": head(nn.ConvTranspose2d(3, 4, 3)),
    "1: ceil_mode must be off": head(conv(), nn.MaxPool2d(2, ceil_mode=True)),
    "2: ceil_mode must be off": head(conv(), nn.ReLU(), nn.AvgPool2d(2, ceil_mode=True)),
    "1: count_include_pad must be on": head(conv(), nn.AvgPool2d(3, padding=1, count_include_pad=False)),
    "1: divisor_override must be None, got 3": head(conv(), nn.AvgPool2d(3, divisor_override=3)),
    "1: output_size must be 1, got 2": nn.Sequential(conv(), nn.AdaptiveAvgPool2d(2)),
    "1: eps must be 1e-05, got 0.001": head(conv(), nn.BatchNorm2d(4, eps=1e-3)),
    "1: affine must be True": head(conv(), nn.BatchNorm2d(4, affine=False)),
    "1: negative_slope must be 0.01, got 0.2": head(conv(), nn.LeakyReLU(0.2)),
    "1: approximate must be 'none', got 'tanh'": head(conv(), nn.GELU("tanh")),
    "1: Sigmoid cannot be said": head(conv(), nn.Sigmoid()),
    "1: GroupNorm cannot be said": head(conv(), nn.GroupNorm(1, 4)),
    "0: batch_norm comes before the first layer": head(nn.BatchNorm2d(3), conv()),
    "0: it has hooks": head(hooked_conv()),
    "0: ParametrizedConv2d cannot be said": head(spectral_conv()),
    "0.weight: forward uses this tensor itself": head(Scaled(3, 4, 3)),
    "parts.1: it takes an earlier map than the last": head(
        Call(lambda self, x, a, b: a(x) + b(x), conv(), conv())
    ),
    "0 (cat): cat() cannot be said": head(
        Call(lambda self, x, a: torch.cat([y := a(x), y], dim=1), nn.Conv2d(3, 2, 3))
    ),
    "0 (mul): mul() cannot be said": head(Call(lambda self, x, a: a(x) * 2, conv())),
    "0 (add): it adds something that is not a map": head(Call(lambda self, x, a: a(x) + 1, conv())),
    "0 (add): alpha must be 1, got 2": head(
        Call(lambda self, x, a, b: torch.add(b(y := a(x)), y, alpha=2), conv(), conv(4, padding=1))
    ),
    "0 (add): it adds the images themselves": head(
        Call(lambda self, x, a, b: b(a(x) + x), nn.Conv2d(3, 3, 1), conv())
    ),
    "0 (add): it adds a map from before the relu": head(
        Call(lambda self, x, a, b: b(F.relu(y := a(x))) + y, conv(), conv(4, padding=1))
    ),
    "0.parts.1: it is called twice": head(
        Call(lambda self, x, a, b: b(b(a(x))), conv(), conv(4, padding=1)),
    ),
    "0 (dropout): it drops in evaluation too": head(Call(lambda self, x, a: F.dropout(a(x), 0.1), conv())),
    "0 (adaptive_avg_pool2d): output_size must be 1": nn.Sequential(
        Call(lambda self, x, a: F.adaptive_avg_pool2d(a(x), (2, 2)), conv())
    ),
    "0 (mean): mean must be over height and width": nn.Sequential(
        Call(lambda self, x, a: a(x).mean(dim=(1, 2)), conv())
    ),
    "0 (transpose): transpose() cannot be said": head(Call(lambda self, x, a: a(x).transpose(2, 3), conv())),
    "0 (view): it turns (2, 4, 6, 6) into (2, 9, 4, 4)": nn.Sequential(
        Call(lambda self, x, a: a(x).view(-1, 9, 4, 4), conv())
    ),
    "0.parts.1: forward never calls it, so that its 112 parameters would be lost": head(
        Call(lambda self, x, a, b: a(x), conv(), conv())
    ),
    "1: it works on the last axis": nn.Sequential(conv(), nn.Linear(6, 6)),
    "cannot be traced": head(Call(lambda self, x, a: a(x) if x.sum() > 0 else a(x) * 2, conv())),
    "does something else in training": head(
        Call(lambda self, x, a: F.relu(a(x)) if self.training else a(x), conv())
    ),
    "does not run on images of shape (3, 8, 8)": head(conv(5)),
    "the layers that were read put out other scores": head(
        Call(lambda self, x, a: F.log_softmax(a(x), dim=-1), conv())
    ),
}


@pytest.mark.parametrize("reason", REFUSED)
def test_what_a_spec_cannot_say_is_refused_with_the_path_and_the_reason(reason: str) -> None:
    with pytest.raises(SpecError) as refusal:
        from_module(REFUSED[reason], (3, 8, 8))
    assert reason in str(refusal.value)


def test_weights_that_two_layers_share_are_refused() -> None:
    first, second = conv(4, 1), conv(4, 1)
    second.weight = first.weight
    with pytest.raises(SpecError, match=r"2: it shares its weights with 1"):
        from_module(head(conv(), first, second), (3, 8, 8))


def test_a_module_that_ends_in_a_map_is_refused_by_sizing() -> None:
    with pytest.raises(SizingError, match="the network ends with 4×6×6"):
        from_module(nn.Sequential(conv()), (3, 8, 8))


def test_a_shape_that_no_network_may_have_is_refused_before_anything_runs() -> None:
    with pytest.raises(SpecError, match=r"input_shape\[2\]"):
        from_module(head(conv()), (3, 10**9, 10**9))


def test_a_flatten_stays_where_what_follows_it_must_not_reach_the_layer_before() -> None:
    def forward(self: nn.Module, x: Tensor, a: nn.Module, b: nn.Module) -> Tensor:
        kept = a(x).mean((2, 3), keepdim=True)
        return b(F.relu(kept.flatten(1).view(-1, 4, 1, 1).flatten(1)).view(-1, 4, 1, 1)) + kept

    read = from_module(nn.Sequential(Call(forward, conv(), conv(4, 1)), nn.Flatten()), (3, 8, 8))
    assert [(layer.op, layer.then, layer.source) for layer in read.layers] == [
        ("conv", (), None),
        ("global_avg_pool", (), None),
        ("flatten", ("relu",), None),
        ("conv", (), None),
        ("add", (), "global_avg_pool1"),
    ]
