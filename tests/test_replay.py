"""A batch that is made again is, bit by bit, the one that a run trained on."""

from dataclasses import replace

import numpy as np
import pytest

from core.augmentation.spec import AugmentationSpec, StepSpec
from core.errors import RunError
from core.network.predict import predict
from core.training import run_folder, runs, worker
from core.training.batches import Batches
from core.training.engine import Training
from core.training.events import BatchSeen, EpochDone
from core.training.replay import count_steps_of, losses_under, replay
from tests.tiny import run_spec

HOLES = StepSpec(
    transform="CoarseDropout",
    probability=0.8,
    arguments={
        "num_holes_range": (1, 2),
        "hole_height_range": (4, 12),
        "hole_width_range": (4, 12),
        "fill": 120,
    },
)
FLIP = StepSpec(transform="HorizontalFlip", probability=0.5)
TURN = StepSpec(transform="Affine", probability=0.7, arguments={"rotate": (-20, 20), "scale": (0.9, 1.1)})
BLUR = StepSpec(transform="GaussianBlur", probability=0.5)
ON_TENSORS = AugmentationSpec(name="On tensors", steps=(FLIP, TURN, HOLES))
ONE_BY_ONE = AugmentationSpec(name="One by one", steps=(FLIP, BLUR, HOLES))


pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture
def make(tmp_path, shapes, shapes_root):
    """Creates a run of the tiny network with two recorded batches in each of three epochs."""

    def create(augmentation=ON_TENSORS, **recipe):
        spec = run_spec(shapes, **({"train_images": 120, "batch_size": 2, "epochs": 3} | recipe))
        spec = replace(spec, augmentation=augmentation)
        return runs.create(tmp_path, spec, shapes_root, "cpu", threads=1)

    return create


def all_replayed(run, dataset):
    """Whether every recorded batch comes out with its recorded hash."""
    return [
        replay(run, dataset, seen.epoch, seen.step).sha256 == seen.sha256 for seen in reversed(run.batches)
    ]


@pytest.mark.parametrize(
    "augmentation, is_on_tensors, recipe",
    [
        (ON_TENSORS, True, {}),
        (ONE_BY_ONE, False, {}),
        (ON_TENSORS, True, {"mix": "mixup"}),
        (ONE_BY_ONE, False, {"mix": "cutmix"}),
        (ON_TENSORS, True, {"alternate_flips": True}),
        (ONE_BY_ONE, False, {"alternate_flips": True}),
    ],
)
def test_every_batch_that_a_worker_recorded_is_made_again_bit_by_bit(
    tmp_path, make, shapes, augmentation, is_on_tensors, recipe
):
    run_id = make(augmentation, **recipe)
    list(worker.work(tmp_path / run_id))
    run = runs.read(tmp_path, run_id)
    assert run.state == "finished", run.reason
    assert Batches(run.spec, shapes, "cpu").is_on_tensors == is_on_tensors
    assert [(seen.epoch, seen.step) for seen in run.batches] == [
        (epoch, step) for epoch in (1, 2, 3) for step in (1, 51)
    ]
    assert all_replayed(run, shapes) == [True] * 6


def test_after_a_stop_and_a_resumption_the_batches_are_still_those_recorded(tmp_path, make, shapes):
    run_id = make(mix="mixup", alternate_flips=True)
    folder = tmp_path / run_id
    for event in worker.work(folder):
        if isinstance(event, BatchSeen) and (event.epoch, event.step) == (2, 1):
            run_folder.ask_to_stop(folder)
    assert runs.read(tmp_path, run_id).state == "stopped"
    run_folder.clear_request(folder)
    list(worker.work(folder))
    run = runs.read(tmp_path, run_id)
    assert run.state == "finished", run.reason
    assert len(run.batches) == 6
    assert all_replayed(run, shapes) == [True] * 6


def test_another_augmentation_seed_or_place_gives_another_batch(tmp_path, make, shapes):
    run = runs.read(tmp_path, make())
    other = replace(run.spec, augmentation=replace(ON_TENSORS, steps=(FLIP, TURN)))
    seeded = replace(run.spec, recipe=replace(run.spec.recipe, seed=2))
    hashes = {
        replay(run, shapes, 1, 1).sha256,
        replay(run, shapes, 1, 2).sha256,
        replay(run, shapes, 2, 1).sha256,
        replay(replace(run, spec=other), shapes, 1, 1).sha256,
        replay(replace(run, spec=seeded), shapes, 1, 1).sha256,
    }
    assert len(hashes) == 5


def test_without_augmentation_the_pictures_are_the_training_images_themselves(tmp_path, make, shapes):
    run = runs.read(tmp_path, make(AugmentationSpec(name="None", steps=())))
    batch = replay(run, shapes, 2, 3)
    assert np.array_equal(batch.pictures, shapes.train.images[batch.indices])
    assert np.array_equal(batch.labels, shapes.train.labels[batch.indices])
    assert np.array_equal(batch.others, batch.labels)


def test_mixed_pictures_are_the_weighted_sum_of_two_training_images(tmp_path, make, shapes):
    run = runs.read(tmp_path, make(AugmentationSpec(name="None", steps=()), mix="mixup", batch_size=16))
    batch = replay(run, shapes, 1, 1)
    originals = shapes.train.images[batch.indices].astype(float)
    assert 0 < batch.share < 1
    for picture, original, label, other in zip(
        batch.pictures, originals, batch.labels, batch.others, strict=True
    ):
        sums = batch.share * original + (1 - batch.share) * originals
        matches = [turn for turn, each in enumerate(sums) if np.abs(each - picture).max() <= 1]
        assert other in batch.labels[matches]
        assert label in batch.labels


def test_losses_under_a_checkpoint_are_those_of_its_own_probabilities(tmp_path, make, shapes):
    run_id = make(AugmentationSpec(name="None", steps=()), epochs=1)
    list(worker.work(tmp_path / run_id))
    run = runs.read(tmp_path, run_id)
    found = losses_under(run, shapes, 1, 2, run.folder / "last")
    batch = replay(run, shapes, 1, 2)

    training = Training(run.spec, shapes, "cpu")
    assert any(isinstance(event, EpochDone) for event in training.events())
    augmentation = run.spec.augmentation
    images = shapes.train.images[batch.indices]
    probabilities = predict(training.network, images, augmentation.mean, augmentation.std, "cpu")
    expected = -np.log(probabilities[np.arange(len(images)), batch.labels].astype(float))
    assert found.epoch == 1
    assert found.losses == pytest.approx(expected, rel=1e-4)


def test_a_place_that_the_run_does_not_have_is_refused(tmp_path, make, shapes):
    run = runs.read(tmp_path, make())
    assert count_steps_of(run, shapes) == 55  # of the 12 of every class one is held out
    with pytest.raises(RunError, match="epochs 1 to 3 of 55 steps, got epoch 4, step 1"):
        replay(run, shapes, 4, 1)


def test_other_images_than_the_run_was_made_for_are_refused(tmp_path, make, shapes):
    run = runs.read(tmp_path, make())
    with pytest.raises(RunError, match="other images"):
        replay(run, replace(shapes, fingerprint="1" * 64), 1, 1)
