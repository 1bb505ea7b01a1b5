"""Every fault that is found is one, its nearest twin is none, and the remedy takes it away."""

import subprocess
import sys
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from core.augmentation import AugmentationSpec, StepSpec, presets
from core.augmentation.discovery import offered_transforms
from core.augmentation.findings import find_problems
from core.augmentation.hiding import HIDING
from core.augmentation.hole_chances import WORKED_OUT as CHANCES
from core.augmentation.holes import hidden_chances, hidden_share, hidden_together
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


def grid(ratio: float, **arguments: Any) -> StepSpec:
    return step("GridDropout", ratio=ratio, **arguments)


def stripes(across: int, down: int) -> StepSpec:
    return step(
        "XYMasking",
        num_masks_x=(across, across),
        mask_x_length=(8, 8),
        num_masks_y=(down, down),
        mask_y_length=(8, 8),
    )


def dropped(share: float) -> StepSpec:
    return step("PixelDropout", dropout_prob=share)


ERASING = step("Erasing", scale=(0.2, 0.29), ratio=(0.5, 2.0), fill=9)


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
        (pipeline(*[holes()] * 4), pipeline(*[holes()] * 3)),
        (pipeline(grid(0.9, holes_number_xy=(4, 4))), pipeline(grid(0.9))),
        (pipeline(stripes(1, 2)), pipeline(stripes(1, 1))),
        (
            pipeline(step("PixelDropout", dropout_prob=0.505)),
            pipeline(step("PixelDropout", dropout_prob=0.5)),
        ),
        (pipeline(step("SaltAndPepper", amount=(0.5, 0.6))), pipeline(step("SaltAndPepper"))),
        (pipeline(*[ERASING] * 4), pipeline(*[ERASING] * 3)),
        (pipeline(holes(), grid(0.5), stripes(1, 1)), pipeline(holes(), grid(0.5))),
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


def hidden(spec: AugmentationSpec, num_images: int = 1000) -> np.ndarray:
    """(N, H, W): where the pipeline itself makes holes."""
    return preview(spec, np.zeros((num_images, 32, 32, 3), np.uint8), seed=1).hidden


WORKED = [
    step("CoarseDropout"),
    step("CoarseDropout", num_holes_range=(1, 8), hole_height_range=(3, 20), hole_width_range=(1, 32)),
    step("CoarseDropout", hole_height_range=(0.03, 0.6), hole_width_range=(0.5, 0.5)),
    holes(size=8, count=8),
    ERASING,
    step("Erasing", scale=(0.01, 0.29), ratio=(0.3, 0.9)),
    step("GridDropout"),
    grid(0.8),
    grid(0.8, holes_number_xy=(7, 12)),
    grid(0.6, unit_size_range=(2, 32)),
    grid(0.7, holes_number_xy=(3, 5), random_offset=False, shift_xy=(3, 9)),
    dropped(0.3),
    step("PixelDropout", dropout_prob=0.7, per_channel=True),
    step("SaltAndPepper", amount=(0.1, 0.9)),
    stripes(2, 1),
    step("XYMasking", num_masks_x=(0, 3), mask_x_length=(1, 16), num_masks_y=(1, 2), mask_y_length=(4, 9)),
]


@pytest.mark.parametrize("hiding", WORKED, ids=lambda each: each.transform)
def test_the_share_worked_out_is_the_share_drawn_over_the_image_and_pixel_by_pixel(hiding):
    drawn = hidden(pipeline(hiding))
    shares = drawn.mean(axis=(1, 2))
    assert hidden_share(hiding) == pytest.approx(
        shares.mean(), abs=4 * shares.std() / len(drawn) ** 0.5 + 1e-9
    )
    # Five standard errors of a coin, and the order of the cells of a grid, which is drawn.
    off = 0.11 if hiding.keywords.get("holes_number_xy") else 0.08
    assert np.abs(hidden_chances(hiding) - drawn.mean(axis=0)).max() < off


def test_what_can_be_worked_out_is_all_that_is_offered_and_hides():
    offered = set(offered_transforms())
    assert set(CHANCES) == {kind.__name__ for kind in HIDING} & offered


CHAINS = [
    [holes()] * 4,
    [replace(holes(), probability=0.5)] * 4,
    [holes(size=20), replace(stripes(1, 1), probability=0.3), replace(grid(0.7), probability=0.9)],
    [ERASING, step("HorizontalFlip"), replace(holes(size=(4, 24)), probability=0.2)],
    [
        replace(dropped(0.4), probability=0.6),
        holes(),
        replace(holes(), is_on=False),
    ],
]


@pytest.mark.parametrize("steps", CHAINS, ids=range(len(CHAINS)))
def test_the_share_of_a_chain_is_what_is_drawn_on_the_images_that_it_hides_something_of(steps):
    shares = hidden(pipeline(*steps)).mean(axis=(1, 2))
    shares = shares[shares > 0]
    worked_out = hidden_together(each for each in steps if each.is_on)
    assert worked_out == pytest.approx(shares.mean(), abs=4 * shares.std() / len(shares) ** 0.5)


def test_four_squares_that_hide_a_quarter_each_are_told_together_and_only_where_they_act_together():
    four = pipeline(*[holes()] * 4)
    problem = find(four)["hides_most"]
    measured = hidden(four).mean()
    assert f"Steps 1, 2, 3 and 4 together hide {measured:.0%} of the image on average." == problem.arithmetic
    assert "which hides 25%" in problem.remedy
    assert [each.is_on for each in problem.remedied.steps] == [True, False, False, False]
    assert hidden(problem.remedied).mean() == 0.25
    by_chance = pipeline(*[replace(holes(), probability=0.5)] * 4)
    shares = hidden(by_chance).mean(axis=(1, 2))
    assert shares[shares > 0].mean() < 0.4
    assert "hides_most" not in find(by_chance)


@pytest.mark.parametrize("probability", [0.1, 0.3, 0.7, 0.9])
def test_one_step_at_the_limit_is_no_chain(probability):
    assert "hides_most" not in find(pipeline(replace(dropped(0.5), probability=probability)))


def test_a_chain_with_a_step_that_hides_most_alone_is_told_of_that_step_only():
    problems = find_problems(pipeline(holes(), holes(size=30), holes()), CIFAR10_MEAN, CIFAR10_STD)
    assert [(problem.kind, problem.index) for problem in problems] == [("hides_most", 1)]


def test_the_default_of_the_installed_release_hides_2_7_percent():
    assert hidden_share(step("CoarseDropout")) == pytest.approx(0.027, abs=0.0005)
    assert hidden_share(holes()) == 0.25


STRANGE = (None, "wide", -3, 10**400, 0.5, (), (1, 2, 3), (9, 2), (None, 3), (0, 0), (-5, 40), ((1, 2), 3))


@pytest.mark.parametrize("transform", CHANCES)
def test_whatever_a_strange_link_says_of_holes_the_findings_are_found(transform):
    for argument in CHANCES[transform][0]:
        for value in STRANGE:
            strange = from_dict(StepSpec, {"transform": transform, "arguments": {argument: value}})
            assert (hidden_share(strange) or 0) <= 1
            find(pipeline(strange, strange))


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
