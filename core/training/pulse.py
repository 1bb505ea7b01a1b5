"""The training loop's sign of life, and its ear for requests to stop."""

import os
import time
from pathlib import Path

from core.training import run_folder

HEARTBEAT_SECONDS = 2.0


class Pulse:
    """Of the process that works on the run in `folder`. No thread beats: a loop that hangs falls silent."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._next = 0.0

    def beat(self, epoch: int = 0, step: int = 0) -> None:
        """Write the heartbeat, if the last one is two seconds old."""
        now = time.monotonic()
        if now >= self._next:
            run_folder.beat(self.folder, os.getpid(), epoch, step)
            self._next = now + HEARTBEAT_SECONDS

    def is_asked_to_stop(self) -> bool:
        """Whether somebody asked."""
        return run_folder.is_asked_to_stop(self.folder)
