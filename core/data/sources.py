"""Which datasets there are under a data folder, and loading one by its name.

A data folder holds whatever there is of these: the official CIFAR-10 archive, folders and archives of
pictures, `sources.json` with the places of others, and `cache/` with what was decoded.
"""

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock

from core.data import archives, cache, cifar10, shapes
from core.data.dataset import Dataset
from core.data.folder import Progress, is_folder_dataset, load_folder
from core.errors import DataError
from core.files import write_atomically

_SHAPES_TITLE = "Shapes (built-in stand-in)"
_BUILT_IN = ("cifar10", "shapes")
_LONGEST_NAME = 60


@dataclass(frozen=True, slots=True)
class DatasetSource:
    """A dataset that can be loaded, now or once its pictures are there."""

    name: str
    title: str
    path: Path | None
    """Of the folder or archive; None where the pictures are downloaded or drawn."""
    is_ready: bool
    is_stand_in: bool = False


def load(name: str, root: Path, progress: Progress | None = None) -> Dataset:
    """The dataset called `name`, decoded into `root`/cache the first time and memory-mapped from then on.

    `progress` hears how many pictures of a folder or archive are decoded. `DataError` where there is no such
    dataset, or it is missing, damaged, incomplete or cannot be cached.
    """
    if name == "cifar10":
        return cifar10.load_cifar10(root)
    if name == "shapes":
        return cache.load_or_decode(
            root,
            f"shapes-{shapes.VERSION}",
            shapes.draw_shapes,
            name=name,
            title=_SHAPES_TITLE,
            is_stand_in=True,
        )
    paths = _find_folders(root)
    if name not in paths:
        raise DataError(f"{name}: there is no such dataset; choose one of {', '.join((*_BUILT_IN, *paths))}")
    return load_folder(paths[name], root, name, progress)


def available(root: Path) -> tuple[DatasetSource, ...]:
    """Every dataset that can be loaded, now or once it is downloaded or put back, the best first."""
    folders = (
        DatasetSource(name=name, title=f"{name} (folder)", path=path, is_ready=path.exists())
        for name, path in _find_folders(root).items()
    )
    official = DatasetSource(name="cifar10", title=cifar10.TITLE, path=None, is_ready=cifar10.is_ready(root))
    stand_in = DatasetSource(name="shapes", title=_SHAPES_TITLE, path=None, is_ready=True, is_stand_in=True)
    return official, *folders, stand_in


def default_name(root: Path) -> str:
    """The first dataset that is ready: CIFAR-10, else a folder or archive, else the stand-in."""
    return next(source.name for source in available(root) if source.is_ready)


def register_folder(path: Path, root: Path, progress: Progress | None = None) -> str:
    """Decode the folder or archive at `path`, remember it under `root`, and return the name it got.

    The name is the file's, made unique; a path that is known already keeps its own. `DataError` as in `load`.
    """
    path = path.absolute()
    known = _find_folders(root)
    for name, other in known.items():
        if other == path:
            load_folder(path, root, name, progress)
            return name
    load_folder(path, root, _choose_name(path, known), progress)
    with FileLock(root / "sources.lock"):
        registered = _read_registered(root)
        name = _choose_name(path, _find_folders(root))
        listing = {**{other: str(place) for other, place in registered.items()}, name: str(path)}
        write_atomically(root / "sources.json", json.dumps({"folders": listing}, indent=2).encode())
    return name


def _find_folders(root: Path) -> dict[str, Path]:
    """Places by name: first those registered, then what lies in `root` itself."""
    found = _read_registered(root)
    for entry in sorted(root.iterdir()) if root.is_dir() else ():
        is_dataset = entry.is_file() and archives.is_archive(entry) and entry.name != cifar10.ARCHIVE
        if (is_dataset or is_folder_dataset(entry)) and entry.absolute() not in found.values():
            found[_choose_name(entry, found)] = entry.absolute()
    return found


def _read_registered(root: Path) -> dict[str, Path]:
    listing = root / "sources.json"
    try:
        folders = json.loads(listing.read_bytes())["folders"]
        return {str(name): Path(place) for name, place in folders.items()}
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        raise DataError(
            f"{listing} cannot be read as a list of folders; delete it and add the folders again"
        ) from None


def _choose_name(path: Path, taken: Iterable[str]) -> str:
    """The file's name in letters, digits, dots and dashes, with a number where it is taken."""
    wished = re.sub(r"[^\w.]+", "-", archives.stem(path)).strip("-.")[:_LONGEST_NAME] or "pictures"
    used = {*_BUILT_IN, *taken}
    numbered = (f"{wished}-{number}" for number in range(2, len(used) + 3))
    return wished if wished not in used else next(name for name in numbered if name not in used)
