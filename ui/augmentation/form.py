"""The chain of steps of the augmentation in hand, each with a switch, its settings and a menu.

The spec is the truth: every widget is set from it before it is drawn, and its callback makes the next spec.
"""

from collections.abc import Callable
from typing import Any

import streamlit as st

from core.augmentation import AugmentationSpec, StepSpec
from core.augmentation.catalogue import TRANSFORMS
from core.augmentation.controls import Control
from core.augmentation.spec import CIFAR10_MEAN, CIFAR10_STD, MAX_STEPS, NORMALIZE
from core.data import Dataset
from core.errors import SpecError
from ui import state
from ui.augmentation import edit
from ui.augmentation.fill_control import fill_control, fill_words
from ui.layout import percent
from ui.widgets import hold

MENU: dict[str, Callable[[AugmentationSpec, int], AugmentationSpec]] = {
    "Move up": lambda spec, index: edit.move_step(spec, index, -1),
    "Move down": lambda spec, index: edit.move_step(spec, index, 1),
    "Duplicate": edit.duplicate_step,
    "Remove": edit.remove_step,
}
HALVES = (0.5, 0.5, 0.5)


def step_list(spec: AugmentationSpec, dataset: Dataset) -> None:
    """The steps in order, a way to add one, and the statistics of the normalisation."""
    for refusal in st.session_state.pop("augment_refusals", []):
        st.error(refusal, icon=":material/undo:")
    for index, step in enumerate(spec.steps):
        with st.container(border=True, gap="xsmall"):
            _step_card(index, step)
            if step.transform == NORMALIZE:
                _statistics(spec, dataset)
    if not spec.steps:
        st.caption("No steps: every image is only normalised.")
    _adding(spec)
    if NORMALIZE not in [step.transform for step in spec.steps]:
        with st.container(border=True, gap="xsmall"):
            st.markdown("Normalise, last", help="Add a Normalise step to apply it earlier.")
            _statistics(spec, dataset)


def _step_card(index: int, step: StepSpec) -> None:
    offered = TRANSFORMS.get(step.transform)
    key = f"augment_step{index}_{step.transform}"
    title = offered.title if offered else step.transform
    with st.container(horizontal=True, vertical_alignment="center"):
        if step.transform == NORMALIZE:
            st.markdown(f"{index + 1} · {title}", width="stretch")
        else:
            _switch(f"{index + 1} · {title}", f"{key}_is_on", index, step)
        st.menu_button(
            "Edit",
            list(MENU),
            key=f"{key}_menu",
            type="tertiary",
            on_click=_take_menu,
            args=(index, f"{key}_menu"),
        )
    if step.transform == NORMALIZE or offered is None:
        return
    is_first_look = step.transform == "CoarseDropout"
    with st.expander(_summary(step), key=f"{key}_settings", type="compact", expanded=is_first_look):
        st.caption(offered.description)
        _probability(f"{key}_probability", index, step)
        for control in offered.controls:
            _argument(control, f"{key}_{control.argument}", index, step)


def _switch(label: str, key: str, index: int, step: StepSpec) -> None:
    hold(key, step.is_on)
    st.toggle(
        label,
        key=key,
        width="stretch",
        on_change=lambda: _change(edit.change_step, index, is_on=st.session_state[key]),
    )


def _probability(key: str, index: int, step: StepSpec) -> None:
    hold(key, step.probability)
    st.slider(
        "Probability",
        0.0,
        1.0,
        step=0.01,
        key=key,
        help="The chance that the step acts on an image.",
        on_change=lambda: _change(edit.change_step, index, probability=st.session_state[key]),
    )


def _argument(control: Control, key: str, index: int, step: StepSpec) -> None:
    """One control; a value that it cannot show stays as it is until it is replaced."""
    value = step.keywords.get(control.argument)

    def put(new: Any) -> None:
        _change(edit.set_argument, index, control.argument, new)

    if control.kind == "colour":
        fill_control(control, key, value, put)
    elif not control.fits(value):
        words = "the library's own" if value is None else str(value)
        with st.container(horizontal=True, vertical_alignment="center"):
            st.caption(f"{control.label}: {words}", width="stretch")
            st.button("Set", key=f"{key}_set", on_click=put, args=(control.default,))
    else:
        _widget(control, key, value, lambda: put(st.session_state[key]))


