"""Where a network comes from and goes to: presets, its name and classes, and JSON."""

import re

import streamlit as st

from core.network import presets
from core.network.spec import MAX_CHANNELS
from core.spec import to_json
from ui import layout
from ui.network import session
from ui.network.session import Draft


def identity_form(draft: Draft) -> None:
    """The preset to start from, the network's name and its number of classes."""
    known = presets()
    st.session_state["network_start"] = draft.start
    st.session_state["network_name"] = draft.network.name
    st.session_state["network_classes"] = draft.network.num_classes
    start, name, classes = st.columns([5, 5, 2], vertical_alignment="bottom")
    start.selectbox(
        "Start from",
        list(known),
        key="network_start",
        format_func=lambda key: known[key].name,
        on_change=session.start_from_choice,
        help="Puts the preset in hand; Undo brings back what you had.",
    )
    name.text_input("Name", key="network_name", max_chars=60, on_change=session.rename)
    classes.number_input(
        "Classes",
        key="network_classes",
        min_value=1,
        max_value=MAX_CHANNELS,
        step=1,
        on_change=session.change_classes,
        help="The last layer follows, where it gives one score for each class.",
    )


def network_toolbar(draft: Draft, can_work: bool) -> None:
    """Undo, redo, start over, JSON in and out, and the way on to training a network that `can_work`."""
    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall"):
        st.button(
            "Undo",
            key="network_undo",
            icon=":material/undo:",
            on_click=session.undo,
            disabled=not session.can_undo(),
            shortcut="Ctrl+Z",
        )
        st.button(
            "Redo",
            key="network_redo",
            icon=":material/redo:",
            on_click=session.redo,
            disabled=not session.can_redo(),
            shortcut="Ctrl+Shift+Z",
        )
        st.button(
            "Start over",
            key="network_restart",
            icon=":material/restart_alt:",
            help="Put the preset in hand again as it was; Undo brings back what you have.",
            on_click=session.start_from,
            args=(draft.start,),
            disabled=draft.network == presets()[draft.start],
        )
        with st.popover("Open", icon=":material/upload_file:", key="network_open", on_change="rerun"):
            st.file_uploader(
                "A network that was saved here",
                type="json",
                max_upload_size=1,
                key="network_file",
                on_change=session.take_file,
            )
            with st.form("network_paste", border=False):
                st.text_area("Or paste its JSON", key="network_json", height=160)
                st.form_submit_button("Use this JSON", key="network_use_json", on_click=session.take_text)
        st.download_button(
            "Save",
            to_json(draft.network),
            f"{_slug(draft.network.name)}.json",
            "application/json",
            key="network_save",
            help="As JSON. The link in the address bar holds the whole network as well.",
            icon=":material/download:",
            on_click="ignore",
        )
        if can_work:
            layout.link_to("Train", "Train this network")


def _slug(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_") or "network"
