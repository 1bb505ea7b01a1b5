"""One run by several processes: the first does all that a worker does, the others follow its steps.

Only the first reads or writes the run's folder, so that other machines need nothing but the images.
"""

import signal
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from safetensors.numpy import load as parse_arrays

from core.arrays import Array, format_arrays
from core.data import load
from core.errors import DivergedError, RunError
from core.spec import describe, from_json, to_json
from core.training import run_folder
from core.training.events import EpochMetrics, RateChanged
from core.training.recipe import RunSpec
from core.training.run import Run

if TYPE_CHECKING:
    from core.training.engine import Snapshot
    from core.training.peers import Meeting, Peers

START, WEIGHTS, OPTIMISER = "start", "weights.", "optimiser."


@describe
class Start:
    """What the first process tells the others before the first step; the snapshot goes with it."""

    spec: RunSpec
    device: str
    """Of the first process; on GPUs, each takes the one that has its own number on its machine."""
    threads: int
    is_resumed: bool
    history: tuple[EpochMetrics, ...]
    rate_changes: tuple[RateChanged, ...]


def lead(meeting: "Meeting", run: Run, resume: "Snapshot | None") -> "Peers":
    """Begin the run with all processes; `RunError` where its device is a GPU of another number than 0."""
    if run.device not in ("cpu", "cuda:0"):
        given = f"this run was made for {run.device}"
        raise RunError(f"several processes take the GPUs in order, {given}; start a new run with cuda")
    peers = meeting.open()
    run_folder.log_line(run.folder, f"{peers.count} processes train together")
    start = Start(
        spec=run.spec,
        device=run.device,
        threads=run.threads,
        is_resumed=resume is not None,
        history=resume.history if resume else (),
        rate_changes=run.rate_changes,
    )
    arrays: dict[str, Array] = {START: np.frombuffer(to_json(start).encode(), np.uint8)}
    if resume:
        arrays |= {WEIGHTS + name: array for name, array in resume.weights.items()}
        arrays |= {OPTIMISER + name: array for name, array in resume.optimiser.items()}
    peers.tell(format_arrays(arrays))
    return peers


def follow(meeting: "Meeting", data_root: Path) -> int:
    """Train in step with the first process, until it says that it is over; 1 where the training diverged.

    `RunError` where that process ends without saying so.
    """
    _take_signals(signal.SIG_DFL)
    peers = meeting.wait()
    if peers is None:
        return 0
    # Ctrl-C reaches every process: the first one takes it as a request to stop, and tells the others when.
    _take_signals(signal.SIG_IGN)
    import torch

    from core.training.engine import Snapshot, Training

    arrays = parse_arrays(peers.tell())
    start = from_json(Start, arrays.pop(START).tobytes())
    snapshot = Snapshot(start.history, _named(arrays, WEIGHTS), _named(arrays, OPTIMISER))
    torch.set_num_threads(start.threads)
    training = Training(
        start.spec,
        load(start.spec.dataset, data_root),
        "cpu" if start.device == "cpu" else f"cuda:{meeting.place.local_rank}",
        resume=snapshot if start.is_resumed else None,
        rate_changes=start.rate_changes,
        peers=peers,
    )
    try:
        for _ in training.events():
            pass
    except DivergedError:  # the first process says so
        return 1
    return 0


def _take_signals(action: signal.Handlers) -> None:
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, action)


def _named(arrays: dict[str, Array], prefix: str) -> dict[str, Array]:
    return {name.removeprefix(prefix): array for name, array in arrays.items() if name.startswith(prefix)}
