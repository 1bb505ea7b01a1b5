"""Watching runs in tests: waiting for them, naming their process, and what they should have come to."""

import os
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import psutil
import pytest

from core import checkpoint
from core.arrays import format_arrays
from core.data import Dataset, load
from core.spec import from_json
from core.training import RunSpec, run_folder, runs
from core.training.events import RateChanged
from core.training.runs import Run
from tests.tiny import run_spec

PATIENCE = 180
"""Seconds: importing torch takes many on a busy machine."""


@pytest.fixture
def one_thread() -> Iterator[None]:
    """Tiny networks are slower on two."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def make_run(tmp_path: Path, shapes_root: Path) -> Iterator[Callable[..., str]]:
    """Creates runs of the tiny network in `tmp_path`; who works at them when the test ends is killed."""

    def create(device: str = "cpu", fingerprint: str | None = None, **values: object) -> str:
        spec = run_spec(load("shapes", shapes_root), **({"train_images": 100} | values))
        if fingerprint:
            spec = replace(spec, fingerprint=fingerprint)
        return runs.create(tmp_path, spec, shapes_root, device, threads=1)

    yield create
    for run in runs.list_runs(tmp_path):
        if run.is_live and pid_of(run) != os.getpid():
            psutil.Process(pid_of(run)).kill()


def wait(root: Path, run_id: str, until: Callable[[Run], object]) -> Run:
    """The run, once `until` says so."""
    deadline = time.monotonic() + PATIENCE
    while not until(run := runs.read(root, run_id)):
        assert time.monotonic() < deadline, f"{run.state}, {run.reason}\n{run.log_tail}"
        time.sleep(0.01)
    return run


def has_ended(run: Run) -> bool:
    """Whether nobody works on it any more."""
    return not run.is_live


def pid_of(run: Run) -> int:
    """The process that trains the run, or trained it last."""
    return from_json(run_folder.Heartbeat, (run.folder / "heartbeat").read_bytes()).pid


def undisturbed_sha(spec: RunSpec, dataset: Dataset, changes: tuple[RateChanged, ...] = ()) -> str:
    """Of the last weights of a training that nothing interrupted, with these changes of its rate."""
    from core.training.engine import Training

    training = Training(spec, dataset, "cpu", rate_changes=changes)
    for _ in training.events():
        pass
    return sha256(format_arrays(training.snapshot().weights)).hexdigest()


def last_sha(run: Run) -> str:
    """Of the weights that the run ended with, every byte of them checked."""
    checkpoint.load_weights(run.folder / "last")
    return checkpoint.load(run.folder / "last").weights_sha256


def strays(run: Run) -> list[Path]:
    """What is left half-written in the run's folder by another process than the one that works there now."""
    now = str(pid_of(run)) if run.is_live else None
    unfinished = [path for path in run.folder.rglob("*") if ".writing-" in path.name]
    return [path for path in unfinished if re.split("[-.]", path.name.partition(".writing-")[2])[0] != now]


def unnamed_arrays(run: Run) -> set[str]:
    """The weights and optimisers that no record of the run names."""
    kept, named = set(), set()
    for folder in (run.folder / "last", run.folder / "best"):
        kept |= {path.name for path in folder.glob("*-*.safetensors")}
        for name in (checkpoint.RECORD, checkpoint.PREVIOUS):
            record = (folder / name).read_text() if (folder / name).exists() else ""
            named |= set(re.findall(r'"((?:weights|optimiser)-\w+\.safetensors)"', record))
    return {name for name in kept - named if not name.startswith("probabilities")}
