"""Checkpoints: weights, and everything that is needed to rebuild and to believe them. No torch, no pickle.

A checkpoint is a folder. `checkpoint.json` is its commit record: it names the other files with their SHA-256
and is replaced, atomically, after they are on the disk. `previous.json`, if it is there, is the record before
it, with its files: what `go_back` returns to. Whatever else lies there does not count.
"""

import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import Field

from core.arrays import REMEDY, Array, format_arrays, read_arrays, write_arrays
from core.errors import CheckpointError, SpecError
from core.files import remove_unfinished, write_atomically
from core.spec import describe, from_dict, to_dict
from core.training.events import EpochMetrics
from core.training.recipe import RunSpec
from core.versions import installed_versions

RECORD = "checkpoint.json"
PREVIOUS = "previous.json"
SCHEMA = 1
MAX_RECORD_BYTES = 10_000_000

FileName = Annotated[str, Field(pattern=r"^(weights|optimiser)-[0-9a-f]{8}\.safetensors$")]
Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


@describe
class Checkpoint:
    """What `checkpoint.json` says."""

    run_spec: RunSpec
    epoch: int = Field(ge=0)
    """Epochs trained; 0 is the network before its first step."""
    history: tuple[EpochMetrics, ...] = ()
    """Of every epoch up to this one."""
    chosen_by: Literal["validation", "test", "last"]
    """The best epoch on held-out training images, the best on the test images, or simply the last."""
    classes: tuple[str, ...] = Field(min_length=1)
    dataset_title: str
    is_stand_in: bool
    """Whether the images were the built-in stand-in."""
    weights_file: FileName
    """In the same folder; a name and never a path."""
    weights_sha256: Digest
    optimiser_file: FileName | None = None
    optimiser_sha256: Digest | None = None
    num_params: int = Field(ge=0)
    versions: dict[str, str]
    """Of Python and of the packages that the numbers depend on."""
    device: str
    """The hardware's name."""
    threads: int = Field(ge=1)
    """CPU threads; another number may change the last bits of every sum."""
    created: str
    """ISO 8601, UTC."""
    test_accuracy: float | None = Field(default=None, ge=0, le=1)
    """Measured once, after the last epoch."""
    test_images: int | None = Field(default=None, ge=1)


def save(
    folder: Path,
    *,
    weights: Mapping[str, Array],
    optimiser: Mapping[str, Array] | None = None,
    run_spec: RunSpec,
    epoch: int,
    history: tuple[EpochMetrics, ...],
    chosen_by: Literal["validation", "test", "last"],
    classes: tuple[str, ...],
    dataset_title: str,
    is_stand_in: bool,
    num_params: int,
    device: str,
    threads: int,
    keeps_previous: bool = False,
) -> Checkpoint:
    """Commit a checkpoint to `folder`, in place of the one there; if killed, one of the two is whole.

    `weights` and `optimiser` are arrays by name. Probabilities saved with earlier weights are deleted, and
    the checkpoint before this one too, unless `keeps_previous`; nothing is before the new one is committed.
    """
    folder.mkdir(parents=True, exist_ok=True)
    try:
        weights_file, weights_sha256 = _write_named(folder, "weights", weights)
        optimiser_file, optimiser_sha256 = None, None
        if optimiser:
            optimiser_file, optimiser_sha256 = _write_named(folder, "optimiser", optimiser)
        checkpoint = Checkpoint(
            run_spec=run_spec,
            epoch=epoch,
            history=history,
            chosen_by=chosen_by,
            classes=classes,
            dataset_title=dataset_title,
            is_stand_in=is_stand_in,
            weights_file=weights_file,
            weights_sha256=weights_sha256,
            optimiser_file=optimiser_file,
            optimiser_sha256=optimiser_sha256,
            num_params=num_params,
            versions=installed_versions(),
            device=device,
            threads=threads,
            created=datetime.now(UTC).isoformat(timespec="seconds"),
        )
        if keeps_previous:
            with suppress(CheckpointError):  # no record yet, or a damaged one, is nothing to go back to
                load(folder)
                write_atomically(folder / PREVIOUS, (folder / RECORD).read_bytes())
        _commit(folder, checkpoint)
    finally:
        remove_uncommitted(folder)
    for probabilities in folder.glob("probabilities-*"):
        probabilities.unlink(missing_ok=True)
    return checkpoint


def record_test(folder: Path, accuracy: float, images: int) -> Checkpoint:
    """Add the accuracy on the test images to the checkpoint's record."""
    checkpoint = replace(load(folder), test_accuracy=accuracy, test_images=images)
    _commit(folder, checkpoint)
    return checkpoint


def go_back(folder: Path) -> Checkpoint:
    """Commit the checkpoint before the last one again, where the last one is damaged.

    `CheckpointError`, and nothing is changed, unless every byte of it is as it was saved.
    """
    earlier = _load_record(folder / PREVIOUS)
    try:
        read_arrays(folder / earlier.weights_file, earlier.weights_sha256)
        if earlier.optimiser_file:
            read_arrays(folder / earlier.optimiser_file, earlier.optimiser_sha256)
    except FileNotFoundError as error:
        raise CheckpointError(f"{error.filename} is missing; {REMEDY}") from None
    _commit(folder, earlier)
    remove_uncommitted(folder)
    return earlier


