"""The same run spec gives the same weights, every knob turns them, and going astray is noticed."""

import hashlib
import math
from dataclasses import fields, replace

import numpy as np
import pytest
import torch

from core.augmentation.batched import build_batched
from core.augmentation.normalise import normalise
from core.augmentation.pipeline import build_pipeline
from core.errors import DivergedError, RunError
from core.network.build import build_network
from core.network.predict import predict
from core.training.batches import Batches, count_steps, seed_of
from core.training.engine import Training, best_epoch, train
from core.training.events import BatchSeen, EpochDone, EpochMetrics, RateChanged, StepDone, Validating
from core.training.recipe import Recipe
from core.training.schedule import rate_at
from tests.tiny import AUGMENTATION, NETWORK, random_dataset, run_spec

DATASET = random_dataset()


pytestmark = pytest.mark.usefixtures("one_thread")


def run(spec, resume=None, epochs=None):
    """Train to the end, or for so many epochs; the training and its events."""
    training = Training(spec, DATASET, "cpu", resume=resume)
    told = []
    for event in training.events():
        told.append(event)
        if isinstance(event, EpochDone) and event.metrics.epoch == epochs:
            break
    return training, told


def sha(training) -> str:
    """Of the weights and of the optimiser's state."""
    snapshot = training.snapshot()
    digest = hashlib.sha256()
    for arrays in (snapshot.weights, snapshot.optimiser):
        for name in sorted(arrays):
            digest.update(name.encode() + arrays[name].tobytes())
    return digest.hexdigest()


def test_every_step_and_every_epoch_is_told_in_order():
    _, told = run(run_spec(DATASET, epochs=2, batch_size=16, schedule="constant"))
    steps = [(event.epoch, event.step) for event in told if isinstance(event, StepDone)]
    # 80 images less 10 held out make 4 whole batches and one of 6.
    assert steps == [(epoch, step) for epoch in (1, 2) for step in range(1, 6)]
    assert {event.steps for event in told if isinstance(event, StepDone)} == {5}
    epochs = [event.metrics.epoch for event in told if isinstance(event, EpochDone)]
    assert epochs == [1, 2]
    assert isinstance(
        [event for event in told if not isinstance(event, BatchSeen | Validating)][5], EpochDone
    )
    left = [event.seconds_left for event in told if isinstance(event, StepDone)]
    assert left[-1] == 0
    assert min(left[:-1]) > 0


def test_the_public_verb_tells_the_same_as_the_training():
    spec = run_spec(DATASET, epochs=1)
    told = [
        replace(event, seconds_left=None)
        for event in train(spec, DATASET, "cpu")
        if isinstance(event, StepDone)
    ]
    _, again = run(spec)
    assert told == [replace(event, seconds_left=None) for event in again if isinstance(event, StepDone)]


@pytest.mark.parametrize(
    "recipe",
    [
        {},
        {"optimiser": "adamw", "schedule": "cosine", "learning_rate": 0.01, "weight_decay": 0.01},
        {"precision": "bfloat16", "nesterov": True, "schedule": "step", "step_epochs": 1},
        {"optimiser": "muon", "averaging": 0.9, "mix": "cutmix", "alternate_flips": True},
    ],
    ids=["sgd", "adamw", "bfloat16", "muon, averaged, mixed"],
)
@pytest.mark.parametrize("stopped_after", [1, 2])
def test_stopped_and_resumed_it_ends_with_the_weights_of_an_undisturbed_run(recipe, stopped_after):
    spec = run_spec(DATASET, **recipe)
    straight, _ = run(spec)
    stopped, _ = run(spec, epochs=stopped_after)
    torch.rand(7)  # whatever else drew random numbers meanwhile does not matter
    np.random.default_rng(3).random()
    resumed, told = run(spec, resume=stopped.snapshot())
    assert sha(resumed) == sha(straight)
    assert [metrics.validation_loss for metrics in resumed.history] == [
        metrics.validation_loss for metrics in straight.history
    ]
    assert told[0].epoch == stopped_after + 1


# A recipe in which each knob matters, and another value of the knob.
KNOBS = {
    "epochs": ({}, 2),
    "batch_size": ({}, 20),
    "optimiser": ({}, "adamw"),
    "learning_rate": ({}, 0.11),
    "schedule": ({}, "cosine"),
    "step_epochs": ({"schedule": "step", "step_epochs": 1, "epochs": 2}, 2),
    "step_gamma": ({"schedule": "step", "step_epochs": 1, "epochs": 2}, 0.5),
    "momentum": ({}, 0.8),
    "nesterov": ({}, True),
    "weight_decay": ({}, 0.001),
    "l1": ({}, 0.0001),
    "label_smoothing": ({}, 0.1),
    "precision": ({}, "bfloat16"),
    "seed": ({}, 2),
    "validation": ({}, "test"),
    "validation_fraction": ({}, 0.3),
    "schedule_every": ({"schedule": "cosine", "epochs": 2}, "epoch"),
    "cycle_momentum": ({}, True),
    "fresh_optimiser": ({"epochs": 2}, True),
    "averaging": ({}, 0.9),
    "mix": ({}, "mixup"),
    "mix_alpha": ({"mix": "mixup"}, 0.2),
    "alternate_flips": ({}, True),
}


