"""An augmentation with nothing left but its holes. It imports albumentations."""

from dataclasses import replace

from core.augmentation.hiding import HIDING
from core.augmentation.spec import AugmentationSpec
from core.errors import SpecError


def holes_alone(spec: AugmentationSpec) -> AugmentationSpec:
    """Of `spec` nothing but the steps that make holes and are on, each acting on every image."""
    makers = {kind.__name__ for kind in HIDING}
    steps = tuple(
        replace(step, probability=1.0)
        for step in spec.steps
        if step.is_on and step.probability > 0 and step.transform in makers
    )
    if not steps:
        raise SpecError("No step of this augmentation makes holes; add a CoarseDropout, or switch it on.")
    return AugmentationSpec(name="Holes", steps=steps)
