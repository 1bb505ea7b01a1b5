"""A sample of images, a checkpoint, and what a process of its own measures of them: kept for all visitors."""

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import streamlit as st

from core.augmentation import AugmentationSpec
from core.checkpoint import Checkpoint
from core.data import Dataset
from core.evaluation.fit import check_fits, compare_data
from core.spec import from_dict, to_json
from ui import own_process, paths
from ui.evaluation.checkpoint_choice import checkpoint_choice
from ui.layout import count
from ui.text import plain

T = TypeVar("T")
KEPT_RESULTS = 64


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
    if key not in _kept():
        if not st.button(label, key=f"augment_meaning_{verb}", type="primary", icon=":material/play_arrow:"):
            return None
        words = [str(folder.resolve()), "--dataset", dataset.name, "--data-root", str(paths.DATA.resolve())]
        _measure(key, result, settings.augmentation, [*words, *map(str, options)])
        st.rerun()
    found: T = _kept()[key]
    return found


@st.cache_resource(max_entries=1, show_spinner=False)
def _kept() -> dict[Any, Any]:
    """What was measured, by what it depends on; the oldest goes first."""
    return {}


def _measure(key: Any, result: type[Any], spec: AugmentationSpec, words: list[str]) -> None:
    """Measure in a process of its own, one at a time, and show how far it is; leaving the page ends it."""
    bar = st.progress(0.0, "Waiting …")
    kept = _kept()
    with own_process.turn(bar), tempfile.TemporaryDirectory() as folder:
        if key in kept:  # by who had the turn before
            return
        bar.progress(0.0, "Reading the checkpoint …")
        file = Path(folder) / "augmentation.json"
        file.write_text(to_json(spec), encoding="utf-8")
        for event in own_process.run_verb(key[0], words[0], str(file), *words[1:]):
            if "done" in event:
                done, total = event["done"], event["total"]
                bar.progress(done / total, f"Looked at {count(done)} of {count(total)} pictures")
            else:
                kept[key] = from_dict(result, event)
        while len(kept) > KEPT_RESULTS:
            kept.pop(next(iter(kept)))
