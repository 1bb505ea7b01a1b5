"""The torch module of a network."""

from collections import Counter, OrderedDict
from collections.abc import Callable, Mapping

import numpy as np
import torch
from torch import Tensor, nn

from core.errors import CheckpointError
from core.network.dropout import Dropout
from core.network.sizing import size_network
from core.network.spec import LayerSpec, NetworkSpec, parse_step

PLAIN_STEPS: dict[str, Callable[[], nn.Module]] = {
    "relu": nn.ReLU,
    "relu6": nn.ReLU6,
    "leaky_relu": nn.LeakyReLU,
    "silu": nn.SiLU,
    "gelu": nn.GELU,
}


class Add(nn.Module):
    """The sum of two maps of one shape (N, C, H, W)."""

    def forward(self, inputs: Tensor, other: Tensor) -> Tensor:
        return inputs + other


class Flatten(nn.Module):
    """(N, C, H, W) to (N, C*H*W, 1, 1), so that whatever follows still meets a map."""

    def forward(self, inputs: Tensor) -> Tensor:
        return inputs.flatten(1)[:, :, None, None]


class Linear(nn.Linear):
    """(N, in_features, 1, 1) to (N, out_features, 1, 1)."""

    def forward(self, inputs: Tensor) -> Tensor:
        return super().forward(inputs.flatten(1))[:, :, None, None]


class Layer(nn.Sequential):
    """One layer of the spec: its op, then its steps in order."""

    def forward(self, inputs: Tensor, *others: Tensor) -> Tensor:
        op, *steps = self
        outputs: Tensor = op(inputs, *others)
        for step in steps:
            outputs = step(outputs)
        return outputs


class Network(nn.Module):
    """The module of a spec: (N, C, H, W) float32 in, (N, num_classes) scores out.

    The keys of its `state_dict` are layer name, op or step, parameter: `conv1.conv.weight`,
    `conv1.batch_norm.running_mean`.
    """

    def __init__(self, spec: NetworkSpec) -> None:
        super().__init__()
        self.spec = spec
        self._sources = {layer.source for layer in spec.layers}
        for layer, sized in zip(spec.layers, size_network(spec).layers, strict=True):
            # Not by add_module, which refuses a layer called `type` or `train`.
            self._modules[layer.name] = _build_layer(layer, sized.input_shape[0], sized.output_shape[0])

    def forward(self, images: Tensor) -> Tensor:
        outputs = images
        kept: dict[str, Tensor] = {}
        for spec, layer in zip(self.spec.layers, self.children(), strict=True):
            outputs = layer(outputs) if spec.source is None else layer(outputs, kept[spec.source])
            if spec.name in self._sources:
                kept[spec.name] = outputs
        return outputs.flatten(1)


def build_network(spec: NetworkSpec) -> Network:
    """The network with torch's own initialisation, drawn from torch's global generator.

    Raises `SizingError` before anything is allocated where a layer cannot work.
    """
    return Network(spec)


def restore_network(spec: NetworkSpec, weights: Mapping[str, np.ndarray]) -> Network:
    """The network with `weights`, a `state_dict` as arrays; no random number is drawn.

    Raises `CheckpointError` that names the first tensor that is missing, misshapen, not finite or extra.
    """
    with torch.device("meta"):
        network = build_network(spec)
    expected = network.state_dict()
    _refuse_other_weights(spec.name, {key: tuple(tensor.shape) for key, tensor in expected.items()}, weights)
    tensors = {key: torch.tensor(weights[key], dtype=tensor.dtype) for key, tensor in expected.items()}
    network.load_state_dict(tensors, assign=True)
    return network


def _refuse_other_weights(
    name: str, shapes: Mapping[str, tuple[int, ...]], weights: Mapping[str, np.ndarray]
) -> None:
    for key, shape in shapes.items():
        if key not in weights:
            raise CheckpointError(f"{name}: the weights lack {key}; take the checkpoint of this very network")
        if weights[key].shape != shape:
            raise CheckpointError(
                f"{name}: {key} must have the shape {shape}, got {weights[key].shape};"
                " take the checkpoint of this very network"
            )
        if not np.isfinite(weights[key]).all():
            raise CheckpointError(
                f"{name}: {key} holds numbers that are not finite, so its training went astray;"
                " take a checkpoint of an earlier epoch"
            )
    for key in weights:
        if key not in shapes:
            raise CheckpointError(f"{name}: it has no {key}; take the checkpoint of this very network")


def _build_layer(layer: LayerSpec, in_channels: int, out_channels: int) -> Layer:
    parts: OrderedDict[str, nn.Module] = OrderedDict({layer.op: _build_op(layer, in_channels, out_channels)})
    turns: Counter[str] = Counter()
    for step in layer.then:
        kind, rate = parse_step(step)
        turns[kind] += 1
        name = kind if turns[kind] == 1 else f"{kind}{turns[kind]}"
        parts[name] = _build_step(kind, rate, out_channels)
    return Layer(parts)


def _build_op(layer: LayerSpec, in_channels: int, out_channels: int) -> nn.Module:
    match layer.op:
        case "conv":
            return nn.Conv2d(
                in_channels=in_channels,
                out_channels=out_channels,
                kernel_size=_kernel(layer),
                stride=layer.stride,
                padding=layer.padding,
                dilation=layer.dilation,
                groups=layer.groups,
                bias=layer.bias,
            )
        case "max_pool":
            return nn.MaxPool2d(
                kernel_size=_kernel(layer),
                stride=layer.stride,
                padding=layer.padding,
                dilation=layer.dilation,
            )
        case "avg_pool":
            return nn.AvgPool2d(kernel_size=_kernel(layer), stride=layer.stride, padding=layer.padding)
        case "global_avg_pool":
            return nn.AdaptiveAvgPool2d(output_size=1)
        case "add":
            return Add()
        case "flatten":
            return Flatten()
        case "linear":
            return Linear(in_features=in_channels, out_features=out_channels, bias=layer.bias)


def _kernel(layer: LayerSpec) -> int:
    assert layer.kernel_size is not None  # a LayerSpec without it cannot be made
    return layer.kernel_size


def _build_step(kind: str, rate: float | None, channels: int) -> nn.Module:
    if kind == "batch_norm":
        return nn.BatchNorm2d(num_features=channels)
    if rate is not None:
        return Dropout(p=rate) if kind == "dropout" else nn.Dropout2d(p=rate)
    if kind == "log_softmax":
        return nn.LogSoftmax(dim=1)
    return PLAIN_STEPS[kind]()
