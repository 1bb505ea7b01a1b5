"""What a slider of a step has drawn anew: what follows from it, and not the page around it.

Each part is a fragment under its key. To draw the whole page takes the server twice as long, and the browser
with it.
"""

import streamlit as st

PREVIEW, JUDGED, CLOSER = "augment_preview", "augment_judged", "augment_closer"


def what_follows() -> None:
    """Called from a widget's callback: draw these parts alone."""
    st.rerun((PREVIEW, JUDGED, CLOSER))
