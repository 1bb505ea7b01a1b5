"""The fields of the chosen layer as widgets of their own: nothing to scroll to, and a step shows at once."""

from typing import Any

import streamlit as st

from core.network import LayerSpec, NetworkSpec
from core.network.spec import MAX_CHANNELS, STEPS, STEPS_WITH_RATE
from ui.network import actions
from ui.network.edit import USED
from ui.widgets import hold

NUMBERS = {
    "out_channels": ("Out", "Feature maps that conv puts out, or features that linear puts out"),
    "kernel_size": ("Kernel", "Height and width of the window"),
    "stride": ("Stride", "Pixels of its own input that the window moves"),
    "padding": ("Pad", "Zeros on every side"),
    "dilation": ("Dil", "Dilation: pixels between neighbouring taps of the window; 1 is dense"),
    "groups": ("Groups", "Groups of channels that do not see each other; as many as channels is depthwise"),
}
"""The whole numbers of a layer by field: what each is called, and what it is."""

LARGEST = {"out_channels": MAX_CHANNELS, "groups": MAX_CHANNELS}
LARGEST_PIXELS = 512
NUMBER_WIDTH = 125
"""Below 120 pixels the browser leaves out the buttons that step."""

STEP_OPTIONS = [
    *(step for step in STEPS if step not in STEPS_WITH_RATE),
    *(f"{step} {rate}" for step in STEPS_WITH_RATE for rate in ("0.05", "0.1", "0.2")),
]
"""What may follow a layer, with the usual rates."""

THEN_HELP = "What follows, in order. Type a rate of your own, as in dropout 0.07."
SOURCE_HELP = "For add: the earlier layer to sum with"


def layer_inspector(spec: NetworkSpec) -> None:
    """The fields that the op of the layer chosen in `network_layer` uses; each change is taken at once."""
    names = [layer.name for layer in spec.layers]
    index = names.index(st.session_state["network_layer"])
    layer = spec.layers[index]
    with st.container(horizontal=True, vertical_alignment="bottom", gap="xsmall", key="network_inspector"):
        _field("op", layer.op)
        st.selectbox("Op", list(USED), width=150, **_bound("op"))
        for field, (label, help) in NUMBERS.items():
            if field in USED[layer.op]:
                _number(layer, field, label, help)
        if "source" in USED[layer.op]:
            _field("source", layer.source)
            st.selectbox("Source", names[:index], width=150, help=SOURCE_HELP, **_bound("source"))
        if "bias" in USED[layer.op]:
            _field("bias", layer.bias)
            st.checkbox("Bias", **_bound("bias"))
        _field("then", list(layer.then))
        st.multiselect(
            "Then", step_options(spec), accept_new_options=True, width=260, help=THEN_HELP, **_bound("then")
        )
        _field("block", layer.block)
        st.text_input("Block", max_chars=60, width=160, **_bound("block"))
        _field("name", layer.name)
        st.text_input("Layer's name", max_chars=40, width=130, **_bound("name"))


def step_options(spec: NetworkSpec) -> list[str]:
    """What may be chosen to follow a layer: the usual steps, and those that `spec` has already."""
    present = [step for layer in spec.layers for step in layer.then]
    return list(dict.fromkeys([*STEP_OPTIONS, *present]))


def _number(layer: LayerSpec, field: str, label: str, help: str) -> None:
    _field(field, getattr(layer, field))
    st.number_input(
        label,
        min_value=0 if field == "padding" else 1,
        max_value=LARGEST.get(field, LARGEST_PIXELS),
        step=1,
        width=NUMBER_WIDTH,
        help=help,
        **_bound(field),
    )


def _field(field: str, value: Any) -> None:
    hold(actions.field_key(field), value)


def _bound(field: str) -> dict[str, Any]:
    """What every widget of the inspector shares: its key, and that its change is one of the layer."""
    return {"key": actions.field_key(field), "on_change": actions.change_field, "args": (field,)}
