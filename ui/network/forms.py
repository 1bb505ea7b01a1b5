"""Where a network comes from and goes to: presets, its name and classes, and JSON."""

import streamlit as st

from core.network import NetworkSpec
from core.network.library import SavedNetwork
from core.network.spec import MAX_CHANNELS
from core.spec import to_json
from ui import layout, widgets
from ui.network import actions, saved, session
from ui.network.session import Draft
from ui.text import file_stem, plain


def identity_form(draft: Draft) -> None:
    """The preset to start from, the network's name and its number of classes."""
    known = saved.known_networks()
    st.session_state["network_start"] = draft.start_key()
    st.session_state["network_name"] = draft.network.name
    st.session_state["network_classes"] = draft.network.num_classes
    start, name, classes = st.columns([5, 5, 2], vertical_alignment="bottom")
    start.selectbox(
        "Start from",
        list(known),
        key="network_start",
        format_func=lambda key: saved.title(key, known[key]),
        on_change=actions.start_from_choice,
        help="Puts the preset or saved network in hand; Undo brings back what you had.",
    )
    name.text_input("Name", key="network_name", max_chars=60, on_change=actions.rename)
    classes.number_input(
        "Classes",
        key="network_classes",
        min_value=1,
        max_value=MAX_CHANNELS,
        step=1,
        on_change=actions.change_classes,
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
            help="Put back what you started from; Undo brings back what you have.",
            on_click=actions.start_from,
            args=(draft.start_key(),),
            disabled=draft.network == saved.known_networks()[draft.start_key()],
        )
        _open_popover()
        _save_popover(draft.network)
        if can_work:
            layout.link_to("Train", "Train this network")


def _open_popover() -> None:
    """Networks saved here, JSON from a file, and JSON that is pasted."""
    with st.popover("Open", icon=":material/upload_file:", key="network_open", on_change="rerun"):
        _saved_choice()
        st.file_uploader(
            "A network in a JSON file",
            type="json",
            max_upload_size=1,
            key="network_file",
            on_change=actions.take_file,
        )
        with st.form("network_paste", border=False):
            st.text_area("Or paste its JSON", key="network_json", height=160)
            st.form_submit_button("Use this JSON", key="network_use_json", on_click=actions.take_text)


def _saved_choice() -> None:
    """The networks saved under a name, to open or delete; a damaged one says what is wrong with it."""
    known = {each.key: each for each in saved.saved_networks()}
    if not known:
        return
    key = st.selectbox(
        "Saved here", list(known), key="network_saved", format_func=lambda key: _saved_title(known[key])
    )
    chosen = known[str(key)]
    if chosen.problem:
        st.warning(plain(chosen.problem), icon=":material/warning:")
    with st.container(horizontal=True):
        st.button(
            "Open",
            key="network_open_saved",
            icon=":material/folder_open:",
            on_click=actions.open_saved,
            disabled=chosen.network is None,
        )
        st.button(
            "Delete",
            key="network_delete_saved",
            icon=":material/delete:",
            on_click=actions.delete_saved,
            help="Deletes the file for good.",
        )


def _saved_title(each: SavedNetwork) -> str:
    return each.network.name if each.network else f"⚠ {each.key}.json"


def _save_popover(spec: NetworkSpec) -> None:
    """Keep the network here under a name, or take it away as JSON."""
    with st.popover("Save", icon=":material/save:", key="network_save_popover", on_change="rerun"):
        widgets.hold("network_save_name", spec.name)
        with st.form("network_save_form", border=False):
            st.text_input("Save here as", key="network_save_name", max_chars=60)
            st.form_submit_button(
                "Save",
                key="network_save_here",
                on_click=actions.save,
                help="Takes the place of what is saved under the same name.",
            )
        st.download_button(
            "Download JSON",
            lambda: to_json(spec),
            f"{file_stem(spec.name, 'network')}.json",
            "application/json",
            key="network_save",
            help="The link in the address bar holds the whole network as well.",
            icon=":material/download:",
            on_click="ignore",
        )
