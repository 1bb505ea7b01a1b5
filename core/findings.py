"""Findings: what a careful reader would point out in a description, with the arithmetic and the remedy."""

from dataclasses import dataclass
from typing import Generic, Literal, TypeVar

Severity = Literal["error", "warning", "note"]

SpecT = TypeVar("SpecT")


@dataclass(frozen=True, slots=True)
class Finding(Generic[SpecT]):
    """One fault of a network or an augmentation, in sentences fit for the page."""

    kind: str
    """Which fault it is, as in `gridding`; the same word in every version."""
    severity: Severity
    """`error`: it cannot work. `warning`: it does something else than meant. `note`: it could be leaner."""
    index: int
    """Of the layer or step where it shows first, from 0."""
    name: str
    """Of that layer or step."""
    problem: str
    """What is wrong."""
    arithmetic: str
    """The numbers that show it, those of this very description."""
    remedy: str
    """What to do about it."""
    remedied: SpecT | None = None
    """The description with the remedy applied, which no longer has this fault; None where a person has to
    choose."""
