"""A recipe that breaks a rule cannot be made, and its schedule is the one that torch computes."""

import math
import warnings
from itertools import pairwise

import pytest
import torch
from torch.optim import lr_scheduler

from core.errors import SpecError
from core.spec import from_json, to_json
from core.training.presets import recipe_notes, recipe_presets
from core.training.recipe import Recipe
from core.training.schedule import momentum_at, rate_at


@pytest.mark.parametrize(
    "field, value",
    [
        ("batch_size", 0),
        ("batch_size", -3),
        ("batch_size", 5000),
        ("epochs", 0),
        ("learning_rate", 0.0),
        ("learning_rate", math.nan),
        ("learning_rate", math.inf),
        ("momentum", 1.0),
        ("weight_decay", -0.1),
        ("label_smoothing", 1.0),
        ("schedule", "linear"),
        ("optimiser", "lion"),
        ("validation_fraction", 0.0),
        ("validation_fraction", 0.5),
        ("seed", -1),
        ("seed", 2**31),
        ("batchsize", 128),
    ],
)
def test_a_recipe_that_breaks_a_rule_is_refused_with_field_and_value(field, value):
    with pytest.raises(SpecError, match=field):
        Recipe(**{field: value})


def test_nesterov_needs_sgd_with_momentum():
    for values in ({"optimiser": "adamw"}, {"momentum": 0.0}):
        with pytest.raises(SpecError, match="nesterov needs sgd or muon with a momentum"):
            Recipe(nesterov=True, **values)
    assert Recipe(nesterov=True).nesterov


def test_every_preset_survives_the_way_through_json():
    for recipe in recipe_presets().values():
        assert from_json(Recipe, to_json(recipe)) == recipe


def test_the_seeds_recipes_carry_the_figures_of_their_code():
    presets = recipe_presets()
    named = {
        "seed_001_as_written": (70, 128, 0.01),
        "seed_001_as_intended": (70, 128, 0.01),
        "seed_002_as_written": (20, 64, 0.5),
        "seed_002_as_intended": (20, 64, 0.5),
        "seed_003": (62, 128, 0.01),
        "seed_003_less_weighted": (32, 128, 0.01),
        "seed_004": (300, 128, 0.01),
    }
    for key, figures in named.items():
        recipe = presets[key]
        assert (recipe.epochs, recipe.batch_size, recipe.learning_rate) == figures
    for key, recipe in presets.items():
        assert (recipe.validation == "test") == key.startswith("seed_"), "only the seeds let the test choose"
    assert presets["seed_000"].l1 * presets["seed_000"].batch_size == pytest.approx(0.0005)


def torch_rates(recipe: Recipe, steps_per_epoch: int) -> list[float]:
    """The rate at every step, as torch's own schedulers set it."""
    total = recipe.epochs * steps_per_epoch
    optimiser = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=recipe.learning_rate)
    if recipe.schedule == "step":
        scheduler = lr_scheduler.StepLR(optimiser, recipe.step_epochs, recipe.step_gamma)
    elif recipe.schedule == "cosine":
        scheduler = lr_scheduler.CosineAnnealingLR(optimiser, T_max=total)
    elif recipe.schedule == "one_cycle":
        scheduler = lr_scheduler.OneCycleLR(
            optimiser, max_lr=recipe.learning_rate, total_steps=total, cycle_momentum=False
        )
    else:
        scheduler = lr_scheduler.ConstantLR(optimiser, factor=1.0)
    rates = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that no optimiser stepped
        for step in range(total):
            rates.append(optimiser.param_groups[0]["lr"])
            if recipe.schedule in ("cosine", "one_cycle"):
                if step < total - 1:
                    scheduler.step()
            elif (step + 1) % steps_per_epoch == 0:
                scheduler.step()
    return rates


@pytest.mark.parametrize("schedule", ["constant", "step", "cosine", "one_cycle"])
@pytest.mark.parametrize("epochs, steps", [(1, 5), (3, 7), (20, 1), (10, 40)])
def test_the_rate_at_every_step_is_torchs(schedule, epochs, steps):
    recipe = Recipe(epochs=epochs, learning_rate=0.3, schedule=schedule, step_epochs=2, step_gamma=0.5)
    ours = [rate_at(recipe, step, steps) for step in range(epochs * steps)]
    assert ours == pytest.approx(torch_rates(recipe, steps), rel=1e-9, abs=1e-12)


def test_moved_once_an_epoch_the_cycle_of_seed_002_has_the_rates_of_its_project():
    published = [0.02, 0.0658, 0.1858, 0.3342, 0.4542, 0.5, 0.4937, 0.4752]
    recipe = recipe_presets()["seed_002_as_written"]
    assert [rate_at(recipe, 782 * epoch + 5, 782) for epoch in range(8)] == pytest.approx(published, abs=5e-5)


@pytest.mark.parametrize("steps", [1, 2, 3])
def test_the_shortest_trainings_have_a_rate_at_every_step(steps):
    for schedule in ("constant", "step", "cosine", "one_cycle"):
        recipe = Recipe(epochs=1, schedule=schedule)
        rates = [rate_at(recipe, step, steps) for step in range(steps)]
        assert all(0 < rate <= recipe.learning_rate for rate in rates)


def test_the_momentum_of_a_cycle_runs_against_the_rate_as_torchs_does():
    recipe = Recipe(epochs=2, learning_rate=0.5, cycle_momentum=True)
    optimiser = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=0.5, momentum=0.9)
    cycle = lr_scheduler.OneCycleLR(optimiser, max_lr=0.5, total_steps=40)
    for step in range(40):
        assert momentum_at(recipe, step, 20) == pytest.approx(optimiser.param_groups[0]["momentum"])
        optimiser.step()
        if step < 39:
            cycle.step()
    with pytest.raises(SpecError, match="cycle_momentum needs one_cycle"):
        Recipe(schedule="cosine", cycle_momentum=True)


def test_as_written_the_rate_of_seed_001_never_moves():
    recipe = recipe_presets()["seed_001_as_written"]
    assert {rate_at(recipe, step, 391) for step in range(0, 70 * 391, 97)} == {0.01}
    assert recipe.fresh_optimiser
    assert rate_at(recipe_presets()["seed_001_as_intended"], 7 * 391, 391) == 0.005


def test_every_preset_has_its_note():
    assert recipe_notes().keys() == recipe_presets().keys()
    assert all(recipe_notes().values())


def test_a_triangle_rises_and_falls_along_straight_lines():
    recipe = Recipe(epochs=5, learning_rate=0.4, schedule="triangular")
    rates = [rate_at(recipe, step, 20) for step in range(100)]
    assert max(rates) == rates[20] == pytest.approx(0.4)
    rise = {round(b - a, 12) for a, b in pairwise(rates[:21])}
    fall = {round(b - a, 12) for a, b in pairwise(rates[20:])}
    assert len(rise) == len(fall) == 1
    assert 0 < rates[-1] < 0.01


def test_a_schedule_that_moves_once_an_epoch_is_torchs_moved_once_an_epoch():
    recipe = Recipe(epochs=20, learning_rate=0.5, schedule="one_cycle", schedule_every="epoch")
    optimiser = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=0.5)
    cycle = lr_scheduler.OneCycleLR(optimiser, max_lr=0.5, total_steps=20, cycle_momentum=False)
    for epoch in range(20):
        expected = optimiser.param_groups[0]["lr"]
        assert [rate_at(recipe, epoch * 7 + step, 7) for step in range(7)] == pytest.approx([expected] * 7)
        optimiser.step()
        if epoch < 19:
            cycle.step()
