"""A checkpoint on the disk is whole or absent, and is believed only if every byte is as it was saved."""

import errno
import json
import os
import random
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from core import checkpoint
from core.arrays import MAX_HEADER_BYTES, read_arrays
from core.augmentation.spec import AugmentationSpec
from core.checkpoint_list import list_checkpoints
from core.errors import CheckpointError
from core.network.spec import LayerSpec, NetworkSpec
from core.training.events import EpochMetrics
from core.training.recipe import Recipe, RunSpec

NETWORK = NetworkSpec(
    name="Tiny",
    layers=(
        LayerSpec(op="conv", out_channels=10, kernel_size=3, then=("relu", "dropout 0.1")),
        LayerSpec(op="global_avg_pool"),
    ),
)
SPEC = RunSpec(
    dataset="shapes",
    fingerprint="f" * 64,
    network=NETWORK,
    augmentation=AugmentationSpec(name="None"),
    recipe=Recipe(learning_rate=0.1 + 0.2),
)
EPOCH = EpochMetrics(
    epoch=1,
    train_loss=2.3025850929940455,
    train_accuracy=0.1,
    validation_loss=2.2,
    validation_accuracy=1 / 3,
    learning_rate=0.05,
    seconds=1.5,
    images_per_second=800.0,
)
WEIGHTS = {
    "conv1.weight": np.arange(270, dtype=np.float32).reshape(10, 3, 3, 3),
    "norm.num_batches_tracked": np.array(7, dtype=np.int64),
}
OPTIMISER = {"0.momentum_buffer": np.full((10, 3, 3, 3), 0.1, dtype=np.float32)}


def save(
    folder: Path, weights=WEIGHTS, optimiser=OPTIMISER, epoch: int = 1, keeps_previous: bool = False
) -> checkpoint.Checkpoint:
    return checkpoint.save(
        folder,
        weights=weights,
        optimiser=optimiser,
        run_spec=SPEC,
        epoch=epoch,
        history=(EPOCH,),
        chosen_by="last",
        classes=tuple("abcdefghij"),
        dataset_title="Shapes",
        is_stand_in=True,
        num_params=280,
        device="a processor",
        threads=1,
        keeps_previous=keeps_previous,
    )


def weights_of(epoch: int) -> dict[str, np.ndarray]:
    return {"w": np.full(100, epoch, np.float32)}


def test_everything_comes_back_exactly_as_it_was_saved(tmp_path):
    saved = save(tmp_path / "last")
    assert checkpoint.load(tmp_path / "last") == saved
    assert saved.run_spec == SPEC
    assert saved.history == (EPOCH,)
    for kept, given in (
        (checkpoint.load_weights(tmp_path / "last"), WEIGHTS),
        (checkpoint.load_optimiser(tmp_path / "last"), OPTIMISER),
    ):
        assert kept.keys() == given.keys()
        for name, array in given.items():
            assert (kept[name].dtype, kept[name].shape) == (array.dtype, array.shape)
            np.testing.assert_array_equal(kept[name], array)


def test_the_record_spells_out_every_default_so_that_it_keeps_its_meaning(tmp_path):
    save(tmp_path)
    recipe = json.loads((tmp_path / checkpoint.RECORD).read_text())["run_spec"]["recipe"]
    assert recipe["epochs"] == Recipe().epochs
    assert recipe["momentum"] == Recipe().momentum


def test_a_second_save_replaces_the_first_and_leaves_nothing_of_it(tmp_path):
    save(tmp_path)
    (tmp_path / ".weights-00000000.safetensors.writing-99").write_bytes(b"left by a killed writer")
    second = save(tmp_path, {"w": np.zeros(3, np.float32)}, optimiser=None, epoch=2)
    assert {file.name for file in tmp_path.iterdir()} == {checkpoint.RECORD, second.weights_file}
    assert checkpoint.load_optimiser(tmp_path) == {}


def test_any_flipped_byte_of_the_weights_is_refused_by_name(tmp_path):
    saved = save(tmp_path)
    path = tmp_path / saved.weights_file
    whole = path.read_bytes()
    for place in (*range(0, len(whole), 97), len(whole) - 1):
        damaged = bytearray(whole)
        damaged[place] ^= 0x10
        path.write_bytes(damaged)
        with pytest.raises(CheckpointError, match=f"{saved.weights_file} .*restore the file"):
            checkpoint.load_weights(tmp_path)
    path.write_bytes(whole)
    assert checkpoint.load_weights(tmp_path).keys() == WEIGHTS.keys()


