"""How findings say things."""

from collections.abc import Iterable, Sequence

from core.network.sizing import LayerSizing
from core.network.spec import LayerSpec

FIELDS = ("out_channels", "kernel_size", "stride", "padding", "dilation", "groups")


def listed(names: Iterable[object]) -> str:
    """As in "conv1, conv2 and conv3"."""
    *most, last = map(str, names)
    return f"{', '.join(most)} and {last}" if most else last


def counted(number: int, noun: str) -> str:
    """As in "1 group" and "1,024 groups"."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def map_size(shape: Sequence[int]) -> str:
    """As in "14×14", of a shape (C, H, W)."""
    return f"{shape[1]}×{shape[2]}"


def window(layer: LayerSpec) -> str:
    """As in "kernel 3, stride 2, padding 1"; padding and dilation are said where they matter."""
    words = [f"kernel {layer.kernel_size}", f"stride {layer.stride}"]
    words += [f"padding {layer.padding}"] if layer.padding else []
    words += [f"dilation {layer.dilation}"] if layer.dilation > 1 else []
    return ", ".join(words)


def change(old: LayerSpec, new: LayerSpec) -> str:
    """As in "set kernel_size to 3 and padding to 1"."""
    if new.op != old.op:
        return f"make it a {new.op}"
    changed = [field for field in FIELDS if getattr(new, field) != getattr(old, field)]
    return "set " + listed(f"{field} to {getattr(new, field)}" for field in changed)


def conv_weights(layer: LayerSpec, row: LayerSizing) -> int:
    """The weights of a `conv` or `linear`, without biases."""
    _, rows, columns = row.output_shape
    return row.macs // (rows * columns)
