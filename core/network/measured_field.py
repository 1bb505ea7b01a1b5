"""What a built network really sees and costs: gradients at one unit, and one layer counted by torch itself.

The measured receptive field is that of Luo et al., "Understanding the Effective Receptive Field in Deep
Convolutional Neural Networks" (2016), with the sizes of gradients averaged and not the gradients, so that
opposite signs do not hide a pixel.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import conv2d

from core.network.build import Network, build_network
from core.network.predict import normalise
from core.network.sizing import LayerSizing, Shape
from core.network.spec import LayerSpec, NetworkSpec

MAX_CHANNELS = 16
"""Channels of the unit that are averaged over, evenly spread."""
MAX_SIDE = 512
"""Input pixels: the largest image on which the extent of a field is measured."""


class MeasuredLayer(NamedTuple):
    """What torch counts for one layer; the fields mean what they mean in `LayerSizing`."""

    output_shape: Shape
    num_params: int
    """Elements of the parameters of the built module."""
    macs: int
    """Half of what torch's `FlopCounterMode` counts: it too leaves out biases, batch norm, pools and adds."""
    activation_bytes: int
    """Of every tensor that the module puts out anew."""
    receptive_field: int | None
    """From the extent of a gradient; as the next three None where that takes more than `MAX_SIDE` pixels."""
    effective_stride: int | None
    effective_padding: int | None
    coverage: float | None


