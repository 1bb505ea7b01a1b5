"""A run trains in a process of its own, keeps what it learns, and survives being stopped and killed."""

import errno
import os
import shutil
import signal
import subprocess
import sys
from collections import namedtuple
from itertools import pairwise

import numpy as np
import pytest
import torch

from core import checkpoint
from core.errors import CheckpointError, DivergedError, RunError
from core.training import run_folder, run_log, runs, worker
from core.training.endings import explain_end
from core.training.engine import best_epoch
from core.training.events import EpochDone, StateChanged
from core.training.run import read_folder
from tests.watching import has_ended, pid_of, undisturbed_sha, unnamed_arrays, wait

pytestmark = pytest.mark.usefixtures("one_thread")


LONG = {"train_images": 1000, "batch_size": 4, "epochs": 4}
"""About a second an epoch: long enough to interrupt."""


def test_a_run_finishes_and_keeps_its_best_and_its_last_epoch(tmp_path, make_run, shapes):
    run_id = make_run()
    events = list(worker.work(tmp_path / run_id))
    run = runs.read(tmp_path, run_id)
    assert run.state == "finished", run.reason
    assert [event.state for event in events if isinstance(event, StateChanged)] == [
        "queued",
        "running",
        "finished",
    ]
    assert run.history == tuple(event.metrics for event in events if isinstance(event, EpochDone))
    last, best = checkpoint.load(run.folder / "last"), checkpoint.load(run.folder / "best")
    assert (last.epoch, last.chosen_by, last.test_accuracy) == (3, "last", None)
    assert (best.epoch, best.chosen_by) == (best_epoch(run.history), "validation")
    assert last.history == run.history
    assert last.run_spec == best.run_spec == run.spec
    assert last.weights_sha256 == undisturbed_sha(run.spec, shapes)
    assert best.classes == shapes.classes
    assert best.is_stand_in
    assert {"torch", "python", "albumentations", "convscope"} <= best.versions.keys()
    assert [line.split("  ")[1].split()[0] for line in run.log_tail.splitlines()] == [
        "queued", "running", "epoch", "epoch", "epoch", "finished:"
    ]  # fmt: skip
    assert not (run.folder / ".reserve").exists()


def test_the_test_accuracy_is_a_recount_of_the_kept_probabilities(tmp_path, make_run, shapes):
    run_id = make_run(epochs=1)
    list(worker.work(tmp_path / run_id))
    run = runs.read(tmp_path, run_id)
    best = checkpoint.load(run.folder / "best")
    probabilities = checkpoint.load_probabilities(run.folder / "best", shapes.fingerprint)
    assert probabilities.shape == (len(shapes.test.labels), 10)
    recount = np.mean(probabilities.argmax(axis=1) == shapes.test.labels)
    assert run.test_accuracy == best.test_accuracy == recount
    assert best.test_images == len(shapes.test.labels)


def test_the_seeds_protocol_is_labelled_on_the_checkpoint(tmp_path, make_run):
    run_id = make_run(epochs=1, validation="test")
    list(worker.work(tmp_path / run_id))
    assert checkpoint.load(tmp_path / run_id / "best").chosen_by == "test"


def test_a_diverging_run_ends_with_its_step_and_the_checkpoint_before_it_is_whole(tmp_path, make_run):
    run_id = make_run(epochs=50, learning_rate=10.0, weight_decay=10.0, schedule="constant")
    list(worker.work(tmp_path / run_id))
    run = runs.read(tmp_path, run_id)
    assert run.state == "diverged"
    assert "diverged at epoch" in run.reason
    assert "lower the learning rate" in run.reason
    assert "DivergedError" in run.log_tail
    weights = checkpoint.load_weights(run.folder / "last")
    assert all(np.isfinite(array).all() for array in weights.values())
    assert "Traceback" in (run.folder / "log.txt").read_text()


def test_other_images_than_the_runs_own_are_refused(tmp_path, make_run):
    run_id = make_run(fingerprint="1" * 64)
    list(worker.work(tmp_path / run_id))
    run = runs.read(tmp_path, run_id)
    assert run.state == "failed"
    assert "other images" in run.reason
    assert not (run.folder / "last").exists()


@pytest.mark.skipif(torch.cuda.is_available(), reason="needs a machine without CUDA")
def test_a_device_that_is_not_there_is_named_with_the_remedy(tmp_path, make_run):
    run_id = make_run(device="cuda:7")
    list(worker.work(tmp_path / run_id))
    assert "finds no cuda:7" in runs.read(tmp_path, run_id).reason


