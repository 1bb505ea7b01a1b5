"""The stand-in dataset: the same everywhere, balanced, and about form, not colour."""

import numpy as np
import pytest

from core.data.dataset import fingerprint
from core.data.outlines import OUTLINES
from core.data.shapes import draw_shapes

# Of version 2 on three sets of processor instructions. A change here needs another `shapes.VERSION`.
FINGERPRINT = "290917c4bd4ea3454f4ad7e59d878fa9ceebfab3365fc615572c6621b8f17fc3"


def test_the_pictures_are_those_that_checkpoints_were_trained_on(shapes) -> None:
    assert shapes.fingerprint == FINGERPRINT


def test_it_says_that_it_is_a_stand_in(shapes) -> None:
    assert shapes.is_stand_in
    assert "stand-in" in shapes.title


def test_every_class_has_as_many_pictures(shapes) -> None:
    assert np.bincount(shapes.train.labels).tolist() == [600] * 10
    assert np.bincount(shapes.test.labels).tolist() == [200] * 10
    assert shapes.classes == tuple(sorted(OUTLINES))


def test_classes_are_mixed(shapes) -> None:
    assert len(set(shapes.train.labels[:50].tolist())) == 10


def test_no_picture_is_drawn_twice(shapes) -> None:
    seen = {image.tobytes() for part in (shapes.train, shapes.test) for image in part.images}
    assert len(seen) == 8_000


def test_colours_do_not_tell_the_class(shapes) -> None:
    """The class whose training pictures are nearest in mean and spread of colour is a bad guess."""

    def colours(images):
        pixels = np.asarray(images, np.float32).reshape(len(images), -1, 3)
        return np.concatenate([pixels.mean(axis=1), pixels.std(axis=1)], axis=1)

    train, test = colours(shapes.train.images[:2_000]), colours(shapes.test.images[:1_000])
    centres = np.stack([train[shapes.train.labels[:2_000] == label].mean(axis=0) for label in range(10)])
    guesses = np.argmin(((test[:, None] - centres) ** 2).sum(axis=2), axis=1)
    assert np.mean(guesses == shapes.test.labels[:1_000]) < 0.25


def test_another_seed_draws_other_pictures() -> None:
    first, again, other = (draw_shapes(seed, train=3, test=2) for seed in (1, 1, 2))
    assert fingerprint(first.classes, first.train) == fingerprint(again.classes, again.train)
    assert fingerprint(first.classes, first.train) != fingerprint(other.classes, other.train)


@pytest.mark.parametrize("name", OUTLINES)
def test_an_outline_is_about_one_in_radius_and_closed(name) -> None:
    rows, columns = np.mgrid[-2:2:81j, -2:2:81j].astype(np.float32)
    inside = OUTLINES[name](columns, rows) < 0
    area = inside.mean() * 16
    assert 0.7 < area < 2.9  # a disc of radius 1 has 3.14
    assert np.hypot(rows, columns)[inside].max() < 1.45
