"""What `events.jsonl` of a run amounts to, read on from where the last look ended: pages ask every second."""

import json
import os
import threading
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from core.errors import SpecError
from core.spec import from_dict
from core.training.events import (
    BatchSeen,
    EpochDone,
    EpochMetrics,
    Event,
    RateChanged,
    StateChanged,
    StepDone,
)

KEPT_RUNS = 1024
"""Runs whose events are kept in memory once read."""
KINDS = {"step": StepDone, "epoch": EpochDone, "rate": RateChanged, "batch": BatchSeen, "state": StateChanged}


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
    rate_changes: tuple[RateChanged, ...] = ()
    """In the order of their steps; also those of an epoch that is to be repeated."""
    batches: tuple[BatchSeen, ...] = ()
    """In the order of their steps; those of a repeated epoch once."""


def read_log(folder: Path) -> RunLog:
    """What happened so far."""
    return _reader(folder / "events.jsonl").read()


class _LogReader:
    """Remembers how far the file was read, and what it amounted to; for several threads."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.Lock()
        self._forget()

    def _forget(self) -> None:
        self._seen, self._end, self._fold, self._log = (0, 0, 0), 0, _Fold(), RunLog()

    def read(self) -> RunLog:
        with self._lock:
            try:
                stat = self.path.stat()
            except FileNotFoundError:
                self._forget()
                return self._log
            seen = (stat.st_ino, stat.st_mtime_ns, stat.st_size)
            if seen != self._seen:
                if stat.st_ino != self._seen[0] or stat.st_size < self._end:  # another file by the same name
                    self._forget()
                self._read_on()
                self._seen, self._log = seen, self._fold.log()
            return self._log

    def _read_on(self) -> None:
        with self.path.open("rb") as file:
            file.seek(max(self._end - 1, 0))
            if self._end and file.read(1) != b"\n":  # written anew in its place
                self._forget()
                file.seek(0, os.SEEK_SET)
            whole, newline, _torn = file.read().rpartition(b"\n")
        self._end += len(whole) + len(newline)
        self._fold.take(whole.split(b"\n"))


@lru_cache(maxsize=KEPT_RUNS)
def _reader(path: Path) -> _LogReader:
    return _LogReader(path)


class _Fold:
    """Line by line, what they amount to."""

    def __init__(self) -> None:
        self.state: StateChanged | None = None
        self.queued_at = ""
        self.step_line: bytes | None = None
        self.history: dict[int, EpochMetrics] = {}
        self.rates: dict[tuple[int, int], RateChanged] = {}
        self.batches: dict[tuple[int, int], BatchSeen] = {}

    def take(self, lines: Iterable[bytes]) -> None:
        for line in lines:
            if line.startswith(b'{"kind":"step"'):  # nearly all lines; only the last one counts
                self.step_line = line
                continue
            event = parse_event(line)
            if isinstance(event, EpochDone):
                self.history[event.metrics.epoch] = event.metrics
            elif isinstance(event, RateChanged):
                self.rates[event.epoch, event.step] = event
            elif isinstance(event, BatchSeen):
                self.batches[event.epoch, event.step] = event
            elif isinstance(event, StateChanged):
                self._enter(event)

    def _enter(self, event: StateChanged) -> None:
        was_diverged = self.state is not None and self.state.state == "diverged"
        if event.state == "queued":
            self.queued_at = event.time
            if was_diverged:  # what it did since its last whole epoch led nowhere
                self.rates = {place: rate for place, rate in self.rates.items() if place[0] in self.history}
        elif event.state == "running":
            self.history = {epoch: metrics for epoch, metrics in self.history.items() if epoch <= event.epoch}
            self.step_line = None
        self.state = event

    def log(self) -> RunLog:
        last_step = parse_event(self.step_line) if self.step_line else None
        return RunLog(
            state=self.state,
            queued_at=self.queued_at,
            history=tuple(self.history[epoch] for epoch in sorted(self.history)),
            last_step=last_step if isinstance(last_step, StepDone) else None,
            rate_changes=tuple(self.rates[place] for place in sorted(self.rates)),
            batches=tuple(self.batches[place] for place in sorted(self.batches)),
        )


def parse_event(line: bytes) -> Event | None:
    """The event of a line; None for what a killed writer left, which `append_line` has ended."""
    try:
        values = json.loads(line)
        event: Event = from_dict(KINDS[values["kind"]], values)
    except (ValueError, KeyError, TypeError, RecursionError, SpecError):
        return None
    return event
