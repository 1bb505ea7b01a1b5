"""The models that ship are whole, and as accurate as the README of their folder says."""

from pathlib import Path

import numpy as np
import pytest

from core.checkpoint import Checkpoint, load, load_probabilities, load_weights
from core.data import load as load_dataset
from core.evaluation.metrics import Accuracy
from core.network import size_network
from tests.browser import PROJECT

SHIPPED = PROJECT / "checkpoints"
FOLDERS = sorted(path.parent for path in SHIPPED.glob("*/checkpoint.json"))
EACH = pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)


def table_row(folder: Path, checkpoint: Checkpoint, correct: int) -> str:
    """The row of the README that the record and a recount of `correct` images call for."""
    spec, total = checkpoint.run_spec, checkpoint.test_images or 0
    low, high = Accuracy(correct, total).interval
    return (
        f"| `{folder.name}` | {spec.network.name} | {checkpoint.num_params:,} | `{spec.dataset}`"
        f" | {checkpoint.epoch} of {spec.recipe.epochs} | {total:,}"
        f" | {100 * correct / total:.2f} % ({100 * low:.1f} to {100 * high:.1f}) |"
    )


def test_a_model_ships_for_the_stand_in():
    assert any(load(folder).run_spec.dataset == "shapes" for folder in FOLDERS)


@EACH
def test_the_readme_says_what_the_record_says(folder: Path):
    checkpoint = load(folder)
    assert checkpoint.test_accuracy is not None
    assert checkpoint.test_images is not None
    correct = round(checkpoint.test_accuracy * checkpoint.test_images)
    row = table_row(folder, checkpoint, correct)
    assert row in (SHIPPED / "README.md").read_text().splitlines(), f"the README needs:\n{row}"


@EACH
def test_the_weights_are_those_of_the_network_and_finite(folder: Path):
    checkpoint, weights = load(folder), load_weights(folder)
    trained = [array for name, array in weights.items() if not name.endswith(("running_mean", "running_var"))]
    counted = sum(array.size for array in trained if array.dtype == np.float32)
    assert counted == checkpoint.num_params == size_network(checkpoint.run_spec.network).num_params
    assert all(np.isfinite(array).all() for array in weights.values())


@EACH
def test_the_saved_probabilities_recount_to_the_recorded_accuracy(
    folder: Path, shapes_root: Path, real_root: Path | None
):
    checkpoint = load(folder)
    name = checkpoint.run_spec.dataset
    root = shapes_root if name == "shapes" else real_root
    if root is None:
        pytest.skip("the real images are not beside the project")
    dataset = load_dataset(name, root)
    assert dataset.fingerprint == checkpoint.run_spec.fingerprint
    probabilities = load_probabilities(folder, dataset.fingerprint)
    assert probabilities is not None
    assert checkpoint.test_accuracy == (probabilities.argmax(axis=1) == dataset.test.labels).mean()


def test_the_stand_in_model_gives_its_saved_probabilities_again(shapes_root: Path):
    from core.network.build import restore_network
    from core.network.predict import predict

    folder = next(folder for folder in FOLDERS if load(folder).run_spec.dataset == "shapes")
    checkpoint, dataset = load(folder), load_dataset("shapes", shapes_root)
    saved = load_probabilities(folder, dataset.fingerprint)
    assert saved is not None
    network = restore_network(checkpoint.run_spec.network, load_weights(folder))
    augmentation = checkpoint.run_spec.augmentation
    again = predict(network, dataset.test.images[:200], augmentation.mean, augmentation.std, "cpu")
    np.testing.assert_allclose(again, saved[:200], atol=1e-4)
