"""The process that does one run: `python -m core.training.worker <run folder>`.

It waits for its device, trains, keeps what it tells and what it learns in the run's folder, and measures the
best epoch on the test images, once. Whatever ends it, the folder says so, and the run can go on from `last/`.
"""

import os
import signal
import sys
import time
import traceback
from collections.abc import Generator, Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from filelock import Timeout

from core import checkpoint
from core.data import load
from core.data.dataset import Dataset
from core.device import list_devices
from core.errors import RunError
from core.files import remove_unfinished
from core.network import size_network
from core.training import run_folder
from core.training.endings import plain_reason
from core.training.events import Event, StateChanged, StepDone
from core.training.queue import device_turn
from core.training.runs import Run, read_folder

if TYPE_CHECKING:
    from core.training.engine import Snapshot

START_SECONDS = 10
"""How long to wait for whoever starts this process to have written down that it does."""
NICENESS = 10
STEP_SECONDS = 0.5
HEARTBEAT_SECONDS = 2.0


def main(folder: Path) -> int:
    """Do the run; 0 where it finished or was stopped, 1 where it failed."""
    if hasattr(os, "nice"):
        os.nice(NICENESS)
    stop_on_signals(folder)
    *_, ending = work(folder)
    return int(isinstance(ending, StateChanged) and ending.state == "failed")


def stop_on_signals(folder: Path) -> None:
    """Take SIGTERM and SIGINT as requests to stop."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: run_folder.ask_to_stop(folder))


def work(folder: Path) -> Iterator[Event]:
    """Do the run in `folder`, and yield every event after it was kept; the last one says how the run ended.

    `RunError` where another process is at it.
    """
    lock = run_folder.lock(folder)
    try:
        lock.acquire(timeout=START_SECONDS)
    except Timeout:
        raise RunError(f"another process is at run {folder.name}; wait for it, or stop it") from None
    try:
        for place in (folder, folder / "best", folder / "last"):
            remove_unfinished(place)
        run_folder.beat(folder, os.getpid())
        if read_folder(folder).state != "queued":
            yield _keep(folder, StateChanged(state="queued", time=run_folder.now()))
        yield from _do(folder)
    finally:
        lock.release()


def _do(folder: Path) -> Iterator[Event]:
    try:
        with device_turn(folder) as is_ours:
            ending = (yield from _train(read_folder(folder))) if is_ours else _stopped()
    except Exception as error:  # noqa: BLE001 whatever it is, the folder must say it
        # The disk may be full; that the run failed is said all the same.
        with suppress(OSError), (folder / "log.txt").open("a") as log:
            traceback.print_exc(file=log)
        ending = StateChanged(state="failed", time=run_folder.now(), reason=plain_reason(error, folder))
    yield _keep(folder, ending)


def _train(run: Run) -> Generator[Event, None, StateChanged]:
    """Train from `last/`, or from the beginning; returns how it ended."""
    # Threads that wait by spinning would take the app's core; torch reads this when it is imported.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    import torch

    from core.training.engine import Training

    if run.device != "cpu" and not int(run.device.partition(":")[2]) < torch.cuda.device_count():
        raise RunError(f"torch finds no {run.device} here; train on the cpu, or install a torch for CUDA")
    torch.set_num_threads(run.threads)
    dataset = load(run.spec.dataset, run.data_root)
    resume = _last_snapshot(run.folder / "last")
    training = Training(run.spec, dataset, run.device, resume=resume)
    if resume is None:
        _save(run, dataset, training.snapshot(), "last")
    yield _keep(run.folder, StateChanged(state="running", time=run_folder.now(), epoch=len(training.history)))

    told = beaten = -STEP_SECONDS - HEARTBEAT_SECONDS
    for event in training.events():
        now = time.monotonic()
        if isinstance(event, StepDone):
            if now >= beaten + HEARTBEAT_SECONDS:
                run_folder.beat(run.folder, os.getpid(), event.epoch, event.step)
                beaten = now
            if now >= told + STEP_SECONDS:
                yield _keep(run.folder, event)
                told = now
        else:
            yield _keep(run.folder, event)
            # The best before the last: killed between the two, the run repeats the epoch and saves both.
            if event.is_best:
                _save(run, dataset, training.snapshot(), "best")
            _save(run, dataset, training.snapshot(), "last")
        if run_folder.is_asked_to_stop(run.folder):
            return _stopped()
    accuracy = _measure(run, dataset)
    return StateChanged(state="finished", time=run_folder.now(), test_accuracy=accuracy)


def _measure(run: Run, dataset: Dataset) -> float:
    """The accuracy of the best epoch on the test images; kept with the probabilities beside the weights."""
    from core.network.build import restore_network
    from core.network.predict import predict

    folder, augmentation = run.folder / "best", run.spec.augmentation
    network = restore_network(run.spec.network, checkpoint.load_weights(folder)).to(run.device)
    probabilities = predict(network, dataset.test.images, augmentation.mean, augmentation.std, run.device)
    accuracy = float((probabilities.argmax(axis=1) == dataset.test.labels).mean())
    checkpoint.save_probabilities(folder, dataset.fingerprint, probabilities)
    checkpoint.record_test(folder, accuracy, len(dataset.test.labels))
    return accuracy


def _last_snapshot(folder: Path) -> "Snapshot | None":
    """What the last finished epoch left; None where the run has not begun."""
    from core.training.engine import Snapshot

    if not (folder / checkpoint.RECORD).exists():
        return None
    history = checkpoint.load(folder).history
    return Snapshot(history, checkpoint.load_weights(folder), checkpoint.load_optimiser(folder))


def _save(run: Run, dataset: Dataset, snapshot: "Snapshot", kind: Literal["best", "last"]) -> None:
    protocol: Literal["validation", "test"] = "test" if run.spec.recipe.validation == "test" else "validation"
    checkpoint.save(
        run.folder / kind,
        weights=snapshot.weights,
        optimiser=snapshot.optimiser if kind == "last" else None,
        run_spec=run.spec,
        epoch=len(snapshot.history),
        history=snapshot.history,
        chosen_by=protocol if kind == "best" else "last",
        classes=dataset.classes,
        dataset_title=dataset.title,
        is_stand_in=dataset.is_stand_in,
        num_params=size_network(run.spec.network).num_params,
        device=list_devices().get(run.device, run.device),
        threads=run.threads,
    )


def _keep(folder: Path, event: Event) -> Event:
    run_folder.append_event(folder, event)
    return event


def _stopped() -> StateChanged:
    return StateChanged(state="stopped", time=run_folder.now())


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
