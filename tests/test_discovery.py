"""Every transform of the installed albumentations is offered or left out with a reason, and can be set."""

import inspect
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from core.augmentation import AugmentationSpec, StepSpec, denormalise, parse_legacy, to_python
from core.augmentation.batched_support import supports
from core.augmentation.catalogue import TRANSFORMS
from core.augmentation.check import check
from core.augmentation.controls import Control
from core.augmentation.discovery import class_names, documentation, offered_transforms, why_left_out
from core.augmentation.left_out import LEFT_OUT, LEFT_OUT_ARGUMENTS
from core.augmentation.library import albumentations
from core.augmentation.pipeline import build_pipeline, preview
from core.augmentation.signatures import read_controls
from core.augmentation.small_images import APART, CONTAINED, ENDS, GIVEN, SLOW, STARTS
from core.augmentation.spec import CIFAR10_MEAN, CIFAR10_STD
from core.errors import SpecError
from core.spec import from_link, to_link
from tests.control_values import choices_of, ends_of, spec_with, step_with, values_of
from tests.pictures import pictures

OFFERS = offered_transforms()
FOUND = {name: offered for name, offered in OFFERS.items() if name not in TRANSFORMS}
CONTROLS = {f"{name}.{control.argument}": control for name in FOUND for control in FOUND[name].controls}
LONGEST = 1.0  # seconds of one processor for one image, ten times what the slowest takes


def test_every_transform_of_the_library_is_offered_or_left_out_with_a_reason():
    assert set(class_names()) == set(OFFERS) | set(LEFT_OUT)
    assert not set(OFFERS) & set(LEFT_OUT)
    assert len(OFFERS) > 80
    assert list(OFFERS)[: len(TRANSFORMS)] == list(TRANSFORMS)
    assert list(FOUND) == sorted(FOUND)


def test_a_new_transform_of_the_library_is_found(monkeypatch):
    class Brandnew(albumentations.GaussNoise):  # type: ignore[misc]
        """Apply something brand new."""

    monkeypatch.setattr(albumentations, "Brandnew", Brandnew, raising=False)
    class_names.cache_clear()
    offered_transforms.cache_clear()
    try:
        new = offered_transforms()["Brandnew"]
        assert new.description == "Apply something brand new."
        assert [control.argument for control in new.controls] == [
            control.argument for control in FOUND["GaussNoise"].controls
        ]
    finally:
        monkeypatch.undo()
        class_names.cache_clear()
        offered_transforms.cache_clear()


def test_what_is_said_about_arguments_is_about_arguments_that_exist():
    for key in (*ENDS, *STARTS, *CONTAINED, *APART):
        assert key in CONTROLS, key
    for key in LEFT_OUT_ARGUMENTS:
        name, argument = key.split(".")
        assert argument in FOUND[name].more_arguments, key
    for name, given in GIVEN.items():
        assert set(given) <= set(FOUND[name].new_step().keywords), name


@pytest.mark.parametrize("offered", FOUND.values(), ids=FOUND)
def test_every_control_runs_at_its_default_its_extremes_and_each_choice(offered):
    images = pictures(1 if offered.name in SLOW else 2)
    settings: list[dict[str, object]] = [{}]
    for control in offered.controls:
        for value in values_of(control):
            assert control.fits(value), (control.argument, value)
            settings.append({control.argument: value})
    sliding = [control for control in offered.controls if control.is_numeric]
    settings += [{control.argument: ends_of(control)[end] for control in sliding} for end in (0, 1)]
    for step in dict.fromkeys(step_with(offered, **arguments) for arguments in settings):
        spec = spec_with(offered, step)
        pipeline = build_pipeline(spec, seed=1)
        start = time.process_time()
        shown = pipeline.preview(images)
        assert (time.process_time() - start) / len(images) < LONGEST, step
        assert shown.images.shape == images.shape
        assert shown.images.dtype == np.uint8
        assert all(shown.acted), step


@pytest.mark.slow
def test_no_image_is_too_plain_for_any_choice():
    """What a transform looks for, such as edges or dark pixels, may not be there at all."""
    plain = np.stack([np.full((32, 32, 3), level, np.uint8) for level in (0, 128, 255)])
    for offered in FOUND.values():
        chosen = [(control.argument, value) for control in offered.controls for value in choices_of(control)]
        steps = [step_with(offered), *(step_with(offered, **{name: value}) for name, value in chosen)]
        for step in dict.fromkeys(steps):
            shown = preview(spec_with(offered, step), plain, seed=1)
            assert shown.images.shape == plain.shape, step


