"""A run is what its folder says: its state is read from files, and no damaged folder hides the others."""

import json
import os
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import psutil
import pytest

from core.errors import RunError, SizingError, SpecError
from core.network.spec import LayerSpec, NetworkSpec
from core.training import run_folder, run_log, runs
from core.training.events import EpochDone, EpochMetrics, StateChanged, StepDone
from core.training.processes import started_at
from core.training.recipe import Recipe
from tests.tiny import random_dataset, run_spec

SPEC = run_spec(random_dataset())


@pytest.fixture
def run_id(tmp_path):
    return runs.create(tmp_path, SPEC, tmp_path / "data", "cpu")


def tell(folder, state, **values):
    run_folder.append_event(folder, StateChanged(state=state, time=run_folder.now(), **values))


def tell_epoch(folder, number):
    metrics = EpochMetrics(
        epoch=number, train_loss=2.0, train_accuracy=0.3, validation_loss=1.9, validation_accuracy=0.1,
        learning_rate=0.1, seconds=1.0, images_per_second=100.0,
    )  # fmt: skip
    run_folder.append_event(folder, EpochDone(metrics=metrics, is_best=True))


def tell_step(folder, epoch, step, seconds_left=5.0):
    event = StepDone(epoch=epoch, step=step, steps=9, loss=2.0, learning_rate=0.1, seconds_left=seconds_left)
    run_folder.append_event(folder, event)


@pytest.fixture
def sleeper():
    """A process that lives and has nothing to do with any run."""
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"]) as process:
        yield process
        process.kill()


def test_a_new_run_keeps_exactly_what_was_asked_for(tmp_path):
    run_id = runs.create(tmp_path, SPEC, tmp_path / "data", "cuda", title="Très bien: 16×16 hole!", threads=3)
    run = runs.read(tmp_path, run_id)
    assert runs.RUN_ID.fullmatch(run_id)
    assert (run.spec, run.title, run.threads) == (SPEC, "Très bien: 16×16 hole!", 3)
    assert (run.data_root, run.device) == (tmp_path / "data", "cuda:0")
    assert (run.state, run.history, run.last_step) == ("lost", (), None)
    assert "never started" in run.reason
    assert sorted(file.name for file in run.folder.iterdir()) == ["run.json"]


def test_the_app_keeps_a_core_of_its_own(tmp_path, monkeypatch):
    for cores, threads in ((1, 1), (2, 1), (8, 7)):
        monkeypatch.setattr(os, "cpu_count", lambda cores=cores: cores)
        run_id = runs.create(tmp_path, SPEC, tmp_path, "cpu")
        assert runs.read(tmp_path, run_id).threads == threads


def test_what_cannot_work_is_refused_before_anything_is_written(tmp_path):
    root = tmp_path / "runs"
    with pytest.raises(SpecError, match="batch_size"):
        runs.create(root, run_spec(random_dataset(), batch_size=0), tmp_path, "cpu")
    shrinking = NetworkSpec(
        name="Shrinks", layers=tuple(LayerSpec(op="max_pool", kernel_size=2, stride=2) for _ in range(6))
    )
    with pytest.raises(SizingError):
        runs.create(root, run_spec(random_dataset(), network=shrinking), tmp_path, "cpu")
    with pytest.raises(SpecError, match="device"):
        runs.create(root, SPEC, tmp_path, "tpu")
    assert not root.exists() or not list(root.iterdir())


@pytest.mark.parametrize("title", ["../../etc", "x" * 300, "日本", "<script>", "  ", "-", "a\nb"])
def test_no_title_reaches_a_path(tmp_path, title):
    run_id = runs.create(tmp_path / "runs", SPEC, tmp_path, "cpu", title=title)
    assert runs.RUN_ID.fullmatch(run_id)
    assert [path.name for path in (tmp_path / "runs").iterdir()] == [run_id]


@pytest.mark.parametrize(
    "run_id", ["", "..", "../x", "20261120-101500-a-3f9a2", "20261120-101500-tiny-3f9a2c"]
)
def test_an_id_of_no_run_is_refused(tmp_path, run_id):
    for act in (runs.read, runs.start, runs.request_stop, runs.resume, runs.delete):
        with pytest.raises(RunError, match="there is no run"):
            act(tmp_path, run_id)


def test_states_follow_events_heartbeat_and_request(tmp_path, run_id):
    folder = tmp_path / run_id

    def state():
        return runs.read(tmp_path, run_id).state

    run_folder.beat(folder, os.getpid())
    tell(folder, "queued")
    assert state() == "queued"
    tell(folder, "running")
    assert state() == "running"
    run_folder.ask_to_stop(folder)
    assert state() == "stopping"
    tell(folder, "stopped", epoch=0)
    assert state() == "stopped"
    tell(folder, "failed", reason="the disk is full")
    assert (state(), runs.read(tmp_path, run_id).reason) == ("failed", "the disk is full")
    tell(folder, "finished", test_accuracy=0.5)
    assert (state(), runs.read(tmp_path, run_id).test_accuracy) == ("finished", 0.5)


