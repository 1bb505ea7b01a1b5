"""The learning rate at every step, as plain arithmetic: to train by, and to draw beforehand."""

import math

from core.training.recipe import Recipe

WARM_UP = 0.3
"""The share of the steps in which `one_cycle` rises."""
CYCLED_MOMENTUM = (0.95, 0.85)
"""At the start and at the peak of the rate, with `cycle_momentum`: torch's defaults."""
TRIANGLE_TOP = 0.2
"""The share of the steps in which `triangular` rises."""
START_DIVISOR = 25.0
"""`one_cycle` starts at the peak divided by this,"""
END_DIVISOR = 1e4
"""and ends at its start divided by this: the values of `torch.optim.lr_scheduler.OneCycleLR`."""


def rate_at(recipe: Recipe, step: int, steps_per_epoch: int) -> float:
    """The rate of `step`, counted from 0 over the whole training.

    As torch's `StepLR` by epochs, `CosineAnnealingLR` and `OneCycleLR` (without its momentum) by steps;
    `triangular` rises and falls along straight lines. With `schedule_every` epoch an epoch counts as a step.
    """
    if recipe.schedule_every == "epoch":
        step, steps_per_epoch = step // steps_per_epoch, 1
    total = recipe.epochs * steps_per_epoch
    peak = recipe.learning_rate
    if recipe.schedule == "step":
        return peak * recipe.step_gamma ** (step // steps_per_epoch // recipe.step_epochs)
    if recipe.schedule == "cosine":
        return _anneal(peak, 0.0, step / total)
    if recipe.schedule == "one_cycle":
        start = peak / START_DIVISOR
        top = WARM_UP * total - 1
        if step <= top:
            return _anneal(start, peak, step / top)
        return _anneal(peak, start / END_DIVISOR, (step - top) / (total - 1 - top))
    if recipe.schedule == "triangular":
        top = TRIANGLE_TOP * total
        return peak * min((step + 1) / (top + 1), (total - step) / (total - top))
    return peak


def momentum_at(recipe: Recipe, step: int, steps_per_epoch: int) -> float:
    """The momentum of `step`, counted from 0: falls as the rate of `one_cycle` rises, where it cycles."""
    if not recipe.cycle_momentum:
        return recipe.momentum
    if recipe.schedule_every == "epoch":
        step, steps_per_epoch = step // steps_per_epoch, 1
    high, low = CYCLED_MOMENTUM
    total = recipe.epochs * steps_per_epoch
    top = WARM_UP * total - 1
    if step <= top:
        return _anneal(high, low, step / top)
    return _anneal(low, high, (step - top) / (total - 1 - top))


def _anneal(start: float, end: float, share: float) -> float:
    """From `start` to `end` along half a cosine, at `share` of the way."""
    return end + (start - end) / 2 * (1 + math.cos(math.pi * share))