def test_the_preview_equals_the_training_and_the_same_seed_gives_the_same_for_every_transform():
    images = pictures(3)
    for offered in FOUND.values():
        spec = spec_with(offered, step_with(offered))
        trained = denormalise(build_pipeline(spec, seed=3).apply(images), CIFAR10_MEAN, CIFAR10_STD)
        assert np.array_equal(preview(spec, images, seed=3).images, trained), offered.name


def test_a_new_step_of_every_transform_changes_pictures():
    images = pictures(4)
    idle = {
        name
        for name, offered in FOUND.items()
        if np.array_equal(preview(spec_with(offered, step_with(offered)), images, seed=1).images, images)
    }
    assert idle == {"Resize"}  # it brings images of another size back


def test_defaults_are_the_librarys_own_apart_from_what_a_step_says():
    for name, offered in FOUND.items():
        defaults = {
            key: field.default
            for key, field in inspect.signature(getattr(albumentations, name)).parameters.items()
        }
        assert offered.new_step().keywords == GIVEN.get(name, {}), name
        assert offered.probability == defaults["p"]
        for control in offered.controls:
            if control.argument not in GIVEN.get(name, {}):
                assert control.absent == defaults[control.argument], (name, control.argument)


@pytest.mark.parametrize(
    ("key", "least", "most"),
    [
        ("AutoContrast.cutoff", 0, 100),  # Field(ge=0, le=100)
        ("SaltAndPepper.amount", 0, 1),  # check_range_bounds(0, 1)
        ("GaussNoise.noise_scale_factor", 0.01, 1),  # Field(gt=0, le=1)
        ("ImageCompression.quality_range", 1, 100),  # check_range_bounds(1, 100)
        ("UnsharpMask.threshold", 0, 255),
        ("GaussNoise.mean_range", -1, 1),
        ("GridDropout.ratio", 0.01, 1),
    ],
)
def test_sliders_end_where_the_library_does(key, least, most):
    assert (CONTROLS[key].minimum, CONTROLS[key].maximum) == pytest.approx((least, most))


def test_controls_come_in_the_kind_that_the_signature_asks_for():
    kinds = {
        "Blur.blur_limit": "int_range",
        "CLAHE.tile_grid_size": "int_tuple",
        "Equalize.by_channels": "bool",
        "GaussianBlur.blur_limit": "int",
        "GaussianBlur.sigma_limit": "float_range",
        "Perspective.fill": "colour",
        "RandomShadow.shadow_roi": "box",
        "Rotate.interpolation": "choice",
        "AdditiveNoise.noise_params": "text",
        "Downscale.interpolation_pair": "text",
    }
    assert {key: CONTROLS[key].kind for key in kinds} == kinds
    assert CONTROLS["PlanckianJitter.temperature_limit"].is_optional
    about_masks = {key.split(".")[0] for key in CONTROLS if "mask" in key.split(".")[1]}
    assert about_masks == {"XYMasking"}  # whose masks are strips of the picture


def test_every_transform_and_control_has_its_documentation():
    for name, offered in OFFERS.items():
        told = documentation(name)
        assert told.text, name
        assert ">>>" not in told.text, name
        assert 10 < len(offered.description) < 400, name
    silent = {key for key, control in CONTROLS.items() if "says nothing" in control.help}
    assert silent == set()


