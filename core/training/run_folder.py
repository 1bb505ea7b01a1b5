"""The files of a run's folder, each with one writer; a reader needs no lock and finds no torn file.

run.json       what was asked for; written once, before the folder gets its name
events.jsonl   what happened, one line each, only ever appended to
heartbeat      which process trains and how far it is; replaced every two seconds by the training loop
control        is there: please stop
rate.json      please train at so many times the schedule's learning rate
notes.json     the title and the note that people gave it since
last/ best/    checkpoints: the last two finished epochs, and the best one
log.txt        what the worker's process says and prints
.lock          held by the process that trains, for as long as it lives
.reserve       room for the last words, should the disk fill up
"""

import json
import os
import re
import time
from contextlib import suppress
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path

from filelock import FileLock
from pydantic import Field

from core.errors import RunError, SpecError
from core.files import append_line, write_atomically
from core.spec import describe, from_dict, from_json, to_dict
from core.training.events import BatchSeen, Event, StepDone
from core.training.processes import boot_id, started_at
from core.training.recipe import RunSpec

SCHEMA = 1
CONTROL, LOG, RESERVE = "control", "log.txt", ".reserve"
RESERVE_BYTES = 65_536
TAIL_BYTES = 16_384
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
    boot: str = ""
    """See `processes.boot_id`."""
    time: str
    """ISO 8601, UTC."""
    clock: float = 0.0
    """The same moment in seconds of the machine's clock that nobody can set."""
    epoch: int = 0
    step: int = 0


@describe
class Notes:
    """What people wrote about a run since it was made."""

    title: str = Field(default="", max_length=80)
    """Empty leaves the run its first one."""
    note: str = Field(default="", max_length=10_000)


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
    """Add the event to `events.jsonl`.

    It is on the disk before this returns, unless it is a step or a batch, which nothing depends on.
    """
    values = {"kind": event.kind, **to_dict(event, with_defaults=True)}
    is_to_last = not isinstance(event, StepDone | BatchSeen)
    line = json.dumps(values, separators=(",", ":")).encode()
    append_line(folder / "events.jsonl", line, is_to_last=is_to_last)


def read_notes(folder: Path) -> Notes:
    """What people wrote; empty where they wrote nothing, or it cannot be read."""
    path = folder / "notes.json"
    try:
        stat = path.stat()
        return _parse_notes(path, stat.st_mtime_ns, stat.st_size)
    except (OSError, SpecError):
        return Notes()


@lru_cache(maxsize=KEPT_RUNS)
def _parse_notes(path: Path, _mtime_ns: int, _size: int) -> Notes:
    return from_json(Notes, path.read_bytes())


def change_notes(folder: Path, **values: str) -> None:
    """Write other notes; what is not in `values` stays. `SpecError` where one is too long."""
    with FileLock(folder / ".notes.lock"):
        notes = from_dict(Notes, to_dict(read_notes(folder)) | values)
        write_atomically(folder / "notes.json", json.dumps(to_dict(notes), ensure_ascii=False).encode())


def beat(folder: Path, pid: int, epoch: int = 0, step: int = 0) -> None:
    """Say that the process with this number trains the run, and how far it is."""
    heartbeat = Heartbeat(
        pid=pid,
        started_at=started_at(pid) or 0.0,
        boot=boot_id(),
        time=now(),
        clock=time.monotonic(),
        epoch=epoch,
        step=step,
    )
    content = json.dumps(to_dict(heartbeat, with_defaults=True)).encode()
    write_atomically(folder / "heartbeat", content, is_to_last=False)


def read_heartbeat(folder: Path) -> Heartbeat | None:
    """The last one of a process that still lives; None where there is none, or its process is gone."""
    try:
        heartbeat = from_json(Heartbeat, (folder / "heartbeat").read_bytes())
    except (OSError, SpecError):
        return None
    is_same = heartbeat.boot == boot_id() and started_at(heartbeat.pid) == heartbeat.started_at
    return heartbeat if is_same else None


def reserve_last_words(folder: Path) -> None:
    """Hold a little room on the disk, so that the end of a run can be written even when it is full."""
    # Random, so that no file system packs it into nothing.
    (folder / RESERVE).write_bytes(os.urandom(RESERVE_BYTES))


def free_last_words(folder: Path) -> None:
    """Give up the room that is held."""
    (folder / RESERVE).unlink(missing_ok=True)


def log_line(folder: Path, line: str) -> None:
    """Add a line with the time to `log.txt`; not at all where that cannot be."""
    with suppress(OSError), (folder / LOG).open("ab") as log:
        log.write(f"{now()[:19].replace('T', ' ')}  {line}\n".encode())


def log_tail(folder: Path, lines: int) -> str:
    """The last lines of `log.txt`, at most 16 kB; empty where there are none."""
    try:
        with (folder / LOG).open("rb") as log:
            log.seek(max(log.seek(0, os.SEEK_END) - TAIL_BYTES, 0))
            content = log.read()
    except OSError:
        return ""
    return "\n".join(content.decode(errors="replace").splitlines()[-lines:])


def ask_to_stop(folder: Path) -> None:
    """Leave the request that the training loop looks for at every step."""
    os.close(os.open(folder / CONTROL, os.O_WRONLY | os.O_CREAT))


def is_asked_to_stop(folder: Path) -> bool:
    """Whether somebody asked."""
    return (folder / CONTROL).exists()


def clear_request(folder: Path) -> None:
    """Forget an earlier request, before a run goes on."""
    (folder / CONTROL).unlink(missing_ok=True)
