"""Which units of the network in hand lose most of their receptive field to the holes."""

import numpy as np
import streamlit as st

from core.augmentation import AugmentationSpec
from core.data import Dataset
from core.evaluation.hidden_fields import LayerHidden, hidden_layers
from core.network import NetworkSpec, size_network
from ui import cached, choices, layout
from ui.augmentation.meaning_charts import fields_chart
from ui.augmentation.meaning_sample import Sample
from ui.layout import percent

FEW = 0.01


@st.cache_data(max_entries=32, show_spinner="Drawing holes …")
def _hidden(spec: AugmentationSpec, dataset_name: str, fingerprint: str, sample: Sample) -> np.ndarray:
    """(N, H, W): what the pipeline hides of a sample of training images; `fingerprint` keys the cache."""
    from core.augmentation.pipeline import preview
    from core.data.splits import take_balanced

    train = cached.dataset(dataset_name).train
    ids = take_balanced(train.labels, min(sample.images, len(train)), sample.seed)
    return preview(spec, train.images[np.sort(ids)], sample.seed).hidden


@st.cache_data(max_entries=64, show_spinner="Counting units …")
def _layers(network: NetworkSpec, hidden: np.ndarray) -> tuple[LayerHidden, ...]:
    return hidden_layers(network, size_network(network).layers, hidden)


def show(spec: AugmentationSpec, dataset: Dataset, sample: Sample) -> None:
    """The share of every layer's units that lose most or all of their field, as bars and as a table."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        network = choices.network_choice("augment_meaning")
        layout.link_to("Network", "Look at its layers")
    hidden = _hidden(spec, dataset.name, dataset.fingerprint, sample)
    with_hole = hidden[hidden.any(axis=(1, 2))]
    if not len(with_hole):
        st.info(
            f"None of {layout.count(len(hidden))} images has a hole, so every unit sees all that it could.",
            icon=":material/visibility:",
        )
        return
    layers = _layers(network, with_hole)
    st.markdown(_words(hidden, with_hole, layers))
    st.altair_chart(
        fields_chart(layers),
        alt="Share of each layer's units that lose most of their field: "
        + ", ".join(f"{layer.name} {percent(layer.mostly)}" for layer in layers),
        key="augment_meaning_fields",
    )
    _table(layers)
    st.caption(
        f"Holes as the whole pipeline draws them for {layout.count(len(hidden))} training images; the shares "
        "are over the images that have a hole, and over the part of each field that lies within the image."
    )


def _words(hidden: np.ndarray, with_hole: np.ndarray, layers: tuple[LayerHidden, ...]) -> str:
    share = len(with_hole) / len(hidden)
    first, worst = layers[0], max(layers, key=lambda layer: layer.mostly)
    words = (
        f"**{percent(share)}** of the images have a hole, which hides {percent(with_hole.mean())} of the "
        f"pixels. In those, **{percent(first.mostly)}** of the units of `{first.name}` lose more than half "
        f"of what they see, {percent(first.entirely)} lose all of it."
    )
    safe = next((index for index, layer in enumerate(layers) if max(_rest(layers, index)) < FEW), None)
    if safe is not None and safe > 0:
        layer = layers[safe]
        words += (
            f" From `{layer.name}` on, where a unit sees {layer.receptive_field} px, fewer than 1 % of the "
            "units do: the hole is a part of what they see, and its surroundings can make up for it."
        )
    elif safe is None:
        words += (
            f" Down to the last layer units are blinded; the most in `{worst.name}`, {percent(worst.mostly)}."
        )
    return words


def _rest(layers: tuple[LayerHidden, ...], index: int) -> list[float]:
    return [layer.mostly for layer in layers[index:]]


def _table(layers: tuple[LayerHidden, ...]) -> None:
    rows = [
        {
            "layer": layer.name,
            "map": f"{layer.rows}×{layer.columns}",
            "field": layer.receptive_field,
            "hidden": layer.hidden,
            "mostly": layer.mostly,
            "entirely": layer.entirely,
        }
        for layer in layers
    ]
    st.dataframe(
        rows,
        column_config={
            "layer": st.column_config.TextColumn("Layer", pinned=True, width=130),
            "map": st.column_config.TextColumn("Map", help="Units of each channel"),
            "field": st.column_config.NumberColumn("Field", format="%d px", help="Receptive field of a unit"),
            "hidden": st.column_config.NumberColumn(
                "Hidden", format="percent", help="Of what a unit sees, on average"
            ),
            "mostly": st.column_config.NumberColumn(
                "More than half", format="percent", help="Units with more than half of their field hidden"
            ),
            "entirely": st.column_config.NumberColumn(
                "Everything", format="percent", help="Units with all of their field hidden"
            ),
        },
        hide_index=True,
        height="content" if len(rows) <= 24 else 600,
        key="augment_meaning_fields_table",
        alt="What the holes hide of the receptive fields of each layer's units",
    )
