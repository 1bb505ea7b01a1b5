"""The learning rate is changed while a run trains; who resumes the run changes it at the same steps."""

import os
import random
import signal
import time

import pytest

from core.errors import RunError
from core.training import run_folder, runs, worker
from core.training.events import EpochDone, RateChanged, StepDone
from core.training.rate_wish import RateWish, ask_for_rate
from tests.watching import has_ended, last_sha, pid_of, undisturbed_sha, wait

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(autouse=True)
def _every_step(monkeypatch):
    monkeypatch.setattr(worker, "STEP_SECONDS", 0.0)


def changed(epoch, step, factor):
    return RateChanged(epoch=epoch, step=step, factor=factor)


def test_a_wish_is_granted_at_the_next_step_and_told_once(tmp_path, make_run, shapes):
    run_id = make_run(schedule="constant", learning_rate=0.1)
    rates = {}
    for event in worker.work(tmp_path / run_id):
        if isinstance(event, StepDone):
            rates[event.epoch, event.step] = event.learning_rate
            if (event.epoch, event.step) == (2, 3):
                runs.change_rate(tmp_path, run_id, 0.25)
    run = runs.read(tmp_path, run_id)
    # This process hears of a step before the loop looks for a wish, so the next step is the fourth or fifth.
    (change,) = run.rate_changes
    assert (change.epoch, change.step, change.factor) in ((2, 4, 0.25), (2, 5, 0.25))
    for place, rate in rates.items():
        assert rate == pytest.approx(0.1 if place < (change.epoch, change.step) else 0.025)
    assert "0.25 times the schedule's rate" in run.log_tail
    assert last_sha(run) == undisturbed_sha(run.spec, shapes, run.rate_changes)
    assert last_sha(run) != undisturbed_sha(run.spec, shapes)


def test_a_wish_of_before_the_start_holds_from_the_first_step(tmp_path, make_run):
    run_id = make_run()
    runs.change_rate(tmp_path, run_id, 2.0)
    list(worker.work(tmp_path / run_id))
    assert runs.read(tmp_path, run_id).rate_changes == (changed(1, 1, 2.0),)


def test_who_resumes_repeats_the_changes_first_and_then_grants_the_newer_wish(tmp_path, make_run, shapes):
    run_id = make_run()
    folder = tmp_path / run_id
    for event in worker.work(folder):
        if isinstance(event, StepDone) and (event.epoch, event.step) == (2, 2):
            runs.change_rate(tmp_path, run_id, 0.5)
        if isinstance(event, RateChanged):
            run_folder.ask_to_stop(folder)
    (first,) = runs.read(tmp_path, run_id).rate_changes
    assert len(runs.read(tmp_path, run_id).history) == 1
    runs.change_rate(tmp_path, run_id, 3.0)
    run_folder.clear_request(folder)
    list(worker.work(folder))
    run = runs.read(tmp_path, run_id)
    assert run.state == "finished"
    assert run.rate_changes == (first, changed(2, first.step + 1, 3.0))
    assert last_sha(run) == undisturbed_sha(run.spec, shapes, run.rate_changes)


def test_a_diverged_run_forgets_the_change_that_led_there_and_takes_another(tmp_path, make_run, shapes):
    run_id = make_run(epochs=4, schedule="constant")
    folder = tmp_path / run_id
    for event in worker.work(folder):
        if isinstance(event, EpochDone) and event.metrics.epoch == 1:
            runs.change_rate(tmp_path, run_id, 1000.0)
    run = runs.read(tmp_path, run_id)
    assert (run.state, len(run.rate_changes)) == ("diverged", 1)
    safe = len(run.history)
    runs.change_rate(tmp_path, run_id, 0.5)
    list(worker.work(folder))
    run = runs.read(tmp_path, run_id)
    assert run.state == "finished", run.reason
    assert run.rate_changes[-1] == changed(safe + 1, 1, 0.5)
    assert last_sha(run) == undisturbed_sha(run.spec, shapes, run.rate_changes)


@pytest.mark.slow
def test_a_run_killed_after_changes_of_its_rate_ends_as_one_with_the_same_changes(
    tmp_path, make_run, shapes, forked_workers
):
    run_id, draw = make_run(epochs=60, batch_size=10), random.Random(3)
    for factor in (0.5, 2.0, 0.25, 1.0):
        runs.start(tmp_path, run_id)
        before = runs.read(tmp_path, run_id).rate_changes
        wait(tmp_path, run_id, lambda run: run.state == "running")
        time.sleep(draw.uniform(0, 0.3))
        runs.change_rate(tmp_path, run_id, factor)
        wait(tmp_path, run_id, lambda run, before=before: len(run.rate_changes) > len(before))
        time.sleep(draw.uniform(0, 0.1))
        os.kill(pid_of(runs.read(tmp_path, run_id)), signal.SIGKILL)
        assert wait(tmp_path, run_id, has_ended).state == "lost"
    runs.resume(tmp_path, run_id)
    run = wait(tmp_path, run_id, has_ended)
    assert run.state == "finished", run.reason
    assert [change.factor for change in run.rate_changes] == [0.5, 2.0, 0.25, 1.0]
    assert last_sha(run) == undisturbed_sha(run.spec, shapes, run.rate_changes)


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b"{}", b'{"factor": "x"}', b'{"factor": null}', b"\xff"]
)
def test_a_wish_that_cannot_be_read_is_none(tmp_path, content):
    (tmp_path / "rate.json").write_bytes(content)
    assert RateWish(tmp_path, ()).take(1, 1) is None


def test_what_was_granted_is_no_new_wish(tmp_path):
    ask_for_rate(tmp_path, 0.5)
    assert RateWish(tmp_path, ()).take(0, 0) == 0.5
    assert RateWish(tmp_path, (changed(1, 4, 0.5),)).take(2, 1) is None
    wish = RateWish(tmp_path, (changed(1, 4, 2.0),))
    assert [wish.take(1, 3), wish.take(1, 4), wish.take(1, 5)] == [None, 0.5, None]
    ask_for_rate(tmp_path, 0.75)
    assert [wish.take(1, 6), wish.take(1, 7)] == [0.75, None]


@pytest.mark.parametrize("factor", [0.0, -1.0, 1001.0, float("nan"), float("inf")])
def test_a_factor_that_makes_no_rate_is_refused(tmp_path, make_run, factor):
    run_id = make_run()
    with pytest.raises(RunError, match="above 0 and at most 1000"):
        runs.change_rate(tmp_path, run_id, factor)
    assert not (tmp_path / run_id / "rate.json").exists()


def test_a_finished_run_has_no_rate_to_change(tmp_path, make_run):
    run_id = make_run(epochs=1)
    list(worker.work(tmp_path / run_id))
    with pytest.raises(RunError, match="is finished"):
        runs.change_rate(tmp_path, run_id, 0.5)
