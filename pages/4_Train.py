"""Train: put network, augmentation and recipe together, start a run, and watch it live."""

import streamlit as st

from core.errors import ConvScopeError
from ui import layout
from ui.text import plain
from ui.training import ablation_view, compare, new_run, replay, run_view, stepping

layout.page_header(
    "Train", "A run goes on in its own process: close this tab or restart the app, and nothing is lost."
)

VIEWS = {
    "New run": new_run.show,
    "Runs": run_view.show,
    "Compare": compare.show,
    "Ablation": ablation_view.show,
    "Replay": replay.show,
    "Single steps": stepping.show,
}

if started := st.session_state.pop("train_started", None):
    st.session_state["train_view"] = "Runs"
    st.session_state["train_run"] = started
view = st.segmented_control(
    "Show", list(VIEWS), key="train_view", default="New run", required=True,
    label_visibility="collapsed", bind="query-params",
)  # fmt: skip

try:
    VIEWS[str(view)]()
except ConvScopeError as error:
    layout.stop_with(plain(str(error)))
