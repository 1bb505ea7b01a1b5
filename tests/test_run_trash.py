"""What is deleted can be had back for a day, and what people write about a run stays with it."""

import os
import time

import pytest

from core.errors import RunError, SpecError
from core.training import runs, trash
from tests.tiny import random_dataset, run_spec

SPEC = run_spec(random_dataset())
DAY = 24 * 3600


@pytest.fixture
def run_id(tmp_path):
    return runs.create(tmp_path, SPEC, tmp_path / "data", "cpu", title="Holes of 16")


def test_a_deleted_run_is_gone_from_the_list_and_comes_back_as_it_was(tmp_path, run_id):
    before = runs.read(tmp_path, run_id)
    runs.delete(tmp_path, run_id)
    assert runs.list_runs(tmp_path) == runs.list_damaged(tmp_path) == ()
    with pytest.raises(RunError, match="there is no run"):
        runs.read(tmp_path, run_id)
    (deleted,) = runs.list_deleted(tmp_path)
    assert (deleted.id, deleted.title) == (run_id, "Holes of 16")
    assert abs(deleted.deleted_at - time.time()) < 60
    runs.restore(tmp_path, run_id)
    assert runs.read(tmp_path, run_id) == before
    assert runs.list_deleted(tmp_path) == ()


def test_the_last_one_deleted_is_the_first_to_be_offered(tmp_path):
    ids = [runs.create(tmp_path, SPEC, tmp_path, "cpu") for _ in range(3)]
    for age, run_id in enumerate(ids):
        runs.delete(tmp_path, run_id)
        os.utime(tmp_path / f".deleted-{run_id}", (0, time.time() - age * 60))
    assert [run.id for run in runs.list_deleted(tmp_path)] == ids


def test_a_damaged_run_can_be_deleted_and_restored_too(tmp_path, run_id):
    (tmp_path / run_id / "run.json").write_bytes(b"{")
    runs.delete(tmp_path, run_id)
    assert [run.title for run in runs.list_deleted(tmp_path)] == [run_id]
    runs.restore(tmp_path, run_id)
    assert [run.id for run in runs.list_damaged(tmp_path)] == [run_id]


@pytest.mark.parametrize("other", ["../x", "", "20261120-101500-tiny-3f9a2c"])
def test_only_what_was_deleted_can_be_restored(tmp_path, run_id, other):
    for wanted in (other, run_id):
        with pytest.raises(RunError, match="there is no deleted run"):
            runs.restore(tmp_path, wanted)


@pytest.mark.parametrize("act", ["delete", "start"])
def test_a_day_later_it_is_gone_for_good_at_the_next_deletion_or_start(tmp_path, run_id, monkeypatch, act):
    monkeypatch.setattr(runs, "start_worker", lambda folder: os.getpid())
    young, other = (runs.create(tmp_path, SPEC, tmp_path, "cpu") for _ in range(2))
    for deleted in (run_id, young):
        runs.delete(tmp_path, deleted)
    for folder, age in ((f".deleted-{run_id}", DAY + 60), (f".deleted-{young}", DAY - 60)):
        os.utime(tmp_path / folder, (0, time.time() - age))
    unborn = tmp_path / f".new-{run_id}"
    unborn.mkdir()
    os.utime(unborn, (0, time.time() - 2 * DAY))
    getattr(runs, act)(tmp_path, other)
    assert young in [run.id for run in runs.list_deleted(tmp_path)]
    assert run_id not in [run.id for run in runs.list_deleted(tmp_path)]
    assert not unborn.exists()
    assert list(tmp_path.glob(".going-*")) == []


def test_what_a_killed_process_left_half_removed_is_removed(tmp_path):
    half = tmp_path / ".going-.deleted-20261120-101500-tiny-3f9a2c"
    half.mkdir()
    (half / "run.json").write_text("{")
    trash.empty(tmp_path)
    assert not half.exists()


def test_a_run_is_renamed_and_keeps_its_note_its_id_and_its_record(tmp_path, run_id):
    record = (tmp_path / run_id / "run.json").read_bytes()
    runs.rename(tmp_path, run_id, "  Holes of 16, flipped ")
    runs.write_note(tmp_path, run_id, "Better from epoch 8 on.\n\nWhy?")
    run = runs.read(tmp_path, run_id)
    assert (run.title, run.note) == ("Holes of 16, flipped", "Better from epoch 8 on.\n\nWhy?")
    runs.rename(tmp_path, run_id, "")
    assert (runs.read(tmp_path, run_id).title, runs.read(tmp_path, run_id).note) == ("Holes of 16", run.note)
    assert (tmp_path / run_id / "run.json").read_bytes() == record
    with pytest.raises(SpecError, match="note"):
        runs.write_note(tmp_path, run_id, "x" * 10_001)
    assert runs.read(tmp_path, run_id).note == run.note


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"title": 7}', b"\xff"])
def test_notes_that_cannot_be_read_hide_no_run(tmp_path, run_id, content):
    (tmp_path / run_id / "notes.json").write_bytes(content)
    assert runs.read(tmp_path, run_id).title == "Holes of 16"
