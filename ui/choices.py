"""Choosing the network and the augmentation in hand from the presets, wherever a page needs one."""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import streamlit as st

from core import augmentation, network
from core.augmentation import AugmentationSpec
from core.network import NetworkSpec
from ui import state
from ui.widgets import hold

T = TypeVar("T")

OWN = "in_hand"


def network_choice(page: str) -> NetworkSpec:
    """Choose a preset or keep the network in hand."""
    spec = state.current_network()
    _choose("Network", f"{page}_network", spec, network.presets(), state.set_network)
    return state.current_network()


def augmentation_choice(page: str) -> AugmentationSpec:
    """Choose a preset or keep the augmentation in hand."""
    spec = state.current_augmentation()
    _choose("Augmentation", f"{page}_augmentation", spec, augmentation.presets(), state.set_augmentation)
    return state.current_augmentation()


def _choose(label: str, key: str, spec: Any, presets: Mapping[str, Any], keep: Callable[[Any], None]) -> None:
    present = state.preset_key(spec, presets)
    options = list(presets) if present else [OWN, *presets]
    hold(key, present or OWN)

    def take() -> None:
        keep(presets[st.session_state[key]])

    st.selectbox(
        label,
        options,
        key=key,
        format_func=lambda option: f"{spec.name} (in hand)" if option == OWN else presets[option].name,
        on_change=take,
    )
