"""Real workers that start in a moment: forked from a process that has imported torch and done nothing since.

`forked_workers` lets `runs.start` use them instead of new interpreters, which import torch for seconds.
"""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.training import runs

PROJECT = Path(__file__).resolve().parent.parent


class Forker:
    """The process that forks."""

    def __init__(self) -> None:
        command = [sys.executable, "-m", "tests.forked"]
        self.process = subprocess.Popen(
            command, cwd=PROJECT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self._ask("")

    def _ask(self, line: str) -> str:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(f"{line}\n")
        self.process.stdin.flush()
        return self.process.stdout.readline()

    def start_worker(self, folder: Path) -> int:
        """As `processes.start_worker` does."""
        return int(self._ask(str(folder.resolve())))

    def close(self) -> None:
        """End it; its workers go on."""
        self.process.communicate()


@pytest.fixture(scope="session")
def forker() -> Iterator[Forker]:
    """One for all tests."""
    forker = Forker()
    yield forker
    forker.close()


@pytest.fixture
def forked_workers(forker: Forker, monkeypatch: pytest.MonkeyPatch) -> None:
    """Lets runs start at once."""
    monkeypatch.setattr(runs, "start_worker", forker.start_worker)


def serve() -> None:
    """Fork a worker for every folder that is asked for, and tell its process number."""
    import torch._dynamo  # noqa: F401 what takes long in a worker; an optimiser imports it

    import core.training.engine  # noqa: F401
    from core.training import processes

    processes.NICENESS = 0  # the tests that wait for it are in no less a hurry
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    for line in sys.stdin:
        child = os.fork() if line.strip() else 0
        if line.strip() and child == 0:
            work(Path(line.strip()))
        sys.stdout.write(f"{child}\n")
        sys.stdout.flush()


def work(folder: Path) -> None:
    """Become the worker of the run in `folder`."""
    from core.training import worker

    code = 1
    try:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        os.setsid()
        log = os.open(folder / "log.txt", os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        for place, stream in ((os.open(os.devnull, os.O_RDONLY), 0), (log, 1), (log, 2)):
            os.dup2(place, stream)
        code = worker.main(folder)
    finally:
        os._exit(code)


if __name__ == "__main__":
    serve()
