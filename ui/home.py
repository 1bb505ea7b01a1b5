"""The parts of the Home page."""

from pathlib import Path

import numpy as np
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from core import data
from core.checkpoint_list import list_checkpoints
from core.data import Dataset, cifar10
from core.device import list_devices
from core.errors import ConvScopeError
from core.training import runs
from ui import paths
from ui.gallery import gallery
from ui.layout import PAGES, count, link_to, percent
from ui.training.run_charts import validation_name

SHOWN = 12
"""Rows a table: Home is a glance, the pages list them all."""

JOBS = {
    "Augment": "Tune transforms on real pictures and see what training will see.",
    "Network": "Assemble layers; parameters, cost and receptive field follow every edit.",
    "Convolutions": "Step through what dilated, grouped, depthwise and strided kernels compute.",
    "Train": "Start a training in its own process; watch, stop and resume it.",
    "Mistakes": "Click a cell of the confusion matrix and see exactly those images.",
    "Demo": "Give a checkpoint your own picture.",
}


def job_links() -> None:
    """One card for each page, with what it is for."""
    with st.grid(columns=3):
        for label, purpose in JOBS.items():
            with st.container(border=True, height="stretch"):
                page, icon, _ = PAGES[label]
                st.page_link(page, label=f"**{label}**", icon=icon)
                st.caption(purpose)


def dataset_card(dataset: Dataset) -> None:
    """The dataset's size and classes, with one picture of each class."""
    badge = ":orange-badge[stand-in, not CIFAR-10]" if dataset.is_stand_in else ":green-badge[real images]"
    st.markdown(
        f"**{dataset.title}** {badge} · {count(len(dataset.train.labels))} training and "
        f"{count(len(dataset.test.labels))} test images · {len(dataset.classes)} classes"
    )
    firsts = [int(np.argmax(dataset.train.labels == index)) for index in range(len(dataset.classes))]
    gallery(
        dataset.train.images[firsts],
        list(dataset.classes),
        [f"A training image of class {name}" for name in dataset.classes],
        size=140,
    )


def other_datasets() -> None:
    """Folders that are gone, and ways to get other images: CIFAR-10, or a folder or archive of one's own."""
    try:
        sources = data.available(paths.DATA)
    except ConvScopeError:  # the choice of the dataset, beside, has said it
        return
    for source in sources:
        if source.path and not source.is_ready:
            st.warning(f"{source.title} is missing: put {source.path} back.", icon=":material/folder_off:")
    with st.expander("Use other images", icon=":material/add_photo_alternate:"):
        official, own = st.columns(2, gap="large")
        with official:
            _download_form(is_ready=any(source.name == "cifar10" and source.is_ready for source in sources))
        with own:
            _folder_form()


def _download_form(is_ready: bool) -> None:
    st.markdown("**CIFAR-10, the official archive** (170 MB, checksum verified)")
    if is_ready:
        st.success("Downloaded and ready: choose it under Dataset.", icon=":material/check_circle:")
        return
    st.caption("A download that breaks off goes on where it stopped.")
    if st.button("Download CIFAR-10", key="home_download", icon=":material/download:"):
        bar = st.progress(0.0, "Connecting …")
        try:
            for progress in cifar10.download(paths.DATA):
                share = progress.bytes_done / progress.bytes_total if progress.bytes_total else 0.0
                bar.progress(min(share, 1.0), f"{progress.bytes_done / 1e6:.0f} MB")
        except ConvScopeError as error:
            st.error(str(error), icon=":material/cloud_off:")
            return
        st.rerun()


def _folder_form() -> None:
    st.markdown("**Your own images**, as a folder or a .zip or .tar archive")
    st.caption("It holds `train/<class>/*.png|jpg` and `test/<class>/*`; pictures of any size become 32×32.")
    with st.form("home_folder_form", border=False):
        path = st.text_input("Path on this machine", key="home_folder", placeholder="/home/me/flowers.zip")
        is_sent = st.form_submit_button("Use this folder", icon=":material/folder_open:")
    if name := st.session_state.pop("home_registered", None):
        st.success(f"Read and checked: choose {name} under Dataset.", icon=":material/check_circle:")
    if is_sent and path:
        bar = st.progress(0.0, "Reading the pictures …")
        try:
            name = data.register_folder(Path(path).expanduser(), paths.DATA, lambda *seen: _tell(bar, *seen))
        except ConvScopeError as error:
            bar.empty()
            st.error(str(error), icon=":material/folder_off:")
            return
        st.session_state["home_registered"] = name
        st.rerun()


def _tell(bar: DeltaGenerator, done: int, total: int | None) -> None:
    if total is None:
        bar.progress(0.0, f"{count(done)} pictures read")
    else:
        bar.progress(done / max(total, 1), f"{count(done)} of {count(total)} pictures read")


def checkpoint_table() -> None:
    """Every checkpoint at hand, newest first, with its measured accuracy and on which images."""
    listed = list_checkpoints(paths.RUNS, paths.CHECKPOINTS)
    tested = [item.checkpoint for item in listed if item.checkpoint and item.checkpoint.test_images]
    if not tested:
        st.info("No tested checkpoint yet.", icon=":material/inventory_2:")
    else:
        rows = [
            {
                "Network": found.run_spec.network.name,
                "Test accuracy": f"{percent(found.test_accuracy)} of {found.test_images:,}",
                "Measured on": found.dataset_title,
                "Epochs": found.epoch,
                "Parameters": found.num_params,
                "Made": found.created[:10],
            }
            for found in tested[:SHOWN]
        ]
        st.dataframe(rows, hide_index=True, alt="Tested checkpoints with their accuracy")
        link_to("Mistakes", "Browse their mistakes")
    for item in listed:
        if item.problem:
            st.warning(item.problem, icon=":material/broken_image:")


def run_table() -> None:
    """Every run, newest first, with its state."""
    for damaged in runs.list_damaged(paths.RUNS):
        st.warning(damaged.problem, icon=":material/broken_image:")
    listed = runs.list_runs(paths.RUNS)
    if not listed:
        st.info("No run yet.", icon=":material/timeline:")
        link_to("Train", "Start one")
        return
    rows = [
        {
            "Run": run.title,
            "State": run.state,
            "Epochs": f"{len(run.history)} of {run.spec.recipe.epochs}",
            "Best accuracy": percent(max((row.validation_accuracy for row in run.history), default=None)),
            "Chosen on": validation_name(run.spec.recipe),
            "Images": run.spec.dataset,
            "Made": run.created[:16].replace("T", " "),
        }
        for run in listed[:SHOWN]
    ]
    st.dataframe(rows, hide_index=True, alt="Runs with their state")
    link_to("Train", "Watch and compare runs")


def device_line() -> str:
    """The devices that can train here, in a sentence."""
    return "This machine trains on " + " or ".join(list_devices().values()) + "."
