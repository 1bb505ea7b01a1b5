"""Whatever goes wrong in a run, it ends in plain words of its own, and what was safe before stays safe."""

import itertools
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import replace

import numpy as np
import pytest
import torch

from core import checkpoint
from core.arrays import format_arrays
from core.checkpoint_list import list_checkpoints
from core.errors import CheckpointError, RunError
from core.training import engine, processes, room, run, run_folder, runs, worker
from core.training.events import EpochDone, StateChanged, StepDone
from core.training.processes import end_process, started_at
from tests.tiny import random_dataset, run_spec
from tests.watching import has_ended, last_sha, pid_of, strays, undisturbed_sha, wait

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture
def small_disk(tmp_path):
    """A folder on a disk of its own with 8 MB."""
    folder = tmp_path / "small"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", str(folder)]
    if shutil.which("mount") is None or subprocess.run(command, capture_output=True).returncode:
        pytest.skip("needs the right to mount a small disk: run as root")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


def fill(folder):
    """Leave not a byte on the disk of this folder; returns what takes the room."""
    filler = folder / "filler"
    with filler.open("ab", buffering=0) as file:
        for size in (65_536, 1):
            with suppress(OSError):
                while file.write(b"x" * size):
                    pass
    assert shutil.disk_usage(folder).free == 0
    return filler


def assert_safe(folder, epoch):
    """Both checkpoints are whole and hold numbers, and the last is of this epoch."""
    assert checkpoint.load(folder / "last").epoch == epoch
    for kind in ("last", "best"):
        arrays = checkpoint.load_weights(folder / kind) | checkpoint.load_optimiser(folder / kind)
        assert all(np.isfinite(array).all() for array in arrays.values())


@pytest.mark.parametrize("moment", [StepDone, EpochDone])
def test_a_disk_that_fills_up_ends_the_run_in_plain_words_and_it_goes_on_once_there_is_room(
    small_disk, shapes, shapes_root, monkeypatch, moment
):
    monkeypatch.setattr(worker, "STEP_SECONDS", 0.0)
    spec = run_spec(shapes, train_images=100)
    folder = small_disk / runs.create(small_disk, spec, shapes_root, "cpu", threads=1)
    epochs, filler = 0, None
    for event in worker.work(folder):
        epochs += isinstance(event, EpochDone)
        if epochs == 2 and isinstance(event, moment) and filler is None:
            filler = fill(small_disk)
    found = runs.read(small_disk, folder.name)
    assert (found.state, "is full; free some space and resume" in found.reason) == ("disk full", True)
    assert "No space left on device" in found.log_tail
    assert_safe(folder, epoch=1 if moment is EpochDone else 2)
    filler.unlink()
    *_, ending = worker.work(folder)
    assert ending.state == "finished"
    assert last_sha(runs.read(small_disk, folder.name)) == undisturbed_sha(spec, shapes)
    assert strays(runs.read(small_disk, folder.name)) == []


def test_a_run_is_refused_where_its_checkpoints_have_no_room(small_disk, shapes_root, shapes, monkeypatch):
    monkeypatch.setattr(runs, "start_worker", lambda folder: pytest.fail("it was started"))
    spec = run_spec(shapes)
    run_id = runs.create(small_disk, spec, shapes_root, "cpu")
    with pytest.raises(RunError, match=r"needs 200 MB free, .* has 8 MB; delete runs"):
        runs.start(small_disk, run_id)
    needed = room.CHECKPOINTS * room.checkpoint_bytes(spec)
    free = shutil.disk_usage(small_disk).free
    room.refuse_small_disk(small_disk, spec, free - needed)
    with pytest.raises(RunError, match="MB free"):
        room.refuse_small_disk(small_disk, spec, free - needed + 1)
    assert runs.read(small_disk, run_id).state == "lost"


@pytest.mark.parametrize("recipe", [{}, {"averaging": 0.9}, {"optimiser": "adamw"}, {"optimiser": "muon"}])
def test_a_checkpoint_is_no_larger_than_was_foreseen(tmp_path, recipe):
    dataset = random_dataset()
    spec = run_spec(dataset, epochs=1, **recipe)
    training = engine.Training(spec, dataset, "cpu")
    list(training.events())
    snapshot = training.snapshot()
    counters = ("num_batches_tracked", "step", "running_mean", "running_var")
    kept = itertools.chain(snapshot.weights.items(), snapshot.optimiser.items())
    size = sum(array.nbytes for name, array in kept if not name.endswith(counters))
    assert size <= room.checkpoint_bytes(spec) <= 2 * size


