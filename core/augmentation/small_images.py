"""What one RGB image of 32x32 asks of the arguments of albumentations' transforms: where they start and end.

Everything else is read from the library itself, by `signatures`.
"""

from collections.abc import Mapping
from typing import Any

GIVEN: Mapping[str, Mapping[str, Any]] = {
    "CenterCrop": {"height": 24, "width": 24},
    "Crop": {"x_min": 4, "y_min": 4, "x_max": 28, "y_max": 28},
    "CropAndPad": {"percent": (-0.1, 0.1)},
    # With ratios from 0.3 no larger share fits in, and then the library stops with an error.
    "Erasing": {"scale": (0.02, 0.29)},
    "GridElasticDeform": {"num_grid_xy": (4, 4), "magnitude": 2},
    "PadIfNeeded": {"min_height": 40, "min_width": 40},
    "PlasmaBrightnessContrast": {"plasma_size": 32},
    "PlasmaShadow": {"plasma_size": 32},
    "RandomResizedCrop": {"size": (32, 32)},
    "RandomSizedCrop": {"min_max_height": (16, 32), "size": (32, 32)},
    "RandomSunFlare": {"src_radius": 16},
    "Resize": {"height": 32, "width": 32},
    "XYMasking": {
        "num_masks_x": (1, 1),
        "num_masks_y": (1, 1),
        "mask_x_length": (4, 8),
        "mask_y_length": (4, 8),
    },
}
"""What a new step writes, where the library has no default or one that is impossible on 32x32."""

STARTS: Mapping[str, Any] = {
    "AutoContrast.ignore": 0,
    "GridDropout.unit_size_range": (4, 8),
    "GridDropout.holes_number_xy": (4, 4),
    "PlanckianJitter.temperature_limit": (4000, 12000),
    "RandomRain.drop_length": 4,
}
"""Where an argument starts that the library leaves unset, once a person sets it."""

CONTAINED: Mapping[str, float] = {"AdvancedBlur.beta_limit": 1.0, "PlanckianJitter.temperature_limit": 6000}
"""A number that lies inside every range that the library takes."""

APART: Mapping[str, float] = {
    "GridDropout.unit_size_range": 1,
    "RandomGravel.gravel_roi": 0.2,
    "RandomShadow.shadow_roi": 0.2,
    "RandomSunFlare.flare_roi": 0.2,
}
"""How far apart the two ends must be for the library to draw anything between them."""