def test_a_run_whose_process_is_gone_is_lost(tmp_path, run_id, sleeper):
    folder = tmp_path / run_id
    run_folder.beat(folder, sleeper.pid)
    tell(folder, "running")
    assert runs.read(tmp_path, run_id).state == "running"
    sleeper.kill()
    # Nobody has waited for it yet: a zombie, which still answers to its number.
    deadline = time.monotonic() + 5
    while runs.read(tmp_path, run_id).state == "running" and time.monotonic() < deadline:
        time.sleep(0.01)
    assert psutil.pid_exists(sleeper.pid)
    assert runs.read(tmp_path, run_id).state == "lost"
    assert "resume" in runs.read(tmp_path, run_id).reason


def test_another_process_with_the_same_number_is_not_taken_for_it(tmp_path, run_id, sleeper):
    folder = tmp_path / run_id
    run_folder.beat(folder, sleeper.pid)
    tell(folder, "running")
    heartbeat = json.loads((folder / "heartbeat").read_text())
    heartbeat["started_at"] -= 3600
    (folder / "heartbeat").write_text(json.dumps(heartbeat))
    assert runs.read(tmp_path, run_id).state == "lost"


def test_a_clock_that_is_set_kills_nobody(monkeypatch):
    before, boot_time = started_at(os.getpid()), psutil._psplatform.boot_time
    monkeypatch.setattr(psutil._psplatform, "boot_time", lambda: boot_time() + 3600)
    assert started_at(os.getpid()) == before


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"null", b'{"pid": "x"}', b"\xff"])
def test_an_unreadable_heartbeat_is_no_life(tmp_path, run_id, content):
    folder = tmp_path / run_id
    tell(folder, "running")
    (folder / "heartbeat").write_bytes(content)
    assert runs.read(tmp_path, run_id).state == "lost"


def test_history_and_last_step_are_read_back(tmp_path, run_id):
    folder = tmp_path / run_id
    run_folder.beat(folder, os.getpid())
    tell(folder, "running")
    tell_step(folder, 1, 1)
    tell_epoch(folder, 1)
    tell_step(folder, 2, 4, seconds_left=7.5)
    run = runs.read(tmp_path, run_id)
    assert [metrics.epoch for metrics in run.history] == [1]
    assert (run.last_step.epoch, run.last_step.step, run.seconds_left) == (2, 4, 7.5)
    tell(folder, "stopped")
    assert runs.read(tmp_path, run_id).seconds_left is None


def test_a_line_torn_by_a_kill_is_dropped_and_swallows_nothing(tmp_path, run_id):
    folder = tmp_path / run_id
    tell(folder, "running")
    tell_epoch(folder, 1)
    with (folder / "events.jsonl").open("ab") as file:
        file.write(b'{"kind":"epoch","metr')
    assert [metrics.epoch for metrics in runs.read(tmp_path, run_id).history] == [1]
    tell_epoch(folder, 2)
    assert [metrics.epoch for metrics in runs.read(tmp_path, run_id).history] == [1, 2]


def test_epochs_that_a_resumed_run_repeats_are_counted_once(tmp_path, run_id):
    folder = tmp_path / run_id
    tell(folder, "running", epoch=0)
    tell_epoch(folder, 1)
    tell_epoch(folder, 2)
    tell_step(folder, 3, 5)
    tell(folder, "running", epoch=1)  # killed after telling epoch 2, before its checkpoint was on the disk
    run = runs.read(tmp_path, run_id)
    assert [metrics.epoch for metrics in run.history] == [1]
    assert run.last_step is None
    tell_epoch(folder, 2)
    assert [metrics.epoch for metrics in runs.read(tmp_path, run_id).history] == [1, 2]


@pytest.mark.parametrize(
    "content",
    [None, b"", b"{", b"[]", b'{"schema": 2}', b'{"schema": 1}', b"\xff\xfe", b"[" * 100_000],
    ids=["missing", "empty", "cut", "list", "future", "hollow", "binary", "deep"],
)
def test_a_damaged_run_is_listed_with_its_problem_beside_the_others(tmp_path, run_id, content):
    bad = runs.create(tmp_path, SPEC, tmp_path, "cpu")
    path = tmp_path / bad / "run.json"
    path.unlink() if content is None else path.write_bytes(content)
    (tmp_path / "notes.txt").write_text("not a run")
    (tmp_path / "lost+found").mkdir()
    assert [run.id for run in runs.list_runs(tmp_path)] == [run_id]
    (damaged,) = runs.list_damaged(tmp_path)
    assert damaged.id == bad
    assert "run.json" in damaged.problem
    runs.delete(tmp_path, bad)
    assert runs.list_damaged(tmp_path) == ()


