"""Slow answers, kept for all visitors and bounded; what they return is read-only."""

import streamlit as st

from core import data
from core.data import Dataset
from ui import paths


def current_dataset() -> Dataset:
    """The dataset in use; `DataError` says what is wrong with it and what to do."""
    return dataset(st.session_state["data"])


@st.cache_resource(max_entries=8, ttl=600, show_spinner="Reading the images …")
def dataset(name: str) -> Dataset:
    """The dataset called `name`, memory-mapped."""
    return data.load(name, paths.DATA)
