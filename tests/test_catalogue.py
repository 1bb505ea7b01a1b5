"""Every control of the catalogue does what it says in the installed albumentations."""

import inspect

import numpy as np
import pytest

from core.augmentation import presets
from core.augmentation.catalogue import TRANSFORMS
from core.augmentation.check import check
from core.augmentation.discovery import offered_transforms
from core.augmentation.library import albumentations
from core.augmentation.pipeline import preview
from core.augmentation.spec import AugmentationSpec, StepSpec
from tests.control_values import spec_with, step_with, values_of
from tests.pictures import pictures

OFFERED = [offered for offered in TRANSFORMS.values() if offered.name != "Normalize"]
CONTROLS = [(offered, control) for offered in OFFERED for control in offered.controls]


@pytest.mark.parametrize(
    "offered, control", CONTROLS, ids=[f"{offered.name}-{control.argument}" for offered, control in CONTROLS]
)
def test_every_control_runs_at_its_default_its_extremes_and_each_choice(offered, control):
    for value in values_of(control):
        assert control.fits(value), value
        arguments = offered.new_step().keywords | {control.argument: value}
        step = StepSpec(transform=offered.name, arguments=tuple(arguments.items()))
        shown = preview(spec_with(offered, step), pictures(3), seed=1)
        assert shown.images.shape == (3, 32, 32, 3)
        assert all(len(acted) >= 1 for acted in shown.acted)


@pytest.mark.parametrize("offered", OFFERED, ids=lambda offered: offered.name)
def test_every_argument_exists_in_the_installed_release(offered):
    known = inspect.signature(getattr(albumentations, offered.name)).parameters
    assert {name for name, _ in offered.new_step().arguments} <= set(known)


@pytest.mark.parametrize("offered", OFFERED, ids=lambda offered: offered.name)
def test_a_new_step_changes_pictures(offered):
    images = pictures(32)
    shown = preview(spec_with(offered, offered.new_step()), images, seed=1)
    assert np.any(shown.images != images)
    assert offered.title
    assert offered.description.endswith(".")


def test_a_control_says_what_it_cannot_show():
    holes = next(c for _, c in CONTROLS if c.argument == "hole_height_range")
    assert [holes.fits(value) for value in [(1, 32), (8, 8)]] == [True, True]
    refused = [(0, 8), (9, 8), (0.1, 0.2), (8, 33), 8, "8", (8, 8, 8), (True, 8)]
    assert not any(holes.fits(value) for value in refused)
    fill = next(c for _, c in CONTROLS if c.kind == "colour")
    assert [fill.fits(value) for value in [(1, 2, 3), 0, "random"]] == [True] * 3
    assert not any(fill.fits(value) for value in [(0.49, 0.48, 0.45), (1, 2, 256), 7, "inpaint_ns"])


RANGES = [
    (offered, control)
    for offered in offered_transforms().values()
    for control in offered.controls
    if control.may_meet
]


@pytest.mark.parametrize(
    "offered, control", RANGES, ids=[f"{offered.name}-{control.argument}" for offered, control in RANGES]
)
def test_the_middle_of_a_range_is_a_value_of_its_slider_that_the_library_takes(offered, control):
    for ends in ((control.minimum, control.maximum), control.default or (control.minimum,) * 2):
        middle = control.middle(ends)
        assert ends[0] <= middle <= ends[1]
        assert abs(middle - sum(ends) / 2) <= control.step / 2 + 1e-9
        assert control.fits((middle, middle))
        check(spec_with(offered, step_with(offered, **{control.argument: (middle, middle)})))


def test_the_middle_is_kept_where_the_ends_are_one_and_is_nothing_where_they_are_alike():
    shift, rotate = (next(c for _, c in CONTROLS if c.argument == name) for name in ("shift_limit", "rotate"))
    assert shift.middle((0.05, 0.05)) == 0.05  # not on the slider's grid of 1/32
    assert rotate.middle((-15, 15)) == 0
    assert isinstance(rotate.middle((-15, 16)), int)


def test_a_step_up_in_a_rotation_turns_counter_clockwise():
    """The help of the rotation control says so: the dot right of the middle goes up by a quarter turn."""
    image = np.zeros((1, 32, 32, 3), np.uint8)
    image[0, 15:17, 26:28] = 255
    quarter = StepSpec(transform="Affine", arguments=(("rotate", (90, 90)),))
    turned = preview(AugmentationSpec(name="test", steps=(quarter,)), image, seed=1).images[0]
    assert turned[4:6, 15:17].min() == 255


def test_controls_show_every_argument_of_every_preset():
    """Also those at the library's own default, so that a page never shows a value that is not the step's."""
    offered = offered_transforms()
    unshown = [
        (key, step.transform, control.argument)
        for key, spec in presets().items()
        for step in spec.steps
        for control in offered[step.transform].controls
        if not control.fits(step.keywords.get(control.argument, control.absent))
    ]
    assert unshown == [("seed_004_as_written", "CoarseDropout", "fill")]  # in normalised units, not in 0..255
    for spec in presets().values():
        for step in spec.steps:
            if step.transform in TRANSFORMS:
                assert set(step.keywords) == set(TRANSFORMS[step.transform].new_step().keywords)
