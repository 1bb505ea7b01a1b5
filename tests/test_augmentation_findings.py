"""Every fault that is found is one, its nearest twin is none, and the remedy takes it away."""

import subprocess
import sys
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from core.augmentation import AugmentationSpec, StepSpec, presets
from core.augmentation.findings import find_problems
from core.augmentation.holes import hidden_share
from core.augmentation.pipeline import build_pipeline, check, preview
from core.augmentation.spec import CIFAR10_MEAN, CIFAR10_STD
from core.errors import SpecError
from core.spec import from_dict, to_link
from tests.pictures import pictures

NORMALIZE = StepSpec(transform="Normalize")
MEAN_PIXEL = (125, 123, 114)


def step(transform: str, **arguments: Any) -> StepSpec:
    return StepSpec(transform=transform, arguments=tuple(arguments.items()))


def holes(size: Any = 16, fill: Any = MEAN_PIXEL, count: int = 1) -> StepSpec:
    sizes = size if isinstance(size, tuple) else (size, size)
    return step(
        "CoarseDropout",
        num_holes_range=(count, count),
        hole_height_range=sizes,
        hole_width_range=sizes,
        fill=fill,
    )


def pipeline(*steps: StepSpec, **fields: Any) -> AugmentationSpec:
    return AugmentationSpec(name="test", steps=steps, **fields)


def find(spec: AugmentationSpec) -> dict[str, Any]:
    return {problem.kind: problem for problem in find_problems(spec, CIFAR10_MEAN, CIFAR10_STD)}


CASES = {
    "fill_after_normalise": [
        (pipeline(NORMALIZE, holes(fill=CIFAR10_MEAN)), pipeline(NORMALIZE, holes(fill=0))),
        (pipeline(NORMALIZE, holes(fill=125)), pipeline(holes(fill=125), NORMALIZE)),
    ],
    "fill_as_share": [
        (pipeline(holes(fill=(0.4, 0.4, 0.4))), pipeline(holes(fill=(102, 102, 102)))),
        (pipeline(holes(fill=0.5)), pipeline(NORMALIZE, holes(fill="random"))),
        (pipeline(holes(fill=1)), pipeline(holes(fill=2))),
    ],
    "black_hole": [
        (pipeline(holes(fill=0)), pipeline(holes())),
        (pipeline(step("CoarseDropout")), pipeline(NORMALIZE, step("CoarseDropout"))),
        (pipeline(holes(fill=(0, 0, 0))), pipeline(holes(fill=(0, 0, 9)))),
    ],
    "other_statistics": [
        (pipeline(mean=(0.5, 0.5, 0.5), std=(0.5, 0.5, 0.5)), pipeline()),
        (pipeline(mean=(0.4675, 0.4599, 0.4236)), pipeline(mean=(0.4917, 0.4827, 0.4472))),
        (pipeline(std=(0.2901, 0.2874, 0.2917)), pipeline(std=(0.2452, 0.2428, 0.2606))),
    ],
    "colour_after_normalise": [
        (pipeline(NORMALIZE, step("ToGray")), pipeline(step("ToGray"), NORMALIZE)),
        (pipeline(NORMALIZE, step("ColorJitter")), pipeline(NORMALIZE, step("HorizontalFlip"))),
    ],
    "least_above_most": [
        (pipeline(holes(size=(16, 1))), pipeline(holes(size=(1, 16)))),
        (pipeline(step("Affine", rotate=(5, -5))), pipeline(step("Affine", rotate=(-5, 5)))),
    ],
    "hides_most": [
        (pipeline(holes(size=23)), pipeline(holes(size=22))),
        (pipeline(holes(count=9)), pipeline(holes(count=2))),
    ],
    "hides_nothing": [
        (pipeline(holes(size=7)), pipeline(holes(size=8))),
        (pipeline(step("CoarseDropout")), pipeline(step("CoarseDropout", num_holes_range=(4, 4)))),
    ],
}
PAIRS = [(kind, *pair) for kind, pairs in CASES.items() for pair in pairs]


@pytest.mark.parametrize("kind, faulty, twin", PAIRS)
def test_the_fault_is_found_and_its_nearest_twin_has_none(kind, faulty, twin):
    problem = find(faulty)[kind]
    assert kind not in find(twin)
    assert all(text.endswith(".") for text in (problem.problem, problem.arithmetic, problem.remedy))
    assert any(character.isdigit() for character in problem.arithmetic)
    places = [place.transform for place in (*faulty.steps, NORMALIZE)]
    assert places[problem.index] == problem.name


@pytest.mark.parametrize("kind, faulty, twin", PAIRS)
def test_the_remedy_takes_the_fault_away_and_can_be_run(kind, faulty, twin):
    remedied = find(faulty)[kind].remedied
    assert kind not in find(remedied)
    assert len(remedied.steps) == len(faulty.steps)
    assert np.isfinite(build_pipeline(remedied, seed=1).apply(pictures(2))).all()
    assert set(find(remedied)) < set(find(faulty))


