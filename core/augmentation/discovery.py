"""Every transform of the installed albumentations that makes sense for one RGB image of 32x32 pixels.

It imports albumentations: a page reaches it through `ui.augmentation.offers`.
"""

import inspect
import re
from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType

from core.augmentation.catalogue import TRANSFORMS, OfferedTransform
from core.augmentation.docstrings import Documentation, read_docstring
from core.augmentation.left_out import LEFT_OUT, LEFT_OUT_ARGUMENTS
from core.augmentation.library import albumentations
from core.augmentation.signatures import NEEDED, read_controls
from core.augmentation.small_images import GIVEN, SLOW
from core.augmentation.spec import StepSpec

SIDE = 32
_BACK_TO_SIZE = StepSpec(transform="Resize", arguments=(("height", SIDE), ("width", SIDE)))
_RANDOM_CROP = StepSpec(transform="RandomCrop", arguments=(("height", SIDE), ("width", SIDE)))
_PADDED_CROP = StepSpec(
    transform="RandomCrop", arguments=(("height", SIDE), ("width", SIDE), ("pad_if_needed", True))
)
BEHIND: Mapping[str, tuple[StepSpec, ...]] = {
    "CenterCrop": (_BACK_TO_SIZE,),
    "Crop": (_BACK_TO_SIZE,),
    "PadIfNeeded": (_RANDOM_CROP,),
    "RandomCropFromBorders": (_BACK_TO_SIZE,),
    "RandomScale": (_PADDED_CROP,),
}
"""What makes the image 32x32 again."""


@lru_cache(maxsize=1)
def offered_transforms() -> Mapping[str, OfferedTransform]:
    """By the name of the class: first those with controls designed by hand, then the others from A to Z."""
    found = {name: _offer(name) for name in class_names() if name not in TRANSFORMS and name not in LEFT_OUT}
    return MappingProxyType({**TRANSFORMS, **found})


@lru_cache(maxsize=1)
def class_names() -> tuple[str, ...]:
    """The public transforms of the installed release that take one image, from A to Z."""
    kinds = (albumentations.ImageOnlyTransform, albumentations.DualTransform)
    bases = (*kinds, albumentations.Transform3D)
    return tuple(
        name
        for name, found in sorted(vars(albumentations).items())
        if inspect.isclass(found)
        and issubclass(found, kinds)
        and not issubclass(found, albumentations.Transform3D)
        and found not in bases
        and not inspect.isabstract(found)
    )


def why_left_out(name: str) -> str:
    """Why `name` is not among the offered transforms, as the end of "it …"."""
    if name in LEFT_OUT:
        return LEFT_OUT[name]
    if name.endswith("3D"):
        return "works on volumes, not on images"
    return f"is no transform of images in albumentations {albumentations.__version__}"


def argument_order(name: str) -> tuple[str, ...]:
    """The arguments of the transform `name`, in the order of its signature."""
    return tuple(inspect.signature(getattr(albumentations, name)).parameters)


@lru_cache(maxsize=256)
def documentation(name: str) -> Documentation:
    """What albumentations itself says about its transform `name`."""
    return read_docstring(getattr(albumentations, name).__doc__ or "")


def _offer(name: str) -> OfferedTransform:
    transform = getattr(albumentations, name)
    told = documentation(name)
    given = GIVEN.get(name, {})
    controls = read_controls(transform, told.arguments, given)
    kept = {control.argument for control in controls}
    return OfferedTransform(
        name=name,
        title=_title(name),
        description=told.summary,
        controls=controls,
        probability=float(inspect.signature(transform).parameters["p"].default),
        fixed=tuple((argument, value) for argument, value in given.items() if argument not in kept),
        behind=BEHIND.get(name, ()),
        more_arguments=frozenset(inspect.signature(transform).parameters) - kept - {"p", "strict"},
        note=_note(transform, given),
    )


def _title(name: str) -> str:
    """`GaussianBlur` as "Gaussian blur"; capitals in a row stay together, as in "RGB shift"."""
    words = re.findall(r"[A-Z]+(?![a-z])\d*|[A-Z][a-z]*|\d+", name)
    kept: list[str] = [word if len(word) > 1 and word.isupper() else word.lower() for word in words]
    return kept[0][:1].upper() + " ".join(kept)[1:]


def _note(transform: type, given: Mapping[str, object]) -> str:
    """What a person should know who has albumentations' own documentation beside it."""
    name = transform.__name__
    defaults = {key: field.default for key, field in inspect.signature(transform).parameters.items()}
    changed = [
        f"{argument} starts at {value}, for 32x32 px, not at the library's {defaults[argument]}"
        for argument, value in given.items()
        if defaults[argument] is not NEEDED and defaults[argument] is not None
    ]
    prefix = f"{name}."
    missing = [
        f"{key.removeprefix(prefix)} is not set here: {reason}"
        for key, reason in LEFT_OUT_ARGUMENTS.items()
        if key.startswith(prefix)
    ]
    slow = [f"slow: {SLOW[name]} for one image"] if name in SLOW else []
    return "; ".join((*changed, *missing, *slow))
