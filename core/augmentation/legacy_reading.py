"""One call of a course project's pipeline with its arguments by name, and the reasons for what is changed."""

from typing import Any

from core.augmentation.legacy_calls import Call, brief, is_number, is_pair, is_plain, refusal
from core.augmentation.legacy_names import ALWAYS, NEEDED, OLD
from core.augmentation.spec import StepSpec
from core.errors import SpecError

Range = tuple[float, float]


class Reading:
    """The arguments of one call, as its release understood them.

    `places` names the arguments that may be given without a name, `is_modern` says that the code is written
    for 2.0.8, `is_normalised` that a Normalize came before.
    """

    def __init__(self, call: Call, places: tuple[str, ...], is_modern: bool, is_normalised: bool) -> None:
        self.call = call
        self.is_modern = is_modern
        self.is_normalised = is_normalised
        self.reasons: list[str] = []
        self.given = self._bind(places)

    def _bind(self, places: tuple[str, ...]) -> dict[str, Any]:
        """Every given argument by its name."""
        given = dict(self.call.keywords)
        if len(self.call.positional) > len(places):
            raise self.refusal(f"takes at most {len(places)} arguments without names; name them")
        for name, value in zip(places, self.call.positional, strict=False):
            if name in given:
                raise self.refusal(f"{name} is given twice; keep one")
            given[name] = value
            if name == "always_apply" and is_number(value):
                self.reasons.append(
                    "up to 1.4.10 this argument without a name is always_apply; from 1.4.15 on it is p"
                )
        for name, value in given.items():
            if not is_plain(value):
                raise self.refusal(f"{name} is a plain value, got {brief(value)}; write it")
        return given

    def refusal(self, reason: str) -> SpecError:
        """Of this call, at its line."""
        return refusal(self.call.line, f"{self.call.name}: {reason}")

    def check_names(self) -> None:
        """Refuse an argument that none of the old releases knew."""
        known = {*OLD[self.call.name], "always_apply", "p"}
        if self.is_modern:
            known |= {"fill", "fill_mask"}
        for name in self.given:
            if name not in known:
                raise self.refusal(f"no release has an argument {name}; it takes {', '.join(sorted(known))}")

    def __getitem__(self, name: str) -> Any:
        value = self.given.get(name, OLD.get(self.call.name, {}).get(name, NEEDED))
        if value is NEEDED:
            raise self.refusal(f"{name} is needed; write it")
        return value

    def probability(self, default: float | None = None) -> float:
        """The chance that the call acts; where it says none, `default` or what the old releases had."""
        if default is None:
            default = 1.0 if self.call.name in ALWAYS else 0.5
        probability = self.given.get("p", default)
        if self.given.get("always_apply"):
            self.reasons.append("always_apply made it act on every image; 2.0.8 ignores it")
            probability = 1.0
        elif "always_apply" in self.given:
            self.reasons.append("always_apply=False said nothing, and is gone")
        if isinstance(probability, bool) or not isinstance(probability, int | float):
            raise self.refusal(f"p is a number from 0 to 1, got {brief(probability)}; write it")
        return float(probability)

    def number(self, name: str) -> float:
        """An argument that is one number."""
        value = self[name]
        if not is_number(value):
            raise self.refusal(f"{name} is a number, got {brief(value)}; write one")
        return value  # type: ignore[no-any-return]

    def whole(self, name: str) -> int:
        """An argument that is one whole number."""
        value = self.number(name)
        if value != int(value):
            raise self.refusal(f"{name} is a whole number, got {brief(value)}; write one")
        return int(value)

    def around(self, name: str, centre: float = 0) -> Range:
        """A range; one number stands for as much to both sides of `centre`, two are added to it."""
        value = self[name]
        ends = (-abs(value), abs(value)) if is_number(value) else value
        if not is_pair(ends):
            raise self.refusal(
                f"{name} is a number or a pair of numbers, got {brief(value)}; write one of these"
            )
        least, most = sorted(round(centre + end, 9) if centre else end for end in ends)
        return least, most

    def pair(self, name: str) -> Range:
        """An argument that is two numbers."""
        value = self[name]
        if not is_pair(value):
            raise self.refusal(f"{name} is a pair of numbers, got {brief(value)}; write one")
        return value  # type: ignore[no-any-return]

    def fill(self, name: str, rounds: bool = False) -> Any:
        """A colour as it comes out on the pixels: 8-bit ones take whole numbers and cut off the rest.

        OpenCV, which draws borders, `rounds` instead, and took one number for the first channel alone. Of
        three equal channels one is kept.
        """
        value = self[name]
        if value is None or isinstance(value, str):
            return 0 if value is None else value
        channels = value if isinstance(value, tuple) else (value,)
        if len(channels) not in (1, 3) or not all(map(is_number, channels)):
            raise self.refusal(f"{name} is one number or three, got {brief(value)}; write one of these")
        if rounds and len(channels) == 1 and channels[0]:
            channels = (channels[0], 0, 0)
            self.reasons.append(
                f"one number as {name} coloured the first channel alone up to 1.4.10, so red; from 1.4.15 on "
                "all three: write three numbers for grey"
            )
        if not self.is_normalised:
            channels = self._pixels(name, channels, rounds)
        return channels[0] if len(set(channels)) == 1 else channels

    def _pixels(self, name: str, channels: tuple[float, ...], rounds: bool) -> tuple[int, ...]:
        if min(channels) < 0 or max(channels) > 255:
            raise self.refusal(f"{name} is a colour from 0 to 255 on 8-bit images, got {brief(self[name])}")
        whole = tuple(round(level) if rounds else int(level) for level in channels)
        if whole != channels:
            verb = "round it" if rounds else "cut its fraction off"
            self.reasons.append(
                f"{name} meets 8-bit pixels, which {verb}: {words(channels)} → {words(whole)}"
            )
        return whole


def new_step(transform: str, probability: float, **arguments: Any) -> StepSpec:
    """A step with these arguments of 2.0.8."""
    return StepSpec(transform=transform, probability=probability, arguments=tuple(arguments.items()))


def words(channels: tuple[float, ...]) -> str:
    """Numbers for people: 0.468, 0.46, 0.424."""
    shown = dict.fromkeys(channels) if len(set(channels)) == 1 else channels
    return ", ".join(f"{level:.4g}" for level in shown)
