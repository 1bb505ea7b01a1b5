"""The view for a class: gradient descent on a small network, one step at a time, everything laid open."""

from typing import TYPE_CHECKING, Any

import numpy as np
import streamlit as st

from core.data import Dataset
from core.errors import ConvScopeError
from core.network import NetworkSpec, size_network
from core.training.small_networks import small_networks
from ui import cached
from ui.gallery import gallery
from ui.layout import count, percent
from ui.text import plain
from ui.training import stepping_last

if TYPE_CHECKING:
    from core.training.stepping import Walk

IMAGES = 8
RATES = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0)
RATE = 0.1
MANY = 10
LEAST_WIDTH = 340
"""Of a column, in pixels: two stand side by side where there is room."""
WALK, WALK_KEY = "train_step_walk", "train_step_walk_key"


def show() -> None:
    """Draw the view; a step redraws it alone and not the page."""
    st.markdown(
        f"Gradient descent on {IMAGES} training images, without augmentation, dropout and momentum: what "
        "one step does to the loss, to every layer, and to one weight."
    )
    st.fragment(_draw)()


def _draw() -> None:
    try:
        dataset = cached.current_dataset()
        walk = _buttons(*_choices(dataset), dataset)
    except ConvScopeError as error:
        st.error(plain(str(error)), icon=":material/error:")
        return
    with st.grid(columns=2, min_column_width=LEAST_WIDTH, gap="large"):
        with st.container():
            _batch(walk, dataset)
        with st.container():
            _loss(walk)
    stepping_last.show(walk, LEAST_WIDTH)


def _choices(dataset: Dataset) -> tuple[NetworkSpec, int]:
    """The network, and the number of the batch."""
    networks = small_networks(len(dataset.classes))
    with st.container(horizontal=True, vertical_alignment="bottom"):
        key = st.selectbox(
            "Network",
            list(networks),
            key="train_step_network",
            format_func=lambda key: (
                f"{networks[key].name} ({count(size_network(networks[key]).num_params)} parameters)"
            ),
            persist_state="session",
            width=420,
        )
        batch = st.number_input(
            "Batch",
            min_value=1,
            max_value=9999,
            value=1,
            key="train_step_batch",
            persist_state="session",
            help="Another number takes other images and other first weights.",
            width=140,
        )
    return networks[key], int(batch)


def _buttons(network: NetworkSpec, batch: int, dataset: Dataset) -> "Walk":
    """The walk of this session, after what its buttons ask for."""
    state, key = st.session_state, (network, batch, dataset.fingerprint)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        rate = st.select_slider(
            "Learning rate η",
            RATES,
            value=RATE,
            key="train_step_rate",
            format_func=lambda rate: f"{rate:g}",
            persist_state="session",
            width=300,
        )
        one = st.button("Take one step", key="train_step_one", type="primary", icon=":material/step:")
        many = st.button(f"{MANY} steps", key="train_step_many", icon=":material/fast_forward:")
        afresh = st.button("Start over", key="train_step_afresh", icon=":material/restart_alt:")
    if afresh or state.get(WALK_KEY) != key:
        state[WALK], state[WALK_KEY] = _begin(key, network, dataset, batch), key
    if one or many:
        try:
            state[WALK] = _take(state[WALK], rate, MANY if many else 1)
        except ConvScopeError as error:
            st.error(plain(str(error)), icon=":material/trending_up:")
    walk: Walk = state[WALK]
    return walk


@st.cache_resource(max_entries=64, show_spinner="Building the network …")
def _begin(_key: Any, network: NetworkSpec, _dataset: Dataset, batch: int) -> "Walk":
    from core.training.stepping import begin

    return begin(network, _dataset, IMAGES, batch)


def _take(walk: "Walk", rate: float, steps: int) -> "Walk":
    from core.training.stepping import take_steps

    return take_steps(walk, rate, steps)


def _batch(walk: "Walk", dataset: Dataset) -> None:
    """The images, each with the probability that the network gives its class."""
    st.markdown("##### The batch")
    st.caption("Under each its class, and the probability of it: before the last step, and now.")
    captions = []
    for turn, label in enumerate(walk.labels):
        now = percent(walk.probabilities[turn])
        if walk.last is not None:
            before = percent(walk.last.probabilities_before[turn]).removesuffix(" %")
            now = f"{before} → {now}"
        captions.append(f"{dataset.classes[label]} · {now}")
    alts = [f"Training image: {words}" for words in captions]
    gallery(walk.pictures, list(map(plain, captions)), alts, size=80)


def _loss(walk: "Walk") -> None:
    """The loss before and after the last step, and after every one."""
    st.markdown("##### The loss")
    if walk.last is None:
        st.metric("Loss before the first step, in nats", f"{walk.losses[0]:.4f}")
        st.caption(f"Guessing gives ln {walk.network.num_classes} = {np.log(walk.network.num_classes):.4f}.")
    else:
        before, after = walk.last.loss_before, walk.last.loss_after
        st.metric(
            f"Loss after step {walk.steps}, in nats",
            f"{after:.4f}",
            f"{after - before:+.4f} from {before:.4f}",
            delta_color="inverse",
        )
    words = f"Loss of the batch after each of {walk.steps} steps, now {walk.losses[-1]:.3f} nats"
    st.vega_lite_chart(loss_curve(walk.losses), width="stretch", alt=words)


def loss_curve(losses: tuple[float, ...]) -> dict[str, Any]:
    """A Vega-Lite specification of the loss by step, from 0."""
    return {
        "data": {"values": [{"step": step, "loss": loss} for step, loss in enumerate(losses)]},
        "height": 220,
        "mark": {"type": "line", "point": len(losses) <= 100, "tooltip": True},
        "encoding": {
            "x": {"field": "step", "type": "quantitative", "axis": {"tickMinStep": 1, "title": "step"}},
            "y": {
                "field": "loss",
                "type": "quantitative",
                "axis": {"title": "loss (nats)"},
                "scale": {"zero": False},
            },
        },
    }
