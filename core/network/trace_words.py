"""What single torch modules and functions are in the words of a spec, or why they cannot be said."""

import operator
from collections.abc import Callable, Mapping
from enum import Enum
from typing import Any

import torch
from torch import fx, nn
from torch.nn import functional as F  # noqa: N812 (torch's own custom)

from core.errors import SpecError
from core.network.build import Add, Flatten, Linear
from core.network.dropout import Dropout
from core.network.spec import LayerSpec


class Meaning(Enum):
    """What a call does that is neither a layer nor a step."""

    SUM = "sum"
    RESHAPE = "reshape"


Words = LayerSpec | str | Meaning
"""A layer without a name, a step as in `then`, or a meaning."""

CAN_SAY = (
    "a network spec can say Conv2d, BatchNorm2d, ReLU, ReLU6, LeakyReLU, SiLU, GELU, Dropout, Dropout2d,"
    " MaxPool2d, AvgPool2d, AdaptiveAvgPool2d(1), Flatten, Linear, LogSoftmax, Identity and sums of two maps"
)

SAME_AS: dict[Any, tuple[Callable[..., nn.Module], tuple[str, ...]]] = {
    F.relu: (nn.ReLU, ("inplace",)),
    F.relu6: (nn.ReLU6, ("inplace",)),
    F.leaky_relu: (nn.LeakyReLU, ("negative_slope", "inplace")),
    F.silu: (nn.SiLU, ("inplace",)),
    F.gelu: (nn.GELU, ("approximate",)),
    F.max_pool2d: (
        nn.MaxPool2d,
        ("kernel_size", "stride", "padding", "dilation", "ceil_mode", "return_indices"),
    ),
    F.avg_pool2d: (
        nn.AvgPool2d,
        ("kernel_size", "stride", "padding", "ceil_mode", "count_include_pad", "divisor_override"),
    ),
    F.adaptive_avg_pool2d: (nn.AdaptiveAvgPool2d, ("output_size",)),
    F.log_softmax: (nn.LogSoftmax, ("dim", "_stacklevel", "dtype")),
    **dict.fromkeys((torch.relu, "relu", torch.relu_, "relu_"), (nn.ReLU, ())),
    **dict.fromkeys((torch.log_softmax, "log_softmax"), (nn.LogSoftmax, ("dim", "dtype"))),
}
"""Functions and methods, the module that computes the same, and the names of what follows the input."""

DROPOUTS = {F.dropout: "dropout", F.dropout2d: "dropout2d"}
SUMS = (operator.add, operator.iadd, torch.add, "add", "add_")
MEANS = (torch.mean, "mean")
RESHAPES = (
    *(torch.flatten, torch.reshape, torch.squeeze, torch.unsqueeze),
    *("flatten", "view", "reshape", "squeeze", "unsqueeze", "contiguous"),
)


def say_module(module: nn.Module) -> Words:
    """The module as a layer or step; `SpecError` with the reason where it is neither."""
    kind = type(module)  # not isinstance: a subclass may compute something else
    if kind not in _SAYERS:
        raise SpecError(f"{kind.__name__} cannot be said; {CAN_SAY}")
    return _SAYERS[kind](module)


def say_call(node: fx.Node) -> Words:
    """A function or method call as a layer, step or meaning; `SpecError` where it is none."""
    target = node.target
    extras = node.args[1:]
    if target in SUMS:
        _need(node.kwargs.get("alpha", 1) in (1,), f"alpha must be 1, got {node.kwargs.get('alpha')}")
        return Meaning.SUM
    if target in RESHAPES:
        return Meaning.RESHAPE
    if target in MEANS:
        return _say_mean(dict(zip(("dim", "keepdim"), extras, strict=False)) | node.kwargs)
    if target in DROPOUTS:
        given = dict(zip(("p", "training", "inplace"), extras, strict=False)) | node.kwargs
        _need(
            given.get("training", True) is False,
            "it drops in evaluation too; give it training=self.training or use nn.Dropout",
        )
        return f"{DROPOUTS[target]} {given.get('p', 0.5)}"
    if target in SAME_AS:
        make, names = SAME_AS[target]
        given = dict(zip(names, extras, strict=False)) | node.kwargs
        if make is nn.LogSoftmax:
            given = {"dim": given.get("dim")}
        return say_module(make(**{name: value for name, value in given.items() if name != "input"}))
    name = target if isinstance(target, str) else getattr(target, "__name__", str(target))
    raise SpecError(f"{name}() cannot be said; {CAN_SAY}")


def _need(is_met: bool, rule: str) -> None:
    if not is_met:
        raise SpecError(rule)


def _one(name: str, value: Any) -> int:
    """The one value of a length that torch may give for height and width apart."""
    if isinstance(value, int):
        return value
    heights = tuple(value)
    _need(len(set(heights)) == 1, f"{name} must be the same for height and width, got {heights}")
    return int(heights[0])


