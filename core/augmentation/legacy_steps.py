"""What each transform of the releases 0.4 to 1.4 is in 2.0.8, with the old defaults written out."""

from collections.abc import Callable, Mapping
from typing import Any

from core.augmentation.catalogue import TRANSFORMS, OfferedTransform
from core.augmentation.legacy_calls import Call
from core.augmentation.legacy_names import OLD
from core.augmentation.legacy_reading import Range, Reading, is_number, new_step
from core.augmentation.legacy_warps import old_affine, pad_if_needed, random_crop, rotate, shift_scale_rotate
from core.augmentation.spec import StepSpec
from core.errors import SpecError

Translation = Callable[[Reading, float], tuple[StepSpec, ...]]


def check_offered(call: Call) -> None:
    """Raise `SpecError` for a transform that is neither offered nor translated."""
    if call.name not in TRANSFORMS and call.name not in TRANSLATIONS and _discovered(call.name) is None:
        raise SpecError(
            f"line {call.line}: {call.name} is not offered here; leave it out, or use one of "
            f"{', '.join(TRANSFORMS)}"
        )


def _discovered(name: str) -> OfferedTransform | None:
    from core.augmentation.discovery import offered_transforms  # albumentations takes a second to import

    return offered_transforms().get(name)


def translate(reading: Reading) -> tuple[StepSpec, ...]:
    """The steps of 2.0.8 that do what the call did; what had to change is added to its reasons."""
    name = reading.call.name
    if reading.is_modern and name in TRANSFORMS:
        return _as_it_is(reading)
    if name in TRANSFORMS and name not in OLD:
        return _as_it_is(reading)
    is_translated = name in TRANSLATIONS and (not reading.is_modern or name == "PadIfNeeded")
    if not is_translated:
        return _as_discovered(reading)
    reading.check_names()
    return TRANSLATIONS[name](reading, reading.probability())


def _as_discovered(reading: Reading) -> tuple[StepSpec, ...]:
    """A transform whose history is not known: arguments and defaults are those of 2.0.8."""
    offered = _discovered(reading.call.name)
    if offered is None:
        raise reading.refusal("is gone in 2.0.8; leave it out")
    known = {control.argument for control in offered.controls} | offered.more_arguments
    for name in reading.given:
        if name not in known | {"p", "always_apply"}:
            raise reading.refusal(f"2.0.8 has no argument {name}; it takes {', '.join(sorted(known))}")
    if not reading.is_modern:
        reading.reasons.append("what the code does not name is as in 2.0.8, whose defaults may be others")
    probability = reading.probability(offered.probability)
    arguments = {name: value for name, value in reading.given.items() if name not in ("p", "always_apply")}
    return (new_step(offered.name, probability, **arguments),)


def _as_it_is(reading: Reading) -> tuple[StepSpec, ...]:
    arguments = {name: value for name, value in reading.given.items() if name not in ("p", "always_apply")}
    return (new_step(reading.call.name, reading.probability(), **arguments),)


def _flip(reading: Reading, probability: float) -> tuple[StepSpec, ...]:
    if reading.call.positional and is_number(reading.call.positional[0]):
        reading.reasons.append("in the old releases the first argument without a name is always_apply, not p")
    return (new_step(reading.call.name, probability),)


def _coarse_dropout(reading: Reading, probability: float) -> tuple[StepSpec, ...]:
    ranges = {
        "num_holes_range": _span(reading, "num_holes_range", "min_holes", "max_holes"),
        "hole_height_range": _span(reading, "hole_height_range", "min_height", "max_height"),
        "hole_width_range": _span(reading, "hole_width_range", "min_width", "max_width"),
    }
    kinds = {
        isinstance(size, float) for name in ("hole_height_range", "hole_width_range") for size in ranges[name]
    }
    if len(kinds) > 1:
        raise reading.refusal("mixes sizes in pixels with shares of the image; use one kind")
    return (new_step("CoarseDropout", probability, **ranges, **_hole_fill(reading)),)


