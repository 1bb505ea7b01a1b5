"""A transform without controls by hand as an old release called it, and how that becomes a call of 2.0.8."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from core.augmentation.legacy_calls import brief, is_number, is_pair
from core.augmentation.legacy_names import CONSTANT, REFLECT_101
from core.augmentation.legacy_reading import Reading

MASKS = frozenset(
    {"mask_value", "mask_fill_value", "mask_pad_val", "pad_cval_mask", "cval_mask", "mask_drop_value"}
)
"""Old arguments that say nothing about an image."""
SMALLEST_KERNEL = 3

Two = tuple[str, str, tuple[Any, Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Older:
    """One transform, as the old releases had it."""

    places: tuple[str, ...] = ()
    """The arguments that were given without names, in their order, under their old names."""
    began: Mapping[str, Any] = field(default_factory=dict)
    """By argument of 2.0.8 which begins elsewhere: where the old releases began."""
    renamed: Mapping[str, str] = field(default_factory=dict)
    """By old name: what it is called now."""
    two: Mapping[str, Two] = field(default_factory=dict)
    """By argument of 2.0.8 that is a pair: the two numbers of the old releases, and where they began."""
    values: Mapping[str, Callable[[Reading, str, Any], Any]] = field(default_factory=dict)
    """By argument of 2.0.8: its value, from the call, the old name and what was given."""
    gone: frozenset[str] = frozenset()
    """Arguments that 2.0.8 has nothing for."""
    probability: float | None = None
    """Where it is not that of 2.0.8."""
    told: str = ""
    """What 2.0.8 does otherwise, whatever it is given."""


def kernel(_: Reading, __: str, value: Any) -> Any:
    """One number was the largest side of the kernel, from 3 on."""
    return (SMALLEST_KERNEL, max(SMALLEST_KERNEL, value)) if is_number(value) else value


def deviation(reading: Reading, name: str, value: Any) -> Any:
    """A range of variances of 8-bit pixels as one of standard deviations, as shares of the largest value."""
    least, most = (0, value) if is_number(value) else value if is_pair(value) else (-1, -1)
    if not 0 <= least <= most:
        raise reading.refusal(f"{name} is a number or a pair of numbers from 0 on; write one of these")
    return round(math.sqrt(least) / _white(reading), 6), round(math.sqrt(most) / _white(reading), 6)


def mean(reading: Reading, name: str, value: Any) -> Any:
    """A level of 8-bit pixels as a share of the largest value, twice."""
    if not is_number(value):
        raise reading.refusal(f"{name} is a number; write one")
    return (round(value / _white(reading), 6),) * 2


def _white(reading: Reading) -> float:
    return 1 if reading.is_normalised else 255


def threshold(reading: Reading, name: str, value: Any) -> Any:
    """A level of 8-bit pixels, or two, as shares of the largest value."""
    ends = (value, value) if is_number(value) else value
    if not is_pair(ends):
        raise reading.refusal(f"{name} is a number or a pair of numbers; write one of these")
    if ends != value:
        reading.reasons.append("from 1.4.10 on one number is the largest that is drawn")
    return tuple(round(end / _white(reading), 6) for end in ends)


def fill(reading: Reading, name: str, _: Any) -> Any:
    """A colour that is written into the pixels."""
    return reading.fill(name)


def border_fill(reading: Reading, name: str, _: Any) -> Any:
    """A colour that OpenCV draws at the border."""
    return reading.fill(name, rounds=True)


def skimage_mode(reading: Reading, name: str, value: Any) -> Any:
    """What is at the border, by the words of scikit-image, as OpenCV's number."""
    modes = {"constant": CONSTANT, "edge": 1, "symmetric": 2, "wrap": 3, "reflect": REFLECT_101}
    if not isinstance(value, str) or value not in modes:
        raise reading.refusal(f"{name} is one of {', '.join(modes)}; write one of these")
    return modes[value]


def same(_: Reading, __: str, value: Any) -> Any:
    """One number was that number for every image."""
    return (value, value) if is_number(value) else value


def _said(began: Any) -> str:
    return "the mirrored image" if began == REFLECT_101 else brief(began)


def modern_arguments(reading: Reading, older: Older) -> dict[str, Any]:
    """The arguments of an old call, but its probability, under the names of 2.0.8; changes are told."""
    given = {name: value for name, value in reading.given.items() if name not in ("p", "always_apply")}
    arguments = _take_two(reading, older, given)
    for name, value in given.items():
        if name in MASKS:
            reading.reasons.append(f"{name} is left out, as there are no masks")
        elif name not in older.gone:
            new = older.renamed.get(name, name)
            read = older.values.get(new)
            arguments[new] = read(reading, name, value) if read else value
            if new != name:
                reading.reasons.append(f"{name} is called {new} now")
    for name, began in older.began.items():
        if name not in arguments:
            arguments[name] = began
            reading.reasons.append(f"without {name} it was {_said(began)}")
    if older.told:
        reading.reasons.append(older.told)
    return arguments


def _take_two(reading: Reading, older: Older, given: dict[str, Any]) -> dict[str, Any]:
    """The pairs of 2.0.8 that were two arguments, which are taken out of `given`."""
    arguments = {}
    for new, (first, second, began) in older.two.items():
        if first in given or second in given:
            ends = given.pop(first, began[0]), given.pop(second, began[1])
            if not is_pair(ends):
                raise reading.refusal(f"{first} and {second} are two numbers, got {brief(ends)}; write both")
            arguments[new] = ends
            reading.reasons.append(f"{first} and {second} became {new}")
    return arguments
