"""Decoded datasets: whole or not there, decoded once, and decoded again where they are damaged."""

import threading
from pathlib import Path

import numpy as np
import pytest

from core.data import Dataset, Split
from core.data.cache import Decoded, is_cached, load_or_decode
from core.errors import DataError
from tests.pictures import pictures


def decoded(seed: int = 0) -> Decoded:
    train = Split(images=pictures(6, seed), labels=np.array([0, 0, 1, 1, 2, 2]))
    test = Split(images=pictures(3, seed + 1), labels=np.array([0, 1, 2]))
    return Decoded(classes=("a", "b", "c"), train=train, test=test)


def load(root: Path, key: str = "some-1", decode=decoded) -> Dataset:
    return load_or_decode(root, key, decode, name="some", title="Some")


def never() -> Decoded:
    raise AssertionError("decoded again")


def test_what_was_decoded_comes_back(tmp_path) -> None:
    first, again = load(tmp_path), load(tmp_path, decode=never)
    assert is_cached(tmp_path, "some-1")
    for dataset in (first, again):
        np.testing.assert_array_equal(dataset.train.images, decoded().train.images)
        np.testing.assert_array_equal(dataset.test.labels, decoded().test.labels)
    assert (first.classes, first.fingerprint, first.mean) == (again.classes, again.fingerprint, again.mean)


@pytest.mark.parametrize(
    "name", ["meta.json", "train.npy", "test.npy", "train_labels.npy", "test_labels.npy"]
)
@pytest.mark.parametrize("damage", ["missing", "empty", "half"])
def test_a_damaged_copy_is_decoded_again(tmp_path, name, damage) -> None:
    load(tmp_path)
    file = tmp_path / "cache/some-1" / name
    content = file.read_bytes()
    file.unlink()
    if damage != "missing":
        file.write_bytes(content[: len(content) // 2] if damage == "half" else b"")
    assert load(tmp_path).fingerprint == load(tmp_path, decode=never).fingerprint
    assert file.read_bytes() == content


def test_a_decoding_that_fails_leaves_nothing(tmp_path) -> None:
    def fail() -> Decoded:
        raise DataError("a picture is damaged")

    with pytest.raises(DataError, match="a picture is damaged"):
        load(tmp_path, decode=fail)
    assert not is_cached(tmp_path, "some-1")
    assert load(tmp_path).name == "some"


@pytest.mark.parametrize("step", ["measure_pixels", "_save_array"])
def test_a_writing_that_is_interrupted_leaves_nothing(tmp_path, monkeypatch, step) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as context:
        context.setattr(f"core.data.cache.{step}", interrupt)
        with pytest.raises(KeyboardInterrupt):
            load(tmp_path)
    assert [entry.name for entry in (tmp_path / "cache").iterdir()] == ["some.lock"]
    assert len(load(tmp_path).train) == 6


def test_what_a_killed_writer_left_is_cleared(tmp_path) -> None:
    leftover = tmp_path / "cache/.writing-some"
    leftover.mkdir(parents=True)
    (leftover / "train.npy").write_bytes(b"half")
    load(tmp_path)
    assert not leftover.exists()


def test_a_folder_that_cannot_be_written_to(tmp_path) -> None:
    (tmp_path / "cache").write_text("in the way")
    with pytest.raises(DataError, match=r"cannot be written to .* choose another data folder"):
        load(tmp_path)


def test_many_at_once_decode_once(tmp_path) -> None:
    calls: list[int] = []

    def count() -> Decoded:
        calls.append(1)
        return decoded()

    found: list[Dataset] = []
    threads = [threading.Thread(target=lambda: found.append(load(tmp_path, decode=count))) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(calls) == 1
    assert len({dataset.fingerprint for dataset in found}) == 1
    assert len(found) == 6


def test_only_older_states_of_the_same_source_are_removed(tmp_path) -> None:
    before = load(tmp_path, "some-1")
    load(tmp_path, "other-1")
    load(tmp_path, "some-2", lambda: decoded(seed=5))
    kept = sorted(entry.name for entry in (tmp_path / "cache").iterdir() if entry.is_dir())
    assert kept == ["other-1", "some-2"]
    np.testing.assert_array_equal(before.train.images, decoded().train.images)
