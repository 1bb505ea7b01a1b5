"""One widget, or a few, for a control of a transform, whatever its kind; and its value in words."""

from collections.abc import Callable
from typing import Any

import streamlit as st

from core.augmentation.controls import Control
from core.augmentation.literals import read_literal, write_literal
from core.errors import SpecError
from ui.augmentation.fill_control import fill_control, fill_words
from ui.augmentation.refusals import refuse
from ui.widgets import hold

PARTS = {"xy": ("across", "down"), "size": ("down", "across"), "grid": ("down", "across")}
Put = Callable[[Any], None]
"""Takes the new value of a control."""


def draw_control(control: Control, key: str, value: Any, put: Put) -> None:
    """The control at `value`; `put` takes a new one. What it cannot show stays until it is replaced."""
    if control.kind == "colour":
        fill_control(control, key, value, put)
    elif not control.fits(value):
        words = "the library's own" if value is None else str(value)
        with st.container(horizontal=True, vertical_alignment="center"):
            st.caption(f"{control.label}: {words}", width="stretch")
            st.button("Set", key=f"{key}_set", on_click=put, args=(control.default,))
    elif control.is_optional and control.is_numeric:
        _optional(control, key, value, put)
    else:
        _draw(control, key, value, put)


def _optional(control: Control, key: str, value: Any, put: Put) -> None:
    """A switch between the library's choice and an own value."""
    switch = f"{key}_is_set"
    hold(switch, value is not None)
    st.toggle(
        f"{control.label}: own value",
        key=switch,
        help=f"Off: left to the library. {control.help}",
        on_change=lambda: put(control.default if st.session_state[switch] else None),
    )
    if value is not None:
        _draw(control, key, value, put)


def _draw(control: Control, key: str, value: Any, put: Put) -> None:
    label = f"{control.label}, {control.unit}" if control.unit else control.label
    if control.kind == "box":
        _box(control, key, value, put)
    elif control.kind.endswith("_tuple"):
        _tuple(control, key, value, put)
    elif control.kind == "text":
        _text(control, key, value, put)
    elif control.kind == "bool":
        hold(key, value)
        st.toggle(label, key=key, help=control.help, on_change=lambda: put(st.session_state[key]))
    elif control.kind == "choice":
        names = dict(control.choices)
        hold(key, value)
        st.selectbox(
            label,
            list(names),
            key=key,
            format_func=names.__getitem__,
            help=control.help,
            on_change=lambda: put(st.session_state[key]),
        )
    elif control.may_meet:
        _range(control, label, key, value, put)
    else:
        _slider(control, label, key, value, put)


def _range(control: Control, label: str, key: str, value: tuple[float, float], put: Put) -> None:
    """One value for every image, or drawn between two ends; a switch beside the slider says which.

    Two thumbs at one place lie on each other: the mouse gets the upper one, which cannot go down.
    """
    switch, met = f"{key}_varies", f"{key}_met"

    def put_ends(ends: tuple[float, float]) -> None:
        st.session_state[met] = ends  # the slider under the finger stays where its ends meet
        put(ends)

    def turn() -> None:
        if st.session_state[switch]:
            st.session_state[met] = value
        else:
            put((control.middle(value),) * 2)

    has_met = st.session_state.get(switch, False) and st.session_state.get(met) == value
    varies = value[0] != value[1] or has_met
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        if varies:
            _slider(control, label, key, value, put_ends)
        else:
            _slider(control, label, f"{key}_one", value[0], lambda one: put((one, one)))
        hold(switch, varies)
        st.toggle("Range", key=switch, on_change=turn)


def _slider(control: Control, label: str, key: str, value: Any, put: Put) -> None:
    """One number, or the two ends of a range."""
    number = int if control.kind.startswith("int") else float
    is_range = isinstance(value, tuple)
    hold(key, tuple(map(number, value)) if is_range else number(value))
    st.slider(
        label,
        number(control.minimum),
        number(control.maximum),
        step=number(control.step),
        key=key,
        format="%.4g",
        help=control.help,
        on_change=lambda: put(control.settle(st.session_state[key]) if is_range else st.session_state[key]),
    )


def _tuple(control: Control, key: str, value: tuple[float, ...], put: Put) -> None:
    """A field for each number, side by side."""
    number = int if control.kind.startswith("int") else float
    named = PARTS.get(control.argument.rsplit("_", 1)[-1], ())
    keys = [f"{key}_{place}" for place in range(len(value))]
    with st.container(horizontal=True):
        for place, (field, part) in enumerate(zip(keys, value, strict=True)):
            hold(field, number(part))
            st.number_input(
                f"{control.label}, {named[place] if named else place + 1}",
                number(control.minimum),
                number(control.maximum),
                step=number(control.step),
                key=field,
                help=control.help,
                on_change=lambda: put(tuple(st.session_state[field] for field in keys)),
            )


def _box(control: Control, key: str, value: tuple[float, ...], put: Put) -> None:
    """A part of the image, by the stretch that it takes of each side."""
    left, top, right, bottom = map(float, value)
    keys = f"{key}_across", f"{key}_down"

    def take() -> None:
        (least, most), (highest, lowest) = (st.session_state[field] for field in keys)
        put(control.settle((least, highest, most, lowest)))

    for field, stretch, word in zip(keys, ((left, right), (top, bottom)), ("across", "down"), strict=True):
        hold(field, stretch)
        st.slider(
            f"{control.label}, {word}",
            float(control.minimum),
            float(control.maximum),
            step=float(control.step),
            key=field,
            format="%.4g",
            help=control.help,
            on_change=take,
        )


def _text(control: Control, key: str, value: Any, put: Put) -> None:
    """A field for a plain Python value; what cannot be read is refused, and the field shows the old value."""
    hold(key, write_literal(value))

    def take() -> None:
        try:
            value = read_literal(control.argument, st.session_state[key])
        except SpecError as error:
            refuse(error)
            st.rerun()  # the page, where it is said
        put(value)

    st.text_input(
        control.label, key=key, help=control.help, placeholder="As the library has it", on_change=take
    )


def value_words(control: Control, value: Any) -> str:
    """The value as the line of a step says it."""
    if not control.fits(value):
        return "as given"
    if value is None and control.kind != "colour":
        return "not set"
    if control.kind == "colour":
        return fill_words(control, value)
    if control.kind == "choice":
        return str(dict(control.choices)[value]).lower()
    if control.kind == "text":
        return write_literal(value)
    if control.kind == "bool":
        return "yes" if value else "no"
    if control.kind.endswith("_range"):
        value = _range_words(value)
    elif isinstance(value, tuple):
        value = ", ".join(f"{part:.3g}" for part in value)
    unit = control.unit if control.unit in ("px", "°", "×") else ""
    return f"{value}{'' if unit == '°' else ' '}{unit}".strip()


def _range_words(ends: tuple[float, float]) -> str:
    least, most = (f"{end:.3g}".replace("-", "−") for end in ends)
    if least == most:
        return least
    return f"±{most}" if ends[0] == -ends[1] else f"{least} to {most}"
