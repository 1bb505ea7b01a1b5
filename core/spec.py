"""Descriptions as immutable data: how a spec is declared, read, written and put into a link."""

import base64
import json
import re
import zlib
from collections.abc import Callable, Mapping
from dataclasses import is_dataclass
from functools import lru_cache
from typing import Any, TypeVar, cast, dataclass_transform

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass as pydantic_dataclass

from core.errors import SpecError

T = TypeVar("T")

# A link that unpacks to more than this was not made by ConvScope: the largest network allowed takes 30 kB.
MAX_LINK_BYTES = 200_000

LONGEST_GIVEN = 60
LENGTHS = {
    "too_long": "item",
    "too_short": "item",
    "string_too_long": "character",
    "string_too_short": "character",
}
"""What pydantic calls the faults of a length, and what is counted."""


@dataclass_transform(frozen_default=True, kw_only_default=True, field_specifiers=(Field,))
def describe(cls: type[T]) -> type[T]:
    """Declare a spec: frozen, keyword-only, validated when made, unknown fields refused with `SpecError`."""
    config = ConfigDict(extra="forbid", allow_inf_nan=False)
    spec_class: Any = pydantic_dataclass(frozen=True, kw_only=True, config=config)(cls)
    validated_init: Callable[..., None] = spec_class.__init__

    def init(self: T, **values: Any) -> None:
        try:
            validated_init(self, **values)
        except ValidationError as error:
            raise SpecError(explain(error, _owner(cls))) from None

    spec_class.__init__ = init
    return cast(type[T], spec_class)


def explain(error: ValidationError, owner: str) -> str:
    """One sentence a fault: the field, the rule and the value given."""
    errors = error.errors()
    inner = {fault["loc"][:depth] for fault in errors for depth in range(len(fault["loc"]))}
    # pydantic repeats the fault of a field for all that hold it.
    faults = [fault for fault in errors if fault["loc"] not in inner]
    return "; ".join(f"{_place(fault['loc']) or owner}: {_rule(fault)}" for fault in faults)


def _rule(fault: Mapping[str, Any]) -> str:
    """The rule that was broken and what was given, or what to do."""
    kind, given = fault["type"], fault["input"]
    if kind == "unexpected_keyword_argument":
        return "there is no such field; remove it"
    if kind in ("missing", "missing_keyword_only_argument"):
        return "this field is needed"
    if kind in LENGTHS and hasattr(given, "__len__"):
        return _length_rule(fault["ctx"], given, LENGTHS[kind])
    if kind in ("dataclass_type", "dataclass_exact_type"):
        return f"must be fields by name, got {_in_short(given)}"
    rule = fault["msg"].removeprefix("Value error, ")
    rule = rule.replace("Input should be", "must be").replace("Input should", "must")
    rule = rule.replace("a valid tuple", "a list")
    return f"{rule}, got {_in_short(given)}"


def _length_rule(limits: Mapping[str, Any], given: Any, item: str) -> str:
    """As in: must have at most 20 items, got 21; take 1 away."""
    count = len(given)
    if "max_length" in limits:
        most = limits["max_length"]
        return f"must have at most {_count(most, item)}, got {count}; take {count - most} away"
    least = limits["min_length"]
    return f"must have at least {_count(least, item)}, got {count or 'none'}; add {least - count}"


def _count(number: int, item: str) -> str:
    return f"{number} {item}{'s' * (number != 1)}"


def _in_short(value: Any) -> str:
    """A value as it was given; of what is long, how long it is or what it starts with."""
    if isinstance(value, list | tuple | dict) and (len(repr(value)) > LONGEST_GIVEN or _holds_spec(value)):
        return _count(len(value), "field" if isinstance(value, dict) else "item")
    if is_dataclass(value):
        name = _owner(type(value))
        return f"{'an' if name[0] in 'aeiou' else 'a'} {name}"
    given = repr(value)
    return given if len(given) <= LONGEST_GIVEN else given[: LONGEST_GIVEN - 3] + "..."


