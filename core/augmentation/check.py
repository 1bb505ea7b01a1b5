"""Whether a pipeline can run, before anything is spent on it: every transform, argument and image size."""

import inspect
from functools import lru_cache
from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError

from core.augmentation.catalogue import TRANSFORMS
from core.augmentation.controls import Control, is_upside_down
from core.augmentation.discovery import offered_transforms, why_left_out
from core.augmentation.library import albumentations
from core.augmentation.spec import NORMALIZE, AugmentationSpec, StepSpec, thaw
from core.errors import SpecError
from core.spec import explain

IMAGE_SIDE = 32
MAX_SIDE = 256
# No argument of a transform of 32 px images needs a larger number; padding by 100,000 fills the memory.
MAX_NUMBER = 1000
# OpenCV takes seconds for a mirrored border at scales near 0, and for ever where shears make a line of it.
MIN_SCALE = 0.1
MAX_SHEAR = 40

Channels = tuple[float, float, float]

# albumentations 2.0.8 only warns about these and goes on without them.
RENAMED = {
    "max_holes": "num_holes_range",
    "min_holes": "num_holes_range",
    "max_height": "hole_height_range",
    "min_height": "hole_height_range",
    "max_width": "hole_width_range",
    "min_width": "hole_width_range",
    "fill_value": "fill",
    "value": "fill",
    "mask_fill_value": "fill_mask",
    "mask_value": "fill_mask",
    "always_apply": "the step's probability",
    "p": "the step's probability",
}
# What albumentations, OpenCV and NumPy raise for arguments that do not fit together or not the image.
FAULTS = (ArithmeticError, AttributeError, LookupError, RuntimeError, TypeError, ValueError, cv2.error)


class _Image(NamedTuple):
    """What a step can meet."""

    height: int
    width: int
    dtype: str


@lru_cache(maxsize=256)
def check(spec: AugmentationSpec) -> None:
    """Raise `SpecError`, with the step, the rule and the remedy, unless `spec` runs on 32x32 RGB images.

    Steps that are off are not looked at. Every step is run once on a small image, in every image size that
    the steps before it can leave, because a step with a probability below 1 leaves some images as they were.
    """
    images = {_Image(IMAGE_SIDE, IMAGE_SIDE, "uint8")}
    for index, step in active_steps(spec):
        outcomes = {_outcome(step, place(spec, index), spec.mean, spec.std, image) for image in images}
        images = outcomes if step.probability == 1 else images | outcomes
    for height, width, _ in sorted(images):
        if (height, width) != (IMAGE_SIDE, IMAGE_SIDE):
            raise SpecError(
                f"pipeline: every image must leave it at {IMAGE_SIDE}x{IMAGE_SIDE} px, some leave it at "
                f"{width}x{height} px; end it with a RandomCrop to {IMAGE_SIDE}x{IMAGE_SIDE}, probability 1"
            )


def active_steps(spec: AugmentationSpec) -> list[tuple[int, StepSpec]]:
    """The steps that can act, each with its index in `spec.steps`."""
    return [(index, step) for index, step in enumerate(spec.steps) if step.is_on and step.probability > 0]


def place(spec: AugmentationSpec, index: int) -> str:
    """How messages name a step; people count from 1."""
    return f"step {index + 1} ({spec.steps[index].transform})"


def build_step(spec: AugmentationSpec, index: int) -> Any:
    """The albumentations transform of one step; `SpecError` where the installed release refuses it."""
    return _build(spec.steps[index], place(spec, index), spec.mean, spec.std)


def _build(step: StepSpec, where: str, mean: Channels, std: Channels) -> Any:
    if step.transform == NORMALIZE:
        return albumentations.Normalize(mean=mean, std=std)
    offered = offered_transforms().get(step.transform)
    if offered is None:
        raise SpecError(
            f"{where}: is not offered: it {why_left_out(step.transform)}; choose another transform"
        )
    transform_class = getattr(albumentations, step.transform)
    defaults = {name: field.default for name, field in inspect.signature(transform_class).parameters.items()}
    _check_names(step, defaults, where)
    controls = {} if step.transform in TRANSFORMS else {item.argument: item for item in offered.controls}
    for name, value in step.arguments:
        if name in controls:
            _check_reach(controls[name], value, where)
        else:
            _check_value(name, value, where)
    if "hole_height_range" in defaults:
        _check_hole_sizes(defaults | step.keywords, where)
    try:
        arguments = {name: thaw(value) for name, value in step.arguments}
        _check_spread(transform_class, defaults | arguments, controls, where)
        # MedianBlur, which has an __init__ but no schema of its own, does not take it.
        is_strict = "InitSchema" in vars(transform_class) or "__init__" not in vars(transform_class)
        options = {"strict": True} if is_strict else {}
        transform = transform_class(**arguments, p=step.probability, **options)
    except (TypeError, ValueError) as error:
        cause = error if isinstance(error, ValidationError) else error.__cause__
        reason = explain(cause, step.transform) if isinstance(cause, ValidationError) else str(error)
        raise SpecError(f"{where}: {reason}") from None
    if isinstance(transform, albumentations.Affine):
        _check_affine(transform, where)
    return transform


