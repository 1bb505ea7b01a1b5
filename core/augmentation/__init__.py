"""Augmentation: its description, its presets and the transforms that are offered; `pipeline` runs it."""

from core.augmentation.normalise import denormalise, normalise
from core.augmentation.presets import notes, presets
from core.augmentation.spec import AugmentationSpec, StepSpec

__all__ = ["AugmentationSpec", "StepSpec", "denormalise", "normalise", "notes", "presets"]
