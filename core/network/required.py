"""What a brief can require of a network, and where a network has it."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Literal

from core.network.reading import Reading, is_called_depthwise, is_depthwise, is_pointwise
from core.network.sizing import LayerSizing
from core.network.spec import LayerSpec

Required = Literal["downsampling_conv", "depthwise_separable", "dilated_conv", "global_avg_pool"]

Answer = tuple[bool, str]
"""Whether it is there, and which layers say so."""


def _find_downsampling(reading: Reading) -> Answer:
    for layer, row in _sized(reading):
        maps = f"{_map(row.input_shape)} to {_map(row.output_shape)}"
        if layer.op == "conv" and layer.stride > 1:
            return True, f"{layer.name} has stride {layer.stride} and takes {maps}"
        if layer.op == "conv" and layer.dilation > 1 and 2 * row.output_shape[1] <= row.input_shape[1] + 1:
            return True, f"{layer.name} has dilation {layer.dilation} and takes {maps}"
    return False, "no convolution has a stride above 1 or halves the map by its dilation"


def _find_separable(reading: Reading) -> Answer:
    nearest = ""
    sized = _sized(reading)
    for index, (layer, row) in enumerate(sized):
        channels = row.input_shape[0]
        after = reading.spec.layers[index + 1] if index + 1 < len(reading.spec.layers) else None
        if is_depthwise(layer, channels):
            if after is not None and is_pointwise(after):
                return True, f"{layer.name} has a group for each of {channels} channels, {after.name} is 1×1"
            found = f"{layer.name} is depthwise, but no 1×1 convolution of all channels follows it"
        elif layer.op == "conv" and 1 < layer.groups == channels:
            found = f"{layer.name} has a group for every channel, but a 1×1 kernel"
        elif layer.op == "conv" and (layer.groups > 1 or is_called_depthwise(layer)):
            found = f"{layer.name} has {layer.groups} group{'s' * (layer.groups > 1)} for {channels} channels"
        else:
            continue
        nearest = nearest or found
    return False, nearest or "no convolution has a group for every channel"


def _find_dilated(reading: Reading) -> Answer:
    for layer in reading.spec.layers:
        if layer.op == "conv" and layer.dilation > 1 and (layer.kernel_size or 1) > 1:
            return True, f"{layer.name} has dilation {layer.dilation}"
    return False, "no convolution larger than 1×1 has a dilation above 1"


def _find_global_pool(reading: Reading) -> Answer:
    nearest = "no average pool takes a map to 1×1"
    for layer, row in _sized(reading):
        if layer.op not in ("avg_pool", "global_avg_pool") or row.output_shape[1:] != (1, 1):
            continue
        window = layer.kernel_size - layer.padding if layer.kernel_size is not None else None
        if row.input_shape[1:] == (1, 1):
            nearest = f"{layer.name} takes in a 1×1 map, so there is nothing to average"
        elif window is not None and window < max(row.input_shape[1:]):
            nearest = f"{layer.name} averages {window}×{window} of a {_map(row.input_shape)} map"
        else:
            return True, f"{layer.name} averages the whole {_map(row.input_shape)} map"
    return False, nearest


def _sized(reading: Reading) -> list[tuple[LayerSpec, LayerSizing]]:
    return list(zip(reading.spec.layers, reading.rows, strict=False))


def _map(shape: tuple[int, int, int]) -> str:
    return f"{shape[1]}×{shape[2]}"


REQUIRED: Mapping[Required, tuple[str, Callable[[Reading], Answer]]] = MappingProxyType(
    {
        "downsampling_conv": ("downsampling by stride or dilation of a convolution", _find_downsampling),
        "depthwise_separable": ("a depthwise convolution with a 1×1 behind it", _find_separable),
        "dilated_conv": ("a dilated convolution", _find_dilated),
        "global_avg_pool": ("an average pool over the whole map", _find_global_pool),
    }
)
"""Each rule in words, and the search for it."""
