"""What differs between the descriptions of several runs, field by field."""

from collections.abc import Iterator, Sequence
from typing import Any

from core.spec import to_dict

LAYERS = "network.layers"
UNTOLD = ("name", "block")
"""What does not say what a layer computes."""


def list_differences(specs: Sequence[object]) -> dict[str, tuple[str | None, ...]]:
    """The paths of the fields that are not equal in all `specs`, each with its value in every one.

    Layers go by their names, so that one more does not make all that follow differ; augmentation steps by
    their place. A layer or step that some lack is told in one line. None is where there is no such field.
    """
    described = [to_dict(spec, with_defaults=True) for spec in specs]
    items = [dict(_items(to_dict(spec))) for spec in specs]
    lacking = {path for each in items for path in each if any(path not in other for other in items)}
    rows = []
    for values, each in zip(described, items, strict=True):
        shared = [path for path in each if path.startswith(f"{LAYERS}.") and path not in lacking]
        row = {f"{LAYERS}: order": ", ".join(path.removeprefix(f"{LAYERS}.") for path in shared)}
        row |= {path: text for path, text in each.items() if path in lacking}
        row |= {path: text for path, text in _fields(values) if not _is_within(path, lacking)}
        rows.append(row)
    paths = dict.fromkeys(path for row in rows for path in row)
    table = {path: tuple(row.get(path) for row in rows) for path in paths}
    return {path: values for path, values in table.items() if len(set(values)) > 1}


def _is_within(path: str, items: set[str]) -> bool:
    return any(path.startswith(f"{item}.") for item in items)


def _items(values: dict[str, Any], place: str = "") -> Iterator[tuple[str, str]]:
    """The path of every layer and step, and what of it is not at its default, in one line."""
    for field, value in values.items():
        path = f"{place}{field}"
        if isinstance(value, dict):
            yield from _items(value, f"{path}.")
        elif _holds_items(value):
            for turn, item in enumerate(value, 1):
                told = [f"{name} {_text(given)}" for name, given in item.items() if name not in UNTOLD]
                yield f"{path}.{item.get('name', turn)}", ", ".join(told)


def _fields(values: dict[str, Any], place: str = "") -> Iterator[tuple[str, str]]:
    """The path of every field that holds a value, and the value."""
    for field, value in values.items():
        path = f"{place}{field}"
        if isinstance(value, dict):
            yield from _fields(value, f"{path}.")
        elif _holds_items(value):
            for turn, item in enumerate(value, 1):
                yield from _fields(item, f"{path}.{item.get('name', turn)}.")
        elif value != []:
            yield path, _text(value)


def _holds_items(value: object) -> bool:
    return isinstance(value, list) and any(isinstance(each, dict) for each in value)


def _text(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(map(_text, value))
    return "" if value is None else str(value)