def remove_uncommitted(folder: Path) -> None:
    """Delete the arrays that neither record names, and what killed writers left; only for its one writer."""
    remove_unfinished(folder)
    try:
        named = {name for record in (RECORD, PREVIOUS) for name in _names_of(folder / record)}
    except CheckpointError:  # whoever mends the record will want its arrays
        return
    for kind in ("weights", "optimiser"):
        for file in folder.glob(f"{kind}-*.safetensors"):
            if file.name not in named:
                file.unlink(missing_ok=True)


def load(folder: Path) -> Checkpoint:
    """The record of the checkpoint in `folder`; `CheckpointError` where it is missing or damaged."""
    return _load_record(folder / RECORD)


def _load_record(path: Path) -> Checkpoint:
    try:
        if path.stat().st_size > MAX_RECORD_BYTES:
            raise CheckpointError(
                f"{path} is larger than {MAX_RECORD_BYTES:,} bytes: no checkpoint is; remove it"
            )
        values = json.loads(path.read_bytes())
    except FileNotFoundError:
        raise CheckpointError(
            f"{path} is missing: no checkpoint was committed there; choose another one"
        ) from None
    except (OSError, ValueError, RecursionError) as error:
        raise CheckpointError(
            f"{path} cannot be read ({error}); restore the file or choose another one"
        ) from None
    schema = values.pop("schema", None) if isinstance(values, dict) else None
    if schema != SCHEMA:
        raise CheckpointError(
            f"{path}: schema must be {SCHEMA}, got {schema!r}; open it with the version that made it"
        )
    seal = values.pop("seal", None)  # earlier versions wrote none
    if seal is not None and seal != _seal_of(values):
        raise CheckpointError(f"{path} was changed since it was written; {REMEDY}")
    try:
        return from_dict(Checkpoint, values)
    except SpecError as error:
        raise CheckpointError(f"{path} is damaged: {error}; {REMEDY}") from None


def load_weights(folder: Path) -> dict[str, Array]:
    """The weights by name, as in a `state_dict`; `CheckpointError` unless every byte is as it was saved."""
    return _load_arrays(folder, "weights")


def load_optimiser(folder: Path) -> dict[str, Array]:
    """The optimiser's state by `<parameter index>.<name>`; empty where none was saved."""
    return _load_arrays(folder, "optimiser") if load(folder).optimiser_file else {}


def save_probabilities(folder: Path, fingerprint: str, probabilities: Array) -> None:
    """Keep `probabilities` (N, classes) of the test images of the dataset with this fingerprint."""
    sealed = {"probabilities": probabilities, "seal": _seal(folder, fingerprint, probabilities)}
    write_arrays(_probabilities_path(folder, fingerprint), sealed)


def load_probabilities(folder: Path, fingerprint: str) -> Array | None:
    """What `save_probabilities` kept; None where there is nothing, or it is damaged or of other weights."""
    try:
        kept = read_arrays(_probabilities_path(folder, fingerprint))
        probabilities, seal = kept["probabilities"], kept["seal"]
    except (OSError, CheckpointError, KeyError):
        return None
    return probabilities if np.array_equal(seal, _seal(folder, fingerprint, probabilities)) else None


def _commit(folder: Path, checkpoint: Checkpoint) -> None:
    values = to_dict(checkpoint, with_defaults=True)
    record = {"schema": SCHEMA, "seal": _seal_of(values), **values}
    write_atomically(folder / RECORD, json.dumps(record, indent=1, ensure_ascii=False).encode())


def _seal_of(values: dict[str, Any]) -> str:
    """A digest of the record, so that not even a digit of it changes unnoticed."""
    return sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()


def _names_of(record: Path) -> set[str | None]:
    """The arrays that a record names; none where there is no record."""
    if not record.exists():
        return set()
    committed = _load_record(record)
    return {committed.weights_file, committed.optimiser_file}


def _write_named(folder: Path, kind: str, arrays: Mapping[str, Array]) -> tuple[str, str]:
    content = format_arrays(arrays)
    digest = sha256(content).hexdigest()
    name = f"{kind}-{digest[:8]}.safetensors"
    write_atomically(folder / name, content)
    return name, digest


def _load_arrays(folder: Path, kind: Literal["weights", "optimiser"]) -> dict[str, Array]:
    checkpoint = load(folder)
    while True:
        name = checkpoint.weights_file if kind == "weights" else checkpoint.optimiser_file
        digest = checkpoint.weights_sha256 if kind == "weights" else checkpoint.optimiser_sha256
        try:
            return read_arrays(folder / str(name), str(digest))
        except FileNotFoundError:
            # A training may have committed its next epoch, and deleted this file, since the record was read.
            earlier, checkpoint = checkpoint, load(folder)
            if checkpoint == earlier:
                raise CheckpointError(f"{folder / str(name)} is missing; {REMEDY}") from None


def _seal(folder: Path, fingerprint: str, probabilities: Array) -> Array:
    """Ties the numbers to each other, to the weights that gave them and to the images that they are of."""
    owner = f"{load(folder).weights_sha256} {fingerprint} {probabilities.shape}".encode()
    return np.frombuffer(sha256(owner + probabilities.tobytes()).digest(), dtype=np.uint8)


def _probabilities_path(folder: Path, fingerprint: str) -> Path:
    return folder / f"probabilities-{fingerprint[:12]}.safetensors"