@pytest.mark.parametrize("keep", [0, 4, 8, 100, -1])
def test_weights_that_were_cut_off_are_refused(tmp_path, keep):
    path = tmp_path / save(tmp_path).weights_file
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(CheckpointError, match="restore the file"):
        checkpoint.load_weights(tmp_path)


def test_a_header_that_claims_gigabytes_is_refused_before_it_is_read(tmp_path):
    path = tmp_path / "weights.safetensors"
    with path.open("wb") as file:
        file.write((MAX_HEADER_BYTES + 1).to_bytes(8, "little"))
        file.truncate(2**40)  # sparse: reading it whole would need a terabyte
    with pytest.raises(CheckpointError, match="header must fit"):
        read_arrays(path)


@pytest.mark.parametrize("content", [b"", b"{", b'{"schema": 1', b"[]", b"null", b"\xff\xfe", b"[" * 100_000])
def test_a_truncated_or_foreign_record_is_refused_by_name(tmp_path, content):
    save(tmp_path)
    (tmp_path / checkpoint.RECORD).write_bytes(content)
    with pytest.raises(CheckpointError, match=r"checkpoint\.json"):
        checkpoint.load(tmp_path)


def test_every_truncation_of_a_record_is_refused(tmp_path):
    save(tmp_path)
    path = tmp_path / checkpoint.RECORD
    whole = path.read_bytes()
    for length in range(0, len(whole), 53):
        path.write_bytes(whole[:length])
        with pytest.raises(CheckpointError):
            checkpoint.load(tmp_path)


def test_not_a_digit_of_a_record_changes_unnoticed(tmp_path):
    saved = save(tmp_path)
    path = tmp_path / checkpoint.RECORD
    whole = path.read_bytes()
    unnoticed = 0
    for place in range(0, len(whole), 3):
        damaged = bytearray(whole)
        damaged[place] ^= 0x01
        path.write_bytes(damaged)
        with suppress(CheckpointError):
            assert checkpoint.load(tmp_path) == saved
            unnoticed += 1
    assert unnoticed < len(whole) / 20, "a flip of a blank between two fields changes nothing"


def test_a_record_of_before_there_were_seals_is_read(tmp_path):
    saved = save(tmp_path)
    path = tmp_path / checkpoint.RECORD
    record = json.loads(path.read_text())
    assert record.pop("seal")
    path.write_text(json.dumps(record))
    assert checkpoint.load(tmp_path) == saved


@pytest.mark.parametrize(
    "name",
    [
        "../weights-00000000.safetensors",
        "/etc/passwd",
        "weights-00000000.safetensors\n",
        "..",
        "a/weights-0.safetensors",
    ],
)
def test_a_record_may_name_only_files_of_its_own_folder(tmp_path, name):
    save(tmp_path)
    path = tmp_path / checkpoint.RECORD
    record = json.loads(path.read_text()) | {"weights_file": name}
    record.pop("seal")
    path.write_text(json.dumps(record))
    with pytest.raises(CheckpointError, match="weights_file"):
        checkpoint.load(tmp_path)


def test_a_record_of_a_later_schema_says_so(tmp_path):
    save(tmp_path)
    path = tmp_path / checkpoint.RECORD
    path.write_text(json.dumps(json.loads(path.read_text()) | {"schema": 2}))
    with pytest.raises(
        CheckpointError, match="schema must be 1, got 2; open it with the version that made it"
    ):
        checkpoint.load(tmp_path)


def test_missing_files_are_named_with_a_remedy(tmp_path):
    with pytest.raises(CheckpointError, match=r"checkpoint\.json is missing.*choose another"):
        checkpoint.load(tmp_path)
    saved = save(tmp_path)
    (tmp_path / saved.weights_file).unlink()
    with pytest.raises(CheckpointError, match=f"{saved.weights_file} is missing; restore the file"):
        checkpoint.load_weights(tmp_path)


