"""Step by step: one picture of the preview behind every step of the pipeline, with what each step drew."""

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from core.augmentation import AugmentationSpec
from core.augmentation.catalogue import TRANSFORMS
from core.augmentation.spec import NORMALIZE
from ui.augmentation.gallery import looked_at
from ui.augmentation.preview import ShownStage, stages
from ui.augmentation.see_look import Look
from ui.augmentation.see_tiles import Part, draw, encode, show_pictures
from ui.layout import percent
from ui.text import plain

FACTOR = 4
"""How many times the pictures are enlarged."""


def show_steps(spec: AugmentationSpec, look: Look) -> None:
    """The choice of a picture, and what became of it behind every step; a step that did not act is faint."""
    count = len(look.images)
    if st.session_state.get("augment_stage", 1) > count:
        st.session_state["augment_stage"] = count
    number = st.number_input(
        "Picture",
        1,
        count,
        1,
        key="augment_stage",
        bind="query-params",
        width=160,
        help="As the preview counts them, row by row.",
    )
    index = int(number) - 1
    seen = {stage.index: stage for stage in stages(looked_at(spec, look), look.images, look.seed, index)}
    tiles, captions = [_tile(look.images[index])], [f"**{plain(look.names[index])}** · the image"]
    image, outlined = look.images[index], None
    for position, step in enumerate(spec.steps):
        title = TRANSFORMS[step.transform].title if step.transform in TRANSFORMS else step.transform
        stage = seen.get(position)
        if stage is not None:
            image, outlined = stage.image, stage.hidden if look.outlines else None
        acted = stage is not None and stage.acted
        tiles.append(_tile(image, outlined, is_faint=not acted))
        captions.append(f"**{position + 1} · {plain(title)}** · {plain(_words(spec, position, stage))}")
    show_pictures(encode(tiles), [caption.replace("*", "") for caption in captions], captions)
    st.caption("The same draw as in the preview. The last picture is what the network gets.")


def _tile(
    image: NDArray[np.uint8], outlined: NDArray[np.bool_] | None = None, is_faint: bool = False
) -> NDArray[np.uint8]:
    part = Part(image[None], None if outlined is None else outlined[None], np.array([is_faint]))
    drawn: NDArray[np.uint8] = draw([part], FACTOR)[0]
    return drawn


def _words(spec: AugmentationSpec, position: int, stage: ShownStage | None) -> str:
    """What the step drew, or why it did nothing."""
    step = spec.steps[position]
    if step.transform == NORMALIZE:
        return "undone here to show it"
    if not step.is_on:
        return "off"
    if stage is None or not stage.acted:
        return f"did not act, probability {percent(step.probability, 0)}"
    return stage.drawn or "acted"
