"""The same on tensors: given the same draws albumentations' pixels, given none its distributions."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from core.augmentation import presets
from core.augmentation.batched import build_batched
from core.augmentation.batched_support import supports
from core.augmentation.spec import NORMALIZE, AugmentationSpec, StepSpec
from core.data import default_name, load
from core.errors import SpecError
from tests.drawn import by_albumentations, to_drawn
from tests.pictures import pictures

MEAN, STD = (0.4914, 0.4822, 0.4465), (0.2470, 0.2435, 0.2616)
LEVEL = 1 / 255
BORDERS = {"constant": 0, "replicate": 1, "reflect": 2, "wrap": 3, "reflect_101": 4}


def step(transform: str, probability: float = 1.0, **arguments: object) -> StepSpec:
    return StepSpec(transform=transform, probability=probability, arguments=tuple(arguments.items()))


def spec_of(*steps: StepSpec) -> AugmentationSpec:
    return AugmentationSpec(name="test", steps=steps, mean=MEAN, std=STD)


NORMALISE = step(NORMALIZE)
CROP = step("RandomCrop", height=32, width=32)


def affine(probability: float = 1.0, **arguments: object) -> StepSpec:
    limits = {"translate_percent": (-0.1, 0.1), "scale": (0.8, 1.2), "rotate": (-30, 30), "shear": (-8, 8)}
    return step("Affine", probability, **(limits | arguments))


def holes(probability: float = 1.0, **arguments: object) -> StepSpec:
    ranges = {"num_holes_range": (1, 3), "hole_height_range": (4, 16), "hole_width_range": (2, 20)}
    return step("CoarseDropout", probability, **(ranges | {"fill": (125, 123, 114)} | arguments))


CHAINS: dict[str, tuple[StepSpec, ...]] = {
    "none": (),
    "horizontal flip": (step("HorizontalFlip", 0.5),),
    "vertical flip": (step("VerticalFlip", 0.5),),
    **{f"affine, {name}": (affine(border_mode=mode),) for name, mode in BORDERS.items()},
    "affine of one scale": (affine(0.5, keep_ratio=True, border_mode=4),),
    "affine, whole pixels only": (step("Affine", translate_px=(-5, 5)),),
    "affine, far out": (affine(translate_percent=(-0.5, 0.5), scale=(0.5, 1.5), rotate=180, border_mode=2),),
    "affine, filled": (affine(fill=(10, 250, 90)),),
    "affine, filled with one value": (affine(fill=200),),
    "affine after Normalize": (NORMALISE, affine(0.5, fill=0.5)),
    "ShiftScaleRotate": (step("ShiftScaleRotate", 0.5),),
    "ShiftScaleRotate, reflect_101": (step("ShiftScaleRotate", 0.5, border_mode=4),),
    **{
        f"pad and crop, {name}": (
            step("Pad", padding=(3, 5, 6, 4), border_mode=mode, fill=(9, 200, 31)),
            CROP,
        )
        for name, mode in BORDERS.items()
    },
    "pad and crop after Normalize": (NORMALISE, step("Pad", padding=4, fill=0.3), CROP),
    "holes in pixels": (holes(0.5),),
    "holes as shares": (holes(hole_height_range=(0.1, 0.6), hole_width_range=(0.2, 0.3)),),
    "holes of the defaults": (step("CoarseDropout", 0.5),),
    "holes of one colour each": (holes(fill="random_uniform"),),
    "holes of noise": (holes(fill="random"),),
    "holes after Normalize": (NORMALISE, holes(0.5, fill=(0.49, 0.48, 0.45))),
    "holes of noise after Normalize": (NORMALISE, holes(fill="random")),
    "holes of one colour each after Normalize": (NORMALISE, holes(fill="random_uniform")),
    "holes in the padded image": (step("Pad", padding=4), holes(), CROP),
    **{
        f"grey by {method}{place}": (*before, step("ToGray", 0.5, method=method))
        for method in ("weighted_average", "average", "desaturation", "max")
        for place, before in (("", ()), (" after Normalize", (NORMALISE,)))
    },
    "brightness and contrast": (step("RandomBrightnessContrast"),),
    "brightness and contrast, far": (
        step("RandomBrightnessContrast", brightness_limit=(-1, 1), contrast_limit=(-1, 1)),
    ),
    "brightness and contrast after Normalize": (NORMALISE, step("RandomBrightnessContrast", 0.5)),
    "jitter": (step("ColorJitter"),),
    "jitter of hue": (step("ColorJitter", brightness=0, contrast=0, saturation=0, hue=(-0.5, 0.5)),),
    "jitter of contrast": (step("ColorJitter", brightness=0, contrast=(0, 2), saturation=0, hue=0),),
    "jitter of saturation": (step("ColorJitter", brightness=0, contrast=0, saturation=(0, 2), hue=0),),
    "jitter that takes all": (step("ColorJitter", brightness=(0, 2), contrast=(0, 0), saturation=(0, 0)),),
}
# The mixes hold steps that only albumentations has.
PRESETS = {key: spec for key, spec in presets().items() if spec.steps and not key.endswith("_like")}


@pytest.fixture(scope="module")
def thousand(real_root: Path | None, shapes_root: Path) -> np.ndarray:
    """A thousand training images: real ones where they are at hand."""
    root = real_root or shapes_root
    return np.array(load(default_name(root), root).train.images[:1000])


@pytest.fixture(autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


def differences(spec: AugmentationSpec, images: np.ndarray) -> np.ndarray:
    """By how many levels of 255 the two differ, given the same draws."""
    theirs, applied = by_albumentations(spec, images, seed=7)
    pipeline = build_batched(spec, seed=0, device="cpu")
    ours = pipeline.replay(torch.from_numpy(images), to_drawn(pipeline, applied)).numpy()
    assert ours.dtype == np.float32
    assert ours.shape == theirs.shape
    return np.abs(ours - theirs) * np.array(spec.std).reshape(3, 1, 1) / LEVEL


@pytest.mark.slow
@pytest.mark.parametrize("name", CHAINS)
def test_the_same_draws_give_albumentations_pixels(name: str, thousand: np.ndarray) -> None:
    apart = differences(spec_of(*CHAINS[name]), thousand)
    assert apart.max() <= 1.001


@pytest.mark.slow
@pytest.mark.parametrize("name", PRESETS)
def test_the_same_draws_give_the_pixels_of_every_preset(name: str, thousand: np.ndarray) -> None:
    assert differences(PRESETS[name], thousand).max() <= 1.001


def one_of_each() -> AugmentationSpec:
    """All transforms in one chain."""
    pad, rest = step("Pad", padding=4, border_mode=4), step("RandomBrightnessContrast", 0.5)
    flips = step("HorizontalFlip", 0.5), step("VerticalFlip", 0.3)
    moves = affine(0.5, border_mode=4), pad, CROP
    return spec_of(*flips, *moves, step("ColorJitter", 0.5), rest, step("ToGray", 0.2), holes(0.5))


def test_a_chain_of_all_transforms_gives_nearly_all_of_albumentations_pixels() -> None:
    apart = differences(one_of_each(), pictures(100).copy())
    # A value that one rounds up and the other down can be stretched by the contrast behind it.
    assert (apart > 0.001).mean() < 1e-3
    assert apart.max() <= 6


def test_the_same_spec_and_seed_give_the_same_pixels_in_any_batches_and_layout() -> None:
    images = torch.tensor(pictures(30))
    whole = build_batched(one_of_each(), 5, "cpu").apply(images)
    again, planes = build_batched(one_of_each(), 5, "cpu"), images.permute(0, 3, 1, 2).contiguous()
    parts = torch.cat([again.apply(planes[:1]), again.apply(images[1:11]), again.apply(planes[11:])])
    assert torch.equal(parts, whole)
    assert not torch.equal(build_batched(one_of_each(), 6, "cpu").apply(images), whole)


def test_the_images_that_are_given_stay_as_they_are() -> None:
    images = torch.tensor(pictures(20))
    planes = images.permute(0, 3, 1, 2).contiguous()
    for given in (images, planes, planes.permute(0, 2, 3, 1)):
        before = given.clone()
        build_batched(one_of_each(), 0, "cpu").apply(given)
        assert torch.equal(given, before)


def test_every_image_has_its_own_draw() -> None:
    same = torch.tensor(pictures(1)).repeat(200, 1, 1, 1)
    augmented = build_batched(one_of_each(), 0, "cpu").apply(same)
    assert len({image.numpy().tobytes() for image in augmented}) > 190


@pytest.mark.parametrize("images", [torch.zeros(2, 32, 32, 3), torch.zeros(2, 28, 28, 3, dtype=torch.uint8)])
def test_other_images_are_refused(images: Tensor) -> None:
    with pytest.raises(ValueError, match="got"):
        build_batched(spec_of(), 0, "cpu").apply(images)


UNSUPPORTED = {
    "RandomGamma": ((step("RandomGamma"),), "not among the transforms"),
    "another interpolation": ((affine(interpolation=0),), "interpolation is 1, got 0"),
    "a sometimes padded image": ((step("Pad", 0.5, padding=4), CROP), "always acts, got probability 0.5"),
    "inpainting": ((holes(fill="inpaint_ns"),), "a colour or noise, got inpaint_ns"),
    "grey by components": ((step("ToGray", method="pca"),), "got pca"),
    "late jitter": ((NORMALISE, step("ColorJitter")), "before Normalize"),
    "brightness of the mean": ((step("RandomBrightnessContrast", brightness_by_max=False),), "got False"),
}


@pytest.mark.parametrize("name", UNSUPPORTED)
def test_what_cannot_run_on_tensors_is_refused_at_its_step_with_the_reason(name: str) -> None:
    steps, why = UNSUPPORTED[name]
    is_supported, reason = supports(spec_of(*steps))
    assert not is_supported
    assert f"({steps[-1 if name == 'late jitter' else 0].transform}): " in reason
    assert why in reason
    with pytest.raises(SpecError, match="use the pipeline of albumentations"):
        build_batched(spec_of(*steps), 0, "cpu")


def test_every_preset_and_every_chain_here_runs_on_tensors() -> None:
    for spec in (presets()["none"], *PRESETS.values(), *(spec_of(*steps) for steps in CHAINS.values())):
        assert supports(spec) == (True, "")


def test_a_step_that_is_off_is_not_looked_at() -> None:
    off = StepSpec(transform="RandomGamma", is_on=False)
    assert supports(spec_of(off, step("RandomGamma", 0.0))) == (True, "")
