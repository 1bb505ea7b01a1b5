"""Repeating a run with one thing changed: its spec in the form, and what differs from it by now."""

import streamlit as st

from core.data import available
from core.errors import RunError, SpecError
from core.training import Run, RunSpec, knobs, runs
from core.training.differences import list_differences
from ui import paths, state
from ui.text import plain
from ui.training import recipe_form

SOURCE = "train_source"


def repeat(run: Run) -> None:
    """Put all of `run` into the form of a new run, and remember where it comes from."""
    put(run.spec)
    if any(source.name == run.spec.dataset and source.is_ready for source in available(paths.DATA)):
        st.session_state["data"] = run.spec.dataset
    st.session_state["train_device"] = run.device
    st.session_state[SOURCE] = run.id
    st.session_state["train_view"] = "New run"


def put(spec: RunSpec) -> None:
    """Put network, augmentation, recipe and number of images into the form."""
    state.set_network(spec.network)
    state.set_augmentation(spec.augmentation)
    recipe_form.fill(spec.recipe)
    st.session_state["train_all_images"] = spec.train_images is None
    if spec.train_images is not None:
        st.session_state["train_images"] = spec.train_images


def source() -> Run | None:
    """The run that the form repeats; None where it repeats none, or where that one is gone."""
    run_id = st.session_state.get(SOURCE)
    if run_id is None:
        return None
    try:
        return runs.read(paths.RUNS, run_id)
    except RunError:
        del st.session_state[SOURCE]
        return None


def banner(run: Run, spec: RunSpec | None) -> None:
    """Say what differs from `run`, and offer to change one thing; `spec` is None if the form has a fault."""
    with st.container(border=True, key="train_repeat"):
        with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
            st.markdown(f":material/content_copy: Repeats **{plain(run.title)}** with one thing changed")
            st.button(
                "Start afresh",
                key="train_repeat_forget",
                icon=":material/close:",
                help="Keeps the form as it is, and compares it with no run.",
                on_click=lambda: st.session_state.pop(SOURCE),
            )
        if spec is not None:
            _change_one(spec)
            _show_differences(run, spec)


def title_of(run: Run, spec: RunSpec) -> str:
    """A title for the repetition: the first one's, and the one knob that stands otherwise now."""
    for key, name in knobs.knob_titles().items():
        try:
            before, now = (knobs.find_knob(each, key).present for each in (run.spec, spec))
        except SpecError:
            continue
        if before != now:
            return f"{run.title.partition(' · ')[0]} · {name} {knobs.value_text(now)}"[:80]
    return run.title


def _change_one(spec: RunSpec) -> None:
    """Choose a knob and a value; whatever has no knob is changed in the form itself."""
    titles = knobs.knob_titles()
    with st.container(horizontal=True, vertical_alignment="bottom"):
        key = st.selectbox("Change", list(titles), key="train_repeat_knob", format_func=titles.__getitem__)
        try:
            knob = knobs.find_knob(spec, key)
        except SpecError as error:
            st.markdown(f":material/block: {plain(str(error))}")
            return
        value = st.selectbox(
            "To",
            list(map(knobs.value_text, knob.values)),
            index=knob.values.index(knob.present),
            key=f"train_repeat_value_{key}",
            accept_new_options=knob.kind != "choice",
            help=None if knob.kind == "choice" else "Choose a value, or type one and press Enter.",
        )
        st.button(
            "Change",
            key="train_repeat_change",
            icon=":material/tune:",
            disabled=value == knobs.value_text(knob.present),
            on_click=_turn,
            args=(spec, knob, value),
        )
    if refusal := st.session_state.pop("train_repeat_refusal", None):
        st.error(plain(refusal), icon=":material/error:")


def _turn(spec: RunSpec, knob: knobs.Knob, text: str) -> None:
    try:
        put(knobs.turn(spec, knob.key, knob.parse(text)))
    except SpecError as error:
        st.session_state["train_repeat_refusal"] = str(error)


def _show_differences(run: Run, spec: RunSpec) -> None:
    differences = list_differences([run.spec, spec])
    if not differences:
        st.caption("Nothing differs yet. Change one thing here, or anything below.")
        return
    st.dataframe(
        {
            "field": list(differences),
            "before": [values[0] for values in differences.values()],
            "now": [values[1] for values in differences.values()],
        },
        column_config={
            "field": st.column_config.TextColumn("Differs in"),
            "before": st.column_config.TextColumn("Then"),
            "now": st.column_config.TextColumn("Now"),
        },
        hide_index=True,
        height="content",
        placeholder="–",
        key="train_repeat_differences",
        alt="Fields in which the new run differs from the one that it repeats",
    )
