"""The transforms of albumentations 0.4 to 1.4 with the names and defaults of their arguments.

Read from the releases 0.5.2, 1.0.0, 1.2.1, 1.3.1, 1.4.0 and 1.4.18. Where later ones begin otherwise, the
earlier ones hold, and what is told of the step names both.
"""

from collections.abc import Mapping
from typing import Any

NEEDED = object()
"""In place of a default: the argument has to be given."""
IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)
REFLECT_101 = 4
CONSTANT = 0

_WARP = {"interpolation": 1, "border_mode": REFLECT_101, "value": None, "mask_value": None}

OLD: Mapping[str, Mapping[str, Any]] = {
    "HorizontalFlip": {},
    "VerticalFlip": {},
    "ShiftScaleRotate": {
        "shift_limit": 0.0625,
        "scale_limit": 0.1,
        "rotate_limit": 45,
        **_WARP,
        "shift_limit_x": None,
        "shift_limit_y": None,
        "rotate_method": "largest_box",
    },
    "Rotate": {"limit": 90, **_WARP, "rotate_method": "largest_box", "crop_border": False},
    "Affine": {
        "scale": None,
        "translate_percent": None,
        "translate_px": None,
        "rotate": None,
        "shear": None,
        "interpolation": 1,
        "mask_interpolation": 0,
        "cval": 0,
        "cval_mask": 0,
        "mode": CONSTANT,
        "fit_output": False,
        "keep_ratio": False,
        "rotate_method": "largest_box",
        "balanced_scale": False,
    },
    "PadIfNeeded": {
        "min_height": 1024,
        "min_width": 1024,
        "pad_height_divisor": None,
        "pad_width_divisor": None,
        "position": "center",
        "border_mode": REFLECT_101,
        "value": None,
        "mask_value": None,
    },
    "RandomCrop": {"height": NEEDED, "width": NEEDED},
    "CoarseDropout": {
        "max_holes": 8,
        "max_height": 8,
        "max_width": 8,
        "min_holes": None,
        "min_height": None,
        "min_width": None,
        "fill_value": 0,
        "mask_fill_value": None,
        "num_holes_range": (1, 1),
        "hole_height_range": (8, 8),
        "hole_width_range": (8, 8),
    },
    "Cutout": {"num_holes": 8, "max_h_size": 8, "max_w_size": 8, "fill_value": 0},
    "GaussianBlur": {"blur_limit": (3, 7), "sigma_limit": 0},
    "ToGray": {"num_output_channels": 3, "method": "weighted_average"},
    "ColorJitter": {"brightness": 0.2, "contrast": 0.2, "saturation": 0.2, "hue": 0.2},
    "RandomBrightnessContrast": {"brightness_limit": 0.2, "contrast_limit": 0.2, "brightness_by_max": True},
    "RandomBrightness": {"limit": 0.2},
    "RandomContrast": {"limit": 0.2},
    "HueSaturationValue": {"hue_shift_limit": 20, "sat_shift_limit": 30, "val_shift_limit": 20},
    "RGBShift": {"r_shift_limit": 20, "g_shift_limit": 20, "b_shift_limit": 20},
    "Normalize": {
        "mean": IMAGENET_MEAN,
        "std": IMAGENET_STD,
        "max_pixel_value": 255.0,
        "normalization": "standard",
    },
    "ToTensor": {"num_classes": 1, "sigmoid": True, "normalize": None},
    "ToTensorV2": {"transpose_mask": False},
}
"""By transform: argument and default, in the order in which they may be given without names."""

BY_PLACE: Mapping[str, int] = {"PadIfNeeded": 4, "CoarseDropout": 7, "Affine": 6, "Normalize": 3}
"""How many arguments go without names; behind these the releases differ. For the others: all."""

ALWAYS = frozenset({"Normalize", "Pad", "PadIfNeeded", "RandomCrop", "ToTensor", "ToTensorV2"})
"""Whose probability is 1 where none is given; elsewhere it is 0.5."""

MODERN_POSITIONAL: Mapping[str, tuple[str, ...]] = {
    "HorizontalFlip": ("p",),
    "VerticalFlip": ("p",),
    "RandomCrop": ("height", "width"),
    "Pad": ("padding",),
    "Normalize": ("mean", "std", "max_pixel_value"),
    "PadIfNeeded": ("min_height", "min_width"),
    "ShiftScaleRotate": ("shift_limit", "scale_limit", "rotate_limit"),
    "CoarseDropout": ("num_holes_range", "hole_height_range", "hole_width_range"),
}
"""The arguments of 2.0.8 that people give without names."""

MODERN_ONLY = frozenset({"fill", "fill_mask", "padding", "ensure_safe_range"})
"""Argument names of 2.0 that no release up to 1.4.18 knew; the last ones of 1.4 know them too."""
MIRRORED = frozenset(
    {"ElasticTransform", "GridDistortion", "OpticalDistortion", "SafeRotate", "ShiftScaleRotate"}
)
"""Mirrored the image at the border in all of 1.4 where none is named; black in 2.0."""
MODERN_OPTIONS = frozenset({"seed", "save_applied_params"})
"""The same, of Compose itself."""
OLD_ONLY = frozenset(
    {"always_apply", "cval", "cval_mask", "fill_value", "mask_fill_value", "mask_value", "max_h_size"}
    | {"max_height", "max_holes", "max_w_size", "max_width", "min_holes", "mode", "value"}
)
"""Argument names that 2.0.8 does not know: it warns, and goes on without them."""
