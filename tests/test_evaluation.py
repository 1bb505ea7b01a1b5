"""Measuring a checkpoint: the probabilities are those of the network it describes, all of them or none."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from core import checkpoint
from core.data import Dataset
from core.errors import CheckpointError
from core.evaluation import evaluate
from core.evaluation.fit import check_fits, compare_data
from core.evaluation.run import run_evaluation
from core.network.build import build_network
from tests import tiny
from tests.scored import save_checkpoint


@pytest.fixture
def dataset() -> Dataset:
    """Noise: 600 test images, so that they come in several batches."""
    return tiny.random_dataset(test=600)


@pytest.fixture
def network() -> torch.nn.Module:
    """The tiny network, with running statistics that are not those of a fresh one."""
    torch.manual_seed(3)
    network = build_network(tiny.NETWORK)
    with torch.no_grad():
        for _ in range(3):
            network(torch.rand(32, 3, 32, 32))
    return network


@pytest.fixture
def folder(tmp_path: Path, dataset: Dataset, network: torch.nn.Module) -> Path:
    """A checkpoint of `network` whose probabilities are not saved yet."""
    folder = tmp_path / "checkpoint"
    save_checkpoint(folder, dataset, {name: value.numpy() for name, value in network.state_dict().items()})
    forget_probabilities(folder)
    return folder


def forget_probabilities(folder: Path) -> None:
    """Delete what was measured."""
    for file in folder.glob("probabilities-*"):
        file.unlink()


def test_probabilities_are_those_of_the_network_on_its_own_normalisation(
    folder: Path, dataset: Dataset, network: torch.nn.Module
) -> None:
    events = list(run_evaluation(folder, dataset))
    found = checkpoint.load_probabilities(folder, dataset.fingerprint)
    mean, std = (torch.tensor(value) for value in (tiny.AUGMENTATION.mean, tiny.AUGMENTATION.std))
    assert mean.tolist() != list(dataset.mean)
    pixels = ((torch.tensor(dataset.test.images) / 255 - mean) / std).permute(0, 3, 1, 2)
    with torch.no_grad():
        truth = torch.softmax(network.eval()(pixels), dim=1).numpy()
    assert found == pytest.approx(truth, abs=1e-5)
    assert events[0].done == 0
    assert (events[-1].done, events[-1].total) == (600, 600)
    assert [event.done for event in events] == sorted(event.done for event in events)
    assert len(events) > 3


def test_counts_equal_a_recount_from_the_saved_probabilities(folder: Path, dataset: Dataset) -> None:
    list(run_evaluation(folder, dataset))
    found = checkpoint.load_probabilities(folder, dataset.fingerprint)
    assert found is not None
    evaluation = evaluate(found, dataset.test.labels, dataset.classes)
    answers = [max(range(10), key=lambda column: image[column]) for image in found]
    pairs = list(zip(dataset.test.labels, answers, strict=True))
    assert evaluation.confusion.tolist() == [
        [pairs.count((row, column)) for column in range(10)] for row in range(10)
    ]
    assert evaluation.accuracy.correct == sum(true == answer for true, answer in pairs)


def test_nothing_is_saved_before_the_last_image(folder: Path, dataset: Dataset) -> None:
    events = run_evaluation(folder, dataset)
    next(events)
    next(events)
    events.close()
    assert checkpoint.load_probabilities(folder, dataset.fingerprint) is None


def test_measuring_twice_gives_the_same_bits(folder: Path, dataset: Dataset) -> None:
    list(run_evaluation(folder, dataset))
    first = checkpoint.load_probabilities(folder, dataset.fingerprint)
    forget_probabilities(folder)
    list(run_evaluation(folder, dataset))
    assert np.array_equal(first, checkpoint.load_probabilities(folder, dataset.fingerprint))


def test_weights_that_change_meanwhile_are_not_given_the_old_probabilities(
    folder: Path, dataset: Dataset, network: torch.nn.Module
) -> None:
    events = run_evaluation(folder, dataset)
    next(events)
    weights = {name: value.numpy() + 1 for name, value in network.state_dict().items()}
    save_checkpoint(folder, dataset, weights)
    forget_probabilities(folder)
    with pytest.raises(CheckpointError, match="measure it again"):
        list(events)
    assert checkpoint.load_probabilities(folder, dataset.fingerprint) is None


def test_a_flipped_byte_is_refused(folder: Path, dataset: Dataset) -> None:
    path = folder / checkpoint.load(folder).weights_file
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    with pytest.raises(CheckpointError, match="SHA-256"):
        list(run_evaluation(folder, dataset))


def test_other_images_of_the_same_classes_can_be_measured(folder: Path, dataset: Dataset) -> None:
    other = replace(dataset, fingerprint="1" * 64)
    record = checkpoint.load(folder)
    assert compare_data(record, dataset) == "same"
    assert compare_data(record, other) == "other_images"
    list(run_evaluation(folder, other))
    assert checkpoint.load_probabilities(folder, other.fingerprint) is not None
    assert checkpoint.load_probabilities(folder, dataset.fingerprint) is None


@pytest.mark.parametrize("classes", [tuple("jihgfedcba"), tuple("abcdefghi"), tuple("abcdefghix")])
def test_other_classes_are_refused_before_anything_is_computed(
    folder: Path, dataset: Dataset, classes: tuple[str, ...]
) -> None:
    other = replace(dataset, classes=classes, fingerprint="1" * 64)
    assert compare_data(checkpoint.load(folder), other) == "other_classes"
    with pytest.raises(CheckpointError, match=r"10 classes .a, b.*but Noise has.*Choose Noise, or another"):
        next(run_evaluation(folder, other))


def test_many_classes_are_not_all_named(folder: Path, dataset: Dataset) -> None:
    other = replace(dataset, classes=tuple(f"class{number}" for number in range(100)))
    with pytest.raises(CheckpointError, match=r"100 classes .*class9, ….") as refusal:
        check_fits(checkpoint.load(folder), other)
    assert "class10" not in str(refusal.value)
