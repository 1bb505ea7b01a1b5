"""Runs: one training each, in a folder and a process of its own. Light: nothing here imports torch.

All that is known about a run is in its folder, so any number of pages and servers may look and act, and none
of them matters to a training that has begun.
"""

import os
import re
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from filelock import Timeout

from core.errors import RunError
from core.network import size_network
from core.training import run_folder
from core.training.events import EpochMetrics, StateChanged, StepDone
from core.training.processes import start_worker
from core.training.recipe import RunSpec
from core.training.run_folder import RunLog, RunRecord

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

LOCK_SECONDS = 5.0
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
    """Why it is failed or lost."""
    history: tuple[EpochMetrics, ...]
    last_step: StepDone | None
    test_accuracy: float | None
    """Of a finished run's best epoch, on the test images."""

    @property
    def seconds_left(self) -> float | None:
        """To the end of the last epoch, as of the last step told; None where that cannot be said."""
        return self.last_step.seconds_left if self.last_step and self.state == "running" else None

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


def create(
    root: Path, spec: RunSpec, data_root: Path, device: str, title: str = "", threads: int | None = None
) -> str:
    """Make the folder of a new run, not yet started, and return its id.

    `threads` is the CPU threads to train with, by default all cores but one, which is left to the app. A
    network that cannot work is refused with `SizingError` before anything is written.
    """
    size_network(spec.network)
    moment = datetime.now(UTC)
    title = title.strip()[:80] or spec.network.name
    slug = re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")[:40].strip("-") or "run"
    run_id = f"{moment:%Y%m%d-%H%M%S}-{slug}-{secrets.token_hex(3)}"
    record = RunRecord(
        spec=spec,
        title=title,
        data_root=str(data_root.resolve()),
        device="cuda:0" if device == "cuda" else device,
        threads=threads or max(1, (os.cpu_count() or 1) - 1),
        created=moment.isoformat(timespec="seconds"),
    )
    unnamed = root / f".new-{run_id}"
    unnamed.mkdir(parents=True)
    run_folder.write_record(unnamed, record)
    unnamed.rename(root / run_id)
    return run_id


def list_runs(root: Path) -> tuple[Run, ...]:
    """Every run that can be read, newest first; see `list_damaged` for the others."""
    listed = (_try_read(root, run_id) for run_id in _ids(root))
    return tuple(run for run in listed if isinstance(run, Run))


def list_damaged(root: Path) -> tuple[DamagedRun, ...]:
    """Every folder that should be a run and cannot be read, each with its problem."""
    listed = (_try_read(root, run_id) for run_id in _ids(root))
    return tuple(run for run in listed if isinstance(run, DamagedRun))


def read(root: Path, run_id: str) -> Run:
    """The run as it is now; `RunError` where there is none or it cannot be read."""
    return read_folder(find(root, run_id))


def read_folder(folder: Path) -> Run:
    """The run in `folder` as it is now."""
    record = run_folder.read_record(folder)
    log = run_folder.read_log(folder)
    state, reason = _state(folder, log)
    if state == "lost":  # or its process told its end, and went, between the two looks
        log = run_folder.read_log(folder)
        state, reason = _state(folder, log)
    return Run(
        id=folder.name,
        folder=folder,
        title=record.title,
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
    )


def _state(folder: Path, log: RunLog) -> tuple[State, str | None]:
    told = log.state
    if told is None:
        return "lost", "it was never started; resume it"
    if told.state not in ("queued", "running"):
        return told.state, told.reason
    if not run_folder.is_alive(folder):
        return "lost", LOST
    return ("stopping" if run_folder.is_asked_to_stop(folder) else told.state), None


def start(root: Path, run_id: str) -> None:
    """Start the run's process, from `last/` if it has one; `RunError` where it is live or finished."""
    with _at_rest(root, run_id) as folder:
        if read_folder(folder).state == "finished":
            raise RunError(f"run {run_id} is finished; start a new one")
        run_folder.clear_request(folder)
        try:
            # The worker waits for the lock, so that it tells nothing before these two lines.
            run_folder.beat(folder, start_worker(folder))
            run_folder.append_event(folder, StateChanged(state="queued", time=run_folder.now()))
        except OSError as error:
            remedy = "see that there is memory and disk space"
            raise RunError(f"run {run_id} cannot start: {error}; {remedy}") from None


def resume(root: Path, run_id: str) -> None:
    """Go on with a stopped, failed or lost run, from the end of its last finished epoch."""
    start(root, run_id)


def request_stop(root: Path, run_id: str) -> None:
    """Ask the run to stop; it does at its next step, and can be resumed. `RunError` where it is not live."""
    run = read(root, run_id)
    if not run.is_live:
        raise RunError(f"run {run_id} is {run.state}: there is nothing to stop")
    run_folder.ask_to_stop(run.folder)


def delete(root: Path, run_id: str) -> None:
    """Delete the run and its checkpoints; `RunError` where it is live."""
    with _at_rest(root, run_id) as folder:
        folder.rename(root / f".deleted-{run_id}")
    shutil.rmtree(root / f".deleted-{run_id}", ignore_errors=True)


@contextmanager
def _at_rest(root: Path, run_id: str) -> Iterator[Path]:
    """The folder of a run that nobody works on, locked; `RunError` where somebody does."""
    folder = find(root, run_id)
    _refuse_live(root, run_id)
    try:
        # A process that has told its end, or was killed, needs a moment to let go.
        with run_folder.lock(folder).acquire(timeout=LOCK_SECONDS):
            _refuse_live(root, run_id)
            yield folder
    except Timeout:
        raise RunError(f"a process is at run {run_id}; wait a moment, or end it") from None


def _refuse_live(root: Path, run_id: str) -> None:
    run = _try_read(root, run_id)
    if isinstance(run, Run) and run.is_live:
        raise RunError(f"run {run_id} is {run.state}; stop it first")


def find(root: Path, run_id: str) -> Path:
    """The folder of a run; `RunError` where the id is none, or of no run here."""
    folder = root / run_id
    if not RUN_ID.fullmatch(run_id) or not folder.is_dir():
        raise RunError(f"there is no run {run_id!r} in {root}; choose one from the list")
    return folder


def _ids(root: Path) -> list[str]:
    names = (path.name for path in root.iterdir()) if root.is_dir() else ()
    return sorted((name for name in names if RUN_ID.fullmatch(name)), reverse=True)


def _try_read(root: Path, run_id: str) -> Run | DamagedRun:
    try:
        return read(root, run_id)
    except RunError as error:
        return DamagedRun(run_id, root / run_id, str(error))
