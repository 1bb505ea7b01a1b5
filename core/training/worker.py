"""The process that does one run: `python -m core.training.worker <run folder>`.

It waits for its device, trains, keeps what it tells and what it learns in the run's folder, and measures the
best epoch on the test images, once. Whatever ends it, the folder says so, and the run can go on from `last/`.
"""

import signal
import sys
import time
import traceback
from collections.abc import Generator, Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from filelock import Timeout

from core import checkpoint
from core.data import load
from core.data.dataset import Dataset
from core.errors import RunError
from core.files import remove_unfinished
from core.training import run_folder
from core.training.endings import explain_end
from core.training.events import EpochDone, Event, RateChanged, StateChanged, StepDone, Validating
from core.training.followers import lead
from core.training.processes import step_back, tune
from core.training.pulse import Pulse
from core.training.queue import device_turn
from core.training.rate_wish import RateWish
from core.training.run import Run, read_folder
from core.training.saving import load_last, save_epoch
from core.training.telling import epoch_line, rate_line, state_line

if TYPE_CHECKING:
    from core.training.engine import Training
    from core.training.peers import Meeting

START_SECONDS = 10
"""How long to wait for whoever starts this process to have written down that it does."""
STEP_SECONDS = 0.5
"""Between two steps that are kept."""
TRACE_CHARACTERS = 16_000


def main(folder: Path) -> int:
    """Do the run; 0 where it finished or was stopped, 1 where it ended otherwise."""
    step_back()
    with suppress(RunError):  # said once the run is held, in its own words
        tune(run_folder.read_record(folder).threads)
    stop_on_signals(folder)
    *_, ending = work(folder)
    return exit_code(ending)


def exit_code(ending: Event) -> int:
    """0 where a run finished or was stopped, 1 where it ended otherwise."""
    return int(not (isinstance(ending, StateChanged) and ending.state in ("finished", "stopped")))


