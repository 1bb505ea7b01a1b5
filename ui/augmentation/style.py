"""What the Augment page asks of the browser that Streamlit has no word for."""

from pathlib import Path

import streamlit as st

SIDES = "augment_sides"
"""The key of the grid with the preview in its first cell and the controls beside it."""
STYLE = Path(__file__).with_suffix(".css")


def dress_page() -> None:
    """Give the page its own style, which takes no room."""
    st.html(STYLE)
