"""Checkpoints: weights, and everything that is needed to rebuild and to believe them. No torch, no pickle.

A checkpoint is a folder. `checkpoint.json` is its commit record: it names the other files with their SHA-256
and is replaced, atomically, after they are on the disk. Whatever else lies there does not count.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Annotated, Literal

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
) -> Checkpoint:
    """Commit a checkpoint to `folder`, in place of the one there; if killed, one of the two is whole.

    `weights` and `optimiser` are arrays by name. Probabilities saved with earlier weights are deleted.
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
        _commit(folder, checkpoint)
    finally:
        _remove_uncommitted(folder)
    for probabilities in folder.glob("probabilities-*"):
        probabilities.unlink(missing_ok=True)
    return checkpoint


def record_test(folder: Path, accuracy: float, images: int) -> Checkpoint:
    """Add the accuracy on the test images to the checkpoint's record."""
    checkpoint = replace(load(folder), test_accuracy=accuracy, test_images=images)
    _commit(folder, checkpoint)
    return checkpoint


def load(folder: Path) -> Checkpoint:
    """The record of the checkpoint in `folder`; `CheckpointError` where it is missing or damaged."""
    path = folder / RECORD
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


@dataclass(frozen=True, slots=True)
class ListedCheckpoint:
    """A checkpoint found on the disk: its record, or what is wrong with it."""

    folder: Path
    title: str
    """For people."""
    checkpoint: Checkpoint | None
    problem: str | None
    """In one sentence, where `checkpoint` is None."""


def list_checkpoints(*roots: Path) -> tuple[ListedCheckpoint, ...]:
    """The checkpoints `<root>/<name>`, `<root>/<run>/best` and `…/last`, newest first, damaged ones last."""
    patterns = (f"*/{RECORD}", f"*/best/{RECORD}", f"*/last/{RECORD}")
    listed = [_list_one(path.parent) for root in roots for pattern in patterns for path in root.glob(pattern)]
    listed.sort(key=lambda item: item.checkpoint.created if item.checkpoint else "", reverse=True)
    return tuple(listed)


def _list_one(folder: Path) -> ListedCheckpoint:
    place = _place(folder)
    try:
        checkpoint = load(folder)
        if not (folder / checkpoint.weights_file).is_file():
            raise CheckpointError(f"{folder / checkpoint.weights_file} is missing; {REMEDY}")
    except CheckpointError as error:
        return ListedCheckpoint(folder, place, None, str(error))
    title = f"{checkpoint.run_spec.network.name}, epoch {checkpoint.epoch} ({place})"
    return ListedCheckpoint(folder, title, checkpoint, None)


def _place(folder: Path) -> str:
    """Where a checkpoint lies, for people: a shipped one's name, or which of the two of which run."""
    if folder.name not in ("best", "last"):
        return folder.name
    began = re.match(r"(\d{4})(\d\d)(\d\d)-(\d\d)(\d\d)", folder.parent.name)
    run = "{}-{}-{} {}:{}".format(*began.groups()) if began else folder.parent.name
    return f"{folder.name} of the run of {run}"


def _commit(folder: Path, checkpoint: Checkpoint) -> None:
    record = {"schema": SCHEMA, **to_dict(checkpoint, with_defaults=True)}
    write_atomically(folder / RECORD, json.dumps(record, indent=1, ensure_ascii=False).encode())


def _remove_uncommitted(folder: Path) -> None:
    """Delete the arrays that the record does not name, and what killed writers left."""
    committed = load(folder) if (folder / RECORD).exists() else None
    named = (committed.weights_file, committed.optimiser_file) if committed else ()
    for kind in ("weights", "optimiser"):
        for file in folder.glob(f"{kind}-*.safetensors"):
            if file.name not in named:
                file.unlink(missing_ok=True)
    remove_unfinished(folder)


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
