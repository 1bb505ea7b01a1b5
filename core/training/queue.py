"""One run at a time on a device; the others wait, oldest first."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from core.training.pulse import Pulse
from core.training.run import list_runs, read_folder

POLL_SECONDS = 0.2
MOST_POLLS_A_LOOK = 10
"""The further behind a run is, the seldomer it looks whether its turn has come; for a stop at every poll."""


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
        ahead = _count_ahead(folder)
        if ahead == 0:
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
        # A look reads all runs: 60 that wait would together take most of a core from the one that trains.
        for _ in range(min(max(ahead, 1), MOST_POLLS_A_LOOK)):
            if pulse.is_asked_to_stop():
                break
            time.sleep(POLL_SECONDS)
    yield False


def _count_ahead(folder: Path) -> int:
    """How many runs wait for the same device and have waited for longer."""
    run = read_folder(folder)
    waiting = [
        other for other in list_runs(folder.parent) if other.device == run.device and other.state == "queued"
    ]
    return sum((other.queued_at, other.id) < (run.queued_at, run.id) for other in waiting)
