"""What the Convolutions page asks: the operation, its settings, the picture, and which unit to look at.

Every answer is in the link under its key. An operation that starts best from a value of its own, such as
strided from stride 2, keeps that setting under a key of its own.
"""

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import streamlit as st

from core.network.lesson import SETTINGS, Lesson, Operation
from core.network.lesson_grids import KERNELS, PATTERNS, make_weights
from core.network.spec import LayerSpec

LABELS: dict[Operation, str] = {
    "standard": "Standard",
    "strided": "Strided",
    "dilated": "Dilated",
    "grouped": "Grouped",
    "depthwise": "Depthwise",
    "pointwise": "Pointwise",
    "separable": "Depthwise-separable",
    "max_pool": "Max pooling",
    "avg_pool": "Average pooling",
}

POSITION = "convolutions_position"
"""The key of the output unit's number, row by row."""
AT = "convolutions_at"
"""The same as last drawn: a key pressed soon after another brings the old value of the slider along."""
IMAGE = "image"
PATTERN_LABELS = {
    "edge": "Edge",
    "ramp": "Ramp",
    "checkerboard": "Checkerboard",
    "dot": "Single dot",
    IMAGE: "Test image",
}
KERNEL_LABELS = {
    "edge": "Edge (Sobel)",
    "blur": "Blur",
    "sharpen": "Sharpen",
    "ones": "Ones",
    "random": "Random",
}

SIZE = ("Grid size", 5, 12, 8)
FIELDS = {
    "kernel_size": ("Kernel size", 1, 5, 3),
    "stride": ("Stride", 1, 4, 1),
    "padding": ("Padding", 0, 4, 1),
    "dilation": ("Dilation", 1, 4, 1),
    "groups": ("Groups", 1, 128, 2),
    "in_channels": ("Input channels", 1, 128, 1),
    "out_channels": ("Output channels", 1, 128, 1),
}
"""Label, least, most and start of each setting."""
_POOL = {"kernel_size": 2, "stride": 2, "padding": 0}
STARTS: dict[str, dict[str, int]] = {
    "strided": {"stride": 2},
    "dilated": {"dilation": 2, "padding": 2},
    "grouped": {"in_channels": 4, "out_channels": 8},
    "depthwise": {"in_channels": 4},
    "pointwise": {"in_channels": 4, "out_channels": 3},
    "separable": {"in_channels": 4, "out_channels": 6},
    "max_pool": _POOL,
    "avg_pool": _POOL,
}
"""Where an operation starts from a value of its own."""


@dataclass(frozen=True, slots=True)
class Picture:
    """What the numbers in the grids are made from."""

    pattern: str
    image: int
    """The number of the test image, from 0, for the pattern `image`."""
    kernel: str
    mix: str
    """The weights of a pointwise layer: `ones` or `random`."""
    seed: int


def operation_choice() -> Operation:
    """Which operation the page explains."""
    chosen: Operation = st.segmented_control(
        "Operation",
        get_args(Operation),
        default="standard",
        required=True,
        key="convolutions_operation",
        format_func=lambda operation: LABELS[operation],
        label_visibility="collapsed",
        bind="query-params",
    )
    return chosen


def settings_form(operation: Operation) -> Lesson:
    """The settings that `operation` has."""
    given = {"size": _number("convolutions_size", *SIZE)}
    for field in SETTINGS[operation]:
        label, least, most, start = FIELDS[field]
        own = STARTS.get(operation, {})
        key = f"convolutions_{operation}_{field}" if field in own else f"convolutions_{field}"
        if operation == "depthwise" and field == "in_channels":
            label = "Channels"
        given[field] = _number(key, label, least, most, own.get(field, start))
    return Lesson(operation=operation, **given)


