"""Descriptions named on the command line: a preset's key, or a JSON file."""

from collections.abc import Mapping
from pathlib import Path
from typing import TypeVar

from core.errors import SpecError
from core.spec import from_json

T = TypeVar("T")


def read_spec(cls: type[T], presets: Mapping[str, T], given: str) -> T:
    """The preset called `given`, else what the file of that name describes; `SpecError` if neither."""
    if given in presets:
        return presets[given]
    try:
        text = Path(given).read_bytes()
    except OSError:
        keys = f" or one of {', '.join(presets)}" if presets else ""
        raise SpecError(f"{cls.__name__} must be a JSON file{keys}; got {given!r}") from None
    return from_json(cls, text)
