"""The checkpoints of a run: the last two epochs to go on from, and the best one."""

from pathlib import Path
from typing import TYPE_CHECKING, Literal

from core import checkpoint
from core.data.dataset import Dataset
from core.device import list_devices
from core.errors import CheckpointError, RunError
from core.network import size_network
from core.training.room import refuse_full_disk
from core.training.run import Run

if TYPE_CHECKING:
    from core.training.engine import Snapshot


def save_epoch(run: Run, dataset: Dataset, snapshot: "Snapshot", is_best: bool) -> None:
    """Commit the epoch to `last/`, and to `best/` where it is the best; `OSError` where the disk is full."""
    refuse_full_disk(run.folder, snapshot.weights, snapshot.optimiser, snapshot.weights if is_best else {})
    # The best before the last: killed between the two, the run repeats the epoch and saves both.
    if is_best:
        _save(run, dataset, snapshot, "best")
    _save(run, dataset, snapshot, "last")


def _save(run: Run, dataset: Dataset, snapshot: "Snapshot", kind: Literal["best", "last"]) -> None:
    protocol: Literal["validation", "test"] = "test" if run.spec.recipe.validation == "test" else "validation"
    checkpoint.save(
        run.folder / kind,
        weights=snapshot.weights,
        optimiser=snapshot.optimiser if kind == "last" else None,
        run_spec=run.spec,
        epoch=len(snapshot.history),
        history=snapshot.history,
        chosen_by=protocol if kind == "best" else "last",
        classes=dataset.classes,
        dataset_title=dataset.title,
        is_stand_in=dataset.is_stand_in,
        num_params=size_network(run.spec.network).num_params,
        device=list_devices().get(run.device, run.device),
        threads=run.threads,
        keeps_previous=kind == "last",
    )


def load_last(run: Run) -> "tuple[Snapshot | None, str | None]":
    """What the last finished epoch left, None where the run has not begun; and what is to be told about it.

    Where it is damaged, the epoch before it is the last one again; `CheckpointError` where that is too, and
    `RunError` where it is of another training.
    """
    folder = run.folder / "last"
    if not any((folder / record).exists() for record in (checkpoint.RECORD, checkpoint.PREVIOUS)):
        return None, None
    try:
        return _load(folder, run), None
    except CheckpointError as error:
        damage = error
    try:
        epoch = checkpoint.go_back(folder).epoch
    except CheckpointError:
        raise damage from None
    told = f"the last checkpoint was damaged, so the run went on from the one before it, of epoch {epoch}"
    return _load(folder, run), f"{told}; what was wrong: {damage}"


def _load(folder: Path, run: Run) -> "Snapshot":
    from core.training.engine import Snapshot

    record = checkpoint.load(folder)
    if record.run_spec != run.spec:
        given = f"{run.folder / 'run.json'} and {folder / checkpoint.RECORD} describe other trainings"
        raise RunError(f"{given}; restore the one that was changed, or start a new run")
    return Snapshot(record.history, checkpoint.load_weights(folder), checkpoint.load_optimiser(folder))
