"""Transforms and pipelines as they stand in a course project's source, and the names that belong to them."""

import ast
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
# Between the library and the transform: `albumentations.pytorch.transforms.ToTensorV2`.
MODULES = frozenset(
    {"augmentations", "composition", "core", "crops", "dropout", "functional", "geometric", "pytorch"}
    | {"transforms", "v2"}
)


@dataclass(frozen=True, slots=True)
class Call:
    """A transform as it stands in the source."""

    line: int
    library: str
    """`albumentations` or `torchvision`."""
    name: str
    positional: tuple[Any, ...]
    keywords: Mapping[str, Any]


@dataclass(slots=True, eq=False)
class Pipeline:
    """A `Compose` as it stands in the source."""

    line: int
    calls: tuple[Call, ...]
    options: Mapping[str, Any] = field(default_factory=dict)
    """Its own arguments besides the transforms."""
    name: str = ""
    """What it is assigned to, or the function that returns it."""


def refuse(node: ast.AST, reason: str) -> SpecError:
    """The refusal of what stands at the line of `node`."""
    return SpecError(f"line {getattr(node, 'lineno', 1)}: {reason}")


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
            raise refuse(node, f"Compose holds {step!r:.40}, which is no transform; leave it out")
    return Pipeline(node.lineno, tuple(calls), keywords)
