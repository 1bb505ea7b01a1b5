"""Measurements go on beside the page: one at a time, told of, ended, and never in the way of the next."""

import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from core.augmentation import AugmentationSpec, presets
from tests.browser import PROJECT
from ui.augmentation import meaning_jobs
from ui.augmentation.meaning_jobs import UNTOLD, Job, Jobs

PATIENCE_SECONDS = 30
VERB = """
import os, pathlib, sys, time
_, verb, checkpoint, augmentation, name, __ = sys.argv
folder = pathlib.Path(checkpoint)
(folder / f"{name}.{os.getpid()}.pid").touch()
print('{"done": 1, "total": 4}', flush=True)
while not (folder / f"{name}.go").exists():
    time.sleep(0.01)
if (folder / f"{name}.fails").exists():
    sys.exit(f"python -m core {verb}: The weights are damaged")
answer = open(augmentation).read().replace("\\n", " ")
print("{" if (folder / f"{name}.babbles").exists() else answer, flush=True)
while (folder / f"{name}.babbles").exists():
    time.sleep(0.01)
"""
"""In the place of a verb: it waits until it is told to go on, and what it measures is its augmentation."""
SERVER = """
import sys, threading, time
from pathlib import Path
from tests.test_meaning_jobs import a_job
from ui import paths
from ui.augmentation.meaning_jobs import Jobs

folder = paths.ROOT = Path(sys.argv[1])
jobs = Jobs(threading.Lock())
for name in ("first", "second"):
    jobs.ask(a_job(folder, name))
while not list(folder.glob("first.*.pid")):
    time.sleep(0.01)
print("measuring", flush=True)
"""


def a_job(folder: Path, name: str) -> Job:
    return Job(name, "strength", AugmentationSpec, folder, presets()["cutout"], (name,))


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where `python -m core` is the stand-in above, with the files that steer it."""
    (tmp_path / "core").mkdir()
    (tmp_path / "core" / "__main__.py").write_text(VERB)
    monkeypatch.setattr("ui.paths.ROOT", tmp_path)
    return tmp_path


@pytest.fixture
def place() -> threading.Lock:
    return threading.Lock()


@pytest.fixture
def jobs(place: threading.Lock) -> Iterator[Jobs]:
    jobs = Jobs(place)
    yield jobs
    jobs.end()
    until(lambda: not place.locked())


def until(is_true: Callable[[], object]) -> None:
    end = time.monotonic() + PATIENCE_SECONDS
    while not is_true():
        assert time.monotonic() < end
        time.sleep(0.01)


def processes(folder: Path, name: str) -> list[int]:
    """The numbers of the processes that were started for this job."""
    return [int(path.name.split(".")[1]) for path in folder.glob(f"{name}.*.pid")]


def has_gone(pid: int) -> bool:
    return not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


def let(folder: Path, *names: str) -> None:
    for name in names:
        (folder / f"{name}.go").touch()


def test_one_after_the_other_is_measured_and_none_twice(
    jobs: Jobs, place: threading.Lock, folder: Path
) -> None:
    first, second = a_job(folder, "first"), a_job(folder, "second")
    for job in (first, second, a_job(folder, "first")):
        jobs.ask(job)
    until(lambda: first.total)
    assert place.locked()
    assert (first.done, first.total, second.total) == (1, 4, 0)
    assert jobs.shown("first") is jobs.shown("another") is first
    assert jobs.shown("second") is second
    assert (jobs.before(first), jobs.before(second)) == (0, 1)
    assert processes(folder, "second") == []
    assert jobs.result("first") is None
    let(folder, "first")
    until(lambda: second.total)
    assert jobs.result("first") == presets()["cutout"]
    jobs.ask(a_job(folder, "first"))
    let(folder, "second")
    until(lambda: jobs.shown("first") is None)
    assert jobs.result("second") == presets()["cutout"]
    assert len(processes(folder, "first")) == len(processes(folder, "second")) == 1


def test_it_waits_until_who_measures_elsewhere_has_ended(
    jobs: Jobs, place: threading.Lock, folder: Path
) -> None:
    let(folder, "first", "second")
    with place:
        jobs.ask(a_job(folder, "first"))
        jobs.ask(a_job(folder, "second"))
        time.sleep(0.3)
        shown = jobs.shown("first")
        assert shown is not None
        assert not shown.has_place
        jobs.stop(shown)  # while it waits
        time.sleep(0.3)
        assert processes(folder, "second") == []
    until(lambda: jobs.result("second"))
    assert processes(folder, "first") == []


def test_a_failure_is_told_until_it_is_tried_again(jobs: Jobs, folder: Path) -> None:
    let(folder, "first")
    (folder / "first.fails").touch()
    jobs.ask(a_job(folder, "first"))
    until(lambda: jobs.shown("first") is None)
    assert jobs.problem("first") == "Measuring failed. The weights are damaged"
    assert jobs.result("first") is None
    (folder / "first.fails").unlink()
    jobs.ask(a_job(folder, "first"))
    assert jobs.problem("first") == ""
    until(lambda: jobs.result("first"))


def test_a_stopped_one_ends_at_once_and_can_be_asked_for_again(jobs: Jobs, folder: Path) -> None:
    first, second = a_job(folder, "first"), a_job(folder, "second")
    jobs.ask(first)
    jobs.ask(second)
    until(lambda: first.total)
    jobs.stop(first)
    assert jobs.shown("first") is second
    jobs.ask(a_job(folder, "first"))
    until(lambda: second.total)
    (ended,) = processes(folder, "first")
    assert has_gone(ended)
    let(folder, "first", "second")
    until(lambda: jobs.result("first"))
    assert jobs.result("second")
    assert jobs.problem("first") == ""
    assert len(processes(folder, "first")) == 2


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_an_answer_that_nobody_understands_is_not_in_the_way_of_the_next(
    jobs: Jobs, place: threading.Lock, folder: Path
) -> None:
    let(folder, "first", "second")
    (folder / "first.babbles").touch()
    jobs.ask(a_job(folder, "first"))
    jobs.ask(a_job(folder, "second"))
    until(lambda: jobs.result("second"))
    assert jobs.problem("first") == UNTOLD
    (ended,) = processes(folder, "first")
    assert has_gone(ended)
    until(lambda: not place.locked())


def test_so_many_wait_and_so_many_results_are_kept(
    jobs: Jobs, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(meaning_jobs, "KEPT", 2)
    for name in ("first", "second", "third"):
        jobs.ask(a_job(folder, name))
    assert "Try again" in jobs.problem("third")
    let(folder, "first", "second", "third")
    until(lambda: jobs.result("second"))
    until(lambda: jobs.shown("third") is None)
    jobs.ask(a_job(folder, "third"))
    until(lambda: jobs.result("third"))
    assert jobs.result("first") is None
    assert jobs.result("second")


def test_nothing_goes_on_when_the_server_has_ended(folder: Path) -> None:
    server = subprocess.run(
        [sys.executable, "-c", SERVER, str(folder)],
        cwd=PROJECT,
        stdout=subprocess.PIPE,
        timeout=PATIENCE_SECONDS,
        check=True,
    )
    assert server.stdout == b"measuring\n"
    (pid,) = processes(folder, "first")
    until(lambda: has_gone(pid))
    assert processes(folder, "second") == []
