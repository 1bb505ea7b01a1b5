"""Descriptions as immutable data: how a spec is declared, read, written and put into a link."""

import base64
import json
import zlib
from collections.abc import Callable
from functools import lru_cache
from typing import Any, TypeVar, cast, dataclass_transform

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass as pydantic_dataclass

from core.errors import SpecError

T = TypeVar("T")

# A link that unpacks to more than this was not made by ConvScope: the largest network allowed takes 30 kB.
MAX_LINK_BYTES = 200_000


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
            raise SpecError(explain(error, cls.__name__)) from None

    spec_class.__init__ = init
    return cast(type[T], spec_class)


def explain(error: ValidationError, owner: str) -> str:
    """One sentence a fault: the field, the rule and the value given."""
    errors = error.errors()
    inner = {fault["loc"][:depth] for fault in errors for depth in range(len(fault["loc"]))}
    faults: list[str] = []
    for fault in errors:
        if fault["loc"] in inner:  # pydantic repeats the fault of a field for all that hold it
            continue
        place = _place(fault["loc"]) or owner
        given = repr(fault["input"])
        given = given if len(given) <= 60 else given[:57] + "..."
        if fault["type"] == "unexpected_keyword_argument":
            faults.append(f"{place}: there is no such field; remove it")
        elif fault["type"] in ("missing", "missing_keyword_only_argument"):
            faults.append(f"{place}: this field is needed")
        else:
            rule = fault["msg"].removeprefix("Value error, ")
            rule = rule.replace("Input should be", "must be").replace("Input should", "must")
            faults.append(f"{place}: {rule}, got {given}")
    return "; ".join(faults)


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
        raise SpecError(explain(error, cls.__name__)) from None
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
        raise SpecError(f"{cls.__name__}: this is not JSON ({error}); export it again") from None
    return from_dict(cls, values)


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
        raise SpecError(f"{cls.__name__}: the link is damaged; ask for it again") from None
    if not unpacker.eof:
        raise SpecError(
            f"{cls.__name__}: the link is cut off or larger than {MAX_LINK_BYTES:,} bytes; ask for it again"
        )
    return from_json(cls, text)
