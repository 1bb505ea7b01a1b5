"""The transforms that have no controls by hand, as the releases 0.4 to 1.4 called their arguments and began.

Read from the signatures of 0.4.6, 0.5.2, 1.0.3, 1.1.0, 1.3.1, 1.4.0, 1.4.10, 1.4.15, 1.4.18 and 1.4.24 beside
that of 2.0.8. What is told of pixels was measured by running these releases on 250 CIFAR-10 images.
"""

import math
from collections.abc import Mapping

from core.augmentation.legacy_names import REFLECT_101
from core.augmentation.legacy_older import (
    Older,
    border_fill,
    deviation,
    fill,
    kernel,
    mean,
    same,
    skimage_mode,
    threshold,
)

_WARP = {"border_mode": REFLECT_101}
_WARP_NAMES = {"value": "fill"}
_WARP_VALUES = {"fill": border_fill}
_PLAIN = Older(places=("always_apply", "p"))

OTHERS: Mapping[str, Older] = {
    "AdvancedBlur": Older(
        places=("blur_limit",), renamed={"sigmaX_limit": "sigma_x_limit", "sigmaY_limit": "sigma_y_limit"}
    ),
    "Blur": Older(places=("blur_limit",)),
    "CLAHE": Older(places=("clip_limit", "tile_grid_size")),
    "CenterCrop": Older(places=("height", "width")),
    "ChannelDropout": Older(
        places=("channel_drop_range", "fill_value"), renamed={"fill_value": "fill"}, values={"fill": fill}
    ),
    "ChannelShuffle": _PLAIN,
    "Crop": Older(places=("x_min", "y_min", "x_max", "y_max")),
    "CropAndPad": Older(
        places=("px", "percent"),
        renamed={"pad_mode": "border_mode", "pad_cval": "fill"},
        values={"fill": border_fill},
    ),
    "Defocus": Older(places=("radius", "alias_blur")),
    "Downscale": Older(
        places=("scale_min", "scale_max"), two={"scale_range": ("scale_min", "scale_max", (0.25, 0.25))}
    ),
    "ElasticTransform": Older(
        places=("alpha", "sigma"),
        began=_WARP,
        renamed=_WARP_NAMES,
        values=_WARP_VALUES,
        gone=frozenset({"alpha_affine"}),
        told="up to 1.4.10 alpha_affine, 50 px where not given, also warped the image as a whole; 2.0.8 has "
        "nothing like it, and what is left is much weaker",
    ),
    "Emboss": Older(places=("alpha", "strength")),
    "Equalize": Older(places=("mode", "by_channels")),
    "FancyPCA": Older(places=("alpha",), told="up to 1.4.10 it changed pixels about nine times as much"),
    "GaussNoise": Older(
        places=("var_limit", "mean"),
        began={"std_range": (round(math.sqrt(10) / 255, 6), round(math.sqrt(50) / 255, 6))},
        renamed={"var_limit": "std_range", "mean": "mean_range"},
        values={"std_range": deviation, "mean_range": mean},
        told="the variance was drawn evenly, in 2.0.8 the deviation is; up to 1.4.0 fractions were cut off",
    ),
    "GlassBlur": Older(places=("sigma", "max_delta", "iterations")),
    "GridDistortion": Older(
        places=("num_steps", "distort_limit", "interpolation", "border_mode"),
        began={**_WARP, "normalized": False},
        renamed=_WARP_NAMES,
        values=_WARP_VALUES,
        told="the old releases moved the corners of the image less",
    ),
    "GridDropout": Older(
        places=("ratio",),
        began={"random_offset": False},
        renamed={"fill_value": "fill"},
        two={
            "unit_size_range": ("unit_size_min", "unit_size_max", (None, None)),
            "holes_number_xy": ("holes_number_x", "holes_number_y", (None, None)),
            "shift_xy": ("shift_x", "shift_y", (0, 0)),
        },
        values={"fill": fill},
        told="how many pixels its grid hides differs from release to release",
    ),
    "ISONoise": Older(
        places=("color_shift", "intensity"), told="the old releases changed pixels more than twice as much"
    ),
    "ImageCompression": Older(
        places=("quality_lower", "quality_upper"),
        two={"quality_range": ("quality_lower", "quality_upper", (99, 100))},
    ),
    "InvertImg": _PLAIN,
    "MedianBlur": Older(places=("blur_limit",), values={"blur_limit": kernel}),
    "MotionBlur": Older(
        places=("blur_limit",),
        values={"blur_limit": kernel},
        told="the old releases drew their lines otherwise and changed pixels about a third more",
    ),
    "MultiplicativeNoise": Older(places=("multiplier", "per_channel", "elementwise")),
    "OpticalDistortion": Older(
        places=("distort_limit",),
        began=_WARP,
        renamed=_WARP_NAMES,
        values=_WARP_VALUES,
        gone=frozenset({"shift_limit"}),
        told="up to 1.4.18 shift_limit, 0.05 where not given, also moved the centre; 2.0.8 does not",
    ),
    "Perspective": Older(
        places=("scale", "keep_size", "pad_mode", "pad_val"),
        renamed={"pad_mode": "border_mode", "pad_val": "fill"},
        values={"fill": border_fill},
        told="up to 1.4.18 it changed pixels by about a third less",
    ),
    "PiecewiseAffine": Older(
        places=("scale", "nb_rows", "nb_cols"),
        renamed={"mode": "border_mode", "cval": "fill"},
        values={
            "border_mode": skimage_mode,
            "fill": border_fill,
            "scale": same,
            "nb_rows": same,
            "nb_cols": same,
        },
        told="the old releases changed pixels little more than half as much",
    ),
    "PixelDropout": Older(places=("dropout_prob", "per_channel", "drop_value")),
    "Posterize": Older(places=("num_bits",)),
    "RandomCropFromBorders": Older(places=("crop_left", "crop_right", "crop_top", "crop_bottom")),
    "RandomFog": Older(
        two={"fog_coef_range": ("fog_coef_lower", "fog_coef_upper", (0.3, 1))},
        told="the old releases left images of 32x32 px as they were, or nearly",
    ),
    "RandomGamma": Older(places=("gamma_limit",), gone=frozenset({"eps"})),
    "RandomGridShuffle": Older(places=("grid",)),
    "RandomRain": Older(
        two={"slant_range": ("slant_lower", "slant_upper", (-10, 10))},
        told="drops were 20 px long where drop_length was not given; in 2.0.8 they follow the image's size",
    ),
    "RandomResizedCrop": Older(
        places=("height", "width", "scale", "ratio", "interpolation"),
        two={"size": ("height", "width", (None, None))},
    ),
    "RandomRotate90": Older(places=("always_apply", "p"), probability=0.5),
    "RandomScale": Older(places=("scale_limit", "interpolation")),
    "RandomShadow": Older(
        places=("shadow_roi",),
        two={"num_shadows_limit": ("num_shadows_lower", "num_shadows_upper", (1, 2))},
        told="the shadows of the old releases were larger",
    ),
    "RandomSizedCrop": Older(
        places=("min_max_height", "height", "width", "w2h_ratio", "interpolation"),
        two={"size": ("height", "width", (None, None))},
    ),
    "RandomSnow": Older(two={"snow_point_range": ("snow_point_lower", "snow_point_upper", (0.1, 0.3))}),
    "RandomSunFlare": Older(
        places=("flare_roi",),
        two={
            "angle_range": ("angle_lower", "angle_upper", (0, 1)),
            "num_flare_circles_range": ("num_flare_circles_lower", "num_flare_circles_upper", (6, 10)),
        },
    ),
    "RandomToneCurve": Older(places=("scale",)),
    "Resize": Older(places=("height", "width", "interpolation")),
    "RingingOvershoot": Older(places=("blur_limit", "cutoff")),
    "SafeRotate": Older(
        places=("limit", "interpolation", "border_mode"),
        began=_WARP,
        renamed=_WARP_NAMES,
        values=_WARP_VALUES,
    ),
    "Sharpen": Older(places=("alpha", "lightness")),
    "Solarize": Older(
        places=("threshold",),
        renamed={"threshold": "threshold_range"},
        values={"threshold_range": threshold},
    ),
    "Superpixels": Older(
        places=("p_replace", "n_segments"),
        began={"p_replace": (0.1, 0.1)},
        values={"p_replace": same, "n_segments": same},
        told="the old releases changed pixels more than twice as much",
    ),
    "ToSepia": _PLAIN,
    "Transpose": _PLAIN,
    "UnsharpMask": Older(places=("blur_limit", "sigma_limit", "alpha", "threshold")),
    "XYMasking": Older(
        places=("num_masks_x", "num_masks_y", "mask_x_length", "mask_y_length"),
        renamed={"fill_value": "fill"},
        values={"fill": fill, "mask_x_length": same, "mask_y_length": same},
    ),
    "ZoomBlur": Older(places=("max_factor", "step_factor")),
}
"""By the name of the class in 2.0.8; those that are not here are called and begin as they did."""

GONE: Mapping[str, str] = {"JpegCompression": "ImageCompression"}
"""Old names of whole transforms."""
