"""One step of an augmentation in its surroundings, and how findings speak of colours."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from core.augmentation.hole_chances import DROPOUT
from core.augmentation.spec import NORMALIZE, AugmentationSpec, StepSpec
from core.findings import Finding, Severity

Colour = tuple[float, float, float]
Problem = Finding[AugmentationSpec]


@dataclass(frozen=True, slots=True)
class Place:
    """One step, and what it stands in."""

    spec: AugmentationSpec
    index: int
    dataset_mean: Colour

    @property
    def step(self) -> StepSpec:
        """The step itself."""
        return self.spec.steps[self.index]

    @property
    def is_normalised(self) -> bool:
        """Whether the step meets normalised images."""
        return NORMALIZE in [step.transform for step in self.spec.steps[: self.index]]

    def finding(self, kind: str, severity: Severity, *words: str, remedied: AugmentationSpec) -> Problem:
        """A finding here; `words` are the problem, the arithmetic and the remedy."""
        problem, arithmetic, remedy = words
        name = self.step.transform
        return Finding(kind, severity, self.index, name, problem, arithmetic, remedy, remedied)

    def with_arguments(self, **arguments: Any) -> AugmentationSpec:
        """The spec with other arguments of this step."""
        changed = replace(self.step, arguments=tuple((self.step.keywords | arguments).items()))
        steps = self.spec.steps
        return replace(self.spec, steps=(*steps[: self.index], changed, *steps[self.index + 1 :]))

    def fill(self) -> Colour | None:
        """The colour of the holes, per channel; None where it is drawn, cannot be, or there are none."""
        value = self.step.keywords.get("fill", 0)
        channels = value if isinstance(value, tuple) else (value,) * 3
        are_levels = all(isinstance(level, int | float) and abs(level) <= 255 for level in channels)
        if self.step.transform != DROPOUT or len(channels) != 3 or not are_levels:
            return None
        red, green, blue = channels
        return red, green, blue


def words(numbers: Iterable[float], signed: bool = False) -> str:
    """As in -1.99, -1.98, -1.71, or one number where all are the same."""
    texts = [f"{number:+.2f}" if signed else f"{number:.3g}" for number in numbers]
    return ", ".join(dict.fromkeys(texts) if len(set(texts)) == 1 else texts).replace("-", "−")


def pixels(colour: Iterable[float]) -> str:
    """A colour of pixels scaled to [0, 1] as 8-bit pixels, as in (125, 123, 114)."""
    return f"({', '.join(str(round(255 * level)) for level in colour)})"
