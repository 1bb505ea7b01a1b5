"""How the numbers of a layer come about, and what torch counts independently."""

from typing import Any

import streamlit as st

from core.network import LayerSizing, NetworkSpec
from core.network.proofs import explain_layer
from ui.layout import count, percent
from ui.network.words import shape_text

TITLES = {
    "output_shape": "Output size",
    "num_params": "Parameters",
    "macs": "Multiply-adds",
    "activation_bytes": "Memory",
    "receptive_field": "Receptive field",
    "effective_stride": "Effective stride",
    "effective_padding": "Effective padding",
    "coverage": "Coverage",
}
HOW = {
    "output_shape": "shape of the built module's output",
    "num_params": "elements of the built module's parameters",
    "macs": "half of torch's FlopCounterMode",
    "activation_bytes": "tensors that the module puts out",
    "receptive_field": "extent of a gradient, all weights 1",
    "effective_stride": "from one unit's gradient to the next's",
    "effective_padding": "where the first unit's gradient starts",
    "coverage": "pixels whose gradient is not 0",
}


def show_proofs(spec: NetworkSpec, sized: tuple[LayerSizing, ...], index: int) -> None:
    """The formulas of layer `index` with its own values; torch's own count on demand."""
    row = sized[index]
    with st.expander(f"How the numbers of {row.name} come about", icon=":material/function:"):
        st.markdown(
            "Primed letters are the layer's output, plain ones its input. **C** channels, **H** rows, **W** "
            "columns, **k** kernel size, **s** stride, **p** padding, **d** dilation, **g** groups; in "
            "pixels of the image: **r** receptive field, **j** effective stride, **P** effective padding."
        )
        with st.grid(min_column_width=330, gap="medium"):
            for formula in explain_layer(spec, sized, index):
                with st.container():
                    st.markdown(f"**{TITLES[formula.of]}**")
                    st.latex(formula.latex, width="content")
        if st.toggle("Let torch count this layer independently", key="network_see_count"):
            _comparison(row, _measure(spec, sized, index))


def _comparison(row: LayerSizing, measured: dict[str, Any]) -> None:
    """What the formulas say beside what torch measures."""
    names = [name for name, value in measured.items() if value is not None]
    st.table(
        {
            "": [TITLES[name] for name in names],
            "Formula": [_text(name, getattr(row, name)) for name in names],
            "Measured": [_text(name, measured[name]) for name in names],
            "Agree": [_verdict(getattr(row, name), measured[name]) for name in names],
            "Measured how": [HOW[name] for name in names],
        },
        hide_index=True,
        alt=f"Numbers of {row.name} by formula and as torch measures them",
    )
    if len(names) < len(measured):
        st.caption("The field is too large to be measured here from gradients.")


def _verdict(said: Any, measured: Any) -> str:
    is_same = abs(said - measured) < 1e-9 if isinstance(said, float) else said == measured
    return ":material/check: yes" if is_same else ":material/close: **no**"


def _text(name: str, value: Any) -> str:
    if name == "output_shape":
        return shape_text(value)
    if name == "coverage":
        return percent(value)
    units = {"activation_bytes": " bytes", "num_params": "", "macs": ""}
    return f"{count(value)}{units.get(name, ' px')}"


@st.cache_data(max_entries=64, show_spinner="Letting torch count …")
def _measure(spec: NetworkSpec, sized: tuple[LayerSizing, ...], index: int) -> dict[str, Any]:
    from core.network.measured_field import measure_layer

    return measure_layer(spec, sized, index)._asdict()
