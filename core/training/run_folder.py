"""The files of a run's folder, each with one writer; a reader needs no lock and finds no torn file.

run.json       what was asked for; written once, before the folder gets its name
events.jsonl   what happened, one line each, only ever appended to
heartbeat      which process trains and how far it is; replaced every two seconds
control        is there: please stop
last/ best/    checkpoints: the last finished epoch, and the best one
log.txt        what the worker's process prints
.lock          held by the process that trains, for as long as it lives
"""

import json
import os
import re
import threading
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path

from filelock import FileLock
from pydantic import Field

from core.errors import RunError, SpecError
from core.files import append_line, write_atomically
from core.spec import describe, from_dict, from_json, to_dict
from core.training.events import EpochDone, EpochMetrics, Event, StateChanged, StepDone
from core.training.processes import started_at
from core.training.recipe import RunSpec

SCHEMA = 1
CONTROL = "control"
KEPT_RUNS = 1024
"""Runs whose files are kept in memory once read."""


@describe
class RunRecord:
    """What `run.json` says; it never changes."""

    spec: RunSpec
    title: str = Field(min_length=1, max_length=80)
    """For people."""
    data_root: str
    """The folder that the dataset is loaded from."""
    device: str
    """As torch names it: "cpu", "cuda:0"."""
    threads: int = Field(ge=1, le=1024)
    """CPU threads; part of the record because another number may change the last bits of every sum."""
    created: str
    """ISO 8601, UTC."""

    def __post_init__(self) -> None:
        if not re.fullmatch(r"cpu|cuda:[0-9]{1,2}", self.device):
            raise SpecError(
                f"device must be cpu, cuda or cuda and a number as in cuda:1, got {self.device!r}"
            )


@describe
class Heartbeat:
    """Which process trains, and how far it was when it wrote this."""

    pid: int
    started_at: float
    """See `processes.started_at`."""
    time: str
    """ISO 8601, UTC."""
    epoch: int = 0
    step: int = 0


@dataclass(frozen=True, slots=True)
class RunLog:
    """What `events.jsonl` amounts to."""

    state: StateChanged | None = None
    """The last change of state."""
    queued_at: str = ""
    """When it was last put into the queue: the order of the queue."""
    history: tuple[EpochMetrics, ...] = ()
    last_step: StepDone | None = None
    """Of the process that trains now or trained last."""


def now() -> str:
    """This moment, ISO 8601, UTC."""
    return datetime.now(UTC).isoformat(timespec="microseconds")


def lock(folder: Path) -> FileLock:
    """The lock of whoever may write here; the system frees it when its holder dies."""
    return FileLock(folder / ".lock")


def write_record(folder: Path, record: RunRecord) -> None:
    """Write `run.json`."""
    values = {"schema": SCHEMA, **to_dict(record, with_defaults=True)}
    write_atomically(folder / "run.json", json.dumps(values, indent=1, ensure_ascii=False).encode())


def read_record(folder: Path) -> RunRecord:
    """What `run.json` says; `RunError` where it is missing, damaged or of a later version."""
    path = folder / "run.json"
    try:
        stat = path.stat()
        return _parse_record(path, stat.st_mtime_ns, stat.st_size)
    except FileNotFoundError:
        raise RunError(f"{path} is missing, so this is no run; delete the folder") from None
    except (OSError, ValueError, RecursionError, SpecError) as error:
        raise RunError(f"{path} cannot be read ({error}); restore the file or delete the run") from None


@lru_cache(maxsize=KEPT_RUNS)
def _parse_record(path: Path, _mtime_ns: int, _size: int) -> RunRecord:
    values = json.loads(path.read_bytes())
    schema = values.pop("schema", None) if isinstance(values, dict) else None
    if schema != SCHEMA:
        raise SpecError(f"its schema must be {SCHEMA}, got {schema!r}: another version of ConvScope made it")
    return from_dict(RunRecord, values)


def append_event(folder: Path, event: Event) -> None:
    """Add the event to `events.jsonl`."""
    values = {"kind": event.kind, **to_dict(event, with_defaults=True)}
    append_line(folder / "events.jsonl", json.dumps(values, separators=(",", ":")).encode())


def read_log(folder: Path) -> RunLog:
    """What happened so far. Parsed once for every state of the file: pages ask every second."""
    return _reader(folder / "events.jsonl").read()


class _LogReader:
    """Remembers what the file amounted to when it was last looked at; for several threads."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.Lock()
        self._seen = (0, 0)
        self._log = RunLog()

    def read(self) -> RunLog:
        with self._lock:
            try:
                stat = self.path.stat()
            except FileNotFoundError:
                return RunLog()
            if self._seen != (stat.st_mtime_ns, stat.st_size):
                whole, _, _torn = self.path.read_bytes().rpartition(b"\n")
                self._seen, self._log = (stat.st_mtime_ns, stat.st_size), _fold(whole.split(b"\n"))
            return self._log


@lru_cache(maxsize=KEPT_RUNS)
def _reader(path: Path) -> _LogReader:
    return _LogReader(path)


def _fold(lines: Iterable[bytes]) -> RunLog:
    log = RunLog()
    history: dict[int, EpochMetrics] = {}
    step_line: bytes | None = None
    for line in lines:
        if line.startswith(b'{"kind":"step"'):  # nearly all lines; only the last one counts
            step_line = line
            continue
        event = _parse_event(line)
        if isinstance(event, EpochDone):
            history[event.metrics.epoch] = event.metrics
        elif isinstance(event, StateChanged):
            log = replace(log, state=event)
            if event.state == "queued":
                log = replace(log, queued_at=event.time)
            elif event.state == "running":
                history = {epoch: metrics for epoch, metrics in history.items() if epoch <= event.epoch}
                step_line = None
    last_step = _parse_event(step_line) if step_line else None
    assert last_step is None or isinstance(last_step, StepDone)
    return replace(log, history=tuple(history[epoch] for epoch in sorted(history)), last_step=last_step)


def _parse_event(line: bytes) -> Event | None:
    """The event of a line; None for what a killed writer left, which `append_line` has ended."""
    try:
        values = json.loads(line)
        kinds = {"step": StepDone, "epoch": EpochDone, "state": StateChanged}
        return from_dict(kinds[values["kind"]], values)
    except (ValueError, KeyError, TypeError, RecursionError, SpecError):
        return None


def beat(folder: Path, pid: int, epoch: int = 0, step: int = 0) -> None:
    """Say that the process with this number trains the run, and how far it is."""
    heartbeat = Heartbeat(pid=pid, started_at=started_at(pid) or 0.0, time=now(), epoch=epoch, step=step)
    write_atomically(folder / "heartbeat", json.dumps(to_dict(heartbeat, with_defaults=True)).encode())


def is_alive(folder: Path) -> bool:
    """Whether the process that last wrote the heartbeat still lives."""
    try:
        heartbeat = from_json(Heartbeat, (folder / "heartbeat").read_bytes())
    except (OSError, SpecError):
        return False
    return started_at(heartbeat.pid) == heartbeat.started_at


def ask_to_stop(folder: Path) -> None:
    """Leave the request that the training loop looks for at every step."""
    os.close(os.open(folder / CONTROL, os.O_WRONLY | os.O_CREAT))


def is_asked_to_stop(folder: Path) -> bool:
    """Whether somebody asked."""
    return (folder / CONTROL).exists()


def clear_request(folder: Path) -> None:
    """Forget an earlier request, before a run goes on."""
    (folder / CONTROL).unlink(missing_ok=True)
