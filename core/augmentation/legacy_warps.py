"""The old transforms that move pixels, as the Affine and the Pad of 2.0.8."""

from typing import Any

from core.augmentation.legacy_calls import brief, is_number, is_pair
from core.augmentation.legacy_names import CONSTANT
from core.augmentation.legacy_reading import Range, Reading, new_step
from core.augmentation.spec import StepSpec

SIDE = 32
SHIFT = (
    "2.0.8, as 1.4.24, shifts by whole pixels, the fraction cut off, where the releases before shifted by "
    "any fraction: some images stay where they were"
)
AFFINE = (
    "an Affine with one factor for both sides is what it was; 2.0.8's own {name} {difference}; up to 1.1.0 "
    "it turned about a point half a pixel further right and down"
)


def shift_scale_rotate(reading: Reading, probability: float) -> tuple[StepSpec, ...]:
    """Move, size and turn at once; one factor scales both sides."""
    shifts = [
        reading.around("shift_limit" if reading[name] is None else name)
        for name in ("shift_limit_x", "shift_limit_y")
    ]
    if shifts[0] != shifts[1]:
        raise reading.refusal(f"shifts by {shifts[0]} across and {shifts[1]} down; use one range for both")
    reading.reasons.append(AFFINE.format(name="ShiftScaleRotate", difference="scales both sides apart"))
    if shifts[0] != (0, 0):
        reading.reasons.append(SHIFT)
    moves = (shifts[0], reading.around("scale_limit", 1), reading.around("rotate_limit"))
    return (_affine(reading, probability, *moves),)


def rotate(reading: Reading, probability: float) -> tuple[StepSpec, ...]:
    """Turn alone."""
    if reading["crop_border"]:
        raise reading.refusal("crop_border changes the size of the image; leave it out")
    reading.reasons.append(AFFINE.format(name="Rotate", difference="is not offered here"))
    return (_affine(reading, probability, (0, 0), (1, 1), reading.around("limit")),)


def _affine(reading: Reading, probability: float, shift: Range, scale: Range, rotate: Range) -> StepSpec:
    moves = {"translate_percent": shift, "scale": scale, "rotate": rotate, "shear": (0, 0)}
    return new_step(
        "Affine", probability, **moves, keep_ratio=True, **_border(reading, "border_mode", "value")
    )


def _border(reading: Reading, mode: str, value: str) -> dict[str, Any]:
    """Border and interpolation; the colour only where a border has one, and what is usual is not written."""
    border = {"border_mode": reading.whole(mode)}
    if mode not in reading.given:
        known = "black" if border["border_mode"] == CONSTANT else "the mirrored image, 2.0.8's is black"
        reading.reasons.append(f"without {mode} the border was {known}")
    if border["border_mode"] == CONSTANT and (fill := reading.fill(value, rounds=True)):
        border["fill"] = fill
        reading.reasons.append(f"{value} is called fill now")
    if reading["interpolation"] != 1:
        border["interpolation"] = reading.whole("interpolation")
    return border


def old_affine(reading: Reading, probability: float) -> tuple[StepSpec, ...]:
    """Affine as the releases 1.0 to 1.4 had it: one number means that number, and no arguments mean all."""
    if reading["fit_output"]:
        raise reading.refusal("fit_output changes the size of the image; leave it out")
    names = ("scale", "translate_percent", "translate_px", "rotate", "shear")
    values = {name: _axes(reading, name) for name in names if reading[name] is not None}
    if not values:
        values = {
            "scale": (0.9, 1.1),
            "translate_percent": (-0.1, 0.1),
            "rotate": (-15, 15),
            "shear": (-10, 10),
        }
        reading.reasons.append(
            "without arguments it scaled, shifted, turned and sheared; 2.0.8's does nothing"
        )
    for name in ("rotate", "shear"):
        least, most = values.setdefault(name, (0, 0))
        if least != -most:
            raise reading.refusal(
                f"{name} from {least} to {most}: which way is positive differs between the releases; "
                "write a range with 0 in its middle"
            )
    values.setdefault("scale", (1, 1))
    if "translate_px" not in values:
        values.setdefault("translate_percent", (0, 0))
    if values.get("translate_percent", (0, 0)) != (0, 0):
        reading.reasons.append(SHIFT)
    for old in ("mode", "cval", "cval_mask"):
        if old in reading.given:
            new = {"mode": "border_mode", "cval": "fill"}.get(old, "left out, as there are no masks")
            reading.reasons.append(f"{old} is {new} now")
    keep_ratio = bool(reading["keep_ratio"])
    return (new_step("Affine", probability, **values, keep_ratio=keep_ratio, **_old_border(reading)),)


def _old_border(reading: Reading) -> dict[str, Any]:
    border: dict[str, Any] = {"border_mode": reading.whole("mode")}
    if border["border_mode"] == CONSTANT and (fill := reading.fill("cval", rounds=True)):
        border["fill"] = fill
    if reading["interpolation"] != 1:
        border["interpolation"] = reading.whole("interpolation")
    return border


def _axes(reading: Reading, name: str) -> Range:
    """A range; one number is that number for every image, and a dictionary holds one range for both axes."""
    value = reading[name]
    if isinstance(value, dict):
        axes = list(value.values())
        if set(value) != {"x", "y"} or axes[0] != axes[1]:
            raise reading.refusal(f"{name} differs between x and y; use one range for both")
        value = axes[0]
    ends = (value, value) if is_number(value) else value
    if not is_pair(ends):
        raise reading.refusal(
            f"{name} is a number or a pair of numbers, got {brief(value)}; write one of these"
        )
    return ends[0], ends[1]


def pad_if_needed(reading: Reading, probability: float) -> tuple[StepSpec, ...]:
    """A margin around the image of 32x32 px."""
    if reading["pad_height_divisor"] is not None or reading["pad_width_divisor"] is not None:
        raise reading.refusal("pads to a multiple; write min_height and min_width")
    if str(reading["position"]).rpartition(".")[2].lower() != "center":
        raise reading.refusal("pads on some sides only; leave position out")
    down, across = (max(0, reading.whole(name) - SIDE) for name in ("min_height", "min_width"))
    reading.reasons.append(f"Pad adds to {SIDE}x{SIDE} px what PadIfNeeded did")
    if reading.is_modern:
        border: dict[str, Any] = {"border_mode": reading.given.get("border_mode", CONSTANT)}
        border |= {"fill": reading.given["fill"]} if "fill" in reading.given else {}
    else:
        reading.given["interpolation"] = 1
        border = _border(reading, "border_mode", "value")
    if not down and not across:
        return ()
    sides = (across // 2, down // 2, across - across // 2, down - down // 2)
    padding = sides[0] if len(set(sides)) == 1 else sides
    return (new_step("Pad", probability, padding=padding, **border),)


def random_crop(reading: Reading, probability: float) -> tuple[StepSpec, ...]:
    """A window of the image."""
    if not reading.is_modern:
        reading.reasons.append("up to 1.1.0 the last place on each axis was never drawn")
    return (
        new_step("RandomCrop", probability, height=reading.whole("height"), width=reading.whole("width")),
    )
