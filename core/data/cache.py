"""Decoded datasets on disk: written once, whole or not at all, then memory-mapped.

A cached dataset is a folder `<root>/cache/<key>/`: `train.npy` and `test.npy` with the pictures,
`train_labels.npy` and `test_labels.npy`, and `meta.json` with all that would take time to compute again.
"""

import json
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from filelock import FileLock, Timeout
from numpy.typing import NDArray

from core.data.dataset import IMAGE_SIDE, Dataset, Split, fingerprint, measure_pixels
from core.errors import DataError

_FORMAT = 1  # of the folder's layout; another number means: decode again
_WAIT_SECONDS = 900  # for another process that decodes the same dataset


@dataclass(frozen=True, eq=False, slots=True)
class Decoded:
    """What a source decodes: classes, and pictures (N, 32, 32, 3) uint8 with labels (N,) int64 per split."""

    classes: tuple[str, ...]
    train: Split
    test: Split


def load_or_decode(
    root: Path, key: str, decode: Callable[[], Decoded], *, name: str, title: str, is_stand_in: bool = False
) -> Dataset:
    """The dataset cached under `key` ("<source>-<state>"), decoded first where it is not there yet.

    Older states of the same source are removed. `DataError` where the cache cannot be written.
    """
    folder = root / "cache" / key
    dataset = _open(folder, name, title, is_stand_in)
    if dataset is not None:
        return dataset
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(folder.with_name(f"{_source(folder)}.lock"), timeout=_WAIT_SECONDS):
            if _open(folder, name, title, is_stand_in) is None:
                _write(folder, decode())
                _remove_older(folder)
    except Timeout:
        raise DataError(
            f"{name}: another process has been decoding it for {_WAIT_SECONDS // 60} minutes; stop it"
        ) from None
    except OSError as error:
        raise DataError(
            f"{name}: the decoded pictures cannot be written to {folder.parent} ({error.strerror or error}); "
            "free some space there or choose another data folder"
        ) from error
    dataset = _open(folder, name, title, is_stand_in)
    if dataset is None:
        raise DataError(
            f"{name}: the decoded pictures in {folder} cannot be read back; delete that folder and try again"
        )
    return dataset


def is_cached(root: Path, key: str) -> bool:
    """Whether a dataset has been decoded under `key`."""
    return (root / "cache" / key / "meta.json").is_file()


def _open(folder: Path, name: str, title: str, is_stand_in: bool) -> Dataset | None:
    """The cached dataset, or None where it is absent or not whole."""
    try:
        meta = json.loads((folder / "meta.json").read_bytes())
        if meta["format"] != _FORMAT:
            return None
        return Dataset(
            name=name,
            title=title,
            is_stand_in=is_stand_in,
            classes=tuple(meta["classes"]),
            train=_open_split(folder, "train", meta["train"]),
            test=_open_split(folder, "test", meta["test"]),
            fingerprint=meta["fingerprint"],
            mean=tuple(meta["mean"]),
            std=tuple(meta["std"]),
        )
    except (OSError, ValueError, KeyError, TypeError, EOFError):
        return None


def _open_split(folder: Path, part: str, count: int) -> Split:
    images = np.load(folder / f"{part}.npy", mmap_mode="r")
    labels = np.load(folder / f"{part}_labels.npy")
    if images.shape != (count, IMAGE_SIDE, IMAGE_SIDE, 3) or labels.shape != (count,):
        raise ValueError(f"{part} does not hold {count} pictures")
    labels.flags.writeable = False
    return Split(images=images, labels=labels)


def _write(folder: Path, decoded: Decoded) -> None:
    """Write beside, then rename: a folder with this name is whole. Only for the holder of the lock."""
    mean, std = measure_pixels(decoded.train.images)
    meta = {
        "format": _FORMAT,
        "classes": decoded.classes,
        "train": len(decoded.train),
        "test": len(decoded.test),
        "fingerprint": fingerprint(decoded.classes, decoded.train, decoded.test),
        "mean": mean,
        "std": std,
    }
    beside = folder.with_name(f".writing-{_source(folder)}")
    shutil.rmtree(beside, ignore_errors=True)  # left by a process that was killed
    try:
        beside.mkdir()
        for part, split in (("train", decoded.train), ("test", decoded.test)):
            _save_array(beside / f"{part}.npy", split.images)
            _save_array(beside / f"{part}_labels.npy", split.labels)
        (beside / "meta.json").write_text(json.dumps(meta, indent=2))
        shutil.rmtree(folder, ignore_errors=True)
        beside.rename(folder)
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def _save_array(path: Path, values: NDArray[np.uint8] | NDArray[np.int64]) -> None:
    with path.open("wb") as file:
        np.save(file, values, allow_pickle=False)
        file.flush()
        os.fsync(file.fileno())


def _source(folder: Path) -> str:
    return folder.name.rpartition("-")[0]


def _remove_older(folder: Path) -> None:
    for other in folder.parent.iterdir():
        if other.is_dir() and other != folder and _source(other) == _source(folder):
            shutil.rmtree(other, ignore_errors=True)  # Windows keeps what another process has mapped
