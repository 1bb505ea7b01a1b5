"""The evaluation of a checkpoint on the dataset in use: read if it is saved, else measured by a process."""

from pathlib import Path

import streamlit as st

from core.checkpoint import Checkpoint, load_probabilities
from core.data import Dataset, available
from core.errors import CheckpointError
from core.evaluation import Evaluation, evaluate
from core.evaluation.fit import check_fits, compare_data
from ui import layout, own_process, paths
from ui.text import plain


def evaluation(folder: Path, checkpoint: Checkpoint, dataset: Dataset) -> Evaluation:
    """The evaluation on the test images of `dataset`.

    Ends the page with the offer to measure where nothing is saved, with a way out where the classes differ.
    """
    match compare_data(checkpoint, dataset):
        case "other_classes":
            _refuse(checkpoint, dataset)
        case "other_images":
            st.warning(
                f"This checkpoint was trained on {plain(checkpoint.dataset_title)}, but the dataset in use "
                f"is {plain(dataset.title)}: the same classes, other images.",
                icon=":material/compare_arrows:",
            )
    probabilities = load_probabilities(folder, dataset.fingerprint)
    if probabilities is None:
        _offer_to_measure(folder, dataset)
        st.stop()
    return evaluate(probabilities, dataset.test.labels, dataset.classes)


def _refuse(checkpoint: Checkpoint, dataset: Dataset) -> None:
    """Say which classes differ, offer the checkpoint's own dataset if it is here, and end the page."""
    try:
        check_fits(checkpoint, dataset)
    except CheckpointError as error:
        st.error(plain(str(error)), icon=":material/error:")
    own = checkpoint.run_spec.dataset
    if any(source.name == own and source.is_ready for source in available(paths.DATA)):
        st.button(
            f"Use {plain(checkpoint.dataset_title)}",
            key="mistakes_use_own_data",
            on_click=lambda: st.session_state.update({"data": own}),
        )
    st.stop()


def _offer_to_measure(folder: Path, dataset: Dataset) -> None:
    images = layout.count(len(dataset.test))
    st.info(f"This checkpoint has not been measured on {plain(dataset.title)} yet.", icon=":material/info:")
    if st.button(f"Measure it on the {images} test images", key="mistakes_measure", type="primary"):
        _measure(folder, dataset)
        st.rerun()


def _measure(folder: Path, dataset: Dataset) -> None:
    """Measure in a process of its own, one at a time, and show how far it is; leaving the page ends it."""
    bar = st.progress(0.0, "Reading the checkpoint …")
    options = ["--dataset", dataset.name, "--data-root", str(paths.DATA.resolve())]
    with own_process.turn(bar):
        if load_probabilities(folder, dataset.fingerprint) is not None:  # by who had the turn before
            return
        for event in own_process.run_verb("evaluate", str(folder.resolve()), *options):
            if "done" in event:
                done, total = event["done"], event["total"]
                bar.progress(done / total, f"Measured {layout.count(done)} of {layout.count(total)} images")
