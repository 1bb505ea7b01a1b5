"""`strength`: how a checkpoint fares as one argument of one augmentation step grows."""

import argparse
from collections.abc import Callable

from core.augmentation import AugmentationSpec
from core.cli.sample import add_sample_arguments, read_augmentation, read_dataset, show_json, use_threads
from core.errors import SpecError
from core.evaluation.strength import (
    Knob,
    StrengthCurve,
    StrengthPoint,
    curve_settings,
    first_of,
    list_knobs,
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `strength`."""
    add_sample_arguments(parser, images=500, seed=1)
    parser.add_argument("--step", type=int, help="its number, from 1 (the first that makes holes)")
    parser.add_argument(
        "--argument", nargs="+", help="of the step, all set to the same number (the side of the holes)"
    )
    parser.add_argument("--values", type=float, nargs="+", help="the numbers (ten or so over the range)")


def run(arguments: argparse.Namespace, show: Callable[[str], None]) -> int:
    """Show accuracy and confidence with the step off and at every value."""
    spec = read_augmentation(arguments)
    index, knob = _choose(spec, arguments.step, arguments.argument)
    settings = curve_settings(spec, index, knob, arguments.images, arguments.seed, arguments.values or ())
    dataset = read_dataset(arguments)
    use_threads(arguments)
    from core.evaluation.strength_run import measure_strength

    for event in measure_strength(arguments.checkpoint, dataset, settings, arguments.device):
        if arguments.json:
            show_json(show, event)
        elif isinstance(event, StrengthCurve):
            _show_table(event, show)
    return 0


def _choose(spec: AugmentationSpec, step: int | None, names: list[str] | None) -> tuple[int, Knob]:
    """The step's index and what is turned of it: what is named, else the first that there is."""
    from core.augmentation.discovery import offered_transforms

    offered = offered_transforms()
    knobs = [
        list_knobs(each, offered[each.transform].controls) if each.transform in offered else ()
        for each in spec.steps
    ]
    index = first_of(spec, knobs) if step is None else step - 1
    if index is None or not 0 <= index < len(knobs) or not knobs[index]:
        usable = [number for number, each in enumerate(knobs, start=1) if each]
        raise SpecError(f"step must be one with a number to change, of {usable}, got {step}; choose another")
    given = tuple(names or knobs[index][0].arguments)
    chosen = next((knob for knob in knobs[index] if set(knob.arguments) == set(given)), None)
    if chosen is None:
        known = "; ".join(" ".join(knob.arguments) for knob in knobs[index])
        raise SpecError(f"argument must be one of {known}, got {' '.join(given)}; choose one")
    return index, chosen


def _show_table(curve: StrengthCurve, show: Callable[[str], None]) -> None:
    settings = curve.settings
    step = settings.augmentation.steps[settings.step]
    show(f"{step.transform}, {' and '.join(settings.arguments)}; {sum(curve.totals):,} test images")
    show(f"{'value':>8}{'accuracy':>10}{'95 % interval':>20}{'confidence':>12}")
    for point in (curve.off, *curve.points):
        show(_row(curve, point))
    if curve.stored_correct is not None:
        off = sum(curve.off.correct)
        show(f"right with the step off: {off:,}; in the stored evaluation: {curve.stored_correct:,}")


def _row(curve: StrengthCurve, point: StrengthPoint) -> str:
    accuracy, confidence = curve.accuracy(point), curve.confidence(point)
    low, high = accuracy.interval
    value = "off" if point.value is None else f"{point.value:g}"
    between = f"{low:.1%} to {high:.1%}"
    return f"{value:>8}{accuracy.value or 0:>10.1%}{between:>20}{confidence or 0:>12.1%}"
