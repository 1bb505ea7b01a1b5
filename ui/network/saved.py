"""The networks that one can start from: the presets, and those saved under a name on this machine."""

from collections.abc import Mapping
from pathlib import Path

import streamlit as st

from core.errors import SizingError
from core.network import NetworkSizing, NetworkSpec, presets, size_network
from core.network.library import SavedNetwork, list_networks
from ui import paths

PREFIX = "saved_"
"""Sets a saved network's key apart from those of the presets."""


def folder() -> Path:
    """Where saved networks are."""
    return paths.DATA / "networks"


def saved_networks() -> tuple[SavedNetwork, ...]:
    """The saved networks, the damaged ones with their problem; read again when a file changes."""
    place = folder()
    stats = [(path.name, path.lstat()) for path in place.glob("*.json")]
    return _read(place, frozenset((name, stat.st_mtime_ns, stat.st_size) for name, stat in stats))


def start_key(key: str) -> str:
    """The key among `known_networks()` of the network saved as `key`."""
    return f"{PREFIX}{key}"


def known_networks() -> Mapping[str, NetworkSpec]:
    """What can be started from and compared with, by key."""
    own = {start_key(each.key): each.network for each in saved_networks() if each.network is not None}
    return {**presets(), **own}


def title(key: str, spec: NetworkSpec) -> str:
    """What the network `key` is called in a choice."""
    return f"Saved: {spec.name}" if key.startswith(PREFIX) else spec.name


def size(spec: NetworkSpec) -> NetworkSizing | None:
    """The sizing of a network to compare with; None where a layer of it cannot work."""
    try:
        return size_network(spec)
    except SizingError:
        return None


@st.cache_resource(max_entries=4, show_spinner=False)
def _read(place: Path, stamp: frozenset[tuple[str, int, int]]) -> tuple[SavedNetwork, ...]:
    """The networks in `place`, as long as its files carry this `stamp`."""
    return list_networks(place)
