"""What a step drew for one image, in words."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

HIDDEN = frozenset({"shape", "seed", "fill", "fill_mask", "interpolation", "mask"})
"""Parameters that say nothing to a person."""
MOST = 4
"""So many numbers of a parameter are told."""


def drawn_words(transform: str, drawn: Mapping[str, Any]) -> str:
    """What `transform` drew, as in `16×16 px at 4, 9`; empty where it drew nothing that can be told."""
    known = _KNOWN.get(transform)
    if drawn and known:
        return known(drawn)
    if "holes" in drawn:
        return _holes(drawn)
    if _is_affine(drawn.get("matrix")):
        return _warp(drawn)
    parts = []
    for name, value in drawn.items():
        words = "" if name in HIDDEN or value is None else _value_words(value)
        if words:
            parts.append(f"{name.replace('_', ' ')} {words}")
    return ", ".join(parts)


def _value_words(value: Any) -> str:
    """A number, a word or a few numbers; nothing for what is longer."""
    if isinstance(value, bool | np.bool_ | str):
        return str(value).lower()
    if isinstance(value, int | float | np.number):
        return _number(value)
    if isinstance(value, dict):
        return " ".join(f"{name} {_value_words(part)}" for name, part in value.items() if _value_words(part))
    if isinstance(value, list | tuple | np.ndarray):
        flat = np.asarray(value, dtype=object).ravel()
        if 0 < len(flat) <= MOST and all(isinstance(item, int | float | np.number) for item in flat):
            return " ".join(map(_number, flat))
    return ""


def _number(value: Any) -> str:
    return f"{float(value):.3g}".replace("-", "−")


def _holes(drawn: Mapping[str, Any]) -> str:
    holes = [f"{x2 - x1}×{y2 - y1} px at {x1}, {y1}" for x1, y1, x2, y2 in drawn["holes"]]
    more = [f"{len(holes) - MOST} more"] if len(holes) > MOST else []
    return ", ".join(holes[:MOST] + more) or "no hole"


def _is_affine(matrix: Any) -> bool:
    return np.shape(matrix) == (3, 3) and np.array_equal(matrix[2], (0, 0, 1))


def _warp(drawn: Mapping[str, Any]) -> str:
    """Shift of the centre, scale, turn and slant, read off the matrix; what stays as it was is left out."""
    matrix = np.asarray(drawn["matrix"], dtype=float)
    height, width = drawn["shape"][:2]
    centre = np.array([(width - 1) / 2, (height - 1) / 2, 1])
    right, down = matrix[:2, 0], matrix[:2, 1]
    across, along = float(np.hypot(*right)), float(np.hypot(*down))
    slant = np.degrees(np.arcsin(np.clip(right @ down / (across * along), -1, 1)))
    turn = -np.degrees(np.arctan2(right[1], right[0]))
    scales = list(dict.fromkeys((f"{across:.2f}", f"{along:.2f}")))
    shift = [f"{offset:+.1f}".replace("-", "−") for offset in (matrix[:2] @ centre - centre[:2])]
    told = {
        f"shift {shift[0]}, {shift[1]} px": any(float(part.replace("−", "-")) for part in shift),
        f"scale {' by '.join(scales)}": scales != ["1.00"],
        f"turn {_number(round(turn, 1))}°": abs(turn) >= 0.05,
        f"slant {_number(round(slant, 1))}°": abs(slant) >= 0.05,
    }
    return ", ".join(words for words, is_told in told.items() if is_told) or "left where it is"


def _crop(drawn: Mapping[str, Any]) -> str:
    x1, y1, x2, y2 = drawn["crop_coords"]
    return f"{x2 - x1}×{y2 - y1} px from {x1}, {y1}"


def _margin(drawn: Mapping[str, Any]) -> str:
    sides = [f"{drawn[f'pad_{side}']}" for side in ("top", "right", "bottom", "left")]
    return (
        f"{sides[0]} px all round" if len(set(sides)) == 1 else f"{', '.join(sides)} px clockwise from above"
    )


def _brightness_contrast(drawn: Mapping[str, Any]) -> str:
    return f"contrast {_number(drawn['alpha'])} ×, brightness {_number(drawn['beta'])} of 255"


def _dropped(drawn: Mapping[str, Any]) -> str:
    """How many pixels are hidden; and how many only coloured, where channels are dropped each for itself."""
    num_channels = np.count_nonzero(drawn["drop_mask"], axis=-1)
    whole = np.count_nonzero(num_channels == drawn["drop_mask"].shape[-1])
    coloured = np.count_nonzero(num_channels) - whole
    return f"{whole} pixels" + (f", and channels of {coloured} more" if coloured else "")


def _salt_and_pepper(drawn: Mapping[str, Any]) -> str:
    salt, pepper = (np.count_nonzero(drawn[f"{kind}_mask"]) for kind in ("salt", "pepper"))
    return f"{salt} white pixels, {pepper} black"


_KNOWN: Mapping[str, Callable[[Mapping[str, Any]], str]] = {
    "RandomCrop": _crop,
    "Pad": _margin,
    "RandomBrightnessContrast": _brightness_contrast,
    "HorizontalFlip": lambda _: "mirrored",
    "VerticalFlip": lambda _: "upside down",
    "PixelDropout": _dropped,
    "SaltAndPepper": _salt_and_pepper,
    "ToGray": lambda _: "grey",
}
