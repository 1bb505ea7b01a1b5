"""What a slider of a step has drawn anew: what follows from it, and not the page around it.

Each part is a fragment under its key. The whole page would be some hundred messages to the browser instead of
twenty.
"""

import streamlit as st

from ui.augmentation import leave

PREVIEW, JUDGED, CLOSER = "augment_preview", "augment_judged", "augment_closer"
VIEW, LEAVE = "augment_view", "Leave with it"
"""The widget that chooses the closer look, and the one that may need no drawing."""


def what_follows() -> None:
    """Called from a widget's callback: draw these parts alone."""
    is_drawn = st.session_state.get(VIEW) == LEAVE and leave.is_up_to_date()
    st.rerun((PREVIEW, JUDGED) if is_drawn else (PREVIEW, JUDGED, CLOSER))
