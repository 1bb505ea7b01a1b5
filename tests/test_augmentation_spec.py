"""An augmentation as data: it can be kept, compared, linked and read back, and cannot be nonsense."""

import subprocess
import sys

import pytest

from core.augmentation import presets
from core.augmentation.spec import AugmentationSpec, StepSpec
from core.errors import SpecError
from core.spec import from_dict, from_json, from_link, to_dict, to_json, to_link


def step(**arguments: object) -> StepSpec:
    return from_dict(StepSpec, {"transform": "CoarseDropout", "arguments": arguments})


@pytest.mark.parametrize("spec", presets().values(), ids=presets().keys())
def test_a_spec_survives_json_and_the_link_unchanged(spec):
    assert from_json(AugmentationSpec, to_json(spec)) == spec
    assert from_link(AugmentationSpec, to_link(spec)) == spec
    assert from_dict(AugmentationSpec, to_dict(spec)) == spec
    assert len(to_link(spec)) < 600


def test_equal_arguments_make_equal_steps_in_whatever_order_and_kind_of_list():
    one = step(fill=[1, 2, 3], num_holes_range=(1, 1))
    other = step(num_holes_range=[1, 1], fill=(1, 2, 3))
    assert one == other
    assert hash(one) == hash(other)
    assert one.keywords == {"fill": (1, 2, 3), "num_holes_range": (1, 1)}


def nested(depth: int) -> object:
    value: object = 1
    for _ in range(depth):
        value = [value]
    return value


@pytest.mark.parametrize(
    "arguments",
    [
        5,
        "fill",
        [1, 2],
        [[1, 2]],
        {"fill": {1: 2}},
        {"fill": float("nan")},
        {"fill": float("inf")},
        {"fill": nested(5)},
        {"fill": nested(500)},
        {str(number): 1 for number in range(31)},
    ],
    ids=str,
)
def test_arguments_that_are_not_plain_values_by_name_are_refused(arguments):
    with pytest.raises(SpecError, match="arguments"):
        from_dict(StepSpec, {"transform": "CoarseDropout", "arguments": arguments})


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"mean": (0.5, 0.5)}, "mean"),
        ({"mean": (125, 123, 114)}, "mean"),
        ({"std": (0, 0.2, 0.2)}, "std"),
        ({"name": ""}, "name"),
        ({"steps": [{"transform": "HorizontalFlip", "probability": 1.1}]}, "probability"),
        ({"steps": [{"transform": "HorizontalFlip", "p": 0.5}]}, "no such field"),
        ({"steps": [{"transform": "HorizontalFlip"}] * 21}, "steps"),
        ({"steps": [{"transform": "Normalize"}] * 2}, "keep one|keep 1"),
        ({"steps": [{"transform": "Normalize", "is_on": False}]}, "always acts"),
        ({"steps": [{"transform": "Normalize", "probability": 0.5}]}, "always acts"),
    ],
)
def test_a_pipeline_that_breaks_a_rule_cannot_be_made(change, words):
    with pytest.raises(SpecError, match=words):
        from_dict(AugmentationSpec, {"name": "test"} | change)


def test_the_package_opens_without_albumentations_or_torch():
    listing = "import sys, core.augmentation, core.augmentation.catalogue; print(*sys.modules)"
    modules = subprocess.run(
        [sys.executable, "-c", listing], capture_output=True, text=True, check=True
    ).stdout
    assert not {"albumentations", "torch", "cv2"} & set(modules.split())
