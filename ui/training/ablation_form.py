"""The form of an ablation: one knob, its values and how many seeds, on top of what the New run view holds."""

import streamlit as st

from core.data import Dataset
from core.errors import ConvScopeError, SpecError
from core.training import RunSpec, ablation, knobs
from core.training.ablation import Planned
from ui import cached, paths
from ui.layout import count
from ui.text import plain
from ui.training.new_run import device_in_hand, spec_in_hand

MAX_SEEDS = 10


def queue_form() -> None:
    """Draw the form and the button that makes and starts the runs of the grid."""
    dataset = cached.current_dataset()
    spec = spec_in_hand(dataset)
    _what_stays(spec, dataset)
    titles = knobs.knob_titles()
    with st.container(horizontal=True, vertical_alignment="bottom"):
        key = st.selectbox(
            "What to change",
            list(titles),
            key="train_ablation_knob",
            format_func=titles.__getitem__,
            persist_state="session",
            width=220,
        )
        try:
            knob = knobs.find_knob(spec, key)
        except SpecError as error:
            st.markdown(f":material/block: {plain(str(error))}")
            return
        values = _values(knob)
        num_seeds = 1 if key == "seed" else _seeds()
    try:
        planned = ablation.plan(spec, key, tuple(map(knob.parse, values)), num_seeds)
    except ConvScopeError as error:
        st.error(plain(str(error)), icon=":material/error:")
        return
    _say_and_queue(planned, key)


def _what_stays(spec: RunSpec, dataset: Dataset) -> None:
    recipe = spec.recipe
    images = count(spec.train_images or len(dataset.train.labels))
    st.markdown(
        f"**{plain(spec.network.name)}** with **{plain(spec.augmentation.name)}**, {recipe.epochs} epochs of "
        f"{recipe.optimiser} at {recipe.learning_rate:g} on {images} images of **{plain(dataset.title)}**"
    )
    st.caption(
        "All of it stays the same but for one thing. Choose network, augmentation and recipe under New run."
    )


def _values(knob: knobs.Knob) -> list[str]:
    texts = list(map(knobs.value_text, knob.values))
    return st.multiselect(
        "Values",
        texts,
        default=texts,
        key=f"train_ablation_values_{knob.key}",
        accept_new_options=knob.kind != "choice",
        persist_state="session",
        help=None if knob.kind == "choice" else "Type others and press Enter.",
    )


def _seeds() -> int:
    return int(
        st.number_input(
            "Seeds a value",
            min_value=1,
            max_value=MAX_SEEDS,
            value=1,
            key="train_ablation_seeds",
            persist_state="session",
            width=140,
            help="Each value is trained from so many seeds; their spread tells what chance does.",
        )
    )


def _say_and_queue(planned: tuple[Planned, ...], key: str) -> None:
    epochs = sum(each.spec.recipe.epochs for each in planned)
    runs = "1 run" if len(planned) == 1 else f"{len(planned)} runs"
    with st.container(horizontal=True, vertical_alignment="center"):
        is_sent = st.button(
            "Queue the grid", key="train_ablation_start", type="primary", icon=":material/queue_play_next:"
        )
        st.markdown(f"{runs}, {count(epochs)} epochs in all, one after another", width="content")
    if is_sent:
        with st.spinner("Making the runs …"):
            made = ablation.create(paths.RUNS, planned, key, paths.DATA, device_in_hand())
            st.session_state["train_ablation_queued"] = made.id
            ablation.start(paths.RUNS, made)
        st.rerun()
