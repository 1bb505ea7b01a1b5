"""A strength curve begins at the stored accuracy, and moves by the doing of one step alone."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from core import checkpoint as checkpoints
from core.__main__ import main
from core.augmentation import AugmentationSpec, StepSpec, presets
from core.augmentation.discovery import offered_transforms
from core.augmentation.pipeline import preview
from core.data import Dataset, load
from core.errors import CheckpointError, SpecError
from core.evaluation.run import EvaluationProgress
from core.evaluation.strength import (
    Knob,
    StrengthCurve,
    StrengthSettings,
    at_strength,
    curve_settings,
    first_of,
    list_knobs,
    only_step,
)
from core.evaluation.strength_run import measure_strength, sample_ids
from core.network.build import restore_network
from core.network.predict import predict
from core.spec import from_dict, to_dict
from tests.browser import PROJECT
from tests.tiny import random_dataset

SHAPES_NET = PROJECT / "checkpoints" / "shapes_scope_net"
SHIPPED = [path.parent for path in sorted((PROJECT / "checkpoints").glob("*/checkpoint.json"))]
CUTOUT = presets()["cutout"]


def knobs_of(step: StepSpec) -> dict[str, Knob]:
    return {knob.label: knob for knob in list_knobs(step, offered_transforms()[step.transform].controls)}


def ask(spec: AugmentationSpec, index: int, label: str, *values: float, images: int = 60) -> StrengthSettings:
    return curve_settings(spec, index, knobs_of(spec.steps[index])[label], images, 3, values)


def curve_of(folder: Path, dataset: Dataset, settings: StrengthSettings) -> StrengthCurve:
    *_, curve = measure_strength(folder, dataset, settings)
    assert isinstance(curve, StrengthCurve)
    return curve


pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.mark.parametrize("folder", SHIPPED, ids=lambda folder: folder.name)
@pytest.mark.parametrize("key", ["cutout", "seed_004_as_written"])
def test_strength_0_and_the_step_off_are_the_stored_accuracy_of_the_same_images(
    folder: Path, key: str, shapes_root: Path, real_root: Path | None
) -> None:
    """Behind Normalize, too, where pictures go to numbers and back."""
    name = checkpoints.load(folder).run_spec.dataset
    root = shapes_root if name == "shapes" else real_root
    if root is None:
        pytest.skip("the real images are not beside the project")
    dataset = load(name, root)
    stored = checkpoints.load_probabilities(folder, dataset.fingerprint)
    assert stored is not None
    index = [step.transform for step in presets()[key].steps].index("CoarseDropout")
    curve = curve_of(folder, dataset, ask(presets()[key], index, "Side of the holes", 0, images=300))
    ids = sample_ids(dataset, 300, 3)
    labels = dataset.test.labels[ids]
    is_right = stored[ids].argmax(axis=1) == labels
    by_class = tuple(int(is_right[labels == label].sum()) for label in range(len(dataset.classes)))
    assert curve.off.correct == curve.points[0].correct == by_class
    assert curve.stored_correct == sum(by_class)
    assert curve.points[0].confidences == pytest.approx(curve.off.confidences, rel=1e-5)
    expected = stored[ids].max(axis=1).astype(np.float64).mean()
    assert curve.confidence(curve.off) == pytest.approx(expected, abs=1e-4)


def test_a_point_is_what_predicting_the_previewed_pictures_gives(shapes: Dataset) -> None:
    settings = ask(CUTOUT, 3, "Side of the holes", 12)
    (point,) = curve_of(SHAPES_NET, shapes, settings).points
    record = checkpoints.load(SHAPES_NET)
    ids = sample_ids(shapes, 60, 3)
    alone = AugmentationSpec(
        name="by hand",
        steps=(
            StepSpec(
                transform="CoarseDropout",
                arguments=tuple(
                    (
                        CUTOUT.steps[3].keywords
                        | {"hole_height_range": (12, 12), "hole_width_range": (12, 12)}
                    ).items()
                ),
            ),
        ),
    )
    pictures = preview(alone, shapes.test.images[ids], 3).images
    assert (pictures != shapes.test.images[ids]).any(axis=(1, 2, 3)).all()
    network = restore_network(record.run_spec.network, checkpoints.load_weights(SHAPES_NET))
    pixels = record.run_spec.augmentation
    answers = predict(network, pictures, pixels.mean, pixels.std, "cpu")
    assert sum(point.correct) == (answers.argmax(axis=1) == shapes.test.labels[ids]).sum()
    assert sum(point.confidences) == pytest.approx(float(answers.max(axis=1).sum()), rel=1e-6)


def test_a_hole_over_everything_leaves_one_answer_for_all_and_chance(shapes: Dataset) -> None:
    curve = curve_of(SHAPES_NET, shapes, ask(CUTOUT, 3, "Side of the holes", 32, images=100))
    assert curve.totals == (10,) * 10
    assert sorted(curve.points[0].correct) == [0] * 9 + [10]
    low, high = curve.accuracy(curve.points[0]).interval
    assert 0 < low < 0.1 < high < 0.2
    assert curve.accuracy(curve.points[0], label=curve.points[0].correct.index(10)).value == 1


def test_the_sample_is_balanced_and_every_class_is_counted(shapes: Dataset) -> None:
    curve = curve_of(SHAPES_NET, shapes, ask(CUTOUT, 3, "Side of the holes", 8, images=37))
    assert sorted(set(curve.totals)) == [3, 4]
    assert sum(curve.totals) == 37
    assert from_dict(StrengthCurve, to_dict(curve, with_defaults=True)) == curve


def test_progress_counts_every_picture_once(shapes: Dataset) -> None:
    *progress, _ = measure_strength(SHAPES_NET, shapes, ask(CUTOUT, 3, "Side of the holes", 4, 8, images=20))
    assert progress == [EvaluationProgress(done, 60) for done in (20, 40, 60)]


def test_only_the_chosen_step_acts_and_always() -> None:
    for index, step in enumerate(CUTOUT.steps):
        alone = only_step(CUTOUT, index)
        acting = [each for each in alone.steps if each.transform not in ("RandomCrop", "Normalize")]
        if step.transform != "RandomCrop":
            assert acting == [replace(step, probability=1.0)]
    as_written = presets()["seed_004_as_written"]
    assert [step.transform for step in only_step(as_written, 3).steps] == ["Normalize", "CoarseDropout"]
    assert [step.transform for step in only_step(as_written, 1).steps] == ["Affine"]
    pad = next(index for index, step in enumerate(CUTOUT.steps) if step.transform == "Pad")
    assert [step.transform for step in only_step(CUTOUT, pad).steps] == ["Pad", "RandomCrop"]


def test_the_curve_is_the_same_wherever_the_argument_stands_and_whatever_others_do() -> None:
    before = ask(CUTOUT, 3, "Side of the holes")
    step = replace(
        CUTOUT.steps[3],
        probability=0.3,
        arguments=tuple(
            (CUTOUT.steps[3].keywords | {"hole_height_range": (2, 9), "hole_width_range": (1, 5)}).items()
        ),
    )
    after = replace(CUTOUT, name="other", steps=(step,))
    assert curve_settings(after, 0, knobs_of(step)["Side of the holes"], 60, 3) == before


def test_a_range_becomes_the_one_number_and_whole_numbers_stay_whole() -> None:
    spec = presets()["seed_001_as_intended"]
    affine = next(index for index, step in enumerate(spec.steps) if step.transform == "Affine")
    settings = ask(spec, affine, "Rotate", -30, 12.5)
    turned = [at_strength(settings, value).steps[-1].keywords["rotate"] for value in settings.values]
    assert turned == [(-30, -30), (12.5, 12.5)]
    assert [type(end) for end in turned[0]] == [int, int]


@pytest.mark.parametrize("name", sorted(offered_transforms()))
def test_every_number_of_every_transform_can_be_set_within_its_range_or_says_why_not(name: str) -> None:
    offered = offered_transforms()[name]
    step = offered.new_step()
    if name == "Normalize":
        assert list_knobs(step, offered.controls) == ()
        return
    spec = AugmentationSpec(name="one", steps=(step, *offered.behind))
    for knob in list_knobs(step, offered.controls):
        grid = knob.grid()
        assert list(grid) == sorted(set(grid))
        assert (grid[0], grid[-1]) == (knob.minimum, knob.maximum)
        assert 2 <= len(grid) <= 14
        settings = curve_settings(spec, 0, knob, 10, 1)
        values = {
            at_strength(settings, value).steps[settings.step].keywords[knob.arguments[0]] for value in grid
        }
        assert len(values) == len(grid)


def test_the_present_setting_is_known_where_it_is_a_number() -> None:
    assert knobs_of(CUTOUT.steps[3])["Side of the holes"].present == (16, 16)
    oblong = replace(
        CUTOUT.steps[3], arguments=tuple((CUTOUT.steps[3].keywords | {"hole_width_range": (4, 8)}).items())
    )
    knobs = knobs_of(oblong)
    assert knobs["Side of the holes"].present is None
    assert knobs["Width"].present == (4, 8)


def test_the_step_that_makes_holes_is_offered_first() -> None:
    knobs = [list(knobs_of(step).values()) for step in CUTOUT.steps]
    assert first_of(CUTOUT, knobs) == 3
    assert first_of(CUTOUT, [*knobs[:3], []]) == 1
    assert first_of(presets()["none"], []) is None


def test_what_cannot_be_measured_is_refused_before_anything_is(shapes: Dataset) -> None:
    with pytest.raises(SpecError, match="holds a number or a range, got fill"):
        next(measure_strength(SHAPES_NET, shapes, replace(ask(CUTOUT, 3, "Width"), arguments=("fill",))))
    with pytest.raises(SpecError, match="0 to 32 px"):
        next(measure_strength(SHAPES_NET, shapes, ask(CUTOUT, 3, "Side of the holes", 4, 33)))
    with pytest.raises(SpecError, match="step must be one of the 4"):
        only_step(CUTOUT, 4)
    with pytest.raises(CheckpointError, match="tells apart"):
        next(measure_strength(SHAPES_NET, random_dataset(), ask(CUTOUT, 3, "Width", 4)))


def ask_verb(shapes_root: Path, *words: str) -> int:
    """Ask the verb about the stand-in checkpoint, over a small sample."""
    options = ["--data-root", str(shapes_root), "--images", "20", "--seed", "3"]
    return main(["strength", str(SHAPES_NET), *words, *options])


def test_the_verb_chooses_the_holes_and_prints_the_curve(
    shapes: Dataset, shapes_root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ask_verb(shapes_root, "cutout", "--values", "0", "32") == 0
    head, columns, off, none, all_hidden, stored = capsys.readouterr().out.splitlines()
    assert head == "CoarseDropout, hole_height_range and hole_width_range; 20 test images"
    curve = curve_of(SHAPES_NET, shapes, ask(CUTOUT, 3, "Side of the holes", 0, 32, images=20))
    right = sum(curve.off.correct)
    assert off.split()[:2] == ["off", f"{right / 20:.1%}"]
    assert none.split()[1:] == off.split()[1:]
    assert all_hidden.split()[:2] == ["32", "10.0%"]
    assert stored == f"right with the step off: {right}; in the stored evaluation: {right}"
    assert columns.split() == ["value", "accuracy", "95", "%", "interval", "confidence"]


@pytest.mark.parametrize(
    "words, reason",
    [
        (["flip_crop", "--step", "1"], "step must be one with a number to change, of [2], got 1"),
        (["none"], "step must be one with a number to change, of []"),
        (["cutout", "--argument", "fill"], "argument must be one of hole_height_range hole_width_range;"),
        (["cutout", "--values", "64"], "a hole measures 0 to 32 px"),
        (["cutout", "--images", "0"], "images: must be greater than or equal to 1"),
    ],
)
def test_the_verb_refuses_what_cannot_be_measured(
    words: list[str], reason: str, shapes_root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ["--data-root", str(shapes_root)]
    assert main(["strength", str(SHAPES_NET), *words, *options]) == 2
    assert reason in capsys.readouterr().err