def damage(path):
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)


@pytest.mark.parametrize("how", ["flipped", "cut", "gone", "record"])
def test_where_the_last_epoch_is_damaged_the_run_goes_on_from_the_one_before_and_says_so(
    tmp_path, make_run, shapes, how
):
    run_id = make_run()
    last = tmp_path / run_id / "last"
    list(worker.work(tmp_path / run_id))
    expected = checkpoint.load(last)
    weights = last / expected.weights_file
    if how == "flipped":
        damage(weights)
    elif how == "cut":
        weights.write_bytes(weights.read_bytes()[:100])
    elif how == "gone":
        weights.unlink()
    else:
        (last / checkpoint.RECORD).write_bytes(b"{")
    run_folder.append_event(tmp_path / run_id, StateChanged(state="stopped", time=run_folder.now()))
    begun, *_ = (
        event for event in worker.work(tmp_path / run_id) if getattr(event, "state", "") == "running"
    )
    assert begun.epoch == 2
    assert "was damaged, so the run went on from the one before it, of epoch 2" in begun.reason
    assert "the one before it, of epoch 2" in runs.read(tmp_path, run_id).log_tail
    assert checkpoint.load(last).weights_sha256 == expected.weights_sha256
    assert (last / expected.weights_file).is_file()
    assert [metrics.epoch for metrics in runs.read(tmp_path, run_id).history] == [1, 2, 3]


def test_where_both_epochs_are_damaged_the_run_fails_by_name_and_trains_over_nothing(tmp_path, make_run):
    run_id = make_run(epochs=1)
    folder = tmp_path / run_id
    list(worker.work(folder))
    weights = folder / "last" / checkpoint.load(folder / "last").weights_file
    for path in (folder / "last").glob("weights-*"):
        damage(path)
    run_folder.append_event(folder, StateChanged(state="stopped", time=run_folder.now()))
    list(worker.work(folder))
    assert weights.name in runs.read(tmp_path, run_id).reason
    with pytest.raises(CheckpointError):
        checkpoint.load_weights(folder / "last")


def test_a_second_process_at_one_run_is_refused(tmp_path, make_run, monkeypatch):
    monkeypatch.setattr(worker, "START_SECONDS", 0.05)
    folder = tmp_path / make_run()
    with run_folder.lock(folder), pytest.raises(RunError, match="another process is at run"):
        list(worker.work(folder))
    assert not (folder / "events.jsonl").exists()


def test_what_a_killed_writer_left_is_swept_away(tmp_path, make_run):
    folder = tmp_path / make_run(epochs=1)
    (folder / "best").mkdir()
    for leftover in (folder / ".heartbeat.writing-1", folder / "best" / ".checkpoint.json.writing-1"):
        leftover.write_bytes(b"half")
    list(worker.work(folder))
    assert list(folder.rglob("*.writing-*")) == []


class Killed(BaseException):
    """Nothing between here and the test's own hands may catch it."""


def test_a_process_killed_behind_its_last_commit_leaves_no_array_that_no_record_names(
    tmp_path, make_run, monkeypatch
):
    folder = tmp_path / make_run(epochs=3)

    def die_behind_the_last_commit(last):
        if (last / checkpoint.PREVIOUS).exists() and checkpoint.load(last).epoch == 3:
            raise Killed

    monkeypatch.setattr(checkpoint, "remove_uncommitted", die_behind_the_last_commit)
    with pytest.raises(Killed):
        list(worker.work(folder))
    monkeypatch.undo()
    assert len(unnamed_arrays(read_folder(folder))) > 0
    *_, ending = worker.work(folder)
    assert ending.state == "finished"
    assert unnamed_arrays(read_folder(folder)) == set()


Usage = namedtuple("Usage", "free")


def test_a_full_disk_is_told_by_its_free_space_whatever_the_error_says(tmp_path, monkeypatch):
    error = RuntimeError("unexpected pos 64 vs 0")
    state, reason = explain_end(error, tmp_path)
    assert (state, reason.startswith("RuntimeError: unexpected pos 64 vs 0; log.txt")) == ("failed", True)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: Usage(free=4096))
    state, reason = explain_end(error, tmp_path)
    assert (state, "is full; free some space" in reason) == ("disk full", True)


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        torch.OutOfMemoryError("CUDA out of memory"),
        RuntimeError(
            "[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes"
        ),
    ],
)
def test_out_of_memory_is_said_in_plain_words(tmp_path, error):
    state, reason = explain_end(error, tmp_path)
    assert (state, "ran out of memory; lower the batch size" in reason) == ("out of memory", True)


