"""From the signature of a transform, and the constraints that it declares, to controls."""

import inspect
import math
import re
from collections.abc import Iterator, Mapping
from typing import Any, Literal, get_args, get_origin

from core.augmentation.controls import Choices, Control, Kind
from core.augmentation.left_out import LEFT_OUT_CHOICES, is_left_out
from core.augmentation.presets import MEAN_PIXEL
from core.augmentation.small_images import APART, CHOICES, CONTAINED, ENDS, HELPS, STARTS

NEEDED = inspect.Parameter.empty
COLOURS = ("fill", "drop_value", "drop_color", "src_color", "color")
NOT_SET = "Not set: left to the library"
FILLS: Mapping[Any, str] = {
    "random": "Noise",
    "random_uniform": "One random colour",
    "inpaint_telea": "Inpainted from around (Telea)",
    "inpaint_ns": "Inpainted from around (Navier-Stokes)",
}
# Tuples of two that are not least and most.
_PLACES = re.compile(r"(^|_)(size|grid|xy|yx|hw)$")
_LOWEST = {"process_non_negative_range": 0, "convert_to_0plus_range": 0, "convert_to_1plus_range": 1}
SLIDER_STEPS = 200


def read_controls(transform: type, helps: Mapping[str, str], given: Mapping[str, Any]) -> tuple[Control, ...]:
    """A control for each argument of `transform` that changes an image.

    `helps` says what each argument means, `given` what a step writes in place of the library's default.
    """
    fields = getattr(getattr(transform, "InitSchema", None), "model_fields", {})
    controls = []
    for name, parameter in inspect.signature(transform).parameters.items():
        is_plain = parameter.kind is not inspect.Parameter.VAR_KEYWORD
        if is_plain and not is_left_out(transform.__name__, name):
            field = fields.get(name)
            types = (field.annotation, *field.metadata) if field else (Any,)
            argument = _Argument(transform.__name__, parameter, types, given.get(name, parameter.default))
            explained = helps.get(name) or HELPS.get(name, "albumentations says nothing about it.")
            controls.append(argument.control(f"`{name}`: {explained}"))
    return tuple(controls)


