"""One run at a time on a device; the others wait, oldest first."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from core.training.pulse import Pulse
from core.training.run import list_runs, read_folder

POLL_SECONDS = 0.2


@contextmanager
def device_turn(folder: Path, pulse: Pulse) -> Iterator[bool]:
    """Wait for the device of the run in `folder`; inside, it is the run's alone.

    Gives False, without the device, where the run was asked to stop meanwhile. What counts is the lock, which
    the system frees when its holder dies; the order of the queue is a courtesy.
    """
    run = read_folder(folder)
    lock = FileLock(folder.parent / f".device-{run.device.replace(':', '-')}.lock")
    while not pulse.is_asked_to_stop():
        pulse.beat()
        if _is_first(folder):
            try:
                lock.acquire(timeout=0)
            except Timeout:
                pass
            else:
                try:
                    yield True
                finally:
                    lock.release()
                return
        time.sleep(POLL_SECONDS)
    yield False


def _is_first(folder: Path) -> bool:
    run = read_folder(folder)
    waiting = [
        other for other in list_runs(folder.parent) if other.device == run.device and other.state == "queued"
    ]
    return all((run.queued_at, run.id) <= (other.queued_at, other.id) for other in waiting)
