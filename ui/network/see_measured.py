"""The receptive field as gradients measure it, at initialisation or in a checkpoint of the same network."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import streamlit as st

from core import checkpoint as checkpoints
from core.checkpoint_list import ListedCheckpoint, list_checkpoints
from core.data import Dataset
from core.errors import ConvScopeError
from core.network import LayerSizing, NetworkSpec
from core.network.coverage import Box
from ui import cached, paths
from ui.layout import percent
from ui.network.see_charts import MAX_CELLS, heat_map
from ui.network.see_choice import Unit
from ui.network.see_picture import fit_images
from ui.text import plain

INITIAL = "initial"
NUM_IMAGES = 16


def show_measured(
    spec: NetworkSpec, sized: tuple[LayerSizing, ...], unit: Unit, box: Box, dataset: Dataset
) -> None:
    """The measured field of `unit` beside the theoretical `box`, on demand: it needs torch."""
    st.subheader("Measured receptive field", anchor="measured")
    if not st.toggle("Measure it from gradients", key="network_see_measure"):
        st.caption(
            "The box says what a unit can see. Gradients say how much each pixel really moves it, before and "
            "after training."
        )
        return
    image = Box(0, 0, *spec.input_shape[1:])
    if image.area > MAX_CELLS:
        st.info(f"An image of more than {MAX_CELLS:,} pixels is not measured here.", icon=":material/info:")
        return
    with st.container(horizontal=True, vertical_alignment="bottom"):
        weights, seed = _weights_choice(spec)
    try:
        sizes = _measure(spec, sized, unit, dataset.name, dataset.fingerprint, weights, seed)
    except ConvScopeError as error:
        st.error(str(error), icon=":material/error:")
        return
    with st.grid(min_column_width=370, gap="medium"):
        words = _words(sizes, box)
        st.vega_lite_chart(
            spec=heat_map(sizes, image, box, image, "mean size of the gradient"),
            width="content",
            key="network_see_gradients",
            alt=words,
        )
        with st.container():
            st.markdown(words)
            st.caption(
                f"The mean size of ∂ unit / ∂ pixel over the first {NUM_IMAGES} test images of "
                f"{plain(dataset.title)}, the colours and up to 16 channels of the unit, in evaluation mode. "
                "Pixels are normalised as in training."
            )


def _weights_choice(spec: NetworkSpec) -> tuple[tuple[Path, str] | None, int]:
    """The checkpoint's folder and the digest of its weights, or None and the seed to initialise from."""
    listed = {str(item.folder): item for item in _checkpoints_of(spec)}
    chosen = st.selectbox(
        "Weights",
        [INITIAL, *listed],
        key="network_see_weights",
        format_func=lambda key: "At initialisation" if key == INITIAL else listed[key].title,
        help="Checkpoints of this very network appear here." if not listed else None,
    )
    if chosen == INITIAL:
        seed = st.number_input(
            "Seed", 0, 9999, value=0, key="network_see_seed", bind="query-params", width=140
        )
        return None, int(seed)
    checkpoint = listed[chosen].checkpoint
    assert checkpoint is not None  # only whole ones are listed
    return (listed[chosen].folder, checkpoint.weights_sha256), 0


def _checkpoints_of(spec: NetworkSpec) -> list[ListedCheckpoint]:
    """The checkpoints of this network, whatever it was called."""
    return [
        item
        for item in list_checkpoints(paths.RUNS, paths.CHECKPOINTS)
        if item.checkpoint and replace(item.checkpoint.run_spec.network, name=spec.name) == spec
    ]


def _words(sizes: np.ndarray, box: Box) -> str:
    """How much of the whole lies outside the box, and how small a part of it holds most."""
    total = sizes.sum()
    if total == 0:
        return (
            "No gradient reaches the image: the unit is 0 on all of these images, and so are its gradients."
        )
    inside = box.overlap(Box(0, 0, *sizes.shape))
    within = sizes[inside.top : inside.bottom + 1, inside.left : inside.right + 1]
    outside = (total - within.sum()) / total
    ordered = np.sort(within, axis=None)[::-1].cumsum()
    most = int(np.searchsorted(ordered, 0.9 * total)) + 1
    return (
        f"Of the gradient, {percent(max(outside, 0.0))} lies outside the box. "
        f"{percent(most / box.area)} of the box's {box.area:,} pixels hold 90 % of it."
    )


@st.cache_data(max_entries=32, show_spinner="Taking gradients …")
def _measure(
    spec: NetworkSpec,
    sized: tuple[LayerSizing, ...],
    unit: Unit,
    name: str,
    fingerprint: str,
    weights: tuple[Path, str] | None,
    seed: int,
) -> np.ndarray:
    """(H, W) mean sizes of the gradient; `fingerprint` and the digest in `weights` only key the cache."""
    from core.network.build import restore_network
    from core.network.measured_field import initial_network, measure_field

    dataset = cached.dataset(name)
    images = fit_images(dataset.test.images[:NUM_IMAGES], *spec.input_shape[1:])
    mean, std = dataset.mean, dataset.std
    if weights is None:
        network = initial_network(spec, sized, seed)
    else:
        augmentation = checkpoints.load(weights[0]).run_spec.augmentation
        mean, std = augmentation.mean, augmentation.std
        network = restore_network(spec, checkpoints.load_weights(weights[0]))
    layer = spec.layers[unit.index].name
    return measure_field(network, layer, (unit.row, unit.column), images, mean, std)
