"""An augmentation as data: which transforms, in which order, with which arguments."""

import math
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, PlainSerializer

from core.errors import SpecError
from core.spec import describe

CIFAR10_MEAN = (0.4914, 0.4822, 0.4465)
CIFAR10_STD = (0.2470, 0.2435, 0.2616)

NORMALIZE = "Normalize"
MAX_STEPS = 20


MAX_ARGUMENTS = 30
MAX_DEPTH = 4


def _freeze(value: Any, depth: int = 0) -> Any:
    """Lists and tuples become tuples, all the way down, so that a spec can be hashed and compared.

    A dict becomes the tuple of its items, which `thaw` makes a dict again.
    """
    if isinstance(value, dict):
        if not all(isinstance(name, str) for name in value):
            raise ValueError("Input should have only names as keys of dicts")
        value = sorted(value.items())
    if isinstance(value, list | tuple):
        if depth == MAX_DEPTH:
            raise ValueError(f"Input should be nested at most {MAX_DEPTH} lists deep")
        return tuple(_freeze(item, depth + 1) for item in value)
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError("Input should be finite numbers")
    if value is None or isinstance(value, bool | int | float | str):
        return value
    raise ValueError("Input should be numbers, strings, booleans or lists of them")


def thaw(value: Any) -> Any:
    """A value as a transform takes it: a tuple of pairs that begin with a name is a dict."""
    is_items = isinstance(value, tuple) and value and all(_is_item(item) for item in value)
    return dict(value) if is_items else value


def _is_item(value: Any) -> bool:
    return isinstance(value, tuple) and len(value) == 2 and isinstance(value[0], str)


def _freeze_arguments(values: Any) -> Any:
    try:
        arguments = dict(values)
    except (TypeError, ValueError):
        raise ValueError("Input should be arguments by name") from None
    if len(arguments) > MAX_ARGUMENTS or not all(isinstance(name, str) for name in arguments):
        raise ValueError(f"Input should be at most {MAX_ARGUMENTS} arguments by name")
    return tuple((name, _freeze(arguments[name])) for name in sorted(arguments))


Arguments = Annotated[
    tuple[tuple[str, Any], ...],
    BeforeValidator(_freeze_arguments),
    PlainSerializer(dict, return_type=dict[str, Any]),
]
Probability = Annotated[float, Field(ge=0, le=1)]
Share = Annotated[float, Field(ge=0, le=1)]
Spread = Annotated[float, Field(gt=0, le=1)]


def step_seed(seed: int, number: int) -> int:
    """The seed of step `number`, from 0, of those that can act; no two steps of any two seeds share one."""
    return MAX_STEPS * seed + number


@describe
class StepSpec:
    """One transform of a pipeline."""

    transform: str = Field(min_length=1, max_length=40)
    """The class name in albumentations, such as `CoarseDropout`."""
    probability: Probability = 1.0
    """The chance that the step acts on an image, albumentations' `p`."""
    arguments: Arguments = ()
    """Its arguments as albumentations 2.0.8 names them; given as a dict, kept as sorted pairs."""
    is_on: bool = True
    """A step that is switched off stays in the list and does nothing."""

    @property
    def keywords(self) -> dict[str, Any]:
        """The arguments as keyword arguments."""
        return dict(self.arguments)


@describe
class AugmentationSpec:
    """A pipeline for training images `(32, 32, 3) uint8 RGB`: steps in order, and the normalisation.

    A step `Normalize` marks where `mean` and `std` are applied; without one they are applied last.
    Validation and test images are only normalised.
    """

    name: str = Field(min_length=1, max_length=60)
    steps: tuple[StepSpec, ...] = Field(default=(), max_length=MAX_STEPS)
    mean: tuple[Share, Share, Share] = CIFAR10_MEAN
    """Per channel R, G, B, of pixels scaled to [0, 1]."""
    std: tuple[Spread, Spread, Spread] = CIFAR10_STD
    """Per channel R, G, B, of pixels scaled to [0, 1]."""

    def __post_init__(self) -> None:
        normalisations = [step for step in self.steps if step.transform == NORMALIZE]
        if len(normalisations) > 1:
            raise SpecError(f"a pipeline normalises once, got {len(normalisations)} Normalize steps; keep 1")
        for step in normalisations:
            if step.arguments or step.probability != 1 or not step.is_on:
                raise SpecError(
                    "Normalize always acts, and takes the pipeline's mean and std; set only those"
                )