def picture_form(layers: tuple[LayerSpec, ...], num_images: int) -> Picture:
    """The pattern of the input and the weights, as far as `layers` have any."""
    pattern = _choice("convolutions_pattern", "Input", (*PATTERNS, IMAGE), PATTERN_LABELS)
    image = _number("convolutions_image", "Image number", 0, num_images - 1, 0) if pattern == IMAGE else 0
    kernel, mix, seed = "ones", "random", 0
    if any(layer.op == "conv" and layer.name != "pointwise" for layer in layers):
        kernel = _choice("convolutions_kernel", "Kernel", KERNELS, KERNEL_LABELS)
    has_pointwise = any(layer.name == "pointwise" for layer in layers)
    if has_pointwise:
        mix = _choice("convolutions_mix", "Pointwise weights", ("random", "ones"), KERNEL_LABELS)
    if kernel == "random" or (has_pointwise and mix == "random"):
        seed = _number("convolutions_seed", "Seed", 0, 999, 0)
    return Picture(pattern, image, kernel, mix, seed)


def make_all_weights(
    layers: tuple[LayerSpec, ...], in_channels: int, picture: Picture
) -> list[np.ndarray | None]:
    """The weights of every layer, as `make_weights` gives them."""
    weights = []
    for layer in layers:
        kernel = picture.mix if layer.name == "pointwise" else picture.kernel
        weights.append(make_weights(layer, in_channels, kernel, picture.seed))
        in_channels = layer.out_channels or in_channels
    return weights


def layer_choice(layers: tuple[LayerSpec, ...]) -> int:
    """Which layer of the operation to look at, from 0."""
    if len(layers) == 1:
        return 0
    chosen: int = st.segmented_control(
        "Layer shown",
        range(len(layers)),
        default=0,
        required=True,
        key="convolutions_layer",
        format_func=lambda index: f"{index + 1} · {layers[index].name}",
        bind="query-params",
    )
    return chosen


def channel_choice(name: str, label: str, channels: range) -> int:
    """A channel, from 0, out of `channels`; people count from 1, and one channel is no question."""
    if len(channels) == 1:
        return channels.start
    first = channels.start + 1
    chosen = _number(f"convolutions_{name}", label, first, channels.stop, first, width=165)
    return chosen - 1


def position_choice(rows: int, columns: int) -> tuple[int, int]:
    """Row and column of the output unit to look at: by slider, buttons or the keys P and N."""
    last = rows * columns - 1
    if last == 0:
        return 0, 0
    _keep_within(POSITION, 0, last)

    def step(by: int) -> None:
        go_to((st.session_state[AT] + by) % (last + 1))

    st.button(
        "Previous",
        key="convolutions_previous",
        icon=":material/arrow_back:",
        shortcut="P",
        on_click=step,
        args=(-1,),
    )
    st.button(
        "Next",
        key="convolutions_next",
        icon=":material/arrow_forward:",
        type="primary",
        shortcut="N",
        on_click=step,
        args=(1,),
    )
    position: int = st.slider("Output unit, row by row", 0, last, key=POSITION, bind="query-params")
    st.session_state[AT] = position
    return divmod(position, columns)


def go_to(position: int) -> None:
    """Move to an output unit, from a callback."""
    st.session_state[POSITION] = st.session_state[AT] = position


def _number(
    key: str, label: str, least: int, most: int, start: int, width: int | Literal["stretch"] = "stretch"
) -> int:
    _keep_within(key, least, most)
    number: int = st.number_input(label, least, most, start, key=key, width=width, bind="query-params")
    return number


def _choice(key: str, label: str, options: tuple[str, ...], labels: dict[str, str]) -> str:
    chosen: str = st.selectbox(label, options, key=key, format_func=labels.__getitem__, bind="query-params")
    return chosen


def _keep_within(key: str, least: int, most: int) -> None:
    """Bring a value that an earlier setting allowed into what this one allows."""
    if key in st.session_state:
        value = min(max(st.session_state[key], least), most)
        if value != st.session_state[key]:
            st.session_state[key] = value
