"""Deleted runs: put away under another name, and gone for good a day later."""

import os
import shutil
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from core.errors import RunError
from core.training.run import RUN_ID, Run, read_folder

KEPT_SECONDS = 24 * 3600
DELETED, GOING, UNNAMED = ".deleted-", ".going-", ".new-"


@dataclass(frozen=True, slots=True)
class DeletedRun:
    """A run that can still be restored."""

    id: str
    folder: Path
    title: str
    """Its id where it cannot be read."""
    deleted_at: float
    """Seconds since 1970, by the clock on the wall."""


def put_away(folder: Path) -> None:
    """Delete the run in `folder`, so that it can be restored."""
    os.utime(folder)
    folder.rename(folder.with_name(f"{DELETED}{folder.name}"))


def list_deleted(root: Path) -> tuple[DeletedRun, ...]:
    """What can be restored, the last one deleted first."""
    listed = []
    for folder in root.glob(f"{DELETED}*"):
        run_id = folder.name.removeprefix(DELETED)
        with suppress(FileNotFoundError):
            listed.append(DeletedRun(run_id, folder, _title(folder, run_id), folder.stat().st_mtime))
    return tuple(sorted(listed, key=lambda run: run.deleted_at, reverse=True))


def restore(root: Path, run_id: str) -> None:
    """Bring a deleted run back; `RunError` where there is none by this id."""
    folder = root / f"{DELETED}{run_id}"
    try:
        if not RUN_ID.fullmatch(run_id) or (root / run_id).exists():
            raise FileNotFoundError
        folder.rename(root / run_id)
    except FileNotFoundError:
        raise RunError(f"there is no deleted run {run_id!r} in {root}; choose one from the list") from None


def empty(root: Path, kept_seconds: float = KEPT_SECONDS) -> None:
    """Remove for good what was deleted longer ago, and what killed processes left half made or removed."""
    for folder in (*root.glob(f"{DELETED}*"), *root.glob(f"{UNNAMED}*")):
        with suppress(OSError):
            if time.time() - folder.stat().st_mtime > kept_seconds:
                folder.rename(root / f"{GOING}{folder.name}")  # from here on nobody can restore it
    for folder in root.glob(f"{GOING}*"):
        shutil.rmtree(folder, ignore_errors=True)


def _title(folder: Path, run_id: str) -> str:
    try:
        run: Run = read_folder(folder)
    except RunError:
        return run_id
    return run.title
