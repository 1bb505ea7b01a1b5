"""The wish for another learning rate while a run trains: one file, written by pages, read by its process."""

import json
from collections.abc import Sequence
from pathlib import Path

from core.files import write_atomically
from core.training.events import RateChanged

RATE = "rate.json"


def ask_for_rate(folder: Path, factor: float) -> None:
    """Wish that the run in `folder` trains at `factor` times the rate of its schedule."""
    write_atomically(folder / RATE, json.dumps({"factor": factor}).encode())


class RateWish:
    """Notices a wish; a look without one costs one call of the system.

    `changes` are those made so far. A wish comes after all of them: a resumed run that repeats some of their
    steps repeats them first. And what was granted already is no new wish.
    """

    def __init__(self, folder: Path, changes: Sequence[RateChanged]) -> None:
        self.path = folder / RATE
        self._after = (changes[-1].epoch, changes[-1].step) if changes else (0, 0)
        self._factor = changes[-1].factor if changes else 1.0
        self._seen: tuple[int, int] | None = None

    def take(self, epoch: int, step: int) -> float | None:
        """The factor that is wished for, once, when this step is done; None where there is no new wish."""
        if (epoch, step) < self._after:
            return None
        try:
            stat = self.path.stat()
            if (stat.st_ino, stat.st_mtime_ns) == self._seen:
                return None
            self._seen = (stat.st_ino, stat.st_mtime_ns)
            factor = float(json.loads(self.path.read_bytes())["factor"])
        except (OSError, ValueError, TypeError, KeyError):
            return None
        if factor == self._factor:
            return None
        self._factor = factor
        return factor
