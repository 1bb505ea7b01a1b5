"""A description out as JSON and in again, in one small popover beside the place where it is chosen."""

from collections.abc import Callable
from functools import partial
from typing import TypeVar

import streamlit as st

from core.errors import SpecError
from core.spec import MAX_LINK_BYTES, from_json, to_json
from ui.text import file_stem, plain

T = TypeVar("T")


def file_popover(key: str, spec: T | None, name: str, keep: Callable[[T], None], cls: type[T]) -> None:
    """Offer `spec`, unless there is none now, and give what a file describes to `keep`."""
    if refusal := st.session_state.pop(f"{key}_refusal", None):
        st.toast(plain(refusal), icon=":material/error:", duration="long")
    with st.popover("File", icon=":material/file_json:", key=f"{key}_popover", help="As JSON, out and in"):
        if spec is not None:
            st.download_button(
                "Save as JSON",
                partial(to_json, spec),
                f"{file_stem(name, 'spec')}.json",
                "application/json",
                key=f"{key}_download",
                icon=":material/download:",
                on_click="ignore",
            )
        st.file_uploader(
            "Open a JSON file",
            type="json",
            max_upload_size=1,
            key=f"{key}_upload",
            on_change=_take,
            args=(key, cls, keep),
        )


def _take(key: str, cls: type[T], keep: Callable[[T], None]) -> None:
    file = st.session_state[f"{key}_upload"]
    if file is None:
        return
    try:
        text = file.getvalue()
        if len(text) > MAX_LINK_BYTES:
            raise SpecError(f"a file takes at most {MAX_LINK_BYTES:,} bytes, got {len(text):,}")
        keep(from_json(cls, text))
    except SpecError as error:
        st.session_state[f"{key}_refusal"] = f"{file.name}: {error}"