def _span(reading: Reading, new: str, low: str, high: str) -> Range:
    """The range under its later name, or least and most under their old ones; no least means the most."""
    has_later = any(name.endswith("_range") for name in reading.given)
    if high not in reading.given and has_later:
        least, most = reading[new]
    else:
        most = reading.number(high)
        least = most if reading[low] is None else reading.number(low)
        if high not in reading.given:
            reading.reasons.append(f"without {high} it was {most}")
        else:
            given = f"{low} and {high}" if reading[low] is not None else high
            reading.reasons.append(
                f"{given} became {new}" + ("" if reading[low] is not None else f", as {low} was {high}")
            )
        if least > most:
            reading.reasons.append(f"{low} {least} above {high} {most} was refused by the old release, too")
    return least, most


def _cutout(reading: Reading, probability: float) -> tuple[StepSpec, ...]:
    reading.reasons.append("Cutout is gone; its holes could stick out of the image and then hid less")
    holes, height, width = (reading.whole(name) for name in OLD["Cutout"] if name != "fill_value")
    ranges = {"num_holes_range": holes, "hole_height_range": height, "hole_width_range": width}
    both = {name: (value, value) for name, value in ranges.items()}
    return (new_step("CoarseDropout", probability, **both, **_hole_fill(reading)),)


def _hole_fill(reading: Reading) -> dict[str, Any]:
    fill = reading.fill("fill_value")
    if "fill_value" in reading.given:
        reading.reasons.append("fill_value is called fill now")
    if reading.given.get("mask_fill_value") is not None:
        reading.reasons.append("mask_fill_value is left out, as there are no masks")
    return {"fill": fill}


def _to_gray(reading: Reading, probability: float) -> tuple[StepSpec, ...]:
    if reading["num_output_channels"] != 3:
        raise reading.refusal("must leave three channels; leave num_output_channels out")
    return (new_step("ToGray", probability, method=reading["method"]),)


def _color_jitter(reading: Reading, probability: float) -> tuple[StepSpec, ...]:
    factors = {name: _factor(reading, name) for name in ("brightness", "contrast", "saturation")}
    if "hue" not in reading.given:
        reading.reasons.append("without hue the hue turned by up to 0.2; in 2.0.8 by up to 0.5")
    return (new_step("ColorJitter", probability, **factors, hue=reading.around("hue")),)


def _factor(reading: Reading, name: str) -> Range:
    """One number stands for as much below and above 1, at least 0; two numbers are the ends."""
    if not is_number(reading[name]):
        return reading.around(name)
    least, most = reading.around(name, 1)
    return max(0.0, least), most


def _brightness_contrast(reading: Reading, probability: float) -> tuple[StepSpec, ...]:
    limits = {name: reading.around(name) for name in ("brightness_limit", "contrast_limit")}
    by_max = {} if reading["brightness_by_max"] else {"brightness_by_max": False}
    return (new_step("RandomBrightnessContrast", probability, **limits, **by_max),)


def _one_of_both(reading: Reading, probability: float) -> tuple[StepSpec, ...]:
    limits = {"brightness_limit": (0, 0), "contrast_limit": (0, 0)}
    limits[reading.call.name.removeprefix("Random").lower() + "_limit"] = reading.around("limit")  # type: ignore[assignment]
    reading.reasons.append(f"{reading.call.name} is gone; RandomBrightnessContrast does its half")
    return (new_step("RandomBrightnessContrast", probability, **limits),)


def _shifts(reading: Reading, probability: float) -> tuple[StepSpec, ...]:
    limits = {name: reading.around(name) for name in OLD[reading.call.name]}
    return (new_step(reading.call.name, probability, **limits),)


TRANSLATIONS: Mapping[str, Translation] = {
    "HorizontalFlip": _flip,
    "VerticalFlip": _flip,
    "ShiftScaleRotate": shift_scale_rotate,
    "Rotate": rotate,
    "Affine": old_affine,
    "PadIfNeeded": pad_if_needed,
    "RandomCrop": random_crop,
    "CoarseDropout": _coarse_dropout,
    "Cutout": _cutout,
    "ToGray": _to_gray,
    "ColorJitter": _color_jitter,
    "RandomBrightnessContrast": _brightness_contrast,
    "RandomBrightness": _one_of_both,
    "RandomContrast": _one_of_both,
    "HueSaturationValue": _shifts,
    "RGBShift": _shifts,
}
