"""The network that the Network page edits: its history in the session, and every way to change it.

A change is a callback: it takes in what was typed into the table, makes the new network, and puts it in hand.
What breaks a rule is refused with a message, and the network in hand stays.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import streamlit as st

from core.errors import SpecError
from core.network import NetworkSpec, find_problems
from core.network.blocks import insert_block as with_block
from core.network.library import delete_network, save_network
from core.spec import MAX_LINK_BYTES, from_json
from ui import state
from ui.network import edit, saved
from ui.network.history import History


@dataclass(frozen=True, slots=True)
class Draft:
    """A network, and the key of the preset or saved network that it started from."""

    network: NetworkSpec
    start: str

    def start_key(self) -> str:
        """The key in `saved.known_networks()`; the default's where the saved network is gone."""
        return self.start if self.start in saved.known_networks() else state.DEFAULT_NETWORK


def open_draft() -> Draft:
    """The network in hand, with what was typed into the table since; the page calls this first."""
    spec = state.current_network()
    history: History[Draft] | None = st.session_state.get("network_history")
    if history is None:
        _keep(History(Draft(spec, _start_of(spec))))
    elif history.present.network != spec:  # a link or another page brought it
        _keep(history.push(Draft(spec, _start_of(spec))))
    _take_cells()
    _fold()
    draft = _history().present
    state.set_network(draft.network)
    st.query_params["network_start"] = draft.start_key()
    return draft


def block_labels(spec: NetworkSpec) -> list[str]:
    """The labels of the blocks, in order."""
    return list(dict.fromkeys(layer.block for layer in spec.layers if layer.block))


def shown_rows() -> tuple[int, ...]:
    """The layers in the rows of the table, by index; those of folded blocks are left out."""
    rows: tuple[int, ...] = st.session_state["network_shown"]
    return rows


def editor_key() -> str:
    """The key of the table; it changes whenever the table has to forget what was typed into it."""
    return f"network_layers_{st.session_state.get('network_edition', 0)}"


def refusals() -> list[str]:
    """Why the last changes were refused, if they were."""
    once: list[str] = st.session_state.pop("network_refusals", [])
    return [*once, *st.session_state.get("network_refused_cells", ())]


def can_undo() -> bool:
    """Whether there is a change, or a refused cell, to take back."""
    return bool(_history().past or st.session_state.get("network_refused_cells"))


def can_redo() -> bool:
    """Whether there is a change that was taken back."""
    return bool(_history().future)


def undo() -> None:
    """Take back the last change; a cell that was refused is simply forgotten."""
    _take_cells()
    is_refused = bool(st.session_state.get("network_refused_cells"))
    _keep(_history() if is_refused else _history().undo())


def redo() -> None:
    """Make the change again that was taken back last."""
    _take_cells()
    _keep(_history().redo())


def start_from_choice() -> None:
    """Start from the preset that was chosen in `network_start`."""
    start_from(st.session_state["network_start"])


def start_from(key: str) -> None:
    """Put the preset or saved network `key` in hand, if it is still there."""
    known = saved.known_networks()
    if key in known:
        _change(lambda draft: Draft(known[key], key))


def save() -> None:
    """Keep the network under what was typed into `network_save_name`, which becomes its name."""
    name = st.session_state["network_save_name"].strip()
    _take_cells()
    if _change_network(lambda spec: _saved(spec, name)):
        st.session_state["network_save_popover"] = False
        st.toast(f"Saved as {name}", icon=":material/check:")


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
        _refuse(str(error))


def rename() -> None:
    """Call the network what was typed into `network_name`."""
    _change_network(lambda spec: replace(spec, name=st.session_state["network_name"].strip()))


def change_classes() -> None:
    """Take the number of classes from `network_classes`."""
    _change_network(lambda spec: edit.change_classes(spec, st.session_state["network_classes"]))


def change_chosen(action: str) -> None:
    """Do that to the layer chosen in `network_layer`, also where a click follows fast upon another."""
    names = [layer.name for layer in _take_cells().layers]
    if st.session_state["network_layer"] in names:
        change_rows(action, names.index(st.session_state["network_layer"]))