def test_a_range_upside_down_is_what_the_check_refuses():
    for faulty, twin in CASES["least_above_most"]:
        with pytest.raises(SpecError, match="swap the two numbers"):
            check(faulty)
        check(twin)


def test_the_seeds_as_written_have_their_known_faults_and_no_others():
    kinds = {key: set(find(spec)) for key, spec in presets().items()}
    assert {key: found for key, found in kinds.items() if found} == {
        "seed_001_as_written": {"black_hole", "other_statistics"},
        "seed_002_as_written": {"other_statistics"},
        "seed_003_as_written": {"black_hole", "other_statistics"},
        "seed_004_as_written": {"fill_after_normalise", "colour_after_normalise"},
    }


def test_the_hole_of_seed_004_sits_where_the_finding_says():
    spec = presets()["seed_004_as_written"]
    assert "+0.49, +0.48, +0.45" in find(spec)["fill_after_normalise"].arithmetic
    assert "(156, 153, 144)" in find(spec)["fill_after_normalise"].arithmetic
    only = replace(spec, steps=(NORMALIZE, replace(spec.steps[3], probability=1.0)))
    shown = preview(only, pictures(3), seed=1)
    for picture, ((x1, y1, _, _),) in zip(shown.images, shown.holes, strict=True):
        assert tuple(picture[y1, x1]) == (156, 153, 144)


def test_a_fill_on_the_scale_of_shares_is_black_in_the_picture():
    spec, _ = CASES["fill_as_share"][0]
    shown = preview(spec, np.full((3, 32, 32, 3), 99, np.uint8), seed=1)
    assert (shown.images[shown.hidden] == 0).all()
    assert "cut 0.4 off to 0" in find(spec)["fill_as_share"].arithmetic


def test_steps_that_never_act_have_no_faults():
    faulty = holes(fill=0.5, size=30)
    assert find(pipeline(replace(faulty, is_on=False))) == {}
    assert find(pipeline(replace(faulty, probability=0.0))) == {}


def test_what_counts_as_the_own_statistics_depends_on_the_images():
    spec = pipeline(holes(fill=0), mean=(0.3, 0.4, 0.5), std=(0.2, 0.2, 0.2))
    found = {p.kind: p for p in find_problems(spec, (0.3, 0.4, 0.5), (0.2, 0.2, 0.2))}
    assert set(found) == {"black_hole"}
    assert found["black_hole"].remedied.steps[0].keywords["fill"] == (76, 102, 128)


@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"num_holes_range": (1, 8), "hole_height_range": (3, 20), "hole_width_range": (1, 32)},
        {"hole_height_range": (0.03, 0.6), "hole_width_range": (0.5, 0.5)},
        {"num_holes_range": (8, 8), "hole_height_range": (8, 8), "hole_width_range": (8, 8)},
    ],
)
def test_the_share_worked_out_is_the_share_drawn(arguments):
    dropout = step("CoarseDropout", **arguments)
    drawn = preview(pipeline(dropout), np.zeros((3000, 32, 32, 3), np.uint8), seed=1).hidden.mean(axis=(1, 2))
    error = drawn.std() / len(drawn) ** 0.5
    assert hidden_share(dropout) == pytest.approx(drawn.mean(), abs=4 * error)


def test_the_default_of_the_installed_release_hides_2_7_percent():
    assert hidden_share(step("CoarseDropout")) == pytest.approx(0.027, abs=0.0005)
    assert hidden_share(holes()) == 0.25


@pytest.mark.parametrize(
    "arguments",
    [
        {"num_holes_range": (1, 10**9)},
        {"hole_height_range": (1, 10**9)},
        {"hole_height_range": "wide"},
        {"hole_height_range": (None, 3)},
        {"num_holes_range": 3},
        {"fill": (1, 2)},
        {"fill": 10**400},
        {"fill": ("a", "b", "c")},
        {"fill": ((1, 2), 3, 4)},
    ],
)
def test_what_a_strange_link_brings_is_left_to_the_check(arguments):
    strange = pipeline(from_dict(StepSpec, {"transform": "CoarseDropout", "arguments": arguments}))
    assert set(find(strange)) <= {"black_hole", "hides_nothing"}


def test_finding_faults_needs_neither_albumentations_nor_torch():
    listing = "import sys, core.augmentation.findings; print(*sys.modules)"
    modules = subprocess.run(
        [sys.executable, "-c", listing], capture_output=True, text=True, check=True
    ).stdout
    assert not {"albumentations", "torch", "cv2"} & set(modules.split())


@pytest.mark.parametrize("key", presets())
def test_applying_every_remedy_ends_without_faults(key):
    spec, seen = presets()[key], set()
    while problems := find_problems(spec, CIFAR10_MEAN, CIFAR10_STD):
        assert to_link(spec) not in seen
        seen.add(to_link(spec))
        spec = problems[0].remedied
    check(spec)
