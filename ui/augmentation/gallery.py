"""The preview: pictures of the dataset, each beside what the training would make of it."""

from dataclasses import dataclass

import numpy as np
import streamlit as st

from core.augmentation import AugmentationSpec
from core.augmentation.forced import without_chance
from core.augmentation.spec import NORMALIZE
from ui.augmentation import preview as augmentation_preview
from ui.augmentation.preview import Shown
from ui.augmentation.see_look import Look
from ui.augmentation.see_tiles import Part, Pictures, draw, encode, encode_sheet, show_pictures
from ui.layout import percent
from ui.text import plain

LARGE, SMALL, FEW = 3, 2, 8
"""How many times the pictures are enlarged, for so few pairs and for more."""
TOLD, COLUMNS = 16, 3
"""Pictures up to which each says what was done to it, and the pairs in a row of a sheet of more."""
MOST_HOLES = 3
"""So many holes of a picture are told one by one; a grid has hundreds."""
NO_BREAK = "\u00a0"


def looked_at(spec: AugmentationSpec, look: Look) -> AugmentationSpec:
    """The pipeline whose pictures are shown: `spec`, or the same with every step acting."""
    return without_chance(spec) if look.forced else spec


@dataclass(frozen=True, eq=False, slots=True)
class Gallery:
    """The preview, ready to be shown."""

    shown: Shown
    pictures: Pictures
    alts: tuple[str, ...]
    captions: tuple[str, ...] | None
    is_forced: bool
    """Whether every step acts, whatever its probability."""


def hang(spec: AugmentationSpec, look: Look, moved: int = 0) -> Gallery:
    """The pairs, each with the steps that acted on it; `SpecError` where the pipeline cannot run.

    `moved` is the step that is being set, if it is one.
    """
    shown = augmentation_preview.preview(looked_at(spec, look), look.images, look.seed, moved)
    words = [_words(spec, shown, index, look.outlines) for index in range(len(shown.images))]
    alts = [f"{name}, and beside it augmented: {text}" for name, text in zip(look.names, words, strict=True)]
    pair = (Part(shown.originals), Part(shown.images, shown.hidden if look.outlines else None))
    if len(words) > TOLD:
        whole = encode_sheet(draw(pair, 1), COLUMNS)
        return Gallery(shown, whole, ("; ".join(alts),), None, look.forced)
    tiles = draw(pair, LARGE if len(words) <= FEW else SMALL)
    captions = (f"{plain(name)} · {text}" for name, text in zip(look.names, words, strict=True))
    return Gallery(shown, encode(tiles), tuple(alts), tuple(captions), look.forced)


def show_gallery(gallery: Gallery) -> None:
    """What is hidden on average and at most, and the pairs."""
    hidden = gallery.shown.hidden.mean(axis=(1, 2))
    if gallery.is_forced:
        st.caption(":orange[:material/bolt: Every step acts on every image: **not what is trained**.]")
    figures = st.container()
    show_pictures(gallery.pictures, gallery.alts, gallery.captions)
    with figures, st.grid(columns=3, min_column_width=105):
        st.metric("Hidden", percent(hidden.mean()), border=True, help="Of the pixels of all these pictures.")
        st.metric("At most", percent(hidden.max()), border=True, help="In one of these pictures.")
        st.metric("With a hole", f"{np.count_nonzero(hidden)}/{len(hidden)}", border=True)


def explain_gallery(look: Look) -> None:
    """What is seen, whatever the pipeline."""
    st.caption(
        "Left the image, right what the network gets; its normalisation is undone to show it."
        + f" With at most {TOLD} pictures, each says what was done to it." * (len(look.images) > TOLD)
    )


def _words(spec: AugmentationSpec, shown: Shown, index: int, with_holes: bool) -> str:
    """Which steps changed the picture, the share that is hidden, and where the holes are."""
    seen = [step for step in shown.acted[index] if spec.steps[step].transform != NORMALIZE]
    acted = ", ".join(str(step + 1) for step in seen)
    parts = [f"step{'s' * (len(seen) > 1)} {acted}" if seen else "unchanged"]
    if shown.hidden[index].any():
        parts.append(f"{percent(shown.hidden[index].mean())} hidden")
    if with_holes:
        holes = shown.holes[index]
        parts += [f"{x2 - x1}×{y2 - y1} px at {x1}, {y1}" for x1, y1, x2, y2 in holes[:MOST_HOLES]]
        if len(holes) > MOST_HOLES:
            parts.append(f"and {len(holes) - MOST_HOLES} more")
        if not _lies_as_drawn(shown, index):
            parts.append("then moved")
    return " · ".join(part.replace(" ", NO_BREAK) for part in parts)


def _lies_as_drawn(shown: Shown, index: int) -> bool:
    drawn = np.zeros_like(shown.hidden[index])
    for x1, y1, x2, y2 in shown.holes[index]:
        drawn[y1:y2, x1:x2] = True
    return np.array_equal(drawn, shown.hidden[index])
