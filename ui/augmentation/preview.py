"""What the page shows, computed by the training's own pipeline and kept for all visitors, read-only."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from types import ModuleType
from typing import Any

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from core.augmentation import AugmentationSpec


@dataclass(frozen=True, eq=False, slots=True)
class Shown:
    """Images before and after, and what was done to each; see `core.augmentation.pipeline.Preview`."""

    originals: NDArray[np.uint8]
    images: NDArray[np.uint8]
    holes: tuple[tuple[tuple[int, int, int, int], ...], ...]
    hidden: NDArray[np.bool_]
    acted: tuple[tuple[int, ...], ...]


@dataclass(frozen=True, eq=False, slots=True)
class ShownStage:
    """One image behind one step; see `core.augmentation.pipeline.Stage`."""

    index: int
    image: NDArray[np.uint8]
    hidden: NDArray[np.bool_]
    acted: bool
    drawn: str
    """In words."""


def _digest(images: NDArray[np.uint8]) -> bytes:
    return hashlib.blake2b(images.tobytes(), digest_size=16).digest()


# Streamlit's own way takes the spec apart field by field, for longer than the preview takes.
HASHES: dict[str | type[Any], Callable[[Any], Any]] = {AugmentationSpec: hash, np.ndarray: _digest}


@st.cache_resource(show_spinner="Loading albumentations …")
def _loaded() -> ModuleType:
    """The module that runs pipelines, whose first import takes a second."""
    from core.augmentation import pipeline

    return pipeline


@st.cache_resource(max_entries=64, show_spinner=False, hash_funcs=HASHES)
def preview(spec: AugmentationSpec, images: NDArray[np.uint8], seed: int, _moved: int = 0) -> Shown:
    """`images` (N, 32, 32, 3) before and after; `SpecError` where the pipeline cannot run.

    `_moved` is the step that is being set: what those before it do is kept for the next time.
    """
    if _moved:
        kept = replace(spec, name="kept", steps=spec.steps[:_moved])
        result = _loaded().finish(spec, _begun(kept, images, seed, _whole=spec), seed)
    else:
        result = _loaded().preview(spec, images, seed)
    return Shown(images, result.images, result.holes, result.hidden, result.acted)


@st.cache_resource(max_entries=64, show_spinner=False, hash_funcs=HASHES)
def _begun(kept: AugmentationSpec, images: NDArray[np.uint8], seed: int, _whole: AugmentationSpec) -> Any:
    """The images behind the steps `kept`, which may leave them larger: only `_whole` runs by itself."""
    return _loaded().begin(_whole, images, seed, len(kept.steps))


@st.cache_resource(max_entries=64, show_spinner=False, hash_funcs=HASHES)
def stages(
    spec: AugmentationSpec, images: NDArray[np.uint8], seed: int, index: int
) -> tuple[ShownStage, ...]:
    """How the picture `index` of `preview(spec, images, seed)` came about, step by step."""
    from core.augmentation import drawn, pipeline

    return tuple(
        ShownStage(
            stage.index,
            stage.image,
            stage.hidden,
            bool(stage.drawn),
            drawn.drawn_words(spec.steps[stage.index].transform, stage.drawn),
        )
        for stage in pipeline.stages(spec, images, seed, index)
    )


@st.cache_data(max_entries=64, show_spinner=False)
def image_order(fingerprint: str, _labels: NDArray[np.int64], label: int | None) -> NDArray[np.int64]:
    """The indices of one class in order, or of all images with the classes taking turns."""
    if label is not None:
        return np.flatnonzero(_labels == label)
    by_class = np.argsort(_labels, kind="stable")
    counts = np.bincount(_labels)
    turn = np.arange(len(_labels)) - np.repeat(np.cumsum(counts) - counts, counts)
    return by_class[np.argsort(turn, kind="stable")]
