"""How a checkpoint fares as one argument of one augmentation step grows: what is asked, and what comes of it.

Only the chosen step acts, and it acts on every image, so that a change in accuracy is its doing alone. A
`Normalize` in front of it stays, as it decides what a fill means; so do the crops behind it, which bring
larger images back to size and leave others alone. Measuring costs torch: `core.evaluation.strength_run`.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from pydantic import Field

from core.augmentation import AugmentationSpec, StepSpec
from core.augmentation.controls import Control
from core.augmentation.hole_chances import DROPOUT, SIDE
from core.augmentation.spec import NORMALIZE
from core.errors import SpecError
from core.evaluation.metrics import Accuracy
from core.spec import describe

NUMERIC = ("int", "float", "int_range", "float_range")
BACK_TO_SIZE = ("RandomCrop", "CenterCrop", "Resize")
HOLE_SIDES = ("hole_height_range", "hole_width_range")
MAX_VALUES = 40
STEPS_WANTED = 10
"""Into about so many steps a grid divides an argument's range."""
NICE = (1, 2, 4, 5, 10)


@dataclass(frozen=True, slots=True)
class Knob:
    """One number of a step that a curve can be measured against."""

    label: str
    arguments: tuple[str, ...]
    """As albumentations names them; all are set to the same number, a range to (number, number)."""
    minimum: float
    maximum: float
    unit: str
    is_whole: bool
    present: tuple[float, float] | None
    """Between which numbers the step draws at present, equal where it does not draw; None where unknown."""
    default: Any = None
    """What the step gets where it does not name the argument: a number, or a pair for a range."""

    def grid(self) -> tuple[float, ...]:
        """Round numbers over the whole range, and its ends, ascending: about ten."""
        width = (self.maximum - self.minimum) / STEPS_WANTED
        power = 10.0 ** math.floor(math.log10(width))
        pace = next(nice * power for nice in NICE if nice * power >= width * 0.999)
        pace = max(pace, 1.0) if self.is_whole else pace
        first, last = math.ceil(self.minimum / pace - 1e-9), math.floor(self.maximum / pace + 1e-9)
        between = [round(turn * pace, 10) for turn in range(first, last + 1)]
        return tuple(sorted({float(self.minimum), *between, float(self.maximum)}))


@describe
class StrengthSettings:
    """What a curve is measured of; any change may change it."""

    augmentation: AugmentationSpec
    step: int = Field(ge=0)
    """Its index in the augmentation, from 0."""
    arguments: tuple[str, ...] = Field(min_length=1, max_length=4)
    """Of the step; all are set to the same number."""
    values: tuple[float, ...] = Field(min_length=1, max_length=MAX_VALUES)
    images: int = Field(default=500, ge=1, le=100_000)
    """Test images, as many of each class; all of them where there are fewer."""
    seed: int = Field(default=1, ge=0, lt=2**31)
    """Of the choice of images, and of what is drawn for them: the same at every value."""


@describe
class StrengthPoint:
    """The checkpoint at one value of the argument."""

    value: float | None
    """None: the step is off."""
    correct: tuple[int, ...]
    """Images of each class that are recognised."""
    confidences: tuple[float, ...]
    """The sum, over the images of each class, of the probability of the prediction."""


@describe
class StrengthCurve:
    """A curve, the point with the step off, and what the stored evaluation says of that one."""

    settings: StrengthSettings
    classes: tuple[str, ...]
    totals: tuple[int, ...]
    """Images of each class in the sample."""
    off: StrengthPoint
    points: tuple[StrengthPoint, ...]
    stored_correct: int | None
    """Recognised of the very same images by the stored evaluation; None where none is stored."""

    def accuracy(self, point: StrengthPoint, label: int | None = None) -> Accuracy:
        """At one point, over all images or those of one class."""
        if label is None:
            return Accuracy(sum(point.correct), sum(self.totals))
        return Accuracy(point.correct[label], self.totals[label])

    def confidence(self, point: StrengthPoint, label: int | None = None) -> float | None:
        """The mean probability of the prediction, whether right or wrong; None where there are no images."""
        sums, totals = point.confidences, self.totals
        if label is not None:
            sums, totals = sums[label : label + 1], totals[label : label + 1]
        return sum(sums) / sum(totals) if sum(totals) else None


