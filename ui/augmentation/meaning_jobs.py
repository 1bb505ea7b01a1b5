"""Measurements of what an augmentation means, one after the other, while the page is used for more."""

import atexit
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import streamlit as st

from core.augmentation import AugmentationSpec
from core.errors import ConvScopeError
from core.spec import from_dict, to_json
from ui import own_process

KEPT = 64
"""So many results, the oldest goes first; so many measurements may wait."""
UNTOLD = "Measuring failed. The log of the server says why."


@dataclass(slots=True, eq=False)
class Job:
    """One measurement, from the click that asks for it to its end."""

    key: Any
    """All that the result depends on."""
    verb: str
    result: type[Any]
    checkpoint: Path
    augmentation: AugmentationSpec
    options: tuple[str, ...]
    has_place: bool = False
    done: int = 0
    total: int = 0
    """Pictures, of which `done` were looked at; 0 until the process says so."""
    is_stopped: bool = False
    process: "subprocess.Popen[bytes] | None" = None

    def stop(self) -> None:
        """End its process, or keep it from being started."""
        self.is_stopped = True
        if self.process is not None:
            self.process.terminate()


class Jobs:
    """The queue of measurements and what came of the last ones, for all visitors.

    Each has a thread of its own once its turn has come, in which nothing of Streamlit is called.
    """

    def __init__(self, place: threading.Lock) -> None:
        self._place = place  # held by whoever measures, here or elsewhere
        self._guard = threading.Lock()  # held while any of these is changed
        self._queue: dict[Any, Job] = {}  # the first is being measured
        self._results: dict[Any, Any] = {}
        self._problems: dict[Any, str] = {}
        atexit.register(self.end)

    def shown(self, key: Any) -> Job | None:
        """The measurement of `key`, waiting or running; where there is none, the one that runs."""
        with self._guard:
            return self._queue.get(key) or next(iter(self._queue.values()), None)

    def before(self, job: Job) -> int:
        """How many have their turn before `job`."""
        with self._guard:
            keys = list(self._queue)
        return keys.index(job.key) if job.key in keys else 0

    def result(self, key: Any) -> Any:
        """What was measured; None if nothing was, or if it is no longer kept."""
        return self._results.get(key)

    def problem(self, key: Any) -> str:
        """Why the last measurement of `key` failed; empty if it did not, or is asked for again."""
        return self._problems.get(key, "")

    def ask(self, job: Job) -> None:
        """Put `job` into the queue, unless its result is there or on its way."""
        with self._guard:
            self._problems.pop(job.key, None)
            if job.key in self._queue or job.key in self._results:
                return
            if len(self._queue) == KEPT:
                _keep(self._problems, job.key, f"{KEPT} measurements are waiting. Try again later.")
                return
            self._queue[job.key] = job
            if len(self._queue) == 1:
                self._begin()

    def stop(self, job: Job) -> None:
        """End `job`, of which nothing is kept; the next one begins as soon as its process has gone."""
        with self._guard:
            job.stop()
            self._leave(job)

    def end(self) -> None:
        """End all, with the server or when its caches are cleared."""
        with self._guard:
            for job in self._queue.values():
                job.stop()
            self._queue.clear()

    def _begin(self) -> None:
        """Start the thread of the first in the queue."""
        if job := next(iter(self._queue.values()), None):
            threading.Thread(target=self._run, args=(job,), name=f"measure {job.verb}", daemon=True).start()

    def _leave(self, job: Job) -> None:
        """Take `job` off the queue, if it is still there."""
        if self._queue.get(job.key) is job:
            was_first = next(iter(self._queue)) == job.key
            del self._queue[job.key]
            if was_first:
                self._begin()

    def _run(self, job: Job) -> None:
        """Measure; whatever happens, the next one has its turn. Python prints what is not caught here."""
        found, problem = None, UNTOLD
        try:
            with self._turn(job):
                found = None if job.is_stopped else self._measure(job)
        except ConvScopeError as error:
            problem = str(error)
        finally:
            with self._guard:
                if found is not None:
                    _keep(self._results, job.key, found)
                elif not job.is_stopped:
                    _keep(self._problems, job.key, problem)
                self._leave(job)

    @contextmanager
    def _turn(self, job: Job) -> Iterator[None]:
        """Hold the one place to measure, once other pages have left it, or without it if `job` is stopped."""
        while not job.has_place and not job.is_stopped:
            job.has_place = self._place.acquire(timeout=own_process.WAIT_SECONDS)
        try:
            yield
        finally:
            if job.has_place:
                self._place.release()

    def _measure(self, job: Job) -> Any:
        def started(process: "subprocess.Popen[bytes]") -> None:
            with self._guard:
                job.process = process
                if job.is_stopped:
                    process.terminate()

        found = None
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "augmentation.json"
            file.write_text(to_json(job.augmentation), encoding="utf-8")
            words = str(job.checkpoint), str(file), *job.options
            with closing(own_process.run_verb(job.verb, *words, started=started)) as events:
                for event in events:
                    if "done" in event:
                        job.done, job.total = event["done"], event["total"]
                    else:
                        found = from_dict(job.result, event)
        return found


def _keep(kept: dict[Any, Any], key: Any, value: Any) -> None:
    """Add `value`, and drop the oldest beyond `KEPT`."""
    kept[key] = value
    while len(kept) > KEPT:
        kept.pop(next(iter(kept)))


@st.cache_resource(max_entries=1, show_spinner=False, on_release=Jobs.end)
def all_jobs() -> Jobs:
    """Those of this server."""
    return Jobs(own_process.place())
