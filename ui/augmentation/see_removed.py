"""How much is removed: over a large sample, on average and at worst, and the statistics that are left."""

from typing import Any

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from core.augmentation import AugmentationSpec
from core.data import Dataset
from ui import cached
from ui.augmentation.preview import image_order
from ui.layout import count, percent

NUM_IMAGES, NUM_PARTS = 2000, 8
"""So many images in all, measured in so many parts; each part is kept."""
NUM_BINS = 20
COLOURS = ("red", "green", "blue")


def show_removed(spec: AugmentationSpec, dataset: Dataset, seed: int) -> None:
    """Measure `spec` on training images of all classes, and show what it hides and what it leaves."""
    from core.augmentation.removed import summarise  # brings in albumentations

    bar = st.progress(0.0, "Drawing …")
    samples = []
    for part in range(NUM_PARTS):
        samples.append(_sample(spec, dataset.name, dataset.fingerprint, seed, part))
        bar.progress((part + 1) / NUM_PARTS, "Drawing …")
    bar.empty()
    removal = summarise(samples, spec)
    num = len(removal.hidden)
    with st.grid(columns=4, min_column_width=150):
        st.metric("Hidden on average", percent(removal.mean_hidden), border=True)
        st.metric(
            "Worst twentieth, from",
            percent(removal.worst_from),
            border=True,
            help="The 95th percentile: one image of twenty loses at least as much.",
        )
        st.metric(
            "Worst twentieth, mean",
            percent(removal.worst_mean),
            border=True,
            help="The mean over the 5 % of the images that lose most.",
        )
        st.metric("With a hole", percent(removal.with_hole), border=True)
    if removal.with_hole:
        shares, _ = np.histogram(removal.hidden, NUM_BINS, (0, 1))
        st.vega_lite_chart(
            spec=_histogram(shares / num),
            width="stretch",
            key="augment_removed_chart",
            alt=f"How many images lose how much: {percent(removal.mean_hidden)} on average",
        )
    st.markdown(_table(dataset, removal))
    st.caption(
        f"Measured on {count(num)} training images of all classes in turn, drawn from seed {seed} with the "
        "pipeline's own probabilities. Mean and deviation: the dataset's → behind the pipeline. The network "
        "learns best from a mean near 0 and a deviation near 1."
    )


@st.cache_resource(max_entries=128, show_spinner=False, hash_funcs={AugmentationSpec: hash})
def _sample(spec: AugmentationSpec, dataset_name: str, fingerprint: str, seed: int, part: int) -> Any:
    """One part of the sample, a `core.augmentation.removed.Sample`, with draws of its own."""
    from core.augmentation.removed import take_sample

    dataset = cached.dataset(dataset_name)
    order = image_order(fingerprint, dataset.train.labels, None)[:NUM_IMAGES]
    own_seed = int(np.random.SeedSequence((seed, part)).generate_state(1)[0])
    return take_sample(spec, dataset.train.images[np.array_split(order, NUM_PARTS)[part]], own_seed)


def _histogram(shares: NDArray[np.float64]) -> dict[str, Any]:
    """Bars: how often so much of an image is hidden."""
    width = 100 / NUM_BINS
    values = [
        {"from": width * index, "to": width * (index + 1), "share": share}
        for index, share in enumerate((100 * shares).tolist())
    ]
    return {
        "height": 220,
        "data": {"values": values},
        "mark": {"type": "bar", "tooltip": True},
        "encoding": {
            "x": {
                "field": "from",
                "bin": {"binned": True, "step": width},
                "title": "% of the image hidden",
                "scale": {"domain": [0, 100]},
            },
            "x2": {"field": "to"},
            "y": {"field": "share", "type": "quantitative", "title": "% of the images"},
        },
    }


def _table(dataset: Dataset, removal: Any) -> str:
    """Mean and deviation of each colour, of the dataset → behind the pipeline, and as the network gets it."""
    titles = ("", "mean", "deviation", "the network gets: mean", "deviation")
    rows = [titles, (":-", *("-:",) * (len(titles) - 1))]
    for channel, colour in enumerate(COLOURS):
        pairs = ((dataset.mean, removal.pixel_mean), (dataset.std, removal.pixel_std))
        rows.append(
            (
                colour,
                *(f"{_number(before[channel])} → {_number(after[channel])}" for before, after in pairs),
                _number(removal.network_mean[channel]),
                _number(removal.network_std[channel]),
            )
        )
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _number(value: float) -> str:
    return f"{value:.3f}".replace("-", "−")
