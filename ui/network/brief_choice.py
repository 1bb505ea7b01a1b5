"""The brief that the Network page judges by: one of the course projects', a teacher's own, or none.

It lives in the session and in the link, as the networks do: by its key, or packed where it is one's own.
"""

import streamlit as st

from core.errors import SpecError
from core.network import Brief, briefs
from core.spec import MAX_LINK_BYTES, from_json, from_link, to_json, to_link

DEFAULT = "seeds_001_003_004"
NONE, OWN = "none", "own"


def current_brief() -> Brief | None:
    """The brief in hand; a link's replaces the session's, a damaged one is explained and left aside."""
    link = st.query_params.get("network_brief")
    if link and link != st.session_state.get("network_brief_link"):
        st.session_state["network_brief_link"] = link
        try:
            _hold(_unpack(link))
        except SpecError as error:
            st.error(f"{error}. The brief in hand is kept.", icon=":material/link_off:")
    if "network_brief_held" not in st.session_state:
        _hold(briefs()[DEFAULT])
    brief: Brief | None = st.session_state["network_brief_held"]
    st.query_params["network_brief"] = st.session_state["network_brief_link"]
    return brief


def brief_form(brief: Brief | None) -> None:
    """The choice of a brief, and the way to write one."""
    st.session_state["network_brief"] = key = _key_of(brief)
    st.selectbox(
        "Brief",
        [*briefs(), *([OWN] if key == OWN else []), NONE],
        key="network_brief",
        format_func=lambda key: _title(key, brief),
        on_change=_choose,
    )
    with (
        st.expander("Write your own", icon=":material/edit_note:"),
        st.form("network_brief_form", border=False),
    ):
        st.text_area(
            "A brief as JSON; rules that are left out are not asked",
            value=to_json(brief or briefs()[DEFAULT]),
            key="network_brief_json",
            height=280,
        )
        st.form_submit_button("Use this brief", key="network_use_brief", on_click=_take_own)
        st.caption("The page's link carries the brief, so that a class can be sent it.")


def _choose() -> None:
    key = st.session_state["network_brief"]
    if key != OWN:
        _hold(briefs().get(key))


def _take_own() -> None:
    text = st.session_state["network_brief_json"]
    try:
        if len(text) > MAX_LINK_BYTES:
            raise SpecError(f"a brief takes at most {MAX_LINK_BYTES:,} characters of JSON, got {len(text):,}")
        _hold(from_json(Brief, text))
    except SpecError as error:
        reason = f"{error}. The brief in hand is kept."
        st.session_state.setdefault("network_refusals", []).append(reason)


def _hold(brief: Brief | None) -> None:
    st.session_state["network_brief_held"] = brief
    key = _key_of(brief)
    st.session_state["network_brief_link"] = to_link(brief) if key == OWN else key


def _key_of(brief: Brief | None) -> str:
    if brief is None:
        return NONE
    return next((key for key, known in briefs().items() if known == brief), OWN)


def _title(key: str, brief: Brief | None) -> str:
    if key == NONE:
        return "No brief"
    if key == OWN and brief is not None:
        return f"Own: {brief.title}"
    return briefs()[key].title


def _unpack(link: str) -> Brief | None:
    if link == NONE:
        return None
    return briefs()[link] if link in briefs() else from_link(Brief, link)
