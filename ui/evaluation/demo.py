"""What the Demo page shows: where the picture comes from, what the network sees of it, and what it says."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import streamlit as st

from core.checkpoint import Checkpoint
from core.data import Dataset
from core.evaluation.fit import compare_data
from core.image import fit_square, read_image
from ui.evaluation.charts import answer_chart
from ui.evaluation.prediction import probabilities
from ui.gallery import enlarge, gallery
from ui.layout import count, percent
from ui.text import plain

OWN, TEST = "your own picture", "test images"
DRAWN = 8
SHOWN_CLASSES = 5
SHOWN_SIDE = 256


@dataclass(frozen=True, eq=False, slots=True)
class Picture:
    """A picture to ask about."""

    original: np.ndarray
    """(H, W, 3) uint8."""
    seen: np.ndarray
    """(32, 32, 3) uint8, what the network gets."""
    title: str
    true: str | None = None
    """The class, where it is known."""


def uploaded_picture() -> Picture | None:
    """The picture that the visitor sends, or None so far; `ImageError` where it is refused."""
    file = st.file_uploader(
        "Your picture",
        type=["png", "jpg", "jpeg", "webp"],
        max_upload_size=10,
        key="demo_upload",
        help="PNG, JPEG or WebP, at most 10 MB and 24 million pixels. It is not kept.",
    )
    if file is None:
        return None
    original = read_image(file.getvalue())
    return Picture(original, fit_square(original), "Your picture")


def drawn_picture(dataset: Dataset, folder: Path, checkpoint: Checkpoint) -> Picture:
    """One of a few test images drawn by a seed, all of them shown with what the checkpoint says."""
    if compare_data(checkpoint, dataset) != "same":
        st.warning(
            f"The test images are those of {plain(dataset.title)}, the dataset in use. This network was "
            f"trained on {plain(checkpoint.dataset_title)}.",
            icon=":material/compare_arrows:",
        )
    seed = st.number_input(
        "Seed of the draw", 0, 9999, value=1, key="demo_seed", width=160, bind="query-params"
    )
    size = min(DRAWN, len(dataset.test))
    ids = np.random.default_rng(seed).choice(len(dataset.test), size, replace=False).tolist()
    images = dataset.test.images[ids]
    truths = {image: dataset.classes[dataset.test.labels[image]] for image in ids}
    said = probabilities(folder, checkpoint, images)
    answers = [(checkpoint.classes[row.argmax()], percent(row.max(), 0)) for row in said]
    captions = [
        f"{plain(truths[image])} →  \n{plain(name)}  \n{share}"
        for image, (name, share) in zip(ids, answers, strict=True)
    ]
    alts = [
        f"Test image {image}: {truths[image]}, taken for {name} with {share}"
        for image, (name, share) in zip(ids, answers, strict=True)
    ]
    gallery(images, captions, alts, size=86)
    chosen = st.pills(
        "Look closer at",
        ids,
        default=ids[0],
        required=True,
        format_func=lambda image: f"{truths[image]} {image}",
        key="demo_image",
        bind="query-params",
    )
    image = dataset.test.images[chosen]
    return Picture(image, image, f"Test image {chosen}", truths[chosen])


def answer(picture: Picture, folder: Path, checkpoint: Checkpoint) -> None:
    """The picture, what the network sees of it, and the most probable classes."""
    said = probabilities(folder, checkpoint, picture.seen[None])[0]
    best = np.argsort(-said, kind="stable")[:SHOWN_CLASSES]
    is_resized = picture.original.shape != picture.seen.shape
    with st.grid(columns=3 if is_resized else 2, min_column_width=200, gap="medium"):
        if is_resized:
            shown = enlarge(picture.original, SHOWN_SIDE)
            st.image(shown, caption=picture.title, alt=picture.title, width="stretch")
        st.image(
            enlarge(picture.seen, 2 * SHOWN_SIDE),
            caption="What the network sees: 32 × 32 pixels",
            alt=f"{picture.title} as 32 by 32 pixels",
            width="stretch",
            output_format="PNG",
        )
        with st.container():
            _verdict(picture, [checkpoint.classes[index] for index in best], said[best].tolist())


def _verdict(picture: Picture, classes: list[str], shares: list[float]) -> None:
    """The most probable of `classes` in large, whether it is true, and all of them as bars."""
    st.markdown(f"#### {plain(classes[0])}, {percent(shares[0])}")
    if picture.true is not None:
        mark = ":material/check: right" if picture.true == classes[0] else ":material/close: wrong"
        st.markdown(f"{mark}, it is: **{plain(picture.true)}**")
    said = ", ".join(f"{name} {percent(share)}" for name, share in zip(classes, shares, strict=True))
    st.altair_chart(answer_chart(classes, shares), alt=f"Most probable classes: {said}")


def honesty(checkpoint: Checkpoint) -> str:
    """What the network was trained on, and what its answer can therefore not be."""
    spec = checkpoint.run_spec
    images = (
        "all training images" if spec.train_images is None else f"{count(spec.train_images)} training images"
    )
    stand_in = ", drawn by ConvScope and no photographs" if checkpoint.is_stand_in else ""
    accuracy = ""
    if checkpoint.test_accuracy is not None and checkpoint.test_images:
        of = count(checkpoint.test_images)
        accuracy = f" It recognises {percent(checkpoint.test_accuracy)} of its {of} test images."
    return (
        f"Trained for {checkpoint.epoch} epochs on {images} of **{plain(checkpoint.dataset_title)}**"
        f"{stand_in}.{accuracy} It knows {len(checkpoint.classes)} classes and always answers with one of "
        "them, whatever the picture shows; its percentages are no proof that it is right."
    )
