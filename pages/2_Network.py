"""Network: assemble a network layer by layer, and see what every layer costs and sees."""

import streamlit as st

from core.errors import SizingError
from core.network import presets, size_network
from ui import layout
from ui.network import charts, forms, session, table
from ui.network.totals import pinned_totals

layout.page_header("Network", "Assemble a network layer by layer, and see what every layer costs and sees.")

draft = session.open_draft()
spec = draft.network
try:
    sizing = size_network(spec)
    sized, misfit = sizing.layers, None
except SizingError as error:
    sizing, sized, misfit = None, error.sized, error

forms.identity_form(draft)
forms.network_toolbar(draft, can_work=misfit is None)
table.row_toolbar(spec)
for refusal in session.refusals():
    st.error(refusal, icon=":material/undo:")
if misfit:
    st.warning(str(misfit), icon=":material/warning:")
table.layer_editor(spec, sized, misfit)

start = presets()[draft.start]
pinned_totals(spec, sizing, size_network(start), start.name)
if not sized:
    st.stop()

image = max(spec.input_shape[1:])
st.subheader("How far each layer sees", anchor="field")
st.altair_chart(
    charts.field_growth(sized, image),
    key="network_field_chart",
    alt=f"Receptive field by layer, up to {sized[-1].receptive_field} pixels; the image has {image}",
)
st.subheader("Where the parameters and multiply-adds are", anchor="cost")
st.altair_chart(
    charts.cost_by_layer(sized),
    key="network_cost_chart",
    alt="Share of each layer in all parameters and in all multiply-adds",
)
st.subheader("Layer by layer", anchor="layers")
table.sizing_table(sized)
