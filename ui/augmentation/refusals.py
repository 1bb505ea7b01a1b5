"""What was refused in a callback, until the next run of the page can say it."""

import streamlit as st

REFUSALS = "augment_refusals"


def refuse(error: Exception) -> None:
    """Have this said where the steps begin."""
    st.session_state.setdefault(REFUSALS, []).append(str(error))


def are_there_refusals() -> bool:
    """Whether something is still to be said."""
    return bool(st.session_state.get(REFUSALS))


def show_refusals() -> None:
    """Say all that was refused since the last time."""
    for refusal in st.session_state.pop(REFUSALS, []):
        st.error(refusal, icon=":material/undo:")
