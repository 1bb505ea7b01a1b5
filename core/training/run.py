"""A run as its folder shows it at this moment. Light: nothing here imports torch."""

import re
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from core.errors import RunError
from core.training import run_folder
from core.training.events import BatchSeen, EpochMetrics, RateChanged, StepDone
from core.training.recipe import RunSpec
from core.training.run_log import RunLog, read_log

State = Literal[
    "queued",
    "running",
    "not responding",
    "stopping",
    "stopped",
    "finished",
    "diverged",
    "out of memory",
    "disk full",
    "failed",
    "lost",
]
LIVE_STATES: tuple[State, ...] = ("queued", "running", "not responding", "stopping")


QUIET_SECONDS = 35.0
"""A live process that has said nothing for so long does not respond."""
TAIL_LINES = 20
RUN_ID = re.compile(r"\d{8}-\d{6}-[a-z0-9-]{1,40}-[0-9a-f]{6}")
LOST = "its process ended without a word (killed, out of memory, or the machine restarted); resume it"


@dataclass(frozen=True, slots=True)
class Run:
    """A run as its folder shows it at this moment."""

    id: str
    folder: Path
    title: str
    spec: RunSpec
    data_root: Path
    device: str
    """As torch names it: "cpu", "cuda:0"."""
    threads: int
    created: str
    """ISO 8601, UTC."""
    queued_at: str
    """When it last joined the queue; empty if it was never started."""
    state: State
    reason: str | None
    """Why it ended early or does not respond, or what it had to do without."""
    history: tuple[EpochMetrics, ...]
    last_step: StepDone | None
    test_accuracy: float | None
    """Of a finished run's best epoch, on the test images."""
    rate_changes: tuple[RateChanged, ...] = ()
    """Of the learning rate, made while it trained."""
    batches: tuple[BatchSeen, ...] = ()
    """What the network saw at some of the steps."""
    note: str = ""
    """What people wrote about it."""

    @property
    def seconds_left(self) -> float | None:
        """To the end of the last epoch, as of the last step told; None where that cannot be said."""
        return self.last_step.seconds_left if self.last_step and self.state == "running" else None

    @property
    def log_tail(self) -> str:
        """The last lines of its log; empty where there are none."""
        return run_folder.log_tail(self.folder, TAIL_LINES)

    @property
    def is_live(self) -> bool:
        """Whether a process works on it or waits for the device."""
        return self.state in LIVE_STATES


@dataclass(frozen=True, slots=True)
class DamagedRun:
    """A folder that should be a run and cannot be read."""

    id: str
    folder: Path
    problem: str


def list_runs(root: Path) -> tuple[Run, ...]:
    """Every run that can be read, newest first; see `list_damaged` for the others."""
    listed = (try_read(root, run_id) for run_id in _ids(root))
    return tuple(run for run in listed if isinstance(run, Run))


def list_damaged(root: Path) -> tuple[DamagedRun, ...]:
    """Every folder that should be a run and cannot be read, each with its problem."""
    listed = (try_read(root, run_id) for run_id in _ids(root))
    return tuple(run for run in listed if isinstance(run, DamagedRun))


def read(root: Path, run_id: str) -> Run:
    """The run as it is now; `RunError` where there is none or it cannot be read."""
    return read_folder(find(root, run_id))


def read_folder(folder: Path) -> Run:
    """The run in `folder` as it is now."""
    record, notes = run_folder.read_record(folder), run_folder.read_notes(folder)
    log = read_log(folder)
    state, reason = _state(folder, log)
    if state == "lost":  # or its process told its end, and went, between the two looks
        log = read_log(folder)
        state, reason = _state(folder, log)
    return Run(
        id=folder.name,
        folder=folder,
        title=notes.title or record.title,
        spec=record.spec,
        data_root=Path(record.data_root),
        device=record.device,
        threads=record.threads,
        created=record.created,
        queued_at=log.queued_at,
        state=state,
        reason=reason,
        history=log.history,
        last_step=log.last_step,
        test_accuracy=log.state.test_accuracy if log.state else None,
        rate_changes=log.rate_changes,
        batches=log.batches,
        note=notes.note,
    )


def _state(folder: Path, log: RunLog) -> tuple[State, str | None]:
    told = log.state
    if told is None:
        return "lost", "it was never started; resume it"
    if told.state not in ("queued", "running"):
        return told.state, told.reason
    heartbeat = run_folder.read_heartbeat(folder)
    if heartbeat is None:
        return "lost", LOST
    # By a clock that nobody can set, and that stands still while the machine sleeps.
    quiet = time.monotonic() - heartbeat.clock
    if quiet > QUIET_SECONDS:
        words = f"its process lives, but has said nothing for {quiet:.0f} s: it is stopped, or it hangs"
        return "not responding", f"{words}; wait, or end it"
    return ("stopping" if run_folder.is_asked_to_stop(folder) else told.state), told.reason


def find(root: Path, run_id: str) -> Path:
    """The folder of a run; `RunError` where the id is none, or of no run here."""
    folder = root / run_id
    if not RUN_ID.fullmatch(run_id) or not folder.is_dir():
        raise RunError(f"there is no run {run_id!r} in {root}; choose one from the list")
    return folder


def _ids(root: Path) -> list[str]:
    names = (path.name for path in root.iterdir()) if root.is_dir() else ()
    return sorted((name for name in names if RUN_ID.fullmatch(name)), reverse=True)


def try_read(root: Path, run_id: str) -> Run | DamagedRun:
    """The run as it is now, or what is wrong with its folder."""
    try:
        return read(root, run_id)
    except RunError as error:
        return DamagedRun(run_id, root / run_id, str(error))