ENDS: Mapping[str, tuple[Any, ...]] = {
    "AdvancedBlur.beta_limit": (0.1, 16.0, 0.1),
    "AdvancedBlur.blur_limit": (3, 15, 2),
    "AdvancedBlur.noise_limit": (0.1, 3.0),
    "AdvancedBlur.rotate_limit": (-180, 180),
    "AdvancedBlur.sigma_x_limit": (0.1, 5.0, 0.1),
    "AdvancedBlur.sigma_y_limit": (0.1, 5.0, 0.1),
    "Blur.blur_limit": (3, 15, 2),
    "CLAHE.tile_grid_size": (1, 16),
    "CenterCrop.height": (4, 32),
    "CenterCrop.width": (4, 32),
    "ChannelDropout.channel_drop_range": (1, 2),
    "ChannelDropout.fill": (0.0, 255.0, 1.0),
    "ChromaticAberration.primary_distortion_limit": (-0.5, 0.5),
    "ChromaticAberration.secondary_distortion_limit": (-0.5, 0.5),
    "Crop.x_max": (17, 32),
    "Crop.x_min": (0, 15),
    "Crop.y_max": (17, 32),
    "Crop.y_min": (0, 15),
    "Defocus.radius": (1, 10),
    "Downscale.scale_range": (0.1, 0.95, 0.05),
    "ElasticTransform.alpha": (0.0, 300.0, 1.0),
    "ElasticTransform.sigma": (1.0, 50.0, 0.5),
    "Erasing.ratio": (0.3, 3.3, 0.1),
    "Erasing.scale": (0.01, 0.29, 0.01),
    "FancyPCA.alpha": (0.0, 1.0, 0.01),
    "GaussianBlur.blur_limit": (0, 15),
    "GaussianBlur.sigma_limit": (0.1, 5.0, 0.1),
    "GlassBlur.iterations": (1, 4),
    "GlassBlur.max_delta": (1, 8),
    "GlassBlur.sigma": (0.1, 3.0, 0.1),
    "GridDistortion.distort_limit": (-0.9, 0.9, 0.05),
    "GridDistortion.num_steps": (1, 16),
    "GridDropout.holes_number_xy": (1, 16),
    "GridDropout.shift_xy": (0, 31),
    "GridDropout.unit_size_range": (2, 32),
    "GridElasticDeform.magnitude": (1, 16),
    "GridElasticDeform.num_grid_xy": (1, 8),
    "HueSaturationValue.hue_shift_limit": (-180.0, 180.0),
    "HueSaturationValue.sat_shift_limit": (-255.0, 255.0),
    "HueSaturationValue.val_shift_limit": (-255.0, 255.0),
    "MedianBlur.blur_limit": (3, 15, 2),
    "MotionBlur.blur_limit": (3, 15, 2),
    "MultiplicativeNoise.multiplier": (0.0, 3.0),
    "OpticalDistortion.distort_limit": (-1.0, 1.0),
    "PadIfNeeded.min_height": (32, 64),
    "PadIfNeeded.min_width": (32, 64),
    "PiecewiseAffine.nb_cols": (2, 6),
    "PiecewiseAffine.nb_rows": (2, 6),
    "PiecewiseAffine.scale": (0.01, 0.2, 0.01),
    "PlanckianJitter.temperature_limit": (4000, 15000, 100),
    "PlasmaBrightnessContrast.plasma_size": (2, 64),
    "PlasmaBrightnessContrast.roughness": (0.1, 10.0),
    "PlasmaShadow.plasma_size": (2, 64),
    "PlasmaShadow.roughness": (0.1, 10.0),
    "Posterize.num_bits": (1, 7),
    "RGBShift.b_shift_limit": (-255.0, 255.0),
    "RGBShift.g_shift_limit": (-255.0, 255.0),
    "RGBShift.r_shift_limit": (-255.0, 255.0),
    "RandomCropFromBorders.crop_bottom": (0.0, 0.45, 0.01),
    "RandomCropFromBorders.crop_left": (0.0, 0.45, 0.01),
    "RandomCropFromBorders.crop_right": (0.0, 0.45, 0.01),
    "RandomCropFromBorders.crop_top": (0.0, 0.45, 0.01),
    "RandomFog.fog_coef_range": (0.1, 1.0, 0.01),
    "RandomGravel.gravel_roi": (0.0, 1.0, 0.05),
    "RandomGridShuffle.grid": (1, 16),
    "RandomRain.blur_value": (1, 15),
    "RandomRain.drop_length": (1, 16),
    "RandomRain.drop_width": (1, 5),
    "RandomResizedCrop.ratio": (0.2, 5.0, 0.05),
    "RandomResizedCrop.scale": (0.02, 1.0, 0.01),
    "RandomScale.scale_limit": (-0.5, 1.0, 0.05),
    "RandomShadow.num_shadows_limit": (1, 5),
    "RandomShadow.shadow_dimension": (3, 10),
    "RandomShadow.shadow_roi": (0.0, 1.0, 0.05),
    "RandomSizedCrop.min_max_height": (8, 32),
    "RandomSizedCrop.w2h_ratio": (0.25, 1.0, 0.05),
    "RandomSnow.brightness_coeff": (0.1, 10.0, 0.1),
    "RandomSunFlare.flare_roi": (0.0, 1.0, 0.05),
    "RandomSunFlare.num_flare_circles_range": (1, 20),
    "RandomSunFlare.src_radius": (2, 32),
    "RingingOvershoot.blur_limit": (3, 31, 2),
    "RingingOvershoot.cutoff": (0.1, 3.14, 0.01),
    "Rotate.limit": (-180.0, 180.0),
    "SafeRotate.limit": (-180.0, 180.0),
    "Sharpen.kernel_size": (3, 15, 2),
    "Sharpen.sigma": (0.1, 5.0, 0.1),
    "ShotNoise.scale_range": (0.01, 1.0, 0.01),
    "Spatter.gauss_sigma": (0.5, 5.0, 0.1),
    "Superpixels.max_size": (16, 128),
    "Superpixels.n_segments": (2, 100),
    "ThinPlateSpline.num_control_points": (2, 8),
    "UnsharpMask.blur_limit": (3, 15, 2),
    "UnsharpMask.sigma_limit": (0.0, 5.0, 0.1),
    "XYMasking.mask_x_length": (1, 16),
    "XYMasking.mask_y_length": (1, 16),
    "XYMasking.num_masks_x": (0, 8),
    "XYMasking.num_masks_y": (0, 8),
    "ZoomBlur.max_factor": (1.0, 2.0, 0.01),
    "ZoomBlur.step_factor": (0.01, 0.1, 0.01),
}
"""Least, most and step of sliders, where the library declares no end, or one that is too far for 32x32."""

SLOW: Mapping[str, str] = {"PiecewiseAffine": "about 25 ms", "Superpixels": "about 70 ms"}
"""Time for one image on one thread, where it is a hundred times what others take."""

HELPS: Mapping[str, str] = {
    "border_mode": "What fills the part of the picture that comes from outside the image.",
    "fill": "On the scale 0 to 255 of the image; a border takes it only where border mode is a colour.",
    "plasma_size": "The side of the pattern, before it is brought to the size of the image.",
}
"""For arguments that the library itself leaves without a word."""

BORDERS = {
    0: "A colour",
    1: "Edge pixel drawn out",
    2: "Mirror image, edge pixel twice",
    3: "The other side",
    4: "Mirror image",
}
INTERPOLATIONS = {
    0: "Nearest pixel",
    1: "Linear",
    2: "Cubic",
    3: "Area",
    4: "Lanczos",
    5: "Linear, bit-exact",
    6: "Nearest pixel, bit-exact",
}
CHOICES: Mapping[str, Mapping[Any, str]] = {"border_mode": BORDERS, "interpolation": INTERPOLATIONS}
"""What OpenCV's numbers mean, by the end of the argument's name."""