def _release() -> str:
    return f"albumentations {albumentations.__version__}"


def _check_names(step: StepSpec, defaults: dict[str, Any], where: str) -> None:
    known = sorted(defaults.keys() - {"p", "strict", "args", "kwargs"})
    for name, _ in step.arguments:
        if name not in known:
            remedy = f"use {RENAMED.get(name, ', '.join(known))}" if known else "remove it"
            raise SpecError(f"{where}: {_release()} has no argument {name} and would ignore it; {remedy}")


def _check_value(name: str, value: Any, where: str) -> None:
    numbers = _numbers(value)
    for number in numbers:
        if abs(number) > MAX_NUMBER:
            raise SpecError(
                f"{where}: {name} lies within ±{MAX_NUMBER}, got {number}; choose a smaller number"
            )
    if is_upside_down(name, value):
        raise SpecError(f"{where}: {name} runs from least to most, got {value}; swap the two numbers")


def _check_reach(control: Control, value: Any, where: str) -> None:
    """What a control cannot reach is not tested, and may take for ever.

    One number may stand for a range, and a pair for one number: the library refuses what it does not take.
    """
    numbers = _numbers(value)
    is_within = numbers and all(control.minimum <= number <= control.maximum for number in numbers)
    is_pair = control.kind in ("int", "float") and isinstance(value, tuple) and len(value) == 2
    is_other_form = is_within and (numbers == [value] or (is_pair and numbers == list(value)))
    if control.kind == "text" or (control.kind == "colour" and numbers):
        _check_value(control.argument, value, where)
    elif not control.fits(value) and not (control.is_numeric and is_other_form):
        raise SpecError(f"{where}: {control.argument} {control.rule()}, got {value!r}; choose within that")


def _check_spread(
    transform: Any, arguments: dict[str, Any], controls: dict[str, Control], where: str
) -> None:
    """The library spreads one number to a range, such as 5 to (-5, 5): both ends must be in reach too."""
    single = [
        control
        for control in controls.values()
        if control.kind.endswith("_range") and isinstance(arguments.get(control.argument), int | float)
    ]
    if single:
        spread = transform.InitSchema(**arguments | {"strict": True})
        for control in single:
            _check_reach(control, getattr(spread, control.argument), where)


def _check_hole_sizes(arguments: dict[str, Any], where: str) -> None:
    """2.0.8 takes all sizes as pixels once the greatest height reaches 1, else all as shares of the image."""
    sizes = _numbers(arguments["hole_height_range"]) + _numbers(arguments["hole_width_range"])
    if not sizes:
        return  # not numbers at all: albumentations says so
    if max(sizes) >= 1 and not all(float(size).is_integer() for size in sizes):
        raise SpecError(
            f"{where}: hole sizes are either all whole pixels or all shares of the image below 1, "
            f"got {sizes}; use one kind for height and width"
        )
    if max(sizes) > IMAGE_SIDE or min(sizes) < 0:
        raise SpecError(f"{where}: a hole measures 0 to {IMAGE_SIDE} px, got {sizes}; keep it in the image")


def _check_affine(transform: Any, where: str) -> None:
    scale = min(least for least, _ in transform.scale.values())
    shear = max(abs(end) for ends in transform.shear.values() for end in ends)
    if scale < MIN_SCALE:
        raise SpecError(f"{where}: the scale is at least {MIN_SCALE}, got {scale}; raise it")
    if shear > MAX_SHEAR:
        raise SpecError(f"{where}: the shear lies within ±{MAX_SHEAR}°, got {shear}; lower it")


def _numbers(value: Any) -> list[float]:
    if isinstance(value, tuple):
        return [number for item in value for number in _numbers(item)]
    return [value] if isinstance(value, int | float) and not isinstance(value, bool) else []


@lru_cache(maxsize=1024)  # a slider of one step leaves the others as they were
def _outcome(step: StepSpec, where: str, mean: Channels, std: Channels, image: _Image) -> _Image:
    """What the step leaves of such an image; `SpecError` where it cannot be built, or not work on it."""
    transform = _build(step, where, mean, std)
    transform.set_random_seed(0)
    pixels = np.random.default_rng(0).integers(0, 256, (image.height, image.width, 3), dtype=np.uint8)
    before = pixels if image.dtype == "uint8" else ((pixels / 255 - mean) / std).astype(image.dtype)
    try:
        outcome: NDArray[Any] = transform(image=before, force_apply=True)["image"]
    except FAULTS as error:
        reason = str(error).strip() or type(error).__name__
        raise SpecError(
            f"{where}: cannot work on an RGB image with these arguments ({reason}); change them"
        ) from None
    is_picture = outcome.ndim == 3 and outcome.shape[2] == 3 and max(outcome.shape) <= MAX_SIDE
    normalises = step.transform == NORMALIZE
    if not is_picture or (outcome.dtype != before.dtype and not normalises):
        raise SpecError(
            f"{where}: must leave an RGB image of {before.dtype} with sides up to {MAX_SIDE} px, leaves "
            f"{outcome.shape} of {outcome.dtype}; change its arguments"
        )
    height, width, _ = outcome.shape
    return _Image(height, width, str(outcome.dtype))
