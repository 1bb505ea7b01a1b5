"""Processes: starting a worker that outlives its parent, how it behaves, and how one that hangs is ended."""

import ctypes
import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from functools import lru_cache
from pathlib import Path

import psutil

PROJECT = Path(__file__).resolve().parents[2]
NICENESS = 10
OUT_OF_MEMORY_SCORE = "500"
POLL_SECONDS = 0.05
END_SECONDS = 5.0
"""How long the system may take to clear away what was killed."""

M_TRIM_THRESHOLD, M_TOP_PAD, M_MMAP_MAX = -1, -2, -4
"""As glibc's `malloc.h` numbers them."""


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


@lru_cache(maxsize=1)
def boot_id() -> str:
    """Names this start of this machine; empty where the system has no name for it."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return ""


def step_back() -> None:
    """Let the app go first: for the processor, and for the memory when it runs out."""
    if hasattr(os, "nice"):
        os.nice(NICENESS)
    with suppress(OSError):  # where memory runs out, the system is to end this process and not the app
        Path("/proc/self/oom_score_adj").write_text(OUT_OF_MEMORY_SCORE)


def tune(threads: int = 1) -> None:
    """What makes a process train faster on so many threads; to be called before it imports torch.

    Who asks for as many threads as there are cores has the machine to himself.
    """
    if threads < (os.cpu_count() or 1):
        # OpenMP's threads would wait by spinning, which takes the app's core; torch reads this when imported.
        # On a machine with nothing else to do they had better spin: 1.8 times on two cores.
        os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    with suppress(AttributeError, OSError, TypeError):  # glibc only
        # Large activations would go back to the system at every step: 1.3 times at batches of 128.
        glibc = ctypes.CDLL(None)
        for option, value in ((M_MMAP_MAX, 0), (M_TRIM_THRESHOLD, 2**31 - 1), (M_TOP_PAD, 2**28)):
            glibc.mallopt(option, value)


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


def end_process(pid: int, started: float, term_after: float, kill_after: float) -> None:
    """End that process by force, if it has not ended by itself so many seconds from now.

    SIGTERM first, at last SIGKILL, also to the processes that it started. `started` is what `started_at` said
    of it: another process that has got its number is left alone.
    """
    now = time.monotonic()
    if _is_gone(pid, started, until=now + term_after):
        return
    _signal(pid, started, signal.SIGTERM)
    if _is_gone(pid, started, until=now + kill_after):
        return
    _signal(pid, started, getattr(signal, "SIGKILL", signal.SIGTERM))
    _is_gone(pid, started, until=time.monotonic() + END_SECONDS)


def _is_gone(pid: int, started: float, until: float) -> bool:
    while started_at(pid) == started:
        if time.monotonic() >= until:
            return False
        time.sleep(POLL_SECONDS)
    return True


def _signal(pid: int, started: float, number: int) -> None:
    with suppress(ProcessLookupError):
        if started_at(pid) != started:
            return
        # Its group is its own, unless somebody started it by hand.
        if number != signal.SIGTERM and hasattr(os, "killpg") and os.getpgid(pid) == pid:
            os.killpg(pid, number)
        else:
            os.kill(pid, number)
