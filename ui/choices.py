"""Choosing the network and the augmentation in hand from the presets, wherever a page needs one."""

from collections.abc import Callable, Mapping
from typing import Any

import streamlit as st

from core import augmentation, network
from core.augmentation import AugmentationSpec
from core.network import NetworkSpec
from ui import state
from ui.widgets import hold


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
    # The browser knows an option by its words alone, so what is in hand is another option under another name.
    present = state.preset_key(spec, presets) or f"{spec.name} (in hand)"
    options = [*([present] if present not in presets else []), *presets]
    hold(key, present)

    def take() -> None:
        chosen = st.session_state[key]
        if chosen in presets:  # a browser that lags behind may send what was in hand before
            keep(presets[chosen])

    st.selectbox(
        label,
        options,
        key=key,
        format_func=lambda option: presets[option].name if option in presets else option,
        on_change=take,
    )
