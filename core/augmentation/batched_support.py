"""Which pipelines can run on tensors; needs neither torch nor albumentations."""

from collections.abc import Mapping
from typing import Any

from core.augmentation.spec import NORMALIZE, AugmentationSpec, StepSpec

LINEAR = 1  # cv2.INTER_LINEAR

# The arguments that must keep these values, their defaults; every other argument may be anything.
MUST_BE: Mapping[str, Mapping[str, tuple[Any, ...]]] = {
    "HorizontalFlip": {},
    "VerticalFlip": {},
    "Affine": {"interpolation": (LINEAR,), "fit_output": (False,), "balanced_scale": (False,)},
    "ShiftScaleRotate": {"interpolation": (LINEAR,)},
    "Pad": {},
    "RandomCrop": {"pad_if_needed": (False,)},
    "CoarseDropout": {},
    "ToGray": {
        "method": ("weighted_average", "average", "desaturation", "max"),
        "num_output_channels": (3,),
    },
    "ColorJitter": {},
    "RandomBrightnessContrast": {"brightness_by_max": (True,), "ensure_safe_range": (False,)},
    NORMALIZE: {},
}
RESIZING = ("Pad", "RandomCrop")


def supports(spec: AugmentationSpec) -> tuple[bool, str]:
    """Whether `build_batched` can run `spec`; where not, the first step that it cannot run and why."""
    is_normalised = False
    for index, step in enumerate(spec.steps):
        if not step.is_on or step.probability == 0:
            continue
        reason = _why_not(step, is_normalised)
        if reason:
            return False, f"step {index + 1} ({step.transform}): {reason}"
        is_normalised |= step.transform == NORMALIZE
    return True, ""


def _why_not(step: StepSpec, is_normalised: bool) -> str:
    if step.transform not in MUST_BE:
        return "is not among the transforms that run on tensors"
    for name, allowed in MUST_BE[step.transform].items():
        given = step.keywords.get(name, allowed[0])
        if given not in allowed:
            return f"on tensors {name} is {' or '.join(map(str, allowed))}, got {given}"
    if step.transform in RESIZING and step.probability < 1:
        return f"the images of a batch have one size, so it always acts, got probability {step.probability}"
    if step.transform == "CoarseDropout" and str(step.keywords.get("fill")).startswith("inpaint"):
        return f"on tensors fill is a colour or noise, got {step.keywords['fill']}"
    if step.transform == "ColorJitter" and is_normalised:
        return "on tensors it works on 8-bit images, before Normalize"
    return ""
