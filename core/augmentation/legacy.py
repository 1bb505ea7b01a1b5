"""The albumentations code of a course project, of any release since 0.4, as an augmentation for 2.0.8.

2.0.8 itself only warns about the argument names of old releases, and goes on without them. Here they are
translated, with the old defaults where they differ, and every change is told. Code is read, never run.
"""

import re
from dataclasses import dataclass
from typing import Any

from core.augmentation.legacy_calls import Call, Pipeline, brief, is_number, refusal
from core.augmentation.legacy_names import MODERN_ONLY, MODERN_OPTIONS, OLD_ONLY
from core.augmentation.legacy_reading import Reading
from core.augmentation.legacy_source import Found, read_source
from core.augmentation.legacy_steps import read, translate
from core.augmentation.spec import CIFAR10_MEAN, CIFAR10_STD, MAX_STEPS, NORMALIZE, AugmentationSpec, StepSpec
from core.errors import SpecError

TENSORS = ("ToTensorV2", "ToTensor")
# Compose's own arguments that say nothing about single images.
HARMLESS = frozenset({"is_check_shapes", "mask_interpolation", "save_applied_params", "seed", "strict"})
LONGEST_NAME = 60
RESIZES = re.compile("Crop|Pad|Resize|^RandomScale$")
"""The transforms behind which an image may not be 32x32 any more, by a part of their name."""

Colour = tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class LegacyChange:
    """One step that reads otherwise in 2.0.8, or that is left out."""

    line: int
    """Of the pasted code, from 1."""
    step: str
    """The transform's name in the code."""
    was: str
    became: str
    """Empty where nothing of it is left."""
    why: str


@dataclass(frozen=True, slots=True)
class LegacyReading:
    """What course code says, in the words of 2.0.8."""

    spec: AugmentationSpec
    changes: tuple[LegacyChange, ...]
    """In the order of the code."""


def parse_legacy(source: str) -> LegacyReading:
    """The augmentation that `source` makes, read as a syntax tree and never executed.

    A source that names its arguments as only 2.0 does is taken as it is, any other as of a release from 0.4
    to 1.4. Raises `SpecError`, with the line and the reason, for whatever cannot be told from the text.
    """
    found = read_source(source)
    pipeline = _choose(found)
    writer = _Writer(_is_modern(pipeline))
    for call in pipeline.calls:
        writer.add(call)
    _check_options(pipeline)
    changes = [_left_out(line, name) for line, name in found.left_out]
    changes += [_left_out(other.line, other.name) for other in found.pipelines if other is not pipeline]
    spec = writer.finish(pipeline)
    return LegacyReading(spec, tuple(sorted([*changes, *writer.changes], key=lambda change: change.line)))


def _choose(found: Found) -> Pipeline:
    """The one for training: the only one, the only one called so, or the only one that does not just
    normalise."""
    pipelines = found.pipelines
    if not pipelines:
        raise SpecError("line 1: there is no pipeline in this code; paste the lines from A.Compose([ to ])")
    train = [pipeline for pipeline in pipelines if "train" in pipeline.name.lower()]
    acting = [pipeline for pipeline in pipelines if any(_acts(call) for call in pipeline.calls)]
    for choice in (pipelines, train, acting):
        if len(choice) == 1:
            return choice[0]
    lines = ", ".join(f"{pipeline.name or 'one'} (line {pipeline.line})" for pipeline in pipelines)
    raise SpecError(
        f"line {pipelines[1].line}: there are {len(pipelines)} pipelines: {lines}; paste one of them"
    )


def _acts(call: Call) -> bool:
    return call.name not in (NORMALIZE, *TENSORS)


def _is_modern(pipeline: Pipeline) -> bool:
    """Whether the code can only be meant for 2.0: it uses a name of 2.0, and none that 2.0 ignores."""
    names = {name for call in pipeline.calls for name in call.keywords}
    is_of_2 = bool(names & MODERN_ONLY or pipeline.options.keys() & MODERN_OPTIONS)
    return is_of_2 and not names & OLD_ONLY


def _check_options(pipeline: Pipeline) -> None:
    for name, value in pipeline.options.items():
        is_default = value is None or (name == "p" and value == 1)
        if name not in HARMLESS and not is_default:
            remedy = "give every step its own p" if name == "p" else "leave it out"
            raise SpecError(f"line {pipeline.line}: Compose: {name} is not understood; {remedy}")


def _left_out(line: int, name: str) -> LegacyChange:
    return LegacyChange(line, name or "Compose", name, "", "is not what training images go through")


