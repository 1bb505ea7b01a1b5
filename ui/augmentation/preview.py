"""What the preview shows, computed by the training's own pipeline and kept for all visitors."""

from dataclasses import dataclass

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from core.augmentation import AugmentationSpec
from ui import cached


@dataclass(frozen=True, eq=False, slots=True)
class Shown:
    """Images before and after, and what was done to each; see `core.augmentation.pipeline.Preview`."""

    originals: NDArray[np.uint8]
    images: NDArray[np.uint8]
    holes: tuple[tuple[tuple[int, int, int, int], ...], ...]
    hidden: NDArray[np.bool_]
    acted: tuple[tuple[int, ...], ...]


@st.cache_data(max_entries=64, show_spinner="Loading albumentations …")
def preview(spec: AugmentationSpec, dataset_name: str, indices: tuple[int, ...], seed: int) -> Shown:
    """Training images `indices` before and after; `SpecError` where the pipeline cannot run."""
    from core.augmentation import pipeline  # albumentations takes a second to import

    originals = cached.dataset(dataset_name).train.images[list(indices)]
    result = pipeline.preview(spec, originals, seed)
    return Shown(originals, result.images, result.holes, result.hidden, result.acted)


@st.cache_data(max_entries=64, show_spinner=False)
def image_order(fingerprint: str, _labels: NDArray[np.int64], label: int | None) -> NDArray[np.int64]:
    """The indices of one class in order, or of all images with the classes taking turns."""
    if label is not None:
        return np.flatnonzero(_labels == label)
    by_class = np.argsort(_labels, kind="stable")
    counts = np.bincount(_labels)
    turn = np.arange(len(_labels)) - np.repeat(np.cumsum(counts) - counts, counts)
    return by_class[np.argsort(turn, kind="stable")]