def _say_conv(module: nn.Conv2d) -> LayerSpec:
    _need(module.padding_mode == "zeros", f"padding_mode must be 'zeros', got {module.padding_mode!r}")
    kernel_size, dilation = _one("kernel_size", module.kernel_size), _one("dilation", module.dilation)
    padding: Any = module.padding
    if padding == "same":
        total = dilation * (kernel_size - 1)
        _need(total % 2 == 0, "padding 'same' must be as wide on both sides; use an odd kernel")
        padding = total // 2
    elif padding == "valid":
        padding = 0
    return LayerSpec(
        op="conv",
        out_channels=module.out_channels,
        kernel_size=kernel_size,
        stride=_one("stride", module.stride),
        padding=_one("padding", padding),
        dilation=dilation,
        groups=module.groups,
        bias=module.bias is not None,
    )


def _say_max_pool(module: nn.MaxPool2d) -> LayerSpec:
    _need(not module.ceil_mode, "ceil_mode must be off: a spec counts whole windows alone")
    _need(not module.return_indices, "return_indices must be off")
    return LayerSpec(
        op="max_pool",
        kernel_size=_one("kernel_size", module.kernel_size),
        stride=_one("stride", module.stride),
        padding=_one("padding", module.padding),
        dilation=_one("dilation", module.dilation),
    )


def _say_avg_pool(module: nn.AvgPool2d) -> LayerSpec:
    _need(not module.ceil_mode, "ceil_mode must be off: a spec counts whole windows alone")
    padding = _one("padding", module.padding)
    counts_padding = module.count_include_pad or not padding
    _need(counts_padding, "count_include_pad must be on: a spec averages over the padding too")
    _need(module.divisor_override is None, f"divisor_override must be None, got {module.divisor_override}")
    kernel_size = _one("kernel_size", module.kernel_size)
    stride = kernel_size if module.stride is None else _one("stride", module.stride)
    return LayerSpec(op="avg_pool", kernel_size=kernel_size, stride=stride, padding=padding)


def _say_batch_norm(module: nn.BatchNorm1d | nn.BatchNorm2d) -> str:
    usual = {"eps": 1e-5, "momentum": 0.1, "affine": True, "track_running_stats": True}
    for name, value in usual.items():
        _need(getattr(module, name) == value, f"{name} must be {value}, got {getattr(module, name)}")
    return "batch_norm"


def _say_linear(module: nn.Linear) -> LayerSpec:
    return LayerSpec(op="linear", out_channels=module.out_features, bias=module.bias is not None)


def _say_global_pool(module: nn.AdaptiveAvgPool2d) -> LayerSpec:
    _need(module.output_size in (1, (1, 1)), f"output_size must be 1, got {module.output_size}")
    return LayerSpec(op="global_avg_pool")


def _say_leaky_relu(module: nn.LeakyReLU) -> str:
    _need(module.negative_slope == 0.01, f"negative_slope must be 0.01, got {module.negative_slope}")
    return "leaky_relu"


def _say_gelu(module: nn.GELU) -> str:
    _need(module.approximate == "none", f"approximate must be 'none', got {module.approximate!r}")
    return "gelu"


def _say_log_softmax(module: nn.LogSoftmax) -> str:
    _need(module.dim in (1, -1, None), f"dim must be 1, the channels, got {module.dim}")
    return "log_softmax"


def _say_mean(given: Mapping[str, Any]) -> LayerSpec:
    dims = given.get("dim")
    dims = tuple(dims) if isinstance(dims, list | tuple) else (dims,)
    is_map = len(dims) == 2 and {dim % 4 for dim in dims if isinstance(dim, int)} == {2, 3}
    _need(is_map, f"mean must be over height and width, as in mean((2, 3)), got {given.get('dim')}")
    return LayerSpec(op="global_avg_pool")


_SAYERS: dict[type[nn.Module], Callable[[Any], Words]] = {
    nn.Conv2d: _say_conv,
    nn.MaxPool2d: _say_max_pool,
    nn.AvgPool2d: _say_avg_pool,
    nn.AdaptiveAvgPool2d: _say_global_pool,
    nn.Linear: _say_linear,
    Linear: _say_linear,
    nn.BatchNorm1d: _say_batch_norm,
    nn.BatchNorm2d: _say_batch_norm,
    nn.Dropout: lambda module: f"dropout {module.p}",
    Dropout: lambda module: f"dropout {module.p}",
    nn.Dropout2d: lambda module: f"dropout2d {module.p}",
    nn.ReLU: lambda module: "relu",
    nn.ReLU6: lambda module: "relu6",
    nn.SiLU: lambda module: "silu",
    nn.LeakyReLU: _say_leaky_relu,
    nn.GELU: _say_gelu,
    nn.LogSoftmax: _say_log_softmax,
    nn.Flatten: lambda module: Meaning.RESHAPE,
    nn.Unflatten: lambda module: Meaning.RESHAPE,
    nn.Identity: lambda module: Meaning.RESHAPE,
    Flatten: lambda module: LayerSpec(op="flatten"),
    Add: lambda module: Meaning.SUM,
}
