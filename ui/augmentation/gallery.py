"""The preview: pictures of the dataset, each beside what the training would make of it."""

from dataclasses import dataclass

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from core.augmentation import AugmentationSpec
from core.augmentation.spec import NORMALIZE
from core.data import Dataset
from ui.augmentation import preview as augmentation_preview
from ui.augmentation.preview import Shown
from ui.gallery import enlarge, gallery
from ui.layout import percent
from ui.text import plain

COUNTS = (4, 8, 16, 32)
ALL = "All classes"
FACTOR = 6
"""How often a pixel is repeated, so that the browser has nothing to blur."""
GAP = 12
"""Between the two pictures of a pair, in enlarged pixels."""
TILE = 185
"""The least width of a pair on the page, in px."""
NO_BREAK = "\u00a0"
OUTLINE, OUTLINE_EDGE = (255, 214, 10), (20, 20, 20)


@dataclass(frozen=True, slots=True)
class Look:
    """Which images the preview shows, and with which draw."""

    indices: tuple[int, ...]
    """Of training images."""
    seed: int
    outlines: bool


def look_controls(dataset: Dataset) -> Look:
    """Class, number of images, which page of them, seed, and whether holes are outlined."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        chosen = st.selectbox(
            "Class", [ALL, *dataset.classes], key="augment_class", bind="query-params", width=160
        )
        number = st.segmented_control(
            "Images", COUNTS, default=8, required=True, key="augment_count", bind="query-params"
        )
    with st.container(horizontal=True, vertical_alignment="bottom"):
        seed = st.number_input(
            "Seed",
            0,
            2**31 - 1,
            1,
            key="augment_seed",
            bind="query-params",
            width=160,
            help="The same seed draws the same pictures, here and in the training pipeline.",
        )
        st.button("New draw", key="augment_draw", icon=":material/casino:", on_click=_draw_anew)
        outlines = st.toggle("Outline holes", key="augment_outline", bind="query-params")
    count = int(number or COUNTS[0])
    order = augmentation_preview.image_order(
        dataset.fingerprint, dataset.train.labels, _label(dataset, chosen)
    )
    page = st.pagination(
        max(1, -(-len(order) // count)), key="augment_page", max_visible_pages=5, bind="query-params"
    )
    return Look(tuple(order[(page - 1) * count : page * count].tolist()), int(seed), bool(outlines))


def show_preview(spec: AugmentationSpec, dataset: Dataset, look: Look) -> Shown:
    """What is hidden on average and at most, and the pairs, each with the steps that acted on it."""
    shown = augmentation_preview.preview(spec, dataset.name, look.indices, look.seed)
    hidden = shown.hidden.mean(axis=(1, 2))
    with st.grid(columns=3, min_column_width=105):
        st.metric("Hidden", percent(hidden.mean()), border=True, help="Of the pixels of all these pictures.")
        st.metric("At most", percent(hidden.max()), border=True, help="In one of these pictures.")
        st.metric("With a hole", f"{np.count_nonzero(hidden)} of {len(hidden)}", border=True)
    st.caption("Left the image, right what the network gets; its normalisation is undone to show it.")
    names = [dataset.classes[label] for label in dataset.train.labels[list(look.indices)]]
    pairs = [
        draw_pair(original, augmented, mask if look.outlines else None)
        for original, augmented, mask in zip(shown.originals, shown.images, shown.hidden, strict=True)
    ]
    words = [_words(spec, shown, index, look.outlines) for index in range(len(pairs))]
    captions = [f"{plain(name)} · {text}" for name, text in zip(names, words, strict=True)]
    alts = [f"{name}, and beside it augmented: {text}" for name, text in zip(names, words, strict=True)]
    gallery(pairs, captions, alts, size=TILE)
    return shown


def _label(dataset: Dataset, chosen: str) -> int | None:
    return dataset.classes.index(chosen) if chosen in dataset.classes else None


def _draw_anew() -> None:
    st.session_state["augment_seed"] = (st.session_state["augment_seed"] + 1) % 2**31


def draw_pair(
    original: NDArray[np.uint8], augmented: NDArray[np.uint8], mask: NDArray[np.bool_] | None
) -> NDArray[np.uint8]:
    """Both enlarged, side by side with a transparent gap: `(H, 2 W + gap, 4)` RGBA; `mask` is outlined."""
    height, width = original.shape[:2]
    left, right = enlarge(original, FACTOR * width), enlarge(augmented, FACTOR * width)
    if mask is not None and mask.any():
        right = _outline(right, mask)
    pair = np.zeros((FACTOR * height, 2 * FACTOR * width + GAP, 4), np.uint8)
    for picture, start in ((left, 0), (right, FACTOR * width + GAP)):
        pair[:, start : start + FACTOR * width, :3] = picture
        pair[:, start : start + FACTOR * width, 3] = 255
    return pair


def _outline(picture: NDArray[np.uint8], mask: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """`picture` with the inner rim of `mask` in two colours, so that it shows on any background."""
    inside = mask.repeat(FACTOR, axis=0).repeat(FACTOR, axis=1)
    outlined = picture.copy()
    for thickness, colour in ((5, OUTLINE_EDGE), (3, OUTLINE)):
        outlined[inside & ~_shrunk(inside, thickness)] = colour
    return outlined


def _shrunk(mask: NDArray[np.bool_], pixels: int) -> NDArray[np.bool_]:
    """`mask` without what lies within `pixels` of its rim; the picture's own edge counts as a rim."""
    padded = np.pad(mask, pixels)
    height, width = mask.shape
    kept = mask.copy()
    for shift in (0, 2 * pixels):
        kept &= padded[shift : shift + height, pixels : pixels + width]
        kept &= padded[pixels : pixels + height, shift : shift + width]
    return kept


def _words(spec: AugmentationSpec, shown: Shown, index: int, with_holes: bool) -> str:
    """Which steps changed the picture, the share that is hidden, and where the holes are."""
    seen = [step for step in shown.acted[index] if spec.steps[step].transform != NORMALIZE]
    acted = ", ".join(str(step + 1) for step in seen)
    parts = [f"step{'s' * (len(seen) > 1)} {acted}" if seen else "unchanged"]
    if shown.hidden[index].any():
        parts.append(f"{percent(shown.hidden[index].mean())} hidden")
    if with_holes:
        parts += [f"{x2 - x1}×{y2 - y1} px at {x1}, {y1}" for x1, y1, x2, y2 in shown.holes[index]]
        if not _lies_as_drawn(shown, index):
            parts.append("then moved")
    return " · ".join(part.replace(" ", NO_BREAK) for part in parts)


def _lies_as_drawn(shown: Shown, index: int) -> bool:
    drawn = np.zeros_like(shown.hidden[index])
    for x1, y1, x2, y2 in shown.holes[index]:
        drawn[y1:y2, x1:x2] = True
    return np.array_equal(drawn, shown.hidden[index])
