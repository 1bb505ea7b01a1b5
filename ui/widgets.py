"""Widgets whose value is kept elsewhere, in a spec or in a link."""

from typing import Any

import streamlit as st


def hold(key: str, value: Any) -> None:
    """Let the widget `key`, which is drawn next, show `value`.

    A widget that shows it already is left alone: what is assigned goes to the browser as a command, and on a
    slow rerun would undo what a person has moved meanwhile.
    """
    if key not in st.session_state or st.session_state[key] != value:
        st.session_state[key] = value