def test_no_knob_of_the_recipe_was_forgotten_here():
    assert set(KNOBS) == {field.name for field in fields(Recipe)}


@pytest.mark.parametrize("knob", KNOBS)
def test_each_knob_of_the_recipe_changes_the_weights(knob):
    others, value = KNOBS[knob]
    spec = run_spec(DATASET, **({"epochs": 1} | others))
    turned = replace(spec, recipe=replace(spec.recipe, **{knob: value}))
    assert turned.recipe != spec.recipe
    assert sha(run(turned)[0]) != sha(run(spec)[0])


def test_the_augmentation_and_the_number_of_images_change_the_weights():
    spec = run_spec(DATASET, epochs=1)
    plain = replace(spec, augmentation=replace(AUGMENTATION, steps=()))
    fewer = replace(spec, train_images=40)
    assert len({sha(run(other)[0]) for other in (spec, plain, fewer)}) == 3


def test_the_network_is_trained_on_what_the_pipeline_draws(monkeypatch):
    spec = run_spec(DATASET, epochs=1)
    seen = []
    training = Training(spec, DATASET, "cpu")
    training.network.register_forward_pre_hook(
        lambda network, inputs: seen.append(inputs[0].clone()) if network.training else None
    )
    list(training.events())
    order = np.random.default_rng(seed_of(1, 1)).permutation(training.batches.train_indices)
    for step, inputs in enumerate(seen, start=1):
        images = torch.from_numpy(DATASET.train.images[order[(step - 1) * 16 : step * 16]])
        expected = build_batched(spec.augmentation, seed_of(1, 1, step), "cpu").apply(images)
        assert torch.equal(inputs, expected)


def test_what_tensors_cannot_do_albumentations_does(monkeypatch):
    monkeypatch.setattr("core.training.batches.supports", lambda spec: (False, "for a test"))
    batches = Batches(run_spec(DATASET), DATASET, "cpu")
    assert not batches.is_on_tensors
    batch = batches.at(2, 3)
    expected = build_pipeline(AUGMENTATION, seed_of(1, 2, 3)).apply(DATASET.train.images[batch.indices])
    np.testing.assert_array_equal(batch.inputs.numpy(), expected)


def test_l1_and_l2_are_in_the_gradient_as_their_formulas_say():
    """One step of plain SGD from one start: the weights differ by the rate times the term's own gradient."""
    plain = {"epochs": 1, "batch_size": 128, "momentum": 0.0, "schedule": "constant", "learning_rate": 0.5}
    torch.manual_seed(seed_of(1, 0))
    start = {name: tensor.detach().numpy() for name, tensor in build_network(NETWORK).named_parameters()}
    base = run(run_spec(DATASET, **plain))[0].snapshot().weights
    with_l1 = run(run_spec(DATASET, **plain, l1=0.01))[0].snapshot().weights
    with_l2 = run(run_spec(DATASET, **plain, weight_decay=0.01))[0].snapshot().weights
    for name, value in start.items():
        np.testing.assert_allclose(base[name] - with_l1[name], 0.5 * 0.01 * np.sign(value), atol=1e-6)
        np.testing.assert_allclose(base[name] - with_l2[name], 0.5 * 0.01 * value, atol=1e-6)


def test_reported_losses_are_cross_entropy_without_smoothing_and_l1():
    spec = run_spec(DATASET, epochs=1, batch_size=128, label_smoothing=0.3, l1=0.001)
    plain = run_spec(DATASET, epochs=1, batch_size=128)
    step, epoch = run(spec)[1][0], run(spec)[1][-1]
    plain_step, plain_epoch = run(plain)[1][0], run(plain)[1][-1]
    assert epoch.metrics.train_loss == pytest.approx(plain_epoch.metrics.train_loss)
    assert plain_step.loss == pytest.approx(plain_epoch.metrics.train_loss)
    assert step.loss > epoch.metrics.train_loss + 0.01


