"""A sample of images, a checkpoint, and what is measured of them while the page goes on."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import streamlit as st

from core.checkpoint import Checkpoint
from core.data import Dataset
from core.evaluation.fit import check_fits, compare_data
from ui import paths
from ui.augmentation.meaning_jobs import Job, Jobs, all_jobs
from ui.evaluation.checkpoint_choice import checkpoint_choice
from ui.layout import count
from ui.text import plain

T = TypeVar("T")
POLL_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Sample:
    """How many images, as many of each class, and which."""

    images: int
    seed: int


def fitting_checkpoint(dataset: Dataset) -> tuple[Path, Checkpoint]:
    """The checkpoint that is chosen; `CheckpointError` where its classes are not those of `dataset`."""
    folder, checkpoint = checkpoint_choice(dataset)
    check_fits(checkpoint, dataset)
    if compare_data(checkpoint, dataset) == "other_images":
        st.warning(
            f"This checkpoint was trained on {plain(checkpoint.dataset_title)}, but the dataset in use is "
            f"{plain(dataset.title)}: the same classes, other images.",
            icon=":material/compare_arrows:",
        )
    return folder, checkpoint


def measured(
    label: str,
    verb: str,
    result: type[T],
    settings: Any,
    checkpoint: tuple[Path, Checkpoint],
    dataset: Dataset,
    options: Sequence[object],
) -> T | None:
    """What `python -m core <verb>` makes of `settings`, kept; until then a button `label` to have it made.

    The augmentation is that of `settings`, which with checkpoint and dataset say all that the result depends
    on; `options` are the same in the words of the verb.
    """
    folder, record = checkpoint
    key = (verb, record.weights_sha256, dataset.fingerprint, settings)
    jobs = all_jobs()
    shown = jobs.shown(key)  # asked first: what has ended by now has its result below
    found: T | None = jobs.result(key)
    if found is not None:
        return found
    if problem := jobs.problem(key):
        st.error(plain(problem), icon=":material/error:")
    if shown is None or shown.key != key:
        words = ["--dataset", dataset.name, "--data-root", str(paths.DATA.resolve()), *map(str, options)]
        st.button(
            label,
            key=f"augment_meaning_{verb}",
            type="primary",
            icon=":material/play_arrow:",
            on_click=jobs.ask,
            args=(Job(key, verb, result, folder.resolve(), settings.augmentation, tuple(words)),),
        )
    if shown is not None:
        with st.container():  # a place of its own: what follows stays where it is when this goes
            _follow(jobs, key, shown)
    return None


def _follow(jobs: Jobs, key: Any, job: Job) -> None:
    """Say every second how far `job` is, and draw the page anew once another is to be shown for `key`."""

    @st.fragment(run_every=POLL_SECONDS)
    def draw() -> None:
        if jobs.shown(key) is not job:
            st.rerun()
        words = _how_far(job, jobs.before(job))
        if job.key != key:
            words = f"Another measurement is running: {words[0].lower()}{words[1:]}"
        with st.container(horizontal=True, vertical_alignment="bottom"):
            st.progress(job.done / job.total if job.total else 0.0, words)
            st.button(
                "Stop", key="augment_meaning_stop", icon=":material/stop:", on_click=jobs.stop, args=(job,)
            )

    draw()


def _how_far(job: Job, before: int) -> str:
    if before:
        return f"Waiting, {count(before)} {'measurement' if before == 1 else 'measurements'} before it"
    if not job.has_place:
        return "Waiting for another measurement to end …"
    if not job.total:
        return "Reading the checkpoint …"
    return f"Looked at {count(job.done)} of {count(job.total)} pictures"
