"""Changes to an augmentation as a person makes them: steps added, moved, switched off and set.

Every function returns a new `AugmentationSpec`, or raises `SpecError` and leaves the old one as it was.
"""

from dataclasses import replace
from typing import Any

from core.augmentation import AugmentationSpec, StepSpec, presets
from core.augmentation.hole_chances import DROPOUT, DROPOUT_BEGINS, SIDE
from core.augmentation.spec import NORMALIZE
from ui.augmentation.offers import offered_transforms

CHANGED = ", changed"
LONGEST_NAME = 60
HOLE_SIDES = ("hole_height_range", "hole_width_range")


def add_step(spec: AugmentationSpec, transform: str) -> AugmentationSpec:
    """`spec` with a new step and those that it needs before and behind it, all before a Normalize step."""
    offers = offered_transforms()
    offered = offers[transform]
    needed = (offered.after,) if offered.after else ()
    new = (*(offers[name].new_step() for name in (*needed, transform)), *offered.behind)
    names = [step.transform for step in spec.steps]
    at = names.index(NORMALIZE) if NORMALIZE in names else len(names)
    return _with_steps(spec, (*spec.steps[:at], *new, *spec.steps[at:]))


def duplicate_step(spec: AugmentationSpec, index: int) -> AugmentationSpec:
    """`spec` with a copy of step `index` behind it."""
    return _with_steps(spec, (*spec.steps[: index + 1], *spec.steps[index:]))


def remove_step(spec: AugmentationSpec, index: int) -> AugmentationSpec:
    """`spec` without step `index`."""
    return _with_steps(spec, spec.steps[:index] + spec.steps[index + 1 :])


def move_step(spec: AugmentationSpec, index: int, distance: int) -> AugmentationSpec:
    """`spec` with step `index` moved by `distance` places, at most to either end."""
    steps = list(spec.steps)
    target = min(max(index + distance, 0), len(steps) - 1)
    steps.insert(target, steps.pop(index))
    return _with_steps(spec, tuple(steps))


def change_step(spec: AugmentationSpec, index: int, **fields: Any) -> AugmentationSpec:
    """`spec` with other fields of step `index`, such as `probability` and `is_on`."""
    changed = replace(spec.steps[index], **fields)
    return _with_steps(spec, (*spec.steps[:index], changed, *spec.steps[index + 1 :]))


def set_argument(spec: AugmentationSpec, index: int, argument: str, value: Any) -> AugmentationSpec:
    """`spec` with one argument of step `index` at `value`; a hole has both sides in pixels, or neither."""
    keywords = spec.steps[index].keywords | {argument: value}
    if spec.steps[index].transform == DROPOUT and argument in HOLE_SIDES:
        keywords |= _in_pixels(keywords)
    return change_step(spec, index, arguments=tuple(keywords.items()))


def set_statistics(
    spec: AugmentationSpec, mean: tuple[float, float, float], std: tuple[float, float, float]
) -> AugmentationSpec:
    """`spec` normalised with other statistics of pixels scaled to [0, 1]."""
    return named(replace(spec, mean=mean, std=std))


def _in_pixels(keywords: dict[str, Any]) -> dict[str, Any]:
    """The side of a hole that is a share of the image where the other is in pixels, which cannot be mixed."""
    sides = {side: keywords.get(side, DROPOUT_BEGINS[side]) for side in HOLE_SIDES}
    shares = {side: ends for side, ends in sides.items() if _are_shares(ends)}
    return {
        side: tuple(max(1, round(SIDE * end)) for end in ends)
        for side, ends in shares.items()
        if len(shares) < len(sides)
    }


def _are_shares(ends: Any) -> bool:
    is_pair = isinstance(ends, tuple) and len(ends) == 2
    return is_pair and all(isinstance(end, int | float) and end < 1 for end in ends)


def _with_steps(spec: AugmentationSpec, steps: tuple[StepSpec, ...]) -> AugmentationSpec:
    return named(replace(spec, steps=steps))


def named(spec: AugmentationSpec) -> AugmentationSpec:
    """`spec` under the name of the preset that it equals, else under one that says that it was changed."""
    preset = same_preset(spec)
    if preset or spec.name.endswith(CHANGED):
        return preset or spec
    return replace(spec, name=spec.name[: LONGEST_NAME - len(CHANGED)] + CHANGED)


def same_preset(spec: AugmentationSpec) -> AugmentationSpec | None:
    """The preset that `spec` equals but for its name, if there is one."""
    return next((preset for preset in presets().values() if replace(spec, name=preset.name) == preset), None)