def test_validation_figures_are_recounted_from_predictions_on_unaugmented_images():
    spec = run_spec(DATASET, epochs=1, validation="test")
    training, told = run(spec)
    images, labels = DATASET.test.images, DATASET.test.labels
    probabilities = predict(training.network, images, AUGMENTATION.mean, AUGMENTATION.std, "cpu")
    losses = [-math.log(row[label]) for row, label in zip(probabilities, labels, strict=True)]
    metrics = told[-1].metrics
    assert metrics.validation_accuracy == np.mean(probabilities.argmax(axis=1) == labels)
    assert metrics.validation_loss == pytest.approx(np.mean(losses))


def test_the_split_takes_validation_from_the_chosen_training_images_class_by_class():
    training = Batches(run_spec(DATASET, train_images=40, validation_fraction=0.25), DATASET, "cpu")
    assert len(training.train_indices) == 30
    assert np.bincount(DATASET.train.labels[training.train_indices]).tolist() == [3] * 10
    assert np.bincount(training.validation.labels).tolist() == [1] * 10
    trained_on = {DATASET.train.images[index].tobytes() for index in training.train_indices}
    assert not trained_on & {image.tobytes() for image in training.validation.images}


def test_the_seeds_protocol_trains_on_all_and_lets_the_test_choose():
    training = Batches(run_spec(DATASET, validation="test"), DATASET, "cpu")
    assert len(training.train_indices) == len(DATASET.train.labels)
    assert training.validation is DATASET.test


def epoch(number: int, accuracy: float, loss: float) -> EpochMetrics:
    return EpochMetrics(
        epoch=number, train_loss=1, train_accuracy=0.5, validation_loss=loss, validation_accuracy=accuracy,
        learning_rate=0.1, seconds=1, images_per_second=1,
    )  # fmt: skip


def test_the_best_epoch_is_the_most_accurate_then_the_least_lossy_then_the_earliest():
    assert best_epoch((epoch(1, 0.5, 1.0), epoch(2, 0.6, 2.0), epoch(3, 0.5, 0.1))) == 2
    assert best_epoch((epoch(1, 0.5, 1.0), epoch(2, 0.5, 0.9))) == 2
    assert best_epoch((epoch(1, 0.5, 1.0), epoch(2, 0.5, 1.0))) == 1


def test_an_epoch_is_marked_best_when_it_is():
    _, told = run(run_spec(DATASET, epochs=3))
    done = [event for event in told if isinstance(event, EpochDone)]
    for index, event in enumerate(done):
        so_far = tuple(other.metrics for other in done[: index + 1])
        assert event.is_best == (best_epoch(so_far) == event.metrics.epoch)


def test_a_rate_that_is_far_too_high_ends_as_diverged_with_epoch_step_and_remedy():
    spec = run_spec(DATASET, epochs=50, learning_rate=10.0, schedule="constant", weight_decay=10.0)
    with pytest.raises(
        RunError, match=r"diverged at epoch \d+, step \d+: .*lower the learning rate, which was 10"
    ):
        run(spec)


def test_a_single_image_that_is_no_number_is_noticed_in_its_epoch(monkeypatch):
    """BatchNorm would carry it in its running mean for ever, even where the weights stay numbers."""
    spec = run_spec(DATASET, epochs=2)

    whole = Batches.augment

    def spoil(batches, epoch, step):
        inputs = whole(batches, epoch, step)
        inputs[0, 0, 3, 3] = math.nan
        return inputs

    monkeypatch.setattr(Batches, "augment", spoil)
    with pytest.raises(DivergedError, match="diverged at epoch 1, step 1: the loss is nan"):
        run(spec)


def test_a_running_mean_that_is_no_number_ends_the_run_at_its_step():
    training = Training(run_spec(DATASET, epochs=2), DATASET, "cpu")
    events = training.events()
    while not isinstance(event := next(events), StepDone) or event.step < 2:
        pass
    means = [tensor for name, tensor in training.network.state_dict().items() if "running_mean" in name]
    means[0][0] = math.nan
    with pytest.raises(DivergedError, match="diverged at epoch 1, step 3: the weights are no longer numbers"):
        next(events)


