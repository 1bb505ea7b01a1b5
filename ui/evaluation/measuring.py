"""The evaluation of a checkpoint on the dataset in use: read if it is saved, else measured by a process."""

import json
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import streamlit as st

from core.checkpoint import Checkpoint, load_probabilities
from core.data import Dataset, available
from core.errors import CheckpointError
from core.evaluation import Evaluation, evaluate
from core.evaluation.fit import check_fits, compare_data
from ui import layout, paths
from ui.text import plain

WAIT_SECONDS = 0.5


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
    bar = st.progress(0.0, "Waiting for another measurement to end …")
    while not _turn().acquire(timeout=WAIT_SECONDS):
        bar.progress(0.0, "Waiting for another measurement to end …")
    try:
        if load_probabilities(folder, dataset.fingerprint) is None:
            for done, total in _run_beside(folder, dataset):
                bar.progress(done / total, f"Measured {layout.count(done)} of {layout.count(total)} images")
    finally:
        _turn().release()


@st.cache_resource(max_entries=1, show_spinner=False)
def _turn() -> threading.Lock:
    """Held by whoever measures: forty visitors must not start forty processes."""
    return threading.Lock()


def _run_beside(folder: Path, dataset: Dataset) -> Iterator[tuple[int, int]]:
    """Evaluate in another process; yields (images done, all images). `CheckpointError` if it fails."""
    command = [sys.executable, "-m", "core", "evaluate", str(folder.resolve())]
    command += ["--dataset", dataset.name, "--data-root", str(paths.DATA.resolve()), "--json"]
    with (
        tempfile.TemporaryFile("w+") as complaints,
        subprocess.Popen(
            command, cwd=paths.ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=complaints
        ) as process,
    ):
        try:
            for line in process.stdout or ():
                event = json.loads(line)
                if "done" in event:
                    yield event["done"], event["total"]
        except (
            BaseException
        ):  # the visitor went elsewhere, so Streamlit stopped the script at its progress bar
            process.terminate()
            raise
        if process.wait() != 0:
            complaints.seek(0)
            reason = complaints.read().strip().rpartition("\n")[2].removeprefix("python -m core evaluate: ")
            raise CheckpointError(f"Measuring failed. {reason or 'Its process gave no reason.'}")
