"""What a pasted summary table leaves open, in words."""

from core.network import LayerSpec
from core.network.summary_layers import ReadLayer
from core.network.summary_table import (
    AFTER_LAYER,
    AFTER_NORM,
    AS_LISTED,
    BEFORE_NORM,
    LOG_SOFTMAX,
    SummaryReading,
)
from ui.network.words import shape_text
from ui.text import plain

ACTIVATIONS = {
    AS_LISTED: "None but those listed",
    BEFORE_NORM: "ReLU before every batch norm",
    AFTER_NORM: "ReLU after every batch norm",
    AFTER_LAYER: "ReLU after every convolution and linear layer but the last",
}
ENDINGS = {AS_LISTED: "Nothing", LOG_SOFTMAX: "Log-softmax"}
OPS = {"global_avg_pool": "global average pool", "max_pool": "max pool", "avg_pool": "average pool"}


def layer_text(layer: LayerSpec) -> str:
    """A candidate in words, as in kernel 3, stride 2, padding 0, dilation 2; a bias is not said."""
    words = [OPS[layer.op]] if layer.op in OPS else []
    if layer.kernel_size is not None:
        words += [f"kernel {layer.kernel_size}", f"stride {layer.stride}", f"padding {layer.padding}"]
    if layer.op == "conv":
        words += [f"dilation {layer.dilation}"]
        words += [f"groups {layer.groups}"] if layer.groups > 1 else []
        words += [] if layer.bias else ["no bias"]
    return ", ".join(words) or layer.op


def place(reading: SummaryReading, index: int) -> str:
    """Which layer it is, where in the text, and from which map to which."""
    layer = reading.layers[index]
    before = reading.layers[index - 1].output_shape if index else reading.input_shape
    row = f"{plain(layer.row.kind)} at line {layer.row.line}"
    what = row if layer.is_listed else f"no row, seen from {row}"
    return f"{index + 1} · {what} · {shape_text(before)} → {shape_text(layer.output_shape)}"


def option_text(layer: ReadLayer, choice: int) -> str:
    """A candidate as it is offered."""
    text = layer_text(layer.candidates[choice])
    return f"{text} (the plainest)" if choice == 0 else text
