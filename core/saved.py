"""Specs saved under a name: one JSON file each in a folder, read as data from anyone.

The name that a person gives is the spec's own; the file is called after a plain key made from it.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Generic, TypeVar

from core.errors import SpecError
from core.files import write_atomically
from core.spec import MAX_LINK_BYTES, from_json, to_json

T = TypeVar("T")

KEY = re.compile(r"[a-z0-9][a-z0-9_]{0,59}")


@dataclass(frozen=True, slots=True)
class Saved(Generic[T]):
    """One file of a folder of specs."""

    key: str
    """The file's name without its ending."""
    spec: T | None
    """None if the file is damaged."""
    problem: str = ""
    """What is wrong with a damaged file, and what to do."""


@dataclass(frozen=True, slots=True)
class SpecFolder(Generic[T]):
    """The specs of one kind in one folder, which need not exist yet."""

    kind: type[T]
    """A spec with a field `name`."""
    noun: str
    """What messages call such a spec, as in `a network`."""
    folder: Path

    def save(self, spec: T, name: str) -> str:
        """Keep `spec` as `name`, in place of one saved under the same name before; return its key.

        `SpecError` for a name that no such spec can have, or where nothing can be written.
        """
        named = replace(spec, name=name.strip())  # type: ignore[type-var]
        key = self._key_for(name.strip())
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            write_atomically(self.folder / f"{key}.json", to_json(named).encode())
        except OSError as error:
            reason = error.strerror or str(error)
            raise SpecError(
                f"{self.folder}: cannot save there ({reason}); free space or choose another folder"
            ) from None
        return key

    def list(self) -> tuple[Saved[T], ...]:
        """Every spec of the folder, by name, the damaged with their problem; none without the folder."""
        saved = [self._read(path) for path in self.folder.glob("*.json") if KEY.fullmatch(path.stem)]
        return tuple(sorted(saved, key=lambda each: (_name(each.spec) or each.key).casefold()))

    def load(self, key: str) -> T:
        """The spec saved as `key`; `SpecError` if there is none or its file is damaged."""
        saved = self._read(self._path(key))
        if saved.spec is None:
            raise SpecError(saved.problem)
        return saved.spec

    def delete(self, key: str) -> None:
        """Delete the spec saved as `key`, if it is still there; `SpecError` if it cannot be deleted."""
        path = self._path(key)
        try:
            path.unlink(missing_ok=True)
        except OSError as error:
            raise SpecError(f"{path}: cannot be deleted ({error.strerror}); delete it by hand") from None

    def rename(self, key: str, name: str) -> str:
        """Call the spec saved as `key` `name`, in place of one that is called so; return its new key."""
        new_key = self.save(self.load(key), name)
        if new_key != key:
            self.delete(key)
        return new_key

    def _path(self, key: str) -> Path:
        if not KEY.fullmatch(key):
            raise SpecError(
                f"{self.noun} is saved under a key, and a key is made of a to z, digits and underscores, "
                f"got {key[:60]!r}"
            )
        return self.folder / f"{key}.json"

    def _read(self, path: Path) -> Saved[T]:
        try:
            with path.open("rb") as file:
                text = file.read(MAX_LINK_BYTES + 1)
            if len(text) > MAX_LINK_BYTES:
                raise SpecError(f"{self.noun} takes at most {MAX_LINK_BYTES:,} bytes")
            return Saved(path.stem, from_json(self.kind, text))
        except OSError as error:
            problem = f"cannot be read ({error.strerror})"
        except SpecError as error:
            problem = str(error)
        remedy = "delete it or put a good copy in its place"
        return Saved(path.stem, None, f"{path.name}: {problem}; {remedy}")

    def _key_for(self, name: str) -> str:
        """The key of the spec called `name`, or a new one where none is called so yet."""
        for key in _keys_like(name, self.noun.split()[-1]):
            path = self.folder / f"{key}.json"
            if not path.exists() or _name(self._read(path).spec) == name:
                return key
        raise AssertionError("unreachable")


def _name(spec: Any) -> str | None:
    return None if spec is None else str(spec.name)


def _keys_like(name: str, otherwise: str) -> Iterator[str]:
    """Keys made from `name`, without end: the plain one, then numbered ones."""
    stem = re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")[:50] or otherwise
    yield stem
    turn = 2
    while True:
        yield f"{stem}_{turn}"
        turn += 1
