"""Measuring in a process of its own, one at a time, so that forty visitors do not start forty processes."""

import json
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from core.errors import ConvScopeError
from ui import paths

WAIT_SECONDS = 0.5


@contextmanager
def turn(bar: DeltaGenerator) -> Iterator[None]:
    """Hold the one place to measure, once others have left it; `bar` says that it waits."""
    lock = place()
    bar.progress(0.0, "Waiting for another measurement to end …")
    while not lock.acquire(timeout=WAIT_SECONDS):
        bar.progress(0.0, "Waiting for another measurement to end …")
    try:
        yield
    finally:
        lock.release()


@st.cache_resource(max_entries=1, show_spinner=False)
def place() -> threading.Lock:
    """The one place to measure on this machine, held by whoever does."""
    return threading.Lock()


def run_verb(
    verb: str, *arguments: str, started: Callable[["subprocess.Popen[bytes]"], None] | None = None
) -> Generator[dict[str, Any], None, None]:
    """Run `python -m core <verb>`, and yield its lines of JSON; a visitor who leaves ends it.

    `started` is called with its process. `ConvScopeError` with the last line that it complained with, if it
    fails. Needs nothing of Streamlit, and so runs in any thread.
    """
    command = [sys.executable, "-m", "core", verb, *arguments, "--json"]
    with (
        tempfile.TemporaryFile("w+") as complaints,
        subprocess.Popen(
            command, cwd=paths.ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=complaints
        ) as process,
    ):
        try:
            if started is not None:
                started(process)
            for line in process.stdout or ():
                yield json.loads(line)
        except BaseException:  # the visitor went elsewhere, so Streamlit stopped the script
            process.terminate()
            raise
        if process.wait() != 0:
            complaints.seek(0)
            reason = complaints.read().strip().rpartition("\n")[2].removeprefix(f"python -m core {verb}: ")
            raise ConvScopeError(f"Measuring failed. {reason or 'Its process gave no reason.'}")
