"""What a page needs to know of one argument of a transform in order to let people set it."""

from dataclasses import dataclass
from typing import Any, Literal

Kind = Literal["int", "float", "int_range", "float_range", "bool", "choice", "colour"]
# Arguments of 2.0.8 that are ranges without being called so.
RANGES = frozenset({"brightness", "contrast", "hue", "limit", "rotate", "saturation", "scale", "shear"})
RANGES |= {"translate_percent", "translate_px"}
Choices = tuple[tuple[Any, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Control:
    """One argument of a transform, and how a page lets people set it."""

    argument: str
    """Its name in albumentations 2.0.8."""
    label: str
    kind: Kind
    default: Any
    """A number, a pair (least, most) for a range, a value of `choices`, or a colour (R, G, B) in 0 to 255."""
    help: str
    minimum: float = 0
    """The ends of the slider, for numbers and ranges."""
    maximum: float = 1
    step: float = 1
    unit: str = ""
    """px, ° or × (a factor); "of the side" is a share of the image's width or height."""
    choices: Choices = ()
    """Value and label, for `choice`; for `colour`, ready colours and other fills."""

    def fits(self, value: Any) -> bool:
        """Whether the control can show `value`; what it cannot show a page keeps as it is."""
        if self.kind == "bool":
            return isinstance(value, bool)
        if self.kind == "choice":
            return value in [choice for choice, _ in self.choices]
        if self.kind == "colour":
            return value in [choice for choice, _ in self.choices] or _is_colour(value)
        if self.kind in ("int_range", "float_range"):
            is_pair = isinstance(value, tuple) and len(value) == 2
            return is_pair and all(map(self._holds, value)) and value[0] <= value[1]
        return self._holds(value)

    def _holds(self, number: Any) -> bool:
        types = int | float if self.kind.startswith("float") else int
        is_number = isinstance(number, types) and not isinstance(number, bool)
        return is_number and self.minimum <= number <= self.maximum


def is_upside_down(argument: str, value: Any) -> bool:
    """Whether `value` is a range, least and most, of which the least is above the most."""
    if not argument.endswith(("_range", "_limit")) and argument not in RANGES:
        return False
    is_pair = isinstance(value, tuple) and len(value) == 2
    return is_pair and all(isinstance(end, int | float) for end in value) and value[0] > value[1]


def _is_colour(value: Any) -> bool:
    channels = value if isinstance(value, tuple) and len(value) == 3 else ()
    return bool(channels) and all(isinstance(level, int) and 0 <= level <= 255 for level in channels)


def range_control(
    argument: str,
    label: str,
    ends: tuple[float, float],
    default: tuple[float, float],
    step: float,
    *words: str,
) -> Control:
    """A range slider; `words` are the unit and the help."""
    kind: Kind = "int_range" if isinstance(step, int) else "float_range"
    least, most = ends
    unit, explained = words
    return Control(
        argument=argument,
        label=label,
        kind=kind,
        default=default,
        minimum=least,
        maximum=most,
        step=step,
        unit=unit,
        help=explained,
    )


def choice_control(argument: str, label: str, choices: Choices, explained: str) -> Control:
    """A select box that starts with the first choice."""
    return Control(
        argument=argument, label=label, kind="choice", default=choices[0][0], choices=choices, help=explained
    )