def test_probabilities_belong_to_their_weights_and_images(tmp_path):
    save(tmp_path)
    probabilities = np.random.default_rng(0).random((5, 10), dtype=np.float32)
    checkpoint.save_probabilities(tmp_path, "a" * 64, probabilities)
    np.testing.assert_array_equal(checkpoint.load_probabilities(tmp_path, "a" * 64), probabilities)
    assert checkpoint.load_probabilities(tmp_path, "b" * 64) is None
    assert checkpoint.load_probabilities(tmp_path, "a" * 12 + "b" * 52) is None
    (kept,) = tmp_path.glob("probabilities-*")
    content = kept.read_bytes()
    save(tmp_path, {"w": np.zeros(3, np.float32)}, epoch=2)
    kept.write_bytes(content)
    assert checkpoint.load_probabilities(tmp_path, "a" * 64) is None


def test_damaged_probabilities_are_computed_again_and_never_used(tmp_path):
    save(tmp_path)
    checkpoint.save_probabilities(tmp_path, "a" * 64, np.full((5, 10), 0.1, dtype=np.float32))
    (kept,) = tmp_path.glob("probabilities-*")
    whole = kept.read_bytes()
    for place in range(0, len(whole), 7):
        damaged = bytearray(whole)
        damaged[place] ^= 0x01
        kept.write_bytes(damaged)
        loaded = checkpoint.load_probabilities(tmp_path, "a" * 64)
        # A flip in the padding of the header changes no number.
        assert loaded is None or np.array_equal(loaded, np.full((5, 10), 0.1, dtype=np.float32))


def test_the_test_accuracy_is_added_to_the_record(tmp_path):
    saved = save(tmp_path)
    assert saved.test_accuracy is None
    checkpoint.record_test(tmp_path, 0.875, 200)
    tested = checkpoint.load(tmp_path)
    assert (tested.test_accuracy, tested.test_images) == (0.875, 200)
    assert tested.weights_sha256 == saved.weights_sha256


def test_a_damaged_checkpoint_is_listed_with_its_problem_beside_the_good_ones(tmp_path):
    save(tmp_path / "shipped" / "tiny")
    save(tmp_path / "runs" / "one" / "best")
    broken = save(tmp_path / "runs" / "two" / "last")
    (tmp_path / "runs" / "two" / "last" / broken.weights_file).unlink()
    (tmp_path / "shipped" / "README.md").write_text("no checkpoint")
    listed = list_checkpoints(tmp_path / "runs", tmp_path / "shipped", tmp_path / "absent")
    assert [item.checkpoint is not None for item in listed] == [True, True, False]
    assert listed[2].folder == tmp_path / "runs" / "two" / "last"
    assert broken.weights_file in listed[2].problem


def test_a_foreign_safetensors_file_in_place_of_the_weights_is_refused(tmp_path):
    saved = save(tmp_path)
    save_file({"w": np.zeros(3, np.float32)}, tmp_path / saved.weights_file)
    with pytest.raises(CheckpointError, match="SHA-256"):
        checkpoint.load_weights(tmp_path)


@pytest.mark.parametrize("nth", [1, 2, 3])
def test_a_save_that_fails_at_any_file_leaves_the_one_before_and_nothing_else(tmp_path, monkeypatch, nth):
    save(tmp_path)
    checkpoint.save_probabilities(tmp_path, "a" * 64, np.full((5, 10), 0.1, dtype=np.float32))
    before = {file.name: file.read_bytes() for file in tmp_path.iterdir()}
    calls, fsync = [], os.fsync

    def fail(handle):
        calls.append(handle)
        if len(calls) >= 2 * nth - 1:  # every file is synced, and after it the folder
            raise OSError(errno.ENOSPC, "No space left on device")
        fsync(handle)

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OSError, match="No space left"):
        save(tmp_path, {"w": np.zeros(3, np.float32)}, {"0.step": np.ones(1, np.float32)}, epoch=2)
    assert {file.name: file.read_bytes() for file in tmp_path.iterdir()} == before


SAVE_FOR_EVER = """
import sys, numpy as np
from pathlib import Path
from tests.test_checkpoint import save
epoch = int(sys.argv[2])
while True:
    epoch += 1
    weights = {"w": np.full(200_000, epoch, np.float32)}
    optimiser = {"0.step": np.full(50_000, epoch, np.float32)}
    save(Path(sys.argv[1]), weights, optimiser, epoch, keeps_previous=True)
    print(epoch, flush=True)
"""


