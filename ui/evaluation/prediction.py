"""Asking a checkpoint about pictures, through the one path that evaluation takes too."""

from pathlib import Path
from typing import Any

import numpy as np
import streamlit as st

from core import checkpoint as checkpoints
from core.checkpoint import Checkpoint


def probabilities(folder: Path, checkpoint: Checkpoint, images: np.ndarray) -> np.ndarray:
    """The probabilities (N, C) of `images` (N, 32, 32, 3) uint8."""
    network = _network(
        folder, checkpoint.weights_sha256
    )  # first, so that its spinner shows while torch loads

    from core.network.predict import predict

    pixels = checkpoint.run_spec.augmentation
    return predict(network, images, pixels.mean, pixels.std, "cpu")


@st.cache_resource(max_entries=4, ttl=3600, show_spinner="Loading the network …")
def _network(folder: Path, weights_sha256: str) -> Any:
    """The network with the weights in `folder`, shared by all visitors; `weights_sha256` keys the cache."""
    from core.network.build import restore_network

    network = restore_network(checkpoints.load(folder).run_spec.network, checkpoints.load_weights(folder))
    return (
        network.eval()
    )  # already in the mode that `predict` needs, so that no visitor switches it for another
