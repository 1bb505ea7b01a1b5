"""One step of gradient descent is what autograd and arithmetic by hand say it is."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch.nn import functional

from core.errors import DataError, RunError
from core.network.build import restore_network
from core.training.small_networks import TINY, small_networks
from core.training.stepping import MOST_STEPS, begin, layer_changes, take_steps

RATE = 0.05


pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture
def walk(shapes):
    return begin(TINY, shapes, 8, seed=1)


def loss_by_hand(walk, weights):
    """The tiny network written out with torch's functions, in float64."""
    mean, std = (torch.tensor(values, dtype=torch.float64).view(3, 1, 1) for values in (walk.mean, walk.std))
    pixels = torch.from_numpy(walk.pictures).permute(0, 3, 1, 2).double() / 255
    maps = (pixels - mean) / std
    for name in ("first", "second"):
        kernels, bias = weights[f"{name}.conv.weight"], weights[f"{name}.conv.bias"]
        maps = functional.relu(functional.conv2d(maps, kernels, bias, stride=2))
    scores = maps.mean(dim=(2, 3)) @ weights["classifier.linear.weight"].T
    logarithms = (scores + weights["classifier.linear.bias"]).log_softmax(dim=1)
    return -logarithms[range(8), torch.from_numpy(walk.labels)].mean()


def test_a_step_takes_rate_times_gradient_from_every_weight(walk):
    weights = {name: torch.from_numpy(array).double() for name, array in walk.weights.items()}
    for tensor in weights.values():
        tensor.requires_grad_()
    loss = loss_by_hand(walk, weights)
    gradients = dict(zip(weights, torch.autograd.grad(loss, list(weights.values())), strict=True))
    after = take_steps(walk, RATE)
    assert after.last is not None
    assert after.last.loss_before == walk.losses[0] == pytest.approx(loss.item(), rel=1e-5)
    moved = {name: weights[name] - RATE * gradients[name] for name in weights}
    assert after.last.loss_after == pytest.approx(loss_by_hand(after, moved).item(), rel=1e-5)
    for name, gradient in gradients.items():
        assert after.last.gradients[name] == pytest.approx(gradient.numpy(), rel=1e-3, abs=1e-6)
        assert after.weights[name] == pytest.approx(moved[name].detach().numpy(), rel=1e-4, abs=1e-6)


def test_the_gradient_is_the_slope_of_the_loss(walk):
    """Against finite differences: nothing here knows about autograd."""
    after = take_steps(walk, RATE)
    weights = {name: torch.from_numpy(array).double() for name, array in walk.weights.items()}
    for name, place in (("first.conv.weight", (0, 1, 2, 3)), ("classifier.linear.bias", (4,))):
        losses = []
        for shift in (1e-4, -1e-4):
            shifted = weights[name].clone()
            shifted[place] += shift
            losses.append(loss_by_hand(walk, {**weights, name: shifted}).item())
        assert after.last.gradients[name][place] == pytest.approx((losses[0] - losses[1]) / 2e-4, rel=0.01)


def test_old_minus_rate_times_gradient_is_new_to_the_last_bit(walk):
    after = take_steps(walk, RATE, 3)
    assert after.last is not None
    for name, old in after.last.before.items():
        expected = old - np.float32(RATE) * after.last.gradients[name]
        assert np.abs(after.weights[name] - expected).max() <= np.spacing(np.abs(old).max())


def test_ten_steps_are_ten_times_one_step_and_those_of_torchs_sgd(walk):
    one_by_one = walk
    for _ in range(10):
        one_by_one = take_steps(one_by_one, RATE)
    at_once = take_steps(walk, RATE, 10)
    assert at_once.losses == one_by_one.losses
    assert at_once.steps == 10

    network = restore_network(TINY, walk.weights)
    optimiser = torch.optim.SGD(network.parameters(), lr=RATE)
    pixels = (torch.from_numpy(walk.pictures).permute(0, 3, 1, 2).float() / 255).sub(
        torch.tensor(walk.mean).view(3, 1, 1)
    ) / torch.tensor(walk.std).view(3, 1, 1)
    for _ in range(10):
        optimiser.zero_grad()
        functional.cross_entropy(network(pixels), torch.from_numpy(walk.labels)).backward()
        optimiser.step()
    for name, tensor in network.state_dict().items():
        assert at_once.weights[name] == pytest.approx(tensor.numpy(), rel=1e-3, abs=1e-5)


def test_a_walk_is_left_as_it_was_and_begins_the_same_again(walk, shapes):
    kept = {name: array.copy() for name, array in walk.weights.items()}
    take_steps(walk, RATE, 2)
    assert all(np.array_equal(walk.weights[name], array) for name, array in kept.items())
    again = begin(TINY, shapes, 8, seed=1)
    assert again.losses == walk.losses
    assert begin(TINY, shapes, 8, seed=2).losses != walk.losses
    state = torch.get_rng_state()
    begin(TINY, shapes, 8, seed=3)
    assert torch.equal(torch.get_rng_state(), state)


def test_the_norms_of_a_layer_are_over_all_of_its_parameters(walk):
    after = take_steps(walk, RATE)
    changes = {change.layer: change for change in layer_changes(after)}
    assert list(changes) == ["first", "second", "classifier"]
    first = np.concatenate(
        [after.last.gradients[f"first.conv.{kind}"].ravel() for kind in ("weight", "bias")]
    )
    assert changes["first"].num_params == first.size == 8 * 3 * 25 + 8
    assert changes["first"].gradient == pytest.approx(np.linalg.norm(first), rel=1e-5)
    assert changes["first"].change == pytest.approx(RATE * np.linalg.norm(first), rel=1e-3)
    assert layer_changes(walk) == ()


@pytest.mark.parametrize("key", ["tiny", "preset"])
def test_small_steps_lower_the_loss_of_the_small_networks(shapes, key):
    network = small_networks(len(shapes.classes))[key]
    walk = take_steps(begin(network, shapes, 8, seed=1), RATE, 10)
    assert walk.losses[-1] < walk.losses[0]
    assert walk.probabilities.mean() > np.exp(-walk.losses[0])


def test_a_rate_beyond_all_measure_is_told_and_leaves_the_walk(walk):
    with pytest.raises(RunError, match="no longer a number"):
        take_steps(walk, 1e6, 10)
    assert walk.steps == 0


def test_a_walk_has_an_end(walk):
    long = replace(walk, losses=walk.losses * MOST_STEPS)
    with pytest.raises(RunError, match=f"{MOST_STEPS - 1} steps.*start over"):
        take_steps(long, RATE, 2)


def test_more_images_than_there_are_are_refused(shapes):
    with pytest.raises(DataError, match="count must be"):
        begin(TINY, shapes, len(shapes.train.labels) + 1, seed=1)


def test_a_small_network_fits_the_number_of_classes(shapes):
    for network in small_networks(4).values():
        assert network.num_classes == 4
        assert not any(step.startswith("dropout") for layer in network.layers for step in layer.then)