def break_at(monkeypatch, epoch, step, act):
    """Let `act(training, batch)` happen before the step of this epoch."""
    take_step = engine.Training._take_step

    def broken(training, batch, *given):
        if given[-2:] == (epoch, step):
            batch = act(training, batch) or batch
        return take_step(training, batch, *given)

    monkeypatch.setattr(engine.Training, "_take_step", broken)


def poison_a_pixel(training, batch):
    inputs = batch.inputs.clone()
    inputs[3, 1, 7, 9] = torch.nan
    return replace(batch, inputs=inputs)


def poison_a_buffer(training, batch):
    """As one bad pixel does: no weight and no loss of the training shows it."""
    buffers = dict(training.network.named_buffers())
    next(buffer for name, buffer in buffers.items() if "running_mean" in name)[0] = torch.nan


def poison_a_weight(training, batch):
    next(training.network.parameters()).data[0, 0, 0, 0] = torch.inf


@pytest.mark.parametrize("poison", [poison_a_pixel, poison_a_buffer, poison_a_weight])
def test_a_number_that_is_none_ends_the_run_at_its_step_before_it_reaches_a_checkpoint(
    tmp_path, make_run, monkeypatch, poison
):
    break_at(monkeypatch, 2, 3, poison)
    folder = tmp_path / make_run()
    list(worker.work(folder))
    found = runs.read(tmp_path, folder.name)
    assert (found.state, "diverged at epoch 2, step 3" in found.reason) == ("diverged", True)
    assert "DivergedError" in found.log_tail
    assert_safe(folder, epoch=1)


def fail_in_forward(training, batch):
    def fail(*_):
        raise ZeroDivisionError("a layer that cannot")

    training.network.register_forward_pre_hook(fail)


def run_out_of_memory(training, batch):
    torch.empty(2**60, dtype=torch.uint8)


ENDINGS = {
    "failed": (fail_in_forward, "ZeroDivisionError: a layer that cannot; log.txt in", "ZeroDivisionError"),
    "out of memory": (run_out_of_memory, "ran out of memory; lower the batch size", "allocate"),
}


@pytest.mark.parametrize("state", ENDINGS)
def test_what_fails_in_a_step_is_told_and_the_run_goes_on_once_it_is_mended(
    tmp_path, make_run, shapes, monkeypatch, state
):
    act, reason, line = ENDINGS[state]
    break_at(monkeypatch, 2, 3, act)
    folder = tmp_path / make_run()
    list(worker.work(folder))
    found = runs.read(tmp_path, folder.name)
    assert (found.state, reason in found.reason) == (state, True)
    assert line in found.log_tail
    assert_safe(folder, epoch=1)
    monkeypatch.undo()
    *_, ending = worker.work(folder)
    assert ending.state == "finished"
    assert last_sha(runs.read(tmp_path, folder.name)) == undisturbed_sha(found.spec, shapes)


def test_a_killed_worker_is_told_from_the_others_and_shows_its_last_lines(tmp_path, make_run, forked_workers):
    run_id = make_run(epochs=500)
    runs.start(tmp_path, run_id)
    os.kill(pid_of(wait(tmp_path, run_id, lambda run: "epoch 1/500" in run.log_tail)), signal.SIGKILL)
    found = wait(tmp_path, run_id, has_ended)
    assert (found.state, "without a word (killed" in found.reason) == ("lost", True)
    assert "epoch 1/500" in found.log_tail


@pytest.mark.slow
def test_a_stopped_process_does_not_respond_holds_its_device_and_recovers_or_is_ended(
    tmp_path, make_run, forked_workers, monkeypatch
):
    monkeypatch.setattr(run, "QUIET_SECONDS", 3.0)
    first, second = make_run(epochs=1000), make_run(epochs=1000)
    runs.start(tmp_path, first)
    pid = pid_of(wait(tmp_path, first, lambda run: run.history))
    os.kill(pid, signal.SIGSTOP)
    runs.start(tmp_path, second)
    quiet = wait(tmp_path, first, lambda run: run.state != "running")
    assert (quiet.state, "wait, or end it" in quiet.reason) == ("not responding", True)
    assert quiet.is_live
    with pytest.raises(RunError, match="is not responding"):
        runs.start(tmp_path, first)
    time.sleep(1)
    assert runs.read(tmp_path, second).state == "queued"
    os.kill(pid, signal.SIGCONT)
    assert wait(tmp_path, first, lambda run: run.state != "not responding").state == "running"
    os.kill(pid, signal.SIGSTOP)
    wait(tmp_path, first, lambda run: run.state == "not responding")
    runs.end(tmp_path, first, term_after=0.2, kill_after=0.5)
    ended = runs.read(tmp_path, first)
    assert (ended.state, "was ended; resume it" in ended.reason) == ("stopped", True)
    assert checkpoint.load(ended.folder / "last").epoch >= len(ended.history) - 1
    assert wait(tmp_path, second, lambda run: run.state != "queued").state == "running"
    runs.end(tmp_path, second)
    assert runs.read(tmp_path, second).reason is None, "it stopped when it was asked to"