@pytest.mark.slow
def test_a_saver_killed_at_any_moment_leaves_a_whole_checkpoint(tmp_path, project):
    draw = random.Random(0)
    told = 0
    for _ in range(25):
        command = [sys.executable, "-c", SAVE_FOR_EVER, str(tmp_path), str(told)]
        with subprocess.Popen(command, cwd=project, stdout=subprocess.PIPE, text=True) as child:
            told = int(child.stdout.readline())
            time.sleep(draw.uniform(0, 0.06))
            child.send_signal(signal.SIGKILL)
            told = max([told, *(int(line) for line in child.stdout.read().split("\n") if line)])
        found = checkpoint.load(tmp_path)
        assert found.epoch in (told, told + 1), "what was told as saved is there"
        assert (checkpoint.load_weights(tmp_path)["w"] == found.epoch).all()
        assert (checkpoint.load_optimiser(tmp_path)["0.step"] == found.epoch).all()
        told = found.epoch
        if (tmp_path / checkpoint.PREVIOUS).exists():
            told = checkpoint.go_back(tmp_path).epoch
        assert told in (found.epoch, found.epoch - 1), "a kill between the two commits leaves one of them"
    save(tmp_path, keeps_previous=True)
    assert len(list(tmp_path.iterdir())) == 6, "nothing that the killed ones left is still there"


def test_two_epochs_are_kept_and_the_one_before_them_is_deleted(tmp_path):
    def save_epoch(epoch):
        optimiser = {"0.step": np.full(3, epoch, np.float32)}
        return save(tmp_path, weights_of(epoch), optimiser, epoch, keeps_previous=True)

    kept = [save_epoch(epoch) for epoch in (1, 2, 3)]
    arrays = {name for record in kept[1:] for name in (record.weights_file, record.optimiser_file)}
    assert {file.name for file in tmp_path.iterdir()} == {checkpoint.RECORD, checkpoint.PREVIOUS, *arrays}
    assert checkpoint.load(tmp_path) == kept[2]
    assert checkpoint.go_back(tmp_path) == checkpoint.load(tmp_path) == kept[1]
    assert (checkpoint.load_weights(tmp_path)["w"] == 2).all()
    assert (checkpoint.load_optimiser(tmp_path)["0.step"] == 2).all()
    again = save_epoch(3)
    assert (again.weights_sha256, checkpoint.go_back(tmp_path).epoch) == (kept[2].weights_sha256, 2)


def test_a_damaged_record_does_not_take_the_place_of_the_one_to_go_back_to(tmp_path):
    for epoch in (1, 2):
        save(tmp_path, weights_of(epoch), epoch=epoch, keeps_previous=True)
    (tmp_path / checkpoint.RECORD).write_bytes(b'{"schema": 1')
    save(tmp_path, weights_of(3), epoch=3, keeps_previous=True)
    assert checkpoint.load(tmp_path).epoch == 3
    assert checkpoint.go_back(tmp_path).epoch == 1


@pytest.mark.parametrize("damage", ["flip", "cut", "remove", "none"])
def test_what_is_damaged_itself_is_not_gone_back_to(tmp_path, damage):
    first = save(tmp_path, weights_of(1), epoch=1, keeps_previous=damage != "none")
    save(tmp_path, weights_of(2), epoch=2, keeps_previous=damage != "none")
    if damage != "none":
        path = tmp_path / first.weights_file
        content = bytearray(path.read_bytes())
        content[-1] ^= 1
        path.write_bytes(content if damage == "flip" else content[:50])
        if damage == "remove":
            path.unlink()
    before = {file.name: file.read_bytes() for file in tmp_path.iterdir()}
    with pytest.raises(CheckpointError):
        checkpoint.go_back(tmp_path)
    assert {file.name: file.read_bytes() for file in tmp_path.iterdir()} == before


def test_what_was_deleted_is_not_offered(tmp_path):
    save(tmp_path / ".deleted-one" / "last")
    save(tmp_path / ".shipped")
    assert list_checkpoints(tmp_path) == ()


def test_a_checkpoint_of_a_run_is_called_after_network_epoch_and_the_moment_it_began(tmp_path: Path):
    folder = tmp_path / "20261120-103857-a-long-name-of-a-network-83e79b" / "best"
    save(folder)
    (listed,) = list_checkpoints(tmp_path)
    assert listed.title.endswith("(best of the run of 2026-11-20 10:38)")
