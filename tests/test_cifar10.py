"""The official CIFAR-10 from a server on this machine: whole, broken off, resumed, wrong, and not at all."""

import hashlib
import pickle
import tarfile
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from filelock import FileLock
from torchvision.datasets import CIFAR10

from core.data import default_name
from core.data.cifar10 import ARCHIVE, download, is_ready, load_cifar10
from core.errors import DataError, DownloadError
from tests.pictures import pictures

NAMES = ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"]
BATCHES = ("data_batch_1", "data_batch_2", "test_batch")
LABELS = {"data_batch_1": [6, 9, 0, 1], "data_batch_2": [3, 3, 2, 5], "test_batch": [8, 4, 7]}


def as_published(value: object) -> bytes:
    """A pickle as Python 2 and the NumPy of 2009 wrote it."""
    written = pickle.dumps(value, protocol=2)
    return written.replace(b"numpy._core", b"numpy.core").replace(b"\x89\x88\x87", b"K\x00K\x01\x87")


def batch_images(name: str) -> np.ndarray[Any, Any]:
    return pictures(len(LABELS[name]), seed=BATCHES.index(name))


@pytest.fixture(scope="session")
def official() -> tuple[bytes, type[CIFAR10]]:
    """A small archive in the layout of the official one, and torchvision's class with its checksums."""
    files = {"batches.meta": as_published({"label_names": NAMES})}
    for name in BATCHES:
        rows = batch_images(name).transpose(0, 3, 1, 2).reshape(-1, 3072)
        files[name] = as_published({"data": np.ascontiguousarray(rows), "labels": LABELS[name]})
    packed = BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        for name, content in files.items():
            info = tarfile.TarInfo(f"cifar-10-batches-py/{name}")
            info.size = len(content)
            archive.addfile(info, BytesIO(content))
    sums = {name: hashlib.md5(content).hexdigest() for name, content in files.items()}

    class Small(CIFAR10):
        tgz_md5 = hashlib.md5(packed.getvalue()).hexdigest()
        train_list = [[name, sums[name]] for name in BATCHES[:2]]  # noqa: RUF012
        test_list = [["test_batch", sums["test_batch"]]]  # noqa: RUF012
        meta = {"filename": "batches.meta", "key": "label_names", "md5": sums["batches.meta"]}  # noqa: RUF012

    return packed.getvalue(), Small


