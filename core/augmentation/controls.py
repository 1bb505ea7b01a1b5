"""What a page needs to know of one argument of a transform in order to let people set it."""

from dataclasses import dataclass
from typing import Any, Literal

Kind = Literal[
    "int", "float", "int_range", "float_range", "int_tuple", "float_tuple", "box", "bool", "choice", "colour",
    "text",
]  # fmt: skip
"""A range is (least, most); a tuple is several numbers that mean different things; a box is a part of the
image, (left, top, right, bottom) as shares of it; a text is read as a Python literal and never executed."""
NUMERIC = ("int", "float", "box")
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
    """A number, a pair (least, most) for a range, a value of `choices`, a colour (R, G, B) in 0 to 255, or
    for a text anything that a step can hold."""
    help: str
    minimum: float = 0
    """The ends of the slider, for numbers and ranges."""
    maximum: float = 1
    step: float = 1
    unit: str = ""
    """px, ° or × (a factor); "of the side" is a share of the image's width or height."""
    choices: Choices = ()
    """Value and label, for `choice`; for `colour`, ready colours and other fills."""
    is_optional: bool = False
    """Whether None, which leaves it to the library, is a value too."""
    absent: Any = None
    """What holds where a step does not name the argument; None where a step should name it."""
    contains: float | None = None
    """A number that lies inside every range that the library takes."""
    apart: float = 0
    """How far apart the ends of a range or a box are at the least."""

    @property
    def is_numeric(self) -> bool:
        """Whether it is set by numbers between `minimum` and `maximum`."""
        return self.kind.startswith(NUMERIC)

    @property
    def may_meet(self) -> bool:
        """Whether it is a range whose two ends may be one value."""
        return self.kind in ("int_range", "float_range") and not self.apart and self.contains is None

    def middle(self, ends: tuple[float, float]) -> float:
        """The value of the slider in the middle between two ends; where they are one value, that."""
        if ends[0] == ends[1]:
            return ends[0]
        steps = round((sum(ends) / 2 - self.minimum) / self.step)
        middle = min(self.minimum + steps * self.step, self.maximum)
        return int(middle) if self.kind.startswith("int") else round(float(middle), 9)

    def fits(self, value: Any) -> bool:
        """Whether the control can show `value`; what it cannot show a page keeps as it is."""
        if value is None or self.kind == "text":
            return self.is_optional or self.kind == "text"
        if self.kind == "bool":
            return isinstance(value, bool)
        if self.kind == "choice":
            return value in [choice for choice, _ in self.choices]
        if self.kind == "colour":
            return value in [choice for choice, _ in self.choices] or _is_colour(value)
        if self.kind in ("int_range", "float_range"):
            is_pair = isinstance(value, tuple) and len(value) == 2
            return is_pair and all(map(self._holds, value)) and self.settle(value) == value
        if self.kind in ("int_tuple", "float_tuple", "box"):
            is_tuple = isinstance(value, tuple) and len(value) == len(self.default)
            return is_tuple and all(map(self._holds, value)) and self.settle(value) == value
        return self._holds(value)

    def settle(self, value: Any) -> Any:
        """`value`, or the nearest in order whose ends are far enough apart and hold what they must."""
        if self.kind == "box":
            left, top, right, bottom = value
            (left, right), (top, bottom) = self._settle_ends(left, right), self._settle_ends(top, bottom)
            return left, top, right, bottom
        return self._settle_ends(*value) if self.kind.endswith("_range") else value

    def _settle_ends(self, first: float, second: float) -> tuple[float, float]:
        least, most = min(first, second), max(first, second)
        if self.contains is not None:
            return min(least, self.contains - self.step), max(most, self.contains + self.step)
        if most - least < self.apart - 1e-9:  # 0.9 - 0.7 is a little less than 0.2
            least = min(least, self.maximum - self.apart)
            most = round(least + self.apart, 9)
        return least, most

    def rule(self) -> str:
        """What may be given, in words, as the end of "it …"."""
        if self.is_numeric:
            return f"lies within {self.minimum:g} to {self.maximum:g}"
        if self.kind in ("choice", "colour"):
            colour = " or a colour of three numbers from 0 to 255" if self.kind == "colour" else ""
            return f"is {', '.join(repr(value) for value, _ in self.choices)}{colour}"
        return "is True or False" if self.kind == "bool" else "is a plain value"

    def _holds(self, number: Any) -> bool:
        types = int if self.kind.startswith("int") else int | float
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
