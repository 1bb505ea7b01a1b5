"""Pipelines to start from: the usual ones, and the five course projects' as written and as intended."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from core.augmentation.spec import CIFAR10_MEAN, CIFAR10_STD, NORMALIZE, AugmentationSpec, StepSpec

# The mean of CIFAR-10 on the scale of the pixels themselves, rounded: a fill for 8-bit images.
MEAN_PIXEL = (125, 123, 114)
BLACK = 0
HALF = (0.5, 0.5, 0.5)
REFLECT = 4  # cv2.BORDER_REFLECT_101, the border of the old ShiftScaleRotate; 2.0.8's is black

SHIFT_NOTE = (
    "Shift, scale and rotation are an Affine with one factor for both sides, as in the old releases; "
    "ShiftScaleRotate of 2.0.8 draws two. 2.0.8 shifts by whole pixels, by 1 px or not at all, where the old "
    "ones shifted by any fraction up to 2 px."
)


MIX_NOTE = (
    "each comes by a chance of its own and in a fixed order, so that their number varies. Shear and shift go "
    "both ways at once, Sharpness only sharpens, Posterize keeps a fixed number of bits, and "
    "no change comes twice."
)


@dataclass(frozen=True, slots=True)
class AugmentationPreset:
    """A pipeline and what one should know about it."""

    spec: AugmentationSpec
    note: str
    """What it does, and how it differs from its model."""


def presets() -> Mapping[str, AugmentationSpec]:
    """The pipelines by key; `spec.name` is the title for people."""
    return {key: preset.spec for key, preset in _PRESETS.items()}


def notes() -> Mapping[str, str]:
    """What one should know about each preset, by the same keys."""
    return {key: preset.note for key, preset in _PRESETS.items()}


def _step(transform: str, probability: float = 1.0, **arguments: Any) -> StepSpec:
    return StepSpec(transform=transform, probability=probability, arguments=tuple(arguments.items()))


def _padded_crop(padding: int = 4) -> tuple[StepSpec, StepSpec]:
    return _step("Pad", padding=padding, border_mode=0), _step("RandomCrop", height=32, width=32)


def _legacy_shift_scale_rotate(probability: float) -> StepSpec:
    """`ShiftScaleRotate()` of the releases up to 1.3 with their defaults, as 2.0.8 can say it."""
    limits = {"translate_percent": (-0.0625, 0.0625), "scale": (0.9, 1.1), "rotate": (-45, 45)}
    return _step("Affine", probability, **limits, shear=(0, 0), keep_ratio=True, border_mode=REFLECT)


def _square_hole(probability: float, fill: object) -> StepSpec:
    one_square = {"num_holes_range": (1, 1), "hole_height_range": (16, 16), "hole_width_range": (16, 16)}
    return _step("CoarseDropout", probability, **one_square, fill=fill)


def _warp(probability: float, **changed: Any) -> StepSpec:
    """One way to move an image, with black beyond its edge; all other ways are off."""
    still = {"translate_percent": (0, 0), "scale": (1, 1), "rotate": (0, 0), "shear": (0, 0)}
    return _step("Affine", probability, **(still | changed), keep_ratio=True, border_mode=0)


def _colour(probability: float, channel: str, least: float, most: float) -> StepSpec:
    """One way to change the colours; all other ways are off."""
    same = {"brightness": (1, 1), "contrast": (1, 1), "saturation": (1, 1), "hue": (0, 0)}
    return _step("ColorJitter", probability, **(same | {channel: (least, most)}))


def _mix(
    chance: float, shear: float, shift: float, turn: float, factor: float, bits: int, threshold: float
) -> tuple[StepSpec, ...]:
    """The fourteen operations of RandAugment but the one that does nothing, each with its `chance`.

    Those along x and along y are one step with twice the chance. Strengths are the greatest: degrees, share
    of the side, degrees, part of 1, least threshold; and the bits that Posterize keeps.
    """
    twice = round(2 * chance, 2)
    return (
        _warp(twice, shear=(-shear, shear)),
        _warp(twice, translate_percent=(-shift, shift)),
        _warp(chance, rotate=(-turn, turn)),
        _colour(chance, "brightness", 1 - factor, 1 + factor),
        _colour(chance, "saturation", 1 - factor, 1 + factor),
        _colour(chance, "contrast", 1 - factor, 1 + factor),
        _step("Sharpen", chance, alpha=(0, factor), lightness=(1, 1)),
        _step("Posterize", chance, num_bits=bits),
        _step("Solarize", chance, threshold_range=(threshold, 1)),
        _step("AutoContrast", chance, method="pil"),
        _step("Equalize", chance),
    )


def _preset(
    name: str,
    note: str,
    *steps: StepSpec,
    mean: tuple[float, float, float] = CIFAR10_MEAN,
    std: tuple[float, float, float] = CIFAR10_STD,
) -> AugmentationPreset:
    return AugmentationPreset(AugmentationSpec(name=name, steps=steps, mean=mean, std=std), note)


SEED_000_MEAN = (0.49186864, 0.48265335, 0.44717798)
SEED_000_STD = (0.24697131, 0.24338901, 0.26159254)
SEED_001_MEAN = (0.4675, 0.4599, 0.4236)
SEED_001_STD = (0.2901, 0.2874, 0.2917)
SEED_004_MEAN = (0.49139968, 0.48215841, 0.44653091)
SEED_004_STD = (0.24703223, 0.24348513, 0.26158784)

_PRESETS: Mapping[str, AugmentationPreset] = {
    "none": _preset("None: normalise only", "Every image as it is, with CIFAR-10's own mean and deviation."),
    "flip_crop": _preset(
        "Flip and padded crop",
        "The usual one for CIFAR-10: a mirror image half of the time, and a random 32x32 window of the image "
        "with 4 black pixels around it.",
        _step("HorizontalFlip", 0.5),
        *_padded_crop(),
    ),
    "flip_crop_2": _preset(
        "Flip and crop padded by 2 px",
        "For short trainings, which see every image too seldom to learn it by heart: a mirror image half of "
        "the time, and a random 32x32 window of the image with 2 black pixels around it.",
        _step("HorizontalFlip", 0.5),
        *_padded_crop(2),
    ),
    "cutout": _preset(
        "Cutout: flip, padded crop, one 16 px hole",
        "The pipeline of the Cutout paper (DeVries and Taylor, 2017) for CIFAR-10: one 16x16 square in "
        "every image. The paper lets the square stick out of the image and so removes less near the edge; "
        "here it always lies inside and removes 25%. The fill is the mean pixel, which the paper gets by "
        "filling with 0 after it normalises.",
        _step("HorizontalFlip", 0.5),
        *_padded_crop(),
        _square_hole(1.0, MEAN_PIXEL),
    ),
    "trivial_augment_like": _preset(
        "TrivialAugment-like: one of eleven changes, about",
        f"After flip and padded crop, as TrivialAugment (Müller and Hutter, 2021) in the ranges of "
        f"RandAugment. It makes exactly one change of strength drawn anew; here {MIX_NOTE} Four images "
        "of ten get none of them, four get one, two get more.",
        _step("HorizontalFlip", 0.5),
        *_padded_crop(),
        *_mix(0.07, shear=17, shift=0.3125, turn=30, factor=0.9, bits=5, threshold=0.0),
    ),
    "rand_augment_like": _preset(
        "RandAugment-like: two of eleven changes, about",
        f"After flip and padded crop, as RandAugment (Cubuk and others, 2019) with 2 operations at strength "
        f"9 of 30. It makes two changes at that strength; here {MIX_NOTE} Strengths go up to that one.",
        _step("HorizontalFlip", 0.5),
        *_padded_crop(),
        *_mix(0.14, shear=5, shift=0.125, turn=9, factor=0.27, bits=7, threshold=0.7),
    ),
    "seed_000_as_written": _preset(
        "Seed 000, as written",
        "No augmentation. Mean and deviation are over the training and test images together, as far as is "
        "known.",
        mean=SEED_000_MEAN,
        std=SEED_000_STD,
    ),
    "seed_000_as_intended": _preset(
        "Seed 000, as intended",
        "No augmentation; mean and deviation over the training images alone, so that no test image has a "
        "part in them.",
    ),
    "seed_001_as_written": _preset(
        "Seed 001, as written",
        "The fill, a mean on the scale 0 to 1, meets 8-bit pixels and is cut off to 0: the hole is black. "
        f"The mean and deviation are not CIFAR-10's. {SHIFT_NOTE} The release used, 1.0.0, also turned "
        "about a point half a pixel further right and down.",
        _step("HorizontalFlip", 0.5),
        _legacy_shift_scale_rotate(0.5),
        _square_hole(0.5, BLACK),
        mean=SEED_001_MEAN,
        std=SEED_001_STD,
    ),
    "seed_001_as_intended": _preset(
        "Seed 001, as intended",
        f"The hole has CIFAR-10's mean colour, and the images CIFAR-10's own statistics. {SHIFT_NOTE}",
        _step("HorizontalFlip", 0.5),
        _legacy_shift_scale_rotate(0.5),
        _square_hole(0.5, MEAN_PIXEL),
    ),
    "seed_002_as_written": _preset(
        "Seed 002, as written",
        "No augmentation; pixels run from -1 to 1, which are not CIFAR-10's statistics.",
        mean=HALF,
        std=HALF,
    ),
    "seed_002_as_intended": _preset(
        "Seed 002, as intended", "No augmentation; normalised with CIFAR-10's own mean and deviation."
    ),
    "seed_003_as_written": _preset(
        "Seed 003, as written",
        "The fill 0.4734 meets 8-bit pixels and is cut off to 0: the hole is black. Pixels run from -1 to "
        "1. The chance of a hole was drawn once for every training, between 0.35 and 0.52; here it is the "
        f"middle, 0.44. {SHIFT_NOTE}",
        _step("HorizontalFlip", 0.49),
        _legacy_shift_scale_rotate(0.45),
        _square_hole(0.44, BLACK),
        mean=HALF,
        std=HALF,
    ),
    "seed_003_as_intended": _preset(
        "Seed 003, as intended",
        "The hole has CIFAR-10's mean colour, and the images CIFAR-10's own statistics. The chance of a "
        "hole was drawn once for every training, between 0.35 and 0.52; here it is the middle, 0.44. "
        f"{SHIFT_NOTE}",
        _step("HorizontalFlip", 0.49),
        _legacy_shift_scale_rotate(0.45),
        _square_hole(0.44, MEAN_PIXEL),
    ),
    "seed_004_as_written": _preset(
        "Seed 004, as written",
        "The hole is made after the normalisation but filled with the mean before it: it sits at +0.49, "
        "+0.48, +0.45 where the mean would be 0, so it shows lighter than the mean. Half of the images, "
        "chosen by chance, lose their colours, also after the normalisation, which leaves a slight tint. "
        f"{SHIFT_NOTE}",
        _step("HorizontalFlip", 0.4),
        _legacy_shift_scale_rotate(0.5),
        _step(NORMALIZE),
        _square_hole(0.5, SEED_004_MEAN),
        _step("ToGray", 0.5, method="weighted_average"),
        mean=SEED_004_MEAN,
        std=SEED_004_STD,
    ),
    "seed_004_as_intended": _preset(
        "Seed 004, as intended",
        "Colours go first, then the hole in CIFAR-10's mean colour, and the normalisation comes last. Half"
        " of the images are still without colour: ToGray was written without a probability, which is 0.5. "
        f"{SHIFT_NOTE}",
        _step("HorizontalFlip", 0.4),
        _legacy_shift_scale_rotate(0.5),
        _step("ToGray", 0.5, method="weighted_average"),
        _square_hole(0.5, MEAN_PIXEL),
        mean=SEED_004_MEAN,
        std=SEED_004_STD,
    ),
}
