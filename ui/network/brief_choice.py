"""The choice of the brief that the Network page judges by: a course project's, a teacher's own, or none."""

import streamlit as st

from core.errors import SpecError
from core.network import Brief, briefs
from core.spec import MAX_LINK_BYTES, from_json, to_json
from ui import state, widgets
from ui.network import session


def brief_form(brief: Brief | None) -> None:
    """The choice of a brief, and the way to write one."""
    known = state.known_briefs()
    # The browser knows an option by its words alone, so another brief of one's own is another option.
    present = state.preset_key(brief, known) or (f"Own: {brief.title}" if brief else "none")
    widgets.hold("network_brief_choice", present)
    st.selectbox(
        "Brief",
        [*known, *([present] if present not in known else [])],
        key="network_brief_choice",
        format_func=lambda option: _title(option) if option in known else option,
        on_change=_choose,
    )
    with (
        st.expander("Write your own", icon=":material/edit_note:"),
        st.form("network_brief_form", border=False),
    ):
        st.text_area(
            "A brief as JSON; rules that are left out are not asked",
            value=to_json(brief or briefs()[state.DEFAULT_BRIEF]),
            key="network_brief_json",
            height=280,
        )
        st.form_submit_button("Use this brief", key="network_use_brief", on_click=_take_own)
        st.caption("The page's link carries the brief, so that a class can be sent it.")


def _choose() -> None:
    chosen, known = st.session_state["network_brief_choice"], state.known_briefs()
    if chosen in known:
        state.set_brief(known[chosen])


def _take_own() -> None:
    text = st.session_state["network_brief_json"]
    try:
        if len(text) > MAX_LINK_BYTES:
            raise SpecError(f"a brief takes at most {MAX_LINK_BYTES:,} characters of JSON, got {len(text):,}")
        state.set_brief(from_json(Brief, text))
    except SpecError as error:
        session.refuse(f"{error}. The brief in hand is kept.")


def _title(key: str) -> str:
    known = state.known_briefs()[key]
    return "No brief" if known is None else known.title