OBSTINATE = """
import signal, subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
signal.signal(signal.SIGTERM, lambda *_: print("asked", flush=True))
print(child.pid, flush=True)
while True:
    time.sleep(1)
"""


@pytest.fixture
def obstinate():
    """A process with a child, which answers SIGTERM and stays; in a session of its own, as workers are."""
    command = [sys.executable, "-c", OBSTINATE]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True) as process:
        process.child = int(process.stdout.readline())
        yield process
        process.kill()


def test_who_does_not_end_is_asked_by_a_signal_and_then_killed_with_all_it_started(obstinate):
    begun = time.monotonic()
    end_process(obstinate.pid, started_at(obstinate.pid), term_after=0.2, kill_after=0.6)
    assert 0.6 <= time.monotonic() - begun < 0.6 + processes.END_SECONDS
    assert obstinate.wait(5) == -signal.SIGKILL
    assert obstinate.stdout.read() == "asked\n"
    deadline = time.monotonic() + 5
    while started_at(obstinate.child) is not None and time.monotonic() < deadline:
        time.sleep(0.01)
    assert started_at(obstinate.child) is None


def test_no_signal_reaches_a_process_that_only_has_the_number(obstinate):
    end_process(obstinate.pid, started_at(obstinate.pid) - 1, term_after=0.0, kill_after=0.0)
    assert started_at(obstinate.child) is not None
    assert obstinate.poll() is None


@pytest.mark.parametrize("foreign", ["started_at", "boot"])
def test_a_run_whose_number_another_process_has_is_lost_and_that_process_is_left_alone(
    tmp_path, make_run, obstinate, foreign
):
    folder = tmp_path / make_run(epochs=1)
    run_folder.append_event(folder, StateChanged(state="running", time=run_folder.now()))
    run_folder.beat(folder, obstinate.pid)
    assert runs.read(tmp_path, folder.name).state == "running"
    heartbeat = json.loads((folder / "heartbeat").read_text())
    heartbeat |= {"started_at": heartbeat["started_at"] - 3600} if foreign == "started_at" else {"boot": "b"}
    (folder / "heartbeat").write_text(json.dumps(heartbeat))
    assert runs.read(tmp_path, folder.name).state == "lost"
    for act in (runs.request_stop, runs.end):
        with pytest.raises(RunError, match="nothing to stop"):
            act(tmp_path, folder.name)
    assert obstinate.poll() is None
    *_, ending = worker.work(folder)
    assert ending.state == "finished"


def test_a_run_whose_record_and_checkpoint_disagree_is_not_trained_on(tmp_path, make_run):
    folder = tmp_path / make_run(epochs=1)
    list(worker.work(folder))
    run_folder.append_event(folder, StateChanged(state="stopped", time=run_folder.now()))
    record = (folder / "run.json").read_text()
    (folder / "run.json").write_text(record.replace('"momentum": 0.9', '"momentum": 0.8'))
    *_, ending = worker.work(folder)
    assert (ending.state, "describe other trainings" in ending.reason) == ("failed", True)


def test_no_flipped_byte_and_no_cut_in_a_run_is_used_in_silence(tmp_path, make_run):
    folder, draw = tmp_path / make_run(), random.Random(6)
    list(worker.work(folder))
    kept = {path: path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}
    last = (checkpoint.load(folder / "last"), format_arrays(checkpoint.load_weights(folder / "last")))
    refused = 0
    for turn in range(250):
        path = draw.choice([path for path in kept if kept[path]])
        content = bytearray(kept[path])
        place = draw.randrange(len(content))
        content[place] ^= 1 << draw.randrange(8)
        path.write_bytes(content if turn < 200 else content[:place])
        assert len(runs.list_runs(tmp_path)) + len(runs.list_damaged(tmp_path)) == 1
        assert len(list_checkpoints(tmp_path)) == 2
        try:
            record, weights = checkpoint.load(folder / "last"), checkpoint.load_weights(folder / "last")
            assert (record, format_arrays(weights)) == last
        except CheckpointError:
            refused += 1
            assert checkpoint.go_back(folder / "last").epoch == 2
            for each, whole in kept.items():
                each.write_bytes(whole)
        path.write_bytes(kept[path])
    assert refused > 25