def test_a_root_that_is_not_there_yet_holds_no_runs(tmp_path):
    assert runs.list_runs(tmp_path / "absent") == ()


def test_runs_are_listed_newest_first(tmp_path, monkeypatch):
    ids = []
    for second in (1, 3, 2):
        run_id = runs.create(tmp_path, SPEC, tmp_path, "cpu")
        ids.append(f"20260101-00000{second}{run_id[15:]}")
        (tmp_path / run_id).rename(tmp_path / ids[-1])
    assert [run.id for run in runs.list_runs(tmp_path)] == sorted(ids, reverse=True)


def test_only_what_lives_can_be_stopped_and_only_what_rests_deleted(tmp_path, run_id):
    folder = tmp_path / run_id
    with pytest.raises(RunError, match="nothing to stop"):
        runs.request_stop(tmp_path, run_id)
    run_folder.beat(folder, os.getpid())
    tell(folder, "running")
    with pytest.raises(RunError, match="is running; stop it first"):
        runs.delete(tmp_path, run_id)
    with pytest.raises(RunError, match="is running"):
        runs.start(tmp_path, run_id)
    runs.request_stop(tmp_path, run_id)
    assert runs.read(tmp_path, run_id).state == "stopping"
    tell(folder, "finished")
    with pytest.raises(RunError, match="is finished"):
        runs.resume(tmp_path, run_id)
    runs.delete(tmp_path, run_id)
    assert list(tmp_path.glob("[!.]*")) == []


def test_what_a_process_works_on_is_neither_started_again_nor_deleted(tmp_path, run_id, monkeypatch):
    monkeypatch.setattr(runs, "LOCK_SECONDS", 0.05)
    with run_folder.lock(tmp_path / run_id):
        for act in (runs.start, runs.delete):
            with pytest.raises(RunError, match="a process is at run"):
                act(tmp_path, run_id)


def test_a_process_that_has_just_ended_is_given_a_moment_to_let_go(tmp_path, run_id):
    is_held = threading.Event()

    def hold():
        with run_folder.lock(tmp_path / run_id):
            is_held.set()
            time.sleep(0.3)

    holder = threading.Thread(target=hold)
    holder.start()
    is_held.wait()
    runs.delete(tmp_path, run_id)
    holder.join()
    assert runs.list_runs(tmp_path) == ()


def test_of_many_that_start_a_run_at_once_exactly_one_does(tmp_path, sleeper, monkeypatch):
    started = []
    monkeypatch.setattr(runs, "start_worker", lambda folder: started.append(folder) or sleeper.pid)

    def start(run_id):
        try:
            runs.start(tmp_path, run_id)
        except RunError:
            return False
        return True

    with ThreadPoolExecutor(6) as pool:
        for _ in range(20):
            run_id = runs.create(tmp_path, SPEC, tmp_path, "cpu")
            assert sum(pool.map(start, [run_id] * 6)) == 1
            assert started.count(tmp_path / run_id) == 1
            assert runs.read(tmp_path, run_id).state == "queued"


def test_a_long_run_is_read_in_milliseconds_and_an_unchanged_one_for_next_to_nothing(tmp_path, run_id):
    folder = tmp_path / run_id
    tell(folder, "running")
    line = (folder / "events.jsonl").read_bytes()
    tell_step(folder, 1, 1)
    step_line = (folder / "events.jsonl").read_bytes()[len(line) :]
    tell_epoch(folder, 1)
    with (folder / "events.jsonl").open("ab") as file:
        file.write(step_line * 50_000)  # seven hours, two lines a second
    tell_epoch(folder, 2)
    start = time.perf_counter()
    first = run_log.read_log(folder)
    middle = time.perf_counter()
    again = run_log.read_log(folder)
    end = time.perf_counter()
    assert [metrics.epoch for metrics in first.history] == [1, 2]
    assert again is first
    assert middle - start < 0.5
    assert end - middle < 0.01


def test_reading_runs_needs_no_torch(project):
    code = "import sys, core.checkpoint; from core.training import runs; print('torch' in sys.modules)"
    answer = subprocess.run(
        [sys.executable, "-c", code], cwd=project, capture_output=True, text=True, check=True
    )
    assert answer.stdout.strip() == "False"


def test_the_recorded_recipe_keeps_its_meaning_when_a_default_changes(tmp_path, run_id):
    recipe = json.loads((tmp_path / run_id / "run.json").read_text())["spec"]["recipe"]
    assert recipe["momentum"] == Recipe().momentum