def _holds_spec(value: Any) -> bool:
    values = value.values() if isinstance(value, dict) else value
    return any(is_dataclass(item) for item in values)


def _owner(cls: type[Any]) -> str:
    """What people call such a description, as in `network` for a `NetworkSpec`."""
    return re.sub("(?<=[a-z])(?=[A-Z])", " ", cls.__name__.removesuffix("Spec")).lower()


def _place(parts: tuple[str | int, ...]) -> str:
    """Where a fault is, counted from 1 as people count: `layers[1].kernel_size`, `steps[2].arguments`."""
    place = "".join(f"[{part + 1}]" if isinstance(part, int) else f".{part}" for part in parts)
    return place.removeprefix(".")


_adapter: Callable[[Any], TypeAdapter[Any]] = lru_cache(maxsize=64)(TypeAdapter)


def from_dict(cls: type[T], values: object) -> T:
    """The spec that `values` describes; `SpecError` names the first field that breaks a rule."""
    try:
        spec: T = _adapter(cls).validate_python(values)
    except ValidationError as error:
        raise SpecError(explain(error, _owner(cls))) from None
    return spec


def to_dict(spec: object, *, with_defaults: bool = False) -> dict[str, Any]:
    """The spec as JSON-ready values, without the fields that are at their default.

    What is kept on disk is written `with_defaults`: it must mean the same when a default changes.
    """
    values: dict[str, Any] = _adapter(type(spec)).dump_python(
        spec, mode="json", exclude_defaults=not with_defaults
    )
    return values


def from_json(cls: type[T], text: str | bytes) -> T:
    """The spec written in `text`; `SpecError` where it is not JSON or breaks a rule."""
    try:
        values = json.loads(text)
    except (ValueError, RecursionError) as error:
        reason = _no_json(text, error)
        raise SpecError(f"{_owner(cls)}: this is not JSON{reason}; export it again") from None
    return from_dict(cls, values)


def _no_json(text: str | bytes, error: Exception) -> str:
    """Where it stops to be JSON, and what stands there."""
    if not text.strip():
        return ": it is empty"
    if isinstance(error, UnicodeDecodeError):
        return ": it is not text"
    if isinstance(error, RecursionError):
        return ": its lists lie too deep in one another"
    if not isinstance(error, json.JSONDecodeError):  # a number of thousands of digits
        return ": it holds a number that is too long"
    where = f"line {error.lineno}, column {error.colno}"
    rest = error.doc[error.pos :]
    if not rest.strip():
        return f": it breaks off in {where}"
    return f" from {where} on, got {rest[:20]!r}"


def to_json(spec: object) -> str:
    """The spec as readable JSON."""
    return json.dumps(to_dict(spec), indent=2, ensure_ascii=False)


def to_link(spec: object) -> str:
    """The spec as one URL-safe parameter: compact JSON, deflated, in base64."""
    text = json.dumps(to_dict(spec), separators=(",", ":"), ensure_ascii=False)
    return base64.urlsafe_b64encode(zlib.compress(text.encode(), 9)).decode().rstrip("=")


def from_link(cls: type[T], parameter: str) -> T:
    """The spec in a link; `SpecError` where it is damaged, hostile or breaks a rule."""
    try:
        packed = base64.b64decode(parameter + "=" * (-len(parameter) % 4), altchars=b"-_", validate=True)
        unpacker = zlib.decompressobj()
        text = unpacker.decompress(packed, MAX_LINK_BYTES)
    except (ValueError, zlib.error):
        raise SpecError(f"{_owner(cls)}: the link is damaged; ask for it again") from None
    if not unpacker.eof:
        raise SpecError(
            f"{_owner(cls)}: the link is cut off or larger than {MAX_LINK_BYTES:,} bytes; ask for it again"
        )
    return from_json(cls, text)
