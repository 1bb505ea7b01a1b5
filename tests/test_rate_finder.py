"""The rate that the finder suggests trains, and the one at which it stops does not."""

import json
import math
from dataclasses import replace

import numpy as np
import pytest

from core.__main__ import main
from core.errors import DivergedError, RunError
from core.network.spec import NetworkSpec
from core.spec import from_dict, to_json
from core.training import rate_finder
from core.training.engine import Training
from core.training.events import StepDone
from core.training.rate_finder import RatePoint, RateSweep, judge, rates, smooth, sweep
from core.training.rate_sweep import find_rate
from core.training.small_networks import TINY
from tests.test_estimate import HUGE
from tests.tiny import NETWORK, run_spec

pytestmark = pytest.mark.usefixtures("one_thread")


class Quadratic:
    """L = 1 + curvature / 2 w², whose gradient is told with noise, as a batch does.

    Gradient descent diverges on it at rates above 2 / curvature, and only there.
    """

    def __init__(self, curvature):
        self.curvature, self.weight = curvature, (10 / curvature) ** 0.5
        self.draw = np.random.default_rng(0)

    def step(self, rate):
        loss = 1 + self.curvature / 2 * self.weight**2
        noise = self.draw.normal(0, 0.3 * self.curvature**0.5)
        self.weight -= rate * (self.curvature * self.weight + noise)
        return loss


@pytest.mark.parametrize("curvature", [0.5, 10.0, 400.0])
def test_on_a_quadratic_the_suggestions_converge_and_the_end_of_the_sweep_diverges(curvature):
    found = judge(list(sweep(Quadratic(curvature).step)), rate_finder.HIGH)
    assert found.blew_up_at is not None
    assert found.blew_up_at > 2 / curvature
    for rate in (found.suggestion, found.steepest):
        assert rate is not None
        assert rate < 2 / curvature
        trained = Quadratic(curvature)
        losses = [trained.step(rate) for _ in range(500)]
        assert max(losses) == losses[0] == pytest.approx(6)
        assert max(losses[-50:]) < 1.2
    for rate in (found.blew_up_at, 2 * found.blew_up_at):
        diverging = Quadratic(curvature)
        losses = [diverging.step(rate) for _ in range(30)]
        assert losses == sorted(losses)
        assert losses[-1] > 1e6


def test_rates_rise_by_the_same_factor():
    found = rates(0.01, 10.0, 4)
    assert found == pytest.approx((0.01, 0.1, 1.0, 10.0))


def test_the_average_is_that_of_the_formula_with_its_start_corrected():
    assert smooth([3.0, 3.0, 3.0]) == pytest.approx((3, 3, 3))
    first, second = smooth([2.0, 4.0], beta=0.75)
    assert first == pytest.approx(2)
    assert second == pytest.approx((0.75 * 0.25 * 2 + 0.25 * 4) / (1 - 0.75**2))


def test_a_sweep_ends_at_four_times_the_least_or_at_a_loss_that_is_no_number():
    losses = iter([1.0] * 20 + [100.0] * 20)
    points = list(sweep(lambda rate: next(losses)))
    assert len(points) == 21
    losses = iter([1.0] * 20 + [math.nan] * 20)
    points = list(sweep(lambda rate: next(losses)))
    assert [point.loss for point in points[-2:]] == [1.0, None]
    found = judge(points, rate_finder.HIGH)
    assert found.blew_up_at == points[-1].rate
    assert found.smoothed[-1] is None


def test_of_a_loss_that_only_rises_no_rate_is_suggested():
    losses = iter(1 + step / 100 for step in range(100))
    found = judge(list(sweep(lambda rate: next(losses))), rate_finder.HIGH)
    assert (found.suggestion, found.steepest, found.blew_up_at) == (None, None, None)


def losses_at(spec, dataset, rate):
    """Of every step of a training at that constant rate; as far as it goes."""
    recipe = replace(spec.recipe, schedule="constant", learning_rate=rate)
    losses = []
    try:
        for event in Training(replace(spec, recipe=recipe), dataset, "cpu").events():
            if isinstance(event, StepDone):
                losses.append(event.loss)
    except DivergedError:
        losses.append(math.inf)
    return losses


@pytest.mark.slow
def test_a_tiny_network_learns_at_the_suggestion_and_not_where_the_sweep_blew_up(shapes):
    network = NetworkSpec(name="Tiny", layers=NETWORK.layers)
    spec = run_spec(shapes, train_images=1000, batch_size=32, epochs=3, momentum=0.0, network=network)
    *points, found = find_rate(spec, shapes, "cpu", threads=1)
    assert isinstance(found, RateSweep)
    assert found.points == tuple(points)
    assert found.suggestion is not None
    assert found.blew_up_at is not None
    good, bad = losses_at(spec, shapes, found.suggestion), losses_at(spec, shapes, found.blew_up_at)
    assert sum(good[-10:]) / 10 < sum(good[:10]) / 10 - 0.05
    assert max(bad) > 2 * bad[0]


def test_the_sweep_begins_with_the_weights_and_the_batch_of_the_run_itself(shapes):
    spec = run_spec(shapes, train_images=400)
    first = next(find_rate(spec, shapes, "cpu", threads=1))
    assert isinstance(first, RatePoint)
    events = Training(spec, shapes, "cpu").events()
    assert first.loss == next(event.loss for event in events if isinstance(event, StepDone))


def test_the_rate_and_the_schedule_of_the_recipe_change_nothing(shapes):
    other = {"learning_rate": 1.0, "schedule": "one_cycle", "cycle_momentum": True, "epochs": 9}
    sweeps = [
        list(find_rate(run_spec(shapes, train_images=200, **values), shapes, "cpu", 1, steps=20))
        for values in ({}, other)
    ]
    assert sweeps[0] == sweeps[1]


def test_a_batch_beyond_the_memory_is_refused(shapes):
    with pytest.raises(RunError, match="take fewer images a step"):
        list(find_rate(run_spec(shapes, batch_size=4096, network=HUGE), shapes, "cpu", 1))


def test_the_verb_tells_how_far_it_is_and_then_the_sweep(shapes_root, tmp_path, monkeypatch):
    monkeypatch.setattr("core.cli.rate.step_back", lambda: None)  # it would be for good
    monkeypatch.setattr("core.cli.rate.tune", lambda threads: None)
    lines = []
    monkeypatch.setattr("builtins.print", lambda line, **_: lines.append(json.loads(line)))
    file = tmp_path / "network.json"
    file.write_text(to_json(TINY))
    options = ["--network", str(file), "--data-root", str(shapes_root), "--dataset", "shapes"]
    assert main(["rate", *options, "--train-images", "200", "--steps", "30", "--json"]) == 0
    *progress, last = lines
    assert [event["done"] for event in progress] == list(range(1, len(progress) + 1))
    assert len(from_dict(RateSweep, last).points) == len(progress)
