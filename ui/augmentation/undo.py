"""Undo and redo of whatever changed the pipeline in hand."""

from collections.abc import Callable

import streamlit as st

from ui import state


def undo_buttons() -> None:
    """Undo can always be clicked: the page is not drawn again for a slider that moved."""
    with st.container(horizontal=True, width="content"):  # the two go to a next line together
        st.button(
            ":material/undo:",
            key="augment_undo",
            help="Undo the last change of the pipeline",
            on_click=_go,
            args=(state.undo_augmentation, "This is what the page began with."),
        )
        st.button(
            ":material/redo:",
            key="augment_redo",
            help="Make the change again that was undone last",
            on_click=_go,
            args=(state.redo_augmentation, "Nothing was taken back."),
            disabled=not state.can_redo_augmentation(),
        )


def _go(step: Callable[[], bool], otherwise: str) -> None:
    if not step():
        st.toast(otherwise)
