"""What the preview looks at: many images, many draws of one, or an own picture; all but that in the link."""

from dataclasses import dataclass

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from core.data import Dataset
from core.errors import ImageError
from core.image import MAX_BYTES, fit_square, read_image
from ui.augmentation.preview import image_order
from ui.text import plain

COUNTS = (4, 8, 16, 32)
ALL = "All classes"
MANY, ONE, OWN = "Many images", "One image", "Own picture"
OWN_NAME = "own picture"
KINDS = ("png", "jpg", "jpeg", "webp")


@dataclass(frozen=True, eq=False, slots=True)
class Look:
    """Which images the preview shows, and with which draw."""

    images: NDArray[np.uint8]
    """`(N, 32, 32, 3)` RGB."""
    names: tuple[str, ...]
    """Of each image its class."""
    seed: int
    outlines: bool
    """Whether holes are outlined."""
    forced: bool
    """Whether every step acts, whatever its probability."""


def look_controls(dataset: Dataset) -> Look:
    """What to look at and how often, with which draw, and whether holes are outlined and steps forced."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        mode = st.segmented_control(
            "Look at", (MANY, ONE, OWN), default=MANY, required=True, key="augment_look", bind="query-params"
        )
        number = st.segmented_control(
            "Pictures", COUNTS, default=8, required=True, key="augment_count", bind="query-params"
        )
        seed = st.number_input(
            "Seed",
            0,
            2**31 - 1,
            1,
            key="augment_seed",
            bind="query-params",
            width=150,
            help="The same seed draws the same pictures, here and in the training pipeline.",
        )
        st.button("New draw", key="augment_draw", icon=":material/casino:", on_click=_draw_anew)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        images, names = {MANY: _many, ONE: _one, OWN: _own}[str(mode)](dataset, int(number or COUNTS[0]))
        outlines = st.toggle("Outline holes", key="augment_outline", bind="query-params")
        forced = st.toggle(
            "Show every step acting",
            key="augment_force",
            bind="query-params",
            help="Every probability counts as 1, in this preview alone. The pipeline stays as it is.",
        )
    return Look(images, names, int(seed), bool(outlines), bool(forced))


Choice = tuple[NDArray[np.uint8], tuple[str, ...]]


def _many(dataset: Dataset, count: int) -> Choice:
    """One page of the training images, of all classes in turn or of one."""
    chosen = st.selectbox(
        "Class", [ALL, *dataset.classes], key="augment_class", bind="query-params", width=150
    )
    label = dataset.classes.index(chosen) if chosen in dataset.classes else None
    order = image_order(dataset.fingerprint, dataset.train.labels, label)
    page = st.pagination(
        max(1, -(-len(order) // count)), key="augment_page", max_visible_pages=5, bind="query-params"
    )
    indices = order[(page - 1) * count : page * count]
    names = tuple(dataset.classes[label] for label in dataset.train.labels[indices])
    return dataset.train.images[indices], names


def _one(dataset: Dataset, count: int) -> Choice:
    """The same training image again and again."""
    last = len(dataset.train) - 1
    if st.session_state.get("augment_image", 0) > last:  # an earlier dataset had more
        st.session_state["augment_image"] = last
    index = int(
        st.number_input("Training image", 0, last, 0, key="augment_image", bind="query-params", width=160)
    )
    return _repeated(dataset.train.images[index], dataset.classes[dataset.train.labels[index]], count)


def _own(dataset: Dataset, count: int) -> Choice:
    """The middle of a picture that a person sends, again and again; until then of a training image."""
    st.file_uploader(
        "A picture of yours: its middle square, at 32×32 pixels",
        type=KINDS,
        max_upload_size=MAX_BYTES // 1_000_000,
        key="augment_picture",
        on_change=_take_picture,
        help="It stays on this machine and is not in the link.",
    )
    if refusal := st.session_state.get("augment_picture_refusal"):
        st.error(plain(refusal), icon=":material/error:")
    picture = st.session_state.get("augment_own")
    if picture is None:
        st.caption("Until there is one, a training image stands in.")
        return _repeated(dataset.train.images[0], dataset.classes[dataset.train.labels[0]], count)
    return _repeated(picture, OWN_NAME, count)


def _repeated(image: NDArray[np.uint8], name: str, count: int) -> Choice:
    return image[None].repeat(count, axis=0), (name,) * count


def _take_picture() -> None:
    """Keep the picture that was sent, 32×32, or why it cannot be read; taken away, it is forgotten."""
    st.session_state["augment_own"] = st.session_state["augment_picture_refusal"] = None
    file = st.session_state["augment_picture"]
    if file is None:
        return
    try:
        st.session_state["augment_own"] = fit_square(read_image(file.getvalue()))
    except ImageError as error:
        st.session_state["augment_picture_refusal"] = str(error)


def _draw_anew() -> None:
    st.session_state["augment_seed"] = (st.session_state["augment_seed"] + 1) % 2**31
