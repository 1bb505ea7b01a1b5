"""What the augmentation in hand means for the network that trains on it, one question at a time."""

from collections.abc import Callable

import streamlit as st

from core.augmentation import AugmentationSpec
from core.data import Dataset
from core.errors import ConvScopeError
from ui.augmentation import meaning_evidence, meaning_fields, meaning_strength
from ui.augmentation.meaning_sample import Sample
from ui.text import plain

VIEWS: dict[str, tuple[str, Callable[[AugmentationSpec, Dataset, Sample], None]]] = {
    "Receptive fields": (
        "How many units of each layer have most of what they see under the holes.",
        meaning_fields.show,
    ),
    "Strength curve": (
        "How a trained network fares as one step grows stronger.",
        meaning_strength.show,
    ),
    "Evidence removed": (
        "How much of what a trained network goes by lies under the holes.",
        meaning_evidence.show,
    ),
}
IMAGES = (200, 500, 1000, 2000)


def for_the_network(spec: AugmentationSpec, dataset: Dataset) -> None:
    """Draw the chosen question for `spec` on images of `dataset`; only that one is computed.

    The page ends here where a checkpoint is needed and none can be used: let nothing follow.
    """
    with st.container(horizontal=True, vertical_alignment="bottom"):
        view = st.segmented_control(
            "Question",
            list(VIEWS),
            default="Receptive fields",
            required=True,
            key="augment_meaning",
            bind="query-params",
        )
        images = st.segmented_control(
            "Sample",
            IMAGES,
            default=500,
            required=True,
            key="augment_meaning_images",
            bind="query-params",
            help="So many images, as many of each class.",
        )
        seed = st.number_input(
            "Seed of the sample",
            0,
            2**31 - 1,
            1,
            key="augment_meaning_seed",
            bind="query-params",
            width=160,
            help="Of the choice of images, and of what is drawn for them.",
        )
    words, show = VIEWS[str(view)]
    st.caption(words)
    try:
        show(spec, dataset, Sample(int(images or IMAGES[0]), int(seed)))
    except ConvScopeError as error:
        st.error(plain(str(error)), icon=":material/error:")
