"""A pipeline with its chances taken away, to see what every step does."""

from dataclasses import replace

from core.augmentation.spec import AugmentationSpec


def without_chance(spec: AugmentationSpec) -> AugmentationSpec:
    """`spec` with every step that is on acting on every image; no training ever gets these images."""
    return replace(spec, steps=tuple(replace(step, probability=1.0) for step in spec.steps))
