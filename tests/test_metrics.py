"""What `core.evaluation.metrics` counts, against hand counts, SciPy and torch."""

import numpy as np
import pytest
import torch
from scipy.stats import binomtest

from core.errors import CheckpointError
from core.evaluation.metrics import Accuracy, evaluate

CLASSES = ("bird", "cat", "dog")


@pytest.fixture
def probabilities() -> np.ndarray:
    """Six images, counted by hand below."""
    return np.array(
        [
            [0.7, 0.2, 0.1],
            [0.1, 0.3, 0.6],
            [0.2, 0.5, 0.3],
            [0.1, 0.3, 0.6],
            [0.0, 1.0, 0.0],
            [0.4, 0.4, 0.2],
        ],
        dtype=np.float32,
    )


LABELS = np.array([0, 1, 1, 1, 2, 1])


def random_case(seed: int, images: int = 500, classes: int = 7) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Scores, their softmax and labels, (N, C), (N, C) and (N,)."""
    generator = np.random.default_rng(seed)
    scores = generator.normal(0, 3, (images, classes)).astype(np.float32)
    probabilities = torch.softmax(torch.from_numpy(scores), dim=1).numpy()
    return scores, probabilities, generator.integers(0, classes, images)


def test_counts_equal_those_made_by_hand(probabilities: np.ndarray) -> None:
    evaluation = evaluate(probabilities, LABELS, CLASSES)
    assert evaluation.predictions.tolist() == [0, 2, 1, 2, 1, 0]
    assert evaluation.confusion.tolist() == [[1, 0, 0], [1, 1, 2], [0, 1, 0]]
    assert evaluation.accuracy == Accuracy(correct=2, total=6)
    assert evaluation.class_accuracies == (Accuracy(1, 1), Accuracy(1, 4), Accuracy(0, 1))
    assert evaluation.confidences.tolist() == pytest.approx([0.7, 0.6, 0.5, 0.6, 1.0, 0.4])
    assert evaluation.most_confused() == (1, 2)


@pytest.mark.parametrize("seed", range(5))
def test_every_cell_is_a_recount_of_the_images(seed: int) -> None:
    _, probabilities, labels = random_case(seed)
    evaluation = evaluate(probabilities, labels, "abcdefg")
    recount = [
        [
            sum(t == row and p.argmax() == column for t, p in zip(labels, probabilities, strict=True))
            for column in range(7)
        ]
        for row in range(7)
    ]
    assert evaluation.confusion.tolist() == recount
    cells = [evaluation.select(true=row, predicted=column) for row in range(7) for column in range(7)]
    assert sorted(np.concatenate(cells)) == list(range(500))


@pytest.mark.parametrize("seed", range(5))
def test_losses_are_those_of_torch(seed: int) -> None:
    scores, probabilities, labels = random_case(seed)
    evaluation = evaluate(probabilities, labels, "abcdefg")
    truth = torch.nn.functional.cross_entropy(
        torch.from_numpy(scores), torch.from_numpy(labels), reduction="none"
    )
    assert evaluation.losses == pytest.approx(truth.numpy(), rel=1e-4, abs=1e-5)
    assert evaluation.mean_loss == pytest.approx(truth.mean().item(), rel=1e-5)


@pytest.mark.parametrize(
    "correct,total", [(0, 1), (1, 1), (0, 10), (7, 10), (999, 1000), (1000, 1000), (8731, 10_000)]
)
def test_the_interval_is_wilsons(correct: int, total: int) -> None:
    truth = binomtest(correct, total).proportion_ci(0.95, method="wilson")
    assert Accuracy(correct, total).interval == pytest.approx((truth.low, truth.high), abs=1e-12)


def test_a_class_without_images_has_no_accuracy() -> None:
    evaluation = evaluate(np.array([[1.0, 0.0]], dtype=np.float32), np.array([0]), ("here", "absent"))
    assert evaluation.class_accuracies[1].value is None
    assert evaluation.class_accuracies[1].interval == (0.0, 1.0)


def test_an_impossible_truth_has_a_finite_loss_and_a_certain_one_has_none() -> None:
    evaluation = evaluate(np.array([[1.0, 0.0], [1.0, 0.0]], dtype=np.float32), np.array([1, 0]), ("a", "b"))
    assert evaluation.losses.tolist() == pytest.approx([87.3365, 0.0], abs=1e-4)
    assert not np.signbit(evaluation.losses).any()


def test_selections_meet_all_conditions_in_order_of_loss(probabilities: np.ndarray) -> None:
    evaluation = evaluate(probabilities, LABELS, CLASSES)
    assert evaluation.select(is_correct=True).tolist() == [2, 0]
    assert evaluation.select(is_correct=False).tolist() == [4, 1, 3, 5]
    assert evaluation.select(is_correct=False, order="lowest").tolist() == [5, 1, 3, 4]
    assert evaluation.select(true=1, predicted=2).tolist() == [1, 3]
    assert evaluation.select(true=1, predicted=2, is_correct=True).tolist() == []
    assert sorted(evaluation.select()) == list(range(6))


def test_a_perfect_model_confuses_nothing() -> None:
    assert evaluate(np.eye(3, dtype=np.float32), np.arange(3), CLASSES).most_confused() is None


@pytest.mark.parametrize(
    "probabilities,labels,reason",
    [
        (np.zeros((0, 2)), np.zeros(0, dtype=int), "at least one test image"),
        (np.full((3, 2), 0.5), np.array([0, 1]), r"shape \(2, 2\).*got \(3, 2\)"),
        (
            np.array([[0.5, 0.5], [np.nan, np.nan]]),
            np.array([0, 1]),
            "1 images do not .first: image 1.*diverged",
        ),
        (np.array([[1.5, -0.5]]), np.array([0]), "at least 0"),
        (np.array([[0.5, 0.4]]), np.array([0]), "add up to 1"),
        (np.array([[0.5, 0.5]]), np.array([2]), "from 0 to 1, got 2"),
    ],
)
def test_what_is_no_evaluation_is_refused(probabilities: np.ndarray, labels: np.ndarray, reason: str) -> None:
    with pytest.raises(CheckpointError, match=reason):
        evaluate(probabilities, labels, ("a", "b"))
