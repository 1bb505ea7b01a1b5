"""The files of a folder, a zip or a tar, one after the other, without unpacking anything to disk."""

import gzip
import lzma
import os
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath
from typing import IO, cast

from core.errors import DataError

SUFFIXES = (".zip", ".tar", ".tar.gz", ".tgz", ".tar.xz", ".txz")

_BROKEN_ZIP = (zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, RuntimeError)
_BROKEN_TAR = (tarfile.TarError, zlib.error, lzma.LZMAError, EOFError, gzip.BadGzipFile)

Parts = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Member:
    """A file or folder, by its place inside the folder or archive."""

    parts: Parts
    is_folder: bool
    size: int
    """Bytes; 0 for a folder."""
    changed: int
    """Nanoseconds since 1970, for a file that is not in an archive; otherwise 0."""
    read: Callable[[], bytes]
    """The file's content; to be called before the next member is asked for."""


def is_archive(path: Path) -> bool:
    """Whether the file's name says that it is an archive that can be read."""
    return path.name.lower().endswith(SUFFIXES)


def stem(path: Path) -> str:
    """The name without what says that it is an archive: "flowers" of "flowers.tar.xz"."""
    ending = max((suffix for suffix in SUFFIXES if path.name.lower().endswith(suffix)), key=len, default="")
    return path.name[: len(path.name) - len(ending)]


def read_members(path: Path, is_wanted: Callable[[Parts], bool]) -> tuple[Iterator[Member], int | None]:
    """The members at wanted places in the folder or archive `path`, and their number if known beforehand.

    What lies below a folder that is not wanted is not looked at. Places that are absolute or lead out of the
    archive are left out, and links in a tar are not followed. `DataError`, at once or while reading, where
    there is nothing, something else than an archive, or one that is damaged or cut off.
    """
    if path.is_dir():
        members = list(walk(path, is_wanted))
        return iter(members), sum(not member.is_folder for member in members)
    if not path.is_file():
        raise DataError(f"{path} is not there; check the path")
    if not is_archive(path):
        raise DataError(f"{path} must be a folder or one of {', '.join(SUFFIXES)}; pack it as one of these")
    if path.name.lower().endswith(".zip"):
        return _read_zip(path, is_wanted)
    return _read_tar(path, is_wanted), None


def walk(folder: Path, is_wanted: Callable[[Parts], bool], above: Parts = ()) -> Iterator[Member]:
    """The wanted members of `folder`, by name, each folder before what it holds."""
    with os.scandir(folder) as entries:
        found = sorted(entries, key=lambda entry: entry.name)
    for entry in found:
        parts = (*above, entry.name)
        if not is_wanted(parts):
            continue
        if entry.is_dir():
            yield Member(parts=parts, is_folder=True, size=0, changed=0, read=bytes)
            yield from walk(Path(entry.path), is_wanted, parts)
        elif entry.is_file():
            status = entry.stat()
            yield Member(
                parts=parts,
                is_folder=False,
                size=status.st_size,
                changed=status.st_mtime_ns,
                read=partial(_read_file, entry.path),
            )


def _read_file(path: str) -> bytes:
    return Path(path).read_bytes()  # 60,000 paths take long to make, and often only the listing is needed


def _read_zip(path: Path, is_wanted: Callable[[Parts], bool]) -> tuple[Iterator[Member], int]:
    try:
        archive = zipfile.ZipFile(path)
    except (*_BROKEN_ZIP, OSError) as error:
        raise _damaged(path, error) from None
    wanted = [info for info in archive.infolist() if is_wanted(_place(info.filename))]
    return _unzip_each(path, archive, wanted), sum(not info.is_dir() for info in wanted)


def _unzip_each(path: Path, archive: zipfile.ZipFile, wanted: list[zipfile.ZipInfo]) -> Iterator[Member]:
    with archive:
        for info in wanted:
            read = partial(_unzip, path, archive, info)
            yield Member(
                parts=_place(info.filename),
                is_folder=info.is_dir(),
                size=info.file_size,
                changed=0,
                read=read,
            )


def _unzip(path: Path, archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> bytes:
    try:
        with archive.open(info) as file:
            return file.read(info.file_size)  # never more than was announced, and checked, beforehand
    except (*_BROKEN_ZIP, OSError) as error:
        raise _damaged(path, error, info.filename) from None


def _read_tar(path: Path, is_wanted: Callable[[Parts], bool]) -> Iterator[Member]:
    """In one pass, as xz cannot go back; `tarfile` alone would take much damage for the archive's end."""
    name = ""
    try:
        with _open_tar_file(path) as file:
            watched = _WatchedStream(file)
            with tarfile.open(fileobj=cast(IO[bytes], watched), mode="r|") as archive:
                for info in archive:
                    name = info.name
                    parts = _place(name)
                    if (info.isfile() or info.isdir()) and is_wanted(parts):
                        read = partial(_untar, path, archive, info)
                        yield Member(
                            parts=parts, is_folder=info.isdir(), size=info.size, changed=0, read=read
                        )
                members_end = archive.offset
            while watched.read(1 << 20):
                pass
    except _BROKEN_TAR as error:
        raise _damaged(path, error, name) from None
    if watched.last_filled > members_end or watched.size <= members_end:
        raise _damaged(path, "a tar ends differently", name)


def _open_tar_file(path: Path) -> IO[bytes]:
    lower = path.name.lower()
    if lower.endswith((".gz", ".tgz")):
        return cast(IO[bytes], gzip.open(path))
    return cast(IO[bytes], lzma.open(path)) if lower.endswith((".xz", ".txz")) else path.open("rb")


class _WatchedStream:
    """A stream that notes its size and where its last byte that is not zero ends."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self.size = 0
        self.last_filled = 0

    def read(self, size: int) -> bytes:
        chunk = self._stream.read(size)
        filled = len(chunk.rstrip(b"\0"))
        if filled:
            self.last_filled = self.size + filled
        self.size += len(chunk)
        return chunk


def _untar(path: Path, archive: tarfile.TarFile, info: tarfile.TarInfo) -> bytes:
    try:
        file = archive.extractfile(info)
        return file.read() if file else b""
    except _BROKEN_TAR as error:
        raise _damaged(path, error, info.name) from None


def _place(name: str) -> Parts:
    parts = PurePosixPath(name.replace("\\", "/")).parts
    return () if ".." in parts or parts[:1] == ("/",) else parts


def _damaged(path: Path, reason: object, member: str = "") -> DataError:
    where = f" at {member}" if member else ""
    return DataError(f"{path} is damaged or cut off{where} ({reason}); copy or pack it again")
