"""Pictures from a folder or archive that holds `train/<class>/*.png|jpg` and `test/<class>/*`."""

import hashlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.data import archives, cache
from core.data.archives import Member, Parts
from core.data.cache import Decoded
from core.data.dataset import Dataset, Split
from core.errors import DataError, ImageError
from core.image import MAX_BYTES, fit_square, read_image

MAX_PICTURES = 100_000
"""In train and test together; while they are decoded, these take about 600 MB of memory."""
SUFFIXES = (".png", ".jpg", ".jpeg")
LAYOUT = "lay the pictures out as train/<class>/*.png|jpg and test/<class>/*.png|jpg"

Progress = Callable[[int, int | None], None]
"""Called with the pictures decoded so far, and with how many there are if that is known."""

_TELL_EVERY = 200  # pictures
_PARTS = ("train", "test")


def load_folder(path: Path, root: Path, name: str, progress: Progress | None = None) -> Dataset:
    """The dataset at `path`, decoded under `root` unless that was done since it last changed.

    Pictures are cropped to their central square and resized to 32×32; classes are the folders' names, sorted,
    and pictures are in the order of their names, so that folder and archive give the same dataset.
    `DataError` names the file at fault and the remedy.
    """
    path = path.absolute()
    source = hashlib.sha256(str(path).encode()).hexdigest()[:10]
    return cache.load_or_decode(
        root,
        f"folder_{source}-{_state(path)}",
        lambda: _decode(path, progress),
        name=name,
        title=f"{name} (folder)",
    )


def is_folder_dataset(path: Path) -> bool:
    """Whether `path` is a folder that holds train/ and test/."""
    return all((path / part).is_dir() for part in _PARTS)


def _state(path: Path) -> str:
    """What changes whenever the pictures may have: names, sizes and times of change."""
    try:
        if path.is_dir():
            members = archives.walk(path, _is_wanted)
            state = repr([(member.parts, member.size, member.changed) for member in members])
        else:
            status = path.stat()
            state = repr((status.st_size, status.st_mtime_ns))
    except FileNotFoundError:
        raise DataError(f"{path} is not there; check the path, or put it back") from None
    except OSError as error:
        raise DataError(f"{path} cannot be read ({error.strerror}); allow reading it") from None
    return hashlib.sha256(state.encode()).hexdigest()[:16]


def _is_wanted(parts: Parts) -> bool:
    """Whether a dataset may have a folder or picture at this place."""
    if not parts or any(part.startswith((".", "__MACOSX")) for part in parts):
        return False
    return len(parts) == 1 or (len(parts) <= 4 and len(_inside(parts)) in (1, 2, 3))


def _inside(parts: Parts) -> Parts:
    """The place from train/ or test/ on, if that is the first or second folder."""
    for start in (0, 1):
        if parts[start : start + 1] and parts[start] in _PARTS:
            return parts[start:]
    return ()


def _decode(path: Path, progress: Progress | None) -> Decoded:
    members, total = archives.read_members(path, _is_wanted)
    found = _Found(path)
    for member in members:
        found.take(member)
        if progress and not member.is_folder and len(found.pictures) % _TELL_EVERY == 0:
            progress(len(found.pictures), total)
    decoded = found.sort()
    if progress:
        count = len(decoded.train) + len(decoded.test)
        progress(count, count)
    return decoded


class _Found:
    """What a folder or archive was found to hold, so far."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._tops: set[Parts] = set()
        self._classes: dict[str, set[str]] = {part: set() for part in _PARTS}
        self.pictures: dict[Parts, NDArray[np.uint8]] = {}
        """(32, 32, 3) each, by part, class and file name."""

    def take(self, member: Member) -> None:
        """Note the member's class, and decode it if it is a picture."""
        inside = _inside(member.parts)
        if not inside:
            return
        self._tops.add(member.parts[: -len(inside)])
        if len(inside) == 3 or (len(inside) == 2 and member.is_folder):
            self._classes[inside[0]].add(inside[1])
        if len(inside) == 3 and not member.is_folder and inside[2].lower().endswith(SUFFIXES):
            if len(self.pictures) == MAX_PICTURES:
                raise DataError(f"{self._path} has more than {MAX_PICTURES:,} pictures; take some out")
            self.pictures[inside] = self._decode(member)

    def _decode(self, member: Member) -> NDArray[np.uint8]:
        place = f"{self._path}: {'/'.join(member.parts)}"
        if member.size > MAX_BYTES:
            raise DataError(
                f"{place} has {member.size / 1e6:.1f} MB, at most {MAX_BYTES // 1_000_000} are read; "
                "make it smaller"
            )
        try:
            return fit_square(read_image(member.read()))
        except ImageError as error:
            raise DataError(f"{place}: {error} Or take it out of the dataset.") from None
        except OSError as error:
            raise DataError(
                f"{place} cannot be read ({error.strerror}); allow reading it or take it out"
            ) from None

    def sort(self) -> Decoded:
        """Both splits by class and file name, once they are known to be complete."""
        self._check()
        classes = tuple(sorted(self._classes["train"]))
        train, test = (self._split(part, classes) for part in _PARTS)
        return Decoded(classes=classes, train=train, test=test)

    def _split(self, part: str, classes: tuple[str, ...]) -> Split:
        places = sorted(place for place in self.pictures if place[0] == part)
        labels = np.array([classes.index(place[1]) for place in places], np.int64)
        return Split(images=np.stack([self.pictures.pop(place) for place in places]), labels=labels)

    def _check(self) -> None:
        """`DataError` unless train and test have the same two or more classes, and pictures of each."""
        for part in _PARTS:
            if not self._classes[part]:
                raise DataError(f"{self._path}: there is no class in {part}/; {LAYOUT}")
        if len(self._tops) > 1:
            tops = " and ".join(sorted("/".join(top) or "the top" for top in self._tops))
            raise DataError(
                f"{self._path}: there are train/ or test/ folders in {tops}; keep those in one place"
            )
        for part, other in (_PARTS, _PARTS[::-1]):
            for name in sorted(self._classes[part] - self._classes[other]):
                raise DataError(
                    f"{self._path}: class {name} is in {part}/ but not in {other}/; give it a folder in both"
                )
        if len(self._classes["train"]) == 1:
            (only,) = self._classes["train"]
            raise DataError(
                f"{self._path}: there is one class, {only}, but two or more are needed; add another"
            )
        filled = {place[:2] for place in self.pictures}
        for part in _PARTS:
            for name in sorted(self._classes[part]):
                if (part, name) not in filled:
                    raise DataError(
                        f"{self._path}: {part}/{name} holds no PNG or JPEG picture; put some in or remove it"
                    )
