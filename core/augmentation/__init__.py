"""Augmentation: its description, its presets and the transforms that are offered; `pipeline` runs it."""

from core.augmentation.export import to_python
from core.augmentation.findings import find_problems
from core.augmentation.legacy import LegacyReading, parse_legacy
from core.augmentation.normalise import denormalise, normalise
from core.augmentation.presets import notes, presets
from core.augmentation.spec import AugmentationSpec, StepSpec

__all__ = [
    "AugmentationSpec",
    "LegacyReading",
    "StepSpec",
    "denormalise",
    "find_problems",
    "normalise",
    "notes",
    "parse_legacy",
    "presets",
    "to_python",
]