def test_a_torch_that_cannot_get_its_memory_is_recognised(tmp_path):
    with pytest.raises(RuntimeError) as refused:
        torch.empty(2**60, dtype=torch.uint8)
    assert explain_end(refused.value, tmp_path)[0] == "out of memory"


def test_divergence_is_no_other_ending_even_on_a_full_disk(tmp_path, monkeypatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda path: Usage(free=4096))
    assert explain_end(DivergedError("at epoch 3"), tmp_path) == ("diverged", "at epoch 3")


@pytest.mark.slow
def test_whichever_write_is_the_first_to_fail_the_run_says_so_and_can_go_on(tmp_path, make_run, monkeypatch):
    """A disk that is full from the Nth sync on, for every N until a whole run fits before it."""
    fsync, calls = os.fsync, 0

    def fill_up_after(limit):
        def fail(handle):
            nonlocal calls
            calls += 1
            if calls > limit:
                raise OSError(errno.ENOSPC, "No space left on device")
            fsync(handle)

        return fail

    expected = None
    for limit in range(1000):
        run_id, calls = make_run(epochs=2), 0
        monkeypatch.setattr(os, "fsync", fill_up_after(limit))
        list(worker.work(tmp_path / run_id))
        monkeypatch.setattr(os, "fsync", fsync)
        run = runs.read(tmp_path, run_id)
        if run.state == "finished":
            break
        assert (run.state, "is full; free some space" in run.reason) == ("disk full", True)
        for kind in ("last", "best"):
            if (run.folder / kind / checkpoint.RECORD).exists():
                checkpoint.load_weights(run.folder / kind)
        list(worker.work(run.folder))
        assert runs.read(tmp_path, run_id).state == "finished"
        ended = checkpoint.load(run.folder / "last").weights_sha256
        assert ended == (expected := expected or ended)
    assert limit > 20


@pytest.mark.slow
def test_runs_on_one_device_take_turns_in_the_order_in_which_they_came(tmp_path, make_run, forked_workers):
    ids = [make_run(train_images=400, batch_size=4, epochs=1) for _ in range(3)]
    for run_id in ids:
        runs.start(tmp_path, run_id)
    waiting = runs.read(tmp_path, ids[2])
    assert waiting.state == "queued"
    runs.request_stop(tmp_path, ids[2])
    assert wait(tmp_path, ids[2], has_ended).state == "stopped"
    assert not (waiting.folder / "last").exists(), "it never had the device"
    runs.resume(tmp_path, ids[2])
    spans = []
    for run_id in ids:
        run = wait(tmp_path, run_id, has_ended)
        assert run.state == "finished", run.reason
        lines = (run.folder / "events.jsonl").read_bytes().splitlines()
        events = [run_log.parse_event(line) for line in lines]
        times = {event.state: event.time for event in events if isinstance(event, StateChanged)}
        spans.append((times["running"], times["finished"]))
    for earlier, later in pairwise(spans):
        assert earlier[0] < earlier[1] < later[0] < later[1]


PARENT = """
import sys, time
from pathlib import Path
from core.training import runs
runs.start(Path(sys.argv[1]), sys.argv[2])
print("started", flush=True)
time.sleep(600)
"""


@pytest.mark.slow
def test_a_run_outlives_the_process_that_started_it_and_stops_at_sigterm(tmp_path, make_run, project):
    run_id = make_run(**LONG)
    command = [sys.executable, "-c", PARENT, str(tmp_path), run_id]
    with subprocess.Popen(
        command, cwd=project, stdout=subprocess.PIPE, start_new_session=True, text=True
    ) as parent:
        assert parent.stdout.readline() == "started\n"
        os.killpg(parent.pid, signal.SIGKILL)  # it and all that it did not set free
    run = wait(tmp_path, run_id, lambda run: run.history)
    assert run.state == "running"
    os.kill(pid_of(run), signal.SIGTERM)
    stopped = wait(tmp_path, run_id, has_ended)
    assert stopped.state == "stopped"
    assert checkpoint.load(stopped.folder / "last").epoch == len(stopped.history)