class _Argument:
    """One parameter of a transform with the type and the constraints that the library checks it by."""

    def __init__(self, owner: str, parameter: inspect.Parameter, types: tuple[Any, ...], value: Any) -> None:
        self.name = parameter.name
        self.key = f"{owner}.{parameter.name}"
        self.written = str(parameter.annotation)
        self.types = types
        self.is_optional = value is None
        self.absent = None if parameter.default is NEEDED or value != parameter.default else value
        start = STARTS.get(self.key, value)
        self.is_whole = "int" in self.written and "float" not in self.written
        self.start = start

    def control(self, explained: str) -> Control:
        """The control, with `explained` as its help."""
        label = self.name.replace("_", " ").strip().capitalize()
        kind, choices = self._kind()
        least, most, step = self._ends() if kind.startswith(("int", "float", "box")) else (0, 1, 1)
        return Control(
            argument=self.name,
            label=label,
            kind=kind,
            default=self.start,
            minimum=least,
            maximum=most,
            step=step,
            help=explained,
            choices=choices,
            is_optional=self.is_optional,
            absent=self.absent,
            contains=CONTAINED.get(self.key),
            apart=APART.get(self.key, 0),
        )

    def _kind(self) -> tuple[Kind, Choices]:
        if self.name in COLOURS and "tuple" in self.written:
            return "colour", tuple(self._fills())
        options = tuple(self._options())
        if options:
            return "choice", options
        if isinstance(self.start, bool):
            return "bool", ()
        number: Literal["int", "float"] = "int" if self.is_whole else "float"
        if self.name.endswith("_roi"):
            return "box", ()
        if isinstance(self.start, tuple) and self.start:
            is_range = len(self.start) == 2 and not _PLACES.search(self.name)
            return f"{number}_{'range' if is_range else 'tuple'}", ()  # type: ignore[return-value]
        return (number if isinstance(self.start, int | float) else "text"), ()

    def _fills(self) -> Iterator[tuple[Any, str]]:
        """Ready colours; three numbers where the library takes no single one."""
        takes_one = "float" in self.written
        if self.is_optional:
            yield None, "Not set: the library's colour" if self.name == "color" else "A random colour"
        yield (0 if takes_one else (0, 0, 0)), "Black"
        yield (255 if takes_one else (255, 255, 255)), "White"
        yield MEAN_PIXEL, "CIFAR-10's mean colour"
        if isinstance(self.start, tuple) and self.start not in ((0, 0, 0), (255, 255, 255)):
            yield self.start, "The library's colour"
        for value in _literals(self.types):
            yield value, FILLS.get(value, str(value))

    def _options(self) -> Iterator[tuple[Any, str]]:
        values = [value for value in _literals(self.types) if value is not None]
        if values and self.is_optional:
            yield None, NOT_SET
        names = next((known for end, known in CHOICES.items() if self.name.endswith(end)), {})
        for value in values:
            if not {(self.key, value), (self.name, value)} & LEFT_OUT_CHOICES:
                yield value, names.get(value, str(value).replace("_", " ").capitalize())

    def _ends(self) -> tuple[float, float, float]:
        """The least and the most that the library takes, or that makes sense on 32x32, and a step."""
        numbers = self.start if isinstance(self.start, tuple) else (self.start,)
        declared_least, declared_most = _bounds(self.types, self.is_whole)
        least, most, *steps = ENDS.get(self.key, (declared_least, declared_most))
        reach = 4 * max(map(abs, numbers)) or 1
        if least is None:
            least = -reach if min(numbers) < 0 else 0
        if most is None:
            most = reach
        whole = 1 if self.is_whole else 0
        step = steps[0] if steps else whole or _round_step((most - least) / SLIDER_STEPS)
        number = int if self.is_whole else float
        return number(least), number(most), number(step)


def _round_step(rough: float) -> float:
    """The nearest of 1, 2 and 5 times a power of ten, at most 1."""
    power: float = 10.0 ** math.floor(math.log10(rough))
    return min(1.0, power * min((1, 2, 5, 10), key=lambda factor: abs(factor * power - rough)))


def _walk(types: Any) -> Iterator[Any]:
    """All parts of a type: unions and annotated types inside it, and their constraints."""
    for part in types:
        yield part
        if get_origin(part) is not Literal:
            yield from _walk([*get_args(part), *getattr(part, "__metadata__", ())])


def _literals(types: tuple[Any, ...]) -> list[Any]:
    """The values of a `Literal` that is the type or one of its alternatives; not those of keys in a dict."""
    alternatives = [types[0], *get_args(types[0])] if get_origin(types[0]) is not dict else []
    return [value for part in alternatives if get_origin(part) is Literal for value in get_args(part)]


def _bounds(types: tuple[Any, ...], is_whole: bool) -> tuple[float | None, float | None]:
    """What the declared constraints allow; an end that is not allowed itself is moved inwards."""
    lower: list[float] = []
    upper: list[float] = []
    inwards = 1 if is_whole else 0.01
    for part in _walk(types):
        lower += [end for end in (getattr(part, "ge", None),) if end is not None]
        upper += [end for end in (getattr(part, "le", None),) if end is not None]
        lower += [end + inwards for end in (getattr(part, "gt", None),) if end is not None]
        upper += [end - inwards for end in (getattr(part, "lt", None),) if end is not None]
        function = getattr(part, "func", None)
        if function is None:
            continue
        lower += [_LOWEST[function.__name__]] if function.__name__ in _LOWEST else []
        held = inspect.getclosurevars(function).nonlocals
        if held.get("min_val") is not None:
            lower.append(held["min_val"] + (0 if held.get("min_inclusive", True) else inwards))
        if held.get("max_val") is not None:
            upper.append(held["max_val"] - (0 if held.get("max_inclusive", True) else inwards))
    return max(lower, default=None), min(upper, default=None)
