"""The view in which a network is put together: the editable table, and what its layers cost and see."""

import streamlit as st

from core.errors import SizingError
from core.network import LayerSizing, NetworkSpec
from ui.network import blocks, charts, inspector, session, table


def show(spec: NetworkSpec, sized: tuple[LayerSizing, ...], misfit: SizingError | None) -> None:
    """Draw the view of `spec`, sized as far as it works: up to the layer that `misfit` names."""
    table.row_toolbar(spec)
    inspector.layer_inspector(spec)
    if misfit:
        st.warning(str(misfit), icon=":material/warning:")
    table.layer_editor(spec, sized, misfit)
    blocks.folded_table(spec, sized, session.shown_rows())
    if not sized:
        return
    image = max(spec.input_shape[1:])
    st.subheader("How far each layer sees", anchor="field")
    st.vega_lite_chart(
        charts.field_growth(sized, image),
        key="network_field_chart",
        alt=f"Receptive field by layer, up to {sized[-1].receptive_field} pixels; the image has {image}",
    )
    st.subheader("Where the parameters and multiply-adds are", anchor="cost")
    st.vega_lite_chart(
        charts.cost_by_layer(sized),
        key="network_cost_chart",
        alt="Share of each layer in all parameters and in all multiply-adds",
    )
    st.subheader("Layer by layer", anchor="layers")
    table.sizing_table(sized)