class Server(ThreadingHTTPServer):
    """Serves `content`; notes the ranges that it is asked for."""

    content = b""
    knows_ranges = True
    breaks_after: int | None = None
    """Bytes of the body, after which the connection is closed."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answer)
        self.ranges: list[str | None] = []
        self.url = f"http://127.0.0.1:{self.server_port}/{ARCHIVE}"


class Answer(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        asked = self.headers["Range"]
        self.server.ranges.append(asked)
        content, start = self.server.content, 0
        if asked and self.server.knows_ranges:
            start = int(asked.removeprefix("bytes=").removesuffix("-"))
            if start >= len(content):
                self.send_error(416)
                return
            self.send_response(206)
            self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
        else:
            self.send_response(200)
        self.send_header("Content-Length", str(len(content) - start))
        self.end_headers()
        self.wfile.write(content[start:][: self.server.breaks_after])

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def server(official, monkeypatch) -> Iterator[Server]:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with Server() as server:
        server.content = official[0]
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def fetch(server, official, tmp_path):
    """Download from the server to the end; gives what was told."""
    return lambda: list(download(tmp_path, url=server.url, reader=official[1]))


def part_of(root: Path) -> Path:
    return root / f"{ARCHIVE}.part"


def test_a_download_can_be_loaded(fetch, official, tmp_path) -> None:
    assert not is_ready(tmp_path)
    progress = fetch()
    size = len(official[0])
    assert (progress[-1].bytes_done, progress[-1].bytes_total) == (size, size)
    assert is_ready(tmp_path)
    assert default_name(tmp_path) == "cifar10"
    dataset = load_cifar10(tmp_path, reader=official[1])
    assert dataset.classes == tuple(NAMES)
    assert dataset.title == "CIFAR-10 (official archive)"
    expected = np.concatenate([batch_images("data_batch_1"), batch_images("data_batch_2")])
    np.testing.assert_array_equal(dataset.train.images, expected)
    np.testing.assert_array_equal(dataset.test.images, batch_images("test_batch"))
    assert dataset.train.labels.tolist() == LABELS["data_batch_1"] + LABELS["data_batch_2"]
    assert dataset.test.labels.tolist() == LABELS["test_batch"]


def test_once_decoded_the_archive_may_go(fetch, official, tmp_path) -> None:
    fetch()
    first = load_cifar10(tmp_path, reader=official[1])
    (tmp_path / ARCHIVE).unlink()
    assert is_ready(tmp_path)
    assert load_cifar10(tmp_path).fingerprint == first.fingerprint


def test_a_second_download_fetches_nothing(fetch, server) -> None:
    fetch()
    assert fetch() == []
    assert len(server.ranges) == 1


def test_a_broken_download_goes_on_where_it_stopped(fetch, server, official, tmp_path) -> None:
    server.breaks_after = 1_000
    with pytest.raises(
        DownloadError, match=r"stopped at 0\.0 of .* MB \(the connection was closed\); what arrived is"
    ):
        fetch()
    assert not is_ready(tmp_path)
    assert part_of(tmp_path).read_bytes() == official[0][:1_000]
    server.breaks_after = None
    progress = fetch()
    assert server.ranges == [None, "bytes=1000-"]
    assert progress[0].bytes_done > 1_000
    assert progress[-1].bytes_total == len(official[0])
    assert (tmp_path / ARCHIVE).read_bytes() == official[0]
    assert not part_of(tmp_path).exists()


def test_a_server_without_ranges_starts_over(fetch, server, official, tmp_path) -> None:
    part_of(tmp_path).write_bytes(official[0][:700])
    server.knows_ranges = False
    progress = fetch()
    assert server.ranges == ["bytes=700-"]
    assert progress[-1].bytes_total == len(official[0])
    assert (tmp_path / ARCHIVE).read_bytes() == official[0]


def test_all_had_arrived_before_the_break(fetch, official, tmp_path) -> None:
    part_of(tmp_path).write_bytes(official[0])
    assert fetch() == []
    assert (tmp_path / ARCHIVE).read_bytes() == official[0]


@pytest.mark.parametrize("left_over", [b"", b"left from another file", b"x" * 100_000])
def test_other_content_is_removed_and_never_used(fetch, server, official, tmp_path, left_over) -> None:
    part_of(tmp_path).write_bytes(left_over)
    server.content = official[0] if left_over else official[0][:-1] + b"x"
    with pytest.raises(
        DownloadError, match=r"is not the official CIFAR-10: its MD5 must be .* it was removed"
    ):
        fetch()
    assert not is_ready(tmp_path)
    assert not part_of(tmp_path).exists()
    server.content = official[0]
    fetch()
    assert is_ready(tmp_path)


def test_a_server_that_is_down(official, tmp_path) -> None:
    with Server() as stopped:
        url = stopped.url
    with pytest.raises(DownloadError, match=r"stopped at 0.0 MB .*refused.* start it again"):
        list(download(tmp_path, url=url, reader=official[1]))
    assert not is_ready(tmp_path)


def test_a_page_that_is_not_there(server, official, tmp_path) -> None:
    server.RequestHandlerClass = Missing
    with pytest.raises(DownloadError, match="answers 404 Not Found; try again later or elsewhere"):
        list(download(tmp_path, url=server.url, reader=official[1]))


class Missing(Answer):
    def do_GET(self) -> None:
        self.send_error(404)


def test_only_the_web_is_downloaded_from(official, tmp_path) -> None:
    with pytest.raises(DownloadError, match="must begin with https"):
        list(download(tmp_path, url="file:///etc/passwd", reader=official[1]))


def test_two_servers_do_not_download_at_once(fetch, server, tmp_path) -> None:
    with (
        FileLock(tmp_path / "cifar10.lock"),
        pytest.raises(DownloadError, match=r"is being downloaded .* wait"),
    ):
        fetch()
    assert server.ranges == []


def test_a_page_that_turns_away_lets_another_download(server, official, tmp_path, fetch) -> None:
    left = download(tmp_path, url=server.url, reader=official[1])
    next(left)
    left.close()
    fetch()
    assert is_ready(tmp_path)


def test_nothing_is_there(tmp_path) -> None:
    with pytest.raises(DataError, match=f"download it on the Home page, or put {ARCHIVE} there"):
        load_cifar10(tmp_path)


def test_an_archive_that_was_put_there_is_checked(official, tmp_path) -> None:
    (tmp_path / ARCHIVE).write_bytes(official[0][:-50])
    with pytest.raises(DataError, match=r"is not the official archive: its MD5 must be .* delete it"):
        load_cifar10(tmp_path, reader=official[1])


def test_what_torchvision_unpacked_is_read_and_checked(official, tmp_path) -> None:
    with tarfile.open(fileobj=BytesIO(official[0])) as archive:
        archive.extractall(tmp_path, filter="data")
    batch = tmp_path / "cifar-10-batches-py/data_batch_2"
    whole = batch.read_bytes()
    batch.write_bytes(whole[:-1] + b"x")
    with pytest.raises(
        DataError, match=r"cifar-10-batches-py is incomplete or damaged .* download CIFAR-10 again"
    ):
        load_cifar10(tmp_path, reader=official[1])
    batch.write_bytes(whole)
    assert len(load_cifar10(tmp_path, reader=official[1]).train) == 8
