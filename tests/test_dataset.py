"""What identifies a dataset and what normalises it, against NumPy and hashlib."""

import hashlib
import json
from dataclasses import FrozenInstanceError

import numpy as np
import pytest

from core.data import Split
from core.data.dataset import fingerprint, measure_pixels
from tests.pictures import pictures

CLASSES = ("cat", "dog")


def split(count: int, seed: int = 0) -> Split:
    return Split(images=pictures(count, seed), labels=np.arange(count, dtype=np.int64) % 2)


def test_mean_and_std_are_numpys() -> None:
    images = pictures(2_345)
    mean, std = measure_pixels(images)
    scaled = images.astype(np.float64) / 255
    np.testing.assert_allclose(mean, scaled.mean(axis=(0, 1, 2)), rtol=1e-12)
    np.testing.assert_allclose(std, scaled.std(axis=(0, 1, 2)), rtol=1e-10)


def test_pictures_of_one_colour_have_no_spread() -> None:
    images = np.full((1_500, 32, 32, 3), (0, 51, 255), np.uint8)
    assert measure_pixels(images) == ((0.0, 0.2, 1.0), (0.0, 0.0, 0.0))


def test_the_fingerprint_is_a_sha256_over_all() -> None:
    train, test = split(1_003), split(5, seed=1)
    digest = hashlib.sha256(json.dumps(CLASSES).encode())
    for part in (train, test):
        digest.update(str(part.images.shape).encode() + part.images.tobytes() + part.labels.tobytes())
    assert fingerprint(CLASSES, train, test) == digest.hexdigest()


def test_any_change_changes_the_fingerprint() -> None:
    train, test = split(4), split(2, seed=1)
    pixel = train.images.copy()
    pixel[3, 31, 31, 2] ^= 1
    changed = [
        fingerprint(CLASSES, train, test),
        fingerprint(("dog", "cat"), train, test),
        fingerprint(CLASSES, test, train),
        fingerprint(CLASSES, Split(images=pixel, labels=train.labels), test),
        fingerprint(CLASSES, Split(images=train.images, labels=1 - train.labels), test),
    ]
    assert len(set(changed)) == 5


def test_a_split_cannot_be_changed() -> None:
    with pytest.raises(FrozenInstanceError):
        split(1).labels = np.zeros(1, np.int64)
