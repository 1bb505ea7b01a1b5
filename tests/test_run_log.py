"""The events of a run are read on from where the last look ended, and amount to the same as read at once."""

import random
import time

import psutil
import pytest

from core.training import run, run_folder, run_log, runs
from core.training.events import (
    BatchSeen,
    EpochDone,
    EpochMetrics,
    RateChanged,
    StateChanged,
    StepDone,
)
from tests.tiny import random_dataset, run_spec

LOSSES = tuple(2.3 + image / 100 for image in range(128))


def state(name, **values):
    return StateChanged(state=name, time=run_folder.now(), **values)


def epoch_done(number, loss=2.0):
    metrics = EpochMetrics(
        epoch=number, train_loss=loss, train_accuracy=0.3, validation_loss=1.9, validation_accuracy=0.1,
        learning_rate=0.1, seconds=1.0, images_per_second=100.0,
    )  # fmt: skip
    return EpochDone(metrics=metrics, is_best=True)


def step_done(epoch, step):
    return StepDone(epoch=epoch, step=step, steps=9, loss=2.0, learning_rate=0.1)


def batch(epoch, step, sha256="a" * 64):
    return BatchSeen(epoch=epoch, step=step, sha256=sha256, losses=LOSSES)


def rate(epoch, step, factor=0.5):
    return RateChanged(epoch=epoch, step=step, factor=factor)


def test_rates_and_batches_are_kept_in_their_order_and_those_of_a_repeated_epoch_once(tmp_path):
    told = (
        state("queued"), state("running"), batch(1, 1), epoch_done(1), rate(2, 4), batch(2, 1, "b" * 64),
        state("running", epoch=1), batch(2, 1, "c" * 64), rate(2, 4), epoch_done(2), batch(3, 1),
    )  # fmt: skip
    for event in told:
        run_folder.append_event(tmp_path, event)
    log = run_log.read_log(tmp_path)
    assert log.rate_changes == (rate(2, 4),)
    assert log.batches == (batch(1, 1), batch(2, 1, "c" * 64), batch(3, 1))
    assert [metrics.epoch for metrics in log.history] == [1, 2]


def test_a_run_that_diverged_keeps_the_changes_of_its_whole_epochs(tmp_path):
    for event in (state("running"), rate(1, 2), epoch_done(1), rate(2, 4, 9.0), state("diverged")):
        run_folder.append_event(tmp_path, event)
    assert run_log.read_log(tmp_path).rate_changes == (rate(1, 2), rate(2, 4, 9.0))
    run_folder.append_event(tmp_path, state("queued"))
    assert run_log.read_log(tmp_path).rate_changes == (rate(1, 2),)


def test_read_in_pieces_it_amounts_to_the_same_as_read_at_once(tmp_path):
    draw, lines = random.Random(2), []
    for number in range(1, 30):
        run_folder.append_event(tmp_path, draw.choice([state("running", epoch=number - 1), rate(number, 1)]))
        for step in range(1, 4):
            run_folder.append_event(tmp_path, step_done(number, step))
        run_folder.append_event(tmp_path, batch(number, 1))
        run_folder.append_event(tmp_path, epoch_done(number))
    content = (tmp_path / "events.jsonl").read_bytes()
    pieces, at = tmp_path / "pieces", 0
    pieces.mkdir()
    while at < len(content):
        size = draw.randint(1, 2000)  # most end in the middle of a line
        with (pieces / "events.jsonl").open("ab") as file:
            file.write(content[at : at + size])
        at += size
        lines.append(len(run_log.read_log(pieces).history))
    assert run_log.read_log(pieces) == run_log.read_log(tmp_path)
    assert lines == sorted(lines)
    assert len(set(lines)) > 10


@pytest.mark.parametrize("how", ["shorter", "gone", "replaced"])
def test_another_file_in_its_place_is_read_from_its_beginning(tmp_path, how):
    for number in (1, 2, 3):
        run_folder.append_event(tmp_path, epoch_done(number))
    path = tmp_path / "events.jsonl"
    assert len(run_log.read_log(tmp_path).history) == 3
    if how == "gone":
        path.unlink()
        assert run_log.read_log(tmp_path) == run_log.RunLog()
    elif how == "shorter":
        path.write_bytes(b"")
    else:
        (tmp_path / "other").mkdir()
        for number in (1, 2, 3, 4, 5):
            run_folder.append_event(tmp_path / "other", epoch_done(number, loss=1.0))
        (tmp_path / "other" / "events.jsonl").replace(path)
    run_folder.append_event(tmp_path, epoch_done(6))
    expected = [1, 2, 3, 4, 5, 6] if how == "replaced" else [6]
    assert [metrics.epoch for metrics in run_log.read_log(tmp_path).history] == expected


def test_a_look_at_a_run_with_many_batches_costs_what_is_new(tmp_path):
    run_folder.append_event(tmp_path, batch(1, 1))
    line = (tmp_path / "events.jsonl").read_bytes()
    with (tmp_path / "events.jsonl").open("ab") as file:
        for step in range(2, 2000):
            file.write(line.replace(b'"step":1,', b'"step":%d,' % step))
    begun = time.process_time()
    assert len(run_log.read_log(tmp_path).batches) == 1999
    first = time.process_time() - begun
    begun = time.process_time()
    for step in range(20):
        run_folder.append_event(tmp_path, step_done(2, step + 1))
        assert run_log.read_log(tmp_path).last_step.step == step + 1
    later = (time.process_time() - begun) / 20
    assert later < first / 10


def test_a_clock_that_is_set_silences_nobody_and_a_silence_is_no_death(tmp_path, monkeypatch):
    run_id = runs.create(tmp_path, run_spec(random_dataset()), tmp_path, "cpu")
    folder = tmp_path / run_id
    run_folder.append_event(folder, state("running"))
    for leap in (-3600, 3600):
        monkeypatch.setattr(run_folder, "now", lambda leap=leap: f"{2026 + leap}-01-01T00:00:00")
        run_folder.beat(folder, psutil.Process().pid)
        monkeypatch.setattr(time, "time", lambda leap=leap: leap)
        assert runs.read(tmp_path, run_id).state == "running"
        monkeypatch.undo()
    clock = time.monotonic()
    for silence, expected in ((34, "running"), (36, "not responding"), (-3600, "running")):
        monkeypatch.setattr(time, "monotonic", lambda silence=silence: clock + silence)
        found = runs.read(tmp_path, run_id)
        assert (found.state, found.is_live) == (expected, True)
    assert run.QUIET_SECONDS == 35