def insert_block(kind: str) -> None:
    """Put a block of `kind` in beside the layer chosen in `network_layer`, and choose its last layer.

    `network_block_side` says above or below, `network_block_channels` what it puts out.
    """
    spec = _take_cells()
    names = [layer.name for layer in spec.layers]
    is_below = st.session_state["network_block_side"] == "below"
    index = names.index(st.session_state["network_layer"]) + is_below
    if _change_network(
        lambda spec: with_block(spec, index, kind, st.session_state["network_block_channels"])
    ):
        layers = _history().present.network.layers
        st.session_state["network_layer"] = layers[index + len(layers) - len(names) - 1].name
        st.session_state["network_insert_block"] = False


def apply_remedy(kind: str, name: str) -> None:
    """Do what the finding of this kind about the layer `name` says, if there still is such a finding."""
    found = [each for each in find_problems(_take_cells()) if (each.kind, each.name) == (kind, name)]
    remedied = found[0].remedied if found else None
    if remedied is not None:
        _change_network(lambda spec: remedied)
        st.toast(f"{name}: {found[0].remedy}", icon=":material/check:")


def change_rows(action: str, index: int) -> None:
    """Insert above or below, duplicate, move or delete the layer `index`, and choose the one that results."""
    layers = _take_cells().layers
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
    if _change_network(make):
        layers = _history().present.network.layers
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

    if _change_network(read):
        st.session_state["network_open"] = False


def _change_network(make: Callable[[NetworkSpec], NetworkSpec]) -> bool:
    return _change(lambda draft: replace(draft, network=make(draft.network)))


def _change(make: Callable[[Draft], Draft]) -> bool:
    """Put what `make` makes of the draft in hand; say why not where it breaks a rule."""
    _take_cells()
    try:
        draft = make(_history().present)
    except SpecError as error:
        _refuse(f"{error}. The network in hand is kept.")
        return False
    _keep(_history().push(draft))
    return True


def _refuse(reason: str) -> None:
    st.session_state.setdefault("network_refusals", []).append(reason)


def _take_cells() -> NetworkSpec:
    """Put the cells that were typed in hand, all but the rows that break a rule."""
    history = _history()
    typed = st.session_state.get(editor_key(), {}).get("edited_rows", {})
    rows = dict(enumerate(st.session_state.get("network_shown", ())))
    cells = {rows[row]: values for row, values in typed.items() if row in rows}
    spec, refused = edit.change_cells(history.present.network, cells)
    st.session_state["network_refused_cells"] = refused
    if spec != history.present.network:
        chosen = st.session_state.get("network_layer")
        for old, new in zip(history.present.network.layers, spec.layers, strict=True):
            if chosen == old.name:
                st.session_state["network_layer"] = new.name
        st.session_state["network_history"] = history.push(Draft(spec, history.present.start))
        state.set_network(spec)
    return spec


def _fold() -> None:
    """Note which layers the table is to show; it starts anew where these are others than before."""
    layers = _history().present.network.layers
    labels = block_labels(_history().present.network)
    folded = [label for label in st.session_state.get("network_folded", ()) if label in labels]
    st.session_state["network_folded"] = folded
    shown = tuple(index for index, layer in enumerate(layers) if layer.block not in folded)
    if shown != st.session_state.get("network_shown", shown):
        _keep(_history())
    st.session_state["network_shown"] = shown


def _keep(history: History[Draft]) -> None:
    """Make `history` the one in hand, and let the table forget what was typed into it."""
    st.session_state["network_history"] = history
    st.session_state["network_edition"] = st.session_state.get("network_edition", 0) + 1
    st.session_state["network_refused_cells"] = ()
    state.set_network(history.present.network)


def _history() -> History[Draft]:
    history: History[Draft] = st.session_state["network_history"]
    return history


def _start_of(spec: NetworkSpec) -> str:
    """What to compare a network with that was not started here: itself, the link's start, or the default."""
    known = saved.known_networks()
    linked = st.query_params.get("network_start", "")
    return state.preset_key(spec, known) or (linked if linked in known else state.DEFAULT_NETWORK)