def stop_on_signals(folder: Path) -> None:
    """Take SIGTERM and SIGINT as requests to stop."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: run_folder.ask_to_stop(folder))


def work(folder: Path, meeting: "Meeting | None" = None) -> Iterator[Event]:
    """Do the run in `folder`, and yield every event after it was kept; the last one says how the run ended.

    With a `meeting`, as the first of several processes. `RunError` where another process is at it.
    """
    lock = run_folder.lock(folder)
    try:
        lock.acquire(timeout=START_SECONDS)
    except Timeout:
        raise RunError(f"another process is at run {folder.name}; wait for it, or stop it") from None
    try:
        yield from _do(folder, meeting)
    finally:
        lock.release()


def _do(folder: Path, meeting: "Meeting | None") -> Iterator[Event]:
    try:
        for place in (folder, folder / "best", folder / "last"):
            remove_unfinished(place)
        pulse = Pulse(folder)
        pulse.beat()
        run_folder.reserve_last_words(folder)
        if read_folder(folder).state != "queued":
            yield _keep(folder, StateChanged(state="queued", time=run_folder.now()))
        with device_turn(folder, pulse) as is_ours:
            ending = (yield from _train(read_folder(folder), pulse, meeting)) if is_ours else _stopped()
        yield _keep(folder, ending)
    except Exception as error:  # noqa: BLE001 whatever it is, the folder must say it
        yield _give_up(folder, error)
    finally:
        run_folder.free_last_words(folder)


def _give_up(folder: Path, error: Exception) -> Event:
    """Tell why the run ends; the disk may be full, and it is told all the same."""
    trace = "".join(traceback.format_exception(error))[-TRACE_CHARACTERS:]
    state, reason = explain_end(error, folder)
    ending = StateChanged(state=state, time=run_folder.now(), reason=reason)
    run_folder.free_last_words(folder)
    with suppress(OSError), (folder / run_folder.LOG).open("a") as log:
        log.write(trace)
    with suppress(OSError):
        _keep(folder, ending)
    return ending


def _train(run: Run, pulse: Pulse, meeting: "Meeting | None") -> Generator[Event, None, StateChanged]:
    """Train from `last/`, or from the beginning; returns how it ended."""
    import torch

    from core.training.engine import Training
    from core.training.peers import ALONE

    if run.device != "cpu" and not int(run.device.partition(":")[2]) < torch.cuda.device_count():
        raise RunError(f"torch finds no {run.device} here; train on the cpu, or install a torch for CUDA")
    torch.set_num_threads(run.threads)
    dataset = load(run.spec.dataset, run.data_root)
    pulse.beat()
    resume, notice = load_last(run)
    # A process that was killed behind its last commit left them, and no later save may come.
    checkpoint.remove_uncommitted(run.folder / "last")
    peers = lead(meeting, run, resume) if meeting else ALONE
    training = Training(
        run.spec, dataset, run.device, resume=resume, rate_changes=run.rate_changes, peers=peers
    )
    if resume is None:
        save_epoch(run, dataset, training.snapshot(), is_best=False)
    epoch = len(training.history)
    yield _keep(
        run.folder, StateChanged(state="running", time=run_folder.now(), epoch=epoch, reason=notice), run
    )
    yield from _follow(run, dataset, training, pulse)
    accuracy = None if pulse.is_asked_to_stop() else _measure(run, dataset, pulse)
    if accuracy is None:
        return _stopped()
    return StateChanged(state="finished", time=run_folder.now(), test_accuracy=accuracy)


def _follow(run: Run, dataset: Dataset, training: "Training", pulse: Pulse) -> Iterator[Event]:
    """Train to the end or to a request to stop, and keep what happens."""
    wish, told = RateWish(run.folder, run.rate_changes), -STEP_SECONDS
    if factor := wish.take(len(training.history) + 1, 0):
        training.change_rate(factor)
    with closing(training.events()) as events:
        for event in events:
            if isinstance(event, StepDone):
                pulse.beat(event.epoch, event.step)
                if factor := wish.take(event.epoch, event.step):
                    training.change_rate(factor)
                if time.monotonic() >= told + STEP_SECONDS:
                    yield _keep(run.folder, event)
                    told = time.monotonic()
            elif isinstance(event, Validating):
                pulse.beat(event.epoch)
            else:
                yield _keep(run.folder, event, run)
            if isinstance(event, EpochDone):
                save_epoch(run, dataset, training.snapshot(), event.is_best)
            if pulse.is_asked_to_stop():
                return


def _measure(run: Run, dataset: Dataset, pulse: Pulse) -> float | None:
    """The accuracy of the best epoch on the test images; kept with the probabilities beside the weights.

    None where the run was asked to stop before it was known.
    """
    from core.network.build import restore_network
    from core.network.predict import predict_batches

    folder, augmentation = run.folder / "best", run.spec.augmentation
    network = restore_network(run.spec.network, checkpoint.load_weights(folder)).to(run.device)
    told = []
    for batch in predict_batches(
        network, dataset.test.images, augmentation.mean, augmentation.std, run.device
    ):
        told.append(batch)
        pulse.beat()
        if pulse.is_asked_to_stop():
            return None
    probabilities = np.concatenate(told)
    accuracy = float((probabilities.argmax(axis=1) == dataset.test.labels).mean())
    checkpoint.save_probabilities(folder, dataset.fingerprint, probabilities)
    checkpoint.record_test(folder, accuracy, len(dataset.test.labels))
    return accuracy


def _keep(folder: Path, event: Event, run: Run | None = None) -> Event:
    run_folder.append_event(folder, event)
    if isinstance(event, StateChanged):
        run_folder.log_line(folder, state_line(event))
    elif isinstance(event, RateChanged):
        run_folder.log_line(folder, rate_line(event))
    elif isinstance(event, EpochDone) and run:
        run_folder.log_line(folder, epoch_line(event, run.spec.recipe))
    return event


def _stopped() -> StateChanged:
    return StateChanged(state="stopped", time=run_folder.now())


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
