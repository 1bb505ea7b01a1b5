"""The official CIFAR-10: downloaded on request, checked, and read by torchvision.

Only `cifar-10-python.tar.gz` has to lie in the data folder, or the `cifar-10-batches-py` that torchvision
unpacks from it; once decoded, not even that.
"""

import hashlib
import shutil
import tarfile
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import numpy as np
from filelock import FileLock, Timeout

from core.data import cache
from core.data.cache import Decoded
from core.data.dataset import Dataset, Split
from core.errors import DataError, DownloadError

if TYPE_CHECKING:
    from torchvision.datasets import CIFAR10  # type: ignore[import-untyped]

TITLE = "CIFAR-10 (official archive)"
ARCHIVE = "cifar-10-python.tar.gz"

_UNPACKED = "cifar-10-batches-py"
_KEY = "cifar10-1"
_CHUNK = 1 << 18  # bytes
_PATIENCE = 30  # seconds without a byte
_COMPLETE = 416  # HTTP: the range that was asked for begins at or after the end


@dataclass(frozen=True, slots=True)
class DownloadProgress:
    """How far a download is."""

    bytes_done: int
    """Including those that an earlier, broken download left."""
    bytes_total: int | None
    """None where the server does not say."""


def is_ready(root: Path) -> bool:
    """Whether `load_cifar10` finds what it needs under `root`, without a download."""
    return cache.is_cached(root, _KEY) or (root / ARCHIVE).is_file() or (root / _UNPACKED).is_dir()


def load_cifar10(root: Path, *, reader: "type[CIFAR10] | None" = None) -> Dataset:
    """CIFAR-10 from the archive under `root`; `DataError` where it is missing or not what was published.

    `reader` is torchvision's class, or one of its kind with other checksums.
    """
    return cache.load_or_decode(
        root, _KEY, lambda: _decode(root, reader or _official_reader()), name="cifar10", title=TITLE
    )


def download(
    root: Path, *, url: str | None = None, reader: "type[CIFAR10] | None" = None
) -> Iterator[DownloadProgress]:
    """Fetch the official archive into `root`, telling its progress; `load_cifar10` can use it when this ends.

    What arrived before a break is kept in a `.part` file, and the next call goes on from there if the server
    can. `url` is another place to get the same archive from. `DownloadError` where nothing can be fetched,
    the connection breaks, another process is downloading already, or the checksum is wrong.
    """
    reader = reader or _official_reader()
    url = url or reader.url
    if not url.startswith(("https://", "http://")):
        raise DownloadError(f"the address must begin with https:// or http://, got {url}")
    root.mkdir(parents=True, exist_ok=True)
    archive, part = root / ARCHIVE, root / f"{ARCHIVE}.part"
    # A generator may be continued by another thread than the one that began it.
    lock = FileLock(root / "cifar10.lock", thread_local=False)
    try:
        held = lock.acquire(timeout=0)
    except Timeout:
        raise DownloadError(
            f"CIFAR-10 is being downloaded into {root} already; wait until that is done"
        ) from None
    with held:
        if archive.is_file() and _md5(archive) == reader.tgz_md5:
            return
        yield from _fetch(url, part)
        found = _md5(part)
        if found != reader.tgz_md5:
            part.unlink()
            raise DownloadError(
                f"what arrived from {url} is not the official CIFAR-10: its MD5 must be {reader.tgz_md5}, "
                f"got {found}; it was removed, download it again"
            )
        part.replace(archive)


def _official_reader() -> "type[CIFAR10]":
    from torchvision.datasets import CIFAR10  # takes seconds, and pages need only the rest of this module

    reader: type[CIFAR10] = CIFAR10
    return reader


def _fetch(url: str, part: Path) -> Iterator[DownloadProgress]:
    """Bring `part` to its full length."""
    done, total = part.stat().st_size if part.is_file() else 0, None
    request = Request(url, headers={"Range": f"bytes={done}-"} if done else {})
    try:
        with urlopen(request, timeout=_PATIENCE) as response:
            if not str(response.headers["Content-Range"]).startswith(f"bytes {done}-"):
                done = 0  # a server that does not know ranges sends everything
            length = response.headers["Content-Length"]
            total = done + int(length) if length else None
            with part.open("ab" if done else "wb") as file:
                while chunk := response.read(_CHUNK):
                    file.write(chunk)
                    done += len(chunk)
                    yield DownloadProgress(done, total)
    except HTTPError as error:
        if error.code != _COMPLETE:
            raise DownloadError(
                f"{url} answers {error.code} {error.reason}; try again later or elsewhere"
            ) from None
    except (OSError, HTTPException) as error:
        raise _stopped(url, done, total, str(getattr(error, "reason", error))) from None
    if total is not None and done < total:
        raise _stopped(url, done, total, "the connection was closed")


def _stopped(url: str, done: int, total: int | None, reason: str) -> DownloadError:
    size = f" of {total / 1e6:.1f}" if total else ""
    return DownloadError(
        f"the download from {url} stopped at {done / 1e6:.1f}{size} MB ({reason}); "
        "what arrived is kept, so check the connection and start it again"
    )


def _md5(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()


def _decode(root: Path, reader: "type[CIFAR10]") -> Decoded:
    archive = root / ARCHIVE
    if not archive.is_file():
        if not (root / _UNPACKED).is_dir():
            raise DataError(
                f"CIFAR-10 is not in {root}; download it on the Home page, or put {ARCHIVE} there"
            )
        return _read(root, reader)
    found = _md5(archive)
    if found != reader.tgz_md5:
        raise DataError(
            f"{archive} is not the official archive: its MD5 must be {reader.tgz_md5}, got {found}; "
            "delete it and download it again"
        )
    with tempfile.TemporaryDirectory(dir=root, prefix=".unpacking-") as scratch:
        _unpack(archive, Path(scratch), reader)
        return _read(Path(scratch), reader)


def _unpack(archive: Path, folder: Path, reader: "type[CIFAR10]") -> None:
    """Only the files that torchvision reads, by their known names."""
    (folder / reader.base_folder).mkdir()
    names = [name for name, _ in (*reader.train_list, *reader.test_list)] + [reader.meta["filename"]]
    with tarfile.open(archive) as members:
        for name in names:
            member = members.extractfile(f"{reader.base_folder}/{name}")
            if member:
                with (folder / reader.base_folder / name).open("wb") as file:
                    shutil.copyfileobj(member, file)


def _read(folder: Path, reader: "type[CIFAR10]") -> Decoded:
    """The batches are pickles, which could run any code when they are read. That is acceptable here only
    because torchvision compares the MD5 of each with the published one first: they are the authors' files.
    """
    try:
        train, test = reader(str(folder), train=True), reader(str(folder), train=False)
    except (RuntimeError, OSError) as error:
        raise DataError(
            f"{folder / reader.base_folder} is incomplete or damaged ({error}); "
            "delete it and download CIFAR-10 again"
        ) from None
    splits = [
        Split(images=np.ascontiguousarray(part.data), labels=np.array(part.targets, np.int64))
        for part in (train, test)
    ]
    return Decoded(classes=tuple(train.classes), train=splits[0], test=splits[1])
