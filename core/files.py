"""Files that are either whole or not there, whatever happens while they are written."""

import os
from pathlib import Path

_MARK = ".writing-"


def write_atomically(path: Path, data: bytes) -> None:
    """Put `data` at `path`: a reader finds the old content or the new, never a part, even after a power cut.

    Written beside, synced, renamed, and the folder synced, in this order. `OSError` as the system raises it.
    """
    beside = path.with_name(f".{path.name}{_MARK}{os.getpid()}")
    try:
        with beside.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def append_line(path: Path, line: bytes) -> None:
    """Add one line, ended with a newline, in one write; a reader drops a last line without one.

    A torn line that an earlier writer left is ended first, so that it cannot swallow this one.
    """
    with path.open("ab+") as file:
        if file.tell():
            file.seek(-1, os.SEEK_END)
            if file.read(1) != b"\n":
                line = b"\n" + line
        file.write(line + b"\n")


def sync_folder(folder: Path) -> None:
    """Make the folder's names last; a rename is not on the disk before this."""
    if os.name == "nt":  # Windows cannot open a folder, and keeps its names without being asked
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def remove_unfinished(folder: Path) -> None:
    """Delete what killed writers left in `folder`; only for its one writer."""
    for leftover in folder.glob(f".*{_MARK}*"):
        leftover.unlink(missing_ok=True)
