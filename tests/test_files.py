"""A file that is written atomically is the old one or the new one, and on the disk before anybody is told."""

import errno
import os
import stat
from pathlib import Path

import pytest

from core.files import append_line, remove_unfinished, write_atomically


def test_the_content_is_on_the_disk_before_its_name_and_the_name_before_the_return(tmp_path, monkeypatch):
    order = []
    fsync, replace = os.fsync, Path.replace

    def log_sync(handle):
        is_folder = stat.S_ISDIR(os.fstat(handle).st_mode)
        order.append("sync folder" if is_folder else "sync file")
        fsync(handle)

    def log_rename(path, target):
        order.append("rename")
        return replace(path, target)

    monkeypatch.setattr(os, "fsync", log_sync)
    monkeypatch.setattr(Path, "replace", log_rename)
    write_atomically(tmp_path / "a", b"content")
    assert order == ["sync file", "rename", "sync folder"]
    assert (tmp_path / "a").read_bytes() == b"content"


@pytest.mark.parametrize("failing", ["fsync", "replace"])
def test_a_write_that_fails_leaves_the_old_content_and_nothing_else(tmp_path, monkeypatch, failing):
    (tmp_path / "a").write_bytes(b"old")

    def fail(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(*((os, "fsync") if failing == "fsync" else (Path, "replace")), fail)
    with pytest.raises(OSError, match="No space left"):
        write_atomically(tmp_path / "a", b"new")
    assert (tmp_path / "a").read_bytes() == b"old"
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_lines_are_appended_and_a_torn_one_is_ended_first(tmp_path):
    path = tmp_path / "log"
    append_line(path, b"one")
    append_line(path, b"two")
    assert path.read_bytes() == b"one\ntwo\n"
    path.write_bytes(b"one\ntw")
    append_line(path, b"three")
    assert path.read_bytes() == b"one\ntw\nthree\n"


def test_only_what_writers_left_is_swept_away(tmp_path):
    (tmp_path / ".weights.writing-77").write_bytes(b"half")
    (tmp_path / "weights").write_bytes(b"whole")
    (tmp_path / ".lock").write_bytes(b"")
    remove_unfinished(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == [".lock", "weights"]
    remove_unfinished(tmp_path / "absent")
