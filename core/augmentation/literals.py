"""Values of arguments as text that people write: Python literals, which are read and never executed."""

import ast
from typing import Any

from core.augmentation.spec import thaw
from core.errors import SpecError

LONGEST = 500


def read_literal(argument: str, text: str) -> Any:
    """The value that `text` writes, None for an empty text; `SpecError` where it is no plain value.

    Numbers, strings, True, False, None, and tuples, lists and dicts of them.
    """
    if not text.strip():
        return None
    if len(text) > LONGEST:
        raise SpecError(
            f"{argument}: the value has at most {LONGEST} characters, got {len(text)}; shorten it"
        )
    try:
        return ast.literal_eval(text.strip())
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        raise SpecError(
            f"{argument}: {text[:60]!r} is no plain Python value; write numbers, strings, lists or dicts of "
            "them, such as (0.1, 0.5) or {'scale': 2}"
        ) from None


def write_literal(value: Any) -> str:
    """`value` of a step as `read_literal` reads it back, empty for None."""
    return "" if value is None else repr(thaw(value))
