"""What each transform of the releases 0.4 to 1.4 is in 2.0.8, with the old defaults written out."""

from collections.abc import Callable, Mapping
from typing import Any

from core.augmentation.catalogue import TRANSFORMS, OfferedTransform
from core.augmentation.hole_chances import DROPOUT_BEGINS
from core.augmentation.legacy_calls import Call, brief, is_number, is_pair, refusal
from core.augmentation.legacy_names import BY_PLACE, MIRRORED, MODERN_POSITIONAL, OLD
from core.augmentation.legacy_older import Older, kernel, modern_arguments
from core.augmentation.legacy_others import GONE, OTHERS
from core.augmentation.legacy_reading import Range, Reading, new_step
from core.augmentation.legacy_warps import old_affine, pad_if_needed, random_crop, rotate, shift_scale_rotate
from core.augmentation.spec import StepSpec

REMEDIES = {
    **dict.fromkeys(
        ("OneOf", "OneOrOther", "RandomOrder", "Sequential", "SomeOf"),
        "write those of its transforms that you want straight into Compose, each with its own p",
    ),
    "Flip": "it drew one of three flips, so write HorizontalFlip, VerticalFlip or both",
}
"""What to write in place of a transform that is not offered, where that can be said."""
Translation = Callable[[Reading, float], tuple[StepSpec, ...]]


def read(call: Call, is_modern: bool, is_normalised: bool) -> Reading:
    """The arguments of a call; `SpecError` for a transform that is neither offered nor translated."""
    if call.name not in TRANSFORMS and call.name not in TRANSLATIONS and _discovered(call.name) is None:
        remedy = REMEDIES.get(call.name) or (
            "leave it out, or take another one, which the search box of Augment finds by a word"
        )
        raise refusal(call.line, f"{call.name:.40} is not offered here; {remedy}")
    return Reading(call, _places(call, is_modern), is_modern, is_normalised)


def _places(call: Call, is_modern: bool) -> tuple[str, ...]:
    """The arguments that people gave without names."""
    name = call.name
    if is_modern:
        return MODERN_POSITIONAL.get(name) or _order(name)
    if older := OTHERS.get(GONE.get(name, name)):
        return older.places
    if name not in OLD:
        return ()
    if name in BY_PLACE:
        return tuple(OLD[name])[: BY_PLACE[name]]
    # It had no arguments of its own up to 1.4.10.
    is_bare = name == "ToGray" and any(isinstance(value, bool) for value in call.positional[:1])
    return ("always_apply", "p") if is_bare else (*OLD[name], "always_apply", "p")


def _order(name: str) -> tuple[str, ...]:
    from core.augmentation.discovery import argument_order

    offered = _discovered(name)
    return argument_order(offered.name) if offered else ()


def _discovered(name: str) -> OfferedTransform | None:
    from core.augmentation.discovery import offered_transforms  # albumentations takes a second to import

    return offered_transforms().get(GONE.get(name, name))


def translate(reading: Reading) -> tuple[StepSpec, ...]:
    """The steps of 2.0.8 that do what the call did; what had to change is added to its reasons."""
    name = reading.call.name
    if reading.is_modern and name in MIRRORED and "border_mode" not in reading.given:
        reading.reasons.append("read as of 2.0, whose border is black; 1.4.19 to 1.4.24 mirrored the image")
    if name in TRANSFORMS and (reading.is_modern or name not in OLD):
        return _as_it_is(reading)
    is_translated = name in TRANSLATIONS and (not reading.is_modern or name == "PadIfNeeded")
    if not is_translated:
        return _as_discovered(reading)
    reading.check_names()
    return TRANSLATIONS[name](reading, reading.probability())


def _as_discovered(reading: Reading) -> tuple[StepSpec, ...]:
    """A transform without controls by hand: what it was called is known, and what 2.0.8 begins with else."""
    offered = _discovered(reading.call.name)
    if offered is None:
        raise reading.refusal("is gone in 2.0.8; leave it out")
    if offered.name != reading.call.name:
        reading.reasons.append(f"{reading.call.name} is called {offered.name} now")
    older = Older() if reading.is_modern else OTHERS.get(offered.name, Older())
    arguments = modern_arguments(reading, older)
    known = {control.argument for control in offered.controls} | offered.more_arguments
    for name in arguments:
        if name not in known:
            raise reading.refusal(
                f"no release has an argument {name}; 2.0.8 takes {', '.join(sorted(known))}"
            )
    probability = offered.probability
    if older.probability is not None:
        probability = older.probability
        if "p" not in reading.given:
            reading.reasons.append(
                f"without p it was {probability:g}; in 2.0.8 it is {offered.probability:g}"
            )
    return (new_step(offered.name, reading.probability(probability), **arguments),)


def _as_it_is(reading: Reading) -> tuple[StepSpec, ...]:
    arguments = {name: value for name, value in reading.given.items() if name not in ("p", "always_apply")}
    return (new_step(reading.call.name, reading.probability(), **arguments),)


def _flip(reading: Reading, probability: float) -> tuple[StepSpec, ...]:
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
        least, most = reading.pair(new)
        if new not in reading.given:
            reading.reasons.append(
                f"without {new} it was {(least, most)}; in 2.0.8 it is {DROPOUT_BEGINS[new]}"
            )
    else:
        most = reading.number(high)
        least = most if reading[low] is None else reading.number(low)
        if high not in reading.given:
            later = "" if high != "max_holes" else ", from 1.4.7 on 1"
            reading.reasons.append(f"without {high} it was {most}{later}")
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


def _gaussian_blur(reading: Reading, probability: float) -> tuple[StepSpec, ...]:
    """Without a deviation OpenCV took it from the side of the kernel; 2.0.8 needs both."""
    sides = kernel(reading, "blur_limit", reading["blur_limit"])
    if not is_pair(sides):
        raise reading.refusal(
            f"blur_limit is a number or a pair of numbers, got {brief(sides)}; write one of these"
        )
    deviations = reading["sigma_limit"]
    if is_number(deviations):  # the largest; 0.1 px blurs nothing
        deviations = deviations and (min(0.1, deviations), deviations)
    if not deviations:
        deviations = tuple(round(0.3 * ((side - 1) / 2 - 1) + 0.8, 3) for side in sides)
        reading.reasons.append(
            "without sigma_limit OpenCV took the deviation from the side of the kernel; 2.0.8 draws both"
        )
    return (new_step("GaussianBlur", probability, blur_limit=sides, sigma_limit=deviations),)


def _to_gray(reading: Reading, probability: float) -> tuple[StepSpec, ...]:
    if reading["num_output_channels"] != 3:
        raise reading.refusal("must leave three channels; leave num_output_channels out")
    return (new_step("ToGray", probability, method=reading["method"]),)


def _color_jitter(reading: Reading, probability: float) -> tuple[StepSpec, ...]:
    factors = {name: _factor(reading, name) for name in ("brightness", "contrast", "saturation")}
    if "hue" not in reading.given:
        reading.reasons.append("without hue the hue turned by up to 0.2; from 1.4.4 on by up to 0.5")
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
    "GaussianBlur": _gaussian_blur,
    "ToGray": _to_gray,
    "ColorJitter": _color_jitter,
    "RandomBrightnessContrast": _brightness_contrast,
    "RandomBrightness": _one_of_both,
    "RandomContrast": _one_of_both,
    "HueSaturationValue": _shifts,
    "RGBShift": _shifts,
}
