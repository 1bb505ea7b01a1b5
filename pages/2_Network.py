"""Network: assemble a network layer by layer, see what every layer costs and sees, and have it judged."""

import time

import streamlit as st

from core.errors import SizingError
from core.network import size_network
from ui import layout
from ui.network import assemble, compare, export, forms, judge, saved, see, session, swap
from ui.network.totals import pinned_totals

VIEWS = {
    "Assemble": assemble.show,
    "See": see.show,
    "Judge": judge.show,
    "Compare": compare.show,
    "Swap": swap.show,
    "Export": export.show,
}

# The browser draws what has come only when the stream of messages pauses; without, it is 20 ms later.
PAUSE = 0.025  # seconds

# The totals go first, so that the browser has them in the first part of a run that it draws.
header = st.container()
draft = session.open_draft()
spec = draft.network
try:
    sizing = size_network(spec)
    sized, misfit = sizing.layers, None
except SizingError as error:
    sizing, sized, misfit = None, error.sized, error

start = saved.known_networks()[draft.start_key()]
pinned_totals(spec, sizing, saved.size(start), start.name, judge.judge(spec))
time.sleep(PAUSE)
with header:
    layout.page_header(
        "Network", "Assemble a network layer by layer, and see what every layer costs and sees."
    )
forms.identity_form(draft)
forms.network_toolbar(draft, can_work=misfit is None)
for refusal in session.refusals():
    st.error(refusal, icon=":material/undo:")

view = st.segmented_control(
    "View",
    list(VIEWS),
    default="Assemble",
    required=True,
    key="network_view",
    label_visibility="collapsed",
    bind="query-params",
)
VIEWS[str(view)](spec, sized, misfit)
