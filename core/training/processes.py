"""Starting a worker that outlives its parent, and telling whether it is still that process."""

import subprocess
import sys
import threading
from pathlib import Path

import psutil

PROJECT = Path(__file__).resolve().parents[2]


def started_at(pid: int) -> float | None:
    """Seconds from the machine's start to that process's, which with its number names it; None if it is gone.

    A process number alone is used again, a wall clock can be set, and a zombie is gone but for its number.
    """
    try:
        process = psutil.Process(pid)
        if process.status() == psutil.STATUS_ZOMBIE:
            return None
        return round(process.create_time() - psutil.boot_time(), 2)
    except psutil.Error:
        return None


def start_worker(folder: Path) -> int:
    """Start the worker of the run in `folder` in a session of its own, and return its process number."""
    with (folder / "log.txt").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "core.training.worker", str(folder.resolve())],
            cwd=PROJECT,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            close_fds=True,
            start_new_session=True,  # what ends the server, Ctrl-C or a closed terminal, does not reach it
        )
    # Somebody must wait for a child, else it stays behind as a zombie for as long as the server lives.
    threading.Thread(target=process.wait, name=f"wait for {process.pid}", daemon=True).start()
    return process.pid