class _Writer:
    """Puts the steps together, call by call."""

    def __init__(self, is_modern: bool) -> None:
        self.is_modern = is_modern
        self.steps: list[StepSpec] = []
        self.changes: list[LegacyChange] = []
        self.statistics: tuple[Colour, Colour] | None = None
        self._scales_only = False

    def add(self, call: Call) -> None:
        """Take one more call; `SpecError` at its line."""
        try:
            if call.library == "torchvision" and _acts(call):
                raise SpecError(
                    f"{call.name} is torchvision's, which draws and acts otherwise; only albumentations is "
                    "understood, so write the step with albumentations"
                )
            if call.name in TENSORS:
                self._to_tensor(call)
            elif call.name == NORMALIZE:
                self._normalise(call)
            else:
                self._translate(call)
        except SpecError as error:
            where = f"line {call.line}: "
            raise SpecError(where + str(error).removeprefix(where)) from None

    def _translate(self, call: Call) -> None:
        reading = read(call, self.is_modern, self.statistics is not None)
        steps = translate(reading)
        if call.name == "PadIfNeeded" and any(RESIZES.search(step.transform) for step in self.steps):
            raise reading.refusal("is understood only on the 32x32 image itself; put it first")
        self.steps.extend(steps)
        self._tell(reading, " + ".join(map(_words, steps)))

    def _to_tensor(self, call: Call) -> None:
        normalize = call.keywords.get("normalize")
        if isinstance(normalize, dict):
            self._normalise(Call(call.line, call.library, NORMALIZE, (), normalize))
        self._scales_only |= call.name == "ToTensor"
        self.changes.append(
            LegacyChange(
                call.line, call.name, call.name, "", "training makes tensors of all images by itself"
            )
        )

    def _normalise(self, call: Call) -> None:
        reading = read(call, self.is_modern, is_normalised=False)
        if self.statistics:
            raise reading.refusal("the images are normalised already; keep one Normalize")
        reading.check_names()
        if reading.probability() != 1 or reading["normalization"] != "standard":
            raise reading.refusal("has to act on every image, with a mean and a deviation")
        largest = reading.number("max_pixel_value")
        if largest <= 0:
            raise reading.refusal(f"max_pixel_value is above 0, got {largest}")
        if largest != 255:
            reading.reasons.append(f"max_pixel_value {largest:g} is counted into mean and deviation")
        if "mean" not in reading.given or "std" not in reading.given:
            reading.reasons.append("where nothing is given, mean and deviation are ImageNet's")
        mean, std = (_colour(reading, name, largest / 255) for name in ("mean", "std"))
        self.statistics = mean, std
        self.steps.append(StepSpec(transform=NORMALIZE))
        self._tell(reading, f"Normalize(mean={mean}, std={std})")

    def _tell(self, reading: Reading, became: str) -> None:
        if reading.reasons:
            call = reading.call
            named = (f"{name}={brief(value)}" for name, value in call.keywords.items())
            arguments = [*map(brief, call.positional), *named]
            was = f"{call.name}({', '.join(arguments)})"
            why = "; ".join(reading.reasons)
            self.changes.append(LegacyChange(call.line, call.name, was, became, why))

    def finish(self, pipeline: Pipeline) -> AugmentationSpec:
        """The augmentation; a Normalize at the end is the usual place and no step of its own."""
        if self.steps and self.steps[-1].transform == NORMALIZE:
            self.steps.pop()
        if self.statistics is None:
            black_to_white: tuple[Colour, Colour] = ((0, 0, 0), (1, 1, 1))
            cifar10 = CIFAR10_MEAN, CIFAR10_STD
            self.statistics = black_to_white if self._scales_only else cifar10
            kind = "pixels only from 0 to 1" if self._scales_only else "CIFAR-10's mean and deviation"
            became = f"Normalize: {kind}"
            why = "the code has no Normalize, and every image is normalised here"
            self.changes.append(LegacyChange(pipeline.line, "Compose", "", became, why))
        mean, std = self.statistics
        if len(self.steps) > MAX_STEPS:
            raise refusal(
                pipeline.line,
                f"there are {len(self.steps)} steps, at most {MAX_STEPS} are taken; leave some out",
            )
        name = f"Course code: {pipeline.name}" if pipeline.name else "Course code"
        try:
            return AugmentationSpec(name=name[:LONGEST_NAME], steps=tuple(self.steps), mean=mean, std=std)
        except SpecError as error:
            raise SpecError(f"line {pipeline.line}: {error}") from None


def _colour(reading: Reading, name: str, scale: float) -> Colour:
    """Three numbers of pixels scaled to [0, 1]; one number stands for all three."""
    value: Any = reading[name]
    channels = (value,) * 3 if is_number(value) else value
    if not isinstance(channels, tuple) or len(channels) != 3 or not all(map(is_number, channels)):
        raise reading.refusal(f"{name} is three numbers, got {brief(value)}; write them")
    red, green, blue = (channel if scale == 1 else round(channel * scale, 9) for channel in channels)
    return red, green, blue


def _words(step: StepSpec) -> str:
    arguments = [f"{name}={brief(value)}" for name, value in step.arguments]
    return f"{step.transform}({', '.join([*arguments, f'p={step.probability:g}'])})"
