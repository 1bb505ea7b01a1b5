"""Changes to an augmentation by hand: what is meant happens, and nothing else changes."""

import pytest

from core.augmentation import AugmentationSpec, StepSpec, presets
from core.augmentation.catalogue import TRANSFORMS
from core.augmentation.check import check
from core.augmentation.spec import MAX_STEPS
from core.errors import SpecError
from ui.augmentation import edit


def names(spec: AugmentationSpec) -> list[str]:
    return [step.transform for step in spec.steps]


def test_a_new_step_comes_last_with_its_defaults():
    spec = edit.add_step(presets()["flip_crop"], "CoarseDropout")
    assert names(spec) == ["HorizontalFlip", "Pad", "RandomCrop", "CoarseDropout"]
    assert spec.steps[-1] == TRANSFORMS["CoarseDropout"].new_step()


def test_a_new_step_comes_before_the_normalisation():
    spec = edit.add_step(presets()["seed_004_as_written"], "ColorJitter")
    assert names(spec) == ["HorizontalFlip", "Affine", "ColorJitter", "Normalize", "CoarseDropout", "ToGray"]


def test_a_crop_brings_its_margin():
    assert names(edit.add_step(presets()["none"], "RandomCrop")) == ["Pad", "RandomCrop"]


@pytest.mark.parametrize("name", TRANSFORMS)
def test_every_transform_can_be_added_to_none_and_taken_away_again(name):
    spec = edit.add_step(presets()["none"], name)
    while spec.steps:
        spec = edit.remove_step(spec, 0)
    assert spec == presets()["none"]


def test_steps_move_and_stop_at_the_ends():
    spec = presets()["seed_001_as_intended"]
    assert names(edit.move_step(spec, 2, -1)) == ["HorizontalFlip", "CoarseDropout", "Affine"]
    assert names(edit.move_step(spec, 0, 1)) == ["Affine", "HorizontalFlip", "CoarseDropout"]
    assert edit.move_step(spec, 0, -1) == spec
    assert edit.move_step(spec, 2, 1) == spec


def test_a_copy_stands_behind_its_step_but_a_second_normalisation_is_refused():
    spec = presets()["seed_004_as_written"]
    assert names(edit.duplicate_step(spec, 0))[:3] == ["HorizontalFlip", "HorizontalFlip", "Affine"]
    with pytest.raises(SpecError, match="normalises once"):
        edit.duplicate_step(spec, 2)


def test_no_more_steps_than_allowed():
    spec = AugmentationSpec(name="full", steps=(StepSpec(transform="VerticalFlip"),) * MAX_STEPS)
    with pytest.raises(SpecError, match="steps"):
        edit.add_step(spec, "ToGray")


def test_a_setting_changes_one_argument_only():
    spec = presets()["cutout"]
    changed = edit.set_argument(spec, 3, "hole_height_range", (4, 8))
    assert changed.steps[3].keywords == spec.steps[3].keywords | {"hole_height_range": (4, 8)}
    assert changed.steps[:3] == spec.steps[:3]
    assert edit.change_step(spec, 3, probability=0.25).steps[3].probability == 0.25
    with pytest.raises(SpecError, match="probability"):
        edit.change_step(spec, 3, probability=2)


SHARES = {"hole_height_range": (0.1, 0.2), "hole_width_range": (0.25, 0.5)}


@pytest.mark.parametrize(
    "given, argument, value, sizes",
    [
        (SHARES, "hole_height_range", (16, 16), [(16, 16), (8, 16)]),
        (SHARES, "hole_width_range", (2, 4), [(3, 6), (2, 4)]),
        ({"hole_width_range": (0.0, 0.01)}, "hole_height_range", (4, 4), [(4, 4), (1, 1)]),
        ({}, "hole_height_range", (16, 16), [(16, 16), (3, 6)]),  # the library's own width is a share too
        ({"hole_height_range": (1, 1)}, "hole_width_range", (2, 2), [(1, 1), (2, 2)]),
        (SHARES, "hole_height_range", (0.3, 0.4), [(0.3, 0.4), (0.25, 0.5)]),
    ],
)
def test_a_hole_with_one_side_in_pixels_has_both_and_can_run(given, argument, value, sizes):
    step = StepSpec(transform="CoarseDropout", arguments=tuple(given.items()))
    changed = edit.set_argument(AugmentationSpec(name="test", steps=(step,)), 0, argument, value)
    keywords = changed.steps[0].keywords
    assert [keywords["hole_height_range"], keywords["hole_width_range"]] == sizes
    check(changed)


def test_the_name_tells_whether_it_is_still_the_preset():
    spec = presets()["cutout"]
    changed = edit.change_step(spec, 0, is_on=False)
    assert changed.name == f"{spec.name}, changed"
    assert edit.change_step(changed, 1, is_on=False).name == changed.name
    assert edit.change_step(changed, 0, is_on=True) == spec
    other = edit.set_statistics(spec, (0.5, 0.5, 0.5), (0.5, 0.5, 0.5))
    assert other.name == f"{spec.name}, changed"
    assert len(edit.change_step(AugmentationSpec(name="x" * 60, steps=spec.steps), 0, is_on=False).name) == 60
