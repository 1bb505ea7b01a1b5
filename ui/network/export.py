"""The view in which a network leaves the app, as source, table or JSON, and comes in from a pasted table."""

import streamlit as st

from core.errors import SizingError
from core.network import LayerSizing, NetworkSpec
from core.network.export import to_python, to_summary_table
from core.spec import to_json
from ui.network import reading
from ui.text import file_stem, plain

PYTHON, TABLE, JSON = "PyTorch module", "Summary table", "JSON"
CODE_HEIGHT = 520
"""Pixels; what is longer scrolls, and the copy button still takes all of it."""


def show(spec: NetworkSpec, sized: tuple[LayerSizing, ...], misfit: SizingError | None) -> None:
    """Draw the view; of a network that `misfit` stops only JSON can be taken away."""
    st.subheader("Take it away", anchor="away")
    if misfit:
        st.warning(
            f"{plain(str(misfit))}. Until every layer works, there is no module and no table, only JSON.",
            icon=":material/warning:",
        )
        _json(spec)
    else:
        form = st.segmented_control(
            "Form",
            [PYTHON, TABLE, JSON],
            default=PYTHON,
            required=True,
            key="network_export_form",
            label_visibility="collapsed",
            persist_state="session",
        )
        {PYTHON: _python, TABLE: _table, JSON: _json}[str(form)](spec)
    st.subheader("From a table", anchor="from-table")
    reading.table_view()


def _python(spec: NetworkSpec) -> None:
    source = to_python(spec)
    _offer("Download Python", source, f"{file_stem(spec.name, 'network')}.py", "text/x-python", "python")
    st.caption(
        "Depends on torch alone. Its weights have the order and the shapes of those trained here; its names"
        " are its own."
    )
    st.code(source, language="python", height=CODE_HEIGHT)


def _table(spec: NetworkSpec) -> None:
    table = to_summary_table(spec)
    _offer("Download table", table, f"{file_stem(spec.name, 'network')}.txt", "text/plain", "table")
    st.caption("What torchsummary prints of the exported module; sizes are of one image, in MB of 2²⁰ bytes.")
    num_adds = sum(layer.op == "add" for layer in spec.layers)
    if num_adds:
        st.info(
            f"Adds have no rows of their own: {num_adds} of this network's {len(spec.layers)} layers"
            f" {'is an add' if num_adds == 1 else 'are adds'}, so the table alone does not bring it back."
            " JSON does.",
            icon=":material/info:",
        )
    st.code(table, language=None, height=CODE_HEIGHT)


def _json(spec: NetworkSpec) -> None:
    text = to_json(spec)
    _offer("Download JSON", text, f"{file_stem(spec.name, 'network')}.json", "application/json", "json")
    st.caption("Everything that this page knows of the network; Open reads it back.")
    st.code(text, language="json", height=CODE_HEIGHT)


def _offer(label: str, text: str, file_name: str, mime: str, form: str) -> None:
    """Offer `text`, handed over on the click: what is handed over before is gone again after a quick edit."""
    st.download_button(
        label,
        lambda: text,
        file_name,
        mime,
        key=f"network_export_download_{form}",
        icon=":material/download:",
        on_click="ignore",
    )