def test_a_changed_rate_is_told_and_done_again_by_whoever_resumes():
    spec = run_spec(DATASET, epochs=3, averaging=0.9)
    training, told, middle = Training(spec, DATASET, "cpu"), [], None
    for event in training.events():
        told.append(event)
        if isinstance(event, StepDone) and (event.epoch, event.step) in {(1, 2), (2, 3)}:
            training.change_rate(event.epoch / 10)
        if isinstance(event, EpochDone) and event.metrics.epoch == 1:
            middle = training.snapshot()
    changes = [event for event in told if isinstance(event, RateChanged)]
    assert [(change.epoch, change.step, change.factor) for change in changes] == [(1, 3, 0.1), (2, 4, 0.2)]
    rates = [event.learning_rate for event in told if isinstance(event, StepDone)]
    factors = [1] * 2 + [0.1] * 6 + [0.2] * 7
    assert rates == pytest.approx([rate_at(spec.recipe, i, 5) * f for i, f in enumerate(factors)])
    for resume in (None, middle):
        again = Training(spec, DATASET, "cpu", resume=resume, rate_changes=changes)
        assert not [event for event in again.events() if isinstance(event, RateChanged)]
        assert sha(again) == sha(training)
    assert sha(run(spec)[0]) != sha(training)


def test_a_batch_is_made_again_as_it_was_seen():
    spec = run_spec(DATASET, epochs=2, mix="mixup", alternate_flips=True)
    recorded = [event for event in run(spec)[1] if isinstance(event, BatchSeen)]
    assert [(event.epoch, event.step) for event in recorded] == [(1, 1), (2, 1)]
    batches = Batches(spec, DATASET, "cpu")
    for event in reversed(recorded):
        batch = batches.at(event.epoch, event.step)
        assert batch.sha256() == event.sha256
        assert len(event.losses) == len(batch.indices)
    torch.manual_seed(seed_of(1, 0))
    network = build_network(spec.network).train().to(memory_format=torch.channels_last)
    torch.manual_seed(seed_of(1, 1))
    batch = batches.at(1, 1)
    losses = batch.losses(network(batch.inputs.contiguous(memory_format=torch.channels_last)))
    assert losses.tolist() == pytest.approx(recorded[0].losses, abs=1e-5)
    with pytest.raises(RunError, match="epochs 1 to 2 of 5 steps, got epoch 2, step 6"):
        batches.at(2, 6)


def test_alternating_flips_show_every_image_both_ways_in_two_epochs():
    spec = run_spec(DATASET, epochs=4, alternate_flips=True, batch_size=4096)
    batches, images = Batches(spec, DATASET, "cpu"), {}
    for epoch in range(1, 5):
        batch = batches.at(epoch, 1)
        for index, pixels in zip(batch.indices.tolist(), batch.inputs, strict=True):
            images.setdefault(index, []).append(pixels)
    mirrored = [torch.equal(first.flip(2), second) for first, second, *_ in images.values()]
    assert all(mirrored)
    assert all(torch.equal(first, third) for first, _, third, _ in images.values())
    normal = [
        torch.equal(
            each[0],
            torch.from_numpy(
                normalise(DATASET.train.images[index][None], AUGMENTATION.mean, AUGMENTATION.std)
            )[0],
        )
        for index, each in images.items()
    ]
    assert 20 < sum(normal) < 50, "about half of the 70 are mirrored first"


def test_the_average_of_the_weights_is_what_is_saved_and_follows_its_formula():
    spec = run_spec(DATASET, epochs=1, averaging=0.8)
    training, kept = Training(spec, DATASET, "cpu"), []
    expected = {name: tensor.clone() for name, tensor in training.network.state_dict().items()}
    for event in training.events():
        if isinstance(event, StepDone):
            decay = min(0.8, (1 + event.step) / (10 + event.step))
            for name, tensor in training.network.state_dict().items():
                if tensor.dtype.is_floating_point:
                    expected[name] = decay * expected[name] + (1 - decay) * tensor
            kept.append(event)
    saved = training.snapshot().weights
    assert len(kept) == 5
    for name, tensor in expected.items():
        if tensor.dtype.is_floating_point:
            np.testing.assert_allclose(saved[name], tensor.numpy(), rtol=1e-5, atol=1e-6)
    raw = training.network.state_dict()
    assert any(not np.array_equal(saved[name], raw[name].numpy()) for name in saved)


def test_other_images_another_number_of_classes_and_another_shape_are_refused():
    spec = run_spec(DATASET)
    with pytest.raises(RunError, match="start a new run"):
        Training(replace(spec, fingerprint="1" * 64), DATASET, "cpu")
    nine = replace(DATASET, classes=DATASET.classes[:9])
    with pytest.raises(RunError, match="set num_classes to 9"):
        Training(spec, nine, "cpu")
    large = replace(spec, network=replace(NETWORK, input_shape=(3, 64, 64)))
    with pytest.raises(RunError, match="set its input_shape"):
        Training(large, DATASET, "cpu")


def test_a_last_batch_of_one_image_is_left_out():
    assert [count_steps(*case) for case in ((32, 16), (33, 16), (34, 16), (5, 16), (1, 16), (3, 1))] == [
        2,
        2,
        3,
        1,
        1,
        3,
    ]