def _widget(control: Control, key: str, value: Any, on_change: Callable[[], None]) -> None:
    label = f"{control.label}, {control.unit}" if control.unit else control.label
    if control.kind == "bool":
        hold(key, value)
        st.toggle(label, key=key, help=control.help, on_change=on_change)
    elif control.kind == "choice":
        names = dict(control.choices)
        hold(key, value)
        st.selectbox(
            label, list(names), key=key, format_func=names.__getitem__, help=control.help, on_change=on_change
        )
    else:
        number = float if control.kind.startswith("float") else int
        is_range = control.kind.endswith("range")
        hold(key, tuple(map(number, value)) if is_range else number(value))
        st.slider(
            label,
            number(control.minimum),
            number(control.maximum),
            step=number(control.step),
            key=key,
            format="%.4g",
            help=control.help,
            on_change=on_change,
        )


def _adding(spec: AugmentationSpec) -> None:
    """A box that adds what is chosen in it, and is empty again."""
    names = [step.transform for step in spec.steps]
    options = [name for name in TRANSFORMS if name != NORMALIZE or NORMALIZE not in names]

    def add() -> None:
        chosen = st.session_state["augment_add"]
        st.session_state["augment_add"] = None
        if chosen:
            _change(edit.add_step, chosen)

    st.selectbox(
        "Add a step",
        options,
        index=None,
        key="augment_add",
        format_func=lambda name: TRANSFORMS[name].title,
        placeholder="Choose a transform",
        disabled=len(names) == MAX_STEPS,
        on_change=add,
    )


def _statistics(spec: AugmentationSpec, dataset: Dataset) -> None:
    """The choice of mean and deviation: the dataset's, CIFAR-10's, one half, or what the spec came with."""
    known = {
        f"{dataset.title}: its own": (dataset.mean, dataset.std),
        "CIFAR-10's": (CIFAR10_MEAN, CIFAR10_STD),
        "One half: pixels from -1 to 1": (HALVES, HALVES),
    }
    present = (spec.mean, spec.std)
    choices = known if present in known.values() else {"As in this pipeline": present, **known}
    st.session_state["augment_statistics"] = next(name for name in choices if choices[name] == present)
    st.selectbox(
        "Mean and deviation",
        list(choices),
        key="augment_statistics",
        label_visibility="collapsed",
        on_change=lambda: _change(edit.set_statistics, *choices[st.session_state["augment_statistics"]]),
    )
    mean, std = (" ".join(f"{value:.3f}" for value in values) for values in present)
    st.caption(f"Red, green, blue: mean {mean}, deviation {std}")


def _summary(step: StepSpec) -> str:
    """How often the step acts, and its first settings, in a line."""
    if not step.is_on:
        return "off"
    parts = [percent(step.probability, 0)]
    for control in TRANSFORMS[step.transform].controls[:3]:
        parts.append(f"{control.label.lower()} {_words(control, step.keywords.get(control.argument))}")
    return " · ".join(parts)


def _words(control: Control, value: Any) -> str:
    if not control.fits(value):
        return "as given"
    if control.kind == "colour":
        return fill_words(control, value)
    if control.kind == "choice":
        return str(dict(control.choices)[value]).lower()
    if isinstance(value, tuple):
        least, most = (f"{end:.3g}".replace("-", "−") for end in value)
        value = least if least == most else f"±{most}" if value[0] == -value[1] else f"{least} to {most}"
    unit = control.unit if control.unit in ("px", "°", "×") else ""
    return f"{value}{'' if unit == '°' else ' '}{unit}".strip()


def _take_menu(index: int, key: str) -> None:
    chosen = st.session_state[key]
    if chosen in MENU:
        _change(MENU[chosen], index)


def _change(make: Callable[..., AugmentationSpec], *values: Any, **fields: Any) -> None:
    """Put what `make` makes of the augmentation in hand; say why not where it breaks a rule."""
    try:
        state.set_augmentation(make(state.current_augmentation(), *values, **fields))
    except (SpecError, IndexError) as error:  # an index of a step that is gone by now
        st.session_state.setdefault("augment_refusals", []).append(str(error))
