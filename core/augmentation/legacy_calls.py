"""Transforms and pipelines as they stand in a course project's source, and the names that belong to them."""

import ast
import reprlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from core.errors import SpecError

# The numbers of OpenCV, which course projects write by name.
CV2 = {
    "cv2.BORDER_CONSTANT": 0,
    "cv2.BORDER_REPLICATE": 1,
    "cv2.BORDER_REFLECT": 2,
    "cv2.BORDER_WRAP": 3,
    "cv2.BORDER_REFLECT_101": 4,
    "cv2.BORDER_REFLECT101": 4,
    "cv2.BORDER_DEFAULT": 4,
    "cv2.INTER_NEAREST": 0,
    "cv2.INTER_LINEAR": 1,
    "cv2.INTER_CUBIC": 2,
    "cv2.INTER_AREA": 3,
    "cv2.INTER_LANCZOS4": 4,
}
# What the libraries are called where a snippet leaves its imports out.
USUAL_NAMES = {
    "A": "albumentations",
    "albumentations": "albumentations",
    "cv2": "cv2",
    "T": "torchvision.transforms",
    "transforms": "torchvision.transforms",
    "torchvision": "torchvision",
}
COMPOSERS = frozenset({"Compose", "ReplayCompose"})
"""What makes a pipeline of transforms; the second also writes down what it drew."""
MAX_CALLS = 100
MAX_REASON = 360


@dataclass(frozen=True, slots=True, repr=False)
class Call:
    """A transform as it stands in the source."""

    line: int
    library: str
    """`albumentations` or `torchvision`."""
    name: str
    positional: tuple[Any, ...]
    keywords: Mapping[str, Any]

    def __repr__(self) -> str:
        return f"{self.name}(…)"  # calls may stand in calls, without end


@dataclass(slots=True, eq=False, repr=False)
class Pipeline:
    """A `Compose` as it stands in the source."""

    line: int
    calls: tuple[Call, ...]
    options: Mapping[str, Any] = field(default_factory=dict)
    """Its own arguments besides the transforms."""
    name: str = ""
    """What it is assigned to, or the function that returns it."""

    def __repr__(self) -> str:
        return "Compose(…)"


def brief(value: Any) -> str:
    """A value as Python writes it, shortened where nobody would read it all.

    Code may name one long list many times in another: its whole text could fill the memory.
    """
    writer = reprlib.Repr()
    writer.maxlevel, writer.maxtuple, writer.maxdict, writer.maxstring, writer.maxother = 3, 10, 10, 40, 40
    return writer.repr(value)


def is_plain(value: Any) -> bool:
    """Whether it is made of numbers, words, lists and dictionaries alone."""
    if isinstance(value, dict):
        return all(map(is_plain, value.values()))
    return all(map(is_plain, value)) if isinstance(value, tuple) else not isinstance(value, Call | Pipeline)


def is_number(value: Any) -> bool:
    """Whether it is a number, and no truth value."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def is_pair(value: Any) -> bool:
    """Whether it is a pair of numbers."""
    return isinstance(value, tuple) and len(value) == 2 and all(map(is_number, value))


def refusal(line: int, reason: str) -> SpecError:
    """The refusal of what stands at that line."""
    shown = reason if len(reason) <= MAX_REASON else f"{reason[:MAX_REASON]}…"
    return SpecError(f"line {line}: {shown}")


def refuse(node: ast.AST, reason: str) -> SpecError:
    """The refusal of what stands at the line of `node`."""
    return refusal(getattr(node, "lineno", 1), reason)


def compose(node: ast.Call, positional: tuple[Any, ...], keywords: dict[str, Any]) -> Pipeline:
    """The pipeline that a `Compose` makes; one without arguments of its own may stand in another."""
    given = [*positional, *([keywords.pop("transforms")] if "transforms" in keywords else [])]
    steps = given[0] if len(given) == 1 else None
    if not isinstance(steps, tuple):
        raise refuse(node, "Compose needs one list of transforms, and its other arguments by name")
    calls: list[Call] = []
    for step in steps:
        if isinstance(step, Pipeline):
            if step.options:
                raise refuse(node, "a Compose in a Compose is understood only without arguments of its own")
            calls.extend(step.calls)
        elif isinstance(step, Call):
            calls.append(step)
        else:
            raise refuse(node, f"Compose holds {brief(step)}, which is no transform; leave it out")
        if len(calls) > MAX_CALLS:
            raise refuse(node, f"a pipeline has at most {MAX_CALLS} transforms; leave some out")
    return Pipeline(node.lineno, tuple(calls), keywords)
