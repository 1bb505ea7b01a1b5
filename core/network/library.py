"""Networks saved under a name: one JSON file each in a folder, read as data from anyone.

The name that a person gives is the network's own; the file is called after a plain key made from it.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from core.errors import SpecError
from core.files import write_atomically
from core.network.spec import NetworkSpec
from core.spec import MAX_LINK_BYTES, from_json, to_json

KEY = re.compile(r"[a-z0-9][a-z0-9_]{0,59}")


@dataclass(frozen=True, slots=True)
class SavedNetwork:
    """One file of the library."""

    key: str
    """The file's name without its ending."""
    network: NetworkSpec | None
    """None if the file is damaged."""
    problem: str = ""
    """What is wrong with a damaged file, and what to do."""


def save_network(spec: NetworkSpec, name: str, folder: Path) -> str:
    """Keep `spec` as `name`, in place of one saved under the same name before; return its key.

    `SpecError` for a name that no network can have, or where nothing can be written.
    """
    named = replace(spec, name=name.strip())
    key = _key_for(named.name, folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        write_atomically(folder / f"{key}.json", to_json(named).encode())
    except OSError as error:
        reason = error.strerror or str(error)
        raise SpecError(
            f"{folder}: cannot save there ({reason}); free space or choose another folder"
        ) from None
    return key


def list_networks(folder: Path) -> tuple[SavedNetwork, ...]:
    """Every network in `folder`, by name, the damaged with their problem; none without the folder."""
    saved = [_read(path) for path in folder.glob("*.json") if KEY.fullmatch(path.stem)]
    return tuple(sorted(saved, key=lambda each: (each.network.name if each.network else each.key).casefold()))


def load_network(key: str, folder: Path) -> NetworkSpec:
    """The network saved as `key`; `SpecError` if there is none or its file is damaged."""
    saved = _read(_path(key, folder))
    if saved.network is None:
        raise SpecError(saved.problem)
    return saved.network


def delete_network(key: str, folder: Path) -> None:
    """Delete the network saved as `key`, if it is still there; `SpecError` if it cannot be deleted."""
    path = _path(key, folder)
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise SpecError(f"{path}: cannot be deleted ({error.strerror}); delete it by hand") from None


def _path(key: str, folder: Path) -> Path:
    if not KEY.fullmatch(key):
        raise SpecError(f"a saved network's key is made of a to z, digits and underscores, got {key[:60]!r}")
    return folder / f"{key}.json"


def _read(path: Path) -> SavedNetwork:
    try:
        with path.open("rb") as file:
            text = file.read(MAX_LINK_BYTES + 1)
        if len(text) > MAX_LINK_BYTES:
            raise SpecError(f"a network takes at most {MAX_LINK_BYTES:,} bytes")
        return SavedNetwork(path.stem, from_json(NetworkSpec, text))
    except OSError as error:
        problem = f"cannot be read ({error.strerror})"
    except SpecError as error:
        problem = str(error)
    return SavedNetwork(path.stem, None, f"{path.name}: {problem}; delete it or put a good copy in its place")


def _key_for(name: str, folder: Path) -> str:
    """The key of the network called `name`, or a new one where none is called so yet."""
    for key in _keys_like(name):
        path = folder / f"{key}.json"
        if not path.exists():
            return key
        there = _read(path).network
        if there is not None and there.name == name:
            return key
    raise AssertionError("unreachable")


def _keys_like(name: str) -> Iterator[str]:
    """Keys made from `name`, without end: the plain one, then numbered ones."""
    stem = re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")[:50] or "network"
    yield stem
    turn = 2
    while True:
        yield f"{stem}_{turn}"
        turn += 1
