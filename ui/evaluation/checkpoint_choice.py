"""Choosing a checkpoint, the same way on every page that shows one: newest run first, kept in the link."""

from pathlib import Path

import streamlit as st

from core.checkpoint import Checkpoint
from core.checkpoint_list import ListedCheckpoint, list_checkpoints
from core.data import Dataset
from ui import layout, paths
from ui.text import plain

KEY = "checkpoint"
# In the session: the last link that was followed or written; what a person or a link chose; and, where nobody
# chose, the fingerprint of the dataset that a checkpoint was preselected for.
LINK, CHOSEN, PRESELECTED_FOR = "checkpoint_link", "checkpoint_chosen", "checkpoint_preselected_for"


def checkpoint_choice(dataset: Dataset) -> tuple[Path, Checkpoint]:
    """The folder and the record of the checkpoint chosen, in the link as `checkpoint`.

    Until one is chosen: the newest that was trained on `dataset`, else the newest. Ends the page where there
    is none, or where the one chosen is damaged.
    """
    listed = {link_value(item.folder): item for item in list_checkpoints(paths.RUNS, paths.CHECKPOINTS)}
    if not listed:
        st.info(
            "There is no checkpoint yet. Every training leaves one as soon as its first epoch is done.",
            icon=":material/info:",
        )
        layout.link_to("Train", "Train a network")
        st.stop()
    _follow_link(listed)
    _preselect(listed, dataset)
    value = st.selectbox(
        "Checkpoint",
        list(listed),
        key=KEY,
        format_func=lambda value: _title(listed[value]),
        on_change=lambda: _take(listed),
    )
    st.query_params[KEY] = st.session_state[LINK] = value
    item = listed[value]
    if item.checkpoint is None:
        layout.stop_with(f"This checkpoint cannot be used. {item.problem}")
    return item.folder, item.checkpoint


def link_value(folder: Path) -> str:
    """How a link names the checkpoint in `folder`: `runs/<id>/best`, or `checkpoints/<name>` if shipped."""
    is_of_run = folder.is_relative_to(paths.RUNS)
    root, prefix = (paths.RUNS, "runs") if is_of_run else (paths.CHECKPOINTS, "checkpoints")
    return f"{prefix}/{folder.relative_to(root).as_posix()}"


def _title(item: ListedCheckpoint) -> str:
    if item.checkpoint is None:
        return f"{item.title} · damaged"
    if item.checkpoint.test_accuracy is None:
        return item.title
    return f"{item.title} · {layout.percent(item.checkpoint.test_accuracy)}"


def _take(listed: dict[str, ListedCheckpoint]) -> None:
    if st.session_state[KEY] in listed:  # not the label from before its accuracy was measured
        st.session_state[CHOSEN] = st.session_state[KEY]


def _follow_link(listed: dict[str, ListedCheckpoint]) -> None:
    link = st.query_params.get(KEY)
    if not link or link == st.session_state.get(LINK):
        return
    st.session_state[LINK] = link
    if link in listed:
        st.session_state[CHOSEN] = link
    else:
        st.warning(f"The checkpoint of this link, {plain(link)}, is not here: another one is shown.")


def _preselect(listed: dict[str, ListedCheckpoint], dataset: Dataset) -> None:
    state = st.session_state
    if state.get(CHOSEN) in listed:
        state[KEY] = state[CHOSEN]
    elif state.get(KEY) not in listed or state.get(PRESELECTED_FOR) != dataset.fingerprint:
        state[KEY] = max(
            listed, key=lambda value: _preference(listed[value], dataset)
        )  # the first, so the newest
        state[PRESELECTED_FOR] = dataset.fingerprint


def _preference(item: ListedCheckpoint, dataset: Dataset) -> tuple[bool, ...]:
    """Usable first, then of this dataset, then tested, then a run's best before its last."""
    checkpoint = item.checkpoint
    if checkpoint is None:
        return (False,)
    is_of_dataset = checkpoint.run_spec.fingerprint == dataset.fingerprint
    return True, is_of_dataset, checkpoint.test_accuracy is not None, item.folder.name != "last"
