"""Runs: one training each, in a folder and a process of its own. Light: nothing here imports torch.

All that is known about a run is in its folder, so any number of pages and servers may look and act, and none
of them matters to a training that has begun.
"""

import os
import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from filelock import Timeout

from core.errors import RunError
from core.network import size_network
from core.training import run_folder, trash
from core.training.events import StateChanged
from core.training.processes import end_process, start_worker
from core.training.rate_wish import ask_for_rate
from core.training.recipe import RunSpec
from core.training.room import LEAST_BYTES, refuse_small_disk
from core.training.run import (
    LIVE_STATES,
    RUN_ID,
    DamagedRun,
    Run,
    State,
    find,
    list_damaged,
    list_runs,
    read,
    read_folder,
    try_read,
)
from core.training.run_folder import RunRecord
from core.training.trash import DeletedRun, list_deleted, restore

__all__ = [
    "LIVE_STATES",
    "RUN_ID",
    "DamagedRun",
    "DeletedRun",
    "Run",
    "State",
    "change_rate",
    "create",
    "delete",
    "end",
    "find",
    "list_damaged",
    "list_deleted",
    "list_runs",
    "read",
    "read_folder",
    "rename",
    "request_stop",
    "restore",
    "resume",
    "start",
    "write_note",
]

LOCK_SECONDS = 5.0
TERM_SECONDS, KILL_SECONDS = 10.0, 30.0
"""How long a run may take to stop before it is told to once more, and before it is killed."""


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


def start(root: Path, run_id: str, *, least_bytes: int = LEAST_BYTES) -> None:
    """Start the run's process, from `last/` if it has one.

    `RunError` where it is live or finished, or where the disk has no room for its checkpoints and
    `least_bytes` more.
    """
    trash.empty(root)
    with _at_rest(root, run_id) as folder:
        run = read_folder(folder)
        if run.state == "finished":
            raise RunError(f"run {run_id} is finished; start a new one")
        refuse_small_disk(root, run.spec, least_bytes)
        run_folder.clear_request(folder)
        try:
            # The worker waits for the lock, so that it tells nothing before these two lines.
            run_folder.beat(folder, start_worker(folder))
            run_folder.append_event(folder, StateChanged(state="queued", time=run_folder.now()))
        except OSError as error:
            remedy = "see that there is memory and disk space"
            raise RunError(f"run {run_id} cannot start: {error}; {remedy}") from None


def resume(root: Path, run_id: str, *, least_bytes: int = LEAST_BYTES) -> None:
    """Go on with a run that ended early, from the end of its last finished epoch."""
    start(root, run_id, least_bytes=least_bytes)


def request_stop(root: Path, run_id: str) -> None:
    """Ask the run to stop; it does at its next step, and can be resumed. `RunError` where it is not live."""
    run_folder.ask_to_stop(_live(root, run_id).folder)


def end(
    root: Path, run_id: str, *, term_after: float = TERM_SECONDS, kill_after: float = KILL_SECONDS
) -> None:
    """Ask the run to stop, and end it by force if it does not within so many seconds; returns at its end.

    For a run that does not respond. What it has finished is kept, and it can be resumed. `RunError` where it
    is not live, or cannot be ended.
    """
    folder = _live(root, run_id).folder
    heartbeat = run_folder.read_heartbeat(folder)
    run_folder.ask_to_stop(folder)
    if heartbeat is not None:
        end_process(heartbeat.pid, heartbeat.started_at, term_after, kill_after)
    try:
        with run_folder.lock(folder).acquire(timeout=LOCK_SECONDS):
            if read_folder(folder).state == "lost":
                reason = "it did not respond and was ended; resume it"
                ending = StateChanged(state="stopped", time=run_folder.now(), reason=reason)
                run_folder.append_event(folder, ending)
    except Timeout:
        raise RunError(f"run {run_id} cannot be ended: a process still holds it; end that by hand") from None


def change_rate(root: Path, run_id: str, factor: float) -> None:
    """Train at `factor` times the schedule's rate, from the next step on or from where the run resumes.

    A run that repeats steps first repeats the changes among them. `RunError` where the run is finished, or
    the factor is not above 0 and at most 1000.
    """
    run = read(root, run_id)
    if run.state == "finished":
        raise RunError(f"run {run_id} is finished; start a new one with another learning rate")
    if not 0 < factor <= 1000:
        raise RunError(f"the factor of the rate must be above 0 and at most 1000, got {factor}; give another")
    ask_for_rate(run.folder, factor)


def rename(root: Path, run_id: str, title: str) -> None:
    """Call the run otherwise; by what it was called first where the title is empty."""
    run_folder.change_notes(find(root, run_id), title=title.strip()[:80])


def write_note(root: Path, run_id: str, text: str) -> None:
    """Keep this text with the run, in place of what was there; `SpecError` beyond 10,000 characters."""
    run_folder.change_notes(find(root, run_id), note=text.strip())


def delete(root: Path, run_id: str) -> None:
    """Put the run away, to be restored for a day; `RunError` where it is live."""
    trash.empty(root)
    with _at_rest(root, run_id) as folder:
        trash.put_away(folder)


def _live(root: Path, run_id: str) -> Run:
    run = read(root, run_id)
    if not run.is_live:
        raise RunError(f"run {run_id} is {run.state}: there is nothing to stop")
    return run


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
    run = try_read(root, run_id)
    if isinstance(run, Run) and run.is_live:
        raise RunError(f"run {run_id} is {run.state}; stop it first")