@pytest.mark.parametrize(
    ("transform", "arguments", "words"),
    [
        ("GaussianBlur", {"blur_limit": 999}, "blur_limit lies within 0 to 15, got 999; choose"),
        ("ZoomBlur", {"step_factor": (0, 0.01)}, "step_factor lies within 0.01 to 0.1, got"),
        ("ZoomBlur", {"step_factor": 0.05}, "step_factor lies within 0.01 to 0.1, got"),  # is (0, 0.05)
        ("GlassBlur", {"iterations": 1000}, "iterations lies within"),
        ("GridDistortion", {"num_steps": 10**6}, "num_steps lies within"),
        ("Superpixels", {"n_segments": (10**6, 10**6)}, "n_segments lies within"),
        ("SaltAndPepper", {"amount": (0.5, 0.1)}, r"amount lies within 0 to 1, got \(0.5, 0.1\)"),
        ("Equalize", {"mode": "bang"}, "mode is 'cv', 'pil', got 'bang'"),
        ("AdditiveNoise", {"noise_params": {"ranges": [(-1e9, 1e9)]}}, "noise_params lies within ±1000"),
        ("AdditiveNoise", {"noise_params": {"ranges": [(-9, 9)]}}, "step 1 .AdditiveNoise.: "),
        ("Defocus", {"radius": "wide"}, "radius lies within 1 to 10, got 'wide'"),
        ("HEStain", {}, "stained tissue"),
        ("AdvancedBlur", {"beta_limit": (2.0, 3.0)}, "beta_limit"),
        ("Perspective", {"keep_size": False}, "32x32"),
        ("GaussNoise", {"var_limit": (10, 50)}, "has no argument var_limit"),
        ("Mosaic", {}, "needs other pictures"),
        ("CenterCrop3D", {}, "works on volumes"),
        ("Compose", {}, "is no transform of images"),
        ("__class__", {}, "is no transform of images"),
    ],
)
def test_values_out_of_reach_are_refused_with_step_rule_and_remedy(transform, arguments, words):
    step = StepSpec(transform=transform, arguments=tuple(arguments.items()))
    with pytest.raises(SpecError, match=words) as refusal:
        check(AugmentationSpec(name="test", steps=(step,)))
    assert str(refusal.value).startswith(("step 1", "pipeline"))


def test_one_number_may_stand_for_a_range_as_in_the_library():
    for transform, arguments in [("Rotate", {"limit": 30}), ("HueSaturationValue", {"hue_shift_limit": 20})]:
        check(AugmentationSpec(name="test", steps=(step_with(FOUND[transform], **arguments),)))


def test_why_a_transform_is_left_out_can_be_said_of_each():
    assert all(len(why_left_out(name)) > 10 for name in LEFT_OUT)


def test_reading_all_signatures_takes_less_than_half_a_second():
    start = time.process_time()
    for name in FOUND:
        read_controls(getattr(albumentations, name), {}, GIVEN.get(name, {}))
    assert time.process_time() - start < 0.5


def test_every_transform_survives_the_link_and_its_own_code():
    for offered in FOUND.values():
        spec = spec_with(offered, offered.new_step())
        assert from_link(AugmentationSpec, to_link(spec)) == spec
        is_read = parse_legacy(to_python(spec)).spec.steps == spec.steps
        assert is_read or offered.name == "PadIfNeeded", offered.name  # which is read as the Pad that it is
        assert not supports(spec)[0]


def test_exported_code_draws_what_the_preview_shows_for_every_transform(tmp_path: Path):
    """One interpreter runs the code of all, without anything of ConvScope."""
    images = pictures(2)
    np.save(tmp_path / "images.npy", images)
    specs = {offered.name: spec_with(offered, step_with(offered)) for offered in FOUND.values()}
    for name, spec in specs.items():
        (tmp_path / f"made_{name}.py").write_text(to_python(spec, seed=5), encoding="utf-8")
    runner = (
        "import importlib, numpy as np, warnings\n"
        "warnings.simplefilter('ignore')\n"
        "images = np.load('images.npy')\n"
        f"names = {list(specs)!r}\n"
        "made = {}\n"
        "for name in names:\n"
        "    made[name] = []\n"
        "    transform = importlib.import_module(f'made_{name}').train_transform\n"
        "    made[name] = np.stack([transform(image=image)['image'].numpy() for image in images])\n"
        "np.savez('made.npz', **made)\n"
    )
    (tmp_path / "run.py").write_text(runner, encoding="utf-8")
    subprocess.run([sys.executable, "run.py"], cwd=tmp_path, check=True, timeout=120)
    with np.load(tmp_path / "made.npz") as made:
        for name, spec in specs.items():
            expected = build_pipeline(spec, seed=5).apply(images)
            np.testing.assert_allclose(made[name], expected, atol=2e-5, err_msg=name)


def test_controls_settle_what_a_slider_can_send():
    beta = CONTROLS["AdvancedBlur.beta_limit"]
    assert beta.settle((2.0, 3.0)) == pytest.approx((0.9, 3.0))
    box = CONTROLS["RandomShadow.shadow_roi"]
    assert box.settle((0.5, 0.9, 0.5, 0.95)) == pytest.approx((0.5, 0.8, 0.7, 1.0))
    units = CONTROLS["GridDropout.unit_size_range"]
    assert [units.settle(ends) for ends in [(8, 4), (32, 32), (5, 5)]] == [(4, 8), (31, 32), (5, 6)]
    assert not units.fits((5, 5))
    plain: Control = replace(beta, contains=None)
    assert plain.settle((3.0, 2.0)) == (2.0, 3.0)
