"""What the holes take of the evidence that a checkpoint finds in the images."""

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from core.augmentation import AugmentationSpec
from core.data import Dataset
from core.errors import SpecError
from core.evaluation.evidence import NEARLY_ALL, Evidence, EvidenceSettings, ShownEvidence
from ui.augmentation.meaning_charts import evidence_chart
from ui.augmentation.meaning_sample import Sample, fitting_checkpoint, measured
from ui.augmentation.sheet import draw_pair
from ui.gallery import gallery
from ui.layout import count, percent
from ui.text import plain

FEW = 8
"""So many images stand for the sample where none loses nearly all."""
TILE = 185
WARM = np.array([255, 106, 0])
"""The colour of attention, laid over a grey image."""
GREY_WEIGHTS = (0.299, 0.587, 0.114)
STRENGTH = 0.8


def show(spec: AugmentationSpec, dataset: Dataset, sample: Sample) -> None:
    """Choose a checkpoint; the shares once they are taken, as figures, as a chart and as images."""
    try:
        holes = _holes_alone(spec)
    except SpecError as error:
        st.info(plain(str(error)), icon=":material/visibility:")
        return
    checkpoint = fitting_checkpoint(dataset)
    settings = EvidenceSettings(
        augmentation=holes, images=min(sample.images, len(dataset.test)), seed=sample.seed
    )
    options = ["--images", settings.images, "--seed", settings.seed, "--shown", settings.shown]
    evidence = measured("Take the evidence", "evidence", Evidence, settings, checkpoint, dataset, options)
    if evidence is None:
        return
    _figures(evidence)
    if len(evidence.measured):
        _chart(evidence)
        _images(evidence, dataset)
    st.caption(
        f"Grad-CAM of the true class on {count(len(evidence.ids))} test images as they are: the map of "
        f"`{evidence.layer}`, {evidence.rows}×{evidence.columns} units, stretched over the image. Only the "
        "steps that make holes act, and on every image; with a probability of 0.5, half of the images of a "
        "training would keep everything."
    )


@st.cache_data(max_entries=64, show_spinner="Loading albumentations …")
def _holes_alone(spec: AugmentationSpec) -> AugmentationSpec:
    """What is measured; the same whatever the other steps do, so that it need not be measured again."""
    from core.augmentation.holes_alone import holes_alone

    return holes_alone(spec)


def _figures(evidence: Evidence) -> None:
    shares, nearly = evidence.measured, evidence.nearly_all
    low, high = nearly.interval
    with st.grid(columns=4, min_column_width=150):
        st.metric(
            "Evidence removed",
            percent(float(shares.mean()) if len(shares) else None),
            border=True,
            help="On average, of the attention to the true class.",
        )
        st.metric(
            "Pixels removed",
            percent(float(np.mean(evidence.hidden))),
            border=True,
            help="On average. Evidence that were spread evenly would lose as much.",
        )
        st.metric(
            f"Lose more than {percent(NEARLY_ALL, 0)}",
            f"{count(nearly.correct)} of {count(nearly.total)}",
            border=True,
            help=f"{percent(nearly.value)} of the images; 95 % interval {percent(low)} to {percent(high)}.",
        )
        st.metric(
            "Without evidence",
            count(evidence.without),
            border=True,
            help="Images in which nothing speaks for their class; they are in none of the other figures.",
        )


def _chart(evidence: Evidence) -> None:
    quarters = ", ".join(percent(float(share)) for share in np.quantile(evidence.measured, (0.25, 0.5, 0.75)))
    st.altair_chart(
        evidence_chart(evidence),
        alt=f"How many images lose how much of their evidence; its quartiles are {quarters}",
        key="augment_meaning_evidence_chart",
    )


def _images(evidence: Evidence, dataset: Dataset) -> None:
    """The images that lose nearly all, else those that lose the most."""
    nearly = [one for one in evidence.shown if one.share > NEARLY_ALL]
    if nearly:
        total = evidence.nearly_all.correct
        some = f"{count(len(nearly))} of the {count(total)}" if total > len(nearly) else "The"
        st.markdown(f"**{some} images that lose nearly all of their evidence**, the most first")
    else:
        st.markdown(f"**No image loses more than {percent(NEARLY_ALL, 0)}.** These lose the most:")
    shown = nearly or evidence.shown[:FEW]
    images = dataset.test.images
    pairs = [
        draw_pair(images[one.id], overlay(images[one.id], one), np.array(one.hidden, bool)) for one in shown
    ]
    names = [dataset.classes[dataset.test.labels[one.id]] for one in shown]
    captions = [
        f"{plain(name)} · {percent(one.share)} removed" for name, one in zip(names, shown, strict=True)
    ]
    alts = [
        f"Test image {one.id}, {name}, and beside it its attention: {percent(one.share)} of it lies in the "
        "outlined hole"
        for name, one in zip(names, shown, strict=True)
    ]
    gallery(pairs, captions, alts, size=TILE)
    st.caption(
        "Left the image, right where the network finds its evidence (orange), with the holes outlined."
    )


def overlay(image: NDArray[np.uint8], shown: ShownEvidence) -> NDArray[np.uint8]:
    """`image` (H, W, 3) in grey with its map in colour over it."""
    grey = (image @ np.array(GREY_WEIGHTS))[..., None]
    weight = STRENGTH * np.array(shown.attention)[..., None] / 255
    blended: NDArray[np.uint8] = np.rint(grey * (1 - weight) + WARM * weight).astype(np.uint8)
    return blended
