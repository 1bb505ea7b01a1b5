"""What the buttons and forms of the Network page do to the network in hand, as callbacks."""

from collections.abc import Callable
from dataclasses import replace

import streamlit as st

from core.errors import SpecError
from core.network import NetworkSpec, find_problems
from core.network.blocks import insert_block as with_block
from core.network.library import delete_network, save_network
from core.spec import MAX_LINK_BYTES, from_json
from ui.network import edit, saved, session
from ui.text import plain


def start_from_choice() -> None:
    """Start from the preset that was chosen in `network_start`."""
    start_from(st.session_state["network_start"])


def start_from(key: str) -> None:
    """Put the preset or saved network `key` in hand, if it is still there."""
    known = saved.known_networks()
    if key in known:
        session.change(lambda draft: session.Draft(known[key], key))


def save() -> None:
    """Keep the network under what was typed into `network_save_name`, which becomes its name."""
    name = st.session_state["network_save_name"].strip()
    session.take_cells()
    if session.change_network(lambda spec: _saved(spec, name)):
        st.session_state["network_save_popover"] = False
        st.toast(f"Saved as {plain(name)}", icon=":material/check:")


def _saved(spec: NetworkSpec, name: str) -> NetworkSpec:
    save_network(spec, name, saved.folder())
    return replace(spec, name=name)


def open_saved() -> None:
    """Start from the saved network that was chosen in `network_saved`."""
    start_from(saved.start_key(st.session_state["network_saved"]))
    st.session_state["network_open"] = False


def delete_saved() -> None:
    """Delete the file of the saved network that was chosen in `network_saved`."""
    try:
        delete_network(st.session_state["network_saved"], saved.folder())
    except SpecError as error:
        session.refuse(str(error))


def rename() -> None:
    """Call the network what was typed into `network_name`."""
    session.change_network(lambda spec: replace(spec, name=st.session_state["network_name"].strip()))


def change_classes() -> None:
    """Take the number of classes from `network_classes`."""
    session.change_network(lambda spec: edit.change_classes(spec, st.session_state["network_classes"]))


def change_chosen(action: str) -> None:
    """Do that to the layer chosen in `network_layer`, also where a click follows fast upon another."""
    names = [layer.name for layer in session.take_cells().layers]
    if st.session_state["network_layer"] in names:
        change_rows(action, names.index(st.session_state["network_layer"]))


def field_key(field: str) -> str:
    """The key of the widget for `field` of the chosen layer."""
    return f"network_field_{field}"


def change_field(field: str) -> None:
    """Take `field` of the layer chosen in `network_layer` from its widget."""
    session.change_field(st.session_state["network_layer"], field, st.session_state[field_key(field)])


def insert_block(kind: str) -> None:
    """Put a block of `kind` in on the `network_block_side` of the layer chosen in `network_layer`.

    It puts out `network_block_channels`. The layer chosen then is such that the next block can follow on.
    """
    names = [layer.name for layer in session.take_cells().layers]
    if st.session_state["network_layer"] not in names:
        return
    is_below = st.session_state["network_block_side"] == "below"
    index = names.index(st.session_state["network_layer"]) + is_below
    channels = st.session_state["network_block_channels"]
    if session.change_network(lambda spec: with_block(spec, index, kind, channels)):
        layers = session.present().network.layers
        last = index + len(layers) - len(names) - 1
        st.session_state["network_layer"] = layers[last if is_below else index].name
        st.session_state["network_insert_block"] = False


def apply_remedy(kind: str, name: str) -> None:
    """Do what the finding of this kind about the layer `name` says, if there still is such a finding."""
    for finding in find_problems(session.take_cells()):
        if (finding.kind, finding.name) == (kind, name) and finding.remedied is not None:
            _put(finding.remedied)
            st.toast(plain(f"{name}: {finding.remedy}"), icon=":material/check:")
            return


def apply_remedies(kind: str) -> None:
    """Do what every finding of this kind says, as one change; a remedy may cure several or bring others."""
    spec = session.take_cells()
    for _ in spec.layers:
        remedied = [each.remedied for each in find_problems(spec) if each.kind == kind and each.remedied]
        if not remedied:
            break
        spec = remedied[0]
    _put(spec)


def change_rows(action: str, index: int) -> None:
    """Insert above or below, duplicate, move or delete the layer `index`, and choose the one that results."""
    layers = session.take_cells().layers
    if not 0 <= index < len(layers):  # a click on a row that is gone by now
        return
    block = layers[index].block
    actions: dict[str, tuple[Callable[[NetworkSpec], NetworkSpec], int]] = {
        "insert_above": (lambda spec: edit.insert_layer(spec, index, block), index),
        "insert_below": (lambda spec: edit.insert_layer(spec, index + 1, block), index + 1),
        "duplicate": (lambda spec: edit.duplicate_layer(spec, index), index + 1),
        "move_up": (lambda spec: edit.move_layer(spec, index, -1), index - 1),
        "move_down": (lambda spec: edit.move_layer(spec, index, 1), index + 1),
        "delete": (lambda spec: edit.delete_layer(spec, index), index),
    }
    make, chosen = actions[action]
    if session.change_network(make):
        layers = session.present().network.layers
        st.session_state["network_layer"] = layers[min(max(chosen, 0), len(layers) - 1)].name


def take_file() -> None:
    """Read the network in the file that was dropped on `network_file`."""
    file = st.session_state["network_file"]
    if file is not None:
        read_json(file.getvalue())


def take_text() -> None:
    """Read the network that was pasted into `network_json`."""
    read_json(st.session_state["network_json"].encode())


def read_json(text: bytes) -> None:
    """Put the network that `text` describes in hand."""

    def read(_: NetworkSpec) -> NetworkSpec:
        if len(text) > MAX_LINK_BYTES:
            raise SpecError(f"a network takes at most {MAX_LINK_BYTES:,} bytes of JSON, got {len(text):,}")
        return from_json(NetworkSpec, text)

    if session.change_network(read):
        st.session_state["network_open"] = False


def _put(spec: NetworkSpec) -> None:
    session.change_network(lambda _: spec)
