"""The chain of steps of the augmentation in hand, each with a switch, its settings and a menu.

The spec is the truth: every widget is set from it before it is drawn, and its callback makes the next spec.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

import streamlit as st

from core.augmentation import AugmentationSpec, StepSpec
from core.augmentation.catalogue import TRANSFORMS, OfferedTransform
from core.augmentation.controls import Control
from core.augmentation.spec import CIFAR10_MEAN, CIFAR10_STD, MAX_STEPS, NORMALIZE
from core.data import Dataset
from core.errors import SpecError
from ui import state
from ui.augmentation import edit
from ui.augmentation.control_widgets import draw_control, value_words
from ui.augmentation.live import LivePreview
from ui.augmentation.offers import documentation, offered_transforms, search_label
from ui.augmentation.refusals import are_there_refusals, refuse, show_refusals
from ui.layout import percent
from ui.text import plain
from ui.widgets import hold

MENU: dict[str, Callable[[AugmentationSpec, int], AugmentationSpec]] = {
    "Move up": lambda spec, index: edit.move_step(spec, index, -1),
    "Move down": lambda spec, index: edit.move_step(spec, index, 1),
    "Duplicate": edit.duplicate_step,
    "Remove": edit.remove_step,
}
OPENED = "augment_opened"
"""In the session: the key of the step that was added last, whose settings are open."""
HALVES = (0.5, 0.5, 0.5)


def step_list(dataset: Dataset, live: LivePreview) -> None:
    """The steps in order, a way to add one, and the statistics of the normalisation; `live` follows them."""
    spec = state.current_augmentation()
    with st.container(key="augment_refused"):
        show_refusals()
    for index, step in enumerate(spec.steps):
        with st.container(border=True, gap="xsmall"):
            _step_card(index, step, live)
            if step.transform == NORMALIZE:
                _statistics(spec, dataset)
    if not spec.steps:
        st.caption("No steps: every image is only normalised.")
    _adding(spec)
    if NORMALIZE not in [step.transform for step in spec.steps]:
        with st.container(border=True, gap="xsmall"):
            st.markdown("Normalise, last", help="Add a Normalise step to apply it earlier.")
            _statistics(spec, dataset)


def _step_card(index: int, step: StepSpec, live: LivePreview) -> None:
    offered = offered_transforms().get(step.transform)
    key = f"augment_step{index}_{step.transform}"
    title = offered.title if offered else step.transform
    with st.container(key=f"augment_head{index}", horizontal=True, vertical_alignment="center"):
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
    is_first_look = step.transform == "CoarseDropout" or st.session_state.get(OPENED) == key
    summary = st.container(key=f"{key}_summary")
    # A label that changed with a value would make the browser draw the sliders anew, and take the focus off.
    settings = st.expander(
        "Settings", key=f"{key}_settings", type="compact", expanded=is_first_look, on_change="rerun"
    )
    if not settings.open:
        summary.caption(_summary(step, offered))
        return  # a slider of another step does not wait for these
    with settings:
        _about(offered)
        chance = f"{key}_probability"
        live.control(chance, partial(_probability, chance, index, live))
        for control in offered.controls:
            own = f"{key}_{control.argument}"
            live.control(own, partial(_argument, control, own, index, live))


def _about(offered: OfferedTransform) -> None:
    """What the transform does, with the library's own documentation beside it."""
    st.caption(plain(offered.description))
    if offered.note:
        st.caption(f":material/info: {plain(offered.note)}.")
    with st.popover("Documentation", type="tertiary", icon=":material/menu_book:"):
        st.markdown(f"**`{offered.name}`**, as albumentations documents it\n\n{documentation(offered.name)}")


def _switch(label: str, key: str, index: int, step: StepSpec) -> None:
    hold(key, step.is_on)
    st.toggle(
        label,
        key=key,
        width="stretch",
        on_change=lambda: _change(edit.change_step, index, is_on=st.session_state[key]),
    )


def _probability(key: str, index: int, live: LivePreview) -> None:
    hold(key, state.current_augmentation().steps[index].probability)
    st.slider(
        "Probability",
        0.0,
        1.0,
        step=0.01,
        key=key,
        help="The chance that the step acts on an image.",
        on_change=lambda: _move(live, key, index, edit.change_step, probability=st.session_state[key]),
    )


def _argument(control: Control, key: str, index: int, live: LivePreview) -> None:
    draw_control(
        control,
        key,
        state.current_augmentation().steps[index].keywords.get(control.argument, control.absent),
        lambda value: _move(live, key, index, edit.set_argument, control.argument, value),
    )


def _adding(spec: AugmentationSpec) -> None:
    """A box that adds what is chosen in it, and is empty again; typing searches names and sentences."""
    names = [step.transform for step in spec.steps]
    options = [name for name in offered_transforms() if name != NORMALIZE or NORMALIZE not in names]

    def add() -> None:
        chosen = st.session_state["augment_add"]
        st.session_state["augment_add"] = None
        if chosen:
            _change(edit.add_step, chosen)
            steps = state.current_augmentation().steps
            places = [index for index, step in enumerate(steps) if step.transform == chosen]
            st.session_state[OPENED] = f"augment_step{places[-1]}_{chosen}" if places else ""

    st.selectbox(
        "Add a step",
        options,
        index=None,
        key="augment_add",
        format_func=search_label,
        placeholder=f"Search {len(options)} transforms: blur, noise, GridDistortion …",
        help="The common ones for CIFAR come first, then all of albumentations that suit a small RGB image.",
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


def _summary(step: StepSpec, offered: OfferedTransform) -> str:
    """How often the step acts, and its first settings, in a line."""
    if not step.is_on:
        return "off"
    values = [(item, step.keywords.get(item.argument, item.absent)) for item in offered.controls]
    is_common = step.transform in TRANSFORMS
    told = [(item, value) for item, value in values if is_common or value is not None][:3]
    parts = (f"{item.label.lower()} {value_words(item, value)}" for item, value in told)
    return " · ".join((percent(step.probability, 0), *parts))


def _take_menu(index: int, key: str) -> None:
    chosen = st.session_state[key]
    if chosen in MENU:
        _change(MENU[chosen], index)


def _change(make: Callable[..., AugmentationSpec], *values: Any, in_link: bool = True, **fields: Any) -> None:
    """Put what `make` makes of the augmentation in hand; say why not where it breaks a rule."""
    try:
        state.set_augmentation(make(state.current_augmentation(), *values, **fields), in_link)
    except (SpecError, IndexError) as error:  # an index of a step that is gone by now
        refuse(error)


def _move(
    live: LivePreview,
    key: str,
    index: int,
    make: Callable[..., AugmentationSpec],
    *values: Any,
    **fields: Any,
) -> None:
    """`_change` step `index` by control `key`; the page is drawn where more than that changes."""
    before = state.current_augmentation()
    _change(make, index, *values, in_link=False, **fields)
    after = state.current_augmentation()
    if after.name != before.name or are_there_refusals():
        st.rerun()
    if len(set(after.steps[index].arguments) - set(before.steps[index].arguments)) > 1:
        st.rerun()  # another control of the step shows what changed too
    live.move(key, index)
