"""The network that the Network page edits: its history in the session, and how a change is put into it.

A change first takes in what was typed into the table, then makes the new network and puts it in hand. What
breaks a rule is refused with a message, and the network in hand stays.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import streamlit as st

from core.errors import SpecError
from core.network import NetworkSpec
from ui import state
from ui.history import History
from ui.network import edit, saved


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
    take_cells()
    _fold()
    draft = _history().present
    state.set_network(draft.network)
    state.write_link("network_start", draft.start_key())
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
    take_cells()
    is_refused = bool(st.session_state.get("network_refused_cells"))
    _keep(_history() if is_refused else _history().undo())


def redo() -> None:
    """Make the change again that was taken back last."""
    take_cells()
    _keep(_history().redo())


def change_network(make: Callable[[NetworkSpec], NetworkSpec]) -> bool:
    """Put what `make` makes of the network in hand; say why not where it breaks a rule."""
    return change(lambda draft: replace(draft, network=make(draft.network)))


def change(make: Callable[[Draft], Draft]) -> bool:
    """Put what `make` makes of the draft in hand; say why not where it breaks a rule."""
    take_cells()
    try:
        draft = make(_history().present)
    except SpecError as error:
        refuse(f"{error}. The network in hand is kept.")
        return False
    _keep(_history().push(draft))
    return True


def refuse(reason: str) -> None:
    """Have the page say `reason`, once."""
    st.session_state.setdefault("network_refusals", []).append(reason)


def take_cells() -> NetworkSpec:
    """Put the cells that were typed in hand, all but the rows that break a rule."""
    history = _history()
    typed = st.session_state.get(editor_key(), {}).get("edited_rows", {})
    rows = dict(enumerate(st.session_state.get("network_shown", ())))
    cells = {rows[row]: values for row, values in typed.items() if row in rows}
    spec, refused = edit.change_cells(history.present.network, cells)
    st.session_state["network_refused_cells"] = refused
    _put_cells(spec)
    return spec


def change_field(name: str, field: str, value: Any) -> None:
    """Put `value` into `field` of the layer `name`, and say why not where it breaks a rule.

    The table starts anew only if something was typed into it, which would count again: that takes a while.
    """
    names = [layer.name for layer in take_cells().layers]
    if name not in names:  # the table called it something else just now
        return
    spec, refused = edit.change_cells(present().network, {names.index(name): {field: value}})
    for reason in refused:
        refuse(f"{reason}. The network in hand is kept.")
    if not refused and st.session_state.get(editor_key(), {}).get("edited_rows"):
        _keep(_history())
    _put_cells(spec)


def _put_cells(spec: NetworkSpec) -> None:
    """Put `spec`, which has the same rows as before, in hand; the choice of a layer follows its name."""
    history = _history()
    if spec == history.present.network:
        return
    chosen = st.session_state.get("network_layer")
    for old, new in zip(history.present.network.layers, spec.layers, strict=True):
        if chosen == old.name:
            st.session_state["network_layer"] = new.name
    st.session_state["network_history"] = history.push(Draft(spec, history.present.start))
    state.set_network(spec)


def _fold() -> None:
    """Note which layers the table is to show; it starts anew where these are others than before."""
    layers = _history().present.network.layers
    labels = block_labels(_history().present.network)
    folded = [label for label in st.session_state.get("network_folded", ()) if label in labels]
    if folded != st.session_state.get("network_folded", folded):
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


def present() -> Draft:
    """The draft in hand."""
    return _history().present


def _history() -> History[Draft]:
    history: History[Draft] = st.session_state["network_history"]
    return history


def _start_of(spec: NetworkSpec) -> str:
    """What to compare a network with that was not started here: itself, the link's start, or the default."""
    known = saved.known_networks()
    linked = st.query_params.get("network_start", "")
    return state.preset_key(spec, known) or (linked if linked in known else state.DEFAULT_NETWORK)
