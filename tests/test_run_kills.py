"""A run that is killed or stopped at any moment, any number of times, ends as if nothing had happened."""

import os
import random
import signal
import time

import pytest

from core import checkpoint
from core.network import predict
from core.training import engine, run_folder, runs, worker
from core.training.events import Validating
from tests.watching import (
    has_ended,
    last_sha,
    pid_of,
    strays,
    undisturbed_sha,
    unnamed_arrays,
    wait,
)

KILLS = 100
KILLS_A_RUN = 20

pytestmark = pytest.mark.usefixtures("one_thread")


def kill(run):
    """Kill the run's process, wherever it is; False where it has ended before."""
    os.kill(pid_of(run), signal.SIGKILL)
    return wait(run.folder.parent, run.id, has_ended).state == "lost"


def assert_nothing_lost(run, safe):
    """All that is there can be read, and at most an epoch is gone; gives the last one that is safe."""
    assert runs.list_damaged(run.folder.parent) == ()
    assert [metrics.epoch for metrics in run.history] == list(range(1, len(run.history) + 1))
    last = run.folder / "last"
    if not (last / checkpoint.RECORD).exists():
        assert safe == 0
        return 0
    epoch = checkpoint.load(last).epoch
    assert epoch >= max(safe, len(run.history) - 1)
    checkpoint.load_weights(last)
    checkpoint.load_optimiser(last)
    if (run.folder / "best" / checkpoint.RECORD).exists():
        checkpoint.load_weights(run.folder / "best")
    return epoch


@pytest.mark.slow
def test_a_hundred_kills_at_random_moments_lose_nothing_and_change_no_weight(
    tmp_path, make_run, shapes, forked_workers
):
    draw, kills, round_ = random.Random(4), 0, 0
    while kills < KILLS:
        round_ += 1
        run_id, safe, killed = make_run(epochs=40, batch_size=10, seed=round_), 0, 0
        while killed < KILLS_A_RUN:
            runs.start(tmp_path, run_id)
            if draw.random() < 0.3:  # also while it starts
                time.sleep(draw.uniform(0, 0.4))
            else:
                run = wait(tmp_path, run_id, lambda run: run.state != "queued")
                assert strays(run) == []
                time.sleep(draw.uniform(0, 0.2))
            run = runs.read(tmp_path, run_id)
            if run.state == "finished" or not kill(run):
                break
            killed += 1
            safe = assert_nothing_lost(runs.read(tmp_path, run_id), safe)
        kills += killed
        if runs.read(tmp_path, run_id).state != "finished":
            runs.resume(tmp_path, run_id)
        run = wait(tmp_path, run_id, has_ended)
        assert run.state == "finished", run.reason
        assert last_sha(run) == undisturbed_sha(run.spec, shapes), f"after {killed} kills"
        assert strays(run) == []
        assert unnamed_arrays(run) == set()
        assert [metrics.epoch for metrics in run.history] == list(range(1, 41))


@pytest.mark.slow
def test_a_run_stopped_at_random_moments_stops_at_once_and_ends_as_if_undisturbed(
    tmp_path, make_run, shapes, forked_workers
):
    # So many epochs that a quick machine is not done with them before the last stop.
    run_id, draw, stops, slowest = make_run(epochs=100, batch_size=10), random.Random(7), 0, 0.0
    while stops < 12:
        runs.start(tmp_path, run_id)
        time.sleep(draw.uniform(0, 0.7))
        asked = time.monotonic()
        runs.request_stop(tmp_path, run_id)
        assert runs.read(tmp_path, run_id).state in ("stopping", "stopped")
        run = wait(tmp_path, run_id, has_ended)
        slowest = max(slowest, time.monotonic() - asked)
        assert run.state == "stopped"
        stops += 1
        if run.history:
            assert checkpoint.load(run.folder / "last").epoch == len(run.history)
    assert slowest < 5
    runs.resume(tmp_path, run_id)
    run = wait(tmp_path, run_id, has_ended)
    assert run.state == "finished"
    assert last_sha(run) == undisturbed_sha(run.spec, shapes)


def test_a_stop_is_heard_between_two_batches_of_the_validation(tmp_path, make_run, monkeypatch):
    run_id, validating = make_run(epochs=1, train_images=3000, validation_fraction=0.4), []
    events = engine.Training.events

    def watched(training):
        for event in events(training):
            if isinstance(event, Validating):
                validating.append(event)
                if len(validating) == 2:
                    runs.request_stop(tmp_path, run_id)
            yield event

    monkeypatch.setattr(engine.Training, "events", watched)
    *_, ending = worker.work(tmp_path / run_id)
    assert ending.state == "stopped"
    assert [event.done for event in validating] == [250, 500]
    assert runs.read(tmp_path, run_id).history == ()


def test_a_stop_is_heard_between_two_batches_of_the_measurement(tmp_path, make_run, monkeypatch):
    run_id, predicted, predict_batches = make_run(epochs=1), [], predict.predict_batches

    def watched(*given):
        for batch in predict_batches(*given):
            predicted.append(batch)
            if len(predicted) == 2:
                runs.request_stop(tmp_path, run_id)
            yield batch

    monkeypatch.setattr(predict, "predict_batches", watched)
    monkeypatch.setattr(engine.Training, "_validate", pass_validation)
    *_, ending = worker.work(tmp_path / run_id)
    assert ending.state == "stopped"
    assert len(predicted) == 2
    run = runs.read(tmp_path, run_id)
    assert (len(run.history), run.test_accuracy) == (1, None)
    monkeypatch.undo()
    run_folder.clear_request(run.folder)
    *_, ending = worker.work(run.folder)
    assert ending.state == "finished"


def pass_validation(training, epoch):
    """A validation that predicts nothing."""
    yield Validating(epoch=epoch, done=1, images=1)
    return 1.0, 0.5
