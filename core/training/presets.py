"""Recipes to start from: each seed's as its code runs and as its author meant it, and three of our own."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from core.training.recipe import Recipe


@dataclass(frozen=True, slots=True)
class RecipePreset:
    """A recipe, and what is to be known about it."""

    recipe: Recipe
    note: str


def recipe_presets() -> Mapping[str, Recipe]:
    """The recipes by key. `seed_*` choose the best epoch on the test images, as their authors did."""
    return MappingProxyType({key: preset.recipe for key, preset in _PRESETS.items()})


def recipe_notes() -> Mapping[str, str]:
    """What is to be known about each preset, by its key."""
    return MappingProxyType({key: preset.note for key, preset in _PRESETS.items()})


def _seed(note: str, epochs: int, learning_rate: float, **values: object) -> RecipePreset:
    fields: dict[str, object] = {"batch_size": 128, "schedule": "constant", "validation": "test", **values}
    return RecipePreset(Recipe(epochs=epochs, learning_rate=learning_rate, **fields), note)  # type: ignore[arg-type]


_PRESETS = {
    "quick": RecipePreset(
        Recipe(epochs=2, learning_rate=0.1, nesterov=True), "Two epochs: to see that everything works."
    ),
    "scope_net": RecipePreset(
        Recipe(epochs=20, learning_rate=0.3, nesterov=True, weight_decay=5e-4, label_smoothing=0.05),
        "Twenty epochs of SGD along one cycle.",
    ),
    "scope_net_fast": RecipePreset(
        Recipe(
            epochs=12,
            optimiser="muon",
            learning_rate=0.1,
            schedule="triangular",
            nesterov=True,
            weight_decay=5e-4,
            label_smoothing=0.1,
            averaging=0.996,
            alternate_flips=True,
            precision="bfloat16",
            validation_fraction=0.02,
        ),
        "Twelve epochs for ScopeNet: Muon, a triangle of rates, an average of the weights, flips that "
        "take turns, bfloat16. Goes with the augmentation flip_crop_2.",
    ),
    "seed_000": _seed(
        "Its L1 factor of 0.0005 is divided by the batch size. Weight decay, batch size and number of epochs "
        "are not known; 0.001, 128 and 40 are chosen.",
        40,
        0.1,
        schedule="step",
        step_epochs=8,
        step_gamma=0.1,
        weight_decay=0.001,
        l1=0.0005 / 128,
    ),
    "seed_001_as_written": _seed(
        "Its code makes a new optimiser every epoch: the rate stays at 0.01 whatever the schedule prints, "
        "and the momentum starts anew. Its README says 50 epochs, its notebook ran 70.",
        70,
        0.01,
        fresh_optimiser=True,
    ),
    "seed_001_as_intended": _seed(
        "One optimiser for the whole training, whose rate halves every 7 epochs.",
        70,
        0.01,
        schedule="step",
        step_epochs=7,
        step_gamma=0.5,
    ),
    "seed_002_as_written": _seed(
        "Its code moves the cycle once every epoch, and the momentum runs against it, from 0.95 to 0.85 and "
        "back.",
        20,
        0.5,
        schedule="one_cycle",
        schedule_every="epoch",
        cycle_momentum=True,
        batch_size=64,
    ),
    "seed_002_as_intended": _seed(
        "The cycle moves at every step, as its paper means it (Smith 2018).",
        20,
        0.5,
        schedule="one_cycle",
        cycle_momentum=True,
        batch_size=64,
    ),
    "seed_003": _seed("A constant rate. Its README says 84 epochs; that run stopped in epoch 46.", 62, 0.01),
    "seed_003_less_weighted": _seed("A constant rate.", 32, 0.01),
    "seed_004": _seed("A constant rate; a schedule is imported in its code and never used.", 300, 0.01),
}
