"""Undo and redo: the states that were, the one at hand, and those taken back."""

from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")

MAX_STEPS = 100


@dataclass(frozen=True, slots=True)
class History(Generic[T]):
    """What an editor holds now, with up to `MAX_STEPS` earlier states and those that undo has taken back."""

    present: T
    past: tuple[T, ...] = ()
    """Oldest first."""
    future: tuple[T, ...] = ()
    """The next to be redone first."""

    def push(self, state: T) -> "History[T]":
        """`state` as the present; what had been taken back is gone."""
        if state == self.present:
            return self
        return History(state, (*self.past, self.present)[-MAX_STEPS:])

    def undo(self) -> "History[T]":
        """One state back, or the same history at its beginning."""
        if not self.past:
            return self
        return History(self.past[-1], self.past[:-1], (self.present, *self.future))

    def redo(self) -> "History[T]":
        """One state forward again, or the same history at its end."""
        if not self.future:
            return self
        return History(self.future[0], (*self.past, self.present), self.future[1:])
