"""Trainings: the recipe, and the runs that follow it. Light; `core.training.engine` needs torch."""

from core.training.events import EpochDone, EpochMetrics, StepDone
from core.training.presets import recipe_notes, recipe_presets
from core.training.recipe import Recipe, RunSpec
from core.training.runs import DamagedRun, Run

__all__ = [
    "DamagedRun",
    "EpochDone",
    "EpochMetrics",
    "Recipe",
    "Run",
    "RunSpec",
    "StepDone",
    "recipe_notes",
    "recipe_presets",
]
