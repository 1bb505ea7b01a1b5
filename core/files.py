"""Files that are either whole or not there, whatever happens while they are written."""

import os
import threading
from pathlib import Path

_MARK = ".writing-"


def write_atomically(path: Path, data: bytes, *, is_to_last: bool = True) -> None:
    """Put `data` at `path`: a reader finds the old content or the new, never a part, even after a power cut.

    Written beside, synced, renamed, and the folder synced, in this order. Not `is_to_last`, it is not synced:
    for what is worth nothing after a power cut. `OSError` as the system raises it.
    """
    # Two visitors of one server may write at once.
    beside = path.with_name(f".{path.name}{_MARK}{os.getpid()}-{threading.get_ident()}")
    try:
        with beside.open("wb") as file:
            file.write(data)
            if is_to_last:
                file.flush()
                os.fsync(file.fileno())
        beside.replace(path)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise
    if is_to_last:
        sync_folder(path.parent)


def append_line(path: Path, line: bytes, *, is_to_last: bool = False) -> None:
    """Add one line, ended with a newline, in one write; a reader drops a last line without one.

    A torn line that an earlier writer left is ended first, so that it cannot swallow this one. `is_to_last`
    means that it is on the disk before this returns.
    """
    with path.open("ab+") as file:
        if file.tell():
            file.seek(-1, os.SEEK_END)
            if file.read(1) != b"\n":
                line = b"\n" + line
        file.write(line + b"\n")
        if is_to_last:
            file.flush()
            os.fsync(file.fileno())


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