def list_knobs(step: StepSpec, controls: Sequence[Control]) -> tuple[Knob, ...]:
    """The numbers of a step that a curve can be measured against, the side of its holes first.

    `controls` are those of its transform. A range that must hold a certain number cannot shrink to another.
    """
    knobs = [
        Knob(
            control.label,
            (control.argument,),
            control.minimum,
            control.maximum,
            control.unit,
            control.kind.startswith("int"),
            _present(step.keywords.get(control.argument)),
            control.default,
        )
        for control in controls
        if control.kind in NUMERIC and control.contains is None and control.default is not None
    ]
    if step.transform == DROPOUT:
        height, width = (_present(step.keywords.get(argument)) for argument in HOLE_SIDES)
        present = height if height == width and height and height[1] >= 1 else None
        knobs.insert(0, Knob("Side of the holes", HOLE_SIDES, 0, SIDE, "px", True, present, (1, 1)))
    return tuple(knobs)


def first_of(spec: AugmentationSpec, knobs: Sequence[Sequence[Knob]]) -> int | None:
    """The index of the first step that makes holes and has `knobs`, else of the first that has; or None."""
    tunable = [index for index, of_step in enumerate(knobs) if of_step]
    holes = [index for index in tunable if spec.steps[index].transform == DROPOUT]
    return next(iter(holes + tunable), None)


def curve_settings(
    spec: AugmentationSpec,
    index: int,
    knob: Knob,
    images: int,
    seed: int,
    values: Sequence[float] = (),
) -> StrengthSettings:
    """What to measure for `knob` of step `index`, at `values` or over its grid.

    The same wherever the knob stands, and whatever the steps do that do not act: a curve need not be measured
    again for that.
    """
    alone = only_step(spec, index)
    at = _acting(alone)
    step = alone.steps[at]
    arguments = step.keywords | dict.fromkeys(knob.arguments, knob.default)
    steps = (*alone.steps[:at], replace(step, arguments=tuple(arguments.items())), *alone.steps[at + 1 :])
    scale = {"mean": spec.mean, "std": spec.std} if at else {}
    return StrengthSettings(
        augmentation=AugmentationSpec(name=step.transform, steps=steps, **scale),
        step=at,
        arguments=knob.arguments,
        values=tuple(values or knob.grid()),
        images=images,
        seed=seed,
    )


def only_step(spec: AugmentationSpec, index: int) -> AugmentationSpec:
    """`spec` with step `index` alone, which always acts; see the module for what else stays."""
    is_there = 0 <= index < len(spec.steps)
    if not is_there or spec.steps[index].transform == NORMALIZE:
        raise SpecError(
            f"step must be one of the {len(spec.steps)} of {spec.name}, and not Normalize, "
            f"got {index + 1}; choose another"
        )
    step = replace(spec.steps[index], probability=1.0, is_on=True)
    before = [other for other in spec.steps[:index] if other.transform == NORMALIZE]
    after = [other for other in spec.steps[index + 1 :] if other.transform in BACK_TO_SIZE and other.is_on]
    return replace(spec, steps=(*before, step, *after))


def at_strength(settings: StrengthSettings, value: float) -> AugmentationSpec:
    """The augmentation that is measured at `value`; `SpecError` where an argument holds no number."""
    alone = only_step(settings.augmentation, settings.step)
    index = _acting(alone)
    step = alone.steps[index]
    changed = {argument: _like(step.keywords.get(argument), value) for argument in settings.arguments}
    if None in changed.values():
        given = ", ".join(f"{argument} = {step.keywords.get(argument)}" for argument in settings.arguments)
        raise SpecError(
            f"{step.transform}: a curve needs an argument that holds a number or a range, got {given}; "
            "set it to one, or choose another"
        )
    stronger = replace(step, arguments=tuple((step.keywords | changed).items()))
    return replace(alone, steps=(*alone.steps[:index], stronger, *alone.steps[index + 1 :]))


def _acting(alone: AugmentationSpec) -> int:
    """The index of the chosen step in what `only_step` gives."""
    return next(index for index, step in enumerate(alone.steps) if step.transform != NORMALIZE)


def _present(value: Any) -> tuple[float, float] | None:
    """Between which numbers an argument lets draw; None where it holds no number and no pair of them."""
    ends = value if isinstance(value, tuple) else (value, value)
    return (float(ends[0]), float(ends[1])) if len(ends) == 2 and all(map(_is_number, ends)) else None


def _like(given: Any, value: float) -> Any:
    """`value` in the form of what is given, a number or a pair; None where that is neither."""
    if _present(given) is None:
        return None
    if isinstance(given, tuple):
        return tuple(_like(end, value) for end in given)
    return int(value) if isinstance(given, int) and float(value).is_integer() else value


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
