"""Networks saved under a name, as `core.saved` keeps them."""

from dataclasses import dataclass
from pathlib import Path

from core.network.spec import NetworkSpec
from core.saved import SpecFolder


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
    return _networks(folder).save(spec, name)


def list_networks(folder: Path) -> tuple[SavedNetwork, ...]:
    """Every network in `folder`, by name, the damaged with their problem; none without the folder."""
    return tuple(SavedNetwork(each.key, each.spec, each.problem) for each in _networks(folder).list())


def load_network(key: str, folder: Path) -> NetworkSpec:
    """The network saved as `key`; `SpecError` if there is none or its file is damaged."""
    return _networks(folder).load(key)


def delete_network(key: str, folder: Path) -> None:
    """Delete the network saved as `key`, if it is still there; `SpecError` if it cannot be deleted."""
    _networks(folder).delete(key)


def _networks(folder: Path) -> SpecFolder[NetworkSpec]:
    return SpecFolder(NetworkSpec, "a network", folder)
