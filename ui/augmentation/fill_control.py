"""The control for a colour, such as what holes are filled with: ready colours, noise, or any colour."""

from collections.abc import Callable
from typing import Any

import streamlit as st

from core.augmentation.controls import Control
from ui.widgets import hold

OWN = "Own colour"
FIRST_OWN = (200, 30, 90)


def fill_control(control: Control, key: str, value: Any, put: Callable[[Any], None]) -> None:
    """A box of fills, and a colour picker where an own colour is chosen; `put` takes the new value."""
    fills = {label: fill for fill, label in control.choices}
    options = [*fills, OWN]
    present = fill_words(control, value)
    if present not in options:
        options.insert(0, present)
    hold(key, present)

    def take() -> None:
        chosen = st.session_state[key]
        if chosen in fills:
            put(fills[chosen])
        elif chosen == OWN:
            put(FIRST_OWN)

    st.selectbox(control.label, options, key=key, help=control.help, on_change=take)
    if present == OWN:
        picker = f"{key}_colour"
        hold(picker, "#{:02x}{:02x}{:02x}".format(*value))
        st.color_picker(
            f"{control.label}: own colour",
            key=picker,
            on_change=lambda: put(tuple(bytes.fromhex(st.session_state[picker].lstrip("#")))),
        )


def fill_words(control: Control, value: Any) -> str:
    """The fill as the box of fills names it; numbers on another scale are told as they are."""
    for fill, label in control.choices:
        if fill == value:
            return label
    if control.fits(value):
        return OWN
    numbers = value if isinstance(value, tuple) else (value,)
    return "As given: " + ", ".join(
        f"{number:.3g}" if isinstance(number, float) else str(number) for number in numbers
    )