def initial_network(spec: NetworkSpec, sized: Sequence[LayerSizing], seed: int) -> Network:
    """The network as torch initialises it from `seed`, as far as it is sized.

    The global generator is left alone. A network that cannot work to its end is cut after its last sized
    layer and given some head.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return build_network(_cut(spec, sized))


def measure_field(
    network: Network,
    layer: str,
    unit: tuple[int, int],
    images: np.ndarray,
    mean: Sequence[float],
    std: Sequence[float],
) -> np.ndarray:
    """(H, W) float64: mean size of the gradient of `layer`'s `unit` (row, column) by each pixel of the image.

    In evaluation mode, in which the network is left; over `images` (N, H, W, 3) uint8 of the network's own
    height and width, normalised by `mean` and `std`, over the colours, and over at most `MAX_CHANNELS`
    channels. A network that does not take three channels gets the grey image in each.
    """
    pixels = normalise(images, mean, std, "cpu")
    channels = network.spec.input_shape[0]
    if channels != 3:
        pixels = pixels.mean(dim=1, keepdim=True).expand(-1, channels, -1, -1).clone()
    pixels.requires_grad_()
    outputs: list[Tensor] = []
    module = dict(network.named_children())[layer]
    hook = module.register_forward_hook(lambda _module, _inputs, output: outputs.append(output))
    try:
        network.eval()(pixels)
    finally:
        hook.remove()
    units = outputs[0][:, :, unit[0], unit[1]].sum(dim=0)
    chosen = np.unique(np.linspace(0, len(units) - 1, min(len(units), MAX_CHANNELS)).round().astype(int))
    total = torch.zeros(pixels.shape[2:], dtype=torch.float64)
    for channel in chosen.tolist():
        (gradient,) = torch.autograd.grad(units[channel], pixels, retain_graph=True)
        total += gradient.abs().double().mean(dim=(0, 1))
    mean_size: np.ndarray = (total / len(chosen)).numpy()
    return mean_size


def measure_layer(spec: NetworkSpec, sized: Sequence[LayerSizing], index: int) -> MeasuredLayer:
    """Let torch count the sized layer `index`, on its meta device, and measure its field from gradients."""
    from torch.utils.flop_counter import (
        FlopCounterMode,
    )  # brings in Triton where there is one: not for gradients

    with torch.device("meta"):
        module = dict(build_network(_cut(spec, sized[: index + 1])).named_children())[spec.layers[index].name]
        # Two images, since batch normalisation refuses to train on a single value.
        inputs = torch.empty(2, *sized[index].input_shape)
    others = [] if spec.layers[index].source is None else [inputs]
    num_bytes = 0
    with FlopCounterMode(display=False) as counter:
        outputs = inputs
        for place, part in enumerate(module.children()):
            before = _origin(outputs)
            outputs = part(outputs, *others) if place == 0 else part(outputs)
            num_bytes += 0 if _origin(outputs) is before else outputs.nbytes
    return MeasuredLayer(
        (outputs.shape[1], outputs.shape[2], outputs.shape[3]),
        sum(parameter.numel() for parameter in module.parameters()),
        counter.get_total_flops() // 4,
        num_bytes // 2,
        *_measure_extent(spec, sized, index),
    )


def _cut(spec: NetworkSpec, sized: Sequence[LayerSizing]) -> NetworkSpec:
    """A network of the sized layers alone, with a head where they do not put out scores."""
    if len(sized) == len(spec.layers):
        return spec
    channels, *sides = sized[-1].output_shape
    name = next(name for name in (f"head{turn}" for turn in range(99)) if not _has(spec, name))
    if sides == [1, 1]:
        head, num_classes = LayerSpec(op="linear", name=name, out_channels=1), 1
    else:
        head, num_classes = LayerSpec(op="global_avg_pool", name=name), channels
    return replace(spec, layers=(*spec.layers[: len(sized)], head), num_classes=num_classes)


def _origin(tensor: Tensor) -> Tensor:
    """The tensor that holds the memory."""
    return tensor if tensor._base is None else tensor._base


def _has(spec: NetworkSpec, name: str) -> bool:
    return any(layer.name == name for layer in spec.layers)


def _measure_extent(
    spec: NetworkSpec, sized: Sequence[LayerSizing], index: int
) -> tuple[int, int, int, float] | tuple[None, None, None, None]:
    """Field, stride, padding and coverage from the gradients of two neighbours far from the image's edge."""
    said = sized[index]
    side = said.receptive_field + 2 * (said.effective_padding + said.effective_stride)
    if side > MAX_SIDE:
        return None, None, None, None
    image = torch.zeros(1, 1, side, side, dtype=torch.float64, requires_grad=True)
    units = _run_on_ones(spec, sized, index, image)[0, 0]
    first = -(-said.effective_padding // said.effective_stride)
    starts, extent, coverage = [], 0, 0.0
    for unit in (first, first + 1):
        (gradient,) = torch.autograd.grad(units[unit, unit], image, retain_graph=True)
        reached = gradient[0, 0] != 0
        rows, columns = (reached.any(dim=axis).nonzero().flatten() for axis in (1, 0))
        height, width = int(rows[-1] - rows[0]) + 1, int(columns[-1] - columns[0]) + 1
        starts.append(int(rows[0]))
        extent, coverage = max(height, width), int(reached.sum()) / (height * width)
    stride = starts[1] - starts[0]
    return extent, stride, first * stride - starts[0], coverage


def _run_on_ones(spec: NetworkSpec, sized: Sequence[LayerSizing], index: int, image: Tensor) -> Tensor:
    """The map of layer `index` on one channel, all weights 1, without biases and steps, and pools as sums.

    What takes in a whole map becomes a window of that map's size, so that its unit keeps to its place.
    """
    maps: dict[str, Tensor] = {}
    outputs = image
    for layer, row in zip(spec.layers[: index + 1], sized, strict=False):
        if layer.source is not None:
            outputs = outputs + maps[layer.source]
        elif layer.kernel_size is not None:
            taps = torch.ones(1, 1, layer.kernel_size, layer.kernel_size, dtype=image.dtype)
            outputs = conv2d(
                outputs, taps, stride=layer.stride, padding=layer.padding, dilation=layer.dilation
            )
        elif layer.op != "linear":
            outputs = conv2d(outputs, torch.ones(1, 1, *row.input_shape[1:], dtype=image.dtype))
        maps[layer.name] = outputs
    return outputs
