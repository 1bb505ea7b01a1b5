"""How much of an image the holes of a pipeline hide on average, worked out and not drawn."""

from collections.abc import Iterable
from functools import lru_cache

import numpy as np

from core.augmentation.hole_chances import SIDE, WORKED_OUT, Chances
from core.augmentation.spec import StepSpec


def hidden_together(steps: Iterable[StepSpec]) -> float:
    """The share of the image that `steps` hide on average, over the images on which one of them acts.

    A pixel stays visible where every step misses it, each drawing for itself. What moves the image in
    between is not looked at.
    """
    visible, untouched = np.ones((SIDE, SIDE)), 1.0
    for step in steps:
        chances = hidden_chances(step)
        if chances is not None:
            visible *= 1 - step.probability * chances
            untouched *= 1 - step.probability
    return float((1 - visible).mean()) / (1 - untouched) if untouched < 1 else 0.0


def hidden_share(step: StepSpec) -> float | None:
    """The share of the image that the step hides on average, when it acts; None as for its chances."""
    chances = hidden_chances(step)
    return None if chances is None else float(chances.mean())


@lru_cache(maxsize=256)  # a slider of one step leaves the others as they were
def hidden_chances(step: StepSpec) -> Chances | None:
    """`(32, 32)`: for each pixel the chance that the step hides it, when it acts; read-only.

    None where it hides nothing, or where its arguments cannot be: `check` says what is wrong with them.
    """
    if step.transform not in WORKED_OUT:
        return None
    defaults, work_out = WORKED_OUT[step.transform]
    chances = work_out(defaults | step.keywords)
    if chances is not None:
        chances.setflags(write=False)
    return chances
